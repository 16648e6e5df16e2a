"""An exercise played: in time, scored with reasons, checked by the repository, reported and recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.drill.after import UNCHECKED, backtested, report_of
from tidegate.drill.field import Field, open_field
from tidegate.drill.make import new_drill
from tidegate.drill.markdown import render_markdown
from tidegate.drill.play import beats, play
from tidegate.drill.record import drill_of, statement_of
from tidegate.drill.score import mark
from tidegate.drill.text import render_report
from tidegate.drill.values import Decision, Given, Inject, Scenario
from tidegate.errors import InputError
from tidegate.facts import to_json
from tidegate.ledger.statements import encode_statement, read_statement
from tidegate.report.style import PLAIN


@pytest.fixture(scope="module")
def scenario(the_shop: Repo) -> Scenario:
    with open_repository(the_shop.path) as repository:
        return new_drill(repository, {}, pattern="confident-wrong-migration", seed=1)


@pytest.fixture(scope="module")
def field(the_shop: Repo, scenario: Scenario) -> Iterator[Field]:
    with open_repository(the_shop.path) as repository, open_field(repository, scenario, {}) as opened:
        yield opened


class Table:
    """A room that says what it was told to, and whose clock goes a minute on with each question."""

    def __init__(self, words: dict[str, list[str]]) -> None:
        self.words = words
        self.seen: list[str] = []
        self.minutes: list[int] = []
        self.clock = 0.0

    def show(self, beat: Inject | Decision) -> None:
        self.seen.append(beat.id if isinstance(beat, Decision) else beat.kind)

    def wait_for(self, minute: int) -> None:
        self.minutes.append(minute)

    def ask(self, decision: Decision) -> str:
        self.clock += 60
        return self.words[decision.id].pop(0)

    def tell(self, text: str) -> None:
        self.seen.append(text)

    def seconds(self) -> float:
        return self.clock


def best(decision: Decision) -> str:
    return max(decision.options, key=lambda option: option.points).id


def all_best(scenario: Scenario) -> dict[str, Given]:
    return {one.id: Given(one.id, best(one), 30) for one in scenario.decisions}


def test_all_is_seen_in_time_and_a_slip_is_asked_again(scenario: Scenario) -> None:
    words = {one.id: [best(one)] for one in scenario.decisions}
    words["first"] = ["what?", "nobody knows", best(next(one for one in scenario.decisions if one.id == "first"))]
    room = Table(words)
    taken = play(scenario, room, {})
    assert room.minutes == sorted(room.minutes)
    assert len(room.minutes) == len(scenario.injects) + len(scenario.decisions) == len(list(beats(scenario)))
    assert taken["first"].seconds == 180
    assert taken["cause"].seconds == 60


def test_the_best_answers_bring_all_points(scenario: Scenario, field: Field) -> None:
    report = report_of(field.scenario, all_best(scenario), "A", field)
    assert report.points == report.most > 0
    assert all(not one.better for one in report.marked)


def test_a_late_answer_counts_half_and_nothing_counts_nothing(scenario: Scenario, field: Field) -> None:
    answers = {key: Given(key, one.given, 3_600) for key, one in all_best(scenario).items()}
    late = report_of(scenario, answers, "", field)
    assert late.points == late.most / 2
    assert all(one.late for one in late.marked)
    nothing = report_of(scenario, {}, "", field)
    assert nothing.points == 0
    assert {one.why for one in nothing.marked} == {"nothing was decided"}


@pytest.mark.parametrize(
    ("asks", "given", "points", "why"),
    [
        ("call", "@shop/data", 3, "CODEOWNERS at the base names @shop/data"),
        ("call", "shop/data", 3, "CODEOWNERS at the base names @shop/data"),
        ("call", "@shop/platform", 0, "for other files, not for this one"),
        ("call", "@somebody", 0, "nowhere"),
        ("rollback", "v1.0", 1, "takes 2 other commits back"),
        ("rollback", "v1.1", 0, "does not exist"),
        ("rollback", "HEAD", 2, "takes nothing else back"),
        ("first", "@shop/data", 0, "none of the options"),
    ],
)
def test_free_answers_are_judged_by_the_repository(
    scenario: Scenario, field: Field, asks: str, given: str, points: int, why: str
) -> None:
    (decision,) = (one for one in scenario.decisions if one.asks == asks)
    marked = mark(decision, Given(decision.id, given), field.ask)
    assert marked.points == points
    assert why in marked.why


def test_what_a_file_claims_of_the_gate_does_not_count(the_shop: Repo, scenario: Scenario) -> None:
    gate = msgspec.structs.replace(scenario.gate, outcome="pass", held=())
    claims = tuple(msgspec.structs.replace(one, answer="yes", evidence="believe me") for one in scenario.criteria)
    lies = tuple(
        msgspec.structs.replace(one, options=tuple(msgspec.structs.replace(o, points=3) for o in one.options))
        for one in scenario.decisions
    )
    forged = msgspec.structs.replace(scenario, gate=gate, criteria=claims, decisions=lies)
    with open_repository(the_shop.path) as repository, open_field(repository, forged, {}) as opened:
        assert opened.scenario.gate == scenario.gate
        assert opened.scenario.criteria == scenario.criteria
        assert opened.scenario.truth == scenario.truth
        asked = {one.asks: one for one in opened.scenario.decisions}
        assert sorted(option.points for option in asked["gate"].options) == [0, 0, 2]
        wrong = next(option for option in asked["call"].options if option.text == "@shop/platform")
        assert mark(asked["call"], Given("call", wrong.id), opened.ask).points == 0


def test_another_repository_is_refused_and_so_is_a_change_that_does_not_apply(
    tmp_path: Path, the_shop: Repo, scenario: Scenario
) -> None:
    other = Repo.init(tmp_path / "other")
    other.commit("Begin", {"a": "1\n"})
    with open_repository(other.path) as repository, pytest.raises(InputError, match="does not hold the commit"):
        open_field(repository, scenario, {}).__enter__()
    bad = msgspec.structs.replace(scenario.truth, diff=scenario.truth.diff.replace("new file", "odd file"))
    for diff in (bad.diff, "", "diff --git a/../x b/../x\n--- a/../x\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n"):
        truth = msgspec.structs.replace(scenario.truth, diff=diff)
        forged = msgspec.structs.replace(scenario, truth=truth)
        with open_repository(the_shop.path) as repository, pytest.raises(InputError):
            open_field(repository, forged, {}).__enter__()


def test_every_proposed_rule_is_tried_on_the_past_and_on_the_hidden_change(scenario: Scenario, field: Field) -> None:
    tested = backtested(field, field.scenario)
    rules = [action for action in scenario.actions if action.rule]
    assert [one.action for one in tested] == [action.id for action in rules]
    by_id = {one.action: one for one in tested}
    owner = by_id["rule-2"]
    assert owner.problem == ""
    assert owner.changes == 3
    assert owner.held == 1, "the first commit brought the migrations"
    assert owner.holds_hidden == "yes"
    assert owner.examples[0].endswith("Begin the shop")
    broken = msgspec.structs.replace(scenario, actions=(msgspec.structs.replace(rules[0], rule="[[rule]]\nid = 1"),))
    (one,) = backtested(field, broken)
    assert one.problem


def test_the_report_says_what_was_found(scenario: Scenario, field: Field) -> None:
    report = report_of(field.scenario, all_best(scenario), "Team A", field, backtested(field, field.scenario))
    text, page = render_report(report, PLAIN), render_markdown(report)
    assert "The gate saw it" in text
    for said in ("## Decisions", "## Findings", "```toml", "[[rule]]", "````diff", "It holds the hidden change"):
        assert said in page
    assert report_of(scenario, {}, "", None).checked == UNCHECKED
    assert msgspec.json.decode(to_json(report))["schema"] == "tidegate.drill-report/1"


def test_the_record_is_a_statement_without_words_of_people(scenario: Scenario, field: Field) -> None:
    answers = all_best(scenario) | {"call": Given("call", "@shop/secret-name", 5)}
    report = report_of(field.scenario, answers, "Secret group", field)
    drill = drill_of(field.scenario, report, answers, "2027-01-15T08:00:00Z", checked=True)
    data = encode_statement(statement_of(drill, scenario.repository))
    assert read_statement(data).predicate == drill
    assert b"ecret" not in data
    assert {one.decision: one.option for one in drill.decisions}["call"] == "free"
    assert drill.half_points == 2 * report.points


def test_from_the_command_line(tmp_path: Path, the_shop: Repo) -> None:
    def tidegate(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from tidegate.cli.main import main; main()", "drill", *arguments]
        env = {"TIDEGATE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env)

    file, page, record = tmp_path / "drill.json", tmp_path / "after.md", tmp_path / "record.json"
    new = tidegate("new", "--repo", str(the_shop.path), "--pattern", "state-lost", "-o", str(file))
    assert (new.returncode, new.stderr) == (0, "")
    assert "Hidden truth" in new.stdout
    answers = tmp_path / "answers.json"
    given = [{"decision": "call", "given": "@shop/platform", "seconds": 20}]
    answers.write_text(json.dumps({"schema": "tidegate.drill-answers/1", "answers": given}))
    options = (
        "--no-backtest",
        "--answers",
        str(answers),
        "-o",
        str(page),
        "--record",
        str(record),
        "--now",
        "2027-01-15T08:00:00Z",
    )
    run = tidegate("run", str(file), "--repo", str(the_shop.path), *options)
    assert run.returncode == 0, run.stderr
    assert "3/3  Whom do you call about infra/main.tf first?" in run.stdout
    assert "There is no ledger on this machine" in run.stderr
    assert page.read_text().startswith("# After-action report")
    assert json.loads(record.read_text())["predicateType"] == "urn:tidegate:predicate:drill:1"
    wrong = tidegate("run", str(page))
    assert wrong.returncode == 2
    assert "this is no scenario of a drill" in wrong.stderr
