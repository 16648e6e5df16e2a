"""A fleet on one page: the list -> one job each -> rows that are kept as they come -> what they say together."""

from __future__ import annotations

import secrets
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.fleet.listing import Entry
from tidegate.fleet.map import Limits, Where, map_each
from tidegate.fleet.work import VERSION, Answer, Job, Row, Trial, failed, work
from tidegate.risk.features.frame import Frame, Targets
from tidegate.risk.model.model import Model
from tidegate.risk.model.prior import Example, train_prior


def run_fleet(
    entries: Sequence[Entry],
    folder: Path,
    limits: Limits,
    where: Where = "here",
    trial: Trial | None = None,
    progress: Callable[[int, int, Row], None] | None = None,
) -> tuple[Row, ...]:
    """A row for every repository, in the order of the list. What is known already is not worked out again.

    `folder` gets NAME.json (the row), NAME.knowledge.json and NAME.npz for each, written whole or not at all, as soon
    as a repository is done: an interrupted run goes on from there. A repository that failed is tried again next time.
    """
    _make(folder)
    rows = {entry.name: row for entry in entries if (row := read_row(folder, entry)) is not None}
    jobs = [Job(entry, rows.get(entry.name), trial) for entry in entries]
    for count, done in enumerate(map_each(work, jobs, limits, where), 1):
        name = done.item.entry.name
        answer = done.result
        if answer is None:
            rows[name] = failed(done.item.entry, done.failure)
        elif answer.row is not None:
            rows[name] = answer.row
            _keep(folder, answer, answer.row)
        if progress is not None:
            progress(count, len(jobs), rows[name])
    return tuple(rows[entry.name] for entry in entries)


def read_row(folder: Path, entry: Entry) -> Row | None:
    """The row that was kept of a repository; None where there is none that can be read and is of this version."""
    try:
        row = msgspec.json.decode((folder / f"{entry.name}.json").read_bytes(), type=Row)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return row if row.version == VERSION and row.folder == entry.folder else None


def read_example(path: Path) -> Example:
    """What a prior learns from one repository, from its NAME.npz. Raises InputError for another kind of file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        frame = Frame(
            tuple(map(str, found["names"])),
            int(found["version"][0]),
            tuple(map(str, found["ids"])),
            found["at"].astype(np.int64),
            found["values"].astype(np.float64),
        )
        targets = Targets(found["repaired"].astype(np.float64), found["known_at"].astype(np.int64))
        return Example(frame, targets, int(found["now"][0]))
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise InputError(
            f"this is no table that a fleet kept ({error})", where=str(path), mend="delete it and run the fleet again"
        ) from error


def train_fleet_prior(rows: Sequence[Row], folder: Path) -> Model:
    """A prior learnt from every repository of a fleet, each weighing the same."""
    return train_prior(read_example(folder / f"{row.name}.npz") for row in rows if not row.failure)


# Private


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder cannot be made: {error.strerror}", where=str(folder), mend="name another with --keep"
        ) from error


def _keep(folder: Path, answer: Answer, row: Row) -> None:
    """The row comes last: what has a row has everything."""
    if answer.knowledge:
        _write(folder / f"{row.name}.knowledge.json", answer.knowledge)
        _write(folder / f"{row.name}.npz", answer.table)
    _write(folder / f"{row.name}.json", to_json(row))


def _write(path: Path, content: bytes) -> None:
    passing = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        passing.write_bytes(content)
        passing.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path), mend="check the disk") from error
