"""From the tokens of SQL to steps: the verb at the front of a statement says what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise

from tidegate.infra.sql.alter import altered
from tidegate.infra.sql.conditions import always
from tidegate.infra.sql.cursor import Cursor
from tidegate.infra.sql.elsewhere import run_elsewhere
from tidegate.infra.sql.lexer import Dialect, Statement, Token, statements
from tidegate.infra.sql.steps import Deed, Step

_DEEPEST = 6


def steps_of(text: str, dialect: Dialect = "", line: int = 1, deepest: int = _DEEPEST) -> Iterator[Step]:
    """The steps of a script, in order. What runs inside a `DO` block or an `EXECUTE` of fixed text is among them."""
    made: dict[str, Token] = {}
    for statement in statements(text, dialect, line):
        yield from _read(statement, dialect, deepest)
        if deepest:
            for token in statement if statement[0].upper in _CALLS and made else ():
                body = made.pop(token.text.lower(), None) if token.is_name else None
                if body is not None:
                    yield from steps_of(body.text, dialect, body.line, deepest - 1)
            made.update(_routine(statement))
    if deepest == _DEEPEST:
        yield from run_elsewhere(text)


# Private

_CALLS = ("SELECT", "CALL", "PERFORM", "EXEC", "EXECUTE", "DO")


def _routine(statement: Statement) -> Iterator[tuple[str, Token]]:
    """The name and the body of a function that is made here: what it does counts once it is called here."""
    words = [token.upper for token in statement[:6]]
    place = next((place for place, word in enumerate(words) if word in ("FUNCTION", "PROCEDURE")), 0)
    if words[0] != "CREATE" or not place or place + 1 >= len(statement):
        return
    name = next((token for token in statement[place + 1 : place + 6] if token.is_name and token.upper not in _IF), None)
    bodies = [one for one in statement if one.kind == "body"]
    texts = [one for one, before in zip(statement[1:], statement, strict=False) if before.upper == "AS"]
    body = next(iter(bodies), None) or next((one for one in texts if one.kind == "string"), None)
    if body is None and any(token.upper == "BEGIN" for token in statement):
        start = next(place for place, token in enumerate(statement) if token.upper == "BEGIN")
        words_ = " ".join(_written(token) for token in statement[start + 1 :])
        body = Token("body", words_, statement[start].line)
    if name is not None and body is not None:
        yield name.text.lower(), body


_IF = ("IF", "NOT", "EXISTS", "REPLACE", "OR")


def _written(token: Token) -> str:
    if token.kind == "string":
        doubled = token.text.replace("'", "''")
        return f"'{doubled}'"
    return f'"{token.text}"' if token.kind == "name" else token.text


def _read(statement: Statement, dialect: Dialect, deepest: int) -> Iterator[Step]:
    cursor = Cursor(statement)
    verb = cursor.peek()
    if verb in ("DO", "EXECUTE", "EXEC", "PREPARE", "IF", "BEGIN", "DECLARE", "FOR", "WHILE", "LOOP"):
        yield from _block(statement, dialect, deepest)
        return
    if verb == "WITH":
        yield from _inside(statement, ("DELETE", "UPDATE"))
        return
    if verb == "SET" and cursor.peek(1).startswith("@"):
        yield from _executed(statement, dialect, 0)
        return
    reader = _VERBS.get(verb)
    if reader is not None:
        cursor.next()
        yield from reader(cursor)


def _block(statement: Statement, dialect: Dialect, deepest: int) -> Iterator[Step]:
    """The statements of an anonymous block. Text that is put together while it runs cannot be read."""
    for place, token in enumerate(statement):
        if token.kind == "body" and deepest:
            yield from steps_of(token.text, dialect, token.line, deepest - 1)
        elif token.upper in ("EXECUTE", "EXEC", "PREPARE"):
            inside = token.upper == "EXECUTE" and deepest < _DEEPEST
            yield from _executed(statement[place + 1 :], dialect, deepest, inside)
            return
    starts = [
        place
        for place, token in enumerate(statement)
        if place and token.upper in _VERBS and statement[place - 1].upper in _OPENERS
    ]
    if not starts and statement[0].upper == "IF":
        starts = _consequence(statement)
    for start, end in pairwise([*starts, len(statement)]):
        yield from _read(statement[start:end], dialect, max(0, deepest - 1))


def _consequence(statement: Statement) -> list[int]:
    """Where the one statement of an IF without THEN begins, as T-SQL writes it."""
    depth = 0
    for place, token in enumerate(statement):
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        if (
            place
            and depth == 0
            and token.upper in _VERBS
            and statement[place - 1].upper not in ("ON", "FOR", "OR", ",")
        ):
            return [place]
    return []


def _executed(rest: Sequence[Token], dialect: Dialect, deepest: int, inside: bool = False) -> Iterator[Step]:
    """What text that is executed does. Within a body, text that begins with no verb here may do anything."""
    texts = [token for token in rest if token.kind in ("string", "body")]
    words = " ".join(token.text for token in texts).upper()
    grave = any(verb in words for verb in ("DROP ", "TRUNCATE ", "DELETE ", "ALTER ", "UPDATE ", "GRANT "))
    begins = any(token.text.lstrip().partition(" ")[0].upper() in (*_VERBS, *_HARMLESS) for token in texts)
    if len(rest) == 1 and texts and deepest:
        yield from steps_of(texts[0].text, dialect, texts[0].line, deepest - 1)
    elif grave or (inside and rest and not begins and rest[0].upper not in ("FUNCTION", "PROCEDURE", "ON")):
        yield Step("computed", "", text=f"EXECUTE {_beginning(texts)}...", line=(texts or rest)[0].line)


def _beginning(texts: Sequence[Token]) -> str:
    """What a text that is executed begins with, as far as it is keywords: more of it may be a secret."""
    found = texts[0].text.upper().split()[:2] if texts else []
    return f"'{' '.join(found)} ' " if len(found) == 2 and found[0] in _VERBS and found[1] in _OBJECTS else ""


_OBJECTS = ("TABLE", "SCHEMA", "DATABASE", "VIEW", "INDEX", "FROM", "ROLE", "USER", "FUNCTION", "TYPE", "SEQUENCE")


_HARMLESS = ("SELECT", "COMMENT", "ANALYZE", "SET", "REFRESH", "NOTIFY", "WITH", "REVOKE", "COPY")


def _inside(statement: Statement, verbs: tuple[str, ...]) -> Iterator[Step]:
    """Writes inside a WITH: each to the parenthesis that it stands in."""
    for place, token in enumerate(statement):
        if token.upper in verbs and place and statement[place - 1].upper in ("(", ")"):
            cursor = Cursor(statement[place : _closing(statement, place)])
            cursor.next()
            yield from _VERBS[token.upper](cursor)


def _closing(statement: Statement, place: int) -> int:
    depth = 0
    for at in range(place, len(statement)):
        depth += {"(": 1, ")": -1}.get(statement[at].upper, 0)
        if depth < 0:
            return at
    return len(statement)


_DROPS: Mapping[str, Deed] = {
    "TABLE": "drop table",
    "SCHEMA": "drop schema",
    "DATABASE": "drop database",
    "KEYSPACE": "drop database",
    "TYPE": "drop type",
    "DOMAIN": "drop type",
    "EXTENSION": "drop extension",
    "VIEW": "drop view",
    "FUNCTION": "drop function",
    "PROCEDURE": "drop function",
}


def _drop(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    cursor.skip("FOREIGN", "MATERIALIZED", "TEMPORARY")
    kind = cursor.next_word()
    if kind == "OWNED":
        cursor.skip("BY")
        yield Step("drop owned", cursor.name(), text=cursor.text, line=line)
    elif kind in ("POLICY", "TRIGGER"):
        careful = cursor.if_exists()
        name = cursor.name()
        table = cursor.name() if cursor.skip("ON") else ""
        deed: Deed = "drop policy" if kind == "POLICY" else "drop trigger"
        yield Step(deed, table, name, if_exists=careful, text=cursor.text, line=line)
    elif kind in _DROPS:
        careful = cursor.if_exists()
        names = [cursor.name()]
        while cursor.past_arguments() and cursor.skip(","):
            names.append(cursor.name())
        cascades = cursor.has("CASCADE")
        for name in names:
            if name:
                yield Step(_DROPS[kind], name, cascades=cascades, if_exists=careful, text=cursor.text, line=line)


def _create(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    replaces = cursor.skip("OR") and cursor.skip("REPLACE")
    while cursor.peek() in _CREATE_WORDS:
        if cursor.peek() in ("TEMP", "TEMPORARY"):
            table = cursor.after("TABLE")
            if table:
                yield Step("create table", table, text=cursor.text, line=line)
            return
        cursor.next()
    unique = cursor.skip("UNIQUE")
    cursor.skip("CLUSTERED", "NONCLUSTERED", "FULLTEXT", "SPATIAL", "UNIQUE")
    kind = cursor.next_word()
    if kind == "TABLE":
        careful = cursor.if_exists()
        table = cursor.name()
        yield Step(
            "recreate table" if replaces else "create table", table, if_exists=careful, text=cursor.text, line=line
        )
    elif kind == "INDEX":
        online = cursor.skip("CONCURRENTLY")
        cursor.if_exists()
        name = cursor.name() if cursor.peek() != "ON" else ""
        if cursor.skip("ON"):
            cursor.skip("ONLY")
            table = cursor.name()
            online = online or cursor.has("ONLINE")
            yield Step("create index", table, name, unique=unique, online=online, text=cursor.text, line=line)
    elif kind in _MADE:
        cursor.if_exists()
        name = cursor.name()
        table = cursor.after("ON") if kind in ("POLICY", "TRIGGER") else name
        yield Step(_MADE[kind], table, name, text=cursor.text, line=line)
    elif kind in ("ROLE", "USER"):
        yield from _powers(cursor, line)


def _copied(cursor: Cursor) -> Iterator[Step]:
    """The tables that a query inside a statement reads."""
    if not cursor.has("SELECT", "SET"):
        return
    rest = Cursor(cursor.rest)
    while not rest.done:
        if rest.next_word() in ("FROM", "JOIN") and rest.token().is_name:
            yield Step("copy", rest.name())


def _insert(cursor: Cursor) -> Iterator[Step]:
    yield from _copied(cursor)


_CREATE_WORDS = (
    *("TEMP", "TEMPORARY", "UNLOGGED", "GLOBAL", "LOCAL", "MATERIALIZED", "RECURSIVE", "CONSTRAINT", "EXTERNAL"),
    *("FOREIGN", "SECURE", "DEFINER", "ALGORITHM", "TRANSIENT"),
)
_MADE: Mapping[str, Deed] = {
    "VIEW": "create view",
    "FUNCTION": "create function",
    "PROCEDURE": "create function",
    "POLICY": "create policy",
    "TRIGGER": "create trigger",
}


def _truncate(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    cursor.skip("TABLE")
    cursor.if_exists()
    while True:
        cursor.skip("ONLY")
        name = cursor.name()
        if name:
            yield Step("truncate", name, cascades=cursor.has("CASCADE"), text=cursor.text, line=line)
        cursor.skip("*")
        if not cursor.skip(","):
            return


def _delete(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    cursor.skip("LOW_PRIORITY", "QUICK", "IGNORE")
    table = cursor.after("FROM") or cursor.name()
    where = cursor.where()
    if table and not cursor.has_outside("JOIN", "LIMIT", *(("USING",) if where else ())) and always(where):
        yield Step("delete all", table, text=cursor.text, line=line)


def _update(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    cursor.skip("LOW_PRIORITY", "IGNORE", "ONLY", "OR")
    table = cursor.name()
    yield from _copied(cursor)
    if table and cursor.has("SET") and not cursor.has_outside("JOIN", "LIMIT", "FROM") and always(cursor.where()):
        fills = "fills" if cursor.only_fills() else ""
        yield Step("update all", table, ",".join(cursor.assigned()), type=fills, text=cursor.text, line=line)


def _alter(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    cursor.skip("FOREIGN", "MATERIALIZED")
    kind = cursor.next_word()
    if kind == "TABLE":
        cursor.if_exists()
        cursor.skip("ONLY")
        table = cursor.name()
        cursor.skip("*")
        yield from altered(cursor, table, line)
    elif kind in ("ROLE", "USER", "LOGIN"):
        yield from _powers(cursor, line)


def _powers(cursor: Cursor, line: int) -> Iterator[Step]:
    name = cursor.name()
    powers = [word for word in ("SUPERUSER", "CREATEROLE", "BYPASSRLS", "REPLICATION") if cursor.has(word)]
    if powers:
        yield Step("grant power", "", name, type=", ".join(powers), text=cursor.text, line=line)


def _grant(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    rights, target, receivers = cursor.between("", "ON", "TO"), cursor.between("ON", "TO"), cursor.between("TO", "WITH")
    if not receivers:
        return
    names = " ".join(token.text for token in target)
    words = {token.upper for token in rights}
    public = any(token.upper == "PUBLIC" for token in receivers)
    kinds = {token.upper for token in target[:1]}
    if public and not kinds & {"FUNCTION", "TYPE", "LANGUAGE", "ROUTINE"} and words != {"USAGE"}:
        yield Step("grant public", names, type=", ".join(token.text for token in rights), text=cursor.text, line=line)
    strong = {"RDS_SUPERUSER", "SYSADMIN", "DBA", "CONTROL", "SUPER", "CLOUDSQLSUPERUSER"} & words
    strong |= {word for word in words if word.startswith("PG_") and word != "PG_MONITOR"}
    if strong or ("ALL" in words and names.replace(" ", "") == "*.*"):
        yield Step(
            "grant power", names, receivers[0].text, ", ".join(sorted(strong)) or "ALL", text=cursor.text, line=line
        )


def _rename(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    if cursor.skip("TABLE"):
        while True:
            old = cursor.name()
            if not cursor.skip("TO"):
                return
            yield Step("rename table", old, cursor.name(), text=cursor.text, line=line)
            if not cursor.skip(","):
                return


def _lock(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    cursor.skip("TABLE", "TABLES")
    cursor.skip("ONLY")
    name = cursor.name()
    mode = cursor.between("IN", "MODE")
    if name and (not mode or any(token.upper == "EXCLUSIVE" for token in mode)):
        yield Step("lock table", name, text=cursor.text, line=line)


def _vacuum(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    if cursor.has("FULL"):
        names = [token.text for token in cursor.rest if token.is_name and token.upper not in _VACUUM_WORDS]
        yield Step("rewrite table", names[0] if names else "", name="VACUUM FULL", text=cursor.text, line=line)


_VACUUM_WORDS = ("FULL", "VERBOSE", "ANALYZE", "FREEZE", "TRUE", "FALSE")


def _cluster(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    cursor.skip("VERBOSE")
    name = cursor.name()
    if name:
        yield Step("rewrite table", name, name="CLUSTER", text=cursor.text, line=line)


def _reindex(cursor: Cursor) -> Iterator[Step]:
    line = cursor.line
    if not cursor.has("CONCURRENTLY") and cursor.skip("TABLE", "DATABASE", "SCHEMA", "SYSTEM"):
        yield Step("rewrite table", cursor.name(), name="REINDEX", text=cursor.text, line=line)


_OPENERS = ("BEGIN", "THEN", "ELSE", "LOOP", "DO", "DECLARE", ";")
_VERBS: Mapping[str, Callable[[Cursor], Iterator[Step]]] = {
    "DROP": _drop,
    "CREATE": _create,
    "TRUNCATE": _truncate,
    "DELETE": _delete,
    "UPDATE": _update,
    "ALTER": _alter,
    "INSERT": _insert,
    "GRANT": _grant,
    "RENAME": _rename,
    "LOCK": _lock,
    "VACUUM": _vacuum,
    "CLUSTER": _cluster,
    "REINDEX": _reindex,
}
