"""Commits made by `git fast-import`: any path, mode and content, however many, without touching a work tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from tests.repos import Repo

REGULAR, EXECUTABLE, SYMLINK, SUBMODULE = "100644", "100755", "120000", "160000"

Content: TypeAlias = "bytes | tuple[str, bytes] | None"
"""The content of a regular file, a mode and a content (of a submodule: the commit), or None to delete."""


def commit_tree(
    repo: Repo, files: Mapping[bytes, Content], message: str = "change", ref: str = "refs/heads/main"
) -> str:
    """A commit on top of `ref` with these files changed, and its object id. HEAD's work tree is not touched."""
    repo.clock += 3600
    text = message.encode()
    out = [b"commit %s\n" % ref.encode()]
    out.append(b"committer Alice Smith <alice@example.com> %d +0000\n" % repo.clock)
    out.append(b"data %d\n%s\n" % (len(text), text))
    if _exists(repo, ref):
        out.append(b"from %s^0\n" % ref.encode())
    for path, content in files.items():
        out.append(_change(path, content))
    repo.git("fast-import", "--quiet", "--force", stdin=b"".join(out))
    return repo.head(ref)


def quoted(path: bytes) -> bytes:
    """A path as fast-import reads it."""
    return b'"' + b"".join(b"\\%03o" % byte if byte < 32 or byte in b'"\\' else bytes([byte]) for byte in path) + b'"'


# Private


def _change(path: bytes, content: Content) -> bytes:
    if content is None:
        return b"D %s\n" % quoted(path)
    mode, data = content if isinstance(content, tuple) else (REGULAR, content)
    if mode == SUBMODULE:
        return b"M 160000 %s %s\n" % (data, quoted(path))
    return b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), quoted(path), len(data), data)


def _exists(repo: Repo, ref: str) -> bool:
    return bool(repo.git("for-each-ref", ref))
