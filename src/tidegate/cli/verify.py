"""`tidegate verify`: what tests are worth for these lines, and what the change leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tidegate.cli.options import WithCommands, json_option, moment, open_named, repo_option, style_here, write_result
from tidegate.cli.verify_fail_before import fail_before
from tidegate.cli.verify_index import index
from tidegate.cli.verify_mutate import dismiss, mutate

_FILE = click.Path(path_type=Path)


@click.command(
    name="verify",
    cls=WithCommands,
    below={"fail-before": fail_before, "mutate": mutate, "dismiss": dismiss, "index": index},
)
@click.argument("change", required=False, default="", metavar="[CHANGE]")
@click.option("--staged", is_flag=True, help="The staged tree against HEAD.")
@click.option("--coverage", type=_FILE, multiple=True, help="Cobertura, LCOV, JaCoCo, Clover or coverage.py's JSON.")
@click.option("--junit", type=_FILE, multiple=True, help="A JUnit report of a run with the change.")
@click.option("--sarif", type=_FILE, multiple=True, help="What a scanner found, as SARIF 2.1.0.")
@click.option("--mutation", type=_FILE, multiple=True, help="A report of Stryker, PIT, cargo-mutants or mutmut.")
@click.option("--config", type=_FILE, help="Settings in the place of those at the base of the change.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@json_option
@repo_option
def verify(
    change: str,
    staged: bool,
    coverage: tuple[Path, ...],
    junit: tuple[Path, ...],
    sarif: tuple[Path, ...],
    mutation: tuple[Path, ...],
    config: Path | None,
    color: str,
    format_: str,
    repo: Path | None,
) -> None:
    """What tests are worth for these lines, and what the change leaves behind.

    CHANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch. This reads and runs nothing;
    the commands below it run the tests of the repository, with your rights, and keep the answer for this change.
    """
    from tidegate.change.ends import Question
    from tidegate.collectors import Reports, collect_for_verification
    from tidegate.facts import to_document, to_json
    from tidegate.report.verify_text import render_verify_text

    question, reports = Question(change=change, staged=staged), Reports(coverage, junit, sarif, mutation)
    with open_named(repo) as repository:
        facts = collect_for_verification(question, repository, moment(None), os.environ, reports=reports, config=config)
    if format_ == "json":
        write_result(to_json({"schema": "tidegate.verification/1", **to_document(facts)["verification"]}))
    else:
        write_result(render_verify_text(facts, style_here(color)))
