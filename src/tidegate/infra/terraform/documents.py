"""The data source `aws_iam_policy_document` as the document that it makes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Protocol

from tidegate.infra.terraform.scanning import end_of_code
from tidegate.infra.terraform.syntax import Block, Expression
from tidegate.infra.terraform.words import in_text
from tidegate.infra.values import Later, Value


class Settles(Protocol):
    """Something that settles expressions."""

    def value(self, expression: Expression, local: Mapping[str, Value]) -> Value: ...

    def blocks(self, block: Block, kind: str, local: Mapping[str, Value]) -> list[Value]:
        """The bodies of the inner blocks of one kind, dynamic ones unfolded."""
        ...


def policy_document(block: Block, settles: Settles, local: Mapping[str, Value]) -> Value:
    """The document as JSON: merged sources, then statements. A source that is not known stays among the statements."""
    statements: list[Value] = []
    for name in ("source_policy_documents", "source_json", "override_policy_documents", "override_json"):
        if name in block.attributes:
            value = settles.value(block.attributes[name], local)
            for source in value if isinstance(value, list) else [value]:
                found = parsed(source)
                inner = found.get("Statement", []) if isinstance(found, Mapping) else found
                statements += inner if isinstance(inner, list) else [inner]
    statements += [
        _statement(one) if isinstance(one, Mapping) else one for one in settles.blocks(block, "statement", local)
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def parsed(value: Value) -> Value:
    """A text that is JSON as what it says; everything else as it is. What is not settled within a text stays text."""
    text = value.words if isinstance(value, Later) else value
    if not isinstance(text, str) or text.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(_quoted(text) if isinstance(value, Later) else text)
    except (ValueError, RecursionError):
        return value


def within(document: Value) -> Value:
    """A document whose unsettled names are texts, as Terraform's templates write them.

    What decides who may do what stays unsettled: an action, an effect, a whole statement.
    """
    if isinstance(document, Mapping):
        return {
            key: inner
            if key in _DECISIVE and isinstance(inner, Later)
            else _named(inner)
            if key not in _DECISIVE
            else inner
            for key, inner in document.items()
        }
    return document


# Private


def _quoted(text: str) -> str:
    """JSON with the interpolations in it as texts: escaped within a text, in quotes of their own outside of one."""
    made: list[str] = []
    place, inside = 0, False
    for found in _MARKS.finditer(text):
        if found.start() < place:
            continue
        made.append(text[place : found.start()])
        place = found.end()
        if found[0] != "${":
            inside ^= found[0] == '"'
            made.append(found[0])
            continue
        end = end_of_code(text, place)
        if end < 0:
            raise ValueError("an interpolation is not closed")
        name = json.dumps("${" + text[place:end] + "}")
        made.append(name[1:-1] if inside else name)
        place = end + 1
    return "".join((*made, text[place:]))


_MARKS = re.compile(r'\\.|"|\$\{', re.DOTALL)
_DECISIVE = ("Action", "NotAction", "Effect", "Statement")


def _named(value: Value) -> Value:
    if isinstance(value, Later):
        return in_text(value)
    if isinstance(value, Mapping):
        return {key: _named(inner) for key, inner in value.items()}
    return [_named(one) for one in value] if isinstance(value, list) else value


def _statement(body: Mapping[str, Value]) -> Value:
    made: dict[str, Value] = {}
    if body.get("sid"):
        made["Sid"] = body["sid"]
    made["Effect"] = body.get("effect") or "Allow"
    for name, key in _LISTS.items():
        if body.get(name) is not None:
            made[key] = body[name]
    for name, key in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        if found := _principals(body.get(name)):
            made[key] = found
    if found := _conditions(body.get("condition")):
        made["Condition"] = found
    return within(made)


_LISTS = {"actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource"}


def _listed(value: Value) -> list[Value]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _principals(blocks: Value) -> Value:
    made: dict[str, Value] = {}
    for one in _listed(blocks):
        if not isinstance(one, Mapping):
            made["(others)"] = _named(one)
            continue
        kind, names = one.get("type"), one.get("identifiers")
        if kind == "*":
            return "*"
        made.setdefault(str(kind), []).extend(_listed(names))
    return made


def _conditions(blocks: Value) -> Value:
    made: dict[str, Value] = {}
    for one in _listed(blocks):
        if not isinstance(one, Mapping):
            made["(others)"] = _named(one)
            continue
        inner = made.setdefault(str(one.get("test")), {})
        inner.setdefault(str(one.get("variable")), []).extend(_listed(one.get("values")))
    return made
