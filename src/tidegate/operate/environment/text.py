"""The map on a terminal: what is wrong first, then the services, then what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tidegate.operate.environment.values import Call, Fact, Map, Said, Service
from tidegate.report.escape import terminal
from tidegate.report.layout import columns, grouped, pad, paint, wrap
from tidegate.report.style import Style

MOST_LINES = 12
"""Of each list of what is wrong; all of it is in the JSON."""
MOST_ROUTES = 8
LONGEST_NAME = 28

_KINDS = {
    "image": "built here, deployed by nothing here",
    "external": "built elsewhere",
    "target": "scraped",
    "peer": "known by its callers' word only",
}
_SOURCES = {
    "code": "code",
    "state": "Terraform state",
    "plan": "Terraform plan",
    "deployments": "deployments",
    "spans": "spans",
    "targets": "Prometheus targets",
    "rules": "Prometheus rules",
    "alerts": "alerts",
}


def render_map(found: Map, style: Style) -> str:
    """Text for a terminal. A `?` behind a word marks what is a guess."""
    return "\n".join(_rows(found, style)) + "\n"


# Private


def _rows(found: Map, style: Style) -> Iterator[str]:
    yield from _head(found, style)
    yield from _listed("Sources disagree", [f"{one.kind}: {one.says}" for one in found.contradictions], style)
    yield from _listed("Written and real have come apart", [f"{one.kind}: {one.says}" for one in found.drift], style)
    yield from _named("Nobody owns", found.unowned, style)
    yield from _named("No alert rule watches", found.unmonitored, style)
    yield from _routes_unwatched(found, style)
    running = [one for one in found.services if one.kind != "peer"]
    if running:
        yield from ("", paint("Services", style, "bold"))
    for service in running:
        yield from _service(service, style)
    peers = [one.name for one in found.services if one.kind == "peer"]
    yield from _named("Known by their callers' word only", peers, style)
    if found.unknowns:
        yield from ("", paint("Not known", style, "bold"))
        for unknown in found.unknowns:
            yield from wrap(terminal(unknown, 400), style.width, "  ", "    ")


def _head(found: Map, style: Style) -> Iterator[str]:
    running = [one for one in found.services if one.kind != "peer"]
    routes = sum(len(one.routes) for one in running)
    calls = sum(len(one.calls) for one in running)
    place = f" in {terminal(found.environment, 60)}" if found.environment else ""
    counts = f"{grouped(len(running), 'service')}{place}, {grouped(routes, 'route')}, {grouped(calls, 'call')}"
    yield paint(counts, style, "bold")
    for one in found.sources:
        text = f"{_SOURCES[one.source]} {terminal(one.where, 120)}: {terminal(one.says, 120)}"
        yield from wrap(text, style.width, "  from ", "       ")


def _listed(title: str, lines: Sequence[str], style: Style) -> Iterator[str]:
    if not lines:
        return
    yield from ("", paint(f"{title} ({len(lines)})", style, "bold", "yellow"))
    for line in lines[:MOST_LINES]:
        yield from wrap(terminal(line, 400), style.width, "  ", "    ")
    if len(lines) > MOST_LINES:
        yield f"  and {len(lines) - MOST_LINES} more: --format json"


def _named(title: str, names: Sequence[str], style: Style) -> Iterator[str]:
    if names:
        yield from ("", paint(f"{title} ({len(names)})", style, "bold", "yellow"))
        yield from wrap(terminal(", ".join(names), 2000), style.width, "  ")


def _routes_unwatched(found: Map, style: Style) -> Iterator[str]:
    by_service: dict[str, list[str]] = {}
    for one in found.unmonitored_routes:
        by_service.setdefault(one.service, []).append(one.route)
    if not by_service:
        return
    number = len(found.unmonitored_routes)
    yield from ("", paint(f"No alert rule watches their requests ({number})", style, "bold", "yellow"))
    for service, routes in list(by_service.items())[:MOST_LINES]:
        yield from wrap(terminal(f"{service}: {_some(routes, ', ')}", 600), style.width, "  ", "    ")
    if len(by_service) > MOST_LINES:
        yield f"  and those of {len(by_service) - MOST_LINES} more services: --format json"


def _service(service: Service, style: Style) -> Iterator[str]:
    name = terminal(service.name, 80)
    words = [_KINDS.get(service.kind, service.kind), _first(service.tiers)]
    words += [f"revision {service.revisions[0].value[:10]}" if service.revisions else ""]
    line = terminal(", ".join(word for word in words if word), 300)
    width = max(LONGEST_NAME, columns(name))
    yield from wrap(line, style.width, f"  {pad(name, width)}  ", " " * 6)
    lead = " " * 6
    owner = f"owned by {_first(service.owners)}" if service.owners else "owned by nobody"
    yield from wrap(terminal(owner, 300), style.width, lead, lead + "  ")
    places = ", ".join(dict.fromkeys(_place(one) for one in service.said))
    yield from wrap(terminal(f"said by {_some(places.split(', '), ', ', 4)}", 400), style.width, lead, lead + "  ")
    other = [
        f"{one.name}{'?' if one.guess else ''} ({one.source})" for one in service.names if one.name != service.name
    ]
    if other:
        names = _some(list(dict.fromkeys(other)), ", ")
        yield from wrap(terminal(f"also called {names}", 400), style.width, lead, lead + "  ")
    if service.calls:
        calls = ", ".join(_call(one) for one in service.calls)
        yield from wrap(terminal(f"calls {calls}", 1000), style.width, lead, lead + "  ")
    if service.routes:
        routes = _some([str(one) for one in service.routes], ", ", MOST_ROUTES)
        yield from wrap(terminal(f"serves {routes}", 600), style.width, lead, lead + "  ")
    if service.watches:
        rules = list(dict.fromkeys(_watch(one.rule, one.said, one.scope) for one in service.watches))
        yield from wrap(terminal(f"watched by {_some(rules, ', ')}", 600), style.width, lead, lead + "  ")


def _first(facts: Iterable[Fact]) -> str:
    first = next(iter(facts), None)
    return "" if first is None else first.value + ("?" if first.guessed else "")


def _place(said: Said) -> str:
    words = said.where if said.source == "code" else _SOURCES[said.source]
    return words.replace(", ", " ")


def _call(call: Call) -> str:
    seen = f" (seen {call.calls:,}" + (f", {call.failed:,} failed)" if call.failed else ")") if call.calls else ""
    return f"{call.target}{'?' if call.guessed else ''}{seen}"


def _watch(rule: str, said: Said, scope: str) -> str:
    return f"{rule}{'?' if said.guess else ''}{' (only that it is there)' if scope == 'presence' else ''}"


def _some(words: Sequence[str], between: str, most: int = MOST_ROUTES) -> str:
    rest = f"{between}and {len(words) - most} more" if len(words) > most else ""
    return between.join(words[:most]) + rest
