"""The changes that landed on a branch, as they would have been read on the day they landed.

A change that landed is one commit of the branch's first-parent chain: a plain commit, or a merge against its first
parent. One `git log` lists them, one `git diff-tree` compares them, and what is asked beside (headers, attributes,
messages) is asked for a few hundred of them at a time: no process is started for a single commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.attributes import (
    FILE_NAME,
    LARGEST_BYTES,
    MOST_LINES,
    NO_ATTRIBUTES,
    Attributes,
    parse_attributes,
)
from tidegate.change.branches import NO_BRANCHES, Branches
from tidegate.change.classify import classify_files, find_hidden, find_uncounted, read_headers
from tidegate.change.collect import PIPELINE_DOMAIN, PIPELINES, PYPROJECT, WORKFLOWS
from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import DiffResult, read_diffs
from tidegate.change.domains import assign_domains
from tidegate.change.git import BLOB_LIMIT_BYTES, Repository
from tidegate.change.git_output import Blob
from tidegate.change.intent import read_intent
from tidegate.change.values import Change, Commit, FileChange, show_path
from tidegate.errors import GitError
from tidegate.facts import Unknown
from tidegate.settings import Settings

BATCH_CHANGES = 128
BATCH_FILES = 4000
BATCH_LINES = 150_000
"""A batch ends when it has reached one of these."""


class Landing(Struct, frozen=True, gc=False):
    """One change that landed: `oid` on the chain, `parent` before it ("" for the first), their trees, and when.

    `landed_at` is the committer's time in Unix seconds. `brought` are the commits that it brought to the branch,
    parents before children, itself last. `author` is its author's e-mail in small letters, `authors` those of the
    brought commits that are no merges. `cut` says that the clone ends here: what it changed is not in it.
    """

    oid: str
    parent: str
    tree: str
    parent_tree: str
    landed_at: int
    author: str
    authors: tuple[str, ...]
    brought: tuple[str, ...]
    cut: bool = False


class PastRead(NamedTuple):
    """A change that landed, as it was read; None where this clone does not hold what it changed.

    `repository` answers for the blobs that `collect_change` asks of it, without a process where they are known.
    """

    landing: Landing
    change: Change | None
    repository: Repository


def read_landings(repository: Repository, until: str) -> tuple[Landing, ...]:
    """The changes that landed on the way to `until`, the oldest first. One process.

    Raises GitError where the clone lacks commits and does not say that it is shallow.
    """
    nodes = _read_nodes(repository, until)
    chain: list[str] = []
    at = next(iter(nodes), "")
    while at in nodes:
        chain.append(at)
        at = nodes[at].parents[0] if nodes[at].parents else ""
    chain.reverse()
    seen: set[str] = set()
    return tuple(_landing(nodes, oid, seen, repository) for oid in chain)


def read_past_changes(
    repository: Repository, landings: Sequence[Landing], settings: Settings, branches: Branches = NO_BRANCHES
) -> Iterator[PastRead]:
    """What each of these changed, in that order. Neighbours on the branch cost least.

    Attributes and headers count as the base of each change has them, as `read_change` counts them.
    """
    yield from (PastRead(landing, None, repository) for landing in landings if landing.cut)
    whole = [landing for landing in landings if not landing.cut]
    diffs = read_diffs(repository, [(landing.parent_tree, landing.tree) for landing in whole])
    marks = _MarksWalk(repository)
    for batch in _batches(zip(whole, diffs, strict=True)):
        found = {read.landing.oid: read for read in _read_batch(repository, batch, marks, (settings, branches))}
        for landing, _ in batch:
            yield found[landing.oid]


# Private


class _Node(NamedTuple):
    tree: str
    at: int
    author: str
    parents: tuple[str, ...]
    place: int


class _Marks(NamedTuple):
    """The attributes of a tree. `unread` are the folders whose file could not be read whole, with the reason."""

    attributes: Attributes = NO_ATTRIBUTES
    unread: tuple[tuple[bytes, str], ...] = ()


class _Compared(NamedTuple):
    """A change with its files as git showed them, and the attributes of both its trees."""

    landing: Landing
    diff: DiffResult
    before: _Marks
    after: _Marks


def _read_nodes(repository: Repository, until: str) -> dict[str, _Node]:
    """Every commit that `until` holds, children before parents."""
    nodes: dict[str, _Node] = {}
    arguments = ("log", "--topo-order", "--no-mailmap", "--format=%H %T %P%x09%ct%x09%ae", "--end-of-options", until)
    with repository.stream(*arguments) as output:
        for place, line in enumerate(output):
            oids, at, author = line.rstrip(b"\n").split(b"\t", 2)
            oid, tree, *parents = oids.decode("ascii").split()
            number = int(at) if at.lstrip(b"-").isdigit() else 0
            nodes[oid] = _Node(tree, number, author.decode("utf-8", "backslashreplace").lower(), tuple(parents), place)
    return nodes


def _landing(nodes: Mapping[str, _Node], oid: str, seen: set[str], repository: Repository) -> Landing:
    node = nodes[oid]
    parent = node.parents[0] if node.parents else ""
    brought = _unseen(nodes, oid, seen)
    cut = oid in repository.shallow_edge or bool(parent and parent not in nodes)
    return Landing(
        oid=oid,
        parent=parent,
        tree=node.tree,
        parent_tree=nodes[parent].tree if parent in nodes else repository.empty_tree,
        landed_at=node.at,
        author=node.author,
        authors=tuple(nodes[one].author for one in brought if len(nodes[one].parents) < 2),
        brought=tuple(sorted(brought, key=lambda one: -nodes[one].place)),
        cut=cut,
    )


def _unseen(nodes: Mapping[str, _Node], oid: str, seen: set[str]) -> list[str]:
    found: list[str] = []
    todo = [oid]
    while todo:
        one = todo.pop()
        if one in nodes and one not in seen:
            seen.add(one)
            found.append(one)
            todo += nodes[one].parents
    return found


_Pair = tuple[Landing, DiffResult | None]


def _batches(pairs: Iterable[_Pair]) -> Iterator[list[_Pair]]:
    batch: list[_Pair] = []
    files = lines = 0
    for landing, diff in pairs:
        batch.append((landing, diff))
        files += len(diff.files) if diff else 0
        lines += sum(file.added + file.deleted for file in diff.files) if diff else 0
        if len(batch) >= BATCH_CHANGES or files >= BATCH_FILES or lines >= BATCH_LINES:
            yield batch
            batch, files, lines = [], 0, 0
    if batch:
        yield batch


def _read_batch(
    repository: Repository, batch: Sequence[_Pair], marks: _MarksWalk, how: tuple[Settings, Branches]
) -> Iterator[PastRead]:
    compared = [_Compared(landing, diff, *marks.step(landing, diff)) for landing, diff in batch if diff is not None]
    described = _describe(repository, compared, how[0])
    commits = read_commit_objects(repository, [oid for landing, _ in batch for oid in landing.brought])
    prepared = _Prepared(repository, _policy_blobs(file for files in described for file in files))
    for landing, diff in batch:
        if diff is None:
            yield PastRead(landing, None, repository)
    for one, files in zip(compared, described, strict=True):
        yield PastRead(one.landing, _change(one, files, commits, how), prepared)


def _change(
    one: _Compared, files: tuple[FileChange, ...], commits: Mapping[str, Commit], how: tuple[Settings, Branches]
) -> Change:
    settings, branches = how
    landing = one.landing
    brought = tuple(commits[oid] for oid in landing.brought if oid in commits)
    unknowns = [
        *one.diff.unknowns,
        *_unread_marks(one),
        *find_uncounted(files, settings),
        *_missing_commits(landing, brought),
    ]
    return Change(
        kind="commit",
        chosen=_chosen(landing, commits),
        base=landing.parent,
        head=landing.oid,
        base_tree=landing.parent_tree,
        head_tree=landing.tree,
        target="",
        source="",
        commits=brought,
        files=files,
        intent=read_intent(_description(brought)),
        unknowns=tuple(unknowns),
        findings=find_hidden(files, one.before.attributes, one.after.attributes),
        branches=branches,
    )


def _chosen(landing: Landing, commits: Mapping[str, Commit]) -> str:
    parents = len(commits[landing.oid].parents) if landing.oid in commits else 1
    against = f"against its parent {landing.parent[:7]}" if landing.parent else "against nothing: it has no parent"
    if parents > 1:
        against = f"against the first of its {parents} parents, {landing.parent[:7]}"
    return f"{landing.oid[:12]}: the commit, {against}"


def _description(commits: Sequence[Commit]) -> str:
    own = [commit for commit in commits if len(commit.parents) < 2] or list(commits[-1:])
    return "\n\n".join(commit.message for commit in reversed(own))


def _missing_commits(landing: Landing, brought: Sequence[Commit]) -> list[Unknown]:
    missing = len(landing.brought) - len(brought)
    if not missing:
        return []
    fields = ("commits", "commits_total", "merges", "title", "author", "intent")
    return [Unknown(f"change.{name}", f"{missing} of its commits are larger than 1 MB") for name in fields]


def _describe(
    repository: Repository, compared: Sequence[_Compared], settings: Settings
) -> list[tuple[FileChange, ...]]:
    """The files of each change with kind, language, generated, vendored, domains and critical filled.

    Tables are compiled for every call below, so all changes of a batch that have the same attributes share one.
    """
    numbered = [replace(f, path=b"%d %s" % (n, f.path)) for n, one in enumerate(compared) for f in one.diff.files]
    headed = _read_headers(repository, numbered)
    classified: list[FileChange] = []
    starts = [n for n, one in enumerate(compared) if not n or one.before is not compared[n - 1].before]
    for start, stop in pairwise([*starts, len(compared)]):
        group = [(n, file) for n in range(start, stop) for file in compared[n].diff.files]
        with_header = [b"%d %s" % (n, file.path) in headed for n, file in group]
        paths = frozenset(file.path for (_, file), head in zip(group, with_header, strict=True) if head)
        before = compared[start].before.attributes
        plain = iter(
            classify_files([f for (_, f), h in zip(group, with_header, strict=True) if not h], before, settings)
        )
        said = [f for (_, f), h in zip(group, with_header, strict=True) if h]
        generated = iter(classify_files(said, before, settings, paths) if said else ())
        classified += [next(generated if head else plain) for head in with_header]
    assigned = iter(assign_domains(classified, settings))
    return [tuple(next(assigned) for _ in one.diff.files) for one in compared]


def _read_headers(repository: Repository, files: Sequence[FileChange]) -> frozenset[bytes]:
    """`read_headers` of any number of files, as many at a time as it reads."""
    found: set[bytes] = set()
    for start in range(0, len(files), BATCH_FILES):
        found |= read_headers(repository, files[start : start + BATCH_FILES])
    return frozenset(found)


class _MarksWalk:
    """The attributes along the branch: listed once where it begins, then followed by what each change does to them."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._tree = ""
        self._blobs: dict[bytes, str] = {}
        self._marks = _Marks()

    def step(self, landing: Landing, diff: DiffResult) -> tuple[_Marks, _Marks]:
        """The attributes of the base and of the head of a change."""
        if self._tree != landing.parent_tree:
            self._blobs = self._list(landing.parent_tree)
            self._marks = self._read()
        before = self._marks
        touched = [file for file in diff.files if _is_attributes(file.path) or _is_attributes(file.old_path)]
        if touched:
            self._blobs = dict(self._blobs)
            for file in touched:
                if file.status in ("deleted", "renamed"):
                    self._blobs.pop(_folder(file.old_path), None)
                if file.status != "deleted" and _is_attributes(file.path):
                    self._blobs[_folder(file.path)] = file.new_oid
            self._marks = self._read()
        self._tree = landing.tree
        return before, self._marks

    # Private

    def _list(self, tree: str) -> dict[bytes, str]:
        if tree == self._repository.empty_tree:
            return {}
        try:
            listed = self._repository.run("ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree)
        except GitError:
            return {}
        entries = (entry.partition(b"\t") for entry in listed.split(b"\0") if entry)
        return {_folder(path): head.split()[2].decode("ascii") for head, _, path in entries if _is_attributes(path)}

    def _read(self) -> _Marks:
        if not self._blobs:
            return _Marks()
        folders = sorted(self._blobs)
        blobs = self._repository.read_blobs([self._blobs[folder] for folder in folders], limit=LARGEST_BYTES)
        files: dict[bytes, Any] = {}
        unread = []
        for folder, blob in zip(folders, blobs, strict=True):
            name = f"{show_path(folder)}{FILE_NAME}"
            if blob.kind == "too-large":
                unread.append((folder, f"{name} has {blob.size} bytes, more than {LARGEST_BYTES}"))
            elif blob.kind == "blob":
                lines = parse_attributes(blob.content)
                files[folder] = lines[-MOST_LINES:]
                if len(lines) > MOST_LINES:
                    unread.append((folder, f"{name} has more than {MOST_LINES} lines about generated files"))
        return _Marks(Attributes(files), tuple(unread))


def _is_attributes(path: bytes) -> bool:
    return path == FILE_NAME.encode() or path.endswith(b"/" + FILE_NAME.encode())


def _folder(path: bytes) -> bytes:
    return path[: len(path) - len(FILE_NAME)]


def _unread_marks(one: _Compared) -> list[Unknown]:
    unread = dict.fromkeys((*one.before.unread, *one.after.unread))
    touched = [file.path for file in one.diff.files] if unread else []
    return [Unknown("change.files", why) for folder, why in unread if any(path.startswith(folder) for path in touched)]


class _Prepared(Repository):
    """The same repository, of which some blobs were read ahead for many changes at once."""

    def __init__(self, repository: Repository, oids: Collection[str]) -> None:
        vars(self).update(vars(repository))  # the one that is open already: nothing is opened twice
        wanted = sorted(set(oids) - {repository.null_oid})
        self._known = {blob.name: blob for blob in repository.read_blobs(wanted, limit=1 << 20)}

    def read_blobs(self, names: Iterable[str], limit: int = BLOB_LIMIT_BYTES) -> Iterator[Blob]:
        asked = list(names)
        if limit <= 1 << 20 and all(name in self._known for name in asked):
            yield from (self._known[name] for name in asked)
        else:
            yield from super().read_blobs(asked, limit)

    def close(self) -> None:
        """Whoever opened the real one closes it."""


def _policy_blobs(files: Iterable[FileChange]) -> set[str]:
    """The blobs that `collect_change` reads to see whether a file says policy."""
    return {oid for file in files if _may_say_policy(file) for oid in (file.old_oid, file.new_oid)}


def _may_say_policy(file: FileChange) -> bool:
    paths = (file.path, file.old_path)
    named = any(path == PYPROJECT or path in PIPELINES or path.startswith(WORKFLOWS) for path in paths)
    return named or any(hit.domain == PIPELINE_DOMAIN for hit in file.domains)
