"""A small language for tests of whatever runs a reader: a line `def NAME` defines, other lines are misbehaviour."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tidegate.reach.languages.interface import Layout, ReadTexts
from tidegate.reach.symbols import Definition, Digests, FileSymbols, unread


class LineReader:
    """Reads `.line` and `.lines`. Every read is written down in the file `seen`, if that is given."""

    version = 1
    submodules = False
    open_world = False
    implicit_self = False
    structural = False

    def __init__(self, seen: str = "", *, name: str = "line", suffixes: tuple[str, ...] = (".line", ".lines")) -> None:
        self.name = name
        self.suffixes = suffixes
        self._seen = seen

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:
        if self._seen:
            with Path(self._seen).open("ab") as file:
                file.write(source[:20].split(b"\n")[0] + b"\n")
        found = [Definition("", "module", 1, source.count(b"\n") + 1, -1)]
        for number, line in enumerate(source.decode("utf-8", "replace").split("\n"), 1):
            word, _, rest = line.partition(" ")
            if word == "def":
                found.append(Definition(rest, "function", number, number, 0))
            elif word == "error":
                return unread(rest)
            elif word in _TRAPS:
                _TRAPS[word]()
        return FileSymbols(definitions=tuple(found), package=suffix)

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:
        raise NotImplementedError

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:
        raise NotImplementedError


def _spin() -> None:
    sum(range(1 << 60))  # in C: no Python code runs that could look at the clock


def _crash() -> None:
    raise ValueError("a fault of the reader")


def _recurse() -> None:
    _recurse()


def _eat() -> None:
    held = []
    while True:
        held.append(bytearray(64 << 20))


_TRAPS = {
    "spin": _spin,
    "crash": _crash,
    "recurse": _recurse,
    "eat": _eat,
    "die": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "leave": lambda: os._exit(0),
    "sleep": lambda: time.sleep(600),
}
