"""The OpenAPI 3.1 document, from the types of the endpoints alone."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from tidegate import __version__
from tidegate.server.api.endpoint import LARGEST_ID, Endpoint, Message, Nothing
from tidegate.server.api.problems import MEDIA_TYPE, ProblemDocument

PREFIX = "/api/v1"
_REF = "#/components/schemas/{name}"


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document: every path, every status that may be answered, every type once."""
    kinds = {ProblemDocument} | {
        kind for endpoint in endpoints for kind in (endpoint.answer, endpoint.body) if kind not in (Nothing, Message)
    }
    ordered = sorted(kinds, key=repr)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    schema_of = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = PREFIX + plain(endpoint)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tidegate", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token, shown once when made."},
                "session": {"type": "apiKey", "in": "cookie", "name": "tidegate"},
            },
        },
    }


def plain(endpoint: Endpoint) -> str:
    """Its path as OpenAPI writes it: without the kinds of the parts."""
    return endpoint.path.replace(":int}", "}").replace(":path}", "}")


def statuses(endpoint: Endpoint) -> tuple[int, ...]:
    """Every status but that of success that the endpoint may answer."""
    found = {401, 403, 421, 422, 503, *endpoint.problems}
    if endpoint.parts:
        found.add(404)
    if endpoint.body is not Nothing:
        found |= {400, 413, 415}
    return tuple(sorted(found))


# Private


def _operation(endpoint: Endpoint, schema_of: dict[Any, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {"description": "Done" if endpoint.answer is Nothing else "The answer"}
    if endpoint.answer is not Nothing:
        said["content"] = {endpoint.media_type: {"schema": schema_of[endpoint.answer]}}
        if endpoint.body is Message:  # answered in the type in which it was asked
            said["content"] |= {each: {"schema": _BINARY} for each in endpoint.takes if each != endpoint.media_type}
    status = 204 if endpoint.answer is Nothing else endpoint.status
    others = {str(each): _problem(each) for each in statuses(endpoint)}
    for each in endpoint.also:
        other = others.setdefault(str(each), {"description": HTTPStatus(each).phrase, "content": {}})
        other["content"] = {**other["content"], **said["content"]}
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "security": [{"token": []}, {"session": []}],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)],
        "responses": {str(status): said, **others},
    }
    if endpoint.needs:
        operation["x-permission"] = endpoint.needs
    if endpoint.body is not Nothing:
        content = _content(endpoint, schema_of)
        operation["requestBody"] = {"required": True, "content": content}
    return operation


_BINARY = {"type": "string", "format": "binary"}


def _content(endpoint: Endpoint, schema_of: dict[Any, Any]) -> dict[str, Any]:
    """The types of body that it takes. Of a Message the JSON is whatever its sender writes."""
    if endpoint.body is not Message:
        return {"application/json": {"schema": schema_of[endpoint.body]}}
    kinds = endpoint.takes or ("application/json",)
    return {kind: {"schema": {} if kind == "application/json" else _BINARY} for kind in kinds}


def _problem(status: int) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name=ProblemDocument.__name__)}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _PART_SCHEMAS[kind]} for name, kind in endpoint.parts
    ]


_PART_SCHEMAS: dict[str, dict[str, Any]] = {
    "str": {"type": "string", "minLength": 1},
    "path": {"type": "string", "minLength": 1},
    "int": {"type": "integer", "minimum": 0, "maximum": LARGEST_ID},
}


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is Nothing:
        return []
    schema = msgspec.json.schema(endpoint.query)["$defs"][endpoint.query.__name__]
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]
