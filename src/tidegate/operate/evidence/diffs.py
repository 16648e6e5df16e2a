"""What a diff does to behaviour, from its text alone: what it takes away, adds, moves, renumbers; in any language.

Fragments are enough: nothing is parsed as a whole, so a hunk without its file is read as well as a full patch. What
stands on both sides is what moved; the difference of the two sides is what the change did.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from tidegate.operate.symptoms import words

T = TypeVar("T")

MOST_LINES = 2000
MOST_CHARACTERS = 200_000
LONGEST_LINE = 1000

_COMMENT = re.compile(r"^\s*(?://|#(?!\s*include)|\*|/\*|--\s|<!--|;|\"\"\"|''')")
_TRAILING = re.compile(r"\s(?://|#)\s.*$")
_TOKEN = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|\w+(?:\.\d+)?|[^\w\s]")
_NUMBER = re.compile(r"(?<![\w.\"-])-?\d+(?:\.\d+)?(?![\w.]*[\"'])")
_CALL = re.compile(r"([A-Za-z_][\w.]*)\s*\(")
_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|`([^`]*)`")
_GUARD = re.compile(r"\b(?:if|unless|guard|assert|require|when|except|catch|rescue)\b|\?\.|\?\?")
_LOOP = re.compile(r"\b(?:for|while|foreach|forEach|each|map|range)\b")
_LOOP_HEAD = re.compile(r"\s*(?:for|while|foreach)\b|.*\.(?:forEach|each)\b")
_PASS = re.compile(r"^\s*(?:for|while|foreach)\b|\b(?:sort|sorted|sort_by|sortBy|OrderBy|deepcopy|index|indexOf)\s*\(")
_NOT_CALLS = frozenset("if for while switch return func function catch except def class match when unless".split())


class DiffText(Struct, frozen=True, kw_only=True):
    """The two sides of a diff without comments and blank lines, and what lies around them."""

    removed: tuple[str, ...]
    added: tuple[str, ...]
    around: tuple[str, ...]
    comments: int
    read: bool = True
    """Whether there was a text to read at all."""


class Delta(Struct, frozen=True, kw_only=True):
    """What differs between the sides, as multisets; what is on both sides is in neither."""

    words_removed: Mapping[str, int]
    words_added: Mapping[str, int]
    calls_removed: tuple[str, ...]
    calls_added: tuple[str, ...]
    numbers_removed: tuple[float, ...]
    numbers_added: tuple[float, ...]
    strings_removed: tuple[str, ...]
    strings_added: tuple[str, ...]
    guards: int
    """Guards added less guards removed."""
    kept: float
    """The share of the smaller side's tokens that the other side has too."""
    moved: float
    """The same of the larger side: 1 is code that was only moved."""


def read_diff(text: str) -> DiffText:
    """The sides of a unified diff, whole or in fragments."""
    removed: list[str] = []
    added: list[str] = []
    around: list[str] = []
    comments = 0
    for line in text[:MOST_CHARACTERS].split("\n")[:MOST_LINES]:
        line = line[:LONGEST_LINE]
        if line.startswith(("+++ ", "--- ", "diff ", "index ", "Binary ")):
            continue
        if not line.startswith(("+", "-")):
            around.append(line)
        elif _COMMENT.match(line[1:]):
            comments += 1
        elif line[1:].strip():
            (removed if line[0] == "-" else added).append(_TRAILING.sub("", line[1:]).strip())
    return DiffText(
        removed=tuple(removed), added=tuple(added), around=tuple(around), comments=comments, read=bool(text.strip())
    )


def compare(diff: DiffText) -> Delta:
    """What the one side has and the other has not."""
    before, after = "\n".join(diff.removed), "\n".join(diff.added)
    gone, come = _differ(_vocabulary(diff.removed), _vocabulary(diff.added))
    calls_gone, calls_come = _differ(_calls(before), _calls(after))
    numbers_gone, numbers_come = _differ(_numbers(before), _numbers(after))
    strings_gone, strings_come = _differ(_strings(before), _strings(after))
    return Delta(
        words_removed=gone,
        words_added=come,
        calls_removed=tuple(sorted(calls_gone.elements())),
        calls_added=tuple(sorted(calls_come.elements())),
        numbers_removed=tuple(sorted(numbers_gone.elements())),
        numbers_added=tuple(sorted(numbers_come.elements())),
        strings_removed=tuple(sorted(strings_gone.elements())),
        strings_added=tuple(sorted(strings_come.elements())),
        guards=len(_GUARD.findall(after)) - len(_GUARD.findall(before)),
        kept=_kept(before, after, min),
        moved=_kept(before, after, max),
    )


def is_sorted_anew(diff: DiffText) -> bool:
    """Whether both sides have the same lines, in whatever order and spacing."""
    both = ["".join(line.split()) for line in diff.removed], ["".join(line.split()) for line in diff.added]
    return bool(both[0]) and sorted(both[0]) == sorted(both[1])


def has_loop_with_call(diff: DiffText) -> bool:
    """Whether an added line loops and one of the next six added lines calls something of a store or another service."""
    remote = re.compile(
        r"\.(?:get|find|fetch|query|exec\w*|select|load|lookup|put|post|send|call|publish|save|insert|update)\w*\s*\(|"
        r"\b(?:ctx|context|session|client|await|db)\b",
        re.IGNORECASE,
    )
    before = "\n".join(diff.removed)
    for number, line in enumerate(diff.added):
        if _LOOP.search(line):
            body = diff.added[number : number + 7]
            if any(remote.search(inner) and inner not in before for inner in body if _CALL.search(inner)):
                return True
    return False


def has_loop_in_loop(diff: DiffText) -> bool:
    """Whether an added line loops and one of the next four added lines loops or sorts: work by the square."""
    if len(diff.added) < 2 or any(_PASS.search(line) for line in diff.removed if _LOOP.search(line)):
        return False
    for number, line in enumerate(diff.added):
        if _LOOP_HEAD.match(line) and any(_PASS.search(inner) for inner in diff.added[number + 1 : number + 5]):
            return True
    return False


# Private


def _vocabulary(lines: Sequence[str]) -> Counter[str]:
    return Counter(word for line in lines for word in words.vocabulary(line))


def _differ(before: Counter[T], after: Counter[T]) -> tuple[Counter[T], Counter[T]]:
    return before - after, after - before


def _calls(text: str) -> Counter[str]:
    names = (name.rsplit(".", 1)[-1] for name in _CALL.findall(text))
    return Counter(name for name in names if name not in _NOT_CALLS)


def _numbers(text: str) -> Counter[float]:
    return Counter(abs(float(found)) for found in _NUMBER.findall(text)[:500] if len(found) < 18)


def _strings(text: str) -> Counter[str]:
    return Counter("".join(groups) for groups in _STRING.findall(text) if "".join(groups).strip())


def _kept(before: str, after: str, of: Callable[[int, int], int]) -> float:
    old, new = Counter(_TOKEN.findall(before)), Counter(_TOKEN.findall(after))
    for mark in "(){}[],;:.=&*":
        del old[mark], new[mark]
    side = of(old.total(), new.total())
    return (old & new).total() / side if side else 0.0
