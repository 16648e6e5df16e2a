"""Proof by replay: on a real repository with a real command, and the search over any way to replay."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from tests.repos import Repo, build
from tidegate.change.git import open_repository
from tidegate.change.values import Commit, Person
from tidegate.operate.batch import Batch, BatchChange, read_batch
from tidegate.operate.commits import Clues, rank_commits
from tidegate.operate.prove import Command, Kind, Proof, Replay, Replays, chances_of, prove, search, states_of, updated
from tidegate.settings import Settings

CHECK = """import sys
sys.path.insert(0, "src")
from shop import prices
found = prices.{call}
if found != {wanted}:
    raise AssertionError(f"got {{found}}")
"""

SHOP = """
commit Start the shop
  file src/shop/prices.py
    . def price(item):
    .     return item["price"]
    .
    .
    . def tax(amount):
    .     return amount * 20 // 100
commit Take prices apart
  file src/shop/parts.py
    . def part(text):
    .     return text.split(",")
commit Fill a basket
  file src/shop/prices.py
    . def price(item):
    .     return item["price"]
    .
    .
    . def tax(amount):
    .     return amount * 20 // 100
    .
    .
    . def total(items):
    .     return sum(price(item) for item in items)
commit Raise the tax
  file src/shop/prices.py
    . def price(item):
    .     return item["price"]
    .
    .
    . def tax(amount):
    .     return amount * 25 // 100
    .
    .
    . def total(items):
    .     return sum(price(item) for item in items)
commit Join parts
  file src/shop/parts.py
    . def part(text):
    .     return text.split(",")
    .
    .
    . def joined(parts):
    .     return ",".join(parts)
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return build(tmp_path_factory.mktemp("shop") / "repo", SHOP)


def replayed(repo: Repo, folder: Path, call: str, wanted: str) -> tuple[Batch, Proof]:
    """The proof for a script that fails unless `call` gives `wanted`."""
    script = folder / "check.py"
    script.write_text(CHECK.format(call=call, wanted=wanted))
    with open_repository(repo.path) as repository:
        batch = read_batch(repository, Settings(), "HEAD~4", "HEAD")
        replays = Replays(repository, batch, Command((sys.executable, str(script)), {}, 30.0))
        return batch, prove(replays, rank_commits(batch, Clues()))


def subject(batch: Batch, oid: str) -> str:
    return next((one.commit.subject for one in batch.changes if one.commit.oid == oid), "")


def test_the_change_without_which_it_passes_is_proved(shop: Repo, tmp_path: Path) -> None:
    batch, proof = replayed(shop, tmp_path, "tax(200)", "40")
    assert subject(batch, proof.proved) == "Raise the tax"
    name, probability = proof.probabilities[0]
    assert (name, probability > 0.99) == (proof.proved, True)
    assert math.isclose(math.fsum(chance for _, chance in proof.probabilities), 1)
    assert len(proof.replays) <= 6
    assert shop.git("status", "--porcelain") == ""


def test_what_always_failed_is_proved_to_nobody(shop: Repo, tmp_path: Path) -> None:
    _, proof = replayed(shop, tmp_path, "price({'price': 3})", "4")
    assert proof.proved == ""
    assert {made.outcome for made in proof.replays} == {"same"}
    before = rank_commits(read_shop(shop), Clues()).none
    assert dict(proof.probabilities)[""] > before


def test_what_passes_as_deployed_is_not_replayed(shop: Repo, tmp_path: Path) -> None:
    _, proof = replayed(shop, tmp_path, "tax(200)", "50")
    assert (proof.replays, proof.note) == ((), "it passes at the deployed revision")


def test_a_feature_that_goes_missing_is_another_failure(shop: Repo, tmp_path: Path) -> None:
    batch, proof = replayed(shop, tmp_path, "total([{'price': 3}])", "4")
    assert proof.proved == ""
    outcomes = {subject(batch, made.of): made.outcome for made in proof.replays if made.kind == "without"}
    assert outcomes["Fill a basket"] == "other"
    assert subject(batch, proof.probabilities[0][0]) == "Fill a basket"


def read_shop(repo: Repo) -> Batch:
    with open_repository(repo.path) as repository:
        return read_batch(repository, Settings(), "HEAD~4", "HEAD")


def line_of(count: int) -> Batch:
    """A batch of so many commits, one upon the other, the newest first."""
    names = [f"{number:040x}" for number in range(count)]
    held = {name: frozenset(names[at:]) for at, name in enumerate(names)}
    return Batch(
        previous="",
        deployed=names[0],
        changes=tuple(_change(name) for name in names),
        paths=frozenset(),
        owners={},
        ancestors=held,
        functions={},
    )


def _change(name: str) -> BatchChange:
    nobody = Person("", "")
    commit = Commit(name, "", (), nobody, nobody, "", "", "")
    return BatchChange(commit=commit, sources=frozenset(), lines={}, size=0, words=frozenset(), said=frozenset())


@pytest.mark.parametrize("culprit", range(5))
def test_the_first_suspects_are_told_apart(culprit: int) -> None:
    """Every replay tells the truth; the ranking before them knows a little."""
    batch = line_of(20)
    names = [one.commit.oid for one in batch.changes]
    start = {name: 0.6**at for at, name in enumerate(names)}
    whole = sum(start.values())

    def replay(kind: Kind, of: str) -> Replay:
        gone = {of} if kind == "without" else set(names) - batch.ancestors[of]
        return Replay(kind=kind, of=of, outcome="passed" if names[culprit] in gone else "same")

    proof = search(batch, {name: chance / whole for name, chance in start.items()}, replay)
    assert proof.proved == names[culprit]
    assert len(proof.replays) <= 6


def test_a_replay_that_tells_nothing_new_changes_nothing() -> None:
    batch = line_of(3)
    names = [one.commit.oid for one in batch.changes]
    states = states_of({names[0]: 0.5, names[1]: 0.3, "": 0.2})
    assert chances_of(states) == pytest.approx({names[0]: 0.5, names[1]: 0.3, "": 0.2})
    made = Replay(kind="without", of=names[2], outcome="same")
    assert chances_of(updated(batch, states, made)) == pytest.approx(chances_of(states))


def test_a_change_that_took_others_along_is_not_proved() -> None:
    batch = line_of(2)
    names = [one.commit.oid for one in batch.changes]

    def replay(kind: Kind, of: str) -> Replay:
        return Replay(kind=kind, of=of, outcome="passed" if kind == "without" else "other", clean=False)

    proof = search(batch, {names[0]: 0.6, names[1]: 0.3, "": 0.1}, replay)
    assert proof.proved == ""
