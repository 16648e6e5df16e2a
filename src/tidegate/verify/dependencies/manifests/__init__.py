"""Readers of manifests and locks: one file per form, one line each in `registry.py`."""
