"""The check of contracts: the field `breaks`, and a finding for each promise that the change takes back."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tidegate.facts import BreakFact, Finding, Unknown
from tidegate.verify.contracts.avro import compare_avro
from tidegate.verify.contracts.go.check import compare_go
from tidegate.verify.contracts.graphql.check import compare_graphql
from tidegate.verify.contracts.openapi.asyncapi import compare_asyncapi
from tidegate.verify.contracts.openapi.check import compare_openapi
from tidegate.verify.contracts.protobuf import compare_protobuf
from tidegate.verify.contracts.python.check import compare_python
from tidegate.verify.contracts.tables.check import compare_tables
from tidegate.verify.contracts.typescript.check import compare_typescript
from tidegate.verify.contracts.values import Break, Comparison
from tidegate.verify.contracts.versions import raised, step_for
from tidegate.verify.values import Part, Subject

FIELD = "verification.breaks"
MOST = 200
"""No more findings than this of one change; the facts have them all."""


class Kind(Struct, frozen=True):
    """A kind of contract and how two versions of one are compared."""

    name: str
    compare: Comparison


KINDS: tuple[Kind, ...] = (
    Kind("Python public API", compare_python),
    Kind("OpenAPI", compare_openapi),
    Kind("AsyncAPI", compare_asyncapi),
    Kind("Protobuf", compare_protobuf),
    Kind("GraphQL", compare_graphql),
    Kind("Avro", compare_avro),
    Kind("Go API", compare_go),
    Kind("npm exports", compare_typescript),
    Kind("tables", compare_tables),
)


def check(subject: Subject) -> Part:
    """What the change takes from those who rely on its contracts. Without a changed contract the field is empty."""
    found: list[Break] = []
    unread: dict[str, str] = {}
    for kind in KINDS:
        compared = kind.compare(subject)
        found += compared.breaks
        unread |= compared.unread
    breaks = sorted(dict.fromkeys(found), key=lambda one: (one.place.path, one.place.line, one.what))
    steps = raised(subject) if breaks else {}
    findings = tuple(_finding(one, step_for(one.place.path, steps)) for one in breaks[:MOST])
    if unread:
        return Part({}, findings, (Unknown(FIELD, _reason(unread)),))
    return Part({"breaks": tuple(BreakFact(one.contract, one.what, one.place) for one in breaks)}, findings)


# Private


def _finding(one: Break, step: str) -> Finding:
    said = f"In {one.contract}, {one.what}"
    if step:
        return Finding(one.rule, "note", f"{said}; the version goes from {step}, which says so.", one.place)
    return Finding(one.rule, one.severity, f"{said}.", one.place, one.mend)


def _reason(unread: dict[str, str]) -> str:
    listed: Sequence[tuple[str, str]] = sorted(unread.items())
    named = "; ".join(f"{path} could not be compared: {why}" for path, why in listed[:5])
    return named + (f"; and {len(listed) - 5} more" if len(listed) > 5 else "")
