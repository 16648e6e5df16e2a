"""Tests that fail before only because something is not there, and that could not fail otherwise: they prove nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import structs

from tidegate.change.trees import Tree
from tidegate.change.values import Change
from tidegate.verify.failbefore.values import TestResult
from tidegate.verify.suite.readers import LANGUAGES, read_tests
from tidegate.verify.suite.vacuous import judge
from tidegate.verify.suite.values import TestFile


def without_idle(results: Iterable[TestResult], change: Change, head: Tree) -> tuple[TestResult, ...]:
    """The results, where a test that breaks without the change and asserts nothing that can fail is unknown.

    An import that fails without the change is all that it shows, and any test of anything would show it.
    """
    given = tuple(results)
    doubted = [one for one in given if one.shows == "existence"]
    read = _read({one.path for one in doubted}, change, head)
    reasons = {one: _why_idle(one, read.get(one.path)) for one in doubted}
    return tuple(
        structs.replace(one, class_="unknown", shows="", reason=f"{one.reason}, and {reasons[one]}")
        if reasons.get(one)
        else one
        for one in given
    )


# Private


def _read(paths: set[str], change: Change, head: Tree) -> Mapping[str, TestFile]:
    languages = {file.path.decode("utf-8", "surrogateescape"): file.language for file in change.files}
    known = {path for path in paths if languages.get(path) in LANGUAGES}
    found = {}
    for path, content in head.read(sorted(known)).items():
        tests = read_tests(content, path, languages[path], lambda name: head.read((name,)).get(name))
        if tests is not None:
            found[path] = tests
    return found


def _why_idle(result: TestResult, file: TestFile | None) -> str:
    """Why it cannot fail, in words; "" where it can, where that is meant, and where it is not found."""
    if file is None:
        return ""
    test = file.tests.get(result.name) or next((one for one in file.tests.values() if one.line == result.line), None)
    verdict = judge(test) if test is not None else None
    return verdict.reason if verdict is not None and not verdict.meant else ""
