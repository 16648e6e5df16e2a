"""The check as one JSON document, `tidegate.check/1`: what machines read. Same facts, same bytes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tidegate import __version__
from tidegate.facts import Facts, to_document, to_json
from tidegate.policy.verdict import Outcome, Stage, Verdict
from tidegate.report.escape import json_line
from tidegate.report.style import Style

SCHEMA = "tidegate.check/1"


class Check(Struct, frozen=True, kw_only=True):
    """What `tidegate check --format json` writes. In `facts` a field that does not hold is absent."""

    schema: Literal["tidegate.check/1"] = "tidegate.check/1"
    tidegate: Annotated[str, Meta(description="version of Tidegate")]
    outcome: Annotated[Outcome, Meta(description="the verdict in one word")]
    stage: Annotated[Stage, Meta(description="the stage that was asked about")]
    facts: Annotated[Facts, Meta(description="everything that is known of the change")]
    verdict: Annotated[Verdict, Meta(description="every rule, what it says, and why")]


def render_json(facts: Facts, verdict: Verdict, style: Style) -> str:  # noqa: ARG001 every format has one signature
    """The check as canonical JSON: sorted keys, no white space."""
    document = {
        "schema": SCHEMA,
        "tidegate": __version__,
        "outcome": verdict.outcome,
        "stage": verdict.stage,
        "facts": to_document(facts),
        "verdict": verdict,
    }
    try:
        text = to_json(document)
    except UnicodeEncodeError:
        text = to_json(encodable(msgspec.to_builtins(document)))
    return json_line(text.decode()) + "\n"


def encodable(value: Any) -> Any:
    """The value with lone surrogates, which UTF-8 cannot hold, written as `\\udcNN`."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {encodable(key): encodable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encodable(item) for item in value]
    return value
