"""The check as SARIF 2.1.0 (OASIS), for GitHub code scanning and every other reader of it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/ ; what GitHub reads of it and where it stops:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate import __version__
from tidegate.facts import Facts, Place, to_json
from tidegate.policy.explanation import page_ids, read_page
from tidegate.policy.verdict import Verdict
from tidegate.report.escape import plain, sarif_text, sarif_uri
from tidegate.report.results import Level, Result, results
from tidegate.report.style import Style
from tidegate.report.words import explain_command, not_collected, unknowns

MOST_RESULTS = 25_000
"""GitHub refuses a run with more."""
SHOWN_RESULTS = 5_000
"""GitHub shows only so many, the most severe first."""


def render_sarif(facts: Facts, verdict: Verdict, style: Style) -> str:  # noqa: ARG001 every format has one signature
    """One run with a result for every finding and every rule that fired, the strictest first."""
    found = results(facts, verdict)
    kept = found[:MOST_RESULTS]
    rules = list(dict.fromkeys(result.rule for result in kept))
    first_of = {result.rule: result for result in reversed(kept)}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Tidegate",
                        "semanticVersion": __version__,
                        "rules": _rules(rules, first_of, verdict),
                    }
                },
                "automationDetails": {"id": f"tidegate/check/{verdict.stage}/"},
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {"executionSuccessful": True, "toolExecutionNotifications": _notifications(facts, len(found))}
                ],
                "properties": {
                    "outcome": verdict.outcome,
                    "stage": verdict.stage,
                    "policyDigest": plain(verdict.policy_digest),
                },
                "results": [_result(result, rules.index(result.rule)) for result in kept],
            }
        ],
    }
    return to_json(log).decode() + "\n"


# Private

_LEVELS: Mapping[Level, str] = {"block": "error", "error": "error", "warning": "warning", "note": "note"}


def _rules(ids: Sequence[str], first_of: Mapping[str, Result], verdict: Verdict) -> list[dict[str, Any]]:
    pages = set(page_ids())
    reasons = {rule.id: rule.reason for rule in verdict.rules}
    described = []
    for id_ in ids:
        title = sarif_text(_title(first_of[id_], reasons), 300)
        help_text = explain_command(id_)
        rule: dict[str, Any] = {
            "id": plain(id_),
            "shortDescription": {"text": title},
            "fullDescription": {"text": sarif_text(reasons.get(id_) or title, 1000)},
            "defaultConfiguration": {"level": _LEVELS[first_of[id_].level]},
            "help": {"text": sarif_text(f"{title}. {reasons.get(id_, '')} {help_text}", 1500)},
            "properties": {"tags": ["tidegate"]},
        }
        if id_ in pages:
            page = read_page(id_)
            rule["help"] = {"text": page, "markdown": page}
        described.append(rule)
    return described


def _title(result: Result, reasons: Mapping[str, str]) -> str:
    """A rule's own title; the id in words for a finding, whose message belongs to one place only."""
    return result.title if result.rule in reasons else result.rule.replace("-", " ").capitalize()


def _result(result: Result, index: int) -> dict[str, Any]:
    text = f"{result.message}. Next: {result.mend}" if result.mend else result.message
    written: dict[str, Any] = {
        "ruleId": plain(result.rule),
        "ruleIndex": index,
        "level": _LEVELS[result.level],
        "message": {"text": sarif_text(text, 2000) or plain(result.rule)},
        "partialFingerprints": {
            "primaryLocationLineHash": f"{result.identity[:16]}:1",
            "tidegateIdentity/v1": result.identity,
        },
    }
    location = _location(result.place)
    if location:
        written["locations"] = [location]
    return written


def _location(place: Place) -> dict[str, Any]:
    uri = sarif_uri(place.path)
    if not uri:
        return {}
    region = {"startLine": max(1, place.line)}
    if place.end_line > place.line > 0:
        region["endLine"] = place.end_line
    return {"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": region}}


def _notifications(facts: Facts, total: int) -> list[dict[str, Any]]:
    texts = [("note", f"{name} is unknown: {reason}") for name, reason in unknowns(facts)]
    texts += [("note", f"{name} is unknown: not collected") for name in not_collected(facts)]
    if total > MOST_RESULTS:
        left = f"{total - MOST_RESULTS} of {total} results were left out"
        texts.append(("warning", f"{left}: GitHub refuses a run with more than {MOST_RESULTS}."))
    if total > SHOWN_RESULTS:
        texts.append(("warning", f"GitHub shows only the {SHOWN_RESULTS} most severe of the results."))
    return [{"level": level, "message": {"text": sarif_text(text, 1000)}} for level, text in texts]
