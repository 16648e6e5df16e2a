"""Policies and documents for the tests of this area."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tidegate.change.codeowners import NO_OWNERS
from tidegate.policy.decide import decide
from tidegate.policy.folder import own_rules
from tidegate.policy.rules import Policy, make_policy
from tidegate.policy.trial import neutral_document, with_totals
from tidegate.policy.verdict import RuleResult
from tidegate.settings import Source, parse_settings

NOW = "2026-03-01T12:00:00Z"


def policy_of(text: str, *, pack: str = "none") -> Policy:
    """The policy of a tidegate.toml that holds these rules."""
    source = Source("tidegate.toml", "tidegate.toml", f'policy.pack = "{pack}"\n{text}'.encode())
    loaded = parse_settings([source], {})
    return make_policy(own_rules(loaded), NO_OWNERS, loaded.settings)


def rule_of(condition: str, **more: str) -> str:
    """A `[[rule]]` with one condition."""
    keys = {"id": '"a-rule"', "title": '"A rule"', "effect": '"hold"'} | more
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    return f"[[rule]]\n{lines}\nwhen.all = ['''{condition}''']\n"


def document_of(**given: Any) -> dict[str, Any]:
    """A neutral document with some facts set: `change__breadth=3`."""
    document = copy.deepcopy(neutral_document())
    for key, value in given.items():
        table = document
        *parents, name = key.split("__")
        for parent in parents:
            table = table[parent]
        table[name] = value
    return with_totals(document)


def result_of(policy: Policy, document: dict[str, Any], stage: Any = "merge") -> RuleResult:
    """What the only rule of a policy says."""
    (result,) = decide(policy, document, stage).rules
    return result


def leaves(value: Any, prefix: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document: tables, lists, their elements, and what is in them."""
    if prefix:
        yield prefix
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from leaves(inner, (*prefix, key))
