"""Which resource needs which, from all sources together: references, recorded dependencies, equal values, selectors."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct


class Use(Struct, frozen=True):
    """`user` needs `used`. `through` is the attribute that says so (`environment.DB_HOST`), "" where none is known."""

    user: str
    used: str
    through: str = ""


class Uses(Struct, frozen=True):
    """An index over uses in both directions. Addresses that nothing names have none."""

    by_used: Mapping[str, tuple[Use, ...]]
    by_user: Mapping[str, tuple[Use, ...]]

    def users(self, address: str) -> tuple[Use, ...]:
        """Who needs this directly."""
        return self.by_used.get(address, ())

    def used(self, address: str) -> tuple[Use, ...]:
        """What this needs directly."""
        return self.by_user.get(address, ())

    def dependents(self, address: str) -> Iterator[str]:
        """Everything that needs this, directly or through others, nearest first, each once."""
        return _walk(address, lambda one: (use.user for use in self.users(one)))

    def needs(self, address: str) -> Iterator[str]:
        """Everything that this needs, directly or through others, nearest first, each once."""
        return _walk(address, lambda one: (use.used for use in self.used(one)))


NO_USES = Uses({}, {})


def uses_of(found: Iterable[Use]) -> Uses:
    """The index over these uses, each once and in an order that depends on them alone."""
    by_used: dict[str, list[Use]] = {}
    by_user: dict[str, list[Use]] = {}
    for use in sorted(set(found), key=lambda one: (one.user, one.used, one.through)):
        if use.user != use.used:
            by_used.setdefault(use.used, []).append(use)
            by_user.setdefault(use.user, []).append(use)
    return Uses({k: tuple(v) for k, v in by_used.items()}, {k: tuple(v) for k, v in by_user.items()})


# Private


def _walk(start: str, step: Callable[[str], Iterable[str]]) -> Iterator[str]:
    seen, waiting = {start}, deque([start])
    while waiting:
        for one in step(waiting.popleft()):
            if one not in seen:
                seen.add(one)
                waiting.append(one)
                yield one
