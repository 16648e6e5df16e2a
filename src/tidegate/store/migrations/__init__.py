"""How a database of an earlier Tidegate becomes one of this: one file for each step, run by `store/migrate.py`."""
