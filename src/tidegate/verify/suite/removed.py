"""Tests that a change deletes although what they test stays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.verify.suite.around import Around
from tidegate.verify.suite.matching import Gone, Matched, likeness
from tidegate.verify.suite.values import TestCase, TestFile
from tidegate.verify.suite.weakened import Weakening
from tidegate.verify.values import Subject

Files = Sequence[tuple[str, TestFile, str, TestFile]]

_ABSORBED = 0.3
_SAME = 0.85
_NAMED = 3
_MOST_SEARCHED = 400
_TEST_PATH = re.compile(r"test|spec", re.IGNORECASE)


class Removed(Struct, frozen=True):
    """The tests of one file that are gone. `excuse` says why that is rather no weakening, "" where nothing says so."""

    tests: tuple[Gone, ...]
    excuse: str = ""

    @property
    def count(self) -> int:
        """How many of them weaken the tests."""
        return 0 if self.excuse else len(self.tests)

    def weakening(self) -> Weakening:
        names = ", ".join(f"{one.test.name} (line {one.test.line} at the base)" for one in self.tests[:_NAMED])
        more = f" and {len(self.tests) - _NAMED} more" if len(self.tests) > _NAMED else ""
        verb = "are" if len(self.tests) > 1 else "is"
        message = f"{names}{more} {verb} deleted, and {self.excuse or 'what is tested there stays'}"
        mend = "put it back, or say in the description why it is no longer true"
        return Weakening("test-removed", "note" if self.excuse else "medium", message, self.tests[0].path, 0, mend)


def removed_tests(subject: Subject, matched: Matched, files: Files, around: Around) -> tuple[Removed, ...]:
    """The deleted tests, file by file. Those that went with what they test, or stand elsewhere, are not among them."""
    if not matched.removed:
        return ()
    found = list(_by_file(matched, files, around, _sources(subject)))
    return tuple(_nowhere(subject, found)) if found else ()


# Private


class _Sources(Struct, frozen=True):
    """Whether the change touches the source, the files that it deletes, and the names of all files at the head."""

    touched: bool
    deleted: frozenset[str]
    stems: frozenset[str]


def _by_file(matched: Matched, files: Files, around: Around, sources: _Sources) -> Iterator[Removed]:
    for path, before, new_path, after in files:
        lost = [one for one in matched.removed if one.path == path and _is_run(one.test)]
        if not lost or _rewritten(before, after):
            continue
        fresh = [one.test for one in matched.added if one.path == new_path]
        fresh += [one.after for one in matched.kept if one.path == new_path and one.after.cases > one.before.cases]
        excuses: dict[str, list[Gone]] = {}
        for one in lost:
            if not (_stays(one, before, around, sources) and not _stands_elsewhere(one, around)):
                continue
            if not _absorbed(one, fresh) and not _twice(one, after):
                excuses.setdefault(_excuse(one, new_path, around), []).append(one)
        plain = excuses.pop("", [])
        kind = next((excuse for excuse, tests in excuses.items() if len(tests) > len(plain)), "")
        if plain:
            excuses[kind] = [*excuses.get(kind, []), *plain]
        yield from (Removed(tuple(tests), excuse) for excuse, tests in excuses.items())


def _is_run(test: TestCase) -> bool:
    """Whether a test ran and could fail. A method of Ruby that takes arguments is a helper, whatever its name."""
    return bool(test.live) and not test.skipped and not re.match(r"def \w+ \( \w", test.text)


def _excuse(one: Gone, path: str, around: Around) -> str:
    if around.taken_out(one.path, one.test):
        return "so is most of the source that is tested there"
    if around.undeprecated and re.search(r"deprecat", f"{one.test.name} {one.test.text}", re.IGNORECASE):
        return "so is something that was deprecated"
    heirs = around.taken_over(path, one.test, one.test.live)
    return f"{heirs[0].name} is new and asserts as much" if heirs else ""


def _absorbed(one: Gone, fresh: Sequence[TestCase]) -> bool:
    """Whether a new test over many cases does what the test did."""
    return any((test.cases > 1 or test.repeats) and likeness(one.test.text, test.text) >= _ABSORBED for test in fresh)


def _twice(one: Gone, after: TestFile) -> bool:
    """Whether the test stood in the file twice, under another heading, and once stays."""
    name = _last(one)
    return any(
        _last(Gone("", after.tests[key])) == name and likeness(one.test.text, after.tests[key].text) >= _SAME
        for key in after.tests
        if name in key
    )


def _rewritten(before: TestFile, after: TestFile) -> bool:
    """Whether a file was written anew and asserts as much: most of its tests have other names."""
    same = set(before.tests) & set(after.tests)
    if 2 * len(same) > len(before.tests) or not after.tests:
        return False
    return _asserted(after) >= _asserted(before)


def _asserted(file: TestFile) -> int:
    return sum(len(test.live) * test.cases for test in file.tests.values())


def _stays(one: Gone, file: TestFile, around: Around, sources: _Sources) -> bool:
    if not sources.touched:
        return True
    if one.test.words & around.gone or any(stem in one.path or stem in one.test.words for stem in sources.deleted):
        return False
    used = [source for name, source in file.imports.items() if name in one.test.words]
    return not file.imports or any(_is_there(source, sources) for source in used)


def _is_there(source: str, sources: _Sources) -> bool:
    """Whether an import is of a file of the project that is still there."""
    parts = [part for part in source.replace(":", ".").split(".") if part]
    return any(part in sources.stems for part in parts)


def _stands_elsewhere(one: Gone, around: Around) -> bool:
    """Whether most of what the test asserted is asserted by other tests now."""
    texts = [assertion.text for assertion in one.test.live if not assertion.opaque]
    found = sum(around.elsewhere[text] > 0 for text in texts)
    return bool(texts) and 2 * found >= len(texts)


def _nowhere(subject: Subject, found: Sequence[Removed]) -> Iterator[Removed]:
    """The deleted tests of whose names no other file of tests at the head speaks: a copy of them stays elsewhere."""
    own = {one.path for removed in found for one in removed.tests}
    suffixes = {path.rpartition(".")[2] for path in own}
    paths = [
        path
        for path in subject.trees.after.paths()
        if path not in own and path.rpartition(".")[2] in suffixes and _TEST_PATH.search(path)
    ]
    texts = b"\n".join(subject.trees.after.read(paths[:_MOST_SEARCHED]).values()).decode("utf-8", "replace")
    for removed in found:
        left = tuple(one for one in removed.tests if not _is_said(_last(one), texts))
        if left:
            yield Removed(left, removed.excuse)


def _is_said(name: str, texts: str) -> bool:
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", texts) is not None


def _last(one: Gone) -> str:
    return one.test.name.rpartition(" > ")[2].rpartition(".")[2]


def _sources(subject: Subject) -> _Sources:
    touched = [file for file in subject.change.files if file.kind == "source"]
    deleted = {_stem(file.old_path) for file in touched if file.status in ("deleted", "renamed")}
    paths = subject.trees.after.paths() if touched else ()
    stems = {part for path in paths for part in path.rpartition(".")[0].split("/")}
    return _Sources(bool(touched), frozenset(stem for stem in deleted if len(stem) > 2), frozenset(stems))


def _stem(path: bytes) -> str:
    return path.rpartition(b"/")[2].partition(b".")[0].decode("utf-8", "replace")
