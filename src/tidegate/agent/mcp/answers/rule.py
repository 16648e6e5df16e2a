"""explain_rule: the page of a rule or finding, and the rule as this repository has it."""

from __future__ import annotations

from tidegate.agent.mcp.arguments import Paged, RuleArguments
from tidegate.agent.mcp.ask import Scene
from tidegate.agent.mcp.values import RuleAnswer
from tidegate.change.configuration import read_settings
from tidegate.errors import InputError
from tidegate.policy.explanation import page_ids, read_page
from tidegate.policy.rules import Policy, read_policy
from tidegate.report.policy_text import render_page, render_rule, render_rules
from tidegate.settings import nearest


def explain_rule(scene: Scene, asked: RuleArguments) -> RuleAnswer:
    """What it means here. Raises InputError for an id that neither has a page nor is a rule at HEAD."""
    policy = policy_at_head(scene)
    rules = {rule.id: rule for rule in policy.rules}
    if asked.id not in rules and asked.id not in page_ids():
        near = nearest(asked.id, sorted({*rules, *page_ids()}))
        mend = near if near.startswith("did you mean") else "ids stand in what other tools answer, and in the policy"
        raise InputError(f"no rule and no finding is called {asked.id!r}", where="id", mend=mend)
    page = render_page(read_page(asked.id)).splitlines() if asked.id in page_ids() else []
    here = render_rule(rules[asked.id]).splitlines() if asked.id in rules else []
    return RuleAnswer(id=asked.id, page=_shown(page), here=_shown(here))


def policy_at_head(scene: Scene) -> Policy:
    """The policy as it is committed, never as it lies in the work tree: what is judged there judges nothing."""
    head = scene.repository.find("HEAD")
    return read_policy(scene.repository, head, read_settings(scene.repository, head, scene.environment))


def policy_rules(scene: Scene, _: Paged) -> RuleAnswer:
    """Every rule that applies at HEAD."""
    return RuleAnswer(id="policy", page=(), here=_shown(render_rules(policy_at_head(scene)).splitlines()))


# Private


def _shown(lines: list[str]) -> tuple[str, ...]:
    return tuple(line.rstrip() for line in lines if line.strip("=- "))
