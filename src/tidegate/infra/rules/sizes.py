"""Sizes of machines as providers name them, in comparable figures."""

from __future__ import annotations

import re

from tidegate.infra.same import number
from tidegate.infra.values import Value

_WORDS = {
    "nano": 0.25,
    "micro": 0.5,
    "small": 1.0,
    "medium": 2.0,
    "large": 4.0,
    "xlarge": 8.0,
    "metal": 200.0,
}
_TIMES = re.compile(r"^(\d+)xlarge$")
_CUSTOM = re.compile(r"custom-(\d+)-(\d+)$")
_LAST = re.compile(r"-(\d+)$")
_AZURE = re.compile(r"(?:standard_)?[a-z]+?(\d+)[a-z]*(?:_v\d+)?$")
_VCORES = re.compile(r"gen\d+_(\d+)$")
_ATLAS = re.compile(r"^[mr](\d+)$")


def ratio(before: Value, after: Value) -> float | None:
    """How many times as large the new size is; None where the two cannot be compared."""
    one, other = size(before), size(after)
    return other[1] / one[1] if one and other and one[0] == other[0] and one[1] > 0 else None


def size(name: Value) -> tuple[str, float] | None:
    """A scale and a figure on it: `db.r6g.4xlarge` is 32 on the scale of AWS, where `large` is 4."""
    if isinstance(name, bool) or not isinstance(name, (str, int, float)) or len(str(name)) > 60:
        return None
    plain = number(name)
    if plain is not None:
        return "number", plain
    text = str(name).lower().strip()
    word = text.removesuffix(".search").removesuffix(".elasticsearch").rpartition(".")[2].removeprefix("metal-")
    if word in _WORDS:
        return "aws", _WORDS[word]
    if found := _TIMES.match(word):
        return "aws", 8.0 * int(found[1])
    return _google(text) or _azure(text)


# Private


def _google(text: str) -> tuple[str, float] | None:
    if text in ("db-f1-micro", "f1-micro", "e2-micro"):
        return "google", 0.3
    if text in ("db-g1-small", "g1-small", "e2-small"):
        return "google", 0.5
    if text == "e2-medium":
        return "google", 1.0
    if found := _CUSTOM.search(text):
        return "google", float(found[1])
    if text.startswith(("db-", "n1-", "n2", "e2-", "c2", "c3", "c4", "m1-", "m2-", "m3-", "t2", "n4", "redis-")):
        found = _LAST.search(text)
        return ("google", float(found[1])) if found else None
    return None


def _azure(text: str) -> tuple[str, float] | None:
    if found := _ATLAS.match(text):
        return "atlas", 2.0 ** (int(found[1]) / 10)
    if found := _VCORES.search(text):
        return "azure", float(found[1])
    if "standard_" in text:
        found = _AZURE.search(text[text.index("standard_") :])
        return ("azure", float(found[1])) if found else None
    return None
