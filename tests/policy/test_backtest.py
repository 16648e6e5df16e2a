"""Backtests: the fast judgement is that of `decide`, the figures are what one counts by hand, the words say them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.policy.helpers import policy_of, rule_of
from tests.repos import CLAUDE_TRAILER, build
from tidegate.change.git import open_repository
from tidegate.facts import ChangeFacts, Facts, FileFact, Intent, Lines, ProvenanceFacts, Risk, Status, Unknown
from tidegate.policy.backtest.curves import curve_of
from tidegate.policy.backtest.figures import Row
from tidegate.policy.backtest.judge import Judge
from tidegate.policy.backtest.measures import lines_of
from tidegate.policy.backtest.run import backtest, compare
from tidegate.policy.backtest.statistics import auc, lift, paired_difference, share
from tidegate.policy.backtest.values import Backtest, Fate, PastChange
from tidegate.policy.decide import decide
from tidegate.policy.rules import Policy
from tidegate.policy.verdict import RuleResult
from tidegate.replay import Hindsight, read_past
from tidegate.report.backtest_html import render_backtest_html, render_comparison_html
from tidegate.report.backtest_json import render_backtest_json
from tidegate.report.backtest_text import render_backtest, render_comparison
from tidegate.settings import Settings

DAY = 86_400
START = 1_740_000_000


def past_of(
    rows: Sequence[tuple[int, bool]], *, matured: bool = True, risk: Sequence[float] | None = None
) -> Iterator[PastChange]:
    """Changes of so many added lines each, with whether they had to be repaired, a day apart."""
    for number, (lines, repaired) in enumerate(rows):
        file = FileFact("a.py", "a.py", "modified", "source", "Python", lines, 0, False, False, False, (), False)
        facts = Facts(
            now="2026-01-01T12:00:00Z",
            change=ChangeFacts(
                status="complete", files=(file,), files_total=1, lines_added=lines, source_lines_added=lines
            ),
        )
        if risk is not None:
            known = (Unknown("risk.probability", "none"),)
            facts = replace(facts, risk=Risk(status="partial", unknowns=known, percentile=risk[number]))
        fate = Fate(repaired, 0.9 if repaired else 0.0, "fix" if repaired else "", START + 90 * DAY, matured)
        yield PastChange(f"{number:040x}", START + number * DAY, f"Change {number}", facts, fate)


def held_by(policy: Policy, rows: Sequence[tuple[int, bool]]) -> Backtest:
    return backtest(policy, past_of(rows))


def test_incidents_are_counted_for_each_rule_however_young_their_changes_are() -> None:
    policy = policy_of(rule_of("change.lines_added > 10"))
    young = [
        replace(one, fate=replace(one.fate, incident=incident))
        for one, incident in zip(
            past_of([(50, True), (5, True), (60, False)], matured=False), (True, True, False), strict=True
        )
    ]
    result = backtest(policy, [*past_of([(50, False), (3, False)]), *young])
    assert (result.period.changes, result.period.young) == (2, 3)
    assert result.whole.held == share(1, 2)
    assert (result.incidents, result.rules[0].incidents) == (share(1, 2), share(1, 2))
    assert [one.oid for one in result.let_through] == [young[1].oid]
    said = " ".join(render_backtest(result).split())
    assert "Production counts 2 of the changes, young ones too, as the cause of an incident" in said
    assert f"would have held 1 of them. Held by each rule: {policy.rules[0].id} 1." in said
    assert "cause of an incident" not in render_backtest(backtest(policy, past_of([(50, False)])))


# The judgement


def _expected(result: RuleResult) -> str:
    truth = _truth(result)
    if truth == "false":
        return "idle"
    if result.obligations and all(o.state == "met" for o in result.obligations):
        return "met"
    return "unjudged" if truth == "unknown" else "held"


def _truth(result: RuleResult) -> str:
    truths = [condition.truth for condition in result.conditions]
    settles = "false" if result.quantifier == "all" else "true"
    if settles in truths:
        return settles
    return "unknown" if "unknown" in truths else {"false": "true", "true": "false"}[settles]


def _assert_judged_alike(policy: Policy, facts: Facts) -> None:
    verdict = decide(policy, facts, "merge")
    for result, judged in zip(verdict.rules, Judge(policy).judge(facts), strict=True):
        assert judged.held == _expected(result), result.id
        if judged.held == "held" and judged.asking:
            assert all(o.state != "unmet" for o in result.obligations)


HISTORY = f"""
commit Start
  file src/app.py
    . x = 1
commit Ask for the password
  {"trailer " + CLAUDE_TRAILER}
  file src/auth/login.py
    . def login(password):
    .     return check(password)
