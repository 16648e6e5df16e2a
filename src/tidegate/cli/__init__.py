"""The doors for a person at a terminal: one file per command group, no logic."""
