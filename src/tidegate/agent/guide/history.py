"""What history teaches of a path: repairs that clustered there, files that change with it, incidents.

A repair is a commit that `risk` reads as a fix of the product. One log of the newest commits answers all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property

from msgspec import Struct

from tidegate.agent.guide import quote
from tidegate.agent.guide.values import Item
from tidegate.change.git import Repository
from tidegate.errors import GitError
from tidegate.risk.values import PastCommit
from tidegate.settings import Settings

MOST_COMMITS = 1000
LARGEST_COMMIT = 30
LEAST_REPAIRS = 4
LEAST_TOGETHER = 5
LEAST_SHARE = 0.5
MOST_SHOWN = 6


class Incident(Struct, frozen=True):
    """An incident that a service says a file had a part in. `started` is in Unix seconds."""

    title: str
    severity: str
    started: float
    commit: str
    confirmed: bool


class Past:
    """The newest commits of a revision, merges left out, with the files that each touched."""

    def __init__(self, repository: Repository, revision: str, settings: Settings) -> None:
        self._repository = repository
        self._revision = revision
        self._settings = settings
        self.problem = ""

    @cached_property
    def commits(self) -> tuple[PastCommit, ...]:
        """The newest first. Empty where git could not tell; `problem` says why."""
        from tidegate.risk.history.log import NAMED, stream_log

        if not self._revision:
            return ()
        asked = ("rev-list", "--no-merges", f"--max-count={MOST_COMMITS}", "--end-of-options", self._revision)
        try:
            oids = self._repository.run(*asked).decode("ascii").split()
            oids = [oid for oid in oids if oid not in self._repository.shallow_edge]
            return tuple(stream_log(self._repository, oids, NAMED))
        except GitError as error:
            self.problem = error.what
            return ()

    @cached_property
    def by_people(self) -> tuple[PastCommit, ...]:
        """The same without those of bots."""
        from tidegate.change.people import People

        people = People(self._settings)
        return tuple(commit for commit in self.commits if not people.is_bot(commit.author))

    @cached_property
    def touched(self) -> Counter[str]:
        """How many of the commits touched each file."""
        return Counter(path for commit in self.by_people for path in _paths(commit))

    @cached_property
    def repaired(self) -> Counter[str]:
        """How many of the commits repaired each file of the product."""
        from tidegate.risk.labels.fixes import find_fixes, paths_beside

        fixes = find_fixes(self.by_people, self._settings)
        counts = Counter(path for commit in self.by_people if commit.oid in fixes for path in _paths(commit))
        beside = paths_beside(set(counts), self._settings)
        return Counter({path: count for path, count in counts.items() if path not in beside})

    def together(self, path: str) -> list[tuple[str, int]]:
        """Files that changed in at least half of the commits that changed this one, the most frequent first."""
        counts: Counter[str] = Counter()
        total = 0
        for commit in self.by_people:
            paths = _paths(commit)
            if path in paths:
                total += 1
                counts.update(paths - {path})
        enough = max(LEAST_TOGETHER, LEAST_SHARE * total)
        return sorted(((p, n) for p, n in counts.items() if n >= enough), key=lambda one: (-one[1], one[0]))


def path_items(past: Past, path: str, present: frozenset[str], incidents: Sequence[Incident]) -> tuple[Item, ...]:
    """What history teaches of one file."""
    found = list(_incidents(incidents))
    repaired, touched = past.repaired[path], past.touched[path]
    if repaired:
        many = repaired >= LEAST_REPAIRS
        word = (
            "It had to be repaired often; read the last repairs before you change it"
            if many
            else "It had to be repaired"
        )
        found.append(
            Item(word, f"{repaired} of its {touched} commits among the newest {len(past.commits)} are repairs")
        )
    for other, count in [one for one in past.together(path) if one[0] in present][:MOST_SHOWN]:
        if name := quote.name(other):
            found.append(Item(f"{name} usually changes with it", f"in {count} of {touched} commits"))
    return tuple(found)


def overview(
    past: Past, source: frozenset[str], present: frozenset[str], incidents: Sequence[Incident]
) -> tuple[Item, ...]:
    """The files of `source` that were repaired most, each with the file of `present` that usually changes with it."""
    found = list(_incidents(incidents))
    for path, count in _most(past.repaired, source):
        if count < LEAST_REPAIRS or not (name := quote.name(path)):
            continue
        partner = next((quote.name(other) for other, _ in past.together(path) if other in present), "")
        also = f"; {partner} usually changes with it" if partner else ""
        touched = past.touched[path]
        found.append(
            Item(
                f"{name} had to be repaired often{also}",
                f"{count} of its {touched} commits among the newest {len(past.commits)}",
            )
        )
    return tuple(found[: MOST_SHOWN + len(incidents[:3])])


# Private


def _most(counts: Counter[str], present: frozenset[str]) -> Iterator[tuple[str, int]]:
    here = ((path, count) for path, count in counts.items() if path in present)
    yield from sorted(here, key=lambda one: (-one[1], one[0]))[:MOST_SHOWN]


def _incidents(incidents: Sequence[Incident]) -> Iterator[Item]:
    for one in incidents[:3]:
        day = datetime.fromtimestamp(min(max(one.started, 0.0), 4e9), UTC).strftime("%Y-%m-%d")
        sure = "confirmed" if one.confirmed else "suspected"
        severity = quote.name(one.severity, 20)
        yield Item(
            f"An incident came from here: {quote.title(one.title)}",
            f"{day}, {severity}{', ' if severity else ''}{sure}, {quote.name(one.commit[:12]) or 'no commit named'}",
        )


def _paths(commit: PastCommit) -> set[str]:
    """The files of a commit; none for one so large that they say nothing of each other."""
    return {touch.path for touch in commit.touches} if len(commit.touches) <= LARGEST_COMMIT else set()