commit Migrate
  file migrations/0001_drop.sql
    . DROP TABLE users;
  file CODEOWNERS
    . * @alice
  file tidegate.toml
    . [policy]
"""


def test_real_changes_are_judged_as_a_check_judges_them(tmp_path: Path) -> None:
    repo = build(tmp_path / "r", HISTORY)
    policy = policy_of(rule_of("change.lines_added > 1"), pack="default")
    with open_repository(repo.path) as repository:
        past = list(read_past(repository, "HEAD", 0, Settings(), Hindsight(now=0)))
    assert len(past) == 3
    for change in past:
        _assert_judged_alike(policy, change.facts)


RULES = "\n".join(
    f'[[rule]]\nid = "rule-{n}"\ntitle = "A rule"\neffect = "hold"\nwhen.{how} = {conditions}\nrequire = {required}'
    for n, (how, conditions, required) in enumerate(
        [
            ("all", '["change.lines_added > 5", "risk.percentile > 0.5"]', "[]"),
            ("any", '["change.lines_added > 5", "risk.percentile > 0.5"]', "[{ tests = true }]"),
            ("all", '["true || reach.symbols > 1"]', "[{ intent = true }, { approvals = 1 }]"),
            ("all", '["reach.symbols > 1"]', "[{ split = 1 }]"),
            ("any", '["change.files.exists(f, f.critical)"]', '[{ facts = ["change"] }]'),
            ("all", '["provenance.lines.ai > 0 || provenance.unknown_share > 0.4"]', "[{ annotation = true }]"),
            ("all", '["now < \\"2026-06-01T00:00:00Z\\"", "size(change.domains) >= 1"]', "[{ rollback = true }]"),
            ("any", '["change.files[0].added > 1", "provenance.ai_share > 2.0"]', "[{ accountable = true }]"),
        ]
    )
)
_UNKNOWNS = ("change.files", "change.lines_added", "change", "provenance.lines", "provenance.x", "other.files")


@st.composite
def facts_of(draw: st.DrawFn) -> Facts:
    count = st.integers(0, 12)
    unknowns = tuple(Unknown(path, "lost") for path in draw(st.lists(st.sampled_from(_UNKNOWNS), max_size=2)))
    status: Status = draw(st.sampled_from(["complete", "partial", "unknown"]))
    lines = (draw(count), draw(count))
    file = FileFact("a", "a", "modified", "source", "", *lines, False, False, False, ("auth",), draw(st.booleans()))
    files = (file,) * draw(st.integers(0, 2))
    domains = tuple(draw(st.sets(st.sampled_from(["auth", "payments"]))))
    ai = draw(count)
    return Facts(
        now="2026-03-01T12:00:00Z",
        change=ChangeFacts(
            status=status,
            unknowns=tuple(u for u in unknowns if not u.path.startswith("prov")),
            files=files,
            files_total=len(files),
            lines_added=draw(count),
            source_lines_added=draw(count),
            test_lines_added=draw(st.integers(0, 1)),
            domains=domains,
            breadth=len(domains),
            intent=draw(st.sampled_from([Intent(), Intent("a", "b", "c", "d", ())])),
        ),
        provenance=ProvenanceFacts(
            status=draw(st.sampled_from(["complete", "partial"])),
            unknowns=tuple(u for u in unknowns if u.path.startswith("prov")),
            source_lines=Lines(added=ai, unknown=ai),
            ai_share=draw(st.floats(0, 1)),
            unaccountable_lines=draw(st.integers(0, 1)),
        ),
        risk=draw(st.sampled_from([Risk(), Risk(status="complete", percentile=0.7)])),
    )


@given(facts_of())
@settings(max_examples=120, deadline=None)
def test_any_facts_are_judged_as_decide_judges_them(facts: Facts) -> None:
    _assert_judged_alike(_MANY, facts)


_MANY = policy_of(RULES)


def test_a_draft_and_a_rule_of_tomorrow_are_asked_what_they_would_have_done() -> None:
    policy = policy_of(rule_of("change.lines_added > 5", mode='"draft"', since='"2030-01-01"'))
    result = held_by(policy, [(9, True), (1, False)])
    assert result.rules[0].figures.held.count == 1
    assert result.whole.held.count == 0, "a draft stops nothing"


# The figures


def test_the_figures_of_a_rule_are_counted() -> None:
    rows = [(500, True), (500, False), (10, True), (10, False), (10, False)]
    (rule,) = held_by(policy_of(rule_of("change.lines_added > 400", require="[{ approvals = 2 }]")), rows).rules
    figures = rule.figures
    assert (figures.held.count, figures.held.total) == (2, 5)
    assert (figures.caught.count, figures.caught.total) == (1, 2)
    assert (figures.delayed.count, figures.delayed.total) == (1, 3)
    assert figures.lift.value == pytest.approx(0.5 / 0.4)
    assert figures.hours == pytest.approx(2 * 2 * 500 / 400)
    assert rule.asking == 2
    assert [named.subject for named in rule.examples] == ["Change 0"]


def test_young_changes_are_left_out_and_counted() -> None:
    past = [*past_of([(9, True)] * 2, matured=False), *past_of([(9, False)] * 3)]
    result = backtest(policy_of(rule_of("change.lines_added > 5")), past)
    assert (result.period.changes, result.period.young) == (3, 2)
    assert result.whole.held.total == 3


def test_a_rule_over_what_is_not_known_is_not_judged() -> None:
    (rule,) = held_by(policy_of(rule_of("reach.symbols > 3")), [(9, True)] * 4).rules
    assert (rule.unjudged, rule.figures.held.total) == (4, 0)
    assert (rule.reasons[0].path, rule.reasons[0].changes) == ("reach.symbols", 4)


def test_a_rule_that_asks_everybody_is_left_out_of_the_whole() -> None:
    rules = rule_of("true", require="[{ approvals = 1 }]") + rule_of("change.lines_added > 5", id='"large"')
    result = held_by(policy_of(rules), [(9, True)] * 5 + [(1, False)] * 25)
    assert [rule.always for rule in result.rules] == [True, False]
    assert (result.whole.held.count, result.whole_with_always.held.count) == (5, 30)
    assert result.whole.lift.value == pytest.approx(6.0)


def test_two_policies_are_compared_change_by_change() -> None:
    first, second = (
        policy_of(rule_of(f"change.lines_added {line}")) for line in ("> 50", "> 10 && change.lines_added < 90")
    )
    result = compare(first, second, past_of([(100, True), (20, True), (20, False), (60, True), (1, True)]))
    assert [named.subject for named in result.only_first] == ["Change 0"]
    assert [named.subject for named in result.only_second] == ["Change 1"]
    assert (result.more.held.count, result.fewer.held.count) == (2, 1)
    text = render_comparison(result, ("old", "new"))
    assert "would have held 2 changes that the first lets pass, 1 of them repaired" in " ".join(text.split())


def test_nothing_at_all() -> None:
    result = backtest(policy_of(rule_of("change.lines_added > 5")), [])
    assert "No change that landed here is old enough" in render_backtest(result)
    assert "<h1>" in render_backtest_html(result)


# Thresholds


def test_lines_that_conditions_draw_are_found() -> None:
    text = "change.lines_added + change.lines_deleted > 400 || risk.percentile >= 0.9 && size(change.domains) >= 3"
    policy = policy_of(rule_of(text))
    found = {line.measure.text: line.above for line in lines_of(policy.rules)}
    assert found == {
        "change.lines_added + change.lines_deleted": 400.0,
        "risk.percentile": 0.9,
        "size(change.domains)": 2.0,
    }


@pytest.mark.parametrize(
    "text", ["2 * change.lines_added > 4", "change.lines_added > 2 * change.files_total", "change.lines_added < 3"]
)
def test_what_is_no_line_is_none(text: str) -> None:
    assert not [line for line in lines_of(policy_of(rule_of(text)).rules) if line.above in (3, 4)]


def _rows(values: Sequence[float], fates: Sequence[bool]) -> list[Row]:
    pairs = zip(values, fates, strict=True)
    return [Row(f"{n:040x}", START + n, "", "", fate, 0.1, 0, (value,)) for n, (value, fate) in enumerate(pairs)]


def test_a_threshold_is_fitted_on_the_first_part_and_judged_on_the_rest() -> None:
    rng = random.Random(1)
    fates = [rng.random() < 0.1 for _ in range(1000)]
    good = [rng.random() + 0.8 * fate for fate in fates]
    sizes = [rng.random() for _ in fates]
    rows = _rows(good, fates)
    curve = curve_of("risk.percentile", good, rows, sizes, {})
    assert curve.suggestion is not None
    assert curve.suggestion.verdict == "useful"
    assert curve.suggestion.judged.held.total == 400
    assert curve.suggestion.fitted.held.value <= 0.2
    turned = [*good[:600], *(-value for value in good[600:])]
    later = curve_of("risk.percentile", turned, rows, sizes, {}).suggestion
    assert later is None or later.threshold == curve.suggestion.threshold, "what came later has no say in it"


def _noise(seed: int, rate: float) -> str:
    rng = random.Random(seed)
    fates = [rng.random() < rate for _ in range(600)]
    noise, sizes = ([rng.random() for _ in fates] for _ in range(2))
    found = curve_of("risk.percentile", noise, _rows(noise, fates), sizes, {}).suggestion
    return found.verdict if found is not None else "none"


def test_noise_is_called_noise() -> None:
    found = [_noise(seed, 0.15) for seed in range(100)]
    assert found.count("no better than chance") >= 92, "the interval lets 1 in 40 pass"
    assert found.count("useful") <= 5


def test_too_few_are_called_too_few() -> None:
    assert _noise(1, 0.01) == "too few"


def test_what_only_repeats_size_is_no_better_than_size() -> None:
    rng = random.Random(3)
    fates = [rng.random() < 0.1 for _ in range(1200)]
    sizes = [rng.random() + 0.5 * fate for fate in fates]
    found = curve_of("change.files_total", sizes, _rows(sizes, fates), sizes, {}).suggestion
    assert found is not None
    assert found.verdict == "no better than size"


# Intervals


def test_known_intervals() -> None:
    assert (share(0, 0).value, share(0, 10).low, share(10, 10).high) == (0.0, 0.0, 1.0)
    assert share(5, 10).low == pytest.approx(0.2366, abs=1e-4)  # Wilson, as R's prop.test without correction
    assert share(5, 10).high == pytest.approx(0.7634, abs=1e-4)
    assert auc([3.0, 2.0], [1.0, 2.0]).value == pytest.approx(0.875)
    assert not lift(0, 0, 5, 10).known


@given(st.integers(1, 60), st.data())
@settings(max_examples=80, deadline=None)
def test_an_interval_holds_its_value(total: int, data: st.DataObject) -> None:
    held, repaired = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    caught = data.draw(st.integers(max(0, held + repaired - total), min(held, repaired)))
    for found in (lift(caught, held, repaired, total), paired_difference(caught, held - caught, total)):
        assert not found.known or found.low <= found.value <= found.high


def test_the_interval_of_lift_covers_what_was_planted() -> None:
    rng = random.Random(5)
    true = 0.3 / (0.2 * 0.3 + 0.8 * 0.1)
    inside = 0
    for _ in range(400):
        held = caught = repaired = 0
        for _ in range(300):
            is_held = rng.random() < 0.2
            is_repaired = rng.random() < (0.3 if is_held else 0.1)
            held += is_held
            repaired += is_repaired
            caught += is_held and is_repaired
        found = lift(caught, held, repaired, 300)
        inside += found.low <= true <= found.high
    assert 0.92 <= inside / 400 <= 0.985


# Words and pages


def _result() -> Backtest:
    rng = random.Random(2)
    rows = [(rng.randrange(1000), False) for _ in range(300)]
    rows = [(lines, rng.random() < lines / 2500) for lines, _ in rows]
    rules = rule_of("change.lines_added > 600", require="[{ approvals = 1 }]") + rule_of(
        "reach.symbols > 1", id='"far"', title='"<script>"'
    )
    return backtest(policy_of(rules), past_of(rows, risk=[rng.random() for _ in rows]))


def test_the_text_is_for_a_tired_reader() -> None:
    text = render_backtest(_result())
    assert max(map(len, text.splitlines())) <= 80
    said = " ".join(text.split())
    for words in ("300 changes landed between", "a-rule", "Together the rules that stop a change", "Not judged: far"):
        assert words in said
    assert "Who approved what is not known of the past" in said


def test_a_rule_over_risk_is_judged_from_the_first_model_on() -> None:
    past = [*past_of([(9, False)] * 200), *past_of([(9, True)] * 120, risk=[0.95] * 60 + [0.1] * 60)]
    text = render_backtest(backtest(policy_of(rule_of("risk.percentile > 0.9")), past))
    assert "Not judged" not in text
    assert "a-rule (200 changes)" in " ".join(text.split())
    few = render_backtest(backtest(policy_of(rule_of("risk.percentile > 0.9")), past[:250]))
    assert "Not judged: a-rule" in few


def test_the_page_needs_nothing_and_lets_nothing_in() -> None:
    result = _result()
    hostile = '<script>alert(1)</script>"\u202e'
    result = replace(result, missed=(replace(result.rules[0].examples[0], subject=hostile),), policy=hostile)
    page = render_backtest_html(result)
    assert "<script" not in page
    assert "\u202e" not in page
    assert page.count("<svg") == 3
    assert "default-src 'none'" in page
    assert "style=" not in page


def test_the_same_past_gives_the_same_bytes() -> None:
    one, other = _result(), _result()
    assert render_backtest_json(one) == render_backtest_json(other)
    assert render_backtest_html(one) == render_backtest_html(other)


def test_the_page_of_a_comparison() -> None:
    policies = [policy_of(rule_of(f"change.lines_added > {n}")) for n in (100, 300)]
    page = render_comparison_html(compare(policies[0], policies[1], past_of([(200, True), (400, False)])), ("a", "b"))
    assert "Repaired, and held by the first only" in page
    assert "Change 0" in page
