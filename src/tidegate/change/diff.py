"""The difference of two trees, or of many commits and their parents, as files and hunks. One git process streams it.

Where a hunk starts follows `diff -U0`: an empty side starts at the line *before* the hunk. `old_start=7, old_count=0`
is an insertion after old line 7 (0: at the top), `new_start=7, new_count=0` a deletion after new line 7. A side that
is not empty starts at its first line. Hunks of a renamed or copied file are against `old_path`. Symlinks, submodules
and binary files have no lines; of a file that changed its type only the side that is a regular file has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.diff_stream import DiffReader
from tidegate.change.git import BIG_FILE_BYTES, Repository
from tidegate.change.values import FileChange, show_path
from tidegate.errors import GitError
from tidegate.facts import Unknown

TEXT_BUDGET_BYTES = 64 << 20
"""Text kept over a whole change, with what Python adds to every line. Beyond it hunks keep their line numbers only."""

HUNK_BUDGET = 500_000
"""Hunks kept over a whole change. Beyond it the lines of a file are counted and not known."""

RENAME_LIMIT = 1000
"""Files on each side that are compared with each other to find renames with edits; git's own default."""


class DiffResult(Struct, frozen=True):
    """The files that differ, in path order, and what could not be told of them."""

    files: tuple[FileChange, ...]
    unknowns: tuple[Unknown, ...] = ()


class CommitDiff(Struct, frozen=True):
    """What a commit changed against one parent; `parent` is "" for the empty tree.

    `known` is False where the commit or the parent is not in this clone: then empty `files` say nothing.
    """

    oid: str
    parent: str
    files: tuple[FileChange, ...]
    known: bool = True


def read_diff(repository: Repository, old_tree: str, new_tree: str) -> DiffResult:
    """What differs between two trees (or commits), with renames and copies, and with text within a byte budget.

    One process, and one more when binary files are among them: git calls files binary that are too large to compare.
    """
    reader = DiffReader(text=True, text_budget=TEXT_BUDGET_BYTES, hunk_budget=HUNK_BUDGET)
    complaints: list[str] = []
    arguments = (*_diff_tree("-M", "-C"), "--end-of-options", old_tree, new_tree)
    with repository.stream(*arguments, complaints=complaints) as output:
        found = reader.read_files(output)
        reader.expect_end(output)
    files, too_large = _without_large_files(repository, found)
    files.sort(key=lambda file: (file.path, file.old_path))
    skipped = any("rename detection was skipped" in line for line in complaints)
    return DiffResult(tuple(files), _unread(reader, too_large, skipped))


def read_diffs(repository: Repository, pairs: Sequence[tuple[str, str]]) -> Iterator[DiffResult | None]:
    """The same for many pairs of trees, in that order; None for a pair that git could not compare in this clone.

    One process for all of them, one more for a few dozen that hold binary files, and one for each of the first gaps.
    Lines are kept within the same budgets for each pair, and for a few dozen pairs at a time: let them go.
    """
    at = 0
    for _ in range(GAP_LIMIT):
        try:
            for result in _read_diffs(repository, pairs[at:]):
                at += 1
                yield result
        except GitError:
            yield _read_alone(repository, pairs[at])
            at += 1
        if at >= len(pairs):
            return
    for _ in pairs[at:]:
        yield None


def read_staged_diff(repository: Repository, base_tree: str) -> DiffResult:
    """What differs between a tree and the index. Raises InputError when the index holds unresolved conflicts."""
    return read_diff(repository, base_tree, repository.write_staged_tree())


def read_commit_diffs(repository: Repository, oids: Sequence[str], *, text: bool = False) -> Iterator[CommitDiff]:
    """What each commit changed, in the order asked: a merge yields one CommitDiff per parent, a root one in all.

    With renames, without copies. `text` keeps the lines, without a budget: take one and let it go. Four processes.
    """
    parents = {blob.name: _parents(blob.content) for blob in repository.read_blobs(oids) if blob.kind == "commit"}
    pairs = [(oid, parent) for oid in oids for parent in parents.get(oid) or ("",)]
    return read_parent_diffs(repository, pairs, text=text)


