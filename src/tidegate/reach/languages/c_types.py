"""Declarators and types of C and C++ as chains: what a declaration names, and what the name means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node

_POINTING = frozenset(
    ["unique_ptr", "shared_ptr", "weak_ptr", "optional", "reference_wrapper", "atomic", "scoped_refptr", "RefPtr",
     "scoped_ptr", "intrusive_ptr", "not_null", "StatusOr", "Ref", "observer_ptr", "QPointer", "QSharedPointer"]
)  # fmt: skip
_MAPS = frozenset(
    ["map", "unordered_map", "multimap", "flat_map", "flat_hash_map", "btree_map", "node_hash_map", "pair", "QMap",
     "QHash"]
)  # fmt: skip
_CONTAINERS = frozenset(
    ["vector", "list", "deque", "set", "unordered_set", "array", "span", "queue", "stack", "initializer_list",
     "multiset", "forward_list", "priority_queue", "future", "QVector", "QList", "InlinedVector", "small_vector",
     "flat_hash_set"]
)  # fmt: skip
_EXTERNAL = frozenset(["std", "boost", "absl", "testing", "folly", "Eigen", "benchmark", "gtest", "benchmark"])
_INTEGERS = re.compile(r"(?:unsigned|signed|int|long|short|size_t|ssize_t|u?int\d+_t|u?intptr_t|time_t|off_t)\b").match
_NAME = re.compile(r"~?[^\W\d]\w*").fullmatch
_MOST_SCOPES = 20
_OPERATOR = re.compile(r"\s+")
_WRAPPERS = frozenset(
    ["pointer_declarator", "reference_declarator", "parenthesized_declarator", "array_declarator", "init_declarator",
     "function_declarator", "attributed_declarator", "template_function", "variadic_declarator", "bitfield_clause",
     "ms_call_modifier", "template_type", "template_method", "dependent_name"]
)  # fmt: skip


class Declared(NamedTuple):
    """What a declarator names. `function` has its parameters; `array` and `pointer` say what the name is of.

    `callable`: it is a variable that holds a function, whose result the type is.
    """

    name: Node | None
    function: Node | None
    array: bool
    pointer: bool
    callable: bool


def declared(node: Node) -> Declared:
    """Unwraps a declarator. A pointer to a function is a variable: `int (*f)(int)`."""
    function: Node | None = None
    array = pointer = held = False
    current: Node | None = node
    while current is not None and current.type in _WRAPPERS:
        kind = current.type
        if kind == "function_declarator":
            function = current
        elif kind == "array_declarator":
            array = True
        elif kind in ("pointer_declarator", "reference_declarator"):
            pointer = True
            if (
                function is not None
                and (above := current.parent) is not None
                and above.type == "parenthesized_declarator"
            ):
                inner = current.child_by_field_name("declarator")
                if inner is None or inner.type != "function_declarator":
                    function, held = None, True
        inner = current.child_by_field_name("declarator") or current.child_by_field_name("name")
        if inner is None:
            inner = next((part for part in reversed(current.named_children) if part.type != "comment"), None)
        current = inner
    return Declared(current, function, array, pointer, held)


class CTypes:
    """Reads types of one file."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.namespaces: set[str] = set()
        self.class_names: set[str] = set()
        self.parameters: set[str] = set()

    def cut(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def type_chain(self, node: Node | None) -> str:
        """What an expression of this type is: "Foo!", "Foo!*", "%int"; "" where that says nothing."""
        if node is None:
            return ""
        kind = node.type
        if kind == "primitive_type" or kind == "sized_type_specifier":
            text = self.cut(node)
            return "" if text == "void" else "%bool" if text == "bool" else "%str" if text == "char" else "%int"
        if kind == "type_identifier":
            text = self.cut(node)
            return "%int" if _INTEGERS(text) else "" if text in self.parameters else text + "!"
        if kind in ("struct_specifier", "class_specifier", "union_specifier", "enum_specifier"):
            name = node.child_by_field_name("name")
            return self.type_chain(name) if name is not None else ""
        if kind == "type_descriptor" or kind == "dependent_type":
            return self.type_chain(node.child_by_field_name("type") or next(iter(node.named_children), None))
        if kind == "template_type":
            return self._template(node)
        if kind == "qualified_identifier":
            return self._qualified_type(node)
        return ""

    def class_chain(self, node: Node) -> str:
        """A class by its chain, "" where that cannot be told."""
        if node.type in ("template_type", "template_function"):
            name = node.child_by_field_name("name")
            return self.class_chain(name) if name is not None else ""
        if node.type == "qualified_identifier":
            return self.qualified(node)
        if node.type in ("type_identifier", "identifier", "namespace_identifier"):
            return self.cut(node)
        chain = self.type_chain(node)
        return chain[:-1] if chain.endswith("!") else ""

    def _template(self, node: Node) -> str:
        name = node.child_by_field_name("name")
        given = node.child_by_field_name("arguments")
        text = self.cut(name) if name is not None else ""
        inner = [part for part in given.named_children if part.type == "type_descriptor"] if given is not None else []
        if text in _POINTING:
            return self.type_chain(inner[0]) if inner else ""
        if text in _MAPS:
            return _collection(self.type_chain(inner[1]) if len(inner) > 1 else "")
        if text in _CONTAINERS:
            return _collection(self.type_chain(inner[0]) if inner else "")
        return text + "!" if text else ""

    def _qualified_type(self, node: Node) -> str:
        last: Node | None = node
        while last is not None and last.type == "qualified_identifier":
            last = last.child_by_field_name("name")
        if last is not None and last.type == "template_type":
            text = self.cut(last.child_by_field_name("name") or last)
            if text in _POINTING or text in _MAPS or text in _CONTAINERS:
                return self._template(last)
        chain = self.qualified(node)
        if chain in ("<std>.string", "<std>.string_view"):
            return "%str"
        if chain.startswith("<std>.") and _INTEGERS(chain[6:]):
            return "%int"
        return chain + "!" if chain else ""

    def qualified(self, node: Node) -> str:
        """`a::b::Foo::bar` without the namespaces of this repository: "Foo.bar", "<std>.sort"."""
        parts = self.scopes(node)
        if not parts:
            return ""
        if len(parts) > 1 and parts[0] in _EXTERNAL and parts[0] not in self.namespaces:
            return f"<{parts[0]}>." + ".".join(parts[1:])
        return ".".join(self.without_namespaces(parts))

    def without_namespaces(self, parts: list[str], *, defining: bool = False) -> list[str]:
        """Drops leading scopes that are namespaces, as declared here or by the usual spelling in lower case.

        What is defined with a scope (`defining`) is a member far more often than a function of a namespace that is not
        even open here.
        """
        at = 0
        while at < len(parts) - 1:
            part = parts[at]
            usual = not defining and part.islower() and part not in self.class_names
            if part not in self.namespaces and not usual:
                break
            at += 1
        return parts[at:]

    def scopes(self, node: Node) -> list[str]:
        """The names of a qualified identifier; template arguments are left out."""
        parts: list[str] = []
        current: Node | None = node
        while current is not None and current.type == "qualified_identifier" and len(parts) < _MOST_SCOPES:
            scope = current.child_by_field_name("scope")
            if scope is not None:
                inner = scope.child_by_field_name("name") or scope
                parts.append(self.cut(inner))
            following = current.child_by_field_name("name")
            current = following
        if current is not None:
            inner = current
            if current.type in ("template_function", "template_type", "template_method"):
                inner = current.child_by_field_name("name") or current
            parts.append(spelled(self.cut(inner)))
        return [part for part in parts if part]


def spelled(name: str) -> str:
    """The name of a function as it is kept: `operator []` is "operator［］"."""
    from tidegate.reach.languages.tree import STEP_LOOK_ALIKES

    if name.startswith("operator"):
        rest = name[8:].strip()
        joined = _OPERATOR.sub(" ", rest)
        return ("operator " if joined[:1].isalnum() else "operator") + joined.translate(STEP_LOOK_ALIKES)
    return name if _NAME(name) else "".join(name.split()).translate(STEP_LOOK_ALIKES)


def _collection(element: str) -> str:
    return element + "*" if element else ""
