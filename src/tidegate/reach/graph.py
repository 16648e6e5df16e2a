"""The symbol graph as arrays: read from disk in milliseconds, walked backwards without a Python object per edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from tidegate.reach.costs import BRANCHES, WIDTHS, width_of
from tidegate.reach.names import Names, Table, is_whole, table_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tidegate.reach.linking.assemble import Graph

VERSION = 3
KINDS = ("", "module", "class", "interface", "function", "method", "property", "constant", "variable", "type", "test")


class Arrays(Struct, frozen=True, array_like=True):
    """The graph as it lies on disk. Edges stand in the order of their targets; `first[n]` is where those of n begin.

    `steps` says what an edge costs: its place in `costs.cost_table`, so its rule, branch and width in one number.
    `sets` are the sets of entries, `set_of` says which one each node has; entry n of `entries` begins at these nodes.
    """

    version: int
    nodes: Table
    kinds: bytes
    lines: bytes
    owners: bytes
    first: bytes
    sources: bytes
    steps: bytes
    at: bytes
    entries: tuple[tuple[int, ...], ...]
    entry_count: int
    sets: tuple[bytes, ...]
    set_of: bytes
    orders: tuple[tuple[int, ...], ...]
    external: tuple[int, ...]
    tests: tuple[tuple[int, int], ...]


class SymbolGraph:
    """A graph to ask. Nodes are numbers; `names` and `find` go between them and the texts of `linking.edges`."""

    def __init__(self, arrays: Arrays) -> None:
        import numpy as np

        self.arrays = arrays
        self.names = Names(arrays.nodes)
        self.lines: NDArray[np.int32] = np.frombuffer(arrays.lines, np.int32)
        self.owners: NDArray[np.int32] = np.frombuffer(arrays.owners, np.int32)
        self.first: NDArray[np.int32] = np.frombuffer(arrays.first, np.int32)
        self.sources: NDArray[np.int32] = np.frombuffer(arrays.sources, np.int32)
        self.steps: NDArray[np.uint16] = np.frombuffer(arrays.steps, np.uint16)
        self.at: NDArray[np.int32] = np.frombuffer(arrays.at, np.int32)
        self.set_of: NDArray[np.int32] = np.frombuffer(arrays.set_of, np.int32)

    @cached_property
    def rules(self) -> NDArray[np.uint16]:
        """The rule of every edge."""
        return self.steps // (BRANCHES * WIDTHS)

    @cached_property
    def branches(self) -> NDArray[np.uint16]:
        """The branch that every edge stands in."""
        return self.steps // WIDTHS % BRANCHES

    @cached_property
    def widths(self) -> NDArray[np.uint16]:
        """The width of every edge, as `costs.width_of` tells it."""
        return self.steps % WIDTHS

    def find(self, name: str) -> int | None:
        """The number of a text."""
        return self.names.find(name)

    def inside(self, paths: Iterable[str]) -> list[int]:
        """The nodes of these files, in their order."""
        import numpy as np

        first = [node for path in paths if (node := self.find(f"{path}:")) is not None]
        found: list[int] = np.flatnonzero(np.isin(self.names.files, first)).tolist()
        return found

    def kind(self, node: int) -> str:
        return KINDS[self.arrays.kinds[node]]

    def entries_of(self, node: int) -> int:
        """The set of entries that can execute this node, as an integer used as a bit set."""
        return int.from_bytes(self.arrays.sets[self.set_of[node]], "little")

    def __len__(self) -> int:
        return len(self.lines)


def freeze(graph: Graph, reach: Sequence[int], entries: Sequence[Sequence[int]]) -> SymbolGraph:
    """The arrays of a graph that was just assembled, with the sets of entries that reach each node."""
    import numpy as np

    targets = np.array(graph.targets, np.int32)
    order = np.argsort(targets, kind="stable")
    count = len(graph.nodes)
    first = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(targets, minlength=count), out=first[1:])
    widths = np.array([width_of(width) for width in graph.width], np.uint16)
    steps = (np.array(graph.rules, np.uint16) * BRANCHES + np.array(graph.branch, np.uint16)) * WIDTHS + widths
    sets: dict[int, int] = {}
    set_of = [sets.setdefault(bits, len(sets)) for bits in reach]
    kinds = {name: number for number, name in enumerate(KINDS)}
    # Trade between the orders of nodes and numbers: a class is named by its node.
    orders = tuple((cls, *above) for cls, above in graph.above.items())

    def ordered(values: Iterable[int], kind: Any) -> bytes:
        return bytes(np.array(values, kind)[order].tobytes())

    return SymbolGraph(
        Arrays(
            VERSION,
            table_of(graph.nodes),
            bytes(kinds.get(kind, 0) for kind in graph.kinds),
            np.array(graph.lines, np.int32).tobytes(),
            np.array(graph.owner, np.int32).tobytes(),
            first.tobytes(),
            ordered(graph.sources, np.int32),
            bytes(steps.astype(np.uint16)[order].tobytes()),
            ordered(graph.at, np.int32),
            tuple(tuple(nodes) for nodes in entries),
            len(entries),
            tuple(bits.to_bytes((bits.bit_length() + 7) // 8, "little") for bits in sets),
            np.array(set_of, np.int32).tobytes(),
            orders,
            tuple(sorted(graph.external)),
            tuple(graph.tests.items()),
        )
    )


def pack_graph(graph: SymbolGraph) -> bytes:
    """The graph as bytes to be kept."""
    return msgspec.msgpack.encode(graph.arrays)


def unpack_graph(data: bytes) -> SymbolGraph | None:
    """The graph that these bytes are, None where they are another version's or damaged."""
    try:
        arrays = msgspec.msgpack.decode(data, type=Arrays)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    edges = (len(arrays.sources) // 4, len(arrays.steps) // 2, len(arrays.at) // 4)
    nodes = (len(arrays.kinds), len(arrays.lines) // 4, len(arrays.owners) // 4, len(arrays.first) // 4 - 1)
    if arrays.version != VERSION or len(set(edges)) != 1 or len({*nodes, len(arrays.set_of) // 4}) != 1:
        return None
    if not is_whole(arrays.nodes, nodes[0]):
        return None
    return SymbolGraph(arrays)
