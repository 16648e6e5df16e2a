"""The graph of a tree, from the store where it is kept, and the same graph with the files of a change linked anew.

The base of a change is linked once and kept. The head is the base's graph with more edges: those of every file that
means something else now. Edges that the change took away stay, because both sides of a change count.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec import Struct

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.contexts import reach_of_entries
from tidegate.reach.costs import width_of
from tidegate.reach.entries import VERSION as ENTRIES_VERSION
from tidegate.reach.entries import find_entry_points, marks_of
from tidegate.reach.entries.interface import Mark, Sources
from tidegate.reach.graph import VERSION as GRAPH_VERSION
from tidegate.reach.graph import SymbolGraph, freeze, pack_graph, unpack_graph
from tidegate.reach.index import Index
from tidegate.reach.languages import LANGUAGES
from tidegate.reach.linking.assemble import Delta, assemble, extend
from tidegate.reach.linking.evaluate import Evaluator
from tidegate.reach.linking.tree import (
    VERSION as LINK_VERSION,
)
from tidegate.reach.linking.tree import (
    LinkedTree,
    TreeState,
    link_tree,
    no_collection,
    pack_state,
    relink,
    unpack_state,
)
from tidegate.reach.rules import RULES
from tidegate.reach.search import Extra
from tidegate.reach.store import Store
from tidegate.reach.symbols import FileSymbols

MOST_TESTS_ALONE = 4000
"""With more tests than this, the tests of one file share one context."""


class Points(Struct, frozen=True, array_like=True):
    """The entry points of a tree, with the marks that they were made from. `scopes` names what each mark stands in."""

    points: tuple[EntryPoint, ...]
    marks: dict[str, tuple[Mark, ...]]
    scopes: dict[str, tuple[str, ...]]


class KeptTree(Struct, frozen=True):
    """A tree's graph, what is needed to link a part of it anew, and its entry points."""

    graph: SymbolGraph
    state: TreeState
    points: Points


class HeadTree(Struct, frozen=True, dict=True):
    """The graph of a base with what the head adds. Nodes from `len(graph)` on are named by `delta` alone."""

    graph: SymbolGraph
    delta: Delta
    extra: tuple[tuple[int, Extra], ...]
    linked: frozenset[str]
    state: TreeState
    points: tuple[EntryPoint, ...]

    def find(self, name: str) -> int | None:
        """The node of this text."""
        number = self.delta.numbers.get(name)
        return self.graph.find(name) if number is None else number

    def name(self, node: int) -> str:
        return self.graph.names[node] if node < len(self.graph) else self.delta.names[node - len(self.graph)]

    def kind(self, node: int) -> str:
        return self.graph.kind(node) if node < len(self.graph) else self.delta.kinds[node - len(self.graph)]

    def line(self, node: int) -> int:
        return self.delta.lines[node] if node in self.delta.lines else int(self.graph.lines[node])

    @cached_property
    def extra_into(self) -> Mapping[int, Sequence[int]]:
        """The numbers of the extra edges by the node that they lead to."""
        found: dict[int, list[int]] = {}
        for number, (target, _) in enumerate(self.extra):
            found.setdefault(target, []).append(number)
        return found

    @cached_property
    def files(self) -> Mapping[str, Sequence[int]]:
        """The nodes that `delta` alone names, by the path of their file."""
        found: dict[str, list[int]] = {}
        for number, name in enumerate(self.delta.names, len(self.graph)):
            found.setdefault(name.partition(":")[0], []).append(number)
        return found

    @cached_property
    def fresh_entries(self) -> Mapping[int, int]:
        """The sets of entries of the nodes that the base did not have: those of all that leads to them."""
        bits: dict[int, int] = {}
        ahead: dict[int, list[int]] = {}
        waiting: dict[int, None] = {}
        for target, edge in self.extra:
            if target < len(self.graph) or not RULES[edge.rule].runs:
                continue
            if edge.source < len(self.graph):
                bits[target] = bits.get(target, 0) | self.graph.entries_of(edge.source)
                waiting[target] = None
            else:
                ahead.setdefault(edge.source, []).append(target)
        while waiting:
            node = waiting.popitem()[0]
            for target in ahead.get(node, ()):
                more = bits.get(target, 0) | bits[node]
                if more != bits.get(target, 0):
                    bits[target] = more
                    waiting[target] = None
        return bits

    def __len__(self) -> int:
        return len(self.graph) + len(self.delta.names)


