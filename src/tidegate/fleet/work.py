"""What is done for one repository of a fleet: learn from its past, and try a policy on it. Runs in its own process."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository, open_repository
from tidegate.facts import AgentEffect
from tidegate.fleet.listing import Entry
from tidegate.policy.backtest.run import backtest
from tidegate.policy.backtest.values import Figures
from tidegate.policy.folder import with_files
from tidegate.policy.rules import read_policy
from tidegate.replay import moment_before, read_hindsight, read_past
from tidegate.risk.knowledge import Figures as Counts
from tidegate.risk.knowledge import encode
from tidegate.risk.model.figures import Evaluation
from tidegate.risk.train import Lesson, learn
from tidegate.settings import Loaded

SCHEMA = "tidegate.fleet/1"
VERSION = 1
"""Of what is worked out: a new one makes every repository be read again."""


class Tried(Struct, frozen=True):
    """What a policy would have done to the changes of one repository since a day (`tidegate policy backtest`)."""

    since: str
    rules: tuple[str, ...]
    changes: int
    repaired: int
    whole: Figures


class Row(Struct, frozen=True):
    """What was learnt of one repository at the commit `until`, or why nothing was (`failure`)."""

    schema: str
    version: int
    name: str
    folder: str
    until: str
    failure: str = ""
    figures: Counts | None = None
    model: str = ""
    evaluation: Evaluation | None = None
    agents: tuple[AgentEffect, ...] = ()
    remarks: tuple[str, ...] = ()
    tried: Tried | None = None


class Trial(Struct, frozen=True):
    """A policy to be tried: the files of its rules (none: each repository's own), on changes since then."""

    since: str
    rules: tuple[str, ...] = ()


class Job(Struct, frozen=True):
    """One repository to be read; `known` is what was kept of it before."""

    entry: Entry
    known: Row | None = None
    trial: Trial | None = None


class Answer(Struct, frozen=True):
    """What came of one job. `row` is None where nothing is new; `knowledge` and `table` are files to keep beside it."""

    row: Row | None
    knowledge: bytes = b""
    table: bytes = b""


def work(job: Job) -> Answer:
    """Learns from one repository. Raises TidegateError for one that cannot be read."""
    with open_repository(Path(job.entry.folder), bare=True) as repository:
        until = repository.resolve("HEAD")
        loaded = read_settings(repository, until, os.environ)
        old = job.known if job.known is not None and job.known.until == until else None
        lesson = learn(repository, until, loaded.settings) if old is None else None
        row = _row(job.entry, lesson) if lesson is not None else old
        if row is not None and job.trial is not None and not _is_tried(row, job.trial):
            row = replace(row, tried=_try(repository, loaded, until, job.trial))
    if lesson is None:
        return Answer(row if row != old else None)
    return Answer(row, encode(lesson.knowledge), _table(lesson))


def failed(entry: Entry, failure: str) -> Row:
    """The row of a repository of which nothing could be learnt."""
    return Row(SCHEMA, VERSION, entry.name, entry.folder, "", failure)


# Private


def _is_tried(row: Row, trial: Trial) -> bool:
    """Rules in files may have changed since, so only a repository's own count as tried."""
    return row.tried is not None and row.tried.since == trial.since and not (row.tried.rules or trial.rules)


def _try(repository: Repository, loaded: Loaded, until: str, trial: Trial) -> Tried:
    chosen = with_files(loaded, [Path(name) for name in trial.rules]) if trial.rules else loaded
    policy = read_policy(repository, until, chosen)
    hindsight = read_hindsight(repository, until, loaded.settings, sys.maxsize)
    since = moment_before(trial.since, hindsight.now)
    found = backtest(policy, read_past(repository, until, since, loaded.settings, hindsight))
    judged = found.period.repaired
    return Tried(trial.since, trial.rules, judged.total, judged.count, found.whole)


def _row(entry: Entry, lesson: Lesson) -> Row:
    found = lesson.knowledge
    return Row(
        SCHEMA,
        VERSION,
        entry.name,
        entry.folder,
        found.until,
        figures=found.figures,
        model=found.model.kind,
        evaluation=found.evaluation,
        agents=found.agents,
        remarks=found.remarks,
    )


def _table(lesson: Lesson) -> bytes:
    """Features and fates of the changes as numpy's own file: what a prior for the whole fleet is trained on."""
    past, file = lesson.past, io.BytesIO()
    np.savez_compressed(
        file,
        version=np.array([past.frame.version]),
        names=np.array(past.frame.names),
        ids=np.array(past.frame.ids),
        at=past.frame.at,
        values=past.frame.values.astype(np.float64),
        repaired=past.targets.repaired,
        known_at=past.targets.known_at,
        now=np.array([past.now]),
    )
    return file.getvalue()
