"""The facts of a change at a glance: one row for each section, in words, and what could not be told said as unknown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.facts import Facts, Section, is_known
from tidegate.report.risk_brief import impact, likelihood
from tidegate.report.verify_brief import left_behind, not_asked, proven
from tidegate.report.words import EVIDENCE
from tidegate.server.console.render import count

MOST = 6


class Glance(Struct, frozen=True):
    """One section: what it comes to, more of it, and what is not known of it."""

    name: str
    words: str
    more: tuple[str, ...] = ()
    unknown: str = ""


def glance(facts: Facts) -> tuple[Glance, ...]:
    """Who wrote it, how far it reaches, what it does to infrastructure, its risk, what was verified."""
    return (_writers(facts), _reach(facts), _infra(facts), _risk(facts), _verified(facts))


# Private


def _writers(facts: Facts) -> Glance:
    provenance = facts.provenance
    lines = provenance.lines
    if not is_known(provenance, "lines"):
        return Glance("Written by", "unknown", unknown=_why(provenance))
    said = [f"{name} {number:,}" for name, number in zip(_WRITERS, _counts(facts), strict=True) if number]
    more = [
        f"{' '.join(part for part in (agent.tool, agent.model) if part) or 'an unnamed agent'}: "
        f"{count(agent.lines, 'line')}, {EVIDENCE[agent.evidence]} ({agent.evidence})"
        for agent in provenance.agents[:MOST]
    ]
    more += [f"{each.person} answers for {count(each.lines, 'line')}" for each in provenance.accountable[:MOST]]
    if provenance.unaccountable_lines:
        more.append(f"nobody answers for {count(provenance.unaccountable_lines, 'line')} by agents")
    words = f"{count(lines.added, 'added line')}: {', '.join(said)}" if lines.added else "no lines were added"
    return Glance("Written by", words, tuple(more), _why(provenance))


_WRITERS = ("agents", "people", "both together", "unknown")


def _counts(facts: Facts) -> tuple[int, ...]:
    lines = facts.provenance.lines
    return lines.ai, lines.human, lines.mixed, lines.unknown


def _reach(facts: Facts) -> Glance:
    reach = facts.reach
    if reach.status == "unknown":
        return Glance("Reach", "unknown", unknown=_why(reach))
    parts = [count(reach.reached, "further symbol")] if reach.reached else []
    parts += [count(len(reach.services), "service")] if reach.services else []
    parts += [count(len(reach.entry_points), "entry point")] if reach.entry_points else []
    parts += [count(reach.tests, "test")] if reach.tests else []
    more = [f"critical service {name}" for name in reach.critical_services[:MOST]]
    more += [_some("entry points", reach.entry_points)] if reach.entry_points else []
    more += [_some("owned by", reach.owners)] if reach.owners else []
    nothing = "unknown" if reach.unknowns else "nothing beyond itself"
    return Glance("Reach", ", ".join(parts) or nothing, tuple(more), _why(reach))


def _infra(facts: Facts) -> Glance:
    infra = facts.infra
    if infra.status == "unknown":
        return Glance("Infrastructure", "unknown", unknown=_why(infra))
    more = [f"{each.severity}: {each.code} {each.address}: {each.reason}" for each in infra.effects[:MOST]]
    more += [f"not judged: {each.address}: {each.reason}" for each in infra.unjudged[:MOST]]
    words = (
        f"{count(infra.effects_total, 'effect')}, the gravest {infra.severity}" if infra.effects_total else "no effect"
    )
    if not infra.effects_total and (infra.unjudged or infra.unknowns):
        words = "no effect is known"
    return Glance("Infrastructure", words, tuple(more), _why(infra))


def _risk(facts: Facts) -> Glance:
    risk = facts.risk
    if risk.status == "unknown":
        return Glance("Risk", "not rated", unknown=_why(risk))
    words = f"{likelihood(risk, facts.history)}; {impact(risk)}"
    raised = [each.words for each in risk.factors if each.weight > 0] if is_known(risk, "factors") else []
    more = dict.fromkeys([*raised, *(each.words for each in risk.impact_factors)])
    return Glance("Risk", words, tuple(more)[:MOST])


def _verified(facts: Facts) -> Glance:
    verification = facts.verification
    if verification.status == "unknown":
        return Glance("Verified", "nothing", unknown=_why(verification))
    more = tuple(left_behind(verification))
    words = "; ".join(proven(verification)) or "nothing was run on exactly these lines"
    return Glance("Verified", words, tuple(f"left behind: {each}" for each in more[:MOST]), not_asked(verification))


def _some(what: str, names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST:,} more" if len(names) > MOST else ""
    return f"{what} {', '.join(names[:MOST])}{rest}"


def _why(section: Section) -> str:
    return "; ".join(dict.fromkeys(_reasons(section)))


def _reasons(section: Section) -> Iterator[str]:
    for unknown in section.unknowns[:MOST]:
        yield unknown.reason
    if len(section.unknowns) > MOST:
        yield f"{len(section.unknowns) - MOST} more"
