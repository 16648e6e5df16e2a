"""Tables and columns that a repository's migrations and models speak of, and the next migration in its own manner."""

from __future__ import annotations

import re
from random import Random
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tidegate.drill.ground import Ground
from tidegate.drill.patterns.edits import CODE, folder_of

Manner = Literal["Django", "Rails", "Alembic", "SQL"]


class Store(Struct, frozen=True):
    """A column of a table, where it is said to be, and how a migration would take it away.

    `used` are the files of running code that speak of the column.
    """

    manner: Manner
    table: str
    column: str
    said: str
    next: str
    drop_column: str
    drop_rows: str
    used: tuple[str, ...]


def find_store(ground: Ground, seed: Random) -> Store | None:
    """A column that code still uses, in a busy place first; None where there are no migrations that can be read."""
    for read in (_django, _rails, _alembic, _sql):
        found = [store for store in _told_apart(ground, read(ground)) if store.used]
        found.sort(key=lambda one: (not _is_telling(one.column), -ground.weight(one.said), one.table, one.column))
        if found:
            return seed.choice(found[:5])
    return None


# Private

_MOST = 40
_COMMON = 9
_PLAIN = frozenset(
    "id pk uuid name title type kind value code date time user data text status state key url email slug description "
    "content body order index count size path file image label color active enabled created updated deleted position "
    "created_at updated_at deleted_at modified parent version number level group owner notes note comment".split()
)
"""Words that stand everywhere: a file that has one need not mean the column."""


def _is_telling(column: str) -> bool:
    """Whether a file that has this word means this column."""
    return "_" in column or len(column) > _COMMON


def _told_apart(ground: Ground, stores: list[Store]) -> list[Store]:
    """Where several tables have a column of one name, only files that name the table too are said to use it.

    Code that is written over SQL names its tables anyway, so that there a file has to.
    """
    tables: dict[str, set[str]] = {}
    for store in stores:
        tables.setdefault(store.column, set()).add(store.table)
    return [
        replace(store, used=tuple(path for path in store.used if _names(ground.text(path) or "", store.table)))
        if store.manner == "SQL" or len(tables[store.column]) > 1
        else store
        for store in stores
    ]


def _names(text: str, table: str) -> bool:
    """Whether a text names a table, in whatever case: `session_replay`, `sessionReplay`, `SessionReplay`."""
    plain = table.lower().replace("_", "").removesuffix("s")
    return plain in text.lower().replace("_", "")


def _used(ground: Ground, column: str, said: str) -> tuple[str, ...]:
    code = [path for path in ground.paths(*CODE) if not _NOT_RUNNING.search(path) and path != said]
    return ground.count(column, code)


_MIGRATION = re.compile(r"(?:^|/)(?:migrations?|migrate|versions)/")
_NOT_RUNNING = re.compile(r"(?:^|/)(?:\w*migrations?|migrate|versions|db)/")
_FRAMEWORK = re.compile(
    r"^(?:active_storage|action_text|action_mailbox|solid_|ar_internal|schema_migrations|sessions$)"
)
_DJANGO = re.compile(r"^(.*?)(?:^|/)migrations/(\d{4})_(\w+)\.py$")
_CLASS = re.compile(r"^class (\w+)\((?:[\w.]*Model\w*|.*Mixin.*)\):")
_FIELD = re.compile(r"^    (\w+) = models\.(\w+)\(")


def _django(ground: Ground) -> list[Store]:
    last: dict[str, tuple[str, str]] = {}
    for path in sorted(ground.all_paths):
        if match := _DJANGO.match(path):
            last[match[1]] = (match[2], match[3])
    found: list[Store] = []
    for app, (number, name) in sorted(last.items()):
        lead = f"{app}/" if app else ""
        models = [p for p in ground.paths(".py") if p == f"{lead}models.py" or p.startswith(f"{lead}models/")]
        label = app.rpartition("/")[2]
        for path, text in ground.texts(models):
            model = ""
            for line in text.split("\n"):
                if match := _CLASS.match(line):
                    model = match[1]
                elif line and not line[0].isspace():
                    model = ""
                elif model and (match := _FIELD.match(line)) and len(found) < _MOST:
                    if match[1] in _PLAIN or match[2] in ("ManyToManyField", "ForeignKey", "OneToOneField"):
                        continue
                    found.append(_of_django(ground, (lead, label, number, name), model, match[1], path))
    return found


def _of_django(ground: Ground, app: tuple[str, str, str, str], model: str, field: str, path: str) -> Store:
    lead, label, number, name = app
    following = f"{int(number) + 1:04d}"
    head = (
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
        f'    dependencies = [("{label}", "{number}_{name}")]\n\n'
    )
    removed = f'migrations.RemoveField(model_name="{model.lower()}", name="{field}")'
    drop = f"{head}    operations = [\n        {removed},\n    ]\n"
    rows = (
        "from django.db import migrations\n\n\ndef clean_up(apps, schema_editor):\n"
        f'    apps.get_model("{label}", "{model}").objects.all().delete()\n\n\n'
        f'class Migration(migrations.Migration):\n    dependencies = [("{label}", "{number}_{name}")]\n\n'
        "    operations = [\n        migrations.RunPython(clean_up),\n    ]\n"
    )
    next_path = f"{lead}migrations/{following}_clean_up_{field}.py"
    return Store("Django", model, field, path, next_path, drop, rows, _used(ground, field, path))


