"""`tidegate ledger erase` and `recover`: what is written into the ledger by a person on its own machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from tidegate.cli.ledger_source import open_writable, signing_key
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.ledger.evidence.entries import Ground

_GROUNDS = ("request", "retention", "secret", "error")


@click.command(name="erase")
@click.argument("person")
@click.option("--ground", type=click.Choice(_GROUNDS), default="request", show_default=True, help="Why.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def erase(person: str, ground: Ground, yes: bool) -> int:
    """Erase the prompts, names and words of PERSON. Every proof stays valid.

    PERSON is a pseudonym (person:...), the name that they sign in by, their e-mail address, their @account at a forge
    or their key of [people]. A commitment (hmac-sha256:...) erases the one body that it stands for. It cannot be
    undone. An entry says how many bodies were erased, and which commitments nobody can open any more.
    """
    with open_writable() as (database, log):
        from tidegate.server import erasure
        from tidegate.store.clock import now

        found = erasure.look(database, person)
        if not found.count:
            raise InputError(
                "nothing of this person is kept", where=person, mend="name a pseudonym, a name, an address or @account"
            )
        if not yes and not _confirmed(f"Erase {found.count} bodies of {person} for ever?"):
            return 1
        gone = erasure.erase_found(database, log, signing_key(), found, ground, now())
    click.echo(f"{gone.count} bodies are erased; entry {gone.entry} says so.")
    for where in gone.left:
        click.echo(f"  bytes may be left in {where}")
    return 0


@click.command(name="recover")
@click.option("--first", required=True, metavar="PERSON", help="The pseudonym of the one who says so.")
@click.option("--second", required=True, metavar="PERSON", help="The pseudonym of another one who says so too.")
@click.option("--reason", required=True, help="What happened, in a sentence. It can be erased later.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def recover(first: str, second: str, reason: str, yes: bool) -> int:
    """Let the ledger sign again after its database was put back: two people take the responsibility.

    What was lost stays lost and is named in the entry. A new epoch begins, with an origin of its own, which every
    witness must be told.
    """
    with open_writable() as (_, log):
        refusal = log.refusal()
        if refusal is None:
            raise InputError("the ledger is whole: there is nothing to recover from")
        click.echo(f"The ledger refuses to sign: {refusal}", err=True)
        if not yes and not _confirmed("Go on from what the database holds now?"):
            return 1
        recovered = log.recover(first, second, reason)
        vkey = log.public_key().vkey
    lost = (
        f"lost are entries {recovered.lost.start} to {recovered.lost.stop - 1}" if recovered.lost else "nothing is lost"
    )
    click.echo(f"Entry {recovered.index} records it; {lost}.\nTell each witness: --origin {vkey}")
    return 0


# Private


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise InputError("nobody is here to ask", mend="say --yes")
    return click.confirm(question, default=False)
