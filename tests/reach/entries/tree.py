"""Trees that tests write as texts, read by the real readers and linked by the real evaluator."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries import find_entry_points, find_public_api
from tidegate.reach.entries.interface import Sources
from tidegate.reach.languages.go import GO
from tidegate.reach.languages.interface import Language
from tidegate.reach.languages.java import JAVA
from tidegate.reach.languages.javascript import JAVASCRIPT
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.languages.ruby import RUBY
from tidegate.reach.languages.rust import RUST
from tidegate.reach.languages.typescript import TYPESCRIPT
from tidegate.reach.linking.evaluate import Evaluator
from tidegate.reach.linking.table import FileTable
from tidegate.reach.symbols import FileSymbols

LANGUAGES: tuple[Language, ...] = (PYTHON, JAVASCRIPT, TYPESCRIPT, GO, JAVA, RUBY, RUST)


def sources(tree: Mapping[str, str]) -> Sources:
    """The sources of a tree of texts."""
    contents = {path: textwrap.dedent(text).lstrip("\n").encode() for path, text in tree.items()}
    files: dict[str, FileSymbols] = {}
    for path in sorted(contents):
        language = _language(path)
        if language is not None:
            files[path] = language.read_symbols(contents[path], _suffix(path))

    def read(paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: contents[path] for path in paths if path in contents}

    return Sources(files, tuple(sorted(contents)), read, _Resolver(files, tuple(sorted(contents)), read))


def found(tree: Mapping[str, str], *frameworks: str) -> list[str]:
    """The entry points as "name -> handler", of the frameworks, or all."""
    return [shown(one) for one in find_entry_points(sources(tree)) if not frameworks or one.framework in frameworks]


def public(tree: Mapping[str, str]) -> list[str]:
    """The public names as "name -> definition"."""
    return [shown(one) for one in find_public_api(sources(tree))]


def shown(point: EntryPoint) -> str:
    """An entry point in one line."""
    return f"{point.name} -> {point.handler}"


class _Resolver:
    def __init__(self, files: Mapping[str, FileSymbols], paths: Sequence[str], read: object) -> None:
        self._order = [path for path in files if files[path].definitions]
        self._tables = [FileTable(path, number, files[path]) for number, path in enumerate(self._order)]
        self._layouts = {
            one.name: one.read_layout(
                {path: files[path].package for path in files if _language(path) is one},
                paths,
                read,  # type: ignore[arg-type]
            )
            for one in LANGUAGES
        }
        languages = {number: self._of(path) for number, path in enumerate(self._order)}
        self._evaluator = Evaluator(self._order, lambda number: self._tables[number], languages, self._layouts)

    def __call__(self, path: str, within: int, chain: str) -> tuple[SymbolId, ...]:
        if path not in self._evaluator.number:
            return ()
        if chain.startswith("<") and chain.endswith(">"):
            layout = self._layouts[self._of(path).name]
            return tuple(SymbolId(one, "") for one in layout.find(chain[1:-1], path))
        symbols: list[SymbolId] = []
        for value in self._evaluator.chain(self._evaluator.number[path], within, chain):
            if value[0] in "dmc":
                symbols.append(SymbolId(self._order[value[1]], self._tables[value[1]].definitions[value[2]].name))
            elif value[0] == "p":
                symbols += [SymbolId(self._order[one], "") for one in self._evaluator.files_of(value[1], value[2])]
        return tuple(symbols)

    def _of(self, path: str) -> Language:
        language = _language(path)
        assert language is not None
        return language


def _suffix(path: str) -> str:
    return path[path.rfind(".") :]


def _language(path: str) -> Language | None:
    return next((one for one in LANGUAGES if _suffix(path) in one.suffixes), None)
