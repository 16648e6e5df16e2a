"""Which service is at the root of an incident, from measured series and who calls whom; no change is looked at.

Two views are added by rank: how far down a trail of unusual services leads, and whose own extra time or
failures are not those of what it calls. Nothing is learned, so that nothing has to be trained for an environment.
"""
