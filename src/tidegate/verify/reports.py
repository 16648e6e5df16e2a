"""Reports that a caller names: what kind each is, told by its content and never by its name, and its text in pieces.

Nothing is unpacked, and memory does not grow with the file.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.verify.xml import MEND, read_xml

LARGEST_BYTES = 512 << 20
CHUNK_BYTES = 64 << 10
LINE_LIMIT_CHARACTERS = 64 << 10
_HEAD_BYTES = 64 << 10
_LARGEST_COUNT = 2**63
_WORDS = re.compile(r"^(?:TN:|SF:|DA:|FN:)", re.MULTILINE)

Kind: TypeAlias = Literal["cobertura", "clover", "jacoco", "lcov", "go-cover", "json", "junit"]

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive", "unpack it and name the report in it"),
    (b"\x1f\x8b", "compressed with gzip", "unpack it and name the report in it"),
    (b"BZh", "compressed with bzip2", "unpack it and name the report in it"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it and name the report in it"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it and name the report in it"),
    (b"SQLite format 3", "a database", "of coverage.py's data write a report: coverage json"),
)
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Report(Struct, frozen=True):
    """A report that was named: its file, the name that people see, its kind, and how its text is written."""

    path: Path
    name: str
    kind: Kind
    encoding: str = "utf-8"
    mark: int = 0

    def chunks(self) -> Iterator[bytes]:
        """The file in pieces, as it is."""
        with self.path.open("rb") as file:
            while piece := file.read(CHUNK_BYTES):
                yield piece

    def texts(self) -> Iterator[str]:
        """The text in pieces. Raises InputError where it is no text."""
        decoder = codecs.getincrementaldecoder(self.encoding)("strict")
        skip = self.mark
        try:
            for piece in self.chunks():
                yield decoder.decode(piece[skip:])
                skip = 0
            yield decoder.decode(b"", True)
        except UnicodeDecodeError as error:
            raise self.refused(f"it is no text in {self.encoding.upper()}") from error

    def lines(self) -> Iterator[str]:
        """The lines without their ends. Raises InputError for a line of more than 64 K characters."""
        rest = ""
        for text in self.texts():
            *whole, rest = (rest + text).split("\n")
            yield from whole
            if len(rest) > LINE_LIMIT_CHARACTERS:
                raise self.refused(f"a line is longer than {LINE_LIMIT_CHARACTERS:,} characters")
        if rest:
            yield rest

    def refused(self, what: str, mend: str = MEND) -> InputError:
        """The one error for a report that cannot be used."""
        return InputError(what, where=self.name, mend=mend)

    def count(self, text: str, what: str, line: int = 0) -> int:
        """A number of times or of a line, as reports write it. Raises InputError for negative, huge or other values."""
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else _LARGEST_COUNT
        if number < _LARGEST_COUNT:
            return number
        where = f"{self.name}:{line}" if line else self.name
        shown = text if len(text) <= 30 else text[:30] + "..."
        raise InputError(f"{what} is {shown!r}, which is no count", where=where, mend=MEND)


def open_report(path: Path) -> Report:
    """The report with its kind. Raises InputError for what is no report that is known."""
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    head = _head(path, name)
    encoding, mark = _encoding(head)
    text = head[mark:].decode(encoding, "replace").lstrip()
    known = Report(path, name, "json", encoding, mark)
    if not text:
        raise known.refused("it is empty")
    if text.startswith("<"):
        return Report(path, name, _kind_of_xml(head, known), encoding, mark)
    if text.startswith("{"):
        return known
    if text.startswith("mode:"):
        return Report(path, name, "go-cover", encoding, mark)
    if _WORDS.search(text):
        return Report(path, name, "lcov", encoding, mark)
    raise known.refused("this is no report that is known", "see docs/formats.md for those that are")


# Private


def _head(path: Path, name: str) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError("this is no regular file", where=name, mend="name the file that the tool wrote")
        if found.st_size > LARGEST_BYTES:
            what = f"it is larger than {LARGEST_BYTES >> 20} MB"
            raise InputError(what, where=name, mend="write a report for each part of the project")
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        what = f"it cannot be read ({error.strerror or 'no reason given'})"
        raise InputError(what, where=name, mend="name the file that the tool wrote") from error
    except ValueError as error:
        raise InputError("this is no file name", where=name, mend="name the file that the tool wrote") from error
    for magic, what, mend in _MAGIC:
        if head.startswith(magic):
            raise InputError(f"it is {what}", where=name, mend=mend)
    return head


def _encoding(head: bytes) -> tuple[str, int]:
    """How the text is written, and the length of its byte order mark."""
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding, len(bom)
    if head[1:2] == b"\0" and head[:1] != b"\0":
        return "utf-16-le", 0
    if head[:1] == b"\0" and head[1:2] != b"\0":
        return "utf-16-be", 0
    return "utf-8", 0


class _SeenError(Exception):
    """Enough of the document was read."""


def _kind_of_xml(head: bytes, report: Report) -> Kind:
    """The kind by the first two elements. Raises InputError for any other document."""
    seen: list[tuple[str, frozenset[str]]] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        seen.append((name, frozenset(attributes)))
        if len(seen) == 2:
            raise _SeenError

    def end(_: str) -> None:
        raise _SeenError

    try:
        read_xml([head], report.name, start, end)
    except _SeenError:
        pass
    except InputError:
        if not seen:
            raise
    root, attributes = seen[0]
    below = seen[1][0] if len(seen) > 1 else ""
    if root in ("testsuites", "testsuite"):
        return "junit"
    if root == "report" and below in ("", "sessioninfo", "package", "group", "counter"):
        return "jacoco"
    if root == "coverage" and (below in ("project", "testproject") or ("generated" in attributes and not below)):
        return "clover"
    if root == "coverage" and (below in ("", "sources", "packages") or "line-rate" in attributes):
        return "cobertura"
    shown = root if len(root) <= 40 else root[:40] + "..."
    raise report.refused(f"its root <{shown}> is that of no report that is known", "see docs/formats.md for those")
