"""The three known leaks are found, and honest features are not blamed."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from tidegate.risk.features.frame import Floats, Frame, Targets
from tidegate.risk.leaks import Leak, find_late_features, find_leaks, find_order_leaks
from tidegate.risk.model.metrics import auc

ROWS = 6000


def frame_of(columns: dict[str, Floats]) -> Frame:
    count = len(next(iter(columns.values())))
    at = 1_500_000_000 + 3600 * np.arange(count, dtype=np.int64)
    ids = tuple(f"{n:040x}" for n in range(count))
    return Frame(tuple(columns), 1, ids, at, np.column_stack(list(columns.values())).astype(np.float64))


def targets_of(repaired: Floats) -> Targets:
    return Targets(repaired.astype(np.float64), np.where(repaired > 0, 1_600_000_000, -1).astype(np.int64))


def kinds(leaks: tuple[Leak, ...]) -> set[tuple[str, str]]:
    return {(leak.feature, leak.kind) for leak in leaks}


def apache() -> tuple[Frame, Targets, list[str], dict[str, float]]:
    """Fourteen projects with the gaps that were published of ApacheJIT: one project without any repair, 62 % repaired
    where `fix` is set against 15 % elsewhere, an AUC of .79 by the project's name alone. Size is an honest feature."""
    random = np.random.default_rng(3)
    base = np.asarray([0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3, 0.5, 0.6, 0.65, 0.7])
    project = random.integers(0, len(base), ROWS)
    size = random.normal(0, 1, ROWS)
    lift = 1 / (1 + np.exp(-(np.log(base[project] + 1e-12) - np.log1p(-base[project] + 1e-12) + 1.2 * size)))
    repaired = (random.random(ROWS) < lift).astype(np.float64)
    fix_share = np.where(base > 0.4, 0.72, 0.02)[project]
    fix = (random.random(ROWS) < np.clip(fix_share + 0.06 * repaired, 0, 1)).astype(np.float64)
    names = [f"apache/{chr(ord('a') + (5 * p) % 14)}" for p in project]
    code = np.unique(names, return_inverse=True)[1]
    figures = {
        "with fix": float(repaired[fix == 1].mean()),
        "without": float(repaired[fix == 0].mean()),
        "name": auc(base[project], repaired),
    }
    frame = frame_of({"la": np.round(np.exp(3 + size)), "fix": fix, "project": code.astype(np.float64)})
    return frame, targets_of(repaired), names, figures


def test_both_leaks_of_apachejit() -> None:
    frame, targets, names, figures = apache()
    assert figures == pytest.approx({"with fix": 0.62, "without": 0.15, "name": 0.79}, abs=0.04)
    found = find_leaks(frame, targets, names)
    by_project = {leak.feature: leak.gain for leak in found if leak.kind == "project"}
    assert by_project.keys() == {"fix", "project"} == {leak.feature for leak in found}
    assert min(by_project.values()) > 0.1


def test_the_name_is_found_whatever_order_its_codes_have() -> None:
    frame, targets, names, _ = apache()
    random = np.random.default_rng(9)
    shuffled = random.permutation(14)[frame.column("project").astype(int)]
    assert ("p", "project") in kinds(find_leaks(frame_of({"p": shuffled}), targets, names))


def test_the_share_of_tests_where_tests_are_never_blamed() -> None:
    random = np.random.default_rng(4)
    size = random.normal(3, 1, ROWS)
    alone = random.random(ROWS) < 0.12
    share = np.where(alone, 1.0, np.where(random.random(ROWS) < 0.5, 0.0, random.random(ROWS) * 0.8))
    repaired = (random.random(ROWS) < 1 / (1 + np.exp(4 - size))) & ~alone
    columns = {"la": np.round(np.exp(size)), "tests_share": share}
    assert kinds(find_leaks(frame_of(columns), targets_of(repaired))) == {("tests_share", "label-universe")}
    kept = {name: values[~alone] for name, values in columns.items()}
    assert find_leaks(frame_of(kept), targets_of(repaired[~alone])) == ()


