"""What undoes what, and what comes back."""

from __future__ import annotations

import pytest

from tests.risk.labels_histories import HOUR, START, commit, line, oid
from tidegate.risk.labels.named import Names
from tidegate.risk.labels.reverts import find_reverts, read_revert
from tidegate.risk.values import Label, PastCommit


def undone(commits: tuple[PastCommit, ...]) -> dict[str, str]:
    names = {oid(chr(ord("a") + n)): chr(ord("a") + n) for n in range(26)}
    return {names[label.commit]: names[label.by] for label in labels(commits)}


def labels(commits: tuple[PastCommit, ...]) -> tuple[Label, ...]:
    return find_reverts(commits, Names([commit.oid for commit in commits]))


@pytest.mark.parametrize(
    "message",
    [
        'Revert "Add the cache"\n\nThis reverts commit {b}.',
        "Back to the old cache\n\nThis reverts commit {b}, it breaks start-up",
        'Revert "Add the cache"',
        'Revert "Add the cache (#12)" (#13)\n\nReverts owner/name#12',
        "revert: Add the cache",
        'revert(core): "Add the cache"',
        '[core] Revert "Add the cache"',
        "Backed out changeset {b} for causing crashes",
        "Revert commit {b}",
        "Undo it\n\nThis reverts commits:\n{b}",
    ],
)
def test_ways_to_say_it(message: str) -> None:
    assert undone(line("Begin", "Add the cache", message)) == {"b": "c"}


def test_abbreviated_and_several() -> None:
    text = f"Undo\n\nThis reverts commits {oid('b')[:9]}, {oid('c')[:12]} and {oid('d')}."
    assert undone(line("Begin", "One", "Two", "Three", text)) == {"b": "e", "c": "e", "d": "e"}


def test_a_label_is_known_from_the_revert_and_never_before_the_change() -> None:
    (label,) = labels(line("Begin", "One", "This reverts commit {b}, it crashes"))
    assert label == Label(oid("b"), oid("c"), "revert", label.confidence, START + 2 * HOUR)
    skewed = (commit("a", "One", 50), commit("b", "This reverts commit {a}", 1, ["a"]))
    assert labels(skewed)[0].known_at == START + 50 * HOUR


def test_reasons_change_how_sure_it_is() -> None:
    def confidence(reason: str) -> float:
        return labels(line("Begin", "One", f'Revert "One"\n\nThis reverts commit {{b}}.\n\n{reason}'))[0].confidence

    assert confidence("It broke the login.") > confidence("") > confidence("Not needed until the next release.")


@pytest.mark.parametrize(
    "message",
    [
        'Revert "Revert "Add the cache""\n\nThis reverts commit {c}.',
        'Reapply "Add the cache"\n\nThis reverts commit {c}.',
        'Revert "Revert "Add the cache""',
        'Reapply "Add the cache"',
    ],
)
def test_the_revert_of_a_revert_clears_the_label(message: str) -> None:
    assert undone(line("Begin", "Add the cache", 'Revert "Add the cache"\n\nThis reverts commit {b}.', message)) == {}


def test_what_comes_back_mended_was_wrong() -> None:
    again = 'Revert "Revert "Add the cache""\n\nThis reverts commit {c}, with a fix for the crash.'
    assert undone(line("Begin", "Add the cache", "This reverts commit {b}", again)) == {"b": "c"}


def test_a_reland_leaves_the_label_and_is_no_repair() -> None:
    history = line("Begin", "Add the cache", "This reverts commit {b}", 'Reland "Add the cache"\n\nWithout the race.')
    assert undone(history) == {"b": "c"}


def test_undone_again_after_it_came_back() -> None:
    history = line(
        "Begin",
        "Add the cache",
        "This reverts commit {b}",
        'Revert "Revert "Add the cache""\n\nThis reverts commit {c}.',
        'Revert "Reapply"\n\nThis reverts commit {d}.',
    )
    assert undone(history) == {"b": "e"}


def test_a_merge_that_is_undone_stands_for_its_commits() -> None:
    history = (
        commit("a", "Begin", 0),
        commit("b", "On the branch", 1, ["a"]),
        commit("c", "On the trunk", 2, ["a"]),
        commit("d", "On the branch too", 3, ["b"]),
        commit("e", "Merge branch 'x'", 4, ["c", "d"]),
        commit("f", "Undo it\n\nThis reverts commit {e}, reversing\nchanges made to {c}.", 5, ["e"]),
    )  # fmt: skip
    assert undone(history) == {"b": "f", "d": "f"}


@pytest.mark.parametrize(
    "message",
    [
        "Revert to the old behaviour of the parser",
        "Revert version to 1.2.dev0",
        'Revert "Something that was never here"',
        "This reverts commit 0123456789abcdef0123456789abcdef01234567.",
        "Add a function that reverts strings",
        'Squashed (#4)\n\n* Add it\n* Revert "Add it"\n\nThis reverts commit {b}.',
        "Land it (#5)",
    ],
)
def test_what_undoes_nothing_here(message: str) -> None:
    assert undone(line("Begin", "Add the cache", message)) == {}


def test_nothing_undoes_itself_or_what_comes_later() -> None:
    assert undone(line("This reverts commit {b}", "Later", "This reverts commit {c}")) == {}


def test_long_quotes_are_read_without_end() -> None:
    assert read_revert('Revert "' * 500 + "x" + '"' * 500) is not None
