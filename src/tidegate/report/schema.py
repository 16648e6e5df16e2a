"""The JSON Schema of a document that Tidegate writes or reads, made from the type that it is written by."""

from __future__ import annotations

from typing import Any

import msgspec

from tidegate.facts import SECTIONS, Facts


def render_schema(name: str, type_: type, *, read: bool = False) -> str:
    """The schema (2020-12) of the document `name`, whose type is `type_`; indented, keys sorted.

    What Tidegate writes holds every field; of a document that it reads, fields with a default may be absent. Every
    section of the facts is there, with its status, its unknowns, its findings and its totals; any other field of a
    section is absent where it does not hold. Readers must bear fields that a later version adds.
    """
    (root,), components = msgspec.json.schema_components([type_], ref_template="#/$defs/{name}")
    for struct, component in components.items():
        if not read:
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
