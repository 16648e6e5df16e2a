"""Insight for somebody who looks for ten seconds: is AI helping or hurting here, and is scrutiny keeping up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from tidegate.insight.answer import Insight
from tidegate.insight.briefing import Briefing, brief, weeks_of
from tidegate.insight.briefing_text import body_html, render_html, render_markdown
from tidegate.insight.delivery import BY, NONE
from tidegate.insight.headlines import course_of, headlines
from tidegate.insight.values import Every
from tidegate.insight.words import said
from tidegate.server.api.problems import Problem
from tidegate.server.console.deployments import usual_environment
from tidegate.server.console.insight_drawing import (
    Drawn,
    draw_groups,
    draw_load,
    draw_ratios,
    draw_series,
    draw_writers,
    table_of,
)
from tidegate.server.console.standing import Standing
from tidegate.server.console.visit import Visit, get
from tidegate.server.insight.answer import Answer, Asked, read_insight, until_now
from tidegate.server.service import Service
from tidegate.store import deployments, repositories
from tidegate.store.clock import moment_of

DAY = 86400.0
SPANS: Mapping[str, tuple[str, float, Every]] = {
    "4w": ("4 weeks", 28 * DAY, "week"),
    "13w": ("13 weeks", 91 * DAY, "week"),
    "26w": ("26 weeks", 182 * DAY, "week"),
    "52w": ("a year", 364 * DAY, "month"),
}
USUAL = "13w"
COURSES = ("deployment frequency", "lead time", "change failure rate", "changes repaired", "lines merged")
READING = ("lines merged", "lines reviewed", "review per 100 lines", "landed without a review", "merged by the author")
KEEPING = ("test lines of all lines", "complexity added", "duplicated lines", "notes to do added")
BARS = ("changes repaired", "lead time", "change failure rate")
"""What is drawn by groups; everything else of them stands in the table."""


class Given(Struct, frozen=True):
    """What the address asks for; what it does not say, or says wrongly, is the usual."""

    since: str
    repository: int
    team: str
    by: str

    @property
    def query(self) -> str:
        usual = {"since": USUAL, "repository": 0, "team": "", "by": BY[0]}
        said = {name: getattr(self, name) for name in usual}
        return urlencode({name: value for name, value in said.items() if value != usual[name]})


class Choices(Struct, frozen=True):
    spans: tuple[tuple[str, str], ...]
    repositories: tuple[tuple[int, str], ...]


def routes(service: Service) -> list[Route]:
    pages = _Pages()
    return [
        get("/insight", service, "changes:read", pages.delivery),
        get("/insight/scrutiny", service, "changes:read", pages.scrutiny),
        get("/insight/briefing", service, "changes:read", pages.briefing),
        get("/insight/briefing.html", service, "changes:read", partial(pages.file, kind="html")),
        get("/insight/briefing.md", service, "changes:read", partial(pages.file, kind="md")),
    ]


# Private


class _Pages:
    """The pages share what was counted."""

    def __init__(self) -> None:
        self._answers: Standing[Answer] = Standing()
        self._briefings: Standing[Briefing] = Standing()

    def delivery(self, visit: Visit) -> Response:
        given, choices, environment = _given(visit)
        answer = self._answer(visit, given, environment)
        if answer is None:
            return _waiting(visit, given)
        found = answer.insight
        table = next(one for one in found.tables if one.by == given.by)
        bars = [draw_groups(table, name) for name in BARS] if len(table.rows) > 1 else []
        return visit.page(
            "insight.html",
            "Insight",
            **_frame(given, choices, answer),
            splits=BY,
            headlines=headlines(found),
            courses=_courses(found, COURSES),
            bars=[one for one in bars if one is not None],
            groups=table_of(table, _link(given, choices)),
            ratios=draw_ratios(found.compared),
            written=draw_writers(_stacks(found, given.by)),
            survival=table_of(found.survival) if found.survival else None,
        )

    def scrutiny(self, visit: Visit) -> Response:
        given, choices, environment = _given(visit)
        answer = self._answer(visit, given, environment)
        if answer is None:
            return _waiting(visit, given)
        found = answer.insight
        named = (("Tests", found.upkeep), ("What is to be paid later", found.debt))
        return visit.page(
            "insight_scrutiny.html",
            "Scrutiny",
            **_frame(given, choices, answer),
            reading=_courses(found, READING) if found.scrutiny else [],
            scrutiny=table_of(found.scrutiny) if found.scrutiny else None,
            load=found.load if found.load and found.load.reviews else None,
            top=said(found.load.top) if found.load else "",
            gini=said(found.load.gini) if found.load else "",
            people=draw_load(found.load) if found.load else None,
            keeping=_courses(found, KEEPING),
            tables=[(name, table_of(table)) for name, table in named if table is not None],
            suite=found.suite,
            shares=[(one.name, said(one)) for one in found.suite.figures] if found.suite else [],
        )

    def briefing(self, visit: Visit) -> Response:
        made, given = self._brief(visit)
        if made is None:
            return _waiting(visit, given)
        body = Markup(body_html(made))  # noqa: S704 escaped where it is written
        return visit.page("insight_briefing.html", f"Briefing {made.week}", body=body, query=given.query)

    def file(self, visit: Visit, kind: str) -> Response:
        """The briefing as a file that stands for itself."""
        made, _ = self._brief(visit)
        if made is None:
            raise Problem(503, "the figures are being counted", mend="ask again in a moment")
        text, media = (render_html(made), "text/html") if kind == "html" else (render_markdown(made), "text/markdown")
        name = f"briefing-{made.week}.{kind}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(text.encode("utf-8", "backslashreplace"), media_type=media, headers=headers)

    # Private

    def _answer(self, visit: Visit, given: Given, environment: str) -> Answer | None:
        """One answer for all ways to split it."""
        where = (given.repository, given.team, environment)
        return self._answers.ask((given.since, where), partial(_count, visit.service, given.since, where))

    def _brief(self, visit: Visit) -> tuple[Briefing | None, Given]:
        given, choices, environment = _given(visit)
        slug = dict(choices.repositories).get(given.repository, "")
        now = moment_of(visit.now).timestamp()
        key = (given.repository, given.team, environment, weeks_of(now))
        make = partial(_brief, visit.service, (given.repository, given.team, environment), slug, now)
        return self._briefings.ask(key, make), given


def _given(visit: Visit) -> tuple[Given, Choices, str]:
    """What is asked for, what could be, and the environment whose deployments count."""
    with visit.service.database.read() as connection:
        known = _repositories(connection)
        environment = usual_environment([one for one in deployments.places(connection) if one.environment])
    query = visit.query
    number = query.get("repository", "")
    chosen = next((each for each, _ in known if str(each) == number), 0)
    since = query.get("since", "")
    by = query.get("by", "")
    given = Given(
        since=since if since in SPANS else USUAL,
        repository=chosen,
        team=query.get("team", "").strip()[:200],
        by=by if by in BY else BY[0],
    )
    spans = tuple((value, words) for value, (words, _, _) in SPANS.items())
    return given, Choices(spans, known), environment or "production"


def _repositories(connection: Connection) -> tuple[tuple[int, str], ...]:
    return tuple((one.id, one.slug) for one in repositories.page(connection))


def _count(service: Service, since: str, where: tuple[int, str, str]) -> Answer:
    _, seconds, every = SPANS[since]
    until = until_now(service)
    return read_insight(service, Asked(until - seconds, until, *where, every, BY))


def _brief(service: Service, where: tuple[int, str, str], slug: str, now: float) -> Briefing:
    weeks = weeks_of(now)
    spans = ((weeks.since, weeks.until), (weeks.before, weeks.since), (weeks.until - 91 * DAY, weeks.until))
    week, before, period = (
        read_insight(service, Asked(since, until, *where, "week")).insight for since, until in spans
    )
    scope = ", ".join(each for each in (slug, where[1]) if each) or "all repositories"
    return brief(scope, weeks, week, before, period)


def _frame(given: Given, choices: Choices, answer: Answer) -> dict[str, Any]:
    found = answer.insight
    since, until = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d") for at in (found.since, found.until))
    asked = {"since": given.since, "every": found.every, "by": given.by}
    asked |= {"repository": str(given.repository)} if given.repository else {}
    asked |= {"team": given.team} if given.team else {}
    return {
        "given": given,
        "choices": choices,
        "query": given.query,
        "found": found,
        "since": since,
        "until": until,
        "at": moment_of(answer.as_of).timestamp(),
        "export": urlencode(asked),
    }


def _link(given: Given, choices: Choices) -> Callable[[str], str]:
    """Where the name of a group leads: to the same page about it alone."""
    numbers = {slug: str(number) for number, slug in choices.repositories}

    def link(group: str) -> str:
        value = {"repository": numbers.get(group, ""), "team": "" if group == NONE else group}.get(given.by, "")
        return f"/insight?{urlencode({'since': given.since, given.by: value})}" if value else ""

    return link


def _stacks(found: Insight, by: str) -> list[tuple[str, dict[str, int]]]:
    """All changed lines, and those of each group; by writer each group would be of one kind."""
    stacks: list[tuple[str, dict[str, int]]] = [("all", dict(found.written))]
    groups = [one for one in found.written_by if one.by == by and any(count for _, count in one.lines)]
    return stacks + [(one.group, dict(one.lines)) for one in groups if len(groups) > 1]


def _courses(found: Insight, names: Sequence[str]) -> list[Drawn]:
    courses = [course_of(found.series, name) for name in names]
    return [draw_series(course, found.every) for course in courses if course is not None]


def _waiting(visit: Visit, given: Given) -> Response:
    return visit.page("insight_wait.html", "Insight", 202, query=given.query)
