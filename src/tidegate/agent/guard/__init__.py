"""Which commands must not run as they are: read like a shell reads them, judged by tool, held where nobody can see.

It runs nothing that it judges. Unknown is never safe, and its own failure holds.
"""
