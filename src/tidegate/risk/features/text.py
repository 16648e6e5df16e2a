"""What added and deleted lines hold, counted over blocks of bytes: tokens, kinds of line, nesting.

The same lines give the same counts whether they come from the stream of all of history or from one change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from tidegate.change import kinds

TEXT = (
    *("tokens_added", "tokens_deleted", "hunks", "comment_share", "blank_share", "import_share"),
    *("condition_share", "literal_share", "moved_share", "definitions", "depth"),
)
LIMIT_BYTES = 256 << 10
"""Text that is looked at on each side of a file; tokens and hunks of the rest do not count."""


class Content(Struct, frozen=True, array_like=True):
    """Counts over the lines of a change. `depth` is the deepest indentation of an added line, in columns."""

    lines: int = 0
    tokens_added: int = 0
    tokens_deleted: int = 0
    hunks: int = 0
    comments: int = 0
    blanks: int = 0
    imports: int = 0
    conditions: int = 0
    literals: int = 0
    moved: int = 0
    definitions: int = 0
    depth: int = 0

    def features(self) -> tuple[float, ...]:
        """The features of `TEXT`, in that order."""
        shares = (self.comments, self.blanks, self.imports, self.conditions, self.literals, self.moved)
        return (
            *(float(self.tokens_added), float(self.tokens_deleted), float(self.hunks)),
            *(count / self.lines if self.lines else 0.0 for count in shares),
            *(float(self.definitions), self.depth / 4),
        )


NO_TEXT: tuple[float, ...] = (float("nan"),) * len(TEXT)


class Reader:
    """Counts file by file. It remembers which comments a name's language has."""

    def __init__(self) -> None:
        self._names = kinds.Names()
        self._comments: dict[bytes, re.Pattern[bytes] | None] = {}

    def read_file(self, name: bytes, deleted: list[bytes], added: list[bytes], hunks: int) -> Content:
        """The counts of one file, from its lines without their marks. `name` is its path or the end of it."""
        new, old = _block(added), _block(deleted)
        comment = self._comment(name)
        both = old and new
        moved, alike = _compare(old, new) if both else (0, 0)
        return Content(
            lines=new.count(b"\n"),
            tokens_added=len(new.translate(_WORDS).split()),
            tokens_deleted=len(old.translate(_WORDS).split()),
            hunks=hunks,
            comments=len(comment.findall(new)) if comment else 0,
            blanks=len(_BLANK.findall(new)),
            imports=len(_IMPORT.findall(new)),
            conditions=len(_CONDITION.findall(new)),
            literals=alike,
            moved=moved,
            definitions=len(_DEFINITION.findall(new)) + len(_DEFINITION.findall(old)),
            depth=_depth(new),
        )

    # Private

    def _comment(self, name: bytes) -> re.Pattern[bytes] | None:
        last = name.rpartition(b"/")[2]
        stem, dot, extension = last.rpartition(b".")
        key = b"." + extension if dot and stem else last
        if key not in self._comments:
            if len(self._comments) > _REMEMBERED:
                self._comments.clear()
            self._comments[key] = comment_of(self._names.language_of(last))
        return self._comments[key]


def total(parts: Iterable[Content]) -> Content:
    """The counts of all files of a change together."""
    rows = [[getattr(part, name) for name in Content.__struct_fields__] for part in parts]
    if not rows:
        return Content()
    columns = list(zip(*rows, strict=True))
    return msgspec.convert((*map(sum, columns[:-1]), max(columns[-1])), Content)


def comment_of(language: str) -> re.Pattern[bytes] | None:
    """What finds the lines of a block that are a comment in this language; None where nothing is known of it."""
    return next((pattern for languages, pattern in _COMMENTS if language in languages), None)


# Private

