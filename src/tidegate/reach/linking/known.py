"""What a kept graph says of its classes and names: each is looked up when it is asked for, as most never are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tidegate.reach.graph import KINDS, SymbolGraph

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CALLED = frozenset(KINDS.index(kind) for kind in ("method", "function", "property"))
_CALLED_BY_NAME = frozenset(KINDS.index(kind) for kind in ("method", "property"))
"""Members of objects that are no classes."""

_INTERFACE = KINDS.index("interface")


class Former(Struct):
    """What a class was before its file was linked anew: the order of its bases, its members by name."""

    order: tuple[str, ...]
    members: dict[str, str]


class Known:
    """The classes and names of a graph but for the classes of the files `anew`: these stand apart, in `former`."""

    def __init__(self, graph: SymbolGraph, anew: frozenset[str]) -> None:
        self._graph = graph
        self._names = graph.names
        self._orders: dict[int, tuple[int, ...]] = {order[0]: order for order in graph.arrays.orders}
        self._former: set[int] = set()
        self.former: dict[str, Former] = {}
        for node in graph.inside(anew):
            order = self._orders.pop(node, ())
            if order:
                self._former.add(node)
                self.former[self._names[node]] = Former(tuple(self._names.of(order[1:])), self._members_of(node))

    def order(self, cls: str) -> tuple[str, ...]:
        """The classes that a member is looked up in, () for what is no class."""
        return tuple(self._names.of(self._orders.get(self._number(cls), ())[1:]))

    def is_class(self, cls: str) -> bool:
        return self._number(cls) in self._orders

    def interfaces(self) -> list[str]:
        """The interfaces among the classes."""
        kinds = self._graph.arrays.kinds
        return [self._names[node] for node in self._orders if kinds[node] == _INTERFACE]

    def below(self, cls: str) -> list[str]:
        """The classes that inherit from this one."""
        return self._names.of(self._below.get(self._number(cls), ()))

    def members(self, cls: str) -> dict[str, str]:
        """The members of a class by their names."""
        number = self._number(cls)
        return {} if number < 0 or number in self._former else self._members_of(number)

    def bearers(self, name: str) -> Sequence[str]:
        """All methods, functions and properties of this name that something has as a member."""
        return self._by_name.get(name, ())

    def slots(self) -> list[str]:
        """Every node that stands for a member of whichever class, in the order of numbers."""
        return self._names.of(self._names.holding(b"#"))

    # Private

    def _number(self, cls: str) -> int:
        number = self._names.find(cls)
        return -1 if number is None else number

    @cached_property
    def _below(self) -> Mapping[int, Sequence[int]]:
        found: dict[int, list[int]] = {}
        for cls, order in self._orders.items():
            for above in order[2:]:
                found.setdefault(above, []).append(cls)
        return found

    @cached_property
    def _owned(self) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """The nodes that have an owner, in the order of owners, and these owners."""
        import numpy as np

        owners = self._graph.owners
        nodes = np.flatnonzero(owners >= 0)
        nodes = nodes[np.argsort(owners[nodes], kind="stable")]
        return nodes, owners[nodes]

    def _members_of(self, cls: int) -> dict[str, str]:
        nodes, owners = self._owned
        begin, end = owners.searchsorted([cls, cls + 1]).tolist()
        return {key[key.rfind(".") + 1 :]: key for key in self._names.of(nodes[begin:end].tolist())}

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        kinds = self._graph.arrays.kinds
        nodes = [
            node
            for node, owner in enumerate(self._graph.owners.tolist())
            if kinds[node] in (_CALLED if owner >= 0 else _CALLED_BY_NAME) and owner not in self._former
        ]
        for key in self._names.of(nodes):
            found.setdefault(key[key.rfind(".") + 1 :], []).append(key)
        return found
