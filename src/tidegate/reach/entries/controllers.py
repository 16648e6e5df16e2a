"""Routes that classes and methods carry as annotations: Spring, JAX-RS, Micronaut and Nest.

A class has a prefix, its methods have paths below it; the annotations of an interface or a base class are inherited.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.context import Context, http
from tidegate.reach.entries.dialect import UNKNOWN, decorated, join_path
from tidegate.reach.entries.features import DECORATED
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.tables import JVM, SCRIPT
from tidegate.reach.symbols import FileSymbols

_VERBS = words("GET POST PUT DELETE PATCH HEAD OPTIONS")


class _Style(Struct, frozen=True):
    """`classes` give a class its prefix (or say that it serves); `methods` map an annotation to its HTTP method."""

    framework: str
    classes: frozenset[str]
    methods: dict[str, str]
    paths: tuple[str, ...]
    package: str


_SPRING = _Style(
    "spring",
    words("RequestMapping RestController Controller HttpExchange"),
    {**{f"{verb.title()}Mapping": verb for verb in _VERBS}, "RequestMapping": ""},
    ("value", "path", ""),
    "org.springframework",
)
_JAX = _Style("jax-rs", words("Path"), {verb: verb for verb in _VERBS}, ("value", ""), "")
_MICRONAUT = _Style(
    "micronaut", words("Controller"), {verb.title(): verb for verb in _VERBS}, ("value", "uri", ""), "io.micronaut"
)
_NEST = _Style(
    "nest",
    words("Controller"),
    {**{verb.title(): verb for verb in _VERBS}, "All": "*", "Sse": "GET"},
    ("path", ""),
    "@nestjs/common",
)
_ALL = frozenset().union(*(style.classes | set(style.methods) for style in (_SPRING, _JAX, _MICRONAUT, _NEST)))


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for reference in symbols.references:
        if reference.kind == "decorate" and chains.last(reference.chain) in _ALL:
            index = decorated(symbols, reference.chain, reference.line)
            if index >= 0:
                found.append(
                    Mark("controllers", "decorate", index, reference.line, reference.chain, reference.arguments)
                )
    return tuple(found)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    for path, every in marks.items():
        style = _style(path, every, context)
        by_class: dict[int, list[Mark]] = {}
        for mark in every:
            by_class.setdefault(mark.within, []).append(mark)
        for mark in every:
            if chains.last(mark.chain) in style.methods:
                yield from _routes(path, mark, style, by_class, context)


def _style(path: str, marks: tuple[Mark, ...], context: Context) -> _Style:
    if not path.endswith(JVM):
        return _NEST
    view = context.view(path)
    packages = {chains.external(one.value)[0] for one in view.symbols.bindings} if view else set()
    names = {chains.last(mark.chain) for mark in marks}
    if "io.micronaut" in packages and not any(name.endswith("Mapping") for name in names):
        return _MICRONAUT
    return _JAX if names & _VERBS or (names == {"Path"}) else _SPRING


def _routes(
    path: str, mark: Mark, style: _Style, by_class: dict[int, list[Mark]], context: Context
) -> Iterator[EntryPoint]:
    definition = context.definition(path, mark.within)
    if definition is None or definition.kind in ("class", "interface"):
        return
    prefixes = _prefixes(path, by_class.get(definition.parent, []), style, context)
    own = [one for one in by_class[mark.within] if chains.last(one.chain) == "Path"] if style is _JAX else [mark]
    texts = [text for one in own for text in _paths(path, one, style, context)] or [""]
    handler = SymbolId(path, definition.name)
    for method in _methods(path, mark, style, context):
        for prefix in prefixes:
            for text in texts:
                yield http(method, join_path(prefix, text), style.framework, handler, mark.line)


def _prefixes(path: str, marks: list[Mark], style: _Style, context: Context) -> list[str]:
    """The prefixes of a class: a mapping goes before what merely says that it is a controller."""
    given = [one for one in marks if chains.last(one.chain) in style.classes]
    if style is _SPRING:
        given = [one for one in given if chains.last(one.chain) in ("RequestMapping", "HttpExchange")]
    found = [text for one in given for text in _paths(path, one, style, context)]
    return found or [""]


def _paths(path: str, mark: Mark, style: _Style, context: Context) -> list[str]:
    found: list[str] = []
    for name in style.paths:
        values = chains.all_named(mark.arguments, name) if name else chains.positional(mark.arguments)
        if not values:
            continue
        texts = [text for value in values for text in chains.texts(value)]
        found += texts or _from_source(path, mark, style, context) or [_constant(path, mark, values[0], context)]
        break
    return [text.replace("{}", UNKNOWN) for text in found]


def _from_source(path: str, mark: Mark, style: _Style, context: Context) -> list[str]:
    node = context.call(path, mark)
    for one in node.items if node else ():
        if one.key in style.paths and one.texts():
            return list(one.texts())
        inner = next((found for name in style.paths if name and (found := one.get(name))), None)
        if one.kind == "map" and not one.key:
            return list(inner.texts()) if inner is not None else [""]
        if one.kind == "list" and not one.key and one.texts():
            return list(one.texts())
    return []


def _constant(path: str, mark: Mark, chain: str, context: Context) -> str:
    for symbol in context.resolve(path, mark.within, chain):
        node = context.tokens(symbol.path).value(context.line_of(symbol), symbol.name.rpartition(".")[2])
        if node is not None and node.kind == "text":
            return node.text
    return UNKNOWN


def _methods(path: str, mark: Mark, style: _Style, context: Context) -> tuple[str, ...]:
    fixed = style.methods[chains.last(mark.chain)]
    if fixed:
        return (fixed,)
    value = chains.named(mark.arguments, "method")
    if value is None:
        return ("*",)
    found = [part.rpartition(".")[2] for part in value.split("|") if part.rpartition(".")[2] in _VERBS]
    if not found:
        node = context.call(path, mark)
        listed = node.get("method") if node else None
        found = [one.text.rpartition(".")[2] for one in listed.items] if listed else []
    return tuple(sorted(one for one in found if one in _VERBS)) or ("*",)


FINDERS = (Finder("controllers", _join, (*JVM, *SCRIPT), frozenset((DECORATED,)), _marks),)