def read_parent_diffs(
    repository: Repository, pairs: Iterable[tuple[str, str]], *, text: bool = False
) -> Iterator[CommitDiff]:
    """One CommitDiff for each pair of a commit and what it is compared with ("": the empty tree), in that order.

    Two processes in all.
    """
    asked = list(pairs)
    trees = _read_trees(repository, asked)
    lines = [f"{trees[parent]} {trees[oid]}\n".encode("ascii") for oid, parent in asked if trees[parent] and trees[oid]]
    reader = DiffReader(text=text)
    waiting: CommitDiff | None = None  # yielded once what follows it proves that git did not stop in its middle
    with repository.stream(*_diff_tree("-M"), "--stdin", stdin=b"".join(lines)) as output:
        headers = iter(lines)
        for oid, parent in asked:
            known = bool(trees[parent] and trees[oid])
            if known:
                reader.expect(output, next(headers), oid)
            if waiting is not None:
                yield waiting
            waiting = CommitDiff(oid, parent, tuple(reader.read_files(output)) if known else (), known)
        reader.expect_end(output)
    if waiting is not None:
        yield waiting


# Private

_WAITING_PAIRS = 48
_WAITING_LINES = 200_000
GAP_LIMIT = 32
"""So many times git is started again behind what it could not compare."""


class _Block(Struct):
    """The difference of one pair, and the reader that knows what it left out."""

    files: list[FileChange]
    reader: DiffReader


def _read_diffs(repository: Repository, pairs: Sequence[tuple[str, str]]) -> Iterator[DiffResult]:
    """Results up to the first pair that git cannot compare; there GitError, when all before it were yielded."""
    headers = [f"{old} {new}\n".encode("ascii") for old, new in pairs]
    waiting: list[_Block] = []
    lines = 0
    failed: GitError | None = None
    try:
        with repository.stream(*_diff_tree("-M", "-C"), "--stdin", stdin=b"".join(headers)) as output:
            reader = DiffReader(text=False)
            for header, (_, new) in zip(headers, pairs, strict=True):
                reader.expect(output, header, new)
                # What follows a block proves that git did not stop in its middle, so the last one is held back.
                if len(waiting) > _WAITING_PAIRS or lines > _WAITING_LINES:
                    yield from _settle(repository, waiting)
                    waiting, lines = [], 0
                reader = DiffReader(text=True, text_budget=TEXT_BUDGET_BYTES, hunk_budget=HUNK_BUDGET)
                waiting.append(_Block(reader.read_files(output), reader))
                lines += sum(file.added + file.deleted for file in waiting[-1].files)
            reader.expect_end(output)
    except GitError as error:
        failed = error
        waiting = waiting[:-1]
    yield from _settle(repository, waiting)
    if failed is not None:
        raise failed


def _read_alone(repository: Repository, pair: tuple[str, str]) -> DiffResult | None:
    """The pair that git had not finished. It may be whole: git can also have stopped before it began the next one."""
    try:
        return next(_read_diffs(repository, [pair]))
    except GitError:
        return None


def _settle(repository: Repository, blocks: Sequence[_Block]) -> Iterator[DiffResult]:
    oids = {oid for b in blocks for file in b.files if file.binary for oid in (file.old_oid, file.new_oid)}
    answers = repository.look_up(sorted(oids - {repository.null_oid}))
    large = frozenset(answer.oid for answer in answers if answer.size > BIG_FILE_BYTES)
    for block in blocks:
        files, too_large = _apart(block.files, large)
        files.sort(key=lambda file: (file.path, file.old_path))
        yield DiffResult(tuple(files), _unread(block.reader, too_large, _many_renames(files)))


