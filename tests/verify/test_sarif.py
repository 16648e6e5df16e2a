"""SARIF: what the change introduces, each thing once, with the severity that the log means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verify.changes import subject_of
from tidegate.facts import Finding, Place
from tidegate.verify.reports import open_report
from tidegate.verify.sarif.check import check
from tidegate.verify.sarif.fingerprint import text_of
from tidegate.verify.sarif.log import read_log
from tidegate.verify.sarif.rules import cwes_of, families_of, read_rule, severity_of
from tidegate.verify.values import Part

PATH = "src/shop/a.py"
OLD = "import os\n\n\ndef f(x):\n    return x\n"
NEW = OLD + "\n\ndef g(y):\n    return eval(y)\n"


def result(line: int | None = 9, uri: str = PATH, *, end: int = 0, rule: str = "R1", **more: Any) -> dict[str, Any]:
    region = {} if line is None else {"region": {"startLine": line, **({"endLine": end} if end else {})}}
    location = {"physicalLocation": {"artifactLocation": {"uri": uri}, **region}}
    return {"ruleId": rule, "message": {"text": "it is bad."}, "locations": [location], **more}


def log(*results: object, tool: str = "scan", rules: object = (), **more: object) -> dict[str, Any]:
    driver = {"name": tool, "rules": list(rules) if isinstance(rules, (list, tuple)) else rules}
    # Results before the tool, as ruff and semgrep write them.
    return {"version": "2.1.0", "runs": [{"results": list(results), **more, "tool": {"driver": driver}}]}


def checked(
    folder: Path, *logs: object, before: Mapping[str, str] | None = None, after: Mapping[str, str] | None = None
) -> Part:
    paths = tuple(folder / f"log{number}.sarif" for number in range(len(logs)))
    for path, one in zip(paths, logs, strict=True):
        path.write_text(json.dumps(one))
    old = {PATH: OLD} if before is None else before
    return check(subject_of(old, {PATH: NEW} if after is None else after, sarif=paths))


def found(folder: Path, *results: object, **more: Any) -> tuple[Finding, ...]:
    part = checked(folder, log(*results, **more))
    assert part.fields["scanners"] == ("scan",)
    return part.findings


def test_nothing_is_claimed_where_no_log_is_given() -> None:
    part = check(subject_of({}, {PATH: NEW}))
    assert part.fields == {"scanners": ()}
    assert (part.findings, part.unknowns) == ((), ())


def test_only_what_the_change_introduces_is_a_finding(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, result(9), result(4), result(5), result(9, "src/shop/b.py"), result(None))
    assert (finding.rule, finding.severity, finding.place) == ("scanner-finding", "low", Place(PATH, 9, 9))
    assert finding.message == "scan R1: it is bad"
    (finding,) = found(tmp_path, result(4, end=9))
    assert finding.place == Place(PATH, 6, 9)


def test_a_result_about_a_whole_file_counts_in_a_new_one(tmp_path: Path) -> None:
    after = {PATH: NEW, "src/new.py": "x = 1\n"}
    part = checked(tmp_path, log(result(None, "src/new.py"), result(None)), after=after)
    assert [finding.place for finding in part.findings] == [Place("src/new.py")]


@pytest.mark.parametrize(
    ("location", "bases"),
    [
        ({"uri": "file:///repo/src/shop/a.py"}, {}),
        ({"uri": "src/shop/a.py", "uriBaseId": "%SRCROOT%"}, {}),
        ({"uri": "shop/a.py", "uriBaseId": "ROOT"}, {"ROOT": {"uri": "file:///github/workspace/src/"}}),
        ({"uri": "a.py", "uriBaseId": "B"}, {"A": {"uri": "file:///b/src/"}, "B": {"uri": "shop/", "uriBaseId": "A"}}),
        ({"uri": "a.py", "uriBaseId": "A"}, {"A": {"uri": "src/shop/", "uriBaseId": "A"}}),
        ({"uri": "src\\shop\\a.py"}, {}),
        ({"uri": "file:///C:/build/src/shop/a.py"}, {}),
        ({"uri": "src/sh%6fp/a.py"}, {}),
        ({"uri": "/app/src/shop/a.py"}, {}),
        ({"uri": "./src/shop/a.py"}, {}),
        ({"index": 1}, {}),
    ],
)
def test_every_way_to_write_a_path_is_understood(tmp_path: Path, location: object, bases: object) -> None:
    one = {**result(), "locations": [{"physicalLocation": {"artifactLocation": location, "region": {"startLine": 9}}}]}
    artifacts = [{"location": {"uri": "README.md"}}, {"location": {"uri": PATH}}]
    tree = {"lib/a.py": "", "README.md": "x"}
    logged = log(one, originalUriBaseIds=bases, artifacts=artifacts)
    part = checked(tmp_path, logged, before={**tree, PATH: OLD}, after={**tree, PATH: NEW})
    assert [finding.place.path for finding in part.findings] == [PATH]


def test_a_path_that_may_be_several_files_is_unknown(tmp_path: Path) -> None:
    tree = {"lib/shop/a.py": "x = 1\n"}
    part = checked(tmp_path, log(result(9, "shop/a.py")), before={**tree, PATH: OLD}, after={**tree, PATH: NEW})
    assert "scanners" not in part.fields
    assert "lib/shop/a.py" in part.unknowns[0].reason


OVERRIDE = {"descriptor": {"id": "R1"}, "configuration": {"level": "note"}}
OVERRIDDEN = {"invocations": [{"ruleConfigurationOverrides": [OVERRIDE]}]}
LEVELS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "of the result": ({"level": "error"}, {"defaultConfiguration": {"level": "note"}}, {}, "medium"),
    "of the rule": ({}, {"defaultConfiguration": {"level": "error"}}, {}, "medium"),
    "of neither": ({}, {}, {}, "low"),
    "of a configuration": ({}, {"defaultConfiguration": {"level": "error"}}, OVERRIDDEN, "note"),
    "none": ({"level": "none"}, {}, {}, "note"),
    "by rank": ({"rank": 90.0}, {}, {}, "medium"),
    "open": ({"kind": "open"}, {}, {}, "note"),
    "of security": ({"level": "error"}, {"properties": {"tags": ["security"]}}, {}, "high"),
    "of a weakness": ({"level": "warning"}, {"properties": {"tags": ["external/cwe/cwe-095"]}}, {}, "medium"),
    "by score": ({"level": "note"}, {"properties": {"security-severity": "9.8"}}, {}, "critical"),
    "by a score that is a number": ({}, {"properties": {"security-severity": 7.0}}, {}, "high"),
    "by a score of the result": ({"properties": {"security-severity": "5.0"}}, {}, {}, "medium"),
    "by a score that is none": ({}, {"properties": {"security-severity": "NaN"}}, {}, "low"),
    "by a score beyond the scale": ({}, {"properties": {"security-severity": "1e999"}}, {}, "low"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEVELS)
def test_severity_is_what_the_log_means(tmp_path: Path, name: str) -> None:
    of_result, of_rule, of_run, severity = LEVELS[name]
    (finding,) = found(tmp_path, result(**of_result), rules=[{"id": "R1", **of_rule}], **of_run)
    assert finding.severity == severity


@pytest.mark.parametrize(
    "more", [{"kind": "pass"}, {"kind": "notApplicable"}, {"kind": "informational"}, {"baselineState": "absent"}]
)
def test_what_is_no_fault_is_left_out(tmp_path: Path, more: dict[str, Any]) -> None:
    assert found(tmp_path, result(**more)) == ()


def test_rules_of_extensions_and_messages_by_id(tmp_path: Path) -> None:
    rule = {"id": "X1", "messageStrings": {"m": {"text": "{0} meets {1}"}}, "properties": {"security-severity": "8"}}
    one = {
        **result(),
        "rule": {"id": "X1", "index": 0, "toolComponent": {"index": 0}},
        "message": {"id": "m", "arguments": ["eval", "input"]},
    }
    del one["ruleId"]
    tool = {"driver": {"name": "codeql"}, "extensions": [{"name": "pack", "rules": [rule]}]}
    part = checked(tmp_path, {"version": "2.1.0", "runs": [{"tool": tool, "results": [one]}]})
    assert [(f.message, f.severity) for f in part.findings] == [("codeql X1: eval meets input", "high")]


def test_suppressed_results_are_left_out_and_counted(tmp_path: Path) -> None:
    silent = result(suppressions=[{"kind": "inSource"}])
    waiting = result(rule="R2", suppressions=[{"kind": "external", "status": "underReview"}])
    findings = found(tmp_path, silent, waiting)
    assert [finding.severity for finding in findings] == ["low", "note"]
    assert findings[1].message == "scan: 1 result is suppressed in lines that the change adds"


def test_tools_that_say_the_same_are_heard_once(tmp_path: Path) -> None:
    cwe = {"properties": {"tags": ["CWE-95: code injection"]}}
    logs = [
        log(result(rule="B307"), result(rule="B307"), tool="bandit"),
        log(result(rule="S307", level="error"), tool="ruff"),
        log(result(rule="py/eval"), tool="codeql", rules=[{"id": "py/eval", **cwe}]),
        log(result(rule="my.eval"), tool="semgrep", rules=[{"id": "my.eval", **cwe}]),
        log(result(rule="E501"), tool="flake8"),
    ]
    part = checked(tmp_path, *logs)
    assert part.fields["scanners"] == ("bandit", "ruff", "codeql", "semgrep", "flake8")
    said = [finding.message for finding in part.findings]
    assert said == [
        "codeql py/eval: it is bad (also my.eval of semgrep)",
        "ruff S307: it is bad (also B307 of bandit)",
        "flake8 E501: it is bad",
    ]


def test_lines_that_only_moved_are_not_introduced(tmp_path: Path) -> None:
    block = "def g(y):\n    z = y\n    return eval(z)\n"
    other = "def f(x):\n    return x\n"
    moved = checked(tmp_path, log(result(5)), before={PATH: block + other}, after={PATH: other + block})
    assert moved.findings == ()
    indented = {PATH: "if True:\n    def g(y):\n        z = y\n        return eval(z)\n" + other}
    assert checked(tmp_path, log(result(4)), before={PATH: block + other}, after=indented).findings == ()
    twice = {PATH: block + other + block}
    assert len(checked(tmp_path, log(result(8)), before={PATH: block + other}, after=twice).findings) == 1


def test_a_log_of_other_lines_or_of_a_broken_run_is_unknown(tmp_path: Path) -> None:
    part = checked(tmp_path, log(result(9), result(400, end=401)))
    assert len(part.findings) == 1
    assert part.fields == {}
    assert part.unknowns[0].reason == f"scan speaks of line 400 of {PATH}, which has 9: scan the head of the change"
    broken = checked(tmp_path, log(invocations=[{"executionSuccessful": False}]))
    assert broken.unknowns[0].reason == "scan: it says that its run failed"
    without = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scan"}}, "results": None}]}
    assert checked(tmp_path, without).unknowns


def test_many_results_are_cut_and_counted(tmp_path: Path) -> None:
    findings = found(tmp_path, *(result(rule=f"R{n}") for n in range(250)))
    assert len(findings) == 200
    assert findings[-1].message.endswith("(and 50 more results)")


def test_ranges_end_where_the_next_line_begins(tmp_path: Path) -> None:
    one = result(4, end=6)
    one["locations"][0]["physicalLocation"]["region"]["endColumn"] = 1
    assert found(tmp_path, one) == ()


@given(st.text(alphabet="ab \n", max_size=40), st.text(alphabet="c\n", max_size=10))
def test_fingerprints_stay_when_lines_move_and_change_with_the_words(text: str, above: str) -> None:
    region = "call()\nother()\nlast()\n"
    one = text_of((region + text).encode())
    moved = text_of((above.replace("c", "") + region.replace("call", "  call") + text).encode())
    at = moved.lines.index("call()") + 1
    print_of = one.fingerprint("R", Place("p", 2, 2))
    assert moved.fingerprint("R", Place("p", at + 1, at + 1)) == print_of
    assert one.fingerprint("S", Place("p", 2, 2)) != print_of
    assert one.fingerprint("R", Place("q", 2, 2)) != print_of
    assert text_of(b"call()\nnow()\nlast()\n").fingerprint("R", Place("p", 2, 2)) != print_of


def test_families_are_told_by_id_and_by_name() -> None:
    assert families_of("S307", "") == families_of("B307", "") == {"eval"}
    assert families_of("F401", "") == families_of("no-unused-imports", "") == {"unused import"}
    assert families_of("python.lang.security.audit.eval-detected.eval-detected", "") == {"eval"}
    assert families_of("X1", "hardcoded_password_string") == {"hard-coded secret"}
    assert families_of("evaluate", "") == families_of("", "") == frozenset()


def test_weaknesses_are_read_from_tags_and_relations() -> None:
    rule = read_rule({
        "id": "R",
        "properties": {"tags": ["external/cwe/cwe-078", "CWE-89: SQL"], "cwe": ["CWE-22"]},
        "relationships": [{"target": {"id": "79", "toolComponent": {"name": "CWE"}}}],
    })  # fmt: skip
    assert cwes_of(rule) == {"78", "89", "22", "79"}
    assert severity_of("error", "", rule) == "high"


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "tool", "count"), [
    ("bandit", "Bandit", 9), ("falsegreen", "falsegreen", 100), ("ruff", "ruff", 3861), ("semgrep", "Semgrep OSS", 2)
])  # fmt: skip
def test_real_logs_are_read_whole(data: Path, name: str, tool: str, count: int) -> None:
    path = data / f"policy/sarif/samples/{name}.sarif"
    raw = json.loads(path.read_bytes())["runs"][0]["results"]
    names = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].rpartition("/")[2] for one in raw}
    everything = dict.fromkeys(names, frozenset(range(100_000)))
    (run,) = read_log(open_report(path), everything, dict.fromkeys(names, 100_000))
    assert (run.tool, len(run.results), run.trouble) == (tool, count, "")
    assert len(raw) == count
    known = {rule.id for rules in run.rules for rule in rules}
    assert {one.rule for one in run.results} - known <= {"invalid-syntax"}
