"""Reads `schema.prisma`, `schema.rb` and dumps in SQL. What is no table is passed over."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.verify.contracts.tables.values import Column, Database, Table
from tidegate.verify.contracts.values import Unreadable

LARGEST_BYTES = 10_000_000
MOST_TOKENS = 2_000_000


def read_prisma(text: str) -> Database:
    """The models and enums of a Prisma schema, relations left out. Raises Unreadable for a block that never ends."""
    found = Database()
    text = re.sub(r"//[^\n]*", "", text)
    blocks = list(_prisma_blocks(text))
    others = {name for kind, name, _ in blocks if kind in ("model", "view", "type")}
    for kind, name, (line, body) in blocks:
        lines = [(line + number, row.strip()) for number, row in enumerate(body.split("\n"))]
        if kind == "enum":
            found.enums[name] = tuple(row.split()[0] for _, row in lines if row and not row.startswith("@"))
        elif kind == "model":
            mapped = _PRISMA_MAP.search(body)
            table = found.tables.setdefault(mapped[1] if mapped else name, Table(line))
            table.columns |= dict(_prisma_columns(lines, others))
    return found


def read_ruby(text: str) -> Database:
    """The tables of Rails' schema.rb. Raises Unreadable for a table that never ends."""
    found = Database()
    table: Table | None = None
    for number, row in enumerate(text.split("\n"), start=1):
        opened = _RUBY_TABLE.match(row)
        if opened:
            table = found.tables.setdefault(opened[1], Table(number))
        elif table is not None and re.match(r"\s*end\b", row):
            table = None
        elif table is not None:
            column = _RUBY_COLUMN.match(row)
            if column and column[1] not in _RUBY_OTHERS:
                limits = ",".join(re.findall(r"(?:limit|precision|scale|array): *\w+", row))
                kind = f"{column[1]} {limits}".strip()
                table.columns[column[2]] = Column(kind, not re.search(r"\bnull: false\b", row), number)
        else:
            values = _RUBY_ENUM.match(row)
            if values:
                found.enums[values[1]] = tuple(re.findall(r"""["']([^"']*)["']""", values[2]))
    if table is not None:
        raise Unreadable("a table in it is not closed")
    return found


def read_sql(text: str) -> Database:
    """The tables, views and enums that statements of a dump make. Raises Unreadable for brackets that do not match."""
    found = Database()
    for words in _statements(text):
        upper = [word.upper() for word, _ in words[:8]]
        if upper[:1] != ["CREATE"]:
            continue
        if "TABLE" in upper[:5]:
            _sql_table(words, upper.index("TABLE"), found)
        elif "VIEW" in upper[:5]:
            name, _ = _sql_name(words, upper.index("VIEW") + 1)
            found.tables.setdefault(name, Table(words[0][1], whole=False))
        elif upper[1:2] == ["TYPE"]:
            name, at = _sql_name(words, 2)
            if [word.upper() for word, _ in words[at : at + 2]] == ["AS", "ENUM"]:
                found.enums[name] = tuple(word[1:-1] for word, _ in words[at + 2 :] if word.startswith("'"))
    return found


# Private

_PRISMA_HEAD = re.compile(r"^[ \t]*(model|enum|view|type)[ \t]+(\w+)[ \t]*\{", re.MULTILINE)
_PRISMA_END = re.compile(r"^[ \t]*\}", re.MULTILINE)
_PRISMA_MAP = re.compile(r"""@@map\(\s*(?:name:\s*)?"([^"]*)""")
_PRISMA_FIELD = re.compile(r"(\w+)\s+(\w+)(\[\])?(\?)?(.*)")
_RUBY_TABLE = re.compile(r"""\s*create_table\s*\(?\s*["':]?([\w.]+)["']?.*\bdo\s*\|""")
_RUBY_COLUMN = re.compile(r"""\s*\w+\.(\w+)\s*\(?\s*["':]([\w.]+)["']?""")
_RUBY_ENUM = re.compile(r"""\s*create_enum\s*\(?\s*["':]([\w.]+)["']?\s*,\s*\[(.*)\]""")
_RUBY_OTHERS = frozenset({"index", "check_constraint", "unique_constraint", "exclusion_constraint", "foreign_key"})
_SQL_TOKEN = re.compile(
    r"(--[^\n]*|/\*.*?\*/)"
    r"|('[^']*(?:''[^']*)*'|\"[^\"]*(?:\"\"[^\"]*)*\"|`[^`]*`|\$(\w*)\$.*?\$\3\$)"
    r"|(/\*|['\"`]|\$\w*\$)|([\w$]+|[^\s\w])",
    re.DOTALL,
)
_SQL_CONSTRAINTS = frozenset(
    "CONSTRAINT PRIMARY KEY UNIQUE INDEX CHECK FOREIGN EXCLUDE FULLTEXT SPATIAL LIKE PERIOD INHERITS".split()
)
_SQL_OPTIONS = frozenset(
    "NOT NULL DEFAULT CONSTRAINT PRIMARY UNIQUE CHECK REFERENCES GENERATED AUTO_INCREMENT AUTOINCREMENT COMMENT "
    "COLLATE ON CHARACTER IDENTITY AS STORED VIRTUAL INVISIBLE".split()
)
Word = tuple[str, int]


