"""Go's expressions as chains. What an expression uses is written down while its chain is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from tidegate.reach.languages.go_flat import LONGEST, WORDS, flat_call, flat_field, flat_item, flat_items
from tidegate.reach.languages.go_types import PLAIN, GoTypes, first_result
from tidegate.reach.languages.tree import TEXT_LIMIT, names_something, node_kinds, unescape
from tidegate.reach.symbols import Binding, Gap, Reference, Text

if TYPE_CHECKING:
    from tree_sitter import Node

_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*").fullmatch
_YOUNG = frozenset(["clear", "max", "min"])
"""Built in since Go 1.21: a package may well have a function of its own that is called so."""
_BUILTINS = "append cap clear close complex copy delete imag len make max min new panic print println real recover"
NOTHING = frozenset(PLAIN) | frozenset([*_BUILTINS.split(" "), "self", "?"])
_RESULTS = {"len": "%int", "cap": "%int", "copy": "%int"}
_COMPARISONS = frozenset(["==", "!=", "<", "<=", ">", ">=", "&&", "||"])
_CHOICES = frozenset(["&&", "||"])
_LITERALS = {
    "int_literal": "%int",
    "float_literal": "%float",
    "imaginary_literal": "%float",
    "rune_literal": "%int",
    "true": "%bool",
    "false": "%bool",
    "iota": "%int",
}
_TYPES = frozenset(
    ["type_identifier", "qualified_type", "generic_type", "pointer_type", "slice_type", "array_type", "map_type"],
) | frozenset(["channel_type", "function_type", "interface_type", "struct_type", "type_elem", "parenthesized_type"])
_SILENT = ("comment", "nil", "label_name", "field_identifier", "package_identifier", "blank_identifier")
_NAMES = frozenset(["type_identifier", "qualified_type"])
_CONTAINERS = frozenset(["slice_type", "array_type", "implicit_length_array_type", "map_type"])


class GoExpressions(GoTypes):
    """`value` gives the chain of what is stored or handed over, `path` of the beginning of a longer chain."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.types: dict[str, int] = {}
        self.results: dict[str, Node | None] = {}
        self.generic: set[str] = set()
        self.flat = self.plain
        self.readers, self.most = _reader_table(cast("Hashable", type(self)))
        self.simple = _numbers("identifier", "selector_expression")
        self.identifiers = _numbers("identifier")
        self.comments = _numbers("comment")
        self.strings = _numbers("interpreted_string_literal", "raw_string_literal")
        self.functions = _numbers("func_literal")
        self.variadic = _numbers("variadic_argument")
        self.keyed = _numbers("keyed_element")
        self.bare = _numbers("literal_value")
        self.ifs = _numbers("if_statement")
        self.blocks = _numbers("block", "if_statement")
        self.lists = _numbers("expression_list")

    @classmethod
    def readers_of(cls) -> dict[str, Callable[[Any, Node], str]]:
        """What reads each kind of node. A reader is looked up by class, so that no instance refers to itself."""
        readers: dict[str, Callable[[Any, Node], str]] = {
            "identifier": cls._identifier,
            "selector_expression": cls._selector,
            "call_expression": cls._call,
            "composite_literal": cls._composite,
            "func_literal": cls._closure,
            "unary_expression": cls._unary,
            "binary_expression": cls._binary,
            "parenthesized_expression": cls._parenthesized,
            "index_expression": cls._index,
            "slice_expression": cls._slice,
            "type_assertion_expression": cls._assertion,
            "type_conversion_expression": cls._conversion,
            "type_instantiation_expression": cls._instantiation,
            "interpreted_string_literal": cls._string_value,
            "raw_string_literal": cls._string_value,
            "variadic_argument": cls._parenthesized,
            "literal_value": cls._bare_literal,
            "literal_element": cls._parenthesized,
        }
        readers.update((kind, _always(chain)) for kind, chain in _LITERALS.items())
        readers.update((kind, _always("?")) for kind in _SILENT)
        for kind in _TYPES:
            readers[kind] = cls.type_of
        return readers

    def read(self, node: Node) -> str:
        number = node.kind_id
        return self.readers[number](self, node) if number < self.most else self.broken(node)

    def parts(self, node: Node) -> str:
        """Whatever has no reader of its own is read part by part."""
        readers, most = self.readers, self.most
        for part in node.named_children:
            number = part.kind_id
            if number < most:
                readers[number](self, part)
            else:
                self.broken(part)
        return "?"

    def broken(self, node: Node) -> str:
        self.gaps.append(Gap(self.within, "syntax", node.start_point[0] + 1))
        return self.parts(node)

    def value(self, node: Node) -> str:
        """An expression whose value goes elsewhere: a name or a member in it is handed over."""
        if node.kind_id not in self.simple:
            return self.read(node)
        chain = self.path(node)
        if "." in chain or (chain not in self.scope.locals and chain not in NOTHING):
            self.references.append(
                Reference(self.within, "pass", chain, node.start_point[0] + 1, (), self.under.branch)
            )
        return chain

    def path(self, node: Node) -> str:
        """The chain of an expression whose own use is written down by who asks."""
        number = node.kind_id
        if number not in self.simple:
            if node.type == "parenthesized_expression" or node.type == "unary_expression":
                return self._unwrapped(node)
            return self.readers[number](self, node) if number < self.most else self.broken(node)
        text = self.text[node.start_byte : node.end_byte]
        if not self.plain and not text.isascii():
            text = self.cut(node)
        receiver = self.scope.receiver
        if number in self.identifiers:
            return "self" if text == receiver and text else text
        if _PATH(text):
            return self.spelled(text)
        parts = node.named_children
        if len(parts) < 2:
            return "?"
        return f"{self.path(parts[0])}.{self.cut(parts[-1])}"

    def _unwrapped(self, node: Node) -> str:
        """`(*Foo).method`, `(&x).method`: brackets and pointers mean what they hold."""
        inner = [part for part in node.named_children if part.type != "comment"]
        pointing = node.type == "parenthesized_expression" or self.text[node.start_byte] in "*&"
        return self.path(inner[0]) if len(inner) == 1 and pointing else self.read(node)

    def _identifier(self, node: Node) -> str:
        chain = self.path(node)
        if chain not in self.scope.locals and chain not in NOTHING:
            self.references.append(
                Reference(self.within, "read", chain, node.start_point[0] + 1, (), self.under.branch)
            )
        return chain

    def _selector(self, node: Node) -> str:
        """A member that is only looked at: of a local variable it is a field, and says nothing more."""
        chain = self.path(node)
        root = chain.partition(".")[0]
        if root not in self.scope.locals and root != "self":
            self.references.append(
                Reference(self.within, "read", chain, node.start_point[0] + 1, (), self.under.branch)
            )
        return chain

    def _call(self, node: Node) -> str:
        start, end = node.start_byte, node.end_byte
        if self.flat and end - start < LONGEST:
            found = flat_call(self.text[start:end])
            if found:
                callee = self.spelled(found[1])
                if callee not in NOTHING:
                    return self.flat_call(callee, found[2], node.start_point[0] + 1)
        parts = node.children
        function, arguments = parts[0], parts[-1]
        if len(parts) > 2:
            self.parts(parts[1])
        callee = self._callee(function)
        if callee in NOTHING and callee not in self.scope.locals and callee not in self.results:
            if callee in _YOUNG:
                self.references.append(
                    Reference(self.within, "call", callee, node.start_point[0] + 1, (), self.under.branch)
                )
            return self._builtin(callee, arguments)
        local = self.scope.closures.get(callee)
        if local is not None or function.kind_id in self.functions:
            self._arguments(arguments)
            return local or self._result_of(function)
        given = self._arguments(arguments)
        return self._called(callee, given, function.end_point[0] + 1)

    def spelled(self, text: str) -> str:
        """A name or a path of names as a chain: the receiver is `self`."""
        receiver = self.scope.receiver
        if receiver and text.startswith(receiver):
            if text == receiver:
                return "self"
            if text[len(receiver)] == ".":
                return "self" + text[len(receiver) :]
        return text

    def flat_call(self, callee: str, arguments: str, line: int) -> str:
        """A call that is read by its text alone."""
        given = tuple([self.flat_argument(item, line) for item in flat_items(arguments)]) if arguments else ()
        local = self.scope.closures.get(callee)
        return self._called(callee, given, line) if local is None else local

    def flat_argument(self, item: str, line: int) -> str:
        mark = item[0]
        if mark == '"':
            value = item[1:-1]
            if names_something(value):
                self.texts.append(Text(self.within, value, line))
            return f'"{value[:TEXT_LIMIT]}"'
        chain = self.flat_value(item, line)
        return "" if chain == "?" else chain

    def flat_value(self, item: str, line: int) -> str:
        """What `value` says of a name, a path of names or a number."""
        known = WORDS.get(item)
        if known is not None:
            return known
        if item[0].isdigit():
            return "%int"
        chain = self.spelled(item)
        if "." in chain or (chain not in self.scope.locals and chain not in NOTHING):
            self.references.append(Reference(self.within, "pass", chain, line, (), self.under.branch))
        return chain

    def _called(self, callee: str, given: tuple[str, ...], line: int) -> str:
        self.references.append(Reference(self.within, "call", callee, line, given, self.under.branch))
        if "." in callee:
            if callee.endswith(".MethodByName") or (callee.startswith("reflect.") and callee.endswith(".Call")):
                self.gaps.append(Gap(self.within, "reflection", line))
            elif callee == "plugin.Open":
                self.gaps.append(Gap(self.within, "dynamic-import", line))
        return callee + "()"

    def _callee(self, node: Node) -> str:
        if node.kind_id in self.simple:
            return self.path(node)
        kind = node.type
        if kind == "parenthesized_expression":
            return self._unwrapped(node)
        if kind == "index_expression":
            return self._instantiated(node)
        if kind == "generic_type":
            return self.class_of(node) or "?"
        return self.read(node)

    def _instantiated(self, node: Node) -> str:
        """`Map[int](xs)` calls a generic function, `handlers[i](x)` an element: the grammar cannot tell them apart."""
        operand, index = node.named_children[0], node.named_children[-1]
        chain = self.path(operand)
        text = self.cut(index)
        member = chain.rpartition(".")[2]
        kind = text.rpartition(".")[2]
        if chain in self.generic or index.type in _TYPES or text in PLAIN or (kind[:1].isupper() and member.isalnum()):
            self.type_of(index)
            return chain
        self.read(index)
        return chain + "[]"

    def _builtin(self, name: str, arguments: Node) -> str:
        parts = [part for part in arguments.named_children if part.type != "comment"]
        if name in ("new", "make") and parts:
            return self._made(name, parts)
        chains = [self.value(part) for part in parts]
        if name in ("append", "min", "max"):
            return chains[0] if chains else "?"
        return PLAIN.get(name) or _RESULTS.get(name, "?")

    def _made(self, name: str, parts: list[Node]) -> str:
        chain = self.type_of(parts[0])
        for part in parts[1:]:
            self.read(part)
        if name == "make" or not chain.endswith("!"):
            return chain
        self.references.append(
            Reference(self.within, "call", chain[:-1], parts[0].start_point[0] + 1, (), self.under.branch)
        )
        return chain[:-1] + "()"

    def _arguments(self, node: Node) -> tuple[str, ...]:
        if node.end_byte - node.start_byte < 3:
            return ()
        parts = node.named_children
        return tuple([self.argument(part) for part in parts if part.kind_id not in self.comments])

    def argument(self, node: Node) -> str:
        kind = node.kind_id
        if kind in self.simple:
            return self.value(node)
        if kind in self.strings:
            return f'"{self._string(node)}"'
        chain = self.value(node.named_children[0]) if kind in self.variadic else self.read(node)
        return "" if chain == "?" else chain

    def _literal(self, node: Node) -> str:
        text = self.cut(node)
        return unescape(text[1:-1]) if text[0] == '"' else text[1:-1]

    def _string(self, node: Node) -> str:
        """The text of a literal, at most 200 characters of it."""
        value = self._literal(node)
        if names_something(value):
            self.texts.append(Text(self.within, value, node.start_point[0] + 1))
        return value[:TEXT_LIMIT]

    def _string_value(self, node: Node) -> str:
        self._string(node)
        return "%str"

    def _composite(self, node: Node) -> str:
        kind, body = node.named_children[0], node.named_children[-1]
        known = kind.type
        chain = f"{self.cut(kind)}!" if known in _NAMES else self.type_of(kind)
        if known in _CONTAINERS:
            self._elements(body, chain)
            return chain
        if not chain.endswith("!"):
            self._fields(body, "")
            return chain
        name = chain[:-1]
        given = self._fields(body, name)
        if name != "struct":
            self.references.append(
                Reference(self.within, "call", name, node.start_point[0] + 1, given, self.under.branch)
            )
        return name + "()"

    def _bare_literal(self, node: Node) -> str:
        self._elements(node, "?")
        return "?"

    def _elements(self, node: Node, chain: str) -> None:
        """The elements of a slice or a map; a literal in it without a type is of the type of the elements."""
        element = chain[:-1] if chain.endswith("*") else "?"
        for part in node.named_children:
            kind = part.kind_id
            if kind in self.keyed:
                inner = part.named_children
                self._element(inner[0], "?")
                self._element(inner[-1], element)
            elif kind not in self.comments:
                self._element(part, element)

    def _element(self, node: Node, chain: str) -> None:
        start, end = node.start_byte, node.end_byte
        if self.flat and end - start < LONGEST:
            text = self.text[start:end]
            if flat_item(text):
                self.flat_argument(text, node.start_point[0] + 1)
                return
        parts = node.named_children
        if not parts:
            return
        inner = parts[-1]
        if inner.kind_id not in self.bare:
            self.value(inner)
        elif chain.endswith("*"):
            self._elements(inner, chain)
        else:
            name = chain[:-1] if chain.endswith("!") else ""
            given = self._fields(inner, name)
            if name and name != "struct":
                self.references.append(
                    Reference(self.within, "call", name, inner.start_point[0] + 1, given, self.under.branch)
                )

    def _fields(self, node: Node, owner: str) -> tuple[str, ...]:
        """The fields of a struct literal as arguments; the keys of a map with a named type look the same."""
        given: list[str] = []
        for part in node.named_children:
            kind = part.kind_id
            if kind in self.comments:
                continue
            start, end = part.start_byte, part.end_byte
            found = flat_field(self.text[start:end]) if self.flat and end - start < LONGEST else None
            if found:
                name, chain = found[1], self.flat_argument(found[2], part.start_point[0] + 1)
                given.append(f"{name}={chain}")
                if _PATH(chain) and owner in self.types:
                    self._field_means(owner, name, chain, part)
                continue
            inner = part.named_children
            if kind not in self.keyed:
                given.append(self.argument(inner[0]) if inner else "")
            else:
                key, held = inner[0], inner[-1]
                name = self.cut(key)
                inner = held.named_children
                chain = self.argument(inner[0]) if inner else ""
                if not name.isidentifier():
                    self.read(key)
                    continue
                given.append(f"{name}={chain}")
                if _PATH(chain) and owner in self.types:
                    self._field_means(owner, name, chain, part)
        return tuple(given)

    def _field_means(self, owner: str, name: str, chain: str, node: Node) -> None:
        """A function that is put into a field of a struct of this file: what a call of the field can mean."""
        root = chain.partition(".")[0]
        if chain == "self" or (root in self.scope.locals and "." not in chain):
            return
        line = node.start_point[0] + 1
        self.bindings.append(Binding(self.types[owner], name, chain, "assign", self.within, line))

    def _closure(self, node: Node) -> str:
        """A function without a name: what it does belongs to the definition around it, so do its parameters."""
        line = node.start_point[0] + 1
        for field in ("parameters", "result"):
            for parameter in self.parameters_of(node.child_by_field_name(field)):
                if parameter.name:
                    chain = parameter.type or "?"
                    self.bind(parameter.name, chain + "*" if parameter.kind else chain, "annotation", line)
        body = node.child_by_field_name("body")
        if body is not None:
            self.under.enter("branches")
            self.parts(body)
            self.under.leave("branches")
        return "%func"

    def _result_of(self, node: Node) -> str:
        """What a call of a function literal gives."""
        before = len(self.references)
        results = first_result(self.parameters_of(node.child_by_field_name("result")))
        del self.references[before:]
        return results[0] if results else "?"

    def closure_result(self, node: Node) -> str:
        return self._result_of(node)

    def _unary(self, node: Node) -> str:
        operand = node.named_children[-1]
        sign = self.text[node.start_byte]
        if sign == "<":
            return self.read(operand) + "[]"
        if sign in "&*":
            return self.value(operand) if operand.kind_id in self.simple else self.read(operand)
        chain = self.read(operand)
        return "%bool" if sign == "!" else chain if chain[0] == "%" else "?"

    def _binary(self, node: Node) -> str:
        """The left side is walked in a loop, for sums of strings can be thousands long."""
        rights: list[Node] = []
        left: Node = node
        operator = node.children[1].type if node.child_count > 2 else ""
        while left.type == "binary_expression" and left.child_count > 2:
            children = left.children
            rights.append(children[-1])
            left = children[0]
        chain = self.read(left)
        choice = operator in _CHOICES
        if choice:
            self.under.enter("branches")
        for right in reversed(rights):
            other = self.read(right)
            chain = chain if chain[0] == "%" else other if other[0] == "%" else "?"
        if choice:
            self.under.leave("branches")
        return "%bool" if operator in _COMPARISONS else chain

    def _parenthesized(self, node: Node) -> str:
        chain = "?"
        for part in node.named_children:
            chain = self.read(part)
        return chain

    def _index(self, node: Node) -> str:
        parts = node.named_children
        chain = self.path(parts[0])
        if chain in self.generic:
            self.type_of(parts[-1])
            return self.read(parts[0])
        if parts[0].kind_id in self.simple:
            self.read(parts[0])
        self.read(parts[-1])
        return chain + "[]"

    def _slice(self, node: Node) -> str:
        parts = node.named_children
        for part in parts[1:]:
            self.read(part)
        return self.read(parts[0])

    def _assertion(self, node: Node) -> str:
        parts = node.named_children
        self.read(parts[0])
        return self.type_of(parts[-1])

    def _conversion(self, node: Node) -> str:
        """`[]byte(text)`. A call of a generic function with one argument looks the same."""
        parts = node.named_children
        if parts[0].type != "generic_type":
            for part in parts[1:]:
                self.value(part)
            return self.type_of(parts[0])
        inner = parts[0].named_children
        self.parts(inner[-1])
        callee = self.cut(inner[0])
        given = tuple([self.argument(part) for part in parts[1:]])
        line = parts[0].end_point[0] + 1
        self.references.append(Reference(self.within, "call", callee, line, given, self.under.branch))
        return callee + "()"

    def _instantiation(self, node: Node) -> str:
        parts = node.named_children
        for part in parts[1:]:
            self.type_of(part)
        return self.path(parts[0])


def _always(chain: str) -> Callable[[Any, Node], str]:
    def read(_reader: object, _node: Node) -> str:
        return chain

    return read


@cache
def _numbers(*kinds: str) -> frozenset[int]:
    """The numbers of kinds of nodes: comparing numbers is quicker than asking for names."""
    return frozenset(number for number, name in enumerate(node_kinds("tree_sitter_go")) if name in kinds)


@cache
def _reader_table(cls: Any) -> tuple[tuple[Callable[[Any, Node], str], ...], int]:
    """The readers of a class by the number of the kind of node, and how many numbers there are."""
    readers = cls.readers_of()
    names = node_kinds("tree_sitter_go")
    return tuple(readers.get(name, cls.parts) for name in names), len(names)
