"""JUnit reports: a failure in doubt is a failure; only what a runner itself ran again is forgiven."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verify.changes import subject_of
from tidegate.facts import RunFacts
from tidegate.verify.junit import read_cases
from tidegate.verify.runs import check
from tidegate.verify.values import Part

TREE = {"tests/test_a.py": "def test_one(): pass\n", "src/test/java/com/foo/BarTest.java": "class BarTest {}\n"}
FAILURE = '<failure message="boom">trace</failure>'


FIRST = 'timestamp="2026-03-01T10:00:00" hostname="ci-1"'
LATER = 'timestamp="2026-03-01T10:05:00" hostname="ci-1"'


def case(name: str, inside: str = "", classname: str = "tests.test_a", more: str = "") -> str:
    return f'<testcase classname="{classname}" name="{name}" time="0.1" {more}>{inside}</testcase>'


def suite(*cases: str, counts: str = "", name: str = "pytest") -> str:
    return f'<testsuite name="{name}" {counts}>{"".join(cases)}</testsuite>'


def checked(folder: Path, *reports: str, quarantine: str = "", day: str = "2026-03-01") -> Part:
    paths = tuple(folder / f"junit{number}.xml" for number in range(len(reports)))
    for path, report in zip(paths, reports, strict=True):
        path.write_text(report)
    before = {**TREE, **({".tidegate/quarantine.toml": quarantine} if quarantine else {})}
    return check(subject_of(before, {**before, "src/a.py": "x = 1\n"}, junit=paths, day=day))


def runs_of(part: Part) -> RunFacts:
    facts = part.fields["runs"]
    assert isinstance(facts, RunFacts)
    return facts


def counts_of(part: Part) -> tuple[int, int, int, int]:
    facts = runs_of(part)
    return facts.tests, facts.failed, facts.skipped, facts.retried


def test_nothing_is_claimed_where_no_report_is_given() -> None:
    part = check(subject_of({}, TREE))
    assert part.fields["runs"] == RunFacts()
    assert (part.unknowns, part.findings) == ((), ())


def test_a_report_without_tests_says_nothing(tmp_path: Path) -> None:
    part = checked(tmp_path, "<testsuites/>")
    assert part.fields == {}
    assert part.unknowns[0].path == "verification.runs"


def test_outcomes_are_counted(tmp_path: Path) -> None:
    part = checked(
        tmp_path,
        suite(
            case("test_one"),
            case("test_two", FAILURE),
            case("test_three", '<error type="E">\nValueError: bad\nmore</error>'),
            case("test_four", '<skipped type="pytest.xfail"/>'),
            case("test_five", "<skipped/>" + FAILURE),
            case("test_six", "<system-out><![CDATA[<failure/>]]></system-out><properties><failure/></properties>"),
            case("test_seven", more='status="failed"'),
            case("test_eight", more='result="skipped"'),
        ),
    )
    assert counts_of(part) == (8, 4, 2, 0)
    assert [finding.rule for finding in part.findings] == ["test-failed"] * 4
    assert {finding.severity for finding in part.findings} == {"high"}
    assert part.findings[-1].message == "tests.test_a.test_two fails: boom"
    assert part.findings[2].message == "tests.test_a.test_three fails: ValueError: bad"
    assert part.findings[0].place.path == "tests/test_a.py"


def test_classes_of_java_are_found(tmp_path: Path) -> None:
    part = checked(tmp_path, suite(case("works", FAILURE, "com.foo.BarTest")))
    assert part.findings[0].place.path == "src/test/java/com/foo/BarTest.java"


RERUNS = {
    "surefire, passed at last": (case("a", "<flakyFailure message='x'/>"), (1, 0, 0, 1)),
    "surefire, never passed": (case("a", FAILURE + "<rerunFailure/>"), (1, 1, 0, 0)),
    "surefire, reruns alone": (case("a", "<rerunFailure/>"), (1, 1, 0, 0)),
    "failed, then passed": (case("a", FAILURE) + case("b") + case("a"), (2, 0, 0, 1)),
    "failed twice, then passed": (case("a", FAILURE) + case("a", FAILURE) + case("a"), (1, 0, 0, 1)),
    "passed, then failed": (case("a") + case("a", FAILURE), (1, 1, 0, 0)),
    "failed, passed, failed": (case("a", FAILURE) + case("a") + case("a", FAILURE), (1, 1, 0, 0)),
    "failed, then skipped": (case("a", FAILURE) + case("a", "<skipped/>"), (1, 1, 0, 0)),
    "error in the teardown": (case("a") + case("a", "<error/>"), (1, 1, 0, 0)),
    "skipped, then passed": (case("a", "<skipped/>") + case("a"), (1, 0, 0, 0)),
    "names that are not unique": (case("a", FAILURE) + case("a") + case("b") + case("b"), (2, 2 - 1, 0, 0)),
    "titles of jest": (case("adds two numbers", FAILURE, "") + case("adds two numbers", "", ""), (1, 1, 0, 0)),
    "a test of a script": (case("adds", FAILURE, "src/a.test.ts") + case("adds", "", "src/a.test.ts"), (1, 1, 0, 0)),
    "no names": (case("", FAILURE) + case(""), (1, 1, 0, 0)),
    "names of no class": (case("a", FAILURE, "") + case("a", "", ""), (1, 1, 0, 0)),
    "a timeout": (case("a", more='status="timedout"'), (1, 1, 0, 0)),
    "one name in two files": (case("a", FAILURE, more='file="x.py"') + case("a", more='file="y.py"'), (2, 1, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", RERUNS)
def test_only_what_its_runner_ran_again_is_forgiven(tmp_path: Path, name: str) -> None:
    cases, expected = RERUNS[name]
    part = checked(tmp_path, suite(cases))
    assert counts_of(part) == expected
    assert sum(finding.rule == "test-retried" for finding in part.findings) == expected[3]


def test_failures_that_no_test_has_count(tmp_path: Path) -> None:
    counted = suite(case("a"), case("b", FAILURE), counts='tests="2" failures="1" errors="1"')
    assert counts_of(checked(tmp_path, f"<testsuites failures='1' errors='1'>{counted}</testsuites>")) == (3, 2, 0, 0)
    inside = suite(case("a"), "<error message='cannot collect'/>")
    part = checked(tmp_path, inside)
    assert runs_of(part).failed == 1
    assert "no test in the reports has" in part.findings[0].message
    one = suite(case("a", FAILURE), counts='failures="1"')
    nested = f"<testsuites failures='2'>{one}</testsuites>"
    assert runs_of(checked(tmp_path, nested)).failed == 2


def test_a_test_that_fails_in_one_environment_fails(tmp_path: Path) -> None:
    both = [suite(case("a", FAILURE), case("b")), suite(case("a"), case("b"))]
    for reports in (both, both[::-1]):
        part = checked(tmp_path, *reports)
        assert counts_of(part) == (2, 1, 0, 0)
        assert "in one report and passes in another" in part.findings[0].message


def test_a_report_that_runs_the_failures_again_is_a_retry(tmp_path: Path) -> None:
    first = suite(case("a", FAILURE), case("b", FAILURE), case("c"), counts=FIRST)
    again = suite(case("a"), case("b", FAILURE), counts=LATER)
    part = checked(tmp_path, again, first)
    assert counts_of(part) == (3, 1, 0, 1)
    assert {finding.rule for finding in part.findings} == {"test-failed", "test-retried"}
    # One more test, and it is another run of all.
    other = suite(case("a"), case("c"), counts=LATER)
    assert counts_of(checked(tmp_path, first, other)) == (3, 2, 0, 0)
    # Another machine, or nobody knows which came first.
    for counts in (LATER.replace("ci-1", "ci-2"), LATER.replace("10:05", "09:55"), ""):
        assert counts_of(checked(tmp_path, first, suite(case("a"), counts=counts))) == (3, 2, 0, 0)


QUARANTINE = """
[[test]]
name = "{name}"
reason = "the mirror is slow"
until = {until}
"""


@pytest.mark.parametrize(
    ("name", "until", "failed"),
    [
        ("tests.test_a.test_net", "2026-12-31", 0),
        ("tests.test_a::test_net", "2026-12-31", 0),
        ("tests.*.test_n*", '"2026-12-31"', 0),
        ("tests.test_a.test_net", "2026-03-01", 0),
        ("tests.test_a.test_net", "2026-02-28", 1),
        ("tests.test_a.test_n", "2026-12-31", 1),
        ("*", "2026-12-31", 1),
        ("tests.test_a.test_net", '"soon"', 1),
        ("tests.test_a.test_[a-z]et", "2026-12-31", 1),
    ],
)
def test_quarantined_failures_do_not_count_and_are_said(tmp_path: Path, name: str, until: str, failed: int) -> None:
    report = suite(case("test_net", FAILURE), case("b"))
    part = checked(tmp_path, report, quarantine=QUARANTINE.format(name=name, until=until))
    facts = runs_of(part)
    assert (facts.failed, facts.quarantined) == (failed, 1 - failed)
    assert part.findings[0].rule == ("test-failed" if failed else "test-quarantined")
    if not failed:
        assert "the mirror is slow, until 2026-" in part.findings[0].message


@pytest.mark.parametrize(
    "text",
    [
        "[[test",
        "test = 3",
        '[[test]]\nname = "tests.*"\nuntil = 2026-12-31',
        '[[test]]\nname = "tests.*"\nreason = "x"',
    ],
)
def test_a_quarantine_that_cannot_be_read_holds_nobody_and_is_said(tmp_path: Path, text: str) -> None:
    part = checked(tmp_path, suite(case("test_net", FAILURE)), quarantine=text)
    assert runs_of(part).failed == 1
    assert "quarantine" in part.findings[0].mend


def test_parameters_are_no_patterns(tmp_path: Path) -> None:
    report = suite(case("test_net[a]", FAILURE), case("test_neta", FAILURE))
    part = checked(tmp_path, report, quarantine=QUARANTINE.format(name="tests.test_a.test_net[a]", until="2026-12-31"))
    assert (runs_of(part).failed, runs_of(part).quarantined) == (1, 1)


def test_the_quarantine_of_the_change_itself_does_not_count(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text(suite(case("test_net", FAILURE)))
    text = QUARANTINE.format(name="tests.*", until="2026-12-31")
    part = check(subject_of(TREE, {**TREE, ".tidegate/quarantine.toml": text}, junit=(report,)))
    assert runs_of(part).failed == 1


def test_times_as_tools_write_them(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    times = ("1.5", "1,234.5", "NaN", "-1", "1e999", "")
    report.write_text(suite(*(f'<testcase name="t{n}" time="{text}"/>' for n, text in enumerate(times))))
    cases, suites = read_cases(report)
    assert [one.seconds for one in cases] == [1.5, 1234.5, 0, 0, 0, 0]
    assert suites.unnamed == 0


def test_many_failures_are_counted_and_some_named(tmp_path: Path) -> None:
    part = checked(tmp_path, suite(*(case(f"t{n:03}", FAILURE) for n in range(50))))
    assert runs_of(part).failed == 50
    assert len(part.findings) == 20
    assert "30 more tests fail" in part.findings[-1].message


ends = st.sampled_from(["", FAILURE, "<skipped/>"])
outcomes = st.lists(st.tuples(st.sampled_from("abc"), ends), min_size=1, max_size=8)


@settings(max_examples=60)
@given(outcomes)
def test_a_test_whose_last_run_failed_is_never_forgiven(
    tmp_path_factory: pytest.TempPathFactory, ran: Sequence[tuple[str, str]]
) -> None:
    part = checked(tmp_path_factory.getbasetemp(), suite(*(case(name, inside) for name, inside in ran)))
    last = dict(ran)
    never_passed = {name for name, inside in ran if inside == FAILURE and (name, "") not in ran}
    assert runs_of(part).failed >= len({name for name in last if last[name] == FAILURE} | never_passed)
    assert runs_of(part).tests == len(last)


@pytest.mark.conformance
def test_a_real_report_of_pytest(data: Path) -> None:
    cases, suites = read_cases(data / "policy/coverage/junit.xml")
    assert (len(cases), sum(one.outcome == "skipped" for one in cases)) == (769, 69)
    assert (suites.unnamed, suites.stated) == (0, 769)
