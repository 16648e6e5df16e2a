"""A fix is traced back to the change that broke what it repaired, on repositories where we know which that is."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repos import BOB, Repo, build
from tidegate.change.git import open_repository
from tidegate.errors import GitError
from tidegate.risk.szz.lines import kind_of, squeezed
from tidegate.risk.szz.ranking import named
from tidegate.risk.szz.sweep import trace_all
from tidegate.risk.szz.trace import trace_fix
from tidegate.risk.values import Trace

CART = """\
def total(items):
    amount = 0
    for item in items:
        amount += item.price
    return amount


def discount(amount, rate):
    return amount - amount * rate
"""


def traced(repo: Repo, fix: str, reported_at: int | None = None) -> Trace:
    with open_repository(repo.path) as repository:
        return trace_fix(repository, fix, reported_at=reported_at)


def likeliest(trace: Trace) -> str:
    return trace.suspects[0].commit


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "shop")
    repo.commit("Add the cart", {"cart.py": CART, "README.md": "A shop\n"})
    repo.commit("Add stock", {"stock.py": "def left(shelf):\n    return len(shelf)\n"})
    return repo


def test_the_commit_that_wrote_the_edited_line_is_named(shop: Repo) -> None:
    broken = CART.replace("item.price", "item.price * item.count")
    culprit = shop.commit("Count items", {"cart.py": broken}, author=BOB)
    shop.commit("Say more", {"README.md": "A good shop\n"})
    fix = shop.commit("Fix the total", {"cart.py": broken.replace("item.count", "item.quantity")})
    trace = traced(shop, fix)
    assert likeliest(trace) == culprit
    assert trace.suspects[0].lines[0].path == "cart.py"
    assert trace.suspects[0].lines[0].lines == (4,)
    assert [suspect.commit for suspect in named(trace)] == [culprit]


def test_a_change_of_white_space_is_innocent(shop: Repo) -> None:
    culprit = shop.head("HEAD~1")
    shop.commit("Indent by tabs", {"cart.py": CART.replace("    ", "\t")}, author=BOB)
    fix = shop.commit("Fix the rate", {"cart.py": CART.replace("    ", "\t").replace("* rate", "* rate / 100")})
    assert likeliest(traced(shop, fix)) == culprit


def test_a_rename_is_innocent(shop: Repo) -> None:
    culprit = shop.head("HEAD~1")
    shop.git("mv", "cart.py", "basket.py")
    shop.commit("Rename the cart", author=BOB)
    fix = shop.commit("Fix the rate", {"basket.py": CART.replace("* rate", "* rate / 100")})
    trace = traced(shop, fix)
    assert culprit in {suspect.commit for suspect in trace.suspects}
    assert all(place.path == "basket.py" for suspect in trace.suspects for place in suspect.lines)


def test_a_fix_that_only_adds_lines_is_traced_by_what_stands_beside(shop: Repo) -> None:
    grown = CART + "\n\ndef share(amount, people):\n    return amount / len(people)\n"
    culprit = shop.commit("Share the bill", {"cart.py": grown}, author=BOB)
    shop.commit("Say more", {"README.md": "A good shop\n"})
    guarded = grown.replace("    return amount / len", "    if not people:\n        return 0\n    return amount / len")
    trace = traced(shop, shop.commit("Fix the empty table", {"cart.py": guarded}))
    assert likeliest(trace) == culprit
    assert trace.suspects[0].lines == ()


def test_a_commit_that_took_the_lines_away_is_found_though_it_wrote_none(shop: Repo) -> None:
    guard = "    if amount < 0:\n        raise ValueError(amount)\n"
    guarded = CART.replace("    return amount - ", guard + "    return amount - ")
    shop.commit("Guard the discount", {"cart.py": guarded})
    for number in range(3):
        shop.commit("Say more", {"README.md": f"A shop {number}\n"})
    culprit = shop.commit("Drop what is not needed", {"cart.py": CART}, author=BOB)
    trace = traced(shop, shop.commit("Fix the negative discount", {"cart.py": guarded}))
    assert likeliest(trace) == culprit


def test_what_is_younger_than_the_report_is_innocent(shop: Repo) -> None:
    reported = shop.clock
    younger = shop.commit("Count items", {"cart.py": CART.replace("item.price", "item.cost")}, author=BOB)
    fix = shop.commit("Fix the total", {"cart.py": CART.replace("item.price", "item.amount")})
    assert likeliest(traced(shop, fix)) == younger
    assert younger not in {suspect.commit for suspect in traced(shop, fix, reported).suspects}
    assert traced(shop, fix, 0).blameless == "all that wrote its lines is younger than the report"


def test_probabilities_add_up_to_at_most_one(shop: Repo) -> None:
    shop.commit("Count items", {"cart.py": CART.replace("item.price", "item.cost")})
    fix = shop.commit("Fix both", {"cart.py": CART.replace("item.price", "item.sum").replace("* rate", "/ rate")})
    confidences = [suspect.confidence for suspect in traced(shop, fix).suspects]
    assert confidences == sorted(confidences, reverse=True)
    assert len(confidences) > 1
    assert 0 < math.fsum(confidences) <= 1


def test_what_cannot_be_traced_says_why(shop: Repo) -> None:
    root = shop.head("HEAD~1")
    text = shop.commit("Fix a typo", {"README.md": "The shop\n"})
    added = shop.commit("Fix the missing tax", {"tax.py": "def tax(amount):\n    return amount * 0.2\n"})
    assert "first commit" in traced(shop, root).blameless
    assert "documents" in traced(shop, text).blameless
    assert "only adds new files" in traced(shop, added).blameless
    assert not any(traced(shop, commit).suspects for commit in (root, text, added))
    with pytest.raises(GitError):
        traced(shop, "nothing")


def test_a_merge_is_no_fix(tmp_path: Path) -> None:
    repo = build(
        tmp_path / "repo",
        """
        commit Start
          file a.py
            . one = 1
        branch side
        commit Side
          file b.py
            . two = 2
        checkout main
        commit Main
          file c.py
            . three = 3
        merge side
        """,
    )
    assert "merge" in traced(repo, "HEAD").blameless


def test_the_edge_of_a_shallow_clone_is_nobody(shop: Repo, tmp_path: Path) -> None:
    fix = shop.commit("Fix the rate", {"cart.py": CART.replace("* rate", "* rate / 100")})
    shop.git("clone", "-q", "--depth=2", f"file://{shop.path}", str(tmp_path / "shallow"))
    with open_repository(tmp_path / "shallow") as repository:
        assert not any(s.lines for s in trace_fix(repository, fix).suspects)
        assert "fetch more" in trace_fix(repository, "HEAD~1").blameless


def test_sha256_and_names_that_are_not_text(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "repo", object_format="sha256")
    path = b'caf\xe9 "x".py'
    for message, price in (("Start", "1"), ("Break it", "two"), ("Fix it", "3")):
        (repo.path / "plain.py").write_text(f"price = {price}\n")
        (repo.path / os.fsdecode(path)).write_text(f"cost = {price}\n")
        repo.commit(message)
    assert likeliest(traced(repo, "HEAD")) == repo.head("HEAD~1")


def test_all_fixes_at_once_are_traced_as_one_by_one(shop: Repo) -> None:
    shop.commit("Count items", {"cart.py": CART.replace("item.price", "item.cost")}, author=BOB)
    first = shop.commit("Fix the total", {"cart.py": CART.replace("item.price", "item.amount")})
    second = shop.commit("Fix the rate", {"cart.py": CART.replace("* rate", "* rate / 100")})
    done: list[tuple[int, int]] = []
    with open_repository(shop.path) as repository:
        everything = trace_all(repository, "HEAD", {first: None, second: 0}, lambda *at: done.append(at))
        earlier = trace_all(repository, first, {second: None})
    assert everything == {first: traced(shop, first), second: traced(shop, second, 0)}
    assert done[-1] == (2, 2)
    assert earlier[second].blameless == "it is not part of this history"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"    total = 0", "code"),
        (b"", "bare"),
        (b"    } else {", "bare"),
        (b"});", "bare"),
        (b"# a remark", "comment"),
        (b"#define LIMIT 3", "code"),
        (b"#include <stdio.h>", "import"),
        (b" * of a block", "comment"),
        (b"*pointer = 0;", "code"),
        (b"from os import path", "import"),
        (b"const fs = require('fs')", "import"),
        (b"import_all(x)", "code"),
        (b"x" * 5000, "bare"),
    ],
)
def test_which_lines_can_be_at_fault(line: bytes, kind: str) -> None:
    assert kind_of(line) == kind


@given(st.binary(max_size=200))
def test_any_line_has_a_kind_and_no_white_space_once_squeezed(line: bytes) -> None:
    assert kind_of(line) in ("code", "import", "comment", "bare")
    assert squeezed(line) == squeezed(b"\t" + squeezed(line) + b" ")


def test_what_a_revert_of_a_revert_restores_is_the_change_that_was_restored(shop: Repo) -> None:
    broken = CART.replace("item.price", "item.price * item.count")
    culprit = shop.commit("Count items", {"cart.py": broken}, author=BOB)
    undone = shop.commit(f'Revert "Count items"\n\nThis reverts commit {culprit}.', {"cart.py": CART})
    again = f'Revert "Revert "Count items""\n\nThis reverts commit {undone}.'
    restored = shop.commit(again, {"cart.py": broken})
    shop.commit("Say more", {"README.md": "A good shop\n"})
    fix = shop.commit("Fix the total", {"cart.py": broken.replace("item.count", "item.quantity")})
    suspects = {suspect.commit: suspect for suspect in traced(shop, fix).suspects}
    assert likeliest(traced(shop, fix)) == culprit
    assert f"restored by {restored[:12]}" in suspects[culprit].reasons
    assert restored not in suspects
