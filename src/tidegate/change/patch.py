"""A unified diff that comes as a text, without a repository: what `git diff`, `git format-patch` or `diff -ru` print.

Nothing outside of the text is asked; what it does not say is empty. The lines of every hunk are counted, so that
content cannot pass for a header. Format: `git help diff-format`, and GNU diffutils, "Detailed Description of Unified
Format".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from msgspec.structs import replace

from tidegate.change.diff_stream import hunk_numbers, joined, settled, unquote_path
from tidegate.change.values import FileChange, Hunk
from tidegate.errors import InputError


def parse_patch(text: bytes, origin: str = "the diff") -> tuple[FileChange, ...]:
    """The files of a unified diff, in path order. An empty text is a diff without files.

    Raises InputError, with the line, for a text that is no diff, breaks off, or shows one file twice.
    """
    reader = _Reader(text, origin)
    files: dict[bytes, FileChange] = {}
    while (found := reader.read_file()) is not None:
        before = files.get(found.path)
        if before is not None:
            if not (before.status == "deleted" and found.status == "added"):
                reader.at = reader.start
                raise reader.refusal("the diff shows this file twice", "make one diff of it: git diff BASE HEAD")
            both = replace(found, status="type-changed", old_mode=before.old_mode, old_oid=before.old_oid)
            found = joined(replace(before, new_mode=found.new_mode), both)
        files[found.path] = settled(found)
    if not files and text.strip() and not reader.saw_file:
        raise reader.refusal("this is not a unified diff", "make one with: git diff BASE HEAD")
    return tuple(files[path] for path in sorted(files))


# Private

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_REGULAR = 0o100644
_PREFIXES = {(b"a/", b"b/"), (b"c/", b"i/"), (b"i/", b"w/"), (b"c/", b"w/"), (b"o/", b"w/"), (b"1/", b"2/")}
_MODE = re.compile(rb"(old mode|new mode|new file mode|deleted file mode) ([0-7]{6})$")
_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)(?: ([0-7]{6}))?$")
_NAME = re.compile(rb"(rename|copy) (from|to) (.+)$")
_SIMILARITY = re.compile(rb"similarity index (\d{1,3})%$")
_BINARY = re.compile(rb"Binary files (.+) and (.+) differ$")
_STARTS = (b"diff --git ", b"--- ", b"Binary files ", b"Only in ", b"diff --cc ", b"diff --combined ", b"@@ ", b"@@@ ")


class _Header(NamedTuple):
    """What the lines above a file's hunks say; b"" and 0 for what they do not."""

    old: bytes = b""
    new: bytes = b""
    moved: str = ""
    old_mode: int = 0
    new_mode: int = 0
    created: bool = False
    deleted: bool = False
    old_oid: str = ""
    new_oid: str = ""
    similarity: int = 0
    binary: bool = False


