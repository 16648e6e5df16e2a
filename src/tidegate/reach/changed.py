"""What a change changes, as symbols: both sides of every file are read, and what their digests say counts.

A symbol is reported once, with its strongest part: deleted, signature, bases, decorator, default, constant, body, docs,
format. A symbol that moved or has a new name carries `was`; its `what` is "renamed" when nothing else of it changed,
else the strongest part that changed. Blobs without a reader, unreadable ones, binary files, links, submodules and
changes of the mode are one symbol each, the file itself ("file").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeAlias

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.values import FileChange, show_path
from tidegate.reach.answer import ChangedSymbol, ChangeOf, SymbolId
from tidegate.reach.languages import language_of
from tidegate.reach.languages.interface import Language
from tidegate.reach.moved import Moved, Piece, find_moved
from tidegate.reach.symbols import Digests

BlobName: TypeAlias = tuple[str, str]
"""A blob's object id and the path that it stands at."""


class Side(Struct, frozen=True):
    """One side of a changed file: the digests of its definitions, the module first, and what they were read from."""

    digests: tuple[Digests, ...]
    source: bytes


ReadSide: TypeAlias = Callable[[Sequence[BlobName]], Mapping[BlobName, Side]]
"""Reads blobs, all in one question. What has no reader or could not be read is missing in the answer."""


def changed_symbols(files: Sequence[FileChange], read_side: ReadSide) -> tuple[ChangedSymbol, ...]:
    """Every symbol that the change touches, in the order of paths and lines.

    Every file is there with one at least, but for a file that lost nothing but what moved elsewhere.
    """
    pairs = [(file, *_names(file)) for file in files]
    sides = read_side(list(dict.fromkeys(name for _, *names in pairs for name in names if name is not None)))
    found: list[ChangedSymbol] = []
    compared: list[_File] = []
    for file, old, new in pairs:
        before, after = sides.get(old) if old else None, sides.get(new) if new else None
        readable = (before is not None or old is None) and (after is not None or new is None)
        if (old is None and new is None) or not readable:
            found.append(_whole(file))
        else:
            compared.append(_File(file, before, after))
    moved = find_moved(
        tuple(chain.from_iterable(file.gone() for file in compared)),
        tuple(chain.from_iterable(file.fresh() for file in compared)),
    )
    for compared_file in compared:
        found += compared_file.report(moved)
    return tuple(sorted(found, key=lambda symbol: (symbol.symbol.path, symbol.line, symbol.symbol.name, symbol.side)))


def side_reader(repository: Repository, find: Callable[[str], Language | None] = language_of) -> ReadSide:
    """Reads sides from the repository, by two processes for all of them."""

    def read(names: Sequence[BlobName]) -> dict[BlobName, Side]:
        paths: dict[str, list[str]] = {}
        for oid, path in names:
            if find(path) is not None:
                paths.setdefault(oid, []).append(path)
        found: dict[BlobName, Side] = {}
        for blob in repository.read_blobs(list(paths)):
            for path in paths[blob.name] if blob.kind == "blob" else ():
                side = read_one_side(path, blob.content, find)
                if side is not None:
                    found[blob.name, path] = side
        return found

    return read


def read_one_side(path: str, source: bytes, find: Callable[[str], Language | None] = language_of) -> Side | None:
    """The digests of one source text, None where no reader could tell any."""
    language = find(path)
    if language is None:
        return None
    suffix = "." + path.rpartition("/")[2].rpartition(".")[2].lower()
    digests = language.read_digests(source, suffix)
    return Side(digests, source) if digests else None


# Private

_WEAKEST_FIRST: tuple[ChangeOf, ...] = (
    "format",
    "docs",
    "renamed",
    "body",
    "constant",
    "default",
    "decorator",
    "bases",
    "signature",
    "deleted",
)
_STRENGTH: Mapping[ChangeOf, int] = {what: number for number, what in enumerate(_WEAKEST_FIRST)}
_CONTAINERS = ("module", "class", "interface")
_PARTS: tuple[tuple[str, ChangeOf], ...] = (
    ("signature", "signature"),
    ("bases", "bases"),
    ("decorators", "decorator"),
    ("defaults", "default"),
    ("body", "body"),
    ("docs", "docs"),
)


