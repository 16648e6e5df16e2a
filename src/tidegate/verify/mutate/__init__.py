"""Whether the tests would notice a fault in the changed lines: small faults are put in, and the tests are run on them.

`check.py` reads what `tidegate verify mutate` kept, or the reports of other tools, and runs nothing.
"""
