"""The changes that a deployment brought, read once: their lines as they stand there, their words, their order.

All that `commits.py` and `prove.py` ask of git about a batch is asked here, by a constant number of processes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import CommitDiff, read_commit_diffs
from tidegate.change.git import Repository
from tidegate.change.lines import read_line_origins
from tidegate.change.meaning import describe_files
from tidegate.change.values import Commit, show_path
from tidegate.errors import InputError
from tidegate.operate.packages import read_packages
from tidegate.reach.entries.places import is_test
from tidegate.reach.languages import language_of
from tidegate.risk.features.tokens import words_of
from tidegate.settings import Settings

MOST_COMMITS = 2_000
MOST_READ_FILES = 400
LARGEST_BYTES = 2 << 20
MOST_DIFF_LINES = 20_000
"""Of a larger commit, so many lines tell its words."""


class BatchChange(Struct, frozen=True, kw_only=True):
    """One commit of a batch. `lines` are those of its lines that stand in the sources of the deployed revision.

    `sources` are the source files that it touches, under their names in the commit; tests, docs and data are none.
    """

    commit: Commit
    sources: frozenset[str]
    lines: Mapping[str, frozenset[int]]
    size: int
    words: frozenset[str]
    said: frozenset[str]


class Batch(Struct, frozen=True, kw_only=True):
    """The commits that are in `deployed` and not in `previous`, merges left out, the newest first.

    `packages` are the names under which the repository itself is installed elsewhere.
    `paths` are all files of the deployed revision; `owners` say by path and line which commit of the batch wrote it;
    `ancestors` are, for each commit of the batch, those of the batch that it holds (itself too).
    """

    previous: str
    deployed: str
    changes: tuple[BatchChange, ...]
    paths: frozenset[str]
    owners: Mapping[str, Mapping[int, str]]
    ancestors: Mapping[str, frozenset[str]]
    functions: Mapping[str, Spans]
    unknowns: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()

    def owner(self, path: str, line: int) -> str:
        """The commit of the batch that wrote a line, "" where it is older."""
        return self.owners.get(path, {}).get(line, "")

    def function(self, path: str, line: int) -> tuple[int, int] | None:
        """The first and last line of the innermost function around a line."""
        spans = self.functions.get(path)
        return spans.around(line) if spans is not None else None


class Spans(Struct, frozen=True):
    """The functions of a file, by first line; a function in another one comes after it."""

    firsts: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def around(self, line: int) -> tuple[int, int] | None:
        for at in range(bisect_right(self.firsts, line) - 1, -1, -1):
            if self.spans[at][1] >= line:
                return self.spans[at]
        return None


def read_batch(repository: Repository, settings: Settings, previous: str, deployed: str) -> Batch:
    """The batch between two deployed revisions. Raises InputError where nothing lies between them, or too much."""
    before, after = repository.resolve(previous), repository.resolve(deployed)
    listed = repository.run("rev-list", "--topo-order", "--parents", "--end-of-options", after, f"^{before}")
    walk = [row.split() for row in listed.decode("ascii").splitlines()]
    oids = [row[0] for row in walk if len(row) <= 2]
    where = f"{previous}..{deployed}"
    if not oids:
        raise InputError("no commit lies between the two revisions", where=where, mend="name the one that ran before")
    if len(oids) > MOST_COMMITS:
        raise InputError(f"{len(oids)} commits lie between the two", where=where, mend="name a nearer revision before")
    commits = read_commit_objects(repository, oids)
    origins = read_line_origins(repository, before, after)
    diffs = {diff.oid: _read(diff, settings) for diff in read_commit_diffs(repository, oids, text=True)}
    # Which files count is decided once, for all files of the batch.
    sources = frozenset(path for found in diffs.values() for path in found.sources)
    owners: dict[str, dict[int, str]] = {}
    lines: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    batch = frozenset(oids)
    for raw, runs in origins.runs.items():
        path = show_path(raw)
        if path in sources or _is_code(path):
            for run in runs:
                if run.commit in batch:
                    for line in range(run.line, run.line + run.count):
                        owners.setdefault(path, {})[line] = run.commit
                        lines[run.commit][path].add(line)
    changes = tuple(
        BatchChange(
            commit=commits[oid],
            sources=diffs[oid].sources,
            lines={path: frozenset(numbers) for path, numbers in lines.get(oid, {}).items()},
            size=diffs[oid].size,
            words=diffs[oid].words,
            said=words_of(commits[oid].message[:4000].replace("\n", " ").encode("utf-8", "replace")),
        )
        for oid in oids
        if oid in commits and oid in diffs
    )
    unread = [oid[:12] for oid in oids if oid not in commits or oid not in diffs]
    listing = repository.run("ls-tree", "-r", "-z", "--full-tree", "--name-only", after).split(b"\0")
    paths = frozenset(show_path(path) for path in listing if path)
    return Batch(
        previous=before,
        deployed=after,
        changes=changes,
        paths=paths,
        owners=owners,
        ancestors=_ancestors(walk, batch),
        functions=_functions(repository, after, owners),
        unknowns=tuple(f"{oid} could not be read" for oid in unread),
        packages=read_packages(repository, after, paths),
    )


# Private


class _Diff(Struct, frozen=True):
    sources: frozenset[str]
    size: int
    words: frozenset[str]


def _read(diff: CommitDiff, settings: Settings) -> _Diff:
    kept = [file for file in describe_files(diff.files, settings).files if file.kind == "source" and file.by_hand]
    kept = [file for file in kept if not is_test(show_path(file.path))]
    words: set[str] = set()
    left = MOST_DIFF_LINES
    for file in kept:
        for hunk in file.hunks:
            for line in (*hunk.added, *hunk.removed)[: max(left, 0)]:
                words |= words_of(line)
                left -= 1
    return _Diff(
        frozenset(show_path(file.path) for file in kept),
        sum(file.added + file.deleted for file in kept),
        frozenset(words),
    )


def _is_code(path: str) -> bool:
    return language_of(path) is not None and not is_test(path)


def _ancestors(walk: Sequence[Sequence[str]], batch: frozenset[str]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for oid, *parents in reversed(walk):
        own = frozenset((oid,)) & batch
        found[oid] = own.union(*(found.get(parent, frozenset()) for parent in parents))
    return {oid: held for oid, held in found.items() if oid in batch}


def _functions(repository: Repository, revision: str, paths: Iterable[str]) -> dict[str, Spans]:
    wanted = [path for path in sorted(paths) if language_of(path) is not None and "\n" not in path][:MOST_READ_FILES]
    found = {}
    names = (f"{revision}:{path}" for path in wanted)
    for path, blob in zip(wanted, repository.read_blobs(names, LARGEST_BYTES), strict=False):
        language = language_of(path)
        if blob.kind == "blob" and language is not None:
            symbols = language.read_symbols(blob.content, "." + path.rpartition(".")[2].lower())
            spans = sorted(
                {(one.line, one.end_line) for one in symbols.definitions if one.kind in _FUNCTIONS},
                key=lambda span: (span[0], -span[1]),
            )
            found[path] = Spans(tuple(first for first, _ in spans), tuple(spans))
    return found


_FUNCTIONS = ("function", "method", "property")


def count_words(batch: Batch) -> Counter[str]:
    """In how many changes of the batch each word stands, in the diff or in the message."""
    return Counter(word for change in batch.changes for word in change.words | change.said)
