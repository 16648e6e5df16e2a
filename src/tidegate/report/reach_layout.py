"""Where the boxes of a picture stand: columns by distance from the change, bands by service or folder.

A layered layout after Sugiyama: inside a band the boxes of a column, and the bands among themselves, are ordered by the
mean place of what they are joined to, in a few sweeps; of the orders seen the one with the fewest crossings is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.report.reach_graph import Graph

NODE_WIDTH, NODE_HEIGHT = 208, 38
GAP_X, GAP_Y = 76, 10
BAND_TOP, BAND_END = 26, 10
MARGIN = 16
HEAD = 24
"""Height of the line above the columns that says how far away they are."""

_SWEEPS = 8


class Box(Struct, frozen=True):
    """The place of a node, in pixels from the upper left corner of the drawing."""

    x: float
    y: float


class Band(Struct, frozen=True):
    """A group of nodes drawn as one strip over the whole width."""

    name: str
    y: float
    height: float


class Layout(Struct, frozen=True):
    """Places in the order of the graph's nodes. `columns` are the distances that have a column, from left to right."""

    boxes: tuple[Box, ...]
    bands: tuple[Band, ...]
    columns: tuple[int, ...]
    width: float
    height: float
    crossings: int


def lay_out(graph: Graph) -> Layout:
    """The same graph has the same layout. Time grows with the square of its edges, which are few."""
    arrangement = _Arrangement(graph)
    best = arrangement.layout()
    for _ in range(_SWEEPS):
        arrangement.sweep()
        found = arrangement.layout()
        if found.crossings < best.crossings:
            best = found
    return best


def column_x(index: int) -> float:
    """The left edge of a column."""
    return MARGIN + index * (NODE_WIDTH + GAP_X)


# Private


class _Arrangement:
    """An order of the bands and of the nodes in each cell, a cell being what a band has in a column."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.columns = tuple(sorted({node.layer for node in graph.nodes}))
        column = {layer: index for index, layer in enumerate(self.columns)}
        self.bands = list(dict.fromkeys(node.group for node in graph.nodes))
        self.cells: dict[tuple[str, int], list[int]] = {}
        for index, node in enumerate(graph.nodes):
            self.cells.setdefault((node.group, column[node.layer]), []).append(index)
        self.nearer: dict[int, list[int]] = {}
        self.further: dict[int, list[int]] = {}
        for edge in graph.edges:
            self.nearer.setdefault(edge.source, []).append(edge.target)
            self.further.setdefault(edge.target, []).append(edge.source)
        self.boxes = [Box(column_x(column[node.layer]), 0) for node in graph.nodes]
        self.strips = self._place()

    def layout(self) -> Layout:
        last = self.strips[-1] if self.strips else Band("", MARGIN + HEAD, 0)
        width = 2 * MARGIN + len(self.columns) * (NODE_WIDTH + GAP_X) - GAP_X
        return Layout(
            tuple(self.boxes),
            tuple(self.strips),
            self.columns,
            float(max(width, 0)),
            last.y + last.height + MARGIN,
            _crossings(self.graph, self.boxes),
        )

    def sweep(self) -> None:
        """Order the bands by what their nodes are joined to, then column by column each cell by what it leads to."""
        of_band: dict[str, list[float]] = {}
        for index, node in enumerate(self.graph.nodes):
            joined = [*self.nearer.get(index, ()), *self.further.get(index, ())]
            of_band.setdefault(node.group, []).append(self._mean(joined, index))
        heights = {name: sum(values) / len(values) for name, values in of_band.items()}
        self.bands.sort(key=lambda name: (heights[name], name))
        for column in range(len(self.columns)):
            for name in self.bands:
                self._sort_cell(self.cells.get((name, column), []), self.nearer if column else self.further)
            self.strips = self._place()

    def _sort_cell(self, cell: list[int], joined: Mapping[int, Sequence[int]]) -> None:
        means = {index: self._mean(joined.get(index, ()), index) for index in cell}
        cell.sort(key=lambda index: (means[index], self.boxes[index].y))

    def _mean(self, joined: Sequence[int], index: int) -> float:
        return sum(self.boxes[other].y for other in joined) / len(joined) if joined else self.boxes[index].y

    def _place(self) -> list[Band]:
        bands: list[Band] = []
        y = float(MARGIN + HEAD)
        for name in self.bands:
            cells = [self.cells[name, column] for column in range(len(self.columns)) if (name, column) in self.cells]
            rows = max(len(cell) for cell in cells)
            for cell in cells:
                self._place_cell(cell, y + BAND_TOP, rows)
            height = BAND_TOP + rows * NODE_HEIGHT + (rows - 1) * GAP_Y + BAND_END
            bands.append(Band(name, y, height))
            y += height + GAP_Y
        return bands

    def _place_cell(self, cell: Sequence[int], top: float, rows: int) -> None:
        """In their order, each as near to what it leads to as the boxes above and below leave room for."""
        step = NODE_HEIGHT + GAP_Y
        row = 0
        for position, index in enumerate(cell):
            nearer = [self.boxes[other].y for other in self.nearer.get(index, ())]
            wish = round((sum(nearer) / len(nearer) - top) / step) if nearer else row
            row = max(row, min(wish, rows - (len(cell) - position)))
            self.boxes[index] = Box(self.boxes[index].x, top + row * step)
            row += 1


def _crossings(graph: Graph, boxes: Sequence[Box]) -> int:
    """How many pairs of edges between the same two columns cross."""
    between: dict[tuple[float, float], list[tuple[float, float]]] = {}
    for edge in graph.edges:
        near, far = boxes[edge.target], boxes[edge.source]
        between.setdefault((near.x, far.x), []).append((near.y, far.y))
    return sum(_inversions(pairs) for pairs in _sorted(between))


def _sorted(between: Mapping[tuple[float, float], list[tuple[float, float]]]) -> list[list[tuple[float, float]]]:
    return [sorted(pairs) for _, pairs in sorted(between.items())]


def _inversions(pairs: Sequence[tuple[float, float]]) -> int:
    return sum(a[0] < b[0] and a[1] > b[1] for position, a in enumerate(pairs) for b in pairs[position + 1 :])
