"""WHERE the world calls in: routes, remote procedures, commands, jobs, events, functions of a cloud, public names.

From the symbols of files and from configuration to entry points with their handlers. One file per framework or family;
each has a half that reads one file alone (kept with the blob) and a half that joins files. It must never drop an entry
point because its prefix or its handler could not be told: an unknown prefix is shown as `{?}`, an unknown handler is
the symbol around the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidegate.reach.answer import EntryPoint
from tidegate.reach.entries import (
    commands,
    controllers,
    django,
    events,
    go_web,
    graphql,
    javascript_web,
    jobs,
    manifests,
    next_pages,
    python_lists,
    python_web,
    rpc,
    ruby,
    rust_web,
    schedules,
)
from tidegate.reach.entries.context import Context
from tidegate.reach.entries.features import features_of
from tidegate.reach.entries.finder import Finder
from tidegate.reach.entries.interface import Mark, Sources
from tidegate.reach.entries.places import is_test
from tidegate.reach.entries.public_api import find_public_api
from tidegate.reach.symbols import FileSymbols

VERSION = 1
"""Changes whenever the same symbols would give other marks, so that kept ones are thrown away."""

FINDERS: tuple[Finder, ...] = (
    *python_web.FINDERS,
    *django.FINDERS,
    *javascript_web.FINDERS,
    *go_web.FINDERS,
    *python_lists.FINDERS,
    *next_pages.FINDERS,
    *controllers.FINDERS,
    *ruby.FINDERS,
    *rust_web.FINDERS,
    *rpc.FINDERS,
    *jobs.FINDERS,
    *events.FINDERS,
    *graphql.FINDERS,
    *commands.FINDERS,
    *manifests.FINDERS,
    *schedules.FINDERS,
)
"""Every finder, in the order in which they are asked."""


def find_entry_points(sources: Sources) -> tuple[EntryPoint, ...]:
    """Every entry point of the tree outside its tests, without duplicates, by kind, name, handler and line.

    A route has one entry for each method, prefix and function that runs for it: middleware of one route is an entry
    of the same name. What a router runs for every request has the method and last segment `*`.
    """
    context = Context(sources)
    marks = _all_marks(sources)
    found: set[EntryPoint] = set()
    for finder in FINDERS:
        own = {path: kept for path, every in marks.items() if (kept := _of(finder, every))}
        found.update(finder.join(own, context))
    return _strongest(point for point in found if not is_test(point.handler.path))


def marks_of(path: str, symbols: FileSymbols) -> tuple[Mark, ...]:
    """What may make entry points in one file, by all finders: a pure function of its suffix and symbols."""
    suffix = path[path.rfind(".") :]
    finders = _BY_SUFFIX.get(suffix)
    if finders is None or symbols.error:
        return ()
    features = features_of(symbols)
    found: list[Mark] = []
    for finder in finders:
        if finder.marks is not None and not features.isdisjoint(finder.needs):
            found += finder.marks(symbols)
    return tuple(found)


# Private


def _all_marks(sources: Sources) -> dict[str, tuple[Mark, ...]]:
    kept = sources.marks
    found: dict[str, tuple[Mark, ...]] = {}
    for path in sorted(sources.files if kept is None else {*kept, *sources.files}):
        marks = kept.get(path) if kept is not None else None
        if marks is None:
            marks = marks_of(path, sources.files[path])
        if marks and not is_test(path):
            found[path] = marks
    return found


def _of(finder: Finder, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    return tuple(mark for mark in marks if mark.finder == finder.name)


def _strongest(points: Iterable[EntryPoint]) -> tuple[EntryPoint, ...]:
    """One entry for each name, handler and framework: the most probable, the first line of equals."""
    best: dict[tuple[object, ...], EntryPoint] = {}
    for point in points:
        key = (point.kind, point.name, point.framework, point.handler)
        known = best.get(key)
        if known is None or (point.probability, -point.line) > (known.probability, -known.line):
            best[key] = point
    return tuple(sorted(best.values(), key=lambda p: (p.kind, p.path, p.name, p.handler, p.framework, p.line)))


def _by_suffix() -> dict[str, tuple[Finder, ...]]:
    suffixes = sorted({suffix for finder in FINDERS for suffix in finder.suffixes})
    return {suffix: tuple(one for one in FINDERS if suffix in one.suffixes) for suffix in suffixes}


_BY_SUFFIX = _by_suffix()

__all__ = ["FINDERS", "VERSION", "Mark", "Sources", "find_entry_points", "find_public_api", "marks_of"]
