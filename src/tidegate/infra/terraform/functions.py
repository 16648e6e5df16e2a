"""The functions of Terraform's language that a value can be settled by without running anything."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from tidegate.infra.values import Hidden, Later, Value

LARGEST = 20_000
"""Lists and texts that grow beyond what a person writes are not followed (in items, and in hundreds of characters)."""

OTHERS = "(others)"
"""The key of a mapping under which the entries stand that code does not settle."""


class UnsettledError(Exception):
    """A call that cannot be settled from what is at hand."""


def call(name: str, arguments: Sequence[Value]) -> Value:
    """What a function gives. Raises UnsettledError where that is not known here."""
    name = name.rpartition("::")[2]
    shaped, plain = _SHAPED.get(name), _PLAIN.get(name)
    if _weight(name, arguments) > 100 * LARGEST:
        raise UnsettledError("size")
    try:
        if shaped is not None and not any(isinstance(one, Later) for one in arguments):
            return _bounded(shaped(*arguments))
        if plain is not None and not any(unsettled(one) for one in arguments):
            return _bounded(plain(*arguments))
        if name == "merge":
            return _bounded(_merge(*arguments))
        if name == "concat":
            return _bounded(_concat(*arguments))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, re.error) as error:
        raise UnsettledError(name) from error
    raise UnsettledError(name)


def unsettled(value: Value) -> bool:
    """Whether anything in a value is not known here."""
    if isinstance(value, (Later, Hidden)):
        return True
    if isinstance(value, Mapping):
        return any(unsettled(inner) for inner in value.values())
    return isinstance(value, (list, tuple)) and any(unsettled(inner) for inner in value)


def text_of(value: Value) -> str:
    """A scalar as Terraform writes it into a text. Raises TypeError for what is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if value is None or isinstance(value, (str, int, float)):
        return "" if value is None else str(value)
    raise TypeError(type(value).__name__)


# Private


def _weight(name: str, values: Sequence[Value]) -> int:
    """How long a text becomes at most that a function makes of these values."""
    flat = [inner for one in values for inner in (one if isinstance(one, (list, tuple)) else (one,))]
    lengths = [len(one) for one in flat if isinstance(one, str)]
    if name in ("join", "replace") and lengths:
        often = len(flat) if name == "join" else lengths[0]
        return sum(lengths) + often * (lengths[0] if name == "join" else lengths[-1])
    return sum(lengths)


def _bounded(value: Value) -> Value:
    if isinstance(value, (list, dict)) and len(value) > LARGEST:
        raise UnsettledError("size")
    if isinstance(value, str) and len(value) > 100 * LARGEST:
        raise UnsettledError("size")
    return value


def _merge(*maps: Value) -> Value:
    merged: dict[str, Value] = {}
    others = []
    for one in maps:
        if isinstance(one, Later):
            others.append(one)
        elif one is not None:
            merged.update(one)
    if others:
        merged[OTHERS] = Later(", ".join(one.words for one in others))
    return merged


def _concat(*lists: Value) -> Value:
    joined: list[Value] = []
    for one in lists:
        joined += [one] if isinstance(one, Later) else one
    return joined


def _flatten(items: Any) -> list[Value]:
    flat: list[Value] = []
    for one in items:
        if isinstance(one, (list, tuple)):
            flat += _flatten(one)
        else:
            flat.append(one)
    return flat


def _distinct(items: Any) -> list[Value]:
    kept: list[Value] = []
    seen: set[str] = set()
    for one in items:
        key = repr(one)
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept


def _coalesce(*values: Value) -> Value:
    return next(one for one in values if one is not None and one != "")


def _first_of(*values: Value) -> Value:
    return values[0]


def _lookup(of: Any, key: Any, default: Value = None) -> Value:
    if key not in of and OTHERS in of:
        raise KeyError(key)
    return of.get(key, default)


def _length(of: Any) -> int:
    if OTHERS in of or any(isinstance(one, Later) for one in (of if isinstance(of, list) else ())):
        raise ValueError
    return len(of)


def _one(items: Any) -> Value:
    return items[0] if items else None


