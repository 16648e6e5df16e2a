"""What Terraform's language is made of once it is read: blocks and expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct


class Literal(Struct, frozen=True):
    """A number, a flag, null or a text without interpolations."""

    value: str | int | float | bool | None


class Template(Struct, frozen=True):
    """A text with interpolations. A directive (`%{ if }`) stands as `Opaque`."""

    parts: tuple[str | Expression, ...]


class Name(Struct, frozen=True):
    """The first word of a reference: `var`, `local`, `aws_vpc`, `each`."""

    name: str


class Member(Struct, frozen=True):
    """`of.name`, or `of[key]` where the key is an expression."""

    of: Expression
    name: str | Expression


class Splat(Struct, frozen=True):
    """`of[*].name` or `of.*.name`; `each` is what is taken of every element, written on `Name("*")`."""

    of: Expression
    each: Expression


class Call(Struct, frozen=True):
    """A function's call. `spread` is `f(list...)`."""

    name: str
    arguments: tuple[Expression, ...]
    spread: bool = False


class Operation(Struct, frozen=True):
    """One or two operands with an operator between or before them."""

    operator: str
    operands: tuple[Expression, ...]


class Choice(Struct, frozen=True):
    """`condition ? yes : no`."""

    condition: Expression
    yes: Expression
    no: Expression


class ListOf(Struct, frozen=True):
    """`[a, b]`."""

    items: tuple[Expression, ...]


class ObjectOf(Struct, frozen=True):
    """`{ key = value }`, in the order that it is written."""

    pairs: tuple[tuple[Expression, Expression], ...]


class For(Struct, frozen=True):
    """A list (`key` is None) or an object made from another. `grouped` is `...` after the value."""

    names: tuple[str, ...]
    over: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    grouped: bool = False


class Opaque(Struct, frozen=True):
    """Text that is kept as it stands and never computed."""

    text: str


Expression: TypeAlias = (
    Literal | Template | Name | Member | Splat | Call | Operation | Choice | ListOf | ObjectOf | For | Opaque
)


class Block(Struct, frozen=True):
    """`kind "label" { attributes, blocks }`. `broken` says why its body could not be read, "" where it was."""

    kind: str
    labels: tuple[str, ...]
    attributes: Mapping[str, Expression]
    blocks: tuple[Block, ...]
    line: int
    path: str = ""
    broken: str = ""

    def inner(self, kind: str) -> tuple[Block, ...]:
        """The blocks of one kind directly in this one."""
        return tuple(block for block in self.blocks if block.kind == kind)


class Fault(Struct, frozen=True):
    """What could not be read, and the line where it stands."""

    line: int
    reason: str


class Source(Struct, frozen=True):
    """One file as it was read: its blocks, its attributes (of a file of variables) and what could not be read."""

    blocks: tuple[Block, ...]
    attributes: Mapping[str, Expression]
    faults: tuple[Fault, ...] = ()


def every_expression(block: Block) -> Iterator[tuple[str, Expression]]:
    """Every expression of a block with the name of the attribute or inner block that it belongs to."""
    yield from block.attributes.items()
    for inner in block.blocks:
        for name, expression in every_expression(inner):
            yield f"{inner.kind if inner.kind != 'dynamic' else ''.join(inner.labels[:1])}.{name}", expression
