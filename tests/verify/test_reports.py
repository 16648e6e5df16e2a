"""Reports are told by their content, and hostile ones are refused in one line, quickly and in little memory."""

# ruff: noqa: E501 a hostile report is one line of the table

from __future__ import annotations

import gzip
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verify.changes import subject_of
from tidegate.errors import InputError
from tidegate.verify import runs
from tidegate.verify.coverage import check as coverage
from tidegate.verify.json_stream import JsonStream
from tidegate.verify.reports import open_report
from tidegate.verify.sarif import check as scanners
from tidegate.verify.values import Part

CODE = {"src/a.py": "x = 1\ny = 2\n"}
CHECKS: dict[str, Callable[[Path], Part]] = {
    "coverage": lambda path: coverage.check(subject_of({}, CODE, coverage=(path,))),
    "junit": lambda path: runs.check(subject_of({}, CODE, junit=(path,))),
    "sarif": lambda path: scanners.check(subject_of({}, CODE, sarif=(path,))),
}
LAUGHS = "".join(f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};&l{n - 1};&l{n - 1};">' for n in range(1, 20))
COBERTURA = '<coverage line-rate="1"><packages><package><classes><class filename="src/a.py"><lines>{}</lines></class></classes></package></packages></coverage>'
RESULT = {
    "ruleId": "R",
    "message": {"text": "m"},
    "locations": [{"physicalLocation": {"artifactLocation": {"uri": "src/a.py"}, "region": {"startLine": 1}}}],
}


def sarif(result: object, **more: object) -> str:
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T"}}, "results": [result], **more}]})


