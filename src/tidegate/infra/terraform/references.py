"""Which resource of a plan needs which, before and after: from the configuration, the state's record and equal values.

The configuration is the new one, and knows nothing of what is deleted. The state records all dependencies of each
resource, the distant ones too, so only those count that nothing nearer explains. Equal values show the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from tidegate.infra.graph import Use, Uses, uses_of
from tidegate.infra.terraform.configured import KEY, Link, read_links
from tidegate.infra.terraform.document import Plan, StateResource
from tidegate.infra.terraform.joins import Index, Mentions, joined
from tidegate.infra.values import Resource

_MODULE = re.compile(r'module\.[^.\[]+(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?(?=\.)')
MOST_INSTANCES = 64
"""A block that needs a block of very many instances, none of them named, is shown to need the first ones."""


class Sides(Struct, frozen=True):
    """The managed resources before and after, and those that change."""

    before: Mapping[str, Resource]
    after: Mapping[str, Resource]
    changing: frozenset[str]


def read_uses(
    plan: Plan, prior: Iterable[StateResource], sides: Sides, shown: Callable[[str], str]
) -> tuple[Uses, Uses]:
    """The uses before and after. `shown` takes secrets out of addresses."""
    root = plan.configuration.root_module if plan.configuration is not None else None
    configured = read_links(root)
    links = [Link(shown(one.user), shown(one.used), one.through, one.key) for one in configured.links]
    blocks = frozenset(map(shown, configured.blocks))
    record = _Record(prior, shown)
    indexes = Index(sides.before.values()), Index(sides.after.values())
    mentions = Mentions(indexes[0].values() | indexes[1].values())
    before = _Direct(sides.before, list(joined(sides.before, indexes[0], mentions)))
    kept = [one for one in links if not record.denies(one, sides.changing)]
    uses_before = before.uses(kept)
    uses_before += record.missing(sides.before, uses_before)
    after = _Direct(sides.after, list(joined(sides.after, indexes[1], mentions)))
    uses_after = after.uses(links)
    if not blocks:
        uses_after += record.missing(sides.after, uses_after)
    return uses_of(_nearest(uses_before)), uses_of(_nearest(uses_after))


def is_data(address: str) -> bool:
    """Whether an address is that of a data source."""
    return address.startswith("data.") or ".data." in address


# Private


def _stripped(address: str) -> str:
    return KEY.sub("", address) if "[" in address else address


class _Direct:
    """One side's resources by block, and the uses that its values show."""

    def __init__(self, resources: Mapping[str, Resource], by_value: list[Use]) -> None:
        self._resources = resources
        self._blocks = _Blocks(resources)
        self._by_value = by_value
        self._valued: dict[tuple[str, str], list[str]] = {}
        for use in by_value:
            self._valued.setdefault((use.user, _stripped(use.used)), []).append(use.used)

    def uses(self, links: Iterable[Link]) -> list[Use]:
        """The uses that references and values show, each in the direction of the references."""
        found = list(self._linked(links))
        forward = {(use.user, use.used) for use in found}
        return found + [use for use in self._by_value if (use.used, use.user) not in forward]

    def _linked(self, links: Iterable[Link]) -> Iterator[Use]:
        for link in links:
            for user in self._blocks.instances(link.user):
                for used in self._meant(user, link):
                    yield Use(user, used, link.through)

    def _meant(self, user: str, link: Link) -> Iterable[str]:
        """Which instances an instance needs: the named one, that of the same key, those its values name, or all."""
        among = self._blocks.beside(user, link.used)
        if len(among) < 2:
            return among
        if link.key and link.key != "each":
            named = [one for one in among if one.endswith(link.key)]
            return named or among[:MOST_INSTANCES]
        if link.key == "each" and user.endswith("]"):
            key = user[user.rindex("[") :]
            same = [one for one in among if one.endswith(key)]
            if same:
                return same
        return self._valued.get((user, link.used)) or islice(among, MOST_INSTANCES)


class _Blocks:
    """The instances of each block, and those of them in each instance of a module."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._instances: dict[str, list[str]] = {}
        self._inside: dict[tuple[str, str], list[str]] = {}
        for address in addresses:
            block = _stripped(address)
            self._instances.setdefault(block, []).append(address)
            for module in _modules(address):
                self._inside.setdefault((module, block), []).append(address)

    def instances(self, block: str) -> Sequence[str]:
        return self._instances.get(block, ())

    def beside(self, user: str, block: str) -> Sequence[str]:
        """The instances of a block in the innermost instance of a module that holds this user too."""
        for module in _modules(user):
            if inside := self._inside.get((module, block)):
                return inside
        return self.instances(block)


def _modules(address: str) -> Iterator[str]:
    """The instances of modules that hold an address, innermost first."""
    ends = [found.end() for found in _MODULE.finditer(address)] if address.startswith("module.") else []
    for end in reversed(ends):
        yield address[:end]


class _Record:
    """What the state records of dependencies, as sets of blocks."""

    def __init__(self, prior: Iterable[StateResource], shown: Callable[[str], str]) -> None:
        self._needs: dict[str, frozenset[str]] = {}
        for one in prior:
            if one.mode == "managed" and one.depends_on:
                block = _stripped(shown(one.address))
                mine = frozenset(_stripped(shown(other)) for other in one.depends_on if not is_data(other))
                self._needs[block] = self._needs.get(block, frozenset()) | mine

    def denies(self, link: Link, changing: frozenset[str]) -> bool:
        """Whether a reference is new: the resource changes, and the state, which knows its old needs, lacks this."""
        needs = self._needs.get(link.user)
        return bool(needs) and link.used not in (needs or ()) and link.user in changing

    def missing(self, resources: Mapping[str, Resource], direct: list[Use]) -> list[Use]:
        """The recorded uses that nothing nearer explains."""
        blocks = _Blocks(resources)
        near: dict[str, set[str]] = {}
        for use in direct:
            near.setdefault(_stripped(use.user), set()).add(_stripped(use.used))
        found = []
        for block, needs in self._needs.items():
            users = blocks.instances(block)
            for used in sorted(self._unexplained(needs, near.get(block, set()))) if users else ():
                found += [Use(user, one) for user in users for one in blocks.beside(user, used)[:MOST_INSTANCES]]
        return found

    def _unexplained(self, needs: frozenset[str], near: set[str]) -> set[str]:
        left = set(needs) - near
        for one in near | needs:
            if not left:
                break
            left -= self._needs.get(one, frozenset())
        return left


def _nearest(uses: Iterable[Use]) -> Iterator[Use]:
    """One use of a pair for each attribute: the path that says most."""
    best: dict[tuple[str, str, str], Use] = {}
    pairs = set()
    for use in uses:
        key = (use.user, use.used, use.through.split(".")[0])
        if key not in best or len(use.through) > len(best[key].through):
            best[key] = use
        if use.through:
            pairs.add((use.user, use.used))
    return (use for use in best.values() if use.through or (use.user, use.used) not in pairs)
