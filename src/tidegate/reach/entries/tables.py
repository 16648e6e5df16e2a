"""Entry points that one decorator, annotation or call makes by itself, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.reach.answer import EntryKind, EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.context import Context, entry
from tidegate.reach.entries.dialect import decorated
from tidegate.reach.entries.features import DECORATED
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.follow import Follower
from tidegate.reach.entries.interface import Mark
from tidegate.reach.symbols import Binding, FileSymbols

PYTHON = (".py",)
SCRIPT = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
JVM = (".java", ".kt")


class Row(Struct, frozen=True):
    """One decorator or call that makes an entry point.

    `names` are what the chain ends with, `packages` where it or the object before it comes from; a `loose` row
    believes its name where that cannot be told. `label` lists the arguments that name the entry point: an argument's
    name, or the place of one without a name; the handler's name where all are missing. `handler` does so for calls; a
    decorator's handler is what it decorates.
    """

    kind: EntryKind
    framework: str
    names: frozenset[str]
    packages: frozenset[str]
    suffixes: tuple[str, ...]
    label: tuple[str | int, ...] = ()
    handler: tuple[str | int, ...] = ()
    loose: bool = False
    prefix: str = ""


def finder(name: str, rows: Sequence[Row]) -> Finder:
    """The finder of a table."""
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        for one in row.names:
            by_name.setdefault(one, []).append(row)
    suffixes = tuple(sorted({suffix for row in rows for suffix in row.suffixes}))
    needs = frozenset(package for row in rows for package in row.packages)
    if any(row.loose for row in rows):
        needs |= {DECORATED}

    def marks(symbols: FileSymbols) -> tuple[Mark, ...]:
        return tuple(_marks(name, by_name, symbols))

    def join(found: MarksByPath, context: Context) -> Iterator[EntryPoint]:
        yield from _join(by_name, found, context)

    return Finder(name, join, suffixes, needs, marks)


def argument(arguments: tuple[str, ...], wanted: tuple[str | int, ...]) -> str:
    """The first of the wanted arguments that is there; "" for none."""
    plain = chains.positional(arguments)
    for one in wanted:
        if isinstance(one, str):
            found = chains.named(arguments, one)
            if found is not None:
                return found
        elif -len(plain) <= one < len(plain):
            return plain[one]
    return ""


# Private


def _marks(name: str, rows: dict[str, list[Row]], symbols: FileSymbols) -> Iterator[Mark]:
    for reference in symbols.references:
        if reference.kind not in ("call", "decorate"):
            continue
        last = chains.last(reference.chain)
        if last not in rows:
            continue
        if reference.kind == "call":
            if any(row.handler for row in rows[last]):
                yield Mark(name, "call", reference.within, reference.line, reference.chain, reference.arguments)
            continue
        index = decorated(symbols, reference.chain, reference.line)
        if index >= 0:
            yield Mark(name, "decorate", index, reference.line, reference.chain, reference.arguments)


def _join(rows: dict[str, list[Row]], marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    follower = Follower(context)
    for path, every in marks.items():
        suffix = path[path.rfind(".") :]
        for mark in every:
            for row in rows[chains.last(mark.chain)]:
                if suffix not in row.suffixes or bool(row.handler) != (mark.what == "call"):
                    continue
                if origin_fits(row, path, mark, context, follower):
                    yield from _entries(row, path, mark, context)
                    break


def origin_fits(row: Row, path: str, mark: Mark, context: Context, follower: Follower) -> bool:
    """Whether the name that is called or decorates comes from one of the row's packages."""
    definition = context.definition(path, mark.within)
    within = definition.parent if mark.what == "decorate" and definition else mark.within
    receiver = chains.receiver(mark.chain)
    known = False
    for chain in (mark.chain, receiver) if receiver else (mark.chain,):
        for value in follower.values(path, within, chain, mark.line):
            package = chains.external(value.chain)[0]
            if package in row.packages:
                return True
            known = known or bool(package) or value.index >= 0
    if known and not row.loose:
        return False
    imported = {chains.package_of(one.value[1 : one.value.find(">")]) for one in _imports(context, path)}
    return (row.loose and not known) or (not known and not imported.isdisjoint(row.packages))


def _imports(context: Context, path: str) -> list[Binding]:
    view = context.view(path)
    return [one for one in view.symbols.bindings if one.value.startswith("<")] if view else []


def _labels(row: Row, mark: Mark) -> tuple[str, ...]:
    for one in row.label:
        values = chains.all_named(mark.arguments, one) if isinstance(one, str) else (argument(mark.arguments, (one,)),)
        texts = tuple(text for value in values for text in chains.texts(value))
        if texts:
            return texts
    return ()


def _entries(row: Row, path: str, mark: Mark, context: Context) -> Iterator[EntryPoint]:
    here = context.symbol(path, mark.within)
    handlers: tuple[SymbolId, ...] = (here,)
    if mark.what == "call":
        handlers = context.handlers(path, mark.within, argument(mark.arguments, row.handler)) or (here,)
    labels = _labels(row, mark)
    for handler in handlers:
        for label in labels or (handler.name or handler.path,):
            if row.kind == "command":
                label = label.split()[0] if label.split() else label
            yield entry(row.kind, f"{row.prefix}{label}".replace("{}", "{?}"), row.framework, handler, mark.line)