def _prisma_blocks(text: str) -> Iterator[tuple[str, str, tuple[int, str]]]:
    """The blocks: kind, name, and the body with its first line. A block ends where a line begins with a brace."""
    at, line, counted = 0, 1, 0
    while head := _PRISMA_HEAD.search(text, at):
        end = _PRISMA_END.search(text, head.end())
        if end is None:
            raise Unreadable("its braces do not match")
        line += text.count("\n", counted, head.start(1))
        counted = head.start(1)
        yield head[1], head[2], (line, text[head.end() : end.start()])
        at = end.end()


def _prisma_columns(lines: list[tuple[int, str]], others: set[str]) -> Iterator[tuple[str, Column]]:
    for number, row in lines:
        one = _PRISMA_FIELD.match(row)
        if one is None or row.startswith("@") or one[2] in others:
            continue
        mapped = re.search(r"""(?<!@)@map\(\s*(?:name:\s*)?"([^"]*)""", one[5])
        native = re.search(r"@db\.(\w+(?:\([^)]*\))?)", one[5])
        kind = f"{one[2]}{one[3] or ''}{f' {native[1]}' if native else ''}"
        yield (mapped[1] if mapped else one[1]), Column(kind.lower(), bool(one[4]), number)


def _statements(text: str) -> Iterator[list[Word]]:
    words: list[Word] = []
    depth = total = at = 0
    line = 1
    for found in _SQL_TOKEN.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        total += 1
        if total > MOST_TOKENS:
            raise Unreadable("it is too large")
        if found[4]:
            raise Unreadable(f"what begins at line {line} is not closed")
        if found[1]:
            continue
        word = found[0]
        depth += (word == "(") - (word == ")")
        if word == ";" and depth <= 0:
            yield words
            words, depth = [], 0
        else:
            words.append((word, line))
    if depth > 0:
        raise Unreadable("its brackets do not match")
    yield words


def _sql_name(words: list[Word], at: int) -> tuple[str, int]:
    """A name that may have a schema before it, and the place behind it. PostgreSQL's `public` is left out."""
    while at < len(words) and words[at][0].upper() in ("IF", "NOT", "EXISTS", "ONLY"):
        at += 1
    parts = []
    while at < len(words):
        parts.append(words[at][0].strip('"`'))
        at += 1
        if at >= len(words) or words[at][0] != ".":
            break
        at += 1
    return ".".join(parts[1:] if parts[:1] == ["public"] and len(parts) > 1 else parts), at


def _sql_table(words: list[Word], at: int, found: Database) -> None:
    name, at = _sql_name(words, at + 1)
    begins = at < len(words) and words[at][0] == "("
    table = found.tables.setdefault(name, Table(words[0][1], whole=begins))
    if not begins:
        return
    depth, row = 0, list[Word]()
    for word, line in words[at:]:
        depth += (word == "(") - (word == ")")
        if (word == "," and depth == 1) or depth == 0:
            _sql_column(row, table)
            row = []
            if depth == 0:
                return
        elif depth > 1 or word != "(":
            row.append((word, line))


def _sql_column(row: list[Word], table: Table) -> None:
    if not row or row[0][0].upper() in _SQL_CONSTRAINTS:
        return
    ends = next((at for at, (word, _) in enumerate(row) if at and word.upper() in _SQL_OPTIONS), len(row))
    rest = " ".join(word.upper() for word, _ in row[ends:])
    kind = re.sub(r" ?([(),.\[\]]) ?", r"\1", " ".join(word.lower() for word, _ in row[1:ends]))
    nullable = "NOT NULL" not in rest and "PRIMARY KEY" not in rest
    table.columns[row[0][0].strip('"`')] = Column(kind, nullable, row[0][1])
