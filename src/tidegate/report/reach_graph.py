"""What a picture of reach shows: nodes, folded by file and folder until they can be read, and their edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.reach.answer import ChangedSymbol, EntryPoint, Evidence, ReachAnswer, ReachedSymbol, SymbolId
from tidegate.report.layout import grouped
from tidegate.report.reach_words import View

MOST_NODES = 84
"""More nodes than this cannot be read in one picture, nor more than TALLEST in one column of it."""

TALLEST = 28
FOLD_AT = 3

MOST_CHANGED = 14
MOST_ENTRIES = 12
MOST_GROUPS = 8
FURTHEST = 8
"""What is further away stands in the last column."""

NodeKind: TypeAlias = Literal["changed", "reached", "entry"]


class Node(Struct, frozen=True):
    """One box: a symbol, or `count` of them. `detail` is its second line; `path` the file or folder that it stands for.

    `title` is said in full where a pointer rests on it; `layer` is the distance from the change.
    """

    kind: NodeKind
    name: str
    detail: str
    title: str
    path: str
    group: str
    layer: int
    count: int = 1
    probability: float = 1.0


class Edge(Struct, frozen=True):
    """`source` uses `target`, both indices of nodes; the most likely of the edges that were folded into it."""

    source: int
    target: int
    rule: str
    probability: float
    evidence: Evidence


class Graph(Struct, frozen=True):
    """The picture's content. `folded` says how, in words; `hidden` symbols were not to be shown."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    folded: str
    hidden: int


def make_graph(answer: ReachAnswer, view: View = View(), most: int = MOST_NODES) -> Graph:  # noqa: B008 immutable
    """The graph of an answer in about `most` nodes at most: symbols, else files or folders that stand for them.

    Every node that is reached has one edge, the most likely one that leads nearer to the change.
    """
    shown = [symbol for symbol in answer.reached if view.shows(symbol)]
    loud = [symbol for symbol in answer.changed if not symbol.silent]
    entries = [entry for entry in answer.entry_points if entry.probability >= view.at_least]
    room = max(1, most - min(len(loud), MOST_CHANGED) - min(len(entries), MOST_ENTRIES + 1))
    fold, words = _choose_fold(shown, {entry.handler for entry in entries}, room)
    builder = _Builder(_grouping(answer, [*(s.symbol.path for s in loud), *(s.symbol.path for s in shown)]))
    builder.add_changed(loud, Counter(symbol.origin for symbol in shown))
    builder.add_reached(shown, fold)
    builder.add_edges(shown)
    builder.add_entries(entries)
    return Graph(tuple(builder.nodes), tuple(builder.edges.values()), words, len(answer.reached) - len(shown))


# Private

_Key: TypeAlias = tuple[str, ...]
"""What a node stands for: a file, or a folder with a final slash, and what tells it from others of the same."""

_Fold: TypeAlias = Callable[[ReachedSymbol], _Key]


def _choose_fold(shown: Sequence[ReachedSymbol], busy: Set[SymbolId], room: int) -> tuple[_Fold, str]:
    """The first way of folding that leaves few enough nodes. `busy` symbols have an entry point that leads to them."""
    inner = {symbol.toward for symbol in shown} | busy
    leaves = [symbol for symbol in shown if symbol.symbol not in inner]
    of_file = Counter((s.symbol.path, s.toward) for s in leaves)
    of_folder = Counter((_folder(s.symbol.path, 99), s.toward) for s in leaves)

    def by_file(symbol: ReachedSymbol) -> _Key:
        path = symbol.symbol.path
        alone = symbol.symbol in inner or of_file[path, symbol.toward] < FOLD_AT
        return (path, symbol.symbol.name) if alone else (path, "", str(symbol.toward))

    def by_leaves(symbol: ReachedSymbol) -> _Key:
        folder = _folder(symbol.symbol.path, 99)
        alone = symbol.symbol in inner or of_folder[folder, symbol.toward] < FOLD_AT
        return (symbol.symbol.path, symbol.symbol.name) if alone else (folder, str(symbol.toward))

    beside = "symbols beside each other that nothing leads to are one box"
    folds: list[tuple[_Fold, str]] = [
        (lambda s: (s.symbol.path, s.symbol.name), ""),
        (by_file, beside),
        (by_leaves, beside),
        (lambda s: (s.symbol.path, "", str(s.distance)), "symbols of one file at one distance are one box"),
        (lambda s: (s.symbol.path,), "symbols of one file are one box"),
    ]
    deepest = max((symbol.symbol.path.count("/") for symbol in shown), default=0)
    folds += [(_by_folder(depth), "symbols of one folder are one box") for depth in range(min(deepest, 12), 0, -1)]
    folds.append((lambda s: ("", str(min(s.distance, FURTHEST))), "symbols at one distance are one box"))
    return next((choice for choice in folds if _fits(shown, choice[0], room)), folds[-1])


