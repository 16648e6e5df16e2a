"""What to change afterwards, as rules that are ready to be committed, and what they would have done to the past."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.drill.patterns.interface import Pattern, Rule
from tidegate.drill.values import Action, Answer, Tested
from tidegate.errors import InputError
from tidegate.facts import Facts
from tidegate.policy.backtest.judge import Judge
from tidegate.policy.backtest.values import Held, PastChange
from tidegate.policy.rules import Policy, RuleTable, make_policy
from tidegate.replay import Hindsight, moment_of, read_past
from tidegate.report.escape import plain
from tidegate.settings import Settings, read_toml

YEAR_SECONDS = 31_557_600
ORIGIN = "the rule of the drill"


def actions_of(pattern: Pattern, words: Mapping[str, str]) -> tuple[Action, ...]:
    """The rules of a pattern, filled in for this repository, and its lesson."""
    rules = [
        Action(f"rule-{number}", _filled(rule.title, words), toml_of(rule, words))
        for number, rule in enumerate(pattern.rules, 1)
    ]
    return (*rules, Action("lesson", _filled(pattern.tale.lesson, words)))


def toml_of(rule: Rule, words: Mapping[str, str]) -> str:
    """A `[[rule]]` as it would stand in `.tidegate/policy/`."""
    when = "".join(f"    {json.dumps(_filled(one, words), ensure_ascii=False)},\n" for one in rule.when)
    return (
        f"[[rule]]\nid = {json.dumps(rule.id)}\ntitle = {json.dumps(_filled(rule.title, words), ensure_ascii=False)}\n"
        f"when.all = [\n{when}]\neffect = {json.dumps(rule.effect)}\nrequire = {rule.require}\n"
        f"reason = {json.dumps(_filled(rule.reason, words), ensure_ascii=False)}\n"
    )


def policy_of(rule: str, policy: Policy) -> Policy:
    """A policy of this rule alone, with the owners and settings of another. Raises InputError for one that is wrong."""
    tables = read_toml(rule.encode("utf-8", "replace"), ORIGIN).get("rule", [])
    if not isinstance(tables, list) or len(tables) != 1:
        raise InputError("this is not one rule", where=ORIGIN, mend="write one [[rule]]")
    settings = _alone(policy.settings)
    return make_policy([RuleTable(tables[0], ORIGIN)], policy.owners, settings)


class Where(NamedTuple):
    """Where rules are tried: the changes before `until`, by the owners and settings of a policy, and the hidden one."""

    repository: Repository
    until: str
    policy: Policy
    hidden: Facts | None = None


def try_actions(
    actions: Sequence[Action], where: Where, progress: Callable[[int, int], None] | None = None
) -> tuple[Tested, ...]:
    """Each rule over the changes of the year before `until`: how many of them it would have held."""
    ready: list[tuple[Action, Policy]] = []
    found: dict[str, Tested] = {}
    for action in actions:
        if not action.rule:
            continue
        try:
            ready.append((action, policy_of(action.rule, where.policy)))
        except InputError as error:
            found[action.id] = Tested(action.id, problem=plain(str(error), 500))
    past = tuple(_past(where, progress)) if ready else ()
    for action, alone in ready:
        found[action.id] = _tested(action, alone, past, where.hidden)
    return tuple(found[action.id] for action in actions if action.id in found)


# Private


def _filled(text: str, words: Mapping[str, str]) -> str:
    """The text with words in the place of its braces; conditions have no others."""
    for name, word in words.items():
        text = text.replace(f"{{{name}}}", word)
    return text


def _alone(settings: Settings) -> Settings:
    from msgspec.structs import replace

    return replace(settings, rule=(), policy=replace(settings.policy, pack="none"))


def _past(where: Where, progress: Callable[[int, int], None] | None) -> Iterator[PastChange]:
    """The changes of a year. What became of them is not asked: held is held, whatever came of it."""
    at = int(where.repository.run("log", "-1", "--format=%ct", where.until))
    since = max(0, at - YEAR_SECONDS)
    return read_past(where.repository, where.until, since, where.policy.settings, Hindsight(at), progress)


_ANSWERS: Mapping[Held, Answer] = {"held": "yes", "idle": "no", "met": "no", "unjudged": "unknown"}


def _tested(action: Action, policy: Policy, past: Sequence[PastChange], hidden: Facts | None) -> Tested:
    judge = Judge(policy)
    held: list[PastChange] = []
    asking = unjudged = 0
    reasons: Counter[tuple[str, str]] = Counter()
    for change in past:
        (judged,) = judge.judge(change.facts)
        if judged.held == "held":
            held.append(change)
            asking += judged.asking
        elif judged.held == "unjudged":
            unjudged += 1
            reasons.update(set(judged.missing))
    said = [f"{path} is {reason} ({count} changes)" for (path, reason), count in sorted(reasons.items())[:3]]
    return Tested(
        action.id,
        changes=len(past),
        held=len(held),
        asking=asking,
        unjudged=unjudged,
        reason=plain("; ".join(said), 500),
        examples=tuple(f"{one.oid[:8]} {plain(one.subject, 90)}" for one in reversed(held[-3:])),
        since=moment_of(past[0].landed_at)[:10] if past else "",
        holds_hidden=_ANSWERS[judge.judge(hidden)[0].held] if hidden is not None else "unknown",
    )
