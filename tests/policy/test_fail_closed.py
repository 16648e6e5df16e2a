"""Fail closed, proven: nothing that is lost, broken or unknown in the facts makes a verdict more permissive.

For every rule and every place in several documents the fact there is deleted, set to null, given another type (at the
last stage), or marked unknown, and so is every element of every list, at any depth. No rule may then ask for less than
before, and no verdict may be milder, at any stage. Rules that say themselves that losing a fact lets more through
(`on_unknown` weaker than `effect`) are left out of the random ones; the shipped ones are all in.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policy.helpers import leaves, policy_of, rule_of
from tests.policy.strategies import DOCUMENTS, conditions, realistic_document
from tidegate.facts import SECTIONS
from tidegate.policy.decide import decide
from tidegate.policy.rules import Policy
from tidegate.policy.verdict import STAGES, STRICTNESS, RuleResult, Stage, Verdict

Place = tuple[str | int, ...]


def damages(document: dict[str, Any], *, retyped: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every way in which one fact of the document is lost, with its name."""
    for place in leaves(document):
        if "unknowns" in place[1:2]:
            continue
        yield f"delete {place}", _changed(document, place, _delete)
        yield f"null {place}", _changed(document, place, lambda parent, key: parent.__setitem__(key, None))
        for value in _other_types(_at(document, place)) if retyped else ():
            retype = _setter(value)
            yield f"retype {place} as {value!r}", _changed(document, place, retype)
    for section in SECTIONS:
        for path in (
            section,
            *(f"{section}.{name}" for name in document[section] if name not in ("status", "unknowns", "totals")),
        ):
            yield f"unknown {path}", _marked(document, section, path)
        for status in ("unknown", "partial", "certain"):
            yield f"{section} is {status}", _changed(document, (section, "status"), _setter(status))


def _other_types(value: object) -> list[object]:
    kinds: tuple[object, ...] = (True, "other", {}, -1)
    return [other for other in kinds if type(other) is not type(value) or other == -1]


def _setter(value: object) -> Callable[[Any, Any], None]:
    return lambda parent, key: parent.__setitem__(key, value)


def _delete(parent: Any, key: Any) -> None:
    del parent[key]


def _at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def _changed(document: dict[str, Any], place: Place, change: Callable[[Any, Any], None]) -> dict[str, Any]:
    """A copy of the document with one place changed; what lies beside the way there is shared."""
    copied = dict(document)
    target: Any = copied
    for key in place[:-1]:
        target[key] = copy.copy(target[key])
        target = target[key]
    change(target, place[-1])
    return copied


def _marked(document: dict[str, Any], section: str, path: str) -> dict[str, Any]:
    old = document[section]
    status = "partial" if old["status"] == "complete" else old["status"]
    unknowns = [*old["unknowns"], {"path": path, "reason": "lost"}]
    return {**document, section: {**old, "status": status, "unknowns": unknowns}}


def _asked(result: RuleResult) -> int:
    return STRICTNESS[result.outcome]


def _milder(before: Verdict, after: Verdict) -> list[str]:
    found = [
        f"{old.id}: {old.state} ({old.outcome}) became {new.state} ({new.outcome})"
        for old, new in zip(before.rules, after.rules, strict=True)
        if _asked(new) < _asked(old)
    ]
    if STRICTNESS[after.outcome] < STRICTNESS[before.outcome]:
        found.append(f"the verdict: {before.outcome} became {after.outcome}")
    return found


def _count_violations(policy: Policy, document: dict[str, Any], stage: Stage) -> tuple[int, list[str]]:
    before = decide(policy, document, stage)
    pairs, violations = 0, []
    for name, damaged in damages(document, retyped=stage == "merge"):
        pairs += len(policy.rules)
        violations += [f"{stage}, {name}: {what}" for what in _milder(before, decide(policy, damaged, stage))]
    return pairs, violations


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_shipped_rule_opens_when_a_fact_is_lost(name: str, record_property: Callable[[str, object], None]) -> None:
    policy = policy_of(_PEOPLE, pack="default")
    pairs = 0
    for stage in STAGES:
        counted, violations = _count_violations(policy, DOCUMENTS[name](), stage)
        assert violations == []
        pairs += counted
    record_property("pairs", pairs)
    print(f"{name}: {pairs} pairs of a shipped rule and a lost fact, 0 violations")  # noqa: T201
    assert pairs > 10_000


def test_the_documents_make_every_shipped_rule_fire() -> None:
    """A rule that does not fire cannot become milder: without this the proof could be empty."""
    policy = policy_of(_PEOPLE, pack="default")
    fired = {r.id for name in DOCUMENTS for r in decide(policy, DOCUMENTS[name]()).rules if r.state == "fired"}
    assert {rule.id for rule in policy.rules} - fired == set()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    texts=st.lists(st.tuples(conditions(), conditions()), min_size=8, max_size=8),
    name=st.sampled_from(sorted(DOCUMENTS)),
    data=st.data(),
)
def test_no_random_rule_opens_when_a_fact_is_lost(texts: list[tuple[str, str]], name: str, data: st.DataObject) -> None:
    policy = policy_of("".join(_random_rule(n, pair, data) for n, pair in enumerate(texts)))
    document = DOCUMENTS[name]()
    before = decide(policy, document)
    every = list(damages(document))
    for damage, damaged in data.draw(
        st.lists(st.sampled_from(every), min_size=60, max_size=60, unique_by=lambda d: d[0])
    ):
        assert _milder(before, decide(policy, damaged)) == [], damage


def _random_rule(number: int, pair: tuple[str, str], data: st.DataObject) -> str:
    effect = data.draw(st.sampled_from(("block", "hold")))
    quantifier = data.draw(st.sampled_from(("all", "any")))
    rule = rule_of("true", id=f'"rule-{number}"', effect=f'"{effect}"')
    return rule.replace("when.all = ['''true''']", f"when.{quantifier} = ['''{pair[0]}''', '''{pair[1]}''']")


def test_the_proof_would_notice_an_open_rule() -> None:
    """The measure itself: a rule that says it opens on a lost fact is found out at every such fact."""
    policy = policy_of(rule_of("change.breadth > 2", effect='"block"', on_unknown='"note"'))
    pairs, violations = _count_violations(policy, realistic_document(), "merge")
    assert pairs > 1000
    lost = [v for v in violations if "'breadth'" in v]
    assert {v.split()[1] for v in lost} == {"delete", "null", "retype"}
    assert any("unknown change.breadth" in v for v in violations)


_PEOPLE = """
provenance.trailers = "forbid"
[people.alice]
emails = ["alice@example.com"]
accounts = ["alice"]
[people.bob]
accounts = ["bob"]
[people.carol]
accounts = ["carol"]
"""
