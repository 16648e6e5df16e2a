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
        self._numbers: Mapping[str, int] = graph.numbers
        self._orders: dict[int, tuple[int, ...]] = {}
        self._former: set[int] = set()
        self.former: dict[str, Former] = {}
        names = self._names
        for order in graph.arrays.orders:
            key = names[order[0]]
            if key[: key.find(":")] in anew:
                self._former.add(order[0])
                self.former[key] = Former(tuple([names[node] for node in order[1:]]), self._members_of(order[0]))
            else:
                self._orders[order[0]] = order

    def order(self, cls: str) -> tuple[str, ...]:
        """The classes that a member is looked up in, () for what is no class."""
        order = self._orders.get(self._numbers.get(cls, -1), ())
        return tuple([self._names[node] for node in order[1:]])

    def is_class(self, cls: str) -> bool:
        return self._numbers.get(cls, -1) in self._orders

    def interfaces(self) -> list[str]:
        """The interfaces among the classes."""
        kinds = self._graph.arrays.kinds
        return [self._names[node] for node in self._orders if kinds[node] == _INTERFACE]

    def below(self, cls: str) -> list[str]:
        """The classes that inherit from this one."""
        return [self._names[node] for node in self._below.get(self._numbers.get(cls, -1), ())]

    def members(self, cls: str) -> dict[str, str]:
        """The members of a class by their names."""
        number = self._numbers.get(cls, -1)
        return {} if number < 0 or number in self._former else self._members_of(number)

    def bearers(self, name: str) -> Sequence[str]:
        """All methods, functions and properties of this name that something has as a member."""
        return self._by_name.get(name, ())

    def slots(self) -> list[str]:
        """Every node that stands for a member of whichever class, in the order of numbers."""
        return [name for name in self._names if "#" in name]

    # Private

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
        keys = [self._names[node] for node in nodes[begin:end].tolist()]
        return {key[key.rfind(".") + 1 :]: key for key in keys}

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        kinds = self._graph.arrays.kinds
        for node, owner in enumerate(self._graph.owners.tolist()):
            called = kinds[node] in (_CALLED if owner >= 0 else _CALLED_BY_NAME)
            if called and owner not in self._former:
                key = self._names[node]
                found.setdefault(key[key.rfind(".") + 1 :], []).append(key)
        return found
