"""Which commit of a batch the clues point to, on small histories that are drawn here."""

from __future__ import annotations

import json
import math
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repos import Repo, build
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.operate.batch import Batch, read_batch
from tidegate.operate.commits import OLDER, Clues, Coverage, culprit_lines, measure, rank_commits, weigh
from tidegate.operate.frames import Files
from tidegate.operate.values import Frame
from tidegate.settings import Settings

SHOP = """
commit Start the shop
  file src/shop/prices.py
    . def price(item):
    .     return item["price"]
    .
    .
    . def tax(item):
    .     return price(item) / 5
  file tests/test_prices.py
    . def test_price():
    .     pass
commit Give items a name
  file src/shop/items.py
    . def name(item):
    .     return item.get("name", "?")
    .
    .
    . def label(item):
    .     return name(item).title()
commit Add up a basket
  file src/shop/prices.py
    . def price(item):
    .     return item["price"]
    .
    .
    . def tax(item):
    .     return price(item) / 5
    .
    .
    . def total(items):
    .     return sum(price(item) * item["count"] for item in items)
commit Test more
  file tests/test_prices.py
    . def test_price():
    .     assert True
commit Round the tax
  file src/shop/prices.py
    . def price(item):
    .     return item["price"]
    .
    .
    . def tax(item):
    .     return round(price(item) / 5)
    .
    .
    . def total(items):
    .     return sum(price(item) * item["count"] for item in items)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return build(tmp_path_factory.mktemp("shop") / "repo", SHOP)


@pytest.fixture(scope="module")
def batch(shop: Repo) -> Batch:
    return read(shop, "HEAD~4", "HEAD")


def read(repo: Repo, previous: str, deployed: str) -> Batch:
    with open_repository(repo.path) as repository:
        return read_batch(repository, Settings(), previous, deployed)


def frames(batch: Batch, *places: tuple[str, int]) -> Clues:
    files = Files(batch.paths)
    return Clues(traces=(tuple(files.place(Frame(file=f"/app/{path}", line=line)) for path, line in places),))


def subject(batch: Batch, oid: str) -> str:
    return next(one.commit.subject for one in batch.changes if one.commit.oid == oid)


def first(batch: Batch, clues: Clues) -> str:
    ranking = rank_commits(batch, clues)
    return OLDER if ranking.none > ranking.suspects[0].probability else subject(batch, ranking.suspects[0].change)


def test_a_batch_knows_its_lines_functions_and_order(batch: Batch) -> None:
    assert [one.commit.subject for one in batch.changes] == [
        "Round the tax",
        "Test more",
        "Add up a basket",
        "Give items a name",
    ]
    tax, tests, total, name = batch.changes
    assert tax.lines == {"src/shop/prices.py": {6}}
    assert (tests.lines, tests.sources, tests.size) == ({}, frozenset(), 0)
    assert batch.owner("src/shop/prices.py", 10) == total.commit.oid
    assert batch.owner("src/shop/prices.py", 1) == ""
    assert batch.function("src/shop/prices.py", 10) == (9, 10)
    assert batch.function("src/shop/prices.py", 3) is None
    assert batch.ancestors[total.commit.oid] == {total.commit.oid, name.commit.oid}


def test_nothing_between_two_revisions_is_said(shop: Repo) -> None:
    with pytest.raises(InputError, match="no commit lies between"):
        read(shop, "HEAD", "HEAD")


def test_the_line_that_broke_names_its_commit(batch: Batch) -> None:
    assert first(batch, frames(batch, ("src/shop/prices.py", 6))) == "Round the tax"
    assert first(batch, frames(batch, ("src/shop/prices.py", 10))) == "Add up a basket"
    assert first(batch, frames(batch, ("src/shop/items.py", 6))) == "Give items a name"


def test_every_suspect_says_why_and_what_it_was_read_from(batch: Batch) -> None:
    ranking = rank_commits(batch, frames(batch, ("src/shop/prices.py", 10)))
    told = {one.kind: one for one in ranking.suspects[0].evidence}
    assert told["line"].says == "it wrote the line of the innermost frame"
    assert told["line"].source == "src/shop/prices.py:10"
    assert math.isclose(sum(one.probability for one in ranking.suspects) + ranking.none, 1)


def test_a_trace_through_old_code_alone_speaks_for_none_of_them(batch: Batch) -> None:
    old = rank_commits(batch, frames(batch, ("src/shop/prices.py", 2))).none
    new = rank_commits(batch, frames(batch, ("src/shop/prices.py", 6))).none
    assert old > 2 * new


def test_frames_in_tests_say_nothing(batch: Batch) -> None:
    nothing = measure(batch, Clues())
    assert measure(batch, frames(batch, ("tests/test_prices.py", 2))).changes == nothing.changes


def test_coverage_names_what_only_the_failing_test_runs(batch: Batch) -> None:
    prices, items = "src/shop/prices.py", "src/shop/items.py"
    coverage = Coverage(
        failing={"test_total": {prices: [2, 10], items: [2]}}, passing={prices: {2: 5, 6: 3}, items: {2: 7, 6: 2}}
    )
    clues = Clues(coverage=coverage)
    assert first(batch, clues) == "Add up a basket"
    measured = measure(batch, clues).changes
    by_subject = {subject(batch, oid): values for oid, values in measured.items()}
    assert by_subject["Add up a basket"]["ochiai"].value == 1.0
    assert by_subject["Give items a name"]["ochiai"].value == pytest.approx(1 / math.sqrt(8))
    assert "unrun" in by_subject["Round the tax"]
    change = next(one for one in batch.changes if one.commit.subject == "Add up a basket")
    assert culprit_lines(batch, clues, change) == ((prices, 10),)


def test_words_of_the_failure_are_found_in_the_diff(batch: Batch) -> None:
    ranking = rank_commits(batch, Clues(words=("KeyError: label title",)))
    assert subject(batch, ranking.suspects[0].change) == "Give items a name"
    assert any("its diff says what the failure says: label, title" in one.says for one in ranking.suspects[0].evidence)


def test_risk_counts_beside_other_evidence(batch: Batch) -> None:
    oids = [one.commit.oid for one in batch.changes]
    risky = rank_commits(batch, Clues(risk={oid: 0.5 if oid == oids[3] else 0.05 for oid in oids}))
    plain = rank_commits(batch, Clues())
    chance = {one.change: one.probability for one in risky.suspects}
    assert chance[oids[3]] > next(one.probability for one in plain.suspects if one.change == oids[3])
    odd = Clues(risk={oids[0]: math.nan, "elsewhere": 0.9})
    assert rank_commits(batch, odd) == plain


@given(st.permutations(range(4)), st.booleans())
def test_the_order_of_traces_changes_nothing(batch: Batch, order: list[int], twice: bool) -> None:
    places = [
        ("src/shop/prices.py", 6),
        ("src/shop/prices.py", 10),
        ("src/shop/items.py", 2),
        ("src/shop/prices.py", 2),
    ]
    traces = [frames(batch, place).traces[0] for place in places]
    shuffled = tuple(traces[at] for at in order)
    plain, other = Clues(traces=tuple(traces)), Clues(traces=shuffled * (2 if twice else 1))
    assert weigh(batch, plain) == weigh(batch, other)


def test_the_table_says_where_its_numbers_come_from() -> None:
    told = json.loads(resources.files("tidegate.operate").joinpath("commits.json").read_bytes())
    assert "planted" in told["about"]
    for name in ("covered", "uncovered"):
        assert told[name]["faults"] >= 100
        assert all(math.isfinite(weight) for weight in told[name]["weights"].values())


def test_many_forged_traces_do_not_crowd_out_the_others(batch: Batch) -> None:
    real, forged = (frames(batch, ("src/shop/prices.py", line)).traces for line in (6, 10))
    few, many = (rank_commits(batch, Clues(traces=(*forged * times, *real))) for times in (1, 1_000))
    for ranking in (few, many):
        assert [subject(batch, one.change) for one in ranking.suspects[:2]].count("Round the tax") == 1
    assert many.suspects[0].probability == few.suspects[0].probability


def test_words_of_every_sentence_are_no_evidence(shop: Repo) -> None:
    shop.commit("Keep the sum of it with that", {"src/shop/sums.py": "SUM = 1\n"})
    batch = read(shop, "HEAD~3", "HEAD")
    ranking = rank_commits(batch, Clues(words=("TypeError: cannot take that of it with this",)))
    assert not [one for each in ranking.suspects for one in each.evidence if "what the failure says" in one.says]
