"""What clients lose when a schema changes: in what they send, and in what they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.verify.contracts.documents import is_true, text_of
from tidegate.verify.contracts.openapi.model import Reader
from tidegate.verify.contracts.values import BROKEN, NARROWED, Unreadable, quoted

Way: TypeAlias = Literal["sent", "got"]
MOST_COMPARISONS = 100_000
DEEPEST = 60


class Loss(Struct, frozen=True):
    """What is lost at `where` (`User.address[].street`, "" for the whole); `keys` lead to it in the document."""

    where: str
    what: str
    rule: str
    severity: Severity
    keys: tuple[str, ...]


class At(Struct, frozen=True):
    """Where a comparison is. `needed`: whether the base promised that this is there."""

    where: str = ""
    keys: tuple[str, ...] = ()
    depth: int = 0

    def below(self, name: str) -> At:
        return At(f"{self.where}.{name}" if self.where else name, (*self.keys, name), self.depth + 1)

    def items(self) -> At:
        return At(f"{self.where}[]", self.keys, self.depth + 1)

    def named(self, node: Mapping[str, Any]) -> At:
        """From a named schema on, names begin there: it is told once for all that use it."""
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return self
        name = reference.rpartition("/")[2].rpartition("#")[2]
        return At(name, (name,), self.depth) if name else self


class Schemas:
    """Compares pairs of schemas. A pair that was compared in a direction is not told again."""

    def __init__(self, before: Reader, after: Reader) -> None:
        self._before = before
        self._after = after
        self._seen: set[tuple[int, int, Way]] = set()

    def compare(self, old: dict[str, Any], new: dict[str, Any], way: Way, at: At) -> Iterator[Loss]:
        at = at.named(new if "$ref" in new else old) if "$ref" in old else at
        old, new = self._before.follow(old), self._after.follow(new)
        pair = (id(old), id(new), way)
        if pair in self._seen or at.depth > DEEPEST or not (old or new):
            return
        self._seen.add(pair)
        if len(self._seen) > MOST_COMPARISONS:
            raise Unreadable("it has too many schemas to be compared")
        old, new = _merged(self._before, old), _merged(self._after, new)
        yield from _types(old, new, way, at)
        yield from _enums(old, new, way, at)
        yield from _limits(old, new, way, at)
        yield from self._properties(old, new, way, at)
        for key in ("items", "additionalProperties"):
            if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
                yield from self.compare(old[key], new[key], way, at.items())
        yield from self._choices(old, new, way, at)

    # Private

    def _properties(self, old: dict[str, Any], new: dict[str, Any], way: Way, at: At) -> Iterator[Loss]:
        before, after = _properties(old), _properties(new)
        hidden = "readOnly" if way == "sent" else "writeOnly"
        needed, needs = ({text_of(one) for one in _list(side.get("required"))} for side in (old, new))
        for name, schema in before.items():
            below = at.below(name)
            if is_true(self._before.follow(schema).get(hidden)):
                continue
            if name not in after:
                if name not in needs or way == "got":
                    yield _gone(below, way, name in needed, new)
                continue
            if way == "sent" and name in needs - needed and "default" not in self._after.follow(after[name]):
                yield Loss(below.where, "has to be sent now", NARROWED, "medium", below.keys)
            if way == "got" and name in needed - needs:
                yield Loss(below.where, "may be missing now", NARROWED, "medium", below.keys)
            yield from self.compare(schema, after[name], way, below)
        for name in sorted(needs - before.keys()) if way == "sent" else ():
            schema = self._after.follow(after.get(name))
            if not is_true(schema.get(hidden)) and "default" not in schema and name not in needed:
                below = at.below(name)
                yield Loss(below.where, "is new and has to be sent", NARROWED, "medium", below.keys)

    def _choices(self, old: dict[str, Any], new: dict[str, Any], way: Way, at: At) -> Iterator[Loss]:
        for key in ("oneOf", "anyOf"):
            before, after = ({_label(one): one for one in _list(side.get(key))} for side in (old, new))
            if not before or not after:
                continue
            gone, come = [one for one in before if one not in after], [one for one in after if one not in before]
            if way == "sent" and gone:
                yield Loss(at.where, f"no longer may be {quoted(gone)}", NARROWED, "medium", at.keys)
            if way == "got" and come:
                yield Loss(at.where, f"may also be {quoted(come)} now", NARROWED, "low", at.keys)
            for label in before.keys() & after.keys():
                if isinstance(before[label], dict) and isinstance(after[label], dict):
                    yield from self.compare(before[label], after[label], way, at)


# Private


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = schema.get("properties")
    return {str(k): v for k, v in found.items() if isinstance(v, dict)} if isinstance(found, dict) else {}


def _merged(reader: Reader, schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """A schema with its `allOf` joined into one."""
    parts = [reader.follow(one) for one in _list(schema.get("allOf"))]
    if not parts or depth > 20:
        return schema
    whole = {key: value for key, value in schema.items() if key != "allOf"}
    for part in parts[:100]:
        part = _merged(reader, part, depth + 1)
        for key, value in part.items():
            if key == "properties" and isinstance(value, dict):
                whole[key] = {**value, **_properties(whole)}
            elif key == "required":
                whole[key] = [*_list(whole.get(key)), *_list(value)]
            else:
                whole.setdefault(key, value)
    return whole


def _gone(at: At, way: Way, needed: bool, new: dict[str, Any]) -> Loss:
    if way == "got":
        return Loss(at.where, "is gone", BROKEN, "high" if needed else "medium", at.keys[:-1])
    closed = new.get("additionalProperties") in (False, "false")
    return Loss(at.where, "is no longer taken", BROKEN, "medium" if closed else "low", at.keys[:-1])


def _types(old: dict[str, Any], new: dict[str, Any], way: Way, at: At) -> Iterator[Loss]:
    before, after = _type_names(old), _type_names(new)
    if before and after:
        taken, given = (before, after) if way == "sent" else (after, before)
        lost = {one for one in taken if one not in given and not (one == "integer" and "number" in given)}
        if lost - {"null"}:
            what = f"was {_or(before)} and is {_or(after)} now"
            yield Loss(at.where, what, BROKEN, "high", at.keys)
        elif lost:
            yield Loss(
                at.where, "may not be null now" if way == "sent" else "may be null now", NARROWED, "medium", at.keys
            )
    elif after and not before and way == "sent" and _says_nothing(old):
        yield Loss(at.where, f"has to be {_or(after)} now", NARROWED, "medium", at.keys)
    formats = text_of(old.get("format", "")), text_of(new.get("format", ""))
    if all(formats) and formats[0] != formats[1]:
        wider = (("int32", "int64"), ("float", "double"), ("date", "date-time"))
        if (formats if way == "sent" else formats[::-1]) not in wider[:2]:
            what = f"had the format {formats[0]} and has {formats[1]} now"
            yield Loss(at.where, what, NARROWED, "medium", at.keys)


def _says_nothing(schema: dict[str, Any]) -> bool:
    return not ({"oneOf", "anyOf", "enum", "properties", "const", "$ref"} & schema.keys())


def _type_names(schema: dict[str, Any]) -> set[str]:
    said = schema.get("type")
    names = {text_of(one) for one in said} if isinstance(said, list) else {text_of(said)} if said else set()
    if names and is_true(schema.get("nullable", schema.get("x-nullable"))):
        names.add("null")
    if not names and isinstance(schema.get("properties"), dict):
        names = {"object"}
    return names


def _or(names: set[str]) -> str:
    return " or ".join(sorted(names))


def _allowed(schema: dict[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else _list(schema.get("enum"))


def _enums(old: dict[str, Any], new: dict[str, Any], way: Way, at: At) -> Iterator[Loss]:
    before, after = ([text_of(one) for one in _allowed(side)] for side in (old, new))
    if way == "sent" and after:
        gone = [one for one in before if one not in after]
        if gone:
            yield Loss(at.where, f"no longer may be {quoted(gone)}", NARROWED, "medium", at.keys)
        elif not before:
            yield Loss(at.where, f"may only be {quoted(after)} now", NARROWED, "medium", at.keys)
    come = [one for one in after if one not in before]
    if way == "got" and before and come:
        yield Loss(at.where, f"may also be {quoted(come)} now", NARROWED, "low", at.keys)


_UPPER = ("maxLength", "maximum", "maxItems", "maxProperties", "exclusiveMaximum")
_LOWER = ("minLength", "minimum", "minItems", "minProperties", "exclusiveMinimum")


def _limits(old: dict[str, Any], new: dict[str, Any], way: Way, at: At) -> Iterator[Loss]:
    for key in (*_UPPER, *_LOWER):
        before, after = _number(old.get(key)), _number(new.get(key))
        if before == after or (way == "sent") != (
            after is not None and (before is None or _tighter(key, before, after))
        ):
            continue
        if way == "got" and (before is None or (after is not None and _tighter(key, before, after))):
            continue
        if key.startswith("min") and before is None and after == 0:
            continue
        was, now = ("none" if one is None else f"{one:g}" for one in (before, after))
        severity: Severity = "medium" if way == "sent" else "low"
        yield Loss(at.where, f"had {key} {was} and has {now} now", NARROWED, severity, at.keys)
    patterns = text_of(old.get("pattern", "")), text_of(new.get("pattern", ""))
    if way == "sent" and patterns[1] and patterns[0] != patterns[1]:
        yield Loss(at.where, f"has to match `{patterns[1][:80]}` now", NARROWED, "low", at.keys)


def _tighter(key: str, before: float, after: float) -> bool:
    return after < before if key in _UPPER else after > before


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _label(choice: Any) -> str:
    """How a choice is known: by its reference's name, its title, else its type."""
    if not isinstance(choice, dict):
        return text_of(choice)
    reference = choice.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2]
    return text_of(choice.get("title") or choice.get("type") or "a schema without a name")
