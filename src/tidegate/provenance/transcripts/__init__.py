"""Transcripts of agents' sessions: which tool and model, and every edit that was made to a file.

Each agent family has one file with two functions: `recognise` says from the content alone whether the records are its
own (file names lie), `read` takes the edits out. `read.py` lists the families. Transcripts hold prompts and secrets:
of a prompt only a salted digest leaves this package, and nothing of what tools printed.
"""
