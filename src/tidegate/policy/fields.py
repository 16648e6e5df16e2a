"""The catalogue: every path that a rule can name, taken from the types of the facts document.

A path is written as a rule writes it: `change.files_total`, and `change.files[].path` for a field of the elements of a
list. `status` and `unknowns` of a section are left out: a condition must not ask whether a fact is known, because the
answer to a missing fact is `unknown`, never `false`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from tidegate.facts import SECTIONS, Facts

Kind: TypeAlias = Literal["text", "count", "number", "flag", "list", "group"]

NOT_FOR_RULES = ("status", "unknowns")


class Field(Struct, frozen=True):
    """One path of the catalogue. `values` are the only texts that it can hold, empty when it can hold any.

    A `count` is a whole number that is not negative, a `number` may have a fraction, a `group` holds named fields and
    can be read only through them.
    """

    path: str
    kind: Kind
    description: str = ""
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.kind}" + (f" ({', '.join(self.values)})" if self.values else "")


@cache
def catalogue() -> Mapping[str, Field]:
    """Every path that a rule can name, in the order of the facts document."""
    hints = get_type_hints(Facts, include_extras=True)
    found: dict[str, Field] = {}
    _add(found, "now", hints["now"], "")
    for section in SECTIONS:
        _add(found, section, hints[section], "")
    return found


def fields_of(group: str) -> Mapping[str, Field]:
    """The fields of a section, of a group, or of the elements of a list such as `change.files[]`, by name."""
    start = len(group) + 1
    inside = ((p[start:], f) for p, f in catalogue().items() if p.startswith(f"{group}."))
    return {name: field for name, field in inside if "." not in name and "[" not in name}


def suggest(path: str) -> str:
    """What was probably meant by a path that is not in the catalogue."""
    known = catalogue()
    parent, _, _ = path.rpartition(".")
    siblings = [f"{parent}.{name}" for name in fields_of(parent)]
    close = difflib.get_close_matches(path, siblings, n=1, cutoff=0.7) or difflib.get_close_matches(
        path, list(known), n=1, cutoff=0.7
    )
    if close:
        return f"did you mean {close[0]}?"
    if siblings:
        return f"{parent or 'the facts'} has {', '.join(p.rpartition('.')[2] for p in siblings)}"
    return "docs/facts.md lists every path"


# Private


def _add(found: dict[str, Field], path: str, type_: Any, description: str) -> None:
    low: float | None = None
    high: float | None = None
    while get_origin(type_) is Annotated:
        type_, *metas = get_args(type_)
        for meta in metas:
            description = meta.description or description
            low, high = (meta.ge if meta.ge is not None else low), (meta.le if meta.le is not None else high)
    if isinstance(type_, type) and issubclass(type_, Struct):
        found[path] = Field(path, "group", description or _first_line(type_))
        hints = get_type_hints(type_, include_extras=True)
        for field in msgspec.structs.fields(type_):
            if "." in path or field.name not in NOT_FOR_RULES:
                _add(found, f"{path}.{field.name}", hints[field.name], "")
    elif get_origin(type_) is tuple:
        element = get_args(type_)[0]
        found[path] = Field(path, "list", description)
        _add(found, f"{path}[]", element, "")
    elif get_origin(type_) is Literal:
        found[path] = Field(path, "text", description, values=get_args(type_))
    else:
        found[path] = Field(path, _SCALARS[type_], description, low=low, high=high)


def _first_line(type_: type) -> str:
    return (type_.__doc__ or "").strip().partition("\n")[0].rstrip(".")


_SCALARS: Mapping[type, Kind] = {str: "text", int: "count", float: "number", bool: "flag"}
