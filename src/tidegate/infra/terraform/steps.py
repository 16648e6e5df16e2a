"""Steps into values that may not be settled: an attribute of an object, a place in a list, a key in a text."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.infra.terraform.functions import OTHERS, text_of
from tidegate.infra.terraform.words import in_text, later, words_of
from tidegate.infra.values import Later, Value


def as_text(value: Value) -> str:
    if isinstance(value, Later):
        return in_text(value)
    return value if isinstance(value, str) else words_of(value) if isinstance(value, (list, dict)) else text_of(value)


def flag(value: Value) -> bool | None:
    return (
        value if isinstance(value, bool) else {"true": True, "false": False}.get(value) if value == str(value) else None
    )


def step(value: Value, key: Value) -> Value:
    if isinstance(value, Mapping) and not isinstance(key, (Later, list, dict)):
        name = as_text(key)
        if name in value:
            return value[name]
        return later(f"{words_of(value)}.{name}") if OTHERS in value else None
    place = int(key) if isinstance(key, (int, str)) and str(key).isdigit() else -1
    if isinstance(value, list) and 0 <= place < len(value) and not any(isinstance(one, Later) for one in value):
        return value[place]
    written = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{words_of(key)}]"
    return later(words_of(value) + written)


def grouped(made: list[tuple[Value, Value]]) -> Value:
    grouped: dict[str, list[Value]] = {}
    for key, value in made:
        grouped.setdefault(as_text(key), []).append(value)
    return grouped
