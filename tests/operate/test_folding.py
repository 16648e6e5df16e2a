"""The folds of alerts and errors: whatever the order and however often, the same."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tidegate.operate.folding import (
    AlertProgress,
    ErrorProgress,
    alert_of,
    error_of,
    fold_alerts,
    fold_errors,
    joined_alert,
    joined_error,
    progress_of_alert,
    progress_of_error,
)
from tidegate.operate.values import Alert, ErrorReport, Frame


def alert(at: float, ended: float | None = None, **more: object) -> Alert:
    usual = Alert(key="1", sender="pagerduty", name="HighErrorRatio", started=10.0, ended=ended, at=at)
    return structs.replace(usual, **more)


def error(first: float, **more: object) -> ErrorReport:
    return structs.replace(ErrorReport(key="1", sender="sentry", kind="KeyError", message="'id'", first=first), **more)


def test_an_alert_fires_is_over_and_may_be_opened_again() -> None:
    fired, over = alert(10, service="pay"), alert(30, ended=30.0, service="pay", started=12.0)
    (found,) = fold_alerts([over, fired])
    assert found == alert(30, ended=30.0, service="pay")
    (again,) = fold_alerts([over, alert(40), fired])
    assert (again.ended, again.service, again.at) == (None, "pay", 40)
    (tied,) = fold_alerts([alert(30), over])
    assert tied.ended == 30.0


def test_what_a_later_message_leaves_out_stays() -> None:
    (found,) = fold_alerts([alert(10, summary="5 %", labels={"job": "pay"}, severity="critical"), alert(20)])
    assert (found.summary, found.labels) == ("5 %", {"job": "pay"})


def test_errors_are_counted_by_their_sender_and_keep_their_frames() -> None:
    frames = (Frame(file="a.py", line=3, function="f"), Frame(file="b.py", line=0, own=False))
    (found,) = fold_errors([error(20, frames=frames), error(10, last=50.0, count=7), error(15, count=3)])
    assert found == error(10, last=50.0, count=7, frames=frames)


alerts = st.builds(
    Alert,
    key=st.sampled_from(["1", "2"]),
    sender=st.sampled_from(["a", "b"]),
    name=st.sampled_from(["x", "y"]),
    started=st.integers(0, 5).map(float),
    ended=st.none() | st.integers(0, 5).map(float),
    at=st.integers(0, 3).map(float),
    service=st.sampled_from(["", "pay", "web"]),
    labels=st.dictionaries(st.sampled_from("kl"), st.sampled_from("uv"), max_size=2),
)
errors = st.builds(
    ErrorReport,
    key=st.sampled_from(["1", "2"]),
    sender=st.just("sentry"),
    kind=st.sampled_from(["x", "y"]),
    message=st.sampled_from(["", "m"]),
    first=st.integers(0, 5).map(float),
    last=st.none() | st.integers(5, 9).map(float),
    count=st.integers(1, 5),
    frames=st.lists(st.builds(Frame, file=st.sampled_from("ab"), line=st.integers(0, 2)), max_size=2).map(tuple),
)


@given(given=st.lists(alerts, max_size=7), data=st.data())
def test_any_permutation_with_repeats_gives_the_same_alerts(given: list[Alert], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(given), max_size=5)) if given else []
    assert fold_alerts(data.draw(st.permutations([*given, *repeats]))) == fold_alerts(given)


@given(given=st.lists(errors, max_size=7), data=st.data())
def test_any_permutation_with_repeats_gives_the_same_errors(given: list[ErrorReport], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(given), max_size=5)) if given else []
    assert fold_errors(data.draw(st.permutations([*given, *repeats]))) == fold_errors(given)


@given(one=alerts, other=alerts, bad=errors, worse=errors)
def test_what_is_kept_is_what_was_folded(one: Alert, other: Alert, bad: ErrorReport, worse: ErrorReport) -> None:
    other = structs.replace(other, key=one.key, sender=one.sender)
    both = joined_alert(progress_of_alert(one), progress_of_alert(other))
    assert msgspec.json.decode(msgspec.json.encode(both), type=AlertProgress) == both
    assert (alert_of(both),) == fold_alerts([other, one])
    worse = structs.replace(worse, key=bad.key)
    sum_of = joined_error(progress_of_error(bad), progress_of_error(worse))
    assert msgspec.json.decode(msgspec.json.encode(sum_of), type=ErrorProgress) == sum_of
    assert (error_of(sum_of),) == fold_errors([worse, bad])
