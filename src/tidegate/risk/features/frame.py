"""A table of changes by features, as models read it, and what is known of their fate. Imports numpy: load it late."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]


class Frame(NamedTuple):
    """One row a change, oldest first; one column a feature, raw (not yet log-scaled); NaN where it is not known.

    `at` is when the change was committed, in Unix seconds. `version` is that of the definitions of the features.
    """

    names: tuple[str, ...]
    version: int
    ids: tuple[str, ...]
    at: Times
    values: Floats

    def column(self, name: str) -> Floats:
        """The values of one feature."""
        return self.values[:, self.names.index(name)]

    def rows(self, start: int, stop: int) -> Frame:
        """The same table, of some rows in a row."""
        part = slice(start, stop)
        return self._replace(ids=self.ids[part], at=self.at[part], values=self.values[part])


class Targets(NamedTuple):
    """What became of the changes of a frame, row by row.

    `repaired` is the confidence (0 to 1) that the change had to be repaired, as far as is known today; `known_at` is
    since when (Unix seconds; -1 where nothing ever said so).
    """

    repaired: Floats
    known_at: Times

    def rows(self, start: int, stop: int) -> Targets:
        """The same for some rows in a row."""
        return Targets(self.repaired[start:stop], self.known_at[start:stop])
