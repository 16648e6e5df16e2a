"""Changed tests that notice no fault and pass before: both commands are run, and the check joins what they kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.facts import Finding
from tidegate.settings import Settings
from tidegate.verify.failbefore import kept as kept_results
from tidegate.verify.failbefore.job import Request as FailBefore
from tidegate.verify.failbefore.journey import fail_before
from tidegate.verify.failbefore.values import Result
from tidegate.verify.mutate import kept as kept_faults
from tidegate.verify.mutate.journey import Request as Mutate
from tidegate.verify.mutate.journey import mutate, subject_of
from tidegate.verify.mutate.values import Judged, Mutation
from tidegate.verify.suite.check import check

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.devnull, "LC_ALL": "C.UTF-8"}
BASE = "def price(net, rate):\n    return net\n\n\ndef rest(a, b):\n    return 0\n"
HEAD = """\
def price(net, rate):
    tax = net * rate
    gross = net + tax
    if gross > 100:
        gross = gross - 5
    shown = gross * 100
    return shown / 100


def rest(a, b):
    left = a - b
    if left < 0:
        left = 0
    return left * 1000
"""
TESTS = """\
from shop import price, rest


def test_price_is_there():
    assert price(80, 0.5) is not None


def test_rest():
    assert rest(3, 1) == 2000
    assert rest(3, 4) == 0
    assert rest(3, 3) == 0
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mutation, Result]:
    """A repository whose last commit was tried by both commands, and what they found."""
    repo = Repo.init(tmp_path_factory.mktemp("shop"))
    repo.commit("Begin", {"src/shop.py": BASE, "tests/test_shop.py": "def test_nothing():\n    assert 1 + 1 == 2\n"})
    repo.commit("Add tax", {"src/shop.py": HEAD, "tests/test_shop.py": TESTS})
    with open_repository(repo.path) as repository:
        change = read_change(read_ends(Question(change="HEAD"), repository), repository, Settings())
        faults = mutate(change, repository, Settings(), Mutate(ENVIRONMENT, python=sys.executable)).mutation
        result = fail_before(change, repository, FailBefore(environment=ENVIRONMENT, python=sys.executable)).result
    return repo.path, faults, result


def said(path: Path, kept: Path, faults: Mutation | None, result: Result | None) -> list[Finding]:
    """What the check says of the last commit where these answers are kept."""
    if faults is not None:
        kept_faults.write_kept(kept, faults)
    if result is not None:
        kept_results.write_kept(kept, result)
    with open_repository(path) as repository:
        change = read_change(read_ends(Question(change="HEAD"), repository), repository, Settings())
        found = check(replace(subject_of(change, repository, Settings()), kept=kept))
    counted = [one for one in found.findings if one.rule == "test-vacuous"]
    assert found.fields["suite"].vacuous == len(counted)
    return counted


def test_a_test_that_notices_no_fault_and_passes_before_is_named(
    ran: tuple[Path, Mutation, Result], tmp_path: Path
) -> None:
    path, faults, result = ran
    found = said(path, tmp_path, faults, result)
    assert [(one.place.path, one.place.line, one.severity) for one in found] == [("tests/test_shop.py", 4, "medium")]
    assert "test_price_is_there executes 6 of the faults" in found[0].message
    assert "it passes without the change too (confidence: high)" in found[0].message


def test_without_either_answer_nothing_is_said(ran: tuple[Path, Mutation, Result], tmp_path: Path) -> None:
    path, faults, result = ran
    assert said(path, tmp_path / "a", faults, None) == []
    assert said(path, tmp_path / "b", None, result) == []


def test_a_doubt_is_silence(ran: tuple[Path, Mutation, Result], tmp_path: Path) -> None:
    path, faults, result = ran
    unknown = Judged("src/shop.py", 2, "`*` became `/`", "", "unknown", covered=True, key="x", reason="no time")
    name = "tests/test_shop.py::test_price_is_there"
    worth = {one.test: one for one in faults.worth}[name]
    doubts = {
        "faults untried": replace(faults, untried=1),
        "faults not judged": replace(faults, judged=(*faults.judged, unknown)),
        "the test wavers": replace(faults, left_out=(f"{name}: it fails now and then",), left_out_total=1),
        "too few": replace(faults, worth=(replace(worth, covers=1, ran=1),)),
        "not tried on all": replace(faults, worth=(replace(worth, ran=worth.ran - 1),)),
        "it notices one": replace(faults, worth=(replace(worth, killed=1),)),
        "one of its cases notices": replace(
            faults, worth=(replace(worth, test=f"{name}[1]"), replace(worth, test=f"{name}[2]", killed=1))
        ),
    }
    for number, each in enumerate(doubts.values()):
        assert said(path, tmp_path / str(number), each, result) == []
    skipped = tuple(replace(one, class_="unknown") for one in result.tests)
    assert said(path, tmp_path / "skipped", faults, replace(result, tests=skipped)) == []


def test_few_faults_are_said_with_less_confidence(ran: tuple[Path, Mutation, Result], tmp_path: Path) -> None:
    path, faults, result = ran
    name = "tests/test_shop.py::test_price_is_there"
    few = tuple(replace(one, covers=2, ran=2) for one in faults.worth if one.test == name)
    found = said(path, tmp_path, replace(faults, worth=few), result)
    assert [one.severity for one in found] == ["low"]
    assert "confidence: moderate" in found[0].message
