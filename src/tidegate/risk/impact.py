"""How much is hit if the change fails: from what it touches and reaches, and how hard it is to take back.

This is a convention, not a probability: no public data says what an outage cost. Each reason takes a share of what is
left of harmless (a noisy-or), so that reasons add up without passing 1, their order does not matter, and one more
reason never makes the impact smaller. The shares stand here, and a rule may read `risk.impact_factors` instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct

from tidegate.facts import ChangeFacts, Infra, Reach, RiskBand, RiskFactor, Severity, Unknown, is_known

CRITICAL_SERVICE = 0.35
SERVICE = 0.08
ENTRY_POINT = 0.03
CRITICAL_DOMAIN = 0.30
DOMAIN = 0.05
TENFOLD_SYMBOLS = 0.06
TAKEN_BACK_WITH_EFFORT = 0.40
UNPLANNED = 0.15
EFFECTS: dict[Severity, float] = {"note": 0.0, "low": 0.05, "medium": 0.2, "high": 0.45, "critical": 0.75}
LASTING = ("migrations", "infrastructure")
"""Domains whose changes `git revert` does not undo: tables that were dropped, networks that were opened."""

BANDS: tuple[tuple[float, RiskBand], ...] = ((0.8, "very high"), (0.5, "high"), (0.2, "moderate"), (0.0, "low"))


class Impact(Struct, frozen=True):
    """How much is hit, from 0 to 1, and why. With `unknowns` it is the least that it can be."""

    value: float
    band: RiskBand
    factors: tuple[RiskFactor, ...]
    unknowns: tuple[Unknown, ...]


def impact_of(change: ChangeFacts, reach: Reach, infra: Infra) -> Impact:
    """The impact of a change, from facts that other collectors wrote.

    What one of them could not tell leaves the impact unknown; effects on infrastructure count once they are collected.
    """
    found = [*_touched(change), *_reached(reach), *_lasting(change), *_effects(infra)]
    factors = tuple(sorted((factor for factor in found if factor.weight > 0), key=lambda one: (-one.weight, one.name)))
    left = math.prod(1.0 - factor.weight for factor in factors)
    value = round(1.0 - left, 4)
    band = next(name for least, name in BANDS if value >= least)
    return Impact(value, band, factors, tuple(_unknowns(change, reach, infra, value)))


# Private


def _touched(change: ChangeFacts) -> Iterator[RiskFactor]:
    hand = [file for file in change.files if file.kind not in ("docs", "test") and not file.vendored]
    critical = sorted({name for file in hand if file.critical for name in file.domains} & set(change.critical_domains))
    if critical:
        share = 1 - (1 - CRITICAL_DOMAIN) * (1 - DOMAIN) ** (len(critical) - 1)
        yield RiskFactor("critical-domains", f"touches {_list(critical)}", round(share, 4))
    others = sorted({name for file in hand for name in file.domains} - set(critical))
    if len(others) > 1:
        yield RiskFactor("domains", f"touches {_list(others)}", round(1 - (1 - DOMAIN) ** len(others), 4))


def _reached(reach: Reach) -> Iterator[RiskFactor]:
    critical = len(reach.critical_services)
    if critical:
        share = 1 - (1 - CRITICAL_SERVICE) * (1 - SERVICE) ** (critical - 1)
        words = f"can affect {_list(reach.critical_services)}, critical"
        yield RiskFactor("critical-services", words, round(share, 4))
    services = len(reach.services) - critical
    if services > 0:
        words = f"can affect {_counted(services, 'service')}" + (" more" if critical else "")
        yield RiskFactor("services", words, round(1 - (1 - SERVICE) ** services, 4))
    if reach.entry_points:
        share = 1 - (1 - ENTRY_POINT) ** len(reach.entry_points)
        words = f"can affect {_counted(len(reach.entry_points), 'entry point')}"
        yield RiskFactor("entry-points", words, round(share, 4))
    if reach.reached >= 10:
        share = TENFOLD_SYMBOLS * math.log10(reach.reached)
        yield RiskFactor("symbols", f"{reach.reached:,} further symbols can feel it", round(share, 4))


def _lasting(change: ChangeFacts) -> Iterator[RiskFactor]:
    lasting = [name for name in LASTING if name in change.domains]
    if lasting:
        planned = change.intent.rollback != ""
        share = TAKEN_BACK_WITH_EFFORT if planned else 1 - (1 - TAKEN_BACK_WITH_EFFORT) * (1 - UNPLANNED)
        tail = "the way back is described" if planned else "no way back is described"
        words = f"a revert alone does not take back what it does to {_list(lasting)}; {tail}"
        yield RiskFactor("lasting", words, round(share, 4))


def _effects(infra: Infra) -> Iterator[RiskFactor]:
    for effect in infra.effects[:1]:
        more = f" and {infra.effects_total - 1} more" if infra.effects_total > 1 else ""
        yield RiskFactor("effects", f"{effect.address}: {effect.reason}{more}", EFFECTS[effect.severity])


def _unknowns(change: ChangeFacts, reach: Reach, infra: Infra, least: float) -> Iterator[Unknown]:
    reasons = []
    if change.status == "unknown":
        reasons.append("what changed is not known")
    names = ("reached", "services", "critical_services", "entry_points")
    if any(not is_known(reach, name) for name in names):
        reasons.append(f"how far it reaches is not known ({_first(reach.unknowns)})")
    if infra.status != "complete":
        reasons.append(f"what it does to infrastructure is not known ({_first(infra.unknowns)})")
    elif infra.unjudged:
        reasons.append(f"what it does to {infra.unjudged[0].address} cannot be judged")
    if reasons:
        tail = f"; it is {least:.2f} at least" if least else ""
        yield Unknown("risk.impact", "; ".join(reasons) + tail)
        yield Unknown("risk.impact_band", "follows the impact")


def _first(unknowns: tuple[Unknown, ...]) -> str:
    return unknowns[0].reason if unknowns else "no reason given"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _list(names: tuple[str, ...] | list[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
