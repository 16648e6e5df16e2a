"""Which new definitions are old ones that moved or got a new name. A pair that is missed is deleted and added."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, pairwise
from typing import TypeAlias

from msgspec import Struct

from tidegate.reach.answer import SymbolId
from tidegate.reach.symbols import Digests

SIMILAR = 0.7
"""The share of words and signs, in their order by pairs, that two bodies have in common to count as one symbol."""

FEWEST_TOKENS = 16
"""Shorter bodies say too little about who they are, when name and place both differ."""

MOST_PAIRS = 10_000
"""Pairs of bodies that are compared with each other at one depth of names; were there more, only those of one name."""

LONGEST_BYTES = 16_000
"""Of a longer body only so much is compared."""


class Piece(Struct, frozen=True):
    """A definition that stands on one side only. `alone`: the only one of its name."""

    symbol: SymbolId
    digests: Digests
    text: bytes
    alone: bool


class Moved(Struct, frozen=True):
    """New symbols with what they were, and the old symbols with where they went."""

    origin: Mapping[SymbolId, Piece]
    to: Mapping[SymbolId, SymbolId]


def find_moved(gone: Sequence[Piece], fresh: Sequence[Piece]) -> Moved:
    """Pairs of one kind: equal digests first, then similar bodies; what is inside a moved class moves along with it."""
    matcher = _Matcher(gone, fresh)
    for depth in sorted({_depth(piece) for piece in fresh}):
        matcher.follow_parents(depth)
        matcher.match_equal(depth)
        matcher.match_similar(depth)
    return Moved(matcher.origin, {piece.symbol: symbol for symbol, piece in matcher.origin.items()})


# Private

_Key: TypeAlias = tuple[str, ...]
_Tokens: TypeAlias = Counter[tuple[bytes, bytes]]
_Place: TypeAlias = Callable[[Piece], _Key]
_TOKEN = re.compile(rb"\w+|[^\w\s]")


class _Matcher:
    def __init__(self, gone: Sequence[Piece], fresh: Sequence[Piece]) -> None:
        self.gone = {piece.symbol: piece for piece in gone if piece.alone}
        self.fresh = {piece.symbol: piece for piece in fresh if piece.alone}
        self.origin: dict[SymbolId, Piece] = {}
        self.tokens: dict[int, _Tokens] = {}

    def follow_parents(self, depth: int) -> None:
        for piece in self._waiting(self.fresh, depth):
            parent, _, name = piece.symbol.name.rpartition(".")
            origin = self.origin.get(SymbolId(piece.symbol.path, parent))
            if origin is None:
                continue
            old = self.gone.get(SymbolId(origin.symbol.path, f"{origin.symbol.name}.{name}"))
            if old is not None and old.digests.kind == piece.digests.kind:
                self._pair(old, piece)

    def match_equal(self, depth: int) -> None:
        """Equal digests: of one name anywhere, of one parent, then anywhere in the change if there is much to equal."""
        for place in (_same_name, _same_parent, _anywhere):
            old, new = _group(self._waiting(self.gone, None), place), _group(self._waiting(self.fresh, depth), place)
            for key, pieces in new.items():
                others = old.get(key, ())
                if len(pieces) == len(others) == 1 and self._is_telling(pieces[0], place is _anywhere):
                    self._pair(others[0], pieces[0])

    def match_similar(self, depth: int) -> None:
        old, new = list(self._waiting(self.gone, None)), list(self._waiting(self.fresh, depth))
        named_only = len(old) * len(new) > MOST_PAIRS
        by_name = _group(old, lambda piece: (_simple(piece),)) if named_only else {}
        pairs = (
            (other, piece) for piece in new for other in (by_name.get((_simple(piece),), ()) if named_only else old)
        )
        scored: list[tuple[float, SymbolId, SymbolId]] = []
        for other, piece in islice(pairs, MOST_PAIRS):
            score = self._similarity(other, piece)
            if score >= SIMILAR:
                scored.append((-score, other.symbol, piece.symbol))
        for _, was, is_ in sorted(scored):
            if was in self.gone and is_ in self.fresh:
                self._pair(self.gone[was], self.fresh[is_])

    def _waiting(self, pieces: Mapping[SymbolId, Piece], depth: int | None) -> tuple[Piece, ...]:
        return tuple(piece for piece in pieces.values() if depth is None or _depth(piece) == depth)

    def _pair(self, old: Piece, new: Piece) -> None:
        self.origin[new.symbol] = old
        del self.gone[old.symbol], self.fresh[new.symbol]

    def _is_telling(self, piece: Piece, anywhere: bool) -> bool:
        """A class says little by itself, for what is inside it has digests of its own: its whole text is compared."""
        if piece.digests.kind in ("class", "interface"):
            return False
        return not anywhere or self._tokens_of(piece).total() >= FEWEST_TOKENS

    def _similarity(self, old: Piece, new: Piece) -> float:
        if old.digests.kind != new.digests.kind:
            return 0.0
        short, long = sorted((len(old.text), len(new.text)))
        if short < long * SIMILAR / 3:
            return 0.0
        left, right = self._tokens_of(old), self._tokens_of(new)
        sizes = left.total(), right.total()
        same_name = _simple(old) == _simple(new)
        if min(sizes) < (4 if same_name else FEWEST_TOKENS) or min(sizes) < max(sizes) * SIMILAR / (2 - SIMILAR):
            return 0.0
        common = sum(min(count, right[token]) for token, count in left.items())
        return 2 * common / sum(sizes)

    def _tokens_of(self, piece: Piece) -> _Tokens:
        key = id(piece)
        if key not in self.tokens:
            name = _simple(piece).encode("utf-8", "backslashreplace")
            words = [b"" if word == name else word for word in _TOKEN.findall(piece.text[:LONGEST_BYTES])]
            self.tokens[key] = Counter(pairwise(words))
        return self.tokens[key]


def _group(pieces: Iterable[Piece], key: _Place) -> dict[_Key, list[Piece]]:
    found: dict[_Key, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(key(piece), []).append(piece)
    return found


def _equal(piece: Piece) -> _Key:
    d = piece.digests
    return (d.kind, d.defaults, d.decorators, d.bases, d.body)


def _same_name(piece: Piece) -> _Key:
    return (*_equal(piece), piece.digests.signature, _simple(piece))


def _same_parent(piece: Piece) -> _Key:
    return (*_equal(piece), piece.symbol.path, piece.symbol.name.rpartition(".")[0])


def _anywhere(piece: Piece) -> _Key:
    return _equal(piece)


def _simple(piece: Piece) -> str:
    return piece.symbol.name.rpartition(".")[2]


def _depth(piece: Piece) -> int:
    return piece.symbol.name.count(".")
