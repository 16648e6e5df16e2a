"""WHAT changed: git objects, trees, hunks, history, pull requests, domains. Writes `repository`, `change`, `review`.

It must never run anything that the repository names, and never write into the repository except through `notes.py`.
"""
