"""Asks witnesses to cosign each new checkpoint, keeps what they say, and measures how long entries went unwitnessed."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.ledger import log_rows as rows
from tidegate.ledger.checkpoint import Checkpoint, read_checkpoint
from tidegate.ledger.log_guard import Refusal
from tidegate.ledger.merkle import Proof, consistency_proof
from tidegate.ledger.notes import (
    Note,
    NoteError,
    NoteSignature,
    decode_number,
    parse_note,
    parse_signatures,
    verify_note,
)
from tidegate.ledger.tiles import TileReader
from tidegate.ledger.witness import Answer
from tidegate.ledger.witness_client import Post, RemoteWitness, ask_witness
from tidegate.ledger.witness_client import Refusal as WitnessRefusal
from tidegate.store.clock import Clock
from tidegate.store.engine import Database

PAUSE = 1.0
"""Seconds between two turns while a witness has not cosigned, and nothing was appended."""
LOOK = 0.05
"""Seconds between two looks at what other processes' witnesses said."""
REMEMBERED = 10_000


class Exposure(Struct, frozen=True):
    """What an insider could still rewrite unnoticed: entries that no quorum saw, and for how long (seconds).

    `p50` and `p99` are of the `measured` last checkpoints of this process, from commit to quorum.
    """

    unwitnessed: int
    oldest: float
    p50: float
    p99: float
    measured: int


