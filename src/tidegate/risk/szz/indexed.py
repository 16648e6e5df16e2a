"""A history with an index of which commit changed which path, written beside it and thrown away afterwards.

Blame and `git log -- PATH` otherwise compare every commit's tree with its parent's. Nothing is written into the
repository: the index lies in a private folder whose objects are the repository's own (gitrepository-layout(5),
objects/info/alternates; git-commit-graph(1), --changed-paths).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.change.git import Repository, open_repository
from tidegate.change.git_dir import quoted_object_dir
from tidegate.errors import GitError


@contextmanager
def indexed(repository: Repository, until: str) -> Iterator[Repository]:
    """The same repository, quicker to ask about the past of a path, for as long as the context lasts.

    It is the repository itself where git writes no index: for a shallow clone, and where objects are missing.
    """
    if repository.shallow:
        yield repository
        return
    with tempfile.TemporaryDirectory(prefix="tidegate-index-", ignore_cleanup_errors=True) as folder:
        _fill(Path(folder), repository)
        with open_repository(Path(folder), bare=True) as beside:
            try:
                tip = f"{repository.resolve(until)}\n".encode("ascii")
                beside.run("commit-graph", "write", "--stdin-commits", "--changed-paths", "--no-progress", stdin=tip)
            except GitError:
                beside = repository
            yield beside


# Private


def _fill(folder: Path, repository: Repository) -> None:
    (folder / "objects" / "info").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    sha256 = "[extensions]\n\tobjectFormat = sha256\n" if repository.object_format == "sha256" else ""
    version = 1 if sha256 else 0
    config = f"[core]\n\trepositoryFormatVersion = {version}\n\tbare = true\n{sha256}"
    (folder / "config").write_text(config, encoding="ascii")
    place = quoted_object_dir(repository.common_dir / "objects")
    (folder / "objects" / "info" / "alternates").write_text(f"{place}\n", encoding="utf-8", errors="surrogateescape")
