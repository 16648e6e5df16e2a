"""What is done for one repository of a fleet: learn from its past, and try a policy on it. Runs in its own process."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
from msgspec import Struct

from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository
from tidegate.facts import AgentEffect
from tidegate.fleet.listing import Entry
from tidegate.risk.knowledge import Figures, encode
from tidegate.risk.model.evaluation import Evaluation
from tidegate.risk.train import Lesson, learn

SCHEMA = "tidegate.fleet/1"
VERSION = 1
"""Of what is worked out: a new one makes every repository be read again."""


class Row(Struct, frozen=True):
    """What was learnt of one repository at the commit `until`, or why nothing was (`failure`)."""

    schema: str
    version: int
    name: str
    folder: str
    until: str
    failure: str = ""
    figures: Figures | None = None
    model: str = ""
    evaluation: Evaluation | None = None
    agents: tuple[AgentEffect, ...] = ()
    remarks: tuple[str, ...] = ()


class Job(Struct, frozen=True):
    """One repository to be read; `known` is the commit up to which it was read before, "" for never."""

    entry: Entry
    known: str = ""


class Answer(Struct, frozen=True):
    """What came of one job. `row` is None where nothing is new; `knowledge` and `table` are files to keep beside it."""

    row: Row | None
    knowledge: bytes = b""
    table: bytes = b""


def work(job: Job) -> Answer:
    """Learns from one repository. Raises TidegateError for one that cannot be read."""
    with open_repository(Path(job.entry.folder), bare=True) as repository:
        until = repository.resolve("HEAD")
        if until == job.known:
            return Answer(None)
        settings = read_settings(repository, until, os.environ).settings
        lesson = learn(repository, until, settings)
    return Answer(_row(job.entry, lesson), encode(lesson.knowledge), _table(lesson))


def failed(entry: Entry, failure: str) -> Row:
    """The row of a repository of which nothing could be learnt."""
    return Row(SCHEMA, VERSION, entry.name, entry.folder, "", failure)


# Private


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
