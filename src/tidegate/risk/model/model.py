"""A trained model: an open JSON file scored change by change with the share of each feature."""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from operator import le
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.risk.model.single import NONE, Reference, Shares, Space, Trees, check_trees, read_row, tree_shares

if TYPE_CHECKING:
    from tidegate.risk.features.frame import Floats

FORMAT = "tidegate-risk-model"
FORMAT_VERSION = 1
LARGEST = 2 * 1024 * 1024
EDGE = 0.002
STEEPEST = 1e6
"""Log-odds beyond which a number is no answer: sums of larger ones would not be finite."""

Kind: TypeAlias = Literal["prior", "adapted", "own"]


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """One learner of a blend: log-odds = `bias` + weights times values + trees.

    With `chance` the trees say probabilities (a forest) and their log-odds count. `weight` is the part's share in the
    blend.
    """

    name: str
    space: Space
    weight: float
    bias: float = 0.0
    weights: tuple[float, ...] = ()
    trees: Trees = NONE
    chance: bool = False


class Score(NamedTuple):
    """What a model says of one change.

    `raw` is in log-odds and equals `base` plus all `contributions` (each a feature and what it adds against an ordinary
    change). `probability` is None where the model was not calibrated on this repository. `percentile` is the rank of
    `raw` among earlier changes, 0 to 1.
    """

    probability: float | None
    raw: float
    percentile: float
    contributions: tuple[tuple[str, float], ...]
    base: float


