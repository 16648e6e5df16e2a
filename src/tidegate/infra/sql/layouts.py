"""Which files are migrations, of which tool, and which part of them goes up.

Down and rollback parts are not judged as the change: they run only when it is taken back. Seeds, tests and fixtures
are no migrations.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["migration", "repeated", "down", "dump", ""]


class Layout(Struct, frozen=True):
    """What a path says: the kind of file, the tool that runs it, "" unknown, and whether it keeps sums of old files."""

    kind: Kind
    tool: str = ""
    sums: bool = False


_OUT = frozenset(
    (
        *("test", "tests", "testdata", "__tests__", "spec", "specs", "fixture", "fixtures", "seed", "seeds", "seeders"),
        *("example", "examples", "sample", "samples", "vendor", "node_modules", "docs", "doc", "mock", "mocks", "e2e"),
        *("testing", "benchmark", "benchmarks", "third_party", "templates", "queries", "demo", "tutorial"),
    )
)
_FOLDERS = frozenset(
    (
        *("migrate", "migrations", "migration", "migs", "post_migrate", "changelog", "changelogs", "changesets"),
        *("liquibase", "flyway", "evolutions", "drizzle", "dbmigrations", "db_migrations", "db-migrations"),
        *(
            "schema_migrations",
            "schema-migrations",
            "deltas",
            "deploy_migrations",
            "goose",
            "dbmate",
            "sqlx",
            "versions",
        ),
    )
)
_ENDINGS = ("sql", "psql", "pgsql", "ddl")
_DUMPS = ("schema.sql", "structure.sql", "dump.sql", "schema_dump.sql", "init_schema.sql", "db_structure.sql")
_FLYWAY = re.compile(r"^(V|B)[\d._]+__.*\.sql$")
_REPEATED = re.compile(r"^(R__.*|afterMigrate.*|beforeMigrate.*)\.sql$")
_UP = re.compile(r"(^|[._-])up\.sql$", re.IGNORECASE)
_DOWN = re.compile(r"((^|[._-])(down|rollback|revert|undo)\.sql$)|(^U[\d._]+__.*\.sql$)", re.IGNORECASE)
_NUMBERED = re.compile(r"^\d{3,}[_.-].*\.sql$")
_SECTION = re.compile(
    r"^\s*(?:--|#)+[ \t]*(?:-{0,3}[ \t]*!|\+?[ \t]*(?:goose|migrate|rambler)?[ \t:]*)(ups?|downs?)\b[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_MARKED = re.compile(r"\+goose|\+migrate|migrate:|rambler|!Ups", re.IGNORECASE)


def layout_of(path: str) -> Layout:
    """What a path alone says of a file of SQL, Python or Ruby; `kind` is "" for no migration."""
    *folders, name = path.split("/")
    parts = {folder.lower() for folder in folders}
    stem, dot, ending = name.rpartition(".")
    name = f"{stem}{dot}sql" if ending.lower() in _ENDINGS else name
    if parts & _OUT or name.startswith(("seed", "test_")):
        return Layout("")
    if name.endswith(".sql"):
        return _sql(parts, name)
    if name.endswith(".py") and name != "__init__.py":
        if "versions" in parts:
            return Layout("migration", "alembic")
        return Layout("migration", "django") if "migrations" in parts else Layout("")
    if name.endswith(".rb") and parts & {"migrate", "post_migrate"}:
        return Layout("migration", "rails")
    return Layout("")


def root_of(path: str) -> str:
    """The folders above those of migrations: the names of migrations and of their tables say no environment."""
    folders = path.split("/")[:-1]
    inner = next((place for place, folder in enumerate(folders) if folder.lower() in _FOLDERS), len(folders))
    return "/".join(folders[:inner])


def up_part(text: str) -> tuple[str, int, bool]:
    """The part of a script that goes up, the line that it begins in, and whether there is a part that goes down."""
    if not _MARKED.search(text):
        return text, 1, False
    found = list(_SECTION.finditer(text))
    if not found:
        return text, 1, False
    up, has_down, kept = "", False, 1
    for place, one in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(text)
        body = text[one.end() : end]
        if one[1].lower().startswith("up"):
            kept = kept if up else text.count("\n", 0, one.end()) + 1
            up += body
        else:
            has_down = has_down or bool(re.sub(r"--[^\n]*|\s|;", "", body))
    return up, kept, has_down


def down_of(path: str) -> str:
    """Where the way back of a migration lies if it is a file of its own, "" where the tool has none."""
    folder, slash, name = path.rpartition("/")
    if re.search(r"(^|[._-])up\.sql$", name, re.IGNORECASE):
        return f"{folder}{slash}{re.sub(r'up(?=.sql$)', 'down', name, flags=re.IGNORECASE)}"
    if name[:1] == "V" and _FLYWAY.match(name):
        return f"{folder}{slash}U{name[1:]}"
    return f"{folder}/down.sql" if name == "migration.sql" else ""


# Private


def _sql(parts: set[str], name: str) -> Layout:
    if _DOWN.search(name) or parts & {"down", "rollback", "rollbacks", "revert", "undo"}:
        return Layout("down")
    if name.lower() in _DUMPS:
        return Layout("dump")
    if _REPEATED.match(name):
        return Layout("repeated", "flyway")
    if _FLYWAY.match(name):
        return Layout("migration", "flyway", sums=True)
    if parts & {"liquibase", "changelog", "changelogs", "changesets"}:
        return Layout("migration", "liquibase", sums=True)
    if name == "migration.sql":
        return Layout("migration", "prisma", sums=True)
    if "supabase" in parts and "migrations" in parts:
        return Layout("migration", "supabase")
    if _UP.search(name) or parts & (_FOLDERS - {"versions"}):
        return Layout("migration", "sqlx" if "sqlx" in parts else "")
    if _NUMBERED.match(name) and parts & {"db", "database", "sql", "schema", "ddl", "versions", "patches", "upgrades"}:
        return Layout("migration")
    return Layout("")
