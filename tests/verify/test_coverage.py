"""Coverage of the changed lines: every format, all reports together, and unknown where a report is of other lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verify.changes import subject_of
from tidegate.facts import CoverageFacts
from tidegate.verify.coverage.check import check, ranges_of
from tidegate.verify.coverage.code import read_code
from tidegate.verify.coverage.gather import Covered
from tidegate.verify.coverage.readers import read_coverage
from tidegate.verify.places import Places
from tidegate.verify.values import Part

OLD = "def f(x):\n    return x\n"
NEW = OLD + "\n\ndef g(y):\n    if y:\n        return 1\n    return 2\n"
LINES = {1: 1, 2: 1, 5: 3, 6: 3, 7: 0, 8: 3}
PATH = "src/shop/a.py"
Lines = Mapping[int, int]


def cobertura(files: Mapping[str, Lines], source: str = "", conditions: Mapping[int, str] | None = None) -> str:
    def line(number: int, hits: int) -> str:
        branch = f' branch="true" condition-coverage="{conditions[number]}"' if number in (conditions or {}) else ""
        return f'<line number="{number}" hits="{hits}"{branch}/>'

    classes = "".join(
        f'<class filename="{name}"><methods/><lines>{"".join(line(*one) for one in lines.items())}</lines></class>'
        for name, lines in files.items()
    )
    root = f"<sources><source>{source}</source></sources>" if source else ""
    return (
        f'<coverage line-rate="1">{root}<packages><package><classes>{classes}</classes></package></packages></coverage>'
    )


def lcov(files: Mapping[str, Lines], more: str = "") -> str:
    return "".join(
        f"TN:\nSF:{name}\n" + "".join(f"DA:{n},{hits}\n" for n, hits in lines.items()) + f"{more}end_of_record\n"
        for name, lines in files.items()
    )


def jacoco(files: Mapping[str, Lines]) -> str:
    packages = "".join(
        f'<package name="{name.rpartition("/")[0]}"><sourcefile name="{name.rpartition("/")[2]}">'
        + "".join(f'<line nr="{n}" mi="0" ci="{hits}" mb="0" cb="0"/>' for n, hits in lines.items())
        + "</sourcefile></package>"
        for name, lines in files.items()
    )
    return f'<!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd"><report name="x">{packages}</report>'


def clover(files: Mapping[str, Lines]) -> str:
    inside = "".join(
        f'<file name="{name}">'
        + "".join(f'<line num="{n}" type="stmt" count="{hits}"/>' for n, hits in lines.items())
        + "</file>"
        for name, lines in files.items()
    )
    return f'<coverage generated="1"><project timestamp="1">{inside}</project></coverage>'


def coverage_json(files: Mapping[str, Lines], **more: object) -> str:
    found = {
        name: {
            "executed_lines": [n for n, hits in lines.items() if hits],
            "missing_lines": [n for n, hits in lines.items() if not hits],
            **more,
        }
        for name, lines in files.items()
    }
    return json.dumps({"meta": {"format": 3}, "files": found, "totals": {}})


def go_cover(files: Mapping[str, Lines]) -> str:
    blocks = (f"{name}:{n}.1,{n}.40 1 {hits}" for name, lines in files.items() for n, hits in lines.items())
    return "mode: count\n" + "\n".join(blocks) + "\n"


FORMATS = {
    "cobertura": cobertura,
    "lcov": lcov,
    "jacoco": jacoco,
    "clover": clover,
    "coverage.py": coverage_json,
    "go": go_cover,
}


def checked(
    folder: Path,
    reports: Sequence[str],
    *,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
    critical: str = "",
    renamed: Mapping[str, str] | None = None,
) -> Part:
    paths = tuple(folder / f"report{number}" for number in range(len(reports)))
    for path, report in zip(paths, reports, strict=True):
        path.write_text(report)
    old = before if before is not None else {PATH: OLD}
    return check(
        subject_of(
            old,
            after if after is not None else {PATH: NEW},
            renamed=renamed,
            critical=critical,
            coverage=paths,
        )
    )


def facts_of(part: Part) -> CoverageFacts:
    assert not part.unknowns
    facts = part.fields["coverage"]
    assert isinstance(facts, CoverageFacts)
    return facts


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same_of_the_same_run(tmp_path: Path, name: str) -> None:
    part = checked(tmp_path, [FORMATS[name]({PATH: LINES})])
    facts = facts_of(part)
    assert (facts.lines, facts.covered, facts.share) == (4, 3, 0.75)
    (finding,) = part.findings
    assert (finding.rule, finding.severity, finding.place.line) == ("lines-uncovered", "low", 7)
    assert finding.message == f"Tests execute 3 of 4 changed lines of {PATH}; not executed: 7"


def test_a_line_is_covered_where_any_report_says_so(tmp_path: Path) -> None:
    missed = dict.fromkeys(LINES, 0)
    reports = [lcov({PATH: missed}), coverage_json({PATH: {**missed, 7: 1}}), cobertura({PATH: LINES})]
    part = checked(tmp_path, reports)
    assert facts_of(part).covered == 4
    assert part.findings == ()
    assert len(facts_of(part).reports) == 3


def test_a_changed_file_that_no_report_speaks_of_is_not_covered(tmp_path: Path) -> None:
    after = {PATH: NEW, "src/shop/new.py": '"""Doc."""\nimport os\n\n# comment\nprint(\n    os,\n)\n'}
    part = checked(tmp_path, [cobertura({PATH: {**LINES, 7: 1}})], after=after, critical="src/shop/new")
    facts = facts_of(part)
    assert (facts.lines, facts.covered, facts.unmeasured_files) == (6, 4, ("src/shop/new.py",))
    assert (facts.critical_lines, facts.critical_share) == (2, 0.0)
    (finding,) = part.findings
    assert finding.severity == "medium"
    assert finding.message.startswith(
        "No report speaks of src/shop/new.py, so its 2 changed lines count as not executed"
    )


def test_critical_lines_are_counted_apart(tmp_path: Path) -> None:
    after = {PATH: NEW, "src/pay/b.py": NEW}
    part = checked(tmp_path, [lcov({PATH: LINES, "src/pay/b.py": {**LINES, 8: 0}})], after=after, critical="src/pay")
    facts = facts_of(part)
    assert (facts.critical_lines, facts.critical_share) == (6, 4 / 6)
    assert [finding.severity for finding in part.findings] == ["medium", "low"]


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("/builds/app/src/shop/a.py", ""),
        ("a.py", "/app/src/shop"),
        ("C:\\build\\src\\shop\\a.py", ""),
        ("a.py", "D:\\build\\src\\shop\\"),
        (".\\src\\shop\\a.py", ""),
        ("shop/a.py", ""),
        ("file:///srv/src/shop/a.py", ""),
        ("./src/other/../shop/a.py", ""),
    ],
)
def test_paths_of_other_machines_are_joined(tmp_path: Path, written: str, source: str) -> None:
    after = {PATH: NEW, "a.py": "", "lib/a.py": "", "README.md": ""}
    part = checked(tmp_path, [cobertura({written: LINES}, source)], before={**after, PATH: OLD}, after=after)
    assert facts_of(part).lines == 4


def test_a_path_that_may_be_several_files_is_unknown_and_said(tmp_path: Path) -> None:
    after = {PATH: NEW, "lib/shop/a.py": OLD}
    part = checked(tmp_path, [cobertura({"shop/a.py": LINES})], before={**after, PATH: OLD}, after=after)
    assert part.fields == {}
    assert "lib/shop/a.py" in part.unknowns[0].reason


def test_two_paths_that_may_be_one_file_are_unknown(tmp_path: Path) -> None:
    report = cobertura({"/app/src/shop/a.py": LINES, "/usr/copy/src/shop/a.py": dict.fromkeys(LINES, 1)})
    assert "both may be" in checked(tmp_path, [report]).unknowns[0].reason


def test_code_of_third_parties_is_not_ours() -> None:
    places = Places(["setup.py", "src/shop/a.py"])
    assert places.find("/usr/lib/python3/site-packages/x/setup.py").path == ""
    assert places.find("/usr/lib/x/b/shop/other.py").how == "none"
    assert places.find("/app/setup.py").path == "setup.py"


STALE = {
    "lines after the end": cobertura({PATH: {**LINES, 40: 1}}),
    "a blank line": cobertura({PATH: {**LINES, 4: 1}}),
    "older than the added lines": cobertura({PATH: {1: 1, 2: 1}}),
    "older than some of them": coverage_json({PATH: {1: 1, 2: 1, 5: 1, 6: 1, 7: 1}}),
}


@pytest.mark.parametrize("name", STALE)
def test_a_report_of_other_lines_makes_coverage_unknown(tmp_path: Path, name: str) -> None:
    part = checked(tmp_path, [STALE[name]])
    assert part.fields == {}
    assert part.unknowns[0].path == "verification.coverage"
    assert PATH in part.unknowns[0].reason


def test_code_that_is_left_out_for_a_stated_reason_is_no_older_report(tmp_path: Path) -> None:
    after = {PATH: OLD + "def g(y):\n    if y:  # pragma: no cover\n        return 1\n    raise NotImplementedError\n"}
    facts = facts_of(checked(tmp_path, [cobertura({PATH: {1: 1, 2: 1, 3: 1}})], after=after))
    assert (facts.lines, facts.covered) == (1, 1)
    left_out = {PATH: OLD + "def g(y):\n    print(y)\n"}
    told = coverage_json({PATH: {1: 1, 2: 1, 3: 1}}, excluded_lines=[4])
    assert facts_of(checked(tmp_path, [told], after=left_out)).lines == 1
    assert checked(tmp_path, [cobertura({PATH: {1: 1, 2: 1, 3: 1}})], after=left_out).unknowns


def test_other_languages_are_read_by_their_words(tmp_path: Path) -> None:
    text = 'import x from "./x";\n\n/* a\n b */\nexport function f() {\n  return x("/*");\n}\n'
    path = "web/a.ts"
    assert read_code(text.encode(), "TypeScript").starts == {5, 6}
    part = checked(tmp_path, [lcov({path: {5: 1, 6: 0}})], before={}, after={path: text})
    assert (facts_of(part).lines, facts_of(part).covered) == (2, 1)
    # c8 speaks of every line, blank ones too.
    part = checked(tmp_path, [lcov({path: dict.fromkeys(range(1, 8), 1)})], before={}, after={path: text})
    assert facts_of(part).share == 1
    assert checked(tmp_path, [lcov({path: {9: 1}})], before={}, after={path: text}).unknowns
    assert checked(tmp_path, [lcov({path: {5: 1}})], before={}, after={path: text}).unknowns


def test_a_language_that_no_report_measures_is_unknown_where_nothing_else_changed(tmp_path: Path) -> None:
    after = {"cmd/main.go": "package main\n\nfunc main() {\n\tprintln(1)\n}\n"}
    part = checked(tmp_path, [cobertura({PATH: LINES})], before={}, after=after)
    assert "no report measures Go" in part.unknowns[0].reason
    both = {**after, PATH: NEW}
    assert facts_of(checked(tmp_path, [cobertura({PATH: LINES})], after=both)).lines == 4
    assert checked(tmp_path, [cobertura({PATH: LINES})], after=both, critical="cmd/").unknowns


def test_an_empty_report_covers_nothing(tmp_path: Path) -> None:
    assert checked(tmp_path, [cobertura({})]).unknowns
    assert facts_of(checked(tmp_path, [cobertura({PATH: {}, "src/b.py": {}})])).covered == 0


def test_tests_are_not_what_is_covered(tmp_path: Path) -> None:
    after = {PATH: NEW, "tests/test_a.py": NEW}
    assert facts_of(checked(tmp_path, [lcov({PATH: LINES, "tests/test_a.py": LINES})], after=after)).lines == 4


def test_without_a_report_coverage_is_known_only_where_nothing_can_be_executed() -> None:
    asked = check(subject_of({PATH: OLD}, {PATH: NEW}))
    assert asked.unknowns[0].reason == "no coverage report was given: --coverage FILE"
    for after in (OLD + "# a comment\n\n", OLD + '"""A text."""\n', OLD.removesuffix("    return x\n") + "    ...\n"):
        part = check(subject_of({PATH: OLD}, {PATH: after}))
        assert part.fields["coverage"] == CoverageFacts()
    inside = "x = [\n    1,\n{}]\n"
    assert check(subject_of({PATH: inside.format("")}, {PATH: inside.format("    2,\n")})).unknowns
    assert check(subject_of({PATH: OLD}, {})).fields["coverage"] == CoverageFacts()
    assert check(subject_of({}, {"README.md": "words\n", "tests/test_a.py": NEW})).fields["coverage"] == CoverageFacts()


def test_moved_and_deleted_files(tmp_path: Path) -> None:
    moved = {"src/shop/b.py": NEW}
    report = [cobertura({"src/shop/b.py": LINES})]
    assert facts_of(checked(tmp_path, report, after=moved, renamed={"src/shop/b.py": PATH})).lines == 4
    old_path = [cobertura({PATH: LINES})]
    facts = facts_of(checked(tmp_path, old_path, after=moved, renamed={"src/shop/b.py": PATH}))
    assert (facts.covered, facts.unmeasured_files) == (0, ("src/shop/b.py",))
    assert facts_of(checked(tmp_path, old_path, after={"README.md": "x"})).lines == 0


def test_branches_are_joined(tmp_path: Path) -> None:
    half = cobertura({PATH: LINES}, conditions={6: "50% (1/2)"})
    assert (facts_of(checked(tmp_path, [half])).branches, facts_of(checked(tmp_path, [half])).branches_covered) == (
        2,
        1,
    )
    sides = [lcov({PATH: LINES}, "BRDA:6,0,0,1\nBRDA:6,0,1,-\n"), lcov({PATH: LINES}, "BRDA:6,0,0,0\nBRDA:6,0,1,2\n")]
    facts = facts_of(checked(tmp_path, sides))
    assert (facts.branches, facts.branches_covered) == (2, 2)
    arcs = coverage_json({PATH: LINES}, executed_branches=[[6, 8]], missing_branches=[[6, 7]])
    facts = facts_of(checked(tmp_path, [arcs]))
    assert (facts.branches, facts.branches_covered) == (2, 1)


def test_negative_counts_prove_nothing(tmp_path: Path) -> None:
    part = checked(tmp_path, [lcov({PATH: {**LINES, 8: -4}})])
    assert facts_of(part).covered == 2


def test_lines_that_only_functions_and_branches_name(tmp_path: Path) -> None:
    without = {n: hits for n, hits in LINES.items() if n not in (5, 6)}
    more = "FN:5,8,g\nFNDA:2,g\nBRDA:6,0,0,1\nBRDA:6,0,1,0\n"
    facts = facts_of(checked(tmp_path, [lcov({PATH: without}, more)]))
    assert (facts.lines, facts.covered) == (4, 2)
    never = more.replace("FNDA:2,g", "FNDA:0,g").replace("6,0,1,0", "6,0,1,1")
    assert facts_of(checked(tmp_path, [lcov({PATH: without}, never)])).covered == 2


def test_the_tests_that_ran_a_line_are_kept(tmp_path: Path) -> None:
    report = tmp_path / "coverage.json"
    contexts = {"6": ["", "tests/test_a.py::test_g|run"], "1": ["tests/test_a.py::test_f|run"]}
    report.write_text(coverage_json({PATH: LINES}, contexts=contexts))
    wanted = {PATH: Covered(8, frozenset({5, 6, 7, 8}))}
    found = read_coverage([report], [PATH], wanted).files[PATH]
    assert found.tests == {6: {"tests/test_a.py::test_g"}}


def test_many_ranges_are_cut() -> None:
    assert ranges_of([1, 2, 3, 5, 9, 10]) == "1-3, 5, 9-10"
    assert ranges_of(range(1, 100, 2), 3) == "1, 3, 5 and 47 more"


@settings(max_examples=30)
@given(st.dictionaries(st.integers(1, 8), st.integers(0, 3)), st.dictionaries(st.integers(1, 8), st.integers(0, 3)))
def test_all_formats_agree_on_any_two_runs(tmp_path_factory: pytest.TempPathFactory, one: Lines, other: Lines) -> None:
    folder = tmp_path_factory.getbasetemp()
    together = {n: bool(one.get(n)) or bool(other.get(n)) for n in {*one, *other}}
    for name, write in FORMATS.items():
        paths = [folder / f"one-{name}", folder / f"other-{name}"]
        for path, lines in zip(paths, (one, other), strict=True):
            path.write_text(write({PATH: lines}))
        wanted = {PATH: Covered(8, frozenset(range(1, 9)))}
        found = read_coverage(paths, [PATH], wanted).files
        assert (found[PATH].lines if PATH in found else {}) == together, name
