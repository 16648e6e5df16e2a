"""The recorder: what coding agents and git call while code is written, so that who wrote a line is not guessed.

Every call costs an interpreter's start and little more: nothing here imports what is not in the standard library, and
of that as little as it can. It reads files and asks git; it never runs anything of the repository, never blocks the
work of an agent or a person, and keeps digests of lines, never their text.
"""
