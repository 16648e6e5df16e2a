"""What the definitions in SDL files say: types with their fields, arguments, values and members."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from msgspec import Struct, field

from tidegate.verify.contracts.values import Unreadable

LARGEST_BYTES = 3_000_000
MOST_TOKENS = 600_000

TypeRef: TypeAlias = "str | tuple[str, TypeRef]"
"""A type where it is used: its name, ("[", what a list holds), or ("!", what may not be null)."""


class Argument(Struct, frozen=True):
    """An argument, or a field of an input; `required` if it may not be null and has no default."""

    type: TypeRef
    required: bool
    line: int
    deprecated: bool


class Field(Struct, frozen=True):
    type: TypeRef
    line: int
    deprecated: bool
    arguments: dict[str, Argument]


class Type(Struct):
    """A type with what extensions add to it. `line` is in the file that names it first."""

    kind: str
    path: str
    line: int
    fields: dict[str, Field] = field(default_factory=dict)
    inputs: dict[str, Argument] = field(default_factory=dict)
    interfaces: dict[str, int] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)
    values: dict[str, bool] = field(default_factory=dict)
    """Values of an enum, and whether each is deprecated."""


class File(Struct, frozen=True):
    """One file: its types, and which of them it defines rather than extends."""

    path: str
    types: dict[str, Type]
    own: frozenset[str]


def read_sdl(path: str, content: bytes) -> File:
    """The definitions in a file; none in one of queries alone. Raises Unreadable."""
    from graphql.error import GraphQLError  # only where SDL changed
    from graphql.language import ast, parse

    if len(content) > LARGEST_BYTES:
        raise Unreadable(f"it has {len(content):,} bytes; SDL is read up to {LARGEST_BYTES:,}")
    if not _NOTHING.sub(b"", content):
        return File(path, {}, frozenset())
    try:
        document = parse(content.decode("utf-8-sig", "replace"), max_tokens=MOST_TOKENS)
    except (GraphQLError, RecursionError) as error:
        said = error.message if isinstance(error, GraphQLError) else "it is nested too deeply"
        raise Unreadable(f"it is not GraphQL ({said})") from error
    types: dict[str, Type] = {}
    own = set()
    for node in document.definitions:
        if isinstance(node, ast.TypeDefinitionNode | ast.TypeExtensionNode):
            name = node.name.value
            _add(types.setdefault(name, Type(_kind(node), path, _line(node.name))), node)
            if isinstance(node, ast.TypeDefinitionNode):
                own.add(name)
    return File(path, types, frozenset(own))


def joined(files: Iterable[File]) -> dict[str, Type]:
    """The types of files that are parts of one schema. A definition gives the place, extensions only add."""
    types: dict[str, Type] = {}
    for file in sorted(files, key=lambda one: one.path):
        for name, found in file.types.items():
            known = types.get(name)
            if known is None:
                types[name] = found
                continue
            first, second = (found, known) if name in file.own else (known, found)
            types[name] = Type(
                first.kind,
                first.path,
                first.line,
                second.fields | first.fields,
                second.inputs | first.inputs,
                second.interfaces | first.interfaces,
                second.members | first.members,
                second.values | first.values,
            )
    return types


def shown_type(ref: TypeRef) -> str:
    """A type as SDL writes it."""
    if isinstance(ref, str):
        return ref
    return f"[{shown_type(ref[1])}]" if ref[0] == "[" else f"{shown_type(ref[1])}!"


# Private

_NOTHING = re.compile(rb"#[^\n]*|[\s,\xef\xbb\xbf]")
_KINDS = {"object": "type", "input": "input", "enum": "enum", "union": "union", "interface": "interface"}


def _kind(node: Any) -> str:
    return _KINDS.get(str(node.kind).partition("_")[0], "scalar")


def _add(to: Type, node: Any) -> None:
    """Adds what a definition or an extension says."""
    for one in getattr(node, "fields", None) or ():
        if to.kind == "input":
            to.inputs[one.name.value] = _argument(one)
        else:
            arguments = {given.name.value: _argument(given) for given in one.arguments or ()}
            to.fields[one.name.value] = Field(_ref(one.type), _line(one), _is_deprecated(one), arguments)
    to.interfaces |= {one.name.value: _line(one) for one in getattr(node, "interfaces", None) or ()}
    to.members |= {one.name.value: _line(one) for one in getattr(node, "types", None) or ()}
    to.values |= {one.name.value: _is_deprecated(one) for one in getattr(node, "values", None) or ()}


def _argument(node: Any) -> Argument:
    ref = _ref(node.type)
    required = ref[0] == "!" and node.default_value is None
    return Argument(ref, required, _line(node), _is_deprecated(node))


def _ref(node: Any) -> TypeRef:
    if node.kind == "named_type":
        return str(node.name.value)
    return ("[" if node.kind == "list_type" else "!", _ref(node.type))


def _is_deprecated(node: Any) -> bool:
    return any(one.name.value == "deprecated" for one in node.directives or ())


def _line(node: Any) -> int:
    return int(node.loc.start_token.line) if node.loc else 0
