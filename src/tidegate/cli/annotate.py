"""`tidegate annotate`: declare who or what wrote a commit or a range."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

import click

from tidegate.change.configuration import read_settings
from tidegate.cli.options import moment, open_named, repo_option, write_result
from tidegate.errors import InputError
from tidegate.provenance.annotate import Author, annotate_commits, parse_part, read_annotated_commits
from tidegate.provenance.identity import parse_person, read_identity
from tidegate.provenance.notes import write_notes
from tidegate.provenance.prompt import read_prompt
from tidegate.report.annotate import render_annotate_text, render_trailer_advice

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/@+()\[\]-]{0,199}")


@click.command(name="annotate")
@click.argument("change", metavar="[COMMIT|RANGE]", default="HEAD")
@click.option("--tool", default="", help="The agent that wrote the lines, such as claude.")
@click.option("--model", default="", help="Its model, such as claude-opus-4-6.")
@click.option("--session", default="", help="The session or conversation, by the agent's own id.")
@click.option("--human", is_flag=True, help="A person typed the lines.")
@click.option("--by", default="", metavar='"NAME <EMAIL>"', help="Who answers for them; by default your git identity.")
@click.option("--lines", multiple=True, metavar="PATH:1-20", help="Only these lines; may be given several times.")
@click.option("--prompt-file", type=click.Path(path_type=Path), help="The prompt; a salted digest of it is kept.")
@click.option("--keep-prompt", is_flag=True, help="Keep the prompt itself too, with secrets redacted.")
@click.option("--trailer", is_flag=True, help="Print the command that adds a declaring trailer to HEAD.")
@click.option("--replace", "replace_others", is_flag=True, help="Take over lines that a note gives to somebody else.")
@click.option("--ref", default="refs/notes/ai", show_default=True, help="Where the note goes.")
@click.option("--dry-run", is_flag=True, help="Print the notes and write nothing.")
@click.option("--now", help="The moment to write down, RFC 3339; by default now.")
@repo_option
def annotate(
    change: str,
    tool: str,
    model: str,
    session: str,
    human: bool,
    by: str,
    lines: tuple[str, ...],
    prompt_file: Path | None,
    keep_prompt: bool,
    trailer: bool,
    replace_others: bool,
    ref: str,
    dry_run: bool,
    now: str | None,
    repo: Path | None,
) -> None:
    """Declare who or what wrote a commit or a range, in a git-ai note.

    The note claims exactly the lines that the commit adds, or those of --lines. What it says already stays.
    """
    _check_writer(tool, model, human, prompt_file)
    parts = [parse_part(text) for text in lines]
    when = moment(now)
    with open_named(repo) as repository:
        person = parse_person(by, "--by") if by else read_identity(repository, os.environ)
        commits = read_annotated_commits(repository, change)
        head = repository.resolve("HEAD")
        if trailer and commits[-1] != head:
            raise InputError(f"{change} does not end at HEAD", where="--trailer", mend="add it when you commit")
        settings = read_settings(repository, head, os.environ).settings
        digest, kept = read_prompt(repository, prompt_file, keep=keep_prompt, make_salt=not dry_run)
        author = Author(person, tool, model, session or str(uuid.uuid4()) if tool else "", digest, kept)
        found = annotate_commits(repository, ref, commits, author, parts=parts, replace_others=replace_others)
        if not dry_run:
            notes = {one.commit: one.text for one in found if one.lines}
            write_notes(repository, ref, notes, person, when, "Declare who wrote the lines\n")
    write_result(render_annotate_text(found, author, ref, dry_run=dry_run))
    advice = render_trailer_advice(author, settings.provenance.trailers, asked=trailer)
    if advice:
        click.echo(advice)


def _check_writer(tool: str, model: str, human: bool, prompt_file: Path | None) -> None:
    if human and (tool or model or prompt_file):
        raise InputError("a person has no tool, model or prompt", where="--human", mend="say either --human or --tool")
    if not human and not (tool and model):
        raise InputError("who wrote it?", where="--tool and --model", mend="say --tool TOOL --model MODEL, or --human")
    if not all(_NAME.fullmatch(name) for name in (tool, model) if name):
        raise InputError("not the name of a tool or model", where="--tool and --model", mend="use letters and digits")
