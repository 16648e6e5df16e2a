"""WHO OR WHAT wrote it: notes, traces, trailers, transcripts, the evidence ladder, blame, recovery.

Writes `provenance`. It never guesses from style: a line without evidence is unknown, and human is a claim too.
"""
