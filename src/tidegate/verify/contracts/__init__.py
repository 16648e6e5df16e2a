"""Does the change break what others rely on: API descriptions, messages, schemas, public names of a library.

Writes `verification.breaks`. Each kind of contract is one module or folder, compared by meaning, base against head.
What is added is silent. It never runs or imports what it compares.
"""
