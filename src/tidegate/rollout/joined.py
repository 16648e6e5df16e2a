"""A deployment joined to its changes: what lies between two deployed revisions, commit by commit.

A change is a commit of the first-parent history, so that a merge stands for all that it brought. What cannot be joined
is never an empty range: it is an `Unjoined` of a named kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.errors import InputError
from tidegate.rollout.values import Deployment

MOST_CHANGES = 10_000

Direction: TypeAlias = Literal["forward", "backward", "sideways", "same"]
UnjoinedKind: TypeAlias = Literal[
    "no-revision",
    "no-previous",
    "a-name",
    "unknown-revision",
    "unknown-previous",
    "ambiguous",
    "other-repository",
    "unrelated",
    "shallow",
    "too-many",
    "unreadable",
]


class Landed(Struct, frozen=True):
    """A change as it landed: `brings` are the commits beside itself that came with it, of a merge. `at` is Unix
    seconds of the committer's clock."""

    commit: str
    tree: str
    parents: tuple[str, ...]
    title: str
    author: str
    at: float
    brings: tuple[str, ...] = ()

    @property
    def heads(self) -> tuple[str, ...]:
        """The commits by which the change may have been known before it landed."""
        return (self.commit, *self.parents[1:])


class Joined(Struct, frozen=True):
    """The changes between what ran and what is to run, newest first: `comes` is new, `goes` is taken away.

    A forced roll-back goes backward: nothing comes. Sideways, both happen: the two are on different branches.
    """

    previous: str
    revision: str
    direction: Direction
    comes: tuple[Landed, ...] = ()
    goes: tuple[Landed, ...] = ()


class Unjoined(Struct, frozen=True):
    """Why a deployment could not be joined to its changes, and what would help."""

    kind: UnjoinedKind
    why: str
    mend: str = ""


def join(repository: Repository, previous: str, revision: str) -> Joined | Unjoined:
    """What deploying `revision` over `previous` brings and takes away. Both are object ids, whole or abbreviated.

    A handful of processes of git, whatever the number of changes.
    """
    for end, named in (("revision", revision), ("previous", previous)):
        if not named:
            return _missing(end)
        if not _OID.fullmatch(named):
            return Unjoined(
                "a-name", f"{named!r:.80} is a name, and names move", "report the commit itself: git rev-parse"
            )
    try:
        ends = [_find(repository, end, named) for end, named in (("revision", revision), ("previous", previous))]
        unknown = next((end for end in ends if isinstance(end, Unjoined)), None)
        if unknown is not None:
            return unknown
        new, old = (str(end) for end in ends)
        if new == old:
            return Joined(old, new, "same")
        return _between(repository, old, new)
    except InputError as error:
        return Unjoined("unreadable", error.what, error.mend)


def join_deployment(
    repository: Repository, deployment: Deployment, earlier: Sequence[Deployment], names: Sequence[str] = ()
) -> Joined | Unjoined:
    """The same of a deployment. Where its sender does not say what ran before, the `earlier` deployments do.

    `names` are what this repository is called; a deployment that names another one is not joined here.
    """
    if deployment.repository and names and deployment.repository not in names:
        return Unjoined(
            "other-repository", f"it is of {deployment.repository:.80}", "join it in the clone of that repository"
        )
    previous = deployment.previous or _revision_of(running_before(deployment, earlier))
    return join(repository, previous, deployment.revision)


def running_before(deployment: Deployment, others: Sequence[Deployment]) -> Deployment | None:
    """What ran of the same service in the same environment when this deployment began; None where nothing is known."""
    ran = [
        other
        for other in others
        if other.id != deployment.id
        and (other.environment, other.service) == (deployment.environment, deployment.service)
        and other.status == "succeeded"
        and other.action != "remove"
        and (other.started, other.id) < (deployment.started, deployment.id)
    ]
    return max(ran, key=lambda other: (other.started, other.id), default=None)


# Private

_OID = re.compile(r"[0-9a-f]{7,64}")


