"""Edits as they happen: what changed in a file between two calls, and whose hand it was.

Before a tool edits, whatever changed since the last look was typed by the human at the keyboard, unless git moved the
work tree in between, another session is at the file, or the recorder never saw it: then nobody is named. After it,
whatever changed since just before is the agent's.
"""

from __future__ import annotations

import json
import os
import time

from tidegate.agent.hooks import gitdoor
from tidegate.agent.hooks.journal import append, read_runs
from tidegate.agent.hooks.lines import digests, inserted
from tidegate.agent.hooks.place import find_place, head_oid, read_small, relative
from tidegate.agent.hooks.watched import moved, read_changed, read_watched, settle, watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidegate.agent.hooks.payload import Event
    from tidegate.agent.hooks.place import Place

QUICK_SECONDS = 5.0
"""What changes during a command this short is its doing; during a longer one only in files that it names."""
UNDER_WAY_SECONDS = 600.0
"""An edit or a command whose end nobody told counts as over after this, and what changed meanwhile as nobody's."""
MOST_DIRTY = 300


class Begun:
    """A command that an agent began to run: when, in which session, and its text."""

    __slots__ = ("at", "command", "session")

    def __init__(self, at: float, session: str, command: str) -> None:
        self.at = at
        self.session = session
        self.command = command


def record(event: Event) -> None:
    """Record one call of an agent's hook."""
    for place, paths in _by_place(event):
        if event.kind in ("prompt", "start") or event.model:
            remember_session(place, event)
        if event.kind == "before":
            end_unfinished(place, event.tool, event.session)
            see_human(place)
            for path in paths:
                watch(place, path, event.session or event.tool)
            if event.shell:
                _begin_shell(place, event)
        elif event.kind == "after" and event.shell:
            end_shell(place, event.tool, event.session)
            _end_edits(place, event, paths)
        elif event.kind == "after":
            _end_edits(place, event, paths)


def see_human(place: Place) -> None:
    """Give what changed since the last look to the human at the keyboard, where nothing speaks against it."""
    if moved(place):
        forget(place)
        return
    begun = _shell(place)
    if begun is not None:
        if time.time() - begun.at > UNDER_WAY_SECONDS:
            os.unlink(f"{place.own}/shell")
            forget(place)
        return
    for known in read_changed(place):
        if known.session:
            if time.time() - known.seen > UNDER_WAY_SECONDS:
                watch(place, known.path)
            continue
        now = watch(place, known.path)
        runs = _typed(place, inserted(known.lines, now)) if now is not None else []
        if runs and (human := gitdoor.person(place)):
            append(place, known.path, head_oid(place), {"human": human}, runs)


def forget(place: Place) -> None:
    """Look anew at every file that changed, without saying who changed it."""
    for known in read_changed(place):
        watch(place, known.path)
    settle(place)


def end_unfinished(place: Place, tool: str, session: str) -> None:
    """A session that goes on has left behind a command whose end its hooks did not tell: it failed, or was refused.

    Files that the command names are still its own; what else changed may be anybody's.
    """
    begun = _shell(place)
    if begun is not None and begun.session == (session or tool):
        end_shell(place, tool, session, named_only=True)
        forget(place)


def end_shell(place: Place, tool: str, session: str, *, named_only: bool = False) -> None:
    """Give what a command changed to the agent that ran it: all of it after a quick one, else the files it names."""
    begun = _shell(place)
    if not begun or begun.session != (session or tool):
        return
    os.unlink(f"{place.own}/shell")
    if moved(place):
        forget(place)
        return
    quick = not named_only and time.time() - begun.at < QUICK_SECONDS
    writer = session_writer(place, tool, session)
    dirty = [path for path in _dirty(place, begun.at) if quick or os.path.basename(path) in begun.command]
    unseen = {path: None for path in dirty if read_watched(place, path) is None}
    before = dict(zip(unseen, gitdoor.read_objects(place, [f":{path}" for path in unseen]), strict=True))
    for path in dirty:
        known = read_watched(place, path)
        old = known.lines if known else digests(before.get(path) or b"")
        _give(place, path, writer, old)


def session_writer(place: Place, tool: str, session: str) -> dict[str, str]:
    """Who an agent's session is: tool, session, model, the digest of its last prompt, and the human who is there."""
    known = _read_json(_session_file(place, tool, session))
    return {
        "tool": tool,
        "session": session,
        "model": str(known.get("model", "")),
        "prompt": str(known.get("prompt", "")),
        "human": gitdoor.person(place),
    }


