"""The public tables of change risk, as frames with targets. They are read where they lie and never copied.

TIDEGATE_DATA names the folder that holds `risk/` (default ../shared/data).
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tidegate.risk.features.frame import Floats, Frame, Targets, Times

KAMEI = tuple("ns nd nf ent la ld lt fix ndev age nuc exp rexp sexp".split())
NEWEST = 0.2
UNSETTLED = 60 * 86_400


class Project(NamedTuple):
    """One repository: its frame, what became of its changes, and the same with every fate known at once (oracle)."""

    name: str
    frame: Frame
    targets: Targets
    oracle: Targets

    @property
    def truth(self) -> Floats:
        """1 where a change had to be repaired in the end."""
        return self.oracle.repaired

    @property
    def split(self) -> int:
        """The first row of the newest 20 %."""
        return int(len(self.frame.ids) * (1 - NEWEST))

    def first(self, rows: int) -> Project:
        """The oldest rows alone."""
        return Project(self.name, self.frame.rows(0, rows), self.targets.rows(0, rows), self.oracle.rows(0, rows))


def folder() -> Path:
    """Where the tables lie."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("TIDEGATE_DATA") or root.parent / "shared" / "data") / "risk"


def commit_guru() -> list[Project]:
    """Commit Guru's exports.

    `fix_unix_timestamp` stands on fixes and is the date of (one of) the changes that they repaired; turned round it
    says since when about half of the repaired changes are known. The others say nothing of when: they count as known
    at once.
    """
    found = []
    for path in _files("commit_guru"):
        rows = _read(path)
        at = _times(rows, "author_date_unix_timestamp")
        fixes = _times(rows, "fix_unix_timestamp")
        first: dict[int, int] = {}
        for when, cause in zip(at.tolist(), fixes.tolist(), strict=True):
            if cause > 0 and when >= cause:
                first[cause] = min(first.get(cause, when), when)
        known = np.array([first.get(when, when) for when in at.tolist()], dtype=np.int64)
        truth = _floats(rows, "contains_bug")
        found.append(_project(path, rows, at, known, truth, {"ent": "entropy"}))
    return found


def issta21() -> list[Project]:
    """The tables of ISSTA'21. They do not say when a label was known: at once."""
    found = []
    for path in _files("issta21"):
        rows = _read(path)
        at = _times(rows, "date")
        found.append(_project(path, rows, at, at, _floats(rows, "bug"), {"ent": "entrophy"}))
    return found


def ai_era(place: Path | None = None, extra: Sequence[str] = (), settled: bool = False) -> list[Project]:
    """Repositories in which agents write a large share; `known` says since when a label is known.

    `settled` leaves out what the published baseline left out: changes of tests alone (no repair is ever traced to
    them), changes of bots, and those of the newest 60 days, whose repairs are yet to come. Projects of which nothing is
    left are not answered.
    """
    found = []
    for path in _files("ai_era") if place is None else sorted(place.glob("*.csv.gz")):
        rows = _settled(_read(path)) if settled else _read(path)
        if not rows:
            continue
        known = np.array([int(float(row["known"])) if row["known"] else -1 for row in rows], dtype=np.int64)
        found.append(_project(path, rows, _times(rows, "ct"), known, _floats(rows, "bug"), {}, [*KAMEI, *extra]))
    return found


def widened(project: Project, names: Sequence[str]) -> Project:
    """The same project with the features `names`; those that its table lacks are unknown."""
    frame = project.frame
    if frame.names == tuple(names):
        return project
    unknown = np.full(len(frame.ids), np.nan)
    values = np.column_stack([frame.column(name) if name in frame.names else unknown for name in names])
    return project._replace(frame=frame._replace(names=tuple(names), values=values))


# Private


def _project(
    path: Path,
    rows: list[dict[str, str]],
    at: Times,
    known: Times,
    truth: Floats,
    renamed: dict[str, str],
    names: Sequence[str] = KAMEI,
) -> Project:
    order = np.argsort(at, kind="stable")
    values = np.column_stack([_floats(rows, renamed.get(name, name)) for name in names])[order]
    at, known, truth = at[order], known[order], truth[order]
    frame = Frame(tuple(names), 1, tuple(str(number) for number in range(len(rows))), at, values)
    bad = truth > 0
    return Project(
        path.name.removesuffix(".csv.gz"),
        frame,
        Targets(truth, np.where(bad, np.where(known >= 0, known, at), -1)),
        Targets(truth, np.where(bad, at, -1)),
    )


def _settled(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Nothing here looks at a label: who wrote the change, what it touches and when."""
    at, tests, bots = _times(rows, "ct"), _floats(rows, "testr"), _floats(rows, "bot")
    kept = (at <= at.max(initial=0) - UNSETTLED) & ~(tests >= 1.0) & ~(bots > 0.0)
    return [row for row, keep in zip(rows, kept.tolist(), strict=True) if keep]


def _files(kind: str) -> list[Path]:
    found = sorted((folder() / kind).glob("*.csv.gz"))
    if not found:
        raise SystemExit(f"no tables in {folder() / kind}: set TIDEGATE_DATA")
    return found


def _read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _floats(rows: list[dict[str, str]], name: str) -> Floats:
    words = {"": np.nan, "True": 1.0, "False": 0.0}
    return np.array([words[row[name]] if row[name] in words else float(row[name]) for row in rows], dtype=np.float64)


def _times(rows: list[dict[str, str]], name: str) -> Times:
    return np.array([int(float(row[name])) for row in rows], dtype=np.int64)
