"""`tidegate ledger evidence` and `seed`: the complete population of a period, a sample of it, and a pack of both."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.ledger_source import (
    is_database,
    key_options,
    log_key_of,
    open_source,
    open_writable,
    opened,
    quorum_of,
    signing_key,
    source_argument,
)
from tidegate.cli.options import moment, open_named, repo_option
from tidegate.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate.ledger.evidence.pack import Facts
    from tidegate.ledger.evidence.record import Record
    from tidegate.ledger.evidence.sample import Sample
    from tidegate.ledger.evidence.values import Item, Merge, Period, Population, World
    from tidegate.ledger.keys import NoteKey
    from tidegate.ledger.quorum import Quorum

_PATH = click.Path(path_type=Path)


@click.command(name="seed")
@click.argument("audit")
@click.option("--from", "begin", required=True, metavar="TIME", help="When the period of the audit begins.")
@click.option("--to", "end", required=True, metavar="TIME", help="When it ends: later than now.")
@click.option("--seed", "given", metavar="HEX", help="64 hex digits. [default: from the system's randomness]")
def seed(audit: str, begin: str, end: str, given: str | None) -> int:
    """Put the seed of AUDIT's sample on record, before the period ends and anybody can know what it draws.

    The entry's number is what `evidence --seed` wants. An auditor can give the SHA-256 of a secret instead and say the
    secret only when the period is over: then nobody can make commits that the seed does not draw.
    """
    import secrets

    with open_writable() as (_, log):
        from tidegate.ledger.evidence.entries import seed_entry
        from tidegate.ledger.predicates.sample_seed import SampleSeed

        text = given or secrets.token_hex(32)
        says = SampleSeed(audit=audit, seed=text, begin=moment(begin), end=moment(end), at=moment(None))
        index = log.append(seed_entry(signing_key(), says, log.public_key().name))
    click.echo(f"Entry {index} holds the seed of {audit}: {text}")
    return 0


@click.command(name="evidence")
@source_argument
@click.option("--from", "begin", required=True, metavar="TIME", help="Commits that were merged from then on.")
@click.option("--to", "end", required=True, metavar="TIME", help="Commits that were merged before then.")
@click.option("--repository", required=True, metavar="URI", help="As statements name it: repo:OWNER/NAME.")
@click.option(
    "--ref", "refs", multiple=True, default=("refs/heads/main",), show_default=True, help="Protected branches."
)
@click.option(
    "--merges", type=_PATH, metavar="FILE", help="What the forge says was merged, as JSON: docs/evidence-packs.md."
)
@click.option("--sample", "wanted", type=click.IntRange(1, 100_000), metavar="N", help="A sample of N commits.")
@click.option("--seed", "seed_index", type=click.IntRange(0), metavar="ENTRY", help="The entry that holds its seed.")
@click.option("--secret", metavar="TEXT", help="What the seed on record is the SHA-256 of.")
@click.option("--change", metavar="COMMIT|NUMBER", help="One change only.")
@click.option(
    "--approvals", type=click.IntRange(0, 99), default=1, show_default=True, help="How many each change needs."
)
@click.option("--now", metavar="TIME", help="When the question is asked, for the same answer again.")
@click.option("-o", "--output", "out", type=_PATH, required=True, metavar="PACK", help="A new folder, or FILE.zip.")
@key_options
@repo_option
def evidence(ledger: str, out: Path, repo: Path | None, **given: object) -> int:
    """Join every commit of the protected branches to what is on record of it, or name it as an exception.

    The pack holds receipts and entries for whoever verifies it offline. Exit code 1: there are exceptions. With a
    database the forge's word comes from it; with an exported folder from --merges, or it is said to be not collected.
    """
    return _evidence(ledger, out, repo, _Wanted(given))


# Private


class _Wanted:
    """The options of `evidence`, by their types."""

    def __init__(self, given: dict[str, object]) -> None:
        self._given = given

    def text(self, name: str) -> str | None:
        value = self._given[name]
        return None if value is None else str(value)

    def number(self, name: str) -> int | None:
        value = self._given[name]
        return value if isinstance(value, int) else None

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._given[name]
        return value if isinstance(value, tuple) else ()

    @property
    def period(self) -> Period:
        from tidegate.ledger.evidence.values import Period
        from tidegate.ledger.fields import parse_time

        begin, end, now = (parse_time(moment(self.text(name))).timestamp() for name in ("begin", "end", "now"))
        if not begin < end:
            raise InputError("the period ends before it begins", where="--to")
        return Period(begin, end, now)


def _evidence(ledger: str, out: Path, repo: Path | None, wanted: _Wanted) -> int:
    from tidegate.ledger.evidence.pack import Trust, make_pack, pack_files, write_pack
    from tidegate.ledger.evidence.population import reconcile
    from tidegate.ledger.evidence.record import read_record
    from tidegate.ledger.evidence.values import Expect
    from tidegate.report.evidence_html import render_evidence_html

    key, _ = log_key_of(wanted.text("log_key"), ledger)
    quorum = quorum_of(wanted.texts("witness_keys"), wanted.number("quorum"))
    expect = Expect(approvals=wanted.number("approvals") or 0)
    period, repository = wanted.period, wanted.text("repository") or ""
    with ExitStack() as stack:
        source = stack.enter_context(open_source(ledger, quorum.needed))
        record = read_record(source.entries(), [key.public_key], repository)
        world, facts = _world(ledger, repo, wanted, record, stack)
        population = reconcile(record, world, period, expect)
        sample = _sample(population, record, wanted)
        only = _only(population, wanted.text("change"))
        trust = Trust(key, quorum.witnesses, _exposure(source.checkpoint(), key, quorum))
        pack = make_pack(population, source, trust, expect, sample=sample, only=only)
        write_pack(out, pack_files(pack, source, facts, render_evidence_html(pack)))
    shown = sum(each.count for each in pack.exceptions)
    click.echo(f"{pack.commits} commits, {shown} exceptions, {len(pack.changes)} in {out}", err=True)
    for each in pack.exceptions:
        click.echo(f"  {each.count:5}  {each.kind}: {each.means}", err=True)
    return 1 if shown else 0


def _world(ledger: str, repo: Path | None, wanted: _Wanted, record: Record, stack: ExitStack) -> tuple[World, Facts]:
    """Git's word, and beside it the forge's: from the service's database, or from a file."""
    from msgspec import structs

    from tidegate.change.protected import read_branch, with_landed
    from tidegate.ledger.evidence.population import named_commits
    from tidegate.ledger.evidence.values import World

    uri = wanted.text("repository") or ""
    refs = wanted.texts("refs")
    world = World(repository=uri, branches=())
    facts: Facts = _no_facts
    with open_named(repo) as repository:
        if is_database(ledger):
            from tidegate.change.configuration import read_settings
            from tidegate.server.audit import facts_of, read_world

            settings = read_settings(repository, repository.resolve(refs[0]), {}).settings
            database = stack.enter_context(opened(ledger))
            world, facts = read_world(database, uri, settings, moment(wanted.text("now"))), facts_of(database, uri)
        if (path := wanted.text("merges")) is not None:
            world = structs.replace(world, merges=_merges(Path(path)))
        for ref in refs if world.merges else ():
            world = structs.replace(world, merges=with_landed(repository, ref, world.merges or ()))
        named = named_commits(record, world)
        branches = tuple(read_branch(repository, ref, named) for ref in refs)
    return structs.replace(world, branches=branches), facts


