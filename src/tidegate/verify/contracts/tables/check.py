"""The database schemas that a change touches: what readers of their tables lose."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from tidegate.facts import Place, Severity
from tidegate.verify.contracts.tables.read import LARGEST_BYTES, read_prisma, read_ruby, read_sql
from tidegate.verify.contracts.tables.values import Column, Database, Table
from tidegate.verify.contracts.values import (
    BROKEN,
    NARROWED,
    Both,
    Break,
    Compared,
    Unreadable,
    both_sides,
    for_others,
    shown,
)
from tidegate.verify.values import Subject


class Format(Struct, frozen=True):
    """Files of one format, and how they are read. `parts`: a folder of them is one schema."""

    files: re.Pattern[str]
    read: Callable[[str], Database]
    parts: bool = False


FORMATS = (
    Format(re.compile(r"\.prisma$"), read_prisma, parts=True),
    Format(re.compile(r"(^|/)db/(\w+_)?schema\.rb$"), read_ruby),
    Format(re.compile(r"(^|/)(\w+_)?(structure|schema)\.sql$"), read_sql),
)


class Loss(Struct, frozen=True):
    what: str
    line: int = 0
    rule: str = BROKEN
    severity: Severity = "medium"


def compare_tables(subject: Subject) -> Compared:
    """What readers of the repository's tables lose."""
    breaks: list[Break] = []
    unread: dict[str, str] = {}
    for form in FORMATS:
        sides: dict[str, list[tuple[str, Database, Database]]] = {}
        for both in both_sides(subject, lambda path, form=form: _is_of(form, path), added=form.parts):  # type: ignore[misc]
            path = shown(both.pair.after or both.pair.before)
            try:
                before, after = _read(form, both)
            except Unreadable as error:
                unread[path] = str(error)
                continue
            sides.setdefault(path.rpartition("/")[0] if form.parts else path, []).append((path, before, after))
        for schema in sides.values():
            breaks += _compared(schema)
    return Compared(tuple(breaks), unread)


# Private

_MEND = "Leave the old beside the new until nobody reads it, and take it away in a change of its own."
_WIDER = {
    ("smallint", "integer"), ("smallint", "bigint"), ("integer", "bigint"), ("int", "bigint"), ("int", "long"),
    ("float", "double"), ("real", "double precision"), ("string", "text"), ("character varying", "text"),
    ("varchar", "text"), ("tinyint", "int"), ("json", "jsonb"),
}  # fmt: skip


def _is_of(form: Format, path: str) -> bool:
    return bool(form.files.search(path)) and for_others(path)


def _read(form: Format, both: Both) -> tuple[Database, Database]:
    texts = []
    for path, content in ((both.pair.before, both.before), (both.pair.after, both.after)):
        if path and (content is None or len(content) > LARGEST_BYTES):
            raise Unreadable("it is too large")
        texts.append((content or b"").decode("utf-8-sig", "replace"))
    return form.read(texts[0]), form.read(texts[1])


def _compared(schema: list[tuple[str, Database, Database]]) -> Iterator[Break]:
    """The parts of one schema together: what moves from one file to another stays."""
    tables = {name: (path, table) for path, _, after in schema for name, table in after.tables.items()}
    enums = {name: values for _, _, after in schema for name, values in after.enums.items()}
    for path, before, _ in schema:
        contract = f"the tables of {path}"
        for name, old in before.tables.items():
            at, new = tables.get(name, (path, None))
            for loss in _losses(name, old, new):
                place = Place(at, loss.line or (new.line if new else 0))
                yield Break(contract, loss.what, place, loss.rule, loss.severity, _MEND)
        for name, values in before.enums.items():
            gone = [value for value in values if value not in enums.get(name, ())]
            if name not in enums:
                yield Break(contract, f"the enum `{name}` is gone", Place(path), BROKEN, "medium", _MEND)
            elif gone:
                what = f"the enum `{name}` no longer has `{gone[0]}`"
                yield Break(contract, what, Place(path), BROKEN, "medium", _MEND)


def _losses(name: str, old: Table, new: Table | None) -> Iterator[Loss]:
    if new is None:
        yield Loss(f"the table `{name}` is gone" if old.whole else f"`{name}` is gone")
        return
    if not (old.whole and new.whole):
        return
    for key, column in old.columns.items():
        after = new.columns.get(key)
        what = f"the column `{name}.{key}`"
        if after is None:
            yield Loss(f"{what} is gone")
        elif not _holds(column, after):
            yield Loss(f"{what} was {column.type} and is {after.type} now", after.line, NARROWED)
        elif after.nullable and not column.nullable:
            yield Loss(f"{what} may be null now", after.line, NARROWED, "low")


def _holds(old: Column, new: Column) -> bool:
    """Whether a column can still hold, and give, what it could before."""
    if old.type == new.type:
        return True
    (was, limits), (now, others) = _split(old.type), _split(new.type)
    if was == now:
        return len(others) <= len(limits) and all(one <= other for one, other in zip(limits, others, strict=False))
    return (was, now) in _WIDER


def _split(kind: str) -> tuple[str, list[int]]:
    """A type without its limits, and these."""
    limits = [int(number) for number in re.findall(r"(?<![\w])\d{1,9}", kind)]
    return re.sub(r"\(.*?\)|\b(?:limit|precision|scale): ?\d+,?", "", kind).strip(), limits
