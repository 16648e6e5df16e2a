"""What was spent joined to what shipped; what cannot be joined is said."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import InputError
from tidegate.insight.answer import Told, look
from tidegate.insight.costs import Bill, Cost, parse_bill, read_bill
from tidegate.insight.export import csv_of
from tidegate.insight.spend import join_spending
from tidegate.insight.survival import Lines
from tidegate.insight.text import render_insight
from tidegate.insight.values import Fate, Shipped
from tidegate.insight.words import cannot_join

DAY = 86400.0


def _bill(rows: str, tool: str = "") -> Bill:
    return parse_bill(rows.encode(), "bill.csv", tool)


def _change(tool: str, fate: Fate = "clean", lines: int = 100, landed: float = DAY, commit: str = "a") -> Shipped:
    return Shipped(
        commit=commit,
        landed=landed,
        writer="ai",
        size=lines,
        fate=fate,
        tool=tool,
        lines={"ai": lines},
    )


def test_cost_per_change_line_and_failure() -> None:
    rows = "day,tool,cost,currency\n1970-01-02,Claude Code,30,usd\n1970-01-03,claude,10,USD\n1970-01-03,devin,5,USD\n"
    fates: tuple[Fate, ...] = ("clean",) * 6 + ("fixed",) * 2 + ("pending",) * 2
    shipped = [*(_change("claude-code", fate) for fate in fates), _change("cursor"), _change("")]

    found = join_spending(_bill(rows).costs, shipped, 0, 10 * DAY)

    (claude,) = found.returns
    assert (claude.cost, claude.changes, claude.sound, claude.failures, claude.pending) == (40.0, 10, 6, 2, 2)
    assert (claude.per_change, claude.per_line) == (4.0, 0.04)
    assert claude.per_failure.value == 16.0  # a change costs 4, and one of four is repaired
    assert claude.per_failure.low == pytest.approx(4 / 0.6509, rel=1e-3)  # Clopper and Pearson, 2 of 8
    assert claude.per_failure.high == pytest.approx(4 / 0.0319, rel=1e-2)
    assert claude.per_lasting.says == "how long lines live is not known here"
    assert (found.cost, found.unjoined, found.currency) == (45.0, (("devin", 5.0),), "USD")
    assert (found.unpaid, found.nameless) == (("cursor",), 1)
    assert len(list(cannot_join(found))) == 3


def test_no_repair_among_the_judged_says_how_much_one_costs_at_least() -> None:
    shipped = [_change("claude") for _ in range(9)]

    found = join_spending(_bill("day,tool,cost\n1970-01-02,claude,90\n").costs, shipped, 0, 10 * DAY)

    assert found.returns[0].per_failure.value is None
    assert found.returns[0].per_failure.says == "none of 9 was repaired: at least 29.74"


def test_only_what_lies_in_the_time_counts_and_only_months_that_have_costs() -> None:
    rows = "day,tool,cost\n1970-01-02,claude,30\n1970-02-01,claude,7\n1971-01-01,claude,99\n"
    shipped = [_change("claude", landed=each * DAY) for each in (5, 20, 33, 65, 400)]

    found = join_spending(_bill(rows).costs, shipped, 0, 100 * DAY)

    assert (found.cost, found.first, found.last) == (37.0, "1970-01-02", "1970-02-01")
    assert (found.returns[0].changes, found.returns[0].unpaid) == (3, 1)
    assert join_spending(_bill(rows).costs, [], 0, 10 * DAY).unjoined == (("claude", 30.0),)
    assert join_spending(_bill(rows).costs, [], 0, DAY).cost == 0  # the last day ends before it


def test_a_line_that_lasts_costs_as_many_lines_as_it_takes() -> None:
    """Of each change 60 lines are alive after 100 days and 40 were replaced on day 10; one change is young."""
    shipped = [_change("claude", commit=str(number)) for number in range(20)]
    lived = [
        each
        for number in range(19)
        for each in (
            Lines(change=str(number), writer="ai", days=100.0, end="alive", count=60 + number % 3),
            Lines(change=str(number), writer="ai", days=10.0, end="replaced", count=40),
        )
    ]
    lived.append(Lines(change="19", writer="ai", days=3.0, end="alive", count=100))

    found = join_spending(_bill("day,tool,cost\n1970-01-02,claude,100\n").costs, shipped, 0, 10 * DAY, lived)

    claude = found.returns[0]
    assert claude.per_line == 0.05
    assert claude.per_lasting.value == pytest.approx(0.05 / 0.604, rel=0.01)
    assert claude.per_lasting.value is not None
    assert claude.per_lasting.low is not None
    assert claude.per_lasting.high is not None
    assert claude.per_line < claude.per_lasting.low < claude.per_lasting.value < claude.per_lasting.high
    assert claude.young == 100


def test_lines_that_are_all_young_say_nothing() -> None:
    shipped = [_change("claude", commit=str(number)) for number in range(20)]
    lived = [Lines(change=str(number), writer="ai", days=80.0, end="alive", count=9) for number in range(20)]

    found = join_spending(_bill("day,tool,cost\n1970-01-02,claude,100\n").costs, shipped, 0, 10 * DAY, lived)

    assert found.returns[0].per_lasting.says == "no line was followed for 90 days yet"


def test_the_answer_says_it_in_text_and_csv() -> None:
    rows = "day,tool,cost,currency\n1970-01-02,claude,90,EUR\n1970-01-02,=cmd,3,EUR\n"
    shipped = [_change("claude", "fixed" if number % 4 == 0 else "clean") for number in range(12)]
    bill = _bill(rows)

    found = look(shipped, [], 0, 10 * DAY, costs=bill.costs, told=Told(bill_notes=("1 row is left out",)))

    text = render_insight(found)
    assert "Spent 93.00 EUR, from 1970-01-02 to 1970-01-02" in text
    assert "claude               90.00 EUR for 12 changes: 9 sound, 3 repaired, 0 not judged" in text
    assert "30.00        a repaired change (13.12 to 136.71), n 12" in text
    assert "3.00 EUR went to tools that no shipped change names (=cmd 3.00)" in text
    assert "1 row is left out" in text
    assert "spending,tool,'=cmd,cost,,EUR,3.0" in csv_of(found)
    assert "cost a repaired change,,EUR,30.0," in csv_of(found)


ANTHROPIC = "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,cost_type\n"
OPENAI = "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,user_email\n"
COPILOT = "date,username,product,sku,model,quantity,unit_type,applied_cost_per_quantity,gross_amount,net_amount\n"
CURSOR = "Date,User,Kind,Model,Max Mode,Input (w/ Cache Write),Input (w/o Cache Write),Output Tokens,Cost\n"


def test_exports_of_vendors_are_recognised_by_their_columns() -> None:
    console = _bill(
        ANTHROPIC
        + "2026-03-15,Claude Opus 4.6,Claude Code,claude_code_key_ada_xy,message,≤ 200k,output,1.50,token\n"
        + "2026-03-15,Claude Haiku 4.5,Default,batch,message,≤ 200k,output,0.25,token\n"
    )
    assert (console.form, [(one.tool, one.amount, one.currency) for one in console.costs]) == (
        "anthropic",
        [("claude-code", 1.5, "USD"), ("anthropic-api", 0.25, "USD")],
    )
    assert [one.person for one in console.costs] == ["claude_code_key_ada_xy", ""]
    assert "1 rows do not say which tool" in console.notes[0]

    empty = "1790467200,1790553600,,,,,,\n"
    platform = _bill(OPENAI + empty + '1790553600,1790640000,,,0.5,usd,"gpt-5, input",ada@acme.test\n', "codex")
    assert platform.costs == (
        Cost(
            day=date(2026, 9, 28),
            tool="codex",
            amount=0.5,
            model="gpt-5",
            person="ada@acme.test",
            currency="USD",
        ),
    )
    assert (platform.form, platform.notes) == ("openai", ())

    forge = _bill(
        COPILOT
        + "2026-09-05,ada,copilot,copilot_premium_request,GPT-5,10,requests,0.04,0.40,0.30\n"
        + "2026-09-05,ada,actions,actions_linux,,10,minutes,0.006,0.06,0.05\n"
    )
    assert [(one.tool, one.amount, one.person, one.model) for one in forge.costs] == [("copilot", 0.3, "@ada", "GPT-5")]
    assert "1 rows are of other products" in forge.notes[0]

    editor = _bill(
        CURSOR
        + '"2026-10-01T10:00:00.000Z",ada@acme.test,Included,claude-4-sonnet,No,1200,1000,300,0.12\n'
        + '"2026-10-01T10:05:00.000Z",ada@acme.test,Usage-based,claude-4-sonnet,No,1200,1000,300,$0.07\n'
    )
    assert [(one.tool, one.amount, one.day) for one in editor.costs] == [("cursor", 0.07, date(2026, 10, 1))]
    assert "1 rows cost nothing by themselves" in editor.notes[0]


@pytest.mark.parametrize(
    ("rows", "says", "where"),
    [
        ("day,tool,price\n", "'price' is no column", "line 1"),
        ("day,cost\n", "no column tool", "line 1"),
        ("", "no column day", "line 1"),
        ("day,tool,cost\n2026-13-01,a,1\n", "is no day", "line 2"),
        ("day,tool,cost\n0001-01-01,a,1\n", "is no day", "line 2"),
        ("day,tool,cost\n2026-01-01,a,-1\n", "is no cost", "line 2"),
        ("day,tool,cost\n2026-01-01,a,nan\n", "is no cost", "line 2"),
        ("day,tool,cost\n2026-01-01,,1\n", "a cost of no tool", "line 2"),
        ("day,tool,cost\n2026-01-01,a\n", "2 cells under 3 columns", "line 2"),
        ("day,tool,cost,cost\n", "a column twice", "line 1"),
        ("day,tool,cost,currency\n2026-01-01,a,1,euro\n", "is no currency", "line 2"),
        (f"day,tool,cost\n2026-01-01,{'x' * 201},1\n", "is no name", "line 2"),
        (OPENAI + "soon,,,,1,usd,,\n", "is no Unix time", "line 2"),
        (ANTHROPIC + "2026-03-15,m,w,k,,,output,free,\n", "is no cost", "line 2"),
        ('day,tool,cost\n"2026', "is no CSV", "bill.csv"),
    ],
)
def test_what_does_not_fit_is_named(rows: str, says: str, where: str) -> None:
    with pytest.raises(InputError) as caught:
        _bill(rows)

    assert says in caught.value.what
    assert where in caught.value.where


@given(st.binary(max_size=200), st.sampled_from(("", "day,tool,cost\n", ANTHROPIC, OPENAI, COPILOT, CURSOR)))
def test_no_bytes_do_harm(data: bytes, head: str) -> None:
    try:
        bill = parse_bill(head.encode() + data, "bill.csv")
    except InputError:
        return
    assert all(0 <= one.amount < 1e12 and one.tool for one in bill.costs)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_bill(tmp_path / "none.csv")
    (tmp_path / "bill.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no UTF-8"):
        read_bill(tmp_path / "bill.csv")


def test_currencies_are_not_added_up() -> None:
    rows = "day,tool,cost,currency\n1970-01-02,a,1,USD\n1970-01-02,a,1,EUR\n"

    with pytest.raises(InputError, match="EUR and USD"):
        join_spending(_bill(rows).costs, [], 0, 10 * DAY)
