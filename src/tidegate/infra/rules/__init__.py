"""Every question that a world is asked. A rule is one function and one line in this list."""

from __future__ import annotations

from tidegate.infra.rules import data, network
from tidegate.infra.values import Rule

RULES: tuple[Rule, ...] = (
    data.data_destroyed,
    data.unknown_destroyed,
    network.reach,
)
