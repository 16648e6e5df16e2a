"""What a change of workflows, images, feature flags and zone files permits, loosens, switches off or brings in.

These files are no resources: each kind compares what a file meant before with what it means after and says drafts of
its own. Nothing is executed, rendered or fetched; what only another repository knows is left to people.
"""
