"""Reads the settings that a revision holds: the base of a change, never the change under test.

At most four processes of git whatever the number of files. A symbolic link in the place of a settings file is
refused: what it leads to is not part of the revision.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.change.values import show_path
from tidegate.errors import InputError
from tidegate.settings import CONFIG_NAMES, POLICY_FOLDER, TESTS_FOLDER, Loaded, Source, parse_settings

LARGEST_BYTES = 1 << 20
LARGEST_SHOWN = 64 << 10
MOST_FILES = 200
FILES = ("100644", "100755", "100664")
TREE = "040000"

_FOLDER = ".tidegate"


def read_settings(
    repository: Repository | None,
    revision: str,
    environment: Mapping[str, str],
    *,
    override: Path | None = None,
) -> Loaded:
    """The settings of a revision; defaults where there is no repository, no revision, or no file.

    `override` is a file on disk that the caller chose: it stands in the place of every settings file of the revision,
    policy files included. Raises InputError for a file that cannot be read or does not fit.
    """
    if override is not None:
        sources = [_read_override(override)]
    elif repository is None or not revision:
        sources = []
    else:
        sources = _read_revision(repository, revision)
    return parse_settings(sources, environment)


def read_rule_files(repository: Repository, revision: str) -> list[Source]:
    """The settings files of a revision as they stand, for people to read. InputError where one is large or a link."""
    return _read_revision(repository, revision, LARGEST_SHOWN)


# Private


class _Listed(NamedTuple):
    path: str
    mode: str
    oid: str


def _read_override(path: Path) -> Source:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the settings file cannot be read ({error.strerror})", where=str(path), mend="name another with --config"
        ) from error
    _check_size(len(text), str(path))
    name = "pyproject.toml" if path.name == "pyproject.toml" else "tidegate.toml"
    return Source(origin=str(path), name=name, text=text)


def _read_revision(repository: Repository, revision: str, largest: int = LARGEST_BYTES) -> list[Source]:
    listed = _list(repository, revision)
    blobs = repository.read_blobs([entry.oid for entry in listed], limit=largest)
    sources = []
    for entry, blob in zip(listed, blobs, strict=True):
        origin = f"{entry.path} at {revision[:7]}"
        _check_size(blob.size, origin, largest)
        if blob.kind != "blob":
            raise InputError(f"the file cannot be read ({blob.kind})", where=origin, mend="check it: git fsck")
        sources.append(Source(origin, entry.path, blob.content))
    return sources


def _list(repository: Repository, revision: str) -> list[_Listed]:
    """The settings files of a revision, in the order in which they are read."""
    top = {e.path: e for e in _ls_tree(repository, revision, *CONFIG_NAMES, _FOLDER)}
    below = _ls_tree(repository, revision, f"{_FOLDER}/", recursive=True) if _FOLDER in top else []
    found = [top[name] for name in CONFIG_NAMES if name in top]
    policy = [e for e in below if e.path.startswith(POLICY_FOLDER) and not e.path.startswith(TESTS_FOLDER)]
    found += [entry for entry in policy if entry.path.endswith(".toml")]
    folder_links = [e for e in (*top.values(), *below) if e.path in (_FOLDER, POLICY_FOLDER.rstrip("/"))]
    for entry in (*found, *(e for e in folder_links if e.mode != TREE)):
        _check_kind(entry, f"{entry.path} at {revision[:7]}")
    if len(found) > MOST_FILES:
        raise InputError(f"there are more than {MOST_FILES} policy files", where=POLICY_FOLDER, mend="join some")
    return found


def _ls_tree(repository: Repository, revision: str, *paths: str, recursive: bool = False) -> list[_Listed]:
    options = ("-r", "-t") if recursive else ()
    output = repository.run("ls-tree", *options, "-z", "--full-tree", revision, "--", *paths)
    found = []
    for entry in filter(None, output.split(b"\0")):
        described, _, path = entry.partition(b"\t")
        mode, _, oid = described.decode("ascii").split(" ")
        found.append(_Listed(show_path(path), mode, oid))
    return found


def _check_kind(entry: _Listed, origin: str) -> None:
    if entry.mode not in FILES:
        raise InputError(
            "settings are read from plain files, and this is a link or a folder",
            where=origin,
            mend="put a plain file in its place",
        )
    if entry.path.startswith(POLICY_FOLDER) and "/" in entry.path.removeprefix(POLICY_FOLDER):
        raise InputError("this policy file would not be read", where=origin, mend=f"move it up into {POLICY_FOLDER}")


def _check_size(size: int, origin: str, largest: int = LARGEST_BYTES) -> None:
    if size > largest:
        shown = "1 MiB" if largest == LARGEST_BYTES else f"{largest >> 10} KiB"
        raise InputError(f"the settings file is larger than {shown}", where=origin, mend="make it smaller")
