"""Writes what was planned and remembers it, and takes it back: byte for byte where nobody changed it since."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.agent.install.plan import Change, Plan, read_file, take_out
from tidegate.errors import InputError


class Written(Struct, frozen=True):
    """One file as it was before the first installation, and as the last one left it. `made` are folders it needed."""

    path: str
    before: bytes | None
    after: bytes
    mode: int
    made: tuple[str, ...] = ()


def install(plan: Plan) -> None:
    """Write the planned files, each whole or not at all, and first remember how to undo it."""
    known = {written.path: written for written in read_memory(plan.memory)}
    for change in plan.changes:
        if change.after is None:
            continue
        old = known.get(str(change.path))
        first = old is None or old.after != change.before
        before = change.before if first or old is None else old.before
        mode = change.path.stat().st_mode & 0o777 if change.before is not None else change.mode
        made = _missing(change.path.parent) if first or old is None else old.made
        known[str(change.path)] = Written(str(change.path), before, change.after, mode, made)
    _remember(plan.memory, tuple(known.values()))
    for change in plan.changes:
        if change.after is not None:
            keep = change.before is not None and change.mode == 0o644
            mode = change.path.stat().st_mode & 0o777 if keep else change.mode
            change.path.parent.mkdir(parents=True, exist_ok=True)
            _write(change.path, change.after, mode)


def plan_uninstall(name: str, memory: Path) -> tuple[Change, ...]:
    """What undoing an installation would change. Raises InputError when none is remembered."""
    written = read_memory(memory)
    if not written:
        raise InputError(
            f"the hooks of {name} were not installed here", where=str(memory), mend="tidegate agent status"
        )
    return tuple(change for one in written if (change := _undone(name, one)) is not None)


def uninstall(changes: tuple[Change, ...], memory: Path) -> None:
    """Write what was there before, remove what was not, with the folders that were made for it."""
    made = {one.path: one.made for one in read_memory(memory)}
    for change in changes:
        if change.after is not None:
            _write(change.path, change.after, change.mode)
            continue
        change.path.unlink(missing_ok=True)
        for folder in made.get(str(change.path), ()):
            if Path(folder).is_dir() and not any(Path(folder).iterdir()):
                Path(folder).rmdir()
    memory.unlink(missing_ok=True)


def read_memory(memory: Path) -> tuple[Written, ...]:
    """What an installation wrote. Raises InputError when that cannot be read."""
    content = read_file(memory)
    if content is None:
        return ()
    try:
        return msgspec.json.decode(content, type=tuple[Written, ...])
    except msgspec.DecodeError as error:
        raise InputError(
            "this is damaged", where=str(memory), mend="remove the hooks by hand, then this file"
        ) from error


# Private


def _undone(name: str, one: Written) -> Change | None:
    path = Path(one.path)
    now = read_file(path)
    if now is None:
        return None
    if now == one.after:
        return Change(path, now, one.before, one.mode)
    if path.name == "exclude":
        return None  # somebody wrote more into it: a line too many does no harm
    return Change(path, now, take_out(name, path, now), one.mode)


def _missing(folder: Path) -> tuple[str, ...]:
    """The folders that must be made, the innermost first."""
    return tuple(str(part) for part in (folder, *folder.parents) if not part.exists())


def _remember(memory: Path, written: tuple[Written, ...]) -> None:
    memory.parent.mkdir(parents=True, exist_ok=True)
    _write(memory, msgspec.json.encode(written), 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    fresh.chmod(mode)
    fresh.replace(path)
