"""SQL as tokens and statements, in the dialects of the field: what is a string, a comment or a body is never code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

Dialect: TypeAlias = Literal["postgres", "mysql", "sqlite", "tsql", "other", ""]
"""The database that a migration is for, "" where nothing says so."""

Kind: TypeAlias = Literal["word", "name", "string", "body", "number", "sign"]


class Token(NamedTuple):
    """`text` of a quoted name or a string is what is inside. `line` counts from 1."""

    kind: Kind
    text: str
    line: int

    @property
    def upper(self) -> str:
        """How a keyword compares; "" for what cannot be one."""
        return self.text.upper() if self.kind in ("word", "sign") else ""

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "name")


Statement: TypeAlias = tuple[Token, ...]

LONGEST = 2_000_000
"""Characters of one script that are read: a longer one is mostly rows."""

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<dash>--[^\n]*)
    | (?P<conditional>/\*M?!\d*)
    | (?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?:'|$))
    | (?P<string>'(?:[^']|'')*(?:'|$))
    | (?P<quoted>"(?:[^"]|"")*(?:"|$))
    | (?P<tick>`(?:[^`]|``)*(?:`|$))
    | (?P<template>\$\{[^{}\n]{0,200}\}|\{\{[^{}\n]{0,200}\}\}|\{%[^%{\n]{0,200}%\}|@@?\w+|:[A-Za-z_]\w*)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<word>[^\W\d][\w$]*(?:\$\{[^{}\n]{0,200}\}\w*)*)
    | (?P<cast>::|<>|!=|<=|>=|\|\||:=|->>?)
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BACKSLASHED = re.compile(r"'(?:[^'\\]|\\.|'')*(?:'|$)", re.DOTALL)
_DELIMITER = re.compile(r"^[ \t]*DELIMITER[ \t]+(\S+)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_GO = re.compile(r"^[ \t]*GO[ \t]*(?:\d+)?[ \t]*;?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PSQL = re.compile(r"^\\[a-z!].*$", re.MULTILINE)


def statements(text: str, dialect: Dialect = "", line: int = 1) -> Iterator[Statement]:
    """The statements of a script, in order, without comments; the bodies of functions and triggers are not split."""
    text = _PSQL.sub("", text[:LONGEST])
    if _DELIMITER.search(text):
        for part, first, delimiter in _delimited(text, line):
            yield from _split(tokens(part, "mysql", first), whole=delimiter != ";")
    elif dialect == "tsql" or _GO.search(text):
        start = 0
        for found in [*_GO.finditer(text), None]:
            part = text[start : found.start() if found else len(text)]
            for whole in _split(tokens(part, "tsql", line)):
                yield from _unpunctuated(whole)
            end = found.end() if found else start
            line += text.count("\n", start, end)
            start = end
    else:
        yield from _split(tokens(text, dialect, line))


def tokens(text: str, dialect: Dialect = "", line: int = 1) -> Iterator[Token]:
    """Every token that is no comment. What MySQL hides in `/*! */` is code and comes out as code."""
    place, nests = 0, dialect in ("postgres", "")
    while place < len(text):
        if text.startswith("/*", place) and not text.startswith(("/*!", "/*M!"), place):
            end, nests = _comment_end(text, place, nests)
            token = None
        else:
            end, token = _at(text, place, dialect)
        if token is not None:
            yield token._replace(line=line)
        line += text.count("\n", place, end)
        place = end


def dialect_of(text: str, path: str = "") -> Dialect:
    """The dialect that a script or its path gives away, "" where neither does."""
    words = set(re.split(r"[^a-z0-9]+", path.lower()))
    by_path: tuple[tuple[Dialect, tuple[str, ...]], ...] = (
        ("postgres", ("postgres", "postgresql", "pg", "psql", "supabase", "cockroach", "timescale")),
        ("mysql", ("mysql", "mariadb")),
        ("sqlite", ("sqlite", "sqlite3", "d1")),
        ("tsql", ("mssql", "sqlserver", "tsql")),
        (
            "other",
            ("clickhouse", "oracle", "snowflake", "bigquery", "cassandra", "scylla", "spanner", "duckdb", "redshift"),
        ),
    )
    for dialect, names in by_path:
        if words & set(names):
            return dialect
    for dialect, sign in _SIGNS:
        if sign.search(text):
            return dialect
    return ""


# Private

_SIGNS: tuple[tuple[Dialect, re.Pattern[str]], ...] = (
    ("tsql", re.compile(r"\[dbo\]|^GO\s*$|\bNVARCHAR\s*\(|\bIDENTITY\s*\(", re.IGNORECASE | re.MULTILINE)),
    (
        "mysql",
        re.compile(
            r"\bENGINE\s*=|\bAUTO_INCREMENT\b|CREATE TABLE (?:IF NOT EXISTS )?`|ALTER TABLE `|DROP TABLE `|/\*M?!\d",
            re.IGNORECASE,
        ),
    ),
    ("sqlite", re.compile(r"\bAUTOINCREMENT\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b", re.IGNORECASE)),
    ("other", re.compile(r"\bMergeTree\b|\bVARCHAR2\b|\bCREATE\s+KEYSPACE\b", re.IGNORECASE)),
    (
        "postgres",
        re.compile(
            r"\$\$|\bSERIAL\b|\bBIGSERIAL\b|\bJSONB\b|\bTIMESTAMPTZ\b|\bCONCURRENTLY\b|::\w|\bUUID\b|\bpublic\.|\bPLPGSQL\b"
            r"|\bNOT VALID\b|\bUSING GIN\b|\bTEXT\[\]|WITH TIME ZONE",
            re.IGNORECASE,
        ),
    ),
)  # fmt: skip
_BRACKET = re.compile(r"\[((?:[^\]\n]|\]\])+)\]")
_STARS = re.compile(r"/\*|\*/")
_ROUTINES = ("FUNCTION", "PROCEDURE", "TRIGGER", "EVENT", "PACKAGE")


def _at(text: str, place: int, dialect: Dialect) -> tuple[int, Token | None]:
    if dialect == "mysql" and text[place] == "#":
        end = text.find("\n", place)
        return (len(text) if end < 0 else end), None
    if dialect == "mysql" and text[place] == "'" and (match := _BACKSLASHED.match(text, place)):
        return match.end(), Token("string", match[0][1:-1], 0)
    if dialect in ("tsql", "") and text[place] == "[" and (match := _BRACKET.match(text, place)):
        return match.end(), Token("name", match[1], 0)
    match = _TOKEN.match(text, place)
    if match is None:
        return place + 1, None
    kind, found = match.lastgroup or "", match[0]
    if kind == "dollar":
        end = text.find(found, match.end())
        stop = len(text) if end < 0 else end
        return (len(text) if end < 0 else end + len(found)), Token("body", text[match.end() : stop], 0)
    if kind in ("space", "dash", "conditional"):
        return match.end(), None
    if found == "*" and text.startswith("*/", place):
        return place + 2, None
    return match.end(), _token(kind, found, dialect)


def _token(kind: str, found: str, dialect: Dialect) -> Token:
    if kind == "quoted":
        inner = found[1:].removesuffix('"').replace('""', '"')
        return Token("string" if dialect == "mysql" else "name", inner, 0)
    if kind == "tick":
        return Token("name", found[1:].removesuffix("`"), 0)
    if kind in ("string", "escaped"):
        start = found.index("'") + 1
        return Token("string", found[start:].removesuffix("'").replace("''", "'"), 0)
    if kind in ("word", "template"):
        return Token("word", found, 0)
    return Token("number" if kind == "number" else "sign", found, 0)


def _comment_end(text: str, place: int, nests: bool) -> tuple[int, bool]:
    """Where a comment ends, and whether comments of this text nest as PostgreSQL's do: they close if so."""
    depth = 0
    for found in _STARS.finditer(text, place) if nests else ():
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end(), True
    end = text.find("*/", place + 2)
    return (len(text) if end < 0 else end + 2), False


