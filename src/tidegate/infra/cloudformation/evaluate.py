"""Expressions of a template as values, as far as the template itself decides them.

A reference to a resource becomes `Ref:Name`, to its attribute `Ref:Name.Arn`, inside text `${Name.Arn}`: equal on both
sides of a change where they mean the same. A parameter stands for its default; what only a deployment knows is `Later`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from tidegate.infra.cloudformation.template import Template
from tidegate.infra.same import canonical
from tidegate.infra.values import Hidden, Later, Value

_VARIABLE = re.compile(r"\$\{(!?[^${}]{1,300})\}")
_RESOLVE = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):")
_SECRET_NAME = re.compile(r"(?i)(password|passwd|secretstring|secret_?key|auth_?token|api_?key|private_?key|_token)$")
_ENVIRONMENT = re.compile(r"(?i)(env|environment|stage|tier)(name|type)?$")
_OWN_ID = ("GroupId", "TargetGroupArn", "LoadBalancerArn", "ListenerArn", "VpcId", "SubnetId", "TopicArn", "Id", "Ref")
"""Attributes that are the same thing as what Ref gives, or stand for it wherever another resource is named."""
_PSEUDO: Mapping[str, str] = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
"""What these are nearly everywhere, so that `arn:${AWS::Partition}:s3` is `arn:aws:s3`."""
DEEPEST_CONDITIONS = 40
NOTHING = object()
"""AWS::NoValue."""


class Secrets:
    """Numbers for secrets: equal ones have the same, over both sides of a change."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def hidden(self, text: str) -> Hidden:
        return Hidden(self._numbers.setdefault(text, len(self._numbers) + 1))


class Scope(Struct, frozen=True):
    """What expressions of one template are read with. `choices` override conditions by name; `settled` remembers what
    conditions came to, so that each is worked out once; `asked` are those that are being worked out."""

    template: Template
    parameters: Mapping[str, Value]
    secrets: Secrets
    choices: Mapping[str, bool] = {}
    settled: dict[str, bool | None] = {}
    asked: list[str] = []

    def choosing(self, name: str, chosen: bool) -> Scope:
        """The same with one condition decided."""
        return Scope(self.template, self.parameters, self.secrets, {**self.choices, name: chosen})


