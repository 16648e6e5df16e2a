"""Fingerprints of tokens: hashes of every run of `GRAM` tokens, of which every window keeps the smallest.

Whatever two files share over `GRAM + WINDOW - 1` tokens leaves at least one fingerprint that is the same in both
(winnowing: Schleimer, Wilkerson and Aiken, SIGMOD 2003).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from tidegate.verify.clones.tokens import LITERAL, NAME

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
"""Raise it whenever the same tokens give other fingerprints."""

GRAM = 10
WINDOW = 6


def hash_grams(shapes: NDArray[np.uint32], length: int = GRAM) -> NDArray[np.uint64]:
    """A hash of each run of `length` tokens, by the place of its first; empty where there are fewer."""
    import numpy as np

    count = len(shapes) - length + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    spread = shapes.astype(np.uint64) * np.uint64(0xD6E8FEB86659FD93)
    spread ^= spread >> np.uint64(32)
    hashes = np.zeros(count, np.uint64)
    for at in range(length):
        hashes *= np.uint64(0x9E3779B97F4A7C15)
        hashes += spread[at : at + count]
    hashes ^= hashes >> np.uint64(29)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(32)
    return hashes


def telling_grams(shapes: NDArray[np.uint32], length: int = GRAM) -> NDArray[np.bool_]:
    """Which runs of tokens do something: names, literals, commas and brackets alone are a table."""
    import numpy as np

    count = len(shapes) - length + 1
    if count <= 0:
        return np.zeros(0, bool)
    working = np.concatenate([[0], np.cumsum(~np.isin(shapes, np.array(_INERT, np.uint32)))])
    telling: NDArray[np.bool_] = working[length:] > working[:-length]
    return telling


def winnow(hashes: NDArray[np.uint64], allowed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The places of the fingerprints: in every window the smallest of the allowed hashes."""
    import numpy as np

    most = np.uint64(0xFFFFFFFFFFFFFFFF)
    ranked = np.where(allowed, hashes, most)
    padded = np.concatenate([np.full(WINDOW - 1, most), ranked, np.full(WINDOW - 1, most)])
    windows = len(ranked) + WINDOW - 1
    smallest = padded[:windows].copy()
    for at in range(1, WINDOW):
        np.minimum(smallest, padded[at : at + windows], out=smallest)
    # A hash is kept if it is the smallest of any whole window that it lies in.
    smallest[: WINDOW - 1] = 0
    smallest[len(ranked) :] = 0
    largest = smallest[: len(ranked)].copy()
    for at in range(1, WINDOW):
        np.maximum(largest, smallest[at : at + len(ranked)], out=largest)
    if len(ranked) < WINDOW:
        largest = np.full(len(ranked), ranked.min() if len(ranked) else most)
    return np.flatnonzero((largest == ranked) & allowed)


# Private

_INERT = (
    NAME << 30,
    LITERAL << 30,
    *(
        zlib.crc32(word) & ((1 << 30) - 1)
        for word in (*b", . ( ) [ ] { } : ; -".split(), b"None", b"True", b"False", b"null", b"nil", b"true", b"false")
    ),
)