def _names(file: FileChange) -> tuple[BlobName | None, BlobName | None]:
    """The old and the new blob of a file of lines, None for a side that is not there; twice None for any other."""
    modes = [mode for mode in (file.old_mode, file.new_mode) if mode]
    if file.binary or not modes or any(mode & 0o170000 != 0o100000 for mode in modes):
        return None, None
    same = file.old_oid == file.new_oid and file.path == file.old_path
    if same:
        return None, None
    old = None if file.status in ("added", "copied") else (file.old_oid, show_path(file.old_path))
    new = None if file.status == "deleted" else (file.new_oid, show_path(file.path))
    return old, new


def _whole(file: FileChange) -> ChangedSymbol:
    """The file as one symbol, with the lines from its first to its last hunk."""
    base = file.status == "deleted"
    spans = [
        (hunk.old_start, hunk.old_start + hunk.old_count - 1)
        if base
        else (hunk.new_start, hunk.new_start + hunk.new_count - 1)
        for hunk in file.hunks
    ]
    line = max(1, min((start for start, _ in spans), default=1))
    end = max(line, max((end for _, end in spans), default=1))
    path, old = show_path(file.path), show_path(file.old_path)
    was = SymbolId(old, "") if file.status == "renamed" and old != path else None
    return ChangedSymbol(SymbolId(path, ""), "file", "file", line, end, "base" if base else "head", was)


class _File:
    """One changed file with a reader: its definitions by name on both sides."""

    def __init__(self, file: FileChange, before: Side | None, after: Side | None) -> None:
        self.file = file
        self.path = show_path(file.path)
        self.old_path = show_path(file.old_path) if before is not None else self.path
        self.before, self.after = before, after
        self.old = _by_name(before)
        self.new = _by_name(after)

    def gone(self) -> Iterator[Piece]:
        return self._pieces(self.before, self.old_path, self.old, self.new)

    def fresh(self) -> Iterator[Piece]:
        return self._pieces(self.after, self.path, self.new, self.old)

    def report(self, moved: Moved) -> Iterator[ChangedSymbol]:
        """The symbols of this file that changed, those that are gone among them unless they turned up elsewhere."""
        told: dict[tuple[str, str], ChangedSymbol] = {}
        for name, variants in self.new.items():
            symbol = self._compare(name, variants, moved)
            if symbol is not None:
                told["head", name] = symbol
        for name, variants in self.old.items():
            id_ = SymbolId(self.old_path, name)
            if name not in self.new and id_ not in moved.to:
                first = variants[0]
                told["base", name] = ChangedSymbol(id_, first.kind, "deleted", first.line, first.end_line, "base")
        self._add_silent(told, moved)
        if self.file.old_mode and self.file.new_mode and self.file.old_mode != self.file.new_mode:
            told["head", ""] = _whole(self.file)
        return iter(told.values())

    # Private

    def _pieces(
        self,
        side: Side | None,
        path: str,
        own: Mapping[str, Sequence[Digests]],
        other: Mapping[str, Sequence[Digests]],
    ) -> Iterator[Piece]:
        if side is None:
            return
        lines = side.source.split(b"\n")
        for name, variants in own.items():
            if name and name not in other:
                first = variants[0]
                text = b"\n".join(lines[first.line - 1 : first.end_line])
                yield Piece(SymbolId(path, name), first, text, len(variants) == 1)

    def _compare(self, name: str, variants: Sequence[Digests], moved: Moved) -> ChangedSymbol | None:
        first = variants[0]
        id_ = SymbolId(self.path, name)
        was: SymbolId | None = None
        if name in self.old:
            what = _difference(self.old[name], variants)
            if self.path != self.old_path:
                was = SymbolId(self.old_path, name)
        elif id_ in moved.origin:
            origin = moved.origin[id_]
            was = origin.symbol
            what = _changed_part(origin.digests, first, renamed=_simple(was.name) != _simple(name))
        else:
            what = "added"
        if was is not None and (what is None or _STRENGTH[what] < _STRENGTH["renamed"]):
            what = "renamed"
        return ChangedSymbol(id_, first.kind, what, first.line, first.end_line, "head", was) if what else None

    def _add_silent(self, told: dict[tuple[str, str], ChangedSymbol], moved: Moved) -> None:
        """What hunks touch although nothing else speaks of them: comments, white space, formatting.

        Lines between definitions belong to the class or module around them, which is told only where nothing else is:
        most often they are comments of a definition that is told.
        """
        old, new = _Owners(self.before), _Owners(self.after)
        around: list[str] = []
        for hunk in self.file.hunks:
            owners = [("base", name) for name in old.of(hunk.old_start, hunk.old_count, hunk.removed)]
            owners += [("head", name) for name in new.of(hunk.new_start, hunk.new_count, hunk.added)]
            if any(self._is_told(side, name, told, moved) for side, name in owners):
                continue
            for name in dict.fromkeys(name for _, name in owners if name in self.new):
                if self.new[name][0].kind in _CONTAINERS:
                    around.append(name)
                else:
                    self._tell_format(name, told)
        left = any(name not in self.new for name in self.old)  # it moved, and is told where it went
        if not told and not left:
            for name in around or [""]:
                self._tell_format(name, told)

    def _is_told(
        self, side: str, name: str, told: Mapping[tuple[str, str], ChangedSymbol], moved: Moved
    ) -> ChangedSymbol | bool:
        if side == "base" and SymbolId(self.old_path, name) in moved.to:
            return True
        symbol = told.get(("head", name)) or told.get((side, name))
        return symbol is not None and symbol.what != "format"

    def _tell_format(self, name: str, told: dict[tuple[str, str], ChangedSymbol]) -> None:
        here = self.new.get(name)
        if here is not None and ("head", name) not in told:
            first = here[0]
            id_ = SymbolId(self.path, name)
            told["head", name] = ChangedSymbol(id_, first.kind, "format", first.line, first.end_line, "head")


