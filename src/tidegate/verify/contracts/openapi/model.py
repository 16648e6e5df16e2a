"""One description of an API with its references followed, the same shape for every version of OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from tidegate.change.trees import Tree
from tidegate.verify.contracts.documents import is_true, read_document, text_of
from tidegate.verify.contracts.values import Unreadable

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
MOST_FILES = 200
MOST_STEPS = 40


class Parameter(Struct, frozen=True):
    name: str
    place: str
    required: bool
    schema: dict[str, Any]
    deprecated: bool = False


class Operation(Struct, frozen=True):
    """`path` and `method` as they are written; bodies and responses by media type, responses by code first."""

    path: str
    method: str
    parameters: Mapping[tuple[str, str], Parameter]
    bodies: Mapping[str, dict[str, Any]]
    body_required: bool
    responses: Mapping[str, Mapping[str, dict[str, Any]]]
    security: tuple[frozenset[str], ...]
    deprecated: bool = False

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


class Reader:
    """Follows references in one tree, files read once."""

    def __init__(self, tree: Tree, path: str) -> None:
        self._tree = tree
        self.path = path
        self._files: dict[str, Any] = {}
        self._home: dict[int, str] = {}

    def root(self) -> dict[str, Any]:
        """The description. Raises Unreadable if the file is none."""
        return _mapping(self._file(self.path))

    def follow(self, node: Any, base: str = "") -> dict[str, Any]:
        """A node, or what its reference leads to. A reference that leads nowhere is an empty node."""
        found = _mapping(node)
        home = self._home.get(id(found), base or self.path)
        for _ in range(MOST_STEPS):
            reference = found.get("$ref")
            if not isinstance(reference, str):
                return found
            where, _, pointer = reference.partition("#")
            if "://" in where:
                return {}
            home = _joined(home, where) if where else home
            found = _mapping(_pointed(self._file(home), pointer))
            self._mark(found, home)
        return {}

    def operations(self) -> Iterator[Operation]:
        """Every operation, with path templates as they are written."""
        root = self.root()
        before = text_of(root.get("basePath", "")).rstrip("/") if "swagger" in root else ""
        for path, item in _mapping(root.get("paths")).items():
            item = self.follow(item)
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield self._operation(before + str(path), method, item, root)

    # Private

    def _operation(self, path: str, method: str, item: dict[str, Any], root: dict[str, Any]) -> Operation:
        node = self.follow(item[method])
        order = {name: f"{{{index}}}" for index, name in enumerate(re.findall(r"\{([^}]*)\}", path))}
        parameters: dict[tuple[str, str], Parameter] = {}
        bodies: dict[str, dict[str, Any]] = {}
        needed = False
        for one in [*_list(item.get("parameters")), *_list(node.get("parameters"))]:
            one = self.follow(one)
            name, place = text_of(one.get("name", "")), text_of(one.get("in", ""))
            required = is_true(one.get("required"))
            if place == "body":
                bodies, needed = {"*/*": _mapping(one.get("schema"))}, required
            elif name:
                schema = one if "schema" not in one and "content" not in one else _schema_of(one)
                key = (place, order.get(name, name) if place == "path" else name.lower() if place == "header" else name)
                parameters[key] = Parameter(name, place, required, schema, is_true(one.get("deprecated")))
        body = self.follow(node.get("requestBody"))
        if body:
            bodies, needed = self._contents(body), is_true(body.get("required"))
        responses = {
            str(code).upper(): self._contents(self.follow(one)) for code, one in _mapping(node.get("responses")).items()
        }
        security = node.get("security", root.get("security"))
        deprecated = is_true(node.get("deprecated"))
        return Operation(path, method, parameters, bodies, needed, responses, _needs(security), deprecated)

    def _contents(self, node: dict[str, Any]) -> dict[str, dict[str, Any]]:
        if "schema" in node:
            return {"*/*": _mapping(node["schema"])}
        return {
            str(media).partition(";")[0]: _mapping(_mapping(one).get("schema"))
            for media, one in _mapping(node.get("content")).items()
        }

    def _file(self, path: str) -> Any:
        if path not in self._files:
            if len(self._files) >= MOST_FILES:
                raise Unreadable(f"it refers to more than {MOST_FILES} files")
            content = self._tree.read([path]).get(path)
            self._files[path] = read_document(content) if content is not None else None
        return self._files[path]

    def _mark(self, node: Any, home: str) -> None:
        """Remembers the file of a node and of what is below it, so that its own references start there."""
        if home == self.path:
            return
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if id(one) in self._home:
                continue
            if isinstance(one, dict):
                self._home[id(one)] = home
                waiting += one.values()
            elif isinstance(one, list):
                self._home[id(one)] = home
                waiting += one


# Private


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _schema_of(parameter: dict[str, Any]) -> dict[str, Any]:
    contents = [_mapping(one) for one in _mapping(parameter.get("content")).values()]
    return _mapping(parameter.get("schema") or (contents[0].get("schema") if contents else None))


def _needs(security: Any) -> tuple[frozenset[str], ...]:
    """The ways to be let in, each a set of schemes and scopes. None at all lets everybody in."""
    ways = []
    for way in _list(security):
        needed = set()
        for scheme, scopes in _mapping(way).items():
            needed.add(str(scheme))
            needed.update(f"{scheme}:{text_of(scope)}" for scope in _list(scopes))
        ways.append(frozenset(needed))
    return tuple(ways)


def _pointed(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:] if pointer else []:
        part = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list) and part.isdigit() and len(part) < 7 and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def _joined(home: str, where: str) -> str:
    parts = home.split("/")[:-1]
    for part in unquote(where).split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)
