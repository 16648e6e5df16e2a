"""What one family of web frameworks calls things, and the marks that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from tidegate.reach.entries import chains
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.literals import Node
from tidegate.reach.symbols import Definition, FileSymbols

UNKNOWN = "{?}"


class Kind(Struct, frozen=True):
    """What a class or function of a framework makes. A `root` is served by itself where nothing attaches it.

    `prefix` is the argument that gives its own prefix.
    """

    framework: str
    root: bool = False
    prefix: str = ""


class Action(Struct, frozen=True):
    """What one call does with its router.

    "route": serves `paths` with `methods` by `handlers`, chains of which "" is a function written in place (the last
    is the handler, others run before it). "attach": puts `child` under `paths`, in place of the child's own prefix
    where `replaces`. "middleware": `handlers` run for every request.
    """

    what: str
    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ("",)
    handlers: tuple[str, ...] = ()
    child: str = ""
    replaces: bool = False


class Use(Struct, frozen=True):
    """A call on a router, or a decorator: `name` is the member that is called, `node` reads it from the source."""

    name: str
    path: str
    mark: Mark
    framework: str
    node: Callable[[], Node | None]
    call: Callable[[str], tuple[str, ...]]


class Dialect(Struct, frozen=True):
    """One family of frameworks.

    `kinds` are by package and name of what makes or types a router. `steps` are the members whose calls matter;
    those in `derives` answer with a router whose prefix is their first text, or with the same one if they are in
    `passes` too. Those in `closures` call a function
    written in place, in which routes have their prefix. `names` are names of routers that nobody could trace.
    """

    name: str
    kinds: Mapping[tuple[str, str], Kind]
    steps: frozenset[str]
    derives: frozenset[str]
    act: Callable[[Use], Action | None]
    passes: frozenset[str] = frozenset()
    closures: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    wrapped: bool = False


def read_marks(dialect: Dialect, symbols: FileSymbols) -> tuple[Mark, ...]:
    """The calls and decorators of one file that may matter to the dialect."""
    found: list[Mark] = []
    routers = _router_names(dialect, symbols)
    for reference in symbols.references:
        if reference.kind == "call":
            chain, arguments = reference.chain, reference.arguments
            if chain[chain.rfind(".") + 1 :] in dialect.steps and "." in chain:
                found.append(Mark(dialect.name, "call", reference.within, reference.line, chain, arguments))
            elif arguments and any(_root(argument) in routers for argument in arguments):
                found.append(Mark(dialect.name, "pass", reference.within, reference.line, chain, arguments))
        elif reference.kind == "decorate" and chains.last(reference.chain) in dialect.steps:
            index = decorated(symbols, reference.chain, reference.line)
            if index >= 0:
                found.append(
                    Mark(dialect.name, "decorate", index, reference.line, reference.chain, reference.arguments)
                )
    return tuple(found)


def decorated(symbols: FileSymbols, chain: str, line: int) -> int:
    """The index of the definition that the decorator at the line decorates, -1 for none."""

    def fits(one: Definition) -> bool:
        return one.line <= line <= one.end_line and (chain in one.decorators or f"{chain}()" in one.decorators)

    found = [place for place, one in enumerate(symbols.definitions) if fits(one)]
    return max(found, key=lambda place: (symbols.definitions[place].line, place), default=-1)


def join_path(prefix: str, path: str) -> str:
    """The path under the prefix, with one slash between and at the start."""
    if not prefix and path.startswith(UNKNOWN):
        return path
    joined = f"{prefix.rstrip('/')}/{path.lstrip('/')}" if path not in ("", "/") else prefix or path
    joined = joined or "/"
    return joined if joined.startswith(("/", UNKNOWN, "^", "http", "*")) else "/" + joined


# Private


def _root(argument: str) -> str:
    """The name with which an argument begins, "" for texts."""
    if not argument or argument[0] in '"%?<':
        return ""
    if "=" in argument:
        argument = argument.partition("=")[2]
    for place, letter in enumerate(argument):
        if letter in ".([!*":
            return argument[:place]
    return argument


def _router_names(dialect: Dialect, symbols: FileSymbols) -> set[str]:
    """Names in one file that look like routers: made by a kind of the dialect, derived from one, typed or named so."""
    found = set(dialect.names)
    kinds = {name.rpartition(".")[2] for _, name in dialect.kinds if name}
    for binding in symbols.bindings:
        if binding.value.endswith("()") and chains.last(binding.value) in kinds | dialect.derives:
            found.add(binding.name)
    for definition in symbols.definitions:
        found.update(one.name for one in definition.parameters if one.type and chains.last(one.type) in kinds)
    return found
