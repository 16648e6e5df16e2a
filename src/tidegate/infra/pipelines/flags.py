"""Feature flags: what a change of them switches off or on for everybody at once."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Certainty, EffectCode, Place, Severity, Unjudged
from tidegate.infra.pipelines.texts import Text, read_both, words_of
from tidegate.infra.same import flag as switch
from tidegate.infra.same import number
from tidegate.infra.values import Draft, Found, Value

DEEPEST = 5
BACK = "set the flag back"
Sense: TypeAlias = Literal["maintenance", "read-only", "kill", "critical", "other"]
"""What a flag's name says that it does when it is on."""


class Flag(Struct, frozen=True):
    """One flag. `share` is how much of everybody gets it, 0 to 1; None where its values say no such thing."""

    name: str
    share: float | None
    steps: bool = False


def read(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed files of flags come to."""
    both = read_both(trees, pairs)
    drafts: list[Draft] = []
    unjudged: list[Unjudged] = []
    files: set[str] = set()
    for one in both:
        before, after = _flags(one.before), _flags(one.after)
        if before is None and one.before is not None and after:
            before = {}
        if one.after is not None and after is None and before:
            reason = "the file of flags cannot be read any more: flags fall back to what the code says"
            unjudged.append(Unjudged(f"flags {one.path}", reason, "mend the file", Place(one.path)))
        if not before and not after:
            continue
        files |= {text.path for text in (one.before, one.after) if text}
        if before and after is not None and one.after is not None:
            drafts += _compared(one.after, before, after)
    return Found(drafts=tuple(drafts), unjudged=tuple(unjudged), files=tuple(sorted(files)))


def flags_of(value: Value) -> dict[str, Flag]:
    """The flags of a parsed file, whichever tool it is of."""
    return {flag.name: flag for flag in _walk(value, "", 0)}


def sense_of(name: str) -> Sense:
    """What a flag does when it is on, by its name."""
    words = [word for word in re.split(r"[^a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()) if word]
    have = set(words)
    if have & {"maintenance", "sitedown", "lockdown"} or {"site", "down"} <= have:
        return "maintenance"
    if "readonly" in have or {"read", "only"} <= have:
        return "read-only"
    if words[:1] and (words[0] in _STOPS or have & _STOPPED or {"kill", "switch"} <= have or words[-1] == "off"):
        return "kill"
    if have & {"circuit", "breaker"} and have & {"open", "force", "trip", "tripped"}:
        return "kill"
    entry = {"sign", "log"} & have and {"up", "in"} & have
    return "critical" if (have & _CRITICAL or entry) and not have & _TRIALS else "other"


def judged(before: Flag, after: Flag) -> Iterator[tuple[EffectCode, Severity, str, Certainty]]:
    """What the change of one flag does to everybody."""
    was, now = before.share, after.share
    if was is None or now is None or was == now:
        return
    sense, name = sense_of(after.name), after.name.rpartition("/")[2]
    if now > was:
        if sense == "maintenance":
            yield (
                "OUTAGE_FULL",
                "high",
                f"{name} {_share(was)} -> {_share(now)} puts the service into maintenance for everybody.",
                "likely",
            )
        elif sense == "read-only":
            yield "OUTAGE_PARTIAL", "high", f"{name} {_share(was)} -> {_share(now)} refuses every write.", "likely"
        elif sense == "kill":
            text = f"{name} {_share(was)} -> {_share(now)} switches off what it guards for {_whom(now)}."
            yield "OUTAGE_PARTIAL", "high" if now == 1 else "medium", text, "likely"
        elif was == 0 and now == 1 and (sense == "critical" or after.steps):
            text = (
                f"{name} {_share(was)} -> {_share(now)} is turned on for everybody at once: go by steps,"
                " so that a fault meets few."
            )
            yield "OUTAGE_PARTIAL", "medium", text, "possible"
        return
    if sense in ("maintenance", "read-only"):
        return
    if sense == "kill":
        if was == 1 and now == 0:
            text = (
                f"{name} {_share(was)} -> {_share(now)} turns what it held back on for everybody at once: go by steps."
            )
            yield "OUTAGE_PARTIAL", "medium", text, "possible"
        return
    if now == 0:
        severity: Severity = (
            "high" if sense == "critical" and was >= 0.5 else "medium" if sense == "critical" else "low"
        )
        text = f"{name} {_share(was)} -> {_share(now)} switches it off for everybody."
        yield "OUTAGE_PARTIAL", severity, text, "likely" if sense == "critical" else "possible"


# Private

_STOPS = frozenset("disable kill stop halt suspend panic emergency".split())
_STOPPED = frozenset("killswitch disabled suspended blocked".split())
_CRITICAL = frozenset(
    "payment payments pay checkout login signin signup auth authentication authorization billing orders ordering"
    " purchase purchases subscription subscriptions registration invoice invoices booking bookings transfer transfers"
    " withdraw withdrawal deposit deposits cart fraud encryption mfa 2fa sso failover ratelimit throttling circuit"
    " breaker".split()
)
_TRIALS = frozenset(
    "new beta experiment banner button ui color test redesign v2 v3 preview tooltip logging debug copy style".split()
)
_GROUPS = (
    "flags",
    "features",
    "toggles",
    "flagValues",
    "feature_flags",
    "featureFlags",
    "feature-flags",
    "feature_toggles",
)
_STATE = ("enabled", "on", "active", "state", "boolean")
_VALUE = ("default", "defaultValue", "default_value", "value", "defaultVariant", "default_variant", "variation")
_SHARE = (
    *("rollout", "percentage", "percent", "rollout_percentage", "rolloutPercentage", "coverage"),
    *("percentage_of_actors", "percentage_of_time"),
)


def _flags(text: Text | None) -> dict[str, Flag] | None:
    """The flags of a file; None where it is none or cannot be read."""
    if text is None:
        return None
    try:
        if text.path.endswith(".toml"):
            return flags_of(tomllib.loads(text.words)) if len(text.words) < 4_000_000 else None
        if text.path.endswith(".json"):
            return flags_of(json.loads(text.words))
    except (ValueError, RecursionError):
        return None
    return None if text.problem else flags_of(text.value)


def _compared(text: Text, before: Mapping[str, Flag], after: Mapping[str, Flag]) -> Iterator[Draft]:
    for name in sorted(before):
        if name in after:
            for code, severity, reason, certainty in judged(before[name], after[name]):
                yield _said(code, severity, text, name, reason, certainty)
        elif before[name].share == 1 and sense_of(name) == "critical":
            reason = f"{name} was on and is removed: from now on it is what the code falls back to."
            yield _said("OUTAGE_PARTIAL", "low", text, name, reason, "possible")
    for name in sorted(set(after) - set(before)):
        if after[name].share == 1 and sense_of(name) in ("maintenance", "read-only", "kill"):
            for code, severity, reason, _ in judged(Flag(name, 0.0), after[name]):
                yield _said(code, "medium" if severity == "high" else severity, text, name, reason, "possible")


def _said(code: EffectCode, severity: Severity, text: Text, name: str, reason: str, certainty: Certainty) -> Draft:
    return Draft(
        code,
        severity,
        f"flag {name} in {text.path}",
        reason,
        reversible=True,
        back=BACK,
        certainty=certainty,
        place=text.place_of(name.rpartition("/")[2]),
    )


def _walk(value: Value, prefix: str, depth: int) -> Iterator[Flag]:
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            name = (
                next((one[key] for key in ("key", "name", "flag", "id") if isinstance(one.get(key), str)), "")
                if isinstance(one, dict)
                else ""
            )
            if name:
                yield from _entry(f"{prefix}{name}", one, depth)
    if not isinstance(value, dict):
        return
    groups = [key for key in _GROUPS if isinstance(value.get(key), (dict, list))]
    if groups:
        space = value.get("namespace")
        here = f"{prefix}{space}/" if isinstance(space, str) and space != "default" else prefix
        for key in groups:
            yield from _walk(value[key], here, depth + 1)
        return
    for name, one in value.items():
        yield from _entry(f"{prefix}{name}", one, depth)


def _entry(name: str, value: Value, depth: int) -> Iterator[Flag]:
    if isinstance(value, bool):
        yield Flag(name, float(value))
    elif isinstance(value, dict):
        if value.keys() & {*_STATE, *_VALUE, *_SHARE, "variants", "variations", "strategies", "fallthrough"}:
            yield Flag(name, *_shared(value))
            for key in ("environments", "envs"):
                if isinstance(value.get(key), dict):
                    yield from (
                        one for env, inner in value[key].items() for one in _entry(f"{name}/{env}", inner, depth + 1)
                    )
        else:
            yield from _walk(value, f"{name}/", depth + 1)


def _shared(value: Mapping[str, Value]) -> tuple[float | None, bool]:
    """How much of everybody has a flag, and whether it says a share at all."""
    state = next((way for key in _STATE if (way := switch(value.get(key))) is not None), None)
    if state is False:
        return 0.0, False
    share = next((found for key in _SHARE if (found := number(value.get(key))) is not None), None)
    if share is None:
        share = _strategies(value)
    if share is not None:
        whole = share if share <= 1 and not any(key in value for key in ("percentage", "percent")) else share / 100
        return min(1.0, max(0.0, whole)), True
    default = _default(value)
    if default is not None:
        return float(default), False
    return (1.0 if state else None), False


def _strategies(value: Mapping[str, Value]) -> float | None:
    found = []
    listed = value.get("strategies")
    for one in listed if isinstance(listed, list) else ():
        parameters = one.get("parameters") if isinstance(one, dict) else None
        if (
            isinstance(parameters, dict)
            and (share := number(parameters.get("rollout", parameters.get("percentage")))) is not None
        ):
            found.append(share / 100)
    return max(found, default=None)


def _default(value: Mapping[str, Value]) -> bool | None:
    """What everybody gets who is not targeted, as on or off."""
    for key in _VALUE:
        if key in value:
            named = value[key]
            variants = value.get("variants")
            if isinstance(variants, dict) and isinstance(named, str) and named in variants:
                named = variants[named]
            return switch(named) if not isinstance(named, (dict, list)) else None
    through = value.get("fallthrough")
    variations = value.get("variations")
    if isinstance(through, dict) and isinstance(variations, list):
        place = number(through.get("variation"))
        if place is not None and 0 <= int(place) < len(variations) and words_of(variations[int(place)]):
            return switch(variations[int(place)])
    return None


def _share(share: float) -> str:
    return "off" if share == 0 else "on" if share == 1 else f"{share:.0%}"


def _whom(share: float) -> str:
    return "everybody" if share == 1 else f"{share:.0%} of everybody"
