"""What a Prometheus server says: what it scrapes and whether that answers, its alert rules, and what these read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.operate.environment.promql import Selector
from tidegate.operate.environment.rules import ENVIRONMENTS, KEPT, Firing, Rule
from tidegate.operate.environment.rules import statements_of as rule_statements
from tidegate.operate.environment.statements import Answers, Exists, NotKnown, Statement, Told
from tidegate.operate.environment.values import Said, SourceRead
from tidegate.operate.intake.reading import service_of
from tidegate.report.layout import grouped
from tidegate.telemetry.prometheus import query_instant, read_status

MOST_QUERIES = 300
MOST_SECONDS = 30.0
"""For all questions about what rules read."""


class Scraped(Struct, frozen=True):
    """One target: the labels of its series, whether it answers ("up", "down", "unknown"), and when it was asked."""

    labels: Mapping[str, str]
    health: str
    asked: float | None


class Prometheus(Struct, frozen=True):
    """What a server at `url` said. `covered` holds the labels of the series of each selector that was asked about."""

    url: str
    targets: tuple[Scraped, ...]
    rules: tuple[Rule, ...]
    recorded: Mapping[str, str] = {}
    covered: Mapping[str, tuple[Mapping[str, str], ...]] = {}
    unknowns: tuple[str, ...] = ()


def read_prometheus(url: str, timeout: float = 10.0, clock: Callable[[], float] = time.monotonic) -> Prometheus:
    """Asks for targets, rules, and the series that the rules read. InputError where the server does not answer."""
    targets = _targets(read_status(url, "targets?state=active", timeout), url)
    rules, recorded = _rules(read_status(url, "rules", timeout), url)
    covered, unknowns = _covered(url, rules, clock() + MOST_SECONDS, clock)
    return Prometheus(url, targets, rules, recorded, covered, unknowns)


def target_statements(server: Prometheus, environment: str) -> Iterator[Statement]:
    """What is scraped in this environment, and whether it answers; "" takes all."""
    found: dict[str, list[Scraped]] = {}
    unnamed = 0
    for one in server.targets:
        if environment and any(one.labels.get(name, environment) != environment for name in ENVIRONMENTS):
            continue
        name = service_of(one.labels)
        if name:
            found.setdefault(name, []).append(one)
        else:
            unnamed += 1
    # A collector is one target, and its series are of many services.
    labelled = {service_of(labels) for series in server.covered.values() for labels in series}
    for service in sorted(labelled - found.keys() - {""}):
        yield Exists(service=service, kind="target", said=Said(source="targets", where=f"{server.url} series"))
    for service, targets in sorted(found.items()):
        known = [one for one in targets if one.health in ("up", "down")]
        up = [one for one in known if one.health == "up"]
        last = max((one.asked for one in known if one.asked is not None), default=None)
        seen = max((one.asked for one in up if one.asked is not None), default=None)
        where = f"{server.url} targets"
        yield Exists(service=service, kind="target", said=Said(source="targets", where=where, seen=seen))
        if known:
            said = Said(source="targets", where=where, seen=last)
            yield Answers(service=service, targets=len(known), up=len(up), said=said)
    if unnamed:
        yield NotKnown(says=f"{unnamed} targets have no label that names a service")
    words = f"{grouped(len(server.targets), 'target')} of {grouped(len(found), 'service')}"
    yield Told(read=SourceRead(source="targets", where=server.url, says=words))


def alert_statements(server: Prometheus, environment: str) -> Iterator[Statement]:
    """What the alert rules watch; those of another environment are left out."""

    def covering(selector: Selector) -> Sequence[Mapping[str, str]] | None:
        return server.covered.get(str(selector))

    yield from rule_statements(server.rules, environment, covering, server.recorded)
    yield from (NotKnown(says=says) for says in server.unknowns)
    yield Told(read=SourceRead(source="rules", where=server.url, says=grouped(len(server.rules), "alert rule")))


# Private


class _Target(Struct, frozen=True):
    labels: dict[str, str] = {}
    health: str = "unknown"
    lastScrape: str = ""  # noqa: N815 (its name in the protocol)


class _Targets(Struct, frozen=True):
    activeTargets: tuple[_Target, ...] = ()  # noqa: N815 (its name in the protocol)


class _TargetAnswer(Struct, frozen=True):
    status: str
    data: _Targets = _Targets()
    error: str = ""


class _Alert(Struct, frozen=True):
    labels: dict[str, str] = {}
    state: str = ""
    activeAt: str = ""  # noqa: N815 (its name in the protocol)


class _Rule(Struct, frozen=True):
    name: str = ""
    query: str = ""
    type: str = ""
    labels: dict[str, str] = {}
    alerts: tuple[_Alert, ...] = ()


class _Group(Struct, frozen=True):
    name: str = ""
    file: str = ""
    rules: tuple[_Rule, ...] = ()


class _Groups(Struct, frozen=True):
    groups: tuple[_Group, ...] = ()


class _RuleAnswer(Struct, frozen=True):
    status: str
    data: _Groups = _Groups()
    error: str = ""


def _targets(content: bytes, url: str) -> tuple[Scraped, ...]:
    try:
        answer = msgspec.json.decode(content, type=_TargetAnswer)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputError("this is no answer of Prometheus", where=f"{url} targets", mend="check the address") from error
    if answer.status != "success":
        raise InputError(f"Prometheus does not tell its targets: {answer.error[:200]}", where=url)
    return tuple(Scraped(one.labels, one.health, _moment(one.lastScrape)) for one in answer.data.activeTargets)


def _rules(content: bytes, url: str) -> tuple[tuple[Rule, ...], dict[str, str]]:
    try:
        answer = msgspec.json.decode(content, type=_RuleAnswer)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputError("this is no answer of Prometheus", where=f"{url} rules", mend="check the address") from error
    if answer.status != "success":
        raise InputError(f"Prometheus does not tell its rules: {answer.error[:200]}", where=url)
    rules: list[Rule] = []
    recorded: dict[str, str] = {}
    for group in answer.data.groups:
        for rule in group.rules:
            if rule.type == "recording":
                recorded.setdefault(rule.name, rule.query)
                continue
            said = Said(source="rules", where=f"{url} rule {rule.name}")
            firing = tuple(Firing(one.labels, _moment(one.activeAt)) for one in rule.alerts if one.state == "firing")
            rules.append(
                Rule(name=rule.name, query=rule.query, said=said, group=group.name, labels=rule.labels, firing=firing)
            )
    return tuple(rules), recorded


def _covered(
    url: str, rules: Sequence[Rule], deadline: float, clock: Callable[[], float]
) -> tuple[dict[str, tuple[Mapping[str, str], ...]], tuple[str, ...]]:
    """The series of every selector of the rules, by the labels that matter."""
    from tidegate.operate.environment.promql import selectors_of
    from tidegate.operate.environment.rules import NAMING

    wanted = {str(one.only(NAMING)): one.metric for rule in rules for one in selectors_of(rule.query) if not one.absent}
    found: dict[str, tuple[Mapping[str, str], ...]] = {}
    unknowns: list[str] = []
    for number, selector in enumerate(sorted(wanted)):
        left = deadline - clock()
        if number >= MOST_QUERIES or left <= 0.1:
            unknowns.append(f"what {len(wanted) - number} expressions of alert rules read was not asked: too many")
            break
        try:
            answered = query_instant(url, f"count by ({', '.join(KEPT)}) ({selector})", timeout=min(10.0, left))
        except InputError as error:
            unknowns.append(f"what {selector[:100]} reads could not be asked: {error.what}")
            continue
        found[selector] = tuple(one.labels for one in answered)
    return found, tuple(unknowns[:10])


def _moment(text: str) -> float | None:
    """RFC 3339 as Prometheus writes it, with up to nine digits; None of the year 1, which is never."""
    try:
        head, _, tail = text.partition(".")
        zone = "".join(tail.lstrip("0123456789")) if tail else ""
        moment = datetime.fromisoformat(head + zone).timestamp()
    except (ValueError, OverflowError):
        return None
    return moment if moment > 0 else None