def _fits(shown: Sequence[ReachedSymbol], fold: _Fold, room: int) -> bool:
    nearest: dict[_Key, int] = {}
    for symbol in shown:
        key = fold(symbol)
        nearest[key] = min(nearest.get(key, FURTHEST), symbol.distance)
    return len(nearest) <= room and max(Counter(nearest.values()).values(), default=0) <= TALLEST


def _by_folder(depth: int) -> _Fold:
    return lambda symbol: (_folder(symbol.symbol.path, depth),)


def _folder(path: str, depth: int) -> str:
    parts = path.split("/")[:-1][:depth]
    return "/".join(parts) + "/" if parts else "./"


def _grouping(answer: ReachAnswer, paths: Sequence[str]) -> Callable[[str], str]:
    """Which group a path belongs to: the service built from it, else a folder, in at most MOST_GROUPS groups."""
    services = {
        prefix.strip("/"): reached.service.name for reached in answer.services for prefix in reached.service.paths
    }
    services.pop("", None)
    if len(services) > 1:
        return lambda path: _service_of(path, services)
    for depth in (3, 2, 1):
        if len({_folder(path, depth) for path in paths}) <= MOST_GROUPS:
            return partial(_folder, depth=depth)
    weights: dict[str, int] = {}
    for path in paths:
        weights[_folder(path, 1)] = weights.get(_folder(path, 1), 0) + 1
    largest = sorted(weights, key=lambda folder: (-weights[folder], folder))[: MOST_GROUPS - 1]
    return lambda path: folder if (folder := _folder(path, 1)) in largest else "elsewhere"


def _service_of(path: str, services: Mapping[str, str]) -> str:
    parts = path.split("/")
    for end in range(len(parts), 0, -1):
        name = services.get("/".join(parts[:end]))
        if name is not None:
            return name
    return "no service"


