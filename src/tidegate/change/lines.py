"""Which commit of a range wrote each line that the range adds, from the commits' diffs alone.

A file's lines are kept as runs: so many lines, from that line on of that path in that commit's tree. Walking the range
from its oldest commit to its head, each commit's hunks cut and splice the runs of its parents. This asks git twice per
range, where blame asks once per file and reads whole files at every step.

A line that some parent holds unchanged is that parent's. Where several hold it, one from outside the range wins (a line
that the base had is not the branch's), then the first parent, as in `git blame`. A line that no parent of a merge holds
was written in the merge. What cannot be told (a diff too large to read, the edge of a shallow clone, a line that the
total diff shows as added and the commits' diffs as moved) has commit "": never a guess.

A squash merge is a merge that forgot its second parent. `read_joined_origins` gives it back: its lines that its first
parent does not hold are followed into the head of the pull request.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from tidegate.change.diff import CommitDiff, read_diff
from tidegate.change.gaps import read_diffs_with_gaps
from tidegate.change.git import Repository
from tidegate.change.values import FileChange


class LineRun(Struct, frozen=True, gc=False):
    """Lines `line` to `line + count - 1` stand in `commit` at `path` from `commit_line` on. Commit "" means unknown."""

    line: int
    count: int
    commit: str
    path: bytes
    commit_line: int


class LineOrigins(Struct, frozen=True):
    """Where the added lines of a change come from: path at head to runs in line order, only of lines that it adds."""

    runs: Mapping[bytes, tuple[LineRun, ...]]

    def origin(self, path: bytes, line: int) -> LineRun | None:
        """The one line's origin as a run of one, or None for a line that the change does not add."""
        runs = self.runs.get(path, ())
        index = bisect_right(runs, line, key=lambda run: run.line) - 1
        if index < 0 or line >= runs[index].line + runs[index].count:
            return None
        return next(self.slice(path, line, 1))

    def slice(self, path: bytes, line: int, count: int) -> Iterator[LineRun]:
        """The origins of `count` lines from `line` on; lines that the change does not add come with commit ""."""
        runs = self.runs.get(path, ())
        index = max(bisect_right(runs, line, key=lambda run: run.line) - 1, 0)
        end = line + count
        while line < end:
            run = runs[index] if index < len(runs) else None
            stop = end if run is None else min(end, run.line)
            if run is not None and run.line <= line < run.line + run.count:
                stop = min(end, run.line + run.count)
                start = run.commit_line + line - run.line if run.commit else 0
                yield LineRun(line, stop - line, run.commit, run.path, start)
            elif line < stop:
                yield LineRun(line, stop - line, "", b"", 0)
            line = max(line, stop)
            index += run is not None and run.line + run.count <= line

    def positions(self) -> dict[tuple[str, bytes], list[tuple[int, int, bytes, int]]]:
        """The way back: (commit, path) to (line there, count, path at head, line at head), in line order there."""
        found: dict[tuple[str, bytes], list[tuple[int, int, bytes, int]]] = {}
        for path, runs in self.runs.items():
            for run in runs:
                if run.commit:
                    found.setdefault((run.commit, run.path), []).append((run.commit_line, run.count, path, run.line))
        for places in found.values():
            places.sort()
        return found


class Join(NamedTuple):
    """A commit to be read as a merge of its own first parent ("" for a root) and of `sources`.

    `within` are the commits whose lines may be named; every other commit counts as older.
    """

    commit: str
    first_parent: str
    sources: tuple[str, ...]
    within: frozenset[str]


def read_line_origins(
    repository: Repository, base: str, head: str, files: Sequence[FileChange] | None = None
) -> LineOrigins:
    """The origin in `base..head` of every line that the difference of the two trees adds.

    `base` and `head` are commits; "" as base takes the whole history of head. `files` spares reading the total
    difference again.
    """
    if files is None:
        files = read_diff(repository, base or repository.empty_tree, head).files
    listed = repository.run(
        "rev-list", "--topo-order", "--reverse", "--parents", "--end-of-options", head, *([f"^{base}"] if base else [])
    )
    walk = [(oid, tuple(parents)) for oid, *parents in (line.split() for line in listed.decode("ascii").splitlines())]
    tip = walk[-1][0] if walk else ""
    state = _compose(repository, walk, keep={tip}).get(tip, {})
    return LineOrigins({file.path: runs for file in files if (runs := _added_runs(file, state))})


