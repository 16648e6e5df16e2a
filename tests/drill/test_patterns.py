"""Every pattern: it strikes where it has what it needs, with a change that git takes, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.drill.places import letters
from tests.repos import Repo
from tidegate.change.codeowners import NO_OWNERS
from tidegate.change.git import Repository, open_repository
from tidegate.drill.actions import actions_of, policy_of
from tidegate.drill.clone import borrowed, commit_diff, commit_files
from tidegate.drill.ground import Ground
from tidegate.drill.hidden import message_of
from tidegate.drill.patterns import PATTERNS, find_pattern
from tidegate.drill.patterns.interface import Pattern
from tidegate.drill.patterns.stores import find_store
from tidegate.errors import InputError
from tidegate.policy.rules import make_policy
from tidegate.settings import Settings

AT = 1_780_000_000


@pytest.fixture(scope="module")
def ground(the_shop: Repo) -> Iterator[Ground]:
    with open_repository(the_shop.path) as repository, borrowed(repository, the_shop.head()) as clone:
        yield Ground(clone, the_shop.head(), Settings())


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_it_strikes_with_a_change_that_git_takes_twice(pattern: Pattern, ground: Ground) -> None:
    chance = pattern.find(ground, Random(1))
    assert chance is not None, f"the shop has what {pattern.id} needs: {pattern.needs}"
    assert chance.path in chance.edits
    clone: Repository = ground.clone
    edits = {path: None if text is None else text.encode() for path, text in chance.edits.items()}
    message = message_of(chance.subject, chance.prompt)
    made = commit_files(clone, ground.base, edits, message, AT)
    assert made.diff
    assert commit_diff(clone, ground.base, made.diff, message, AT).commit == made.commit
    for path, text in chance.edits.items():
        if path.endswith(".py") and text is not None:
            compile(text, path, "exec")
    if chance.line > 1:
        assert len((chance.edits[chance.path] or "").split("\n")) >= chance.line - 1


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_its_words_and_rules_are_whole(pattern: Pattern, ground: Ground) -> None:
    chance = pattern.find(ground, Random(1))
    assert chance is not None
    known = {"service", "users", "repository", "path", "folder", "commit", "decoy", "decoy_file", *chance.words}
    tale = pattern.tale
    told = [tale.alert, tale.graph, tale.claim, tale.noise, tale.customer, tale.twist, tale.lesson]
    told += [text for move in tale.moves for text in (move.text, move.leads, move.why)]
    told += [text for rule in pattern.rules for text in (rule.title, rule.reason)]
    for text in told:
        assert set(re.findall(r"\{(\w+)\}", text)) <= known, text
    assert sorted(move.worth for move in tale.moves).count("best") == 1
    words = {"path_cel": chance.path, "folder_cel": "infra/", "path": chance.path, "folder": "infra", **chance.words}
    rules = [action.rule for action in actions_of(pattern, words) if action.rule]
    policy = make_policy([], NO_OWNERS, Settings())
    assert [len(policy_of(rule, policy).rules) for rule in rules] == [1] * len(pattern.rules)
    assert len(pattern.rules) >= 1


def test_every_pattern_names_where_it_was_seen() -> None:
    assert len(PATTERNS) >= 12
    assert len({pattern.id for pattern in PATTERNS}) == len(PATTERNS)
    for pattern in PATTERNS:
        for source in pattern.sources:
            assert source.url.startswith("https://")
            assert re.fullmatch(r"20\d\d(?:-\d\d(?:-\d\d)?)?", source.date)
            assert source.fact.endswith(".")


def test_none_offers_itself_where_nothing_is(tmp_path: Path) -> None:
    repo = letters(tmp_path / "letters")
    with open_repository(repo.path) as repository, borrowed(repository, repo.head()) as clone:
        ground = Ground(clone, repo.head(), Settings())
        assert [pattern.id for pattern in PATTERNS if pattern.find(ground, Random(0))] == []


def test_a_name_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="state-lost"):
        find_pattern("state-lots")


def test_a_column_that_several_tables_have_is_used_where_its_table_is_named(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    tables = "".join(f"CREATE TABLE {name} (\n  visit_ref varchar(9)\n);\n" for name in ("basket", "session_replay"))
    files = {"db/migrations/01_begin.sql": tables, "src/replay.ts": "sql`select visit_ref from session_replay`\n"}
    others = {f"src/other{number}.ts": "const visit_ref = event.visit_ref\n" for number in range(5)}
    repo.commit("Begin", files | others)
    with open_repository(repo.path) as repository, borrowed(repository, repo.head()) as clone:
        store = find_store(Ground(clone, repo.head(), Settings()), Random(1))
    assert store is not None
    assert (store.table, store.used) == ("session_replay", ("src/replay.ts",))
