"""`tidegate reach`: how far a change goes, from its lines to symbols, tests, entry points, services and owners."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from tidegate.cli.options import WithCommands, moment, open_named, repo_option, style_here, write_to
from tidegate.cli.reach_record import record
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.change.values import Change
    from tidegate.reach.answer import Hop, ReachAnswer
    from tidegate.report.reach_words import View
    from tidegate.report.style import Style
    from tidegate.settings import Settings

_FORMATS = ("text", "json", "dot", "svg", "html")


@click.command(name="reach", cls=WithCommands, below={"record": record})
@click.argument("question", nargs=-1, metavar="[RANGE | PATH | PATH:SYMBOL]")
@click.option("--why", metavar="A [B]", help="The strongest paths from A to what changed, or to the changed symbol B.")
@click.option(
    "--format", "format_", type=click.Choice(_FORMATS), help="[default: text, or what the name of the file says]"
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file.")
@click.option("--depth", type=click.IntRange(min=1), default=None, help="Show no more than so many hops.")
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Show so many symbols. [default: one screen]")
@click.option(
    "--at-least", type=click.FloatRange(0, 1), default=0.0, metavar="P", help="Show what is as likely as this."
)
@click.option("--traffic", metavar="SOURCE", help="Request rates: a Prometheus URL or an OTLP JSON file.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@repo_option
def reach(
    question: tuple[str, ...],
    why: str | None,
    format_: str | None,
    output: Path | None,
    depth: int | None,
    limit: int | None,
    at_least: float,
    traffic: str | None,
    color: str,
    repo: Path | None,
) -> None:
    """How far a change goes: symbols, tests, entry points, services, owners.

    RANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch. A PATH or PATH:SYMBOL asks what
    would feel a change of it. "Nothing" is said only when all was read and resolved, else the answer is "unknown".

    `tidegate reach record -- pytest` runs the tests and remembers what each of them executes.
    """
    asked, target = _asked(question, why)
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.reach.journey import read_reach, read_why
    from tidegate.report.reach_words import View
    from tidegate.report.style import PLAIN

    view = View(depth or 0, limit or 0, at_least)
    style = style_here(color) if output is None else PLAIN
    with open_named(repo) as repository:
        if why is None:
            makers = _makers(repository)
            answer = read_reach(asked, repository, environment=os.environ, traffic=traffic or "", makers=makers)
            text = _renderer(_format(format_, output))(answer, view, style)
        else:
            paths = read_why(asked, repository, source=why, target=target, environment=os.environ)
            text = _why(paths, _format(format_, output), style)
    write_to(output, text)


# Private


def _makers(repository: Repository) -> Callable[[Change, Settings], tuple[str, ...]]:
    """Who wrote a change or prompted an agent for it, as provenance knows them."""
    from tidegate.change.values import Context
    from tidegate.provenance.collect import collect

    def makers(change: Change, settings: Settings) -> tuple[str, ...]:
        facts = collect(change, Context(repository=repository, settings=settings, now=moment(None)))
        return (*facts.prompters, *facts.authors, *(one.person for one in facts.accountable))

    return makers


_Renderer: TypeAlias = "Callable[[ReachAnswer, View, Style], str]"


def _asked(question: Sequence[str], why: str | None) -> tuple[str, str]:
    """What is asked about, and after `--why A` the changed symbol B that the paths end at."""
    most = 1 if why is None else 2
    if len(question) > most:
        raise InputError(
            f"{len(question)} questions at once", where=" ".join(question), mend="ask about one range, path or symbol"
        )
    return (question[0] if question else "", question[1] if len(question) > 1 else "")


def _format(given: str | None, output: Path | None) -> str:
    named = output.suffix[1:].lower() if output is not None else ""
    return given or (named if named in _FORMATS else "text")


def _renderer(format_: str) -> _Renderer:
    """How an answer is written in this format; the others are not even loaded."""
    if format_ == "json":
        from tidegate.report.reach_json import render_reach_json

        return lambda answer, view, style: render_reach_json(answer)  # noqa: ARG005 machines get all of it
    if format_ == "dot":
        from tidegate.report.reach_dot import render_reach_dot

        return lambda answer, view, style: render_reach_dot(answer, view)  # noqa: ARG005
    if format_ == "svg":
        from tidegate.report.reach_svg import render_reach_svg

        return lambda answer, view, style: render_reach_svg(answer, view)  # noqa: ARG005
    if format_ == "html":
        from tidegate.report.reach_html import render_reach_html

        return lambda answer, view, style: render_reach_html(answer, view)  # noqa: ARG005
    from tidegate.report.reach_text import render_reach_text

    return lambda answer, view, style: render_reach_text(answer, style, view)


def _why(paths: Sequence[Sequence[Hop]], format_: str, style: Style) -> str:
    from tidegate.report.reach_json import render_why_json
    from tidegate.report.reach_text import render_why_text

    if format_ == "json":
        return render_why_json(paths)
    if format_ == "text":
        return render_why_text(paths, style)
    raise InputError(f"paths are not written as {format_}", where="--format", mend="use text or json with --why")
