"""`tidegate policy backtest`: what the rules would have done to the changes of the past."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from tidegate.cli.options import moment, open_named, repo_option, style_here, write_to
from tidegate.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidegate.change.git import Repository
    from tidegate.policy.backtest.values import PastChange
    from tidegate.policy.rules import Policy
    from tidegate.settings import Loaded

_FILE = click.Path(path_type=Path)
_FORMATS = ("text", "json", "html")


@click.command(name="backtest")
@click.option("--since", default="18mo", show_default=True, metavar="SPAN|DAY", help="12mo, 90d, 2y, 2025-03-01.")
@click.option("--rules", multiple=True, type=_FILE, metavar="FILE", help="Try these rules. May be given several times.")
@click.option("--compare", nargs=2, metavar="A B", help="Two policies: files, folders or revisions.")
@click.option("--branch", default="HEAD", show_default=True, metavar="REV", help="The branch that changes landed on.")
@click.option("--format", "format_", type=click.Choice(_FORMATS), help="[default: text, or what the name says]")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write to this file.")
@click.option("--outcomes", type=_FILE, metavar="FILE", help="What production said: `tidegate outcomes export`.")
@click.option("--now", help="The moment of the question, RFC 3339; by default now.")
@repo_option
def backtest(
    since: str,
    rules: tuple[Path, ...],
    compare: tuple[str, str] | None,
    branch: str,
    format_: str | None,
    output: Path | None,
    outcomes: Path | None,
    now: str | None,
    repo: Path | None,
) -> None:
    """What the rules would have done to the changes that landed here.

    How often each would have held one, which of the changes that had to be repaired later it would have caught, which
    harmless ones it would have delayed, and for how many hours of review. Changes younger than 180 days are not judged:
    their repair may not be known yet; those that caused an incident are, as --outcomes says. Drafts are tried as well.
    """
    if compare and rules:
        raise InputError("--rules and --compare name three policies", mend="keep one of them")
    asked = _Asked(since, branch, moment(now), output is None, outcomes)
    with open_named(repo) as repository:
        if compare:
            text = _compare(repository, compare, asked, _format(format_, output))
        else:
            text = _backtest(repository, rules, asked, _format(format_, output))
    write_to(output, text)


# Private


class _Asked(NamedTuple):
    """Which past is asked for. `on_screen` says that the answer goes to where a person may look."""

    since: str
    branch: str
    now: str
    on_screen: bool
    outcomes: Path | None


def _backtest(repository: Repository, files: tuple[Path, ...], asked: _Asked, format_: str) -> str | bytes:
    from tidegate.policy.backtest.run import backtest as run
    from tidegate.policy.folder import with_files
    from tidegate.report.backtest_html import render_backtest_html
    from tidegate.report.backtest_json import render_backtest_json
    from tidegate.report.backtest_text import render_backtest
    from tidegate.report.style import PLAIN

    loaded = _loaded(repository)
    policy = _policy(repository, with_files(loaded, files) if files else loaded, asked.branch)
    result = run(policy, _past(repository, loaded, asked))
    if format_ == "json":
        return render_backtest_json(result)
    if format_ == "html":
        return render_backtest_html(result)
    return render_backtest(result, style_here() if asked.on_screen else PLAIN)


def _compare(repository: Repository, names: tuple[str, str], asked: _Asked, format_: str) -> str | bytes:
    from tidegate.policy.backtest.run import compare
    from tidegate.report.backtest_html import render_comparison_html
    from tidegate.report.backtest_json import render_comparison_json
    from tidegate.report.backtest_text import render_comparison
    from tidegate.report.style import PLAIN

    loaded = _loaded(repository)
    first, second = (_policy(repository, _named(repository, loaded, name), asked.branch) for name in names)
    result = compare(first, second, _past(repository, loaded, asked))
    if format_ == "json":
        return render_comparison_json(result, names)
    if format_ == "html":
        return render_comparison_html(result, names)
    return render_comparison(result, names, style_here() if asked.on_screen else PLAIN)


def _past(repository: Repository, loaded: Loaded, asked: _Asked) -> Iterator[PastChange]:
    """The changes of the past with what became of them. The settings of today say what they are."""
    from datetime import datetime

    from tidegate.replay import moment_before, read_hindsight, read_past
    from tidegate.risk.labels.told import read_outcomes

    told = read_outcomes(asked.outcomes) if asked.outcomes is not None else ()
    seconds = int(datetime.fromisoformat(asked.now).timestamp())
    until = repository.resolve(asked.branch)
    shown = _progress()
    hindsight = read_hindsight(repository, until, loaded.settings, seconds, shown, outcomes=told)
    since = moment_before(asked.since, hindsight.now)
    part = None if shown is None else lambda done, whole: shown("reading what landed", done, whole)
    return read_past(repository, until, since, loaded.settings, hindsight, part)


def _loaded(repository: Repository) -> Loaded:
    """Settings and rules as they lie in the work tree; of a bare repository those at HEAD."""
    from tidegate.change.configuration import read_settings
    from tidegate.policy.folder import read_folder

    if repository.path == repository.git_dir:
        return read_settings(repository, repository.find("HEAD"), os.environ)
    return read_folder(repository.path, os.environ)


def _policy(repository: Repository, loaded: Loaded, branch: str) -> Policy:
    from tidegate.policy.rules import read_policy

    return read_policy(repository, repository.resolve(branch), loaded)


def _named(repository: Repository, loaded: Loaded, name: str) -> Loaded:
    """What a file, a folder or a revision decides. A file of that name comes before a revision."""
    from tidegate.change.configuration import read_settings
    from tidegate.policy.folder import read_folder, with_files

    path = Path(name)
    if path.is_file():
        return with_files(loaded, [path])
    if not path.is_dir():
        return read_settings(repository, repository.resolve(name), os.environ)
    inside = sorted(path.glob("*.toml"))
    whole = (path / ".tidegate").is_dir() or any(p.name in ("tidegate.toml", "pyproject.toml") for p in inside)
    return read_folder(path, os.environ) if whole or not inside else with_files(loaded, inside)


def _format(format_: str | None, output: Path | None) -> str:
    if format_ is not None:
        return format_
    suffix = output.suffix[1:] if output is not None else ""
    return suffix if suffix in _FORMATS else "text"


def _progress() -> Callable[[str, int, int], None] | None:
    from tidegate.cli.risk import progress

    return progress() if sys.stderr.isatty() else None
