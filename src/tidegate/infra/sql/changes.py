"""Migrations that change: new ones are read, applied ones that are edited are named, dumps are compared by tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from tidegate.change.trees import Pair, Tree, Trees
from tidegate.facts import Place, Severity, Unjudged
from tidegate.infra.environment import of_path
from tidegate.infra.sql.effects import drafts_of
from tidegate.infra.sql.layouts import Layout, down_of, layout_of, root_of, up_part
from tidegate.infra.sql.lexer import LONGEST, Dialect, Statement, Token, dialect_of, statements
from tidegate.infra.sql.past import Past, tables_of
from tidegate.infra.sql.reader import steps_of
from tidegate.infra.sql.steps import Script
from tidegate.infra.values import Draft, Found

_HINTS = ("config/database.yml", "prisma/migrations/migration_lock.toml", "prisma/schema.prisma", "db/config.yml")
_NUMBER = re.compile(r"\d+")


def read_changes(trees: Trees, pairs: tuple[Pair, ...]) -> Found:
    """What the changed migrations do. Removed ones are not asked: a squash changes no database."""
    layouts = {pair.path: layout_of(pair.path) for pair in pairs if pair.after}
    texts = _texts(trees.after, layouts)
    old = _texts(trees.before, [pair.before for pair in pairs if pair.before and pair.after])
    sure = cache(lambda: _hinted(trees.after))
    unjudged: list[Unjudged] = [
        Unjudged(
            path, "the migration cannot be read: it is too large or not there.", "Have a person read it.", Place(path)
        )
        for path in layouts
        if path not in texts
    ]
    drafts: list[Draft] = []
    scripts: list[Script] = []
    for pair in sorted(pairs, key=lambda one: _order(one.path)):
        if pair.path not in texts:
            continue
        if len(texts[pair.path]) > LONGEST:
            unjudged.append(
                Unjudged(
                    pair.path,
                    f"only the first {LONGEST // 1_000_000} MB of the script are read.",
                    "Keep rows in a file of their own, beside the statements that change tables.",
                    Place(pair.path),
                )
            )
        layout, text, former = layouts[pair.path], texts[pair.path], old.get(pair.before)
        dialect = dialect_of(text, pair.path) or sure()
        if layout.kind == "dump":
            drafts += _compared(pair.path, former or "", text, dialect) if len(layouts) == 1 else []
        elif former is None or layout.kind == "repeated":
            try:
                script = _script(trees, layout, pair.path, text, dialect, former or "")
            except (SyntaxError, RecursionError):
                unjudged.append(
                    Unjudged(pair.path, "the migration is no Python that can be read.", "", Place(pair.path))
                )
                continue
            scripts += [script] if script is not None else []
        else:
            drafts += _edited(pair, layout, former, text, dialect)
    said = list(drafts_of(scripts, Past(trees.before, {_folder(script.path) for script in scripts})))
    drafts += [one for one in said if isinstance(one, Draft)]
    unjudged += [one for one in said if isinstance(one, Unjudged)]
    read_files = {script.path for script in scripts} | {draft.place.path for draft in drafts}
    return Found(drafts=tuple(drafts), unjudged=tuple(unjudged), files=tuple(sorted(read_files)))


# Private


def _texts(tree: Tree, paths: Iterable[str]) -> Mapping[str, str]:
    found = tree.read(paths)
    return {path: _decoded(found[path]) for path in found}


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace").replace("\0", "")


def _order(path: str) -> tuple[tuple[int, ...], str]:
    """Migrations run in the order of the numbers in their names: V2 before V10."""
    return tuple(int(number) for number in _NUMBER.findall(path)[:6]), path


def _folder(path: str) -> str:
    """The folder of all migrations beside this one; Prisma gives each a folder of its own."""
    folder = path.rpartition("/")[0]
    return folder.rpartition("/")[0] if path.endswith("/migration.sql") else folder


def _hinted(tree: Tree) -> Dialect:
    """The database that the repository is set up for."""
    for text in _texts(tree, _HINTS).values():
        found = re.search(
            r"(?:adapter|provider)\s*[:=]\s*[\"']?(postgres|mysql|trilogy|sqlite|sqlserver|cockroach)", text
        )
        if found:
            names: Mapping[str, Dialect] = {"trilogy": "mysql", "sqlserver": "tsql", "cockroach": "postgres"}
            return names.get(found[1]) or dialect_of("", found[1])
    return ""


def _script(trees: Trees, layout: Layout, path: str, text: str, dialect: Dialect, former: str) -> Script | None:
    if layout.tool == "alembic":
        from tidegate.infra.sql.alembic import read_alembic

        return read_alembic(text, path, dialect)
    if layout.tool == "django":
        from tidegate.infra.sql.django import read_django

        return read_django(text, path, dialect, lambda: _earlier(trees.before, path))
    if layout.tool == "rails":
        from tidegate.infra.sql.ruby import read_rails

        return read_rails(text, path, dialect)
    up, line, has_down = up_part(text)
    if not has_down and (down := down_of(path)):
        has_down = bool(trees.after.read([down]))
    gone = set(_plain(statements(former, dialect)))
    known = {step.text for step in steps_of(former, dialect)} if gone else set()
    steps = tuple(step for step in steps_of(up, dialect, line) if step.text not in known)
    return Script(path, steps, has_down=has_down, dialect=dialect)


def _earlier(tree: Tree, path: str) -> list[str]:
    folder = f"{path.rpartition('/')[0]}/"
    paths = sorted(one for one in tree.paths() if one.startswith(folder) and one.endswith(".py") and one < path)
    found = _texts(tree, paths)
    return [found[one] for one in paths if one in found]


def _plain(found: Iterable[Statement]) -> list[tuple[tuple[str, str], ...]]:
    return [tuple((token.kind, _normal(token)) for token in statement) for statement in found]


def _normal(token: Token) -> str:
    """A token as it compares: words without case, bodies without their layout."""
    return token.upper or (" ".join(token.text.split()).lower() if token.kind == "body" else token.text)


def _edited(pair: Pair, layout: Layout, former: str, text: str, dialect: Dialect) -> Iterator[Draft]:
    """A migration that was there before: databases that ran it do not run it again, so they and new ones differ."""
    renamed = pair.before.rpartition("/")[2] != pair.after.rpartition("/")[2]
    if layout.tool in ("alembic", "django"):
        from tidegate.infra.sql.syntax import deeds_of

        same = deeds_of(former) == deeds_of(text)
    elif layout.tool == "rails":
        same = _bare(former) == _bare(text)
    else:
        same = _plain(statements(former, dialect)) == _plain(statements(text, dialect))
    if same and not renamed and not (layout.sums and former != text):
        return
    severity: Severity = "medium" if layout.sums and not same else "low"
    if same and renamed:
        words = (
            f"The migration {pair.before} is renamed: a tool that goes by names takes it for a new one and runs it"
            " again, where its tables are already there."
        )
    else:
        sums = " The tool compares check sums and refuses to start." if layout.sums else ""
        words = (
            f"The migration {pair.path} was there before and is edited: already applied migrations are not run again,"
            f" so databases that ran it keep the old shape and new ones get the other.{sums} Put the change into a new"
            " migration."
        )
    yield Draft(
        "APPLY_FAIL",
        severity,
        f"migration {pair.path}",
        words,
        reversible=True,
        back="restore the file",
        certainty="likely",
        place=Place(pair.path),
        environment=of_path(root_of(pair.path)) or "unknown",
    )


def _bare(text: str) -> Sequence[str]:
    """Lines of code without comments and blanks."""
    return [line.strip() for line in text.split("\n") if line.strip() and not line.strip().startswith("#")]


def _compared(path: str, former: str, text: str, dialect: Dialect) -> Iterator[Draft]:
    """Tables and columns that a dump no longer has: lost where the dump is applied as the wanted state."""
    before, after = tables_of(former, dialect), tables_of(text, dialect)
    for table in sorted(before):
        gone = f"table {table}" if table not in after else ""
        columns = [one for one in before[table] if one not in after.get(table, {})] if not gone else []
        if gone or columns:
            what = gone or f"table {table}"
            words = f"the table {table}" if gone else f"{table}.{', '.join(columns)}"
            yield Draft(
                "DATA_DESTROY",
                "high",
                what,
                f"{path} no longer has {words}, and no migration comes with it. Where this file is applied as the"
                " wanted state, that is dropped with what is in it (data loss).",
                reversible=False,
                back="only a backup brings it back",
                certainty="possible",
                place=Place(path),
                environment=of_path(root_of(path)) or "unknown",
            )
