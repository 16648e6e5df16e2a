"""Which functions and routes ask less than before who is there: the field `verification.access_removed`.

Both sides of each changed file are read into units (a function, a route, a class, a rule of a framework) with what asks
before them. A guard is gone where a unit of both sides lost it and nothing as strong stands in its place: on the unit,
its class, its router, its file or in its body. Guards that are not recognised are neither gone nor a replacement, and
the check never runs what it reads.
"""
