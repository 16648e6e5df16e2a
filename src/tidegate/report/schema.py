"""The JSON Schemas of the documents that Tidegate writes, made from the types that write them.

docs/schema/ holds them as files; `make docs` writes them and a test keeps them current.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tidegate.facts import SECTIONS, Facts
from tidegate.provenance.audit_run import AuditReport
from tidegate.report.document import Check
from tidegate.report.reach_json import ReachDocument, WhyDocument
from tidegate.report.recover import RecoverDocument
from tidegate.report.who import WhoDocument

DOCUMENTS: Mapping[str, type] = {
    "audit": AuditReport,
    "check": Check,
    "facts": Facts,
    "reach": ReachDocument,
    "reach-why": WhyDocument,
    "recover": RecoverDocument,
    "who": WhoDocument,
}
"""Every document by the name that `tidegate schema` takes."""


def render_schema(name: str) -> str:
    """The schema of a document (2020-12), indented, keys sorted.

    Every section of the facts is there, with its status, its unknowns, its findings and its totals; any other field of
    a section is absent where it does not hold. Readers must bear fields that a later version adds.
    """
    type_ = DOCUMENTS[name]
    (root,), components = msgspec.json.schema_components([type_], ref_template="#/$defs/{name}")
    for struct, component in components.items():
        component["required"] = list(component["properties"])
        if struct in _SECTION_STRUCTS:
            component["properties"]["totals"] = _TOTALS
            component["required"] = _ALWAYS
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tidegate:{name}:1",
        **root,
        "$defs": _without_defaults(components),
    }
    return msgspec.json.format(msgspec.json.encode(schema, order="sorted"), indent=2).decode() + "\n"


# Private

_ALWAYS = ["status", "unknowns", "findings", "totals"]
_TOTALS = {
    "type": "object",
    "additionalProperties": {"type": "integer", "minimum": 0},
    "description": "how many elements the lists of each field hold, at any depth",
}
_SECTION_STRUCTS = tuple(field.type.__name__ for field in msgspec.structs.fields(Facts) if field.name in SECTIONS)


def _without_defaults(value: Any) -> Any:
    """A document says what it holds; what a program would put in the place of an absent field is no part of it."""
    if isinstance(value, dict):
        return {key: _without_defaults(item) for key, item in value.items() if key != "default"}
    return [_without_defaults(item) for item in value] if isinstance(value, list) else value
