"""Ways in which changes made by agents have failed in public: one file each, one line in the list."""

from __future__ import annotations

from tidegate.drill.patterns import (
    access,
    config,
    cost,
    dependency,
    dns,
    drop,
    flag,
    injection,
    migration,
    recreate,
    refactor,
    retry,
    rotated,
    secret,
    state,
    tests,
)
from tidegate.drill.patterns.interface import Pattern
from tidegate.errors import InputError
from tidegate.settings import nearest

PATTERNS: tuple[Pattern, ...] = (
    recreate.PATTERN,
    migration.PATTERN,
    drop.PATTERN,
    access.PATTERN,
    state.PATTERN,
    dns.PATTERN,
    config.PATTERN,
    retry.PATTERN,
    flag.PATTERN,
    rotated.PATTERN,
    secret.PATTERN,
    dependency.PATTERN,
    refactor.PATTERN,
    injection.PATTERN,
    tests.PATTERN,
    cost.PATTERN,
)


def find_pattern(id_: str) -> Pattern:
    """The pattern with this id. Raises InputError when there is none."""
    for pattern in PATTERNS:
        if pattern.id == id_:
            return pattern
    raise InputError(f"there is no pattern {id_}", mend=nearest(id_, [pattern.id for pattern in PATTERNS]))
