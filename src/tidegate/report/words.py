"""What terminal, Markdown and annotations say in the same words. Nothing here is escaped yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.facts import SECTIONS, Evidence, Facts, Finding, Section
from tidegate.policy.case import count
from tidegate.policy.explanation import page_ids
from tidegate.policy.verdict import STRICTNESS, Obligation, ObligationKind, Outcome, RuleResult, Stage, Verdict

OUTCOMES: Mapping[Outcome, str] = {"pass": "PASS", "hold": "HELD", "block": "BLOCKED"}

STAGES: Mapping[Stage, str] = {
    "commit": "it may be committed",
    "push": "it may be pushed",
    "merge": "it may merge",
    "deploy": "it may be deployed",
}

EVIDENCE: Mapping[Evidence, str] = {
    "E5": "signed capture",
    "E4": "audited note or trace",
    "E3": "transcript",
    "E2": "declared",
    "E1": "weak sign",
    "E0": "no evidence",
}

SEVERITIES = ("critical", "high", "medium", "low", "note")


class Step(Struct, frozen=True):
    """What to do: `words`, or a `command` to copy and, in `words`, what it is for."""

    words: str
    command: str


class Group(Struct, frozen=True):
    """What one rule asks for at this stage. Without `unmet` nothing can satisfy the rule but another change."""

    rule: RuleResult
    unmet: tuple[Obligation, ...]


def stopping(verdict: Verdict) -> tuple[Group, ...]:
    """The enforced rules that stop the change now, the strictest first, with what they still ask for."""
    rules = [r for r in verdict.rules if r.mode == "enforce" and STRICTNESS[r.outcome] > 0]
    rules.sort(key=lambda r: -STRICTNESS[r.outcome])
    return tuple(
        Group(r, tuple(o for o in r.obligations if o.state != "met" and not o.is_later(verdict.stage))) for r in rules
    )


def due_later(verdict: Verdict) -> tuple[Group, ...]:
    """The enforced rules with obligations that are unmet and due at a later stage."""
    groups = (
        Group(r, tuple(o for o in r.obligations if o.state != "met" and o.is_later(verdict.stage)))
        for r in verdict.rules
        if r.mode == "enforce" and r.effect in ("hold", "block")
    )
    return tuple(group for group in groups if group.unmet)


def advice(verdict: Verdict) -> tuple[Group, ...]:
    """The enforced rules that warn or note, warnings first."""
    rules = [r for r in verdict.rules if r.mode == "enforce" and r.outcome in ("warn", "note")]
    rules.sort(key=lambda r: r.outcome != "warn")
    return tuple(Group(r, tuple(o for o in r.obligations if o.state != "met")) for r in rules)


def on_trial(verdict: Verdict) -> tuple[RuleResult, ...]:
    """The rules in shadow mode that would do something."""
    return tuple(r for r in verdict.rules if r.mode == "shadow" and r.outcome != "pass")


def satisfied(verdict: Verdict) -> tuple[str, ...]:
    """Ids of the rules that apply and are satisfied."""
    return tuple(r.id for r in verdict.rules if r.mode == "enforce" and r.state == "satisfied")


def headline(verdict: Verdict) -> str:
    """Why the outcome is what it is, in one sentence: counts of what must still happen."""
    groups = stopping(verdict)
    unmet = [o for group in groups for o in group.unmet]
    alone = sum(not group.unmet for group in groups)
    if alone and unmet:
        return (
            f"{count(alone, 'rule')} {'stands' if alone == 1 else 'stand'} in the way, and "
            f"{count(len(unmet), 'thing')} must still happen: {_kinds(unmet)}."
        )
    if alone:
        return f"{count(alone, 'rule')} {'stands' if alone == 1 else 'stand'} in the way of this change."
    if unmet:
        return f"{count(len(unmet), 'thing')} must still happen before {STAGES[verdict.stage]}: {_kinds(unmet)}."
    if verdict.outcome != "pass":
        return f"The policy does not let it pass at the stage {verdict.stage}."
    later = sum(len(group.unmet) for group in due_later(verdict))
    if later:
        return f"Nothing more must happen before {STAGES[verdict.stage]}; {count(later, 'thing')} due later."
    return f"Nothing more must happen before {STAGES[verdict.stage]}."


def because(rule: RuleResult) -> tuple[str, ...]:
    """Why a rule applies: the facts that made its conditions true, or that could not be told."""
    said: list[str] = []
    for condition in rule.conditions:
        if condition.truth == "true":
            said += [f"{read.path} is {read.value}" for read in condition.facts if read.known] or [condition.text]
        elif condition.truth == "unknown":
            unread = [f"{read.path} is unknown: {read.value}" for read in condition.facts if not read.known]
            said += unread or [f"{condition.text} could not be answered: {condition.reason}"]
    return tuple(dict.fromkeys(said))


def explain_command(rule: str) -> str:
    """The command that says what a rule means: its page, or for a rule of the repository the rule itself."""
    return f"tidegate explain {rule}" if rule in page_ids() else f"tidegate policy explain {rule}"


def why_command(verdict: Verdict) -> str:
    """The command that explains the first rule that speaks, or where none does lists the rules."""
    speaking = (*stopping(verdict), *advice(verdict), *due_later(verdict))
    return explain_command(speaking[0].rule.id) if speaking else "tidegate policy explain"


def all_findings(facts: Facts, verdict: Verdict) -> tuple[Finding, ...]:
    """Findings of every section and of the policy, the most severe first, each once."""
    found: list[Finding] = []
    for _, section in sections(facts):
        found += section.findings
    found += verdict.findings
    return tuple(sorted(dict.fromkeys(found), key=lambda f: SEVERITIES.index(f.severity)))


def other_findings(facts: Facts, verdict: Verdict) -> tuple[Finding, ...]:
    """The same without those of infrastructure, which a page for people shows as effects, with what they hit."""
    shown = set(facts.infra.findings)
    return tuple(finding for finding in all_findings(facts, verdict) if finding not in shown)


def sections(facts: Facts) -> Iterator[tuple[str, Section]]:
    """Every section of the facts by its name."""
    for name in SECTIONS:
        yield name, getattr(facts, name)


def not_collected(facts: Facts) -> tuple[str, ...]:
    """Sections that nobody has asked for yet."""
    return tuple(name for name, section in sections(facts) if _is_not_collected(section))


def unknowns(facts: Facts) -> tuple[tuple[str, str], ...]:
    """What else could not be told: the fields with one reason together, `section.a, b` to the reason."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for name, section in sections(facts):
        for unknown in () if _is_not_collected(section) or name in _SAID_ELSEWHERE else section.unknowns:
            field = unknown.path.partition(".")[2]
            grouped.setdefault((name, unknown.reason), []).append(field)
    return tuple((_name_fields(name, fields), reason) for (name, reason), fields in grouped.items())


