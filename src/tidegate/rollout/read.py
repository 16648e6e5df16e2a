"""Reads the rollout document of the protected branch."""

from __future__ import annotations

from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.rollout.document import PATH, Rollout, Unreadable
from tidegate.rollout.document_lines import plain, with_line
from tidegate.rollout.document_tables import Document, checked
from tidegate.settings import convert, read_toml

LARGEST_BYTES = 1 << 20


def read_rollout(repository: Repository, revision: str) -> Rollout | Unreadable:
    """The document in the tree of a revision of the protected branch, or why there is none."""
    name = f"{PATH} at {revision[:12]}"
    try:
        listed = repository.run("ls-tree", "-z", "--full-tree", "--end-of-options", revision, "--", PATH)
        described = listed.partition(b"\t")[0].decode("ascii", "replace").split(" ")
        if not listed:
            return Unreadable(f"there is no {name}", "write one: docs/gates.md has an example")
        if described[0] not in ("100644", "100755"):
            return Unreadable(f"{name} is a link or a folder", "put a plain file in its place")
        (blob,) = repository.read_blobs([described[2]], limit=LARGEST_BYTES)
        if blob.kind != "blob":
            return Unreadable(f"{name} is {blob.kind.replace('-', ' ')}", "make it smaller than 1 MiB")
        return parse_rollout(blob.content, name)
    except InputError as error:
        return Unreadable(f"{error.where}: {error.what}" if error.where else error.what, error.mend)


def parse_rollout(text: bytes, origin: str = PATH) -> Rollout:
    """The document of a text. Raises InputError with the line, what is wrong there, and how to mend it."""
    table = plain(read_toml(text, origin))
    try:
        return checked(convert(table, Document, origin), origin)
    except InputError as error:
        raise with_line(error, text, origin) from error