def read_joined_origins(
    repository: Repository, walk: Sequence[tuple[str, tuple[str, ...]]], joins: Sequence[Join]
) -> Iterator[tuple[Join, LineOrigins, CommitDiff]]:
    """For each join, the origins of the lines that its commit adds to its first parent, and that diff.

    `walk` holds every commit of every `within` with its parents, older before newer. Two processes for all joins.
    Lines that the sources do not hold either have the joined commit itself as their origin.
    """
    wanted = {source for join in joins for source in join.sources}
    states = _compose(repository, walk, keep=wanted)
    pairs = [(j.commit, parent) for j in joins for parent in (j.first_parent, *j.sources)]
    diffs = read_diffs_with_gaps(repository, pairs)
    for join in joins:
        own = next(diffs)
        others = [(next(diffs), states.get(source, {})) for source in join.sources]
        readable = [(diff.files, state) for diff, state in others if diff.known]
        state = _merge(
            join.commit, [{}, *(state for _, state in readable)], [own.files, *(files for files, _ in readable)]
        )
        within = join.within | {join.commit}
        runs = {file.path: found for file in own.files if (found := _added_runs(file, state, within))}
        yield join, LineOrigins(runs), own


# Private

_Segment: TypeAlias = tuple[int, "_Origin | None", int]
"""So many lines, of that commit and path (None: older than the range), from that line on."""

_Segments: TypeAlias = Sequence[_Segment]
_State: TypeAlias = dict[bytes, _Segments]
"""Path to segments for every file that the range touched. A path that is not in it is older as a whole."""

_END = 1 << 60
"""Lines of a file whose length nobody needs to know."""


class _Origin(NamedTuple):
    commit: str
    path: bytes


_OLD: _Segments = ((_END, None, 0),)
_NEW = _Origin("", b"")
"""Marks lines that a parent does not hold, while the parents of a merge are compared."""


def _compose(repository: Repository, walk: Sequence[tuple[str, tuple[str, ...]]], keep: set[str]) -> dict[str, _State]:
    """The states of the commits in `keep`. A state is dropped, or handed on, when its last child has read it."""
    edge = repository.shallow_edge
    inside = {oid for oid, _ in walk}
    children = Counter(parent for _, parents in walk for parent in parents)
    children.update(keep)
    states: dict[str, _State] = {}
    pairs = [(oid, parent) for oid, parents in walk if oid not in edge for parent in parents or ("",)]
    diffs = read_diffs_with_gaps(repository, pairs)
    for oid, parents in walk:
        if oid in edge:
            continue
        before: list[_State] = []
        for parent in parents:
            children[parent] -= 1
            last = children[parent] == 0
            known = (states.pop(parent, None) if last else states.get(parent)) if parent in inside else None
            before.append(known if known is not None and last else dict(known or {}))
        read = [next(diffs) for _ in parents or ("",)]
        if not children[oid] or not all(diff.known for diff in read):
            continue
        changes = [diff.files for diff in read]
        first = before[0] if before else {}
        states[oid] = _merge(oid, before, changes) if len(before) > 1 else _advance(oid, first, changes[0])
    return states


def _advance(commit: str, state: _State, changes: Iterable[FileChange]) -> _State:
    """The state of a commit from that of its only parent, which it takes over."""
    updates: _State = {}
    gone: list[bytes] = []
    for file in changes:
        if file.status in ("deleted", "renamed"):
            gone.append(file.old_path)
        if file.status != "deleted":
            updates[file.path] = _splice(file, _before(file, state), _Origin(commit, file.path))
    for path in gone:
        state.pop(path, None)
    state.update(updates)
    return state


def _merge(commit: str, parents: Sequence[_State], changes: Sequence[Sequence[FileChange]]) -> _State:
    """The state of a commit with several parents. The first parent's state is taken over."""
    changed = [{file.path: file for file in files if file.status != "deleted"} for files in changes]
    gone = {file.old_path for files in changes for file in files if file.status in ("deleted", "renamed")}
    touched: set[bytes] = set().union(*changed)
    updates: _State = {}
    for path in touched.union(*parents) - (gone - touched):
        if path in touched:
            candidates = [_candidate(path, files, state) for files, state in zip(changed, parents, strict=True)]
        else:
            candidates = [state.get(path, _OLD) for state in parents]
        first = candidates[0]
        if path in touched or any(other is not first for other in candidates):
            updates[path] = _choose(candidates, _Origin(commit, path))
    state = parents[0]
    for path in gone.union(path for path, segments in updates.items() if segments is _OLD):
        state.pop(path, None)
    state.update((path, segments) for path, segments in updates.items() if segments is not _OLD)
    return state


def _candidate(path: bytes, changed: Mapping[bytes, FileChange], state: _State) -> _Segments:
    """A merge's file as one parent sees it; lines that the parent does not hold are marked as new."""
    file = changed.get(path)
    if file is None:
        return state.get(path, _OLD)
    return _splice(file, _before(file, state), _NEW)