def steps(next_step: str) -> tuple[Step, ...]:
    """A next step as one or several, with its commands apart from the words about them."""
    if not next_step.strip():
        return ()
    parts = next_step.split("; ")
    if not all(_is_command(part) for part in parts):
        return (Step(next_step, ""),)
    return tuple(_step(part) for part in parts)


# Private

_KINDS: Mapping[ObligationKind, str] = {
    "approvals": "approval",
    "annotation": "annotation",
    "tests": "tests",
    "fail_before": "test that fails before",
    "covered": "coverage",
    "killed": "mutants",
    "reason": "reason",
    "split": "split",
    "ticket": "ticket",
    "rollback": "roll-back plan",
    "intent": "description",
    "trailers": "trailer",
    "facts": "missing facts",
}

_SAID_ELSEWHERE = ("risk", "history", "verification")
_COMMANDS = ("tidegate ", "git ", "mkdir ")


def _is_command(step: str) -> bool:
    return step.startswith(_COMMANDS)


def _step(part: str) -> Step:
    command, purpose, words = part.partition(" for what ")
    return Step(f"for what {words}" if purpose else "", command)


def _is_not_collected(section: Section) -> bool:
    return section.status == "unknown" and [u.reason for u in section.unknowns] == ["not collected"]


def _kinds(obligations: list[Obligation]) -> str:
    counts = Counter(_KINDS.get(o.kind, o.kind) for o in obligations)
    return ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in counts.items())


def _name_fields(section: str, fields: list[str]) -> str:
    named = list(dict.fromkeys(field for field in fields if field))
    if not named or "" in fields:
        return section
    shown = ", ".join(named[:4])
    return f"{section}.{shown}" + (f" and {len(named) - 4} more" if len(named) > 4 else "")
