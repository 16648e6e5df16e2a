"""Learning from one repository on one page: history -> labels -> features -> model, and what each agent did to repairs.

The moment of all of it is the time of the newest commit or outcome that is read, so that the same history teaches the
same, to the bit, whenever it is asked. A commit that is dated later than the clock counts as of now: one such date
would make every young change look as if it had stood the test of time.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from msgspec.structs import replace

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.risk.effect import agent_effects, left_out
from tidegate.risk.features.bulk import feature_frame
from tidegate.risk.features.definitions import NAMES
from tidegate.risk.features.definitions import VERSION as VERSION_OF_FEATURES
from tidegate.risk.features.frame import Frame, Targets
from tidegate.risk.features.habits import learn_habits
from tidegate.risk.features.tokens import learn_words
from tidegate.risk.history.log import LAST_SECOND
from tidegate.risk.history.mine import Mined, open_history, store_folder
from tidegate.risk.knowledge import VERSION, Figures, Knowledge, keep
from tidegate.risk.labels.delay import known_by, matured
from tidegate.risk.labels.fixes import find_fixes
from tidegate.risk.labels.labels import Outcome, join_labels, read_traces, targets_of
from tidegate.risk.labels.marks import marks_of
from tidegate.risk.labels.told import digest_of
from tidegate.risk.leaks import find_leaks
from tidegate.risk.model.model import Model
from tidegate.risk.model.prior import load_prior
from tidegate.risk.model.train import Trained, train
from tidegate.risk.values import HORIZON_SECONDS, REPAIRED, Label, Mark, PastCommit, Trace
from tidegate.settings import Settings

Progress: TypeAlias = Callable[[str, int, int], None]


class Past(NamedTuple):
    """The changes of a repository that a model may learn from, and what became of them.

    Left out of `frame` are commits of bots that are no agents, and those that touch nothing of the product (tests,
    documents, generated and vendored files, build and CI alone): no repair is ever traced to them, so they would teach
    what the label cannot say. `now` is the time of the newest commit or outcome, in Unix seconds.
    """

    frame: Frame
    targets: Targets
    labels: tuple[Label, ...]
    traces: Mapping[str, Trace]
    marks: Mapping[str, Mark]
    commits: tuple[PastCommit, ...]
    now: int


class Lesson(NamedTuple):
    """What was learnt, what it was learnt from, and what earlier models would have said of each change."""

    knowledge: Knowledge
    past: Past
    forward: Mapping[str, tuple[float, float]]


def learn(
    repository: Repository,
    until: str,
    settings: Settings,
    progress: Progress | None = None,
    prior: Model | None = None,
    clock: Callable[[], float] = time.time,
    *,
    outcomes: Sequence[Outcome] = (),
) -> Lesson:
    """Everything that the history of the commit `until` teaches; it is kept beside that history.

    `prior` takes the place of the one that ships; `outcomes` are what production said of the commits. Reads and traces
    only what is new since the last time. Raises GitError for a history that cannot be read, InputError for a prior that
    speaks of other features.
    """
    if prior is not None and (prior.names, prior.definitions) != (NAMES, VERSION_OF_FEATURES):
        raise InputError("the prior speaks of other features", where="--prior", mend="learn it again: tidegate fleet")
    with open_history(repository, until, store_folder(repository), _part(progress, "reading history")) as mined:
        past = read_past(repository, mined, settings, progress, outcomes, int(clock()))
        trained = train(past.frame, past.targets, past.now, prior or load_prior(), _part(progress, "learning"))
        knowledge = replace(_knowledge(repository, mined, past, trained), outcomes=digest_of(outcomes))
        lesson = Lesson(knowledge, past, _forward(past.frame, trained))
        keep(mined, lesson.knowledge, lesson.forward)
        return lesson


def read_past(
    repository: Repository,
    mined: Mined,
    settings: Settings,
    progress: Progress | None = None,
    outcomes: Sequence[Outcome] = (),
    latest: int = LAST_SECOND,
) -> Past:
    """What there is to learn from: a row for each change, and what became of it. Nothing is dated after `latest`."""
    commits = tuple(
        commit if commit.committed_at <= latest else replace(commit, committed_at=latest) for commit in mined.commits()
    )
    fixes = find_fixes(commits, settings)
    traces = read_traces(mined, repository, fixes, _part(progress, "tracing repairs"))
    landed = {commit.oid: commit.committed_at for commit in commits}
    labels = tuple(
        label
        for label in join_labels(commits, mined.tags(), fixes, traces, outcomes)
        if label.known_at - landed[label.commit] <= HORIZON_SECONDS
    )
    whole = feature_frame(repository, mined, settings, _part(progress, "reading changes"), commits)
    marks = marks_of(commits)
    silent = left_out(commits, marks, settings)
    rows = np.array([row for row, oid in enumerate(whole.ids) if oid not in silent], dtype=np.int64)
    frame = whole._replace(
        ids=tuple(whole.ids[row] for row in rows),
        at=np.minimum(whole.at[rows], latest),
        values=np.ascontiguousarray(whole.values[rows]),
    )
    told = (min(outcome.at, latest) for outcome in outcomes if outcome.commit in landed)
    now = max((*(commit.committed_at for commit in commits), *told), default=0)
    return Past(frame, targets_of(frame, labels), labels, traces, marks, commits, now)


# Private


def _part(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, whole: progress(what, done, whole)


def _knowledge(repository: Repository, mined: Mined, past: Past, trained: Trained) -> Knowledge:
    leaks = find_leaks(past.frame, past.targets)
    return Knowledge(
        version=VERSION,
        until=mined.until,
        at=past.now,
        model=trained.model,
        habits=learn_habits(past.commits, past.frame, past.targets, past.now),
        labels=past.labels,
        figures=_figures(past),
        agents=agent_effects(past.frame, past.targets, past.marks, past.now),
        evaluation=trained.evaluation,
        words=learn_words(repository, past.traces),
        remarks=(*(unknown.reason for unknown in mined.unknowns), *(f"{leak.feature} {leak.words}" for leak in leaks)),
    )


def _figures(past: Past) -> Figures:
    old = matured(past.frame.at, past.now)
    repaired = known_by(past.targets, past.now).repaired >= REPAIRED
    return Figures(
        changes=len(past.frame.ids),
        since=int(past.frame.at.min()) if len(past.frame.at) else 0,
        matured=int(old.sum()),
        repaired=int((old & repaired).sum()),
        reverted=len({label.commit for label in past.labels if label.source == "revert"}),
    )


def _forward(frame: Frame, trained: Trained) -> dict[str, tuple[float, float]]:
    """Probability and rank of each change for which there was an earlier model; -1 for a probability that none said.

    The rank is that among the changes before it: nobody knew the later ones.
    """
    earlier: list[float] = []
    found: dict[str, tuple[float, float]] = {}
    for oid, chance, raw in zip(frame.ids, trained.forward.tolist(), trained.forward_raw.tolist(), strict=True):
        if math.isfinite(raw):
            places = bisect_left(earlier, raw) + bisect_right(earlier, raw)
            rank = places / (2.0 * len(earlier)) if earlier else 0.5
            found[oid] = (chance if math.isfinite(chance) else -1.0, rank)
            insort(earlier, raw)
    return found
