"""Incidents: what is open, what caused each with which probability, who wrote the lines, and what to do now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, get_args
from urllib.parse import urlencode

from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from tidegate.operate import culprit
from tidegate.operate.investigate.values import Moment
from tidegate.operate.lines import Decided, WrittenLines
from tidegate.operate.values import Evidence, Hypothesis, Ranking
from tidegate.server.api.endpoint import LARGEST_ID
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.console.render import percent
from tidegate.server.console.visit import Visit, get, post, see
from tidegate.server.production.confirming import confirm_cause, is_commit
from tidegate.server.production.document import Kept, read_kept
from tidegate.server.production.ending import end_by_hand
from tidegate.server.production.tracing import find_repository
from tidegate.server.service import Service
from tidegate.store import accounts, alerts, changes, deployments, incidents
from tidegate.store.changes import Change
from tidegate.store.deployments import Deployment
from tidegate.store.incidents import Incident, Resolution, State

MOST = 50
MOST_SUSPECTS = 8
MOST_EVIDENCE = 6
MOST_MOMENTS = 60
MOST_SINCE = 20
LEAST_SHOWN = 0.01
LIKELY = 0.5
ENDED: Mapping[Resolution, str] = {
    "roll_back": "a roll-back",
    "hot_fix": "a hot-fix",
    "forward_fix": "a fix that went forward",
    "none": "nothing that was told of: no deployment ended it",
    "": "",
}
KINDS: Mapping[str, str] = {"older-code": "code that was running before", "unknown": "nobody can tell what"}
FILTERS = ("state", "environment", "service")


class Run(Struct, frozen=True):
    """Lines of one writer, each with its number and whether the evidence names it."""

    written: WrittenLines
    lines: tuple[tuple[int, str, bool], ...]


class Suspected(Struct, frozen=True, kw_only=True):
    """A change that may have caused it. `number` is its place among all, `change` and `page` what is known of it."""

    number: int
    commit: str
    probability: float
    supports: tuple[Evidence, ...]
    against: tuple[Evidence, ...]
    change: culprit.Change | None
    page: Change | None
    deployment: Deployment | None
    runs: tuple[Run, ...]
    decided: Decided


class NoneOfThese(Struct, frozen=True):
    """That it was none of the changes, and what else it may have been."""

    number: int
    probability: float
    hypotheses: tuple[Hypothesis, ...]


Ranked: TypeAlias = Suspected | NoneOfThese


class Answer(Struct, frozen=True):
    """What to believe, in one sentence. `sure`: whether it is worth acting on."""

    words: str
    sure: bool


def routes(service: Service) -> list[Route]:
    return [
        get("/incidents", service, "changes:read", show_all),
        get("/incidents/{incident}", service, "changes:read", show),
        get("/incidents/{incident}/review.md", service, "changes:read", _review),
        post("/incidents/{incident}/cause", service, "incidents:write", _confirm),
        post("/incidents/{incident}/resolution", service, "incidents:write", _end),
    ]


def show_all(visit: Visit) -> Response:
    """Every incident that fits the filters of the address: open ones, then the last that ended."""
    given = {name: visit.query.get(name, "").strip()[:200] for name in FILTERS}
    before = visit.query.get("before", "")
    with visit.service.database.read() as connection:
        open_ = _page(connection, given, "open", None, 100) if given["state"] != "resolved" and not before else ()
        ended = _page(connection, given, "resolved", _number(before), MOST) if given["state"] != "open" else ()
        places = deployments.places(connection)
        total = incidents.count_open(connection)
    more = urlencode({**_used(given), "before": str(ended[-1].id)}) if len(ended) == MOST else ""
    return visit.page(
        "incidents.html",
        "Incidents",
        open=open_,
        ended=ended,
        total=total,
        given=given,
        filtered=bool(_used(given)),
        environments=tuple(place.environment for place in places if place.environment),
        services=tuple(sorted({service for place in places for service in place.services} - {""})),
        more=f"/incidents?{more}" if more else "",
        states=get_args(State),
    )


def show(visit: Visit) -> Response:
    """The page of one incident."""
    return _shown(visit)


def answer_of(ranking: Ranking, titles: Mapping[str, str]) -> Answer:
    """The ranking in one sentence."""
    first = ranking.suspects[0] if ranking.suspects else None
    if first is None or ranking.none > first.probability:
        if not ranking.suspects and not ranking.hypotheses:
            return Answer("Not clear: nothing could be weighed", sure=False)
        return Answer(f"Most probably none of the changes ({percent(ranking.none)})", sure=ranking.none >= LIKELY)
    name = f"{first.change[:10]} {titles.get(first.change, '')}".strip()
    if first.probability >= LIKELY:
        return Answer(f"Most probably ({percent(first.probability)}): {name}", sure=True)
    return Answer(f"Not clear. First suspect ({percent(first.probability)}): {name}", sure=False)


# Private


def _shown(visit: Visit, problem: Problem | None = None) -> Response:
    number = visit.number("incident")
    with visit.service.database.read() as connection:
        incident = found(incidents.get(connection, number), "incident")
        kept = read_kept(incidents.document(connection, number))
        ranked = tuple(_ranked(connection, kept))
        fired, failed = alerts.of_incident(connection, number)
        by = deployments.get(connection, incident.resolved_by) if incident.resolved_by is not None else None
        recent = _recent(connection, incident)
        confirmer = accounts.person(connection, incident.confirmed_by) if incident.confirmed_by is not None else None
    said = kept.investigation
    titles = {each.commit: each.title for each in kept.changes}
    moments, later = _moments(incident, said.timeline)
    return visit.page(
        "incident.html",
        f"{incident.title} · incident {incident.id}",
        problem.status if problem else 200,
        incident=incident,
        kept=kept,
        said=said,
        answer=answer_of(said.ranking, titles),
        ranked=ranked,
        left=max(0, len(said.ranking.suspects) - sum(isinstance(each, Suspected) for each in ranked)),
        kinds=KINDS,
        moments=moments,
        moments_left=later,
        unknowns=tuple(dict.fromkeys((*said.unknowns, *said.ranking.unknowns))),
        alerts=fired,
        errors=failed,
        ended_by=by,
        since=recent,
        ended=ENDED[incident.resolution],
        confirmer=(confirmer.shown or confirmer.name) if confirmer else "",
        cause_title=titles.get(incident.cause, ""),
        cause_is_commit=is_commit(incident.cause),
        may_confirm=visit.may("incidents:write"),
        problem=problem,
        other=visit.form.get("other", ""),
    )


def _ranked(connection: Connection, kept: Kept) -> Iterator[Ranked]:
    """Suspects and "none of these" in one order, the most probable first."""
    ranking = kept.investigation.ranking
    known = {each.commit: each for each in kept.changes}
    shown = [each for each in ranking.suspects[:MOST_SUSPECTS] if each.probability >= LEAST_SHOWN]
    none_told = not (ranking.suspects or ranking.hypotheses)
    for place, suspect in enumerate(shown, 1):
        if not none_told and ranking.none >= suspect.probability:
            none_told = True
            yield _none(place, ranking)
        deployment = _deployment(connection, suspect.deployment)
        weighed = sorted(suspect.evidence, key=lambda one: -abs(one.weight))
        yield Suspected(
            number=place,
            commit=suspect.change,
            probability=suspect.probability,
            supports=tuple(one for one in weighed if one.weight > 0)[:MOST_EVIDENCE],
            against=tuple(one for one in weighed if one.weight < 0)[:MOST_EVIDENCE],
            change=known.get(suspect.change),
            page=_page_of(connection, deployment, suspect.change),
            deployment=deployment,
            runs=tuple(_run(each) for each in kept.lines if each.commit == suspect.change),
            decided=kept.decided.get(suspect.change, Decided()),
        )
    if not none_told:
        yield _none(len(shown) + 1, ranking)


def _none(place: int, ranking: Ranking) -> NoneOfThese:
    likely = [each for each in ranking.hypotheses if each.probability >= LEAST_SHOWN]
    return NoneOfThese(place, ranking.none, tuple(likely[:MOST_SUSPECTS]))


def _run(written: WrittenLines) -> Run:
    meant = frozenset(written.meant)
    lines = tuple((number, text, number in meant) for number, text in enumerate(written.lines, written.line))
    return Run(written, lines)


def _deployment(connection: Connection, identifier: str) -> Deployment | None:
    number = _number(identifier)
    return deployments.get(connection, number) if number is not None else None


def _page_of(connection: Connection, deployment: Deployment | None, commit: str) -> Change | None:
    """The change's own page, where it was reviewed here."""
    repository = find_repository(connection, deployment.repository) if deployment is not None else None
    about = changes.with_head(connection, repository.id, commit) if repository is not None else ()
    return about[-1] if about else None


