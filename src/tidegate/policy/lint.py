"""What is wrong with a policy, or will surprise the people who live under it, before anybody does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.policy.conditions import Language, answer, ask
from tidegate.policy.document import conform
from tidegate.policy.rules import PACK_ORIGIN, Rule, RuleTable, join_rules, make_rule_language, parse_rule
from tidegate.policy.trial import neutral_document
from tidegate.policy.verdict import STRICTNESS
from tidegate.settings import Settings, nearest


class Remark(Struct, frozen=True):
    """One thing about a policy. An error stops every check that reads the policy; a warning does not."""

    level: Literal["error", "warning"]
    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.level}: {self.where}: {self.what}" + (f"; {self.mend}" if self.mend else "")


def lint(own: Sequence[RuleTable], settings: Settings, now: str) -> tuple[Remark, ...]:
    """Everything that is wrong with the rules, not only the first thing, and what is likely not meant."""
    language = make_rule_language(settings)
    try:
        entries = join_rules(own, settings)
    except InputError as error:
        return (_error(error),)
    remarks = list(_strangers(settings))
    for entry in entries:
        if entry.origin == PACK_ORIGIN:
            continue
        try:
            rule = parse_rule(entry, language)
        except InputError as error:
            remarks.append(_error(error))
            continue
        where = f"{entry.origin}, rule {rule.id}"
        for what, mend in (*_warnings(rule, now), *_constants(rule, language)):
            remarks.append(Remark("warning", where, what, mend))
    return tuple(remarks)


# Private


def _error(error: InputError) -> Remark:
    return Remark("error", error.where, error.what, error.mend)


def _strangers(settings: Settings) -> Iterator[Remark]:
    """Members of teams whom the identity map does not know: their approval never counts, and no error says so."""
    for team, members in settings.teams.items():
        for member in members:
            if member not in settings.people:
                mend = nearest(member, list(settings.people)) if settings.people else f"add [people.{member}]"
                what = f"{member} is in no entry of [people], and counts for nobody"
                yield Remark("warning", f'teams."{team}"', what, mend)


def _constants(rule: Rule, language: Language) -> Iterator[tuple[str, str]]:
    """Conditions without a fact. `true` alone is how a rule says that it always applies; any other is a slip."""
    question = ask(language, conform(neutral_document()))
    for condition in rule.conditions:
        if not condition.reading.paths and condition.text.strip() != "true":
            truth = answer(condition, question).truth
            yield f"the condition {condition.text} reads no fact: it is always {truth}", "name a fact, or leave it out"


def _warnings(rule: Rule, now: str) -> Iterator[tuple[str, str]]:
    if not rule.owner:
        yield "nobody owns it", 'owner = "@team" says whom to ask about it'
    if rule.until and datetime.fromisoformat(rule.until) <= datetime.fromisoformat(now):
        yield f"it ended at {rule.until}", "delete it, or move `until`"
    if rule.mode == "shadow" and not rule.until:
        yield "it is in shadow mode without an end", "set `until`, so that somebody decides"
    if rule.on_unknown and STRICTNESS[rule.on_unknown] < STRICTNESS[rule.effect]:
        yield (
            f"on_unknown = {rule.on_unknown} is weaker than effect = {rule.effect}: losing a fact lets more through",
            f'on_unknown = "{rule.effect}", unless that is meant',
        )