class _Builder:
    def __init__(self, group: Callable[[str], str]) -> None:
        self.group = group
        self.nodes: list[Node] = []
        self.edges: dict[int, Edge] = {}
        self.at: dict[SymbolId, int] = {}

    def add_changed(self, changed: Sequence[ChangedSymbol], weights: Mapping[SymbolId, int]) -> None:
        """One node each, or one for each file where there are many, the last one for the rest of the files.

        What reaches furthest comes first; files that lead nowhere are one node for each folder.
        """
        folded = len(changed) > MOST_CHANGED
        parts: dict[str, list[ChangedSymbol]] = {}
        for symbol in changed:
            path = symbol.symbol.path
            alone = symbol.kind == "file" and not weights.get(symbol.symbol)
            key = _folder(path, 99) if alone else path if folded else str(symbol.symbol)
            parts.setdefault(key, []).append(symbol)
        listed = sorted(parts.values(), key=lambda part: -sum(weights.get(one.symbol, 0) for one in part))
        if len(listed) > MOST_CHANGED:
            rest = [symbol for part in listed[MOST_CHANGED - 1 :] for symbol in part]
            listed = [*listed[: MOST_CHANGED - 1], rest]
        for part in listed:
            for symbol in part:
                self.at.setdefault(symbol.symbol, len(self.nodes))
                if symbol.was is not None:
                    self.at.setdefault(symbol.was, len(self.nodes))
            self.nodes.append(self._changed_node(part))

    def add_reached(self, shown: Sequence[ReachedSymbol], fold: _Fold) -> None:
        parts: dict[_Key, list[ReachedSymbol]] = {}
        for symbol in shown:
            if symbol.symbol not in self.at:
                parts.setdefault(fold(symbol), []).append(symbol)
        for key, part in parts.items():
            for symbol in part:
                self.at.setdefault(symbol.symbol, len(self.nodes))
            self.nodes.append(self._reached_node(key, part))

    def add_edges(self, shown: Sequence[ReachedSymbol]) -> None:
        for symbol in shown:
            source = self.at[symbol.symbol]
            target = self.at.get(symbol.toward, self.at.get(symbol.origin))
            if target is not None and source != target and self.nodes[source].layer >= self.nodes[target].layer:
                self._keep_best(Edge(source, target, symbol.rule, symbol.probability, symbol.evidence))

    def add_entries(self, entries: Sequence[EntryPoint]) -> None:
        """Entry points whose handler is shown, the most likely first; the rest of them are one node."""
        known = [entry for entry in entries if entry.handler in self.at]
        for entry in known[:MOST_ENTRIES]:
            self._add_entry([entry])
        if known[MOST_ENTRIES:]:
            self._add_entry(known[MOST_ENTRIES:])

    def _changed_node(self, part: Sequence[ChangedSymbol]) -> Node:
        first = part[0].symbol
        path = first.path
        if len(part) == 1:
            name = "its imports" if part[0].kind == "imports" else first.name or _file(path)
            place = f"{_file(path)}:{part[0].line}" if first.name else _folder(path, 99)
            return Node("changed", name, place, str(first), path, self.group(path), 0)
        one_file = all(symbol.symbol.path == path for symbol in part)
        name = _file(path) if one_file else f"{len({symbol.symbol.path for symbol in part}):,} files"
        title = "\n".join(str(symbol.symbol) for symbol in part[:20])
        if not one_file and len({_folder(symbol.symbol.path, 99) for symbol in part}) == 1:
            name = _folder(path, 99)
        noun = "file" if all(symbol.kind == "file" for symbol in part) else "symbol"
        return Node("changed", name, grouped(len(part), noun), title, path, self.group(path), 0, len(part))

    def _reached_node(self, key: _Key, part: Sequence[ReachedSymbol]) -> Node:
        path = key[0]
        first = part[0]
        layer = max(1, min(FURTHEST, *(symbol.distance for symbol in part)))
        probability = max(symbol.probability for symbol in part)
        group = self.group(first.symbol.path)
        if len(part) == 1:
            id_ = first.symbol
            place = f"{_file(id_.path)}:{first.line}"
            return Node("reached", id_.name or _file(id_.path), place, str(id_), id_.path, group, layer, 1, probability)
        if len({symbol.symbol.path for symbol in part}) == 1:
            path = first.symbol.path
        label = (_file(path) if not path.endswith("/") else path) or "everywhere"
        title = "\n".join(str(symbol.symbol) for symbol in part[:20])
        if len(part) > 20:
            title += f"\nand {len(part) - 20:,} more"
        detail = f"{len(part):,} symbols"
        if path.endswith("/") or not path:
            detail = f"{len(part):,} in {grouped(len({symbol.symbol.path for symbol in part}), 'file')}"
        return Node("reached", label, detail, title, path, group, layer, len(part), probability)

    def _add_entry(self, entries: Sequence[EntryPoint]) -> None:
        first = entries[0]
        handler = self.at[first.handler]
        layer = min(FURTHEST + 1, self.nodes[handler].layer + 1)
        name = first.name if len(entries) == 1 else f"{len(entries):,} more entry points"
        detail = first.framework or first.kind if len(entries) == 1 else ""
        title = "\n".join(entry.name for entry in entries[:20])
        node = Node(
            "entry",
            name,
            detail,
            title,
            first.handler.path,
            self.nodes[handler].group,
            layer,
            len(entries),
            first.probability,
        )
        self.nodes.append(node)
        source = len(self.nodes) - 1
        self.edges[source] = Edge(source, handler, "entry", first.probability, "static")

    def _keep_best(self, edge: Edge) -> None:
        """One edge for each source: to a nearer column rather than to its own, then the more likely one."""
        known = self.edges.get(edge.source)
        if known is None or self._worth(edge) > self._worth(known):
            self.edges[edge.source] = edge

    def _worth(self, edge: Edge) -> tuple[bool, float, bool]:
        nearer = self.nodes[edge.source].layer > self.nodes[edge.target].layer
        return nearer, edge.probability, edge.evidence == "recorded"


def _file(path: str) -> str:
    return path.rpartition("/")[2]
