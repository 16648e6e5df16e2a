"""What installing would change, as files before and after; nothing is written here."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tidegate.agent.hooks import gitdoor
from tidegate.agent.hooks.place import Place, find_place
from tidegate.agent.install.agents import AGENTS, GUARD, Agent, merged, taken_out, whole_file
from tidegate.agent.install.git_hooks import BEFORE, HOOKS, MARK, hook_text
from tidegate.errors import InputError

NAMES = (*AGENTS, "git")
LIMIT_BYTES = 4 << 20


class Change(Struct, frozen=True):
    """One file before and after, None where there is none; `mode` is what a file that is written gets."""

    path: Path
    before: bytes | None
    after: bytes | None
    mode: int = 0o644


class Plan(Struct, frozen=True):
    """What is to be written for one name, where that is remembered, and what a person should know."""

    name: str
    changes: tuple[Change, ...]
    memory: Path
    remarks: tuple[str, ...] = ()


def plan_install(name: str, folder: Path, home: Path, *, everywhere: bool, guard: bool = False) -> Plan:
    """The changes that install the hooks of `name`, with `guard` the one that holds dangerous commands too.

    A guard that is there stays without being asked for again. InputError for a configuration that cannot be read.
    """
    place = None if everywhere and name != "git" else _place(folder)
    if name == "git":
        if guard:
            raise InputError("git runs no commands of an agent", where="--guard", mend="install it for the agent")
        if everywhere:
            raise InputError(
                "git's hooks belong to one repository", where="--global", mend="install git in each repository"
            )
        return _plan_git(_place(folder))
    agent = AGENTS[name]
    path = home / agent.everywhere if place is None else Path(place.top) / agent.here
    before = read_file(path)
    changes = [Change(path, before, _installed(agent, path, before, guard))]
    remarks = [agent.remark] if agent.remark else []
    if place is not None and before is None and not _is_tracked(place, agent.here):
        changes += _excluded(place, agent.here)
    elif place is not None and _is_tracked(place, agent.here):
        remarks.append(f"{agent.here} is tracked by git and names a program of this machine: --global keeps it out.")
    if place is None or not memory_of("git", place, home).exists():
        where = "In each repository" if place is None else "Then"
        remarks.append(f"{where}: tidegate agent install git. Only git's own hooks attribute what is committed.")
    return Plan(name, _real(changes), memory_of(name, place, home), tuple(remarks))


def take_out(name: str, path: Path, content: bytes) -> bytes | None:
    """A file that was changed since: without what is ours, and with all else. None when nothing is left."""
    if name == "git":
        return None if MARK.encode() in content else content
    agent = AGENTS[name]
    if agent.shape.startswith("own"):
        return None
    parsed = _parse(path, content)
    try:
        return _dump(taken_out(parsed), content)
    except ValueError as error:
        raise _odd(path, str(error)) from error


def memory_of(name: str, place: Place | None, home: Path) -> Path:
    """Where it is remembered what an installation changed, so that it can be undone exactly."""
    folder = Path(place.shared) if place is not None else home / ".local/state/tidegate"
    return folder / "installed" / f"{name}.json"


def read_file(path: Path) -> bytes | None:
    """The content of a file, None where there is none. Raises InputError for a link and for what is no small file."""
    if path.is_symlink():
        raise InputError("this is a symbolic link", where=str(path), mend="name its target yourself, or remove it")
    if not path.exists():
        return None
    if not path.is_file() or path.stat().st_size > LIMIT_BYTES:
        raise InputError("this is not a file of less than 4 MB", where=str(path), mend="look at it")
    return path.read_bytes()


def render_diff(changes: tuple[Change, ...]) -> str:
    """The changes as a unified diff."""
    parts: list[str] = []
    for change in changes:
        names = [str(change.path) if side is not None else "/dev/null" for side in (change.before, change.after)]
        texts = [(side or b"").decode("utf-8", "replace").splitlines() for side in (change.before, change.after)]
        parts += difflib.unified_diff(texts[0], texts[1], names[0], names[1], lineterm="")
    return "".join(f"{line}\n" for line in parts)


# Private


def _place(folder: Path) -> Place:
    place = find_place(str(folder))
    if place is None:
        raise InputError("this is no git work tree", where=str(folder), mend="go into one, or say --global")
    return place


def _installed(agent: Agent, path: Path, before: bytes | None, guard: bool) -> bytes:
    guard = guard or GUARD.encode() in (before or b"")
    if agent.shape.startswith("own"):
        return whole_file(agent, guard=guard).encode()
    content = _parse(path, before) if before and before.strip() else {}
    try:
        after = merged(agent, content, guard=guard)
    except ValueError as error:
        raise _odd(path, str(error)) from error
    return before if before is not None and after == content else _dump(after, before or b"")


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _odd(path, "it is not plain JSON; comments would be lost") from error
    if not isinstance(parsed, dict):
        raise _odd(path, "it is not a JSON object")
    return parsed


def _odd(path: Path, why: str) -> InputError:
    return InputError(f"nothing is changed here: {why}", where=str(path), mend="mend it, or add the hooks by hand")


def _dump(content: Mapping[str, Any], like: bytes) -> bytes:
    """JSON with the indentation and the final line break of what was there."""
    second = next((line for line in like.split(b"\n")[1:] if line.strip()), b"  x")
    space = second[: len(second) - len(second.lstrip())].decode("ascii", "replace")
    indent: str | int = "\t" if space.startswith("\t") else len(space) or 2
    ascii_only = like.isascii() and bool(like)
    text = json.dumps(content, indent=indent, ensure_ascii=ascii_only)
    return text.encode() + (b"\n" if not like or like.endswith(b"\n") else b"")


def _plan_git(place: Place) -> Plan:
    folder = Path(
        gitdoor.ask(place, "rev-parse", "--git-path", "hooks").decode("utf-8", "surrogateescape").rstrip("\n")
    )
    folder = Path(place.top) / folder
    changes: list[Change] = []
    remarks: list[str] = []
    for hook in HOOKS:
        path, chained = folder / hook, folder / f"{hook}{BEFORE}"
        there = read_file(path)
        if there is not None and MARK.encode() not in there:
            if read_file(chained) is not None:
                raise InputError("a hook is kept under this name already", where=str(chained), mend="remove it")
            changes.append(Change(chained, None, there, path.stat().st_mode & 0o777))
        changes.append(Change(path, there, hook_text(hook).encode(), 0o755))
    if not folder.is_relative_to(place.common):
        remarks.append(f"core.hooksPath is {folder}: when its tool writes that folder anew, install once more.")
    return Plan("git", _real(changes), memory_of("git", place, Path()), tuple(remarks))


def _real(changes: list[Change]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change.before != change.after)


def _is_tracked(place: Place, path: str) -> bool:
    return bool(gitdoor.ask(place, "ls-files", "-z", "--", path, private=True))


def _excluded(place: Place, path: str) -> list[Change]:
    """A file that names programs of this machine is nothing to commit."""
    file = Path(place.common) / "info/exclude"
    before = read_file(file)
    line = f"/{path}\n".encode()
    if before is not None and line in before:
        return []
    text = before or b""
    return [Change(file, before, text + (b"\n" if text and not text.endswith(b"\n") else b"") + line)]
