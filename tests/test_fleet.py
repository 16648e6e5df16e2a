"""A fleet: the list, one process each, and what goes wrong with one repository staying with that one."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.errors import InputError
from tidegate.fleet.listing import Entry, read_list
from tidegate.fleet.map import Done, Limits, Where, map_each
from tidegate.fleet.run import read_example, read_row, run_fleet
from tidegate.fleet.text import render_fleet
from tidegate.fleet.work import Trial
from tidegate.report.style import PLAIN


def behave(item: str) -> str:
    """Does to its process what the item says."""
    if item == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "refused":
        raise InputError("no such thing", where="here", mend="name another")
    if item == "broken":
        raise ValueError("two  lines\nof it")
    if item == "endless":
        time.sleep(600)
    return item.upper()


def outcomes(items: list[str], limits: Limits, where: Where) -> dict[str, Done[str, str]]:
    return {done.item: done for done in map_each(behave, items, limits, where)}


def test_what_one_item_does_to_its_process_is_its_own_failure() -> None:
    items = ["a", "killed", "refused", "broken", "endless", "b"]
    done = outcomes(items, Limits(jobs=6, seconds=4), "here")
    assert {item: one.result for item, one in done.items() if one.result} == {"a": "A", "b": "B"}
    assert done["killed"].failure == "its process was killed, most likely for want of memory"
    assert done["refused"].failure == "here: no such thing; name another"
    assert done["broken"].failure == "Tidegate itself failed (ValueError: two lines of it)"
    assert done["endless"].failure == "no answer in 4 s"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_same_on_a_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("HOME", str(tmp_path))
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        done = outcomes(["a", "killed", "refused"], Limits(jobs=2, seconds=60), "ray")
    finally:
        ray.shutdown()
    assert done["a"].result == "A"
    assert done["killed"].failure.startswith("its process ended without an answer")
    assert done["refused"].failure == "here: no such thing; name another"


def listing(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_names_folders_from_where_it_lies(tmp_path: Path) -> None:
    text = "# ours\n\none\nsub/two/.git\n/far/three.git  other\n"
    assert read_list(listing(tmp_path, text)) == (
        Entry("one", str(tmp_path / "one")),
        Entry("two", str(tmp_path / "sub/two/.git")),
        Entry("other", "/far/three.git"),
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the list names no repository"),
        ("a\nx/a\n", "a is named twice"),
        ("a\nx/A\n", "A is named twice"),
        ("a x\nb x.knowledge\n", "'x.knowledge' will not do as a name"),
        ("a b c\n", "more than a folder and a name"),
        ("a ../b\n", "'../b' will not do as a name"),
        ("a .hidden\n", "'.hidden' will not do as a name"),
    ],
)
def test_a_list_that_will_not_do_is_refused_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        read_list(listing(tmp_path, text))
    assert caught.value.what == what


def small(path: Path, commits: int) -> Repo:
    repo = Repo.init(path)
    for number in range(commits):
        repo.commit(f"Add part {number}", {f"part{number % 3}.py": f"value = {number}\n" * (number % 5 + 1)})
    return repo


def test_one_bad_repository_stops_no_other_and_what_is_done_stays_done(tmp_path: Path) -> None:
    small(tmp_path / "good", 6)
    (tmp_path / "bad").mkdir()
    entries = read_list(listing(tmp_path, "good\nbad\ngone\n"))
    keep = tmp_path / "kept"
    good, bad, gone = run_fleet(entries, keep, Limits(2, 120))
    assert (good.failure, good.figures is not None and good.figures.changes) == ("", 6)
    assert "not a git repository" in bad.failure or "no git repository" in bad.failure
    assert "does not exist" in gone.failure
    assert read_row(keep, entries[0]) == good
    assert read_row(keep, entries[1]) is None
    stamps = {path.name: path.stat().st_mtime_ns for path in keep.iterdir()}
    assert sorted(stamps) == ["good.json", "good.knowledge.json", "good.npz"]
    example = read_example(keep / "good.npz")
    assert (example.frame.values.shape[0], len(example.targets.repaired)) == (6, 6)
    again = run_fleet(entries, keep, Limits(2, 120))
    assert (again[0], bool(again[1].failure)) == (good, True)
    assert {path.name: path.stat().st_mtime_ns for path in keep.iterdir()} == stamps


def test_a_policy_is_tried_on_every_repository(tmp_path: Path) -> None:
    repo = small(tmp_path / "good", 4)
    bad = repo.commit("Add the worst part", {"worst.py": "value = 1\n" * 30})
    repo.commit(f'Revert "Add the worst part"\n\nThis reverts commit {bad}.', {"worst.py": None})
    repo.clock += 400 * 86_400
    repo.commit("Add a last part", {"last.py": "value = 1\n"})
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[policy]\npack = "none"\n[[rule]]\nid = "large"\ntitle = "Large"\nwhen.all = ["change.lines_added > 20"]\n'
        'effect = "hold"\nrequire = [{ approvals = 1 }]\nreason = "It is large."\nowner = "@us"\n',
        encoding="utf-8",
    )
    entries = read_list(listing(tmp_path, "good\n"))
    trial = Trial("2y", (str(rules),))
    (row,) = run_fleet(entries, tmp_path / "kept", Limits(1, 120), trial=trial)
    assert row.failure == ""
    assert row.tried is not None
    assert (row.tried.changes, row.tried.repaired) == (6, 1)
    assert (row.tried.whole.held.count, row.tried.whole.caught.count) == (1, 1)
    assert "in all 1 of 6 changes held, among them 1 of the 1 repaired later" in render_fleet([row], PLAIN)


def test_a_row_that_is_broken_is_worked_out_again(tmp_path: Path) -> None:
    small(tmp_path / "good", 3)
    entries = read_list(listing(tmp_path, "good\n"))
    keep = tmp_path / "kept"
    first = run_fleet(entries, keep, Limits(1, 120))
    (keep / "good.json").write_text('{"schema": "tid', encoding="utf-8")
    assert run_fleet(entries, keep, Limits(1, 120)) == first


def test_the_command_says_a_table_and_exits_1_where_one_failed(tmp_path: Path, tidegate: Callable[..., object]) -> None:
    small(tmp_path / "good", 3)
    listing(tmp_path, "good\ngone\n")
    done = tidegate("fleet", "list.txt", "--jobs", "1", cwd=tmp_path)
    assert done.returncode == 1  # type: ignore[attr-defined]
    out = done.stdout.splitlines()  # type: ignore[attr-defined]
    assert out[0].split() == ["repository", "changes", "matured", "repaired", "AUC", "lines", "off", "by"]
    assert out[1].split() == ["good", "3", "0", "-", "-", "-", "-"]
    assert "does not exist" in " ".join(out)
    as_json = tidegate("fleet", "list.txt", "--format", "json", cwd=tmp_path)
    assert [row["name"] for row in json.loads(as_json.stdout)["repositories"]] == ["good", "gone"]  # type: ignore[attr-defined]