def _many_renames(files: Sequence[FileChange]) -> bool:
    """Whether git gave up looking for renames; of many pairs its complaint does not say which one it means."""
    added = sum(file.status == "added" for file in files)
    return added * sum(file.status != "added" for file in files) > RENAME_LIMIT**2


def _diff_tree(*renames: str) -> tuple[str, ...]:
    """The question, with every option said that decides how the answer looks."""
    return (
        *("diff-tree", "-r", "--raw", "-p", "-U0", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv"),
        *("--submodule=short", "--ignore-submodules=none", "--diff-algorithm=myers", "--indent-heuristic"),
        *("--src-prefix=a/", "--dst-prefix=b/", "--no-relative", "--inter-hunk-context=0", f"-l{RENAME_LIMIT}"),
        *renames,
    )


def _parents(content: bytes) -> tuple[str, ...]:
    head = content.partition(b"\n\n")[0]
    return tuple(line[7:].decode("ascii", "replace") for line in head.split(b"\n") if line.startswith(b"parent "))


def _read_trees(repository: Repository, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Commit to its tree, "" where this clone does not hold it."""
    commits = list(dict.fromkeys(oid for pair in pairs for oid in pair if oid))
    answers = repository.look_up(f"{oid}^{{tree}}" for oid in commits)
    trees = {oid: answer.oid for oid, answer in zip(commits, answers, strict=True)}
    return {**trees, "": repository.empty_tree}


def _without_large_files(
    repository: Repository, files: Sequence[FileChange]
) -> tuple[list[FileChange], list[FileChange]]:
    """The files, and again those that git called binary for their size alone: their lines are not known."""
    oids = {oid for file in files if file.binary for oid in (file.old_oid, file.new_oid)} - {repository.null_oid}
    return _apart(files, {answer.oid for answer in repository.look_up(sorted(oids)) if answer.size > BIG_FILE_BYTES})


def _apart(files: Sequence[FileChange], large: Collection[str]) -> tuple[list[FileChange], list[FileChange]]:
    too_large = [
        replace(file, binary=False, kind="source", lines_known=False)
        for file in files
        if file.binary and (file.old_oid in large or file.new_oid in large)
    ]
    by_path = {file.path: file for file in too_large}
    return [by_path.get(file.path, file) for file in files], too_large


_COUNTS = ("lines_added", "lines_deleted", "source_lines_added", "source_lines_deleted", "test_lines_added")
_BY_CONTENT = ("domains", "domain_hits", "critical_domains", "breadth")


def _unknown_lines(files: Sequence[FileChange], reason: str) -> list[Unknown]:
    if not files:
        return []
    return [Unknown(f"change.{name}", f"{_name(files)}: {reason}") for name in ("files", *_COUNTS, *_BY_CONTENT)]


def _unknown_text(files: Sequence[FileChange]) -> list[Unknown]:
    reason = f"past {TEXT_BUDGET_BYTES >> 20} MB of changed lines, and content was not searched"
    return [Unknown(f"change.{name}", f"{_name(files)}: {reason}") for name in _BY_CONTENT] if files else []


def _unread(reader: DiffReader, too_large: Sequence[FileChange], renames_skipped: bool) -> tuple[Unknown, ...]:
    return (
        *_unknown_lines(too_large, f"larger than {BIG_FILE_BYTES >> 20} MB"),
        *_unknown_lines(reader.without_hunks, f"past {HUNK_BUDGET} hunks in one change"),
        *_unknown_text(reader.without_text),
        *(_unknown_renames() if renames_skipped else ()),
    )


def _unknown_renames() -> list[Unknown]:
    reason = f"more than {RENAME_LIMIT} files were added and deleted, so renames with edits were not looked for"
    return [Unknown("change.files.old_path", reason)]


def _name(files: Sequence[FileChange]) -> str:
    first = show_path(files[0].path)
    return first if len(files) == 1 else f"{first} and {len(files) - 1} more"