def _merges(path: Path) -> tuple[Merge, ...]:
    import msgspec

    from tidegate.ledger.evidence.values import Merge

    try:
        return msgspec.json.decode(path.read_bytes(), type=tuple[Merge, ...])
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=f"--merges {path}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is no list of merges: {error}", where=f"--merges {path}") from error


def _sample(population: Population, record: Record, wanted: _Wanted) -> Sample | None:
    from tidegate.ledger.evidence.sample import draw

    number, seed_index = wanted.number("wanted"), wanted.number("seed_index")
    if (number is None) != (seed_index is None):
        raise InputError("a sample has a size and a seed", mend="say both: --sample N --seed ENTRY")
    if number is None or seed_index is None:
        return None
    return draw(population, record, seed_index, number, secret=wanted.text("secret"))


def _only(population: Population, change: str | None) -> Sequence[Item] | None:
    if change is None:
        return None
    chosen = [
        item
        for item in population.items
        if (change.isdigit() and len(change) < 10 and item.number == int(change))
        or (len(change) >= 7 and change in (item.commit[: len(change)], item.head[: len(change)]))
    ]
    if not chosen:
        raise InputError(f"no commit of the period is {change}", where="--change")
    return chosen


def _exposure(note: bytes, key: NoteKey, quorum: Quorum) -> str:
    from tidegate.ledger.audit import describe_exposure
    from tidegate.ledger.checkpoint import read_checkpoint
    from tidegate.ledger.evidence.check import read_sightings

    sightings, _ = read_sightings([note], [key], quorum)
    return describe_exposure(read_checkpoint(note).size, [each for each in sightings if each.time > 0])


def _no_facts(_: str) -> bytes | None:
    return None
