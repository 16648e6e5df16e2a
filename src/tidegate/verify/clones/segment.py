"""What is known of many files in one immutable file: their fingerprints in order, and their tokens.

A header, a directory and the tokens. The directory (blob ids, where each blob's tokens lie, and the fingerprints with
their owner and place) has a checksum that is proved when the segment is opened, the tokens of each blob have one that
is proved when they are read. What does not fit is no segment.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tidegate.verify.clones.prints import GRAM, hash_grams, telling_grams, winnow
from tidegate.verify.clones.tokens import Tokens, shape_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_BYTES = 1 << 30
View: TypeAlias = bytes | mmap.mmap


class Directory(NamedTuple):
    """What a segment says beside the tokens. Blob `i` has the tokens `starts[i]` to `starts[i + 1]`."""

    oids: NDArray[np.void]
    checks: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    hashes: NDArray[np.uint64]
    owners: NDArray[np.uint32]
    places: NDArray[np.uint32]


class Segment:
    """A segment that is open. Reading tokens answers None where they are damaged."""

    def __init__(self, name: str, view: View, directory: Directory) -> None:
        self.name = name
        self.size = len(view)
        self.directory = directory
        self._view = view
        self._offset = len(view) - 6 * int(directory.starts[-1])

    def tokens(self, blob: int) -> Tokens | None:
        """The tokens of a blob by its number in this segment."""
        import numpy as np

        first, end = (int(at) for at in self.directory.starts[blob : blob + 2])
        total, count = int(self.directory.starts[-1]), end - first
        codes = self._view[self._offset + 4 * first : self._offset + 4 * end]
        base = self._offset + 4 * total
        steps = self._view[base + 2 * first : base + 2 * end]
        if len(steps) != 2 * count or zlib.crc32(steps, zlib.crc32(codes)) != int(self.directory.checks[blob]):
            return None
        lines = np.cumsum(np.frombuffer(steps, "<u2"), dtype=np.uint32)
        return Tokens(np.frombuffer(codes, "<u4"), lines)


def segment_bytes(files: Sequence[tuple[bytes, Tokens]]) -> bytes:
    """A segment of these files: blob id and tokens. The same files in the same order give the same bytes."""
    import numpy as np

    counts = [len(tokens.codes) for _, tokens in files]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype("<u4")
    codes = np.concatenate([np.zeros(0, np.uint32), *(tokens.codes for _, tokens in files)]).astype("<u4")
    steps = np.concatenate([np.zeros(0, np.uint16), *(_steps(tokens.lines) for _, tokens in files)]).astype("<u2")
    checks = [
        zlib.crc32(steps[first:end].tobytes(), zlib.crc32(codes[first:end].tobytes()))
        for first, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)
    ]
    hashes, owners, places = _prints(codes, starts)
    parts = (
        b"".join(oid for oid, _ in files),
        np.array(checks, "<u4").tobytes(),
        starts.tobytes(),
        hashes.astype("<u8").tobytes(),
        owners.astype("<u4").tobytes(),
        places.astype("<u4").tobytes(),
    )
    directory = b"".join(parts)
    width = len(files[0][0]) if files else 20
    head = _HEAD.pack(_MAGIC, width, len(files), len(hashes), zlib.crc32(directory))
    return b"".join((head, directory, codes.tobytes(), steps.tobytes()))


def open_segment(name: str, descriptor: int) -> Segment | None:
    """The segment in an open file, which is closed; None where it is none or damaged."""
    try:
        size = os.fstat(descriptor).st_size
        if not _HEAD.size <= size <= LARGEST_BYTES:
            return None
        view = mmap.mmap(descriptor, size, prot=mmap.PROT_READ)
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)
    segment = read_segment(name, view)
    if segment is None:
        view.close()
    return segment


def read_segment(name: str, view: View) -> Segment | None:
    """The segment in these bytes, None where they are none."""
    directory = _read_directory(view)
    return None if directory is None else Segment(name, view, directory)


# Private

_MAGIC = b"TGCLONE1"
_HEAD = struct.Struct("<8sIIII")


def _steps(lines: NDArray[np.uint32]) -> NDArray[np.uint16]:
    import numpy as np

    if not len(lines):
        return np.zeros(0, np.uint16)
    return np.minimum(np.diff(lines, prepend=np.uint32(0)), 0xFFFF).astype(np.uint16)


def _prints(
    codes: NDArray[np.uint32], starts: NDArray[np.uint32]
) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32]]:
    """The fingerprints of all files at once, in order: hash, file, place in the file."""
    import numpy as np

    shapes = shape_of(codes)
    hashes = hash_grams(shapes)
    allowed = telling_grams(shapes)
    sizes = starts[1:].astype(np.int64) - starts[:-1].astype(np.int64)
    owner = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)[: len(hashes)]
    ends = starts[1:][owner] if len(sizes) else np.zeros(0, np.uint32)
    allowed &= np.arange(len(hashes)) + GRAM <= ends
    chosen = winnow(hashes, allowed)
    order = chosen[np.argsort(hashes[chosen], kind="stable")]
    return hashes[order], owner[order], (order - starts[:-1][owner[order]]).astype(np.uint32)


def _read_directory(view: View) -> Directory | None:
    import numpy as np

    magic, width, blobs, prints, check = _HEAD.unpack(view[: _HEAD.size])
    lengths = (width * blobs, 4 * blobs, 4 * (blobs + 1), 8 * prints, 4 * prints, 4 * prints)
    if magic != _MAGIC or width not in (20, 32) or _HEAD.size + sum(lengths) > len(view):
        return None
    raw = view[_HEAD.size : _HEAD.size + sum(lengths)]
    if zlib.crc32(raw) != check:
        return None
    ends = np.cumsum(lengths).tolist()
    parts = [raw[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    directory = Directory(
        np.frombuffer(parts[0], f"V{width}"),
        *(np.frombuffer(part, kind) for part, kind in zip(parts[1:], ("<u4", "<u4", "<u8", "<u4", "<u4"), strict=True)),
    )
    starts = directory.starts.astype(np.int64)
    whole = len(view) == _HEAD.size + sum(lengths) + 6 * int(starts[-1])
    ordered = bool((np.diff(starts) >= 0).all()) and int(starts[0]) == 0
    owned = prints == 0 or int(directory.owners.max()) < blobs
    return directory if whole and ordered and owned else None
