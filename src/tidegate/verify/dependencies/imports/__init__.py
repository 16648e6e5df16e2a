"""Which packages code imports, and whether anything declares them. One reader for each language."""
