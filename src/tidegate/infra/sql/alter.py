"""The clauses of ALTER TABLE, in the words of every dialect, as steps."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from tidegate.infra.sql.cursor import Cursor, shown
from tidegate.infra.sql.lexer import Statement
from tidegate.infra.sql.steps import Deed, Step

_NOT_COLUMNS = (
    *("CONSTRAINT", "INDEX", "KEY", "FOREIGN", "PRIMARY", "CHECK", "UNIQUE", "PARTITION", "DEFAULT", "PERIOD"),
    *("FULLTEXT", "SPATIAL", "SYSTEM", "EXCLUDE", "PROJECTION", "VALUE", "SUBPARTITION"),
)


def altered(cursor: Cursor, table: str, line: int) -> Iterator[Step]:
    """The steps of one ALTER TABLE, clause by clause. Those that do no harm are none."""
    while not cursor.done:
        clause = cursor.clause()
        yield from _clause(clause, table, line)
        cursor.skip(",")


# Private


def _clause(clause: Cursor, table: str, line: int) -> Iterator[Step]:
    text = f"ALTER TABLE {table} {shown(clause.rest)}"[:120]
    here = Step("computed", table, text=text, line=line)
    verb = clause.next_word()
    if verb == "DROP":
        yield from _dropped(clause, here)
    elif verb == "ADD":
        yield from _added(clause, here)
    elif verb in ("ALTER", "MODIFY", "CHANGE"):
        yield from _changed(clause, here, verb)
    elif verb == "RENAME":
        yield from _renamed(clause, here)
    elif verb == "TRUNCATE" and clause.skip("PARTITION"):
        yield _as(here, "drop partition", clause.name())
    elif verb == "VALIDATE":
        clause.skip("CONSTRAINT")
        yield _as(here, "validate", clause.name())
    elif verb in ("DISABLE", "ENABLE", "NO", "FORCE"):
        yield from _switched(clause, here, verb)
    elif verb == "SET" and clause.peek() in ("UNLOGGED", "SCHEMA", "TABLESPACE"):
        word = clause.next_word()
        if word == "UNLOGGED":
            yield _as(here, "unlogged", "")
        elif word == "SCHEMA":
            yield _as(here, "rename table", f"{clause.name()}.{table.rpartition('.')[2]}")
        else:
            yield _as(here, "rewrite table", "SET TABLESPACE")
    elif verb == "NOCHECK":
        yield _as(here, "disable trigger", "constraints")


def _dropped(clause: Cursor, here: Step) -> Iterator[Step]:
    if clause.peek() in ("PARTITION", "SUBPARTITION"):
        clause.next()
        clause.if_exists()
        yield _as(here, "drop partition", clause.name())
    elif clause.peek() not in _NOT_COLUMNS or clause.peek() == "COLUMN":
        clause.skip("COLUMN")
        careful = clause.if_exists()
        names = [clause.token()] if clause.peek() != "(" else [one for one in clause.group() if one.is_name]
        for name in names:
            if name.is_name:
                yield _as(here, "drop column", name.text, cascades=clause.has("CASCADE"), if_exists=careful)


def _added(clause: Cursor, here: Step) -> Iterator[Step]:
    if clause.skip("CONSTRAINT"):
        clause.if_exists()
        if clause.peek() not in ("UNIQUE", "FOREIGN", "CHECK", "PRIMARY", "EXCLUDE"):
            clause.name()
    unproved = (clause.has("VALID") and clause.has("NOT")) or clause.has("NOVALIDATE", "NOCHECK")
    if clause.peek() in ("UNIQUE", "PRIMARY", "EXCLUDE"):
        if not (clause.has("USING") and clause.has("INDEX")):
            columns = ", ".join(token.text for token in clause.between("(", ")") if token.is_name)
            yield _as(here, "add unique", columns, unique=True)
    elif clause.peek() == "FOREIGN":
        columns = ", ".join(token.text for token in clause.between("(", ")") if token.is_name)
        yield _as(here, "add foreign key", columns, online=unproved)
    elif clause.peek() == "CHECK":
        yield _as(here, "add check", shown(clause.rest), online=unproved)
    elif clause.peek() in ("INDEX", "KEY", "FULLTEXT", "SPATIAL"):
        yield _as(here, "create index", clause.token(1).text)
    elif clause.peek() not in _NOT_COLUMNS:
        clause.skip("COLUMN")
        careful = clause.if_exists()
        if clause.peek() == "(":
            yield from _columns(Cursor(clause.group()), here)
        else:
            yield from _column(clause, here, careful)


def _columns(inside: Cursor, here: Step) -> Iterator[Step]:
    while not inside.done:
        yield from _column(inside.clause(), here, False)
        inside.skip(",")


def _column(clause: Cursor, here: Step, careful: bool) -> Iterator[Step]:
    if not clause.token().is_name:
        return
    name = clause.next().text
    type_ = shown(_type(clause))
    words = [token.upper for token in clause.rest]
    required = "NOT" in words and words[words.index("NOT") + 1 : words.index("NOT") + 2] == ["NULL"]
    generated = bool({"GENERATED", "SERIAL", "BIGSERIAL", "IDENTITY", "AUTO_INCREMENT"} & {*words, type_.upper()})
    default = shown(clause.between("DEFAULT", "NOT", "NULL", "CONSTRAINT", "REFERENCES", "CHECK", "COMMENT", "AFTER"))
    yield _as(
        here,
        "add column",
        name,
        type=type_,
        nullable=not (required or "PRIMARY" in words),
        default="generated" if generated else default,
        unique="UNIQUE" in words or "PRIMARY" in words,
        if_exists=careful,
    )


def _changed(clause: Cursor, here: Step, verb: str) -> Iterator[Step]:
    if clause.peek() in _NOT_COLUMNS:
        return
    clause.skip("COLUMN")
    clause.if_exists()
    if not clause.token().is_name:
        return
    name = clause.next().text
    if verb == "CHANGE" and clause.token().is_name:
        new = clause.next().text
        if new.lower() != name.lower():
            yield _as(here, "rename column", new, type=name)
    if verb != "ALTER" or clause.peek() not in ("SET", "DROP", "ADD", "RESTART", "RESET", "TYPE"):
        type_ = shown(_type(clause))
        yield _as(here, "change type", name, type=type_)
        words = [token.upper for token in clause.rest]
        if "NOT" in words and "NULL" in words and verb != "CHANGE":
            yield _as(here, "set not null", name)
    elif clause.skip("SET"):
        if clause.skip("NOT") and clause.skip("NULL"):
            yield _as(here, "set not null", name)
        elif clause.skip("DATA"):
            clause.skip("TYPE")
            yield _as(here, "change type", name, type=shown(_type(clause)))
    elif clause.skip("TYPE"):
        yield _as(here, "change type", name, type=shown(_type(clause)))


def _renamed(clause: Cursor, here: Step) -> Iterator[Step]:
    if clause.peek() in ("INDEX", "KEY", "CONSTRAINT"):
        return
    if clause.skip("TO", "AS"):
        yield _as(here, "rename table", clause.name())
        return
    clause.skip("COLUMN")
    old = clause.name()
    if clause.skip("TO"):
        yield _as(here, "rename column", clause.name(), type=old)
    elif old and clause.done:
        yield _as(here, "rename table", old)


def _switched(clause: Cursor, here: Step, verb: str) -> Iterator[Step]:
    clause.skip("REPLICA", "ALWAYS", "FORCE")
    if clause.peek() in ("ROW", "LEVEL"):
        if verb in ("DISABLE", "NO"):
            yield _as(here, "disable row security", "")
    elif clause.peek() in ("TRIGGER", "RULE"):
        clause.next()
        yield _as(here, "disable trigger" if verb == "DISABLE" else "enable trigger", clause.token().text)


def _type(clause: Cursor) -> Statement:
    """Passes the type of a column: its words, its sizes, its brackets."""
    start = clause.rest
    clause.next()
    while clause.peek() in _TYPE_WORDS or (clause.token().is_name and clause.peek() == "."):
        clause.next()
    if clause.peek() == ".":
        clause.next()
        clause.next()
    clause.group()
    while clause.peek() in (*_TYPE_WORDS, "[", "]"):
        clause.next()
    return start[: len(start) - len(clause.rest)]


_TYPE_WORDS = ("VARYING", "PRECISION", "WITH", "WITHOUT", "TIME", "ZONE", "UNSIGNED", "SIGNED", "LARGE", "OBJECT")


def _as(here: Step, deed: Deed, name: str, **more: str | bool) -> Step:
    return replace(here, deed=deed, name=name, **more)
