"""Values of infrastructure: read by path, compared by meaning, shown to people.

Tools write one thing in many ways: `"443"` and `443`, a missing list and an empty one, JSON in another order. Two
values are the same here where no tool would do anything to the world.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tidegate.infra.values import Hidden, Later, ResourceChange, Value


class Pair(NamedTuple):
    """One attribute before and after. `name` is what rules call it, `shown` what the source wrote."""

    name: str
    shown: str
    before: Value
    after: Value

    @property
    def changed(self) -> bool:
        return not same(self.before, self.after)

    @property
    def known(self) -> bool:
        """Whether the new value can be read now."""
        return not isinstance(self.after, Later)

    def __str__(self) -> str:
        return f"{self.shown} {show(self.before)} -> {show(self.after)}"


def field(values: Mapping[str, Value] | None, path: str) -> Value:
    """The value at a dotted path, None where there is none. A list of one block is stepped through by itself."""
    found: Value = values
    for part in path.split("."):
        if isinstance(found, (list, tuple)):
            if part.isdigit():
                found = found[int(part)] if int(part) < len(found) else None
                continue
            found = found[0] if len(found) == 1 else None
        if not isinstance(found, Mapping):
            return found if isinstance(found, Later) else None
        found = found.get(part)
    return found


def pair(change: ResourceChange, *paths: str) -> Pair:
    """The first of these paths that either side has; the first path with nothing in it where none has."""
    for path in paths:
        before, after = field(change.before, path), field(change.after, path)
        if before is not None or after is not None:
            return Pair(path, spelled(change, path), before, after)
    return Pair(paths[0], spelled(change, paths[0]), None, None)


def spelled(change: ResourceChange, path: str) -> str:
    """An attribute as the source writes it."""
    whole = change.spelled.get(path)
    return whole or ".".join(change.spelled.get(part, part) for part in path.split("."))


def differences(change: ResourceChange) -> Iterator[Pair]:
    """The top-level attributes of which the meaning changes, in their order; what is only known later is among them."""
    before, after = change.before or {}, change.after or {}
    for name in sorted({*before, *after}):
        found = Pair(name, spelled(change, name), before.get(name), after.get(name))
        if found.changed:
            yield found


def same(one: Value, other: Value) -> bool:
    """Whether two values mean the same. A value known only later is the same as nothing else."""
    if isinstance(one, Later) or isinstance(other, Later):
        return isinstance(one, Later) and one == other and one.words != ""
    return bool(one == other) or bool(canonical(one) == canonical(other))


def canonical(value: Value) -> Value:
    """One spelling for all that mean the same: hashable, numbers and flags as text, lists without their order."""
    if isinstance(value, (Hidden, Later)):
        return value
    if value is None or value == "" or value == [] or value == {}:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        kept = ((str(key), canonical(inner)) for key, inner in value.items())
        entries = sorted(((k, v) for k, v in kept if v is not None), key=repr)
        return ("{", *entries) if entries else None
    inner = sorted((canonical(one) for one in value), key=repr)
    return ("[", *inner)


def show(value: Value, most: int = 80) -> str:
    """A value as people read it, short. Secrets and what is not known yet are said to be that."""
    if isinstance(value, Hidden):
        return "(sensitive)"
    if isinstance(value, Later):
        return value.words or "(known after apply)"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        text = "[" + ", ".join(show(one, most) for one in value) + "]"
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{key}: {show(inner, most)}" for key, inner in value.items()) + "}"
    else:
        text = str(value) if value != "" else '""'
    return text if len(text) <= most else f"{text[: most - 3]}..."


def number(value: Value) -> float | None:
    """A number however it is written, None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def flag(value: Value) -> bool | None:
    """A switch however it is written: true, "true", "Enabled", 1; None where it is none."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, int)):
        text = str(value).strip().lower()
        if text in ("true", "yes", "on", "1", "enabled", "active"):
            return True
        if text in ("false", "no", "off", "0", "disabled", "inactive", "suspended"):
            return False
    return None


def items(value: Value) -> tuple[Value, ...]:
    """A list, one value or nothing, as a tuple."""
    if value is None or isinstance(value, (Later, Hidden)):
        return ()
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


# Private


def _text(text: str) -> Value:
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        try:
            parsed = json.loads(stripped)
        except (ValueError, RecursionError):
            return text
        return canonical(parsed) or stripped
    if stripped.lower() in ("true", "false"):
        return stripped.lower()
    if stripped.lstrip("-").isdigit() and len(stripped) < 16 and str(int(stripped)) == stripped:
        return stripped
    return text
