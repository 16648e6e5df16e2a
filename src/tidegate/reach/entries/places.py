"""Which files are tests, whose routes and commands nobody outside calls."""

from __future__ import annotations

from functools import lru_cache

from tidegate.change.kinds import TEST_FOLDERS, TESTS
from tidegate.change.patterns import Patterns, compile_patterns

_NO_TESTS = ("!**/management/commands/test.py",)


@lru_cache(maxsize=1)
def _tests() -> Patterns:
    return compile_patterns((*TESTS, *TEST_FOLDERS, *_NO_TESTS))


@lru_cache(maxsize=65536)
def is_test(path: str) -> bool:
    """Whether the file is a test or lies in a folder of tests."""
    return _tests().matches(path.encode("utf-8", "surrogateescape"))
