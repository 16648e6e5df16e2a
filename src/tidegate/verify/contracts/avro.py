"""Avro schemas (.avsc): can data that were written before still be read, and can old readers read what comes now?

The rules are those of schema resolution (https://avro.apache.org/docs/1.12.0/specification/#schema-resolution). What
cannot be read at all any more is broken; what old readers cannot read is narrowed, since they may be moved first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from tidegate.facts import Place
from tidegate.verify.contracts.values import (
    BROKEN,
    NARROWED,
    Break,
    Compared,
    Unreadable,
    both_sides,
    for_others,
    shown,
)
from tidegate.verify.values import Subject

LARGEST_BYTES = 5_000_000
DEEPEST = 60

Names: TypeAlias = Mapping[str, dict[str, Any]]


class Schema(Struct, frozen=True):
    """A schema and the types that are named in it, by full name and by the last part alone."""

    root: Any
    names: Names


def compare_avro(subject: Subject) -> Compared:
    """What readers of the repository's Avro schemas lose."""
    breaks: list[Break] = []
    unread: dict[str, str] = {}
    for both in both_sides(subject, lambda path: path.endswith(".avsc") and for_others(path)):
        path = shown(both.pair.path)
        contract = f"the Avro schema of {path}"
        if not both.pair.after:
            breaks.append(Break(contract, "the whole schema is gone", Place(path), BROKEN, "high", _KEEP))
            continue
        try:
            if both.before is None or both.after is None:
                raise Unreadable("it is too large")
            old, new = read_avro(both.before), read_avro(both.after)
            backward, forward = tuple(losses(old, new)), tuple(losses(new, old))
        except Unreadable as error:
            unread[path] = str(error)
            continue
        text = both.after.decode("utf-8", "replace")
        told = set()
        for where, what in backward:
            told.add(where)
            said = f"data written before cannot be read: {what}"
            breaks.append(Break(contract, said, Place(path, _line(text, where)), BROKEN, "high", _KEEP))
        for where, what in forward:
            if where not in told:
                said = f"readers of the old schema cannot read new data: {what}"
                breaks.append(Break(contract, said, Place(path, _line(text, where)), NARROWED, "medium", _KEEP))
    return Compared(tuple(breaks), unread)


def read_avro(content: bytes) -> Schema:
    """The schema in a file. Raises Unreadable."""
    if len(content) > LARGEST_BYTES:
        raise Unreadable("it is too large")
    try:
        root = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable("it is no JSON") from error
    names: dict[str, dict[str, Any]] = {}
    _collect(root, "", names, 0)
    return Schema(root, names)


def losses(writer: Schema, reader: Schema) -> Iterator[tuple[str, str]]:
    """Where and why a reader with one schema cannot read what was written with another. Empty if it always can."""
    yield from _Resolution(writer.names, reader.names).resolve(writer.root, reader.root, "", 0)


# Private

_KEEP = "Give every new field a default, keep what old data have, and let go of a field only after its readers have."
_PRIMITIVES = frozenset("null boolean int long float double bytes string".split())
_WIDER = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_NAMED = ("record", "error", "enum", "fixed")


