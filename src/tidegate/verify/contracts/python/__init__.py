"""The public API of the Python libraries of a repository, read by `ast`.

Rules after griffe's `find_breaking_changes` (https://mkdocstrings.github.io/griffe/guide/users/checking/) and the
habits of PEP 8: a name is public if `__all__` has it, else if it does not begin with an underscore.
"""
