"""Engines that move to another version, and restarts: what stops, when, and whether there is a way back."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import Severity
from tidegate.infra.kinds import stateful
from tidegate.infra.rules.saying import by_cloudformation, edits, heads, label, turned
from tidegate.infra.rules.sizes import ratio
from tidegate.infra.rules.versions import NAMES, family, step
from tidegate.infra.same import Pair, field, flag, items, same
from tidegate.infra.values import Draft, Later, Mitigation, ResourceChange, Value, World

CLASSES = (
    *"instance_class db_instance_class node_type db_cluster_instance_class settings.tier machine_type".split(),
    *"instance_type cluster_config.instance_type broker_node_group_info.instance_type host_instance_type".split(),
    *"provider_instance_size_name sku_name vm_size size cache_node_type".split(),
)
"""Attributes that say how large the machine is."""
_GROUPS = ("parameter_group_name", "db_parameter_group_name")
_LISTS = ("parameter", "db_parameter", "db_parameters")
_VERSIONED = heads(*NAMES)
_RESTARTING = heads(*CLASSES, *_GROUPS, *_LISTS, "apply_immediately")
_SIZED = ("size", "sku_name", "vm_size")
_SIZED_TYPES = ("azurerm_", "digitalocean_droplet", "digitalocean_database_cluster")


def versions_changed(world: World) -> Iterator[Draft]:
    """Major upgrades, which have no way back, and smaller steps, which restart."""
    planned = world.source in ("terraform plan", "change set")
    for change, names in edits(world, _VERSIONED):
        for name, types in NAMES.items():
            if name in names and (not types or change.type in types):
                found = turned(change, names, name)
                if found is not None:
                    yield from _version(change, found, now(world, change), planned=planned)


def restarts(world: World) -> Iterator[Draft]:
    """What restarts for another reason than its version: its class, its parameters, changes that no longer wait."""
    for change, names in edits(world, _RESTARTING):
        yield from _class(change, names, now(world, change))
        yield from _at_once(change, names)
        yield from _parameters(change, names)


def now(world: World, change: ResourceChange) -> str:
    """Why changes of it take effect at once instead of in the maintenance window, "" where they wait."""
    set_ = flag(field(change.after, "apply_immediately"))
    if set_:
        return "apply_immediately is true"
    return "CloudFormation does not wait" if set_ is None and by_cloudformation(world) else ""


# Private


def _version(change: ResourceChange, found: Pair, at_once: str, *, planned: bool) -> Iterator[Draft]:
    engine = family(change)
    grade, way = step(engine, found.before, found.after)
    if way == 0:
        return
    if way < 0:
        yield _back(change, found, planned=planned, grade=grade)
    elif grade == "major":
        yield _kubernetes(change, found) if engine == "kubernetes" else _major(change, found, at_once)
    elif planned and at_once:
        yield _restart(change, f"{found}: {label(change)} restarts during the apply, because {at_once}", "medium")
    elif planned:
        yield _restart(change, f"{found}: {label(change)} restarts in its next maintenance window", "low")
    else:
        reason = f"{found} on {label(change)}: a minor step with a short restart, or none where the code is aligned "
        yield _restart(change, f"{reason}to the version that already runs", "low")


def _major(change: ResourceChange, found: Pair, at_once: str) -> Draft:
    kind = stateful(change.type)
    when = f"now, because {at_once}," if at_once else "in the next maintenance window"
    reason = (
        f"{found} is a major upgrade of the {kind.word if kind else 'engine'} {label(change)}: downtime {when} "
        "and no way back but a restore from a snapshot taken before. Try it on a copy first."
    )
    grave: Severity = "medium" if kind is not None and kind.word == "cache" else "high"
    allowed = flag(field(change.after, "allow_major_version_upgrade"))
    refused = (Mitigation("allow_major_version_upgrade is false: AWS refuses the upgrade"),) if allowed is False else ()
    return Draft(
        "IRREVERSIBLE_UPGRADE",
        grave,
        change.address,
        reason,
        reversible=False,
        back="only a restore from a snapshot taken before",
        mitigations=refused,
    )


def _kubernetes(change: ResourceChange, found: Pair) -> Draft:
    reason = (
        f"{found} upgrades the control plane of {label(change)}. There is no way back to the old version, and API "
        "versions that it removes stop working: look for their use first."
    )
    return Draft("IRREVERSIBLE_UPGRADE", "medium", change.address, reason, reversible=False, back="a new cluster")


def _back(change: ResourceChange, found: Pair, *, planned: bool, grade: str) -> Draft:
    if not planned:
        reason = (
            f"{found} on {label(change)}: the code is aligned to the version that already runs, or the provider "
            "refuses the change; an engine never goes back in place"
        )
        return _restart(change, reason, "low")
    reason = (
        f"{found} on {label(change)} would be a downgrade: the provider refuses it and the apply stops there. "
        "Put the version that runs into the code."
    )
    severity: Severity = "medium" if grade == "major" else "low"
    return Draft("APPLY_FAIL", severity, change.address, reason, reversible=True, back="name the version that runs")


def _class(change: ResourceChange, names: frozenset[str], at_once: str) -> Iterator[Draft]:
    found = sized(change, names)
    if found is None or not found.known or found.before is None:
        return
    times = ratio(found.before, found.after)
    if times is None or times >= 1:
        when = "during the apply" if at_once or not stateful(change.type) else "in its next maintenance window"
        yield _restart(change, f"{found}: {label(change)} restarts or fails over {when}", "low")


def sized(change: ResourceChange, names: frozenset[str]) -> Pair | None:
    """The attribute that gives it another size of machine, None where none does."""
    found = turned(change, names, *CLASSES)
    if found is not None and found.name in _SIZED and not change.type.startswith(_SIZED_TYPES):
        return None
    return found


def _at_once(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    found = turned(change, names, "apply_immediately")
    if found and flag(found.after) and not flag(found.before):
        reason = (
            f"{found} on {label(change)}: this and every later change, restarts among them, takes effect at once "
            "instead of in the maintenance window"
        )
        yield _restart(change, reason, "medium")


def _parameters(change: ResourceChange, names: frozenset[str]) -> Iterator[Draft]:
    group = turned(change, names, *_GROUPS)
    if group and group.before is not None and group.known:
        yield _restart(change, f"{group}: static parameters of {label(change)} change only when it is restarted", "low")
    for name in _LISTS:
        if name in names:
            waiting = _pending(field(change.before, name), field(change.after, name))
            if waiting:
                reason = f"{', '.join(waiting[:4])} of {label(change)} wait for a restart (pending-reboot)"
                yield _restart(change, reason, "low")


def _pending(before: Value, after: Value) -> list[str]:
    if isinstance(after, Later):
        return []
    old = {str(field(one, "name")): field(one, "value") for one in items(before) if isinstance(one, dict)}
    return [
        str(field(one, "name"))
        for one in items(after)
        if isinstance(one, dict)
        and field(one, "apply_method") == "pending-reboot"
        and not same(old.get(str(field(one, "name"))), field(one, "value"))
    ]


def _restart(change: ResourceChange, reason: str, severity: Severity) -> Draft:
    return Draft(
        "RESTART",
        severity,
        change.address,
        f"{reason}.",
        reversible=True,
        back="change it back; it restarts again",
    )