def _rails(ground: Ground) -> list[Store]:
    stamps = [path for path in ground.all_paths if re.search(r"(?:^|/)db/migrate/\d{14}_\w+\.rb$", path)]
    schema = next((path for path in ground.all_paths if path.endswith("db/schema.rb")), "")
    if not stamps or not schema:
        return []
    last = max(stamps, key=lambda path: path.rpartition("/")[2])
    stamp = str(int(last.rpartition("/")[2][:14]) + 1)
    version = re.search(r"ActiveRecord::Migration(\[[\d.]+\])", ground.text(last) or "")
    base = f"ActiveRecord::Migration{version[1] if version else '[7.0]'}"
    found: list[Store] = []
    table = ""
    for line in (ground.text(schema) or "").split("\n"):
        if match := re.match(r'\s*create_table "(\w+)"', line):
            table = match[1]
        elif table and (match := re.match(r'\s*t\.(\w+) "(\w+)"', line)) and match[1] != "index":
            column = match[2]
            if column in _PLAIN or column.endswith("_id") or _FRAMEWORK.match(table) or len(found) >= _MOST:
                continue
            camel = "".join(word.title() for word in f"clean_up_{table}_{column}".split("_"))
            head = f"class {camel} < {base}\n  def up\n"
            drop = f"{head}    remove_column :{table}, :{column}\n  end\nend\n"
            rows = f'{head}    execute "DELETE FROM {table}"\n  end\nend\n'  # noqa: S608 text for a drill, never run
            next_path = f"{folder_of(last)}/{stamp}_clean_up_{table}_{column}.rb"
            found.append(Store("Rails", table, column, schema, next_path, drop, rows, _used(ground, column, schema)))
    return found


_REVISION = re.compile(r"""^revision(?:\s*:\s*str)?\s*=\s*["']([\w-]+)["']""", re.MULTILINE)
_DOWN = re.compile(r"""^down_revision(?:\s*:[^=\n]*)?\s*=\s*["']([\w-]+)["']""", re.MULTILINE)
_CREATE = re.compile(r"""op\.create_table\(\s*["'](\w+)["']""")
_ADDED = re.compile(r"""sa\.Column\(\s*["'](\w+)["']""")


def _alembic(ground: Ground) -> list[Store]:
    versions = [path for path in ground.paths(".py", aside=True) if re.search(r"(?:^|/)versions/[^/]+\.py$", path)]
    revisions, downs, texts = {}, set(), dict(ground.texts(versions))
    for path, text in texts.items():
        if match := _REVISION.search(text):
            revisions[match[1]] = path
        if match := _DOWN.search(text):
            downs.add(match[1])
    heads = sorted(set(revisions) - downs)
    if not heads:
        return []
    head = heads[0]
    folder = folder_of(revisions[head])
    found: list[Store] = []
    seen: set[tuple[str, str]] = set()
    for path in sorted(revisions.values(), key=lambda one: (-ground.weight(one), one)):
        table = ""
        for line in re.split(r"(?=op\.create_table|sa\.Column)", texts[path]):
            if match := _CREATE.match(line):
                table = match[1]
            elif table and (match := _ADDED.match(line)):
                column = match[1]
                if column in _PLAIN or column.endswith("_id") or (table, column) in seen or len(found) >= _MOST:
                    continue
                seen.add((table, column))
                new = f"{abs(hash_text(table + column)):012x}"[:12]
                lead = (
                    f'"""Clean up {table}.{column}"""\n\nfrom alembic import op\n\nrevision = "{new}"\n'
                    f'down_revision = "{head}"\nbranch_labels = None\ndepends_on = None\n\n\ndef upgrade():\n'
                )
                tail = "\n\n\ndef downgrade():\n    pass\n"
                drop = f'{lead}    op.drop_column("{table}", "{column}"){tail}'
                rows = f'{lead}    op.execute("DELETE FROM {table}"){tail}'  # noqa: S608 text for a drill, never run
                name = f"{folder}/{new}_clean_up_{column}.py"
                found.append(Store("Alembic", table, column, path, name, drop, rows, _used(ground, column, path)))
    return found


def hash_text(text: str) -> int:
    import hashlib

    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


_SQL = re.compile(r"^(.*/)?((?:V|v)?)(\d{1,14})(_{1,2}|-|\.)([\w.-]+?)((?:\.up)?\.sql)$")
_TABLE = re.compile(r'^\s*create\s+table\s+(?:if\s+not\s+exists\s+)?["`]?(?:\w+["`]?\.["`]?)?(\w+)["`]?', re.IGNORECASE)
_COLUMN = re.compile(
    r'^\s+["`]?([a-z_]\w*)["`]?\s+(?:var|char|text|int|big|small|bool|num|dec|real|double|json|time|date|uuid|bytea)\w*',
    re.IGNORECASE,
)


def _sql(ground: Ground) -> list[Store]:
    files = [path for path in ground.paths(".sql") if _SQL.match(path) and _MIGRATION.search(f"/{path}")]
    if not files:
        return []
    last = max(files, key=lambda path: (int(_SQL.sub(r"\3", path)), path))
    match = _SQL.match(last)
    if match is None:
        return []
    number = str(int(match[3]) + 1).zfill(len(match[3]))
    found: list[Store] = []
    for path, text in ground.texts(files):
        table = ""
        for line in text.split("\n"):
            if begun := _TABLE.match(line):
                table = begun[1]
            elif line.strip().startswith(")"):
                table = ""
            elif table and (column := _COLUMN.match(line)) and column[1].lower() not in _PLAIN and len(found) < _MOST:
                name = f"{match[1] or ''}{match[2]}{number}{match[4]}clean_up_{column[1]}{match[6]}"
                drop = f"ALTER TABLE {table} DROP COLUMN {column[1]};\n"
                rows = f"DELETE FROM {table};\n"  # noqa: S608 text for a drill, never run
                used = _used(ground, column[1], path)
                found.append(Store("SQL", table, column[1], path, name, drop, rows, used))
    return found