def _recent(connection: Connection, incident: Incident) -> tuple[Deployment, ...]:
    """What went there since it began, and may have ended it."""
    if incident.state != "open":
        return ()
    found_ = deployments.page(connection, environment=incident.environment, most=MOST_SINCE)
    return tuple(one for one in found_ if one.started >= incident.started)


def _moments(incident: Incident, timeline: Sequence[Moment]) -> tuple[tuple[Moment, ...], tuple[Moment, ...]]:
    """Those nearest to the start of the incident in their order, and the others."""
    if len(timeline) <= MOST_MOMENTS:
        return tuple(timeline), ()
    nearest = sorted(range(len(timeline)), key=lambda place: abs(timeline[place].at - incident.started))
    kept = frozenset(nearest[:MOST_MOMENTS])
    return (
        tuple(each for place, each in enumerate(timeline) if place in kept),
        tuple(each for place, each in enumerate(timeline) if place not in kept),
    )


def _review(visit: Visit) -> Response:
    number = visit.number("incident")
    with visit.service.database.read() as connection:
        found(incidents.get(connection, number), "incident")
        kept = read_kept(incidents.document(connection, number))
    if not kept.draft:
        raise Problem(404, "there is no draft yet", mend="it is written with the first investigation")
    name = f'attachment; filename="incident-{number}-review.md"'
    text = kept.draft.encode("utf-8", "backslashreplace")
    return Response(text, headers={"content-disposition": name}, media_type="text/markdown")


