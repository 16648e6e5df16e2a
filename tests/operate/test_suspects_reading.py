"""What symptoms and diffs are read as: words, moves, first signs, origin, and what a diff does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.operate.incidents import MINUTE, START, TIDY_CLIENT, TIDY_HANDLER, lines, move
from tidegate.operate.evidence.diffs import compare, read_diff
from tidegate.operate.evidence.kinds import KINDS
from tidegate.operate.evidence.traits import LEAST, MOST, find_traits, weigh
from tidegate.operate.symptoms import words
from tidegate.operate.symptoms.onset import find_moves, find_onset
from tidegate.operate.symptoms.origin import locate
from tidegate.operate.symptoms.signatures import group, is_news, shape
from tidegate.operate.symptoms.values import LogPattern, Span, Symptoms
from tidegate.operate.values import Alert, ErrorReport
from tidegate.telemetry.series import Series

QUIET = Symptoms(alert=Alert(key="a", sender="test", name="a", started=START + 90 * MINUTE, service="shop"))


def span(name: str, service: str, parent: str = "", failed: bool = True, **fields: str) -> Span:
    return Span(
        id=name,
        service=service,
        operation=name,
        started=START,
        seconds=0.1,
        failed=failed,
        parent=parent,
        fields=fields,
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("readThreeDSResult", ["read", "thre", "ds", "result"]),
        ("dashboard_favorites", ["dashboard", "favorit"]),
        ("batched batching batches", ["batch", "batch", "batch"]),
        ("300*time.Millisecond", ["#300", "time", "millisecond"]),
        ("if err != nil { return err }", []),
        ("", []),
    ],
)
def test_words_are_stems_of_parts(text: str, found: list[str]) -> None:
    assert list(words.split(text)) == found


@pytest.mark.parametrize(
    ("word", "spelt"), [("writ", "writes"), ("=catalogitems", "catalog_items"), ("~tls", "tls"), ("gone", "gone")]
)
def test_words_are_shown_as_they_are_written(word: str, spelt: str) -> None:
    assert words.spell(word, ["nothing here", "writes catalog_items"]) == spelt


def test_words_of_one_subject_meet() -> None:
    said = set(words.vocabulary("context deadline exceeded"))
    done = set(words.vocabulary("context.WithTimeout(ctx, limit)"))
    assert "~deadline" in said & done


@given(st.text(max_size=300))
def test_any_text_has_words(text: str) -> None:
    assert all(words.vocabulary(text))


@pytest.mark.parametrize("at", [20, 60, 85])
def test_a_step_is_found_at_its_minute(at: int) -> None:
    (found,) = find_moves([move("a", "m", 10, 30, at)], START + 90 * MINUTE)
    assert found.at == START + at * MINUTE
    assert found.ratio == pytest.approx(3, rel=0.1)


def test_a_step_after_the_alert_and_a_flat_series_are_no_moves() -> None:
    flat = move("a", "flat", 10, 10, 50)
    assert find_moves([move("a", "late", 10, 30, 100), flat], START + 90 * MINUTE) == ()
    constant = replace(flat, values=np.zeros(120))
    assert find_moves([constant, replace(flat, times=flat.times[:3], values=flat.values[:3])], START + 1e9) == ()


def test_quiet_noise_rarely_moves() -> None:
    dice = np.random.default_rng(1)
    times = START + np.arange(120) * MINUTE
    noise = [Series(name=f"m{n}", labels={}, times=times, values=dice.normal(50, 4, 120)) for n in range(300)]
    assert len(find_moves(noise, START + 1e9)) <= 3


def test_the_first_sign_may_be_a_line_of_a_log() -> None:
    signatures = group([*lines("shop", "INFO", "sold {n}", 0, 2), *lines("shop", "ERROR", "till is stuck", 55, 1)])
    onset = find_onset(QUIET, find_moves([move("shop", "m", 1, 9, 60)], QUIET.alert.started), signatures)
    assert onset.at == START + 55 * MINUTE
    assert onset.shown_by == "a new line of shop: till is stuck"


def test_an_error_of_a_tracker_is_a_sign_and_nothing_is_none() -> None:
    error = ErrorReport(key="e", sender="test", kind="TypeError", message="x", first=START + 5, service="shop")
    assert find_onset(replace(QUIET, errors=(error,)), (), ()).shown_by == "TypeError in shop"
    assert not find_onset(QUIET, (), ()).known


def test_lines_that_differ_in_numbers_and_names_are_one_signature() -> None:
    assert shape("row 17 of 'a.csv' took 3.5ms") == shape("row 18 of 'b.csv' took 12ms")
    (one,) = group(lines("a", "WARN", "took {n} ms", 50, 1))
    assert one.count == 62
    assert not one.is_bad_news, "all that was ever heard is not news"


def test_what_lasts_on_after_the_alert_does_not_make_its_beginning_early() -> None:
    (one,) = group(lines("a", "ERROR", "it fails", 20, until=200), START + 40 * MINUTE)
    assert not one.is_bad_news, "it may always have been said"
    (one,) = group(lines("a", "ERROR", "it fails", 20, until=200), START + 24 * MINUTE)
    assert one.is_bad_news, "there was no quiet time to hear it in"
    said = group([*lines("a", "INFO", "fine", 0), *lines("a", "ERROR", "it fails", 20, until=200)], START + 25 * MINUTE)
    assert [signature.is_bad_news for signature in said] == [False, True]


@pytest.mark.parametrize(("count", "before", "news"), [(5, 0, True), (30, 10, True), (29, 10, False), (0, 0, False)])
def test_a_pattern_is_news_from_three_times_as_many(count: int, before: int, news: bool) -> None:
    assert is_news(LogPattern(service="a", text="t", count=count, before=before)) is news


def test_the_origin_is_the_deepest_that_fails_and_not_whom_its_caller_left() -> None:
    spans = (span("r", "web"), span("o", "orders", "r"), span("d", "stock", "o", error="context canceled"))
    origin = locate(replace(QUIET, alert=replace(QUIET.alert, service=""), spans=spans), (), ())
    assert origin.first == "orders"
    assert origin.distance("stock") == 1
    assert origin.distance("web") is None
    assert origin.reaches("web")
    assert not origin.reaches("stock")


def test_calls_in_a_ring_end() -> None:
    origin = locate(replace(QUIET, calls=(("shop", "a"), ("a", "b"), ("b", "shop"))), (), ())
    assert origin.distance("b") == 2
    assert origin.distance("elsewhere") is None
    assert origin.reaches("a")


@pytest.mark.parametrize(
    ("path", "diff", "least", "most", "says"),
    [
        ("a_test.go", "-x\n+y\n", -4, -4, "changes tests only"),
        ("docs/a.md", "-x\n+y\n", -4, -4, "changes documents only"),
        ("a.css", "-x\n+y\n", -3, -3, "changes looks only"),
        ("go.mod", "-\ta.b/c v1.2.3\n+\ta.b/c v1.2.4\n", -2, -2, "raises patch versions only"),
        ("go.mod", "-\ta.b/c v1.2.3\n+\ta.b/c v2.0.0\n", 0, 1, "major version"),
        ("a.go", "-// old\n+// new\n", -3.5, -3.5, "changes comments only"),
        ("a.go", '-\tlog.Print("a")\n+\tlogger.Info("a", "id", id)\n', -2, -2, "logs"),
        ("a.go", TIDY_CLIENT, -2, -2, "moves code"),
        ("a.go", TIDY_HANDLER, -2, -2, "moves code"),
        ("a.go", "-\tif x == nil {\n-\t\treturn\n-\t}\n", 1.5, 2.5, "takes a check away"),
        ("a.go", "+\tif x == nil {\n+\t\treturn\n+\t}\n", -1, -1, "adds a check"),
        ("a.go", "-\tregister(all)\n", 1.5, 2.5, "takes the call of register away"),
        ("a.go", "-\twait(5 * second)\n+\twait(300 * second)\n", 1.5, 1.5, "changes a number from 5 to 300"),
        ("a.yaml", "-entries: 5000\n+entries: 5500\n", -0.5, -0.5, "sets entries from 5000 to 5500"),
        ("a.yaml", "-level: info\n+level: debug\n", 0.8, 0.8, "sets level from info to debug"),
        ("a.go", '-\tq("SELECT a FROM b LIMIT 50")\n+\tq("SELECT a FROM b")\n', 1.5, 2.5, "takes LIMIT out of a query"),
        ("a.go", "+\tfor _, x := range all {\n+\t\ty := c.db.Get(ctx, x)\n+\t}\n", 1.2, 2.5, "inside a loop"),
        ("a.kt", "-  if (a < b) stop()\n+  if (a <= b) stop()\n", 1, 1, "changes a comparison or a sign"),
        ("a.go", None, -0.5, -0.5, "its diff is not known"),
    ],
)
def test_a_diff_is_known_by_what_it_does(path: str, diff: str | None, least: float, most: float, says: str) -> None:
    traits = find_traits([path], diff)
    assert least <= weigh(traits) <= most
    assert says in "; ".join(trait.says for trait in traits)


@given(st.text(alphabet="+-@ab(){}<=1.0'\"\n ", max_size=400))
def test_any_diff_stays_within_bounds(text: str) -> None:
    assert LEAST <= weigh(find_traits(["a.go"], text)) <= MOST
    delta = compare(read_diff(text))
    assert 0 <= delta.moved <= delta.kept <= 1


def test_kinds_are_named_once_and_only_the_unexplained_has_no_sign() -> None:
    names = [kind.name for kind in KINDS]
    assert len(set(names)) == len(names)
    assert [kind.name for kind in KINDS if not kind.phrases] == ["unexplained"]
    assert all(kind.said > 0 for kind in KINDS if kind.phrases)
