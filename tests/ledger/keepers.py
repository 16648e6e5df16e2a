"""A log in a database, with its key, and witnesses that can be cut off: for tests of what a log keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tidegate.ledger.keys import KeyKind, NoteSigningKey, PublicKey, SoftwareKey
from tidegate.ledger.log import Log, LogSettings, NewEntry, open_log
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.witness import Answer, Witness
from tidegate.ledger.witness_client import RemoteWitness
from tidegate.ledger.witness_state import FolderState
from tidegate.store.engine import Database

ORIGIN = "ledger.test/acme"
KEY = SoftwareKey("ed25519", b"L" * 32)
PUBLIC = PublicKey(KEY.algorithm, KEY.public_key)
ADA = f"person:{1:032x}"
BEN = f"person:{2:032x}"


def entry(name: object, *, body: bytes = b"") -> NewEntry:
    return NewEntry(f"key:{name}", "urn:test:predicate", f"subject:{name}", body or f"envelope of {name}".encode())


class Witnesses:
    """Real witnesses on this machine; `away` are those that nobody reaches."""

    def __init__(self, folder: Path, number: int) -> None:
        self.away: set[str] = set()
        self._witnesses: dict[str, Witness] = {}
        self.remotes: list[RemoteWitness] = []
        clock = count(1_700_000_000)
        for each in range(number):
            name = f"witness-{each}.test"
            key = NoteSigningKey(
                name, KeyKind.WITNESS, SoftwareKey("ed25519", bytes([each + 1]) * 32), lambda: next(clock)
            )
            logs = {
                origin: (NoteSigningKey(origin, KeyKind.LOG, KEY, lambda: 0).public,)
                for origin in (ORIGIN, f"{ORIGIN}/epoch/2")
            }
            self._witnesses[f"http://{name}/add-checkpoint"] = Witness([key], logs, FolderState(folder / name))
            self.remotes.append(RemoteWitness(f"http://{name}", (key.public,)))

    def post(self, url: str, body: bytes) -> Answer:
        if any(name in url for name in self.away):
            raise ConnectionRefusedError(url)
        return self._witnesses[url].answer(body)

    def quorum(self, needed: int) -> Quorum:
        return Quorum(tuple(key for remote in self.remotes for key in remote.keys), needed)


@contextmanager
def a_log(
    database: Database, folder: Path, witnesses: Witnesses | None = None, needed: int = 0, *, key: SoftwareKey = KEY
) -> Iterator[Log]:
    """An open log; `folder` is where its last checkpoint is kept."""
    folder.mkdir(exist_ok=True)
    settings = LogSettings(ORIGIN, folder / "log.checkpoint")
    if witnesses is not None:
        settings = LogSettings(ORIGIN, folder / "log.checkpoint", tuple(witnesses.remotes), needed, witnesses.post)
    with open_log(database, key, settings) as log:
        yield log
