"""Expressions and statements of C and C++. What an expression uses is written down while its chain is made."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tidegate.reach.languages.c_types import CTypes, declared
from tidegate.reach.languages.tree import TEXT_LIMIT, names_something, node_kinds, unescape
from tidegate.reach.symbols import Binding, BindingKind, Gap, Reference, ReferenceKind, Text

if TYPE_CHECKING:
    from tree_sitter import Node

_PATH = re.compile(r"[^\W\d]\w*(?:(?:->|\.)[^\W\d]\w*)*").fullmatch
_LITERALS = {
    "number_literal": "%int",
    "char_literal": "%int",
    "true": "%bool",
    "false": "%bool",
    "sizeof_expression": "%int",
}
_SILENT = (
    "comment", "null", "nullptr", "primitive_type", "type_qualifier", "storage_class_specifier", "goto_statement",
    "statement_identifier", "field_identifier", "string_content", "system_lib_string", "access_specifier", "auto",
    "preproc_directive", "break_statement", "continue_statement", "lambda_capture_specifier", "preproc_arg",
    "placeholder_type_specifier", "using_declaration",
)  # fmt: skip
_CASTS = frozenset(
    ["static_cast", "dynamic_cast", "reinterpret_cast", "const_cast", "down_cast", "any_cast", "bit_cast"]
)
_MAKERS = frozenset(["make_unique", "make_shared", "MakeUnique", "MakeShared", "make_unique_for_overwrite"])
_MOVES = frozenset(["<std>.move", "<std>.forward", "<std>.ref", "<std>.cref", "<std>.as_const"])
_REFLECTION = frozenset(["dlsym", "GetProcAddress"])
_DYNAMIC = frozenset(["dlopen", "LoadLibrary", "LoadLibraryA"])
GAP_LIMIT = 200


Reader: TypeAlias = "Callable[[CExpressions, Node], str]"


class Local:
    """The function, class or file that is read, with the names of its own."""

    __slots__ = ("cls", "index", "names", "seen")

    def __init__(self, index: int, cls: int = -1) -> None:
        self.index = index
        self.cls = cls
        self.names: dict[str, str] = {}
        self.seen: set[tuple[str, str]] = set()


class CExpressions(CTypes):
    """`read` gives the chain of a value."""

    def __init__(self, source: bytes, grammar: str) -> None:
        super().__init__(source)
        self.cpp = grammar == "tree_sitter_cpp"
        self.bindings: list[Binding] = []
        self.references: list[Reference] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.local = Local(0)
        self._readers = self._table(grammar)
        names = _simple_kinds(grammar)
        self._name_ids, self._field_ids = names["identifier"], names["field_expression"]
        self.plain = source.isascii()
        self.text = source.decode("ascii") if self.plain else ""
        self.mended = False

    @classmethod
    @cache
    def _table(cls, grammar: str) -> tuple[Reader, ...]:
        """The readers by the number of a kind, made once for a grammar."""
        readers: dict[str, Reader] = {
            "identifier": cls._identifier,
            "field_expression": cls._field,
            "qualified_identifier": cls._qualified,
            "call_expression": cls._call,
            "argument_list": cls.parts,
            "new_expression": cls._new,
            "this": lambda *_: "self",
            "string_literal": cls._string,
            "raw_string_literal": cls._string,
            "concatenated_string": cls._string,
            "parenthesized_expression": cls._inner,
            "condition_clause": cls._condition,
            "pointer_expression": cls._pointer,
            "subscript_expression": cls._subscript,
            "cast_expression": cls._cast,
            "compound_literal_expression": cls._cast,
            "assignment_expression": cls._assignment,
            "binary_expression": cls._binary,
            "conditional_expression": cls._conditional,
            "initializer_list": cls._listed,
            "initializer_pair": cls._pair,
            "type_descriptor": cls._type_use,
            "type_identifier": cls._type_use,
            "template_type": cls._type_use,
            "template_function": cls._template_function,
            "lambda_expression": cls._lambda,
            "declaration": cls.declaration,
            "parameter_declaration": cls._parameter_inside,
            "for_range_loop": cls._range,
            "return_statement": cls._return,
            "catch_clause": cls.parts,
            "ERROR": cls.broken,
            "co_await_expression": cls._inner,
            "delete_expression": cls.parts,
            "update_expression": cls.parts,
            "preproc_def": _always("?"),
            "preproc_function_def": _always("?"),
        }
        readers.update((kind, _always(chain)) for kind, chain in _LITERALS.items())
        readers.update((kind, _always("?")) for kind in _SILENT)
        return tuple([readers.get(name, cls.parts) for name in node_kinds(grammar)])

    # what everything is read with

    def read(self, node: Node) -> str:
        number = node.kind_id
        return self._readers[number](self, node) if number < len(self._readers) else self.broken(node)

    def parts(self, node: Node) -> str:
        """Whatever has no reader of its own is read part by part."""
        readers, most = self._readers, len(self._readers)
        for part in node.named_children:
            number = part.kind_id
            if number < most:
                readers[number](self, part)
            else:
                self.broken(part)
        return "?"

    def cut(self, node: Node) -> str:
        if self.plain:
            return self.text[node.start_byte : node.end_byte]
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def broken(self, node: Node) -> str:
        if not node.named_child_count and node.end_byte - node.start_byte < 3:
            self.mended = True  # `va_arg(list, char*)`: a sign of a type among expressions, which hides nothing
        else:
            self.gap("syntax", node)
        return self.parts(node)

    def gap(self, reason: str, node: Node) -> None:
        if len(self.gaps) < GAP_LIMIT:
            self.gaps.append(Gap(self.local.index, reason, node.start_point[0] + 1))

    def refer(self, kind: ReferenceKind, chain: str, node: Node, arguments: tuple[str, ...] = ()) -> None:
        self.references.append(Reference(self.local.index, kind, chain, node.start_point[0] + 1, arguments))

    def refer_once(self, kind: ReferenceKind, chain: str, node: Node) -> None:
        """A use that says no more the second time in the same definition."""
        if (kind, chain) not in self.local.seen:
            self.local.seen.add((kind, chain))
            self.refer(kind, chain, node)

    def bind(self, scope: int, name: str, value: str, kind: BindingKind, node: Node) -> None:
        if value and value[0] != "?":
            self.bindings.append(Binding(scope, name, value, kind, self.local.index, node.start_point[0] + 1))

    def use_type(self, node: Node | None) -> str:
        """What a value of the type is; the use of the type is written down."""
        chain = self.type_chain(node)
        if node is not None and chain and chain[0] != "%":
            self.refer_once("type", chain.rstrip("!*"), node)
        return chain

    # names

    def _identifier(self, node: Node) -> str:
        name = self.cut(node)
        if name not in self.local.names:
            self.refer_once("read", name, node)
        return name

    def _qualified(self, node: Node) -> str:
        chain = self.qualified(node)
        if not chain:
            return self.parts(node)
        if chain[0] != "<":
            self.refer_once("read", chain, node)
        return chain

    def path(self, node: Node) -> str:
        """The chain of an expression whose own use is written down by who asks."""
        number = node.kind_id
        if number in self._name_ids:
            return self.cut(node)
        if number not in self._field_ids:
            if node.type == "qualified_identifier":
                return self.qualified(node) or "?"
            return self.read(node)
        text = self.cut(node)
        if _PATH(text):
            return (
                "self" + text.replace("->", ".")[4:]
                if self.cpp and text.startswith(("this->", "this."))
                else text.replace("->", ".")
            )
        parts = node.named_children
        if len(parts) < 2:
            return self.parts(node)
        member = parts[-1]
        name = member.child_by_field_name("name") or member
        return f"{self.path(parts[0])}.{''.join(self.cut(name).split())}"

    def _field(self, node: Node) -> str:
        chain = self.path(node)
        if chain[0] != "?":
            self.refer_once("read", chain, node)
        return chain

    def handed(self, node: Node) -> str:
        """A value that goes elsewhere: a name in it is handed over."""
        kind = node.type
        if kind == "pointer_expression" and self.source[node.start_byte : node.start_byte + 1] == b"&":
            inner = node.child_by_field_name("argument")
            return self.handed(inner) if inner is not None else "?"
        if kind == "identifier":
            chain = self.cut(node)
            if chain not in self.local.names:
                self.refer_once("pass", chain, node)
            return chain
        if kind in ("field_expression", "qualified_identifier"):
            chain = self.path(node)
            if chain[0] not in "?<":
                self.refer_once("pass", chain, node)
            return chain
        return self.read(node)

    # calls

    def _call(self, node: Node) -> str:
        function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or given is None:
            return self.parts(node)
        made = self._generic_call(function, given)
        if made:
            return made
        callee = self._callee(function)
        arguments = self.arguments(given)
        if callee in _MOVES:
            return arguments[0] if arguments and arguments[0][:1] not in ("", '"') else "?"
        if callee and callee[0] != "%":
            self.refer("call", callee, function, arguments)
        if callee in _REFLECTION:
            self.gaps.append(Gap(self.local.index, "reflection", node.start_point[0] + 1))
        elif callee in _DYNAMIC:
            self.gaps.append(Gap(self.local.index, "dynamic-import", node.start_point[0] + 1))
        return callee + "()" if callee[0] != "?" else "?"

    def _callee(self, function: Node) -> str:
        kind = function.type
        if kind in ("parenthesized_expression", "pointer_expression"):
            inner = [part for part in function.named_children if part.type != "comment"]
            return self._callee(inner[0]) if len(inner) == 1 else self.read(function)
        if kind == "template_function":
            self._template_arguments(function)
            name = function.child_by_field_name("name")
            return self.cut(name) if name is not None else "?"
        if kind in ("primitive_type", "type_identifier"):
            return (self.type_chain(function) or "?").rstrip("!")
        chain = self.path(function)
        root = chain.partition(".")[0]
        if "." in chain and root.isidentifier() and root not in self.local.names and root != "self":
            self.refer_once("read", root, function)
        return chain

    def _generic_call(self, function: Node, given: Node) -> str:
        """Casts, and functions that make what their template argument says; "" for any other call."""
        inner: Node | None = function
        while inner is not None and inner.type == "qualified_identifier":
            inner = inner.child_by_field_name("name")
        if inner is None or inner.type != "template_function":
            return ""
        name = self.cut(inner.child_by_field_name("name") or inner)
        if name not in _CASTS and name not in _MAKERS:
            return ""
        listed = inner.child_by_field_name("arguments")
        first = next(iter(listed.named_children), None) if listed is not None else None
        chain = self.use_type(first)
        arguments = self.arguments(given)
        if name in _CASTS or not chain.endswith("!"):
            return chain or "?"
        self.refer("call", chain[:-1], function, arguments)
        return chain[:-1] + "()"

    def _template_arguments(self, node: Node) -> None:
        listed = node.child_by_field_name("arguments")
        if listed is not None:
            self.parts(listed)

    def _template_function(self, node: Node) -> str:
        self._template_arguments(node)
        name = node.child_by_field_name("name")
        return self._identifier(name) if name is not None else "?"

    def arguments(self, node: Node) -> tuple[str, ...]:
        return tuple([self.argument(part) for part in node.named_children if part.type != "comment"])

    def argument(self, node: Node) -> str:
        if node.type in ("string_literal", "raw_string_literal", "concatenated_string"):
            return f'"{self.literal(node)}"'
        chain = self.handed(node)
        return "" if chain[0] == "?" else chain

    def _new(self, node: Node) -> str:
        kind, given = node.child_by_field_name("type"), node.child_by_field_name("arguments")
        chain = self.class_chain(kind) if kind is not None else ""
        arguments = self.arguments(given) if given is not None else ()
        placed = node.child_by_field_name("placement")
        if placed is not None:
            self.parts(placed)
        if not chain:
            return "?"
        self.refer("call", chain, node, arguments)
        return chain + "()"

    # literals and operators

    def literal(self, node: Node) -> str:
        """The text of a literal, which is written down where it may name something outside of the code."""
        if node.type == "concatenated_string":
            texts = [self.literal(part) for part in node.named_children if part.type.endswith("string_literal")]
            return "".join(texts)[:TEXT_LIMIT]
        raw = self.cut(node)
        text = unescape(raw[raw.find('"') + 1 : -1])[:TEXT_LIMIT]
        if names_something(text):
            self.texts.append(Text(self.local.index, text, node.start_point[0] + 1))
        return text

    def _string(self, node: Node) -> str:
        self.literal(node)
        return "%str"

    def _inner(self, node: Node) -> str:
        parts = [part for part in node.named_children if part.type != "comment"]
        return self.read(parts[0]) if len(parts) == 1 else self.parts(node)

    def _condition(self, node: Node) -> str:
        return self.parts(node)

    def _pointer(self, node: Node) -> str:
        inner = node.child_by_field_name("argument")
        if inner is None:
            return self.parts(node)
        return self.handed(node) if self.source[node.start_byte : node.start_byte + 1] == b"&" else self.read(inner)

    def _subscript(self, node: Node) -> str:
        parts = node.named_children
        if not parts:
            return "?"
        chain = self.read(parts[0])
        for part in parts[1:]:
            self.parts(part) if part.type == "subscript_argument_list" else self.read(part)
        known = self.local.names.get(chain)
        return chain if known and not known.endswith("*") else chain + "[]"

    def _cast(self, node: Node) -> str:
        chain = self.use_type(node.child_by_field_name("type"))
        value = node.child_by_field_name("value")
        inner = self.handed(value) if value is not None else "?"
        return chain or inner

    def _assignment(self, node: Node) -> str:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return self.parts(node)
        value = self.handed(right)
        if left.type == "identifier":
            name = self.cut(left)
            if name not in self.local.names:
                self.refer_once("write", name, left)
            elif not self.local.names[name]:
                self.bind(self.local.index, name, value, "assign", left)
            return name
        if left.type == "field_expression":
            chain = self.path(left)
            if chain[0] != "?":
                self.refer_once("write", chain, left)
            return chain
        return self.read(left)

    def _binary(self, node: Node) -> str:
        parts = node.named_children
        chains = [self.read(part) for part in parts]
        operator = node.child_by_field_name("operator")
        sign = operator.type if operator is not None else ""
        if sign in ("==", "!=", "<", ">", "<=", ">=", "&&", "||"):
            return "%bool"
        return chains[0] if chains and sign in ("+", "-", "<<", ">>") else "%int"

    def _conditional(self, node: Node) -> str:
        parts = node.named_children
        chains = [self.read(parts[0])] if parts else []
        chains += [self.handed(part) for part in parts[1:]]
        return next((chain for chain in chains[1:] if chain[0] not in "?%"), "?")

    def _listed(self, node: Node) -> str:
        for part in node.named_children:
            self.handed(part)
        return "?"

    def _pair(self, node: Node) -> str:
        value = node.child_by_field_name("value")
        return self.handed(value) if value is not None else self.parts(node)

    def _type_use(self, node: Node) -> str:
        self.use_type(node)
        return "?"

    # statements

    def declaration(self, node: Node) -> str:
        """Local variables."""
        kind = node.child_by_field_name("type")
        base = self.use_type(kind)
        if kind is not None and kind.type.endswith("_specifier") and kind.child_by_field_name("body") is not None:
            self.local_class(kind)
        value = node.child_by_field_name("value")
        for part in node.children_by_field_name("declarator"):
            self._local_variable(part, kind, base, value)
        return "?"

    def local_class(self, node: Node) -> None:
        """A class that is defined inside a function."""
        raise NotImplementedError

    def _local_variable(self, part: Node, kind: Node | None, base: str, value: Node | None) -> None:
        found = declared(part)
        if found.name is None:
            return
        given = part.child_by_field_name("value") if part.type == "init_declarator" else value
        if found.name.type == "structured_binding_declarator":
            self._structured(found.name, given)
            return
        name = self.cut(found.name)
        made = self._initial(given, base, found.function, found.pointer, kind)
        chain = base + "*" if base and found.array and base[0] != "%" else base
        if found.callable:
            chain = "%func"
        self.local.names[name] = chain
        if chain and chain[0] != "%":
            self.bind(self.local.index, name, chain, "annotation", found.name)
        elif not chain and made != name:
            self.local.names[name] = ""
            self.bind(self.local.index, name, made, "assign", found.name)

    def _initial(self, given: Node | None, base: str, function: Node | None, pointer: bool, kind: Node | None) -> str:
        """Reads the initial value. `Foo f(1)`, `Foo f{1}` and in C++ a plain `Foo f` call the constructor."""
        constructs = self.cpp and base.endswith("!") and not pointer and kind is not None
        if given is not None and given.type not in ("argument_list", "initializer_list"):
            return self.handed(given)
        arguments: tuple[str, ...] = ()
        if given is not None:
            arguments = self.arguments(given)
        if function is not None:
            listed = function.child_by_field_name("parameters")
            for part in listed.named_children if listed is not None else ():
                inner = part.child_by_field_name("type") or part
                if inner.type == "type_identifier":
                    self.handed_name(self.cut(inner), inner)
        if constructs and kind is not None and base[0] != "%":
            self.refer("call", base[:-1], kind, arguments)
        return "?"

    def handed_name(self, name: str, node: Node) -> None:
        """`Foo f(x)` looks like a declaration of a function whose parameter has the type x."""
        if name not in self.local.names:
            self.refer_once("pass", name, node)

    def _structured(self, node: Node, given: Node | None) -> None:
        if given is not None:
            self.handed(given)
        for part in node.named_children:
            self.local.names[self.cut(part)] = ""

    def _parameter_inside(self, node: Node) -> str:
        """A parameter of a lambda, or what a catch clause catches."""
        chain = self.use_type(node.child_by_field_name("type"))
        part = node.child_by_field_name("declarator")
        name = declared(part).name if part is not None else None
        if name is not None:
            self.local.names[self.cut(name)] = chain
            if chain and chain[0] != "%":
                self.bind(self.local.index, self.cut(name), chain, "annotation", name)
        return "?"

    def _range(self, node: Node) -> str:
        right = node.child_by_field_name("right")
        chain = self.read(right) if right is not None else "?"
        base = self.use_type(node.child_by_field_name("type"))
        part = node.child_by_field_name("declarator")
        name = declared(part).name if part is not None else None
        if name is not None and name.type == "structured_binding_declarator":
            self._structured(name, None)
        elif name is not None:
            self.local.names[self.cut(name)] = base
            self.bind(
                self.local.index, self.cut(name), base or (chain + "[]" if chain[0] not in "?%" else ""), "assign", name
            )
        body = node.child_by_field_name("body")
        return self.read(body) if body is not None else "?"

    def _lambda(self, node: Node) -> str:
        for part in node.named_children:
            if part.type == "lambda_capture_specifier":
                for inner in part.named_children:
                    if inner.type == "lambda_capture_initializer":
                        self.local.names[self.cut(inner.named_children[0])] = ""
                        self.parts(inner)
            else:
                self.parts(part)
        return "%func"

    def _return(self, node: Node) -> str:
        for part in node.named_children:
            self.handed(part)
        return "?"


def _always(chain: str) -> Reader:
    return lambda *_: chain


@cache
def _simple_kinds(grammar: str) -> dict[str, frozenset[int]]:
    names = node_kinds(grammar)
    return {
        kind: frozenset(number for number, name in enumerate(names) if name == kind)
        for kind in ("identifier", "field_expression")
    }
