"""Tests that a change deletes although what they test stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.verify.suite.matching import Gone, Matched, likeness
from tidegate.verify.suite.values import TestFile
from tidegate.verify.suite.weakened import Around, Weakening

_ABSORBED = 0.3
_NAMED = 3


class Sources(Struct, frozen=True):
    """Whether the change touches the source, the files that it deletes, and the names of all files at the head."""

    touched: bool
    deleted: frozenset[str]
    stems: frozenset[str]


def removed_tests(
    matched: Matched, files: Sequence[tuple[str, TestFile, str, TestFile]], around: Around, sources: Sources
) -> Iterator[tuple[Gone, ...]]:
    """The deleted tests whose subject is still there, file by file. What was merged or rewritten is not among them."""
    for path, before, new_path, after in files:
        lost = [one for one in matched.removed if one.path == path and one.test.live and not one.test.skipped]
        if not lost or _rewritten(before, after):
            continue
        fresh = [one.test for one in matched.added if one.path == new_path]
        fresh += [one.after for one in matched.kept if one.path == new_path and one.after.cases > one.before.cases]
        left = tuple(
            one
            for one in lost
            if _stays(one, before, around, sources)
            and not _stands_elsewhere(one, around)
            and not any(
                (test.cases > 1 or test.repeats) and likeness(one.test.text, test.text) >= _ABSORBED for test in fresh
            )
        )
        if left:
            yield left


def weakening_of(lost: Sequence[Gone]) -> Weakening:
    """One finding for the tests of a file that are gone."""
    names = ", ".join(f"{one.test.name} (line {one.test.line} at the base)" for one in lost[:_NAMED])
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    verb = "are" if len(lost) > 1 else "is"
    message = f"{names}{more} {verb} deleted, and what is tested there stays"
    mend = "put it back, or say in the description why it is no longer true"
    return Weakening("test-removed", "medium", message, lost[0].path, 0, mend)


# Private


def _rewritten(before: TestFile, after: TestFile) -> bool:
    """Whether a file was written anew and asserts as much: most of its tests have other names."""
    same = set(before.tests) & set(after.tests)
    if 2 * len(same) > len(before.tests) or not after.tests:
        return False
    return _asserted(after) >= _asserted(before)


def _asserted(file: TestFile) -> int:
    return sum(len(test.live) * test.cases for test in file.tests.values())


def _stays(one: Gone, file: TestFile, around: Around, sources: Sources) -> bool:
    if not sources.touched:
        return True
    if one.test.words & around.gone or any(stem in one.path or stem in one.test.words for stem in sources.deleted):
        return False
    used = [source for name, source in file.imports.items() if name in one.test.words]
    return not file.imports or any(_is_there(source, sources) for source in used)


def _is_there(source: str, sources: Sources) -> bool:
    """Whether an import is of a file of the project that is still there."""
    parts = [part for part in source.replace(":", ".").split(".") if part]
    return any(part in sources.stems for part in parts)


def _stands_elsewhere(one: Gone, around: Around) -> bool:
    """Whether most of what the test asserted is asserted by other tests now."""
    texts = [assertion.text for assertion in one.test.live if not assertion.opaque]
    found = sum(around.elsewhere[text] > 0 for text in texts)
    return bool(texts) and 2 * found >= len(texts)
