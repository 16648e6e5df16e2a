"""Changed files for tests, without a repository."""

from __future__ import annotations

from tidegate.change.values import FileChange, Hunk
from tidegate.facts import FileStatus


def changed(
    path: str | bytes,
    added: str = "",
    removed: str = "",
    *,
    old_path: str | bytes | None = None,
    status: FileStatus = "modified",
    mode: int = 0o100644,
    binary: bool = False,
    lines_known: bool = True,
) -> FileChange:
    """A file with one hunk at line 10."""
    name = path if isinstance(path, bytes) else path.encode()
    old = name if old_path is None else old_path if isinstance(old_path, bytes) else old_path.encode()
    new_lines, old_lines = tuple(added.encode().split(b"\n")), tuple(removed.encode().split(b"\n"))
    new_lines, old_lines = (() if lines == (b"",) else lines for lines in (new_lines, old_lines))
    hunks = (Hunk(10, len(old_lines), 10, len(new_lines), old_lines, new_lines),) if new_lines or old_lines else ()
    return FileChange(
        path=name,
        old_path=old,
        status=status,
        old_mode=mode,
        new_mode=mode,
        old_oid="1" * 40,
        new_oid="2" * 40,
        similarity=100 if status == "renamed" else 0,
        added=len(new_lines),
        deleted=len(old_lines),
        binary=binary,
        lines_known=lines_known,
        hunks=hunks,
    )
