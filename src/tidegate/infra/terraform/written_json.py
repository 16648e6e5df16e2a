"""Reads Terraform's language in its JSON spelling (`*.tf.json`) into the same blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tidegate.infra.terraform.expressions import Reader
from tidegate.infra.terraform.scanning import UnreadableError
from tidegate.infra.terraform.syntax import Block, Expression, Fault, ListOf, Literal, ObjectOf, Source

DEEPEST = 60
_LABELS = {"resource": 2, "data": 2, "ephemeral": 2, "module": 1, "variable": 1, "output": 1, "provider": 1, "check": 1}
_BLOCKS = ("lifecycle", "provisioner", "backend", "cloud", "required_providers")


def read_json(text: str, path: str = "") -> Source:
    """The blocks of a file; of a file of variables its values. Never raises."""
    try:
        document = json.loads(text.removeprefix("\ufeff"))
        if not isinstance(document, dict):
            return Source((), {}, (Fault(1, "it is not an object"),))
        if path.endswith(".tfvars.json"):
            return Source((), {name: _expression(value, 0) for name, value in document.items()})
        return Source(tuple(_top(document, path)), {})
    except (ValueError, RecursionError, UnreadableError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        reason = (
            str(error).partition(":")[0]
            if isinstance(error, (ValueError, UnreadableError))
            else "it is nested too deeply"
        )
        return Source((), {}, (Fault(line, reason),))


# Private


def _top(document: dict[str, Any], path: str) -> Iterator[Block]:
    for kind, body in document.items():
        for labels, inner in _labelled(body, _LABELS.get(kind, 0)):
            yield _block(kind, labels, inner, path)


def _labelled(body: Any, deep: int) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for one in body if isinstance(body, list) else [body]:
        if not isinstance(one, dict):
            continue
        if not deep:
            yield (), one
            continue
        for label, inner in one.items():
            for labels, found in _labelled(inner, deep - 1):
                yield (label, *labels), found


def _block(kind: str, labels: tuple[str, ...], body: dict[str, Any], path: str) -> Block:
    attributes: dict[str, Expression] = {}
    blocks: list[Block] = []
    for name, value in body.items():
        if name in _BLOCKS:
            deep = 1 if name in ("provisioner", "backend") else 0
            blocks += (_block(name, inner, found, path) for inner, found in _labelled(value, deep))
        elif name != "//":
            attributes[name] = _expression(value, 0)
    return Block(kind, labels, attributes, tuple(blocks), 1, path)


def _expression(value: Any, depth: int) -> Expression:
    if depth > DEEPEST:
        raise UnreadableError("it is nested too deeply")
    if isinstance(value, dict):
        return ObjectOf(tuple((Literal(key), _expression(inner, depth + 1)) for key, inner in value.items()))
    if isinstance(value, list):
        return ListOf(tuple(_expression(one, depth + 1) for one in value))
    return Reader("").template(value) if isinstance(value, str) else Literal(value)
