"""What a Go file exports, as callers see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tidegate.verify.contracts.syntax import line_of, read_syntax, text_of, told_before
from tidegate.verify.contracts.values import Unreadable

if TYPE_CHECKING:
    from tree_sitter import Node


class Signature(Struct, frozen=True):
    """The types of parameters and results as they are written, `...` before a variadic one."""

    takes: tuple[str, ...]
    gives: tuple[str, ...]

    def __str__(self) -> str:
        gives = ", ".join(self.gives)
        return f"({', '.join(self.takes)})" + (f" ({gives})" if len(self.gives) > 1 else f" {gives}" if gives else "")


class Item(Struct):
    """An exported name. `members` are exported fields, and methods of an interface, with their types as written.

    `open`: members may come from what is embedded. `closed`: nobody outside can implement the interface.
    """

    kind: str
    line: int
    path: str
    deprecated: bool = False
    signature: Signature | None = None
    type: str = ""
    members: dict[str, str] = field(default_factory=dict)
    open: bool = False
    closed: bool = False


class File(Struct, frozen=True):
    """One file. Methods are items named `Type.Method`. `broken`: its syntax could not be read in every place."""

    package: str
    items: dict[str, Item]
    broken: bool
    aliases: dict[str, str] = {}
    """What names that are other words for a type (`type A = B`) mean, exported or not."""


def read_go(path: str, content: bytes) -> File:
    """What a file exports. Raises Unreadable."""
    root = read_syntax(content, "tree_sitter_go")
    package = next(
        (text_of(node.named_children[0]) for node in root.named_children if node.type == "package_clause"), ""
    )
    items: dict[str, Item] = {}
    try:
        for node in root.named_children:
            for name, item in _READERS.get(node.type, _nothing)(node, path):
                if all(_is_exported(part) for part in name.split(".")):
                    items.setdefault(name, item)
    except RecursionError as error:
        raise Unreadable("it is nested too deeply") from error
    return File(package, items, root.has_error, dict(_aliases(root)))


# Private

_ANY = re.compile(r"\binterface ?\{ ?\}")


def _nothing(_node: Node, _path: str) -> Iterator[tuple[str, Item]]:
    return iter(())


def _aliases(root: Node) -> Iterator[tuple[str, str]]:
    for node in root.named_children:
        for spec in node.named_children if node.type == "type_declaration" else ():
            if spec.type == "type_alias" and spec.child_by_field_name("type_parameters") is None:
                yield text_of(spec.child_by_field_name("name")), _written(spec.child_by_field_name("type"))


def _is_exported(name: str) -> bool:
    return name[:1].isupper()


def _function(node: Node, path: str) -> Iterator[tuple[str, Item]]:
    name = text_of(node.child_by_field_name("name"))
    yield name, Item("func", line_of(node), path, _deprecated(node), _signature(node))


def _method(node: Node, path: str) -> Iterator[tuple[str, Item]]:
    found = re.search(r"(\w+)(?:\[[^\]]*\])?\s*\)$", text_of(node.child_by_field_name("receiver")))
    if found:
        name = f"{found[1]}.{text_of(node.child_by_field_name('name'))}"
        yield name, Item("method", line_of(node), path, _deprecated(node), _signature(node))


def _types(node: Node, path: str) -> Iterator[tuple[str, Item]]:
    for spec in node.named_children:
        if spec.type not in ("type_spec", "type_alias"):
            continue
        kind = spec.child_by_field_name("type")
        item = Item("type", line_of(spec), path, _deprecated(spec) or _deprecated(node))
        if kind is None or spec.type == "type_alias":
            item.open = True
        elif kind.type == "struct_type":
            item.type = "struct"
            _fields(kind, item)
        elif kind.type == "interface_type":
            item.type = "interface"
            _elements(kind, item)
        else:
            item.type = _written(kind)
        yield text_of(spec.child_by_field_name("name")), item


def _fields(kind: Node, item: Item) -> None:
    for one in (node for part in kind.named_children for node in part.named_children):
        if one.type != "field_declaration":
            continue
        names = one.children_by_field_name("name")
        written = _written(one.child_by_field_name("type"))
        if not names:
            item.open = True
            names_of = [re.sub(r"\[.*", "", written).rpartition(".")[2].lstrip("*")]
        else:
            names_of = [text_of(name) for name in names]
        item.members |= {name: written for name in names_of if _is_exported(name)}


def _elements(kind: Node, item: Item) -> None:
    for one in kind.named_children:
        if one.type == "method_elem":
            name = text_of(one.child_by_field_name("name"))
            item.closed |= not _is_exported(name)
            if _is_exported(name):
                item.members[name] = str(_signature(one))
        elif one.type == "type_elem":
            item.open = True


def _values(node: Node, path: str) -> Iterator[tuple[str, Item]]:
    specs = [inner for one in node.named_children for inner in (one.named_children if "list" in one.type else [one])]
    for spec in specs:
        if spec.type in ("const_spec", "var_spec"):
            for name in spec.children_by_field_name("name"):
                deprecated = _deprecated(spec) or _deprecated(node)
                yield text_of(name), Item(spec.type.partition("_")[0], line_of(spec), path, deprecated)


def _signature(node: Node) -> Signature:
    result = node.child_by_field_name("result")
    gives: tuple[str, ...] = ()
    if result is not None:
        gives = tuple(_parameters(result)) if result.type == "parameter_list" else (_written(result),)
    given = node.child_by_field_name("parameters")
    return Signature(tuple(_parameters(given)) if given is not None else (), gives)


def _parameters(node: Node) -> Iterator[str]:
    for one in node.named_children:
        kind = _written(one.child_by_field_name("type"))
        if one.type == "variadic_parameter_declaration":
            yield f"...{kind}"
        elif one.type == "parameter_declaration":
            yield from [kind] * max(1, len(one.children_by_field_name("name")))


def _written(node: Node | None) -> str:
    """A type as it is written, without the names of parameters in the types of functions."""
    if node is None:
        return ""
    text, at = "", node.start_byte
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.type == "function_type":
            text += _between(node, at, one.start_byte) + f"func{_signature(one)}"
            at = one.end_byte
        else:
            waiting += reversed(one.named_children)
    return _ANY.sub("any", " ".join((text + _between(node, at, node.end_byte)).split()))


def _between(node: Node, first: int, end: int) -> str:
    written = (node.text or b"")[first - node.start_byte : end - node.start_byte]
    return written.decode("utf-8", "replace")


def _deprecated(node: Node) -> bool:
    return "Deprecated:" in told_before(node)


_READERS = {
    "function_declaration": _function,
    "method_declaration": _method,
    "type_declaration": _types,
    "const_declaration": _values,
    "var_declaration": _values,
}
