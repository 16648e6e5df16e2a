"""Proof by replay: on a real repository with a real command, and the search over any way to replay."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.repos import Repo, build
from tidegate.change.git import open_repository
from tidegate.change.values import Commit, Person
from tidegate.operate.batch import Batch, BatchChange, read_batch
from tidegate.operate.beliefs import Action, Beliefs
from tidegate.operate.commits import Clues, rank_commits
from tidegate.operate.failures import Outcome, compare, read_failures
from tidegate.operate.new_tests import new_tests
from tidegate.operate.prove import MOST_REPLAYS, Proof, prove, search
from tidegate.operate.replays import Command, Kind, Replay, Replays
from tidegate.settings import Settings
from tidegate.verify.runner import Ran

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
    assert "other" in {made.outcome for made in proof.replays}
    assert subject(batch, proof.probabilities[0][0]) == "Fill a basket"


def read_shop(repo: Repo) -> Batch:
    with open_repository(repo.path) as repository:
        return read_batch(repository, Settings(), "HEAD~4", "HEAD")


class Told:
    """Replays that a function tells."""

    def __init__(self, tell: Callable[[Kind, str], Replay], *new: str, rough: Collection[str] = ()) -> None:
        self.replay, self.new, self._rough = tell, frozenset(new), rough

    def is_clean(self, of: str) -> bool:
        return of not in self._rough


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

    proof = search(batch, {name: chance / whole for name, chance in start.items()}, Told(replay))
    assert proof.proved == names[culprit]
    assert len(proof.replays) <= 6


def test_that_it_fails_without_another_change_leaves_the_order_of_the_rest() -> None:
    batch = line_of(3)
    names = [one.commit.oid for one in batch.changes]
    beliefs = Beliefs(batch, {names[0]: 0.5, names[1]: 0.3, names[2]: 0.1, "": 0.1})
    assert beliefs.after([]) == pytest.approx({names[0]: 0.5, names[1]: 0.3, names[2]: 0.1, "": 0.1})
    after = beliefs.after([Replay(kind="without", of=names[2], outcome="same")])
    assert after[names[2]] < 0.1 < 0.5 < after[names[0]]
    assert after[names[0]] / after[names[1]] == pytest.approx(0.5 / 0.3)


def test_what_passed_before_the_batch_is_of_the_batch() -> None:
    batch = line_of(10)
    start = {one.commit.oid: 0.05 for one in batch.changes} | {"": 0.5}
    after = Beliefs(batch, start).after([Replay(kind="at", of="before", outcome="passed")])
    assert after[""] < 0.05


def test_what_a_new_test_does_on_old_sources_does_not_make_the_fault_old() -> None:
    """Two tests: the one of the new feature fails everywhere before it, the older one tells where the fault came."""
    batch = line_of(12)
    names = [one.commit.oid for one in batch.changes]
    culprit = names[5]
    start = dict.fromkeys(names, 0.5 / 12) | {"": 0.5}

    def replay(kind: Kind, of: str) -> Replay:
        gone = {of} if kind == "without" else set(names) - batch.ancestors.get(of, frozenset())
        new: Outcome = "same"
        old: Outcome = "passed" if culprit in gone else "same"
        outcome: Outcome = new if old == new else "other"
        return Replay(kind=kind, of=of, outcome=outcome, outcomes={"new": new, "old": old})

    proof = search(batch, start, Told(replay, "new"))
    assert (proof.probabilities[0][0], len(proof.replays) <= MOST_REPLAYS) == (culprit, True)


def test_that_a_new_test_fails_on_what_is_older_than_it_says_little_of_old_code() -> None:
    batch = line_of(6)
    start = {one.commit.oid: 0.1 for one in batch.changes} | {"": 0.4}
    done = [Replay(kind="at", of="before", outcome="same", outcomes={"t": "same"})]
    after = [Beliefs(batch, start, frozenset(new)).after(done)[""] for new in ((), ("t",))]
    assert 0.4 < after[1] < after[0]


def test_what_others_have_built_upon_is_not_taken_out_first() -> None:
    batch = line_of(20)
    names = [one.commit.oid for one in batch.changes]
    beliefs = Beliefs(batch, {name: 0.5**at / 2 for at, name in enumerate(names)} | {"": 0.5**21})
    assert beliefs.best((), ()) == Action("without", names[0])
    rough = beliefs.best((), (), lambda of: of != names[0])
    assert rough is not None
    assert rough != Action("without", names[0])


def test_a_test_is_new_where_the_revision_before_has_not_its_code(tmp_path: Path) -> None:
    old, new = "def test_a():\n    assert f() == 1\n", "\n\ndef test_b():\n    assert f() == 2\n"
    repo = Repo.init(tmp_path / "r")
    repo.commit("Begin", {"f.py": "1\n", "tests/test_f.py": old})
    repo.commit("Test more", {"f.py": "2\n", "tests/test_f.py": old + new})
    texts = {name: f"tests/test_f.py:{line}: in {name}\nE   AssertionError" for name, line in (("a", 2), ("b", 6))}
    with open_repository(repo.path) as repository:
        batch = read_batch(repository, Settings(), "HEAD~1", "HEAD")
        assert new_tests(repository, batch, texts) == {"b"}


def test_an_answer_that_stays_open_says_so() -> None:
    batch = line_of(8)
    start = {one.commit.oid: 0.1 for one in batch.changes} | {"": 0.2}
    proof = search(batch, start, Told(lambda kind, of: Replay(kind=kind, of=of, outcome="other")))
    assert proof.proved == ""
    assert proof.note == f"{len(proof.replays)} replays leave no answer clear"


def test_it_stops_when_an_answer_is_sure() -> None:
    batch = line_of(4)
    names = [one.commit.oid for one in batch.changes]
    start = {names[0]: 0.997, names[1]: 0.001, names[2]: 0.001, names[3]: 0.001, "": 0.0}
    assert search(batch, start, Told(lambda kind, of: pytest.fail("nothing is left to learn"))).replays == ()


def ran(output: str, exit_code: int = 1) -> Ran:
    return Ran(exit_code=exit_code, timed_out=False, seconds=0.0, cpu_seconds=0.0, output=output)


PYTEST = """F.F
=== FAILURES ===
____ test_a ____
E   AssertionError: 1
____ TestB.test_b[x y] ____
E   ValueError: 2
=== short test summary info ===
2 failed, 1 passed in 0.01s
"""


@pytest.mark.parametrize(
    ("output", "code", "found"),
    [
        (PYTEST, 1, ("same", "same")),
        ("____ test_a ____\nE   KeyError: 1\n=== x ===\n1 failed, 2 passed in 0.1s\n", 1, ("other", "passed")),
        ("____ ERROR at setup of test_a ____\nE   OSError\n1 passed, 2 errors in 0.1s\n", 1, ("other", "other")),
        ("____ test_a ____\nE   AssertionError: 1\n!!! stopping !!!\n1 failed in 0.1s\n", 1, ("same", "other")),
        ("____ ERROR collecting b.py ____\nE   ImportError\n3 passed, 1 error in 0.1s\n", 2, ("other", "other")),
        ("...\n3 passed in 0.01s\n", 0, ("passed", "passed")),
        ("sss\n3 skipped in 0.01s\n", 0, ("other", "other")),
        ("Killed", 137, ("other", "other")),
    ],
)
def test_what_became_of_each_failing_test(output: str, code: int, found: tuple[Outcome, Outcome]) -> None:
    first = read_failures(ran(PYTEST))
    assert list(first.told) == ["test_a", "TestB.test_b[x y]"]
    assert tuple(compare(first, ran(output, code)).values()) == found


def test_what_names_no_test_is_one_failure() -> None:
    first = read_failures(ran("Traceback\nfatal: no such table\n"))
    assert compare(first, ran("", 0)) == {"": "passed"}
    assert compare(first, ran("Traceback\nfatal: no such table\n")) == {"": "same"}
    assert compare(first, ran("fatal: no such file\n")) == {"": "other"}


def test_the_failures_of_go_and_unittest_are_told_apart() -> None:
    go = read_failures(ran("--- FAIL: TestA (0.00s)\n    a_test.go:7: got 1\n--- FAIL: TestB (0.00s)\n    b\nFAIL\n"))
    assert list(go.told) == ["TestA", "TestB"]
    line = "=" * 70
    found = read_failures(ran(f"{line}\nFAIL: test_a (m.T.test_a)\n{'-' * 70}\nAssertionError: 1 != 2\n"))
    assert list(found.told) == ["test_a (m.T.test_a)"]


def test_a_change_that_took_others_along_is_not_proved() -> None:
    batch = line_of(2)
    names = [one.commit.oid for one in batch.changes]

    def replay(kind: Kind, of: str) -> Replay:
        return Replay(kind=kind, of=of, outcome="passed" if kind == "without" else "other", clean=False)

    proof = search(batch, {names[0]: 0.6, names[1]: 0.3, "": 0.1}, Told(replay))
    assert proof.proved == ""
