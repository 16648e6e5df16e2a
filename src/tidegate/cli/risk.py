"""`tidegate risk`: how likely a change is to need repair, what is hit if it does, and what that is learnt from."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import (
    WithCommands,
    json_option,
    moment,
    open_named,
    repo_option,
    style_here,
    write_result,
    write_to,
)

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.risk.labels.labels import Outcome
    from tidegate.settings import Settings

_FILE = click.Path(path_type=Path)
_OUTCOMES = click.option(
    "--outcomes", type=_FILE, metavar="FILE", help="What production said: `tidegate outcomes export`."
)
_AT = click.option("--at", default="HEAD", show_default=True, metavar="REV", help="Learn from what this holds.")


@click.command(name="train")
@_AT
@click.option("-o", "--output", type=_FILE, help="Also write it to this file, for `risk.model` of the settings.")
@click.option("--prior", type=_FILE, help="A prior of your own (`fleet --prior`) in the place of the shipped one.")
@_OUTCOMES
@json_option
@repo_option
def train(
    at: str, output: Path | None, prior: Path | None, outcomes: Path | None, format_: str, repo: Path | None
) -> None:
    """Learn from this repository's own past which changes had to be repaired.

    Reads the history once and keeps what it learnt beside it; later runs read only what is new. Stopping it loses
    nothing that was read.
    """
    from tidegate.errors import InputError
    from tidegate.report.risk_model import render_knowledge, render_knowledge_json
    from tidegate.risk.history.mine import store_folder
    from tidegate.risk.knowledge import encode, is_kept
    from tidegate.risk.model.model import read_model
    from tidegate.risk.train import learn

    own = read_model(prior) if prior is not None else None
    told = _told(outcomes)
    with open_named(repo) as repository:
        lesson = learn(repository, repository.resolve(at), _settings(repository), progress(), own, outcomes=told)
        kept = output is not None or is_kept(repository, lesson.knowledge)
    if output is not None:
        write_to(output, encode(lesson.knowledge))
    text = (
        render_knowledge_json(lesson.knowledge)
        if format_ == "json"
        else render_knowledge(lesson.knowledge, style_here())
    )
    write_result(text)
    if not kept:
        raise InputError(
            "what was learnt could not be kept: this is a link, belongs to somebody else or cannot be written",
            where=str(store_folder(repository)),
            mend="put it right, or write a file with -o FILE",
        )


@click.command(name="show")
@click.option("--model", type=_FILE, help="A file that `risk train -o` wrote.")
@json_option
@repo_option
def show(model: Path | None, format_: str, repo: Path | None) -> None:
    """What was learnt: from how many changes, how good it is, what moves it, how each agent fared."""
    from tidegate.errors import InputError
    from tidegate.report.risk_model import render_knowledge, render_knowledge_json
    from tidegate.risk.knowledge import read_file, read_kept

    if model is not None:
        knowledge = read_file(model)
    else:
        with open_named(repo) as repository:
            found = read_kept(repository)
        if found is None:
            raise InputError(
                "nothing was learnt here yet", where=str(repository.path), mend="learn: tidegate risk train"
            )
        knowledge = found
    write_result(render_knowledge_json(knowledge) if format_ == "json" else render_knowledge(knowledge, style_here()))


@click.command(name="evaluate")
@_AT
@_OUTCOMES
@json_option
@repo_option
def evaluate(at: str, outcomes: Path | None, format_: str, repo: Path | None) -> None:
    """How good the answers would have been: each earlier change scored by a model that knew only its past.

    What is learnt on the way is kept, as `risk train` does.
    """
    from tidegate.report.risk_model import render_evaluation, render_evaluation_json
    from tidegate.risk.train import learn

    told = _told(outcomes)
    with open_named(repo) as repository:
        lesson = learn(repository, repository.resolve(at), _settings(repository), progress(), outcomes=told)
    found = lesson.knowledge.evaluation
    write_result(render_evaluation_json(found) if format_ == "json" else render_evaluation(found, style_here()))


@click.command(name="risk", cls=WithCommands, below={"train": train, "show": show, "evaluate": evaluate})
@click.argument("change", required=False, default="", metavar="[CHANGE]")
@click.option("--staged", is_flag=True, help="The staged tree against HEAD.")
@click.option("--config", type=_FILE, help="Settings in the place of those at the base of the change.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--now", help="The moment to judge at, RFC 3339; by default now.")
@click.option("--reach/--no-reach", default=True, help="Without it the impact is unknown, and the answer comes sooner.")
@json_option
@repo_option
def risk(
    change: str,
    staged: bool,
    config: Path | None,
    color: str,
    now: str | None,
    reach: bool,
    format_: str,
    repo: Path | None,
) -> None:
    """How likely a change is to need repair, and what is hit if it does.

    CHANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch. Two numbers that stay two: the
    probability is learnt from what became of earlier changes, the impact is what the change touches and reaches.
    """
    from tidegate.change.ends import Question
    from tidegate.collectors import collect_for_risk
    from tidegate.facts import to_document, to_json
    from tidegate.report.risk_text import render_risk_text

    question, at = Question(change=change, staged=staged), moment(now)
    with open_named(repo) as repository:
        facts = collect_for_risk(question, repository, at, os.environ, config=config, reach=reach)
    if format_ == "json":
        document = to_document(facts)
        write_result(to_json({"schema": "tidegate.risk/1", **{name: document[name] for name in ("risk", "history")}}))
    else:
        write_result(render_risk_text(facts, style_here(color)))


def progress() -> Callable[[str, int, int], None] | None:
    """A bar on standard error for long work, where that is a terminal."""
    return _bar if sys.stderr.isatty() else None


# Private


def _bar(what: str, done: int, whole: int) -> None:
    share = done / whole if whole else 1.0
    filled = round(share * 24)
    sys.stderr.write(f"\r\x1b[K{what:<22} [{'#' * filled}{'.' * (24 - filled)}] {done:,} of {whole:,}")
    if done >= whole:
        sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()


def _told(file: Path | None) -> tuple[Outcome, ...]:
    from tidegate.risk.labels.told import read_outcomes

    return read_outcomes(file) if file is not None else ()


def _settings(repository: Repository) -> Settings:
    from tidegate.change.configuration import read_settings

    return read_settings(repository, repository.find("HEAD"), os.environ).settings
