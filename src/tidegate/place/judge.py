"""The tier: the lowest that any axis earns. What raises it, and what it could damage where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tidegate.change.attested import Attested
from tidegate.place.criteria import criteria_of
from tidegate.place.values import AXES, TIERS, TITLES, Application, Axis, Criterion, Placement, Tier
from tidegate.settings import PlaceSettings

SCHEMA = "tidegate.place/1"


def judge(app: Application, declared: PlaceSettings, attested: Mapping[str, Attested], now: str) -> Placement:
    """Where the application may run, by what is known of it and what people vouch for."""
    criteria = criteria_of(app, declared, attested)
    axes: dict[str, Tier] = {axis: _earned(criteria, axis) for axis in AXES}
    tier = min(axes.values(), key=TIERS.index)
    next_ = TIERS[TIERS.index(tier) + 1] if tier != TIERS[-1] else ""
    return Placement(
        schema=SCHEMA,
        tier=tier,
        title=TITLES[tier],
        axes=axes,
        next=next_,
        steps=steps_to(criteria, next_),
        criteria=criteria,
        damage=damage_of(app),
        declared=declared.tier,
        application=app,
        read_at=now,
    )


def damage_of(app: Application) -> dict[str, tuple[str, ...]]:
    """What it could do at each tier if its code did its worst: what it holds, what it is given, whom it reaches."""
    hosts = [f"{one.name}:{one.port}" for one in app.hosts]
    secrets = [one.name for one in app.wanted if one.secret]
    held = sorted({one.name for one in app.fields})
    where = _and(secrets)
    test = [f"call {_and(hosts)}"] if hosts else [] if app.dynamic else ["call nobody: it was not seen to"]
    if app.dynamic:
        test.append(
            f"call what only its settings name, once declared: {_and(_once(_short(one.text) for one in app.dynamic))}"
        )
    if secrets:
        test.append(
            f"use and give away what {where} open{'s' if len(secrets) == 1 else ''}, where test values are given"
        )
    if app.executions:
        test.append(f"run what its users send, inside its container: {app.executions[0].place}")
    shared = [one.replace(", where test values are given", ", with real values") for one in test]
    kept = f" ({_and(held)})" if held else ""
    if app.stores or held:
        shared.append(f"read, change and delete everything in its own store{kept}: {app.data} data")
    open_ = [one for one in app.routes if one.guard is None and not one.open_by_name]
    if open_:
        shared.append(f"be asked by anybody on the network through {_and([one.name for one in open_])}")
    critical = [*shared]
    if app.routes:
        critical.append(f"answer wrongly, or not at all, to all who use its {len(app.routes)} routes")
    return {
        "T0": ("use the processor and memory of its quota until it is thrown away; reach nothing, hold nothing",),
        "T1": (*test, "hold nothing but made-up data"),
        "T2": tuple(shared),
        "T3": tuple(critical),
    }


# Private


def _earned(criteria: Sequence[Criterion], axis: Axis) -> Tier:
    mine = [one for one in criteria if one.axis == axis]
    earned: Tier = "T0"
    for tier in TIERS[1:]:
        if any(one.tier == tier and one.state != "met" for one in mine):
            break
        earned = tier
    return earned


def steps_to(criteria: Sequence[Criterion], tier: str) -> tuple[str, ...]:
    """What raises it to this tier, the easiest first: all that this tier and those below it ask for. A step for
    several criteria is said once."""
    wanted = [one for one in criteria if tier and one.tier <= tier and one.state != "met"]
    joined: dict[str, list[str]] = {}
    for one in sorted(wanted, key=lambda each: each.effort):
        joined.setdefault(one.step, []).append(one.id)
    return tuple(f"{step} [{', '.join(ids)}]" for step, ids in joined.items())


def _and(names: Sequence[str], most: int = 6) -> str:
    shown = [*names[:most], *([f"{len(names) - most} more"] if len(names) > most else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "nothing"


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _short(text: str) -> str:
    return text.partition(" connects to")[0].partition(" names a machine")[0].partition("(...)")[0]