def _choose(candidates: Sequence[_Segments], own: _Origin) -> _Segments:
    """Line by line the candidate that counts: an older line, else the first parent that holds it, else the merge."""
    if any(candidate is _OLD for candidate in candidates):
        return _OLD
    best = candidates[0]
    for other in candidates[1:]:
        best = _choose_of_two(best, other) if best != other else best
    if not any(segment[1] is _NEW for segment in best):
        return best
    chosen: list[_Segment] = []
    line = 1
    for segment in best:
        _push(chosen, (segment[0], own, line) if segment[1] is _NEW else segment)
        line += segment[0]
    return chosen


def _choose_of_two(one: _Segments, other: _Segments) -> _Segments:
    """Both are cut at all their borders. Where one ends early its diff could not be read: the rest counts as older."""
    chosen: list[_Segment] = []
    left, right = list(reversed(one)), list(reversed(other))
    while left or right:
        count, origin, start = left.pop() if left else (_END, None, 0)
        count_2, origin_2, start_2 = right.pop() if right else (_END, None, 0)
        both = min(count, count_2)
        if both < count:
            left.append((count - both if count < _END else _END, origin, start + both if origin else 0))
        if both < count_2:
            right.append((count_2 - both if count_2 < _END else _END, origin_2, start_2 + both if origin_2 else 0))
        if origin is None or origin_2 is None:
            origin, start = None, 0
        elif origin is _NEW:
            origin, start = origin_2, start_2
        _push(chosen, (both, origin, start))
    return chosen


def _before(file: FileChange, state: _State) -> _Segments:
    """The lines that a file change starts from. A new file, and one that was no file of lines before, has none."""
    if file.status == "added" or not _has_lines(file.old_mode):
        return []
    return state.get(file.old_path, _OLD)


def _splice(file: FileChange, before: _Segments, added: _Origin) -> _Segments:
    """The lines after a file change: those of before, cut and spliced by its hunks."""
    if not file.lines_known or file.binary or not _has_lines(file.new_mode):
        return _OLD
    after: list[_Segment] = []
    stack = list(reversed(before))
    position = 1
    for hunk in file.hunks:
        start = hunk.old_start if hunk.old_count else hunk.old_start + 1
        _take(stack, start - position, after)
        _take(stack, hunk.old_count, None)
        position = start + hunk.old_count
        if hunk.new_count:
            _push(after, (hunk.new_count, added, hunk.new_start))
    for segment in reversed(stack):
        _push(after, segment)
    return after


def _take(stack: list[_Segment], count: int, into: list[_Segment] | None) -> None:
    """Move so many lines off the stack; without `into` they are dropped."""
    while count > 0 and stack:
        segment = stack.pop()
        if segment[0] > count:
            stack.append(_cut(segment, count))
            segment = (count, segment[1], segment[2])
        if into is not None:
            _push(into, segment)
        count -= segment[0]


def _cut(segment: _Segment, count: int) -> _Segment:
    left = segment[0] if segment[0] >= _END else segment[0] - count
    return (left, segment[1], segment[2] + count if segment[1] else 0)


def _push(segments: list[_Segment], segment: _Segment) -> None:
    """Append, joined to the last run where it continues it, so that runs never outnumber what the diffs tell apart."""
    if segments:
        count, origin, start = segments[-1]
        if origin is segment[1] and (origin is None or start + count == segment[2]):
            segments[-1] = (min(count + segment[0], _END), origin, start)
            return
    segments.append(segment)


def _has_lines(mode: int) -> bool:
    """Whether git keeps a regular file under this mode; a symlink or a submodule has no lines that anybody wrote."""
    return mode & 0o170000 == 0o100000


def _added_runs(file: FileChange, state: _State, within: frozenset[str] | None = None) -> tuple[LineRun, ...]:
    """The lines that a file of the total difference adds, with their origins."""
    if not file.lines_known or file.binary or not _has_lines(file.new_mode):
        return ()
    runs: list[LineRun] = []
    stack = list(reversed(state.get(file.path, _OLD)))
    position = 1
    for hunk in file.hunks:
        if not hunk.new_count:
            continue
        _take(stack, hunk.new_start - position, None)
        part: list[_Segment] = []
        _take(stack, hunk.new_count, part)
        line = hunk.new_start
        for count, origin, start in part:
            known = origin is not None and (within is None or origin.commit in within)
            runs.append(_run(line, count, origin if known else None, start))
            line += count
        position = hunk.new_start + hunk.new_count
        if line < position:
            runs.append(LineRun(line, position - line, "", b"", 0))
    return tuple(runs)


def _run(line: int, count: int, origin: _Origin | None, start: int) -> LineRun:
    return LineRun(line, count, origin.commit, origin.path, start) if origin else LineRun(line, count, "", b"", 0)
