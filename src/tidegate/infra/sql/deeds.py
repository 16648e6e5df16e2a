"""What is said of each kind of step, on its own: how grave it is, what is lost, and the safe way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from tidegate.facts import EffectCode, Severity
from tidegate.infra.sql.steps import Script, Step, key
from tidegate.infra.sql.types import fate, is_roomy_text

_EXPENDABLE = re.compile(
    r"(^|_)(tmp|temp|cache|caches|session|sessions|staging|stage|scratch|backup|bak|old|archive)(_|$)"
)
_VOLATILE = re.compile(
    r"\b(random|gen_random_uuid|uuid_generate_v\d\w*|clock_timestamp|nextval|newid|uuid)\s*\(", re.IGNORECASE
)


class Known(Protocol):
    """What tables and columns were before the change."""

    def knows(self, table: str) -> bool | None:
        """Whether there was such a table; None where nothing says so."""
        ...

    def type_of(self, table: str, column: str) -> str:
        """The type of a column before the change, "" where nothing says it."""
        ...


class Scene(Struct, frozen=True):
    """What the whole change does, for the steps that mean something else beside others."""

    made: Mapping[str, int]
    copied: frozenset[str]
    replaced: frozenset[str]
    added: frozenset[tuple[str, str]]
    remade: frozenset[tuple[str, str]]
    proved: frozenset[str]
    enabled: frozenset[str]
    dropped_first: frozenset[int]
    past: Known


class At(Struct, frozen=True):
    """A step where it stands."""

    step: Step
    scene: Scene
    script: Script


class Said(Struct, frozen=True):
    """What is said of a step. `what` is the address, the table where it is ""."""

    code: EffectCode
    severity: Severity
    reason: str
    reversible: bool = True
    back: str = ""
    what: str = ""
    possible: bool = False


# Private


def _no_way_back(script: Script) -> str:
    if script.has_down:
        return "the down migration makes it again, empty; what was in it comes only from a backup"
    return "there is no down migration; only a backup brings it back"


def _drop_table(at: At) -> Said | None:
    if key(at.step.table) in at.scene.replaced:
        return None
    expendable = bool(_EXPENDABLE.search(key(at.step.table)))
    if key(at.step.table) in at.scene.copied:
        return Said(
            "DATA_DESTROY",
            "high",
            f"The migration drops the table {at.step.table} after it has copied from it: what the copy leaves out is"
            " destroyed (data loss), and code that still asks for the table fails. Compare the two before, and drop it"
            " a release later.",
            reversible=False,
            back=_no_way_back(at.script),
        )
    again = " It is made again empty." if at.scene.made.get(key(at.step.table)) is not None else ""
    return Said(
        "DATA_DESTROY",
        "high" if expendable else "critical",
        f"The migration drops the table {at.step.table}: its rows are destroyed the moment it runs, and code that still"
        f" asks for it fails (data loss).{again} Take a backup, rename it first, and drop it a release later.",
        reversible=False,
        back=_no_way_back(at.script),
    )


def _drop_column(at: At) -> Said | None:
    if (key(at.step.table), at.step.name.lower()) in at.scene.added:
        return None
    return Said(
        "DATA_DESTROY",
        "high",
        f"The migration drops the column {at.step.table}.{at.step.name}: what it holds is destroyed (data loss), and"
        " instances of the old version that still read or write it fail until they are replaced. Stop using it in one"
        " release and drop it in the next.",
        reversible=False,
        back=_no_way_back(at.script),
        what=f"column {at.step.table}.{at.step.name}",
    )


def _drop_all(at: At) -> Said:
    kind = {"drop schema": "schema", "drop database": "database"}.get(at.step.deed, "everything owned by")
    return Said(
        "DATA_DESTROY",
        "critical",
        f"The migration drops the {kind} {at.step.table} with every table in it: all their rows are destroyed (data"
        " loss).",
        reversible=False,
        back="only a backup brings it back",
        what=f"{kind} {at.step.table}",
    )


def _drop_partition(at: At) -> Said:
    return Said(
        "DATA_DESTROY",
        "high",
        f"The migration drops the partition {at.step.name} of {at.step.table} with the rows in it (data loss). Where"
        " old partitions are meant to expire, say so in a retention job.",
        reversible=False,
        back=_no_way_back(at.script),
    )


def _drop_with(at: At) -> Said | None:
    """Types and extensions: harmless unless they take columns along."""
    if not at.step.cascades:
        return None
    kind = at.step.deed.removeprefix("drop ")
    return Said(
        "DATA_DESTROY",
        "high",
        f"DROP {kind.upper()} {at.step.table} CASCADE drops every column of that {kind} with what it holds (data loss)."
        " Drop it without CASCADE: the database names then what still uses it.",
        reversible=False,
        back=_no_way_back(at.script),
        what=f"{kind} {at.step.table}",
    )


def _drop_view(at: At) -> Said | None:
    kind = at.step.deed.removeprefix("drop ")
    if (kind, key(at.step.table)) in at.scene.remade:
        return None
    return Said(
        "OUTAGE_PARTIAL",
        "low",
        f"The migration drops the {kind} {at.step.table}: what still asks for it fails.",
        back="make it again from its former definition",
        what=f"{kind} {at.step.table}",
    )


def _empty(at: At) -> Said:
    severe: Severity = "high" if _EXPENDABLE.search(key(at.step.table)) else "critical"
    how = (
        "TRUNCATE empties"
        f" {at.step.table}{' and, by CASCADE, every table that refers to it' if at.step.cascades else ''}"
        if at.step.deed == "truncate"
        else f"DELETE without a condition that chooses rows empties {at.step.table}"
    )
    return Said(
        "DATA_DESTROY",
        severe,
        f"{how}: all rows are destroyed (data loss). Name the rows that are to go in a WHERE, and count them first.",
        reversible=False,
        back="only a backup brings the rows back",
    )


def _update(at: At) -> Said | None:
    if at.step.type == "fills":
        return None
    columns = [name.lower() for name in at.step.name.split(",") if name]
    if columns and all((key(at.step.table), name) in at.scene.added for name in columns):
        return Said(
            "LOCK",
            "low",
            f"The migration fills {at.step.table}.{', '.join(columns)} in one UPDATE: every row is locked until it is"
            " done. Fill a large table in batches.",
        )
    return Said(
        "DATA_DESTROY",
        "high",
        f"UPDATE without a condition that chooses rows overwrites {', '.join(columns) or 'columns'} of every row of"
        f" {at.step.table} (data loss): what stood there is gone. Name the rows in a WHERE, or keep the old values in"
        " another column.",
        reversible=False,
        back="only a backup brings the former values back",
    )


def _add_column(at: At) -> Said | None:
    if not at.step.nullable and not at.step.default and at.script.dialect != "mysql":
        return Said(
            "APPLY_FAIL",
            "medium",
            f"{at.step.table}.{at.step.name} is added NOT NULL without a default: the migration fails on a table that"
            " has rows. Add it nullable, fill it, then set NOT NULL; or give it a default.",
            back="nothing is changed by a migration that fails as a whole",
            what=f"column {at.step.table}.{at.step.name}",
            possible=True,
        )
    if at.script.dialect in ("", "postgres") and _VOLATILE.search(at.step.default):
        return Said(
            "LOCK",
            "medium",
            f"{at.step.table}.{at.step.name} is added with a default that is new for each row ({at.step.default}):"
            " PostgreSQL writes the whole table anew and nobody can read or write it meanwhile. Add the column first,"
            " set the default, fill it in batches.",
            what=f"column {at.step.table}.{at.step.name}",
        )
    return None


def _change_type(at: At) -> Said | None:
    former = at.step.former or at.scene.past.type_of(at.step.table, at.step.name)
    found = fate(former, at.step.type)
    column = f"{at.step.table}.{at.step.name}"
    shift = f"{former} -> {at.step.type}" if former else f"to {at.step.type}"
    if found == "narrower":
        return Said(
            "DATA_DESTROY",
            "high",
            f"The type of {column} is narrowed, {shift}: values that do not fit are cut or rounded, or the migration"
            " fails on them (data loss). Check the longest and the largest value first.",
            reversible=False,
            back="the former type can be set again; digits that were cut do not come back",
            what=f"column {column}",
        )
    if found in ("same", "wider") or (found == "unknown" and not former and is_roomy_text(at.step.type)):
        return None
    if at.script.dialect in ("sqlite", "other"):
        return None
    doubt = "" if former else " If the column held more than that, values are cut or the migration fails."
    return Said(
        "LOCK",
        "medium",
        f"The type of {column} changes {shift}: the table is written anew and locked until that is done.{doubt} On a"
        " large table add a second column and move over.",
        what=f"column {column}",
    )


def _not_null(at: At) -> Said | None:
    table = key(at.step.table)
    proved = any(
        one.startswith(f"{table} ") and at.step.name.lower() in one and "not null" in one for one in at.scene.proved
    )
    if proved or at.script.dialect in ("sqlite", "other"):
        return None
    return Said(
        "LOCK",
        "medium",
        f"SET NOT NULL on {at.step.table}.{at.step.name} reads the whole table while nobody can write to it, and fails"
        " on a row that has nothing there. Add a CHECK (... IS NOT NULL) NOT VALID, validate it, then set NOT NULL.",
        what=f"column {at.step.table}.{at.step.name}",
    )


def _index(at: At) -> Said | None:
    if at.step.online and at.script.wraps:
        return Said(
            "APPLY_FAIL",
            "medium",
            f"The index on {at.step.table} is made CONCURRENTLY inside of the migration's transaction: the database"
            " refuses that. Switch the transaction off for this migration.",
            back="nothing is changed by a migration that fails as a whole",
        )
    if at.step.unique and (key(at.step.table), at.step.name.lower()) not in at.scene.added:
        return Said(
            "APPLY_FAIL",
            "medium",
            f"A unique index on {at.step.table} fails if there are duplicates among its rows"
            + ("." if at.step.online else ", and it keeps writers out while it is built.")
            + " Look for duplicates first; on PostgreSQL build it CONCURRENTLY.",
            possible=True,
            back="drop the index",
        )
    if at.step.online or at.script.dialect not in ("", "postgres", "tsql"):
        return None
    return Said(
        "LOCK",
        "medium",
        f"CREATE INDEX on {at.step.table} without CONCURRENTLY keeps writers out of the table until it is built."
        " Create it CONCURRENTLY, outside of a transaction.",
        back="drop the index",
    )


def _unique(at: At) -> Said | None:
    columns = [name.strip().lower() for name in at.step.name.split(",") if name.strip()]
    if columns and all((key(at.step.table), name) in at.scene.added for name in columns):
        return None
    return Said(
        "APPLY_FAIL",
        "medium",
        f"A unique constraint on {at.step.table} ({at.step.name}) fails if there are duplicates among its rows, and"
        " keeps writers out while it is built. Look for duplicates first; on PostgreSQL build the index CONCURRENTLY"
        " and use it.",
        possible=True,
        back="drop the constraint",
    )


def _proved_later(at: At) -> Said | None:
    if at.step.online or at.script.dialect in ("sqlite", "other"):
        return None
    words = "a foreign key" if at.step.deed == "add foreign key" else "a CHECK"
    return Said(
        "LOCK",
        "medium",
        f"Adding {words} to {at.step.table} checks every row while writers"
        f" wait{' on both tables' if at.step.deed == 'add foreign key' else ''}. Add it NOT VALID and validate it in a"
        " second migration.",
        back="drop the constraint",
    )


def _rename(at: At) -> Said | None:
    if key(at.step.table) == key(at.step.name):
        return None
    if at.step.deed == "rename table":
        if ("view", key(at.step.table)) in at.scene.remade:
            return None
        what, old = f"table {at.step.table}", at.step.table
    else:
        what, old = f"column {at.step.table}.{at.step.type}", f"{at.step.table}.{at.step.type}"
    return Said(
        "OUTAGE_PARTIAL",
        "high",
        f"{old} is renamed to {at.step.name}: instances of the old version ask for the old name and fail from the"
        " moment that the migration runs until they are replaced. Add the new name beside the old one, move over,"
        " then drop it.",
        back="rename it back",
        what=what,
    )


def _lock(at: At) -> Said:
    return Said(
        "LOCK", "medium", f"LOCK TABLE {at.step.table} keeps everyone else out until the migration's transaction ends."
    )


def _rewrite(at: At) -> Said:
    return Said(
        "LOCK",
        "high" if at.step.name == "VACUUM FULL" else "medium",
        f"{at.step.name} of {at.step.table or 'every table'} writes it anew: nobody can read or write it until that is"
        " done.",
    )


def _unlogged(at: At) -> Said:
    return Said(
        "DATA_DURABILITY",
        "high",
        f"{at.step.table} becomes UNLOGGED: it is empty after a crash and is not on the replicas.",
        back="ALTER TABLE ... SET LOGGED",
    )


def _row_security(at: At) -> Said:
    return Said(
        "IAM_WIDEN",
        "high",
        f"Row level security of {at.step.table} is switched off: everyone who may read the table reads every row of"
        " it.",
        back="switch it on again; what was read meanwhile stays read",
    )


def _policy(at: At) -> Said | None:
    if ("policy", key(at.step.name)) in at.scene.remade or any(kind == "policy" for kind, _ in at.scene.remade):
        return None
    return Said(
        "IAM_WIDEN",
        "medium",
        f"The policy {at.step.name} of {at.step.table} is dropped and none takes its place: a restrictive one lets"
        " more rows through, a permissive one cuts who relied on it.",
        back="create the policy again",
    )


def _trigger(at: At) -> Said | None:
    if key(at.step.table) in at.scene.enabled or ("trigger", key(at.step.name)) in at.scene.remade:
        return None
    verb = "switched off" if at.step.deed == "disable trigger" else "dropped"
    return Said(
        "GUARD_REMOVED",
        "medium" if at.step.deed == "disable trigger" else "low",
        f"The trigger {at.step.name or 'of'} on {at.step.table} is {verb} and stays so: what it checked or recorded is"
        " not any more.",
        back="enable or create it again",
    )


def _grant(at: At) -> Said:
    if at.step.deed == "grant power":
        return Said(
            "IAM_WIDEN",
            "high",
            f"{at.step.name or 'A role'} gets {at.step.type}{f' on {at.step.table}' if at.step.table else ''}: whoever"
            " logs in as it passes every other check of the database.",
            back="revoke it",
            what=f"role {at.step.name}",
        )
    writes = {word.strip().upper() for word in at.step.type.split(",")} - {
        "SELECT",
        "USAGE",
        "CONNECT",
        "TEMPORARY",
        "REFERENCES",
    }
    return Said(
        "IAM_WIDEN",
        "high" if writes else "medium",
        f"GRANT {at.step.type} ON {at.step.table} TO PUBLIC: every role of the database has it, those made later too.",
        back="revoke it",
        what=f"grant on {at.step.table}",
    )


def _recreate(at: At) -> Said | None:
    if at.scene.past.knows(at.step.table) is False:
        return None
    return Said(
        "DATA_DESTROY",
        "critical",
        f"CREATE OR REPLACE TABLE {at.step.table} drops the table that is there with its rows (data loss).",
        reversible=False,
        back=_no_way_back(at.script),
    )


DEEDS: Mapping[str, Callable[[At], Said | None]] = {
    "recreate table": _recreate,
    "drop table": _drop_table,
    "drop column": _drop_column,
    "drop schema": _drop_all,
    "drop database": _drop_all,
    "drop owned": _drop_all,
    "drop partition": _drop_partition,
    "drop type": _drop_with,
    "drop extension": _drop_with,
    "drop view": _drop_view,
    "drop function": _drop_view,
    "truncate": _empty,
    "delete all": _empty,
    "update all": _update,
    "add column": _add_column,
    "change type": _change_type,
    "set not null": _not_null,
    "create index": _index,
    "add unique": _unique,
    "add foreign key": _proved_later,
    "add check": _proved_later,
    "rename table": _rename,
    "rename column": _rename,
    "lock table": _lock,
    "rewrite table": _rewrite,
    "unlogged": _unlogged,
    "disable row security": _row_security,
    "drop policy": _policy,
    "disable trigger": _trigger,
    "drop trigger": _trigger,
    "grant public": _grant,
    "grant power": _grant,
}
