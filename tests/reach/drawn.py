"""Trees of sources drawn as text, and who can execute what in them.

    shop/__init__.py
        from .core import Shop
    tests/test_shop.py
        def test_one(): ...

A line without an indent is a path; what stands below it is the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from textwrap import dedent

from tidegate.reach.contexts import reach_of_entries
from tidegate.reach.index import Index, Progress
from tidegate.reach.languages import language_of
from tidegate.reach.linking.assemble import Graph, assemble
from tidegate.reach.linking.tree import link_tree
from tidegate.reach.store import Store
from tidegate.reach.symbols import FileSymbols
from tidegate.reach.trees import HeadTree, KeptTree, read_head_tree, read_kept_tree


def drawn(text: str) -> dict[str, str]:
    """The files of a drawing."""
    found: dict[str, list[str]] = {}
    path = ""
    for line in dedent(text).strip("\n").split("\n"):
        if line and not line[0].isspace():
            path = line.strip()
            found[path] = []
        else:
            found[path].append(line)
    return {path: dedent("\n".join(lines)).strip("\n") + "\n" for path, lines in found.items()}


class TextIndex(Index):
    """The index of files that are held in memory, read by the real readers."""

    def __init__(self, texts: Mapping[str, str], known: dict[tuple[str, str], FileSymbols] | None = None) -> None:
        self._texts = dict(sorted(texts.items()))
        self._symbols = known if known is not None else {}
        self.tree = _oid(repr(sorted(texts.items())))
        self.links = self.submodules = ()
        self.files = {path: _oid(text) for path, text in self._texts.items()}
        self.sources = {path: oid for path, oid in self.files.items() if _language(path)}
        self.unread = {path: said.error for path, said in self.read(self.files).items() if said.error}

    def fill(self, progress: Progress | None = None) -> None:
        """Everything is read already."""

    def fill_only(self, known: Mapping[str, str], unread: Mapping[str, str]) -> None:
        """Everything is read already."""

    @property
    def lasting(self) -> bool:
        return not any("this clone" in reason for reason in self.unread.values())

    def read(self, paths: Iterable[str]) -> Mapping[str, FileSymbols]:
        return {path: self._read(path) for path in paths if path in self.sources}

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        return {path: len(self._texts[path]) for path in paths}

    def read_bytes(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: self._texts[path].encode() for path in paths if path in self._texts}

    def _read(self, path: str) -> FileSymbols:
        language = language_of(path)
        assert language is not None
        suffix = "." + path.rpartition(".")[2]
        key = (self._texts[path], suffix)
        if key not in self._symbols:
            self._symbols[key] = language.read_symbols(self._texts[path].encode(), suffix)
        return self._symbols[key]


def linked(text: str | Mapping[str, str]) -> Graph:
    """The graph of a drawing."""
    index = TextIndex(drawn(text) if isinstance(text, str) else text)
    tree = link_tree(index, index.read_bytes)
    return assemble(tree.paths, {path: tree.symbols[path].definitions for path in tree.paths}, tree.linked)


def kept(index: TextIndex) -> KeptTree:
    """A tree linked from scratch, kept nowhere."""
    return read_kept_tree(index, Store(None))


def head_of(base: TextIndex, head: TextIndex) -> HeadTree:
    """The head as a question sees it: the base from scratch, what the change can alter linked anew."""
    return read_head_tree(kept(base), head)


class Runs:
    """Which definitions can run when one is started. Starts are `path:name`; without a path where the name is alone."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.number = {name: number for number, name in enumerate(graph.nodes)}

    def of(self, start: str) -> set[str]:
        """The definitions that `start` can execute, as `name` or `path:name` where the name is not alone."""
        reach = reach_of_entries(self.graph, [[self.number[self.full(start)]]])
        return {name for name, number in self.number.items() if reach[number] and self.graph.kinds[number]}

    def full(self, name: str) -> str:
        if ":" in name:
            return name
        found = [key for key in self.number if key.endswith(f":{name}") and self.graph.kinds[self.number[key]]]
        assert len(found) == 1, f"{name} is {found or 'nowhere'}"
        return found[0]


def verify(text: str, claims: str) -> None:
    """Checks claims about a drawing, one a line: `main -> helper, Shop.sell` runs them, `main -/> other` does not."""
    runs = Runs(linked(text))
    for line in dedent(claims).strip().splitlines():
        negative = "-/>" in line
        start, _, targets = line.partition("-/>" if negative else "->")
        reached = runs.of(start.strip())
        for target in targets.split(","):
            full = runs.full(target.strip())
            assert (full not in reached) == negative, f"{line.strip()}: {full} in {sorted(reached)}"


# Private


def _oid(text: str) -> str:
    return hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _language(path: str) -> str:
    language = language_of(path)
    return language.name if language is not None else ""
