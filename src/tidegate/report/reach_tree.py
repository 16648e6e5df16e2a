"""What can feel a change as a tree from the change outwards, folded until it fits. For text and for pages."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.reach.answer import ChangedSymbol, ReachAnswer, ReachedSymbol, SymbolId
from tidegate.report.reach_words import View

FOLD_AT = 3
"""So many symbols of one file with the same way back to the change, and nothing behind them, are one line, and so are
modules of several files."""


class Branch(Struct, frozen=True):
    """One line of the tree: a symbol, or several of one file that lead to the same one and to which nothing leads."""

    symbols: tuple[ReachedSymbol, ...]
    children: tuple[Branch, ...] = ()

    @property
    def probability(self) -> float:
        return self.symbols[0].probability


class Root(Struct, frozen=True):
    """A changed symbol and what feels it first."""

    changed: ChangedSymbol
    branches: tuple[Branch, ...]


class Tree(Struct, frozen=True):
    """The lines that fit. `left` symbols in `left_files` files did not; `hidden` were not to be shown (depth, ...)."""

    roots: tuple[Root, ...]
    left: int
    left_files: int
    hidden: int


def grow_tree(answer: ReachAnswer, view: View, lines: int) -> Tree:
    """The most likely part of the tree in at most `lines` lines, roots included. Every line's way back is there too."""
    shown = [symbol for symbol in answer.reached if view.shows(symbol)]
    return _Grower(answer, shown, lines).grow(len(answer.reached) - len(shown))


# Private


class _Line(Struct):
    """A line that may be shown: what it stands for and the lines that hang from it, the most likely first."""

    symbols: tuple[ReachedSymbol, ...]
    kids: list[_Line]
    taken: bool = False
    root: ChangedSymbol | None = None


class _Grower:
    def __init__(self, answer: ReachAnswer, shown: Sequence[ReachedSymbol], lines: int) -> None:
        self.lines = lines
        self.shown = shown
        self.roots = self._roots(answer, shown)

    def grow(self, hidden: int) -> Tree:
        taken = self._take()
        left = [symbol for symbol in self.shown if symbol.symbol not in taken]
        roots = tuple(Root(root.root, _branches(root)) for root in self.roots if root.taken and root.root is not None)
        return Tree(roots, len(left), len({symbol.symbol.path for symbol in left}), hidden)

    def _roots(self, answer: ReachAnswer, shown: Sequence[ReachedSymbol]) -> list[_Line]:
        changed: dict[SymbolId, ChangedSymbol] = {}
        for root in answer.changed:
            changed.setdefault(root.symbol, root)
            if root.was is not None:
                changed.setdefault(root.was, root)
        known = {symbol.symbol: symbol for symbol in shown if symbol.symbol not in changed}
        children: dict[SymbolId, list[ReachedSymbol]] = {}
        for symbol in known.values():
            children.setdefault(_parent(symbol, known, changed), []).append(symbol)
        roots: dict[SymbolId, _Line] = {}
        for id_ in children:
            if id_ not in known:
                origin = changed.get(id_) or _stranger(id_)
                line = roots.setdefault(origin.symbol, _Line((), [], root=origin))
                line.kids += _lines(children, id_)
        ordered = sorted(roots.values(), key=lambda line: (-_weight(line), str(line.root.symbol if line.root else "")))
        for line in ordered:
            line.kids.sort(key=_order)
        return ordered

    def _take(self) -> set[SymbolId]:
        """Takes the most likely line next, so long as there is room; its parent was taken before it."""
        taken: set[SymbolId] = set()
        room = self.lines
        heap: list[tuple[float, int, _Line, _Line]] = []
        number = 0
        most = max(1, self.lines // 3) if self.shown else 0
        for root in self.roots[:most]:
            for kid in root.kids:
                heapq.heappush(heap, (-kid.symbols[0].probability, number := number + 1, kid, root))
        while heap and room > 0:
            _, _, line, root = heapq.heappop(heap)
            room -= 1 if root.taken else 2
            if room < 0:
                break
            root.taken = line.taken = True
            taken.update(symbol.symbol for symbol in line.symbols)
            for kid in line.kids:
                heapq.heappush(heap, (-kid.symbols[0].probability, number := number + 1, kid, root))
        return taken


def _parent(
    symbol: ReachedSymbol, known: Mapping[SymbolId, ReachedSymbol], changed: Mapping[SymbolId, ChangedSymbol]
) -> SymbolId:
    """The next symbol on the way back. A way that ends in nothing, or in a ring, hangs from its origin."""
    if symbol.toward in changed:
        return symbol.toward
    nearer = known.get(symbol.toward)
    return symbol.toward if nearer is not None and nearer.distance < symbol.distance else symbol.origin


def _stranger(id_: SymbolId) -> ChangedSymbol:
    """A root that the answer does not list as changed."""
    return ChangedSymbol(id_, "", "asked", 0, 0, "head")


def _lines(children: Mapping[SymbolId, Sequence[ReachedSymbol]], start: SymbolId) -> list[_Line]:
    """The lines below `start`, without recursion: ways may be long."""
    top: list[_Line] = []
    stack: list[tuple[SymbolId, list[_Line]]] = [(start, top)]
    while stack:
        id_, into = stack.pop()
        leaves: dict[tuple[str, str], list[ReachedSymbol]] = {}
        for symbol in children.get(id_, ()):
            if symbol.symbol in children:
                line = _Line((symbol,), [])
                into.append(line)
                stack.append((symbol.symbol, line.kids))
            else:
                module = symbol.kind == "module"
                leaves.setdefault(("", symbol.rule) if module else (symbol.symbol.path, ""), []).append(symbol)
        for group in leaves.values():
            group.sort(key=lambda symbol: (-symbol.probability, symbol.symbol))
            parts = [group] if len(group) >= FOLD_AT else [[symbol] for symbol in group]
            into += [_Line(tuple(part), []) for part in parts]
        into.sort(key=_order)
    return top


def _order(line: _Line) -> tuple[float, SymbolId]:
    return -line.symbols[0].probability, line.symbols[0].symbol


def _weight(root: _Line) -> int:
    """How many symbols hang from a root."""
    total = 0
    stack = list(root.kids)
    while stack:
        line = stack.pop()
        total += len(line.symbols)
        stack += line.kids
    return total


def _branches(root: _Line) -> tuple[Branch, ...]:
    """The taken lines below a root, built from the leaves upwards without recursion."""
    order: list[_Line] = []
    stack = [root]
    while stack:
        line = stack.pop()
        order.append(line)
        stack += [kid for kid in line.kids if kid.taken]
    built: dict[int, Branch] = {}
    for line in reversed(order):
        kids = tuple(built[id(kid)] for kid in line.kids if kid.taken)
        built[id(line)] = Branch(line.symbols, kids)
    return built[id(root)].children
