"""Resources that are destroyed only because their address changed: renamed blocks, repetition, shifted lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from tidegate.infra.same import same
from tidegate.infra.values import Hidden, Later, ResourceChange, Value

IDENTITIES = (
    *"identifier cluster_identifier replication_group_id cluster_id bucket repository_name".split(),
    *"workspace_name table_name queue_name sqs_name domain domain_name table_id dataset_id db_name name".split(),
)
"""Attributes that name the object itself, the surest first."""
_NATURES = ("engine", "engine_version", "family", "source_region")
"""Attributes that make it another thing: a database of another engine beside the old one is a migration."""
_ENOUGH = 0.8
_MOST_CANDIDATES = 40


class Renames(Struct, frozen=True):
    """`moved` says under which address the same thing is created again; `shifted` which other resource of the same
    list takes the name of this one."""

    moved: Mapping[str, str]
    shifted: Mapping[str, str]


def renames(changes: Iterable[ResourceChange]) -> Renames:
    """What is destroyed here and created there with the same values."""
    deleted = [one for one in changes if one.action == "delete" and one.before]
    created: dict[tuple[str, str], list[ResourceChange]] = {}
    for one in changes:
        if one.action == "create" and one.after:
            created.setdefault((one.type, name_of(one.after)), []).append(one)
    moved: dict[str, str] = {}
    taken: set[str] = set()
    for one in deleted:
        name = name_of(one.before)
        candidates = created.get((one.type, name), []) + (created.get((one.type, ""), []) if name else [])
        scored = [
            (_agreement(one, other), other.address)
            for other in candidates[:_MOST_CANDIDATES]
            if other.address not in taken
        ]
        best = max(scored, key=lambda pair: (pair[0], pair[1]), default=(0.0, ""))
        if best[0] >= _ENOUGH:
            moved[one.address] = best[1]
            taken.add(best[1])
    return Renames(moved, _shifted(changes))


def name_of(values: Mapping[str, Value] | None) -> str:
    """The name that the object itself has, "" where none is known."""
    for key in IDENTITIES:
        value = (values or {}).get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def stem(address: str) -> str:
    """An address without its last index: `aws_sqs_queue.q[0]` is one of `aws_sqs_queue.q`."""
    return address[: address.rindex("[")] if address.endswith("]") else address


# Private


def _agreement(deleted: ResourceChange, created: ResourceChange) -> float:
    before, after = deleted.before or {}, created.after or {}
    if any(key in before and key in after and not same(before[key], after[key]) for key in _NATURES):
        return 0.0
    known = [
        key
        for key, value in after.items()
        if value not in (None, "", [], {}) and not isinstance(value, Later) and not key.startswith("tags")
    ]
    agreeing = sum(same(before.get(key), after[key]) or isinstance(after[key], Hidden) for key in known)
    if len(known) < 2 and not name_of(after):
        return 0.0
    return agreeing / len(known) if known else 0.0


def _shifted(changes: Iterable[ResourceChange]) -> Mapping[str, str]:
    lists: dict[str, list[ResourceChange]] = {}
    for one in changes:
        if one.address.endswith("]") and one.action in ("replace", "create", "delete", "update"):
            lists.setdefault(stem(one.address), []).append(one)
    found: dict[str, str] = {}
    for members in lists.values():
        after = {name_of(one.after): one.address for one in members if one.after and name_of(one.after)}
        for one in members:
            taker = after.get(name_of(one.before)) if one.before else None
            if one.action == "replace" and taker and taker != one.address:
                found[one.address] = taker
    return found
