"""What is usual in this repository: the middle of each feature, and how often changes were repaired, place by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from tidegate.risk.features.definitions import FEATURES
from tidegate.risk.values import REPAIRED, PastCommit

if TYPE_CHECKING:
    from tidegate.risk.features.frame import Frame, Targets

LEAST_CHANGES = 20
"""A rate over fewer changes says nothing that a reviewer should act on."""
MOST_FOLDERS = 5_000
DEEPEST = 6


class Rate(Struct, frozen=True, array_like=True):
    """Of so many changes, so many had to be repaired."""

    changes: int
    repaired: int

    @property
    def share(self) -> float:
        return self.repaired / self.changes if self.changes else 0.0


class Habits(Struct, frozen=True):
    """What is usual of each feature in a repository, and rates of repair over the changes that have matured.

    `usual` is the median, for shares the mean, and where the median is 0 the mean of what is log-scaled.
    `whole` is the rate of all, `fixes` of those that are fixes themselves, `folders` of those that touched something
    in that folder, where they are `LEAST_CHANGES` or more.
    """

    usual: dict[str, float]
    whole: Rate
    fixes: Rate
    folders: dict[str, Rate]


NO_HABITS = Habits({}, Rate(0, 0), Rate(0, 0), {})


def learn_habits(commits: Sequence[PastCommit], frame: Frame, targets: Targets, now: int) -> Habits:
    """What is usual among the changes of `frame`, by what was known of their fate at `now` (Unix seconds)."""
    from tidegate.risk.labels.delay import known_by, matured

    old = matured(frame.at, now)
    repaired = known_by(targets, now).repaired >= REPAIRED
    fate = {oid: bool(bad) for oid, bad, is_old in zip(frame.ids, repaired, old, strict=True) if is_old}
    is_fix = frame.column("fix") > 0
    fixes = old & is_fix
    return Habits(
        usual=_usual(frame),
        whole=Rate(len(fate), sum(fate.values())),
        fixes=Rate(int(fixes.sum()), int((fixes & repaired).sum())),
        folders=_by_folder(commits, fate),
    )


def folders_above(path: str) -> list[str]:
    """The folders that a path lies in, the deepest first, without the top."""
    parts = path.split("/")[:-1][:DEEPEST]
    return ["/".join(parts[:depth]) for depth in range(len(parts), 0, -1)]


# Private


def _usual(frame: Frame) -> dict[str, float]:
    """A median of 0 tells nothing of the changes that are not 0: then a mean, of logarithms where a few are huge."""
    import numpy as np

    raw = {feature.name for feature in FEATURES if not feature.log}
    found = {}
    for name, column in zip(frame.names, frame.values.T, strict=True):
        known = column[np.isfinite(column)]
        if not len(known):
            continue
        middle = float(np.median(known))
        if name in raw:
            middle = float(np.mean(known))
        elif middle == 0:
            middle = float(np.expm1(np.mean(np.log1p(np.maximum(known, 0.0)))))
        found[name] = round(middle, 4)
    return found


def _by_folder(commits: Iterable[PastCommit], fate: Mapping[str, bool]) -> dict[str, Rate]:
    changes: Counter[str] = Counter()
    repaired: Counter[str] = Counter()
    above: dict[str, list[str]] = {}
    for commit in commits:
        bad = fate.get(commit.oid)
        if bad is None:
            continue
        found: set[str] = set()
        for touch in commit.touches:
            if touch.path not in above:
                above[touch.path] = folders_above(touch.path)
            found.update(above[touch.path])
        changes.update(found)
        if bad:
            repaired.update(found)
    most = sorted(changes.items(), key=lambda one: (-one[1], one[0]))[:MOST_FOLDERS]
    return {folder: Rate(number, repaired[folder]) for folder, number in sorted(most) if number >= LEAST_CHANGES}
