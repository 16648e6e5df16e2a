"""Which change caused an incident: on incidents of our own making and on the public ones."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from bench.production.incident_folder import as_candidates, as_symptoms, read_folder
from bench.production.incident_mutants import count_words, mutate
from bench.production.root_cause import judge
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.operate import drawn_causes, drawn_changes, drawn_last, drawn_later
from tests.operate.incidents import START, Incident, change, incident, lines, move
from tidegate.operate.suspects import suspects
from tidegate.operate.symptoms.values import Symptoms
from tidegate.operate.values import Alert, Evidence, Ranking
from tidegate.telemetry.series import Series

DRAWN = [*drawn_changes.draw(), *drawn_causes.draw(), *drawn_later.draw(), *drawn_last.draw()]
NOTHING = Symptoms(alert=Alert(key="a", sender="test", name="a", started=START))


def answer(ranking: Ranking) -> str:
    """The first change, or none where that is likelier."""
    first = ranking.suspects[0] if ranking.suspects else None
    return first.change if first is not None and first.probability >= ranking.none else "none"


@pytest.mark.parametrize("drawn", DRAWN, ids=lambda one: one.name)
def test_a_drawn_incident_is_answered(drawn: Incident) -> None:
    ranking = suspects(drawn.symptoms, drawn.candidates)
    if drawn.kinds:
        assert answer(ranking) == "none"
        assert ranking.hypotheses[0].kind in drawn.kinds
    else:
        assert answer(ranking) == drawn.truth


@pytest.mark.parametrize("drawn", DRAWN[::5], ids=lambda one: one.name)
def test_the_order_in_which_things_are_handed_in_changes_nothing(drawn: Incident) -> None:
    dice = random.Random(5)
    candidates = dice.sample(drawn.candidates, len(drawn.candidates))
    symptoms = replace(
        drawn.symptoms,
        logs=tuple(dice.sample(drawn.symptoms.logs, len(drawn.symptoms.logs))),
        series=tuple(dice.sample(drawn.symptoms.series, len(drawn.symptoms.series))),
    )
    assert suspects(symptoms, candidates) == suspects(drawn.symptoms, drawn.candidates)


def test_probabilities_of_changes_and_causes_make_one() -> None:
    for drawn in DRAWN[::4]:
        ranking = suspects(drawn.symptoms, drawn.candidates)
        assert sum(one.probability for one in ranking.suspects) + ranking.none == pytest.approx(1)
        assert ranking.none == pytest.approx(sum(one.probability for one in ranking.hypotheses))


def test_every_reason_says_what_it_saw_and_names_its_source() -> None:
    for drawn in DRAWN:
        for one in suspects(drawn.symptoms, drawn.candidates).suspects:
            assert {reason.kind for reason in one.evidence} >= {"time", "diff"}
            assert all(reason.says and reason.source for reason in one.evidence)


def test_evidence_of_other_kinds_adds_up() -> None:
    drawn = next(one for one in DRAWN if not one.kinds)
    plain = suspects(drawn.symptoms, drawn.candidates)
    frame = Evidence(kind="frame", weight=9.0, says="the line that failed is its own", source="a.go:3")
    moved = suspects(drawn.symptoms, drawn.candidates, more={"decoy": [frame]})
    assert answer(plain) == drawn.truth
    assert answer(moved) == "decoy"
    assert frame in moved.suspects[0].evidence


def test_a_change_that_went_live_long_after_the_first_sign_is_not_it() -> None:
    late = change("late", 90, "a", "a/x.go", "fix", "-\tif x == nil {\n-\t\treturn\n-\t}\n")
    early = change("early", 55, "a", "a/x.go", "fix", "-\tif x == nil {\n-\t\treturn\n-\t}\n")
    drawn = incident(
        "late",
        "early",
        ("a", "http_5xx_ratio", "a fails", 95),
        [move("a", "http_5xx_ratio", 0.01, 0.9, 57)],
        [],
        [late, early],
    )
    ranking = suspects(drawn.symptoms, drawn.candidates)
    assert [one.change for one in ranking.suspects][:1] == ["early"]
    reason = next(r for one in ranking.suspects if one.change == "late" for r in one.evidence if r.kind == "time")
    assert reason.says == "went live 33 min after the first sign (http_5xx_ratio of a)"
    assert reason.weight < -2


def test_a_risk_said_before_the_merge_counts() -> None:
    twins = [change(name, 55, "a", "a/x.go", "fix", "-\ta(1)\n+\tb(2)\n") for name in ("one", "two")]
    drawn = incident("risk", "one", ("a", "e", "a fails", 60), [move("a", "e", 1, 9, 57)], [], twins)
    known = [replace(one, risk=0.6 if one.commit == "one" else 0.01) for one in drawn.candidates]
    assert suspects(drawn.symptoms, known).suspects[0].change == "one"


def test_a_commit_of_two_deployments_is_judged_once_by_the_worse() -> None:
    drawn = next(one for one in DRAWN if not one.kinds)
    culprit = next(one for one in drawn.candidates if one.commit == drawn.truth)
    elsewhere = replace(culprit, services=("elsewhere",))
    for twice in ((elsewhere, *drawn.candidates), (*drawn.candidates, elsewhere)):
        assert suspects(drawn.symptoms, twice) == suspects(drawn.symptoms, drawn.candidates)


def test_a_chance_first_sign_does_not_clear_the_culprit() -> None:
    culprit = change("culprit", 70, "a", "a/x.go", "fix", "-\tif x == nil {\n-\t\treturn\n-\t}\n")
    chance = lines("cron", "WARN", "clock drifted a little", 40, every=1, until=40.5)
    broken = [move("a", "http_5xx_ratio", 0.01, 0.9, 71), move("web", "http_5xx_ratio", 0.01, 0.4, 72)]
    drawn = incident("chance", "culprit", ("a", "http_5xx_ratio", "a fails", 75), broken, chance, [culprit])
    assert answer(suspects(drawn.symptoms, drawn.candidates)) == "culprit"


def test_nothing_known_is_said_and_convicts_nobody() -> None:
    ranking = suspects(NOTHING, [])
    assert ranking.suspects == ()
    assert ranking.none == pytest.approx(1)
    assert "the time of the alert was taken" in ranking.unknowns[0]
    old = change("old", -500, "a", "a.go", "m", "-a\n+b\n")
    assert answer(suspects(NOTHING, [old])) == "none"


def test_too_many_candidates_are_cut_and_it_is_said() -> None:
    many = [replace(change(f"c{n}", None, "", "a.go", "m", None), at=START + n) for n in range(520)]
    ranking = suspects(NOTHING, many)
    assert len(ranking.suspects) == 500
    assert any("20 oldest candidates" in text for text in ranking.unknowns)


@pytest.mark.parametrize(
    "diff",
    [
        "select " * 30_000,
        "+" + "a-" * 100_000,
        "-" + "(" * 100_000 + "\n+" + ")" * 100_000,
        "\x00\ud800\n+\x00",
        "+if x {\n" * 20_000,
        "+" + "9" * 5_000,
        "-timeout: 0\n+timeout: -5e999\n",
        "+'" + "\\" * 9_999,
    ],
)
def test_a_hostile_diff_is_read_in_bounded_time(diff: str) -> None:
    bad = change("bad", 50, "a", "a.yaml", "m " * 5_000, diff)
    drawn = incident(
        "hostile", "bad", ("a", "e", "x" * 10_000, 60), [], lines("a", "ERROR", "a-" * 20_000, 55, every=1), [bad]
    )
    ranking = suspects(drawn.symptoms, drawn.candidates)
    assert all(0 <= one.probability <= 1 for one in ranking.suspects)


@given(st.lists(st.floats(), max_size=40), st.lists(st.floats(), max_size=40))
def test_any_series_is_survived(times: list[float], values: list[float]) -> None:
    size = min(len(times), len(values))
    series = Series(name="m", labels={}, times=np.array(times[:size]), values=np.array(values[:size]))
    ranking = suspects(replace(NOTHING, series=(series,)), [change("c", 1, "a", "a.go", "m", "+a\n")])
    assert 0 <= ranking.none <= 1


def test_public_incidents_are_answered(data: Path) -> None:
    folder = data / "prod" / "root-cause-bench"
    found = {path.name: read_folder(path) for path in sorted(folder.iterdir()) if (path / "ground_truth.json").exists()}
    truths = {name: json.loads((folder / name / "ground_truth.json").read_text()) for name in found}
    judged = [judge(one, truths[name]) for name, one in found.items()]
    changes = [one for one in judged if one.truth != "none"]
    assert sum(one.right for one in changes) >= len(changes) - 1
    assert all(one.right for one in judged if one.truth == "none")
    assert not any(one.decoy for one in judged)
    assert max(one.seconds for one in judged) < 1
    everyone = list(found.values())
    spread = count_words(everyone)
    mutants = [judge(mutate(one, spread, seed)[0], truths[one.name]) for seed in (0, 1) for one in everyone]
    assert sum(one.right for one in mutants) >= 0.8 * len(mutants)


def test_a_mutant_shares_no_service_name_with_its_incident(data: Path) -> None:
    folder = data / "prod" / "root-cause-bench"
    everyone = [read_folder(path) for path in sorted(folder.iterdir()) if path.is_dir()]
    spread = count_words(everyone)
    for one in everyone[::3]:
        mutant, _ = mutate(one, spread, 0)
        assert mutate(one, spread, 0)[0] == mutant
        assert {c.commit for c in as_candidates(mutant, flags=False)} == {
            c.commit for c in as_candidates(one, flags=False)
        }
        assert as_symptoms(mutant).alert.service != as_symptoms(one).alert.service
