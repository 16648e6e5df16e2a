"""TypeScript, with and without JSX, read with tree-sitter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.reach.languages.ecma.language import read_digests, read_layout, read_symbols
from tidegate.reach.languages.interface import Language, Layout, ReadTexts
from tidegate.reach.symbols import Digests, FileSymbols


class _TypeScript:
    name = "TypeScript"
    version = 2
    suffixes: tuple[str, ...] = (".ts", ".mts", ".cts", ".tsx")
    submodules = False
    open_world = False
    implicit_self = False
    structural = True
    by_value = False
    called_back: frozenset[str] | None = None
    isolated = True

    def read_symbols(self, source: bytes, suffix: str) -> FileSymbols:
        return read_symbols(source, suffix)

    def read_digests(self, source: bytes, suffix: str) -> tuple[Digests, ...]:
        return read_digests(source, suffix)

    def read_layout(self, packages: Mapping[str, str], paths: Sequence[str], read: ReadTexts) -> Layout:  # noqa: ARG002
        return read_layout(paths, read)


TYPESCRIPT: Language = _TypeScript()