def _delimited(text: str, line: int) -> Iterator[tuple[str, int, str]]:
    """The parts of a MySQL script between the delimiters that it names itself."""
    delimiter, start = ";", 0
    for found in [*_DELIMITER.finditer(text), None]:
        part = text[start : found.start() if found else len(text)]
        first = line
        if delimiter == ";":
            yield part, first, delimiter
        else:
            for piece in part.split(delimiter):
                yield piece, first, delimiter
                first += piece.count("\n")
        if found:
            line += text.count("\n", start, found.end())
            delimiter, start = found[1], found.end()


def _split(found: Iterator[Token], whole: bool = False) -> Iterator[Statement]:
    """Statements end at `;`, but not inside the BEGIN and END of a routine, nor inside parentheses."""
    kept: list[Token] = []
    depth = 0
    for token in found:
        if token.text == ";" and token.kind == "sign" and not whole and (depth <= 0 or not _is_routine(kept)):
            if kept:
                yield tuple(kept)
            kept, depth = [], 0
            continue
        if token.upper in ("BEGIN", "CASE"):
            depth += 1
        elif token.upper == "END":
            depth -= 1
        kept.append(token)
    if kept:
        yield tuple(kept)


def _unpunctuated(whole: Statement) -> Iterator[Statement]:
    """T-SQL needs no `;`: a new line that begins with a verb and its object is a new statement."""
    start, depth = 0, 0
    for place, token in enumerate(whole):
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        begins = place > start and depth == 0 and token.line > whole[place - 1].line and token.upper in _BEGINS
        follows = whole[place + 1].upper if place + 1 < len(whole) else ""
        if begins and follows in _BEGINS[token.upper] and not _is_routine(whole[start:place]):
            yield whole[start:place]
            start = place
    yield whole[start:]


_BEGINS = {
    **dict.fromkeys(
        ("CREATE", "ALTER", "DROP"), ("TABLE", "INDEX", "VIEW", "SCHEMA", "UNIQUE", "PROCEDURE", "FUNCTION")
    ),
    "DELETE": ("FROM",),
    "TRUNCATE": ("TABLE",),
    "INSERT": ("INTO",),
}


def _is_routine(kept: Sequence[Token]) -> bool:
    return kept[0].upper in ("CREATE", "ALTER") and any(token.upper in _ROUTINES for token in kept[:8])
