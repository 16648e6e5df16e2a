"""YAML, JSON and TOML of strangers as plain values: bounded in size, depth and what aliases multiply.

YAML is read event by event, so that nesting cannot exhaust a stack and no tag constructs anything: every scalar is a
text. Templates (`{{ }}`) are taken out first, with the values that are known put in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from tidegate.errors import InputError
from tidegate.settings import read_toml

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

LARGEST_BYTES = 2 << 20
DEEPEST = 60
MOST_NODES = 200_000
"""Values of one file, with everything that an alias repeats."""


class TextError(ValueError):
    """The text is none of its format, or more of it than is read."""


def parse_yaml(content: bytes, known: Mapping[str, str] | None = None) -> list[Value]:
    """The documents of a YAML text. `known` are values of its template, such as {".Values.name": "orders"}."""
    import yaml  # costs 20 ms

    if b"\0" in content:
        raise TextError("not a text")
    text = content.decode("utf-8", "replace").replace("\t", "  ")
    if "{{" in text:
        text = fill_template(text, known or {})
    try:
        return _Builder().build(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        raise TextError("not valid YAML" + (f" in line {line + 1}" if line is not None else "")) from error
    except ValueError as error:  # a character that YAML forbids
        raise error if isinstance(error, TextError) else TextError("not valid YAML") from error


def parse_json(content: bytes) -> Value:
    try:
        return _plain(msgspec.json.decode(content))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise TextError("not valid JSON") from error


def parse_toml(content: bytes, origin: str) -> Value:
    try:
        return _plain(read_toml(content, origin))
    except InputError as error:
        raise TextError(error.what) from error


def fill_template(text: str, known: Mapping[str, str]) -> str:
    """The text without its template: whole lines of it dropped, known values put in, others as TEMPLATE."""
    lines = []
    for line in text.split("\n"):
        if "{{" in line and not _TEMPLATE.sub("", line).strip(" -"):
            if line.lstrip().startswith("- {{") or ":" in line.partition("{{")[0]:
                lines.append(_TEMPLATE.sub(lambda match: _known(match[1], known), line))
            continue
        lines.append(_TEMPLATE.sub(lambda match: _known(match[1], known), line) if "{{" in line else line)
    return "\n".join(lines)


def as_map(value: object) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Value]:
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def as_texts(value: object) -> list[str]:
    """The texts of a list, or a text alone."""
    return [value] if isinstance(value, str) and value else [item for item in as_list(value) if isinstance(item, str)]


def dig(value: object, *keys: str) -> Value:
    """The value below these keys, "" where there is none."""
    for key in keys:
        value = as_map(value).get(key, "")
    return value if isinstance(value, str | list | dict) else ""


def walk(value: Value) -> Iterator[tuple[str, Value]]:
    """Every value with its key ("" for the items of a list), outermost first."""
    waiting: list[tuple[str, Value]] = [("", value)]
    while waiting:
        key, found = waiting.pop(0) if len(waiting) < 50 else waiting.pop()
        yield key, found
        if isinstance(found, dict):
            waiting += found.items()
        elif isinstance(found, list):
            waiting += [("", item) for item in found]


# Private

_TEMPLATE = re.compile(r"\{\{[-~]?([^{}]*)\}\}")
_REFERENCE = re.compile(r"\$?(\.[A-Za-z_][\w.]*)|include\s+\"[^\"]*?\.?(fullname|name)\"")


def _known(expression: str, known: Mapping[str, str]) -> str:
    for match in _REFERENCE.finditer(expression[:500]):
        found = known.get(match[1] or "include")
        if found:
            return found
    default = re.search(r"default\s+\"?([\w./-]+)", expression[:500])
    return default[1] if default and not default[1].startswith(".") else "TEMPLATE"


class _Builder:
    """Turns events into values. The weight of a value is how many it holds, each alias counted anew."""

    def __init__(self) -> None:
        self._documents: list[Value] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._nodes = 0

    def build(self, events: Iterator[Any]) -> list[Value]:
        for event in events:
            kind = type(event).__name__
            if kind == "ScalarEvent":
                value = "" if event.value in ("~", "null") and event.implicit[0] else event.value
                self._add(value, 1, event.anchor)
            elif kind in ("MappingStartEvent", "SequenceStartEvent"):
                if len(self._stack) >= DEEPEST:
                    raise TextError(f"nested more than {DEEPEST} deep")
                self._stack.append(_Open({} if kind == "MappingStartEvent" else [], event.anchor))
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                done = self._stack.pop()
                self._add(done.value, done.weight, done.anchor)
            elif kind == "AliasEvent":
                self._add(*self._anchors.get(event.anchor, ("", 1)), None)
            elif kind == "DocumentStartEvent":
                self._anchors.clear()
        return self._documents

    def _add(self, value: Value, weight: int, anchor: str | None) -> None:
        self._nodes += 1
        if weight > MOST_NODES or self._nodes > MOST_NODES:
            raise TextError(f"more than {MOST_NODES} values")
        if anchor:
            self._anchors[anchor] = (value, weight)
        if self._stack:
            self._stack[-1].take(value, weight)
        else:
            self._documents.append(value)


class _Open:
    """A list or map whose end has not been read yet."""

    def __init__(self, value: list[Value] | dict[str, Value], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.weight = 1
        self._key: str | None = None
        self._at_key = True

    def take(self, value: Value, weight: int) -> None:
        self.weight += weight
        if isinstance(self.value, list):
            self.value.append(value)
        elif self._at_key:
            self._key, self._at_key = value if isinstance(value, str) else None, False
        else:
            if self._key == "<<":
                for part in value if isinstance(value, list) else [value]:
                    self.value.update({k: v for k, v in as_map(part).items() if k not in self.value})
            elif self._key is not None:
                self.value[self._key] = value
            self._at_key = True


def _plain(value: object) -> Value:
    """JSON or TOML with every scalar as a text. Both are bounded in depth by their readers."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
