"""The texts of a graph's nodes as a table: one is decoded when it is asked for, since an answer names few of them."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Table(Struct, frozen=True, array_like=True):
    """The texts on disk: behind each other, where each begins and the last ends, and how to find the number of one.

    `order` has the numbers by checksum, equal ones by text; `checksums` stand in that order. `files` has for each text
    the first that begins with the same path, -1 where it begins with none.
    """

    texts: bytes
    offsets: bytes
    checksums: bytes
    order: bytes
    files: bytes


class Names:
    """The texts by their numbers, and back."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._texts = table.texts
        self._offsets = memoryview(table.offsets).cast("i")
        self._checksums = memoryview(table.checksums).cast("I")
        self._order = memoryview(table.order).cast("i")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> str:
        return self._raw(number).decode("utf-8", "surrogateescape")

    def __iter__(self) -> Iterator[str]:
        return iter(self.of(range(len(self))))

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self.find(text) is not None

    def of(self, numbers: Iterable[int]) -> list[str]:
        """The texts of many numbers."""
        texts, at = self._texts, self._offsets
        return [texts[at[number] : at[number + 1]].decode("utf-8", "surrogateescape") for number in numbers]

    def find(self, text: str) -> int | None:
        """The number of a text."""
        raw = text.encode("utf-8", "surrogateescape")
        checksum = zlib.crc32(raw)
        low = bisect_left(self._checksums, checksum)
        high = bisect_right(self._checksums, checksum, low)
        if high - low > 1:
            low = bisect_left(self._order, raw, low, high, key=self._raw)
        if low >= high or self._raw(self._order[low]) != raw:
            return None
        return self._order[low]

    def holding(self, mark: bytes) -> list[int]:
        """The numbers of the texts that hold this one character, in their order."""
        import numpy as np

        at = np.flatnonzero(np.frombuffer(self._texts, np.uint8) == ord(mark))
        offsets = np.frombuffer(self._table.offsets, np.int32)
        return sorted(set((offsets.searchsorted(at, "right") - 1).tolist()))

    @property
    def files(self) -> NDArray[np.int32]:
        """For each text the first that begins with the same path, -1 where it begins with none."""
        import numpy as np

        return np.frombuffer(self._table.files, np.int32)

    # Private

    def _raw(self, number: int) -> bytes:
        return self._texts[self._offsets[number] : self._offsets[number + 1]]


def table_of(texts: Sequence[str]) -> Table:
    """The table of these texts, which are all different."""
    import numpy as np

    raw = [text.encode("utf-8", "surrogateescape") for text in texts]
    offsets = np.zeros(len(raw) + 1, np.int32)
    np.cumsum([len(one) for one in raw], out=offsets[1:])
    checksums = np.array([zlib.crc32(one) for one in raw], np.uint32)
    order = np.argsort(checksums, kind="stable").astype(np.int32)
    ordered = checksums[order]
    # Somebody may have made names with one checksum: they are told apart by a search as well.
    for shared in np.unique(ordered[1:][ordered[1:] == ordered[:-1]]):
        begin, end = int(ordered.searchsorted(shared)), int(ordered.searchsorted(shared, "right"))
        order[begin:end] = sorted(order[begin:end].tolist(), key=raw.__getitem__)
    first: dict[str, int] = {"": -1}
    files = np.array([first.setdefault(text[: max(text.find(":"), 0)], n) for n, text in enumerate(texts)], np.int32)
    return Table(b"".join(raw), offsets.tobytes(), ordered.tobytes(), order.tobytes(), files.tobytes())


def is_whole(table: Table, count: int) -> bool:
    """Whether the parts of a table of this many texts have the sizes that they must have."""
    sizes = (len(table.checksums), len(table.order), len(table.files), len(table.offsets) - 4)
    return set(sizes) == {4 * count} and memoryview(table.offsets).cast("i")[-1] == len(table.texts)
