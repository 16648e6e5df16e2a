"""`tidegate guard`: holds a command that would destroy, publish or open something, before it runs."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import WithCommands, json_option, moment, style_here, write_result
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.agent.guard.decide import Answer
    from tidegate.agent.guard.keyboard import Keyboard

_FILE = click.Path(path_type=Path)


@click.command(name="hook")
@click.option("--command", "shown", is_flag=True, help="Print the command that an agent's configuration should call.")
def hook(shown: bool) -> None:
    """Answer an agent's pre-tool hook: its payload on standard input, its own form on standard output."""
    from tidegate.agent.guard import hook as guarding

    if shown:
        click.echo(guarding.command_line())
    else:
        guarding.main()


@click.command(name="scope")
def scope() -> int:
    """Which credentials a command would find here, by name and never by value. Exits 1 for broad ones of an agent."""
    from tidegate.agent.guard.scope import credentials_here, finding
    from tidegate.agent.guard.text import render_scope

    here = _keyboard()
    found = credentials_here(os.environ, Path.home())
    write_result(render_scope(found, here))
    return int(bool(finding(found, here.human)))


@click.command(name="approve")
@click.argument("plan", type=_FILE)
@click.option("--key", type=_FILE, help="Your SSH key; by default the one of yours that ssh-agent holds.")
@click.option("--hours", type=click.IntRange(1, 168), default=24, show_default=True, help="How long it holds.")
@click.option("--now", help="The moment to write down, RFC 3339; by default now.")
def approve(plan: Path, key: Path | None, hours: int, now: str | None) -> None:
    """Approve one Terraform plan file, so that an agent may apply exactly that file. Only a person signs."""
    from tidegate.agent.guard.approvals import PlanTerms, encode, folder_of, keep, keyring_at_base, open_sealed, seal
    from tidegate.agent.guard.approvals import signed_bytes as to_sign
    from tidegate.agent.guard.plans import read_plan
    from tidegate.change.git import open_repository
    from tidegate.change.ssh_sign import agent_keys, read_public_key, sign
    from tidegate.ledger.approval import owner_of
    from tidegate.report.infra_text import render_infra_text

    if not _keyboard().human:
        raise InputError("only a person at a terminal approves a plan", mend="run it from a terminal of your own")
    at = moment(now)
    read = read_plan(plan, Path.cwd(), "terraform", "agent")
    with open_repository(Path.cwd()) as repository:
        keyring = keyring_at_base(repository, os.environ)
        held = [one for one in agent_keys(os.environ) if owner_of(one, keyring)] if key is None else []
        if key is None and len(held) != 1:
            raise InputError("ssh-agent holds no single key of [people] at the base", mend="name yours with --key FILE")
        chosen = read_public_key(key) if key is not None else held[0]
        person = owner_of(chosen, keyring)
        if not person:
            raise InputError(f"{chosen.fingerprint} is nobody's key at the base", mend="add it to [people] there")
        write_result(render_infra_text(read.infra, style_here()))
        click.echo(f"plan: sha256:{read.digest}")
        _typed(read.destroyed[0] if read.destroyed else read.digest[:8], "approve it")
        until = (datetime.fromisoformat(at) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = encode(PlanTerms(read.digest, read.json_digest, person, at, until))
        document = seal(payload, chosen, sign(to_sign(payload), chosen, key))
        open_sealed(document, keyring)
        path = keep(folder_of(repository), read.digest, document)
    click.echo(f"approved until {until}: {path}")


@click.command(
    name="guard",
    cls=WithCommands,
    below={"hook": hook, "approve": approve, "scope": scope},
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--explain", is_flag=True, help="Judge it and run nothing.")
@json_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True, metavar="-- COMMAND...")
def guard(explain: bool, format_: str, command: tuple[str, ...]) -> int:
    """Run a command unless it would destroy, publish or open something.

    One word with blanks in it is a line for a shell. A person is asked to type the name of what would be hit; an agent
    needs a person's approval of the very plan. Exits 1 where it is held; with --explain nothing runs.
    """
    from tidegate.agent.guard.decide import Asked, decide_text, decide_words
    from tidegate.agent.guard.scope import credentials_here
    from tidegate.agent.guard.text import render_answer, render_json

    here = _keyboard()
    asked = Asked(Path.cwd(), os.environ, here, moment(None))
    line = command[0] if len(command) == 1 and any(char.isspace() for char in command[0]) else None
    found = decide_text(line, asked) if line is not None else decide_words(command, asked)
    credentials = credentials_here(os.environ, Path.home())
    if explain:
        shown = render_json if format_ == "json" else render_answer
        write_result(shown(found, here, credentials))
        return int(found.held)
    if found.held:
        click.echo(render_answer(found, here, credentials), err=True)
        if not here.human:
            return 1
        for target in dict.fromkeys(one.target or "run it" for one in found.concerns):
            _typed(target, "go on")
    _run(command if line is None else ("/bin/sh", "-c", line), found)
    return 0


# Private


def _keyboard() -> Keyboard:
    from tidegate.agent.guard.keyboard import who_is_here

    return who_is_here(os.environ, sys.stdin.isatty() and sys.stdout.isatty())


def _typed(target: str, why: str) -> None:
    """The person types the name of what is hit: no key press by accident, no `yes |`."""
    if click.prompt(f"Type `{target}` to {why}, anything else to stop", default="", show_default=False) != target:
        raise InputError("nothing was done", mend="type the name as it stands there")


def _run(command: tuple[str, ...], found: Answer) -> None:
    """The command takes the place of this process, if the plans that were judged are still the same."""
    from tidegate.agent.guard.plans import digest_of

    for path, digest in found.plans:
        if digest_of(Path(path)) != digest:
            raise InputError("the plan changed since it was judged", where=path, mend="make it, and ask, again")
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvp(command[0], command)  # noqa: S606 running it is what the guard is asked for
    except OSError as error:
        raise InputError(f"cannot be run: {error.strerror}", where=command[0]) from error
