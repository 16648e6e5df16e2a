"""Where sources disagree: contradictions about one service, and what is there and what is written come apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from tidegate.operate.environment.names import plain
from tidegate.operate.environment.statements import About, Answers, Fires, Owns, Removed, RuleThere, Runs
from tidegate.operate.environment.values import (
    Contradiction,
    ContradictionKind,
    Drift,
    Fact,
    Said,
    Service,
    SourceKind,
    SourceRead,
)

SLACK_SECONDS = 120.0
"""What runs for a moment beside its successor contradicts nothing."""
SEEN: tuple[SourceKind, ...] = ("spans", "targets", "deployments")
WRITTEN: tuple[SourceKind, ...] = ("code", "state", "plan")


class Book(Struct, frozen=True):
    """The services with all that was stated of them, the rules that there are, and the sources that were read."""

    services: tuple[Service, ...]
    about: Mapping[str, Sequence[About]]
    rules: Sequence[RuleThere]
    told: Sequence[SourceRead]

    def read(self, *kinds: SourceKind) -> bool:
        """Whether a source of one of these kinds was read."""
        return any(one.source in kinds for one in self.told)


def contradictions(book: Book) -> tuple[Contradiction, ...]:
    """By service, then by kind."""
    found: list[Contradiction] = []
    for service in book.services:
        about = book.about[service.name]
        found += _owners(service, [one for one in about if isinstance(one, Owns)])
        found += _tiers(service)
        found += _revision(service, [one for one in about if isinstance(one, Runs)])
        found += _health(service, [one for one in about if isinstance(one, Answers)])
        found += _removed(service, [one for one in about if isinstance(one, Removed)])
        found += _alerts(service, [one for one in about if isinstance(one, Fires)])
    return tuple(found)


def drifts(book: Book) -> tuple[Drift, ...]:
    """Services, calls and rules that are there or written only."""
    return (*_services(book), *_calls(book), *_rules(book))


def owner_key(one: Owns) -> frozenset[str]:
    """What must be equal in two ways of writing an owner: `@acme/payments`, `group:payments`, `team-payments`."""
    return frozenset(map(_team, one.owners))


def tier_word(text: str) -> str:
    """A tier in our words, where it is one of the common ones."""
    bare = plain(text).removeprefix("tier")
    numbers = {"0": "critical", "1": "critical", "2": "high", "3": "medium", "4": "low", "5": "low"}
    return numbers.get(bare, bare or text)


# Private


def _team(name: str) -> str:
    bare = name.rpartition(":")[2].rpartition("/")[2].removeprefix("@")
    return plain(re.sub(r"^team[-_ ]|[-_ ]team$", "", bare.casefold()))


def _clash(
    kind: ContradictionKind, service: str, says: str, left: tuple[str, Said], right: tuple[str, Said]
) -> Contradiction:
    one, other = (Fact(value=value, said=(said,)) for value, said in (left, right))
    return Contradiction(kind=kind, service=service, says=says, left=one, right=other)


def _owners(service: Service, owns: Sequence[Owns]) -> Iterator[Contradiction]:
    """Against the first that names an owner: who shares no name with it, and is comparable."""
    told: set[frozenset[str]] = set()
    for one in owns[1:]:
        first, key = owns[0], owner_key(one)
        if key & owner_key(first) or key in told or one.people != first.people:
            continue
        told.add(key)
        left, right = (" ".join(each.owners) for each in (first, one))
        says = f"{service.name} belongs to {left} ({first.said.where}) or to {right} ({one.said.where})"
        yield _clash("owner", service.name, says, (left, first.said), (right, one.said))


def _tiers(service: Service) -> Iterator[Contradiction]:
    for other in service.tiers[1:]:
        first = service.tiers[0]
        left, right = first.said[0], other.said[0]
        says = f"{service.name} is {first.value} ({left.where}) or {other.value} ({right.where})"
        yield _clash("tier", service.name, says, (first.value, left), (other.value, right))


def _revision(service: Service, runs: Sequence[Runs]) -> Iterator[Contradiction]:
    told = max((one for one in runs if one.said.source == "deployments"), key=_seen, default=None)
    seen = max((one for one in runs if one.said.source == "spans"), key=_seen, default=None)
    if (
        told is None
        or seen is None
        or told.revision.startswith(seen.revision)
        or seen.revision.startswith(told.revision)
    ):
        return
    if _seen(seen) > _seen(told) + SLACK_SECONDS:
        says = (
            f"{told.revision[:10]} of {service.name} was deployed at {_time(told.said.seen)}, "
            f"and spans of {_time(seen.said.seen)} are of {seen.revision[:10]}"
        )
        yield _clash("revision", service.name, says, (told.revision, told.said), (seen.revision, seen.said))


def _health(service: Service, answers: Sequence[Answers]) -> Iterator[Contradiction]:
    """Down in the eyes of Prometheus, and at work in those of spans: it is scraped at the wrong place, say."""
    spans = _last(service, "spans")
    for one in answers:
        if one.up or spans is None or one.said.seen is None or (spans.seen or 0.0) < one.said.seen - SLACK_SECONDS:
            continue
        says = (
            f"Prometheus reaches none of {one.targets} targets of {service.name} ({_time(one.said.seen)}), "
            f"and spans show it at work ({_time(spans.seen)})"
        )
        yield _clash("health", service.name, says, ("down", one.said), ("at work", spans))


def _removed(service: Service, removed: Sequence[Removed]) -> Iterator[Contradiction]:
    for one in removed:
        seen = [said for kind in ("spans", "targets") if (said := _last(service, kind)) is not None]
        later = max(seen, key=lambda said: said.seen or 0.0, default=None)
        if later is not None and (later.seen or 0.0) > (one.said.seen or 0.0) + SLACK_SECONDS:
            says = (
                f"{service.name} was taken away at {_time(one.said.seen)}, "
                f"and {later.source} show it at {_time(later.seen)}"
            )
            yield _clash("removed", service.name, says, ("removed", one.said), ("at work", later))


def _alerts(service: Service, fires: Sequence[Fires]) -> Iterator[Contradiction]:
    by_name: dict[str, list[Fires]] = {}
    for one in fires:
        by_name.setdefault(plain(one.alert), []).append(one)
    for each in by_name.values():
        firing = next((one for one in each if one.firing), None)
        over = next((one for one in each if not one.firing and _meet(firing, one)), None)
        if firing is not None and over is not None:
            says = f"{firing.alert} of {service.name} fires ({firing.said.where}) or is over ({over.said.where})"
            yield _clash("alert", service.name, says, ("firing", firing.said), ("over", over.said))


def _meet(firing: Fires | None, over: Fires) -> bool:
    """Whether it was said to be over after it began, and not of another time that it fired."""
    return firing is None or firing.since is None or over.since is None or over.since > firing.since


def _services(book: Book) -> Iterator[Drift]:
    seen = {one.name for one in book.services if _kinds(one, SEEN)}
    written = {one.name for one in book.services if _kinds(one, WRITTEN)}
    if not seen & written:
        return  # another system, or nobody looked: nothing can be said of one service
    called = {call.target for one in book.services for call in one.calls if any(s.source == "spans" for s in call.said)}
    for one in book.services:
        if one.name in seen - written and one.kind != "peer":
            says = f"{one.name} is there ({_listed(_kinds(one, SEEN))}) and stands in no code that was read"
            yield Drift(kind="in no code", name=one.name, says=says, said=one.said)
        elif one.name in written - seen - called and one.kind in ("service", "function"):
            looked = [kind for kind in SEEN if book.read(kind)]
            if book.read("spans", "targets"):
                says = f"{one.name} is in {one.said[0].where} and in none of {', '.join(looked)}"
                yield Drift(kind="not seen", name=one.name, says=says, said=one.said)


def _calls(book: Book) -> Iterator[Drift]:
    """Between services that code knows, calls that were seen and that nothing in it shows."""
    known = {one.name for one in book.services if _kinds(one, ("code",))}
    for service in book.services if book.read("code") else ():
        for call in service.calls:
            sources = {said.source for said in call.said}
            if {service.name, call.target} <= known and "spans" in sources and "code" not in sources:
                says = f"{service.name} calls {call.target}, which nothing in code or settings shows"
                name = f"{service.name} -> {call.target}"
                yield Drift(kind="call in no code", name=name, says=says, said=call.said)


def _rules(book: Book) -> Iterator[Drift]:
    written = {one.rule: one.said for one in book.rules if one.said.source == "code"}
    loaded = {one.rule: one.said for one in book.rules if one.said.source == "rules"}
    if not written or not book.read("rules"):
        return
    for rule in sorted(loaded.keys() - written.keys()):
        says = f"alert rule {rule} is loaded and stands in no code that was read"
        yield Drift(kind="rule in no code", name=rule, says=says, said=(loaded[rule],))
    for rule in sorted(written.keys() - loaded.keys()):
        says = f"alert rule {rule} stands in {written[rule].where} and is not loaded"
        yield Drift(kind="rule not loaded", name=rule, says=says, said=(written[rule],))


def _kinds(service: Service, among: Iterable[SourceKind]) -> list[SourceKind]:
    said = {one.source for one in service.said}
    return [kind for kind in among if kind in said]


def _last(service: Service, kind: str) -> Said | None:
    found = [one for one in service.said if one.source == kind and one.seen is not None]
    return max(found, key=lambda one: one.seen or 0.0, default=None)


def _seen(one: Runs) -> float:
    return one.said.seen or 0.0


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "an unknown time"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
