"""The check as GitHub workflow commands, which become annotations of a change.

GitHub shows ten annotations of a step; an end line is left out, because GitHub draws it wrongly at the end of a file.
https://docs.github.com/en/actions/using-workflows/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.facts import Facts
from tidegate.policy.verdict import Verdict
from tidegate.report.escape import github_message, github_property, plain, terminal
from tidegate.report.results import Level, Result, results
from tidegate.report.style import Style
from tidegate.report.words import OUTCOMES, headline

MOST = 10


def render_github(facts: Facts, verdict: Verdict, style: Style) -> str:  # noqa: ARG001 every format has one signature
    """The verdict and the strictest results as commands, ten in all, then one line for the log."""
    found = results(facts, verdict)
    shown = found[: MOST - 1]
    lines = [_verdict(verdict), *(_command(result) for result in shown)]
    left = len(found) - len(shown)
    rest = f" {left} more {'is' if left == 1 else 'are'} not shown as annotations." if left else ""
    lines.append(f"tidegate: {OUTCOMES[verdict.outcome]}. {terminal(headline(verdict))}{rest}")
    return "\n".join(lines) + "\n"


# Private

_COMMANDS: Mapping[Level, str] = {"block": "error", "error": "error", "warning": "warning", "note": "notice"}


def _verdict(verdict: Verdict) -> str:
    command = "notice" if verdict.outcome == "pass" else "error"
    title = github_property(f"Tidegate: {OUTCOMES[verdict.outcome]}")
    return f"::{command} title={title}::{github_message(plain(headline(verdict)))}"


def _command(result: Result) -> str:
    message = plain(result.message, 2000)
    if result.mend:
        message += f"\nNext: {plain(result.mend, 1000)}"
    properties = [f"title={github_property(f'{result.rule}')}"]
    if result.place.path:
        properties = [f"file={github_property(result.place.path)}", f"line={max(1, result.place.line)}", *properties]
    return f"::{_COMMANDS[result.level]} {','.join(properties)}::{github_message(message)}"