def remember_session(place: Place, event: Event) -> None:
    """Keep the session's model and the salted digest of its prompt, for the edits that follow."""
    file = _session_file(place, event.tool, event.session)
    known = _read_json(file)
    fresh = {"model": event.model or known.get("model", ""), "prompt": known.get("prompt", "")}
    if event.kind == "prompt" and event.prompt:
        from tidegate.agent.hooks.prompts import digest_of

        fresh["prompt"] = digest_of(place, event.prompt)
    if fresh != known:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(f"{file}.{os.getpid()}", "w", encoding="utf-8", errors="backslashreplace") as opened:
            opened.write(json.dumps(fresh))
        os.replace(f"{file}.{os.getpid()}", file)


# Private


def _typed(place: Place, runs: list[list[str]]) -> list[list[str]]:
    """The runs without lines that somebody is known to have written before: those were brought back, not typed."""
    telling = {line for run in runs for line in run if not line.startswith("~")}
    if not telling:
        return []
    known = {line for run in read_runs(place, telling) for line in run.lines} & telling
    parts: list[list[str]] = [[]]
    for run in runs:
        for line in run:
            if line in known:
                parts.append([])
            else:
                parts[-1].append(line)
        parts.append([])
    return [part for part in parts if part]


def _by_place(event: Event) -> Iterator[tuple[Place, list[str]]]:
    """The work trees that an event is about, each with the paths in it."""
    places: dict[str, tuple[Place, list[str]]] = {}
    if event.shell or not event.paths:
        here = find_place(event.cwd)
        if here is not None:
            places[here.top] = (here, [])
    for full in event.paths:
        place = find_place(_existing(os.path.dirname(full)))
        path = relative(place, full) if place is not None else ""
        if place is not None and path:
            places.setdefault(place.top, (place, []))[1].append(path)
    yield from places.values()


def _existing(folder: str) -> str:
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def _end_edits(place: Place, event: Event, paths: Sequence[str]) -> None:
    writer: dict[str, str] = {}
    for path in paths:
        writer = writer or session_writer(place, event.tool, event.session)
        known = read_watched(place, path)
        if known is not None and known.session == (event.session or event.tool):
            _give(place, path, writer, known.lines)
            continue
        said = {line for text in event.texts for line in digests(text.encode("utf-8", "backslashreplace"))}
        _give(place, path, writer, known.lines if known else [], said)


def _give(place: Place, path: str, writer: dict[str, str], old: Sequence[str], only: set[str] | None = None) -> None:
    """Record what a file has now and had not before as the writer's; with `only`, no other lines than these."""
    now = watch(place, path)
    runs = inserted(old, now) if now is not None else []
    if only is not None:
        runs = [[line for line in run if line in only] for run in runs]
    append(place, path, head_oid(place), writer, [run for run in runs if run])


def _begin_shell(place: Place, event: Event) -> None:
    begun = {"at": time.time(), "session": event.session or event.tool, "command": event.command[:65536]}
    os.makedirs(place.own, exist_ok=True)
    with open(f"{place.own}/shell.{os.getpid()}", "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(json.dumps(begun))
    os.replace(f"{place.own}/shell.{os.getpid()}", f"{place.own}/shell")


def _shell(place: Place) -> Begun | None:
    """The command that an agent runs right now, as far as its hooks said so."""
    said = _read_json(f"{place.own}/shell")
    at, session, command = said.get("at"), said.get("session"), said.get("command")
    if isinstance(at, float) and isinstance(session, str) and isinstance(command, str):
        return Begun(at, session, command)
    return None


def _dirty(place: Place, since: float) -> list[str]:
    """Files that are not as in the index and changed since then. Neither filters nor a file-system monitor are run."""
    listed = gitdoor.ask(place, "ls-files", "-z", "-m", "-o", "--exclude-standard", private=True)
    found: list[str] = []
    for path in dict.fromkeys(os.fsdecode(name) for name in listed.split(b"\0") if name):
        full = f"{place.top}/{path}"
        if os.path.isfile(full) and os.lstat(full).st_mtime >= since - 0.01:
            found.append(path)
            if len(found) > MOST_DIRTY:
                return []
    return found


def _session_file(place: Place, tool: str, session: str) -> str:
    from hashlib import blake2b

    name = blake2b(f"{tool}:{session}".encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()
    return f"{place.shared}/sessions/{name}"


def _read_json(file: str) -> dict[str, object]:
    try:
        found = json.loads(read_small(file, 1 << 17))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
