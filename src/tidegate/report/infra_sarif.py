"""Effects on infrastructure as SARIF 2.1.0, without the rest of a check.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

import hashlib
from typing import Any

from tidegate import __version__
from tidegate.facts import Finding, Infra, Severity, to_json
from tidegate.policy.explanation import page_ids, read_page
from tidegate.report.escape import plain, sarif_text, sarif_uri
from tidegate.report.infra_words import headline, word_of

_LEVELS: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "note": "note",
}


def render_infra_sarif(infra: Infra) -> str:
    """One run with a result for every effect that a person is asked about, and for what cannot be judged."""
    rules = list(dict.fromkeys(finding.rule for finding in infra.findings))
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "Tidegate", "semanticVersion": __version__, "rules": _rules(rules)}},
                "automationDetails": {"id": "tidegate/infra/"},
                "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
                "columnKind": "unicodeCodePoints",
                "properties": {"verdict": word_of(infra), "because": sarif_text(headline(infra), 1000)},
                "results": [_result(finding, rules.index(finding.rule)) for finding in infra.findings],
            }
        ],
    }
    return to_json(log).decode() + "\n"


# Private


def _rules(ids: list[str]) -> list[dict[str, Any]]:
    pages = set(page_ids())
    described = []
    for id_ in ids:
        rule: dict[str, Any] = {"id": id_, "shortDescription": {"text": id_.replace("-", " ").capitalize()}}
        if id_ in pages:
            rule["help"] = {"text": read_page(id_), "markdown": read_page(id_)}
        described.append(rule)
    return described


def _result(finding: Finding, index: int) -> dict[str, Any]:
    identity = hashlib.sha256(f"{finding.rule}\0{finding.place.path}\0{finding.message}".encode()).hexdigest()
    written: dict[str, Any] = {
        "ruleId": plain(finding.rule),
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": sarif_text(finding.message, 2000) or plain(finding.rule)},
        "partialFingerprints": {"tidegateIdentity/v1": identity},
    }
    if uri := sarif_uri(finding.place.path):
        region = {"startLine": max(1, finding.place.line)}
        location = {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": region}
        written["locations"] = [{"physicalLocation": location}]
    return written
