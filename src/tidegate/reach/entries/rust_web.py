"""Routes of Rust: axum's routers, and the attributes and scopes of actix-web and Rocket."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.context import Context, http
from tidegate.reach.entries.dialect import UNKNOWN, Action, Dialect, Kind, Use, decorated, join_path, read_marks
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.routes import all_entries
from tidegate.reach.symbols import FileSymbols

_VERBS = words("get post put delete patch head options trace any")
_ACTIX = words("actix_web rocket")


def _act(use: Use) -> Action | None:
    plain = use.mark.arguments
    if use.name in ("nest", "nest_service") and len(plain) == 2:
        return Action("attach", paths=(plain[0],), child=plain[1])
    if use.name == "merge" and plain:
        return Action("attach", paths=('""',), child=plain[0])
    if use.name != "route" or len(plain) < 2:
        return None
    root, steps = chains.split(plain[1])
    names = [root] if not root.startswith("<") else []
    names += [step[1:] for step in steps if step.startswith(".")]
    handlers: list[str] = []
    chain = plain[1]
    while chain.endswith("()"):
        chain = chain[:-2]
        handlers += use.call(chain)[:1]
        chain = chains.receiver(chain)
    methods = [name.upper().replace("ANY", "*") for name in names if name in _VERBS]
    path = (chains.texts(plain[0]) or (UNKNOWN,))[:1]
    return Action("route", tuple(methods) or ("*",), path, tuple(reversed(handlers)) or ("",))


DIALECT = Dialect(
    name="rust-web",
    kinds={("axum", "Router.new"): Kind("axum", True), ("axum", "Router"): Kind("axum", True)},
    steps=words("route nest nest_service merge"),
    derives=words("route nest nest_service merge layer route_layer with_state fallback"),
    act=_act,
    passes=words("route nest nest_service merge layer route_layer with_state fallback"),
    names=words("router app"),
)


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    return read_marks(DIALECT, symbols)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    yield from all_entries(DIALECT, marks, context)


def _attribute_marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for reference in symbols.references:
        last = chains.last(reference.chain)
        if reference.kind == "decorate" and chains.texts(next(iter(reference.arguments), "")):
            index = decorated(symbols, reference.chain, reference.line)
            if index >= 0:
                chain, line = reference.chain, reference.line
                found.append(Mark("rust-attributes", "route", index, line, chain, reference.arguments))
        elif reference.kind == "call" and last == "service" and reference.arguments:
            within, line = reference.within, reference.line
            found.append(Mark("rust-attributes", last, within, line, reference.chain, reference.arguments))
    return tuple(found)


def _join_attributes(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    prefixes: dict[SymbolId, list[str]] = {}
    for path, every in marks.items():
        for mark in every:
            if mark.what == "service":
                for symbol in context.handlers(path, mark.within, mark.arguments[0]):
                    prefixes.setdefault(symbol, []).append(_scope(path, mark, context))
    for path, every in marks.items():
        for mark in every:
            verb = _verb(path, mark, context) if mark.what == "route" else ""
            symbol = context.symbol(path, mark.within)
            for prefix in prefixes.get(symbol, [UNKNOWN]) if verb else ():
                text = chains.texts(mark.arguments[0])[0]
                yield http(verb, join_path(prefix, text), "actix", symbol, mark.line)


def _verb(path: str, mark: Mark, context: Context) -> str:
    """The method of `#[get("/x")]`, under whatever name it was imported; "" for other attributes."""
    view = context.view(path)
    root, _ = chains.split(mark.chain)
    chain = mark.chain
    for one in view.bindings.get((0, root), []) if view else []:
        chain = one.value
    name = chains.last(chain)
    return name.upper() if name in _VERBS and chains.external(chain)[0] in _ACTIX else ""


def _scope(path: str, mark: Mark, context: Context) -> str:
    chain = chains.receiver(mark.chain)
    view = context.view(path)
    while view is not None and chain:
        if chain.endswith("scope()"):
            call = view.call_at(chain[:-2], mark.line)
            return (chains.texts(call.arguments[0]) or (UNKNOWN,))[0] if call and call.arguments else UNKNOWN
        if chain.endswith("App.new()"):
            return ""
        chain = chains.receiver(chain)
    return UNKNOWN


FINDERS = (
    Finder("rust-web", _join, (".rs",), words("axum"), _marks),
    Finder("rust-attributes", _join_attributes, (".rs",), _ACTIX, _attribute_marks),
)