class _Reader:
    def __init__(self, text: bytes, origin: str) -> None:
        self.lines = text.split(b"\n")
        if self.lines[-1] == b"":
            self.lines.pop()
        self.origin = origin
        self.at = self.start = 0
        self.saw_file = False

    def refusal(self, what: str, mend: str) -> InputError:
        return InputError(what, where=f"{self.origin}, line {min(self.at + 1, max(1, len(self.lines)))}", mend=mend)

    def read_file(self) -> FileChange | None:
        """The next file, or None at the end."""
        while self.at < len(self.lines) and not self._starts_file():
            self.at += 1
        return self._read_file() if self.at < len(self.lines) else None

    def _read_file(self) -> FileChange:
        self.saw_file = True
        self.start = self.at
        if self.line.startswith(b"diff --git "):
            return self._finish(self._read_git_header())
        if self.line.startswith(b"--- "):
            return self._finish(self._read_names(_Header(), git=False))
        if match := _BINARY.match(_header_line(self.line)):
            self.at += 1
            return self._finish(_Header(*_strip_folders(_name(match[1]), _name(match[2])), binary=True))
        if self.line.startswith(b"Only in "):
            raise self.refusal("`Only in` does not show what changed", "make the diff with: diff -ruN, or git diff")
        if self.line.startswith(b"@@ "):
            raise self.refusal("a hunk stands before any file", "keep the lines `---` and `+++` above it")
        raise self.refusal("a merge's combined diff has no old side", "make it with: git diff BASE HEAD")

    def _starts_file(self) -> bool:
        if self.line.startswith(b"--- "):  # else a line of prose, such as the separator of an e-mail
            return self._peek(1).startswith(b"+++ ")
        return self.line.startswith(_STARTS) and (
            self.line[:1] != b"B" or _BINARY.match(_header_line(self.line)) is not None
        )

    @property
    def line(self) -> bytes:
        return self.lines[self.at]

    def _peek(self, ahead: int) -> bytes:
        return self.lines[self.at + ahead] if self.at + ahead < len(self.lines) else b""

    def _read_git_header(self) -> _Header:
        header = _Header(*_split_names(_header_line(self.line)[len(b"diff --git ") :]))
        self.at += 1
        while self.at < len(self.lines):
            line = _header_line(self.line)
            if line.startswith(b"--- ") and self._peek(1).startswith(b"+++ "):
                return self._read_names(header, git=True)
            if line == b"GIT binary patch":
                self._skip_binary()
                return header._replace(binary=True)
            known = _extended(header, line)
            if known is None:
                break
            header = known
            self.at += 1
        if not header.new:
            raise self.refusal("the name of the file cannot be told", "make the diff with git's own prefixes a/ and b/")
        return header

    def _skip_binary(self) -> None:
        while self.at < len(self.lines) and not self.line.startswith(b"diff --git "):
            self.at += 1

    def _read_names(self, header: _Header, *, git: bool) -> _Header:
        old, new = _name(_header_line(self.line)[4:]), _name(_header_line(self._peek(1))[4:])
        if old == new == b"/dev/null":
            raise self.refusal("a file has no name on either side", "make the diff with: git diff BASE HEAD")
        self.at += 2
        header = header._replace(
            created=header.created or old == b"/dev/null", deleted=header.deleted or new == b"/dev/null"
        )
        if header.moved:
            return header
        old, new = _strip(old, new) if git else _strip_folders(old, new)
        return header._replace(old=new if old == b"/dev/null" else old, new=old if new == b"/dev/null" else new)

    def _finish(self, header: _Header) -> FileChange:
        hunks: list[Hunk] = []
        spans: list[tuple[int, int, int, int]] = []
        while self.at < len(self.lines) and (match := _HUNK.match(self.line)):
            spans.append(hunk_numbers(match))
            self.at += 1
            hunks += self._read_hunk(*spans[-1])
        created = header.created or (not header.deleted and len(spans) == 1 and spans[0][:2] == (0, 0))
        deleted = header.deleted or (not created and len(spans) == 1 and spans[0][2:] == (0, 0))
        moved = header.moved
        return FileChange(
            path=header.new,
            old_path=header.old if moved else header.new,
            status="renamed"
            if moved == "rename"
            else "copied"
            if moved == "copy"
            else "added"
            if created
            else "deleted"
            if deleted
            else "modified",
            old_mode=0 if created else header.old_mode or header.new_mode or _REGULAR,
            new_mode=0 if deleted else header.new_mode or header.old_mode or _REGULAR,
            old_oid=header.old_oid,
            new_oid=header.new_oid,
            similarity=header.similarity,
            added=sum(hunk.new_count for hunk in hunks),
            deleted=sum(hunk.old_count for hunk in hunks),
            binary=header.binary,
            lines_known=True,
            hunks=tuple(hunks),
        )

    def _read_hunk(self, old_start: int, old_left: int, new_start: int, new_left: int) -> list[Hunk]:
        """A hunk with its context lines as the runs of changed lines in it."""
        old, new = old_start + (old_left == 0), new_start + (new_left == 0)
        found: list[Hunk] = []
        removed: list[bytes] = []
        added: list[bytes] = []

        def close() -> None:
            if removed or added:
                starts = (old - len(removed) - (not removed), new - len(added) - (not added))
                found.append(Hunk(starts[0], len(removed), starts[1], len(added), tuple(removed), tuple(added)))
                removed.clear()
                added.clear()

        while old_left or new_left:
            if self.at >= len(self.lines):
                raise self.refusal("the diff breaks off in the middle of a hunk", "make it again, whole")
            line = self.line
            mark = line[:1] or b" "
            if mark == b"-" and old_left:
                if added:
                    close()
                removed.append(line[1:])
                old, old_left = old + 1, old_left - 1
            elif mark == b"+" and new_left:
                added.append(line[1:])
                new, new_left = new + 1, new_left - 1
            elif mark in b" \r" and old_left and new_left:
                close()
                old, new, old_left, new_left = old + 1, new + 1, old_left - 1, new_left - 1
            elif mark != b"\\":
                raise self.refusal(
                    "a hunk does not hold as many lines as its @@ line says", "make the diff again, whole"
                )
            self.at += 1
        close()
        return found


