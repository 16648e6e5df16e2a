"""Routes that several sources tell, as one list: templates of code, and what spans and rules call the same."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.operate.environment.statements import Serves, Watched
from tidegate.operate.environment.values import Route, Said
from tidegate.reach.routes import match_score, shape_of

_ANY = frozenset(("", "ANY", "*", "ALL", "RPC"))


def join_routes(served: Sequence[Serves]) -> tuple[Route, ...]:
    """The routes of one service. What spans saw goes to the route of the code that takes it best."""
    found: dict[tuple[str, tuple[str, ...]], list[Serves]] = {}
    for one in sorted(served, key=lambda one: (one.said.source != "code", one.path, one.method, one.said.where)):
        key = (one.method.upper(), shape_of(one.path))
        if one.said.source != "code" and key not in found:
            key = _best(key, list(found)) or key
        found.setdefault(key, []).append(one)
    routes = [_route(each) for each in found.values()]
    return tuple(sorted(routes, key=lambda route: (route.path, route.method)))


def watched_routes(route: Route, watched: Sequence[Watched]) -> tuple[str, ...]:
    """The rules that watch this route: those of all requests of its service, and those that name it."""
    return tuple(dict.fromkeys(one.watch.rule for one in watched if _sees(one, route)))


# Private


def _sees(one: Watched, route: Route) -> bool:
    if one.watch.scope != "requests":
        return False
    return one.routes is None or any(
        _fits(method, route.method) and match_score(shape_of(route.path), shape_of(path))
        for method, path in one.routes
        if path
    )


def _fits(one: str, other: str) -> bool:
    return one.upper() == other.upper() or one.upper() in _ANY or other.upper() in _ANY


def _best(
    key: tuple[str, tuple[str, ...]], known: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[str, tuple[str, ...]] | None:
    method, shape = key
    scored = [(match_score(other, shape), other) for name, other in known if _fits(name, method)]
    best = max((score for score, _ in scored), default=0)
    if not best:
        return None
    fitting = [each for each in known if _fits(each[0], method) and match_score(each[1], shape) == best]
    return next((each for each in fitting if each[0] == method), fitting[0])


def _route(served: Sequence[Serves]) -> Route:
    said: dict[tuple[str, str], Said] = {}
    for one in served:
        said.setdefault((one.said.source, one.said.where), one.said)
    return Route(
        method="" if served[0].method == "RPC" else served[0].method,
        path=served[0].path,
        said=tuple(said.values()),
        handler=next((one.handler for one in served if one.handler), ""),
        calls=sum(one.calls for one in served),
        failed=sum(one.failed for one in served),
    )
