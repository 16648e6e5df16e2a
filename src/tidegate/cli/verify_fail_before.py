"""`tidegate verify fail-before`: do the changed tests fail without the change?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidegate.cli.options import json_option, open_named, repo_option, write_result

if TYPE_CHECKING:
    from tidegate.change.values import Change
    from tidegate.verify.failbefore.values import Result, TestResult


@click.command(name="fail-before")
@click.argument("range_", required=False, default="", metavar="[RANGE]")
@click.option("--command", default="", metavar="TEXT", help="How tests are run: 'npx jest {files}'. Also {junit}.")
@click.option("--junit", default="", metavar="FILE", help="Where the command writes a JUnit report, below its folder.")
@click.option("--python", default="", metavar="PATH", help="The Python that runs the tests. [default: .venv, or PATH]")
@click.option("--timeout", type=click.FloatRange(min=1), default=600.0, show_default=True, help="Seconds for each run.")
@json_option
@repo_option
def fail_before(
    range_: str, command: str, junit: str, python: str, timeout: float, format_: str, repo: Path | None
) -> None:
    """Do the changed tests fail without the change?

    It runs the tests of this repository with your rights: once with the change, once on the sources without it, in
    temporary folders. RANGE is BASE..HEAD or a commit; by default what HEAD adds to its upstream branch. What was found
    is kept for exactly this change, and `tidegate check` reads it.

    Python runs by pytest and Go by `go test`; for anything else give the command. What was skipped or could not be run
    is unknown.
    """
    # Imported here, so that `--help` costs nothing of it.
    from tidegate.change.configuration import read_settings
    from tidegate.change.read import Question, read_change, read_ends
    from tidegate.verify.failbefore.job import Request
    from tidegate.verify.failbefore.journey import fail_before as run
    from tidegate.verify.failbefore.kept import write_kept

    with open_named(repo) as repository:
        ends = read_ends(Question(change=range_), repository)
        settings = read_settings(repository, ends.policy_at, os.environ).settings
        change = read_change(ends, repository, settings)
        click.echo("tidegate: runs the tests of this repository with your rights", err=True)
        request = Request(environment=os.environ, command=command, junit=junit, python=python, seconds=timeout)
        result = run(change, repository, request).result
        write_kept(repository.common_dir / "tidegate" / "verify", result)
    write_result(_json(result) if format_ == "json" else _text(result, change))


# Private

_HEADS = {
    "fail_before": "fail without the change and pass with it",
    "existence": "break without the change, because what it adds is not there: they show that it is, not what it does",
    "pass_before": "pass without the change too",
    "failed": "fail with the change",
    "unknown": "unknown",
}
_MOST_SHOWN = 30


def _json(result: Result) -> bytes:
    import msgspec

    from tidegate.verify.failbefore.judge import facts_of

    document = {**msgspec.to_builtins(result), "counts": msgspec.to_builtins(facts_of(result.tests))}
    return msgspec.json.encode(document, order="sorted")


def _text(result: Result, change: Change) -> str:
    from tidegate.report.escape import terminal
    from tidegate.report.layout import grouped

    lines = [f"Do the changed tests fail without the change? ({terminal(change.chosen, 200)})", ""]
    for class_, words in _HEADS.items():
        tests = [test for test in result.tests if _head_of(test) == class_]
        if not tests:
            continue
        lines.append(f"{grouped(len(tests), 'test')}: {words}")
        lines += [f"  {terminal(_line(test, class_), 400)}" for test in tests[:_MOST_SHOWN]]
        if len(tests) > _MOST_SHOWN:
            lines.append(f"  and {len(tests) - _MOST_SHOWN} more: --format json lists them all")
        lines.append("")
    if not result.tests:
        lines += ["No changed test was run: nothing is proven, and nothing is accused.", ""]
    lines += [f"note: {terminal(note, 300)}" for note in result.notes]
    return "\n".join(lines).rstrip() + "\n"


def _head_of(test: TestResult) -> str:
    return "existence" if test.shows == "existence" else test.class_


def _line(test: TestResult, class_: str) -> str:
    place = f"{test.path}:{test.line}" if test.line else test.path
    named = f"{place} {test.name}".rstrip()
    return named if class_ == "pass_before" else f"{named}: {test.reason}"
