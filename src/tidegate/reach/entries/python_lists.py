"""Routes of Python that stand in lists: Starlette's Route and Mount, aiohttp's web.get, Tornado's pairs."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.class_methods import class_methods
from tidegate.reach.entries.context import Context, http
from tidegate.reach.entries.dialect import UNKNOWN, join_path
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.follow import Follower, Site
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.literals import Node
from tidegate.reach.symbols import FileSymbols

_STARLETTE = words("Route WebSocketRoute APIRoute Mount")
_AIOHTTP = words("get post put delete patch head view")
_TORNADO = words("Application URLSpec RuleRouter")
_NEEDS = words("starlette fastapi aiohttp tornado")


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for reference in symbols.references:
        last = chains.last(reference.chain)
        if reference.kind != "call" or last not in _STARLETTE | _AIOHTTP | _TORNADO:
            continue
        if last in _AIOHTTP and chains.receiver(reference.chain) not in ("web", "aiohttp.web"):
            continue
        within, line = reference.within, reference.line
        found.append(Mark("python-lists", last, within, line, reference.chain, reference.arguments))
    return tuple(found)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    yield from _Lists(marks, context).entries()


class _Lists:
    """The routes of all files, with the mounts that they are in."""

    def __init__(self, marks: MarksByPath, context: Context) -> None:
        self._context = context
        self._marks = marks
        self._follower = Follower(context)
        self._mounted: dict[Site, list[tuple[str, Mark]]] = {}
        self._spans: dict[str, list[tuple[int, int, Mark]]] = {}
        for path, every in marks.items():
            for mark in every:
                if mark.what == "Mount":
                    self._mount(path, mark)

    def entries(self) -> Iterator[EntryPoint]:
        for path, every in self._marks.items():
            for mark in every:
                if mark.what in _TORNADO:
                    yield from self._tornado(path, mark)
                elif mark.what != "Mount" and self._is_route(path, mark):
                    yield from self._route(path, mark)

    # Private

    def _is_route(self, path: str, mark: Mark) -> bool:
        package = {chains.external(v.chain)[0] for v in self._follower.values(path, mark.within, mark.chain, mark.line)}
        return bool(package & _NEEDS) and bool(chains.positional(mark.arguments))

    def _mount(self, path: str, mark: Mark) -> None:
        target = chains.named(mark.arguments, "routes") or chains.named(mark.arguments, "app") or ""
        plain = chains.positional(mark.arguments)
        target = target or (plain[1] if len(plain) > 1 else "")
        for value in self._follower.values(path, mark.within, target, mark.line) if target else ():
            if value.made.site is not None:
                self._mounted.setdefault(value.made.site, []).append((path, mark))
        node = self._context.call(path, mark)
        if node is not None and node.end_line > mark.line:
            self._spans.setdefault(path, []).append((mark.line, node.end_line, mark))

    def _prefixes(self, path: str, mark: Mark, depth: int = 0) -> list[str]:
        if depth > 8:
            return []
        spans = [one for one in self._spans.get(path, ()) if one[0] < mark.line <= one[1]]
        holders = [(path, max(spans, key=lambda one: one[0])[2])] if spans else self._holders(path, mark)
        found = [join_path(p, _text(outer)) for file, outer in holders for p in self._prefixes(file, outer, depth + 1)]
        return sorted(set(found)) or [""]

    def _holders(self, path: str, mark: Mark) -> list[tuple[str, Mark]]:
        definition = self._context.definition(path, mark.within)
        name = definition.name if definition and definition.kind in ("variable", "constant") else ""
        return self._mounted.get(Site(path, 0, name), []) if name else []

    def _route(self, path: str, mark: Mark) -> Iterator[EntryPoint]:
        plain = chains.positional(mark.arguments)
        given = chains.named(mark.arguments, "endpoint") or (plain[1] if len(plain) > 1 else "")
        methods = chains.texts(chains.named(mark.arguments, "methods") or "") or ("GET",)
        if mark.what == "WebSocketRoute":
            methods = ("WS",)
        framework = "starlette"
        if mark.what in _AIOHTTP:
            methods, framework = (mark.what.upper().replace("VIEW", "*"),), "aiohttp"
        found = self._context.handlers(path, mark.within, given) or (self._context.symbol(path, mark.within),)
        for prefix in self._prefixes(path, mark):
            for symbol in found:
                yield from self._of(symbol, methods, join_path(prefix, _text(mark)), framework, mark.line)

    def _of(
        self, symbol: SymbolId, methods: tuple[str, ...], path: str, framework: str, line: int
    ) -> Iterator[EntryPoint]:
        own = class_methods(self._context, self._follower, symbol)
        for method, handler in own.items() or [(method, symbol) for method in methods]:
            yield http(method, path, framework, handler, line)

    def _tornado(self, path: str, mark: Mark) -> Iterator[EntryPoint]:
        packages = [
            chains.external(v.chain)[0] for v in self._follower.values(path, mark.within, mark.chain, mark.line)
        ]
        node = self._context.call(path, mark) if "tornado" in packages else None
        for pair in _pairs(node) if node else ():
            for symbol in self._context.handlers(path, mark.within, pair.items[1].text):
                yield from self._of(symbol, ("*",), pair.items[0].text, "tornado", pair.line)


def _pairs(node: Node) -> Iterator[Node]:
    """The (path, handler) pairs in the lists of a call."""
    pending = list(node.items)
    while pending:
        one = pending.pop(0)
        if len(one.items) >= 2 and one.items[0].kind == "text" and one.items[1].kind == "word":
            yield one
        elif one.kind in ("list", "other"):
            pending += one.items


def _text(mark: Mark) -> str:
    value = chains.named(mark.arguments, "path") or next(iter(chains.positional(mark.arguments)), "")
    return (chains.texts(value) or (UNKNOWN,))[0]


FINDERS = (Finder("python-lists", _join, (".py",), _NEEDS, _marks),)
