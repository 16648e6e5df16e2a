"""The list of repositories: one folder a line, and a name for it where the folder's own will not do."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from tidegate.errors import InputError

LIMIT_BYTES = 16 << 20


class Entry(Struct, frozen=True):
    """One repository of a fleet. `name` is unique in it, and safe as a file's name."""

    name: str
    folder: str


def read_list(path: Path) -> tuple[Entry, ...]:
    """The repositories of a list, in its order: `FOLDER` or `FOLDER NAME` a line, `#` begins a comment.

    Folders are meant from where the list lies. Raises InputError for a list that cannot be read, that is empty, or
    that names one twice, in whatever case. Whether a folder is a repository is found out when its turn comes.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the list cannot be read: {error.strerror}", where=str(path), mend="check the path"
        ) from error
    if len(text) > LIMIT_BYTES:
        raise InputError("the list is larger than 16 MB", where=str(path), mend="name one folder a line")
    found: dict[str, Entry] = {}
    for number, line in enumerate(text.decode("utf-8", "surrogateescape").splitlines(), 1):
        words = [] if line.lstrip().startswith("#") else line.split()
        if not words:
            continue
        entry = _entry(words, path.parent, f"{path}:{number}")
        if entry.name.casefold() in found:
            raise InputError(
                f"{entry.name} is named twice", where=f"{path}:{number}", mend="give one a name of its own: FOLDER NAME"
            )
        found[entry.name.casefold()] = entry
    if not found:
        raise InputError("the list names no repository", where=str(path), mend="write one folder a line")
    return tuple(found.values())


# Private

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-@")
_LONGEST = 120
_OURS = ".knowledge"
"""The row of `x.knowledge` would take the place of what was learnt of `x`."""


def _entry(words: list[str], beside: Path, where: str) -> Entry:
    if len(words) > 2:
        raise InputError("more than a folder and a name", where=where, mend="write FOLDER or FOLDER NAME")
    folder = beside / words[0]
    name = words[1] if len(words) == 2 else _name_of(folder)
    if not name or set(name) - _ALLOWED or name.startswith(".") or name.endswith(_OURS) or len(name) > _LONGEST:
        raise InputError(
            f"{name!r} will not do as a name", where=where, mend="write FOLDER NAME, with letters, digits, . _ + - @"
        )
    return Entry(name, str(folder))


def _name_of(folder: Path) -> str:
    """The folder's name; for a git directory that is called `repo`, `.git` or `NAME.git` that of what it is of."""
    name = folder.name
    if name in ("repo", ".git") and folder.parent.name:
        name = folder.parent.name
    return "".join(c if c in _ALLOWED else "-" for c in name.removesuffix(".git"))
