"""What one step of a migration does, whatever language it is written in."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Deed: TypeAlias = Literal[
    "copy",
    "create table",
    "recreate table",
    "drop table",
    "drop column",
    "drop schema",
    "drop database",
    "drop owned",
    "drop partition",
    "drop type",
    "drop extension",
    "drop view",
    "drop function",
    "drop policy",
    "drop trigger",
    "create view",
    "create function",
    "create policy",
    "create trigger",
    "truncate",
    "delete all",
    "update all",
    "add column",
    "change type",
    "set not null",
    "create index",
    "add unique",
    "add foreign key",
    "add check",
    "validate",
    "rename table",
    "rename column",
    "lock table",
    "rewrite table",
    "unlogged",
    "disable row security",
    "disable trigger",
    "enable trigger",
    "grant public",
    "grant power",
    "computed",
]


class Step(Struct, frozen=True):
    """One step. `table` and `name` are as written, without quotes; `name` is the column, index, policy or new name.

    `type` is a column's type as written and `former` what it was, where the step itself says so. `nullable` and
    `default` speak of a column: `default` is "" for none, else its text. `online` is whether it is done without
    keeping writers out. `cascades` takes what depends on it along. `text` is the step as people recognise it.
    """

    deed: Deed
    table: str
    name: str = ""
    type: str = ""
    former: str = ""
    nullable: bool = True
    default: str = ""
    unique: bool = False
    online: bool = False
    cascades: bool = False
    if_exists: bool = False
    text: str = ""
    line: int = 0


class Script(Struct, frozen=True):
    """One migration: what it does going up, in order. `has_down` is whether it says how it is taken back.

    `wraps` is whether its tool is known to run it in one transaction, in which nothing is made CONCURRENTLY.
    """

    path: str
    steps: tuple[Step, ...]
    has_down: bool = False
    dialect: str = ""
    wraps: bool = False


def key(name: str) -> str:
    """How tables and columns compare: without a default schema, quotes and case."""
    parts = name.lower().split(".")
    return ".".join(
        part for place, part in enumerate(parts) if place == len(parts) - 1 or part not in ("public", "dbo")
    )
