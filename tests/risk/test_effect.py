"""How agents fared: the estimate, its interval, and the sentence that a leader reads."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.risk.labels_histories import ALICE, commit, oid
from tidegate.change.values import Person
from tidegate.facts import AgentEffect
from tidegate.report.agent_words import say_effect
from tidegate.risk.effect import ADJUSTED, agent_effects, left_out
from tidegate.risk.features.frame import Frame, Targets
from tidegate.risk.odds import Belief, fit_logistic, pool, shrink, together
from tidegate.risk.values import Mark, PastCommit
from tidegate.settings import Settings

DAY = 86400
NOW = 2000 * DAY


def history(
    changes: int, odds: dict[str, float], seed: int = 1, share: float = 0.4
) -> tuple[Frame, Targets, dict[str, Mark]]:
    """Changes of all sizes over four years; those of agents are larger, and repaired with the planted odds."""
    random = np.random.default_rng(seed)
    tools = [*odds, ""]
    weights = [share / max(len(odds), 1)] * len(odds)
    tool = random.choice(len(tools), changes, p=[*weights, 1 - sum(weights)])
    size = random.normal(2.5, 1.2, changes) + 0.8 * (tool < len(odds))
    values = np.abs(random.normal(1.0, 1.0, (changes, len(ADJUSTED))))
    values[:, ADJUSTED.index("la")] = np.expm1(np.abs(size))
    planted = np.asarray([*(math.log(one) for one in odds.values()), 0.0])
    chance = 1 / (1 + np.exp(-(-2.6 + 0.5 * size + planted[tool])))
    repaired = (random.random(changes) < chance).astype(np.float64)
    at = np.sort(random.integers(0, 1700 * DAY, changes))
    ids = tuple(f"{n:040x}" for n in range(changes))
    marks = {ids[n]: Mark(tools[t]) for n, t in enumerate(tool) if tools[t]}
    return Frame(ADJUSTED, 1, ids, at, values), Targets(repaired, np.where(repaired > 0, at + DAY, -1)), marks


def test_the_planted_effect_is_found_and_size_is_not_taken_for_it() -> None:
    frame, targets, marks = history(6000, {"x": 1.0})
    raw = [targets.repaired[[oid in marks for oid in frame.ids]].mean(), targets.repaired.mean()]
    assert raw[0] > raw[1] * 1.1
    (effect,) = agent_effects(frame, targets, marks, NOW)
    assert effect.low < 1.0 < effect.high
    assert effect.changes == len(marks)


@pytest.mark.parametrize("odds", [0.5, 2.0])
def test_a_large_effect_is_shown(odds: float) -> None:
    frame, targets, marks = history(6000, {"x": odds})
    (effect,) = agent_effects(frame, targets, marks, NOW)
    assert effect.low < odds < effect.high
    assert (effect.low > 1) if odds > 1 else (effect.high < 1)


def test_several_tools_and_models_are_told_apart() -> None:
    frame, targets, marks = history(6000, {"x": 0.6, "y": 1.8})
    models = {oid: Mark(mark.tool, f"m{int(oid, 16) % 2}") if mark.tool == "x" else mark for oid, mark in marks.items()}
    found = agent_effects(frame, targets, models, NOW)
    told = [(effect.tool, effect.model) for effect in found]
    assert told[0] == ("x", "")
    assert sorted(told[1:3]) == [("x", "m0"), ("x", "m1")]
    assert told[3:] == [("y", "")]
    whole = {effect.tool: effect for effect in found if not effect.model}
    assert whole["x"].high < whole["y"].low
    assert whole["x"].changes == sum(effect.changes for effect in found if effect.model)


def test_what_is_young_or_left_out_does_not_count() -> None:
    frame, targets, marks = history(2000, {"x": 1.0})
    (whole,) = agent_effects(frame, targets, marks, NOW)
    (half,) = agent_effects(frame, targets, marks, int(frame.at[1000]) + 180 * DAY)
    assert half.changes == sum(
        oid in marks for oid, at in zip(frame.ids, frame.at, strict=True) if at <= frame.at[1000]
    )
    out = set(list(marks)[:100])
    assert agent_effects(frame, targets, marks, NOW, out)[0].changes == whole.changes - 100


def test_labels_of_the_future_do_not_count() -> None:
    frame, targets, marks = history(1500, {"x": 1.0})
    later = targets._replace(known_at=np.where(targets.known_at >= 0, NOW + 1, -1))
    assert agent_effects(frame, later, marks, NOW) == ()


@pytest.mark.parametrize("changes", [0, 1, 30])
def test_too_little_is_no_answer(changes: int) -> None:
    frame, targets, marks = history(changes, {"x": 1.0})
    assert agent_effects(frame, targets, marks, NOW) == ()


def test_a_repository_of_agents_alone_has_nothing_to_compare_with() -> None:
    frame, targets, marks = history(1000, {"x": 1.0}, share=1.0)
    assert agent_effects(frame, targets, marks, NOW) == ()


def test_a_group_that_was_never_repaired_stays_finite() -> None:
    frame, targets, marks = history(2000, {"x": 1.0}, share=0.1)
    agent = np.asarray([oid in marks for oid in frame.ids])
    never = Targets(np.where(agent, 0.0, targets.repaired), np.where(agent, -1, targets.known_at))
    (effect,) = agent_effects(frame, never, marks, NOW)
    assert 0 < effect.low < effect.high < 1


def test_unknown_values_and_constant_columns_do_no_harm() -> None:
    frame, targets, marks = history(2000, {"x": 1.0})
    frame.values[::7, 2] = np.nan
    frame.values[:, 3] = np.nan
    frame.values[:, 4] = 5.0
    frame.values[0, 5] = 1e300
    (effect,) = agent_effects(frame, targets, marks, NOW)
    assert 0.5 < effect.odds_ratio < 2


def test_the_same_input_gives_the_same_bits() -> None:
    assert agent_effects(*history(1000, {"x": 1.5}), NOW) == agent_effects(*history(1000, {"x": 1.5}), NOW)


def test_intervals_hold_the_planted_odds() -> None:
    """A small share of what `bench/risk/effect.py` does at length on real histories."""
    for odds in (0.6, 1.5):
        held = 0
        for seed in range(25):
            (effect,) = agent_effects(*history(700, {"x": odds}, seed=seed), NOW)
            held += effect.low <= odds <= effect.high
        assert held >= 20


@given(st.floats(-3, 3), st.floats(0.02, 1.5), st.floats(-0.5, 0.5), st.floats(0.005, 0.5))
@settings(max_examples=40)
def test_the_interval_holds_what_is_shown(estimate: float, error: float, mean: float, variance: float) -> None:
    shrunk = shrink(estimate, error, Belief(mean, variance))
    assert shrunk.low < shrunk.estimate < shrunk.high
    assert shrunk.low < estimate < shrunk.high
    assert min(estimate, mean) - 1e-9 <= shrunk.estimate <= max(estimate, mean) + 1e-9


def test_a_vague_belief_changes_nothing() -> None:
    shrunk = shrink(0.5, 0.1, Belief(0.2, 1e6))
    assert (shrunk.estimate, shrunk.low, shrunk.high) == pytest.approx((0.5, 0.304, 0.696), abs=1e-3)


def test_the_interval_is_short_where_the_belief_is_right() -> None:
    near = shrink(0.2, 0.4, Belief(0.2, 0.024))
    assert near.high - near.low < 2 * 1.96 * 0.4 * 0.9


@pytest.mark.parametrize("truth", [-1.0, -0.5, 0.0, 0.2, 0.4, 1.0])
def test_the_interval_holds_any_truth(truth: float) -> None:
    """By quadrature, not by chance: the probability of estimates whose interval holds the truth is .95 for each."""
    error, belief = 0.3, Belief(0.2, 0.024)
    grid = np.linspace(truth - 4.5 * error, truth + 4.5 * error, 1201)
    weight = np.exp(-(((grid - truth) / error) ** 2) / 2)
    inside = [(found := shrink(float(y), error, belief)).low <= truth <= found.high for y in grid[::6]]
    held = float((weight[::6] * inside).sum() / weight[::6].sum())
    assert held == pytest.approx(0.95, abs=0.012)


def test_others_of_the_repository_move_what_is_expected() -> None:
    start = Belief(0.2, 0.012)
    assert together([], [], start, 0.012) == pytest.approx((0.2, 0.024))
    moved = together([1.0, 1.0], [0.1, 0.1], start, 0.012)
    assert 0.2 < moved.mean < 1.0
    assert 0.012 < moved.variance < 0.024


def test_pooling() -> None:
    same = pool([0.2, 0.2, 0.2], [0.1, 0.1, 0.1])
    assert (same.mean, same.tau2) == pytest.approx((0.2, 0.0))
    spread = pool([-1.0, 0.2, 1.4], [0.1, 0.1, 0.1])
    assert spread.tau2 == pytest.approx(1.43, abs=0.01)
    assert spread.low < 0.2 < spread.high


def test_firth_is_finite_where_a_group_never_fails() -> None:
    design = np.column_stack([np.ones(40), np.repeat([0.0, 1.0], 20)])
    truth = np.asarray([1.0, 0.0] * 10 + [0.0] * 20)
    fit = fit_logistic(design, truth, np.zeros(2))
    # Firth's answer for one group is that of adding half a success and half a failure.
    assert fit.coefficients == pytest.approx([0.0, math.log(0.5 / 20.5)], abs=1e-4)


def test_who_is_left_out() -> None:
    bot = Person("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com")
    claude = Person("Claude", "noreply@anthropic.com")
    commits = [
        commit("a", "Add", 0),
        commit("b", "Add tests", 1, ["a"], paths=["tests/test_a.py"]),
        commit("c", "Merge", 2, ["a", "b"]),
        PastCommit(oid("d"), (oid("c"),), bot, ALICE, 0, 0, "Bump", commit("x", "", 0).touches),
        PastCommit(oid("e"), (oid("d"),), claude, ALICE, 0, 0, "Add", commit("x", "", 0).touches),
    ]
    assert left_out(commits, {oid("e"): Mark("claude")}, Settings()) == {oid("b"), oid("c"), oid("d")}


def words(odds: float, low: float, high: float, usual: float = 0.2, model: str = "") -> str:
    return say_effect(AgentEffect("claude", model, 412, odds, low, high), usual, "Claude Code")


def test_the_words() -> None:
    assert words(1.3, 0.95, 1.7) == (
        "No difference is shown between changes declared as Claude Code's and others of the same size and place that "
        "declare no agent: the best guess is 1.2 times as often, and 1.0 to 1.5 times fits (95 % interval, "
        "412 changes)."
    )
    assert words(1.6, 1.2, 2.2, model="Claude Opus 4.6") == (
        "Changes declared as Claude Code's with Claude Opus 4.6 were repaired more often than others of the same size "
        "and place that declare no agent: 1.4 times as often; 1.2 to 1.8 times fits (95 % interval, 412 changes)."
    )
    assert words(0.6, 0.4, 0.9) == (
        "Changes declared as Claude Code's were repaired less often than others of the same size and place that "
        "declare no agent: 0.7 times as often; 0.5 to 0.9 times fits (95 % interval, 412 changes)."
    )
    assert words(1.1, 0.5, 2.4) == (
        "Changes declared as Claude Code's are too few to compare with others of the same size and place that declare "
        "no agent: anything from 0.6 to 1.9 times fits (95 % interval, 412 changes)."
    )


def test_odds_are_not_sold_as_frequencies() -> None:
    assert "2.0 times as often" in words(2.0, 1.5, 2.6, usual=0.0)
    assert "1.3 times as often" in words(2.0, 1.5, 2.6, usual=0.5)


def test_rounding_never_contradicts_the_verdict() -> None:
    shown = words(1.3, 1.02, 1.6, usual=0.0)
    assert "1.02 to" in shown
    assert "repaired more often than" in shown


@given(st.floats(0.05, 20), st.floats(1.01, 5), st.floats(1.01, 5), st.floats(0, 0.9))
@settings(max_examples=60)
def test_the_words_agree_with_the_numbers(odds: float, down: float, up: float, usual: float) -> None:
    text = words(odds, odds / down, odds * up, usual)
    assert ("repaired more often than" in text) == (odds / down > 1)
    assert ("repaired less often than" in text) == (odds * up < 1)
