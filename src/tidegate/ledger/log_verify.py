"""Verifies a whole log as it lies in a database, trusting nothing there: any surprise is a finding, with its place.

What is read is read without types, a page at a time; where a page cannot be read it is halved until the row is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import Connection, text

from tidegate.errors import InputError
from tidegate.ledger.audit import Sighting, describe_exposure
from tidegate.ledger.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from tidegate.ledger.keys import KeyKind, NoteKey, PublicKey, cosignature_time
from tidegate.ledger.log_guard import epoch_origin
from tidegate.ledger.merkle import HASH_SIZE, Frontier, leaf_hash
from tidegate.ledger.notes import Note, NoteError, parse_note, parse_signatures, verify_note
from tidegate.ledger.predicates.recovery import Recovery
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.statements import open_entry
from tidegate.ledger.tiles import WIDTH, TileData, TileWriter
from tidegate.store.engine import Database

Depth = Literal["tiles", "entries"]
MOST_FINDINGS = 1_000
TILES_A_PAGE = 16


class Finding(Struct, frozen=True):
    """Tampering, or damage that looks the same: where, and what is wrong there."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class Report(Struct, frozen=True):
    """`root` is what the tiles lead to, in hex. `witnessed` is the size up to which a quorum's word stands."""

    origin: str
    size: int
    root: str
    depth: Depth
    checkpoints: int
    witnessed: int
    findings: tuple[Finding, ...]
    exposure: str

    @property
    def whole(self) -> bool:
        return not self.findings


def verify_log(
    database: Database,
    keys: Sequence[PublicKey],
    witnesses: Quorum,
    *,
    depth: Depth = "entries",
    seen: Sequence[bytes] = (),
    entry_keys: Sequence[PublicKey] = (),
) -> Report:
    """Holds tiles, checkpoints and cosignatures, with `entries` also every entry, against each other and the keys.

    `seen` are signed checkpoints from elsewhere: from the witnesses themselves, the file beside the key, a receipt.
    Only they can show that somebody with the database and the log's key made a new history. With `entry_keys` every
    entry must be a statement that one of them signed, looked up as what it is (some 8,000 a second). It raises nothing
    for what is in the database.
    """
    check = _Verification((tuple(keys), tuple(entry_keys)), witnesses, depth, tuple(seen))
    try:
        with database.read() as connection:
            check.run(connection)
    except Exception as error:  # noqa: BLE001  whatever a database does that was tampered with is a finding
        check.find("the database", f"cannot be read to its end ({type(error).__name__})")
    return check.report()


# Private


