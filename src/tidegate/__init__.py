"""Tidegate lets safe change out to production quickly and holds what is not yet safe."""

__version__ = "0.1.0"
