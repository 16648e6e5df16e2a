"""A measured quantity over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray


class Series(Struct, frozen=True, kw_only=True, eq=False):
    """`times`: Unix seconds, ascending; `values`: the same length, NaN where nothing was measured."""

    name: str
    labels: Mapping[str, str]
    times: NDArray[float64]
    values: NDArray[float64]
