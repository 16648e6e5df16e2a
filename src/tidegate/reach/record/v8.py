"""Reads folders of V8 coverage, one folder for each test: NODE_V8_COVERAGE=DIR/test/app.js for the test test/app.js.

Format: https://chromedevtools.github.io/devtools-protocol/v8/Profiler/#type-ScriptCoverage. Offsets count UTF-16 units.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote, urlparse

import msgspec
from msgspec import Struct

from tidegate.reach.record.foreign import Filling, Places, read_bounded, refused
from tidegate.reach.record.raw import Recording

KIND = "folder of V8 coverage"
FILES_LIMIT = 100_000


def read_v8(where: Path, paths: Iterable[str], read: Callable[[str], bytes | None]) -> Recording:
    """Which test executed which function. `read` gives the text of a file of the repository. Raises InputError.

    A test is the folder that its coverage lies in, seen from `where`; what lies in `where` itself is of no test.
    """
    places = Places(paths)
    filling = Filling(where, "v8")
    sources = _Sources(read)
    files = sorted(where.rglob("*.json"))
    if len(files) > FILES_LIMIT:
        raise refused(where, KIND, f"it has more than {FILES_LIMIT} files")
    for file in files:
        folder = file.parent.relative_to(where).as_posix()
        test = "" if folder == "." else f"{places.find(folder) or folder}:"
        if test:
            filling.test(test)
        for script in _read(file):
            path = _path_of(script.url, places)
            if path:
                _add(filling, test, path, script, sources)
    return filling.recording()


# Private


class _Range(Struct):
    startOffset: int  # noqa: N815  as V8 writes it
    endOffset: int  # noqa: N815
    count: int


class _Function(Struct):
    functionName: str  # noqa: N815
    ranges: list[_Range]


class _Script(Struct):
    url: str
    functions: list[_Function]


class _Coverage(Struct):
    result: list[_Script]


class _Sources:
    """Where the lines of each file begin, in UTF-16 units."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self._read = read
        self._starts: dict[str, list[int]] = {}

    def line(self, path: str, offset: int) -> int:
        """The line of an offset, counted from 1; 0 where the file cannot be read."""

        if path not in self._starts:
            self._starts[path] = _line_starts(self._read(path))
        return bisect.bisect_right(self._starts[path], offset)


def _line_starts(content: bytes | None) -> list[int]:
    if content is None:
        return []
    starts, at = [0], 0
    for line in content.decode("utf-8", "replace").split("\n")[:-1]:
        at += len(line.encode("utf-16-le")) // 2 + 1
        starts.append(at)
    return starts


def _read(file: Path) -> list[_Script]:
    try:
        return msgspec.json.decode(read_bounded(file), type=_Coverage).result
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise refused(file, KIND, error) from error


def _path_of(url: str, places: Places) -> str:
    if not url.startswith("file:") or "/node_modules/" in url:
        return ""
    return places.find(unquote(urlparse(url).path))


def _add(filling: Filling, test: str, path: str, script: _Script, sources: _Sources) -> None:
    for function in script.functions:
        whole = function.ranges[0] if function.ranges else None
        if whole is not None and whole.count > 0:
            line = sources.line(path, whole.startOffset)
            name = "<module>" if whole.startOffset == 0 else function.functionName or "<anonymous>"
            filling.ran(test, path, line, name)
