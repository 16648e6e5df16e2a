"""A trained model: an open JSON file that numpy scores, change by change, with the share of each feature."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.risk.features.frame import Floats
from tidegate.risk.model.linear import logit, sigmoid
from tidegate.risk.model.spaces import Reference, Space, read_in
from tidegate.risk.model.trees import NONE, Ready, Trees, answers, ready, shares

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
        row = np.array([[given.get(name, np.nan) for name in self.names]], dtype=np.float64)
        base, added = 0.0, np.zeros(len(self.names))
        for part, trees in zip(self.parts, self._trees, strict=True):
            start, more = _part_shares(part, trees, read_in(part.space, row, self.reference)[0])
            base += part.weight * start
            added += part.weight * more
        added *= self.slope
        base = self.offset + self.slope * base
        raw = float(base + added.sum())
        probability = float(np.clip(sigmoid(np.array([raw]))[0], EDGE, 1 - EDGE)) if self.calibrated else None
        found = tuple(zip(self.names, (float(number) for number in added), strict=True))
        return Score(probability, raw, self.percentile(raw), found, base)

    def raw_scores(self, values: Floats) -> Floats:
        """The raw scores of a table whose columns are `names`."""
        found = np.zeros(len(values))
        tables: dict[Space, Floats] = {}
        for part, trees in zip(self.parts, self._trees, strict=True):
            table = tables.setdefault(part.space, read_in(part.space, values, self.reference))
            found += part.weight * _part_scores(part, trees, table)
        return self.offset + self.slope * found

    def percentile(self, raw: float) -> float:
        """The share of earlier changes that score lower; ties count half. One half where there are none."""
        if not self.ranks:
            return 0.5
        places = np.searchsorted(self.ranks, raw, "left") + np.searchsorted(self.ranks, raw, "right")
        return float(places) / (2.0 * len(self.ranks))

    @property
    def steepest(self) -> float:
        """The largest answer of a tree. Raises `InputError` for what is no tree."""
        return max((float(np.abs(trees.value).max(initial=0.0)) for trees in self._trees), default=0.0)

    @cached_property
    def _trees(self) -> tuple[Ready, ...]:
        return tuple(ready(part.trees, len(self.names)) for part in self.parts)


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


def _part_scores(part: Part, trees: Ready, table: Floats) -> Floats:
    grown = answers(trees, table)
    if part.chance:
        return part.bias + logit(grown)
    found = part.bias + grown
    return found + np.einsum("ij,j->i", table, np.array(part.weights)) if part.weights else found


def _part_shares(part: Part, trees: Ready, row: Floats) -> tuple[float, Floats]:
    """The log-odds of an ordinary change, and what each feature adds to them.

    Where trees say probabilities, their shares are stretched by one factor so that they add up in log-odds.
    """
    base, added = shares(trees, row)
    if part.chance:
        total = float(added.sum())
        start, end = (float(point) for point in logit(np.array([base, base + total])))
        stretch = (end - start) / total if abs(total) > 1e-12 else 0.0
        return part.bias + start, added * stretch
    if part.weights:
        added = added + np.array(part.weights) * row
    return part.bias + base, added


def _check(model: Model, where: str) -> None:
    count, reference = len(model.names), model.reference
    places = [*reference.middles, *reference.spreads, *(number for grid in reference.quantiles for number in grid)]
    odds = [model.slope, model.offset, *model.ranks]
    odds += [number for part in model.parts for number in (part.weight, part.bias, *part.weights)]
    if not np.isfinite(places).all() or not (np.abs(odds) <= STEEPEST).all() or min(reference.spreads, default=1) <= 0:
        raise _refused("it holds a number that is none", where)
    if not 0.0 <= model.usual <= 1.0:
        raise _refused("its usual probability is none", where)
    if {len(reference.quantiles), len(reference.middles), len(reference.spreads)} != {count}:
        raise _refused("its features and their reference differ in number", where)
    if any(len(part.weights) not in (0, count) for part in model.parts) or len(set(model.names)) != count:
        raise _refused("its features and weights differ in number", where)
    if list(model.ranks) != sorted(model.ranks) or any(list(grid) != sorted(grid) for grid in reference.quantiles):
        raise _refused("its quantiles are out of order", where)
    if model.steepest > STEEPEST:
        raise _refused("it holds a number that is none", where)


def _refused(why: str, where: str) -> InputError:
    return InputError(
        f"the risk model cannot be read: {why}", where=where, mend="train it again: `tidegate risk train`"
    )
