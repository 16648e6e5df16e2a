"""A template as its sections, with SAM's resources as what they become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tidegate.infra.cloudformation.document import Document, Lines, UnreadableError, read_document

KNOWN_TRANSFORMS = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions", "AWS::SecretsManager-2020-07-23")
_FOREIGN = ("AWS::", "Custom::", "Alexa::")


class Part(Struct, frozen=True):
    """One resource of a template. `properties` are its expressions, not evaluated."""

    name: str
    type: str
    properties: Mapping[str, Any]
    body: Mapping[str, Any]
    lines: tuple[int, int] = (0, 0)


class Template(Struct, frozen=True):
    """A template. `loops` are entries of Resources that only a deployment unfolds (Fn::ForEach), by name;
    `twice` keys that stand twice in one place."""

    path: str
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, Part]
    outputs: Mapping[str, Mapping[str, Any]]
    transforms: tuple[str, ...] = ()
    loops: Mapping[str, Any] = {}
    twice: tuple[str, ...] = ()


def looks_like_template(data: bytes) -> bool:
    """Whether a file may be a template, from its bytes alone."""
    return b"AWSTemplateFormatVersion" in data or (b"Resources" in data and b"AWS::" in data)


def read_template(data: bytes, path: str) -> Template | None:
    """The template in a file, None for another thing. Raises UnreadableError for one that is broken."""
    if not looks_like_template(data):
        return None
    document = read_document(data)
    value = document.value
    if not isinstance(value, Mapping):
        return None
    resources = value.get("Resources")
    if "AWSTemplateFormatVersion" not in value and not _has_types(resources):
        return None
    if resources is not None and not isinstance(resources, Mapping):
        raise UnreadableError("its Resources are no mapping")
    return _template(document, path)


# Private


def _has_types(resources: Any) -> bool:
    return isinstance(resources, Mapping) and any(
        isinstance(one, Mapping) and str(one.get("Type", "")).startswith(_FOREIGN) for one in resources.values()
    )


def _template(document: Document, path: str) -> Template:
    value = document.value
    entries = _mapping(value.get("Resources"))
    transforms = value.get("Transform") or ()
    parts = {
        name: _part(name, body, document.lines)
        for name, body in entries.items()
        if isinstance(body, Mapping) and isinstance(body.get("Type"), str)
    }
    if any(part.type.startswith("AWS::Serverless::") for part in parts.values()):
        from tidegate.infra.cloudformation.sam import unfolded

        parts = unfolded(parts, _mapping(value.get("Globals")))
    return Template(
        path=path,
        parameters=_entries(value.get("Parameters")),
        mappings=_mapping(value.get("Mappings")),
        conditions=_mapping(value.get("Conditions")),
        resources=parts,
        outputs=_entries(value.get("Outputs")),
        transforms=tuple(
            str(one) for one in (transforms if isinstance(transforms, list) else [transforms]) if isinstance(one, str)
        ),
        loops={name: body for name, body in entries.items() if name.startswith("Fn::")},
        twice=document.twice,
    )


def _part(name: str, body: Mapping[str, Any], lines: Lines) -> Part:
    return Part(name, body["Type"], _mapping(body.get("Properties")), body, lines.get(("Resources", name), (0, 0)))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _entries(value: Any) -> Mapping[str, Mapping[str, Any]]:
    return {name: one for name, one in _mapping(value).items() if isinstance(one, Mapping)}
