"""All sources joined; hot-fixes; fixes of the product; marks; the delay until a repair is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.risk.labels_histories import HOUR, START, commit, line, oid
from tidegate.change.values import Commit, Person
from tidegate.provenance.declared import read_declarations
from tidegate.risk.features.frame import Frame, Targets
from tidegate.risk.labels.delay import DAY, known_by, matured
from tidegate.risk.labels.fixes import find_fixes, paths_beside
from tidegate.risk.labels.hotfix import find_hotfixes
from tidegate.risk.labels.labels import Outcome, join_labels, targets_of
from tidegate.risk.labels.marks import marks_of
from tidegate.risk.values import Label, Mark, PastCommit, Suspect, Tag, Trace
from tidegate.settings import FileSettings, Settings


def traced(fix: str, **suspects: float) -> Trace:
    return Trace(oid(fix), tuple(Suspect(oid(name), sure, (), ()) for name, sure in suspects.items()))


def joined(
    commits: tuple[PastCommit, ...], *traces: Trace, tags: tuple[Tag, ...] = (), outcomes: tuple[Outcome, ...] = ()
) -> dict[tuple[str, str], Label]:
    names = {oid(name): name for name in "abcdefghij"}
    fixes = find_fixes(commits, Settings())
    found = join_labels(commits, tags, fixes, {trace.fix: trace for trace in traces}, outcomes)
    return {(names[label.commit], names.get(label.by, label.by)): label for label in found}


def test_a_traced_fix_labels_its_suspects_by_both_confidences() -> None:
    found = joined(line("Begin", "Add it", "fix: crash on start"), traced("c", b=0.8, a=0.02))
    assert set(found) == {("b", "c")}
    label = found["b", "c"]
    assert label.source == "fix"
    assert label.confidence == pytest.approx(0.8 * 0.9)
    assert label.known_at == START + 2 * HOUR


def test_a_named_commit_beats_the_trace_of_the_same_fix() -> None:
    history = line("Begin", "Add it", "Other", f'Fix crash\n\nFixes: {oid("b")[:12]} ("Add it")')
    found = joined(history, traced("d", c=0.9))
    assert {key: label.source for key, label in found.items()} == {("b", "d"): "fixes-trailer"}


def test_a_trailer_that_names_nothing_here_leaves_the_trace() -> None:
    history = line("Begin", "Add it", 'Fix crash\n\nFixes: 54a4f0239f2e ("elsewhere")')
    assert joined(history, traced("c", b=0.9))["b", "c"].source == "fix"


def test_one_repair_is_said_once_by_its_best_source() -> None:
    history = line("Begin", "Add it", "This reverts commit {b}\n\nFixes: {b}")
    found = joined(history, outcomes=(Outcome(oid("b"), "rollback", oid("c"), START + 5 * HOUR),))
    assert [(label.source, label.confidence) for label in found.values()] == [("rollback", 1.0)]


def test_production_speaks_and_never_before_the_change() -> None:
    history = line("Begin", "Add it")
    outcomes = (Outcome(oid("b"), "incident", "INC-1", 5), Outcome("f" * 40, "incident", "INC-2", 5))
    found = joined(history, outcomes=outcomes)
    assert found["b", "INC-1"] == Label(oid("b"), "INC-1", "incident", 1.0, START + HOUR)
    assert len(found) == 1


def test_what_production_is_not_sure_of_weighs_as_much_as_it_is_sure() -> None:
    history = line("Begin", "Add it", "Other")
    told = (
        Outcome(oid("b"), "incident", "incident-1", START, 0.75),
        Outcome(oid("c"), "incident", "incident-1", START, 0.25),
        Outcome(oid("a"), "incident", "incident-1", START, 0.01),
        Outcome(oid("b"), "rollback", "deployment-2", START, 0.5),
    )
    found = joined(history, outcomes=told)
    assert {key: label.confidence for key, label in found.items()} == {
        ("b", "incident-1"): 0.75,
        ("c", "incident-1"): 0.25,
        ("b", "deployment-2"): 0.5,
    }


def test_fine_takes_back_what_was_only_traced() -> None:
    history = line("Begin", "Add it", "Fix crash", "This reverts commit {a}")
    fine = (Outcome(oid("b"), "fine", "", START + 9 * HOUR), Outcome(oid("a"), "fine", "", START + 9 * HOUR))
    assert set(joined(history, traced("c", b=0.9), outcomes=fine)) == {("a", "d")}
    early = (Outcome(oid("b"), "fine", "", START + HOUR),)
    assert ("b", "c") in joined(history, traced("c", b=0.9), outcomes=early)


def test_copies_share_a_label() -> None:
    history = (
        commit("a", "Begin", 0),
        commit("b", "Add it", 1, ["a"]),
        commit("c", "Add it\n\n(cherry picked from commit {b})", 2, ["b"]),
        commit("d", "Add it\n\n(cherry picked from commit {c})", 9, ["c"]),
        commit("e", "Fix crash", 5, ["d"]),
    )
    found = joined(history, traced("e", b=0.9))
    assert {key: label.known_at for key, label in found.items()} == {
        ("b", "e"): START + 5 * HOUR,
        ("c", "e"): START + 5 * HOUR,
        ("d", "e"): START + 9 * HOUR,
    }


def test_copies_of_what_is_not_here_share_a_label() -> None:
    origin = "(cherry picked from commit 0123456789abcdef)"
    history = line("Begin", f"Add it\n\n{origin}", f"Add it again\n\n{origin}", "Fix crash")
    assert set(joined(history, traced("d", b=0.9))) == {("b", "d"), ("c", "d")}


def test_an_empty_history_has_no_labels() -> None:
    assert joined(()) == {}


def test_fixes_of_tests_alone_are_none() -> None:
    history = (
        commit("a", "Fix crash", 0, paths=["tests/test_a.py", "docs/x.rst"]),
        commit("b", "Fix crash", 1, ["a"], paths=["tests/test_a.py", "src/a.py"]),
        commit("c", "Revert it\n\nThis reverts commit {a}", 2, ["b"], paths=["tests/test_a.py"]),
        commit("d", "Fix crash", 3, ["c"], paths=[".github/workflows/ci.yml", "CMakeLists.txt", "CHANGES.md"]),
        commit("e", "Fix crash", 4, ["d"], paths=["checks/a.py"]),
    )
    own = Settings(files=FileSettings(tests=("checks/",)))
    assert list(find_fixes(history, own)) == [oid("b")]


def test_paths_that_are_not_utf8_are_files_like_others() -> None:
    assert paths_beside(["src/\\xff.py", "tests/\\xff.py"], Settings()) == {"tests/\\xff.py"}


def releases(fixes_of_a_patch: int, days: int, *, usual: int = 40) -> tuple[tuple[PastCommit, ...], tuple[Tag, ...]]:
    """Three releases of 20 commits, `usual` days apart, and a patch release of so many fixes after so many days."""
    messages = [f"Add {n}" for n in range(60)] + [f"fix: {n}" for n in range(fixes_of_a_patch)]
    history = tuple(
        commit(f"r{n}", text, n, [f"r{n - 1}"] if n else []) for n, text in enumerate([*messages, "Release 1.2.1"])
    )
    tags = [Tag(f"v1.{n}.0", oid(f"r{20 * n + 19}"), START + n * usual * 86400) for n in range(3)]
    last = START + (2 * usual + days) * 86400
    return history, (*tags, Tag("v1.2.1", history[-1].oid, last))


def test_a_patch_release_made_for_a_fix() -> None:
    history, tags = releases(1, 30)
    fixes = {oid(f"r{n}") for n in range(61)}
    assert find_hotfixes(history, tags, fixes) == {oid("r60"): "v1.2.1 was released for it"}
    history, tags = releases(12, 30)
    assert find_hotfixes(history, tags, fixes) == {}


def test_a_patch_release_that_came_soon() -> None:
    history, tags = releases(12, 2)
    found = find_hotfixes(history, tags, {oid(f"r{n}") for n in range(72)})
    assert set(found) == {oid(f"r{n}") for n in range(60, 72)}
    assert found[oid("r60")] == "released in v1.2.1, 2 days after v1.2.0"


def test_where_all_releases_come_fast_none_is_a_hurry() -> None:
    history, tags = releases(12, 2, usual=3)
    assert find_hotfixes(history, tags, {oid(f"r{n}") for n in range(72)}) == {}


def test_minor_releases_and_odd_tags_say_nothing() -> None:
    history = line("Begin", "fix: 1")
    tags = (
        Tag("1.0.0", oid("a"), START),
        Tag("1.1.0", oid("b"), START + 5),
        Tag("nightly", oid("b"), 0),
        Tag("1.0.1", "f" * 40, 0),
    )
    assert find_hotfixes(history, tags, {oid("b")}) == {}


def test_a_branch_for_hot_fixes_and_a_subject_that_says_so() -> None:
    history = (
        commit("a", "Begin", 0),
        commit("b", "fix: 1", 1, ["a"]),
        commit("c", "Merge branch 'hotfix/login' into main", 2, ["a", "b"]),
        commit("d", "hotfix: 2", 3, ["c"]),
    )
    found = find_hotfixes(history, (), {oid("b"), oid("d")})
    assert set(found) == {oid("b"), oid("d")}
    assert joined(history, traced("d", a=0.9))["a", "d"].source == "hot-fix"


def frame_of(*names: str, at: list[int] | None = None) -> Frame:
    times = np.asarray(at or [START] * len(names), dtype=np.int64)
    return Frame(("la",), 1, tuple(oid(name) for name in names), times, np.ones((len(names), 1)))


def test_targets_join_several_repairs() -> None:
    labels = (
        Label(oid("a"), "x", "fix", 0.2, 100),
        Label(oid("a"), "y", "fix", 0.5, 200),
        Label(oid("b"), "z", "revert", 0.9, 50),
        Label(oid("h"), "z", "revert", 0.9, 50),
    )
    targets = targets_of(frame_of("a", "b", "c"), labels)
    assert targets.repaired == pytest.approx([0.6, 0.9, 0.0])
    assert list(targets.known_at) == [200, 50, -1]


def test_marks_agree_with_provenance() -> None:
    from tests.risk.labels_histories import ALICE

    messages = [
        "Plain",
        "Add\n\nCo-authored-by: Claude <noreply@anthropic.com>",
        "Add\n\nCo-Authored-By: Claude Opus 4.6 <noreply@anthropic.com>",
        "Add\n\n  * **Co-authored-by**: Claude \\<noreply@anthropic.com\\>",
        "Add\n\n> Co-authored-by: Claude <noreply@anthropic.com>",
        "Add\n\nSigned-off-by: Bob <bob@example.com>\nReviewed-by: Claude <noreply@anthropic.com>",
        "Add\n\nAssisted-by: codex:gpt-5",
        "Add\n\n🤖 Generated with [Claude Code](https://claude.com/claude-code)",
        "Add (aider)\n\nCo-authored-by: aider (gpt-4o) <aider@aider.chat>",
        "Add\n\nAI-assisted-by: something",
        "Add\n\nClaude-Session: session_0123",
    ]
    history = [commit(f"m{n}", message, n) for n, message in enumerate(messages)]
    bot = Person("copilot-swe-agent[bot]", "198982749+Copilot@users.noreply.github.com")
    history.append(PastCommit(oid("bot"), (), bot, ALICE, 0, 0, "Add"))
    found = marks_of(history)
    for one in history:
        there = Commit(one.oid, "", (), one.author, one.committer, "", "", one.message)
        wrote = [d for d in read_declarations((there,), None) if d.role in ("author", "co-author") and d.tool]
        assert (one.oid in found) == bool(wrote), one.message
        assert one.oid not in found or found[one.oid].tool in {d.tool for d in wrote}
    assert found[oid("m2")] == Mark("claude", "Claude Opus 4.6")
    assert oid("m5") not in found


def test_young_silence_is_no_acquittal() -> None:
    now = 400 * DAY
    at = np.asarray([0, 300 * DAY, 300 * DAY, 500 * DAY], dtype=np.int64)
    targets = Targets(np.asarray([0.0, 0.0, 1.0, 0.0]), np.asarray([-1, -1, 350 * DAY, -1], dtype=np.int64))
    assert list(matured(at, now)) == [True, False, False, False]
    assert list(known_by(targets, 340 * DAY).repaired) == [0.0, 0.0, 0.0, 0.0]
