"""The references of a plan's configuration, followed through modules, data sources and instances."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from tidegate.infra.terraform.document import ConfigModule, ConfigResource, ModuleCall

KEY = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')
_REFERENCE = re.compile(
    r'^(?:data\.)?(?P<head>[\w-]+)\.(?P<name>[\w-]+)(?P<key>\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?(?:\.(?P<rest>.*))?$'
)
MOST_STEPS = 60


class Link(Struct, frozen=True):
    """A reference between blocks. `key` is the instance that is named (`[0]`), or `each` where both go in step."""

    user: str
    used: str
    through: str
    key: str = ""


class _Scope(Struct, frozen=True):
    """One module as it is called: where it is, what it holds, and how its variables are set."""

    path: str
    module: ConfigModule
    parent: _Scope | None
    call: ModuleCall | None

    def resources(self) -> Mapping[str, ConfigResource]:
        return {_block(one): one for one in self.module.resources or ()}


class Configured(Struct, frozen=True):
    """`links` between blocks by their addresses without instances, and the blocks that are configured at all."""

    links: tuple[Link, ...]
    blocks: frozenset[str]


def read_links(root: ConfigModule | None) -> Configured:
    """Every reference between two managed resources."""
    if root is None:
        return Configured((), frozenset())
    links: dict[Link, None] = {}
    blocks = set()
    waiting = [_Scope("", root, None, None)]
    resolver = _Resolver()
    while waiting:
        scope = waiting.pop()
        for name, call in (scope.module.module_calls or {}).items():
            if call.module is not None:
                waiting.append(_Scope(f"{scope.path}module.{name}.", call.module, scope, call))
        for resource in scope.module.resources or ():
            if resource.mode == "managed":
                user = scope.path + _block(resource)
                blocks.add(user)
                for link in resolver.links(scope, resource, user):
                    links[link] = None
    return Configured(tuple(links), frozenset(blocks))


def references(expressions: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every list of references in nested expressions, with the attribute that holds it."""
    if isinstance(expressions, dict):
        found = expressions.get("references")
        if isinstance(found, list) and all(type(one) is str for one in found):
            yield path, found
            return
        for key, inner in expressions.items():
            if key != "constant_value" and isinstance(inner, (dict, list)):
                yield from references(inner, f"{path}.{key}" if path else key)
    elif isinstance(expressions, list):
        for place, inner in enumerate(expressions):
            yield from references(inner, f"{path}.{place}")


def constants(expressions: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every constant in nested expressions, with the name of the attribute that it is of."""
    if isinstance(expressions, dict):
        if "constant_value" in expressions:
            yield key, expressions["constant_value"]
        else:
            for name, inner in expressions.items():
                yield from constants(inner, name)
    elif isinstance(expressions, list):
        for inner in expressions:
            yield from constants(inner, key)


# Private


class _Resolver:
    """Follows references to managed resources; each variable, output and data source is followed once."""

    def __init__(self) -> None:
        self._followed: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        self._blocks: dict[str, Mapping[str, ConfigResource]] = {}

    def links(self, scope: _Scope, resource: ConfigResource, user: str) -> Iterator[Link]:
        for through, used, key in self._uses(scope, resource):
            if used != user:
                yield Link(user, used, through, key)

    def _uses(self, scope: _Scope, resource: ConfigResource) -> Iterator[tuple[str, str, str]]:
        for through, found in references(resource.expressions or {}):
            for used, key in self._targets(scope, found):
                yield through, used, key
        for name, expression in (("count", resource.count_expression), ("for_each", resource.for_each_expression)):
            for _, found in references(expression or {}):
                for used, key in self._targets(scope, found):
                    yield name, used, key
        for used, key in self._targets(scope, resource.depends_on or []):
            yield "depends_on", used, key

    def _targets(self, scope: _Scope, found: list[str], depth: int = 0) -> Iterator[tuple[str, str]]:
        in_step = any(one.startswith(("count.index", "each.")) for one in found)
        for reference in most_specific(found):
            for used, key in self._follow(scope, reference, depth):
                yield used, key or ("each" if in_step else "")

    def _follow(self, scope: _Scope, reference: str, depth: int) -> tuple[tuple[str, str], ...]:
        known = self._followed.get((scope.path, reference))
        if known is None:
            self._followed[scope.path, reference] = ()  # a ring of references ends here
            known = tuple(self._step(scope, reference, depth)) if depth < MOST_STEPS else ()
            self._followed[scope.path, reference] = known
        return known

    def _step(self, scope: _Scope, reference: str, depth: int) -> Iterator[tuple[str, str]]:
        match = _REFERENCE.match(reference)
        if match is None:
            return
        head, name, key = match["head"], match["name"], match["key"] or ""
        if head == "var":
            expressions = scope.call.expressions if scope.call is not None else None
            if scope.parent is not None and expressions and name in expressions:
                for _, found in references(expressions[name]):
                    yield from self._targets(scope.parent, found, depth + 1)
        elif head == "module":
            yield from self._module(scope, name, (match["rest"] or "").split(".")[0].split("[")[0], depth)
        else:
            blocks = self._resources(scope)
            block = f"data.{head}.{name}" if reference.startswith("data.") else f"{head}.{name}"
            resource = blocks.get(block)
            if resource is not None and resource.mode == "managed":
                yield scope.path + block, key
            elif resource is not None:
                for _, found in references(resource.expressions or {}):
                    yield from self._targets(scope, found, depth + 1)

    def _module(self, scope: _Scope, name: str, output: str, depth: int) -> Iterator[tuple[str, str]]:
        call = (scope.module.module_calls or {}).get(name)
        if call is None or call.module is None:
            return
        inner = _Scope(f"{scope.path}module.{name}.", call.module, scope, call)
        if output:
            for _, found in references((call.module.outputs or {}).get(output)):
                yield from self._targets(inner, found, depth + 1)
        else:
            yield from ((inner.path + block, "") for block, one in self._resources(inner).items() if one.mode != "data")

    def _resources(self, scope: _Scope) -> Mapping[str, ConfigResource]:
        known = self._blocks.get(scope.path)
        if known is None:
            known = self._blocks[scope.path] = scope.resources()
        return known


def most_specific(found: Iterable[str]) -> Iterator[str]:
    """References without those that only repeat the beginning of the one before: `a.b.arn`, `a.b`."""
    last = ""
    for one in found:
        if not last.startswith((f"{one}.", f"{one}[")):
            last = one
            yield one


def _block(resource: ConfigResource) -> str:
    address = resource.address
    while address.startswith("module."):
        address = address.split(".", 2)[2] if address.count(".") >= 2 else ""
    return address
