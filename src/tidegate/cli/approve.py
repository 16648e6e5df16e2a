"""`tidegate approve`: sign an approval of a change with a key in your hand."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tidegate.cli.options import WithCommands, moment, open_named, repo_option, style_here, write_result
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.ledger.approval import Keyring, Terms
    from tidegate.ledger.sshsig import SshKey

_FILE = click.Path(path_type=Path)


@click.command(name="verify")
@click.argument("file", type=_FILE)
@click.option("--at", "revision", default="HEAD", show_default=True, help="The revision whose [people] keys count.")
@repo_option
def verify(file: Path, revision: str, repo: Path | None) -> None:
    """Who signed an approval, and what it says."""
    from tidegate.change.approvals import keyring_of, read_document
    from tidegate.change.configuration import read_settings
    from tidegate.ledger.approval import open_sealed
    from tidegate.report.approve import render_opened

    with open_named(repo) as repository:
        settings = read_settings(repository, repository.resolve(revision), os.environ).settings
    write_result(render_opened(open_sealed(read_document(file), keyring_of(settings, {}))))


@click.command(name="approve", cls=WithCommands, below={"verify": verify})
@click.argument("change", required=False, default="", metavar="[CHANGE]")
@click.option("--pr", type=_FILE, help="A GitHub pull_request or GitLab merge_request event, as JSON.")
@click.option("--plan", "plans", type=_FILE, multiple=True, help="A Terraform plan or change set of it, as JSON.")
@click.option("--transcript", "transcripts", type=_FILE, multiple=True, help="A transcript of a session that wrote it.")
@click.option("--config", type=_FILE, help="Settings and rules in the place of those at the base of the change.")
@click.option("--key", type=_FILE, help="Your SSH key; by default the one of yours that ssh-agent holds.")
@click.option("--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How long it holds.")
@click.option("--withdraw", is_flag=True, help="Take your approvals of the change back.")
@click.option("--out", type=_FILE, help="Where it is written; by default .git/tidegate/approvals/.")
@click.option("--server", help="Sign what this service offers, and hand it in; CHANGE is its number there.")
@click.option("--now", help="The moment to write down, RFC 3339; by default now.")
@repo_option
def approve(
    change: str,
    pr: Path | None,
    plans: tuple[Path, ...],
    transcripts: tuple[Path, ...],
    config: Path | None,
    key: Path | None,
    days: int,
    withdraw: bool,
    out: Path | None,
    server: str | None,
    now: str | None,
    repo: Path | None,
) -> None:
    """Sign an approval of a change with a key in your hand.

    CHANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch. Shown is exactly what is signed.
    """
    from tidegate.assess import Request, assess
    from tidegate.change.approvals import Signer, keyring_of, make_terms
    from tidegate.change.configuration import read_settings
    from tidegate.change.ends import Question, read_ends
    from tidegate.report.approve import render_approval_page, render_written

    _require_person()
    if server is not None:
        from tidegate.cli.approve_remote import approve_at

        click.echo(approve_at(server, change, key, os.environ, _ask))
        return
    at = moment(now)
    question = Question(change=change, pr=pr)
    with open_named(repo) as repository:
        ends = read_ends(question, repository)
        settings = read_settings(repository, ends.policy_at, os.environ, override=config).settings
        keyring = keyring_of(settings, {})
        chosen, path = _choose_key(key, keyring)
        person = _owner(chosen, keyring)
        request = Request(question, None, at, os.environ, config=config, transcripts=transcripts, plans=plans)
        found = assess(request, repository)
        merged = repository.merge_trees(ends.policy_at, ends.head) if ends.policy_at and ends.head else ""
        word: Literal["approved", "withdrawn"] = "withdrawn" if withdraw else "approved"
        signer = Signer(person, chosen.evidence, word)
        terms = make_terms(found.facts, found.verdict.policy_digest, merged, signer, (at, _later(at, days)))
        write_result(render_approval_page(found.facts, found.verdict, terms, style_here()))
        _ask(terms)
        written = _write(_signed(terms, (chosen, path), keyring), terms, out, repository)
    click.echo(render_written(written, terms))


# Private


def _require_person() -> None:
    from tidegate.provenance.environment import find_agent

    if agent := find_agent(os.environ):
        raise InputError(
            f"this is the session of {agent}, and agents do not approve",
            mend="sign from a terminal of your own",
        )
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("an approval is confirmed at a terminal", mend="run it there, without pipes")


def _ask(terms: Terms) -> None:
    """The person types it: no key press by accident, no `yes |`."""
    verb = "approve" if terms.word == "approved" else "withdraw"
    wanted = f"{verb} {terms.merge_tree[:8]}"
    if click.prompt(f"Type `{wanted}` to sign, anything else to stop", default="", show_default=False) != wanted:
        raise InputError("nothing was signed", mend="type the words as they stand there")


def _choose_key(path: Path | None, keyring: Keyring) -> tuple[SshKey, Path | None]:
    from tidegate.change.ssh_sign import agent_keys, read_public_key

    if path is not None:
        return read_public_key(path), path
    known = {key.fingerprint for keys in keyring.values() for key in keys}
    held = [key for key in agent_keys(os.environ) if key.fingerprint in known]
    if len(held) != 1:
        count = f"{len(held)} keys" if held else "no key"
        raise InputError(f"ssh-agent holds {count} of [people] at the base", mend="name your key with --key FILE")
    return held[0], None


def _owner(key: SshKey, keyring: Keyring) -> str:
    from tidegate.ledger.approval import owner_of

    person = owner_of(key, keyring)
    if not person:
        raise InputError(
            f"{key.fingerprint} is nobody's key at the base of the change",
            mend=f'add it on the target branch: [people.NAME] with keys = ["{key.line}"]',
        )
    return person


def _signed(terms: Terms, chosen: tuple[SshKey, Path | None], keyring: Keyring) -> bytes:
    from tidegate.change.ssh_sign import sign
    from tidegate.ledger.approval import encode, open_sealed, seal, signed_bytes

    key, path = chosen
    payload = encode(terms)
    if key.evidence == "sk-ssh":
        click.echo("Touch your key when it blinks.", err=True)
    envelope = seal(payload, key, sign(signed_bytes(payload), key, path))
    open_sealed(envelope, keyring)
    return envelope


def _write(envelope: bytes, terms: Terms, out: Path | None, repository: Repository) -> Path:
    import hashlib

    name = f"{terms.head[:12]}-{hashlib.sha256(envelope).hexdigest()[:12]}.json"
    path = out or repository.common_dir / "tidegate" / "approvals" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(envelope + b"\n")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path), mend="say --out FILE") from error
    return path


def _later(at: str, days: int) -> str:
    return (datetime.fromisoformat(at) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
