"""What tables and columns were before a change, read from the migrations and dumps that were there already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tidegate.change.trees import Tree
from tidegate.infra.sql.cursor import Cursor, shown
from tidegate.infra.sql.layouts import layout_of, up_part
from tidegate.infra.sql.lexer import Dialect, Statement, statements
from tidegate.infra.sql.reader import steps_of
from tidegate.infra.sql.steps import key

_MOST_FILES = 400
_MOST_BYTES = 40_000_000
_NOT_COLUMNS = (
    "CONSTRAINT",
    "PRIMARY",
    "FOREIGN",
    "UNIQUE",
    "KEY",
    "INDEX",
    "CHECK",
    "EXCLUDE",
    "LIKE",
    "FULLTEXT",
    "",
)
_TYPE_ENDS = (
    *("NOT", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "REFERENCES", "CHECK", "CONSTRAINT", "GENERATED", "COLLATE"),
    *("AUTO_INCREMENT", "AUTOINCREMENT", "COMMENT", "ON", "IDENTITY", "ENCODE"),
)

Columns = Mapping[str, str]


class Past:
    """Answers from files that are only read when something is asked, once, and only those that name what is asked."""

    def __init__(self, tree: Tree, folders: Iterable[str]) -> None:
        self._tree = tree
        self._folders = tuple(sorted({f"{folder}/" if folder else "" for folder in folders}))
        self._texts: list[str] | None = None
        self._tables: dict[str, dict[str, str] | None] = {}

    def knows(self, table: str) -> bool | None:
        """Whether earlier migrations make this table; None where there are none to ask."""
        if not self._read():
            return None
        return self._columns(table) is not None

    def type_of(self, table: str, column: str) -> str:
        """The type of a column before the change, "" where nothing says it."""
        return (self._columns(table) or {}).get(column.lower(), "")

    # Private

    def _read(self) -> list[str]:
        if self._texts is None:
            paths = [path for path in self._tree.paths() if path.startswith(self._folders) and _is_script(path)]
            found = self._tree.read([*sorted(paths), *_SCHEMAS])
            texts, size = [], 0
            for path in sorted(found):
                size += len(found[path])
                if size < _MOST_BYTES:
                    text = found[path].decode("utf-8", "replace")
                    texts.append(_as_sql(text) if path.endswith(".rb") else up_part(text)[0])
            self._texts = texts
        return self._texts

    def _columns(self, table: str) -> dict[str, str] | None:
        asked = key(table)
        if asked not in self._tables:
            word = re.compile(rf"(?<!\w){re.escape(asked.rpartition('.')[2])}(?!\w)", re.IGNORECASE)
            texts = [text for text in self._read() if word.search(text)][-_MOST_FILES:]
            self._tables[asked] = _replayed(texts, asked)
        return self._tables[asked]


def tables_of(text: str, dialect: Dialect = "") -> dict[str, dict[str, str]]:
    """Every table that a script makes, with the types of its columns, both as they compare."""
    found: dict[str, dict[str, str]] = {}
    for statement in statements(text, dialect):
        cursor = Cursor(statement)
        if not cursor.skip("CREATE"):
            continue
        cursor.skip("UNLOGGED", "GLOBAL", "TEMP", "TEMPORARY")
        if cursor.skip("TABLE"):
            cursor.if_exists()
            table = cursor.name()
            if table:
                found[key(table)] = dict(_columns(Cursor(cursor.group())))
    return found


# Private


_SCHEMAS = ("db/schema.rb", "db/structure.sql")
"""Where Rails keeps the tables as they are."""
_RUBY_TABLE = re.compile(r'^\s*create_table "([\w.]+)".*?^\s*end$', re.MULTILINE | re.DOTALL)
_RUBY_COLUMN = re.compile(r'^\s*t\.(\w+) "(\w+)"(?:.*?\blimit: (\d+))?', re.MULTILINE)


def _as_sql(text: str) -> str:
    """The tables of a `schema.rb` as statements of SQL."""
    types = {"string": "varchar", "decimal": "numeric", "datetime": "timestamp"}
    tables = []
    for table in _RUBY_TABLE.finditer(text):
        columns = (
            f"{name} {types.get(type_, type_)}{f'({limit})' if limit and type_ == 'string' else ''}"
            for type_, name, limit in _RUBY_COLUMN.findall(table[0])
            if type_ not in ("index", "check_constraint")
        )
        tables.append(f"CREATE TABLE {table[1]} ({', '.join(columns)});")
    return "\n".join(tables)


def _is_script(path: str) -> bool:
    return path.endswith(".sql") and layout_of(path).kind in ("migration", "repeated", "dump")


def _columns(inside: Cursor) -> Iterator[tuple[str, str]]:
    while not inside.done:
        part = inside.clause()
        inside.skip(",")
        if part.token().is_name and part.peek() not in _NOT_COLUMNS:
            name = part.next().text.lower()
            yield name, shown(_type(part.rest))


def _type(rest: Statement) -> Statement:
    for place, token in enumerate(rest):
        if token.upper in _TYPE_ENDS:
            return rest[:place]
    return rest


def _replayed(texts: Iterable[str], asked: str) -> dict[str, str] | None:
    """The columns of one table after these scripts in their order, None where none of them makes it."""
    columns: dict[str, str] | None = None
    for text in texts:
        made = tables_of(text).get(asked)
        if made is not None:
            columns = {**(columns or {}), **made}
        for step in steps_of(text):
            if step.deed == "rename table" and key(step.name) == asked:
                columns = columns if columns is not None else {}
            if key(step.table) != asked:
                continue
            if step.deed in ("add column", "change type") and step.type:
                columns = {**(columns or {}), step.name.lower(): step.type}
            elif step.deed == "drop column" and columns:
                columns.pop(step.name.lower(), None)
            elif step.deed == "rename column" and columns and step.type.lower() in columns:
                columns[step.name.lower()] = columns.pop(step.type.lower())
            elif step.deed == "drop table":
                columns = None
    return columns
