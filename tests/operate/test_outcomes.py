"""What became of commits: each rule on a small past, and what must hold of every past."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rollout.helpers import deployment
from tidegate.operate.calibration import Claim, calibrate
from tidegate.operate.outcomes import BAKE_SECONDS, Became, Incident, Past, Shipped, commits_of, judge
from tidegate.rollout.cycles import Cycle, Tie
from tidegate.rollout.joined import Direction, Joined, Landed

DAY = 86400.0
LATER = 30 * DAY


def landed(commit: str, *brings: str) -> Landed:
    return Landed(commit=commit, tree="", parents=(), title=commit, author="", at=0.0, brings=brings)


def shipped(
    number: int, at: float, comes: str = "", goes: str = "", *, direction: Direction = "forward", **given: str
) -> Shipped:
    """Deployment `number`; the letters of `comes` and `goes` are its commits."""
    one = deployment(id=str(number), started=at, finished=at + 10, **given)
    joined = Joined("p", "r", direction, tuple(map(landed, comes)), tuple(map(landed, goes)))
    return Shipped(deployment=one, joined=joined)


def back(number: int, at: float, goes: str, **given: str) -> Shipped:
    return shipped(number, at, "", goes, direction="backward", **given)


def incident(started: float, ended_by: str = "", *, settled: bool = True, **causes: float) -> Incident:
    return Incident(id="1", started=started, causes=causes, settled=settled, traced=True, ended_by=ended_by)


def cycle(commits: str, *ties: tuple[str, str, str]) -> Cycle:
    return Cycle(
        service="pay",
        environment="production",
        root=commits[0],
        change=(commits[0],),
        commits=tuple(commits),
        ties=tuple(Tie(commit, of, kind, "") for commit, of, kind in ties),
        deployments=("1", "2"),
        redeploys=len(ties),
    )


def short(found: tuple[Became, ...]) -> list[tuple[str, str, str, float]]:
    return sorted((one.commit, one.result, one.by, one.weight) for one in found)


def judged(*past: Shipped, now: float = LATER, **more: object) -> list[tuple[str, str, str, float]]:
    return short(judge(Past(shipped=past, **more), now))  # type: ignore[arg-type]


def test_what_nothing_was_seen_of_is_clean_once_it_has_baked_and_not_before() -> None:
    one = shipped(1, 0, "ab")
    assert judged(one, now=10 + BAKE_SECONDS - 1) == []
    (a, _) = judge(Past(shipped=(one,)), 10 + BAKE_SECONDS)
    assert (a.commit, a.result, a.by, a.weight, a.deployed, a.known) == ("a", "clean", "", 1.0, 10.0, 10 + BAKE_SECONDS)
    assert judged(replace(one, deployment=replace(one.deployment, status="failed"))) == []


def test_an_incident_is_shared_out_as_its_trace_does_and_what_is_suspected_is_not_clean() -> None:
    past = (shipped(1, 0, "abc"),)
    assert judged(*past, incidents=[incident(20, a=0.75, b=0.2, c=0.01)]) == [
        ("a", "incident", "incident-1", 0.75),
        ("b", "incident", "incident-1", 0.2),
        ("c", "clean", "", 1.0),
    ]
    assert judged(*past, incidents=[incident(20, settled=False, a=0.75, b=0.2, c=0.01)]) == [("c", "clean", "", 1.0)]
    assert judged(*past, incidents=[incident(20, b=1.0)])[1] == ("b", "incident", "incident-1", 1.0)


def test_a_roll_back_that_no_incident_tells_of_is_shared_among_what_it_took_away() -> None:
    past = (shipped(1, 0, "a"), shipped(2, 100, "bc"), back(3, 200, "bc"))
    assert judged(*past) == [
        ("a", "clean", "", 1.0),
        ("b", "rolled-back", "deployment-3", 0.5),
        ("c", "rolled-back", "deployment-3", 0.5),
    ]
    assert judged(*past, incidents=[incident(150, "3", b=0.9)]) == [
        ("a", "clean", "", 1.0),
        ("b", "incident", "incident-1", 0.9),
    ]
    untold = replace(incident(150, "3"), traced=False)
    assert len(judged(*past, incidents=[untold])) == 3, "nobody could tell, so the roll-back alone tells"


def test_what_came_back_and_held_was_not_what_it_was_rolled_back_for() -> None:
    past = (shipped(2, 100, "bc"), back(3, 200, "bc"), shipped(4, 300, "c"))
    assert judged(*past, now=DAY) == [
        ("b", "rolled-back", "deployment-3", 0.5),
        ("c", "rolled-back", "deployment-3", 0.5),
    ]
    assert judged(*past) == [("b", "rolled-back", "deployment-3", 1.0), ("c", "clean", "", 1.0)]


def test_a_deployment_that_was_rolled_back_by_itself_took_away_what_it_brought() -> None:
    assert judged(shipped(1, 0, "a", status="rolled_back")) == [("a", "rolled-back", "deployment-1", 1.0)]


def test_services_that_go_back_together_do_so_for_one_reason() -> None:
    past = [shipped(n, 0, "a", service=name) for n, name in enumerate(("pay", "web", "cart"))]
    past += [back(n + 3, 100 + n, "a", service=name) for n, name in enumerate(("pay", "web", "cart"))]
    assert judged(*past) == [("a", "rolled-back", "deployment-3", 1.0)]


def test_of_many_changes_that_were_taken_away_nobody_is_accused() -> None:
    assert judged(shipped(1, 0, "abcdefghijklmnopqrstuvwxyz"), back(2, 9, "abcdefghijklmnopqrstuvwxyz")) == []


def test_what_was_taken_away_otherwise_is_not_clean() -> None:
    moved = shipped(2, 100, "b", "a", direction="sideways")
    assert judged(shipped(1, 0, "a"), moved) == [("b", "clean", "", 1.0)]
    assert judged(shipped(1, 0, "a"), shipped(2, 100, action="remove")) == []


def test_after_a_deployment_that_nobody_could_read_nothing_is_clean_until_it_comes_again() -> None:
    unread = [deployment(id="2", started=100.0, finished=110.0)]
    one, again = shipped(1, 0, "ab"), shipped(3, 200, "a")
    assert judged(one, unread=unread) == []
    assert judged(one, again, unread=unread) == [("a", "clean", "", 1.0)]
    assert len(judged(one, unread=[replace(unread[0], status="failed")])) == 2
    assert len(judged(one, unread=[replace(unread[0], service="web")])) == 2


def test_a_merge_shares_its_part_with_what_it_brings() -> None:
    merge = landed("m", "x", "y")
    assert commits_of(merge) == ("x", "y")
    past = shipped(1, 0, status="rolled_back")
    one = replace(past, joined=replace(past.joined, comes=(merge,)))
    assert [(each[0], each[3]) for each in judged(one)] == [("x", 0.5), ("y", 0.5)]


def test_a_repair_that_was_deployed_soon_after_counts_and_a_late_one_does_not() -> None:
    first, soon = shipped(1, 0, "a"), shipped(2, 3 * DAY, "b")
    ties = [cycle("ab", ("b", "a", "lines"))]
    found = judge(Past(shipped=(first, soon), cycles=ties), LATER)
    assert short(found) == [("a", "fixed", "b", 0.5), ("b", "clean", "", 1.0)]
    assert [one.redeploys for one in found if one.commit == "a"] == [1]
    late = shipped(2, 20 * DAY, "b")
    assert judged(first, late, cycles=ties) == [("a", "clean", "", 1.0), ("b", "clean", "", 1.0)]
    assert judged(first, soon, cycles=[cycle("ab", ("b", "a", "reverts"))])[0] == ("a", "reverted", "b", 1.0)
    assert judged(first, soon, cycles=[cycle("ab", ("b", "a", "restores"))])[0] == ("a", "clean", "", 1.0)


def test_the_fix_that_ended_an_incident_is_not_counted_beside_it() -> None:
    past = (shipped(1, 0, "a"), shipped(2, 100, "b"))
    ties = [cycle("ab", ("b", "a", "lines"))]
    found = judged(*past, cycles=ties, incidents=[incident(50, "2", a=0.8)])
    assert found == [("a", "incident", "incident-1", 0.8), ("b", "clean", "", 1.0)]
    found = judged(*past, cycles=ties, incidents=[incident(50, "2")])
    assert found[0] == ("a", "fixed", "b", 0.5), "where the trace names nobody, the fix does"


_STEPS = st.lists(
    st.tuples(
        st.sampled_from("ab"), st.sampled_from(["forward", "backward", "sideways"]), st.text("uvwxyz", max_size=3)
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(_STEPS, st.dictionaries(st.sampled_from("uvwxyz"), st.floats(0, 1), max_size=3), st.floats(0, 60))
def test_whatever_happened(steps: list[tuple[str, Direction, str]], causes: dict[str, float], days: float) -> None:
    """The order in which it is told changes nothing; no reason weighs more than one change; nobody is clean and bad."""
    past = [
        shipped(n, n * 1000.0, *(("", moved) if way == "backward" else (moved, "")), direction=way, service=service)
        for n, (service, way, moved) in enumerate(steps)
    ]
    whole = sum(causes.values()) or 1.0
    told = replace(incident(1500), causes={commit: weight / whole for commit, weight in causes.items()})
    found = judge(Past(shipped=past, incidents=[told]), days * DAY)
    assert judge(Past(shipped=past[::-1], incidents=[told]), days * DAY) == found
    assert all(0.05 <= one.weight <= 1 and one.deployed <= one.known for one in found)
    clean = {one.commit for one in found if one.result == "clean"}
    assert clean.isdisjoint(one.commit for one in found if one.result != "clean")
    for _, mine in itertools.groupby(sorted((one for one in found if one.by), key=_by), _by):
        assert sum(one.weight for one in mine) <= 1.01
    assert len({(one.commit, one.by) for one in found}) == len(found)


def _by(one: Became) -> str:
    return one.by


def test_calibration_says_how_far_words_and_truth_are_apart_and_from_how_many() -> None:
    nothing = calibrate([], unconfirmed=3)
    assert (nothing.n, nothing.ece, nothing.brier, nothing.bins, nothing.unconfirmed) == (0, None, None, (), 3)
    found = calibrate([Claim(0.9, True)] * 9 + [Claim(0.9, False)] + [Claim(1.0, True)])
    assert (found.n, found.right.count, [(one.low, one.n) for one in found.bins]) == (11, 10, [(0.9, 11)])
    assert found.ece == pytest.approx(abs(10 / 11 - 10 / 11), abs=1e-6)
    sure_and_wrong = calibrate([Claim(0.95, False), Claim(0.15, True)])
    assert sure_and_wrong.ece == pytest.approx((0.95 + 0.85) / 2)
    assert sure_and_wrong.brier == pytest.approx((0.95**2 + 0.85**2) / 2)
