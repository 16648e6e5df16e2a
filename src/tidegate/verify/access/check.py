"""The check of access: functions and routes that ask less than before, and conditions made always true."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.change.trees import Pair, Tree
from tidegate.change.values import FileChange, show_path
from tidegate.facts import AccessFact, Finding, Place, Unknown
from tidegate.verify.access import marked, python, routes, ruby
from tidegate.verify.access.compare import Gone, compare, together
from tidegate.verify.access.text import LONGEST, Braced
from tidegate.verify.access.values import Look, Unit, Units
from tidegate.verify.values import Part, Subject

RULE = "access-removed"
FIELD = "verification.access_removed"
LANGUAGES = ("Python", "JavaScript", "TypeScript", "Go", "Java", "Kotlin", "Ruby")
MOST_FILES = 300
MEND = "put it back, or say in the description who may call this now and why; then let somebody who knows it approve"


def check(subject: Subject) -> Part:
    """What asks less than before. Tests, generated and vendored files are not asked about."""
    asked = [(file, pair) for file, pair in subject.changed(*LANGUAGES) if _runs(file)]
    read = [_read(subject, file, pair) for file, pair in asked[:MOST_FILES]]
    moved = _new_units(read)
    found: list[tuple[AccessFact, Finding]] = []
    for one in read:
        found += (_said(one, gone, count) for gone, count in together(compare(one.before, one.after, moved)))
        found += (_always(one, line, was) for line, was in _always_true(one.file))
    found.sort(key=lambda one: (one[1].place.path, one[1].place.line, one[1].message))
    unknowns = tuple(_unread(read, len(asked) - len(read)))
    return Part({"access_removed": tuple(fact for fact, _ in found)}, tuple(finding for _, finding in found), unknowns)


# Private

_ASIDE = re.compile(
    rb"(?i)(?:^|/)(?:tests?|specs?|__tests__|e2e|cypress|fixtures?|testdata|mocks?|examples?|samples?|demos?|migrations?|stories|benchmarks?)/"
    rb"|\.d\.ts$|\.(?:test|spec|stories)\.\w+$"
)


class _Sides(Struct, frozen=True):
    file: FileChange
    pair: Pair
    before: Units
    after: Units
    unread: bool = False


def _runs(file: FileChange) -> bool:
    return file.kind in ("source", "config") and not _ASIDE.search(file.path)


def _read(subject: Subject, file: FileChange, pair: Pair) -> _Sides:
    before, after = (
        _units(file.language, path, tree) if path else {}
        for path, tree in ((pair.before, subject.trees.before), (pair.after, subject.trees.after))
    )
    return _Sides(file, pair, before or {}, after or {}, before is None or (after is None and bool(before)))


def _units(language: str, path: str, tree: Tree) -> Units | None:
    """The units of a file; None where it cannot be read."""
    content = tree.read([path]).get(path)
    if content is None or len(content) > LONGEST or b"\0" in content:
        return None
    text = content.decode("utf-8", "replace")
    if language == "Python":
        return python.read(text)
    if language == "Ruby":
        return ruby.read(text, path, _look(tree))
    units: dict[str, Unit] = {}
    code = Braced(text)
    if language in ("Java", "Kotlin", "TypeScript"):
        marked.read(code, units)
    if language in ("JavaScript", "TypeScript", "Go"):
        routes.read(code, units)
    return units


def _look(tree: Tree) -> Look:
    def look(path: str) -> str:
        content = tree.read([path]).get(path, b"")
        return content.decode("utf-8", "replace") if len(content) <= LONGEST else ""

    return look


def _new_units(read: Sequence[_Sides]) -> Units:
    """Units that are new in their file: where something of another file may have gone. Two of one name are nobody's."""
    found: dict[str, Unit] = {}
    twice = set()
    for one in read:
        if one.pair.after.endswith(".rb") and not one.pair.after.endswith("_controller.rb"):
            continue  # models and what several controllers share have no routes of their own
        for key, unit in one.after.items():
            if key not in one.before:
                twice.update({key} & found.keys())
                found[key] = unit
    return {key: unit for key, unit in found.items() if key not in twice}


def _said(one: _Sides, gone: Gone, count: int) -> tuple[AccessFact, Finding]:
    path = show_path(one.file.path)
    others = f" and {count - 1} more" if count > 1 else ""
    beside = f" (and {gone.more} more)" if gone.more else ""
    where = f"it stood in line {gone.guard.line} of the base" if gone.guard.line else "it came from a parent"
    if gone.before.refuses and gone.after.refuses == 0:
        message = f"{gone.before.name} no longer turns anybody away; it did in line {gone.before.line} of the base"
    elif gone.instead:
        became = f"{gone.guard.text}{beside} became {gone.instead}"
        message = f"{gone.before.name}{others} asks less than before: {became}; {where}"
    else:
        lost = f"{gone.before.name}{others} is no longer guarded by {gone.guard.text}{beside}"
        message = f"{lost}: nothing as strong stands in its place; {where}"
    # What went to another file is said of the one that it left.
    place = Place(path, gone.after.line if gone.after in one.after.values() else 0)
    fact = AccessFact(gone.before.name, gone.guard.text, gone.instead, gone.guard.line, place)
    return fact, Finding(RULE, "high", message, place, MEND)


_TRUE = re.compile(
    r"\bor True\b|\|\|\s*true\b|\bif True\b|\bif \(true\)|\bif False\b|\bif \(false\)|\band False\b|&&\s*false\b"
)
_ASKED = re.compile(
    r"(?i)is_?auth|is_?admin|is_?staff|is_?superuser|is_?owner|has_?perm|has_?role|permission|current_?user|req\.user|\.user\b|owner|\brole|token|logged_?in"
)


def _always_true(file: FileChange) -> Iterator[tuple[int, str]]:
    """Conditions on who is there that can no longer fail: the line at the head, and the text at the base."""
    for hunk in file.hunks:
        removed = [line.decode("utf-8", "replace") for line in hunk.removed if len(line) < 2_000]
        asked = next((line.strip() for line in removed if _ASKED.search(line) and not _TRUE.search(line)), "")
        if not asked or any(_TRUE.search(line) for line in removed):
            continue
        for offset, line in enumerate(hunk.added):
            text = line[:2_000].decode("utf-8", "replace")
            words = text.partition("#")[0] if file.language in ("Python", "Ruby") else text.partition("//")[0]
            if _TRUE.search(words) and (_ASKED.search(words) or re.search(r"\bif\b", words)):
                yield hunk.new_start + offset, asked


def _always(one: _Sides, line: int, was: str) -> tuple[AccessFact, Finding]:
    place = Place(show_path(one.file.path), line)
    message = f"this condition no longer depends on who is there; the base has: {was[:120]}"
    return AccessFact("a condition", was[:120], "always the same", 0, place), Finding(
        RULE, "high", message, place, MEND
    )


def _unread(read: Sequence[_Sides], left: int) -> Iterator[Unknown]:
    reasons = []
    bad = [one for one in read if one.unread]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        reasons.append(f"{show_path(bad[0].file.path)}{more} could not be read")
    if left:
        reasons.append(f"{left} changed files beyond {MOST_FILES} were not asked about")
    if reasons:
        yield Unknown(FIELD, "; ".join(reasons))
