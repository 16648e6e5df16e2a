"""The features of every commit of a history, in one sweep. Imports numpy: load it late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tidegate.change.git import Repository
from tidegate.risk.features.content import bring_up_to_date
from tidegate.risk.features.definitions import NAMES, VERSION
from tidegate.risk.features.frame import Frame
from tidegate.risk.features.kamei import landed
from tidegate.risk.features.past import Past
from tidegate.risk.features.row import Told, row_of
from tidegate.risk.features.surface import read_places
from tidegate.risk.history.people import merged_keys, person_key
from tidegate.risk.labels.marks import marks_of
from tidegate.risk.labels.messages import is_fix
from tidegate.risk.values import PastCommit
from tidegate.settings import Settings

if TYPE_CHECKING:
    from tidegate.risk.history.mine import Mined


def feature_frame(
    repository: Repository,
    mined: Mined,
    settings: Settings,
    progress: Callable[[int, int], None] | None = None,
    known: Sequence[PastCommit] | None = None,
) -> Frame:
    """The features of all commits that are no merges, oldest first. A row knows what came before it and nothing else.

    `known` are the commits of `mined` where they were read already: of a long history they take a hundred megabytes.
    The text of commits is read once and its counts are kept beside the history; `progress` is told how many of those
    that had to be read are done.
    """
    commits = [commit for commit in (mined.commits() if known is None else known) if not commit.is_merge]
    kept = bring_up_to_date(repository, mined, commits, is_fix, progress)
    places = read_places((touch.path for commit in commits for touch in commit.touches), settings)
    marks, merged = marks_of(commits), merged_keys(settings)
    past = Past()
    values = np.empty((len(commits), len(NAMES)), dtype=np.float64)
    for row, commit in enumerate(commits):
        about = kept[commit.oid]
        key = person_key(commit.author)
        change = landed(commit, merged.get(key, key), about.fix)
        values[row] = row_of(past, change, Told(about.content, float(commit.oid in marks)), places)
        past.learn(change)
    at = np.array([commit.committed_at for commit in commits], dtype=np.int64)
    return Frame(NAMES, VERSION, tuple(commit.oid for commit in commits), at, values)
