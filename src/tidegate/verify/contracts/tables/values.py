"""The shape of a database: tables with their columns, and enums with their values."""

from __future__ import annotations

from msgspec import Struct, field


class Column(Struct, frozen=True):
    """`type` as it is written, in lower case and without spaces that say nothing."""

    type: str
    nullable: bool
    line: int


class Table(Struct):
    """A table; `whole` is False for a view or a part of another table, of which no columns are read."""

    line: int
    columns: dict[str, Column] = field(default_factory=dict)
    whole: bool = True


class Database(Struct):
    """Tables and enums by the names that the database has for them."""

    tables: dict[str, Table] = field(default_factory=dict)
    enums: dict[str, tuple[str, ...]] = field(default_factory=dict)
