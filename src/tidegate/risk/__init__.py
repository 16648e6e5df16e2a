"""HOW LIKELY it fails: what became of earlier changes, and what that says about this one. Writes `risk` and `history`.

It mines the repository once (`history/`), says which changes had to be repaired and since when that is known
(`labels/`, `szz/`), describes each change by what was known before it merged (`features/`), and learns from both
(`model/`). The probability that a change must be repaired and the impact if it is are two numbers and stay two.

It reads all other collectors, so it stands one floor above them. It must never use what only the future knew, never
print a probability that was not calibrated on this repository, and never read an unlabelled young change as a good one.
"""
