"""A ledger in its database, verified whole and held against what others saw of it."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.errors import InputError
from tidegate.ledger import log_rows as rows
from tidegate.ledger.audit import Sighting, describe_exposure
from tidegate.ledger.evidence.check import Checked, clock_findings, read_sightings, sightings_findings
from tidegate.ledger.evidence.database import DatabaseSource
from tidegate.ledger.keys import KeyKind, NoteKey, PublicKey
from tidegate.ledger.log_verify import Depth, verify_log
from tidegate.ledger.quorum import Quorum
from tidegate.store.engine import Database


def check_database(
    database: Database,
    log_key: NoteKey,
    quorum: Quorum,
    seen: tuple[Sequence[bytes], Sequence[Sighting]],
    entry_keys: Sequence[PublicKey] = (),
) -> Checked:
    """`verify_log`, and beyond it what witnesses remember (`seen`: signed notes, sightings) and the times of entries.

    Without `entry_keys` neither entries nor their times are read, but only tiles and checkpoints.
    """
    notes, remembered = seen
    depth: Depth = "entries" if entry_keys else "tiles"
    report = verify_log(
        database, [log_key.public_key], quorum, depth=depth, seen=tuple(notes), entry_keys=tuple(entry_keys)
    )
    findings = [str(finding) for finding in report.findings]
    if report.origin != log_key.name:
        findings.append(f"this is the ledger of {report.origin}, and the key is that of {log_key.name}")
    sightings = list(remembered)
    if report.whole and report.size:
        source = DatabaseSource(database, quorum.needed)
        own, wrong = _own_sightings(database, log_key, quorum, notes)
        findings += wrong
        sightings += own
        findings += [each.what for each in sightings_findings(source, sightings)]
        if entry_keys:
            clock, wrong = clock_findings(source, entry_keys, sightings)
            findings += [*wrong, *(each.what for each in clock)]
    exposure = describe_exposure(report.size, [each for each in sightings if each.time > 0])
    names = {key.name for key in quorum.witnesses} if report.witnessed == report.size and report.size else set()
    return Checked(report.origin, report.size, tuple(sorted(names)), len(sightings), tuple(findings), exposure)


# Private


def _own_sightings(
    database: Database, log_key: NoteKey, quorum: Quorum, notes: Sequence[bytes]
) -> tuple[list[Sighting], list[str]]:
    """What trusted witnesses' cosignatures in the database and the given notes say, under the origin of any epoch."""
    kept: list[bytes] = []
    with database.read() as connection:
        origins = [epoch.origin for epoch in rows.all_epochs(connection)]
        for size in sorted(set(rows.cosigned_sizes(connection, 0).values())):
            checkpoint = rows.checkpoint(connection, least=size)
            if checkpoint is not None and quorum.witnesses:
                lines = "".join(each.line for each in rows.cosignatures_of(connection, checkpoint.size))
                kept.append(f"{checkpoint.note}{lines}".encode())
    keys = [NoteKey(origin, KeyKind.LOG, log_key.public_key) for origin in origins]
    try:
        return read_sightings([*kept, *notes], keys, quorum)
    except InputError as error:
        return [], [str(error)]
