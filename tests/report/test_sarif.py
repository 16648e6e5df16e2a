"""SARIF that GitHub takes, and whose alerts survive a change that moves lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from tests.report import samples
from tidegate.facts import Facts, Place
from tidegate.policy.verdict import Verdict
from tidegate.report import sarif
from tidegate.report.sarif import render_sarif
from tidegate.report.style import PLAIN

SAMPLES = (samples.held, samples.passing, samples.blocked, samples.bare_diff, samples.hostile)


def run_of(facts: Facts, verdict: Verdict) -> dict[str, Any]:
    run: dict[str, Any] = json.loads(render_sarif(facts, verdict, PLAIN))["runs"][0]
    return run


@pytest.mark.conformance
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.__name__)
def test_it_is_valid(sample: Any, data: Path) -> None:
    schema = json.loads((data / "policy" / "sarif" / "sarif-schema-2.1.0.json").read_bytes())
    jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(
        json.loads(render_sarif(*sample(), PLAIN))
    )


def test_every_result_names_its_rule_and_a_place_inside_the_repository() -> None:
    run = run_of(*samples.blocked())
    rules = run["tool"]["driver"]["rules"]
    assert [result["ruleId"] for result in run["results"]] == [
        "policy-change",
        "note-over-reach",
        "big-change",
        "codeowners-unknown-owner",
    ]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert place["region"]["startLine"] >= 1
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning", "warning"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tidegate.toml"
    assert run["results"][1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "endLine": 9}


def test_a_rule_is_put_where_the_facts_that_made_it_fire_lie() -> None:
    places = {
        result["ruleId"]: result["locations"][0]["physicalLocation"] for result in run_of(*samples.held())["results"]
    }
    assert places["annotation-required"]["artifactLocation"]["uri"] == "shop/page.py"
    assert places["ai-critical-two-humans"]["artifactLocation"]["uri"] == "shop/auth/token.py"


def test_a_path_is_percent_encoded_and_one_that_leads_out_is_no_location() -> None:
    def place(path: str) -> dict[str, Any]:
        facts, verdict = samples.blocked()
        finding = replace(facts.provenance.findings[0], place=Place(path, 3))
        facts = replace(facts, provenance=replace(facts.provenance, findings=(finding,)))
        result: dict[str, Any] = run_of(facts, verdict)["results"][1]
        return result

    uri = place("a b/ü:#%.py")["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "a%20b/%C3%BC%3A%23%25.py"
    assert "locations" not in place("../../etc/passwd")
    assert "locations" not in place("/etc/passwd")


def test_what_is_unknown_is_said_as_a_notification() -> None:
    texts = [n["message"]["text"] for n in run_of(*samples.bare_diff())["invocations"][0]["toolExecutionNotifications"]]
    assert "provenance is unknown: a bare diff says nothing of who or what wrote it" in texts
    assert "reach is unknown: not collected" in texts


def test_fingerprints_survive_lines_that_move_and_tell_results_apart() -> None:
    facts, verdict = samples.blocked()
    first = facts.provenance.findings[0]
    moved = replace(first, message=first.message.replace("3-9", "13-19"), place=Place("shop/cart.py", 13, 19))
    other = replace(first, place=Place("shop/page.py", 3, 9))

    def prints(*findings: Any) -> list[str]:
        run = run_of(replace(facts, provenance=replace(facts.provenance, findings=findings)), verdict)
        own = [result for result in run["results"] if result["ruleId"] == "note-over-reach"]
        return [result["partialFingerprints"]["tidegateIdentity/v1"] for result in own]

    assert prints(first) == prints(moved)
    assert len({*prints(first, replace(first, severity="medium"), other)}) == 3
    assert all(
        result["partialFingerprints"]["primaryLocationLineHash"].endswith(":1")
        for result in run_of(facts, verdict)["results"]
    )


def test_a_shipped_rule_brings_its_page() -> None:
    from tidegate.policy.explanation import page_ids, read_page

    if not page_ids():
        pytest.skip("no page is shipped")
    facts, verdict = samples.blocked()
    named = replace(verdict.rules[0], id=page_ids()[0])
    run = run_of(facts, replace(verdict, rules=(named,)))
    assert run["tool"]["driver"]["rules"][0]["help"]["markdown"] == read_page(page_ids()[0])


def test_too_many_results_are_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 20)
    monkeypatch.setattr(sarif, "SHOWN_RESULTS", 5)
    facts, verdict = samples.blocked()
    finding = facts.provenance.findings[0]
    many = tuple(replace(finding, message=f"fault {chr(97 + number)}", severity="low") for number in range(26))
    run = run_of(replace(facts, provenance=replace(facts.provenance, findings=many)), verdict)
    assert len(run["results"]) == 20
    assert run["results"][0]["ruleId"] == "policy-change", "the strictest stay"
    texts = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert "9 of 29 results were left out: GitHub refuses a run with more than 20." in texts
    assert "GitHub shows only the 5 most severe of the results." in texts
