"""Watches what was deployed: reads the metrics of the services within reach, and notices what got worse.

Any worker may do it, and several at once: a regression is noticed once, by its deployment, service and metric.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from tidegate.errors import InputError
from tidegate.operate.detect.regression import Regression, Watched
from tidegate.operate.detect.watch import watch
from tidegate.rollout.values import Deployment
from tidegate.server.logs import log
from tidegate.server.production.noticed import noticed_document
from tidegate.server.production.setup import Metric, Production
from tidegate.server.service import Service
from tidegate.store import deployments as kept
from tidegate.store import incidents, measurements, regressions
from tidegate.store.regressions import NewRegression
from tidegate.telemetry.prometheus import Span, query_range
from tidegate.telemetry.series import Series

Interval: TypeAlias = tuple[float, float]
MOST_WATCHED = 50
LATE_SECONDS = 60.0
"""Rates look back over a window, and what went wrong is not over at once."""
SLACK_SECONDS = 5.0
FARTHEST = 4
"""Calls between a service and the one that was deployed; beyond, a service counts as out of reach."""


class Watcher:
    """Looks at every deployment that is young enough. `notice` is called for each regression that is new."""

    def __init__(self, service: Service, setup: Production, clock: Callable[[], float]) -> None:
        self._service = service
        self._setup = setup
        self._clock = clock

    def look(self) -> tuple[Regression, ...]:
        """What is new since the last look. InputError where Prometheus does not answer: then nothing is known."""
        now = self._clock()
        young = self._young(now)
        if not young:
            return ()
        series = self._read(min(one.started for one in young), now)
        bad = {environment: self._bad(environment, now) for environment in {one.environment for one in young}}
        raised: list[tuple[kept.Deployment, Regression]] = []
        for one in young:
            answers = watch(deployment_of(one), self._watched(one, series, bad[one.environment]), now=now)
            raised += [(one, answer) for answer in answers if answer.status == "suspected"]
        return tuple(
            answer
            for one, answer in raised
            if _is_nearest(one, answer, raised) and self._notice(one, answer, series[answer.metric, answer.service][0])
        )

    # Private

    def _young(self, now: float) -> Sequence[kept.Deployment]:
        with self._service.database.read() as connection:
            recent = kept.between(connection, now - self._setup.watch, now, most=MOST_WATCHED)
        return [
            one
            for one in recent
            if one.status in ("started", "succeeded")
            and one.action != "remove"
            and one.service
            and self._setup.watches(one.environment)
            and one.started > now - self._setup.watch
        ]

    def _read(self, first: float, now: float) -> Mapping[tuple[str, str], tuple[Series, Series | None]]:
        """By metric and service: its series, and the requests it is about."""
        setup = self._setup
        start = (first - setup.reads) // setup.step * setup.step
        span = Span(start, now // setup.step * setup.step, setup.step)
        found: dict[tuple[str, str], tuple[Series, Series | None]] = {}
        asked: dict[str, Mapping[str, Series]] = {}
        for metric in setup.metric:
            mine = self._ask(asked, metric.query, span)
            served = self._ask(asked, metric.requests, span) if metric.requests else {}
            found |= {(metric.name, name): (one, _counts(served.get(name), setup.step)) for name, one in mine.items()}
        return found

    def _ask(self, asked: dict[str, Mapping[str, Series]], query: str, span: Span) -> Mapping[str, Series]:
        if query not in asked:
            answer = query_range(self._setup.prometheus, self._setup.fill(query), span)
            named = {one.labels.get("service", ""): one for one in answer}
            if "" in named and len(answer) > 1:
                raise InputError("answers series without a label `service`", where=query[:200], mend="sum by (service)")
            asked[query] = {name: one for name, one in named.items() if name}
        return asked[query]

    def _bad(self, environment: str, now: float) -> Sequence[Interval]:
        """When something was known to be wrong there: that is not what its services are like."""
        first = now - self._setup.watch - self._setup.reads
        with self._service.database.read() as connection:
            there = [one for one in kept.between(connection, first, now) if one.environment == environment]
            wrong = regressions.of_deployments(connection, [one.id for one in there])
            past = [one for one in incidents.page(connection, state="resolved") if one.environment == environment]
        found = [(one.started - LATE_SECONDS, one.ended + LATE_SECONDS) for one in past if one.ended is not None]
        by_id = {one.id: one for one in there}
        for one in wrong:
            caused = by_id[one.deployment]
            ends = [
                later.finished or later.started
                for later in there
                if later.service == caused.service and later.started > caused.started and later.status == "succeeded"
            ]
            if ends:
                found.append((min(one.moved, caused.started), min(ends) + LATE_SECONDS))
        return found

    def _watched(
        self,
        deployment: kept.Deployment,
        series: Mapping[tuple[str, str], tuple[Series, Series | None]],
        bad: Sequence[Interval],
    ) -> Sequence[Watched]:
        with self._service.database.read() as connection:
            edges = measurements.edges(connection, environment=deployment.environment)
        distance = distances(deployment.service, [(one.caller, one.callee) for one in edges])
        by_name: Mapping[str, Metric] = {one.name: one for one in self._setup.metric}
        return [
            Watched(
                service=service,
                metric=metric,
                series=without(mine, bad, deployment.started),
                requests=requests,
                direction=by_name[metric].direction,
                kind=by_name[metric].kind,
                tolerance=by_name[metric].tolerance,
                distance=distance.get(service),
            )
            for (metric, service), (mine, requests) in sorted(series.items())
        ]

    def _notice(self, deployment: kept.Deployment, answer: Regression, series: Series) -> bool:
        raised = answer.raised_at if answer.raised_at is not None else self._clock()
        new = NewRegression(
            deployment=deployment.id,
            service=answer.service,
            metric=answer.metric,
            moved=answer.moved if answer.moved is not None else raised,
            raised=raised,
            sure=answer.sure,
            document=noticed_document(answer, series, deployment.started),
        )
        now = self._service.now()
        is_new = self._service.database.change(lambda connection: regressions.notice(connection, new, now))
        if is_new:
            log("regression", deployment=deployment.id, service=answer.service, metric=answer.metric)
        return is_new


def distances(deployed: str, calls: Sequence[tuple[str, str]]) -> dict[str, int]:
    """How many calls each service is away from the one deployed: those that call it, and those that call them."""
    found = {deployed: 0}
    edge = {deployed}
    for away in range(1, FARTHEST + 1):
        edge = {caller for caller, callee in calls if callee in edge} - found.keys()
        found |= dict.fromkeys(edge, away)
    return found


def without(series: Series, intervals: Sequence[Interval], until: float) -> Series:
    """The series without what was measured in these intervals before `until`."""
    import numpy as np

    out = np.zeros(len(series.times), dtype=bool)
    for first, last in intervals:
        out |= (series.times >= first) & (series.times <= min(last, until))
    if not out.any():
        return series
    return Series(name=series.name, labels=series.labels, times=series.times[~out], values=series.values[~out])


def deployment_of(one: kept.Deployment) -> Deployment:
    """A deployment as the tables have it, as a value of the journeys; its number is its name."""
    return Deployment(
        id=str(one.id),
        environment=one.environment,
        service=one.service,
        status=one.status,
        action=one.action,
        started=one.started,
        finished=one.finished,
        repository=one.repository,
        revision=one.revision,
        previous=one.previous,
        artifact=one.artifact,
        share=one.share,
        actor=one.actor,
        url=one.url,
        chain=one.chain,
        sender=one.sender,
    )


# Private


def _is_nearest(
    deployment: kept.Deployment, answer: Regression, raised: Sequence[tuple[kept.Deployment, Regression]]
) -> bool:
    """Whether no later deployment that was there when it moved explains the same: the last before it is suspected."""
    moved = answer.moved if answer.moved is not None else answer.raised_at or 0.0
    return not any(
        deployment.started < other.started <= moved + SLACK_SECONDS
        and (other.environment, also.service, also.metric) == (deployment.environment, answer.service, answer.metric)
        for other, also in raised
    )


def _counts(rate: Series | None, step: float) -> Series | None:
    """Requests in each interval, from requests a second."""
    if rate is None:
        return None
    return Series(name=rate.name, labels=rate.labels, times=rate.times, values=rate.values * step)
