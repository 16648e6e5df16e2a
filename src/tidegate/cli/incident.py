"""`tidegate incident`: which change, which line and what wrote it."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import click

from tidegate.cli.options import json_option, open_named, repo_option, style_here, write_result
from tidegate.errors import InputError

LARGEST_BYTES = 16 << 20


@click.group(name="incident")
def incident() -> None:
    """Which change an incident comes from, which lines, and who or what wrote them."""


@incident.command(name="trace")
@click.option("--deployed", default="HEAD", show_default=True, metavar="REV", help="The revision that is running.")
@click.option("--previous", default="", metavar="REV", help="The one that ran before. [default: the tag before it]")
@click.option("--trace", "traces", multiple=True, metavar="FILE", help="A text with stack traces; - is standard input.")
@click.option("--replay", default="", metavar="COMMAND", help="What fails: it is run on the sources without a change.")
@click.option("--replays", "most", type=click.IntRange(0, 100), default=6, show_default=True, help="At most so many.")
@click.option("--timeout", type=click.FloatRange(min=1), default=120.0, show_default=True, help="Seconds for each run.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@json_option
@repo_option
def trace(
    deployed: str,
    previous: str,
    traces: tuple[str, ...],
    replay: str,
    most: int,
    timeout: float,
    color: str,
    format_: str,
    repo: Path | None,
) -> None:
    """Which change an incident comes from, which lines, and who or what wrote them.

    Every change between the two revisions gets a probability, and so does "none of these". With --replay the command
    is run with your rights, in temporary folders: as deployed, and then on the sources without one change or at an
    earlier revision, until what it fails for is proved or the replays are used up.
    """
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.change.configuration import read_settings
    from tidegate.facts import to_json
    from tidegate.operate.replays import Command
    from tidegate.operate.revisions import previous_of
    from tidegate.operate.trace import Question, trace_incident
    from tidegate.operate.trace_text import render_trace

    texts = tuple(map(_read, traces))
    with open_named(repo) as repository:
        commit = repository.resolve(deployed)
        settings = read_settings(repository, commit, os.environ).settings
        command = None
        if replay:
            command = Command(_words(replay), os.environ, timeout)
            click.echo("tidegate: runs the command on sources of this repository with your rights", err=True)
        question = Question(
            deployed=commit,
            previous=previous or previous_of(repository, commit),
            texts=texts,
            command=command,
            most_replays=most,
        )
        found = trace_incident(repository, settings, question)
    write_result(to_json(found) if format_ == "json" else render_trace(found, style_here(color)))


# Private


def _read(name: str) -> str:
    try:
        if name == "-":
            content = sys.stdin.buffer.read(LARGEST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=f"--trace {name}", mend="name a file with a trace"
        ) from error
    if len(content) > LARGEST_BYTES:
        raise InputError("it is larger than 16 MiB", where=f"--trace {name}", mend="cut out the part with the trace")
    return content.decode("utf-8", "replace")


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise InputError(f"it cannot be read: {error}", where="--replay", mend="close the quotes") from error
    if not words:
        raise InputError("it names no command", where="--replay", mend="write what fails: 'pytest -q tests/test_x.py'")
    return words
