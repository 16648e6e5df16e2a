"""Which failing tests were written, or changed, after the revision that ran before.

Such a test says nothing where it fails on sources that are older than itself: what it tests may not have been there.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.change.git import Repository
from tidegate.operate.batch import LARGEST_BYTES, Batch
from tidegate.operate.frames import Files, read_traces
from tidegate.reach.entries.places import is_test
from tidegate.reach.languages import language_of

MOST_FILES = 50


def new_tests(repository: Repository, batch: Batch, texts: Mapping[str, str]) -> frozenset[str]:
    """The tests whose code, as the frames of its failure (`texts`, by test) name it, `previous` does not have."""
    files = Files(batch.paths, batch.packages)
    places: dict[str, set[tuple[str, int]]] = {}
    for name, text in texts.items():
        placed = [files.place(frame) for trace in read_traces(text) for frame in trace.frames]
        places[name] = {(one.path, one.frame.line) for one in placed if one.path and is_test(one.path)}
    paths = sorted({path for found in places.values() for path, _ in found if "\n" not in path})[:MOST_FILES]
    before = dict(zip(paths, _read(repository, batch.previous, paths), strict=True))
    after = dict(zip(paths, _read(repository, batch.deployed, paths), strict=True))
    changed = [path for path in paths if before[path] != after[path]]
    blocks = {path: _Blocks(path, after[path]) for path in changed}
    return frozenset(
        name
        for name, found in places.items()
        if any(blocks[path].around(line) not in before[path] for path, line in found if path in blocks)
    )


# Private


def _read(repository: Repository, revision: str, paths: list[str]) -> list[bytes]:
    names = (f"{revision}:{path}" for path in paths)
    return [blob.content if blob.kind == "blob" else b"" for blob in repository.read_blobs(names, LARGEST_BYTES)]


class _Blocks:
    """The functions of a file as text, with what stands right above them: decorators, parameters of the test."""

    def __init__(self, path: str, content: bytes) -> None:
        self._lines = content.split(b"\n")
        language = language_of(path)
        symbols = language.read_symbols(content, "." + path.rpartition(".")[2].lower()) if language else None
        found = symbols.definitions if symbols else ()
        self._spans = [(one.line, one.end_line) for one in found if one.kind in ("function", "method", "property")]

    def around(self, line: int) -> bytes:
        around = [span for span in self._spans if span[0] <= line <= span[1]]
        first, last = max(around, default=(line, line))
        while first > 1 and self._lines[first - 2].strip():
            first -= 1
        return b"\n".join(self._lines[first - 1 : last])
