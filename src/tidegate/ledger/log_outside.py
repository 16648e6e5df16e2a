"""The last checkpoint, kept outside the database: what tells a restored backup from the log that went on.

A small file beside the log's key. It is written after each commit, so it may be behind the database after a crash, but
never before it; where it is before, or says something else, the database was put back or rewritten.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.errors import InputError
from tidegate.ledger.checkpoint import Checkpoint, read_checkpoint
from tidegate.ledger.notes import MAX_NOTE_BYTES, NoteError

SUFFIX = ".checkpoint"


class Outside:
    """The file. Several processes of one machine may share it: what is larger stays."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        return self._path

    def read(self) -> bytes | None:
        """The signed note; None where there is no file. Who signed it is for the caller to find out."""
        try:
            with self._path.open("rb") as stream:
                return stream.read(MAX_NOTE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(f"the last checkpoint cannot be read ({error.strerror})", where=str(self._path)) from error

    def keep(self, note: bytes, *, anew: bool = False) -> None:
        """Keeps the note, unless one of the same log and at least its size is there; with `anew`, in any case."""
        try:
            with self._locked():
                if anew or self._is_behind(read_checkpoint(note)):
                    self._replace(note)
        except OSError as error:
            raise InputError(
                f"the last checkpoint cannot be kept ({error.strerror})",
                where=str(self._path),
                mend="make the folder of the log's key writable for the service",
            ) from error

    def _is_behind(self, new: Checkpoint) -> bool:
        kept = self.read()
        if kept is None:
            return True
        try:
            old = read_checkpoint(kept)
        except NoteError:
            return True
        return old.origin != new.origin or old.size < new.size

    def _replace(self, note: bytes) -> None:
        """Whole or not at all, also in a power cut: what is there is overwritten only by a rename."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, note)
            os.fdatasync(file)
        finally:
            os.close(file)
        fresh.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        file = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)