class _Verification:
    def __init__(
        self,
        keys: tuple[tuple[PublicKey, ...], tuple[PublicKey, ...]],
        quorum: Quorum,
        depth: Depth,
        seen: tuple[bytes, ...],
    ) -> None:
        self._keys, self._entry_keys = keys
        self._quorum = quorum
        self._depth: Depth = depth
        self._findings: list[Finding] = []
        self._origin = ""
        self._head_frontier: object = None
        self._size = 0
        self._frontier = Frontier()
        self._writer = TileWriter()
        self._checkpoints = 0
        self._last = 0
        self._witnessed = 0
        self._sightings: list[Sighting] = []
        self._starts: list[tuple[int, str]] = []
        self._seen = seen
        self._seen_at: dict[int, list[Checkpoint]] = {}

    def report(self) -> Report:
        witnessed = self._witnessed
        exposure = describe_exposure(self._size, self._sightings)
        root = self._frontier.root.hex()
        found = tuple(self._findings)
        return Report(self._origin, self._size, root, self._depth, self._checkpoints, witnessed, found, exposure)

    def find(self, place: str, what: str) -> None:
        if len(self._findings) < MOST_FINDINGS:
            self._findings.append(Finding(place, what))

    def run(self, connection: Connection) -> None:
        for part in (self._read_head, self._read_epochs, self._read_seen, self._read_tree):
            place = part.__name__.removeprefix("_read_")
            try:
                part(connection)
            except Exception as error:  # noqa: BLE001  see verify_log
                self.find(f"the {place}", f"cannot be read ({type(error).__name__})")

    def _read_head(self, connection: Connection) -> None:
        rows = connection.execute(text("SELECT origin, size, frontier, epoch FROM heads")).all()
        if len(rows) != 1:
            self.find("heads", f"{len(rows)} rows instead of one")
            return
        origin, size, frontier, _ = rows[0]
        if not isinstance(origin, str) or not isinstance(size, int) or size < 0:
            self.find("heads", "is no head")
            return
        self._origin, self._size, self._head_frontier = origin, size, frontier

    def _read_epochs(self, connection: Connection) -> None:
        for number, row in enumerate(
            connection.execute(text("SELECT number, origin, start FROM epochs ORDER BY number")), start=1
        ):
            place = f"epoch {number}"
            if tuple(row)[:2] != (number, epoch_origin(self._origin, number)) or not isinstance(row.start, int):
                self.find(place, "is none of this log")
                continue
            self._starts.append((row.start, row.origin))
            if number > 1:
                self._check_recovery(connection, place, row.start)
        if not self._starts or self._starts[0][0] != 0 or self._starts != sorted(self._starts):
            self.find("epochs", "do not follow one another from 0")

    def _check_recovery(self, connection: Connection, place: str, start: int) -> None:
        query = text('SELECT envelope FROM entries WHERE "index" = :start')
        envelope = connection.execute(query, {"start": start}).scalar()
        try:
            recovered = isinstance(open_entry(envelope or b"", list(self._keys))[0].predicate, Recovery)
        except Exception:  # noqa: BLE001  see verify_log
            recovered = False
        if not recovered:
            self.find(place, f"entry {start} is no recovery that the log's key signed")

    def _read_seen(self, connection: Connection) -> None:  # noqa: ARG002  called like its neighbours
        for number, note in enumerate(self._seen):
            place = f"checkpoint from elsewhere {number}"
            try:
                checkpoint = read_checkpoint(note)
                known = [*self._log_keys(checkpoint.origin), *self._quorum.witnesses]
                verify_note(parse_note(note), known)
            except NoteError as error:
                self.find(place, f"is none that can be trusted ({error.what})")
                continue
            if checkpoint.origin not in {origin for _, origin in self._starts}:
                self.find(place, f"is of {checkpoint.origin}, which this log does not know")
            elif checkpoint.size > self._size:
                self.find(place, f"tells of {checkpoint.size} entries, and the log has {self._size}")
            else:
                self._seen_at.setdefault(checkpoint.size, []).append(checkpoint)

    def _read_tree(self, connection: Connection) -> None:
        tiles = -(-self._size // WIDTH)
        for first in range(0, tiles, TILES_A_PAGE):
            begin, end = first * WIDTH, min((first + TILES_A_PAGE) * WIDTH, self._size)
            leaves = self._leaves(connection, first, end)
            if len(leaves) != end - begin:
                return
            if self._depth == "entries":
                self._check_entries(connection, begin, leaves)
            self._check_upper(connection, self._writer.extend(leaves))
            self._check_roots(connection, begin, leaves)
        self._check_upper(connection, [data for data in self._writer.partial() if data.tile.level])
        self._check_surplus(connection)
        if self._head_frontier != b"".join(self._frontier.hashes):
            self.find("heads", "its frontier is not that of the tiles")
        if self._last != self._size:
            self.find("checkpoints", f"the last is of {self._last} entries, and the log has {self._size}")

    def _leaves(self, connection: Connection, first: int, end: int) -> list[bytes]:
        query = text('SELECT "index", hashes FROM tiles WHERE level = 0 AND "index" >= :begin AND "index" < :end')
        last = -(-end // WIDTH)
        found = dict(self._paged(connection, query, "tile/0/", first, last))
        leaves: list[bytes] = []
        for index in range(first, last):
            data, width = found.get(index), min(WIDTH, self._size - index * WIDTH)
            if not isinstance(data, bytes) or len(data) != width * HASH_SIZE:
                self.find(f"tile/0/{index}", "is missing" if data is None else "has a wrong length")
                return leaves
            leaves += [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]
        return leaves

    def _check_entries(self, connection: Connection, begin: int, leaves: Sequence[bytes]) -> None:
        query = text(
            'SELECT "index", leaf, envelope, predicate FROM entries WHERE "index" >= :begin AND "index" < :end'
        )
        missing = set(range(begin, begin + len(leaves)))
        for index, leaf, envelope, predicate in self._paged(connection, query, "entry ", begin, begin + len(leaves)):
            missing.discard(index)
            if not isinstance(envelope, bytes) or leaf_hash(envelope) != leaves[index - begin]:
                self.find(f"entry {index}", "is not the one that was signed")
            elif leaf != leaves[index - begin]:
                self.find(f"entry {index}", "its leaf hash was changed")
            elif self._entry_keys:
                self._check_statement(index, envelope, predicate)
        for index in sorted(missing)[:MOST_FINDINGS]:
            self.find(f"entry {index}", "is missing or cannot be read")

    def _check_statement(self, index: int, envelope: bytes, predicate: Any) -> None:
        try:
            statement, _ = open_entry(envelope, list(self._entry_keys))
        except InputError as error:
            self.find(f"entry {index}", f"is no statement of a trusted key ({error.what})")
            return
        if statement.predicate_type != predicate:
            self.find(f"entry {index}", "is looked up as another kind of statement")

    def _check_upper(self, connection: Connection, written: Sequence[TileData]) -> None:
        query = text('SELECT hashes FROM tiles WHERE level = :level AND "index" = :number')
        for data in written:
            if data.tile.level:
                kept = connection.execute(query, {"level": data.tile.level, "number": data.tile.index}).scalar()
                if kept != data.data:
                    self.find(data.tile.path, "is missing" if kept is None else "is not what follows from the leaves")

    def _check_roots(self, connection: Connection, begin: int, leaves: Sequence[bytes]) -> None:
        end = begin + len(leaves)
        query = text("SELECT size, note FROM checkpoints WHERE size >= :begin AND size < :end ORDER BY size")
        notes = dict(self._paged(connection, query, "checkpoint ", begin + 1, end + 1))
        lines = self._cosignatures(connection, begin + 1, end + 1)
        for size in sorted({*notes, *(size for size in self._seen_at if begin < size <= end)}):
            self._frontier = self._frontier.extend(leaves[self._frontier.size - begin : size - begin])
            for checkpoint in self._seen_at.get(size, ()):
                if checkpoint.root != self._frontier.root:
                    self.find(f"the first {size} entries", "are not those of a checkpoint from elsewhere")
            if size in notes:
                self._check_checkpoint(size, notes[size], lines.get(size, []))
        self._frontier = self._frontier.extend(leaves[self._frontier.size - begin :])

    def _check_checkpoint(self, size: int, note: Any, lines: Sequence[tuple[str, Any]]) -> None:
        place = f"checkpoint {size}"
        self._checkpoints += 1
        self._last = size
        origin = [origin for start, origin in self._starts if start < size][-1:] or [self._origin]
        try:
            verified = open_checkpoint(str(note).encode(), origin[0], self._log_keys(origin[0]))
        except (NoteError, UnicodeError) as error:
            self.find(place, f"was not signed by the log ({error})")
            return
        if verified.checkpoint.size != size or verified.checkpoint.root != self._frontier.root:
            self.find(place, "is not of these entries")
            return
        times = {name: time for name, line in lines if (time := self._time(place, verified.note, name, line))}
        if self._quorum.needed and len(times) >= self._quorum.needed:
            self._witnessed = size
            self._sightings = [Sighting(max(times.values()), size, self._frontier.root)]

    def _time(self, place: str, note: bytes, name: str, line: Any) -> int | None:
        """When a trusted witness said that it saw this; one that is not trusted here says nothing."""
        known = [key for key in self._quorum.witnesses if key.name == name]
        if not known:
            return None
        try:
            verified = verify_note(Note(parse_note(note).text, parse_signatures(str(line).encode())), known)
        except (NoteError, UnicodeError):
            self.find(f"{place}, witness {name}", "did not cosign this")
            return None
        return cosignature_time(verified.signatures[0].signature)

    def _check_surplus(self, connection: Connection) -> None:
        """What stands after the end: nothing that the log wrote."""
        questions = {
            "entry": 'SELECT "index" FROM entries WHERE "index" < 0 OR "index" >= :size ORDER BY 1 LIMIT 20',
            "checkpoint": "SELECT size FROM checkpoints WHERE size < 1 OR size > :size ORDER BY 1 LIMIT 20",
            "tile/0": 'SELECT "index" FROM tiles WHERE level = 0 AND "index" * 256 >= :size ORDER BY 1 LIMIT 20',
        }
        for kind, question in questions.items():
            for (index,) in connection.execute(text(question), {"size": self._size}):
                self.find(f"{kind} {index}", "is beyond the end of the log")

    def _cosignatures(self, connection: Connection, begin: int, end: int) -> dict[int, list[tuple[str, Any]]]:
        query = text("SELECT size, witness, line FROM cosignatures WHERE size >= :begin AND size < :end")
        found: dict[int, list[tuple[str, Any]]] = {}
        for size, name, line in self._paged(connection, query, "cosignatures of ", begin, end):
            found.setdefault(size, []).append((str(name), line))
        return found

    def _paged(self, connection: Connection, query: Any, place: str, begin: int, end: int) -> Iterator[tuple[Any, ...]]:
        """The rows of [begin, end); where they cannot be read, those that can, and a finding for each that cannot."""
        try:
            rows = connection.execute(query, {"begin": begin, "end": end}).all()
        except Exception as error:  # noqa: BLE001  see verify_log
            if end - begin <= 1:
                self.find(f"{place}{begin}", f"cannot be read ({type(error).__name__})")
                return
            middle = (begin + end) // 2
            yield from self._paged(connection, query, place, begin, middle)
            yield from self._paged(connection, query, place, middle, end)
            return
        for row in rows:
            yield tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)

    def _log_keys(self, origin: str) -> list[NoteKey]:
        return [NoteKey(origin, KeyKind.LOG, key) for key in self._keys]
