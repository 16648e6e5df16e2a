"""Which recorded lines are the lines that a commit adds: a pure function, and the only judgement of the recorder.

A line is claimed when somebody's recorded run of lines has it. How much that says depends on how fresh the record is:

- made on the commit's own parent, or taken from a commit that this one was made from: the text is enough;
- made on an older commit (stashed, reset, split, carried along by a rebase): the text is enough for a telling line that
  the parent does not have already;
- made in a file of another name: only a long line, as for a file that was moved before it was ever committed.

What is shorter (a brace, a blank line, `else:`) follows its neighbour of the same run, or stays unknown.
"""

from __future__ import annotations

from tidegate.agent.hooks.journal import Run
from tidegate.agent.hooks.lines import WEAK_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from tidegate.agent.hooks.diffs import Changed, Line

    Spot = tuple[int, int]

TELLING_CHARS = 12
LONG_CHARS = 20
SOURCE = "*"
"""The `head` of a run that was taken from a commit which this one was made from."""


def match(file: Changed, runs: Sequence[Run], fresh: Set[str]) -> dict[int, dict[str, str]]:
    """Who wrote which of the added lines. `fresh` are the commits on which a record counts as just made."""
    spots = _spots(file, runs)
    chosen = _choose(file, runs, spots)
    own = {file.path, file.old_path} - {""}
    sure = {
        n for n, line in enumerate(file.added) if n in chosen and _stands(file, line, runs[chosen[n][0]], own, fresh)
    }
    for order in (range(1, len(file.added)), range(len(file.added) - 2, -1, -1)):
        for n in order:
            beside = n - 1 if order.step > 0 else n + 1
            if n not in sure and n in chosen and beside in sure and _follows(file, chosen, n, beside):
                sure.add(n)
    return {file.added[n].number: runs[chosen[n][0]].writer for n in sorted(sure)}


# Private


def _spots(file: Changed, runs: Sequence[Run]) -> dict[str, list[Spot]]:
    wanted = {line.digest for line in file.added}
    spots: dict[str, list[Spot]] = {}
    for number, run in enumerate(runs):
        for position, digest in enumerate(run.lines):
            if digest in wanted:
                spots.setdefault(digest, []).append((number, position))
    return spots


def _choose(file: Changed, runs: Sequence[Run], spots: dict[str, list[Spot]]) -> dict[int, Spot]:
    """One recorded line for each added one: what continues the run before it, then the same path, then the newest."""
    own = {file.path, file.old_path} - {""}
    chosen: dict[int, Spot] = {}
    taken: set[Spot] = set()
    for n, line in enumerate(file.added):
        options = [spot for spot in spots.get(line.digest, ()) if spot not in taken]
        if not options:
            continue
        before = chosen.get(n - 1) if n and file.added[n - 1].number == line.number - 1 else None
        after = file.added[n + 1].digest if n + 1 < len(file.added) else ""
        chosen[n] = max(options, key=lambda spot: _worth(spot, runs[spot[0]], before, after, own))
        taken.add(chosen[n])
    return chosen


def _worth(spot: Spot, run: Run, before: Spot | None, after: str, own: Set[str]) -> tuple[bool, bool, bool, bool, int]:
    number, position = spot
    continues = before is not None and before == (number, position - 1)
    goes_on = position + 1 < len(run.lines) and run.lines[position + 1] == after
    return (continues, run.path in own, goes_on, run.head == SOURCE, number)


def _stands(file: Changed, line: Line, run: Run, own: Set[str], fresh: Set[str]) -> bool:
    """Whether the line's own text is enough."""
    new = run.head in fresh or run.head == SOURCE
    if run.path not in own:
        return line.size >= LONG_CHARS and line.digest not in file.before
    if new:
        return line.size >= WEAK_CHARS or len(set(run.lines)) == 1
    return line.size >= TELLING_CHARS and line.digest not in file.before


def _follows(file: Changed, chosen: dict[int, Spot], n: int, beside: int) -> bool:
    one, other = chosen[n], chosen[beside]
    apart = file.added[n].number - file.added[beside].number
    return one[0] == other[0] and one[1] - other[1] == apart
