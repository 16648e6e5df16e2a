"""Risk as people read it: two lines in a check, a page of its own, what was learnt. No text gets out of its line."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from tests.report import samples
from tests.report.hostile import hostile_text
from tidegate.facts import AgentEffect, Facts, History, Risk, RiskFactor, RiskyLine, Unknown
from tidegate.report.formats import FORMATS
from tidegate.report.layout import columns
from tidegate.report.risk_brief import render_risk
from tidegate.report.risk_model import render_evaluation, render_knowledge, render_knowledge_json
from tidegate.report.risk_text import render_risk_text
from tidegate.report.style import Style
from tidegate.risk.features.habits import NO_HABITS
from tidegate.risk.knowledge import VERSION, Figures, Knowledge
from tidegate.risk.model.figures import Captured, Evaluation, TableRow
from tidegate.risk.model.model import Model
from tidegate.risk.model.single import Reference

KNOWN = Risk(
    status="complete",
    probability=0.14,
    usual=0.09,
    percentile=0.83,
    band="high",
    impact=0.42,
    impact_band="moderate",
    factors=(
        RiskFactor("files", "touches auth, where 1 change in 6 was repaired (20 of 120)", 0.61),
        RiskFactor("experience", "400 earlier changes by the author in these subsystems", -0.2),
    ),
    impact_factors=(RiskFactor("critical-domains", "touches auth", 0.3),),
    lines=(RiskyLine("shop/auth/token.py", 12, "a new condition; in auth"),),
    model="own",
    model_digest="d1" * 32,
)
PAST = History(
    status="complete",
    changes=900,
    since="2024-01-02T00:00:00Z",
    matured=700,
    repaired=63,
    repaired_share=0.09,
    reverted=4,
    author_changes=12,
    files_repaired=1,
    agents=(AgentEffect("claude", "opus", 60, 1.4, 0.9, 2.1),),
)
RANKED = msgspec.structs.replace(
    KNOWN,
    status="partial",
    unknowns=(Unknown("risk.probability", "12 changes have matured"), Unknown("risk.usual", "12")),
)
UNLEARNT = Risk(
    status="partial",
    unknowns=tuple(
        Unknown(f"risk.{name}", "nothing learnt here yet")
        for name in ("probability", "usual", "percentile", "band", "factors", "lines", "model", "model_digest")
    ),
    impact=0.3,
    impact_band="moderate",
    impact_factors=KNOWN.impact_factors,
)
BROKEN = Risk(unknowns=(Unknown("risk", "the collector failed"),))


def with_risk(risk: Risk, history: History = PAST) -> Facts:
    return msgspec.structs.replace(samples.held()[0], risk=risk, history=history)


def brief(risk: Risk, history: History = PAST) -> str:
    return "\n".join(render_risk(with_risk(risk, history), Style()))


def learnt(text: str = "claude", *, auc: float | None = 0.75) -> Knowledge:
    text = text.encode("utf-8", "backslashreplace").decode()  # as all text of history is read
    effect = AgentEffect(text, text, 60, 1.4, 0.9, 2.1)
    evaluation = Evaluation(
        400, 40, 1_700_000_000, 1_760_000_000, auc, 0.7, 0.8, 0.72, 0.3, 0.08, 0.09, 0.02, 0.01, 300,
        captures=(Captured(0.2, 0.5, 0.35, 0.65),), table=(TableRow(0.1, 0.12, 60),), gain_low=-0.01,
    )  # fmt: skip
    model = Model(1, (), "own", Reference((), (), ()), ())
    figures = Figures(900, 1_600_000_000, 700, 63, 4)
    return Knowledge(
        VERSION, samples.HEAD, 1_760_000_000, model, NO_HABITS, (), figures, (effect,), evaluation, {}, (text,)
    )


def test_a_check_says_both_numbers_and_what_moved_them_in_two_lines() -> None:
    assert brief(KNOWN) == snapshot("""\
Risk  14 % of such changes were repaired within a year (usual: 9 %), high: risk…
  touches auth, where 1 change in 6 was repaired (20 of 120)\
""")


def test_a_rank_alone_is_never_said_as_a_probability() -> None:
    assert brief(RANKED) == snapshot("""\
Risk  high: riskier than 83 of 100 changes here; impact moderate
  touches auth, where 1 change in 6 was repaired (20 of 120)\
""")
    assert "14 %" not in render_risk_text(with_risk(RANKED), Style())


def test_what_is_not_learnt_says_how_to_learn_it() -> None:
    assert brief(UNLEARNT, History(unknowns=(Unknown("history", "nothing learnt here yet"),))) == snapshot("""\
Risk  unknown: nothing learnt here yet; impact moderate
  touches auth\
""")
    assert brief(BROKEN) == snapshot("Risk  unknown: the collector failed")


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert render_risk(samples.held()[0], Style()) == []


def test_the_page_of_a_change() -> None:
    assert render_risk_text(with_risk(KNOWN), Style()) == snapshot("""\
Probability  14 % of such changes were repaired within a year (usual: 9 %),
             high: riskier than 83 of 100 changes here
Impact       moderate (0.42)

What raised it
  +0.61  touches auth, where 1 change in 6 was repaired (20 of 120)

What lowered it
  -0.20  400 earlier changes by the author in these subsystems

