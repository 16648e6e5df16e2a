"""Files that run inside the user's own Python, beside their tests. They need the standard library and pytest alone."""