class _Resolution:
    """Resolves pairs of types. A pair of named types that is being resolved already is taken as good."""

    def __init__(self, written: Names, read: Names) -> None:
        self._written = written
        self._read = read
        self._seen: set[tuple[int, int]] = set()

    def resolve(self, writer: Any, reader: Any, where: str, depth: int) -> Iterator[tuple[str, str]]:
        if depth > DEEPEST:
            raise Unreadable("it is nested too deeply")
        writer, reader = _named(writer, self._written), _named(reader, self._read)
        pair = (id(writer), id(reader))
        if isinstance(writer, dict) and isinstance(reader, dict):
            if pair in self._seen:
                return
            self._seen.add(pair)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.resolve(branch, reader, where, depth + 1)
        elif isinstance(reader, list):
            if not any(self._fits(writer, branch, depth) for branch in reader):
                yield where, f"{_at(where)} may be {_kind(writer)}, which is none of {_kinds(reader)}"
        else:
            yield from self._single(writer, reader, where, depth)

    def _fits(self, writer: Any, reader: Any, depth: int) -> bool:
        alone = _Resolution(self._written, self._read)
        alone._seen = set(self._seen)
        return next(alone.resolve(writer, reader, "", depth + 1), None) is None

    def _single(self, writer: Any, reader: Any, where: str, depth: int) -> Iterator[tuple[str, str]]:
        old, new = _kind(writer), _kind(reader)
        if old != new:
            if new not in _WIDER.get(old, ()):
                yield where, f"{_at(where)} is {old} on the one side and {new} on the other"
            return
        if not isinstance(writer, dict) or not isinstance(reader, dict):
            return
        if old in _NAMED and not _same_name(writer, reader):
            yield where, f"{_at(where)} is the {old} `{writer.get('name')}` on the one side and `{reader.get('name')}`"
            return
        match old:
            case "record" | "error":
                yield from self._record(writer, reader, where, depth)
            case "enum":
                yield from _symbols(writer, reader, where)
            case "fixed":
                if writer.get("size") != reader.get("size"):
                    yield where, f"{_at(where)} has {writer.get('size')} bytes on the one side, {reader.get('size')}"
            case "array":
                yield from self.resolve(writer.get("items"), reader.get("items"), f"{where}[]", depth + 1)
            case "map":
                yield from self.resolve(writer.get("values"), reader.get("values"), f"{where}{{}}", depth + 1)

    def _record(
        self, writer: dict[str, Any], reader: dict[str, Any], where: str, depth: int
    ) -> Iterator[tuple[str, str]]:
        written = {str(one.get("name")): one for one in _fields(writer)}
        for one in _fields(reader):
            names = [str(one.get("name")), *map(str, _list(one.get("aliases")))]
            there = f"{where}.{names[0]}" if where else f"{reader.get('name')}.{names[0]}"
            match = next((written[name] for name in names if name in written), None)
            if match is not None:
                yield from self.resolve(match.get("type"), one.get("type"), there, depth + 1)
            elif "default" not in one:
                yield there, f"`{there}` is asked for and has no default"


def _symbols(writer: dict[str, Any], reader: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    unknown = [one for one in _list(writer.get("symbols")) if one not in _list(reader.get("symbols"))]
    if unknown and "default" not in reader:
        yield where, f"the enum `{reader.get('name')}` lacks `{unknown[0]}` and has no default"


def _collect(node: Any, space: str, names: dict[str, dict[str, Any]], depth: int) -> None:
    if depth > DEEPEST:
        raise Unreadable("it is nested too deeply")
    if isinstance(node, list):
        for one in node:
            _collect(one, space, names, depth + 1)
    if not isinstance(node, dict):
        return
    if node.get("type") in _NAMED and isinstance(node.get("name"), str):
        space = str(node.get("namespace") or node["name"].rpartition(".")[0] or space)
        last = node["name"].rpartition(".")[2]
        names[f"{space}.{last}" if space else last] = node
        names.setdefault(last, node)
    for one in _fields(node):
        _collect(one.get("type"), space, names, depth + 1)
    for key in ("items", "values", "type"):
        if isinstance(node.get(key), dict | list):
            _collect(node[key], space, names, depth + 1)


def _named(node: Any, names: Names) -> Any:
    """What a type means: a name that is defined here, or a primitive in its long form."""
    for _ in range(DEEPEST):
        if isinstance(node, str) and node not in _PRIMITIVES:
            found = names.get(node) or names.get(node.rpartition(".")[2])
            if found is None:
                return node
            node = found
        elif isinstance(node, dict) and (isinstance(node.get("type"), dict | list) or _is_long_form(node)):
            node = node["type"]
        else:
            break
    return node


def _is_long_form(node: dict[str, Any]) -> bool:
    kind = node.get("type")
    return isinstance(kind, str) and kind not in (*_NAMED, "array", "map")


def _kind(node: Any) -> str:
    return str(node.get("type")) if isinstance(node, dict) else str(node)


def _kinds(nodes: list[Any]) -> str:
    return ", ".join(str(one.get("name") or one.get("type")) if isinstance(one, dict) else str(one) for one in nodes)


def _same_name(writer: dict[str, Any], reader: dict[str, Any]) -> bool:
    """Whether the last parts of the names agree, or an alias of the reader is the writer's name."""
    old = str(writer.get("name")).rpartition(".")[2]
    names = [reader.get("name"), *_list(reader.get("aliases"))]
    return old in {str(name).rpartition(".")[2] for name in names}


def _fields(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in _list(node.get("fields")) if isinstance(one, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _at(where: str) -> str:
    return f"`{where}`" if where else "the whole"


def _line(text: str, where: str) -> int:
    """The line that names the last part of a place."""
    name = where.rpartition(".")[2].rstrip("[]{}")
    at = text.find(f'"{name}"') if name else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 0
