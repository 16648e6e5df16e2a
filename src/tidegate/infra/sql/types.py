"""Types of columns: whether a change of one loses what is stored, and whether the table is written anew."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Fate: TypeAlias = Literal["same", "wider", "rewritten", "narrower", "unknown"]
"""What becomes of the values: nothing at all, room is added without work, the table is rewritten, or values are cut."""

_PARTS = re.compile(r"^\s*([^(]*)(?:\(\s*([^)]*)\)\s*([^()]*))?$")
_INTEGERS = {
    "tinyint": 1,
    "smallint": 2,
    "int2": 2,
    "smallserial": 2,
    "mediumint": 3,
    "integer": 4,
    "int": 4,
    "int4": 4,
    "serial": 4,
    "bigint": 8,
    "int8": 8,
    "bigserial": 8,
    "smallinteger": 2,
    "biginteger": 8,
    "big_integer": 8,
}
_TEXTS = {
    "varchar",
    "character varying",
    "char",
    "character",
    "nvarchar",
    "nchar",
    "string",
    "varchar2",
    "bpchar",
    "citext",
}
_ENDLESS = {
    "text": 2**31,
    "longtext": 2**32,
    "mediumtext": 2**24,
    "tinytext": 255,
    "clob": 2**31,
    "ntext": 2**31,
    "unicodetext": 2**31,
}
_EXACT = {"numeric", "decimal", "dec", "number", "money"}
_FLOATS = {"real": 4, "float4": 4, "float": 8, "double precision": 8, "double": 8, "float8": 8}
_TIMES = {"date": 1, "datetime": 2, "timestamp": 2, "timestamptz": 2, "timestamp with time zone": 2}
_TIMES |= {"timestamp without time zone": 2, "smalldatetime": 1, "datetime2": 2}


def fate(before: str, after: str) -> Fate:
    """What becomes of values when a column of one type is given the other. Types that nobody knows are unknown."""
    old, new = _read(before), _read(after)
    if not before or not after:
        return "unknown"
    if old == new:
        return "same"
    for names in (_INTEGERS, _FLOATS, _TIMES):
        if old[0] in names and new[0] in names:
            return _by_size(names[old[0]], names[new[0]])
    if _is_text(old[0]) and _is_text(new[0]):
        room = _room(old), _room(new)
        return "narrower" if room[1] < room[0] else "wider" if new[0] != "char" else "rewritten"
    if old[0] in _EXACT and new[0] in _EXACT:
        return _exact(old[1], new[1])
    if old[0] in _INTEGERS and (new[0] in _EXACT or new[0] in _FLOATS or _is_text(new[0])):
        return "rewritten"
    if new[0] in _INTEGERS and (old[0] in _EXACT or old[0] in _FLOATS or _is_text(old[0])):
        return "narrower"
    if old[0] in _EXACT and new[0] in _FLOATS:
        return "narrower"
    if old[0] in ("json", "jsonb") and new[0] in ("json", "jsonb"):
        return "rewritten"
    if new[0] in ("boolean", "bool", "bit", "date", "uuid") and _is_text(old[0]):
        return "narrower"
    return "rewritten" if _is_text(new[0]) else "unknown"


def is_roomy_text(type_: str) -> bool:
    """Whether a type holds any text: giving it to a column that holds text costs nothing and loses nothing."""
    name, sizes, _ = _read(type_)
    return name in _ENDLESS or (name in ("varchar", "character varying", "citext") and not sizes)


# Private


def _read(type_: str) -> tuple[str, tuple[int, ...], str]:
    match = _PARTS.match(type_.lower().replace('"', ""))
    if match is None:
        return type_.lower(), (), ""
    sizes = tuple(int(one) for one in re.findall(r"\d+", match[2] or ""))
    name = match[1].removesuffix(" unsigned").strip()
    tail = (match[3] or "").strip()
    if name in ("timestamp", "time") and tail:
        return f"{name} {tail}", (), ""
    if name in _INTEGERS:
        return name, (), tail
    return name, sizes, tail


def _is_text(name: str) -> bool:
    return name in _TEXTS or name in _ENDLESS


def _room(read: tuple[str, tuple[int, ...], str]) -> int:
    name, sizes, _ = read
    if name in _ENDLESS:
        return _ENDLESS[name]
    return sizes[0] if sizes else 1 if name in ("char", "character") else 2**31


def _by_size(old: int, new: int) -> Fate:
    return "narrower" if new < old else "rewritten" if new > old else "same"


def _exact(old: tuple[int, ...], new: tuple[int, ...]) -> Fate:
    """Digits before and after the point: fewer of either lose."""
    if not new:
        return "wider"
    if not old:
        return "narrower"
    scale = (old[1] if len(old) > 1 else 0), (new[1] if len(new) > 1 else 0)
    narrower = scale[1] < scale[0] or new[0] - scale[1] < old[0] - scale[0]
    return "narrower" if narrower else "wider" if scale[0] == scale[1] else "rewritten"
