"""Which commits belong to one logical change: its copies, what undid it, what brought it back, what repaired it."""
