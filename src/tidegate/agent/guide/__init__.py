"""What an agent should know before it changes a file: what the repository enforces, shows and lived through.

Everything is read at one revision, the base of a change, and nothing of it is executed. Text of the repository is
quoted as data: names and commands of a narrow form, titles in quotes; a sentence of somebody else never stands as ours.
"""
