"""The MCP server: what a coding agent may ask of Tidegate while it works, and the little that it may tell it.

The server's own process speaks the protocol and nothing else. Whatever reads the repository is read by a process of its
own for each call (`child.py`), bounded in time and memory and ended with all that it started. What comes back is data
about a repository that somebody else wrote: `capped.py` makes it visible, short, and marked as such.

It never runs the repository's code, never approves anything, and without `--write` changes nothing but our own caches.
"""