def parameters_of(template: Template, secrets: Secrets, kept: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """What each parameter stands for: what the stack has already (`kept`), its default, or nothing that is known."""
    found: dict[str, Value] = {}
    for name, one in template.parameters.items():
        kind, default = str(one.get("Type", "String")), one.get("Default")
        if kept is not None and name in kept:
            found[name] = kept[name]
        elif str(one.get("NoEcho", "")).lower() == "true":
            found[name] = secrets.hidden(f"parameter {name}")
        elif default is None or isinstance(default, (Mapping, list)) or _says_environment(name, default):
            found[name] = Later(f"the parameter {name}")
        elif kind.startswith("AWS::SSM::Parameter::Value"):
            found[name] = Later(f"what {default} holds")
        elif kind == "CommaDelimitedList" or kind.startswith("List<"):
            found[name] = [part.strip() for part in str(default).split(",")] if default != "" else []
        else:
            found[name] = default
    return found


def evaluate(expression: Any, scope: Scope) -> Value:
    """The value of an expression; None where it is AWS::NoValue."""
    found = _evaluate(expression, scope)
    return None if found is NOTHING else found


def holds(condition: Any, scope: Scope) -> bool | None:
    """Whether a condition holds, None where only a deployment decides it. A text is the name of one."""
    if isinstance(condition, str):
        return _named(condition, scope)
    if isinstance(condition, bool):
        return condition
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return None
    name, inner = next(iter(condition.items()))
    if name == "Condition":
        return holds(inner, scope) if isinstance(inner, str) else None
    if not isinstance(inner, list):
        return None
    if name == "Fn::Equals" and len(inner) == 2:
        return _equal(_evaluate(inner[0], scope), _evaluate(inner[1], scope))
    parts = [holds(one, scope) for one in inner]
    if name == "Fn::Not" and len(parts) == 1:
        return None if parts[0] is None else not parts[0]
    if name == "Fn::And":
        return False if False in parts else None if None in parts else True
    if name == "Fn::Or":
        return True if True in parts else None if None in parts else False
    return None


def conditions_in(expression: Any) -> Iterator[str]:
    """The conditions that Fn::If asks anywhere in an expression."""
    for name, inner in calls(expression):
        if name == "Fn::If" and isinstance(inner, list) and inner and isinstance(inner[0], str):
            yield inner[0]


def names_in(expression: Any) -> Iterator[str]:
    """The parameters and resources that an expression names, some more than once."""
    for name, inner in calls(expression):
        if name == "Ref" and isinstance(inner, str):
            yield inner
        elif name == "Fn::GetAtt":
            first = inner[0] if isinstance(inner, list) and inner else inner
            yield str(first).split(".", 1)[0]
        elif name == "Fn::Sub":
            text = inner[0] if isinstance(inner, list) and inner else inner
            for found in _VARIABLE.finditer(text) if isinstance(text, str) else ():
                yield found[1].split(".", 1)[0]


def calls(expression: Any) -> Iterator[tuple[str, Any]]:
    """Every intrinsic function in an expression with its argument."""
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if len(one) == 1:
                name = next(iter(one))
                if name == "Ref" or name.startswith("Fn::"):
                    yield name, one[name]
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


# Private


def _named(name: str, scope: Scope) -> bool | None:
    if name in scope.choices:
        return scope.choices[name]
    if name in scope.settled:
        return scope.settled[name]
    expression = scope.template.conditions.get(name)
    if expression is None or name in scope.asked or len(scope.asked) >= DEEPEST_CONDITIONS:
        return None
    scope.asked.append(name)
    scope.settled[name] = holds(expression, scope)
    scope.asked.pop()
    return scope.settled[name]


def _says_environment(name: str, default: Any) -> bool:
    """Whether a default is that of one environment, which says nothing about the stacks of the others."""
    from tidegate.infra.environment import named

    return bool(_ENVIRONMENT.search(name)) and named(str(default)) in ("development", "staging")


def _equal(one: Value, other: Value) -> bool | None:
    if any(isinstance(value, (Later, Hidden)) or "${" in str(value) for value in (one, other)):
        return None
    plain = ["" if value is NOTHING else value for value in (one, other)]
    return bool(canonical(plain[0]) == canonical(plain[1]))


def _evaluate(expression: Any, scope: Scope) -> Value:
    if isinstance(expression, Mapping):
        if len(expression) == 1:
            name, inner = next(iter(expression.items()))
            if call := _CALLS.get(name):
                return call(inner, scope)
            if name.startswith("Fn::"):
                return Later(name)
        return _mapping(expression, scope)
    if isinstance(expression, list):
        found = (_evaluate(one, scope) for one in expression)
        return [one for one in found if one is not NOTHING]
    if isinstance(expression, str) and _RESOLVE.match(expression):
        return scope.secrets.hidden(expression)
    return expression


def _mapping(expression: Mapping[str, Any], scope: Scope) -> Value:
    found: dict[str, Value] = {}
    for key, inner in expression.items():
        value = _evaluate(inner, scope)
        if value is NOTHING:
            continue
        if isinstance(value, str) and value and not value.startswith("Ref:") and _SECRET_NAME.search(key):
            value = scope.secrets.hidden(value)
        found[key] = value
    if _SECRET_NAME.search(str(found.get("Name", ""))) and isinstance(value := found.get("Value"), str):
        found["Value"] = value if value.startswith("Ref:") else scope.secrets.hidden(value)
    return found


def _ref(name: Any, scope: Scope) -> Value:
    if name == "AWS::NoValue":
        return NOTHING
    if not isinstance(name, str):
        return Later("a reference")
    if name in scope.parameters:
        return scope.parameters[name]
    if name.startswith("AWS::"):
        return _PSEUDO.get(name, f"${{{name}}}")
    return f"Ref:{name}"


def _attribute(inner: Any) -> Value:
    parts = inner if isinstance(inner, list) else str(inner).split(".", 1)
    if len(parts) < 2 or not isinstance(parts[0], str):
        return Later("an attribute")
    name, attribute = parts[0], parts[1]
    if not isinstance(attribute, str):
        return Later(f"an attribute of {name}")
    return f"Ref:{name}" if attribute in _OWN_ID else f"Ref:{name}.{attribute}"


def _text(value: Value, name: str = "") -> str:
    """A value inside a text."""
    if isinstance(value, Hidden):
        return f"${{{name or 'sensitive'}}}"
    if isinstance(value, Later):
        return f"${{{value.words}}}"
    if isinstance(value, str):
        return f"${{{value[4:]}}}" if value.startswith("Ref:") else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_text(one) for one in value)
    return str(value) if isinstance(value, (int, float)) else ""


