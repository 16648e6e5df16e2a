"""A map: which test executed which symbol, and what every symbol was made of when that was seen.

One file under `.git/tidegate/reach/`, written whole under a passing name and renamed, with a checksum: a map that is
not whole is no map. A symbol is kept with the digest of its text, so that old evidence can be told from stale
evidence (`validity`); a test that is not in the map is unknown, and so is one that was skipped.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import zlib
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.change.git_dir import read_small
from tidegate.errors import InputError
from tidegate.reach.record.merge import merged, numbers_in
from tidegate.reach.record.values import MapFile, MapRecording, MapSymbol, MapTest, TestMap

__all__ = [
    "MapFile",
    "MapRecording",
    "MapSymbol",
    "MapTest",
    "TestMap",
    "numbers_in",
    "read_map",
    "write_map",
]

FILE = "tests.map"
FILE_LIMIT_BYTES = 256 << 20
_UNPACKED_LIMIT_BYTES = 1 << 30
_MAGIC = b"tidegate-map-1\n"


def read_map(folder: Path, complaints: list[str] | None = None) -> TestMap | None:
    """The map that is kept in `folder`, None where there is none. Why a file there is none is added to `complaints`."""
    file = folder / FILE
    if not os.path.lexists(file):
        return None
    content = read_small(file, FILE_LIMIT_BYTES)
    found, reason = (None, "it cannot be read") if content is None else _unpacked(content)
    if found is None and complaints is not None:
        complaints.append(f"the recorded map {file} is not used: {reason}; record again to replace it")
    return found


def write_map(folder: Path, recorded: TestMap) -> TestMap:
    """Keep `recorded` together with what `folder` has: per test the newest recording wins. Answers what is kept now.

    Raises InputError when the folder cannot be written.
    """
    before = read_map(folder)
    kept = merged(before, recorded) if before is not None else recorded
    passing = folder / f".{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            passing.write_bytes(_packed(kept))
            passing.replace(folder / FILE)
        finally:
            passing.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"the map cannot be written ({error})", where=str(folder), mend="check the folder's permissions and space"
        ) from error
    return kept


# Private


class _Envelope(Struct, frozen=True):
    map: TestMap


def _packed(kept: TestMap) -> bytes:
    body = zlib.compress(msgspec.msgpack.encode(_Envelope(kept)), 3)
    return _MAGIC + hashlib.sha256(body).digest() + body


def _unpacked(content: bytes) -> tuple[TestMap | None, str]:
    start = len(_MAGIC) + 32
    if not content.startswith(_MAGIC):
        return None, "it is no map of this version"
    body = content[start:]
    if hashlib.sha256(body).digest() != content[len(_MAGIC) : start]:
        return None, "it is damaged"
    opened = zlib.decompressobj()
    try:
        raw = opened.decompress(body, _UNPACKED_LIMIT_BYTES)
        if not opened.eof:
            return None, "it is too large"
        return msgspec.msgpack.decode(raw, type=_Envelope).map, ""
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
        return None, "it is damaged"
