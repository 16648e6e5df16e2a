"""Commands as the code declares them: click, typer, argparse, cobra, picocli, commander, main functions, Django's."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.context import Context, entry
from tidegate.reach.entries.dialect import decorated
from tidegate.reach.entries.features import MAIN
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.follow import Follower
from tidegate.reach.entries.interface import Mark
from tidegate.reach.entries.tables import JVM, PYTHON, SCRIPT, Row, finder
from tidegate.reach.symbols import FileSymbols

_PACKAGES = words("click typer rich_click asyncclick cloup flask argparse")
_DECORATORS = words("command group callback")
_CALLS = words("add_command add_typer add_parser set_defaults")
_ROWS = (
    Row("command", "cobra", words("Command"), words("github.com/spf13/cobra"), (".go",), ("Use",), ("RunE", "Run")),
    Row("command", "urfave-cli", words("Command"), words("github.com/urfave/cli"), (".go",), ("Name",), ("Action",)),
    Row("command", "picocli", words("Command"), words("picocli"), JVM, ("name",)),
    Row("command", "commander", words("action"), words("commander cac"), SCRIPT, (), (0,)),
    Row("command", "yargs", words("command"), words("yargs"), SCRIPT, (0,), (3, 2)),
    Row("command", "nest", words("Command SubCommand"), words("nest-commander"), SCRIPT, ("name",)),
    Row("command", "fire", words("Fire"), words("fire"), PYTHON, (), (0,)),
)


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for reference in symbols.references:
        last = chains.last(reference.chain)
        if reference.kind == "decorate" and last in _DECORATORS:
            index = decorated(symbols, reference.chain, reference.line)
            if index >= 0:
                found.append(Mark("commands", last, index, reference.line, reference.chain, reference.arguments))
        elif reference.kind == "call" and last in _CALLS:
            within, line = reference.within, reference.line
            found.append(Mark("commands", last, within, line, reference.chain, reference.arguments))
    return tuple(found)


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    yield from _Commands(marks, context).entries()


class _Commands:
    """The commands of Python, with the groups that they are in."""

    def __init__(self, marks: MarksByPath, context: Context) -> None:
        self._context = context
        self._marks = marks
        self._follower = Follower(context)
        self._own: dict[SymbolId, tuple[str, str, Mark]] = {}
        self._parents: dict[SymbolId, tuple[str, int, str, int, str]] = {}
        for path, every in marks.items():
            for mark in every:
                self._read(path, mark)

    def entries(self) -> Iterator[EntryPoint]:
        for symbol, (name, framework, mark) in self._own.items():
            outer = self._group(symbol, 0)
            yield entry("command", f"{outer} {name}".strip(), framework, symbol, mark.line)
        for path, every in self._marks.items():
            for mark in every:
                if mark.what == "set_defaults":
                    yield from self._parser(path, mark)

    # Private

    def _read(self, path: str, mark: Mark) -> None:
        if mark.what in ("add_command", "add_typer"):
            plain = chains.positional(mark.arguments)
            target = plain[0] if plain else ""
            name = next((t for one in (chains.named(mark.arguments, "name") or "",) for t in chains.texts(one)), "")
            receiver = chains.receiver(mark.chain)
            for symbol in self._symbols(path, mark.within, target, mark.line):
                self._parents[symbol] = (path, mark.within, receiver, mark.line, name)
        elif mark.what in _DECORATORS:
            self._declare(path, mark)

    def _declare(self, path: str, mark: Mark) -> None:
        definition = self._context.definition(path, mark.within)
        if definition is None:
            return
        symbol = SymbolId(path, definition.name)
        receiver = chains.receiver(mark.chain)
        packages = {
            chains.external(value.chain)[0]
            for chain in (mark.chain, receiver)
            if chain
            for value in self._follower.values(path, max(definition.parent, 0), chain, mark.line)
        }
        groups = self._symbols(path, max(definition.parent, 0), receiver, mark.line) if receiver else []
        if not packages & _PACKAGES and not groups:
            return
        if groups:
            self._parents.setdefault(symbol, (path, max(definition.parent, 0), receiver, mark.line, ""))
        given = [text for one in chains.positional(mark.arguments)[:1] for text in chains.texts(one)]
        given += list(chains.texts(chains.named(mark.arguments, "name") or ""))
        name = given[0] if given else definition.name.rpartition(".")[2].replace("_", "-")
        framework = "typer" if "typer" in packages else "click"
        if mark.what != "callback":
            self._own[symbol] = (name, framework, mark)

    def _symbols(self, path: str, within: int, chain: str, line: int) -> list[SymbolId]:
        """The function of a click group, or the variable of a typer application."""
        found: list[SymbolId] = []
        for value in self._follower.values(path, within, chain, line):
            if value.index >= 0 and not value.instance:
                found.append(self._context.symbol(value.path, value.index))
            elif value.made.site is not None and chains.external(value.chain)[0] in _PACKAGES:
                found.append(SymbolId(value.made.site.path, value.made.site.name))
        return found

    def _group(self, symbol: SymbolId, depth: int) -> str:
        parent = self._parents.get(symbol)
        if parent is None or depth > 8:
            return ""
        path, within, receiver, line, _ = parent
        for outer in self._symbols(path, within, receiver, line):
            if outer == symbol:
                continue
            above = self._group(outer, depth + 1)
            own = self._own[outer][0] if outer in self._own else (self._parents.get(outer) or ("",) * 5)[4]
            return f"{above} {own}".strip()
        return ""

    def _parser(self, path: str, mark: Mark) -> Iterator[EntryPoint]:
        """A subparser of argparse and the function that its defaults name."""
        chain = next((one.partition("=")[2] for one in mark.arguments if "=" in one and '"' not in one), "")
        view = self._context.view(path)
        for value in self._follower.values(path, mark.within, chains.receiver(mark.chain), mark.line):
            written = value.made.written
            if not written.endswith("add_parser()") or view is None:
                continue
            call = view.call_at(written[:-2], value.made.line) if value.made.path == path else None
            names = chains.texts(call.arguments[0]) if call and call.arguments else ()
            here = (self._context.symbol(path, mark.within),)
            for handler in self._context.handlers(path, mark.within, chain) or here:
                yield entry("command", names[0] if names else "{?}", "argparse", handler, mark.line)


def _main_marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for place, one in enumerate(symbols.definitions):
        is_main = one.name == "main" or (one.name.endswith(".main") and "static" in one.flags)
        if is_main and one.kind in ("function", "method"):
            found.append(Mark("mains", "main", place, one.line, one.name))
    found += [
        Mark("mains", "script", 0, text.line, "__main__")
        for text in symbols.texts
        if text.value == "__main__" and text.within == 0
    ][:1]
    return tuple(found)


def _join_mains(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    for path, every in marks.items():
        for mark in every:
            point = _main(path, mark, context)
            if point is not None:
                yield point


def _main(path: str, mark: Mark, context: Context) -> EntryPoint | None:
    view = context.view(path)
    symbol = context.symbol(path, mark.within)
    folder, _, file = path.rpartition("/")
    if mark.what == "script":
        name = f"python -m {folder.replace('/', '.')}" if file == "__main__.py" else f"python {path}"
        return entry("command", name, "python", symbol, mark.line)
    if view is None or path.endswith(".py"):
        return None
    if path.endswith(".go"):
        return entry("command", folder or ".", "go", symbol, mark.line) if view.symbols.package == "main" else None
    if path.endswith(".rs"):
        is_binary = file == "main.rs" or "/bin/" in f"/{path}" or "examples/" in path
        return entry("command", path, "rust", symbol, mark.line) if is_binary and symbol.name == "main" else None
    if path.endswith(JVM):
        name = symbol.name.removesuffix(".main") if "." in symbol.name else file
        return entry("command", name, "java", symbol, mark.line)
    return None


def _join_management(_: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    for path in context.sources.paths:
        folder, file = path.rpartition("/")[::2]
        if not folder.endswith("management/commands") or not file.endswith(".py") or file.startswith("_"):
            continue
        view = context.view(path)
        handler = next((one for one in ("Command.handle", "Command") if view and one in view.names), "")
        symbol = SymbolId(path, handler)
        yield entry("command", f"manage.py {file.removesuffix('.py')}", "django", symbol, context.line_of(symbol))


FINDERS = (
    Finder("commands", _join, PYTHON, _PACKAGES | {"decorated"}, _marks),
    Finder("mains", _join_mains, (".py", ".go", ".rs", *JVM), frozenset((MAIN,)), _main_marks),
    Finder("management-commands", _join_management),
    finder("command-tables", _ROWS),
)
