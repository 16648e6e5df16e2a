"""The nouns of a map."""

from __future__ import annotations

from msgspec import Struct

from tidegate.reach.answer import SymbolId
from tidegate.reach.record.raw import TestState


class MapRecording(Struct, frozen=True):
    """One run. `at` is its end in UTC, ISO 8601; `commit` is "" before the first; `dirty`: it had uncommitted changes.

    `how` is the recorder or the kind of coverage file; `gaps` say what was not heard.
    """

    commit: str
    at: str
    how: str
    dirty: bool = False
    gaps: tuple[str, ...] = ()


class MapTest(Struct, frozen=True, array_like=True):
    """One test, parameters folded. `symbol` is named by where it was collected, `defined` by where its code stands.

    A failed test was seen in part only. Of a skipped one nothing was seen: it is as unknown as one that is not here.
    """

    symbol: SymbolId
    defined: SymbolId
    node: str
    state: TestState
    recording: int


class MapSymbol(Struct, frozen=True, array_like=True, gc=False):
    """One definition as it was, and the tests that executed it, one bit each, the lowest first.

    `digest` covers everything but the documentation, `body` the body alone. Names and constants of a class or module
    belong to its digest. `outside`: it also ran outside of any test, so every test that imports it depends on it.
    """

    name: str
    digest: str
    body: str
    outside: bool
    tests: bytes


class MapFile(Struct, frozen=True, array_like=True):
    """One version of a file by its blob, and all its definitions, those that no test executed included."""

    path: str
    blob: str
    symbols: tuple[MapSymbol, ...]


class TestMap(Struct, frozen=True):
    """All that is known from runs. `files` may hold several versions of one file, from several recordings.

    `unread` are files that were there and could not be read: nothing is known of them.
    """

    __test__ = False  # for pytest: this is no test class

    recordings: tuple[MapRecording, ...]
    tests: tuple[MapTest, ...]
    files: tuple[MapFile, ...]
    unread: tuple[str, ...] = ()
