"""WHAT RUNS in an environment, learned from what is there: services, owners, tiers, routes, calls, who watches them.

One file for each kind of source, one line each in `sources.SOURCES`; what they state is merged into a `Map`, in which
each fact keeps who says so. It must never make two names one in silence: a match that is a guess is marked as one. And
what no source speaks of is unknown: a service that nobody was asked about is not called unmonitored.
"""
