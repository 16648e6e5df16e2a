"""Outcomes of production as a file, and what a model learns from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.replay import read_hindsight, read_past
from tidegate.risk.labels.labels import Outcome
from tidegate.risk.labels.told import Document, digest_of, encode_outcomes, read_outcomes
from tidegate.risk.train import learn
from tidegate.settings import Settings

OUTCOMES = st.builds(
    Outcome,
    st.sampled_from(["a" * 40, "b" * 64]),
    st.sampled_from(["incident", "rollback", "hot-fix", "fine"]),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.integers(0, 4_000_000_000),
    st.floats(0.05, 1),
)


@given(st.lists(OUTCOMES, max_size=5))
def test_what_was_written_is_read_and_order_changes_nothing(told: list[Outcome]) -> None:
    import msgspec

    written = encode_outcomes(told)
    assert encode_outcomes(told[::-1]) == written
    read = msgspec.json.decode(written, type=Document).outcomes
    assert sorted((one.commit, one.kind, one.by, one.at, one.confidence) for one in read) == sorted(
        (one.commit, one.kind, one.by, one.at, one.confidence) for one in told
    )
    assert (digest_of(told) == "") == (not told)


GOOD = encode_outcomes([Outcome("a" * 40, "incident", "incident-1", 5, 0.5)]).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        "\xff",
        GOOD.replace("tidegate.outcomes/1", "tidegate.outcomes/2"),
        GOOD.replace("0.5", "0"),
        GOOD.replace("0.5", "1.5"),
        GOOD.replace("0.5", "NaN"),
        GOOD.replace('incident"', 'guess"', 1),
        GOOD.replace("a" * 40, "a" * 39),
        GOOD.replace("a" * 40, "A" * 40),
        GOOD.replace('"at": 5', '"at": -5'),
        GOOD.replace('"at": 5', '"at": 5, "more": 1'),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "outcomes.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(InputError) as raised:
        read_outcomes(file)
    assert str(file) in str(raised.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_outcomes(tmp_path / "none")


def test_an_incident_labels_a_change_in_training_and_in_a_backtest_however_young(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("Start", {"a.py": "x = 1\n"})
    bad = repo.commit("Add the cache", {"cache.py": "".join(f"v{n} = {n}\n" for n in range(60))})
    good = repo.commit("Add an index", {"index.py": "w = 1\n"})
    with open_repository(repo.path) as repository:
        head = repository.resolve("HEAD")
        at = learn(repository, head, Settings()).past.now + 3600
        told = (Outcome(bad, "incident", "incident-1", at, 0.9), Outcome(good, "incident", "incident-1", at, 0.1))
        lesson = learn(repository, head, Settings(), outcomes=told)
        assert {(label.commit, label.source, label.confidence) for label in lesson.past.labels} == {
            (bad, "incident", 0.9),
            (good, "incident", 0.1),
        }
        assert (lesson.knowledge.at, lesson.knowledge.outcomes) == (at, digest_of(told))
        assert lesson.past.targets.repaired.sum() == pytest.approx(1.0)

        heard = read_hindsight(repository, head, Settings(), at + 5)
        assert {label.commit for label in heard.labels} == {bad, good}, "without a file, what was learnt last counts"
        sure = (Outcome(good, "incident", "incident-1", at, 1.0),)
        for outcomes, failed in ((told, bad), (sure, good)):
            hindsight = read_hindsight(repository, head, Settings(), at + 5, outcomes=outcomes)
            past = list(read_past(repository, head, 0, Settings(), hindsight))
            assert [one.oid for one in past if one.fate.incident] == [failed]
            assert not any(one.fate.matured for one in past)
