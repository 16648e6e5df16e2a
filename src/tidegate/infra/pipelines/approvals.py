"""Approvals in pipelines of Jenkins, CircleCI and Azure: steps that wait for a person and are taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.infra.pipelines.texts import Both, Text, mapping
from tidegate.infra.values import Draft, Value

_INPUT = re.compile(r"\binput\s*(?:\(|\{|message\b|['\"])")
_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL)


def gone(both: Both) -> Iterator[Draft]:
    """The approvals that a changed pipeline no longer asks for. What it does otherwise is not judged here."""
    if both.before is None or both.after is None:
        return
    had, has = _approvals(both.before), _approvals(both.after)
    if had <= has:
        return
    yield Draft(
        "GUARD_REMOVED",
        "high",
        f"pipeline {both.path}",
        f"{had - has} of {had} steps that wait for a person's approval {'is' if had - has == 1 else 'are'} removed from"
        f" {both.path}: what comes after runs by itself.",
        reversible=True,
        back="put the approval back",
        certainty="likely",
        place=both.after.place(),
        environment="production",
    )


# Private


def _approvals(text: Text) -> int:
    if "Jenkinsfile" in text.path:
        return len(_INPUT.findall(_COMMENT.sub("", text.words[:1_000_000])))
    if ".circleci/" in text.path:
        flows = mapping(mapping(text.value).get("workflows"))
        return sum(_count(flow, "type", "approval") for flow in flows.values())
    return _count(text.value, "task", "ManualValidation@")


def _count(value: Value, key: str, begins: str) -> int:
    found, left = 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            found += str(one.get(key, "")).startswith(begins)
            left += one.values()
        elif isinstance(one, list):
            left += one
    return found
