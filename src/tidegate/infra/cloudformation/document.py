"""YAML with CloudFormation's short tags, and JSON, as plain values with the lines that they stand on.

Built from the parser's events without recursion and without constructing anything that a tag names. Depth, nodes (with
what aliases repeat) and bytes are bounded, because a template is foreign.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

LARGEST_BYTES = 4 * 1024 * 1024
"""CloudFormation itself refuses templates of more than 1 MB."""
DEEPEST = 100
MOST_NODES = 400_000

Lines: TypeAlias = Mapping[tuple[str, ...], tuple[int, int]]
"""First and last line by path, for the first two levels below the top: `("Resources", "Database")`."""


class Document(Struct, frozen=True):
    """A document as plain values. `twice` are keys that stand twice in one mapping: the last one counts here, as for
    CloudFormation, and not for every reader."""

    value: Any
    lines: Lines
    twice: tuple[str, ...] = ()


class UnreadableError(ValueError):
    """Why a document cannot be read, in words for people."""


def read_document(data: bytes) -> Document:
    """The one document of a file. Raises UnreadableError."""
    if len(data) > LARGEST_BYTES:
        raise UnreadableError(f"it is larger than {LARGEST_BYTES // 1024 // 1024} MB")
    text = data.decode("utf-8-sig", "replace").replace("\0", "\ufffd")
    if text.lstrip()[:1] == "{":
        try:
            return _json(text)
        except ValueError:
            return _yaml(text)
    return _yaml(text)


# Private


def _json(text: str) -> Document:
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        whole = dict(found)
        if len(whole) < len(found):
            counted = Counter(name for name, _ in found)
            twice.extend(name for name, many in counted.items() if many > 1)
        return whole

    try:
        value = json.loads(text, object_pairs_hook=pairs)
    except RecursionError as error:
        raise UnreadableError("it is nested too deeply") from error
    _check_depth(value)
    return Document(value, dict(_json_lines(text, value)), tuple(sorted(set(twice))))


def _json_lines(text: str, value: Any) -> Iterator[tuple[tuple[str, ...], tuple[int, int]]]:
    """Where the entries of each section begin: the first key of that name after the section's own."""
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    keys: dict[str, list[int]] = {}
    for found in re.finditer(r'"([\w:.-]{1,255})"\s*:', text):
        keys.setdefault(found[1], []).append(found.start())
    for section, entries in value.items() if isinstance(value, dict) else ():
        begin = next(iter(keys.get(section, ())), 0)
        places = {name: next((at for at in keys.get(name, ()) if at > begin), -1) for name in _names(entries)}
        ordered = sorted(at for at in places.values() if at >= 0)
        for name, at in places.items():
            if at < 0:
                continue
            following = bisect_right(ordered, at)
            end = ordered[following] - 1 if following < len(ordered) else at
            first, last = bisect_right(starts, at), bisect_right(starts, end)
            yield (section, name), (first, max(first, last - 1 if last > first else last))


def _names(entries: Any) -> list[str]:
    return [str(name) for name in entries] if isinstance(entries, dict) else []


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise UnreadableError(f"it is nested more than {DEEPEST} levels deep")
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]


class _Open:
    """A list or mapping that is being read."""

    def __init__(self, value: Any, tag: str, path: tuple[str, ...], line: int, anchor: str | None) -> None:
        self.value = value
        self.tag = tag
        self.path = path
        self.line = line
        self.anchor = anchor
        self.key: str | None = None
        self.key_line = 0
        self.nodes = 1


def _yaml(text: str) -> Document:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder().build(yaml.parse(text, Loader=loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark is not None else ""
        raise UnreadableError(f"it is not YAML: {getattr(error, 'problem', None) or 'malformed'}{line}") from error
    except (RecursionError, ValueError) as error:
        raise UnreadableError(str(error) or "it is not YAML") from error


class _Builder:
    def __init__(self) -> None:
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.lines: dict[tuple[str, ...], tuple[int, int]] = {}
        self.twice: set[str] = set()
        self.root: Any = None

    def build(self, events: Any) -> Document:
        documents = 0
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise UnreadableError("it holds more than one document")
            elif kind in ("MappingStartEvent", "SequenceStartEvent"):
                self._start(event, {} if kind == "MappingStartEvent" else [])
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                self._end(event)
            elif kind == "ScalarEvent":
                value = tagged(event.tag, _scalar(event))
                if event.anchor:
                    self.anchors[event.anchor] = (value, 1)
                self._put(value, 1, event)
            elif kind == "AliasEvent":
                if event.anchor not in self.anchors:
                    raise UnreadableError(f"the alias *{event.anchor} has no anchor")
                self._put(*self.anchors[event.anchor], event)
        return Document(self.root, self.lines, tuple(sorted(self.twice)))

    def _start(self, event: Any, value: Any) -> None:
        if len(self.open) >= DEEPEST:
            raise UnreadableError(f"it is nested more than {DEEPEST} levels deep")
        path: tuple[str, ...] = ()
        if self.open and len(self.open) <= 2:
            path = (*self.open[-1].path, self.open[-1].key or "")
        self.open.append(_Open(value, event.tag, path, event.start_mark.line + 1, event.anchor))

    def _end(self, event: Any) -> None:
        done = self.open.pop()
        value = tagged(done.tag, done.value)
        if isinstance(value, dict) and "<<" in value:
            value = _merged(value)
        if done.anchor:
            self.anchors[done.anchor] = (value, done.nodes)
        if len(done.path) == 2 and self.open:
            self.lines[done.path] = (self.open[-1].key_line, max(self.open[-1].key_line, event.end_mark.line))
        self._put(value, done.nodes, event)

    def _put(self, value: Any, nodes: int, event: Any) -> None:
        if not self.open:
            if nodes > MOST_NODES:
                raise UnreadableError("its aliases unfold to too much")
            self.root = value
            return
        into = self.open[-1]
        into.nodes += nodes
        if into.nodes > MOST_NODES:
            raise UnreadableError("its aliases unfold to too much")
        if isinstance(into.value, list):
            into.value.append(value)
        elif into.key is None:
            into.key = value if isinstance(value, str) else json.dumps(value, default=str)
            into.key_line = event.start_mark.line + 1
        else:
            if into.key in into.value:
                self.twice.add(into.key)
            into.value[into.key] = value
            into.key = None


def tagged(tag: str | None, value: Any) -> Any:
    """A value under one of CloudFormation's short tags, as its long form: `!Ref X` is `{"Ref": "X"}`."""
    if not tag or not tag.startswith("!") or tag == "!":
        return value
    name = tag[1:]
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{name}": value}


def _merged(value: dict[str, Any]) -> dict[str, Any]:
    own = {key: inner for key, inner in value.items() if key != "<<"}
    found = value["<<"]
    bases = found if isinstance(found, list) else [found]
    whole: dict[str, Any] = {}
    for base in reversed(bases):
        whole |= base if isinstance(base, dict) else {}
    return whole | own


_NULL = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_FRACTION = re.compile(r"[-+]?[0-9]{1,15}\.[0-9]{1,15}\Z")


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0] or (event.tag or "").endswith(":str"):
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _WHOLE.match(text):
        return int(text)
    return float(text) if _FRACTION.match(text) else text
