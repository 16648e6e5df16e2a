"""Changes in disguise are caught and their harmless twins left alone, in plans that both tools made."""

from __future__ import annotations

import pytest
from bench.infra.pairs import CLIS, Judged, judged, missing, pairs


@pytest.fixture(scope="module")
def answers() -> list[Judged]:
    return list(judged())


@pytest.mark.parametrize("cli", CLIS)
def test_every_disguise_is_seen_through(answers: list[Judged], cli: str) -> None:
    assert [one.pair.name for one in answers if one.cli == cli and not one.caught] == []


@pytest.mark.parametrize("cli", CLIS)
def test_no_harmless_twin_is_held(answers: list[Judged], cli: str) -> None:
    assert [one.pair.name for one in answers if one.cli == cli and one.flagged] == []


def test_every_pair_is_planned_by_both_tools(answers: list[Judged]) -> None:
    assert missing() == []
    assert len(pairs()) >= 100
    assert len({pair.name for pair in pairs()}) == len(pairs())


def test_both_tools_are_judged_alike(answers: list[Judged]) -> None:
    codes = {(one.pair.name, one.cli): {effect.code for effect in one.dangerous.effects} for one in answers}
    unlike = [
        pair.name for pair in pairs() if not pair.only and len({frozenset(codes[pair.name, cli]) for cli in CLIS}) > 1
    ]
    assert unlike == []
