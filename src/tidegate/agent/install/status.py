"""What is installed where, whether it still is as it was written, and what the recorder has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tidegate.agent.hooks.journal import read_counts
from tidegate.agent.hooks.place import find_place
from tidegate.agent.install.agents import GUARD
from tidegate.agent.install.apply import read_memory
from tidegate.agent.install.plan import NAMES, memory_of, read_file
from tidegate.provenance.environment import find_agent
from tidegate.provenance.recorder_key import RECORDS, read_key


class Status(Struct, frozen=True):
    """One line for each name: where its hooks are; then the recorder's own state."""

    installed: tuple[tuple[str, str], ...]
    records: int
    broken: int
    commits: int
    sealed: bool
    agent: str


def read_status(folder: Path, home: Path, environment: Mapping[str, str]) -> Status:
    """The state of the hooks around `folder` and of the person's own."""
    place = find_place(str(folder))
    rows: list[tuple[str, str]] = []
    for name in NAMES:
        found = [("everywhere", memory_of(name, None, home))]
        if place is not None:
            found.insert(0, ("here", memory_of(name, place, home)))
        rows.append((name, ", ".join(text for where, memory in found if (text := _state(where, memory)))))
    whole, broken = read_counts(place) if place is not None else (0, 0)
    records = read_file(Path(place.common) / RECORDS) if place is not None else None
    commits = (records or b"").count(b'\n{"commit": ')
    return Status(tuple(rows), whole, broken, commits, bool(read_key(environment)), find_agent(environment))


def render_status(status: Status) -> str:
    """The status as text."""
    width = max(len(name) for name, _ in status.installed)
    rows = [f"{name:<{width}}  {text or 'not installed'}" for name, text in status.installed]
    texts = dict(status.installed)
    if not texts.get("git") and any(texts.values()):
        rows.append("what is recorded is attributed to no commit without git's hooks: tidegate agent install git")
    broken = f", {status.broken} broken and left out" if status.broken else ""
    rows += ["", f"recorded here: {status.records} edits{broken}; {status.commits} commits attributed"]
    if not status.sealed:
        rows.append("no recorder's key yet: it is made at the first commit; what is recorded before counts as E4")
    rows.append(f"this session: {status.agent}" if status.agent else "this session: no agent is seen")
    return "\n".join(rows) + "\n"


# Private


def _state(where: str, memory: Path) -> str:
    written = read_memory(memory)
    if not written:
        return ""
    gone = [one.path for one in written if read_file(Path(one.path)) is None]
    if gone:
        return f"{where}, but {gone[0]} is gone: install once more"
    if any(GUARD.encode() in (read_file(Path(one.path)) or b"") for one in written):
        where += ", with the guard"
    changed = [one.path for one in written if read_file(Path(one.path)) != one.after]
    return f"{where} ({changed[0]} was changed since)" if changed else where
