"""One file for each family of programs; each judges one call. The list of them all is in `registry.py`."""
