"""The syntax tree of a compiled CEL condition.

cel-expr-python gives no tree, but it serializes a compiled expression as a protobuf message: google.protobuf.Any around
cel.expr.CheckedExpr. This reads the few message types of cel/expr/syntax.proto that make up the tree, by their field
numbers, and nothing else. Source: https://github.com/google/cel-spec/blob/master/proto/cel/expr/syntax.proto
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from tidegate.errors import InputError, InternalError

DEEPEST = 60


class Literal(Struct, frozen=True):
    """A literal value. `kind` is text, int, uint, double, bool, bytes or null."""

    kind: str
    value: str | int | float | bool | bytes | None


class Name(Struct, frozen=True):
    """A name that stands alone: a section, a variable of a macro, or a type."""

    name: str


class Select(Struct, frozen=True):
    """`operand.field`, or `has(operand.field)` where `test` is true."""

    operand: Node
    field: str
    test: bool


class Call(Struct, frozen=True):
    """A function or an operator such as `_==_`; a method's target is the first argument."""

    function: str
    arguments: tuple[Node, ...]


class ListOf(Struct, frozen=True):
    """`[a, b]`."""

    elements: tuple[Node, ...]


class MapOf(Struct, frozen=True):
    """`{a: b}` or a message."""


class Loop(Struct, frozen=True):
    """What the macros all, exists, exists_one, filter and map expand to: a fold over `over`."""

    variable: str
    second_variable: str
    over: Node
    accumulator: str
    start: Node
    condition: Node
    step: Node
    result: Node


Node: TypeAlias = Literal | Name | Select | Call | ListOf | MapOf | Loop


def read_tree(serialized: bytes) -> Node:
    """The tree of `Expression.serialize()`.

    Raises InputError for a condition that is nested too deeply, InternalError for bytes of another shape.
    """
    try:
        checked = _fields(_only(_fields(serialized), 2))
        return _node(_only(checked, 4), 0)
    except (IndexError, KeyError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise InternalError(f"a compiled condition has a shape that is not known ({type(error).__name__})") from error


# Private

_Value: TypeAlias = int | bytes
_Fields: TypeAlias = Mapping[int, list[_Value]]


def _node(data: bytes, depth: int) -> Node:
    """cel.expr.Expr. Fields: const 3, ident 4, select 5, call 6, list 7, struct 8, comprehension 9."""
    if depth > DEEPEST:
        raise InputError("the condition is nested too deeply", mend="split it into several conditions")
    fields = _fields(data)
    kind = next((k for k in (3, 4, 5, 6, 7, 8, 9) if k in fields), 0)
    inner = _fields(_only(fields, kind))
    if kind == 3:
        return _literal(inner)
    if kind == 4:
        return Name(_text(inner, 1).removeprefix("."))
    if kind == 5:
        return Select(_node(_only(inner, 1), depth + 1), _text(inner, 2), bool(inner.get(3)))
    if kind == 6:
        return Call(_text(inner, 2), tuple(_node(_bytes(n), depth + 1) for n in (*inner.get(1, ()), *inner.get(3, ()))))
    if kind == 7:
        return ListOf(tuple(_node(_bytes(n), depth + 1) for n in inner.get(1, ())))
    if kind == 8:
        return MapOf()
    return _loop(inner, depth)


def _loop(inner: _Fields, depth: int) -> Loop:
    return Loop(
        variable=_text(inner, 1),
        second_variable=_text(inner, 8) if 8 in inner else "",
        over=_node(_only(inner, 2), depth + 1),
        accumulator=_text(inner, 3),
        start=_node(_only(inner, 4), depth + 1),
        condition=_node(_only(inner, 5), depth + 1),
        step=_node(_only(inner, 6), depth + 1),
        result=_node(_only(inner, 7), depth + 1),
    )


def _literal(inner: _Fields) -> Literal:
    """cel.expr.Constant. Fields: null 1, bool 2, int64 3, uint64 4, double 5, string 6, bytes 7."""
    (kind, (value, *_)), *_ = inner.items()
    if kind == 2:
        return Literal("bool", bool(value))
    if kind == 3 and isinstance(value, int):
        return Literal("int", value - (1 << 64) if value >= 1 << 63 else value)
    if kind == 4 and isinstance(value, int):
        return Literal("uint", value)
    if kind == 5:
        return Literal("double", struct.unpack("<d", _bytes(value))[0])
    if kind == 6:
        return Literal("text", _bytes(value).decode())
    if kind == 7:
        return Literal("bytes", _bytes(value))
    return Literal("null", None)


def _fields(data: bytes) -> dict[int, list[_Value]]:
    """The fields of one protobuf message by number: whole numbers for varints, bytes for everything else."""
    found: dict[int, list[_Value]] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: _Value
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = data[at : at + size], at + size
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        else:
            raise ValueError("unknown wire type")
        if at > len(data):
            raise ValueError("cut off")
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value & ((1 << 64) - 1), at


def _only(fields: _Fields, number: int) -> bytes:
    return _bytes(fields[number][-1])


def _text(fields: _Fields, number: int) -> str:
    return _only(fields, number).decode()


def _bytes(value: _Value) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ValueError("not bytes")