def _format(shape: str, *values: Value) -> str:
    waiting = iter(values)

    def put(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = next(waiting, None)
        if found[2] == "d":
            return f"%{found[1]}d" % int(float(str(value)))
        if found[2] == "f":
            return f"%{found[1]}f" % float(str(value))
        if found[1] or found[2] not in "sv":
            raise ValueError(found[0])
        return text_of(value)

    return re.sub(r"%(?:%|(0?\d{0,2}(?:\.\d)?)([a-z]))", put, shape)


def _cidrsubnet(prefix: str, bits: Any, number: Any) -> str:
    network = ip_network(prefix, strict=False)
    length = network.prefixlen + int(bits)
    size = 1 << (network.max_prefixlen - length)
    if not 0 <= int(number) < 1 << int(bits):
        raise ValueError(number)
    return f"{network.network_address + int(number) * size}/{length}"


def _cidrhost(prefix: str, number: Any) -> str:
    return str(ip_network(prefix, strict=False)[int(number)])


def _replace(text: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        # A pattern of another's making could take for ever.
        raise ValueError(old)
    return text.replace(old, new)


def _json(value: Value) -> Value:
    """What is encoded stays a value: policies are compared by what they say."""
    return value


def _decoded(value: Value) -> Value:
    return json.loads(value) if isinstance(value, str) else value


def _slice(items: Any, start: Any, end: Any) -> Value:
    return list(items)[int(start) : int(end)]


def _range(*limits: Any) -> Value:
    numbers = range(*(int(one) for one in limits))
    if len(numbers) > LARGEST:
        raise ValueError
    return list(numbers)


def _element(items: Any, place: Any) -> Value:
    return items[int(place) % len(items)]


def _as_list(items: Any) -> Value:
    return sorted(items) if isinstance(items, dict) else list(items)


_Function = Callable[..., Value]

_SHAPED: Mapping[str, _Function] = {
    "merge": _merge,
    "concat": _concat,
    "flatten": _flatten,
    "jsonencode": _json,
    "yamlencode": _json,
    "toset": _distinct,
    "distinct": _distinct,
    "tolist": _as_list,
    "tomap": dict,
    "coalesce": _coalesce,
    "try": _first_of,
    "sensitive": _first_of,
    "nonsensitive": _first_of,
    "lookup": _lookup,
    "element": _element,
    "length": _length,
    "one": _one,
    "keys": sorted,
    "values": lambda of: [of[key] for key in sorted(of)],
    "reverse": lambda items: list(reversed(items)),
    "slice": _slice,
    "zipmap": lambda keys, values: dict(zip(keys, values, strict=True)),
    "compact": lambda items: [one for one in items if one not in (None, "")],
    "coalescelist": lambda *lists: next(one for one in lists if one),
    "can": lambda _: True,
}
"""Functions that only arrange values: what is not known yet may lie within."""

_PLAIN: Mapping[str, _Function] = {
    "join": lambda by, *lists: by.join(text_of(one) for items in lists for one in items),
    "split": lambda by, text: text.split(by),
    "format": _format,
    "formatlist": lambda shape, items: [_format(shape, one) for one in items],
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "title": lambda text: text.title(),
    "trimspace": lambda text: text.strip(),
    "trim": lambda text, cut: text.strip(cut),
    "trimprefix": lambda text, cut: text.removeprefix(cut),
    "trimsuffix": lambda text, cut: text.removesuffix(cut),
    "chomp": lambda text: text.rstrip("\n"),
    "replace": _replace,
    "substr": lambda text, start, many: text[int(start) :][: None if int(many) < 0 else int(many)],
    "startswith": lambda text, head: text.startswith(head),
    "endswith": lambda text, tail: text.endswith(tail),
    "strcontains": lambda text, part: part in text,
    "tostring": text_of,
    "tonumber": lambda value: value if isinstance(value, (int, float)) else json.loads(value),
    "tobool": lambda value: value if isinstance(value, bool) else {"true": True, "false": False}[value],
    "contains": lambda items, one: one in items,
    "index": lambda items, one: items.index(one),
    "sort": sorted,
    "setunion": lambda *sets: _distinct([one for items in sets for one in items]),
    "setintersection": lambda head, *sets: [one for one in head if all(one in items for items in sets)],
    "setsubtract": lambda items, less: [one for one in items if one not in less],
    "max": max,
    "min": min,
    "abs": abs,
    "sum": sum,
    "ceil": math.ceil,
    "floor": math.floor,
    "range": _range,
    "cidrsubnet": _cidrsubnet,
    "cidrhost": _cidrhost,
    "jsondecode": _decoded,
    "basename": lambda path: path.rstrip("/").rpartition("/")[2],
    "dirname": lambda path: path.rpartition("/")[0] or ".",
    "alltrue": lambda items: all(one in (True, "true") for one in items),
    "anytrue": lambda items: any(one in (True, "true") for one in items),
}
"""Functions that need everything they are given to be known."""
