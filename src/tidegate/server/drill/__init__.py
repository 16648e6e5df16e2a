"""Drills with several people at their own browsers: what each may see and when, and what is decided, once."""
