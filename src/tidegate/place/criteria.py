"""What each tier asks for, asked of one application. `asked.py` is the table of it.

A criterion that rests on something that could not be told is unknown, and unknown is unmet: `_settled` sees to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tidegate.change.attested import Attested, short_of
from tidegate.place.asked import ASK, LEAST_PEOPLE
from tidegate.place.values import CLASSES, Application, Criterion, State
from tidegate.settings import ATTESTED, PlaceSettings

MOST_SHOWN = 5


def criteria_of(app: Application, declared: PlaceSettings, attested: Mapping[str, Attested]) -> tuple[Criterion, ...]:
    """Every criterion of every tier. One that only people can vouch for is unknown until somebody does."""
    found = [
        *_data(app, declared),
        *_exposure(app, declared),
        *_blast(app),
        *_provenance(app),
        *_verification(app),
        *_ownership(app),
        *_operations(app),
    ]
    keeps = bool(app.stores or app.uploads)
    found += [_vouched(attested, id) for id in ATTESTED if keeps or id != "backup-restored"]
    order = {id: number for number, id in enumerate(ASK)}
    return tuple(sorted(found, key=lambda one: order[one.id]))


# Private


def _settled(
    app: Application,
    id: str,
    against: Sequence[str],
    in_favour: Sequence[str],
    rests_on: Sequence[str] = (),
    step: str = "",
) -> Criterion:
    """Unmet where anything speaks against it; unknown where what it rests on could not be told; else met."""
    ask = ASK[id]
    doubts = [f"not told: {app.unknowns[area]}" for area in rests_on if area in app.unknowns]
    state: State = "unmet" if against else "unknown" if doubts else "met"
    evidence = [*_few(against), *doubts] if against or doubts else _few(in_favour)
    step = step or ask.step
    if state == "unknown":
        step = f"make it known, or leave it out: {doubts[0].removeprefix('not told: ')}"
    said = "" if state == "met" else step
    return Criterion(id, ask.axis, ask.tier, ask.title, state, tuple(evidence), said, ask.effort)


def _vouched(attested: Mapping[str, Attested], id: str) -> Criterion:
    """One that only people can vouch for, with what would let them."""
    ask, one = ASK[id], attested.get(id)
    if one is None:
        state: State = "unknown"
        evidence = f"nobody vouches for it: {ask.step}"
    else:
        wrong = short_of(one)
        state, evidence = ("unmet", wrong) if wrong else ("met", str(one))
    step = "" if state == "met" else f'{ask.step}, then [[evidence]] id = "{id}" in the evidence file'
    return Criterion(id, ask.axis, ask.tier, ask.title, state, (evidence,), step, ask.effort)


def _few(texts: Sequence[str]) -> list[str]:
    left = len(texts) - MOST_SHOWN
    return [*texts[:MOST_SHOWN], *([f"and {left} more"] if left > 0 else [])]


def _lines(seen: Iterable[object]) -> list[str]:
    return [str(one) for one in seen]


def _data(app: Application, declared: PlaceSettings) -> list[Criterion]:
    found = app.data
    shown = [f"{one.seen.place} holds {one.name} ({one.data})" for one in app.fields] or _lines(app.stores)
    synthetic = declared.data == "synthetic"
    grave = CLASSES.index(found) > CLASSES.index("internal")
    against = [*(shown if grave else []), *_lines(app.uploads)] if not synthetic else []
    nothing = "nothing stores anything, as far as it was read"
    told = ['[place] data = "synthetic"'] if synthetic else shown or [nothing]
    enough = declared.data in CLASSES and CLASSES.index(declared.data) >= CLASSES.index(found)
    said = f"declared: {declared.data or 'nothing'}; found: {found}"
    step = f'write [place] data = "{found}" in tidegate.toml, if that is all that it holds'
    return [
        _settled(app, "data-for-a-test", against, told, () if synthetic else ("code",)),
        _settled(app, "data-declared", [] if enough else [said], [said], ("code",), step),
    ]


def _exposure(app: Application, declared: PlaceSettings) -> list[Criterion]:
    public = set(declared.public)
    unasked = [one for one in app.routes if one.guard is None and not one.open_by_name and one.name not in public]
    open_ = [f"{one.seen.place} {one.name}: no such question was seen" for one in unasked]
    guarded = [f"{one.name}: {one.guard}" for one in app.routes if one.guard is not None]
    called = [f"{one.name}:{one.port} ({one.why}, {one.seen.place})" for one in app.hosts]
    ways = f"{_count(app.routes, 'route')}, {_count(app.other_entries, 'job or event', 'jobs and events')} were found"
    return [
        _settled(app, "ways-in-known", [], [ways], ("code", "ways in")),
        _settled(
            app, "routes-ask", open_, guarded or ["no route but those that are open by nature"], ("code", "ways in")
        ),
        _settled(app, "calls-known", _lines(app.dynamic), called or ["it calls nobody"], ("code",)),
    ]


def _blast(app: Application) -> list[Criterion]:
    verified = app.verified
    secrets = ", ".join(one.name for one in app.wanted if one.secret) or "none"
    effects = "no effect of high severity was found"
    return [
        _settled(app, "nothing-runs-input", _lines(app.executions), ["none was found"], ("code",)),
        _settled(app, "variables-known", [], [secrets], ("secrets wanted", "code")),
        _settled(app, "opens-nothing", _lines(verified.effects), [effects], ("its infrastructure",)),
        _settled(app, "calls-end", _lines(verified.fragile), ["none waits without end"], ("code",)),
    ]


def _provenance(app: Application) -> list[Criterion]:
    authors = app.authors
    nobody = [f"commit {oid[:12]} is an agent's, and nobody answers for it" for oid in authors.unnamed]
    nobody = nobody or ([] if authors.people else ["no commit of it has a person"])
    machines = f"; {authors.bots} commits are of bots" if authors.bots else ""
    written = f"{_count(range(authors.commits), 'commit')}, {_count(authors.people, 'person', 'people')}{machines}"
    silent = f"{authors.undeclared} of {authors.commits} commits do not say who or what wrote them"
    undeclared = [silent] if authors.undeclared or not authors.commits else []
    return [
        _settled(app, "people-answer", nobody, [written], ("commits",)),
        _settled(app, "writers-known", undeclared, ["every commit says so"], ("commits",)),
    ]


def _verification(app: Application) -> list[Criterion]:
    verified = app.verified
    untested = [f"{one.seen.place} {one.name}" for one in app.routes if not one.tested]
    untested += [f"{seen.place} {name}" for name, seen, tested in app.other_entries if not tested]
    silent = [f"{one}: no test was seen that executes it" for one in untested]
    if not app.tests:
        silent = ["it has no test that was recognised", *silent]
    faults = _lines((*verified.dependency_faults, *verified.unlocked))
    secrets = _lines(verified.secrets)
    return [
        _settled(app, "no-keys", secrets, ["none was found in the files of this commit"], ("keys in it",)),
        _settled(app, "packages-exist", faults, [f"{verified.packages} packages, locked or known"], ("packages",)),
        _settled(
            app, "ways-in-tested", silent, [f"{_count(app.routes, 'route')}, {app.tests} tests"], ("code", "ways in")
        ),
    ]


def _ownership(app: Application) -> list[Criterion]:
    unowned = [path if path == "no CODEOWNERS file" else f"{path} has no owner" for path in app.unowned]
    missing = unowned if app.owners or unowned else ["nobody is named"]
    active = app.authors.active
    last = f"the last change by a person is of {app.authors.latest[:10] or 'no known day'}"
    few = (
        [] if len(active) >= LEAST_PEOPLE else [f"{_count(active, 'person', 'people')}: {', '.join(active) or 'none'}"]
    )
    told = [f"{_count(active, 'person', 'people')} of {len(app.authors.people)}"]
    return [
        _settled(app, "owner", missing, [f"{', '.join(app.owners[:4])} ({app.owners_from})"]),
        _settled(app, "known-to-somebody", [] if active else [last], told),
        _settled(app, "known-to-two", few, told),
    ]


def _operations(app: Application) -> list[Criterion]:
    run = app.operated
    missing = [] if run.health or not app.routes else ["no health route was found"]
    health = _lines(run.health) or ["it serves no route"]
    logs = [] if run.logs else ["no call of a logger was found"]
    builds = [] if run.builds else ["no Dockerfile, Procfile or other recipe was found"]
    books = [] if run.runbooks else ["no runbook was found"]
    return [
        _settled(app, "recipe", builds, [one.place for one in run.builds]),
        _settled(app, "says-it-is-well", missing, health, ("code", "ways in")),
        _settled(app, "writes-logs", logs, _lines(run.logs), ("code",)),
        _settled(app, "runbook", books, [one.place for one in run.runbooks]),
    ]


def _count(many: Sequence[object], one: str, several: str = "") -> str:
    return f"{len(many)} {one if len(many) == 1 else several or one + 's'}"
