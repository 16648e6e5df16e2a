"""What every report says of effects on infrastructure, in the same words. Nothing here is escaped yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

from tidegate.facts import Effect, Infra
from tidegate.report.layout import grouped

Word: TypeAlias = Literal["pass", "note", "hold", "cannot judge"]

HEAD: dict[Word, str] = {"pass": "PASS", "note": "NOTE", "hold": "HOLD", "cannot judge": "CANNOT JUDGE"}
GRAVE = ("high", "critical")
CERTAINTY = {"certain": "", "likely": "likely, from code alone", "possible": "possible: a value decides it"}


def word_of(infra: Infra) -> Word:
    """The verdict on effects alone, before any rule of a repository: what is grave holds, by an agent also medium.

    What cannot be judged is a verdict of its own, and holds as well.
    """
    if infra.severity in GRAVE or (infra.actor == "agent" and infra.severity == "medium"):
        return "hold"
    if infra.status != "complete" or infra.unjudged:
        return "cannot judge"
    return "note" if infra.effects else "pass"


def people_of(infra: Infra) -> int:
    """How many people should look before it is applied."""
    word = word_of(infra)
    if word == "hold":
        return 2 if infra.severity == "critical" or (infra.actor == "agent" and infra.removals) else 1
    return 1 if word == "cannot judge" else 0


def headline(infra: Infra) -> str:
    """Why, in one sentence: `1 critical and 2 high effects; 3 resources are removed or replaced`."""
    if infra.status != "complete":
        return "; ".join(unknown.reason for unknown in infra.unknowns) or "no reason given"
    counts = Counter(effect.severity for effect in infra.effects)
    named = [f"{counts[name]:,} {name}" for name in ("critical", "high", "medium", "low", "note") if counts[name]]
    parts = []
    if named:
        listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
        parts.append(f"{listed} {'effect' if len(infra.effects) == 1 else 'effects'}")
    if infra.removals and infra.severity in ("medium", *GRAVE):
        be = "is" if infra.removals == 1 else "are"
        parts.append(f"{grouped(infra.removals, 'resource')} {be} removed or replaced")
    if infra.unjudged:
        parts.append(f"cannot judge {grouped(len(infra.unjudged), 'thing')}")
    if not parts and infra.drift:
        parts.append(f"no effect; {grouped(len(infra.drift), 'difference')} between the world and the code")
    return "; ".join(parts) or "no effect that needs a second look"


def asked(infra: Infra) -> str:
    """Who should look, in words; "" for nobody."""
    people = people_of(infra)
    if not people:
        return ""
    whom = "one person" if people == 1 else "two people"
    agent = "; it is by an agent, which never applies this alone" if infra.actor == "agent" else ""
    return f"{whom} should approve it before it is applied{agent}"


def details(effect: Effect, most: int = 6) -> Iterator[tuple[str, str]]:
    """What stands below the sentence of an effect: a name and its words, each only where there is something."""
    if effect.path:
        yield "cut", " -> ".join(effect.path)
    if effect.dependents:
        yield "needed by", some(effect.dependents, most)
    if effect.mitigations:
        yield "eased by", "; ".join(effect.mitigations)
    if effect.back or not effect.reversible:
        yield "way back", effect.back or "none"
    doubt = CERTAINTY[effect.certainty]
    where = [f"in {effect.environment}"] if effect.environment else []
    where += [str(effect.place)] if effect.place.path else []
    where += [doubt] if doubt else []
    if where:
        yield "seen", "; ".join(where)


def some(names: Sequence[str], most: int) -> str:
    """The first of these names, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
