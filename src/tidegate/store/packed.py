"""Documents as they are kept: JSON, compressed, and never larger than what may be unpacked."""

from __future__ import annotations

import zlib

from tidegate.errors import InternalError

MOST_DOCUMENT = 64 << 20


def pack(document: bytes) -> bytes:
    return zlib.compress(document, 1)


def unpack(packed: bytes, where: str) -> bytes:
    """What `pack` was given. Raises InternalError where what is kept is damaged; `where` names it."""
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, MOST_DOCUMENT)
    except zlib.error as error:
        raise InternalError("a kept document is damaged", where=where) from error
    if not unpacker.eof:
        raise InternalError("a kept document is damaged", where=where)
    return plain
