"""Two maps as one: for each test the newest recording wins, and what it replaces is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from tidegate.reach.answer import SymbolId
from tidegate.reach.record.values import MapFile, MapSymbol, MapTest, TestMap


def merged(old: TestMap, new: TestMap) -> TestMap:
    """`new` and, for the tests that it did not see, what `old` has.

    A test that `new` skipped keeps its old row. Tests whose definition is gone from the newer tree are dropped, and so
    are old versions of files that no remaining test executed.
    """
    seen = {test.symbol for test in new.tests if test.state != "skipped"}
    listed = {SymbolId(file.path, symbol.name) for file in new.files for symbol in file.symbols}
    kept = {
        n: t for n, t in enumerate(old.tests) if t.symbol not in seen and (t.defined in listed or not t.defined.path)
    }
    back = {test.symbol for test in kept.values()}
    fresh = {n: t for n, t in enumerate(new.tests) if t.symbol not in back}
    order = sorted([(t, 0, n) for n, t in kept.items()] + [(t, 1, n) for n, t in fresh.items()], key=_order)
    numbers: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for position, (_, side, number) in enumerate(order):
        numbers[side][number] = position
    used = sorted({test.recording for test in kept.values()})
    runs = {number: position for position, number in enumerate(used)}
    tests = tuple(
        msgspec.structs.replace(t, recording=t.recording + len(used) if side else runs[t.recording])
        for t, side, _ in order
    )
    recordings = tuple(old.recordings[number] for number in used) + new.recordings
    return TestMap(recordings, tests, _files(old, new, numbers), new.unread)


def renumbered(mask: bytes, numbers: Mapping[int, int]) -> bytes:
    """The mask with each bit where `numbers` says; bits without a new place are dropped."""
    places = [new for old in numbers_in(mask) if (new := numbers.get(old)) is not None]
    found = bytearray(max(places, default=-1) // 8 + 1)
    for new in places:
        found[new >> 3] |= 1 << (new & 7)
    return bytes(found)


def numbers_in(mask: bytes) -> Iterator[int]:
    """The numbers of the tests in a mask of a map, the lowest first."""
    for index, byte in enumerate(mask):
        if byte:
            for bit in range(8):
                if byte >> bit & 1:
                    yield index * 8 + bit


def as_mask(bits: int) -> bytes:
    """A number's bits as a mask of a map."""
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


# Private

_Ordered: TypeAlias = tuple[MapTest, int, int]


def _order(entry: _Ordered) -> tuple[SymbolId, str]:
    return entry[0].symbol, entry[0].node


def _files(old: TestMap, new: TestMap, numbers: tuple[dict[int, int], dict[int, int]]) -> tuple[MapFile, ...]:
    found: dict[tuple[str, str], dict[str, MapSymbol]] = {}
    for file in new.files:
        found[file.path, file.blob] = {
            s.name: msgspec.structs.replace(s, tests=renumbered(s.tests, numbers[1])) for s in file.symbols
        }
    for file in old.files:
        symbols = {s.name: msgspec.structs.replace(s, tests=renumbered(s.tests, numbers[0])) for s in file.symbols}
        there = found.get((file.path, file.blob))
        if there is not None:
            found[file.path, file.blob] = {name: _both(there.get(name), symbols[name]) for name in symbols} | {
                name: symbol for name, symbol in there.items() if name not in symbols
            }
        elif any(symbol.tests for symbol in symbols.values()):
            found[file.path, file.blob] = {name: symbol for name, symbol in symbols.items() if symbol.tests}
    return tuple(MapFile(path, blob, tuple(found[path, blob].values())) for path, blob in sorted(found))


def _both(one: MapSymbol | None, other: MapSymbol) -> MapSymbol:
    if one is None:
        return other
    bits = int.from_bytes(one.tests, "little") | int.from_bytes(other.tests, "little")
    return msgspec.structs.replace(one, tests=as_mask(bits), outside=one.outside or other.outside)
