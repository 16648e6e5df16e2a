"""What the changes of a deployment hit together: summed where every change says it, unknown where one does not."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tidegate.facts import Unknown
from tidegate.policy.case import look
from tidegate.policy.document import conform
from tidegate.rollout.gate import ChangeCase, Sums

T = TypeVar("T")

SEVERITIES = ("none", "note", "low", "medium", "high", "critical")
_READ = ("change", "reach", "infra", "risk")


def sum_up(cases: Sequence[ChangeCase]) -> Sums:
    """The sums of the changes that come. Facts that several commits share, as one check of them all, count once."""
    documents = [conformed(facts) for facts in {id(case.facts): case.facts for case in cases}.values()]
    return Sums(
        changes=len(cases),
        lines=_total(documents, ("change.lines_added", "change.lines_deleted")),
        services=_union(documents, "reach.services"),
        critical_services=_union(documents, "reach.critical_services"),
        entry_points=None if (found := _union(documents, "reach.entry_points")) is None else len(found),
        risk=_any_of(documents),
        infra=_worst(documents),
    )


def conformed(facts: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The sections that a gate reads, with only what holds for certain."""
    given = facts if isinstance(facts, Mapping) else {}
    return conform({key: given[key] for key in ("schema", "now", *_READ) if key in given})


def irreversible(facts: Mapping[str, Any] | None) -> tuple[str, ...] | Unknown:
    """What taking the change away would not bring back, in words; Unknown where nobody looked."""
    effects = look(conformed(facts), "infra.effects", list[dict[str, Any]])
    if isinstance(effects, Unknown):
        return effects
    return tuple(f"{one['code']} of {one['address']}" for one in effects if one["reversible"] is not True)


# Private


def _values(documents: Iterable[Mapping[str, Any]], path: str, type_: type[T]) -> list[T] | None:
    """The value of every document, None where one of them has none."""
    found: list[T] = []
    for document in documents:
        value = look(document, path, type_)
        if isinstance(value, Unknown):
            return None
        found.append(value)
    return found


def _total(documents: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> int | None:
    columns = [_values(documents, path, int) for path in paths]
    return None if any(column is None for column in columns) else sum(sum(column or ()) for column in columns)


def _union(documents: Sequence[Mapping[str, Any]], path: str) -> tuple[str, ...] | None:
    lists = _values(documents, path, list[str])
    return None if lists is None else tuple(sorted({name for names in lists for name in names}))


def _any_of(documents: Sequence[Mapping[str, Any]]) -> float | None:
    """The probability that any of them needs repair, as if they were independent."""
    found = _values(documents, "risk.probability", float)
    if found is None or not all(0 <= one <= 1 for one in found):
        return None
    return round(1 - math.prod(1 - one for one in found), 9)


def _worst(documents: Sequence[Mapping[str, Any]]) -> str | None:
    found = _values(documents, "infra.severity", str)
    if found is None or not set(found) <= set(SEVERITIES):
        return None
    return max(found, key=SEVERITIES.index, default="none")
