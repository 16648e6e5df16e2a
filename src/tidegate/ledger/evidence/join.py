"""Which change a commit of a branch is: by what the forge says, by the head that it merged, or by its tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.ledger.evidence.record import Noted, Record
from tidegate.ledger.evidence.values import Branch, Commit, Merge
from tidegate.ledger.predicates.assessment import Assessment


class Joined(Struct, frozen=True):
    """A commit, what the forge says of its merge, its head ("": unknown), and every decision on that head.

    `part_of` is the last commit of a change that landed as several: it stands for all of them.
    """

    commit: Commit
    at: float
    at_from: str
    merge: Merge | None
    head: str
    decisions: tuple[Noted[Assessment], ...]
    part_of: str = ""


def join_branch(branch: Branch, record: Record, merges: Sequence[Merge] | None, now: float) -> list[Joined]:
    """Every commit of the branch in its order. A change is joined once: a tree that comes back proves nothing new."""
    known = _merges(merges or (), branch.ref)
    times = _times(branch.commits, known, now)
    before = {commit.oid: at for at, commit in enumerate(branch.commits)}
    heads: dict[str, str] = {}
    parts = _parts(branch, record, known)
    unplaced = {merge.head: merge for merge in merges or () if merge.target == branch.ref and not merge.commit}
    joined: list[Joined] = []
    for commit, (at, at_from) in zip(branch.commits, times, strict=True):
        merge = known.get(commit.oid)
        if commit.oid in parts and (merge is None or merge.commit != commit.oid):
            head, last = parts[commit.oid]
            joined.append(Joined(commit, at, at_from, merge, head, (), part_of=last))
            continue
        head = _head(commit, merge, record, branch.ref, (before, heads))
        if merge is None and head not in heads:
            merge = unplaced.get(head)
        if head:
            heads.setdefault(head, commit.oid)
        decisions = tuple(
            noted for noted in record.decisions.get(head, ()) if noted.says.head == head and _on(noted, branch.ref)
        )
        joined.append(Joined(commit, at, at_from, merge, head, decisions))
    return joined


# Private


def _merges(merges: Sequence[Merge], ref: str) -> dict[str, Merge]:
    found: dict[str, Merge] = {}
    for merge in merges:
        if merge.target == ref:
            for oid in (*merge.landed, merge.commit):
                found.setdefault(oid, merge)
    found.pop("", None)
    return found


def _times(commits: Sequence[Commit], known: Mapping[str, Merge], now: float) -> list[tuple[float, str]]:
    """When each commit came to the branch. A commit's date is its writer's word, so it counts only as far as it lies
    between the forge's times before and after: nobody leaves a period by a date."""
    latest = [now] * (len(commits) + 1)
    for at in range(len(commits) - 1, -1, -1):
        merge = known.get(commits[at].oid)
        latest[at] = min(latest[at + 1], merge.at) if merge else latest[at + 1]
    earliest, times = 0.0, []
    for at, commit in enumerate(commits):
        merge = known.get(commit.oid)
        if merge is not None:
            earliest = max(earliest, merge.at)
            times.append((merge.at, "forge"))
            continue
        bounded = min(max(commit.at, earliest), max(latest[at + 1], earliest))
        times.append((bounded, "commit" if bounded == commit.at else "neighbours"))
    return times


def _parts(branch: Branch, record: Record, known: Mapping[str, Merge]) -> dict[str, tuple[str, str]]:
    """The commits that came with a later one, each with the head of that change and that later one.

    Those that the forge says it landed, and where the branch was moved on to a head, the commits from its base to it.
    """
    parts = {oid: (merge.head, merge.commit) for oid, merge in known.items() if oid != merge.commit}
    place = {commit.oid: at for at, commit in enumerate(branch.commits)}
    for at, commit in enumerate(branch.commits):
        for noted in record.decisions.get(commit.oid, ()):
            base = place.get(noted.says.base)
            if noted.says.head == commit.oid and _on(noted, branch.ref) and base is not None:
                for between in branch.commits[base + 1 : at]:
                    if between.oid not in known and not _is_head(record, between.oid, branch.ref):
                        parts.setdefault(between.oid, (commit.oid, commit.oid))
    return parts


def _is_head(record: Record, oid: str, ref: str) -> bool:
    return any(noted.says.head == oid and _on(noted, ref) for noted in record.decisions.get(oid, ()))


def _head(
    commit: Commit,
    merge: Merge | None,
    record: Record,
    ref: str,
    seen: tuple[Mapping[str, int], Mapping[str, str]],
) -> str:
    if merge is not None:
        return merge.head
    for oid in (commit.oid, *commit.parents[1:2]):
        if _is_head(record, oid, ref):
            return oid
    if len(commit.parents) > 1:
        return commit.parents[1]
    return _head_by_tree(commit, record, ref, seen)


def _head_by_tree(commit: Commit, record: Record, ref: str, seen: tuple[Mapping[str, int], Mapping[str, str]]) -> str:
    """A squash: the tree that a decision foretold, made on top of its base, and by no commit before."""
    place, heads = seen
    at = place[commit.oid]
    for noted in record.decisions.get(commit.tree, ()):
        says = noted.says
        fits = says.merge_tree == commit.tree and _on(noted, ref) and place.get(says.base, at) < at
        if fits and says.head not in heads:
            return says.head
    return ""


def _on(noted: Noted[Assessment], ref: str) -> bool:
    return noted.says.target == ref
