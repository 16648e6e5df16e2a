"""Which services, and which routes of them, an alert rule watches: by what it names, or by the series that it reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.operate.environment.promql import Selector, selectors_of
from tidegate.operate.environment.statements import Fires, NotKnown, Owns, RuleThere, Statement, Watched
from tidegate.operate.environment.values import Said, Watch
from tidegate.operate.intake.reading import SERVICES, service_of

METHODS = ("http_request_method", "http_method", "request_method", "method", "verb")
ROUTES = ("http_route", "route", "handler", "endpoint", "uri", "http_target", "path", "url_path", "url")
ENVIRONMENTS = ("environment", "env", "deployment_environment")
SUBJECTS = ("deployment", "statefulset", "daemonset", "container")
"""What an exporter of others' states calls the one that it speaks of."""
KEPT = (*SERVICES, *ENVIRONMENTS, *METHODS, *ROUTES, *SUBJECTS)
NAMING = frozenset((*KEPT, "namespace", "instance", "cluster", "pod"))
"""Matchers of these labels say who is watched; others (a status, a bucket) say what of them."""

Covering: TypeAlias = Callable[[Selector], Sequence[Mapping[str, str]] | None]
"""The labels (of KEPT) of the series that a selector finds now; None where that is not known."""


class Firing(Struct, frozen=True):
    """An alert of a rule that fires: its labels, and since when."""

    labels: Mapping[str, str]
    since: float | None = None


class Rule(Struct, frozen=True, kw_only=True):
    """An alert rule as it is loaded or written. `firing`: its alerts that fire; None: nobody looked."""

    name: str
    query: str
    said: Said
    group: str = ""
    labels: Mapping[str, str] = {}
    firing: tuple[Firing, ...] | None = None


def statements_of(
    rules: Iterable[Rule], environment: str, covering: Covering = lambda _: None, recorded: Mapping[str, str] = {}
) -> Iterator[Statement]:
    """What these rules watch. `recorded` are recording rules, name to expression."""
    general: list[str] = []
    silent: list[str] = []
    for rule in rules:
        if environment and any(rule.labels.get(name, environment) != environment for name in ENVIRONMENTS):
            continue
        yield RuleThere(rule=rule.name, said=rule.said)
        yield from _fires(rule)
        found = list(_watched(rule, environment, covering, recorded))
        yield from found
        if not found:
            (silent if _series(rule, covering) == [] else general).append(rule.name)
        owner = rule.labels.get("team") or rule.labels.get("owner")
        if owner and len({one.service for one in found}) == 1:
            yield Owns(service=found[0].service, owners=(owner,), said=rule.said)
    if general:
        verb = "names" if len(set(general)) == 1 else "name"
        yield NotKnown(says=f"{_listed(general)} {verb} no service: what that watches is not known")
    if silent:
        verb = "reads" if len(set(silent)) == 1 else "read"
        yield NotKnown(says=f"{_listed(silent)} {verb} no series now: what that would watch is not known")


# Private

_PRESENCE = re.compile(r"up$|probe_success$|kube_(?:pod|deployment|statefulset|daemonset|node|job|replicaset)_")
_OF_OTHERS = re.compile(r"kube_|container_|probe_|node_")
"""Metrics of an exporter about others: its own job says nothing of whom they are about."""
_REQUESTS = re.compile(
    r"request|http|grpc|rpc|latency|duration|response|call|istio_|traces_span|apdex|slo|sli|error", re.IGNORECASE
)
_PLAIN = re.compile(r"[\w./-]+(?:\|[\w./-]+)*")
_ENDS = re.compile(r"^\^?\(?(?:\?:)?|\)?\$?$")
_Scope: TypeAlias = Literal["requests", "presence", "other"]


def _watched(rule: Rule, environment: str, covering: Covering, recorded: Mapping[str, str]) -> Iterator[Watched]:
    best: dict[str, Watched] = {}
    for selector, scope in _selectors(rule, recorded):
        for service, routes, why in _covered(rule, selector, environment, covering):
            said = rule.said
            watch = Watch(rule=rule.name, said=said, scope=scope, why=why, severity=rule.labels.get("severity", ""))
            one = Watched(service=service, watch=watch, routes=routes)
            known = best.get(service)
            if known is None or _width(one) > _width(known):
                best[service] = one
    yield from (best[service] for service in sorted(best))


