"""The benchmark of reach: what is predicted, held against what ran. `python -m bench.reach --help`; see `__main__`."""
