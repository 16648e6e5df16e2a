"""One file of the store: written once, whole, and never changed. Reading it trusts nothing that it says.

header   magic (8), number of records (4), checksum of all keys and places (4)
keys     sorted, 32 bytes each
places   in the order of the keys: offset (8), length (4), checksum of key and payload (4), flag (4)
payloads
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

KEY_BYTES = 32
MAGIC = b"TGreach1"
_HEADER = struct.Struct("<8sII")
_PLACE = struct.Struct("<QIII")
RECORD_LIMIT_BYTES = 64 << 20
_FEW = 300


class Record(NamedTuple):
    """One payload; `flag` is told without reading it."""

    payload: bytes
    flag: int = 0


class Segment:
    """An open segment. Reads by `pread` alone: a file that shrinks under a memory map would kill the process."""

    def __init__(self, name: str, descriptor: int, size: int, keys: bytes, places: bytes) -> None:
        self.name = name
        self.size = size
        self._descriptor = descriptor
        self._keys = keys
        self._places = places
        self._asked = 0

    def __len__(self) -> int:
        return len(self._keys) // KEY_BYTES

    def close(self) -> None:
        os.close(self._descriptor)

    @property
    def keys(self) -> tuple[bytes, ...]:
        return tuple(self._numbers)

    @cached_property
    def _numbers(self) -> dict[bytes, int]:
        cut = range(0, len(self._keys), KEY_BYTES)
        return {self._keys[i : i + KEY_BYTES]: n for n, i in enumerate(cut)}

    def _number(self, key: bytes) -> int | None:
        """The place of a key: most questions ask for so few that a dictionary of all costs more than looking."""
        self._asked += 1
        if self._asked > _FEW:
            return self._numbers.get(key)
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._keys[middle * KEY_BYTES : (middle + 1) * KEY_BYTES] < key:
                low = middle + 1
            else:
                high = middle
        return low if self._keys[low * KEY_BYTES : (low + 1) * KEY_BYTES] == key else None

    def flag(self, key: bytes) -> int | None:
        """The flag of a record, None where there is none."""
        number = self._number(key)
        if number is None:
            return None
        return int(_PLACE.unpack_from(self._places, number * _PLACE.size)[3])

    def read(self, key: bytes, *, limit: int = RECORD_LIMIT_BYTES) -> Record | None:
        """A record, None where there is none or where it is not what was written."""
        number = self._number(key)
        if number is None:
            return None
        offset, length, checksum, flag = _PLACE.unpack_from(self._places, number * _PLACE.size)
        if length > limit or offset + length > self.size:
            return None
        try:
            payload = os.pread(self._descriptor, length, offset)
        except OSError:
            return None
        if len(payload) != length or _checksum(key, payload) != checksum:
            return None
        return Record(payload, flag)


def segment_bytes(records: Mapping[bytes, Record]) -> bytes:
    """A segment of these records; the same records give the same bytes."""
    keys = sorted(records)
    start = _HEADER.size + len(keys) * (KEY_BYTES + _PLACE.size)
    places = bytearray()
    for key in keys:
        payload, flag = records[key]
        places += _PLACE.pack(start, len(payload), _checksum(key, payload), flag)
        start += len(payload)
    joined = b"".join(keys)
    header = _HEADER.pack(MAGIC, len(keys), zlib.crc32(places, zlib.crc32(joined)))
    return b"".join((header, joined, bytes(places), *(records[key].payload for key in keys)))


def open_segment(name: str, descriptor: int) -> Segment | None:
    """The segment in an open file, None for a file that is none, or none any more. Closes the file in that case."""
    found = None
    try:
        found = _open_segment(name, descriptor)
    except OSError:
        pass
    finally:
        if found is None:
            os.close(descriptor)
    return found


# Private


def _open_segment(name: str, descriptor: int) -> Segment | None:
    size = os.fstat(descriptor).st_size
    header = os.pread(descriptor, _HEADER.size, 0)
    if len(header) != _HEADER.size:
        return None
    magic, count, checksum = _HEADER.unpack(header)
    length = count * (KEY_BYTES + _PLACE.size)
    if magic != MAGIC or _HEADER.size + length > size:
        return None
    table = os.pread(descriptor, length, _HEADER.size)
    if len(table) != length or zlib.crc32(table) != checksum:
        return None
    return Segment(name, descriptor, size, table[: count * KEY_BYTES], table[count * KEY_BYTES :])


def _checksum(key: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(key))