HOSTILE: dict[str, tuple[str, str, str]] = {
    "billion laughs": ("junit", f'<!DOCTYPE t [<!ENTITY l0 "ha">{LAUGHS}]><testsuites>&l19;</testsuites>', "DOCTYPE"),
    "quadratic blowup": ("junit", f'<!DOCTYPE t [<!ENTITY a "{"a" * 50_000}">]><testsuites>&a;&a;</testsuites>', "DOCTYPE"),
    "external entity": ("coverage", '<!DOCTYPE coverage [<!ENTITY x SYSTEM "file:///etc/passwd">]><coverage>&x;</coverage>', "DOCTYPE"),
    "parameter entity": ("coverage", '<!DOCTYPE coverage [<!ENTITY % x SYSTEM "http://example.com/x">%x;]><coverage/>', "DOCTYPE"),
    "undeclared entity": ("coverage", '<!DOCTYPE coverage SYSTEM "x.dtd"><coverage line-rate="1">&x;</coverage>', "entities"),
    "deep elements": ("junit", "<testsuites>" + "<a>" * 200, "nested deeper"),
    "many attributes": ("junit", "<testsuites><a " + " ".join(f'b{n}="1"' for n in range(300)) + "/></testsuites>", "attributes"),
    "large tag": ("junit", f'<testsuites><testsuite name="{"n" * 1_300_000}"/></testsuites>', "larger than 1 MB"),
    "cut XML": ("junit", '<testsuites><testsuite name="a"><testcase name="b"/>', "too early"),
    "cut tag": ("coverage", '<coverage line-rate="1"><packages><pack', "too early"),
    "two roots": ("junit", "<testsuites/><testsuites/>", "junk"),
    "strange encoding": ("junit", '<?xml version="1.0" encoding="made-up"?><testsuites/>', "encoding"),
    "negative hits": ("coverage", COBERTURA.format('<line number="1" hits="-1"/>'), "no count"),
    "hits NaN": ("coverage", COBERTURA.format('<line number="1" hits="NaN"/>'), "no count"),
    "hits 1e999": ("coverage", COBERTURA.format('<line number="1" hits="1e999"/>'), "no count"),
    "huge hits": ("coverage", COBERTURA.format(f'<line number="1" hits="{"9" * 5000}"/>'), "no count"),
    "line of letters": ("coverage", COBERTURA.format('<line number="one" hits="1"/>'), "no count"),
    "class without file": ("coverage", '<coverage line-rate="1"><packages><class name="x"/></packages></coverage>', "names no file"),
    "unknown root": ("coverage", "<TestRun><Times/></TestRun>", "<TestRun>"),
    "LCOV cut": ("coverage", "SF:src/a.py\nDA:1,1\n", "too early"),
    "LCOV cut in a count": ("coverage", "SF:src/a.py\nDA:1,", "no count"),
    "LCOV NaN": ("coverage", "SF:src/a.py\nDA:1,nan\nend_of_record\n", "no count"),
    "LCOV of other words": ("coverage", "SF:src/a.py\nXX:1\nend_of_record\n", "none of LCOV"),
    "LCOV long line": ("coverage", "TN:\nSF:" + "a" * 100_000, "longer"),
    "Go cut": ("coverage", "mode: set\nm/src/a.go:1.1,2", "no block"),
    "JSON NaN": ("coverage", '{"meta": {}, "files": {"src/a.py": {"executed_lines": [NaN], "missing_lines": []}}}', "NaN"),
    "JSON infinite": ("sarif", sarif({**RESULT, "rank": 1}).replace('"rank": 1', '"rank": 1e999'), "too large"),
    "JSON many digits": ("sarif", sarif(RESULT).replace('"startLine": 1', '"startLine": ' + "1" * 6000), "digits"),
    "JSON deep": ("sarif", '{"version": "2.1.0", "more": ' + "[" * 300_000, "nested"),
    "JSON cut": ("sarif", sarif(RESULT)[:-20], "too early"),
    "JSON and more": ("sarif", sarif(RESULT) + "{}", "follows"),
    "other JSON": ("coverage", '{"hello": "world"}', "no report of coverage.py"),
    "coverage line of words": ("coverage", '{"files": {"src/a.py": {"executed_lines": ["1"], "missing_lines": []}}}', "no line"),
    "coverage negative line": ("coverage", '{"files": {"src/a.py": {"executed_lines": [-1], "missing_lines": []}}}', "no line"),
    "coverage without lines": ("coverage", '{"files": {"src/a.py": {"summary": {}}}}', "executed_lines"),
    "SARIF 1": ("sarif", '{"version": "1.0.0", "runs": []}', "not 2.1.0"),
    "SARIF without runs": ("sarif", '{"version": "2.1.0"}', "no `runs`"),
    "SARIF runs object": ("sarif", '{"version": "2.1.0", "runs": {}}', "no list"),
    "SARIF without tool": ("sarif", '{"version": "2.1.0", "runs": [{"results": []}]}', "names no tool"),
    "SARIF locations": ("sarif", sarif({**RESULT, "locations": {}}), "locations is no list"),
    "SARIF level": ("sarif", sarif({**RESULT, "level": "fatal"}), "level"),
    "SARIF result": ("sarif", sarif(17), "no object"),
    "SARIF as coverage": ("coverage", sarif(RESULT), "--sarif"),
    "JUnit as coverage": ("coverage", '<testsuites><testsuite/></testsuites>', "--junit"),
    "coverage as JUnit": ("junit", COBERTURA.format(""), "no JUnit"),
    "XML as SARIF": ("sarif", "<testsuites/>", "no SARIF"),
    "JUnit NaN": ("junit", '<testsuite failures="NaN"><testcase name="a"/></testsuite>', "no count"),
    "JUnit negative": ("junit", '<testsuite failures="-3"><testcase name="a"/></testsuite>', "no count"),
    "JUnit counts and names none": ("junit", '<testsuite tests="7"/>', "names none"),
    "text": ("junit", "all tests passed\n", "no report"),
    "nothing": ("sarif", "", "empty"),
    "blanks": ("coverage", " \n\n ", "empty"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_report_is_refused_in_one_clear_line(tmp_path: Path, name: str) -> None:
    option, content, said = HOSTILE[name]
    report = tmp_path / "report"
    report.write_text(content)
    with pytest.raises(InputError) as refused:
        CHECKS[option](report)
    text = str(refused.value)
    assert said in text
    assert str(report) in text
    assert refused.value.mend
    assert len(text) - len(str(report)) < 250


@pytest.mark.parametrize("option", CHECKS)
def test_what_is_no_text_is_refused(tmp_path: Path, option: str) -> None:
    report = tmp_path / "report"
    report.write_bytes(gzip.compress(b"<testsuites/>"))
    with pytest.raises(InputError, match="gzip"):
        CHECKS[option](report)
    with zipfile.ZipFile(report, "w") as archive:
        archive.writestr("junit.xml", "<testsuites/>")
    with pytest.raises(InputError, match="zip"):
        CHECKS[option](report)
    with pytest.raises(InputError, match="no regular file"):
        CHECKS[option](tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        CHECKS[option](tmp_path / "none")
    report.write_bytes(b'{"version": "2.1.0", "runs": "\xff\xfe"}')
    with pytest.raises(InputError):
        CHECKS[option](report)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_reports_in_any_unicode_are_read(tmp_path: Path, encoding: str) -> None:
    report = tmp_path / "report"
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    lines = '<line number="1" hits="1"/><line number="2" hits="0"/>'
    name = "utf-16" if encoding.startswith("utf-16") else "utf-8"
    xml = f'{mark}<?xml version="1.0" encoding="{name}"?>{COBERTURA.format(lines)}'
    tracefile = f"{mark}SF:src/a.py\nDA:1,1\nDA:2,0\nend_of_record\n"
    of_tool = mark + json.dumps({"files": {"src/a.py": {"executed_lines": [1], "missing_lines": [2]}}})
    for content in (xml, tracefile, of_tool):
        report.write_bytes(content.encode(encoding))
        facts = CHECKS["coverage"](report).fields["coverage"]
        assert (facts.lines, facts.covered) == (2, 1)


def test_a_doctype_that_only_names_a_dtd_is_passed_over(tmp_path: Path) -> None:
    report = tmp_path / "jacoco"
    report.write_text('<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="x"/>')
    assert open_report(report).kind == "jacoco"


def test_memory_does_not_grow_with_the_report(tmp_path: Path) -> None:
    many = 30_000
    reports = {
        "coverage": COBERTURA.format("".join(f'<line number="{n % 2 + 1}" hits="1"/>' for n in range(many))),
        "junit": "<testsuite>" + '<testcase name="a"><system-out>'.ljust(40) + "x" * (40 * many) + "</system-out></testcase></testsuite>",
        "sarif": json.dumps({"version": "2.1.0", "runs": [{"results": [{"locations": [], "kind": "fail"}] * many, "tool": {"driver": {"name": "T"}}}]}),
    }  # fmt: skip
    report = tmp_path / "report"
    for option, content in reports.items():
        assert len(content) > 800_000
        report.write_text(content)
        tracemalloc.start()
        CHECKS[option](report)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 800_000, (option, peak)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(values, st.integers(1, 9), st.sampled_from([None, 1, 2]))
def test_json_in_pieces_is_the_same_json(value: object, size: int, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    stream = JsonStream(pieces, "it")
    assert stream.value() == value
    stream.end()
    assert _walked(JsonStream(pieces, "it"), value) == value


@given(values, st.data())
def test_json_that_is_cut_is_refused(value: object, data: st.DataObject) -> None:
    text = json.dumps([value])
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    for read in (JsonStream.value, JsonStream.skip):
        stream = JsonStream([cut], "it")
        with pytest.raises(InputError):
            read(stream)


def _walked(stream: JsonStream, like: object) -> object:
    """The same value, read by its members and elements."""
    if isinstance(like, dict):
        return {key: _walked(stream, like[key]) for key in stream.members()}
    if isinstance(like, list):
        return [_walked(stream, like[at]) for at, _ in enumerate(stream.elements())]
    return stream.value()
