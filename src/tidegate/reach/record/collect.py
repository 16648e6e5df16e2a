"""The map of a run in a work tree: its recording, the files as they are now, and the commit that they stand on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tidegate.change.git import BLOB_LIMIT_BYTES, Repository
from tidegate.change.git_dir import read_small
from tidegate.change.listing import list_tree
from tidegate.reach.languages.interface import Language
from tidegate.reach.record.build import build_map
from tidegate.reach.record.raw import Recording
from tidegate.reach.record.values import MapRecording, TestMap


def collect_map(repository: Repository, recording: Recording, at: str, languages: Sequence[Language]) -> TestMap:
    """The map of a recording that has just been made in the work tree of `repository`.

    The files are read as they stand in the work tree, tracked ones and those that ran. `at` is the time in UTC.
    """
    commit = repository.find("HEAD")
    listed = list_tree(repository, commit).files if commit else {}
    suffixes = tuple(suffix for language in languages for suffix in language.suffixes)
    paths = [path for path in listed if path.endswith(suffixes)]
    top = repository.path.resolve()

    def read(path: str) -> bytes | None:
        file = top / path
        # A link could lead anywhere; what it leads to is listed under its own name, if it is of the repository.
        return None if os.path.realpath(file) != str(file) else read_small(file, BLOB_LIMIT_BYTES)

    about = MapRecording(commit, at, recording.how, gaps=recording.gaps)
    found = build_map(recording, about, paths, read, languages, repository.object_format)
    return _marked_dirty(found, listed)


# Private


def _marked_dirty(found: TestMap, listed: Mapping[str, str]) -> TestMap:
    dirty = any(file.path not in listed or listed[file.path] != file.blob for file in found.files)
    return replace(found, recordings=tuple(replace(run, dirty=dirty) for run in found.recordings))
