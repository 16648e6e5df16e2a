"""Hooks put into place: what an agent's configuration must say, shown before it is written, taken back exactly."""