def read_kept_tree(index: Index, store: Store) -> KeptTree:
    """The graph of this tree: the kept one, else all of it is parsed, linked and kept."""
    key = f"{index.tree}-{_versions()}"
    kept = _unpacked(store, key)
    if kept is not None:
        index.unread = dict(kept.state.unread)
        return kept
    index.fill()
    with no_collection():
        made = _made(index)
    if index.lasting:
        store.put_bytes("graph", key, pack_graph(made.graph))
        store.put_bytes("links", key, pack_state(made.state))
        store.put_bytes("points", key, msgspec.msgpack.encode(made.points))
    return made


def read_head_tree(kept: KeptTree, index: Index | None) -> HeadTree:
    """The kept tree with the files linked anew that mean something else in `index`; None: nothing changed."""
    if index is None:
        return HeadTree(kept.graph, Delta(), (), frozenset(), kept.state, kept.points.points)
    index.fill_only(kept.state.oids, dict(kept.state.unread))
    linked = relink(index, kept.state, index.read_bytes)
    delta = extend(kept.graph, linked.paths, {p: linked.symbols[p].definitions for p in linked.paths}, linked.linked)
    extra = tuple(
        (target, Extra(source, rule, branch, width_of(width), line))
        for source, target, rule, line, width, branch in delta.edges
    )
    points = kept.points.points
    if _points_may_differ(kept, linked, index):
        points = _entry_points(index, linked.evaluator, linked.symbols, kept.points.marks).points
    return HeadTree(kept.graph, delta, extra, frozenset(linked.paths), linked.state, points)


# Private


def _made(index: Index) -> KeptTree:
    """The tree, linked as a whole. What a step needs no more is let go: together it would be twice as much."""
    linked = link_tree(index, index.read_bytes)
    points = _entry_points(index, linked.evaluator, linked.symbols, {})
    linked.evaluator.forget()
    state, paths, links = linked.state, linked.paths, linked.linked
    definitions = {path: linked.symbols[path].definitions for path in paths}
    del linked
    graph = assemble(paths, definitions, links)
    del definitions, links
    entries = _entries(graph.nodes, graph.tests, points.points)
    return KeptTree(freeze(graph, reach_of_entries(graph, entries), entries), state, points)


def _points_may_differ(kept: KeptTree, linked: LinkedTree, index: Index) -> bool:
    """Whether a file that makes entry points changed, came or went, or one of their handlers has other neighbours."""
    changed = [path for path in linked.paths if kept.state.oids.get(path) != index.files[path]]
    before = kept.points
    if any(path not in index.files for path in before.marks):
        return True
    handling = {point.handler.path for point in before.points}
    for path in changed:
        symbols = linked.symbols[path]
        marks = marks_of(path, symbols)
        if _meant(before.marks.get(path, ()), before.scopes.get(path, ())) != _meant(marks, _scopes(marks, symbols)):
            return True
        # A view that has one more method answers to one more verb.
        if path in handling and _defined(kept.graph, path) != {f"{path}:{d.name}" for d in symbols.definitions}:
            return True
    return False


def _meant(marks: Sequence[Mark], scopes: Sequence[str]) -> list[tuple[object, ...]]:
    """What marks say, wherever they stand: one more definition gives those after it other numbers."""
    pairs = zip(marks, scopes, strict=False)
    return [(mark.finder, mark.what, scope, mark.chain, mark.arguments) for mark, scope in pairs]


