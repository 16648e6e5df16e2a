"""Evidence packs: a folder or a zip that an auditor verifies without a network, without Tidegate, and without us."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.ledger.checkpoint import read_checkpoint
from tidegate.ledger.evidence.controls import Answer, Answered, answers_for_all, answers_for_item, map_controls
from tidegate.ledger.evidence.kinds import SENTENCES, Kind
from tidegate.ledger.evidence.sample import Sample
from tidegate.ledger.evidence.source import Source
from tidegate.ledger.evidence.values import Expect, Found, Item, Leg, Population
from tidegate.ledger.fields import format_time
from tidegate.ledger.keys import NoteKey

SCHEMA: Final = "tidegate.evidence/1"
SUMS = "SHA256SUMS"

Facts = Callable[[str], bytes | None]
"""Answers the document that a facts digest of a decision stands for, where it is kept."""


class Counted(Struct, frozen=True):
    """How often a kind of exception was found, and what it means."""

    kind: Kind
    count: int
    means: str


class Listed(Struct, frozen=True):
    """One commit with what was found of it. `files` are the entries of the pack that speak of it."""

    change: Item
    answers: tuple[Answer, ...]
    files: tuple[str, ...]


class Drawn(Struct, frozen=True):
    """How the sample was drawn, so that anybody can draw it again."""

    seed_entry: int
    seed: str
    audit: str
    revealed: str
    wanted: int
    method: str = 'the smallest HMAC-SHA-256(key, "REF COMMIT"); the key is the seed, or the secret that it is of'


class Ledger(Struct, frozen=True):
    """Which ledger, how far it was read, and whose signatures to expect. `exposure` says what nobody could notice."""

    origin: str
    size: int
    checkpoint: str
    log_key: str
    witness_keys: tuple[str, ...]
    exposure: str


class Pack(Struct, frozen=True, kw_only=True):
    """`index.json`: everything that the pack says. `changes` are those that were chosen, of `commits` in all.

    `whole_changes` counts a change that landed as several commits once.
    """

    schema: Literal["tidegate.evidence/1"] = SCHEMA
    repository: str
    begin: str
    end: str
    made_at: str
    refs: tuple[str, ...]
    expected: Expect
    commits: int
    whole_changes: int
    population: str
    legs: tuple[Leg, ...]
    exceptions: tuple[Counted, ...]
    loose: tuple[Found, ...]
    sample: Drawn | None
    controls: tuple[Answered, ...]
    changes: tuple[Listed, ...]
    ledger: Ledger


class Trust(Struct, frozen=True):
    """The keys that a reader is told to expect, and what the audit of the ledger said of its exposure."""

    log_key: NoteKey
    witness_keys: tuple[NoteKey, ...] = ()
    exposure: str = ""


def make_pack(
    population: Population,
    source: Source,
    trust: Trust,
    expect: Expect,
    *,
    sample: Sample | None = None,
    only: Sequence[Item] | None = None,
) -> Pack:
    """The index of a pack of the whole population, of a sample of it, or of some commits only."""
    chosen = sample.items if sample is not None else tuple(only) if only is not None else population.items
    note = source.checkpoint()
    checkpoint = read_checkpoint(note)
    answers = answers_for_all(population, chosen)
    if only is not None and len(chosen) == 1:
        answers = answers_for_item(chosen[0], population.legs)
    keys = tuple(key.vkey for key in trust.witness_keys)
    return Pack(
        repository=population.repository,
        begin=_shown(population.period.begin),
        end=_shown(population.period.end),
        made_at=_shown(population.period.now),
        refs=population.refs,
        expected=expect,
        commits=len(population.items),
        whole_changes=sum(not item.part_of for item in population.items),
        population=population.digest,
        legs=population.legs,
        exceptions=_counted(population, chosen if only is not None else None),
        loose=population.loose if only is None else (),
        sample=_drawn(sample),
        controls=map_controls(answers),
        changes=tuple(
            Listed(item, answers_for_item(item, population.legs), tuple(map(entry_path, item.entries)))
            for item in chosen
        ),
        ledger=Ledger(checkpoint.origin, checkpoint.size, note.decode(), trust.log_key.vkey, keys, trust.exposure),
    )


def pack_files(pack: Pack, source: Source, facts: Facts, page: bytes) -> dict[str, bytes]:
    """Every file of the pack by its path. `page` is the index as a page for people."""
    wanted = {index for listed in pack.changes for index in listed.change.entries}
    wanted |= {index for found in pack.loose for index in found.entries if index < pack.ledger.size}
    if pack.sample is not None:
        wanted.add(pack.sample.seed_entry)
    files: dict[str, bytes] = {"index.json": msgspec.json.format(msgspec.json.encode(pack), indent=1) + b"\n"}
    files["index.html"] = page
    for index in sorted(wanted):
        files[entry_path(index)] = source.envelope(index)
        files[f"receipts/{index:09}.tlog-proof"] = source.receipt(index).text
    for digest in sorted({listed.change.facts for listed in pack.changes if listed.change.facts}):
        if (document := facts(digest)) is not None:
            files[f"facts/{digest}.json"] = document
    files["checkpoint"] = source.checkpoint()
    files["keys/log.vkey"] = f"{pack.ledger.log_key}\n".encode()
    for number, vkey in enumerate(pack.ledger.witness_keys):
        files[f"keys/witness-{number}.vkey"] = f"{vkey}\n".encode()
    files["README.txt"] = _readme(pack).encode()
    sums = (f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))
    files[SUMS] = "".join(sums).encode()
    return files


def write_pack(out: Path, files: Mapping[str, bytes]) -> None:
    """Writes a zip where the name ends so, else a new or empty folder. The same files give the same bytes."""
    try:
        if out.suffix == ".zip":
            out.parent.mkdir(parents=True, exist_ok=True)
            with out.open("xb") as stream:
                stream.write(_zipped(files))
            return
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise InputError("the folder is not empty", where=str(out), mend="name a new one")
        for path, data in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(data)
    except FileExistsError as error:
        raise InputError("there is something already", where=str(out), mend="name a new one") from error
    except OSError as error:
        raise InputError(f"the pack cannot be written there ({error.strerror})", where=str(out)) from error


def entry_path(index: int) -> str:
    return f"entries/{index:09}.json"


# Private


def _counted(population: Population, only: Sequence[Item] | None) -> tuple[Counted, ...]:
    """Of the whole population: a sample does not hide what is beside it."""
    items = population.items if only is None else only
    counts: dict[Kind, int] = {}
    loose = population.loose if only is None else ()
    for found in (*loose, *(found for item in items for found in item.exceptions)):
        counts[found.kind] = counts.get(found.kind, 0) + 1
    return tuple(Counted(kind, counts[kind], means) for kind, means in SENTENCES.items() if kind in counts)


def _drawn(sample: Sample | None) -> Drawn | None:
    if sample is None:
        return None
    return Drawn(sample.seed_entry, sample.seed, sample.audit, sample.revealed, sample.wanted)


def _shown(seconds: float) -> str:
    return format_time(int(seconds))


def _zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _readme(pack: Pack) -> str:
    witnesses = "".join(f" --witness-key keys/witness-{number}.vkey" for number in range(len(pack.ledger.witness_keys)))
    return f"""Evidence of {pack.repository}, {pack.begin} to {pack.end}

index.html   for people; it needs no network
index.json   the same for machines ({SCHEMA})
entries/     statements of the ledger, each as it was signed (DSSE, in-toto)
receipts/    the proof for each entry that it is in the ledger (c2sp.org/tlog-proof@v1)
facts/       the documents that decisions name by digest, where they are kept
keys/        the keys to expect. Compare them with those that you were given by another way.

To verify it you need Python, its package `cryptography`, and verify_ledger.py, which is one file of 300 lines:

  sha256sum -c {SUMS}
  for receipt in receipts/*.tlog-proof; do
    entry=entries/$(basename "$receipt" .tlog-proof).json
    python verify_ledger.py --receipt "$receipt" --entry "$entry" --log-key keys/log.vkey{witnesses} || break
  done

What nobody could have noticed: {pack.ledger.exposure or "the ledger was not audited for this pack"}
"""
