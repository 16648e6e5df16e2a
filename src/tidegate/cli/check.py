"""`tidegate check`: who or what wrote the change, what it touches, what must still happen, and why."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import moment, open_named, repo_option, style_here, write_result
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.policy.verdict import Stage

_FILE = click.Path(path_type=Path)
_FORMATS = "text, json, sarif, github, summary, gitlab, markdown"


@click.command(name="check")
@click.argument("change", required=False, default="", metavar="[CHANGE]")
@click.option("--staged", is_flag=True, help="The staged tree against HEAD.")
@click.option("--pr", type=_FILE, help="A GitHub pull_request or GitLab merge_request event, as JSON.")
@click.option("--diff", type=_FILE, help="A unified diff; without a repository much stays unknown.")
@click.option("--reviews", type=_FILE, help="The forge's reviews of the change, as JSON.")
@click.option("--approvals", type=_FILE, multiple=True, help="Signed approvals: a file or a folder of them.")
@click.option("--transcript", "transcripts", type=_FILE, multiple=True, help="A transcript of a session that wrote it.")
@click.option("--plan", "plans", type=_FILE, multiple=True, help="A Terraform plan or change set of it, as JSON.")
@click.option("--coverage", type=_FILE, multiple=True, help="Cobertura, LCOV, JaCoCo, Clover or coverage.py's JSON.")
@click.option("--junit", type=_FILE, multiple=True, help="A JUnit report of a run with the change.")
@click.option("--sarif", type=_FILE, multiple=True, help="What a scanner found, as SARIF 2.1.0.")
@click.option("--mutation", type=_FILE, multiple=True, help="A report of Stryker, PIT, cargo-mutants or mutmut.")
@click.option(
    "--stage",
    type=click.Choice(["commit", "push", "merge", "deploy"]),
    help="What is due only at a later stage is listed and does not hold. [default: merge; commit for a staged tree]",
)
@click.option("--config", type=_FILE, help="Settings and rules in the place of those at the base of the change.")
@click.option("--format", "format_", default="text", show_default=True, help=f"One of {_FORMATS}.")
@click.option("-o", "--output", "outputs", multiple=True, metavar="[FORMAT=]FILE", help="May be given several times.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--now", help="The moment to judge at, RFC 3339; by default now.")
@repo_option
def check(
    change: str,
    staged: bool,
    pr: Path | None,
    diff: Path | None,
    reviews: Path | None,
    approvals: tuple[Path, ...],
    transcripts: tuple[Path, ...],
    plans: tuple[Path, ...],
    coverage: tuple[Path, ...],
    junit: tuple[Path, ...],
    sarif: tuple[Path, ...],
    mutation: tuple[Path, ...],
    stage: Stage | None,
    config: Path | None,
    format_: str,
    outputs: tuple[str, ...],
    color: str,
    now: str | None,
    repo: Path | None,
) -> int:
    """Who wrote this change, what it touches, what must still happen, and why.

    CHANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch.
    """
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.assess import Request, assess
    from tidegate.change.ends import Question
    from tidegate.report.formats import parse_outputs, write_outputs

    outputs_ = parse_outputs(outputs, format_)
    request = Request(
        question=Question(change=change, staged=staged, pr=pr, diff=diff, index=_index(repo)),
        stage=stage,
        now=moment(now),
        environment=os.environ,
        config=config,
        reviews=reviews,
        approvals=approvals,
        transcripts=transcripts,
        plans=plans,
        coverage=coverage,
        junit=junit,
        sarif=sarif,
        mutation=mutation,
    )
    with _repository(repo, needed=diff is None) as repository:
        found = assess(request, repository)
    write_outputs(outputs_, found.facts, found.verdict, style_here(color), write_result)
    return 0 if found.verdict.outcome == "pass" else 1


def _index(repo: Path | None) -> Path | None:
    """The index that git means when it runs us as a hook; not where another repository is named."""
    named = os.environ.get("GIT_INDEX_FILE")
    return Path.cwd() / named if named and repo is None else None


def _repository(repo: Path | None, *, needed: bool) -> AbstractContextManager[Repository | None]:
    """The repository that was named or that the current folder lies in; a bare diff does without one."""

    try:
        return open_named(repo)
    except InputError:
        if needed or repo is not None:
            raise
        return nullcontext()
