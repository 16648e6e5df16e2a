"""What the watch said of a metric, as it is kept: with the points that it had before its eyes when it said so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from tidegate.errors import InternalError
from tidegate.operate.detect.regression import Regression

if TYPE_CHECKING:
    from tidegate.telemetry.series import Series

BEFORE_SECONDS = 1800.0
MOST_POINTS = 240
Points = tuple[tuple[float, float], ...]


class Noticed(Struct, frozen=True):
    """`points`: (Unix seconds, value), from half an hour before the deployment until it was raised."""

    said: Regression
    points: Points = ()


class _Points(Struct, frozen=True):
    points: Points = ()


def noticed_document(said: Regression, series: Series, since: float) -> bytes:
    """JSON of the answer and of the series beside it; whoever reads the answer alone finds it as it was."""
    first = since - BEFORE_SECONDS
    pairs = zip(series.times.tolist(), series.values.tolist(), strict=True)
    inside = [(at, value) for at, value in pairs if at >= first and math.isfinite(value)]
    step = -(-len(inside) // MOST_POINTS) if inside else 1
    thinned = [max(inside[at : at + step], key=lambda one: abs(one[1])) for at in range(0, len(inside), step)]
    return msgspec.json.encode({**msgspec.structs.asdict(said), "points": thinned})


def read_noticed(document: bytes) -> Noticed:
    """InternalError where what is kept is damaged."""
    try:
        said = msgspec.json.decode(document, type=Regression)
        return Noticed(said, msgspec.json.decode(document, type=_Points).points)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InternalError("a kept regression is damaged") from error