def _extended(header: _Header, line: bytes) -> _Header | None:
    """The header with what one of git's extended header lines says, None for a line that is none."""
    if match := _MODE.match(line):
        mode = int(match[2], 8)
        if match[1].startswith(b"old") or match[1].startswith(b"deleted"):
            return header._replace(old_mode=mode, deleted=header.deleted or match[1].startswith(b"deleted"))
        return header._replace(new_mode=mode, created=header.created or match[1].startswith(b"new file"))
    if match := _INDEX.match(line):
        mode = int(match[3] or b"0", 8)
        old, new = (oid.decode("ascii") if len(oid) in (40, 64) else "" for oid in match.group(1, 2))
        return header._replace(
            old_oid=old, new_oid=new, old_mode=header.old_mode or mode, new_mode=header.new_mode or mode
        )
    if match := _NAME.match(line):
        name = unquote_path(match[3])
        moved = match[1].decode("ascii")
        return header._replace(moved=moved, old=name) if match[2] == b"from" else header._replace(moved=moved, new=name)
    if match := _SIMILARITY.match(line):
        return header._replace(similarity=min(100, int(match[1])))
    if line.startswith(b"dissimilarity index "):
        return header
    if _BINARY.match(line):
        return header._replace(binary=True)
    return None


def _header_line(line: bytes) -> bytes:
    return line.removesuffix(b"\r")


def _name(text: bytes) -> bytes:
    """The name in a `---` or `+++` line; GNU diff puts a time behind it, after a tab."""
    if text.startswith(b'"'):
        end = text.rfind(b'"')
        return unquote_path(text[: end + 1])
    return text.partition(b"\t")[0]


def _strip(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Both names without git's prefixes."""
    pair = (old[:2], new[:2])
    if pair in _PREFIXES:
        return old[2:], new[2:]
    if old == b"/dev/null" and any(pair[1] == after for _, after in _PREFIXES):
        return old, new[2:]
    if new == b"/dev/null" and any(pair[0] == before for before, _ in _PREFIXES):
        return old[2:], new
    return old, new


def _strip_folders(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Both names of a plain diff: without git's prefixes, or without the two folders that were compared."""
    stripped = _strip(old, new)
    if stripped != (old, new) or b"/dev/null" in (old, new):
        return stripped
    if old != new and old.partition(b"/")[2] == new.partition(b"/")[2] != b"":
        return old.partition(b"/")[2], new.partition(b"/")[2]
    return new, new


def _split_names(text: bytes) -> tuple[bytes, bytes]:
    """The names in `a/NAME b/NAME`, which can be told apart only where they are the same or quoted."""
    if match := re.fullmatch(rb'("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)', text):
        return _strip(unquote_path(match[1]), unquote_path(match[2]))
    half = len(text) // 2
    old, new = text[:half], text[half + 1 :]
    if text[half : half + 1] == b" " and (old == new or old[2:] == new[2:]):
        return _strip(old, new)
    return b"", b""
