"""declare_session: an agent's own word for the lines that it wrote and that are not committed yet.

The claim goes to the recorder's journal, marked as declared: so it is never sealed as something that the recorder saw,
and the note of the commit says how it is known. A line that has a writer in the journal keeps that one. Nobody else can
be named as accountable than whom git itself would write into the commit.
"""

from __future__ import annotations

import os
from pathlib import Path

from tidegate.agent.hooks import gitdoor
from tidegate.agent.hooks.journal import append, read_runs
from tidegate.agent.hooks.lines import digests, inserted, read_digests
from tidegate.agent.hooks.place import Place, find_place, head_oid
from tidegate.agent.install.git_hooks import MARK
from tidegate.agent.mcp.arguments import SessionArguments
from tidegate.agent.mcp.ask import Scene
from tidegate.agent.mcp.values import SessionAnswer
from tidegate.change.values import show_path
from tidegate.errors import InputError

MOST_FILES = 500
HOW = "declared"
NO_TOOL = frozenset(("human", "person", "people", "nobody", "none", "unknown"))
"""Names under which lines of an agent would read like somebody else's."""


def declare_session(scene: Scene, asked: SessionArguments) -> SessionAnswer:
    """Claims what is new against HEAD. Raises InputError where a human is named whom git does not know here."""
    place = find_place(str(scene.repository.path))
    if place is None or Path(place.top) != scene.repository.path.resolve():
        raise InputError("a bare repository has no lines to claim", where=str(scene.repository.path))
    if asked.tool.strip().lower() in NO_TOOL:
        raise InputError("this names no agent", where="tool", mend="say which program you are, such as claude or codex")
    human = _human(place, asked.human)
    writer = {
        "tool": asked.tool.lower(),
        "session": asked.session,
        "model": asked.model,
        "prompt": asked.prompt_digest,
        "human": human,
        "how": HOW,
    }
    paths = _differing(place)
    files = lines = known = 0
    left_out = [f"{len(paths) - MOST_FILES:,} more files"] if len(paths) > MOST_FILES else []
    heads = gitdoor.read_objects(place, [f"HEAD:{path}" for path in paths[:MOST_FILES]])
    for path, before in zip(paths, heads, strict=False):
        now = read_digests(f"{place.top}/{path}")
        if now is None:
            left_out.append(f"{show_path(os.fsencode(path))}: it has no lines that can be claimed")
            continue
        runs = inserted(digests(before or b""), now)
        fresh = _unclaimed(place, runs)
        append(place, path, head_oid(place), writer, fresh)
        files += bool(fresh)
        lines += sum(map(len, fresh))
        known += _telling(runs) - _telling(fresh)
    hooks = _has_hooks(place)
    return SessionAnswer(
        says=_says(lines, hooks),
        files=files,
        lines=lines,
        known=known,
        hooks=hooks,
        trailer=f"Assisted-by: {asked.tool}:{asked.model or 'unknown'}",
        left_out=tuple(left_out),
    )


# Private


def _human(place: Place, named: str) -> str:
    here = gitdoor.person(place)
    if named and named != here:
        raise InputError(
            "an agent cannot name a human who is not git's own identity here",
            where="human",
            mend=f"leave it out, or say {here}" if here else "have the human set git config user.name and user.email",
        )
    return here


def _differing(place: Place) -> list[str]:
    """Files that differ from the index, are not in it, or are staged. No configuration is read."""
    listed = gitdoor.ask(place, "ls-files", "-z", "-m", "-o", "--exclude-standard", private=True)
    if head_oid(place):
        staged = gitdoor.ask(
            place, "diff-index", "-z", "--cached", "--name-only", "--no-renames", head_oid(place), private=True
        )
    else:
        staged = gitdoor.ask(place, "ls-files", "-z", private=True)
    names = dict.fromkeys(os.fsdecode(name) for name in (listed + staged).split(b"\0") if name)
    return [name for name in names if Path(place.top, name).is_file()]


def _unclaimed(place: Place, runs: list[list[str]]) -> list[list[str]]:
    """The runs without lines that have a writer already: what hooks saw is better than what an agent says."""
    telling = {line for run in runs for line in run if not line.startswith("~")}
    recorded = {line for run in read_runs(place, telling) for line in run.lines} if telling else set()
    parts: list[list[str]] = [[]]
    for run in runs:
        for line in run:
            if line in recorded:
                parts.append([])
            else:
                parts[-1].append(line)
        parts.append([])
    return [part for part in parts if not all(line.startswith("~") for line in part)]


def _telling(runs: list[list[str]]) -> int:
    """Lines that are long enough to tell anything."""
    return sum(not line.startswith("~") for run in runs for line in run)


def _has_hooks(place: Place) -> bool:
    """Whether the recorder's own post-commit hook is where git looks by default or by its configuration."""
    told = gitdoor.ask(place, "rev-parse", "--git-path", "hooks/post-commit").decode("utf-8", "surrogateescape")
    file = Path(place.top) / told.rstrip("\n")
    try:
        return MARK in file.read_text(encoding="utf-8", errors="replace")[:4096]
    except OSError:
        return False


def _says(lines: int, hooks: bool) -> str:
    if not lines:
        return "nothing was claimed: no line is new against HEAD, or each has a writer in the journal"
    if hooks:
        return "claimed as your own word; the next commit of these lines gets a note that says so"
    return (
        "claimed in the journal, but git's hooks are not installed here, so that no note will be written; ask the "
        "human to run `tidegate agent install git`, or say it in the message with the trailer"
    )
