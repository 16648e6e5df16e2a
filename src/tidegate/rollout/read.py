"""Reads the rollout document of the protected branch, and the calendars beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.rollout.document import PATH, Rollout, Unreadable
from tidegate.rollout.document_lines import plain, with_line
from tidegate.rollout.document_tables import CalendarTable, Document, Load, Loaded, checked
from tidegate.settings import convert, read_toml

FOLDER = ".tidegate/"
LARGEST_BYTES = 1 << 20

Fetch: TypeAlias = Callable[[str], Loaded]
"""Brings the calendar of a URL. Raises InputError where it cannot be had."""


def nowhere(url: str) -> Loaded:
    """For whoever has no service at hand. Raises InputError."""
    raise InputError(
        "it is at an address, and a gate that is asked with a clone reads none",
        where=url,
        mend="ask the service: --server URL --recorded; or keep the calendar in a file",
    )


def read_rollout(repository: Repository, revision: str, fetch: Fetch = nowhere) -> Rollout | Unreadable:
    """The document in the tree of a revision of the protected branch, or why there is none."""
    name = f"{PATH} at {revision[:12]}"

    def load(calendar: CalendarTable) -> Loaded:
        if calendar.url:
            return fetch(calendar.url)
        return Loaded(_read(repository, revision, FOLDER + calendar.file))

    try:
        return parse_rollout(_read(repository, revision, PATH), name, load)
    except InputError as error:
        return Unreadable(f"{error.where}: {error.what}" if error.where else error.what, error.mend)


def parse_rollout(text: bytes, origin: str = PATH, load: Load | None = None) -> Rollout:
    """The document of a text. Raises InputError with the line, what is wrong there, and how to mend it."""
    table = plain(read_toml(text, origin))
    try:
        return checked(convert(table, Document, origin), origin, load or _not_here)
    except InputError as error:
        raise with_line(error, text, origin) from error


# Private


def _not_here(calendar: CalendarTable) -> Loaded:
    raise InputError(f"{calendar.file or calendar.url} is not at hand", mend="read the document of a repository")


def _read(repository: Repository, revision: str, path: str) -> bytes:
    """The content of a plain file of the tree. Raises InputError where it is none, or too large."""
    name = f"{path} at {revision[:12]}"
    listed = repository.run("ls-tree", "-z", "--full-tree", "--end-of-options", revision, "--", path)
    described = listed.partition(b"\t")[0].decode("ascii", "replace").split(" ")
    if not listed:
        raise InputError(f"there is no {name}", mend="write one: docs/gates.md has an example")
    if described[0] not in ("100644", "100755"):
        raise InputError(f"{name} is a link or a folder", mend="put a plain file in its place")
    (blob,) = repository.read_blobs([described[2]], limit=LARGEST_BYTES)
    if blob.kind != "blob":
        raise InputError(f"{name} is {blob.kind.replace('-', ' ')}", mend="make it smaller than 1 MiB")
    return blob.content
