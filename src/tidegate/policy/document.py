"""The facts as rules read them: what does not fit the catalogue is taken out, so that it cannot mislead a rule.

A field of a section stays only where it is there, whole, of its declared type and within its range, where the section
and its unknowns do not say otherwise, and where it agrees with the totals that other fields give. What is taken out is
named in the `unknowns` of its section with the reason. Taking out never makes a verdict more permissive: a condition
that reads what is not there is answered `unknown`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from tidegate.facts import SCHEMA, SECTIONS, Facts, totals_of

LARGEST = 2**63 - 1
"""The largest whole number that a condition can hold."""


def conform(raw: object) -> dict[str, Any]:
    """The document that `raw` holds for certain, from any value at all; the same again for what it returns itself.

    Every section is there with `status` and `unknowns`; `now` only where it is a moment. `raw` is not changed, and
    lists and tables that fit are passed on as they are.
    """
    given = raw if isinstance(raw, Mapping) else {}
    document: dict[str, Any] = {"schema": SCHEMA}
    if _is_moment(given.get("now")):
        document["now"] = given["now"]
    right_schema = given.get("schema") == SCHEMA
    for name in SECTIONS:
        section = given.get(name) if right_schema else None
        if not isinstance(section, Mapping):
            reason = "the section is missing" if right_schema else f"the facts are not of schema {SCHEMA}"
            section = {"status": "unknown", "unknowns": [{"path": name, "reason": reason}]}
        document[name] = _conform_section(name, section)
    return document


def why_unknown(document: Mapping[str, Any], path: str) -> str:
    """Why the fact at this path does not hold in a conformed document; empty where it holds."""
    section, _, rest = path.partition(".")
    if section == "now":
        return "" if "now" in document else "the moment of the question is missing"
    field = _top(rest)
    here = document[section]
    if field in here and here["status"] != "unknown":
        return ""
    reasons = [(u["path"], u["reason"]) for u in here["unknowns"]]
    named = [reason for path_, reason in reasons if _top(path_.partition(".")[2]) == field]
    whole = [reason for path_, reason in reasons if path_ == section]
    return "; ".join(dict.fromkeys(named or whole)) or "no reason was given"


# Private


def _conform_section(name: str, section: Mapping[str, Any]) -> dict[str, Any]:
    status = section.get("status")
    unknowns = _unknowns(section.get("unknowns"))
    if unknowns is None:
        return _all_unknown(name, [], "its list of unknowns is not readable")
    if status == "unknown":
        return _all_unknown(name, unknowns, "")
    if status not in ("complete", "partial"):
        return _all_unknown(name, unknowns, "it has no status" if status is None else f"its status is {status!r:.40}")
    if status == "partial" and not unknowns:
        return _all_unknown(name, [], "it is partial and does not say what is missing")
    types = _strict_fields(name)
    taken_out = {_named_field(name, u["path"]) for u in unknowns}
    if not taken_out <= types.keys():
        return _all_unknown(name, unknowns, "an unknown names no field of it")
    kept: dict[str, Any] = {}
    for field, type_ in types.items():
        if field in taken_out:
            continue
        try:
            kept[field] = _convert(section, field, type_)
        except _MisfitError as misfit:
            unknowns.append({"path": f"{name}.{field}", "reason": str(misfit)})
    totals, whole = totals_of(kept), len(kept)
    _check_totals(name, section.get("totals"), totals, kept, unknowns)
    _cross_check(name, kept, unknowns)
    if len(kept) < whole:
        totals = totals_of(kept)
    status = "partial" if unknowns else "complete"
    return {"status": status, "unknowns": unknowns, **kept, "totals": totals}


def _all_unknown(name: str, unknowns: list[dict[str, str]], reason: str) -> dict[str, Any]:
    added = [{"path": name, "reason": reason}] if reason else []
    return {"status": "unknown", "unknowns": unknowns + added}


def _unknowns(raw: object) -> list[dict[str, str]] | None:
    """The unknowns of a section as plain values; None where they cannot be read."""
    try:
        unknowns = msgspec.convert(raw, list[_StrictUnknown], strict=True)
        msgspec.json.encode(unknowns)
    except (msgspec.ValidationError, UnicodeEncodeError):
        return None
    return [{"path": unknown.path, "reason": unknown.reason} for unknown in unknowns]


class _StrictUnknown(Struct):
    path: str
    reason: str


class _MisfitError(Exception):
    """A field does not fit; the text says why."""


def _convert(section: Mapping[str, Any], field: str, type_: Any) -> Any:
    if field not in section:
        raise _MisfitError("it is missing")
    value = section[field]
    if value is None:
        raise _MisfitError("it is null")
    try:
        plain = msgspec.to_builtins(msgspec.convert(value, type_, strict=True))
        msgspec.json.encode(plain)
    except msgspec.ValidationError as error:
        raise _MisfitError(f"it does not fit: {error}") from error
    except UnicodeEncodeError as error:
        raise _MisfitError("it holds text that is not Unicode") from error
    except RecursionError as error:
        raise _MisfitError("it is nested too deeply") from error
    return plain


def _named_field(name: str, path: str) -> str:
    """The field that an unknown takes out; a path of another section takes out what no section has."""
    section, _, rest = path.partition(".")
    return _top(rest) if section == name else ""


def _top(rest: str) -> str:
    return rest.partition(".")[0].partition("[")[0]


@cache
def _strict_fields(section: str) -> Mapping[str, Any]:
    """The fields of a section by name, each with its type made strict."""
    type_ = get_type_hints(Facts)[section]
    hints = get_type_hints(type_, include_extras=True)
    return {f: _strict(hints[f]) for f in type_.__struct_fields__ if f not in ("status", "unknowns")}


@cache
def _strict(type_: Any) -> Any:
    """The same type where every field of every struct must be there and no number is too large."""
    origin = get_origin(type_)
    if origin is Annotated:
        inner, *metas = get_args(type_)
        low = next((m.ge for m in metas if m.ge is not None), None)
        high = next((m.le for m in metas if m.le is not None), None)
        if inner is int:
            return Annotated[int, msgspec.Meta(ge=low, le=LARGEST)]
        if inner is float:
            return Annotated[float, msgspec.Meta(ge=low, le=high if high is not None else math.nextafter(math.inf, 0))]
        return _strict(inner)
    if origin is tuple:
        return list[_strict(get_args(type_)[0])]  # type: ignore[misc]
    if isinstance(type_, type) and issubclass(type_, Struct):
        hints = get_type_hints(type_, include_extras=True)
        return msgspec.defstruct(type_.__name__, [(f, _strict(hints[f])) for f in type_.__struct_fields__])
    return type_


def _check_totals(
    name: str, said: object, totals: Mapping[str, int], kept: dict[str, Any], unknowns: list[dict[str, str]]
) -> None:
    given = said if isinstance(said, Mapping) else {}
    for field, total in totals.items():
        if type(given.get(field)) is not int or given[field] != total:
            unknowns.append({"path": f"{name}.{field}", "reason": "the list and its total differ"})
            del kept[field]


def _cross_check(name: str, kept: dict[str, Any], unknowns: list[dict[str, str]]) -> None:
    for section, fields, agrees, reason in _CHECKS:
        if section == name and all(f in kept for f in fields) and not agrees(*(kept[f] for f in fields)):
            for field in fields:
                unknowns.append({"path": f"{name}.{field}", "reason": reason})
                kept.pop(field, None)


def _counts(items: list[Any], total: int) -> bool:
    return len(items) == total


def _adds_up(lines: Mapping[str, int]) -> bool:
    return lines["added"] == sum(lines[k] for k in ("ai", "human", "mixed", "unknown"))


def _same_sum(lines: Mapping[str, int], evidence: Mapping[str, int]) -> bool:
    return lines["added"] == sum(evidence.values())


_CHECKS: Iterable[tuple[str, tuple[str, ...], Callable[..., bool], str]] = (
    ("change", ("files", "files_total"), _counts, "the list and its total differ"),
    ("change", ("commits", "commits_total"), _counts, "the list and its total differ"),
    ("review", ("reviews", "reviews_total"), _counts, "the list and its total differ"),
    ("infra", ("effects", "effects_total"), _counts, "the list and its total differ"),
    ("provenance", ("lines",), _adds_up, "the lines do not add up"),
    ("provenance", ("source_lines",), _adds_up, "the lines do not add up"),
    ("provenance", ("critical_lines",), _adds_up, "the lines do not add up"),
    ("provenance", ("lines", "evidence"), _same_sum, "lines and evidence do not add up to the same"),
)


def _is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