def _confirm(visit: Visit) -> Response:
    """What was chosen, or what was written beside the choices. What is refused stands in the form."""
    number = visit.number("incident")
    chosen, other = visit.form.get("cause", ""), visit.form.get("other", "")
    try:
        confirm_cause(visit.service, visit.who, number, other if chosen in ("", "other") else chosen)
    except Problem as problem:
        if problem.status != 422:
            raise
        return _shown(visit, problem)
    return see(f"/incidents/{number}#cause")


def _end(visit: Visit) -> Response:
    number, by = visit.number("incident"), visit.form.get("deployment", "").strip()
    how = next((each for each in get_args(Resolution) if each and each == visit.form.get("resolution")), None)
    deployment = _number(by)
    try:
        if how is None or (by and deployment is None):
            raise Problem(422, "this says nothing that ended it", mend="choose how it ended, and by which deployment")
        end_by_hand(visit.service, visit.who, number, how, deployment)
    except Problem as problem:
        if problem.status != 422:
            raise
        return _shown(visit, problem)
    return see(f"/incidents/{number}")


def _page(
    connection: Connection, given: Mapping[str, str], state: Literal["open", "resolved"], before: int | None, most: int
) -> tuple[Incident, ...]:
    return incidents.page(
        connection,
        state=state,
        environment=given["environment"] or None,
        service=given["service"] or None,
        before=before,
        most=most,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 and int(text) <= LARGEST_ID else None


def _used(given: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in given.items() if text}
