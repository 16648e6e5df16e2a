"""What an incident's own data say, before any change is looked at: words, onset, origin and what grew.

Question: what is new, since when, and where did it start? It never reads a change and never names a suspect.
"""
