"""Every question that a world is asked. A rule is one function and one line in this list."""

from __future__ import annotations

from tidegate.infra.rules import (
    backups,
    capacity,
    data,
    endpoints,
    exposure,
    firewalls,
    guards,
    iam,
    keys,
    network,
    outage,
    plan,
    retention,
    upgrades,
)
from tidegate.infra.values import Rule

RULES: tuple[Rule, ...] = (
    data.data_destroyed,
    data.unknown_destroyed,
    upgrades.versions_changed,
    upgrades.restarts,
    capacity.capacity_changed,
    capacity.durability_reduced,
    keys.keys_lost,
    keys.secrets_changed,
    guards.guards_removed,
    guards.locks_removed,
    backups.backups_reduced,
    retention.terms_cut,
    retention.lifecycles_cut,
    network.reach,
    iam.permissions,
    exposure.switches,
    exposure.removed_blocks,
    endpoints.doors,
    endpoints.routes,
    endpoints.origins,
    firewalls.removed,
    firewalls.detached,
    firewalls.loosened,
    outage.outages,
    plan.state_lost,
    plan.stack_destroyed,
    plan.forgotten,
    plan.left_out,
)
