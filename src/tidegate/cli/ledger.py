"""`tidegate ledger`: verify it, prove what is in it, take it along, and gather evidence from it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.ledger_evidence import evidence, seed
from tidegate.cli.ledger_source import (
    is_database,
    key_options,
    log_key_of,
    open_source,
    opened,
    quorum_of,
    source_argument,
)
from tidegate.cli.ledger_write import erase, recover
from tidegate.cli.options import json_option, write_result, write_to
from tidegate.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate.ledger.audit import Sighting
    from tidegate.ledger.evidence.check import Checked
    from tidegate.ledger.keys import NoteKey, PublicKey
    from tidegate.ledger.quorum import Quorum

_PATH = click.Path(path_type=Path)


@click.group(name="ledger", context_settings={"help_option_names": ["-h", "--help"]})
def ledger() -> None:
    """The record of what was decided, approved and done: verify it, and take proofs of it along.

    LEDGER is the URL of a database or a folder that `export` wrote; without one it is the database of the service on
    this machine. Exit codes: 0 verified or done, 1 not verified, 2 the input is wrong.
    """


@click.command(name="verify")
@source_argument
@key_options
@click.option("--known", multiple=True, type=_PATH, metavar="NOTE", help="A checkpoint that you kept from earlier.")
@click.option("--witness-state", "states", multiple=True, type=_PATH, metavar="DIR", help="A witness's folder.")
@click.option(
    "--witness-git", "repositories", multiple=True, type=_PATH, metavar="REPO", help="A witness's repository."
)
@click.option("--ref", default="refs/tidegate/witness", show_default=True, help="The ref of --witness-git.")
@click.option(
    "--entry-key", "entry_keys", multiple=True, metavar="VKEY", help="Who may sign entries. [default: the log]"
)
@click.option("--quick", is_flag=True, help="Tiles and checkpoints only, not every entry.")
@json_option
def verify(
    ledger: str,
    log_key: str | None,
    witness_keys: tuple[str, ...],
    quorum: int | None,
    known: tuple[Path, ...],
    states: tuple[Path, ...],
    repositories: tuple[Path, ...],
    ref: str,
    entry_keys: tuple[str, ...],
    quick: bool,
    format_: str,
) -> int:
    """Hold every entry, tile, checkpoint and time against each other and against what others saw.

    Give everything that somebody outside remembers: only that can show that the keeper made a new history. What could
    have happened unnoticed is said in any case.
    """
    from tidegate.cli.ledger_keys import read_vkey

    key, given = log_key_of(log_key, ledger)
    trusted = quorum_of(witness_keys, quorum)
    seen = _remembered(key, states, repositories, ref)
    notes = [_read(path) for path in known]
    signers = [read_vkey(text, "--entry-key").public_key for text in entry_keys] or [key.public_key]
    if is_database(ledger):
        found = _verify_database(ledger, key, trusted, (notes, seen), () if quick else signers)
    else:
        from tidegate.ledger.evidence.check import Elsewhere, check_folder
        from tidegate.ledger.evidence.source import FolderSource

        elsewhere = Elsewhere(tuple(notes), tuple(seen))
        found = check_folder(FolderSource(Path(ledger)), key, trusted, elsewhere, () if quick else signers)
    _say(found, given, format_)
    return 0 if found.whole else 1


@click.command(name="prove")
@click.argument("index", type=click.IntRange(0))
@source_argument
@click.option(
    "--from-size", type=click.IntRange(1), help="Prove instead that the log of this size begins that of INDEX."
)
def prove(index: int, ledger: str, from_size: int | None) -> int:
    """The hashes that prove that entry INDEX is in the ledger (RFC 9162), one a line in base64.

    With --from-size, that the ledger of INDEX entries continues the one of that size.
    """
    with open_source(ledger) as source:
        proof = source.receipt(index).proof if from_size is None else source.consistency(from_size, index)
    write_result("\n".join(base64.b64encode(hash_).decode() for hash_ in proof))
    return 0


@click.command(name="receipt")
@click.argument("index", type=click.IntRange(0))
@source_argument
@click.option("--entry", type=_PATH, metavar="FILE", help="Write the entry itself here: a receipt is of its bytes.")
@click.option("-o", "--output", type=_PATH, metavar="FILE", help="Write the receipt here.")
def receipt(index: int, ledger: str, entry: Path | None, output: Path | None) -> int:
    """What proves entry INDEX for ever without a network (c2sp.org/tlog-proof@v1)."""
    with open_source(ledger, 1) as source:
        envelope, proof = source.envelope(index), source.receipt(index)
    if entry is not None:
        write_to(entry, envelope)
    write_to(output, proof.text)
    return 0


@click.command(name="export")
@click.argument("folder", type=_PATH)
@source_argument
def export(folder: Path, ledger: str) -> int:
    """Write tiles, entries and the checkpoint as any reader of C2SP tlog-tiles understands them, into a new FOLDER."""
    if not is_database(ledger):
        raise InputError("this is an exported ledger already", where=ledger)
    with opened(ledger) as database:
        from tidegate.ledger.evidence.database import DatabaseSource
        from tidegate.ledger.log_export import export as write_folder

        source = DatabaseSource(database)
        with database.read() as connection:
            size = write_folder(connection, folder, source.size, source.checkpoint())
    click.echo(f"{size} entries are in {folder}", err=True)
    return 0


for command in (verify, prove, receipt, export, erase, recover, seed, evidence):
    ledger.add_command(command)


# Private


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=f"--known {path}") from error


def _remembered(key: NoteKey, states: Sequence[Path], repositories: Sequence[Path], ref: str) -> list[Sighting]:
    """What witnesses that can be asked here remember of this log."""
    from tidegate.ledger.witness_state import FolderState
    from tidegate.server.witness import GitState, sightings_of

    for folder in states:
        if not folder.is_dir():
            raise InputError("is no folder", where=f"--witness-state {folder}")
    kept = sightings_of([FolderState(folder) for folder in states], key.name)
    return [*kept, *sightings_of([GitState(repository, ref) for repository in repositories], key.name)]


def _verify_database(
    ledger: str,
    key: NoteKey,
    quorum: Quorum,
    seen: tuple[list[bytes], list[Sighting]],
    signers: Sequence[PublicKey],
) -> Checked:
    with opened(ledger) as database:
        from tidegate.ledger.evidence.check_database import check_database

        return check_database(database, key, quorum, seen, tuple(signers))


def _say(found: Checked, key_given: bool, format_: str) -> None:
    if format_ == "json":
        import msgspec

        shown = {**msgspec.to_builtins(found), "verified": found.whole, "key_given": key_given}
        write_result(msgspec.json.format(msgspec.json.encode(shown)))
        return
    from tidegate.report.escape import terminal

    lines = [f"{found.origin}: {found.size} entries"]
    lines += [f"  not verified: {what}" for what in found.findings]
    if found.whole:
        lines.append("  verified: entries, tiles, checkpoints and signatures agree with each other")
        lines.append(
            f"  held against {found.seen} sightings of others"
            + (f"; cosigned by {', '.join(found.witnesses)}" if found.witnesses else "")
        )
    if not key_given:
        lines.append(
            "  the key was taken from this machine: whoever holds it could have changed key and ledger together"
        )
    lines.append(f"  {found.exposure}")
    write_result("\n".join(terminal(line) for line in lines))
