"""Nothing that is missing, failed, late or unclear makes the gate more permissive."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.policy.helpers import document_of, leaves
from tests.rollout.helpers import HOUR, NOW, REVISION, case, deployment, question, rollout_of, situation
from tidegate.policy.verdict import STRICTNESS
from tidegate.rollout.document import Leave, Unreadable
from tidegate.rollout.gate import Approval, Budget, ChangeCase, Changes, Decision, gate
from tidegate.rollout.joined import Unjoined

DOCUMENT = """[environments.staging]
[environments.production]
tier = "high"
after = ["staging"]
bake_minutes = 30
approvals = 1
[[environments.production.step]]
share = 0.1
[[environments.production.step]]
changes = 3
lines = 500
services = 5
critical_services = 1
entry_points = 10
risk = 0.9
infra = "medium"
[environments.production.error_budget]
query = "left"
[[freeze]]
name = "night"
every = "day"
from = "20:00"
until = "06:00"
"""

outcomes = st.sampled_from(["pass", "pass", "pass", "hold", "block", ""])
cases = st.builds(
    lambda recorded, asked, lines, known: case(
        recorded=recorded, asked=asked, facts=document_of(change__lines_added=lines) if known else None
    ),
    outcomes,
    outcomes,
    st.integers(0, 400),
    st.sampled_from([True, True, True, False]),
)
approvals = st.builds(
    lambda by, at: Approval(by=by, at=NOW + at, expires=NOW + 2 * HOUR, revision=REVISION, environment="production"),
    st.sampled_from(["bob", "cara", "cara2", "alice", "mallory", "robot"]),
    st.floats(-7200, 60),
)
given_leaves = st.builds(
    lambda covers, people, ends: Leave(
        covers=covers, environment="production", people=people, reason="why", starts=NOW - HOUR, ends=NOW + ends
    ),
    st.sampled_from(["freeze", "blast", "budget", "bake", "order"]),
    st.sampled_from([("alice", "bob"), ("alice", "@alice-work"), ("bob", "cara")]),
    st.floats(-60, 7200),
)
worlds = st.fixed_dictionaries(
    {
        "cases": st.lists(cases, min_size=1, max_size=3),
        "approvals": st.lists(approvals, max_size=2),
        "leaves": st.lists(given_leaves, max_size=3),
        "staged": st.floats(-3 * HOUR, 60),
        "left": st.floats(0, 1),
        "now": st.sampled_from([NOW, NOW, NOW + 9 * HOUR]),
        "skew": st.floats(0, 600),
        "share": st.sampled_from([None, 0.05, 1.0]),
    }
)


class World:
    """A question with all that is known, ready to be made worse."""

    def __init__(self, drawn: dict[str, Any]) -> None:
        self.question = question(share=drawn["share"])
        self.changes: Changes | Unjoined = Changes(direction="forward", comes=tuple(drawn["cases"]))
        self.document: Any = rollout_of(DOCUMENT)
        self.now = drawn["now"]
        staged = deployment(started=NOW + drawn["staged"], finished=NOW + drawn["staged"])
        self.situation = situation(
            approvals=tuple(drawn["approvals"]),
            leaves=tuple(drawn["leaves"]),
            deployments=(staged,),
            budget=Budget(left=drawn["left"], at=self.now),
            skew=drawn["skew"],
        )

    def ask(self) -> Decision:
        return gate(self.question, self.changes, self.document, self.now, self.situation)

    def cases(self, *comes: ChangeCase) -> None:
        self.changes = Changes(direction="forward", comes=comes)


Break = Callable[[World, Changes, Any], None]


def _facts(world: World, changes: Changes, draw: Any) -> None:
    world.cases(replace(changes.comes[0], facts=None), *changes.comes[1:])


def _fact(world: World, changes: Changes, draw: Any) -> None:
    one = changes.comes[0]
    if one.facts is None:
        return
    facts: Any = copy.deepcopy(dict(one.facts))
    place = draw(st.sampled_from([p for p in leaves(facts) if p[0] in ("change", "reach", "infra", "risk", "now")]))
    table = facts
    for part in place[:-1]:
        table = table[part]
    if draw(st.booleans()):
        table[place[-1]] = draw(st.sampled_from([None, "x", -1, float("nan"), [], {}]))
    else:
        del table[place[-1]]
    world.cases(replace(one, facts=facts), *changes.comes[1:])


def _verdict(world: World, changes: Changes, draw: Any) -> None:
    one = changes.comes[0]
    field = draw(st.sampled_from(["asked", "recorded"]))
    if getattr(one, field) in ("", "pass"):
        worse = replace(one, **{field: draw(st.sampled_from(["hold", "block"]))})
        world.cases(worse, *changes.comes[1:])
    elif one.asked == "hold":
        world.cases(replace(one, asked=""), *changes.comes[1:])


def _more(world: World, changes: Changes, draw: Any) -> None:
    world.cases(*changes.comes, draw(cases))


def _unjoined(world: World, changes: Changes, draw: Any) -> None:
    if all("block" not in (one.asked, one.recorded) for one in changes.comes):
        world.changes = Unjoined("no-previous", "nobody knows")


def _document(world: World, changes: Changes, draw: Any) -> None:
    strict = rollout_of(DOCUMENT.replace('tier = "high"\n', "").replace("approvals = 1\n", ""))
    world.document = draw(st.sampled_from([Unreadable("it is broken", "mend it"), strict]))


def _question(world: World, changes: Changes, draw: Any) -> None:
    worse = draw(
        st.sampled_from(
            [
                *({"environment": name} for name in ("", "prod", "production ")),
                *({"actor": name} for name in ("", "mallory", "no such")),
                *({"share": share} for share in (None, float("nan"), -1.0, 0.0, 9.0)),
            ]
        )
    )
    world.question = replace(world.question, **worse)


def _situation(world: World, changes: Changes, draw: Any) -> None:
    know = world.situation
    skew = know.skew + draw(st.floats(0, 4000))
    worse: dict[str, Any] = draw(
        st.sampled_from(
            [
                *({"skew": value} for value in (skew, float("nan"), float("inf"))),
                {"approvals": know.approvals[1:]},
                {"leaves": know.leaves[1:]},
                {"deployments": None},
                {"deployments": ()},
                {"budget": None},
                {"budget": Budget(left=0.9, at=world.now, problem="it timed out")},
            ]
        )
    )
    world.situation = replace(know, **worse)


def _clock(world: World, changes: Changes, draw: Any) -> None:
    world.now = draw(st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 1e18]))


BREAKS: tuple[Break, ...] = (
    *(_facts, _fact, _fact, _verdict, _more, _unjoined, _document, _question, _question),
    *(_situation, _situation, _situation, _clock),
)


@settings(max_examples=80)
@given(worlds, st.data())
def test_what_gets_worse_is_never_more_permissive(drawn: dict[str, Any], data: st.DataObject) -> None:
    world = World(drawn)
    before = world.ask()
    for _ in range(data.draw(st.integers(1, 3))):
        changes = world.changes
        if isinstance(changes, Unjoined):
            break
        kind = data.draw(st.sampled_from(BREAKS))
        kind(world, changes, data.draw)
        after = world.ask()
        assert STRICTNESS[after.outcome] >= STRICTNESS[before.outcome], kind.__name__
        before = after


@settings(max_examples=20)
@given(worlds)
def test_the_same_question_has_the_same_answer(drawn: dict[str, Any]) -> None:
    assert World(drawn).ask() == World(drawn).ask()


def test_the_usual_world_can_pass() -> None:
    """Else the property above would hold of a gate that is always shut."""
    known = Approval(by="bob", at=NOW - 60, expires=NOW + HOUR, revision=REVISION, environment="production")
    drawn = {"cases": [case()], "approvals": [known], "leaves": [], "staged": -2 * HOUR}
    assert World({**drawn, "left": 0.9, "now": NOW, "skew": 60.0, "share": None}).ask().outcome == "pass"
