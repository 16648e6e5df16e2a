"""What both languages answer with: symbols, digests and the layout, by the grammar of the suffix."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import TypeVar

from tidegate.reach.languages.interface import Layout, ReadTexts
from tidegate.reach.symbols import Digests, FileSymbols, unread

_Answer = TypeVar("_Answer")
_TYPESCRIPT = ("tree_sitter_typescript", "language_typescript")
_TSX = ("tree_sitter_typescript", "language_tsx")
_JAVASCRIPT = ("tree_sitter_javascript", "language")
_GRAMMARS = {".ts": _TYPESCRIPT, ".mts": _TYPESCRIPT, ".cts": _TYPESCRIPT, ".tsx": _TSX}
_MARK = b"\xef\xbb\xbf"
_FLOW_WITHIN = 1500


def read_symbols(source: bytes, suffix: str) -> FileSymbols:
    """What the file says. A file with NUL bytes is no text, and is not read."""
    if b"\0" in source:
        return unread("holds NUL bytes")
    return _without_collection(lambda: _symbols(source, suffix))


def read_digests(source: bytes, suffix: str) -> tuple[Digests, ...]:
    """The digests of every definition, the module first; () for a file that is not read."""
    if b"\0" in source:
        return ()
    return _without_collection(lambda: _digests(source, suffix))


def read_layout(paths: Sequence[str], read: ReadTexts) -> Layout:
    """The layout of a tree, which both languages share."""
    from tidegate.reach.languages.ecma.layout import read_script_layout

    return read_script_layout(paths, read)


def _symbols(source: bytes, suffix: str) -> FileSymbols:
    from tidegate.reach.languages.ecma.reader import read_tree

    return read_tree(_plain(source), _grammar(source, suffix)).symbols()


def _digests(source: bytes, suffix: str) -> tuple[Digests, ...]:
    from tidegate.reach.languages.ecma.digests import digests_of
    from tidegate.reach.languages.ecma.reader import read_tree

    return digests_of(read_tree(_plain(source), _grammar(source, suffix)))


def _grammar(source: bytes, suffix: str) -> tuple[str, str]:
    """The grammar of a file. JavaScript with the types of Flow is nearest to TypeScript with JSX."""
    known = _GRAMMARS.get(suffix)
    if known is not None:
        return known
    return _TSX if b"@flow" in source[:_FLOW_WITHIN] else _JAVASCRIPT


def _plain(source: bytes) -> bytes:
    """The source without a byte order mark."""
    return source.removeprefix(_MARK)


def _without_collection(read: Callable[[], _Answer]) -> _Answer:
    """Collection of garbage stands still while a file is read: nearly everything that is made is kept."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return read()
    finally:
        if collecting:
            gc.enable()
