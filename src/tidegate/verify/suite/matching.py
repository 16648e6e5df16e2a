"""Which test of the base is which test of the head: by its name, else by what it says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.verify.suite.values import TestCase, TestFile, unchanged

_ALIKE = 0.55
_MOST_COMPARED = 400


class Kept(Struct, frozen=True):
    """A test that is there on both sides."""

    path: str
    before: TestCase
    after: TestCase


class Gone(Struct, frozen=True):
    """A test that is on one side only, with the path of its file there."""

    path: str
    test: TestCase


class Matched(Struct, frozen=True):
    """The tests of the changed files: kept with another text, added and removed."""

    kept: tuple[Kept, ...]
    added: tuple[Gone, ...]
    removed: tuple[Gone, ...]


def match(files: Sequence[tuple[str, TestFile, str, TestFile]]) -> Matched:
    """Joins the tests of files, each given as path and tests before, and path and tests after. Missing files are empty.

    A test that was moved or renamed is kept: the most alike pair first, by the words of both.
    """
    kept: list[Kept] = []
    removed: list[Gone] = []
    added: list[Gone] = []
    for old_path, before, new_path, after in files:
        same = unchanged(before, after)
        for name in before.tests:
            if name in same:
                continue
            if name in after.tests:
                kept.append(Kept(new_path, before.tests[name], after.tests[name]))
            else:
                removed.append(Gone(old_path, before.tests[name]))
        added += [Gone(new_path, after.tests[name]) for name in after.tests if name not in before.tests]
    for at_old, at_new in _joined(removed, added):
        kept.append(Kept(added[at_new].path, removed[at_old].test, added[at_new].test))
    lost = {id(one.before) for one in kept}
    new = {id(one.after) for one in kept}
    return Matched(
        tuple(kept),
        tuple(one for one in added if id(one.test) not in new),
        tuple(one for one in removed if id(one.test) not in lost),
    )


def likeness(one: str, other: str) -> float:
    """The share of words and symbols that two texts have in common, 1 for the same."""
    left, right = Counter(_TOKEN.findall(one)), Counter(_TOKEN.findall(other))
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0


# Private

_TOKEN = re.compile(r"\w+|[^\w\s]")


def _joined(removed: Sequence[Gone], added: Sequence[Gone]) -> list[tuple[int, int]]:
    """Pairs of places in both lists, the most alike first, each test at most once."""
    exact: dict[str, list[int]] = {}
    for at, one in enumerate(added):
        exact.setdefault(one.test.text, []).append(at)
    found: list[tuple[int, int]] = []
    for at, one in enumerate(removed):
        same = exact.get(one.test.text)
        if same:
            found.append((at, same.pop(0)))
    done_old, done_new = {old for old, _ in found}, {new for _, new in found}
    left = [at for at in range(len(removed)) if at not in done_old]
    free = [at for at in range(len(added)) if at not in done_new]
    if len(left) * len(free) > _MOST_COMPARED**2:
        return found
    tokens: Mapping[int, Counter[str]] = {at: Counter(_TOKEN.findall(added[at].test.text)) for at in free}
    ranked = []
    for old in left:
        words = Counter(_TOKEN.findall(removed[old].test.text))
        for new in free:
            total = words.total() + tokens[new].total()
            share = 2 * (words & tokens[new]).total() / total if total else 1.0
            if _last(removed[old].test.name) == _last(added[new].test.name):
                share += 0.3
            if share >= _ALIKE:
                ranked.append((-share, old, new))
    for _, old, new in sorted(ranked):
        if old not in done_old and new not in done_new:
            found.append((old, new))
            done_old.add(old)
            done_new.add(new)
    return found


def _last(name: str) -> str:
    return name.rpartition(".")[2].rpartition(" > ")[2]
