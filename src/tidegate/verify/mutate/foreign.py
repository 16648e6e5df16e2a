"""Reports of mutation tools for other languages: Stryker's JSON (mutation-testing-elements, which others write too),
PIT's XML, cargo-mutants' outcomes, and mutmut's JUnit. Told apart by content; strangers wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from tidegate.errors import InputError
from tidegate.verify.mutate.values import Outcome

LARGEST_BYTES = 128 << 20
MOST_MUTANTS = 500_000
_MEND = "name mutation.json of Stryker, mutations.xml of PIT, outcomes.json of cargo-mutants or mutmut's JUnit"
_LONGEST = 120


class Told(Struct, frozen=True):
    """One mutant as a report tells it. `outcome` is None where it was left out on purpose."""

    path: str
    line: int
    end_line: int
    words: str
    outcome: Outcome | None
    tests: int = 0
    killer: str = ""


class ForeignReport(Struct, frozen=True):
    """What one report says. `sources` are the files as the tool saw them, where it keeps them."""

    tool: str
    name: str
    mutants: tuple[Told, ...]
    sources: Mapping[str, str] = {}
    files: frozenset[str] = frozenset()


def read_mutation_report(path: Path) -> ForeignReport:
    """One report. Raises InputError, in one line, for what is none, is too large or is broken."""
    content = _content(path)
    start = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    try:
        if start.startswith(b"{"):
            return _json(content.removeprefix(b"\xef\xbb\xbf"), str(path))
        if start.startswith(b"<"):
            return _xml(content, str(path))
    except RecursionError as error:
        raise _refused(path, "it is nested too deep") from error
    raise _refused(path, "this is no report of mutants that is known")


# Private, of Stryker and cargo-mutants


class _At(Struct):
    line: int
    column: int = 0


class _Span(Struct):
    start: _At
    end: _At | None = None


class _StrykerMutant(Struct, rename="camel"):
    location: _Span
    status: str
    mutator_name: str = ""
    replacement: str | None = None
    covered_by: list[str] | None = None
    killed_by: list[str] | None = None


class _StrykerFile(Struct):
    mutants: list[_StrykerMutant]
    source: str = ""


class _CargoMutant(Struct):
    file: str = ""
    name: str = ""
    line: int = 0
    span: _Span | None = None


class _CargoOutcome(Struct):
    scenario: Any
    summary: str = ""


class _Document(Struct, rename="camel"):
    files: dict[str, _StrykerFile] | None = None
    schema_version: str | None = None
    framework: Any = None
    outcomes: list[_CargoOutcome] | None = None
    no_tests: int | None = field(default=None, name="no_tests")


_STRYKER: dict[str, Outcome | None] = {
    "Killed": "killed",
    "Timeout": "timeout",
    "Survived": "survived",
    "NoCoverage": "uncovered",
    "Pending": "unknown",
    "Ignored": None,
}
_CARGO: dict[str, Outcome] = {"CaughtMutant": "killed", "MissedMutant": "survived", "Timeout": "timeout"}
_PIT: dict[str, Outcome] = {
    "KILLED": "killed",
    "TIMED_OUT": "timeout",
    "MEMORY_ERROR": "killed",
    "RUN_ERROR": "unknown",
    "SURVIVED": "survived",
    "NO_COVERAGE": "uncovered",
}


def _json(content: bytes, name: str) -> ForeignReport:
    try:
        document = msgspec.json.decode(content, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _refused(Path(name), f"it is no report of mutants ({error})") from error
    if document.files is not None:
        mutants = tuple(_of_stryker(document.files))
        tool = document.framework.get("name", "Stryker") if isinstance(document.framework, dict) else "Stryker"
        sources = {path: file.source for path, file in document.files.items() if file.source}
        return _bounded(ForeignReport(str(tool)[:40], name, mutants, sources, frozenset(document.files)))
    if document.outcomes is not None:
        mutants = tuple(_of_cargo(document.outcomes))
        return _bounded(ForeignReport("cargo-mutants", name, mutants, {}, frozenset(one.path for one in mutants)))
    if document.no_tests is not None:
        what = "mutmut's totals do not say which lines they are of"
        raise InputError(what, where=name, mend="run: tidegate verify mutate, or name mutmut's JUnit report")
    raise _refused(Path(name), "it is no report of mutants that is known")


def _of_stryker(files: Mapping[str, _StrykerFile]) -> Iterator[Told]:
    for path, file in files.items():
        for mutant in file.mutants:
            if mutant.status not in _STRYKER:
                continue  # it does not compile, so it says nothing
            start, end = mutant.location.start.line, (mutant.location.end or mutant.location.start).line
            words = mutant.mutator_name or "a mutant"
            if mutant.replacement is not None:
                words += f": became `{' '.join(mutant.replacement.split())}`"
            killer = (mutant.killed_by or [""])[0]
            tests = len(mutant.covered_by or ())
            yield Told(path, start, end, words[:_LONGEST], _STRYKER[mutant.status], tests, killer)


def _of_cargo(outcomes: list[_CargoOutcome]) -> Iterator[Told]:
    for outcome in outcomes:
        told = outcome.scenario.get("Mutant") if isinstance(outcome.scenario, dict) else None
        if told is None or outcome.summary not in _CARGO:
            continue
        mutant = msgspec.convert(told, _CargoMutant)
        line = mutant.span.start.line if mutant.span else mutant.line
        words = mutant.name.rpartition(": ")[2] or "a mutant"
        # It replaces whole functions: the fault is where the function begins to return.
        yield Told(mutant.file, line, line, words[:_LONGEST], _CARGO[outcome.summary])


# Private, of PIT and mutmut


class _Elements:
    """One flat record an element `each`: its attributes, and the text of the elements in it."""

    def __init__(self, each: str) -> None:
        self.each = each
        self.root = ""
        self.records: list[dict[str, str]] = []
        self._open: dict[str, str] | None = None
        self._name = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self.root = self.root or name
        if name == self.each:
            self._open = dict(attributes)
        elif self._open is not None:
            self._name = name
            self._open.setdefault(name, attributes.get("message", ""))

    def text(self, text: str) -> None:
        if self._open is not None and self._name:
            self._open[self._name] = (self._open[self._name] + text)[: 8 * _LONGEST]

    def end(self, name: str) -> None:
        self._name = ""
        if name == self.each and self._open is not None:
            if len(self.records) > MOST_MUTANTS:
                raise InputError(f"it holds more than {MOST_MUTANTS:,} mutants", mend="report one part of the project")
            self.records.append(self._open)
            self._open = None


def _xml(content: bytes, name: str) -> ForeignReport:
    from tidegate.verify.xml import read_xml

    pit = b"<mutations" in content[:4096]
    elements = _Elements("mutation" if pit else "testcase")
    pieces = (content[at : at + (1 << 16)] for at in range(0, len(content), 1 << 16))
    read_xml(pieces, name, elements.start, elements.end, elements.text)
    if pit and elements.root == "mutations":
        mutants = tuple(filter(None, map(_of_pit, elements.records)))
        return ForeignReport("PIT", name, mutants, {}, frozenset(one.path for one in mutants))
    mutants = tuple(filter(None, map(_of_mutmut, elements.records)))
    if elements.root in ("testsuites", "testsuite") and mutants:
        return ForeignReport("mutmut", name, mutants, {}, frozenset(one.path for one in mutants))
    raise _refused(Path(name), "it is no report of mutants that is known")


def _of_pit(record: Mapping[str, str]) -> Told | None:
    outcome, line = _PIT.get(record.get("status", "").strip()), _number(record.get("lineNumber", ""))
    if outcome is None or not line:
        return None
    package = record.get("mutatedClass", "").strip().rpartition(".")[0].replace(".", "/")
    file = record.get("sourceFile", "").strip()
    path = f"{package}/{file}" if package else file
    words = record.get("description", "").strip() or record.get("mutator", "").strip().rpartition(".")[2]
    killer = record.get("killingTest", "").strip()
    return Told(path, line, line, words[:_LONGEST], outcome, _number(record.get("numberOfTestsRun", "")), killer)


def _of_mutmut(record: Mapping[str, str]) -> Told | None:
    """`mutmut junitxml`: a test case for each mutant, with its file and line; one that failed survived."""
    line = _number(record.get("line", ""))
    if not record.get("name", "").startswith("Mutant #") or not line:
        return None
    said = record.get("failure", record.get("error", ""))
    outcome: Outcome | None = "killed"
    if "skipped" in record:
        outcome = "unknown"
    elif "failure" in record or "error" in record:
        outcome = "timeout" if "timeout" in said else "survived"
    return Told(record.get("file", ""), line, line, record["name"], outcome)


# Private


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _bounded(report: ForeignReport) -> ForeignReport:
    if len(report.mutants) > MOST_MUTANTS:
        raise _refused(Path(report.name), f"it holds more than {MOST_MUTANTS:,} mutants")
    return report


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise InputError("there is no such file", where=str(path), mend=_MEND)
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({error})", where=str(path), mend=_MEND) from error
    if len(content) > LARGEST_BYTES:
        raise _refused(path, f"it is larger than {LARGEST_BYTES >> 20} MB")
    return content


def _refused(path: Path, what: str) -> InputError:
    return InputError(what, where=str(path), mend=_MEND)
