"""The reader of tests for each language that is read."""

from __future__ import annotations

from tidegate.verify.suite.python_tests import read_python
from tidegate.verify.suite.values import Lookup, TestFile

LANGUAGES = ("Python",)
IN_SOURCE = ("Rust",)
LARGEST_BYTES = 2 << 20


def read_tests(content: bytes, path: str, language: str, lookup: Lookup) -> TestFile | None:
    """The tests of a file, None where it cannot be read."""
    if len(content) > LARGEST_BYTES or b"\0" in content:
        return None
    return read_python(content, path, lookup) if language == "Python" else None
