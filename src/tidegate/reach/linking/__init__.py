"""WHAT A NAME MEANS: the chains of every file are evaluated to definitions, and each use becomes an edge.

One file is linked at a time; which other files its answers rest on is written down, so that a change links again what
it must and nothing else. What could not be resolved is an edge to everything of that name, marked as such, or is
counted: never dropped.
"""
