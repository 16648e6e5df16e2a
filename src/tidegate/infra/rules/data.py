"""Data that is destroyed: every stateful resource that is deleted or replaced, why, and what it takes to keep it."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import Severity
from tidegate.infra.kinds import Stateful, is_stateless, is_utility, stateful
from tidegate.infra.rules.renames import Renames, name_of, renames, stem
from tidegate.infra.rules.saves import saves, worse
from tidegate.infra.rules.saying import by_cloudformation, keeping, label, listed, users
from tidegate.infra.same import field, flag, items, pair, show
from tidegate.infra.values import Draft, Later, ResourceChange, World

MACHINES = frozenset(
    """
    aws_instance google_compute_instance azurerm_linux_virtual_machine azurerm_windows_virtual_machine
    azurerm_virtual_machine digitalocean_droplet hcloud_server linode_instance
    """.split()
)
_SAME_NAME = ("aws_sqs_queue",)
_LEFT_TO_KEYS = ("key", "key vault", "secret")


def data_destroyed(world: World) -> Iterator[Draft]:
    """What is lost with the resources that go away, one draft each."""
    gone = {change.address: change for change in world.changes if change.destroyed and "/" not in change.type}
    if not gone:
        return
    moves = renames(world.changes)
    for change in gone.values():
        if change.type in MACHINES:
            yield from _machine(change)
            continue
        kind = stateful(change.type)
        if kind is None or kind.word in _LEFT_TO_KEYS:
            continue
        if kind.severity == "low":
            yield from _object(world, change, kind, gone)
        elif source := _copies(change):
            yield _replica(change, kind, source)
        else:
            yield _lost(world, change, kind, moves)


def unknown_destroyed(world: World) -> Iterator[Draft]:
    """What goes away and may hold data: types that are not known. Many are said in one sentence."""
    gone = [change for change in world.changes if change.destroyed and _unknown(change)]
    if len(gone) <= 2:
        for change in gone:
            verb = "replaced" if change.action == "replace" else "destroyed"
            yield _unsure(
                change, f"{change.address} is {verb}{_because(change)}; it is not known whether it holds data."
            )
        return
    names = listed([change.address for change in gone], 4)
    types = listed(sorted({change.type for change in gone}), 4)
    yield _unsure(gone[0], f"{names} are destroyed; it is not known whether what they are ({types}) holds data.")


# Private


def _lost(world: World, change: ResourceChange, kind: Stateful, moves: Renames) -> Draft:
    will = "may" if change.certainty == "possible" else "will"
    replaced = change.action == "replace" or change.address in moves.moved
    verb = "destroy and replace" if replaced else "destroy"
    then = f"; {_new(kind, change)}" if replaced else ""
    cause = _cause(world, change, moves)
    told = f"{cause}: applying this {will}" if cause else f"Applying this {will}"
    reason = f"{told} {verb} the {kind.word} {label(change)} with {kind.holds}{then}."
    using = users(world, change.address)
    if using:
        reason += f" {listed(using)} {'uses' if len(using) == 1 else 'use'} it."
    reason += worse(change)
    reason += _advice(world, change, kind, moves)
    return Draft(
        code="DATA_DESTROY",
        severity=kind.severity,
        address=change.address,
        reason=reason,
        reversible=False,
        back=f"only from {kind.recovers}, if it exists" if kind.recovers else "none: the data are gone",
        mitigations=saves(change, kind),
    )


def _new(kind: Stateful, change: ResourceChange) -> str:
    if kind.word == "cache":
        return "the new one is a cold cache, and its endpoint is gone until it is there"
    if kind.word == "DNS zone":
        return "the new one gets other name servers"
    if (start := field(change.after, "snapshot_identifier")) and "snapshot_identifier" in change.forced_by:
        return f"the new one starts from the snapshot {show(start)}, without what was written after it"
    if change.type in _SAME_NAME and name_of(change.before) == (name_of(change.after) or name_of(change.before)):
        return "the new one is empty, and AWS refuses a queue of the same name for 60 seconds"
    return "the new one is empty"


def _cause(world: World, change: ResourceChange, moves: Renames) -> str:
    if target := moves.moved.get(change.address):
        if stem(target) == stem(change.address):
            return f"Its key changes, {change.address} -> {target}, without a moved block (count and for_each differ)"
        if by_cloudformation(world):
            return f"Its logical id changes, {change.address} -> {target}"
        return f"Renamed to {target} without a moved block"
    forced = _forced(change)
    if taker := moves.shifted.get(change.address):
        return f"The list behind {stem(change.address)} shifts: {taker} takes its name, so {forced or 'it changes'}"
    if forced:
        return f"{forced} cannot be changed in place"
    return _told(change)


def _told(change: ResourceChange) -> str:
    told = {
        "replace_because_tainted": "It is marked as tainted",
        "replace_by_request": "Its replacement was asked for (-replace)",
        "replace_by_triggers": "What replace_triggered_by names changes",
        "replace_because_cannot_update": "It cannot be updated in place",
        "delete_because_no_module": "Its module call is gone from the code",
        "delete_because_no_resource_config": "Its block is gone from the code",
        "delete_because_wrong_repetition": "Its resource no longer uses this kind of key (count and for_each differ)",
        "delete_because_count_index": "count became smaller",
        "delete_because_each_key": "Its key is gone from for_each",
        "delete_because_enabled_false": "It is no longer enabled",
        "delete_because_no_move_target": "A moved block leads nowhere",
    }
    if found := told.get(change.why):
        return found
    if change.action == "replace":
        return f"It is replaced ({change.why})" if change.why else "It is replaced"
    return ""


def _forced(change: ResourceChange) -> str:
    found = [pair(change, name) for name in change.forced_by[:3]]
    return " and ".join(str(one) if one.changed else one.shown for one in found)


def _because(change: ResourceChange) -> str:
    forced = _forced(change)
    return f" because {forced} cannot be changed in place" if forced else ""


def _advice(world: World, change: ResourceChange, kind: Stateful, moves: Renames) -> str:
    if target := moves.moved.get(change.address):
        return f" {keeping(world, change.address, target)} and nothing is destroyed."
    if change.address in moves.shifted:
        return " Use for_each with the names as keys and moved blocks, or append to the end of the list."
    if change.action == "replace" and kind.word == "user pool":
        return " Passwords cannot be copied to the new one: every user would have to set a new one."
    if change.action == "replace":
        return f" Safe way: make the new {kind.word} beside it, copy, and switch." if kind.word != "cache" else ""
    if kind.recovers and kind.severity == "critical":
        keep = "; a removed block with destroy = false keeps it" if world.source.startswith("terraform") else ""
        return f" Make sure of {kind.recovers} first{keep if change.why else ''}."
    return ""


def _machine(change: ResourceChange) -> Iterator[Draft]:
    disks = [
        one
        for one in items(field(change.before, "ebs_block_device"))
        if flag(field(one, "delete_on_termination") if isinstance(one, dict) else None) is not False
    ]
    more = flag(field(change.before, "delete_data_disks_on_termination")) or items(field(change.before, "scratch_disk"))
    if disks or more:
        many = f"its {len(disks)} data disks" if len(disks) > 1 else "its data disk"
        reason = f"{change.address} goes away{_because(change)}, and {many} with it: what is on them is destroyed."
        yield Draft("DATA_DESTROY", "high", change.address, reason, reversible=False, back="only from snapshots")
    elif change.action == "delete":
        reason = f"The machine {label(change)} is destroyed, and its root disk with it; it is not known what is on it."
        yield _unsure(change, reason)


def _object(world: World, change: ResourceChange, kind: Stateful, gone: dict[str, ResourceChange]) -> Iterator[Draft]:
    parents = [use.used for use in world.uses_before.used(change.address)]
    if change.action == "replace" or any(parent in gone for parent in parents):
        return
    reason = f"The {kind.word} {change.address} is deleted with {kind.holds}."
    yield Draft("DATA_DESTROY", "low", change.address, reason, reversible=True, back="from the code or its versions")


def _copies(change: ResourceChange) -> str:
    for path in ("replicate_source_db", "replication_source_identifier", "master_instance_name", "create_source_id"):
        source = field(change.before, path)
        if isinstance(source, (str, Later)) and show(source, 60) not in ('""', ""):
            return show(source, 60)
    return ""


def _replica(change: ResourceChange, kind: Stateful, source: str) -> Draft:
    reason = (
        f"The replica {label(change)} of {source} is destroyed{_because(change)}. The data stay in the source; "
        "reads that go to the replica fail, and there is one copy less to fail over to."
    )
    return Draft(
        "DATA_DURABILITY", "medium", change.address, reason, reversible=True, back=f"a new replica {kind.word}"
    )


def _unknown(change: ResourceChange) -> bool:
    type_ = change.type
    if "/" in type_ or type_ in MACHINES or is_utility(type_):
        return False
    if type_.startswith(("custom_", "Custom::")) and change.action == "replace":
        return False
    return stateful(type_) is None and not is_stateless(type_)


def _unsure(change: ResourceChange, reason: str) -> Draft:
    severity: Severity = "medium"
    return Draft("DESTROY", severity, change.address, reason, reversible=False, back="depends on what it holds")