_REMEMBERED = 4096
_WORDS = bytes(byte if chr(byte).isalnum() or byte == 95 or byte > 127 else 32 for byte in range(256))
_BLANK = re.compile(rb"\n[ \t\r\f]*(?=\n|\Z)")
_IMPORT = re.compile(rb"\n[ \t]*(?:import|from|#[ \t]*include|require|require_once|use|using|package)\b")
_CONDITION = re.compile(
    rb"\n[ \t]*(?:\}[ \t]*)?(?:if|else|elif|elsif|elseif|for|foreach|while|until|unless|switch|case|when|match|select"
    rb"|guard|try|catch|except|rescue|finally|do)\b"
)
_DEFINITION = re.compile(
    rb"\n[ \t]*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|virtual"
    rb"|inline|pub(?:\([a-z]{1,9}\))?|unsafe|open|suspend)[ \t]+){0,6}"
    rb"(?:def|class|func|function|fn|fun|interface|struct|enum|trait|impl|module|type)\b"
)
_VALUES = re.compile(rb"\"[^\"\n]{0,2000}\"|'[^'\n]{0,2000}'|\b[0-9][0-9A-Za-z_.]*")
_INDENT = re.compile(rb"\n([ \t]{1,240})(?=[^ \t\r\n])")
_HASH = re.compile(rb"\n[ \t]*(?:#|\"\"\"|''')")
_SLASH = re.compile(rb"\n[ \t]*(?://|/\*|\*(?=[ \t/\n]))")
_DASH = re.compile(rb"\n[ \t]*(?:--|/\*)")
_MARKUP = re.compile(rb"\n[ \t]*<!--")
_COMMENTS: tuple[tuple[frozenset[str], re.Pattern[bytes]], ...] = (
    (
        frozenset(
            (
                *("Python", "Ruby", "Shell", "YAML", "TOML", "Perl", "R", "Elixir", "Julia", "Makefile", "Dockerfile"),
                *("CMake", "HCL", "Starlark", "PowerShell", "Nim", "Crystal", "Nix", "GraphQL", "Puppet", "Rego"),
                *("Tcl", "CoffeeScript", "INI"),
            )
        ),
        _HASH,
    ),
    (
        frozenset(
            (
                *(
                    "C",
                    "C++",
                    "C#",
                    "Java",
                    "JavaScript",
                    "TypeScript",
                    "Go",
                    "Rust",
                    "Kotlin",
                    "Scala",
                    "Swift",
                    "PHP",
                ),
                *("Dart", "Groovy", "Objective-C", "CUDA", "D", "F#", "GLSL", "Protocol Buffers", "Solidity", "Thrift"),
                *("SystemVerilog", "V", "Zig", "CSS", "Vue", "Svelte", "Astro", "Move", "Bicep", "Apex"),
            )
        ),
        _SLASH,
    ),
    (frozenset(("SQL", "Lua", "Haskell", "Elm", "Ada", "VHDL")), _DASH),
    (frozenset(("HTML", "XML")), _MARKUP),
)


def _block(lines: list[bytes]) -> bytes:
    """Every line behind a line break, as the patterns want them; cut at the limit, at the end of a line if it can."""
    if not lines:
        return b""
    block = b"\n" + b"\n".join(lines)
    if len(block) <= LIMIT_BYTES:
        return block
    end = block.rfind(b"\n", 1, LIMIT_BYTES)
    return block[: end if end > 0 else LIMIT_BYTES]


def _compare(old: bytes, new: bytes) -> tuple[int, int]:
    """Distinct added lines that were deleted elsewhere, and those that differ from a deleted one in values alone."""
    before, after = set(old.split(b"\n")), set(new.split(b"\n"))
    same = (before & after) - {b""}
    moved = sum(not line.isspace() for line in same)
    if not _VALUES.search(new) and not _VALUES.search(old):
        return moved, 0
    shapes = set(_VALUES.sub(b'"', b"\n".join(sorted(before - same))).split(b"\n"))
    other = _VALUES.sub(b'"', b"\n".join(sorted(after - same))).split(b"\n")
    return moved, sum(b'"' in shape and shape in shapes for shape in other)


def _depth(new: bytes) -> int:
    indents = set(_INDENT.findall(new))
    return max((len(indent.expandtabs(4)) for indent in indents), default=0)
