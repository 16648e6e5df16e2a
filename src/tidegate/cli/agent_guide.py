"""`tidegate agent guide`: what this repository enforces and shows, for agents that start to work in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import json_option, open_named, repo_option, write_result
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.agent.guide.history import Incident

_FILE = click.Path(path_type=Path)


@click.command(name="guide")
@click.option("--write", "write", is_flag=True, help="Write it into the files, each in a marked block.")
@click.option("--check", "check", is_flag=True, help="Exit 1 when a block says what does not hold any more.")
@click.option("--force", is_flag=True, help="Overwrite a block that was edited by hand, or whose counts moved.")
@click.option(
    "--for",
    "tool",
    type=click.Choice(["agents", "claude", "cursor", "gemini", "copilot"]),
    default="agents",
    show_default=True,
    help="Whose files: AGENTS.md, CLAUDE.md, .cursor/rules, GEMINI.md, Copilot's instructions.",
)
@click.option("--path", "path", default="", metavar="PATH", help="What is about one file or folder, in full.")
@click.option("--base", metavar="REV", help="Read what binds at this revision. [default: the target branch]")
@click.option("--server", metavar="URL", help="The service that knows incidents (TIDEGATE_TOKEN, changes:read).")
@click.option("--repository", type=int, metavar="NUMBER", help="The number of this repository at the service.")
@click.option("--backtest", type=_FILE, metavar="FILE", help="Rules in the order of how often they held, as it says.")
@click.option("--all", "everything", is_flag=True, help="Also every instruction that nothing speaks for.")
@json_option
@repo_option
def guide(
    write: bool,
    check: bool,
    force: bool,
    tool: str,
    path: str,
    base: str | None,
    server: str | None,
    repository: int | None,
    backtest: Path | None,
    everything: bool,
    format_: str,
    repo: Path | None,
) -> int:
    """Say what an agent must know here: rules, owners, commands, what breaks often, what is usual.

    All of it is read at the base of a change. Prints the text, what it would change in the file, and which of the
    instructions that are there already are enforced, only shown, contradicted, or without any evidence.
    """
    from tidegate.agent.guide.compiled import Told
    from tidegate.agent.guide.run import Question, read_backtest, run

    told = Told(_incidents(server, repository, path), read_backtest(backtest) if backtest else {})
    with open_named(repo) as opened:
        question = Question(tool, path, base or "", write=write, check=check, force=force, everything=everything)
        answer = run(opened, question, os.environ, told)
    write_result(answer.json if format_ == "json" else answer.text)
    for remark in answer.remarks:
        click.echo(remark, err=True)
    return answer.code


# Private


def _incidents(server: str | None, repository: int | None, path: str) -> tuple[Incident, ...] | None:
    """What the service knows of incidents from here; None where no service was named."""
    if not server:
        return None
    if not repository:
        mend = "name it with --repository NUMBER: its page in the console has it"
        raise InputError("the service looks after several repositories", where="--server", mend=mend)
    from tidegate.agent.guide.incidents import read_incidents
    from tidegate.cli.remote import Remote

    query = {"path": path, "repository": str(repository), "most": "20"}
    return read_incidents(Remote(server, os.environ, "changes:read").find("/incidents/recent", query))
