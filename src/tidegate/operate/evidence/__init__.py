"""Reasons for and against: what a diff does, what speaks for a change, what speaks for a cause that is no change.

Every reason is an `Evidence` with log-odds and its source; nothing here decides. `operate/suspects.py` adds them up.
"""
