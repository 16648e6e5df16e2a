"""The commits between the oldest and the newest deployed revision, with what tells copies from repairs.

A handful of processes of git, whatever the number of commits. Patches are compared by `git patch-id --stable`, which
ignores line numbers and white space and keeps three lines around each change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from tidegate.change.commits import read_commit_objects
from tidegate.change.git import Repository
from tidegate.change.values import Commit
from tidegate.errors import InputError
from tidegate.risk.labels.named import Names, blamed_commits

MOST_COMMITS = 20_000
MOST_SPOKEN_OF = 1_000
PATCH_BYTES = 256 << 20


class Patch(NamedTuple):
    """The identity of a patch with three lines around each change, and of the bare changes; "" where there is none."""

    whole: str = ""
    bare: str = ""


class Past(Struct, frozen=True):
    """Commits, parents before children. Sets of commits are whole numbers: bit N is commit N.

    `ancestors` of a commit hold itself. `patches` and `undoing` are the identities of each commit's patch and of its
    opposite; a merge has none.
    """

    commits: tuple[Commit, ...]
    place: Mapping[str, int]
    ancestors: tuple[int, ...]
    patches: tuple[Patch, ...]
    undoing: tuple[Patch, ...]

    def has(self, one: int, other: int) -> bool:
        """Whether commit `one` comes before commit `other`, or is it."""
        return bool(self.ancestors[other] >> one & 1)

    def at(self, one: int) -> float:
        """When it was committed, Unix seconds."""
        return datetime.fromisoformat(self.commits[one].committed_at).timestamp()

    def written(self, one: int) -> float:
        """When it was written, which a copy made later keeps."""
        return min(self.at(one), datetime.fromisoformat(self.commits[one].authored_at).timestamp())

    def content(self, revision: str) -> int:
        """All commits of the past that a revision holds; none where it is older than all of them, or unknown."""
        place = self.place.get(revision)
        return self.ancestors[place] if place is not None else 0


def read_past(repository: Repository, revisions: Iterable[str], oldest: str) -> Past:
    """What the revisions hold and `oldest` does not. Raises InputError where that is too much, or cannot be read."""
    asked = [*sorted(set(revisions)), *([f"^{oldest}"] if oldest else [])]
    # Given on standard input, so that their number does not matter.
    listed = repository.run(
        "rev-list", "--date-order", "--reverse", "--stdin", stdin="".join(f"{one}\n" for one in asked).encode("ascii")
    )
    oids = listed.decode("ascii").split()
    if len(oids) > MOST_COMMITS:
        raise InputError(
            f"more than {MOST_COMMITS:,} commits were deployed in this time", mend="look at fewer deployments"
        )
    found = read_commit_objects(repository, oids)
    if len(found) < len(oids):
        raise InputError("a commit that was deployed is larger than 1 MB", mend="look at fewer deployments")
    commits = tuple(found[oid] for oid in oids)
    place = {oid: number for number, oid in enumerate(oids)}
    plain = [commit.oid for commit in commits if len(commit.parents) < 2]
    patches, bare, undoing, bare_undoing = (
        _patch_ids(repository, plain, how) for how in ((), ("-U0",), ("-R",), ("-R", "-U0"))
    )
    return Past(
        commits,
        place,
        _ancestors(commits, place),
        tuple(Patch(patches.get(oid, ""), bare.get(oid, "")) for oid in oids),
        tuple(Patch(undoing.get(oid, ""), bare_undoing.get(oid, "")) for oid in oids),
    )


def spoken_of(repository: Repository, past: Past, oldest: str) -> tuple[str, ...]:
    """The commits of this clone that messages of the past blame, and that neither it nor `oldest` holds: they never
    ran. None where the past with them would be too large."""
    called = {one.oid for commit in past.commits for one in blamed_commits(commit.message)}
    known = Names([*past.place, ""])
    unknown = sorted(start for start in called if not known.find(start, ""))[:MOST_SPOKEN_OF]
    found = {one.oid for one in repository.look_up(unknown) if one.kind == "commit"}
    if not found:
        return ()
    without = [*past.place, *([oldest] if oldest else [])]
    asked = [*sorted(found), *(f"^{oid}" for oid in without)]
    counted = repository.run("rev-list", "--count", "--stdin", stdin="".join(f"{one}\n" for one in asked).encode())
    more = int(counted)
    return tuple(sorted(found)) if 0 < more <= MOST_COMMITS - len(past.commits) else ()


class Pair(NamedTuple):
    """A commit, and what it is compared with."""

    oid: str
    against: str


def joint_patches(repository: Repository, pairs: Sequence[Pair]) -> dict[str, str]:
    """The identity of each whole difference, by the object id of its commit: what a squash of a branch would have.

    Without the lines around, which change when the branch comes onto a target that has moved on.
    """
    return _patch_ids(repository, [f"{pair.oid} {pair.against}" for pair in pairs], ("-U0",))


# Private

_DIFF = (
    *("diff-tree", "--stdin", "-r", "-p", "--root", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv"),
    *("--diff-algorithm=myers", "--full-index", "-U3", "--no-prefix"),
)


def _patch_ids(repository: Repository, asked: Sequence[str], how: tuple[str, ...]) -> dict[str, str]:
    if not asked:
        return {}
    with repository.stream(*_DIFF, *how, stdin="".join(f"{line}\n" for line in asked).encode("ascii")) as output:
        patches = output.read(PATCH_BYTES + 1)
        if len(patches) > PATCH_BYTES:
            raise InputError(
                f"what was deployed changed more than {PATCH_BYTES >> 20} MB of text", mend="look at fewer deployments"
            )
    said = repository.run("patch-id", "--stable", stdin=patches)
    pairs = (line.split() for line in said.decode("ascii").splitlines())
    return {oid: patch for patch, oid in pairs}


def _ancestors(commits: Sequence[Commit], place: Mapping[str, int]) -> tuple[int, ...]:
    found: list[int] = []
    for number, commit in enumerate(commits):
        bits = 1 << number
        for parent in commit.parents:
            if parent in place:
                bits |= found[place[parent]]
        found.append(bits)
    return tuple(found)