class _Owners:
    """Which definition a line belongs to: the innermost one around it."""

    def __init__(self, side: Side | None) -> None:
        self.names: list[str] = []
        self.lines: list[int] = []
        if side is None:
            return
        ordered = sorted(side.digests[1:], key=lambda d: (d.line, -d.end_line))
        self.names = [side.digests[0].name, *(d.name for d in ordered)]
        self.lines = [0] * (side.source.count(b"\n") + 2)
        last = len(self.lines)
        for number, definition in enumerate(ordered, 1):
            start, end = max(0, min(definition.line, last)), max(0, min(definition.end_line + 1, last))
            self.lines[start:end] = [number] * max(0, end - start)

    def of(self, start: int, count: int, text: Sequence[bytes]) -> list[str]:
        """The names that own the lines; blank lines count only where there are no others."""
        if not self.names or not count:
            return []
        numbers = [n for n in range(start, start + count) if not text or text[n - start].strip()] if text else []
        numbers = numbers or list(range(start, start + count))
        return list(dict.fromkeys(self.names[self.lines[n]] for n in numbers if n < len(self.lines)))


def _by_name(side: Side | None) -> dict[str, list[Digests]]:
    found: dict[str, list[Digests]] = {}
    for digests in side.digests if side is not None else ():
        found.setdefault(digests.name, []).append(digests)
    return found


def _difference(old: Sequence[Digests], new: Sequence[Digests]) -> ChangeOf | None:
    """The strongest change between the definitions of one name: overloads and branches may give it several."""
    if len(old) == len(new) == 1:
        return _changed_part(old[0], new[0])
    left, right = list(old), list(new)
    for variant in old:
        twin = next((other for other in right if _changed_part(variant, other) is None), None)
        if twin is not None:
            left.remove(variant)
            right.remove(twin)
    if not left and not right:
        ordered = all(_changed_part(a, b) is None for a, b in zip(old, new, strict=True))
        return None if ordered else "body"  # the last definition wins, so their order has a meaning
    if len(left) != len(right):
        return "signature"
    parts = [part for a, b in zip(left, right, strict=True) if (part := _changed_part(a, b)) is not None]
    return max(parts, key=_STRENGTH.__getitem__)


def _changed_part(old: Digests, new: Digests, *, renamed: bool = False) -> ChangeOf | None:
    """The strongest part that differs. The signature holds the name, so that of a renamed symbol says nothing."""
    if old.kind != new.kind:
        return "signature"
    for field, what in _PARTS:
        if getattr(old, field) != getattr(new, field) and not (renamed and field == "signature"):
            return "constant" if what == "body" and new.kind in ("constant", "variable") else what
    return None


def _simple(name: str) -> str:
    return name.rpartition(".")[2]
