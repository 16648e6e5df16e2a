"""`tidegate agent`: hooks of coding agents and of git, put into place and taken back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tidegate.cli.agent_guide import guide
from tidegate.cli.options import repo_option
from tidegate.errors import InputError

NAMES = ("claude-code", "codex", "cursor", "gemini", "copilot", "opencode", "git")


@click.group()
def agent() -> None:
    """Hooks that record who or what writes a line, as it is written."""


@agent.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--global", "everywhere", is_flag=True, help="For all repositories of yours, in your home folder.")
@click.option("--guard", is_flag=True, help="Also hold the agent's dangerous commands before they run: tidegate guard.")
@click.option("--yes", is_flag=True, help="Write without asking, after showing what is written.")
@repo_option
def install(name: str, everywhere: bool, guard: bool, yes: bool, repo: Path | None) -> None:
    """Write the hooks of an agent, or of git, and show the difference first."""
    from tidegate.agent.install.apply import install as write
    from tidegate.agent.install.plan import plan_install, render_diff

    plan = plan_install(name, repo or Path.cwd(), Path.home(), everywhere=everywhere, guard=guard)
    if not plan.changes:
        click.echo(f"The hooks of {name} are in place.")
        return
    click.echo(render_diff(plan.changes), nl=False)
    _ask(yes)
    write(plan)
    click.echo(f"Installed. Undo with: tidegate agent uninstall {name}{' --global' if everywhere else ''}")
    for remark in plan.remarks:
        click.echo(remark, err=True)


@agent.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--global", "everywhere", is_flag=True, help="Those in your home folder.")
@click.option("--yes", is_flag=True, help="Write without asking, after showing what is written.")
@repo_option
def uninstall(name: str, everywhere: bool, yes: bool, repo: Path | None) -> None:
    """Take the hooks back: what was there before is there again, byte for byte."""
    from tidegate.agent.hooks.place import find_place
    from tidegate.agent.install.apply import plan_uninstall
    from tidegate.agent.install.apply import uninstall as write
    from tidegate.agent.install.plan import memory_of, render_diff

    place = None if everywhere else find_place(str(repo or Path.cwd()))
    if place is None and not everywhere:
        raise InputError("this is no git work tree", where=str(repo or "."), mend="go into one, or say --global")
    memory = memory_of(name, place, Path.home())
    changes = plan_uninstall(name, memory)
    click.echo(render_diff(changes), nl=False)
    _ask(yes)
    write(changes, memory)
    click.echo("Taken back.")


@agent.command()
@click.argument("name", type=click.Choice(NAMES))
@click.argument("event", nargs=-1)
def hook(name: str, event: tuple[str, ...]) -> None:
    """What installed hooks do, for calling by hand: a payload on standard input (installed ones start faster)."""
    from tidegate.agent.hooks.calls import main

    sys.exit(main([name, *event]))


@agent.command()
@repo_option
def status(repo: Path | None) -> None:
    """Which hooks are installed, and what was recorded here."""
    from tidegate.agent.install.status import read_status, render_status

    click.echo(render_status(read_status(repo or Path.cwd(), Path.home(), os.environ)), nl=False)


agent.add_command(guide)

# Private


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("nothing was written", mend="look at the difference above, then say --yes")
    if not click.confirm("Write this?"):
        raise click.Abort
