"""What deployments brought, for the pages: joined in the mirrors, and to the changes that are known here.

What lies between two commits never changes, so it is read once and kept within bounds. What cannot be read is said.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.git import Repository as Git
from tidegate.errors import InputError
from tidegate.rollout.joined import Joined, Landed, Unjoined, join
from tidegate.server.forge.merged import MergedAs
from tidegate.server.mirrors import Mirrors
from tidegate.server.production.tracing import find_repository
from tidegate.server.service import Service
from tidegate.store import assessments, changes, deployments
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change
from tidegate.store.deployments import Deployment
from tidegate.store.repositories import Repository

MOST_KNOWN = 200
"""Changes of one deployment that are looked for among those that are known here."""
_CHUNK = 400
_NUMBER = re.compile(r"(?:\(#|pull request #|merge request \S*!|See merge request \S*!)(\d{1,9})\b")


class Came(Struct, frozen=True):
    """A change as it landed, and what is known of it here; None where it is not known, or was never assessed."""

    landed: Landed
    change: Change | None
    assessment: Assessment | None


class Lookup:
    """One visit's questions to tables and mirrors. Mirrors are opened once; `seconds` is how long git may be asked."""

    def __init__(self, service: Service, connection: Connection, stack: ExitStack, seconds: float) -> None:
        self._service = service
        self._connection = connection
        self._stack = stack
        self._until = time.monotonic() + seconds
        self._repositories: dict[str, Repository | None] = {}
        self._mirrors: dict[int, Git | None] = {}

    def repository(self, name: str) -> Repository | None:
        """The repository that a deployment names, where it is looked after here."""
        if name not in self._repositories:
            self._repositories[name] = find_repository(self._connection, name) if name else None
        return self._repositories[name]

    def previous(self, one: Deployment) -> str:
        """What ran before, as its sender says or as the deployments before it tell; "" where nobody knows."""
        if one.previous:
            return one.previous
        before = deployments.ran_before(self._connection, one.environment, one.service, one.started)
        return before.revision if before is not None else ""

    def joined(self, one: Deployment) -> Joined | Unjoined | None:
        """What it brought and took away; None where there was no time left to read it."""
        repository, previous = self.repository(one.repository), self.previous(one)
        if repository is None:
            why = f"{one.repository[:80]} is not looked after here" if one.repository else "nobody says of which"
            return Unjoined("other-repository", why, "add the repository in the settings")
        if not one.revision or not previous:
            return _nothing_told(one)

        def read() -> Joined | Unjoined | None:
            if time.monotonic() > self._until:
                return None
            git = self.mirror(repository)
            if git is None:
                return Unjoined("unreadable", "its mirror is not on this machine", "wait until it is fetched")
            return join(git, previous, one.revision)

        return self._service.cache.get(("joined", repository.id, previous, one.revision), read, _size)

    def came(self, one: Deployment, landed: Sequence[Landed]) -> tuple[Came, ...]:
        """What landed, with the changes that are known here."""
        repository = self.repository(one.repository)
        known = self._known(repository, landed[:MOST_KNOWN]) if repository is not None else {}
        return tuple(Came(each, *known.get(each.commit, (None, None))) for each in landed)

    def mirror(self, repository: Repository) -> Git | None:
        if repository.id not in self._mirrors:
            try:
                opened = Mirrors(self._service.config.data / "mirrors").open(repository.forge, repository.slug)
                self._mirrors[repository.id] = self._stack.enter_context(opened)
            except InputError:
                self._mirrors[repository.id] = None
        return self._mirrors[repository.id]

    # Private

    def _known(
        self, repository: Repository, landed: Sequence[Landed]
    ) -> Mapping[str, tuple[Change | None, Assessment | None]]:
        """By commit. A number in a title is no proof: the change must have its head, its tree or its merge there."""
        heads = sorted({head for each in landed for head in each.heads})
        by_head: dict[str, Change] = {}
        for begin in range(0, len(heads), _CHUNK):
            some = heads[begin : begin + _CHUNK]
            by_head |= {one.head: one for one in changes.with_heads(self._connection, repository.id, some)}
        numbers = {each.commit: int(said[1]) for each in landed if (said := _NUMBER.search(each.title))}
        asked = sorted(set(numbers.values()))
        by_number = {one.number: one for one in changes.with_numbers(self._connection, repository.id, asked)}
        found: dict[str, tuple[Change | None, Assessment | None]] = {}
        for each in landed:
            change = next((by_head[head] for head in each.heads if head in by_head), None)
            proven = change is not None
            change = change or by_number.get(numbers.get(each.commit, 0))
            if change is None:
                continue
            last = assessments.latest(self._connection, change.id)
            same_tree = last is not None and each.tree == last.merge_tree
            if proven or same_tree or merged_as(change).merge_commit == each.commit:
                found[each.commit] = (change, last)
        return found


def merged_as(change: Change) -> MergedAs:
    """When and as which commit its forge says that it was merged; empty where it was not, or nobody says."""
    try:
        return msgspec.json.decode(change.forge_state, type=MergedAs)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return MergedAs()


def landed_as(change: Change, git: Git) -> str:
    """The commit by which the change can be found in what was deployed; "" where the mirror holds none."""
    named = [oid for oid in (merged_as(change).merge_commit, change.head) if _OID.fullmatch(oid)]
    known = git.look_up(named)
    return next((oid for oid, found in zip(named, known, strict=True) if found.kind == "commit"), "")


def holding(git: Git, commit: str, revisions: Sequence[str]) -> frozenset[str]:
    """Which of these revisions have the commit in their history. Two processes, whatever their number."""
    plain = sorted({each for each in revisions if _OID.fullmatch(each)})
    known = [each for each, found in zip(plain, git.look_up(plain), strict=True) if found.kind == "commit"]
    if not known:
        return frozenset()
    listed = git.run("rev-list", "--ancestry-path", "--end-of-options", *known, f"^{commit}")
    after = frozenset(listed.decode("ascii").split()) | {commit}
    return frozenset(known) & after


# Private

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def _nothing_told(one: Deployment) -> Unjoined:
    if not one.revision:
        return Unjoined("no-revision", "nobody says which commit it is", "have the sender report the commit")
    return Unjoined("no-previous", "nobody says what ran there before", "name it when deploying")


def _size(made: Joined | Unjoined | None) -> int:
    """What could not be read may be there later."""
    if not isinstance(made, Joined):
        return -1
    return 200 + sum(400 + len(each.title) + 90 * len(each.brings) for each in (*made.comes, *made.goes))
