"""Reads the output of `git diff-tree --raw -p -U0`: raw records first, then the patch in the same order.

Names, modes and object ids come from the raw records, lines from the patch; no name is ever read from a patch header.
Without `-z` git quotes names in both, so that a file name cannot forge a line. The lines of a hunk are counted, so that
content cannot either.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import IO

from msgspec.structs import replace

from tidegate.change.values import FileChange, Hunk, show_path
from tidegate.errors import GitError, InternalError
from tidegate.facts import FileKind, FileStatus

SYMLINK = 0o120000
SUBMODULE = 0o160000


class DiffReader:
    """Reads files block by block, with the text of their lines or without, and keeps the budgets (0: none).

    `without_text` are files of which some hunks came without their lines, `without_hunks` files that were only counted.
    """

    def __init__(self, *, text: bool, text_budget: int = 0, hunk_budget: int = 0) -> None:
        self.without_text: list[FileChange] = []
        self.without_hunks: list[FileChange] = []
        self._text = text
        self._text_left = text_budget or _ENDLESS
        self._hunks_left = hunk_budget or _ENDLESS
        self._line = b""

    def expect(self, output: IO[bytes], header: bytes, asked: str) -> None:
        """Moves past the line that announces the next block."""
        if self._next(output) != header:
            raise GitError("git could not read what a commit changed", where=asked, mend=_MEND)

    def expect_end(self, output: IO[bytes]) -> None:
        if line := self._next(output):
            raise InternalError("git said more than was asked", where=repr(line[:80]))

    def read_files(self, output: IO[bytes]) -> list[FileChange]:
        """The files of one block."""
        records: list[FileChange] = []
        line = self._next(output)
        while line[:1] == b":":
            records.append(_read_record(line))
            line = output.readline()
        if line == b"\n":
            line = output.readline()
        files = []
        for record in records:
            file, line = self._read_section(output, line, record)
            if record.status == "type-changed":
                created, line = self._read_section(output, line, record)
                file = joined(file, created)
            files.append(settled(file))
        self._line = line
        return files

    def _next(self, output: IO[bytes]) -> bytes:
        line, self._line = self._line, b""
        return line or output.readline()

    def _read_section(self, output: IO[bytes], line: bytes, record: FileChange) -> tuple[FileChange, bytes]:
        """The record with what its section of the patch says, and the line after that section."""
        if not line.startswith(b"diff --git "):
            raise GitError("git did not show what changed in a file", where=show_path(record.path), mend=_MEND)
        line = output.readline()
        while line.startswith(_HEADER_LINES):
            if line.startswith(b"Binary files "):
                record = replace(record, binary=True)
            line = output.readline()
        return self._read_hunks(output, line, record) if line.startswith(b"@@ ") else (record, line)

    def _read_hunks(self, output: IO[bytes], line: bytes, record: FileChange) -> tuple[FileChange, bytes]:
        hunks: list[Hunk] = []
        added = deleted = 0
        cut = False
        while match := _HUNK.match(line):
            old_start, old_count, new_start, new_count = hunk_numbers(match)
            lines_cost = _LINE_COST * (old_count + new_count)
            keep = self._text and self._text_left > lines_cost and self._hunks_left > 0
            removed = _take(output, output.readline() if old_count else b"", old_count, keep)
            line = output.readline()
            if line[:1] == b"\\":
                line = output.readline()
            inserted = _take(output, line, new_count, keep)
            if new_count:
                line = output.readline()
                if line[:1] == b"\\":
                    line = output.readline()
            added += new_count
            deleted += old_count
            self._hunks_left -= 1
            if self._hunks_left >= 0:
                hunks.append(Hunk(old_start, old_count, new_start, new_count, removed, inserted))
            if keep:
                self._text_left -= lines_cost + sum(map(len, removed)) + sum(map(len, inserted))
            cut = cut or keep is not self._text
        known = self._hunks_left >= 0
        file = replace(record, hunks=tuple(hunks) if known else (), added=added, deleted=deleted, lines_known=known)
        if not known:
            self.without_hunks.append(file)
        elif cut:
            self.without_text.append(file)
        return file, line


def hunk_numbers(match: re.Match[bytes]) -> tuple[int, int, int, int]:
    """Old start and count, new start and count of a matched `@@` line; a count that is not written is 1."""
    old_start, old_count, new_start, new_count = match.groups()
    return (
        int(old_start),
        1 if old_count is None else int(old_count),
        int(new_start),
        1 if new_count is None else int(new_count),
    )


def unquote_path(name: bytes) -> bytes:
    """A path as git prints it, C-quoted where it holds a control character, a quote or a byte that is not ASCII."""
    if not (len(name) >= 2 and name[:1] == b'"' and name[-1:] == b'"'):
        return name
    return _ESCAPE.sub(_unescape, name[1:-1])


# Private

_ENDLESS = 1 << 62
_LINE_COST = 48
_MEND = "check the repository: git fsck; a partial clone lacks objects: git fetch --refetch --no-filter"
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPES = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_HEADER_LINES = (
    *(b"index ", b"--- ", b"+++ ", b"old mode ", b"new mode ", b"new file mode ", b"deleted file mode "),
    *(b"similarity index ", b"rename from ", b"rename to ", b"copy from ", b"copy to ", b"Binary files "),
)
_STATUS: dict[bytes, FileStatus] = {
    b"A": "added",
    b"M": "modified",
    b"D": "deleted",
    b"R": "renamed",
    b"C": "copied",
    b"T": "type-changed",
}


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 255]) if len(code) == 3 else _ESCAPES.get(code, code)


def _read_record(line: bytes) -> FileChange:
    """A raw record: `:OLD_MODE NEW_MODE OLD_OID NEW_OID STATUS<tab>PATH[<tab>NEW PATH]`."""
    fields, *names = line.rstrip(b"\n").split(b"\t")
    parts = fields[1:].split(b" ")
    if len(parts) != 5 or parts[4][:1] not in _STATUS or not names:
        raise InternalError("git described a file in a way that is not understood", where=repr(line[:200]))
    old_mode, new_mode, old_oid, new_oid, status = parts
    return FileChange(
        path=unquote_path(names[-1]),
        old_path=unquote_path(names[0]),
        status=_STATUS[status[:1]],
        old_mode=int(old_mode, 8),
        new_mode=int(new_mode, 8),
        old_oid=old_oid.decode("ascii"),
        new_oid=new_oid.decode("ascii"),
        similarity=int(status[1:] or b"0"),
        added=0,
        deleted=0,
        binary=False,
        lines_known=True,
        hunks=(),
    )


def _take(output: IO[bytes], first: bytes, count: int, keep: bool) -> tuple[bytes, ...]:
    """So many lines, the first of which is read already, without mark and line break; () unless they are kept."""
    if not count:
        return ()
    rest = islice(output, count - 1)
    if keep:
        return (first[1:-1], *[line[1:-1] for line in rest])
    deque(rest, maxlen=0)
    return ()


def joined(removed: FileChange, created: FileChange) -> FileChange:
    """A file that changed its type is shown as removed and created again; only a regular file has lines."""
    sides = [file for file, mode in ((removed, removed.old_mode), (created, created.new_mode)) if _is_regular(mode)]
    return replace(
        created,
        hunks=tuple(hunk for file in sides for hunk in file.hunks),
        added=sum(file.added for file in sides),
        deleted=sum(file.deleted for file in sides),
        binary=any(file.binary for file in sides),
        lines_known=all(file.lines_known for file in sides),
    )


def settled(file: FileChange) -> FileChange:
    """The file with the kind that its mode or git's verdict on its content decides."""
    mode = file.new_mode or file.old_mode
    kind: FileKind = "binary" if file.binary else "source"
    if mode in (SYMLINK, SUBMODULE):
        kind = "symlink" if mode == SYMLINK else "submodule"
        if file.status != "type-changed":
            return replace(file, kind=kind, hunks=(), added=0, deleted=0, binary=False, lines_known=True)
    return replace(file, kind=kind) if kind != "source" else file


def _is_regular(mode: int) -> bool:
    return mode & 0o170000 == 0o100000
