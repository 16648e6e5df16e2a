"""The files that the recorder watches in a work tree: their lines when it last looked. May be deleted."""

from __future__ import annotations

import json
import os
import time
from hashlib import blake2b

from tidegate.agent.hooks.lines import read_digests
from tidegate.agent.hooks.place import git_token, read_small

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidegate.agent.hooks.place import Place

MOST_FILES = 500
STALE_SECONDS = 30 * 24 * 3600


class Watched:
    """One file as it was: its lines, and by size and time of change whether it may have changed since."""

    __slots__ = ("lines", "path", "seen", "session", "stamp")

    def __init__(self, path: str, lines: Sequence[str], stamp: str, session: str = "") -> None:
        self.path = path
        self.lines = lines
        self.stamp = stamp
        self.session = session
        self.seen = 0.0


def read_watched(place: Place, path: str) -> Watched | None:
    """What is known of one file, None where it is not watched."""
    return _read(f"{place.own}/files/{_name(path)}", path)


def watch(place: Place, path: str, session: str = "") -> list[str] | None:
    """Look at a file now and remember it. `session` is the agent that is about to edit it."""
    full = f"{place.top}/{path}"
    stamp = _stamp(full)
    lines = read_digests(full)
    if lines is None:
        return None
    header = json.dumps({"path": path, "stamp": stamp, "session": session})
    _write(f"{place.own}/files", _name(path), f"{header}\n{' '.join(lines)}")
    return lines


def read_changed(place: Place) -> list[Watched]:
    """The watched files whose size or time of change is another than when the recorder last looked."""
    found: list[Watched] = []
    try:
        entries = list(os.scandir(f"{place.own}/files"))
    except OSError:
        return []
    for entry in entries[: MOST_FILES * 2]:
        if entry.name.startswith("."):
            continue
        known = _read(entry.path, None)
        if known is None:
            continue
        known.seen = entry.stat().st_mtime
        if _stamp(f"{place.top}/{known.path}") != known.stamp:
            found.append(known)
        elif len(entries) > MOST_FILES or known.seen < time.time() - STALE_SECONDS:
            os.unlink(entry.path)
    return found


def moved(place: Place) -> bool:
    """Whether git moved the work tree since the recorder last said so: then what changed is nobody's typing."""
    return read_small(f"{place.own}/token").decode("utf-8", "replace") != git_token(place)


def settle(place: Place) -> None:
    """From here on the state that git is in counts as seen."""
    _write(place.own, "token", git_token(place))


# Private


def _name(path: str) -> str:
    return blake2b(path.encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def _stamp(full: str) -> str:
    try:
        found = os.lstat(full)
    except OSError:
        return "gone"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _read(file: str, path: str | None) -> Watched | None:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as opened:
            header, _, lines = opened.read().partition("\n")
        known = json.loads(header)
        if path is not None and known["path"] != path:
            return None
        return Watched(known["path"], lines.split(" ") if lines else [], known["stamp"], known["session"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(folder: str, name: str, text: str) -> None:
    os.makedirs(folder, exist_ok=True)
    fresh = f"{folder}/.{name}.{os.getpid()}"
    with open(fresh, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.replace(fresh, f"{folder}/{name}")
