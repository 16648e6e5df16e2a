"""Brings the kept history up to date with one commit, and says which of the kept commits that one does not hold."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from tidegate.change.git import Repository
from tidegate.risk.history.read import read_log
from tidegate.risk.history.store import Store
from tidegate.risk.history.walk import New, list_gone, list_new, reachable

BATCH = 4096
"""Commits that are kept at once; an interrupt loses at most these."""

Progress: TypeAlias = Callable[[int, int], None]


def bring_up_to_date(repository: Repository, until: str, store: Store, progress: Progress | None) -> frozenset[str]:
    """Reads and keeps what `until` holds and the store does not; the kept commits that `until` does not hold.

    One process where nothing is new and other branches are kept, none where `until` is all that is kept.
    """
    if until:
        _forget_outdated(repository, store)
        _forget_gone(repository, until, store)
    while until and not store.has(until):
        new = list_new(repository, until, store.tips())
        if _read_new(repository, New(store.lacking(new.oids), new.gaps), store, progress):
            break
    if store.gaps() and not store.value("objects"):
        store.set_value("objects", _state(repository.common_dir / "objects"))
    return store.outside(until)


# Private


def _read_new(repository: Repository, new: New, store: Store, progress: Progress | None) -> bool:
    """Whether all were kept by us; another process that keeps some of them ends it.

    Git reads the newest of each batch first: a pack holds the newest whole, and the older as what differs from it.
    """
    gaps = list(new.gaps)
    batches = [new.oids[start : start + BATCH] for start in range(0, len(new.oids), BATCH)]
    commits = read_log(repository, [oid for batch in batches for oid in reversed(batch)], gaps)
    done = 0
    for batch in batches:
        found = [commit for commit in islice(commits, len(batch)) if commit is not None]
        if not store.add(found[::-1], gaps):
            return False
        done += len(batch)
        if progress:
            progress(done, len(new.oids))
    return True


def _forget_outdated(repository: Repository, store: Store) -> None:
    """A clone that was deepened, or whose missing objects came, is read anew.

    A clone without contents gets some of them with every checkout: it is worth reading when a tenth came.
    """
    edge = _digest(sorted(repository.shallow_edge))
    if store.value("edge") != edge:
        store.empty()
        store.set_value("edge", edge)
    gaps = store.gaps()
    if not gaps:
        return
    state = _state(repository.common_dir / "objects")
    if store.value("objects") == state:
        return
    lacking = {gap.lacks for gap in gaps if gap.lacks}
    came = sum(answer.kind != "missing" for answer in repository.look_up(sorted(lacking)))
    if came * 10 >= len(lacking):
        store.empty()
        store.set_value("edge", edge)
    else:
        store.set_value("objects", state)


def _forget_gone(repository: Repository, until: str, store: Store) -> None:
    """Branches that the repository has dropped: git cannot say what they hold any more."""
    tips = store.tips()
    if set(tips) <= {until}:
        return
    gone = list_gone(repository, tips)
    if gone:
        store.keep_only(reachable(store.parents(), (*(tip for tip in tips if tip not in gone), until)))


def _state(objects: Path) -> str:
    """Changes whenever an object comes or goes: the times of the folders that hold them."""
    with os.scandir(objects) as entries:
        folders = sorted((entry.name, entry.stat().st_mtime_ns) for entry in entries if entry.is_dir())
    return _digest([f"{name} {at}" for name, at in folders])


def _digest(lines: list[str]) -> str:
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=12).hexdigest()
