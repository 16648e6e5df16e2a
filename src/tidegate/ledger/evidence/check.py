"""Is this ledger the one that others saw? An exported folder verified whole, and sightings held against any source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.ledger.audit import Finding, Sighting, audit_clock, audit_tree, describe_exposure
from tidegate.ledger.checkpoint import Checkpoint, VerifiedCheckpoint, open_checkpoint, read_checkpoint
from tidegate.ledger.evidence.source import FolderSource, Source
from tidegate.ledger.fields import parse_time
from tidegate.ledger.keys import NoteKey, PublicKey, cosignature_time
from tidegate.ledger.merkle import EMPTY_ROOT, leaf_hash
from tidegate.ledger.notes import NoteError
from tidegate.ledger.quorum import Quorum
from tidegate.ledger.statements import open_entry
from tidegate.ledger.tiles import TileData, TileError, TileWriter


class Checked(Struct, frozen=True):
    """What holds and what not, in sentences. `witnesses` cosigned the last checkpoint; `seen` counts sightings."""

    origin: str
    size: int
    witnesses: tuple[str, ...]
    seen: int
    findings: tuple[str, ...]
    exposure: str

    @property
    def whole(self) -> bool:
        return not self.findings


class Elsewhere(Struct, frozen=True):
    """What others remember: signed checkpoints that somebody kept, and what witnesses saw when."""

    notes: tuple[bytes, ...] = ()
    sightings: tuple[Sighting, ...] = ()


def check_folder(
    source: FolderSource,
    log_key: NoteKey,
    quorum: Quorum,
    elsewhere: Elsewhere,
    entry_keys: Sequence[PublicKey] = (),
) -> Checked:
    """Hashes every entry, compares every tile, and holds the result against the signatures and what others saw.

    With `entry_keys` every entry must be a statement that one of them signed, and its time one that can be true.
    """
    check = _FolderCheck(source, log_key, quorum, elsewhere)
    return check.run(tuple(entry_keys))


def read_sightings(
    notes: Sequence[bytes], log_keys: Sequence[NoteKey], quorum: Quorum
) -> tuple[list[Sighting], list[str]]:
    """The sightings that these notes are, and what is wrong with those that cannot be trusted.

    The time is that of the first trusted cosignature; a note of the log alone was seen at no time (0).
    """
    sightings: list[Sighting] = []
    wrong: list[str] = []
    for number, note in enumerate(notes):
        try:
            origin = read_checkpoint(note).origin
            keys = [key for key in log_keys if key.name == origin]
            verified = open_checkpoint(note, origin, keys, quorum.witnesses)
        except NoteError as error:
            wrong.append(f"the checkpoint {number} from elsewhere cannot be trusted: {error.what}")
            continue
        sightings.append(_sighting(verified, quorum))
    return sightings, wrong


def clock_findings(
    source: Source, keys: Sequence[PublicKey], sightings: Sequence[Sighting]
) -> tuple[list[Finding], list[str]]:
    """Statements whose time cannot be true by the witnesses' times, and entries that no key signed."""
    wrong: list[str] = []
    timed = [sighting for sighting in sightings if sighting.time > 0]
    return audit_clock(_times(source, keys, wrong), timed), wrong


def sightings_findings(source: Source, sightings: Sequence[Sighting]) -> list[Finding]:
    """What the entries of the source have against what was seen of them."""
    checkpoint = read_checkpoint(source.checkpoint())
    return audit_tree((leaf_hash(envelope) for _, envelope in source.entries()), checkpoint, sightings)


# Private


class _FolderCheck:
    def __init__(self, source: FolderSource, log_key: NoteKey, quorum: Quorum, elsewhere: Elsewhere) -> None:
        self._source = source
        self._log_key = log_key
        self._quorum = quorum
        self._elsewhere = elsewhere
        self._findings: list[str] = []
        self._sightings: list[Sighting] = []
        self._witnesses: tuple[str, ...] = ()

    def run(self, entry_keys: Sequence[PublicKey]) -> Checked:
        checkpoint = self._checkpoint()
        seen, wrong = read_sightings(self._elsewhere.notes, [self._log_key], self._quorum)
        self._findings += wrong
        self._sightings += [*seen, *self._elsewhere.sightings]
        try:
            tree = audit_tree(self._leaves(), checkpoint, self._sightings)
            self._findings += [finding.what for finding in tree]
            if entry_keys:
                clock, wrong = clock_findings(self._source, entry_keys, self._sightings)
                self._findings += [*wrong, *(finding.what for finding in clock)]
        except InputError as error:
            self._findings.append(str(error))
        exposure = describe_exposure(checkpoint.size, [each for each in self._sightings if each.time > 0])
        seen_by = len(self._sightings)
        return Checked(checkpoint.origin, checkpoint.size, self._witnesses, seen_by, tuple(self._findings), exposure)

    def _checkpoint(self) -> Checkpoint:
        note, shown = self._source.checkpoint(), self._source.shown
        try:
            verified = open_checkpoint(note, self._log_key.name, [self._log_key], self._quorum.witnesses)
            self._witnesses = tuple(sorted({witness.name for witness, _ in self._quorum.cosignatures(verified)}))
            if self._witnesses:
                self._sightings.append(_sighting(verified, self._quorum))
            self._quorum.require(verified)
        except NoteError as error:
            self._findings.append(f"the checkpoint does not hold: {error.what}")
        return shown

    def _leaves(self) -> Iterator[bytes]:
        writer = TileWriter()
        for _, envelope in self._source.entries():
            leaf = leaf_hash(envelope)
            self._compare(writer.extend([leaf]))
            yield leaf
        self._compare(writer.partial())

    def _compare(self, made: Iterable[TileData]) -> None:
        for data in made:
            try:
                kept = self._source.read_tile(data.tile)
            except TileError as error:
                self._findings.append(str(error))
                continue
            if kept != data.data:
                self._findings.append(f"{data.tile.path} does not agree with the entries")


def _sighting(verified: VerifiedCheckpoint, quorum: Quorum) -> Sighting:
    known = {(key.name, key.key_id) for key in quorum.witnesses}
    times = [cosignature_time(line.signature) or 0 for line in verified.signatures if (line.name, line.key_id) in known]
    checkpoint = verified.checkpoint
    return Sighting(min(times, default=0), checkpoint.size, checkpoint.root if checkpoint.size else EMPTY_ROOT)


def _times(source: Source, keys: Sequence[PublicKey], wrong: list[str]) -> Iterator[tuple[int, float]]:
    trusted = list(keys)
    for index, envelope in source.entries():
        try:
            statement, _ = open_entry(envelope, trusted)
        except InputError as error:
            wrong.append(f"entry {index} is no statement of a trusted key: {error.what}")
            continue
        if time := statement.predicate.said:
            yield index, parse_time(time).timestamp()
