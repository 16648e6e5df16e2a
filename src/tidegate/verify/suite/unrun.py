"""Tests that stay in the tree and are run no more, or whose outcome no longer counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from tidegate.change.trees import Tree
from tidegate.change.values import FileChange, show_path
from tidegate.verify.suite.python_hidden import hidden
from tidegate.verify.suite.python_scope import parse
from tidegate.verify.suite.values import TestFile
from tidegate.verify.suite.ways import CODE, EQUALITY, TESTING, TRUE, WAYS, Way
from tidegate.verify.suite.weakened import Weakening
from tidegate.verify.values import Subject


def unrun(subject: Subject, settings: re.Pattern[str], read: Mapping[str, TestFile]) -> Iterator[Weakening]:
    """What the change adds so that tests do not run or their failure does not count. What was moved is silent.

    `read` are the files of tests at the head that were read, by path.
    """
    files = [file for file in subject.change.files if file.by_hand and file.status != "deleted"]
    moved = Counter(_line(line) for file in subject.change.files for hunk in file.hunks for line in hunk.removed)
    for file in files:
        path = show_path(file.path)
        yield from _no_test_by_name(subject, file, path)
        places = {"any", *_places(file, path, settings)}
        ways = [way for way in WAYS if way.where in places and way.files.search(path)]
        for way in ways:
            yield from _added(file, path, way, moved)
        if CODE.search(path):
            yield from _always_equal(file, path)
    yield from _python(subject, files, read)


# Private

_TEST_NAMES = (
    (re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$"), re.compile(r"\.py$")),
    (re.compile(r"\.(test|spec)\.[cm]?[jt]sx?$|(^|/)__tests__/"), re.compile(r"\.[cm]?[jt]sx?$")),
    (re.compile(r"_test\.go$"), re.compile(r"\.go$")),
    (re.compile(r"_(spec|test)\.rb$|(^|/)test_[^/]*\.rb$"), re.compile(r"\.rb$")),
    (re.compile(r"(^|/)(Test[^/]*|[^/]*(Tests?|TestCase|IT|Spec))\.(java|kt)$"), re.compile(r"\.(java|kt)$")),
)
_HAS_TESTS = re.compile(rb"^\s*(def test|class Test|func Test|@Test\b|(it|test|describe)\b[ (])", re.MULTILINE)


def _places(file: FileChange, path: str, settings: re.Pattern[str]) -> Iterator[str]:
    """The kinds of ways that are looked for in a file. Commands in files of tests are what is tested there."""
    if file.kind == "test" or TESTING.search(path):
        yield "test"
    elif file.kind == "source":
        yield "source"
    if settings.search(path) and not CODE.search(path):
        yield "settings"


def _no_test_by_name(subject: Subject, file: FileChange, path: str) -> Iterator[Weakening]:
    """A file of tests that was given a name by which no runner finds it."""
    old = show_path(file.old_path)
    if file.status == "copied" or old == path:
        return
    for named, language in _TEST_NAMES:
        if named.search(old) and language.search(path) and not named.search(path) and _holds_tests(subject, file):
            words = f"{old} is called {path.rpartition('/')[2]} now, which no runner takes for tests"
            yield Weakening("test-skipped", "medium", words, path, 0, "give it a name by which its tests are found")


def _holds_tests(subject: Subject, file: FileChange) -> bool:
    path = file.path.decode("utf-8", "surrogateescape")
    return bool(_HAS_TESTS.search(subject.trees.after.read([path]).get(path, b"")))


def _added(file: FileChange, path: str, way: Way, moved: Counter[str]) -> Iterator[Weakening]:
    own = sum(bool(way.line.search(_line(line))) for hunk in file.hunks for line in hunk.removed)
    for hunk in file.hunks:
        for at, raw in enumerate(hunk.added):
            line = _line(raw)
            if not way.line.search(line) or (_COMMENT.match(line) and "build" not in line):
                continue
            if own > 0 or moved[line] > 0:
                own, moved[line] = own - 1, moved[line] - 1
                continue
            words = f"{way.words}: `{line.strip()[:80]}`"
            yield Weakening(way.rule, way.severity, words, path, hunk.new_start + at, "let them run, or say why not")


def _always_equal(file: FileChange, path: str) -> Iterator[Weakening]:
    for hunk in file.hunks:
        for at, raw in enumerate(hunk.added):
            line = _line(raw)
            if EQUALITY.match(line):
                below = _line(hunk.added[at + 1]) if at + 1 < len(hunk.added) else ""
                if TRUE.search(line) or TRUE.search(below):
                    words = f"everything is equal to it: `{line.strip()[:80]}`"
                    yield Weakening("test-weakened", "medium", words, path, hunk.new_start + at, "compare the values")


_COMMENT = re.compile(r"^\s*(#(?!\[)|//|\*|/\*|--)")


def _python(subject: Subject, files: list[FileChange], read: Mapping[str, TestFile]) -> Iterator[Weakening]:
    """Tests of Python that a change hides: by a later one of the same name, or in a class that is not collected."""
    for file in files:
        path = file.path.decode("utf-8", "surrogateescape")
        if file.language != "Python" or file.kind != "test" or not re.search(r"test[^/]*\.py$", path):
            continue
        after = read[path].hidden if path in read else _hidden(subject.trees.after, path)
        if not after:
            continue
        before = _hidden(subject.trees.before, file.old_path.decode("utf-8", "surrogateescape"))
        for name, (line, words) in after.items():
            if name not in before:
                message = f"{name} {words}"
                yield Weakening("test-skipped", "medium", message, show_path(file.path), line, "give it its own name")


def _hidden(tree: Tree, path: str) -> Mapping[str, tuple[int, str]]:
    content = tree.read([path]).get(path, b"")
    module = parse(content) if b"def test" in content else None
    return {} if module is None else hidden(module)


def _line(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")[:2000]
