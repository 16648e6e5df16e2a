"""What all sources state, as one map: names joined, each fact with everybody who says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from tidegate.operate.environment.differences import Book, contradictions, drifts, owner_key, tier_word
from tidegate.operate.environment.names import ORDER, Joined, Use, join_names
from tidegate.operate.environment.routes import join_routes, watched_routes
from tidegate.operate.environment.statements import (
    About,
    Apart,
    Exists,
    Fires,
    Matters,
    NotKnown,
    Owns,
    Removed,
    RuleThere,
    Runs,
    Serves,
    Statement,
    Told,
    Uses,
    Watched,
)
from tidegate.operate.environment.values import (
    Call,
    Fact,
    Map,
    Said,
    Service,
    ServiceKind,
    UnmonitoredRoute,
    Watch,
)

T = TypeVar("T")


def merge(environment: str, statements: Sequence[Statement]) -> Map:
    """The map of these statements. The same statements give the same map."""
    told = tuple(one.read for one in statements if isinstance(one, Told))
    live = any(one.source == "rules" for one in told)
    kept = [one for one in statements if not (live and isinstance(one, Watched) and one.watch.said.source == "code")]
    about = [one for one in kept if isinstance(one, About)]
    joined = join_names(_uses(about))
    by_service = _by_service(about, joined)
    strong = {joined.of[use.source, use.name] for use in _uses(about) if not use.weak}
    peers = {joined.of[one.said.source, one.target] for one in about if isinstance(one, Uses) and one.peer}
    names = sorted(name for name in by_service.keys() | peers if name in strong or name in peers)
    services = tuple(_service(name, by_service.get(name, []), joined, name in strong) for name in names)
    rules = [one for one in kept if isinstance(one, RuleThere)]
    book = Book(services, {name: by_service.get(name, []) for name in names}, rules, told)
    vague = {one.rule for one in rules} - {one.watch.rule for one in kept if isinstance(one, Watched)}
    rules_known = live or (bool(rules) and not vague)
    watchable = [one for one in services if one.kind not in ("peer", "image")] if rules_known else []
    apart = tuple(one.drift for one in kept if isinstance(one, Apart))
    nowhere = sorted(by_service.keys() - set(names))
    return Map(
        environment=environment,
        sources=told,
        services=services,
        contradictions=contradictions(book),
        unowned=tuple(one.name for one in services if one.kind != "peer" and not one.owners),
        unmonitored=tuple(one.name for one in watchable if not one.watches),
        unmonitored_routes=tuple(
            UnmonitoredRoute(service=one.name, route=str(route))
            for one in watchable
            for route in one.routes
            if not route.rules
        ),
        drift=(*drifts(book), *apart),
        unknowns=tuple(_unknowns(kept, by_service, nowhere, joined, rules_known, told_kinds(told))),
    )


def told_kinds(told: Iterable[object]) -> frozenset[str]:
    """The kinds of source that were read."""
    return frozenset(str(getattr(one, "source", "")) for one in told)


# Private

_KINDS: Mapping[str, int] = {"function": 0, "job": 1, "service": 2, "external": 3, "image": 4, "target": 5, "peer": 6}


def _uses(about: Iterable[About]) -> Iterator[Use]:
    for one in about:
        source = _said(one).source
        if isinstance(one, Exists):
            yield Use(name=one.service, source=source, hosts=one.hosts, weak=one.kind is None)
            continue
        # What speaks of a service does not show that there is one: an owner, a route of a package, an alert.
        yield Use(name=one.service, source=source, weak=True)
        if isinstance(one, Uses):
            yield Use(name=one.target, source=source, weak=True)


def _said(one: About) -> Said:
    return one.watch.said if isinstance(one, Watched) else one.said


def _by_service(about: Iterable[About], joined: Joined) -> dict[str, list[About]]:
    """Statements by service, the guesses of their names said in them."""
    found: dict[str, list[About]] = {}
    for one in about:
        said = _said(one)
        guesses = [said.guess, joined.guesses.get((said.source, one.service), "")]
        if isinstance(one, Uses):
            guesses.append(joined.guesses.get((said.source, one.target), ""))
            one = replace(one, target=joined.of[said.source, one.target])
        marked = replace(said, guess="; ".join(dict.fromkeys(guess for guess in guesses if guess)))
        kept: About = (
            replace(one, watch=replace(one.watch, said=marked))
            if isinstance(one, Watched)
            else replace(one, said=marked)
        )
        found.setdefault(joined.of[said.source, one.service], []).append(kept)
    return found


def _service(name: str, about: Sequence[About], joined: Joined, strong: bool) -> Service:
    exists = [one for one in about if isinstance(one, Exists)]
    at_work = [one.said.seen for one in exists if one.said.source in ("spans", "targets") and one.said.seen is not None]
    watched = _widest(one for one in about if isinstance(one, Watched))
    routes = join_routes([one for one in about if isinstance(one, Serves)])
    return Service(
        name=name,
        kind=_kind(exists) if strong else "peer",
        said=_merged(one.said for one in exists),
        names=tuple(sorted(joined.names[name], key=lambda one: (ORDER.index(one.source), one.name, one.rule))),
        owners=_facts([(owner_key(one), " ".join(one.owners), one.said) for one in about if isinstance(one, Owns)]),
        tiers=_facts([(tier_word(o.tier), tier_word(o.tier), o.said) for o in about if isinstance(o, Matters)]),
        revisions=_revisions([one for one in about if isinstance(one, Runs)]),
        routes=tuple(replace(route, rules=watched_routes(route, watched)) for route in routes),
        calls=_calls(name, [one for one in about if isinstance(one, Uses)]),
        watches=tuple(_one_each(one.watch for one in watched)),
        first=min(at_work, default=None),
        last=max(at_work, default=None),
    )


def _kind(exists: Iterable[Exists]) -> ServiceKind:
    """What code says of it; what is seen at work is deployed, whoever does that."""
    exists = tuple(exists)
    known = [one for one in exists if one.kind is not None]
    kinds: list[ServiceKind] = [one.kind for one in known if one.kind is not None and one.said.source == "code"]
    others: list[ServiceKind] = [one.kind for one in known if one.kind is not None and one.said.source != "code"]
    if set(kinds) == {"external"} and any(one.kind is None for one in exists):
        return "service"  # it is deployed here, and a package here is taken for what it is built from
    if kinds and not (set(kinds) == {"image"} and others):
        return min(kinds, key=_KINDS.__getitem__)
    return min((*others, "target"), key=_KINDS.__getitem__)


def _merged(said: Iterable[Said]) -> tuple[Said, ...]:
    """Each source once at each place, with the last time that it was seen there."""
    found: dict[tuple[str, str, str], Said] = {}
    for one in said:
        key = (one.source, one.where, one.guess)
        known = found.get(key)
        if known is None or (one.seen or 0.0) > (known.seen or 0.0):
            found[key] = one
    return tuple(found.values())


def _facts(given: Sequence[tuple[object, str, Said]]) -> tuple[Fact, ...]:
    found: dict[object, tuple[str, list[Said]]] = {}
    for key, value, said in given:
        found.setdefault(key, (value, []))[1].append(said)
    facts = [Fact(value=value, said=_merged(said)) for value, said in found.values()]
    return tuple(sorted(facts, key=lambda fact: fact.guessed))


def _revisions(runs: Sequence[Runs]) -> tuple[Fact, ...]:
    """The last that was seen first; a short id is the long one that begins so."""
    ordered = sorted(runs, key=lambda one: (-(one.said.seen or 0.0), one.revision))
    long = sorted({one.revision for one in runs}, key=len, reverse=True)
    whole = {one.revision: next(each for each in long if each.startswith(one.revision)) for one in runs}
    return _facts([(whole[one.revision], whole[one.revision], one.said) for one in ordered])


def _calls(name: str, uses: Sequence[Uses]) -> tuple[Call, ...]:
    found: dict[str, list[Uses]] = {}
    for one in uses:
        if one.target != name:
            found.setdefault(one.target, []).append(one)
    return tuple(
        Call(
            target=target,
            said=_merged(one.said for one in each),
            calls=sum(one.calls for one in each),
            failed=sum(one.failed for one in each),
            first=min((one.first for one in each if one.first is not None), default=None),
            last=max((one.last for one in each if one.last is not None), default=None),
        )
        for target, each in sorted(found.items())
    )


def _widest(watched: Iterable[Watched]) -> list[Watched]:
    return sorted(watched, key=lambda one: (one.watch.rule, one.watch.said.source, one.watch.said.where))


def _one_each(watches: Iterable[Watch]) -> Iterator[Watch]:
    seen: set[tuple[str, str]] = set()
    for one in watches:
        if (one.rule, one.said.where) not in seen:
            seen.add((one.rule, one.said.where))
            yield one


def _unknowns(
    statements: Sequence[Statement],
    by_service: Mapping[str, Sequence[About]],
    nowhere: Sequence[str],
    joined: Joined,
    rules_known: bool,
    kinds: frozenset[str],
) -> Iterator[str]:
    yield from dict.fromkeys(one.says for one in statements if isinstance(one, NotKnown))
    yield from joined.unclear
    for name in nowhere:
        rules = sorted(
            {one.watch.rule for one in by_service[name] if isinstance(one, Watched)}
            | {one.alert for one in by_service[name] if isinstance(one, Fires)}
        )
        if rules:
            yield f"{', '.join(rules[:3])} {'speak' if len(rules) > 1 else 'speaks'} of {name}, which no source knows"
        elif any(isinstance(one, Removed) for one in by_service[name]):
            continue
    if not rules_known and any(isinstance(one, RuleThere) for one in statements):
        yield "what is unmonitored is not known: rules in the code name no service, Prometheus knows (--prometheus)"
    elif not rules_known:
        yield "what is unmonitored is not known: no alert rules were read (--prometheus)"
    if "spans" not in kinds:
        yield "calls and routes are those that code shows: no spans were read (--spans)"
