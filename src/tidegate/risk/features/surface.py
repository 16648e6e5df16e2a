"""What the paths of a change say by themselves: languages, tests, sensitive areas. Lines and attributes have no say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tidegate.change.attributes import NO_ATTRIBUTES
from tidegate.change.classify import classify_files
from tidegate.change.domains import assign_domains
from tidegate.change.values import FileChange
from tidegate.facts import FileKind
from tidegate.risk.features.past import Landed
from tidegate.settings import Settings

SURFACE = ("languages", "test_files", "test_share", "domains", "critical")


class Place(NamedTuple):
    """What a path says of its file."""

    kind: FileKind
    language: str
    by_hand: bool
    domains: tuple[str, ...]
    critical: bool


def read_places(paths: Iterable[str], settings: Settings) -> dict[str, Place]:
    """What each path says of its file, by the tables and the settings."""
    asked = sorted(set(paths))
    files = assign_domains(classify_files([_file(path) for path in asked], NO_ATTRIBUTES, settings), settings)
    return {path: _place(file) for path, file in zip(asked, files, strict=True)}


def surface(change: Landed, places: Mapping[str, Place]) -> tuple[float, ...]:
    """The features of `SURFACE`, in that order."""
    here = [(touch, places[touch.path]) for touch in change.touches]
    source = [touch for touch, place in here if place.kind == "source" and place.by_hand]
    tests = [touch for touch, place in here if place.kind == "test"] if source else []
    added = sum(touch.added for touch in tests if touch.added > 0)
    both = added + sum(touch.added for touch in source if touch.added > 0)
    return (
        float(len({place.language for _, place in here} - {""})),
        float(len(tests)),
        added / both if both else 0.0,
        float(len({name for _, place in here for name in place.domains})),
        float(sum(place.critical for _, place in here)),
    )


# Private


def _place(file: FileChange) -> Place:
    domains = tuple(sorted({hit.domain for hit in file.domains}))
    return Place(file.kind, file.language, file.by_hand, domains, file.critical)


def _file(path: str) -> FileChange:
    raw = path.encode("utf-8", "surrogateescape")
    return FileChange(raw, raw, "modified", 0o100644, 0o100644, "", "", 0, 0, 0, False, True, ())
