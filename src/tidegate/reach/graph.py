"""The symbol graph as arrays: read from disk in milliseconds, walked backwards without a Python object per edge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from tidegate.reach.costs import width_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tidegate.reach.linking.assemble import Graph

VERSION = 1
KINDS = ("", "module", "class", "interface", "function", "method", "property", "constant", "variable", "type", "test")


class Arrays(Struct, frozen=True, array_like=True):
    """The graph as it lies on disk. Edges stand in the order of their targets; `first[n]` is where those of n begin.

    `sets` are the sets of entries, `set_of` says which one each node has; entry n of `entries` begins at these nodes.
    """

    version: int
    nodes: bytes
    kinds: bytes
    lines: bytes
    owners: bytes
    first: bytes
    sources: bytes
    rules: bytes
    branches: bytes
    widths: bytes
    at: bytes
    entries: tuple[tuple[int, ...], ...]
    entry_count: int
    sets: tuple[bytes, ...]
    set_of: bytes
    orders: tuple[tuple[int, ...], ...]
    external: tuple[int, ...]
    tests: tuple[tuple[int, int], ...]


class SymbolGraph:
    """A graph to ask. Nodes are numbers; `name` and `find` go between them and the texts of `linking.edges`."""

    def __init__(self, arrays: Arrays) -> None:
        import numpy as np

        self.arrays = arrays
        self.lines: NDArray[np.int32] = np.frombuffer(arrays.lines, np.int32)
        self.owners: NDArray[np.int32] = np.frombuffer(arrays.owners, np.int32)
        self.first: NDArray[np.int32] = np.frombuffer(arrays.first, np.int32)
        self.sources: NDArray[np.int32] = np.frombuffer(arrays.sources, np.int32)
        self.rules: NDArray[np.uint8] = np.frombuffer(arrays.rules, np.uint8)
        self.branches: NDArray[np.uint8] = np.frombuffer(arrays.branches, np.uint8)
        self.widths: NDArray[np.uint8] = np.frombuffer(arrays.widths, np.uint8)
        self.at: NDArray[np.int32] = np.frombuffer(arrays.at, np.int32)
        self.set_of: NDArray[np.int32] = np.frombuffer(arrays.set_of, np.int32)

    @cached_property
    def names(self) -> list[str]:
        """The text of every node."""
        return self.arrays.nodes.decode("utf-8", "surrogateescape").split("\n")

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of every text."""
        return {name: number for number, name in enumerate(self.names)}

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
    widths = np.array([width_of(width) for width in graph.width], np.uint8)
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
            "\n".join(graph.nodes).encode("utf-8", "surrogateescape"),
            bytes(kinds.get(kind, 0) for kind in graph.kinds),
            np.array(graph.lines, np.int32).tobytes(),
            np.array(graph.owner, np.int32).tobytes(),
            first.tobytes(),
            ordered(graph.sources, np.int32),
            ordered(graph.rules, np.uint8),
            ordered(graph.branch, np.uint8),
            bytes(widths[order].tobytes()),
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
    sizes = (len(arrays.sources) // 4, len(arrays.rules), len(arrays.branches), len(arrays.widths), len(arrays.at) // 4)
    if arrays.version != VERSION or len(set(sizes)) != 1:
        return None
    return SymbolGraph(arrays)
