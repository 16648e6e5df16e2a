"""Every kind of source of the map, one line each. What is not in this list is not asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from msgspec import Struct

from tidegate.operate.environment import alerts, deployments, prometheus, spans, state
from tidegate.operate.environment.alerts import Alerted
from tidegate.operate.environment.code import Code
from tidegate.operate.environment.deployments import Deployed
from tidegate.operate.environment.merge import merge
from tidegate.operate.environment.prometheus import Prometheus
from tidegate.operate.environment.spans import Seen
from tidegate.operate.environment.state import State
from tidegate.operate.environment.statements import NotKnown, Statement
from tidegate.operate.environment.values import Map, SourceKind


class Given(Struct, frozen=True, kw_only=True):
    """What was read, of each kind none, one or several. `environment` "": all that they tell, as one.

    `unknowns` are what could not be read at all.
    """

    environment: str = ""
    code: tuple[Code, ...] = ()
    states: tuple[State, ...] = ()
    deployed: tuple[Deployed, ...] = ()
    seen: tuple[Seen, ...] = ()
    servers: tuple[Prometheus, ...] = ()
    alerted: tuple[Alerted, ...] = ()
    unknowns: tuple[str, ...] = ()


class Source(NamedTuple):
    """One kind of source. `read` yields what it says, with where it says so."""

    kind: SourceKind
    read: Callable[[Given], Iterator[Statement]]


def learn(given: Given) -> Map:
    """The map of what was read."""
    said = [statement for source in SOURCES for statement in source.read(given)]
    return merge(given.environment, (*said, *(NotKnown(says=one) for one in given.unknowns)))


# Private


def _code(given: Given) -> Iterator[Statement]:
    return chain.from_iterable(one.statements for one in given.code)


def _states(given: Given) -> Iterator[Statement]:
    stacks = tuple(stack for one in given.code for stack in one.stacks)
    return chain.from_iterable(state.statements_of(one, stacks) for one in given.states)


def _deployments(given: Given) -> Iterator[Statement]:
    return chain.from_iterable(deployments.statements_of(one, given.environment) for one in given.deployed)


def _spans(given: Given) -> Iterator[Statement]:
    return chain.from_iterable(spans.statements_of(one, given.environment) for one in given.seen)


def _targets(given: Given) -> Iterator[Statement]:
    return chain.from_iterable(prometheus.target_statements(one, given.environment) for one in given.servers)


def _rules(given: Given) -> Iterator[Statement]:
    return chain.from_iterable(prometheus.alert_statements(one, given.environment) for one in given.servers)


def _alerts(given: Given) -> Iterator[Statement]:
    return chain.from_iterable(alerts.statements_of(one, given.environment) for one in given.alerted)


SOURCES: tuple[Source, ...] = (
    Source("code", _code),
    Source("state", _states),
    Source("deployments", _deployments),
    Source("spans", _spans),
    Source("targets", _targets),
    Source("rules", _rules),
    Source("alerts", _alerts),
)