class Witnessing:
    """A thread that asks. `tell` is called with a refusal when a witness saw another log."""

    def __init__(
        self,
        database: Database,
        witnesses: Sequence[RemoteWitness],
        needed: int,
        post: Post,
        now: Clock,
        tell: Callable[[Refusal], None],
    ) -> None:
        self._database = database
        self._witnesses = tuple(witnesses)
        self._needed = needed
        self._post = post
        self._now = now
        self._tell = tell
        self._news = threading.Event()
        self._changed = threading.Condition()
        self._pending: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)
        self._spans: deque[float] = deque(maxlen=REMEMBERED)
        self._verified: dict[str, int] = {}
        self._turn = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="ledger-witnesses", daemon=True)
        if self._witnesses:
            self._thread.start()

    @property
    def wanted(self) -> bool:
        return self._needed > 0

    def committed(self, size: int) -> None:
        """There is a new checkpoint of this size."""
        if self._witnesses:
            with self._changed:
                self._pending.append((size, time.monotonic()))
            self._news.set()

    def ask_all(self, *, again: bool = False) -> int:
        """Asks each witness about the last checkpoint; how many have cosigned it. With `again`, also those that had."""
        with self._turn:
            agreed = sum(self._ask(witness, again) for witness in self._witnesses)
        with self._changed:
            self._measure()
            self._changed.notify_all()
        return agreed

    def size(self) -> int:
        """The size up to which a quorum has seen the log; 0 where no quorum is wanted or none has."""
        if not self._needed:
            return 0
        with self._database.read() as connection:
            start = rows.all_epochs(connection)[-1].start
            sizes = rows.cosigned_sizes(connection, start)
            held = [sizes[name_of(each)] for each in self._witnesses if self._holds(connection, each, sizes)]
        return sorted(held, reverse=True)[self._needed - 1] if len(held) >= self._needed else 0

    def wait(self, index: int, timeout: float) -> bool:
        """Whether a quorum saw the entry before the time was over; True at once where none is wanted."""
        if not self._needed:
            return True
        until = time.monotonic() + timeout
        while self.size() <= index:
            left = until - time.monotonic()
            if left <= 0:
                return False
            with self._changed:
                self._changed.wait(min(left, LOOK))
        return True

    def exposure(self, size: int) -> Exposure:
        """`size` is that of the log."""
        witnessed = self.size()
        with self._changed:
            waiting = [began for pending, began in self._pending if pending > witnessed]
            spans = sorted(self._spans)
        oldest = time.monotonic() - waiting[0] if waiting else 0.0
        half, most = (spans[len(spans) // 2], spans[len(spans) * 99 // 100]) if spans else (0.0, 0.0)
        return Exposure(size - witnessed, oldest, half, most, len(spans))

    def close(self) -> None:
        self._ended = True
        self._news.set()
        if self._witnesses:
            self._thread.join()

    # Private

    def _run(self) -> None:
        while not self._ended:
            self._news.wait(PAUSE)
            self._news.clear()
            if not self._ended:
                try:
                    self.ask_all()
                except Exception:  # noqa: BLE001  the next turn asks again; until then nothing counts as witnessed
                    time.sleep(LOOK)

    def _ask(self, witness: RemoteWitness, again: bool) -> bool:
        with self._database.read() as connection:
            kept = rows.checkpoint(connection)
            epoch = rows.all_epochs(connection)[-1]
            old = rows.cosigned_sizes(connection, epoch.start).get(name_of(witness), 0)
        if kept is None or kept.size <= epoch.start:
            return False
        if old == kept.size and not again:
            return True
        note = kept.note.encode()
        ours = read_checkpoint(note)
        said: list[int] = []

        def post(url: str, body: bytes) -> Answer:
            reply = self._post(url, body)
            if reply.status == 409:
                said.append(decode_number(reply.body.removesuffix(b"\n")))
            return reply

        answer = ask_witness(note, witness, old, self._prove, post)
        if not isinstance(answer, WitnessRefusal):
            return self._keep(witness, ours.size, answer)
        if answer.trouble == "forked":
            self._tell(Refusal(f"a witness saw another history ({answer})", 0, ours))
        elif answer.trouble == "ahead" and self._is_still(ours):
            self._tell(Refusal(f"a witness saw more ({answer})", ours.size, Checkpoint(ours.origin, said[-1], b"")))
        return False

    def _is_still(self, ours: Checkpoint) -> bool:
        """Another process may have appended since, and asked."""
        with self._database.read() as connection:
            kept = rows.checkpoint(connection)
        return kept is not None and kept.size == ours.size

    def _prove(self, old: int, new: int) -> Proof:
        with self._database.read() as connection:
            return consistency_proof(old, new, TileReader(rows.tile_reader(connection), new).hash_at)

    def _keep(self, witness: RemoteWitness, size: int, lines: tuple[NoteSignature, ...]) -> bool:
        text = b"".join(line.line for line in lines).decode()
        with self._database.write() as connection:
            rows.keep_cosignature(connection, rows.Cosignature(size, name_of(witness), text, self._now()))
        return True

    def _holds(self, connection: Connection, witness: RemoteWitness, sizes: Mapping[str, int]) -> bool:
        """Whether the last row of a witness is a cosignature indeed: whoever writes the database could add a row."""
        size = sizes.get(name_of(witness))
        if size is None or self._verified.get(name_of(witness)) == size:
            return size is not None
        kept = rows.checkpoint(connection, least=size)
        lines = {each.witness: each.line for each in rows.cosignatures_of(connection, size)}
        try:
            note = parse_note(kept.note.encode() if kept else b"")
            verify_note(Note(note.text, parse_signatures(lines[name_of(witness)].encode())), witness.keys)
        except NoteError:
            return False
        if kept is None or kept.size != size:
            return False
        self._verified[name_of(witness)] = size
        return True

    def _measure(self) -> None:
        witnessed = self.size()
        while self._pending and self._pending[0][0] <= witnessed:
            self._spans.append(time.monotonic() - self._pending.popleft()[1])


def name_of(witness: RemoteWitness) -> str:
    """How its cosignatures are kept: by the name of its first key."""
    return witness.keys[0].name


def no_post(url: str, body: bytes) -> Answer:  # noqa: ARG001  the signature is Post's
    """How a log asks that has no witnesses: it does not."""
    raise OSError("no way to ask a witness is set up")