def _scopes(marks: Sequence[Mark], symbols: FileSymbols) -> tuple[str, ...]:
    return tuple(symbols.definitions[mark.within].name for mark in marks)


def _defined(graph: SymbolGraph, path: str) -> set[str]:
    return set(graph.names.of(node for node in graph.inside([path]) if graph.kind(node) not in ("", "test")))


def _versions() -> str:
    languages = ".".join(str(language.version) for language in LANGUAGES)
    rules = zlib.crc32(" ".join(rule.name for rule in RULES).encode())
    return f"{GRAPH_VERSION}.{LINK_VERSION}.{ENTRIES_VERSION}-{rules}-{languages}"


def _unpacked(store: Store, key: str) -> KeptTree | None:
    graph, state, points = (store.get_bytes(kind, key) for kind in ("graph", "links", "points"))
    if graph is None or state is None or points is None:
        return None
    unpacked, links = unpack_graph(graph), unpack_state(state)
    if unpacked is None or links is None:
        return None
    try:
        return KeptTree(unpacked, links, msgspec.msgpack.decode(points, type=Points))
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None


def _entries(nodes: Sequence[str], tests: Iterable[int], points: Iterable[EntryPoint]) -> list[list[int]]:
    """The contexts: each test, or the tests of each file where there are many, and the handler of each entry point."""
    alone = list(tests)
    if len(alone) <= MOST_TESTS_ALONE:
        entries = [[node] for node in alone]
    else:
        by_file: dict[str, list[int]] = {}
        for node in alone:
            by_file.setdefault(nodes[node].partition(":")[0], []).append(node)
        entries = list(by_file.values())
    numbers = {name: number for number, name in enumerate(nodes)}
    handlers = dict.fromkeys(numbers.get(str(point.handler), -1) for point in points)
    return [*entries, *[[node] for node in handlers if node >= 0]]


class _Lazy(Mapping[str, FileSymbols]):
    """The files of a tree, read when a finder asks for them."""

    def __init__(self, index: Index, known: Mapping[str, FileSymbols]) -> None:
        self._index = index
        self._read = dict(known)

    def __getitem__(self, path: str) -> FileSymbols:
        found = self._read.get(path)
        if found is None:
            found = self._read[path] = self._index.read([path])[path]
        return found

    def __iter__(self):  # type: ignore[no-untyped-def]
        return (path for path in self._index.sources if path not in self._index.unread)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _entry_points(
    index: Index,
    evaluator: Evaluator,
    symbols: Mapping[str, FileSymbols],
    before: Mapping[str, tuple[Mark, ...]],
) -> Points:
    files = _Lazy(index, symbols)
    marks = {path: kept for path, kept in before.items() if path in index.files and path not in symbols}
    for path, file in symbols.items():
        marks[path] = marks_of(path, file)
    kept = {path: found for path, found in marks.items() if found}
    scopes = {path: _scopes(found, symbols[path]) for path, found in kept.items() if path in symbols}
    everything = {path: marks.get(path, ()) for path in files}
    sources = Sources(files, tuple(index.files), index.read_bytes, _resolver(evaluator), everything)
    return Points(find_entry_points(sources), kept, scopes)


def _resolver(evaluator: Evaluator) -> Callable[[str, int, str], tuple[SymbolId, ...]]:
    def resolve(path: str, within: int, chain: str) -> tuple[SymbolId, ...]:
        file = evaluator.number.get(path)
        if file is None:
            return ()
        found = []
        for value in evaluator.chain(file, within, chain):
            if value[0] in "dmci":
                table = evaluator.table(value[1])
                if table is not None:
                    found.append(SymbolId(table.path, table.definitions[value[2]].name))
            elif value[0] == "p":
                found.extend(SymbolId(evaluator.paths[n], "") for n in evaluator.files_of(value[1], value[2]))
        return tuple(dict.fromkeys(found))

    return resolve


__all__ = ["HeadTree", "KeptTree", "LinkedTree", "Points", "read_head_tree", "read_kept_tree"]