class Model(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """A model of one repository, or the prior that ships.

    `definitions` is the version of the features; `names` their order. raw = `offset` + `slope` times the blend. `ranks`
    are evenly spaced quantiles of the raw scores of earlier changes. `trained_at` is in Unix seconds. `matured` is the
    number of changes old enough that a repair would be known, `repaired` those of them that were. `usual` is the mean
    probability of a change here (of a prior: where it was trained).
    """

    definitions: int
    names: tuple[str, ...]
    kind: Kind
    reference: Reference
    parts: tuple[Part, ...]
    ranks: tuple[float, ...] = ()
    slope: float = 1.0
    offset: float = 0.0
    calibrated: bool = False
    usual: float = 0.0
    trained_at: int = 0
    matured: int = 0
    repaired: int = 0

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the model, in hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    def score(self, names: Sequence[str], values: Sequence[float] | Floats) -> Score:
        """What the model says of one change. Features that it does not know are left out; missing ones are unknown."""
        given = dict(zip(names, values, strict=True))
        row = [float(given.get(name, math.nan)) for name in self.names]
        base, added = 0.0, [0.0] * len(row)
        for part in self.parts:
            found = _part_shares(part, read_row(part.space, row, self.reference))
            base += part.weight * found.base
            added = [one + part.weight * more for one, more in zip(added, found.added, strict=True)]
        added = [self.slope * one for one in added]
        base = self.offset + self.slope * base
        raw = base + sum(added)
        probability = min(max(_sigmoid(raw), EDGE), 1 - EDGE) if self.calibrated else None
        return Score(probability, raw, self.percentile(raw), tuple(zip(self.names, added, strict=True)), base)

    def raw_scores(self, values: Floats) -> Floats:
        """The raw scores of a table whose columns are `names`."""
        from tidegate.risk.model.table import raw_scores  # numpy, which one change does without

        return raw_scores(self, values)

    def percentile(self, raw: float) -> float:
        """The share of earlier changes that score lower; ties count half. One half where there are none."""
        if not self.ranks:
            return 0.5
        return (bisect_left(self.ranks, raw) + bisect_right(self.ranks, raw)) / (2.0 * len(self.ranks))


def encode_model(model: Model) -> bytes:
    """The file of a model: JSON with its format, version and digest."""
    return msgspec.json.encode(_File(FORMAT, FORMAT_VERSION, model.digest, msgspec.Raw(msgspec.json.encode(model))))


def decode_model(data: bytes, where: str = "") -> Model:
    """The model of a file's bytes.

    Raises `InputError` for anything that is not a whole and sound model: too large, another format or version, a wrong
    digest, trees that lead nowhere, numbers that are none.
    """
    if len(data) > LARGEST:
        raise _refused(f"it is larger than {LARGEST} bytes", where)
    try:
        file = msgspec.json.decode(data, type=_File)
        if file.format != FORMAT or file.version != FORMAT_VERSION:
            raise _refused(f"it is not {FORMAT} version {FORMAT_VERSION}", where)
        if hashlib.sha256(file.model).hexdigest() != file.digest:
            raise _refused("its digest does not match", where)
        model = msgspec.json.decode(file.model, type=Model)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _refused("it is no model", where) from error
    check_model(model, where)
    return model


def check_model(model: Model, where: str = "") -> None:
    """Raises `InputError` for what cannot be scored soundly: trees that lead nowhere, numbers that are none."""
    try:
        _check(model, where)
    except InputError as error:
        raise InputError(error.what, where=where, mend=error.mend) from error


def read_model(path: Path) -> Model:
    """The model in a file. Raises `InputError` as `decode_model` does, and where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise _refused("the file cannot be opened", str(path)) from error
    return decode_model(data, str(path))


# Private


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    version: int
    digest: str
    model: msgspec.Raw


def _part_shares(part: Part, row: Sequence[float]) -> Shares:
    """The log-odds of an ordinary change, and what each feature adds to them.

    Where trees say probabilities, their shares are stretched by one factor so that they add up in log-odds.
    """
    base, added = tree_shares(part.trees, row)
    if part.chance:
        total = sum(added)
        start = _logit(base)
        stretch = (_logit(base + total) - start) / total if abs(total) > 1e-12 else 0.0
        return Shares(part.bias + start, [one * stretch for one in added])
    if part.weights:
        added = [one + weight * value for one, weight, value in zip(added, part.weights, row, strict=True)]
    return Shares(part.bias + base, added)


def _sigmoid(odds: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * odds))


def _logit(probability: float, edge: float = 1e-4) -> float:
    inside = min(max(probability, edge), 1.0 - edge)
    return math.log(inside) - math.log1p(-inside)


def _check(model: Model, where: str) -> None:
    count, reference = len(model.names), model.reference
    places = [*reference.middles, *reference.spreads, *(number for grid in reference.quantiles for number in grid)]
    odds = [model.slope, model.offset, *model.ranks]
    odds += [number for part in model.parts for number in (part.weight, part.bias, *part.weights)]
    if not all(map(math.isfinite, places)) or not all(abs(one) <= STEEPEST for one in odds):
        raise _refused("it holds a number that is none", where)
    if min(reference.spreads, default=1) <= 0:
        raise _refused("it holds a number that is none", where)
    if not 0.0 <= model.usual <= 1.0:
        raise _refused("its usual probability is none", where)
    if {len(reference.quantiles), len(reference.middles), len(reference.spreads)} != {count}:
        raise _refused("its features and their reference differ in number", where)
    if any(len(part.weights) not in (0, count) for part in model.parts) or len(set(model.names)) != count:
        raise _refused("its features and weights differ in number", where)
    if not all(map(_ascends, (model.ranks, *reference.quantiles))):
        raise _refused("its quantiles are out of order", where)
    for part in model.parts:
        check_trees(part.trees, count)
        if not -STEEPEST <= min(part.trees.value, default=0.0) <= max(part.trees.value, default=0.0) <= STEEPEST:
            raise _refused("it holds a number that is none", where)


def _ascends(grid: Sequence[float]) -> bool:
    return all(map(le, grid, islice(grid, 1, None)))


def _refused(why: str, where: str) -> InputError:
    return InputError(
        f"the risk model cannot be read: {why}", where=where, mend="train it again: `tidegate risk train`"
    )
