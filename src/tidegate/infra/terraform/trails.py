"""Which resources an expression needs, through locals, data sources and the inputs and outputs of local modules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from tidegate.infra.terraform.resolve import Resolver
from tidegate.infra.terraform.syntax import (
    Block,
    Call,
    Choice,
    Expression,
    For,
    ListOf,
    Member,
    Name,
    ObjectOf,
    Operation,
    Splat,
    Template,
    every_expression,
)


class Children(Protocol):
    """The local modules of a stack."""

    def child(self, caller: Resolver, module: str) -> Resolver | None: ...


class Trails:
    """Follows names within one stack. `documents` are the data sources that were come by."""

    def __init__(self, children: Children) -> None:
        self.documents: set[str] = set()
        self._children = children
        self._callers: dict[str, tuple[Resolver, Block]] = {}
        self._known: dict[str, frozenset[str]] = {}
        self._open: set[str] = set()

    def called(self, child: Resolver, caller: Resolver, block: Block) -> None:
        """Note who calls a module, for what its variables are given."""
        self._callers[child.prefix] = (caller, block)

    def of_block(self, resolver: Resolver, block: Block) -> dict[str, tuple[str, ...]]:
        """The resources that a block needs, by the attribute that says so."""
        found: dict[str, set[str]] = {}
        for name, expression in every_expression(block):
            for one in self._of(resolver, expression):
                found.setdefault("" if name == "depends_on" else name, set()).add(one)
        return {name: tuple(sorted(bases)) for name, bases in found.items()}

    # Private

    def _of(self, resolver: Resolver, expression: Expression) -> frozenset[str]:
        found: set[str] = set()
        for root, path in _names(expression):
            found |= self._named(resolver, root, path)
        return frozenset(found)

    def _named(self, resolver: Resolver, root: str, path: tuple[str, ...]) -> frozenset[str]:
        first, second = (*path, "", "")[:2]
        if f"{root}.{first}" in resolver.resources:
            return frozenset((f"{resolver.prefix}{root}.{first}",))
        key = f"{resolver.prefix}{root}.{first}.{second if root in ('data', 'module') else ''}"
        if key in self._known:
            return self._known[key]
        if key in self._open or len(self._open) > 100:
            return frozenset()
        self._open.add(key)
        found = self._followed(resolver, root, first, second)
        self._open.discard(key)
        self._known[key] = found
        return found

    def _followed(self, resolver: Resolver, root: str, first: str, second: str) -> frozenset[str]:
        if root == "local" and first in resolver.locals:
            return self._of(resolver, resolver.locals[first])
        if root == "data" and (block := resolver.data.get(f"{first}.{second}")):
            self.documents.add(f"{resolver.prefix}data.{first}.{second}")
            return frozenset(one for _, inner in every_expression(block) for one in self._of(resolver, inner))
        if root == "var" and resolver.prefix in self._callers:
            caller, block = self._callers[resolver.prefix]
            return self._of(caller, block.attributes[first]) if first in block.attributes else frozenset()
        if root == "module" and first in resolver.modules:
            child = self._children.child(resolver, first)
            if child is None:
                return frozenset((f"{resolver.prefix}module.{first}",))
            output = child.outputs.get(second)
            inner_ = output.attributes.get("value") if output is not None else None
            return self._of(child, inner_) if inner_ is not None else frozenset()
        return frozenset()


# Private


def _names(expression: Expression) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every reference in an expression: its first word and the words after it."""
    steps: list[str] = []
    while isinstance(expression, Member):
        if isinstance(expression.name, str):
            steps.append(expression.name)
        else:
            yield from _names(expression.name)
        expression = expression.of
    if isinstance(expression, Name):
        yield expression.name, tuple(reversed(steps))
        return
    for inner in _inner(expression):
        yield from _names(inner)


def _inner(expression: Expression) -> Iterator[Expression]:
    match expression:
        case Template(parts):
            yield from (part for part in parts if not isinstance(part, str))
        case Call(_, arguments):
            yield from arguments
        case Operation(_, operands):
            yield from operands
        case Choice(condition, yes, no):
            yield from (condition, yes, no)
        case ListOf(items):
            yield from items
        case ObjectOf(pairs):
            for key, value in pairs:
                yield key
                yield value
        case Splat(of, each):
            yield of
            yield each
        case For():
            yield from (one for one in (expression.over, expression.key, expression.value) if one is not None)
            if expression.condition is not None:
                yield expression.condition


Trail = Mapping[str, tuple[str, ...]]
