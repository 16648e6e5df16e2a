"""`tidegate fleet`: learn from the past of many repositories at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import json_option, style_here, write_result, write_to
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.fleet.map import Where
    from tidegate.fleet.work import Row

_PATH = click.Path(path_type=Path)


@click.command(name="fleet")
@click.argument("listing", type=_PATH, metavar="LIST")
@click.option("--keep", type=_PATH, default=Path("fleet"), show_default=True, help="The folder for what is learnt.")
@click.option("--jobs", type=click.IntRange(1, 1024), default=None, help="Repositories at once. [default: one a core]")
@click.option("--minutes", type=click.FloatRange(min=0.01), default=60.0, show_default=True, help="The most for each.")
@click.option("--on", "where", type=click.Choice(["here", "ray"]), default="here", show_default=True)
@click.option("--prior", type=_PATH, help="Also learn a prior from all of them, for `risk train --prior`.")
@click.option("--backtest", metavar="SPAN", help="Also try the policy of each on its changes since then, such as 18mo.")
@click.option("--rules", multiple=True, type=_PATH, metavar="FILE", help="Try these rules everywhere instead.")
@json_option
def fleet(
    listing: Path,
    keep: Path,
    jobs: int | None,
    minutes: float,
    where: Where,
    prior: Path | None,
    backtest: str | None,
    rules: tuple[Path, ...],
    format_: str,
) -> int:
    """Do for every repository of a list what `risk train` does for one, and `policy backtest` too.

    LIST names one folder a line. What is done stays done: run it again after an interrupt, or for what is new. One
    repository that cannot be read, that takes too long or too much memory is named and stops no other; then the exit
    code is 1. With --on ray they run on the machines of the cluster that RAY_ADDRESS names, which must see the folders.
    """
    from tidegate.fleet.listing import read_list
    from tidegate.fleet.map import Limits
    from tidegate.fleet.run import run_fleet, train_fleet_prior
    from tidegate.fleet.text import render_fleet, render_fleet_json
    from tidegate.fleet.work import Trial

    limits = Limits(jobs or os.cpu_count() or 1, minutes * 60)
    if rules and backtest is None:
        raise InputError("--rules without --backtest", where="--rules", mend="say since when: --backtest 18mo")
    trial = Trial(_since(backtest), tuple(str(path.resolve()) for path in rules)) if backtest else None
    rows = run_fleet(read_list(listing), keep, limits, where, trial, _progress())
    if prior is not None:
        from tidegate.risk.model.model import encode_model

        write_to(prior, encode_model(train_fleet_prior(rows, keep)))
    write_result(render_fleet_json(rows) if format_ == "json" else render_fleet(rows, style_here()))
    return int(any(row.failure for row in rows))


# Private


def _since(text: str) -> str:
    """The span itself; refused here where every repository would refuse it."""
    from tidegate.replay import moment_before

    moment_before(text, 0)
    return text


def _progress() -> Callable[[int, int, Row], None]:
    """One line on standard error for each repository as it ends: a log as well as a sign of life."""

    def say(done: int, whole: int, row: Row) -> None:
        from tidegate.report.escape import terminal

        said = terminal(f"{row.name}: {row.failure or 'done'}", 200)
        sys.stderr.write(f"[{done} of {whole}] {said}\n")
        sys.stderr.flush()

    return say
