"""What finders share while they join: views of files, their sources, and which symbol a chain means."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from tidegate.reach.answer import EntryKind, EntryPoint, SymbolId
from tidegate.reach.entries import chains
from tidegate.reach.entries.interface import Mark, Sources
from tidegate.reach.entries.literals import Node, Tokens
from tidegate.reach.symbols import Binding, Definition, FileSymbols, Reference

LARGEST_SOURCE = 2 << 20
MOST_HANDLERS = 8


class FileView:
    """The symbols of one file, with the indexes that following a name needs."""

    def __init__(self, symbols: FileSymbols) -> None:
        self.symbols = symbols

    @cached_property
    def bindings(self) -> dict[tuple[int, str], list[Binding]]:
        found: dict[tuple[int, str], list[Binding]] = {}
        for binding in self.symbols.bindings:
            found.setdefault((binding.scope, binding.name), []).append(binding)
        return found

    @cached_property
    def names(self) -> dict[str, int]:
        """Qualified name to the index of its last definition."""
        return {definition.name: place for place, definition in enumerate(self.symbols.definitions)}

    @cached_property
    def calls(self) -> dict[str, list[Reference]]:
        """Calls and decorators by their chain."""
        found: dict[str, list[Reference]] = {}
        for reference in self.symbols.references:
            if reference.kind in ("call", "decorate"):
                found.setdefault(reference.chain, []).append(reference)
        return found

    def definition(self, index: int) -> Definition | None:
        definitions = self.symbols.definitions
        return definitions[index] if 0 <= index < len(definitions) else None

    def call_at(self, chain: str, line: int) -> Reference | None:
        """The call of the chain at the line, else the nearest one at most 40 lines above it."""
        best: Reference | None = None
        for reference in self.calls.get(chain, ()):
            if reference.line == line:
                return reference
            if line - 40 <= reference.line < line and (best is None or best.line < reference.line):
                best = reference
        return best

    def class_of(self, index: int) -> int:
        """The index of the class around a definition, -1 outside of any."""
        definitions = self.symbols.definitions
        own = definitions[index].name if 0 <= index < len(definitions) else ""
        while 0 <= index < len(definitions):
            if definitions[index].kind in ("class", "interface", "type"):
                return index
            index = definitions[index].parent
        # Go: a method stands outside of its type.
        return self.names.get(own.rpartition(".")[0], -1) if "." in own else -1


class Context:
    """The sources, read once each. Made for one question and thrown away."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._views: dict[str, FileView | None] = {}
        self._contents: dict[str, bytes | None] = {}
        self._tokens: dict[str, Tokens] = {}
        self._resolved: dict[tuple[str, int, str], tuple[SymbolId, ...]] = {}

    def view(self, path: str) -> FileView | None:
        """The symbols of the file; None for one that no reader reads."""
        if path not in self._views:
            symbols = self.sources.files.get(path)
            self._views[path] = None if symbols is None else FileView(symbols)
        return self._views[path]

    def definition(self, path: str, index: int) -> Definition | None:
        """The definition of that index."""
        view = self.view(path)
        return view.definition(index) if view else None

    def fetch(self, paths: Iterable[str]) -> None:
        """Reads files ahead, in one go."""
        wanted = sorted({path for path in paths if path not in self._contents})
        if not wanted:
            return
        contents = self.sources.read(wanted)
        for path in wanted:
            content = contents.get(path)
            self._contents[path] = content if content is not None and len(content) <= LARGEST_SOURCE else None

    def content(self, path: str) -> bytes:
        """The bytes of the file; empty for one that is missing or too large."""
        self.fetch([path])
        return self._contents[path] or b""

    def text(self, path: str) -> str:
        """The text of the file, what is not UTF-8 replaced."""
        return self.content(path).decode("utf-8", "replace")

    def tokens(self, path: str) -> Tokens:
        """The tokens of the file, for literal arguments."""
        if path not in self._tokens:
            self._tokens[path] = Tokens(self.text(path), "." + path.rpartition(".")[2])
        return self._tokens[path]

    def call(self, path: str, mark: Mark) -> Node | None:
        """The call of a mark as the source writes it, with lists and maps."""
        return self.tokens(path).call(mark.line, chains.last(mark.chain))

    def symbol(self, path: str, within: int) -> SymbolId:
        """The definition itself, or the file."""
        definition = self.definition(path, within)
        return SymbolId(path, definition.name if definition else "")

    def line_of(self, symbol: SymbolId) -> int:
        """Where the symbol is defined."""
        view = self.view(symbol.path)
        index = view.names.get(symbol.name) if view else None
        found = view.definition(index) if view and index is not None else None
        return found.line if found else 1

    def resolve(self, path: str, within: int, chain: str) -> tuple[SymbolId, ...]:
        """What the chain means in the tree, at most `MOST_HANDLERS` symbols."""
        if not chain or chain[0] in '"%?':
            return ()
        key = (path, within, chain)
        if key not in self._resolved:
            self._resolved[key] = tuple(sorted(set(self.sources.resolve(path, within, chain))))[:MOST_HANDLERS]
        return self._resolved[key]

    def handlers(self, path: str, within: int, chain: str) -> tuple[SymbolId, ...]:
        """The functions or classes that the chain hands over; () where it means nothing in the tree."""
        bare = chain.removesuffix(".as_view()").removesuffix(".bind()")
        found = self.resolve(path, within, bare)
        if not found and bare.endswith("()"):
            found = self.resolve(path, within, bare[:-2])
        return tuple(symbol for symbol in found if symbol.name)


def entry(
    kind: EntryKind, name: str, framework: str, handler: SymbolId, line: int, probability: float = 1.0
) -> EntryPoint:
    """An entry point without method and path."""
    return EntryPoint(kind, name, "", "", framework, handler, line, probability)


def http(method: str, path: str, framework: str, handler: SymbolId, line: int, probability: float = 1.0) -> EntryPoint:
    """An HTTP entry point: its name is its method and path."""
    return EntryPoint("http", f"{method} {path}", method, path, framework, handler, line, probability)