What the impact is made of
  +0.30  touches auth

Look first at
  shop/auth/token.py:12  a new condition; in auth

How changes by agents fared here
  No difference is shown between changes declared as claude's with opus and
    others of the same size and place that declare no agent: the best guess is
    1.4 times as often, and 0.9 to 1.9 times fits (95 % interval, 60 changes).

History      63 of 700 matured changes since 2024-01-02 had to be repaired; 4
             were reverted
""")


def test_the_page_of_what_was_learnt() -> None:
    assert render_knowledge(learnt(), Style()) == snapshot("""\
Learnt from  900 changes since 2020-09-13; 700 have matured, 63 of them had to
             be repaired (9%), 4 were reverted
Up to        2b2b2b2b2b2b of 2025-10-09
Model        what was repaired here, with a small voice for the shipped prior,
             9f4206ad2d18

How good it would have been
  on 400 changes from 2023-11-14 to 2025-10-09, each scored by a model that knew
  only what was known before it; 40 had to be repaired
  ranking (AUC): 0.750 [0.700 to 0.800]; lines added alone: 0.720, which this
  does not clearly beat
  probability: off by 0.020 on average (0.010 would be chance alone); Brier
  0.080, 0.090 for saying the same of every change

  riskiest   hold of what had to be repaired
      20%     50%  [35% to 65%]  ██████████

    said     came   changes
   10.0%    12.0%        60

How changes by agents fared
  No difference is shown between changes declared as claude's with claude and
    others of the same size and place that declare no agent: the best guess is
    1.4 times as often, and 0.9 to 1.9 times fits (95 % interval, 60 changes).
  Observed, not tried: people choose what they give to an agent, and this may be
    the reason.

Worth knowing
  claude
""")


def test_the_markdown_of_a_check_holds_it_as_well() -> None:
    page = FORMATS["markdown"](with_risk(KNOWN), samples.held()[1], Style())
    assert page.partition("**Risk**")[2].partition("\n<details>")[0] == snapshot("""\
 14 % of such changes were repaired within a year (usual: 9 %), high: riskier than 83 of 100 changes here; impact moderate
- touches auth, where 1 change in 6 was repaired (20 of 120)
""")  # noqa: E501 Markdown has no width


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("risk", [KNOWN, RANKED, UNLEARNT, BROKEN])
def test_every_format_takes_every_risk(name: str, risk: Risk) -> None:
    assert FORMATS[name](with_risk(risk), samples.held()[1], Style()).endswith("\n")


def test_the_document_for_machines_leaves_out_trees_and_single_labels() -> None:
    document = json.loads(render_knowledge_json(learnt()))
    assert document["schema"] == "tidegate.risk-knowledge/1"
    assert set(document["model"]) == {"kind", "digest", "calibrated", "features"}
    assert document["figures"]["matured"] == 700
    assert "labels" not in document


def hostile(text: str) -> Facts:
    factors = (RiskFactor(text, text, 1.5), RiskFactor(text, text, -0.5))
    risk = msgspec.structs.replace(
        KNOWN,
        status="partial",
        unknowns=(Unknown("risk.impact", text),),
        factors=factors,
        impact_factors=factors[:1],
        lines=(RiskyLine(text, 1, text),),
    )
    past = msgspec.structs.replace(PAST, since=text, agents=(AgentEffect(text, text, 60, 1.4, 0.9, 2.1),))
    return with_risk(risk, past)


@given(hostile_text, st.booleans(), st.integers(60, 100))
def test_no_text_leaves_its_line(text: str, unicode: bool, width: int) -> None:
    style = Style(width, False, unicode)
    lines = render_risk(hostile(text), style)
    assert 1 <= len(lines) <= 2
    assert all(columns(line) <= width for line in lines)
    pages = (render_risk_text(hostile(text), style), render_knowledge(learnt(text), style))
    for line in [*lines, *(line for page in pages for line in page.split("\n"))]:
        assert line.isprintable()
        assert unicode or line.isascii()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert columns(line) <= width or "://" in line


@given(hostile_text)
def test_no_text_is_markup_on_the_page_of_a_check(text: str) -> None:
    page = FORMATS["markdown"](hostile(text), samples.held()[1], Style())
    part = page.partition("**Risk**")[2].partition("\n<details>")[0]
    assert "<" not in part.replace("\\<", "")
    assert "](" not in part.replace("\\]", "")
    assert not any(mark in part for mark in ("@o", "\x1b", "\u202e", "http://", "https://"))
    assert all(line.startswith((" ", "- ")) or not line for line in part.split("\n"))


@given(hostile_text)
def test_the_documents_for_machines_hold_no_command_of_a_log(text: str) -> None:
    assert "##[" not in render_knowledge_json(learnt(text))
    assert json.loads(render_knowledge_json(learnt(text)))["remarks"]


def test_without_unicode_everything_is_ascii() -> None:
    for page in (
        render_risk_text(with_risk(KNOWN), Style(unicode=False)),
        render_knowledge(learnt(), Style(unicode=False)),
    ):
        assert page.isascii()


def test_an_evaluation_of_too_few_changes_says_so_and_no_figure() -> None:
    text = render_evaluation(learnt(auc=None).evaluation, Style())
    assert "too few" in text
    assert "AUC" not in text
