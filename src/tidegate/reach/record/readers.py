"""Coverage that another tool recorded per test, by the kind of its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from tidegate.change.git import BLOB_LIMIT_BYTES, Repository
from tidegate.change.git_dir import read_small
from tidegate.change.listing import list_tree
from tidegate.errors import InputError
from tidegate.reach.record.coverage_json import read_coverage_json
from tidegate.reach.record.coverage_sqlite import read_coverage_data
from tidegate.reach.record.jacoco import read_jacoco
from tidegate.reach.record.lcov import read_lcov
from tidegate.reach.record.raw import Recording
from tidegate.reach.record.v8 import read_v8

Reader: TypeAlias = Callable[[Path, list[str]], Recording]

READERS: Mapping[str, Reader] = {
    "coverage": read_coverage_data,
    "coverage-json": read_coverage_json,
    "jacoco": read_jacoco,
    "lcov": read_lcov,
}
"""The kinds that need no source text; V8 coverage names functions by their offset in it."""

KINDS = (*READERS, "v8")


def read_foreign(kind: str, where: Path, repository: Repository) -> Recording:
    """What each test executed, as another tool wrote it down. Raises InputError for a file that is not of the kind."""
    if not where.exists():
        raise InputError("there is no such file", where=str(where), mend="name the file that the coverage tool wrote")
    commit = repository.find("HEAD")
    paths = list(list_tree(repository, commit).files) if commit else []
    if kind != "v8":
        return READERS[kind](where, paths)
    top = repository.path.resolve()

    def read(path: str) -> bytes | None:
        file = top / path
        return read_small(file, BLOB_LIMIT_BYTES) if file.resolve() == file else None

    return read_v8(where, paths, read)