def test_a_feature_that_is_missing_or_set_by_the_label() -> None:
    random = np.random.default_rng(5)
    repaired = random.random(ROWS) < 0.2
    columns = {
        "days_to_fix": np.where(repaired, random.integers(1, 900, ROWS), np.nan),
        "bugs_since": np.where(repaired, 1 + random.integers(0, 3, ROWS), 0),
        "noise": random.normal(0, 1, ROWS),
        "sometimes": np.where(random.random(ROWS) < 0.3, np.nan, 1.0),
    }
    found = find_leaks(frame_of(columns), targets_of(repaired))
    assert kinds(found) == {("days_to_fix", "label-universe"), ("bugs_since", "label-universe")}


def test_identities_and_moments_after_the_change() -> None:
    random = np.random.default_rng(6)
    repaired = random.random(ROWS) < 0.2
    frame = frame_of({"a": np.zeros(ROWS)})
    columns = {
        "author_id": random.permutation(10**6)[:ROWS].astype(np.float64),
        "exp": np.arange(ROWS, dtype=np.float64),
        "age": random.exponential(5, ROWS),
        "fixed_at": np.where(repaired, frame.at + 5000, -1).astype(np.float64),
        "last_touched": (frame.at - random.integers(0, 10**6, ROWS)).astype(np.float64),
    }
    found = kinds(find_leaks(frame_of(columns), targets_of(repaired)))
    assert {("author_id", "identity"), ("fixed_at", "future")} <= found
    assert not {name for name, _ in found} & {"exp", "age", "last_touched"}


def test_the_order_of_a_split() -> None:
    at = np.arange(0, 100, dtype=np.int64)
    known = Targets(np.ones(60), np.full(60, 59, dtype=np.int64))
    assert find_order_leaks(at[:60], known, at[60:]) == ()
    (mixed,) = find_order_leaks(at[40:], Targets(np.zeros(60), np.full(60, -1)), at[:40])
    assert mixed.kind == "order"
    assert "40 of 40" in mixed.words
    (late,) = find_order_leaks(at[:60], Targets(np.ones(60), np.full(60, 75, dtype=np.int64)), at[60:])
    assert "60 labels" in late.words
    assert find_order_leaks(at[:0], Targets(np.ones(0), at[:0]), at) == ()


def test_what_changes_afterwards_was_not_known() -> None:
    random = np.random.default_rng(7)
    columns = {"la": random.normal(0, 1, 500), "fixes_of_its_files": random.integers(0, 3, 500).astype(np.float64)}
    now = frame_of(columns)
    columns["fixes_of_its_files"] = columns["fixes_of_its_files"].copy()
    columns["fixes_of_its_files"][400:] = 0
    then = frame_of(columns).rows(0, 450)
    assert kinds(find_late_features(then, now)) == {("fixes_of_its_files", "future")}
    assert find_late_features(now, now) == ()
    assert find_late_features(then._replace(version=2), now) == ()


def test_too_little_to_tell() -> None:
    frame = frame_of({"a": np.arange(20.0)})
    assert find_leaks(frame, targets_of(np.ones(20))) == ()
    assert find_leaks(frame.rows(0, 0), targets_of(np.ones(0))) == ()


def read_tables(folder: Path, label: str) -> tuple[Frame, Targets, list[str]]:
    kamei = "ns nd nf ent la ld lt fix ndev age nuc exp rexp sexp".split()
    rows: list[list[float]] = []
    truth: list[float] = []
    names: list[str] = []
    for path in sorted(folder.glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as text:
            for row in csv.DictReader(text):
                entropy = next(row[name] for name in ("entropy", "entrophy", "ent") if name in row)
                rows.append([float((entropy if name == "ent" else row[name]) or "nan") for name in kamei])
                truth.append(float(row[label]))
                names.append(path.name)
    values = np.asarray(rows)
    return frame_of({name: values[:, n] for n, name in enumerate(kamei)}), targets_of(np.asarray(truth)), names


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "label"), [("commit_guru", "contains_bug"), ("issta21", "bug")])
def test_no_false_alarm_on_public_tables(data: Path, name: str, label: str) -> None:
    frame, targets, projects = read_tables(data / "risk" / name, label)
    assert find_leaks(frame, targets, projects) == ()
    for project in sorted(set(projects)):
        rows = [n for n, one in enumerate(projects) if one == project]
        part = frame.rows(rows[0], rows[-1] + 1)
        assert find_leaks(part, targets.rows(rows[0], rows[-1] + 1)) == (), project
