"""WHAT RAN: which test executed which symbol, seen in the user's own test run or read from coverage files.

A recording becomes a map, keyed by what each symbol was made of, so that it stays good evidence for whatever has not
changed since. A map says which tests it saw at all: a test that it did not see is unknown, never harmless.
"""
