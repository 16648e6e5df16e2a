"""The reader of tests for each language that is read."""

from __future__ import annotations

from tidegate.verify.suite.python_tests import read_python
from tidegate.verify.suite.values import Lookup, TestFile

LANGUAGES = ("Python", "JavaScript", "TypeScript", "Go", "Java", "Ruby", "Rust")
IN_SOURCE = ("Rust",)
"""Languages whose tests stand beside the source that they test."""
LARGEST_BYTES = 2 << 20


def read_tests(content: bytes, path: str, language: str, lookup: Lookup) -> TestFile | None:
    """The tests of a file, None where it cannot be read."""
    if len(content) > LARGEST_BYTES or b"\0" in content:
        return None
    if language == "Python":
        return read_python(content, path, lookup)
    from tidegate.verify.suite.foreign_tests import read_foreign

    return read_foreign(content, path, language, lookup)