def _width(one: Watched) -> tuple[bool, bool, int]:
    return one.watch.scope == "requests", one.routes is None, len(one.routes or ())


def _covered(
    rule: Rule, selector: Selector, environment: str, covering: Covering
) -> Iterator[tuple[str, tuple[tuple[str, str], ...] | None, str]]:
    """Services, the routes of them (None: all), and why."""
    series = None if selector.absent else covering(selector.only(NAMING))
    narrow = any(one.label in ROUTES for one in selector.matchers)
    found: dict[str, set[tuple[str, str]]] = {}
    for labels in series or ():
        if environment and any(labels.get(name, environment) != environment for name in ENVIRONMENTS):
            continue
        service = _about(selector, labels)
        if service:
            method, route = (next((labels[n] for n in names if labels.get(n)), "") for names in (METHODS, ROUTES))
            found.setdefault(service, set()).add((method.upper(), route))
    for service, routes in sorted(found.items()):
        yield service, tuple(sorted(routes)) if narrow else None, f"reads {selector}"
    if not found:
        yield from ((name, _named_routes(selector), why) for name, why in _names(rule, selector))


def _named_routes(selector: Selector) -> tuple[tuple[str, str], ...] | None:
    """The routes that the matchers name; None where they name none."""
    routes = [one for one in selector.matchers if one.label in ROUTES]
    if not routes:
        return None
    return tuple(("", value) for one in routes if one.op in ("=", "=~") for value in _values(one.op, one.value))


def _names(rule: Rule, selector: Selector) -> Iterator[tuple[str, str]]:
    """The services that a selector names by itself, else the one that the rule's own labels name."""
    for label in SUBJECTS if _OF_OTHERS.match(selector.metric) else SERVICES:
        named = [value for one in selector.matchers if one.label == label for value in _values(one.op, one.value)]
        if named:
            yield from ((name, f'names {label}="{name}"') for name in dict.fromkeys(named))
            return
    own = service_of({key: value for key, value in rule.labels.items() if "{{" not in value and key != "job"})
    if own:
        yield own, f"its own label says {own}"


def _about(selector: Selector, labels: Mapping[str, str]) -> str:
    if _OF_OTHERS.match(selector.metric):
        return next((labels[name] for name in SUBJECTS if labels.get(name)), "")
    return service_of(labels)


def _values(op: str, value: str) -> list[str]:
    if op == "=":
        return [value] if value else []
    bare = _ENDS.sub("", value)
    return bare.split("|") if op == "=~" and _PLAIN.fullmatch(bare) else []


def _selectors(rule: Rule, recorded: Mapping[str, str]) -> list[tuple[Selector, _Scope]]:
    """What it reads; of recording rules what they are made from, where they are known."""
    found: dict[Selector, _Scope] = {}
    waiting = [(one, 0) for one in selectors_of(rule.query)]
    while waiting and len(found) < 100:
        one, depth = waiting.pop(0)
        inner = recorded.get(one.metric, "") if depth < 4 else ""
        found[one] = _scope(one)
        waiting += [(each, depth + 1) for each in selectors_of(inner)]
    return list(found.items())


def _scope(selector: Selector) -> _Scope:
    if selector.absent or _PRESENCE.match(selector.metric):
        return "presence"
    return "requests" if _REQUESTS.search(selector.metric) else "other"


def _series(rule: Rule, covering: Covering) -> list[Mapping[str, str]] | None:
    """All that its selectors find now; None where nobody knows."""
    answers = [covering(one.only(NAMING)) for one in selectors_of(rule.query)]
    known = [answer for answer in answers if answer is not None]
    return [labels for answer in known for labels in answer] if known else None


def _fires(rule: Rule) -> Iterator[Fires]:
    for one in rule.firing or ():
        service = service_of(one.labels)
        if service:
            yield Fires(service=service, alert=rule.name, firing=True, said=rule.said, since=one.since)


def _listed(names: Sequence[str]) -> str:
    unique = list(dict.fromkeys(names))
    rest = f" and {len(unique) - 5} more" if len(unique) > 5 else ""
    return f"{'rule' if len(unique) == 1 else 'rules'} {', '.join(unique[:5])}{rest}"
