"""An incident as it is known at once: order, first movers, contradictions, likeness, what to roll back to."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tidegate.operate.draft import draft_review
from tidegate.operate.investigate import Case, investigate
from tidegate.operate.investigate.movers import order_movers
from tidegate.operate.investigate.past import find_similar
from tidegate.operate.investigate.target import find_target
from tidegate.operate.investigate.values import Moment, Past, Signal
from tidegate.operate.ranking import rank
from tidegate.operate.resolution import find_resolution
from tidegate.operate.values import Alert, ErrorReport, Evidence, Ranking, Suspect
from tidegate.rollout.values import Deployment

NOON = 1_790_000_000.0
OLD, MIDDLE, NEW = "a" * 40, "b" * 40, "c" * 40


def _deployment(name: str, revision: str, at: float, **more: object) -> Deployment:
    values = {"environment": "production", "service": "payments", "status": "succeeded", "finished": at + 10, **more}
    return Deployment(id=name, revision=revision, started=at, **values)  # type: ignore[arg-type]


def _blame(deployment: str, change: str, probability: float) -> Ranking:
    suspect = Suspect(change=change, probability=probability, evidence=(), deployment=deployment)
    return Ranking(suspects=(suspect,), hypotheses=(), none=1 - probability)


CASE = Case(
    id="7",
    title="Errors of payments",
    severity="high",
    environment="production",
    service="payments",
    started=NOON,
    now=NOON + 60,
    ranking=_blame("3", NEW, 0.9),
    deployments=(
        _deployment("1", OLD, NOON - 90_000),
        _deployment("2", MIDDLE, NOON - 50_000),
        _deployment("3", NEW, NOON - 40),
    ),
)


def _signal(service: str, onset: float, spread: float = 0.0) -> Signal:
    return Signal(service=service, metric="errors", onset=onset, spread=spread, before=0, after=1, source=service)


def test_the_timeline_is_in_order_and_names_its_sources() -> None:
    alert = Alert(key="k", sender="alertmanager", name="Errors", started=NOON, service="payments")
    found = investigate(replace(CASE, alerts=(alert,), signals=(_signal("payments", NOON - 20),)))

    assert [(one.kind, one.at - NOON) for one in found.timeline][-4:] == [
        ("deployment", -40),
        ("deployment", -30),
        ("signal", -20),
        ("alert", 0),
    ]
    assert all(one.source for one in found.timeline)


def test_of_too_many_moments_those_near_the_start_are_kept() -> None:
    others = tuple(Moment(at=NOON + n * 60, kind="flag", says=f"flag {n}", source="s") for n in range(-600, 600))

    timeline = investigate(replace(CASE, others=others, deployments=())).timeline

    assert len(timeline) == 500
    assert max(abs(one.at - NOON) for one in timeline) <= 250 * 60


def test_signals_whose_uncertainties_overlap_are_not_ordered() -> None:
    signals = (_signal("front", 30, 2), _signal("payments", 10, 3), _signal("checkout", 12, 1))

    movements = order_movers(signals, (("checkout", "payments"), ("front", "checkout")))

    assert [[one.service for one in each.signals] for each in movements] == [["payments", "checkout"], ["front"]]
    assert movements[0].says == "checkout and payments moved together; the others call payments"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1e6), st.floats(0, 50)), max_size=8), st.randoms())
def test_the_order_of_what_came_in_says_nothing(given_: list[tuple[str, float, float]], chance: object) -> None:
    signals = [_signal(*one) for one in given_]
    mixed = list(signals)
    chance.shuffle(mixed)  # type: ignore[attr-defined]

    one, other = order_movers(signals, ()), order_movers(mixed, ())

    assert [each.at for each in one] == [each.at for each in other]
    assert sum(len(each.signals) for each in one) == len(signals) or len(one) == 12
    for early, late in itertools.pairwise(one):
        assert max(s.onset + s.spread for s in early.signals) < min(s.onset - s.spread for s in late.signals)


def test_rolling_back_goes_to_the_last_revision_that_held() -> None:
    target = find_target(CASE)

    assert target is not None
    assert target.revision == MIDDLE
    assert not target.warnings
    assert "14 hours" in target.says


@pytest.mark.parametrize(
    ("change", "revision"),
    [
        ({"status": "failed"}, OLD),
        ({"status": "rolled_back"}, OLD),
        ({"revision": NEW}, OLD),
        ({"environment": "staging"}, OLD),
        ({"service": "checkout"}, OLD),
    ],
)
def test_what_did_not_hold_there_is_no_target(change: dict[str, str], revision: str) -> None:
    first, second, third = CASE.deployments
    target = find_target(replace(CASE, deployments=(first, replace(second, **change), third)))

    assert target is not None
    assert target.revision == revision


def test_what_cannot_be_undone_is_said_before_rolling_back() -> None:
    target = find_target(replace(CASE, effects=((NEW, "drops the table `orders`"), (OLD, "is long past"))))

    assert target is not None
    assert target.warnings == (f"{NEW[:12]} drops the table `orders`",)


def test_a_revision_that_ran_shortly_is_said_to_be_little_tried() -> None:
    first, second, third = CASE.deployments
    target = find_target(
        replace(CASE, deployments=(first, replace(second, started=NOON - 200, finished=NOON - 190), third))
    )

    assert target is not None
    assert target.warnings == ("it ran for 2 min only",)


def test_several_commits_of_one_deployment_are_one_thing_to_roll_back() -> None:
    parts = tuple(Suspect(change=c * 40, probability=0.2, evidence=(), deployment="3") for c in "def")
    target = find_target(replace(CASE, ranking=Ranking(suspects=parts, hypotheses=(), none=0.4)))

    assert target is not None
    assert target.revision == MIDDLE


def test_nothing_is_rolled_back_for_an_unlikely_suspect_or_one_that_is_gone() -> None:
    again = _deployment("4", MIDDLE, NOON + 20)

    assert find_target(replace(CASE, ranking=_blame("3", NEW, 0.1))) is None
    assert find_target(replace(CASE, deployments=(*CASE.deployments, again))) is None


def test_without_an_earlier_deployment_no_target_is_invented() -> None:
    target = find_target(replace(CASE, deployments=CASE.deployments[2:]))

    assert target is not None
    assert target.revision == ""


def test_contradictions_stand_side_by_side() -> None:
    fired = Alert(key="k", sender="alertmanager", name="Errors", started=NOON - 100, service="payments", url="http://a")
    other = Alert(key="p", sender="pagerduty", name="Errors", started=NOON - 90, ended=NOON, service="payments")
    stale = ErrorReport(
        key="e", sender="sentry", kind="KeyError", message="x", first=NOON, service="payments", revision=OLD
    )
    case = replace(CASE, alerts=(fired, other), errors=(stale,), signals=(_signal("checkout", NOON),))

    said = [f"{one.one} | {one.other}" for one in investigate(case).conflicts]

    assert len(said) == 5  # two alerts without a signal, a stale revision, two tools at odds, a suspect too late
    assert "no watched series of payments moved; those of checkout did" in said[0]
    assert "revision aaaaaaaaaaaa | payments cccccccccccc to production was what ran there then" in said[2]
    assert "pagerduty says that Errors is over" in said[3]
    assert "it was deployed 60 s after the first alert" in said[4]


def test_a_sound_incident_has_no_contradictions() -> None:
    fired = Alert(key="k", sender="alertmanager", name="Errors", started=NOON, service="payments")
    error = ErrorReport(key="e", sender="s", kind="E", message="x", first=NOON, service="payments", revision=NEW[:12])

    case = replace(CASE, alerts=(fired,), errors=(error,), signals=(_signal("payments", NOON - 10),))

    assert investigate(case).conflicts == ()


def test_likeness_is_of_rare_words() -> None:
    past = [
        Past(id="1", title="Bank answers late", service="payments", started=1, words="TimeoutError bank answer"),
        Past(id="2", title="Errors of the shop", service="storefront", started=2, words="errors of checkout"),
    ]

    found = find_similar("TimeoutError: the bank did not answer within 0.004 s\npayments", past)

    assert [one.past.id for one in found] == ["1"]
    assert 0.25 <= found[0].likeness <= 1.0
    assert "bank" in found[0].shared
    assert find_similar("", past) == ()


def test_what_to_look_at_follows_the_ranking() -> None:
    sure = investigate(CASE).looks
    load = rank({NEW: []}, {"load": [Evidence(kind="rises", weight=3, says="rps rose")]})

    assert sure[0].says == f"Roll payments back to {MIDDLE[:12]}"
    assert investigate(replace(CASE, ranking=load)).looks[0].says.startswith("Look at the requests per second")


def test_suspects_that_are_close_are_to_be_compared() -> None:
    trace = Evidence(kind="frame_line", weight=1, says="a frame stands on its line")
    close = Ranking(
        suspects=(
            Suspect(change=NEW, probability=0.4, evidence=(), deployment="3"),
            Suspect(change=MIDDLE, probability=0.35, evidence=(trace,), deployment="2"),
        ),
        hypotheses=(),
        none=0.25,
    )

    looks = investigate(replace(CASE, ranking=close)).looks

    compare = next(one for one in looks if one.says.startswith("Compare"))
    assert "only the second has this: a frame stands on its line" in compare.why
    assert any(one.command.startswith("tidegate incident trace --replay") for one in looks)


def test_the_same_case_gives_the_same_answer() -> None:
    assert investigate(CASE) == investigate(CASE)


@pytest.mark.parametrize(
    ("later", "kind"),
    [
        ([_deployment("4", MIDDLE, NOON + 60)], "roll_back"),
        ([_deployment("4", "d" * 40, NOON + 60)], "hot_fix"),
        ([_deployment("4", "d" * 40, NOON + 60, action="roll_back")], "roll_back"),
        ([_deployment("4", "d" * 40, NOON + 5 * 3600)], "forward_fix"),
        ([_deployment("4", MIDDLE, NOON + 60, service="checkout")], None),
        ([_deployment("4", MIDDLE, NOON + 60, status="failed")], None),
        ([], None),
    ],
)
def test_what_ended_an_incident(later: list[Deployment], kind: str | None) -> None:
    found = find_resolution(NOON, NOON + 6 * 3600, CASE.deployments[2], [*CASE.deployments, *later])

    assert (found.kind if found else None) == kind


def test_a_revert_that_goes_forward_is_a_roll_back() -> None:
    later = _deployment("4", "d" * 40, NOON + 60)

    found = find_resolution(NOON, NOON + 120, CASE.deployments[2], [*CASE.deployments, later], takes_back={"4"})

    assert found is not None
    assert found.kind == "roll_back"


def test_nobody_is_credited_for_an_incident_that_ended_long_after() -> None:
    later = _deployment("4", "d" * 40, NOON + 60)

    assert find_resolution(NOON, NOON + 3600, None, [*CASE.deployments, later]) is None


def test_the_review_says_what_is_known_and_lets_nothing_act() -> None:
    hostile = ErrorReport(
        key="e", sender="s", kind="KeyError", message="![x](http://evil) | @everyone <script>", first=NOON
    )
    case = replace(CASE, errors=(hostile,), ended=NOON + 600, unknowns=("nobody sent spans",))
    later = _deployment("4", MIDDLE, NOON + 60)
    resolution = find_resolution(NOON, NOON + 600, CASE.deployments[2], [*CASE.deployments, later])

    text = draft_review(case, investigate(case), resolution)

    assert "10 min" in text
    assert f"Ended by a roll-back to `{MIDDLE[:12]}`" in text
    assert f"- Change `{NEW[:12]}`: 90%" in text
    assert "- None of the changes: 10%" in text
    assert "- nobody sent spans" in text
    assert "<script>" not in text
    assert "![x]" not in text


def test_the_end_of_an_alert_says_of_which_service() -> None:
    alert = Alert(key="p", sender="pagerduty", name="Errors", started=NOON - 90, ended=NOON, service="payments")
    said = [one.says for one in investigate(replace(CASE, alerts=(alert,))).timeline]
    assert "Alert Errors ended for payments" in said
