"""Options that several commands share, and the few things that a command takes from its surroundings."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.report.style import Style

F = TypeVar("F", bound=Callable[..., Any])


class WithCommands(click.Command):
    """A command with others `below` it: `reach RANGE`, and `reach record`. A file of such a name is asked about as
    `./record`."""

    def __init__(self, *, below: Mapping[str, click.Command], **settings: Any) -> None:
        super().__init__(**settings)
        self.below = below

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        chosen = self.below.get(args[0]) if args else None
        if chosen is None:
            return super().make_context(info_name, args, parent, **extra)
        return chosen.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 click's
        with formatter.section("Commands below it"):
            formatter.write_dl([(name, command.get_short_help_str(80)) for name, command in self.below.items()])


def repo_option(function: F) -> F:
    """`--repo FOLDER`: the repository, by default the one that the current folder lies in."""
    return click.option(
        "--repo",
        type=click.Path(path_type=Path),
        default=None,
        help="The repository; by default the one around the current folder.",
    )(function)


def open_named(repo: Path | None) -> Repository:
    """The repository that `--repo` names; without it the one around the current folder."""
    from tidegate.change.git import open_repository

    return open_repository(repo or Path.cwd(), bare=repo is not None)


def json_option(function: F) -> F:
    """`--format text|json`."""
    return click.option(
        "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How the answer is written."
    )(function)


def moment(text: str | None) -> str:
    """A moment as RFC 3339 in UTC to the second: the one given, else now. Raises InputError for anything else."""
    if text is None:
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is not a moment", where="--now", mend="write it like 2026-05-01T12:00:00Z"
        ) from error
    if given.tzinfo is None:
        raise InputError(f"{text!r} has no time zone", where="--now", mend="write it like 2026-05-01T12:00:00Z")
    try:
        return given.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError as error:
        raise InputError(
            f"{text!r} lies outside of the years 1 to 9999", where="--now", mend="name a moment of the calendar"
        ) from error


def style_here(colour: str = "auto") -> Style:
    """How text is written to where standard output goes: 80 columns unless it is a terminal that says otherwise."""
    from tidegate.report.style import choose_style

    terminal = sys.stdout.isatty()
    return choose_style(os.environ, terminal, shutil.get_terminal_size().columns if terminal else 80, colour)


@contextmanager
def at_work(what: str) -> Iterator[None]:
    """Says on standard error what is being done, for as long as it is, where that is a terminal."""
    shown = sys.stderr.isatty()
    if shown:
        sys.stderr.write(f"\r\x1b[K{what} ...")
        sys.stderr.flush()
    try:
        yield
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def write_result(content: str | bytes) -> None:
    """The result to standard output, as UTF-8 whatever the locale, with a final line break."""
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    sys.stdout.flush()
    sys.stdout.buffer.write(data if data.endswith(b"\n") else data + b"\n")
    sys.stdout.buffer.flush()


def write_to(output: Path | None, content: str | bytes) -> None:
    """The result to a file; without one to standard output."""
    if output is None:
        write_result(content)
        return
    try:
        output.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror}", where=f"--output {output}", mend="check the folder and the disk"
        ) from error
