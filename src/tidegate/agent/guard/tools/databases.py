"""psql, mysql, sqlite3 and their kind: reading passes, so does what a condition bounds; the rest of SQL is held."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.agent.guard.files import read_bounded, resolve
from tidegate.agent.guard.values import Call, Said, Tool, unseen

_READS = frozenset(
    "SELECT SHOW EXPLAIN DESCRIBE DESC VALUES TABLE SET BEGIN START COMMIT ROLLBACK USE PRAGMA WITH ANALYZE LISTEN "
    "FETCH DECLARE CLOSE END ABORT SAVEPOINT RELEASE INSERT UPDATE DELETE".split()
)
_POWERS = re.compile(
    r"pg_(?:terminate|cancel)_backend|dblink|lo_(?:unlink|import|export)|pg_(?:read|write|ls)_|pg_file|xp_cmdshell|"
    r"into\s+(?:out|dump)file|\binto\s+\w+\s+from\b|load_extension|pg_drop|setval\s*\(|pg_switch_wal|pg_promote|query_to_xml",
    re.IGNORECASE,
)
_SHELL = re.compile(
    r"^\s*(?:\\!|\\copy\b.*\bprogram\b|\.shell\b|\.system\b|\.import\s+\|)", re.IGNORECASE | re.MULTILINE
)
_READ_IN = re.compile(r"^\s*(?:\\ir?|\\include(?:_relative)?|\.read|source|@@?)\s+(\S+)", re.MULTILINE)
_CLIENT = re.compile(r"^\s*(?:\\[a-z?!].*|\.[a-z].*)$", re.MULTILINE)
_TEXT = {
    "psql": ("-c", "--command"),
    "mysql": ("-e", "--execute"),
    "mariadb": ("-e", "--execute"),
    "sqlcmd": ("-Q", "-q"),
    "clickhouse-client": ("-q", "--query"),
    "duckdb": ("-c",),
    "cqlsh": ("-e", "--execute"),
    "cockroach": ("-e", "--execute"),
    "snowsql": ("-q", "--query"),
    "usql": ("-c", "--command"),
    "pgcli": ("-c",),
}
_FILE = ("-f", "--file", "-i", "--init-command-file")
_SAFE = "put it into a migration, where `tidegate infra` judges it, or ask a person to run it"
_MONGO = re.compile(
    r"\b(?:drop\w*|delete\w*|remove\w*|update\w*|insert\w*|replace\w*|bulkWrite|rename\w*|createUser|shutdownServer|"
    r"adminCommand|runCommand|findOneAnd\w+|findAndModify|eval|load)\s*\("
)


def judge(call: Call) -> Iterator[Said]:
    """What the client is told to run."""
    if call.has("--help", "--version", "-V", "-?") or (call.name == "psql" and call.has("-l", "--list")):
        return
    texts = list(_told(call))
    for text in texts:
        if text is None:
            yield call.concern(
                "unseen-script", "the statements are only known when they run", "write them out", _database(call)
            )
        else:
            yield from judge_statements(call, text)
    if not texts:
        if call.given is not None:
            yield from judge_statements(call, call.given)
        elif call.piped or call.place.typed:
            yield call.concern(
                "unseen-script", "it would run statements that nobody sees", "give them with -c", _database(call)
            )


def judge_mongo(call: Call) -> Iterator[Said]:
    """`mongosh --eval code`."""
    for place, one in enumerate(call.arguments):
        code = call.arguments[place + 1] if one == "--eval" and place + 1 < len(call.arguments) else ""
        code = one.partition("=")[2] if one.startswith("--eval=") else code
        if code and (_MONGO.search(code) or unseen(code)):
            yield call.concern("data", "it changes or drops what the database holds", _SAFE, _database(call))
    if call.piped or (not call.has("--eval") and not call.has("--version", "--help")):
        yield call.concern(
            "unseen-script", "it would run code that nobody sees", "give it with --eval", _database(call)
        )


# Private


def _told(call: Call) -> Iterator[str | None]:
    flags = _TEXT.get(call.name, ("-c", "-e"))
    words = list(call.arguments)
    plain: list[str] = []
    while words:
        one = words.pop(0)
        name, equals, value = one.partition("=")
        short = re.fullmatch(r"-[A-Za-z]*([a-zA-Z])", one)
        if one in flags or (short and f"-{short[1]}" in flags and len(one) > 2 and not one.startswith("--")):
            yield _seen(words.pop(0) if words else "\0")
        elif equals and name in flags:
            yield _seen(value)
        elif any(len(flag) == 2 and one.startswith(flag) and len(one) > 2 for flag in flags) and call.name != "sqlcmd":
            yield _seen(one[2:])
        elif one in _FILE or name in _FILE:
            yield _content(call, value if equals else words.pop(0) if words else "\0")
        elif one.startswith("-f") and len(one) > 2 and call.name == "psql":
            yield _content(call, one[2:])
        elif not one.startswith("-"):
            plain.append(one)
        elif one in ("-h", "-U", "-d", "-p", "-u", "-P", "-v", "--host", "--user", "-init", "-cmd", "-D", "-o", "-F"):
            words = words[1:] if not (call.name in ("mysql", "mariadb", "sqlite3") and one == "-p") else words
    if call.name in ("sqlite3", "duckdb", "litecli"):
        yield from (_seen(one) for one in plain[1:])


def _seen(text: str) -> str | None:
    """SQL in which a value is unseen can be judged; one whose verb is unseen cannot."""
    return (
        None
        if unseen(text) and not re.match(r"\s*(?:select|show|explain)\b[^\0]*\0[^;]*$", text, re.IGNORECASE)
        else text
    )


def _content(call: Call, path: str) -> str | None:
    where = resolve(call, path)
    if path == "-":
        return call.given
    if where is None or where.name in call.written or "*" in call.written:
        return None
    try:
        return read_bounded(where)
    except OSError:
        return None


def judge_statements(call: Call, text: str) -> Iterator[Said]:
    """What these statements change without a bound."""
    from tidegate.infra.sql.lexer import statements
    from tidegate.infra.sql.reader import steps_of

    if _SHELL.search(text):
        yield call.concern("unseen-script", "it leaves the database for the shell", "run that command by itself")
        return
    for read in _READ_IN.finditer(text):
        inner = _content(call, read[1].strip("'\""))
        if inner is None or _READ_IN.search(inner):
            yield call.concern("unseen-script", "it reads statements that nobody sees", "write them out")
        else:
            yield from judge_statements(call, inner)
    sql = _CLIENT.sub("", text).replace("\0", "x")
    found: str = next((step.text or str(step.deed) for step in steps_of(sql)), "")
    if not found:
        verbs = (statement[0].upper for statement in statements(sql))
        found = next((f"{verb or 'something'}" for verb in verbs if verb not in _READS), "")
    if not found and (power := _POWERS.search(_bare(sql))):
        found = power[0]
    if not found and re.match(r"\s*pragma\b[^;]*=", sql, re.IGNORECASE):
        found = "a PRAGMA that is set"
    if found:
        cut = " ".join(found.split())[:60]
        yield call.concern("data", f"it changes the database without a bound ({cut})", _SAFE, _database(call))


def _bare(sql: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", "''", sql)


def _database(call: Call) -> str:
    for place, one in enumerate(call.arguments):
        if one in ("-d", "--dbname", "-D", "--database") and place + 1 < len(call.arguments):
            return call.arguments[place + 1].replace("\0", "…")
    return call.name


TOOL = Tool(frozenset((*_TEXT, "sqlite3", "litecli", "isql", "mycli", "vsql", "trino", "presto", "bcp")), judge)
MONGO = Tool(frozenset(("mongosh", "mongo")), judge_mongo)
