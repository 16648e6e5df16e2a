"""What the questions of a canary document measure: from Prometheus, from a CSV file or from OTLP metrics in a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import InputError
from tidegate.rollout.canary.document import CanaryDocument, Question
from tidegate.rollout.canary.values import Measured
from tidegate.telemetry.series import Series

LARGEST_BYTES = 64 << 20
_SELECTOR = re.compile(r"([A-Za-z_:][\w:.]*)\s*(?:\{(.*)\})?")
_LABEL = re.compile(r'\s*([A-Za-z_][\w.]*)\s*=\s*"([^"]*)"\s*(?:,|$)')


def ask_prometheus(
    document: CanaryDocument, url: str, start: float, end: float, timeout: float = 10.0
) -> tuple[Measured, ...]:
    """Two range queries for each metric, four for a count. Raises InputError with the metric's name.

    The steps are counted from the start, so that none holds values from before and after it.
    """
    from tidegate.telemetry.prometheus import Span, query_range

    whole = Span(start - document.history, end, document.step)
    since = whole if document.before else Span(start, end, document.step)
    kept: dict[tuple[str, Span], tuple[Series, ...]] = {}

    def ask(question: Question, queries: Sequence[str], span: Span) -> tuple[Series, ...]:
        found: list[Series] = []
        for query in queries:
            if (query, span) not in kept:
                try:
                    kept[query, span] = query_range(url, query, span, timeout)
                except InputError as error:
                    where = f"metric {question.metric.name}: {error.where}"
                    raise InputError(error.what, where=where, mend=error.mend) from error
            found += kept[query, span]
        return tuple(found)

    return tuple(
        Measured(
            metric=one.metric,
            canary=ask(one, one.canary, since),
            baseline=ask(one, one.baseline, whole),
            canary_requests=ask(one, one.canary_requests, since),
            baseline_requests=ask(one, one.baseline_requests, whole),
        )
        for one in document.questions
    )


def choose_series(document: CanaryDocument, series: Sequence[Series], where: str) -> tuple[Measured, ...]:
    """The series of a file that the questions name: by a name, or by name{label="value"}, which may be several.

    A name that no series has is InputError, with those that there are: a slip must not pass for a silent canary.
    """

    def choose(question: Question, queries: Sequence[str]) -> tuple[Series, ...]:
        return tuple(one for query in queries for one in _matching(query, series, where, question.metric.name))

    return tuple(
        Measured(
            metric=one.metric,
            canary=choose(one, one.canary),
            baseline=choose(one, one.baseline),
            canary_requests=choose(one, one.canary_requests),
            baseline_requests=choose(one, one.baseline_requests),
        )
        for one in document.questions
    )


def read_otlp(path: Path) -> tuple[Series, ...]:
    """The metrics of an OTLP request in a file: JSON, or protobuf where it ends in `.pb`. What cannot be read is an
    error: a point left out could be the one that counts."""
    from tidegate.telemetry.otlp import read_metrics

    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"larger than {LARGEST_BYTES >> 20} MB", where=str(path), mend="give a shorter time")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", where=str(path), mend="name a file of metrics"
        ) from error
    kind = "application/x-protobuf" if path.suffix == ".pb" else "application/json"
    found = read_metrics(content, {"content-type": kind})
    if found.rejected:
        raise InputError(f"{found.rejected} points are none: {found.why}", where=str(path), mend="correct the export")
    return found.series


# Private


def _matching(query: str, series: Sequence[Series], where: str, metric: str) -> list[Series]:
    exact = [one for one in series if one.name == query]
    if exact:
        return exact
    read = _SELECTOR.fullmatch(query.strip())
    if read and read[2] is not None:
        labels = dict(_LABEL.findall(read[2]))
        if _LABEL.sub("", read[2]).strip():
            raise InputError(
                f'{query}: only label="value" is understood',
                where=f"{where}: metric {metric}",
                mend='write name{a="b"}',
            )
        found = [one for one in series if one.name == read[1] and labels.items() <= dict(one.labels).items()]
        if found:
            return found
    names = ", ".join(sorted({one.name for one in series})[:12])
    raise InputError(f"no series {query}", where=f"{where}: metric {metric}", mend=f"there are: {names or 'none'}")
