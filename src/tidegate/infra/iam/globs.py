"""Patterns of policies (`s3:Get*`, `arn:aws:s3:::b/*`): whether one holds all of another, whether two can meet.

`*` stands for any text and `?` for one character. A `${...}` is a word that is filled in later: it is the same as
itself and nothing else, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

ANY, ONE = "*", "?"
_WORD = re.compile(r"\$\{[^{}]*\}")
_RUN = re.compile(r"[*?]{2,}")
_HIDE = str.maketrans({ANY: "\ue002", ONE: "\ue003"})


def is_wild(pattern: str) -> bool:
    """Whether a pattern stands for more than one text."""
    return any(sign in _plain(pattern) for sign in (ANY, ONE))


def covers(wide: str, narrow: str) -> bool:
    """Whether everything that `narrow` stands for, `wide` stands for too."""
    if wide in (ANY, narrow):
        return True
    return _covers(_plain(wide), _plain(narrow))


def covered(narrow: str, wide: Iterable[str]) -> bool:
    """Whether one of these patterns covers it. Patterns stand for texts without end, so a union covers nothing more."""
    return any(covers(one, narrow) for one in wide)


def meets(one: str, other: str) -> bool:
    """Whether some text is what both stand for."""
    if ANY in (one, other) or one == other:
        return True
    return _meets(_plain(one), _plain(other))


# Private


@lru_cache(maxsize=4096)
def _plain(pattern: str) -> str:
    if "$" in pattern:
        pattern = _WORD.sub(lambda found: found.group(0).translate(_HIDE), pattern)
    return _RUN.sub(_ordered, pattern)


def _ordered(found: re.Match[str]) -> str:
    run = found.group(0)
    return ONE * run.count(ONE) + (ANY if ANY in run else "")


@lru_cache(maxsize=65536)
def _covers(wide: str, narrow: str) -> bool:
    """The usual walk for globs, where a `*` of the narrow side is a sign that only a `*` of the wide side takes."""
    at = place = 0
    star, back = -1, 0
    while place < len(narrow):
        sign = wide[at] if at < len(wide) else ""
        if sign == ANY:
            star, back = at, place
            at += 1
        elif sign and (sign == narrow[place] or (sign == ONE and narrow[place] != ANY)):
            at, place = at + 1, place + 1
        elif star >= 0:
            back += 1
            at, place = star + 1, back
        else:
            return False
    return all(sign == ANY for sign in wide[at:])


@lru_cache(maxsize=65536)
def _meets(one: str, other: str) -> bool:
    if not (ANY in other or ONE in other):
        return _covers(one, other)
    if not (ANY in one or ONE in one):
        return _covers(other, one)
    reached = {0}
    reached = _past(reached, other)
    for sign in one:
        reached = _past(_step(sign, reached, other), other)
        if not reached:
            return False
    return len(other) in reached


def _step(sign: str, reached: set[int], other: str) -> set[int]:
    if sign == ANY:
        return set(range(min(reached), len(other) + 1))
    found = set()
    for place in reached:
        if place == len(other):
            continue
        if other[place] == ANY:
            found.add(place)
        elif ONE in (sign, other[place]) or other[place] == sign:
            found.add(place + 1)
    return found


def _past(reached: set[int], other: str) -> set[int]:
    found = set(reached)
    for place in reached:
        while place < len(other) and other[place] == ANY:
            place += 1
            found.add(place)
    return found
