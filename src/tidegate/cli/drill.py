"""`tidegate drill`: tabletop exercises for failures of changes that agents made."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import (
    at_work,
    json_option,
    moment,
    open_named,
    repo_option,
    style_here,
    write_result,
    write_to,
)

if TYPE_CHECKING:
    from tidegate.drill.values import Decision, Inject, Report
    from tidegate.ledger.predicates.drill import Drill
    from tidegate.report.style import Style

_FILE = click.Path(path_type=Path)
_SEED = click.IntRange(0, 2**31 - 1)


@click.group(name="drill", context_settings={"help_option_names": ["-h", "--help"]})
def drill() -> None:
    """Practise a failure of a change that an agent made, in this repository, before it happens.

    Everything is built from what is there: files, owners, services, history, rules. Nothing is executed, deployed or
    written into the repository.
    """


@click.command(name="patterns")
@click.option("--seed", type=_SEED, default=0, show_default=True, help="Another one strikes elsewhere.")
@click.option("--at", "revision", default="HEAD", show_default=True, metavar="REV", help="The revision to look at.")
@repo_option
def patterns(seed: int, revision: str, repo: Path | None) -> None:
    """Which failure patterns fit this repository, where each would strike, and what the others need."""
    from tidegate.drill.make import name_of, read_offers
    from tidegate.drill.text import render_offers

    with open_named(repo) as repository:
        with at_work("looking for places where each would strike"):
            offers = read_offers(repository, seed, os.environ, revision)
        write_result(render_offers(offers, name_of(repository), style_here()))


@click.command(name="new")
@click.option("--pattern", default="", metavar="ID", help="One of `drill patterns`. [default: the one that fits best]")
@click.option("--seed", type=_SEED, default=0, show_default=True, help="Another one gives another exercise.")
@click.option("--at", "revision", default="HEAD", show_default=True, metavar="REV", help="The revision to practise on.")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write the scenario here, to be run.")
@json_option
@repo_option
def new(pattern: str, seed: int, revision: str, output: Path | None, format_: str, repo: Path | None) -> None:
    """Make an exercise for this repository. What is printed tells the hidden truth: it is for the facilitator.

    The hidden change is built from the real files as a commit in a temporary clone, and the real policy is asked about
    it. The same revision and seed give the same exercise.
    """
    from tidegate.drill.make import new_drill
    from tidegate.drill.text import render_made
    from tidegate.facts import to_json

    with at_work("making the change and asking the gate about it"), open_named(repo) as repository:
        scenario = new_drill(repository, os.environ, pattern=pattern, seed=seed, revision=revision)
    if output is not None:
        write_to(output, to_json(scenario))
    write_result(to_json(scenario) if format_ == "json" else render_made(scenario, style_here()))


@click.command(name="run")
@click.argument("file", type=_FILE)
@click.option("--fast", is_flag=True, help="Do not wait between what is seen; the time to decide still counts.")
@click.option("--answers", type=_FILE, metavar="FILE", help="What was decided, for a run that nobody sits at.")
@click.option("--group", default="", help="What the group calls itself, for the report.")
@click.option("-o", "--output", "outputs", type=_FILE, multiple=True, metavar="FILE", help="The report: .md or .json.")
@click.option("--record", type=_FILE, metavar="FILE", help="Record it in the ledger of this machine, else in FILE.")
@click.option("--unchecked", is_flag=True, help="Without its repository: believe what the file says of it.")
@click.option("--no-backtest", is_flag=True, help="Do not try the proposed rules on the past.")
@click.option("--now", help="When the exercise took place, RFC 3339; by default now.")
@repo_option
def run(
    file: Path,
    fast: bool,
    answers: Path | None,
    group: str,
    outputs: tuple[Path, ...],
    record: Path | None,
    unchecked: bool,
    no_backtest: bool,
    now: str | None,
    repo: Path | None,
) -> None:
    """Run the exercise in FILE: things happen in time, decisions are taken, and a report says what they were worth.

    Owners, revisions and the gate are asked of the repository anew: what the file says of them does not count.
    The repository is the one around the current folder, or --repo.
    """
    from tidegate.drill.after import backtested, report_of
    from tidegate.drill.field import open_field
    from tidegate.drill.play import play
    from tidegate.drill.reading import read_answers, read_scenario
    from tidegate.drill.record import drill_of
    from tidegate.drill.text import render_begin, render_report

    at, style = moment(now), style_here()
    scenario = read_scenario(file)
    given = {one.decision: one for one in read_answers(answers, scenario).answers} if answers is not None else {}
    with ExitStack() as open_:
        field = None
        if not unchecked:
            with at_work("asking the repository anew"):
                field = open_.enter_context(open_field(open_.enter_context(open_named(repo)), scenario, os.environ))
        played = field.scenario if field is not None else scenario
        write_result(render_begin(played, style))
        taken = play(played, _Terminal(style, wait=not fast and answers is None, asks=answers is None), given)
        with at_work("trying the rules on the past"):
            tested = backtested(field, played) if field is not None and not no_backtest else ()
        report = report_of(played, taken, group, field, tested)
    write_result(render_report(report, style))
    _write(report, outputs)
    if record is not None:
        _record(drill_of(played, report, taken, at, checked=not unchecked), played.repository, record)


for command in (patterns, new, run):
    drill.add_command(command)


# Private


def _write(report: Report, outputs: tuple[Path, ...]) -> None:
    """The report to each file, as JSON where its name says so, else as Markdown."""
    from tidegate.drill.markdown import render_markdown
    from tidegate.facts import to_json

    for output in outputs:
        write_to(output, to_json(report) if output.suffix == ".json" else render_markdown(report))


def _record(drill: Drill, name: str, file: Path) -> None:
    """To the ledger of this machine where there is one, else as plain JSON, which is said."""
    from tidegate.cli.ledger_source import configuration, open_writable, signing_key
    from tidegate.drill.record import entry_of, statement_of
    from tidegate.ledger.statements import encode_statement

    if (configuration().data / "ledger.key").exists():
        with open_writable() as (_, log):
            index = log.append(entry_of(signing_key(), drill, name))
        click.echo(f"Entry {index} of the ledger records the exercise.", err=True)
        return
    write_to(file, encode_statement(statement_of(drill, name)))
    click.echo(f"There is no ledger on this machine: {file} holds the record, unsigned.", err=True)


class _Terminal:
    """A room with one screen and one keyboard."""

    def __init__(self, style: Style, *, wait: bool, asks: bool) -> None:
        self._style = style
        self._wait = wait
        self._asks = asks
        self._begin = time.monotonic()

    def show(self, beat: Inject | Decision) -> None:
        from tidegate.drill.text import render_inject, render_question
        from tidegate.drill.values import Inject

        write_result(
            render_inject(beat, self._style) if isinstance(beat, Inject) else render_question(beat, self._style)
        )

    def wait_for(self, minute: int) -> None:
        if self._wait:
            time.sleep(max(0.0, minute * 60 - self.seconds()))

    def ask(self, decision: Decision) -> str:
        if not self._asks:
            return ""
        answer: str = click.prompt(f"    {decision.id}", default="", show_default=False)
        return answer

    def tell(self, text: str) -> None:
        from tidegate.report.escape import terminal
        from tidegate.report.layout import wrap

        write_result("\n".join(wrap(terminal(text, unicode=self._style.unicode), self._style.width, "  > ", "    ")))

    def seconds(self) -> float:
        return time.monotonic() - self._begin
