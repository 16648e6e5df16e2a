"""Which packages from outside a change brings, what vouches for each, and which imports nothing declares.

Manifests, locks and imports are read at both sides and compared; nothing is installed, run or looked up on a network.
Writes `dependencies` and `unknown_dependencies` of the section `verification`.
"""
