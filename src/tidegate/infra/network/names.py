"""Which resource a value means: an id, a name, or the words of a reference that is not settled yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.infra.graph import Uses
from tidegate.infra.values import Later, Resource, Value

_PART = re.compile(r"[\w.\-:/]+(?:\[[^\]\s]+\][\w.\-]*)*")
_HOLDERS = frozenset(
    ("security_groups", "security_group_ids", "vpc_security_group_ids", "security_group", "network_security_group_id")
)
_NAMED = ("security_group", "subnet_group")
"""What other resources call by its name."""
_DEEPEST = 4


class Names(Struct, frozen=True):
    """The resources of one side of a world by what other resources call them."""

    resources: Mapping[str, Resource]
    by_id: Mapping[str, str]
    uses: Uses
    moved: Mapping[str, str]

    def address(self, user: str, attribute: str, value: Value, type_: str) -> str:
        """The address of the resource of this kind that `value` in `attribute` of `user` means.

        What nothing here is called stays as it is written, "" where nothing says what it is.
        """
        words = value.words if isinstance(value, Later) else ""
        if isinstance(value, str) and value.startswith("Ref:"):
            words = value.removeprefix("Ref:")
        for one in self._meant(user, words):
            return one
        if isinstance(value, Later):
            used = [use for use in self.uses.used(user) if self._is(use.used, type_)]
            through = [use.used for use in used if attribute in use.through]
            found = through or [use.used for use in used]
            return self.current(found[0]) if len(found) == 1 or through else value.words
        text = str(value) if value is not None else ""
        return self.current(self.by_id.get(text, text))

    def current(self, address: str) -> str:
        """An address as it is after the change, where the resource is only moved."""
        return self.moved.get(address, address)

    # Private

    def _meant(self, user: str, words: str) -> Iterator[str]:
        module = "".join(f"{part}." for part in _modules(user))
        for found in _PART.findall(words):
            parts = found.split(".")
            for end in range(len(parts), 0, -1):
                name = ".".join(parts[:end])
                for one in (f"{module}{name}", name):
                    if one in self.resources:
                        yield self.current(one)

    def _is(self, address: str, type_: str) -> bool:
        return address in self.resources and self.resources[address].type.endswith(type_)


def names_of(resources: Mapping[str, Resource], uses: Uses, moved: Mapping[str, str]) -> Names:
    """The names of these. `moved` maps addresses of before to those of after."""
    by_id: dict[str, str] = {}
    for address, resource in resources.items():
        for key in ("name", "arn", "self_link", "id"):
            value = resource.values.get(key)
            if isinstance(value, str) and value and (key != "name" or resource.type.endswith(_NAMED)):
                by_id[value] = address
    return Names(resources, by_id, uses, moved)


def held_groups(values: Value, deepest: int = _DEEPEST) -> Iterator[Value]:
    """The groups that a resource stands in, wherever its values name them."""
    if deepest and isinstance(values, Mapping):
        for key, value in values.items():
            if key in _HOLDERS:
                yield from value if isinstance(value, (list, tuple)) else (value,)
            elif isinstance(value, (Mapping, list, tuple)) and key not in ("ingress", "egress"):
                yield from held_groups(value, deepest - 1)
    elif deepest and isinstance(values, (list, tuple)):
        for value in values:
            if isinstance(value, (Mapping, list, tuple)):
                yield from held_groups(value, deepest - 1)


# Private


def _modules(address: str) -> Iterator[str]:
    parts = address.split(".")
    for place in range(0, len(parts) - 1, 2):
        if parts[place] != "module":
            return
        yield f"module.{parts[place + 1]}"
