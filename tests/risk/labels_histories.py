"""Histories drawn as commits, for the tests of labels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from tidegate.change.values import Person
from tidegate.risk.values import PastCommit, Touch

HOUR = 3600
START = 1_600_000_000
ALICE = Person("Alice Smith", "alice@example.com")


def oid(name: str) -> str:
    """The object id of the commit that a test calls so."""
    return hashlib.sha1(name.encode()).hexdigest()


def commit(
    name: str, message: str, at: int, parents: Sequence[str] = (), paths: Sequence[str] = ("src/a.py",)
) -> PastCommit:
    """A commit called `name`, `at` hours after the start. {NAME} in its message is the object id of another."""
    text = message
    while "{" in text:
        before, _, rest = text.partition("{")
        inside, _, after = rest.partition("}")
        text = before + oid(inside) + after
    touches = tuple(Touch(path, path, "M", 3, 1) for path in paths) if len(parents) < 2 else ()
    when = START + at * HOUR
    return PastCommit(oid(name), tuple(oid(p) for p in parents), ALICE, ALICE, when, when, text, touches)


def line(*messages: str) -> tuple[PastCommit, ...]:
    """One commit after the other, called a, b, c, ..."""
    found = []
    for number, message in enumerate(messages):
        name = chr(ord("a") + number)
        found.append(commit(name, message, number, [chr(ord("a") + number - 1)] if number else []))
    return tuple(found)
