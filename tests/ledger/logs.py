"""A small log in memory, its keeper's key and its witnesses: the world in which the ledger's tests and benches play."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tidegate.ledger.checkpoint import Checkpoint, sign_checkpoint
from tidegate.ledger.keys import Algorithm, KeyKind, NoteSigningKey, SoftwareKey
from tidegate.ledger.merkle import Frontier, Proof, consistency_proof, inclusion_proof, leaf_hash, node_hash
from tidegate.ledger.quorum import Quorum, make_quorum
from tidegate.ledger.witness import Answer, Witness
from tidegate.ledger.witness_client import Cosigned, Refusal, RemoteWitness, ask_witness, combine
from tidegate.ledger.witness_state import FolderState

ORIGIN = "log.example/main"


class Clock:
    """A clock that stands still until somebody moves it."""

    def __init__(self, time: int = 1_800_000_000) -> None:
        self.time = time

    def __call__(self) -> int:
        return self.time


def seeded_key(name: str, kind: KeyKind = KeyKind.LOG, now: Clock | None = None) -> NoteSigningKey:
    """The same key for the same name in every run."""
    algorithm: Algorithm = "ml-dsa-44" if kind == KeyKind.WITNESS_ML_DSA else "ed25519"
    seed = sha256(f"{name} {kind}".encode()).digest()
    return NoteSigningKey(name, kind, SoftwareKey(algorithm, seed), now or Clock())


class MemoryLog:
    """A log that keeps every subtree, so that proofs are quick."""

    def __init__(self, key: NoteSigningKey | None = None, origin: str = ORIGIN) -> None:
        self.key = key or seeded_key(origin)
        self.origin = origin
        self.entries: list[bytes] = []
        self._rows: list[list[bytes]] = [[]]

    def append(self, *entries: bytes) -> None:
        for entry in entries:
            self.entries.append(entry)
            self._rows[0].append(leaf_hash(entry))
            self._grow()

    @property
    def size(self) -> int:
        return len(self.entries)

    @property
    def leaves(self) -> Sequence[bytes]:
        return self._rows[0]

    def hash_at(self, level: int, index: int) -> bytes:
        return self._rows[level][index]

    def root(self, size: int | None = None) -> bytes:
        at, hashes = 0, []
        left = self.size if size is None else size
        total = left
        while left:
            level = left.bit_length() - 1
            hashes.append(self._rows[level][at >> level])
            at += 1 << level
            left -= 1 << level
        return Frontier(total, tuple(hashes)).root

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        size = self.size if size is None else size
        return Checkpoint(self.origin, size, self.root(size))

    def note(self, size: int | None = None) -> bytes:
        return sign_checkpoint(self.checkpoint(size), [self.key])

    def prove(self, old: int, new: int) -> Proof:
        return consistency_proof(old, new, self.hash_at)

    def include(self, index: int, size: int | None = None) -> Proof:
        return inclusion_proof(index, self.size if size is None else size, self.hash_at)

    def copy(self, size: int | None = None) -> MemoryLog:
        """The same log, as far as it goes, by the same keeper: what an insider makes before he changes something."""
        other = MemoryLog(self.key, self.origin)
        other.append(*self.entries[:size])
        return other

    def _grow(self) -> None:
        level = 0
        while len(self._rows[level]) % 2 == 0:
            if level + 1 == len(self._rows):
                self._rows.append([])
            self._rows[level + 1].append(node_hash(self._rows[level][-2], self._rows[level][-1]))
            level += 1


class Witnesses:
    """Witnesses of one log, each with its own folder, behind a `post` that needs no network."""

    def __init__(self, folder: Path, log: MemoryLog, kinds: Sequence[KeyKind], clock: Clock) -> None:
        self.clock = clock
        keys = [seeded_key(f"witness.example/w{number}", kind, clock) for number, kind in enumerate(kinds)]
        self.states = [FolderState(folder / str(number)) for number in range(len(keys))]
        watched = {log.origin: [log.key.public]}
        self.witnesses = [Witness([key], watched, state) for key, state in zip(keys, self.states, strict=True)]
        self.remotes = [
            RemoteWitness(f"https://witness.example/{number}", (key.public,)) for number, key in enumerate(keys)
        ]
        self.keys = tuple(key.public for key in keys)

    def quorum(self, needed: int) -> Quorum:
        return make_quorum(self.keys, needed)

    def post(self, url: str, body: bytes) -> Answer:
        number = int(url.removeprefix("https://witness.example/").removesuffix("/add-checkpoint"))
        return self.witnesses[number].answer(body)

    def ask(self, log: MemoryLog, note: bytes, old: int = 0) -> list[object]:
        return [ask_witness(note, remote, old, log.prove, self.post) for remote in self.remotes]

    def cosign(self, log: MemoryLog, needed: int) -> Cosigned:
        answers = [ask_witness(log.note(), remote, 0, log.prove, self.post) for remote in self.remotes]
        return combine(log.note(), log.origin, [log.key.public], self.quorum(needed), answers)

    def refusals(self, log: MemoryLog, note: bytes, old: int = 0) -> list[Refusal]:
        return [answer for answer in self.ask(log, note, old) if isinstance(answer, Refusal)]
