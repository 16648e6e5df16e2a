"""assess_change and what_is_missing: one verdict, told in two ways."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from tidegate.agent.mcp.answers.evidence import digest_of
from tidegate.agent.mcp.arguments import ChangeArguments, EvidenceKind
from tidegate.agent.mcp.ask import Scene
from tidegate.agent.mcp.values import Assessed, Missing, MissingAnswer, Must, Seen, Who
from tidegate.agent.mcp.worktree import WorkTree
from tidegate.assess import Assessment, Request, assess
from tidegate.change.ends import Question
from tidegate.errors import InputError
from tidegate.facts import Finding
from tidegate.policy.verdict import STRICTNESS, Obligation, ObligationKind, RuleResult, Verdict
from tidegate.report.words import all_findings, sections


def assess_change(scene: Scene, asked: ChangeArguments) -> Assessed:
    """The verdict on a change, with what is unmet first."""
    found, named, notes = _assess(scene, asked)
    facts, verdict = found.facts, found.verdict
    return Assessed(
        verdict=verdict.outcome,
        stage=verdict.stage,
        change=named,
        policy=verdict.policy,
        files=facts.change.files_total,
        added_lines=facts.change.lines_added,
        written_by=_writers(found),
        reach=_reach(found),
        obligations=tuple(_must(rule, one, verdict) for rule, one in _obligations(verdict)),
        findings=tuple(_seen(one) for one in all_findings(facts, verdict)),
        unknown=_unknown(found),
        evidence=notes,
    )


def what_is_missing(scene: Scene, asked: ChangeArguments) -> MissingAnswer:
    """Every obligation that is not met, the ones that hold the change now first."""
    found, named, _ = _assess(scene, asked)
    verdict = found.verdict
    return MissingAnswer(
        verdict=verdict.outcome,
        stage=verdict.stage,
        change=named,
        missing=tuple(_missing(rule, one, verdict) for rule, one in _obligations(verdict) if one.state != "met"),
    )


# Private

WHOSE: dict[ObligationKind, tuple[Who, str]] = {
    "approvals": ("human", "people who did not make the change; an agent never approves, nor asks a tool to"),
    "accountable": ("human", "the human who asked the agent declares that"),
    "annotation": ("either", "you for lines that you wrote (--tool), a human for what people typed (--human)"),
    "trailers": ("either", "whoever wrote the commit"),
    "ticket": ("either", "you where you know the ticket; never invent one"),
    "reason": ("either", "you propose the words, a human stands for them"),
    "rollback": ("either", "you propose the words, a human stands for them"),
    "intent": ("either", "you propose the words, a human stands for them"),
    "tests": ("agent", "you may do that"),
    "fail_before": ("agent", "you may do that; it runs tests of this repository"),
    "covered": ("agent", "you may do that"),
    "killed": ("agent", "you may do that; it runs tests of this repository"),
    "split": ("agent", "you may do that"),
    "clean": ("agent", "you may do that"),
    "facts": ("agent", "you may do that"),
}
"""Who may meet an obligation of each kind."""

_COMMAND = re.compile(r"(?:^|(?<=: )|(?<=; )|(?<=or ))tidegate [^;,()`$&|<>]*?(?=$|[;,()`$&|<>]| for what )")


def _assess(scene: Scene, asked: ChangeArguments) -> tuple[Assessment, str, tuple[str, ...]]:
    """The assessment, the change in words, and what became of the reports that were attached."""
    reports, notes = _reports(scene)
    request = Request(
        question=_question(asked),
        stage=None,
        now=scene.now,
        environment=scene.environment,
        coverage=reports.get("coverage", ()),
        junit=reports.get("junit", ()),
        sarif=reports.get("sarif", ()),
        mutation=reports.get("mutation", ()),
    )
    if asked.what != "worktree":
        found = assess(request, scene.repository)
        return found, found.facts.change.chosen, notes
    here = scene.repository
    with WorkTree(here.path, here.git_dir, here.common_dir) as tree:
        written = tree.write_index()
        found = assess(replace(request, question=Question(staged=True, index=written.index)), tree)
    chosen = f"the work tree, with {written.changed} files that differ from the index, against HEAD"
    return found, chosen, (*notes, *written.left_out)


def _question(asked: ChangeArguments) -> Question:
    if asked.what != "commits":
        if asked.base or asked.head:
            raise InputError(f"{asked.what} takes neither base nor head", mend='leave them out, or say what="commits"')
        return Question(staged=True)
    for name, revision in (("base", asked.base), ("head", asked.head)):
        if ".." in revision:
            raise InputError("a range is no revision", where=name, mend="give its ends as base and head")
    if asked.base:
        return Question(change=f"{asked.base}..{asked.head or 'HEAD'}")
    return Question(change=asked.head)


def _reports(scene: Scene) -> tuple[dict[EvidenceKind, tuple[Path, ...]], tuple[str, ...]]:
    """The reports that are still what was attached, and a word on each."""
    reports: dict[EvidenceKind, tuple[Path, ...]] = {}
    notes: list[str] = []
    for one in scene.attached:
        path = Path(one.path)
        if digest_of(path) != one.sha256:
            notes.append(f"{path.name}: not read, it is not what was attached; attach it again")
            continue
        reports[one.kind] = (*reports.get(one.kind, ()), path)
        notes.append(f"{path.name}: read as {one.kind}, as you attached it")
    return reports, tuple(notes)


def _obligations(verdict: Verdict) -> Sequence[tuple[RuleResult, Obligation]]:
    """Of enforced rules, what stops the change now, what will later, what only warns, then what is met."""
    listed = [(rule, one) for rule in verdict.rules if rule.mode == "enforce" for one in rule.obligations]
    return sorted(listed, key=lambda pair: _order(pair[0], pair[1], verdict))


def _order(rule: RuleResult, one: Obligation, verdict: Verdict) -> tuple[bool, int, bool]:
    return one.state == "met", -STRICTNESS[rule.effect], one.is_later(verdict.stage)


def _must(rule: RuleResult, one: Obligation, verdict: Verdict) -> Must:
    later = one.is_later(verdict.stage)
    return Must(rule.id, rule.effect, one.text, one.state, one.why, one.next_step, one.due, later)


def _missing(rule: RuleResult, one: Obligation, verdict: Verdict) -> Missing:
    who, whose = WHOSE[one.kind]
    return Missing(
        rule=rule.id,
        effect=rule.effect,
        must=one.text,
        state="unmet" if one.state == "unmet" else "unknown",
        why=one.why,
        act=one.next_step,
        commands=_commands(one),
        who=who,
        whose=whose,
        due=one.due,
        later=one.is_later(verdict.stage),
    )


def _commands(one: Obligation) -> tuple[str, ...]:
    """The commands of ours in a step. What mends a finding may quote a scanner: nothing there is ours to run."""
    if one.kind == "clean":
        return ()
    return tuple(found.strip() for found in _COMMAND.findall(one.next_step))


def _seen(one: Finding) -> Seen:
    return Seen(one.rule, one.severity, one.message, str(one.place), one.mend)


def _unknown(found: Assessment) -> tuple[str, ...]:
    """What could not be told, each reason once with all that it leaves open."""
    reasons: dict[str, list[str]] = {}
    for _, section in sections(found.facts):
        for one in section.unknowns:
            reasons.setdefault(one.reason, []).append(one.path)
    return tuple(f"{', '.join(paths)}: {reason}" for reason, paths in reasons.items())


def _writers(found: Assessment) -> str:
    facts = found.facts.provenance
    if facts.status == "unknown":
        return "unknown"
    lines = facts.lines
    return f"added lines: {lines.ai} by AI, {lines.human} by people, {lines.mixed} mixed, {lines.unknown} unknown"


def _reach(found: Assessment) -> str:
    facts = found.facts.reach
    if facts.status == "unknown":
        return "unknown"
    said = f"{facts.symbols} symbols reach {facts.reached} more, {len(facts.entry_points)} entry points, "
    return said + f"{facts.tests} tests, {len(facts.services)} services"
