"""The figures of one repository, from itself alone: history, notes, marks, reported deployments and test reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.people import People
from tidegate.change.values import Person
from tidegate.errors import GitError
from tidegate.insight.answer import Insight, Told, look
from tidegate.insight.briefing import Briefing, brief, weeks_of
from tidegate.insight.copies import read_copies
from tidegate.insight.costs import Bill
from tidegate.insight.lifetimes import Mended, read_lifetimes, survival_of
from tidegate.insight.past import author_of, deployed_first, ran_of, read_releases, shipped_of
from tidegate.insight.suite import read_suite
from tidegate.insight.survival import Lines
from tidegate.insight.values import Every, Ran, Shipped
from tidegate.policy.backtest.values import PastChange
from tidegate.replay import Hindsight, moment_before, read_hindsight, read_past
from tidegate.rollout.cycles import find_cycles, redeploys_of
from tidegate.rollout.local import file_of, read_deployments
from tidegate.rollout.values import Deployment
from tidegate.settings import Settings

Progress = Callable[[str, int, int], None]


class Question(Struct, frozen=True, kw_only=True):
    """`since`: a span or a day; `branch`: the revision that changes landed on; `now` in Unix seconds."""

    since: str
    branch: str
    now: int
    environment: str = "production"
    by: tuple[str, ...] = ("writer",)
    every: Every = "month"
    bills: tuple[Bill, ...] = ()
    junit: tuple[Path, ...] = ()


class Read(Struct, frozen=True, kw_only=True):
    """What a repository knows of the time from `since` to before `until`, in Unix seconds, before it is counted."""

    since: float
    until: float
    shipped: tuple[Shipped, ...]
    ran: tuple[Ran, ...]
    notes: tuple[str, ...]
    told: Told


def read_here(repository: Repository, settings: Settings, asked: Question, progress: Progress | None = None) -> Insight:
    """The whole answer. InputError for what was asked and makes no sense; GitError for history that cannot be read."""
    read = read_repository(repository, settings, asked, progress)
    return look(
        read.shipped,
        read.ran,
        read.since,
        read.until,
        by=asked.by,
        costs=[cost for bill in asked.bills for cost in bill.costs],
        notes=read.notes,
        every=asked.every,
        told=read.told,
    )


def brief_here(
    repository: Repository, settings: Settings, asked: Question, progress: Progress | None = None
) -> Briefing:
    """The last whole week on one page, beside the week before and all that was asked for. Errors as of `read_here`."""
    read = read_repository(repository, settings, asked, progress)
    weeks = weeks_of(asked.now)
    known = min(read.until, weeks.until)
    notes = read.notes
    if known < weeks.since:
        last = datetime.fromtimestamp(known, UTC).strftime("%Y-%m-%d")
        notes = (f"nothing here is younger than {last}: this clone may be out of date", *notes)
    spans = ((weeks.since, weeks.until), (weeks.before, weeks.since), (min(read.since, weeks.before), known))
    week, before, period = (
        look(read.shipped, read.ran, *span, notes=notes, every="week", told=read.told) for span in spans
    )
    return brief(repository.path.name, weeks, week, before, period)


def read_repository(
    repository: Repository, settings: Settings, asked: Question, progress: Progress | None = None
) -> Read:
    """What landed, ran and lasted, as far as it is known here. Errors as of `read_here`."""
    suite = read_suite(asked.junit)
    until = repository.resolve(asked.branch)
    hindsight = read_hindsight(repository, until, settings, asked.now, progress)
    begin = moment_before(asked.since, hindsight.now)
    shown = partial(progress, "reading what landed") if progress is not None else None
    past = list(read_past(repository, until, begin, settings, hindsight, shown))
    deployments = read_deployments(file_of(repository)) or ()
    released, notes = _released(repository, until, deployments, asked.environment)
    here = [one for one in deployments if one.environment == asked.environment]
    again = redeploys_of(find_cycles(repository, here)) if here else {}
    shipped = shipped_of(past, released, repository.path.name, _teams(settings, past), again)
    ran = ran_of(deployments, {one.commit: one.writer for one in shipped}, asked.environment)
    if released and not deployments and not any(one.deployed for one in shipped):
        notes = ["no tag holds any of these changes, so that it is not known when they went out"]
    if progress is not None:
        progress("following their lines", 0, 1)
    lines, lost = _lifetimes(repository, until, past, shipped, hindsight)
    if progress is not None:
        progress("following their lines", 1, 1)
    return Read(
        since=begin,
        until=hindsight.now + 1,
        shipped=shipped,
        ran=ran,
        notes=(*notes, *lost),
        told=Told(
            suite=suite,
            copies=read_copies(repository, until, settings),
            survival=survival_of(lines, shipped) if lines is not None else None,
            lines=lines,
            bill_notes=tuple(note for bill in asked.bills for note in bill.notes),
        ),
    )


# Private


def _released(
    repository: Repository, until: str, deployments: Sequence[Deployment], environment: str
) -> tuple[Mapping[str, float], list[str]]:
    if deployments:
        order = repository.run("rev-list", "--first-parent", "--end-of-options", until).decode("ascii").split()
        return deployed_first(deployments, order, environment), []
    released = read_releases(repository, until)
    if not released:
        return {}, ["no tag lies on this branch, so that it is not known when changes went out"]
    return released, ["lead time ends at the first tag that holds a change: no deployment was reported here"]


def _teams(settings: Settings, past: Sequence[PastChange]) -> Mapping[str, str]:
    """The first team by name of each author, as the settings list them."""
    people = People(settings)
    found: dict[str, str] = {}
    for author in {author_of(one.facts) for one in past} if settings.teams else ():
        name, _, email = author.rpartition(" <")
        mine = {people.of_person(Person(name, email.removesuffix(">")))}
        found[author] = next((team for team, members in sorted(settings.teams.items()) if mine & set(members)), "")
    return found


def _lifetimes(
    repository: Repository, until: str, past: Sequence[PastChange], shipped: Sequence[Shipped], hindsight: Hindsight
) -> tuple[tuple[Lines, ...] | None, list[str]]:
    number = {
        oid: place for place, one in enumerate(past) for oid in (one.oid, *(c.oid for c in one.facts.change.commits))
    }
    sure = [label for label in hindsight.labels if label.confidence >= hindsight.sure]
    pairs = {(number[each.commit], number[each.by]) for each in sure if each.commit in number and each.by in number}
    files = {
        file.path.encode("utf-8", "surrogateescape")
        for one in past
        for file in one.facts.change.files
        if file.kind in ("source", "test") and not file.generated and not file.vendored
    }
    try:
        lines = read_lifetimes(repository, until, shipped, Mended(pairs, files))
    except GitError as error:
        return None, [f"how long lines live: this clone does not hold every version ({error.what})"]
    if lines is None:
        return None, ["the history is too large to follow every line: ask for a shorter time"]
    return tuple(lines), []
