"""From a recording to a map: code objects and lines become symbols, and symbols get the digests of their text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from tidegate.reach.answer import SymbolId
from tidegate.reach.languages.interface import Language
from tidegate.reach.record.merge import as_mask
from tidegate.reach.record.raw import LINE, Code, RecordedTest, Recording, bits
from tidegate.reach.record.values import MapFile, MapRecording, MapSymbol, MapTest, TestMap
from tidegate.reach.symbols import Digests

ReadFile: TypeAlias = Callable[[str], bytes | None]
"""Reads one file of the recorded tree by its path; None for what cannot be read."""

_EXECUTABLE = ("module", "class", "interface", "function", "method", "property")


class Made(Struct, frozen=True):
    """What one symbol is made of: `digest` covers all but the documentation, `body` the body alone."""

    digest: str
    body: str


def build_map(
    recording: Recording,
    about: MapRecording,
    paths: Iterable[str],
    read: ReadFile,
    languages: Sequence[Language],
    object_format: str = "sha1",
) -> TestMap:
    """The map of one recording. `paths` are the files of the tree; files that ran and are not among them count too.

    Two symbols of one name in one file (overloads, a getter and its setter) are one.
    """
    by_suffix = {suffix: language for language in languages for suffix in language.suffixes}
    ran = _by_path(recording)
    everything = sorted({path for path in paths if _suffix(path) in by_suffix} | ran.keys())
    tests = sorted(recording.tests, key=lambda test: symbol_of(test.name))
    order = {test.name: position for position, test in enumerate(tests)}
    executed = _executed(recording, order)
    resolved: dict[Code, str] = {}
    files: list[MapFile] = []
    unread: list[str] = []
    for path in everything:
        language, source = by_suffix.get(_suffix(path)), read(path)
        if language is None or source is None:
            unread.append(path)
            continue
        digests = language.read_digests(source, _suffix(path))
        spans = Spans(digests, source)
        masks: dict[str, int] = {}
        outside: set[str] = set()
        for number, code in ran.get(path, ()):
            name = resolved[code] = spans.symbol_of(code)
            masks[name] = masks.get(name, 0) | executed[number]
            if recording.outside >> number & 1:
                outside.add(name)
        files.append(MapFile(path, blob_id(source, object_format), _symbols(made_of(digests), masks, outside)))
    named = tuple(_test(test, resolved) for test in tests)
    return TestMap((about,), named, tuple(files), tuple(unread))


def made_of(digests: Iterable[Digests]) -> dict[str, Made]:
    """What every symbol of a file that can run is made of. What cannot run (a constant) belongs to what is around it.

    The documentation and the place in the file do not count.
    """
    parts: dict[str, list[str]] = {}
    bodies: dict[str, list[str]] = {}
    rest: list[Digests] = []
    for entry in digests:
        if entry.kind not in _EXECUTABLE:
            rest.append(entry)
            continue
        parts.setdefault(entry.name, []).append(_whole(entry))
        bodies.setdefault(entry.name, []).append(entry.body)
    for entry in rest:
        owner = entry.name.rpartition(".")[0]
        while owner and owner not in parts:
            owner = owner.rpartition(".")[0]
        if owner in parts:
            parts[owner].append(f"{entry.name}\0{_whole(entry)}")
            bodies[owner].append(f"{entry.name}\0{entry.body}")
    return {name: Made(_digest(whole), _digest(bodies[name])) for name, whole in parts.items()}


def blob_id(content: bytes, object_format: str = "sha1") -> str:
    """The object id that git gives a file of this content."""
    made = hashlib.new(object_format, usedforsecurity=False)
    made.update(b"blob %d\0" % len(content))
    made.update(content)
    return made.hexdigest()


def symbol_of(test: str) -> SymbolId:
    """The symbol of a test by its name in a recording."""
    path, _, name = test.partition(":")
    return SymbolId(path, name)


class Spans:
    """Where the definitions of one file stand: from a code object or a line to the innermost definition."""

    def __init__(self, digests: Sequence[Digests], source: bytes) -> None:
        self._runs = [entry for entry in digests if entry.kind in _EXECUTABLE and entry.name]
        self._names = {entry.name for entry in self._runs}
        self._lines = source.split(b"\n")
        self._headers: dict[tuple[int, int], int] = {}

    def symbol_of(self, code: Code) -> str:
        """The name of the definition that `code` belongs to, "" for the module."""
        if code.name == LINE:
            return self._around(code.line, executed=True)
        name = code.name.replace(".<locals>", "")
        while name.endswith(">"):
            name = name.rpartition(".")[0] if "." in name else ""
        if name in self._names or code.name == "<module>":
            return name
        own = code.name.rpartition(".")[2]
        here = [e for e in self._runs if e.line <= code.line <= e.end_line and e.name.rpartition(".")[2] == own]
        return max(here, key=lambda e: e.line).name if here else self._around(code.line, executed=False)

    def _around(self, line: int, *, executed: bool) -> str:
        """The innermost definition around a line. A line of a header is executed by what is around the definition."""
        best: Digests | None = None
        for entry in self._runs:
            if entry.line <= line <= entry.end_line and (best is None or entry.line >= best.line):
                if executed and line < entry.end_line and line <= self._header_end(entry):
                    continue
                best = entry
        return best.name if best is not None else ""

    def _header_end(self, entry: Digests) -> int:
        key = (entry.line, entry.end_line)
        if key not in self._headers:
            self._headers[key] = header_end(self._lines, entry.line, entry.end_line)
        return self._headers[key]


def header_end(lines: Sequence[bytes], first: int, last: int) -> int:
    """The line on which the header of a definition ends: decorators and signature, up to its ":" or "{".

    By brackets alone, without the language's grammar: a bracket inside a text literal may move it by a few lines.
    """
    depth = 0
    for number in range(first, last + 1):
        line = lines[number - 1].strip()[:1000] if number <= len(lines) else b""
        depth += sum(line.count(c) for c in (b"(", b"[")) - sum(line.count(c) for c in (b")", b"]"))
        if depth <= 0 and not line.startswith((b"@", b"#", b"//")) and (line.endswith((b":", b"{")) or b"{" in line):
            return number
        if depth <= 0 and line.startswith((b"def ", b"async def ", b"class ")):
            return number
    return first


# Private


def _by_path(recording: Recording) -> Mapping[str, list[tuple[int, Code]]]:
    ran: dict[str, list[tuple[int, Code]]] = {}
    for number, code in enumerate(recording.codes):
        ran.setdefault(code.path, []).append((number, code))
    return ran


def _executed(recording: Recording, order: Mapping[str, int]) -> list[int]:
    """For each code, the tests that ran it."""
    found = [0] * len(recording.codes)
    for test in recording.tests:
        if test.state != "skipped":
            bit = 1 << order[test.name]
            for number in bits(test.codes):
                found[number] |= bit
    return found


def _symbols(made: Mapping[str, Made], masks: Mapping[str, int], outside: set[str]) -> tuple[MapSymbol, ...]:
    return tuple(
        MapSymbol(name, entry.digest, entry.body, name in outside, as_mask(masks.get(name, 0)))
        for name, entry in sorted(made.items())
    )


def _test(test: RecordedTest, resolved: Mapping[Code, str]) -> MapTest:
    symbol = symbol_of(test.name)
    defined = symbol
    if test.defined is not None and test.defined in resolved:
        defined = SymbolId(test.defined.path, resolved[test.defined])
    return MapTest(symbol, defined, test.node, test.state, 0)


def _whole(entry: Digests) -> str:
    return "\0".join((entry.signature, entry.defaults, entry.decorators, entry.bases, entry.body))


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=10).hexdigest()


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""
