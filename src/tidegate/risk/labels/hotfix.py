"""Fixes that could not wait: on a branch named for it, soon after a release, or in a patch release that holds them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from statistics import median
from typing import NamedTuple

from tidegate.risk.labels.messages import is_fix
from tidegate.risk.labels.traps import is_trap_title
from tidegate.risk.late import Late
from tidegate.risk.values import PastCommit, Tag

SOON_SECONDS = 7 * 86400
"""A patch release that follows its predecessor so fast was not waited for, unless all releases here come so fast."""
FEW_COMMITS = 3
"""A patch release that holds no more than this, release commits, tests and documents aside, was made for its fixes,
unless all releases here are so small."""
HURRY = 4
"""How many times faster, or smaller, than the usual release here a release must be to say anything."""


def find_hotfixes(commits: Sequence[PastCommit], tags: Sequence[Tag], fixes: Collection[str]) -> dict[str, str]:
    """Which of the commits `fixes` are hot-fixes, with the reason in words.

    `commits` stand parents before children. A tag whose name holds no version says nothing.
    """
    found: dict[str, str] = {}
    for commit in commits:
        if commit.oid in fixes and _SAYS.search(commit.subject):
            found[commit.oid] = "its subject says hot-fix"
    for oid in _of_branches(commits):
        if oid in fixes:
            found.setdefault(oid, "merged from a branch for hot-fixes")
    releases = _releases(commits, tags)
    usual_gap = median(release.after for release in releases) if releases else 0.0
    usual_size = median(release.weighty for release in releases) if releases else 0.0
    for release in releases:
        reason = _reason(release, usual_gap / HURRY, usual_size / HURRY)
        for oid in release.commits if reason else ():
            if oid in fixes:
                found.setdefault(oid, reason)
    return found


# Private

_SAYS = Late(r"\bhot-?fix(?:es)?\b", re.IGNORECASE)
_BRANCH = Late(
    r"^merge (?:pull request #[0-9]+ from \S*?/"
    r"|(?:remote-tracking )?branch '?\S*?)hot-?fix(?:es)?[/_-]",
    re.IGNORECASE,
)
_VERSION = Late(
    r"(?:^|[^0-9.])(?P<major>[0-9]{1,5})\.(?P<minor>[0-9]{1,5})\.(?P<patch>[0-9]{1,5})"
    r"(?P<rest>(?:[.\-+_]?(?:final|release|ga))?)$",
    re.IGNORECASE,
)
_RELEASE_COMMIT = Late(
    r"(?:bump|release|prepare|preparing|version|set version|back to dev|start|tag|update (?:version|change))\b"
    r"|\[maven-release|v?[0-9]+\.[0-9]",
    re.IGNORECASE,
)
_MOST_OF_A_BRANCH = 30


class _Release(NamedTuple):
    """A release, how long after its predecessor it was made (seconds), and the commits that it was first in, of which
    so many are more than the release itself. `patch` says that it only mends what came before."""

    name: str
    after: int
    before: str
    commits: tuple[str, ...]
    weighty: int
    patch: bool


class _Version(NamedTuple):
    """`stem` is what stands before the figures: a repository may release several things."""

    stem: str
    major: int
    minor: int
    patch: int


def _reason(release: _Release, gap: float, size: float) -> str:
    if not release.weighty or not release.patch:
        return ""
    if release.weighty <= FEW_COMMITS and release.weighty <= size:
        return f"{release.name} was released for it"
    if 0 <= release.after <= SOON_SECONDS and release.after <= gap:
        return f"released in {release.name}, {max(1, release.after // 86400)} days after {release.before}"
    return ""


def _releases(commits: Sequence[PastCommit], tags: Sequence[Tag]) -> list[_Release]:
    """The releases with what each was the first to hold: every commit belongs to one release at most."""
    by_oid = {commit.oid: commit for commit in commits}
    place = {commit.oid: number for number, commit in enumerate(commits)}
    versions: dict[_Version, Tag] = {}
    for tag in tags:
        match = _VERSION.search(tag.name)
        if match and tag.commit in place:
            numbers = (int(match[part]) for part in ("major", "minor", "patch"))
            versions.setdefault(_Version(tag.name[: match.start("major")], *numbers), tag)
    seen: set[str] = set()
    latest: dict[str, Tag] = {}
    found: list[_Release] = []
    for version, tag in sorted(versions.items(), key=lambda item: (place[item[1].commit], item[0])):
        new = _unseen(tag.commit, by_oid, seen)
        former = latest.get(version.stem)
        latest[version.stem] = tag
        if former is not None:
            weighty = sum(1 for oid in new if _is_weighty(by_oid[oid]))
            before = versions.get(version._replace(patch=version.patch - 1))
            after = tag.at - (before or former).at
            found.append(_Release(tag.name, after, (before or former).name, tuple(new), weighty, before is not None))
    return found


def _unseen(start: str, by_oid: dict[str, PastCommit], seen: set[str]) -> list[str]:
    waiting, found = [start], []
    while waiting:
        oid = waiting.pop()
        if oid not in seen and oid in by_oid:
            seen.add(oid)
            found.append(oid)
            waiting += by_oid[oid].parents
    return found


def _is_weighty(commit: PastCommit) -> bool:
    """Whether a commit is more than the release itself, its tests or its documents."""
    return not (commit.is_merge or _RELEASE_COMMIT.match(commit.subject) or is_trap_title(commit.subject))


def _of_branches(commits: Sequence[PastCommit]) -> list[str]:
    """The commits that merges of hot-fix branches brought in, as far as each branch is a plain line of commits."""
    by_oid = {commit.oid: commit for commit in commits}
    found: list[str] = []
    for merge in commits:
        if len(merge.parents) != 2 or not _BRANCH.match(merge.subject):
            continue
        trunk = _first_parents(merge.parents[0], by_oid)
        oid = merge.parents[1]
        for _ in range(_MOST_OF_A_BRANCH):
            commit = by_oid.get(oid)
            if commit is None or oid in trunk or commit.is_merge or not is_fix(commit.message):
                break
            found.append(oid)
            oid = commit.parents[0] if commit.parents else ""
    return found


def _first_parents(start: str, by_oid: dict[str, PastCommit]) -> set[str]:
    found: set[str] = set()
    oid = start
    while oid in by_oid and len(found) < 20 * _MOST_OF_A_BRANCH:
        found.add(oid)
        parents = by_oid[oid].parents
        oid = parents[0] if parents else ""
    return found