def _sub(inner: Any, scope: Scope) -> Value:
    own: Mapping[str, Any] = {}
    text = inner
    if isinstance(inner, list) and inner:
        text = inner[0]
        own = inner[1] if len(inner) > 1 and isinstance(inner[1], Mapping) else {}
    if not isinstance(text, str):
        return Later("Fn::Sub")

    def value_of(name: str) -> Value:
        if name in own:
            return _evaluate(own[name], scope)
        return _attribute(name) if "." in name else _ref(name, scope)

    whole = _VARIABLE.fullmatch(text)
    if whole and not whole[1].startswith("!"):
        return value_of(whole[1].strip())
    return _VARIABLE.sub(
        lambda found: (
            f"${{{found[1][1:]}}}" if found[1].startswith("!") else _text(value_of(found[1].strip()), found[1].strip())
        ),
        text,
    )


def _join(inner: Any, scope: Scope) -> Value:
    if not isinstance(inner, list) or len(inner) != 2:
        return Later("Fn::Join")
    parts = _evaluate(inner[1], scope)
    if isinstance(parts, Later):
        return parts
    texts = [_text(one) for one in parts] if isinstance(parts, list) else [_text(parts)]
    if len(texts) == 1 and isinstance(parts, list):
        return parts[0]
    return str(inner[0] if inner[0] is not None else "").join(texts)


def _if(inner: Any, scope: Scope) -> Value:
    if not isinstance(inner, list) or len(inner) != 3:
        return Later("Fn::If")
    chosen = holds(inner[0], scope)
    return _evaluate(inner[2] if chosen is False else inner[1], scope)


def _find_in_map(inner: Any, scope: Scope) -> Value:
    if not isinstance(inner, list) or len(inner) < 3:
        return Later("Fn::FindInMap")
    keys = [_evaluate(one, scope) for one in inner[:3]]
    found: Any = scope.template.mappings
    for key in keys:
        if not isinstance(found, Mapping):
            return Later(f"a value of the mapping {_text(keys[0])}")
        text = _text(key)
        if text not in found and "${" in text and found:
            text = _likeliest(found)
        found = found.get(text)
    return Later(f"a value of the mapping {_text(keys[0])}") if found is None else found


def _likeliest(column: Mapping[str, Any]) -> str:
    """The key that stands for all where a deployment decides which: production, the oldest region, the first."""
    from tidegate.infra.environment import named

    live = (key for key in column if named(key) == "production")
    return next(live, "us-east-1" if "us-east-1" in column else next(iter(column)))


def _select(inner: Any, scope: Scope) -> Value:
    if not isinstance(inner, list) or len(inner) != 2:
        return Later("Fn::Select")
    index, listed = _evaluate(inner[0], scope), _evaluate(inner[1], scope)
    if isinstance(listed, list) and str(index).isdigit() and int(str(index)) < len(listed):
        return listed[int(str(index))]
    return Later(f"entry {_text(index)} of {_text(listed) or 'a list'}")


def _split(inner: Any, scope: Scope) -> Value:
    if not isinstance(inner, list) or len(inner) != 2:
        return Later("Fn::Split")
    text = _evaluate(inner[1], scope)
    if isinstance(text, str) and inner[0] and "${" not in text and not text.startswith("Ref:"):
        return text.split(str(inner[0]))
    return Later(f"the parts of {_text(text)}")


def _import(inner: Any, scope: Scope) -> Value:
    return Later(f"the import {_text(_evaluate(inner, scope))}")


def _zones(inner: Any, scope: Scope) -> Value:
    region = _text(_evaluate(inner, scope))
    return Later("the zones of the region" if "${" in region or not region else f"the zones of {region}")


def _cidr(inner: Any, scope: Scope) -> Value:
    return Later(f"parts of {_text(_evaluate(inner, scope))}")


def _json_text(inner: Any, scope: Scope) -> Value:
    return json.dumps(_evaluate(inner, scope), default=_text, sort_keys=True)


_CALLS: Mapping[str, Callable[[Any, Scope], Value]] = {
    "Ref": _ref,
    "Fn::GetAtt": lambda inner, _: _attribute(inner),
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::ImportValue": _import,
    "Fn::GetAZs": _zones,
    "Fn::Cidr": _cidr,
    "Fn::Base64": _evaluate,
    "Fn::ToJsonString": _json_text,
}
