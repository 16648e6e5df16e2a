"""What a written type says: chains of instances, and which names it uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.state import State

if TYPE_CHECKING:
    from tree_sitter import Node

_PLAIN = {"string": "%str", "number": "%int", "boolean": "%bool", "bigint": "%int", "symbol": "%symbol"}
_TRANSPARENT = frozenset(
    ["Promise", "PromiseLike", "Awaited", "Readonly", "Partial", "Required", "NonNullable", "Omit", "Pick", "Ref"]
)
_CONTAINERS = frozenset(
    [
        "Array",
        "ReadonlyArray",
        "Set",
        "ReadonlySet",
        "WeakSet",
        "Iterable",
        "Iterator",
        "IterableIterator",
        "AsyncIterable",
        "AsyncIterator",
        "Generator",
        "AsyncGenerator",
        "AsyncIterableIterator",
        "ArrayLike",
        "QueryList",
    ]
)
_MAPS = frozenset(["Map", "WeakMap", "ReadonlyMap", "Record"])
_BUILTIN = frozenset(
    [
        "Date",
        "RegExp",
        "Error",
        "Function",
        "Object",
        "Symbol",
        "Buffer",
        "Uint8Array",
        "ArrayBuffer",
        "URL",
        "URLSearchParams",
        "String",
        "Number",
        "Boolean",
        "JSON",
        "Math",
        "Intl",
        "Proxy",
        "Int8Array",
        "DataView",
    ]
)
_UNKNOWN_MARKS = frozenset(["any", "unknown", "never", "void", "object", "null", "undefined", "const"])
_INSIDE = frozenset(["type_annotation", "readonly_type", "parenthesized_type", "optional_type", "rest_type"])
_SEVERAL = frozenset(["union_type", "intersection_type", "tuple_type"])
_FIXED = {"function_type": "%func", "object_type": "%dict", "this_type": "self"}
_DEPTH = 12


class Types(State):
    """Reads types. Promises are transparent, as `await` is; arrays, sets and maps are containers of their elements."""

    def type_chains(self, node: Node | None, depth: int = 0) -> tuple[str, ...]:
        """The chains that a type means, one for each alternative; () where it says nothing."""
        if node is None or depth > _DEPTH:
            return ()
        kind = self.kinds[node.kind_id]
        if kind == "type_identifier" or kind == "identifier":
            return self._named(self.name(node))
        if kind == "predefined_type":
            plain = _PLAIN.get(self.text(node))
            return (plain,) if plain else ()
        if kind in _INSIDE:
            return self._inner(node, depth)
        if kind in _FIXED:
            return (_FIXED[kind],)
        return self._compound(node, kind, depth)

    def _compound(self, node: Node, kind: str, depth: int) -> tuple[str, ...]:
        if kind == "generic_type":
            return self._generic(node, depth)
        if kind == "array_type":
            return tuple(chain + "*" for chain in self._inner(node, depth)) or ("%list",)
        if kind == "nested_type_identifier":
            return (self.text(node).replace(" ", "") + "!",)
        if kind in _SEVERAL:
            found = [chain for part in self.parts(node) for chain in self.type_chains(part, depth + 1)]
            star = "*" if kind == "tuple_type" else ""
            return tuple(dict.fromkeys(chain + star for chain in found))[:6]
        if kind == "literal_type":
            return ("%str",) if self.text(node)[:1] in "\"'" else ()
        if kind == "type_query":
            text = "".join(self.text(part) for part in self.parts(node)[:1])
            return (text,) if text.replace(".", "").isidentifier() else ()
        return self._looked_up(node, depth) if kind == "lookup_type" else ()

    def _inner(self, node: Node, depth: int) -> tuple[str, ...]:
        parts = self.parts(node)
        return self.type_chains(parts[0], depth + 1) if parts else ()

    def _named(self, name: str) -> tuple[str, ...]:
        if name in _BUILTIN and not self.is_local(0, name):
            return ("%" + name,)
        return () if name in _UNKNOWN_MARKS else (name + "!",)

    def _generic(self, node: Node, depth: int) -> tuple[str, ...]:
        parts = self.parts(node)
        if not parts:
            return ()
        name = self.text(parts[0])
        arguments = self.parts(parts[-1]) if len(parts) > 1 else []
        if name in _TRANSPARENT and arguments and not self.is_local(0, name):
            return self.type_chains(arguments[0], depth + 1)
        if name in _CONTAINERS and arguments:
            return tuple(chain + "*" for chain in self.type_chains(arguments[0], depth + 1)) or ("%list",)
        if name in _MAPS and arguments:
            return tuple(chain + "*" for chain in self.type_chains(arguments[-1], depth + 1)) or ("%dict",)
        return self.type_chains(parts[0], depth + 1)

    def _looked_up(self, node: Node, depth: int) -> tuple[str, ...]:
        parts = self.parts(node)
        if len(parts) != 2:
            return ()
        key = self.text(parts[1]).strip("\"'")
        if not key.isidentifier() or key in _PLAIN:
            return tuple(chain + "[]" for chain in self.type_chains(parts[0], depth + 1))
        return tuple(f"{chain}.{key}" for chain in self.type_chains(parts[0], depth + 1))

    def type_uses(self, node: Node | None, within: int) -> None:
        """Writes down every name that a type uses, and the values that it asks for their type."""
        if node is None:
            return
        kinds, raw = self.kinds, self.raw
        stack = [node]
        while stack:
            node = stack.pop()
            kind = kinds[node.kind_id]
            if kind == "type_identifier":
                raw.append((within, "type", self.text(node), node.start_point[0] + 1, ()))
            elif kind == "nested_type_identifier":
                raw.append((within, "type", self.text(node).replace(" ", ""), node.start_point[0] + 1, ()))
            elif kind == "type_query":
                raw.extend((within, "type", self.text(part), part.start_point[0] + 1, ()) for part in self.parts(node))
            elif kind != "predefined_type":
                stack.extend(node.named_children)