def _missing(end: str) -> Unjoined:
    if end == "revision":
        return Unjoined("no-revision", "nobody says which commit it is", "have the sender report the commit")
    return Unjoined(
        "no-previous", "nobody says what ran there before", "name it, or report the deployments of this environment"
    )


def _revision_of(deployment: Deployment | None) -> str:
    return deployment.revision if deployment is not None else ""


def _find(repository: Repository, end: str, named: str) -> str | Unjoined:
    """The whole object id of a commit."""
    (found,) = repository.look_up([f"{named}^{{commit}}"])
    if found.kind == "commit" and found.oid.startswith(named):
        return found.oid
    if len(named) < 40 and len(repository.run("rev-parse", f"--disambiguate={named}").split()) > 1:
        return Unjoined("ambiguous", f"{named} is the beginning of several objects", "report the whole object id")
    kind: UnjoinedKind = "unknown-revision" if end == "revision" else "unknown-previous"
    mend = "fetch more history: git fetch --unshallow" if repository.shallow else "fetch it: git fetch --all"
    return Unjoined(kind, f"no commit {named[:12]} is in this clone", mend)


def _between(repository: Repository, old: str, new: str) -> Joined | Unjoined:
    base = repository.run("merge-base", "--end-of-options", new, old, ok=(0, 1)).decode("ascii").strip()
    if not base:
        if repository.shallow:
            return _shallow()
        return Unjoined("unrelated", "the two have no history in common", "check which repository each is of")
    comes = _landed(repository, new, old) if base != new else ()
    goes = _landed(repository, old, new) if base != old else ()
    for side in (comes, goes):
        if isinstance(side, Unjoined):
            return side
    direction: Direction = "forward" if base == old else "backward" if base == new else "sideways"
    return Joined(old, new, direction, tuple(comes), tuple(goes))  # type: ignore[arg-type]


def _shallow() -> Unjoined:
    return Unjoined("shallow", "this clone ends before the two meet", "fetch more history: git fetch --unshallow")


def _landed(repository: Repository, head: str, without: str) -> tuple[Landed, ...] | Unjoined:
    """The first-parent history of `head` as far as `without` does not hold it, newest first."""
    listed = repository.run("rev-list", "--topo-order", "--parents", "--end-of-options", head, f"^{without}")
    parents: dict[str, tuple[str, ...]] = {}
    for line in listed.decode("ascii").splitlines():
        oid, *rest = line.split()
        parents[oid] = tuple(rest)
    if repository.shallow_edge & parents.keys():
        return _shallow()
    chain: list[str] = []
    at = head
    while at in parents:
        chain.append(at)
        at = parents[at][0] if parents[at] else ""
    if len(chain) > MOST_CHANGES:
        return Unjoined("too-many", f"more than {MOST_CHANGES:,} changes lie between them", "name a closer revision")
    commits = read_commit_objects(repository, chain)
    if len(commits) < len(chain):
        return Unjoined("unreadable", "a commit between them is larger than 1 MB", "name a closer revision")
    brings = _brought(chain, parents)
    return tuple(_of(commits[oid], brings.get(oid, ())) for oid in chain)


def _brought(chain: Sequence[str], parents: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What each merge was the first to bring, the oldest merge first."""
    seen = set(chain)
    found: dict[str, tuple[str, ...]] = {}
    for oid in reversed(chain):
        ahead = list(parents[oid][1:])
        brought: list[str] = []
        while ahead:
            commit = ahead.pop()
            if commit in parents and commit not in seen:
                seen.add(commit)
                brought.append(commit)
                ahead += parents[commit]
        if brought:
            found[oid] = tuple(brought)
    return found


def _of(commit: Commit, brings: tuple[str, ...]) -> Landed:
    return Landed(
        commit=commit.oid,
        tree=commit.tree,
        parents=commit.parents,
        title=commit.subject,
        author=f"{commit.author.name} <{commit.author.email}>",
        at=datetime.fromisoformat(commit.committed_at).timestamp(),
        brings=brings,
    )
