"""What Terraform's state says is there: services of its resources, and where it and the code have come apart.

A state as it lies in its backend (version 4), or what `terraform show -json` writes of a state or a plan. Values are
never shown: a state holds secrets; names, tags and addresses are all that is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.infra.plans import decoded
from tidegate.infra.terraform.document import Entry, Module, Values, resources_of
from tidegate.infra.terraform.stacks import Stack
from tidegate.operate.environment import resources
from tidegate.operate.environment.statements import Apart, NotKnown, Statement, Told
from tidegate.operate.environment.values import Drift, Said, SourceKind, SourceRead
from tidegate.report.layout import grouped

LEAST_SHARE = 0.3
"""A folder of code is the state's own when so much of the state stands in it."""
MOST_TOLD = 200


class Held(Struct, frozen=True):
    """One resource of the state by its address."""

    address: str
    type: str
    values: Mapping[str, Any]


class State(Struct, frozen=True):
    """A state, or a plan with what it found changed since: `drifted` are addresses with what was changed."""

    where: str
    kind: SourceKind
    held: tuple[Held, ...]
    drifted: tuple[tuple[str, str], ...] = ()


def read_state(content: bytes, where: str) -> State:
    """InputError for what is neither a state nor a plan in JSON."""
    text = decoded(content, where)
    try:
        top = msgspec.json.decode(text, type=_Top)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputError(
            "this is no state of Terraform", where=where, mend="write it with: terraform show -json > FILE"
        ) from error
    if top.version is not None and top.resources is not None:
        if top.version != 4:
            raise InputError(f"a state of version {top.version}, and 4 is known", where=where, mend=_SHOW)
        return State(where, "state", tuple(_raw(top.resources)))
    if top.resource_changes is not None or top.planned_values is not None or top.prior_state is not None:
        values = top.prior_state.values if top.prior_state is not None else None
        return State(where, "plan", tuple(_shown(values)), tuple(_drifted(top.resource_drift or ())))
    if top.values is not None or top.format_version is not None:
        return State(where, "state", tuple(_shown(top.values)))
    raise InputError("this is neither a state nor a plan", where=where, mend=_SHOW)


def statements_of(state: State, stacks: Sequence[Stack]) -> Iterator[Statement]:
    """The services in it; and, where a folder of the code is its own, what stands in one of the two only."""
    for one in state.held:
        yield from resources.statements_of(one.type, one.values, Said(source=state.kind, where=_at(state, one.address)))
    for address, what in state.drifted:
        said = Said(source=state.kind, where=_at(state, address))
        says = f"{address} was {what} since Terraform last wrote it"
        yield Apart(drift=Drift(kind="changed by hand", name=address, says=says, said=(said,)))
    yield from _against(state, stacks)
    services = sum(one.type in resources.SERVICES for one in state.held)
    words = f"{grouped(len(state.held), 'resource')}, {services} of them services"
    yield Told(read=SourceRead(source=state.kind, where=state.where, says=words))


# Private

_SHOW = "write it with: terraform show -json > FILE"
_KEYS = re.compile(r'\["(?:\\.|[^"\\])*"\]|\[\d+\]')


class _Instance(Struct, frozen=True):
    attributes: dict[str, Any] | None = None
    index_key: int | float | str | None = None


class _Resource(Struct, frozen=True):
    type: str
    name: str
    mode: str = "managed"
    module: str = ""
    instances: tuple[_Instance, ...] = ()


class _Shown(Struct, frozen=True):
    values: Values | None = None


class _Top(Struct, frozen=True):
    version: int | None = None
    resources: tuple[_Resource, ...] | None = None
    format_version: str | float | None = None
    values: Values | None = None
    planned_values: Values | None = None
    prior_state: _Shown | None = None
    resource_changes: list[Entry] | None = None
    resource_drift: list[Entry] | None = None


def _raw(given: Iterable[_Resource]) -> Iterator[Held]:
    for one in given:
        if one.mode != "managed":
            continue
        base = f"{one.module}." if one.module else ""
        for instance in one.instances:
            key = instance.index_key
            index = "" if key is None else f'["{key}"]' if isinstance(key, str) else f"[{key:g}]"
            yield Held(f"{base}{one.type}.{one.name}{index}", one.type, instance.attributes or {})


def _shown(values: Values | None) -> Iterator[Held]:
    for one in resources_of(values or Values(root_module=Module())):
        if one.mode == "managed":
            yield Held(one.address, one.type, one.values or {})


def _drifted(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        actions = tuple(entry.change.actions)
        if entry.mode == "managed" and actions != ("no-op",):
            yield entry.full_address, "deleted" if actions == ("delete",) else "changed"


def _against(state: State, stacks: Sequence[Stack]) -> Iterator[Statement]:
    there = {_base(one.address): one for one in reversed(state.held)}
    if not there or not stacks:
        return
    written = {stack.path: {_base(piece.base) for piece in stack.pieces.values()} for stack in stacks}
    mine = max(stacks, key=lambda stack: (len(written[stack.path] & there.keys()), stack.path))
    common = written[mine.path] & there.keys()
    if len(common) < LEAST_SHARE * min(len(there), len(written[mine.path]) or len(there)) or not common:
        yield NotKnown(says=f"no folder of Terraform in the code fits {state.where}: it was not held against code")
        return
    folder = mine.path or "."
    absent = tuple(_base(one) for one in mine.absent)
    in_code, in_state = Said(source="code", where=folder), Said(source=state.kind, where=state.where)
    gone = sorted(address for address in there.keys() - written[mine.path] if not _within(address, absent))
    for address in gone[:MOST_TOLD]:
        says = f"{address} is in the state and in no code of {folder}: the next apply destroys it"
        yield Apart(drift=Drift(kind="in no code", name=address, says=says, said=(in_state,)))
    new = sorted(address for address in written[mine.path] - there.keys() if not _never(mine, address))
    for address in new[:MOST_TOLD]:
        says = f"{address} is in {folder} and not in the state: it was not applied, or it is switched off"
        yield Apart(drift=Drift(kind="not applied", name=address, says=says, said=(in_code,)))
    for rest in (gone[MOST_TOLD:], new[MOST_TOLD:]):
        if rest:
            yield NotKnown(says=f"{len(rest)} more resources stand in code or state only: {rest[0]}, ...")
    if absent:
        yield NotKnown(says=f"{len(absent)} modules of {folder} come from elsewhere and were not compared")


def _never(stack: Stack, address: str) -> bool:
    """Whether a count or a loop decides that there may be none of it."""
    return any(_base(one.base) == address and one.repeat != "once" for one in stack.pieces.values())


def _base(address: str) -> str:
    return _KEYS.sub("", address)


def _within(address: str, modules: Iterable[str]) -> bool:
    return any(address.startswith(f"{module}.") for module in modules)


def _at(state: State, address: str) -> str:
    return f"{state.where}: {address}"
