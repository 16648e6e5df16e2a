"""The body of a block as values, the way a plan writes it: attributes, and inner blocks as lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tidegate.infra.terraform.documents import parsed, within
from tidegate.infra.terraform.functions import OTHERS
from tidegate.infra.terraform.syntax import Block, Expression
from tidegate.infra.terraform.words import later, words_of
from tidegate.infra.values import Later, Value

META = ("count", "for_each", "provider", "providers", "depends_on", "lifecycle", "provisioner", "connection")
"""What Terraform itself reads of a block; the rest is the provider's."""


class Settles(Protocol):
    """Something that settles expressions."""

    def value(self, expression: Expression, local: Mapping[str, Value]) -> Value: ...


def body_of(block: Block, settles: Settles, local: Mapping[str, Value]) -> dict[str, Value]:
    """The attributes of a block. Nothing given is nothing there."""
    values = {
        name: _documents(settles.value(expression, local))
        for name, expression in block.attributes.items()
        if name not in META
    }
    values |= blocks_of(block, settles, local)
    return {name: value for name, value in values.items() if value is not None}


def blocks_of(block: Block, settles: Settles, local: Mapping[str, Value]) -> dict[str, list[Value]]:
    """The bodies of the inner blocks by kind, in order. A dynamic block that cannot be unfolded stands in words."""
    made: dict[str, list[Value]] = {}
    for inner in block.blocks:
        if inner.kind == "dynamic" and inner.labels:
            made.setdefault(inner.labels[0], []).extend(_dynamic(inner, settles, local))
        elif inner.kind not in META:
            made.setdefault(inner.kind, []).append(body_of(inner, settles, local))
    return made


# Private

_MOST = 500


def _dynamic(block: Block, settles: Settles, local: Mapping[str, Value]) -> list[Value]:
    content = block.inner("content")
    if not content or "for_each" not in block.attributes:
        return []
    named = block.attributes.get("iterator")
    name = getattr(named, "name", "") or block.labels[0]
    over = settles.value(block.attributes["for_each"], local)
    if not isinstance(over, (list, dict)) or len(over) > _MOST:
        bound = {**local, name: {"key": later(f"{name}.key"), "value": later(f"{name}.value")}}
        body = body_of(content[0], settles, bound)
        return [later(f"for each of {words_of(over)}: {words_of(body)}")]
    entries = over.items() if isinstance(over, dict) else ((one, one) for one in over)
    return [
        value if key == OTHERS else body_of(content[0], settles, {**local, name: {"key": key, "value": value}})
        for key, value in entries
    ]


def _documents(value: Value) -> Value:
    """A policy in a text or as an object is one document."""
    found = parsed(value) if isinstance(value, (str, Later)) else value
    if isinstance(found, Mapping) and "Statement" in found:
        statements = found["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        return {**found, "Statement": [within(one) for one in listed]}
    return found if isinstance(found, Mapping) or found is value else value
