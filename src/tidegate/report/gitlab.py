"""The check as a GitLab code quality report.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.facts import Facts, to_json
from tidegate.policy.verdict import Verdict
from tidegate.report.escape import plain
from tidegate.report.results import Level, results
from tidegate.report.style import Style


def render_gitlab(facts: Facts, verdict: Verdict, style: Style) -> str:  # noqa: ARG001 every format has one signature
    """A JSON array with one issue for every result. A result without a place is put on the first line of `.`."""
    issues = [
        {
            "check_name": plain(result.rule),
            "description": plain(f"{result.message}. Next: {result.mend}" if result.mend else result.message, 2000),
            "fingerprint": result.identity,
            "severity": _SEVERITIES[result.level],
            "location": {
                "path": plain(result.place.path) or ".",
                "lines": {"begin": max(1, result.place.line)},
            },
        }
        for result in results(facts, verdict)
    ]
    return to_json(issues).decode() + "\n"


# Private

_SEVERITIES: Mapping[Level, str] = {"block": "blocker", "error": "critical", "warning": "major", "note": "info"}
