"""Where a witness keeps what it saw: a folder with one small file for each log, replaced as a whole.

Beside it stands a history of what was cosigned when. It says when an entry was there, and where two stories part.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from tidegate.errors import InputError
from tidegate.ledger.audit import Sighting
from tidegate.ledger.checkpoint import Checkpoint, read_checkpoint
from tidegate.ledger.notes import NoteError
from tidegate.ledger.witness import Seen

HISTORY_SECONDS = 60
"""The history has at most two lines for each minute, so that a year of it is below 100 MB."""


class FolderState:
    """A witness's memory in a folder. Several processes may share it; a lock lets one of them at it at a time.

    A file that cannot be read stops the witness: a witness that starts anew by itself would cosign a fork.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def latest(self, origin: str) -> Seen | None:
        return self._read(origin)

    def replace(self, origin: str, before: Seen | None, after: Seen) -> bool:
        with self._lock():
            if self._read(origin) != before:
                return False
            if before is not None and after.size < before.size:
                raise InputError("a witness never goes back", where=origin)
            write_durably(self._path(origin), msgspec.json.encode(after))
            self._remember(origin, before, after)
            return True

    def history(self, origin: str) -> list[Sighting]:
        """What was cosigned when, the oldest first; of a busy minute the first, and the latest of all.

        Lines that a crash cut off are left out. Nothing that the witness decides depends on them.
        """
        try:
            lines = self._path(origin).with_suffix(".history").read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        sightings: list[Sighting] = []
        for line in lines:
            with suppress(msgspec.DecodeError):
                sightings.append(msgspec.json.decode(line, type=Sighting))
        latest = self._read(origin)
        if latest is not None:
            sightings.append(Sighting(latest.time, latest.size, latest.root))
        return sightings

    def _path(self, origin: str) -> Path:
        return self._folder / hashlib.sha256(origin.encode()).hexdigest()

    def _read(self, origin: str) -> Seen | None:
        path = self._path(origin)
        try:
            seen = msgspec.json.decode(path.read_bytes(), type=Seen)
            checkpoint = read_checkpoint(seen.note)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, NoteError) as error:
            raise InputError("the witness's memory is damaged", where=str(path), mend="find out why") from error
        if checkpoint != Checkpoint(origin, seen.size, seen.root):
            raise InputError("the witness's memory contradicts itself", where=str(path), mend="find out why")
        return seen

    def _remember(self, origin: str, before: Seen | None, after: Seen) -> None:
        """Adds to the history, a minute after its last line. What was seen last before a gap is added as well."""
        path = self._path(origin).with_suffix(".history")
        with path.open("ab+") as file:
            file.seek(max(0, file.tell() - 512))
            last = _last_sighting(file.read())
            if last is not None and after.time - last.time < HISTORY_SECONDS:
                return
            # A line that a crash cut off must not swallow the next one.
            for seen in (before, after):
                if seen is not None and (last is None or seen.size > last.size or seen is after):
                    file.write(b"\n" + msgspec.json.encode(Sighting(seen.time, seen.size, seen.root)))

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._folder / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def write_durably(path: Path, data: bytes) -> None:
    """Replaces a file as a whole: a power cut leaves the old content or the new, and after the return the new."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


# Private


def _last_sighting(tail: bytes) -> Sighting | None:
    for line in reversed(tail.splitlines()):
        with suppress(msgspec.DecodeError):
            return msgspec.json.decode(line, type=Sighting)
    return None
