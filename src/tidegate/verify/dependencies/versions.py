"""Versions and ranges as PyPI, npm and Cargo write them, as far as they can be compared without a resolver."""

from __future__ import annotations

import re

from tidegate.verify.dependencies.values import Ecosystem

_ANY = frozenset(("", "*", "latest", "x", "X", "any", ">=0", ">=0.0.0", "next", "master", "main"))


def is_exact(ecosystem: Ecosystem, spec: str) -> bool:
    """Whether a range allows one version only."""
    if ecosystem == "pypi":
        return bool(re.fullmatch(r"===?[^*,]+", spec)) or bool(re.fullmatch(r"\d+(?:\.\w+)+", spec))
    if ecosystem == "cargo":
        return bool(re.fullmatch(r"=\s*\d[^,]*", spec))
    return bool(re.fullmatch(r"=?v?\d+\.\d+(?:\.\d+)?(?:[-+.][\w.-]+)*", spec))


def is_any(spec: str) -> bool:
    """Whether a range allows every version there will ever be."""
    return spec in _ANY


def major(spec: str) -> int | None:
    """The first number of the lowest version in a range; None where there is none."""
    found = re.search(r"(?<![\w.])v?(\d+)(?:\.|$|[,\s\-|])", re.sub(r"(?:!=|<=?)\s*[\w.]+", "", spec))
    return int(found[1][:9]) if found else None


def allows(ecosystem: Ecosystem, spec: str, version: str) -> bool | None:
    """Whether a range allows a version; None where that cannot be told from these two texts alone."""
    release = _release(version)
    if release is None:
        return None
    spec = spec.strip()
    if spec in ("", "*", "latest"):
        return True
    parts = re.split(r"\s*,\s*" if ecosystem in ("pypi", "cargo") else r"\s+(?![\d*])", spec)
    answers = [_allows_one(ecosystem, part.strip(), release) for part in parts if part.strip()]
    if None in answers or not answers:
        return None
    return all(answers)


# Private

_PART = re.compile(r"(===?|!=|<=|>=|<|>|~=|\^|~>|~|=)?\s*v?(\d+(?:\.\d+)*)(\.[*xX])?")


def _release(version: str) -> tuple[int, ...] | None:
    found = re.fullmatch(r"v?(\d{1,9}(?:\.\d{1,9})*)(?:\.post\d+|\+[\w.]+|\([^)]*\))?", version.strip())
    return tuple(map(int, found[1].split("."))) if found else None


def _allows_one(ecosystem: Ecosystem, part: str, release: tuple[int, ...]) -> bool | None:
    found = _PART.fullmatch(part)
    if found is None:
        return None
    numbers = tuple(int(one[:9]) for one in found[2].split("."))
    operator = found[1] or ("^" if ecosystem == "cargo" else "=")
    if found[3]:
        same = release[: len(numbers)] == numbers
        return None if operator not in ("=", "==", "!=") else same != (operator == "!=")
    width = max(len(numbers), len(release), 3)
    low, is_ = _wide(numbers, width), _wide(release, width)
    if operator in ("=", "==", "==="):
        return is_ == low if ecosystem == "pypi" or len(numbers) > 2 else release[: len(numbers)] == numbers
    order = {"!=": is_ != low, "<=": is_ <= low, ">=": is_ >= low, "<": is_ < low, ">": is_ > low}
    return order[operator] if operator in order else low <= is_ < _wide(_ceiling(operator, numbers), width)


def _wide(numbers: tuple[int, ...], width: int) -> tuple[int, ...]:
    return numbers + (0,) * (width - len(numbers))


def _ceiling(operator: str, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """The first version that `^`, `~`, `~=` or `~>` no longer allows."""
    if operator == "^":
        at = next((place for place, number in enumerate(numbers) if number), len(numbers) - 1)
    elif operator == "~":
        at = min(1, len(numbers) - 1)
    else:
        at = max(len(numbers) - 2, 0)
    return (*numbers[:at], numbers[at] + 1)
