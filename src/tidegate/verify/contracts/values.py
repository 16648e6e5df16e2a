"""What a comparison of two versions of a contract finds, and where it stands at the head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec import Struct

from tidegate.change.trees import Pair
from tidegate.change.values import FileChange
from tidegate.facts import Place, Severity
from tidegate.verify.values import Subject

BROKEN = "contract-broken"
NARROWED = "contract-narrowed"


class Break(Struct, frozen=True):
    """One thing that a contract promised at the base and does not at the head.

    `what` is a clause that follows the contract's name; `place` is at the head.
    """

    contract: str
    what: str
    place: Place
    rule: str = BROKEN
    severity: Severity = "high"
    mend: str = ""


class Compared(Struct, frozen=True):
    """The breaks of one kind of contract, and why some of its files could not be compared, by path."""

    breaks: tuple[Break, ...] = ()
    unread: Mapping[str, str] = {}


Comparison: TypeAlias = Callable[[Subject], Compared]


class Unreadable(Exception):  # noqa: N818 it says what the file is, and is always caught by the comparison
    """A contract that cannot be read; the message says why."""


class Both(Struct, frozen=True):
    """A changed contract with its contents on both sides; None where the side has no such file or it is too large."""

    file: FileChange
    pair: Pair
    before: bytes | None
    after: bytes | None


def both_sides(subject: Subject, wanted: Callable[[str], bool], *, added: bool = False) -> list[Both]:
    """The changed files, generated ones too, whose path at the base is wanted; with `added` those that are new too.

    Those of third parties are left out.
    """
    by_path = {pair.path: pair for pair in subject.trees.changed}
    chosen = []
    for file in subject.change.files:
        pair = by_path.get(decoded(file.path))
        known = pair is not None and (pair.before or (added and pair.after))
        if pair is not None and known and not file.vendored and wanted(pair.before or pair.after):
            chosen.append((file, pair))
    before = subject.trees.before.read([pair.before for _, pair in chosen if pair.before])
    after = subject.trees.after.read([pair.after for _, pair in chosen if pair.after])
    return [Both(file, pair, before.get(pair.before), after.get(pair.after)) for file, pair in chosen]


def for_others(path: str) -> bool:
    """Whether a file can be a contract by where it lies: those of tests, examples and fixtures promise nothing."""
    return not _ASIDE.intersection(path.lower().split("/")[:-1])


def decoded(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def shown(path: str) -> str:
    """A path of a tree as text that can be written anywhere."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def head_line(file: FileChange, old_line: int) -> int:
    """Where a line of the base is at the head; for a removed line, where it was taken out. 0 where nobody knows."""
    if old_line <= 0 or file.status == "deleted" or not file.lines_known:
        return 0
    shift = 0
    for hunk in file.hunks:
        first = hunk.old_start if hunk.old_count else hunk.old_start + 1
        if old_line < first:
            break
        if old_line < first + hunk.old_count:
            return max(1, hunk.new_start + min(old_line - first, max(hunk.new_count - 1, 0)))
        shift += hunk.new_count - hunk.old_count
    return max(1, old_line + shift)


def quoted(names: Iterable[str], most: int = 5) -> str:
    """Names in a sentence, the rest counted."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(f"`{name}`" for name in listed[:most]) + more


# Private

_ASIDE = frozenset(
    "test tests testing testdata test-data __tests__ __fixtures__ __mocks__ fixtures fixture mocks example "
    "examples sample samples demo demos bench benchmark benchmarks node_modules vendor third_party e2e "
    "playground".split()
)
