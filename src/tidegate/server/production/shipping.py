"""What git says of what was deployed, in a process of its own: what stands in a mirror is somebody else's.

    python -m tidegate.server.production.shipping SECONDS MEMORY_MB

reads one `Asked` and writes one `Said`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from tidegate.operate.outcomes import Shipped
from tidegate.rollout.cycles import Cycle
from tidegate.rollout.values import Deployment
from tidegate.server.bounded import LARGEST, Bounds, child, run

if TYPE_CHECKING:
    from tidegate.change.git import Repository

BOUNDS = Bounds(60, 2048)
CHILD = child("tidegate.server.production.shipping")
MOST_PATHS = 1000
"""Of a commit that touches more files, these are found by path and the others are not."""


class Asked(Struct, frozen=True, kw_only=True):
    """Deployments of one repository, each with what ran before it, and the commits that are thought to be causes."""

    mirror: str
    deployments: tuple[Deployment, ...]
    causes: tuple[str, ...]


class Said(Struct, frozen=True, kw_only=True):
    """`unread` are the deployments that could not be joined, by id. `cycles` None: they could not be read.

    `paths`: the files that each cause touched, of those causes that are commits of this repository.
    """

    shipped: tuple[Shipped, ...]
    unread: tuple[str, ...]
    cycles: tuple[Cycle, ...] | None
    paths: Mapping[str, tuple[str, ...]]


def ask(asked: Asked, command: Sequence[str] = CHILD, bounds: Bounds = BOUNDS) -> Said | None:
    """The answer; None where it took more than its bounds, or failed."""
    said = run(command, msgspec.json.encode(asked), bounds)
    return None if said is None else msgspec.json.decode(said, type=Said)


def read(asked: Asked) -> Said:
    """What the mirror says. InputError where it is none."""
    from tidegate.change.git import open_repository
    from tidegate.errors import InputError
    from tidegate.rollout.cycles import find_cycles
    from tidegate.rollout.joined import Joined, Unjoined, join

    with open_repository(Path(asked.mirror), bare=True) as repository:
        ranges: dict[tuple[str, str], Joined | Unjoined] = {}
        shipped, unread = [], []
        for one in asked.deployments:
            ends = (one.previous, one.revision)
            if ends not in ranges:
                ranges[ends] = join(repository, *ends)
            joined = ranges[ends]
            if isinstance(joined, Joined):
                shipped.append(Shipped(deployment=one, joined=joined))
            else:
                unread.append(one.id)
        try:
            cycles: tuple[Cycle, ...] | None = find_cycles(repository, asked.deployments)
        except InputError:
            cycles = None
        known = repository.look_up(asked.causes)
        commits = [oid for oid, found in zip(asked.causes, known, strict=True) if found.kind == "commit"]
        return Said(shipped=tuple(shipped), unread=tuple(unread), cycles=cycles, paths=_paths(repository, commits))


def main(arguments: Sequence[str]) -> int:
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Asked)
        sys.stdout.buffer.write(msgspec.json.encode(read(asked)))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


def _paths(repository: Repository, commits: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    from tidegate.change.diff import read_commit_diffs
    from tidegate.change.values import show_path

    found: dict[str, set[str]] = {commit: set() for commit in commits}
    for diff in read_commit_diffs(repository, commits):
        touched = (path for file in diff.files for path in (file.path, file.old_path) if path)
        found[diff.oid].update(map(show_path, touched))
    return {commit: tuple(sorted(paths)[:MOST_PATHS]) for commit, paths in found.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
