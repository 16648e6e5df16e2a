"""Go's types as chains, and what every part of the reader shares: the source, the scope, what has been found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.tree import Under
from tidegate.reach.symbols import Binding, BindingKind, Definition, Gap, Parameter, Reference, ReferenceKind, Text

if TYPE_CHECKING:
    from tree_sitter import Node

PLAIN = {
    "string": "%str",
    "bool": "%bool",
    "error": "%error",
    "any": "%any",
    "comparable": "?",
    "float32": "%float",
    "float64": "%float",
    "complex64": "%float",
    "complex128": "%float",
    "rune": "%int",
    "byte": "%int",
    "int": "%int",
    "int8": "%int",
    "int16": "%int",
    "int32": "%int",
    "int64": "%int",
    "uint": "%int",
    "uint8": "%int",
    "uint16": "%int",
    "uint32": "%int",
    "uint64": "%int",
    "uintptr": "%int",
}
_SEQUENCES = frozenset(["Seq", "Seq2", "iter.Seq", "iter.Seq2"])
_POINTERS = frozenset(["atomic.Pointer"])


class Scope:
    """The definition whose code is being read, and what its names are.

    `receiver` is the name of `self` in it and `owner` the class of that, -1 where its type stands in another file.
    `closures` are the local names of function literals, with the chain of what a call of each gives.
    """

    __slots__ = ("closures", "index", "locals", "name", "owner", "receiver", "type_parameters")

    def __init__(self, index: int, name: str = "", receiver: str = "", owner: int = -1) -> None:
        self.index = index
        self.name = name
        self.receiver = receiver
        self.owner = owner
        self.locals: set[str] = set()
        self.type_parameters: set[str] = set()
        self.closures: dict[str, str] = {}


class GoTypes:
    """Reads types. Every name of a type that is met is a reference of kind "type"."""

    def __init__(self, source: bytes) -> None:
        # Latin-1 keeps offsets of bytes as offsets of characters; texts beyond ASCII are mended when they are cut out.
        self.text = source.decode("latin-1")
        self.plain = source.isascii()
        self.definitions: list[Definition | None] = []
        self.bindings: list[Binding] = []
        self.references: list[Reference] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.scope = Scope(0)
        self.within = 0
        self.under = Under()
        self.known: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.nodes: dict[int, Node] = {}

    def cut(self, node: Node) -> str:
        text = self.text[node.start_byte : node.end_byte]
        return text if self.plain or text.isascii() else text.encode("latin-1").decode("utf-8", "replace")

    def refer(self, kind: ReferenceKind, chain: str, line: int, arguments: tuple[str, ...] = ()) -> None:
        self.references.append(Reference(self.within, kind, chain, line, arguments, self.under.branch))

    def bind(self, name: str, chain: str, kind: BindingKind, line: int) -> None:
        """A local name means the chain; "?" is written down too, for it hides what the package calls so."""
        scope = self.scope
        if name == "_" or name == scope.receiver:
            return
        if chain == name or (chain == "?" and name in scope.locals):
            return
        scope.locals.add(name)
        self.bindings.append(Binding(scope.index, name, chain, kind, self.within, line))

    def type_of(self, node: Node) -> str:
        """The chain of an instance of a type, "?" where it says nothing."""
        text = self.cut(node)
        known = self.known.get(text)
        if known is None:
            names: list[str] = []
            chain = self._type(node, names)
            known = chain, tuple(names)
            if "struct" not in text and "interface" not in text:
                self.known[text] = known
        if known[1]:
            line, branch = node.start_point[0] + 1, self.under.branch
            for name in known[1]:
                if name not in self.scope.type_parameters:
                    self.references.append(Reference(self.within, "type", name, line, (), branch))
        return known[0]

    def class_of(self, node: Node) -> str:
        """The chain of a type itself (`pkg.Foo`), for a call that makes an instance of it; "" for one without name."""
        chain = self.type_of(node)
        return chain[:-1] if chain.endswith("!") else ""

    def _type(self, node: Node, names: list[str]) -> str:
        kind = node.type
        if kind == "type_identifier" or kind == "identifier":
            return self._named(self.cut(node), names)
        if kind == "qualified_type" or kind == "selector_expression":
            name = self.cut(node).replace(" ", "")
            names.append(name)
            return name + "!"
        if kind in ("pointer_type", "parenthesized_type", "unary_expression", "parenthesized_expression", "type_elem"):
            inner = node.named_children
            return self._type(inner[0], names) if len(inner) == 1 else self._every(node, names)
        if kind in ("slice_type", "array_type", "implicit_length_array_type", "map_type", "channel_type"):
            return self._container(node, names)
        if kind == "generic_type":
            return self._generic(node, names)
        if kind == "function_type":
            self._every(node, names)
            return "%func"
        if kind == "struct_type":
            return self.anonymous(node)
        if kind == "interface_type" and not node.named_children:
            return "%any"
        self._every(node, names)
        return "?"

    def _named(self, name: str, names: list[str]) -> str:
        plain = PLAIN.get(name)
        if plain is not None:
            return plain
        names.append(name)
        return name + "!"

    def _container(self, node: Node, names: list[str]) -> str:
        key = node.child_by_field_name("key")
        if key is not None:
            self._type(key, names)
        parts = node.named_children
        element = self._type(parts[-1], names) if parts else "?"
        if element == "%int" and node.type == "slice_type":
            return "%bytes" if self.cut(parts[-1]) == "byte" else "%list"
        if element[0] in "%?" and not element.endswith("*"):
            return "%dict" if key is not None else "%list" if element != "%func" else "%func*"
        return element + "*"

    def _generic(self, node: Node, names: list[str]) -> str:
        parts = node.named_children
        chain = self._type(parts[0], names)
        inner = [self._type(part, names) for part in parts[-1].named_children] if len(parts) > 1 else []
        name = self.cut(parts[0])
        if inner and name in _SEQUENCES:
            return inner[-1] + "*" if inner[-1][0] not in "%?" else "%list"
        return inner[0] if inner and name in _POINTERS else chain

    def _every(self, node: Node, names: list[str]) -> str:
        """The names in a type of many parts, which says nothing about its instances."""
        stack = list(node.named_children)
        while stack:
            part = stack.pop()
            kind = part.type
            if kind == "type_identifier":
                self._named(self.cut(part), names)
            elif kind == "qualified_type":
                names.append(self.cut(part))
            elif kind not in ("identifier", "comment", "block"):
                stack.extend(part.named_children)
        return "?"

    def anonymous(self, node: Node) -> str:
        """A struct type without a name; the reader of definitions makes a class of it."""
        raise NotImplementedError

    def parameters_of(self, node: Node | None) -> tuple[Parameter, ...]:
        """The parameters or results of a list, or of the one type that stands in its place."""
        if node is None:
            return ()
        if node.type != "parameter_list":
            return (Parameter("", self.type_of(node)),)
        found: list[Parameter] = []
        for part in node.named_children:
            parts = [child for child in part.named_children if child.type != "comment"]
            if not parts or part.type == "comment":
                continue
            chain = self.type_of(parts[-1])
            star = "*" if part.type == "variadic_parameter_declaration" else ""
            names = [self.cut(name) for name in parts[:-1]]
            found.extend(Parameter(name, "" if chain == "?" else chain, "", star) for name in names or [""])
        return tuple(found)


def first_result(results: tuple[Parameter, ...]) -> tuple[str, ...]:
    """What a call gives, as far as one value can say it: the first result that is no error."""
    for result in results:
        if result.type not in ("", "%error"):
            return (result.type,)
    return ("%error",) if any(result.type == "%error" for result in results) else ()
