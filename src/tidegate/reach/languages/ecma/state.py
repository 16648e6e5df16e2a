"""What is known while one file is read: drafts of definitions, raw references, names, and the work that is left."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from tidegate.reach.languages.tree import names_something
from tidegate.reach.symbols import Binding, BindingKind, DefinitionKind, Gap, Parameter, Text

if TYPE_CHECKING:
    from tree_sitter import Node

Raw: TypeAlias = tuple[int, str, str, int, tuple[str, ...]]
"""A reference before it is known which names are bound: within, kind, chain, line, arguments."""

EXPORTS = "%exports"
"""The chain of `exports` and `module.exports` while they are read."""
CHAIN_LIMIT = 240
DEPTH_LIMIT = 40
_NAME_LIMIT = 1000
FUNCTIONS = frozenset(["arrow_function", "function_expression", "generator_function"])
COMMENTS = frozenset(["comment", "html_comment"])
RESERVED = {"self": "self$", "cls": "cls$", "exports": EXPORTS}
_RENAMED = {"self": "self$", "cls": "cls$"}
_MARKS = str.maketrans(".()[]!*|<%?", "___________")
_PROTOTYPES = re.compile(r"\b([A-Za-z_$][\w$]*)\.prototype\b|\binherits\(\s*([A-Za-z_$][\w$]*)\s*,")


class Draft:
    """A definition that is still being read. `node` is its syntax, `value` what it is bound to.

    `lexical` is the definition whose names its code sees, where that is not `parent`: a method that is made inside of
    a function, as a member of an object outside.
    """

    __slots__ = (
        "bases",
        "decorators",
        "end_line",
        "flags",
        "hidden",
        "kind",
        "lexical",
        "line",
        "name",
        "node",
        "parameters",
        "parent",
        "returns",
        "value",
    )

    def __init__(self, name: str, kind: DefinitionKind, parent: int, node: Node, value: Node) -> None:
        self.name = name
        self.kind: DefinitionKind = kind
        self.parent = parent
        self.lexical = parent
        self.node = node
        self.value = value
        self.line = node.start_point[0] + 1
        self.end_line = node.end_point[0] + 1
        self.hidden = False
        self.bases: list[str] = []
        self.decorators: list[str] = []
        self.parameters: tuple[Parameter, ...] = ()
        self.returns: list[str] = []
        self.flags: list[str] = []


class Scope:
    """Where code stands: its definition, what `this` means there and whose `this` it is, and the suite of tests."""

    __slots__ = ("index", "owner", "returns", "suite", "this", "top")

    def __init__(
        self, index: int, this: str = "?", owner: int = -1, suite: int = 0, top: bool = False, returns: bool = False
    ) -> None:
        self.index = index
        self.this = this
        self.owner = owner
        self.suite = suite
        self.top = top
        self.returns = returns

    def inside(self) -> Scope:
        """The scope of an anonymous function here: the same definition, whose answers it does not give."""
        return Scope(self.index, self.this, self.owner, self.suite)


class State:
    """The facts of one file as they are found. `kinds` are the grammar's kinds of nodes by number."""

    def __init__(self, source: bytes, kinds: dict[int, str], root: Node) -> None:
        self.source = source.decode("latin-1")
        self.ascii = source.isascii()
        self.kinds = kinds
        self.comments = frozenset(number for number, kind in kinds.items() if kind in COMMENTS)
        self.drafts: list[Draft] = [Draft("", "module", -1, root, root)]
        self.named: dict[tuple[int, str], int] = {}
        self.locals: dict[int, set[str]] = {0: set()}
        self.bindings: list[Binding] = []
        self.raw: list[Raw] = []
        self.texts: list[Text] = []
        self.gaps: list[Gap] = []
        self.exported: set[str] = set()
        self.pending: list[tuple[Node, Scope]] = []
        self.depth = 0
        self.required = False
        self.modern = False
        self.suites: list[tuple[int, str]] = [(-1, "")]
        self.tests: list[tuple[int, int]] = []
        self.hooks: list[tuple[int, str]] = []
        self.answers: set[int] = set()
        self.classlike: set[str] = set()
        if ".prototype" in self.source or "inherits(" in self.source:
            self.classlike = {one or two for one, two in _PROTOTYPES.findall(self.source)}

    # the source

    def text(self, node: Node) -> str:
        """The source of a node. Offsets count bytes, which is what one letter of Latin-1 is."""
        part = self.source[node.start_byte : node.end_byte]
        return part if self.ascii else part.encode("latin-1").decode("utf-8", "replace")

    def name(self, node: Node) -> str:
        """A name as chains write it: `self` and `cls` mean something else there."""
        text = self.text(node)
        return _RENAMED.get(text, text) or "?"

    def member_name(self, node: Node) -> str:
        """The name of a property, method or key; "" for a computed one."""
        kind = self.kinds[node.kind_id]
        if kind in ("property_identifier", "private_property_identifier", "identifier", "type_identifier"):
            return self.text(node)
        if kind == "string":
            return self.text(node)[1:-1].translate(_MARKS)
        if kind == "number":
            return self.text(node).translate(_MARKS)
        if kind == "computed_property_name":
            inner = node.named_children
            if inner and self.kinds[inner[0].kind_id] == "string":
                return self.text(inner[0])[1:-1].translate(_MARKS)
            if inner and self.kinds[inner[0].kind_id] == "member_expression":
                text = self.text(inner[0])
                return "@@" + text[7:] if text.startswith("Symbol.") else ""
        return ""

    def parts(self, node: Node) -> list[Node]:
        """The named children without comments."""
        comments = self.comments
        return [child for child in node.named_children if child.kind_id not in comments]

    # what is found

    def define(self, name: str, kind: DefinitionKind, parent: int, node: Node, value: Node | None = None) -> int:
        """Begins a definition; its index. A name of a module's top level is qualified by nothing."""
        name = name or "unnamed"
        outer = self.drafts[parent].name[:_NAME_LIMIT]
        index = len(self.drafts)
        draft = Draft(f"{outer}.{name}" if outer else name, kind, parent, node, value if value is not None else node)
        draft.hidden = name.startswith(("_", "#"))
        self.drafts.append(draft)
        self.named[parent, name] = index
        self.locals[index] = set()
        return index

    def bind(self, scope: int, name: str, values: tuple[str, ...], kind: BindingKind, within: int, line: int) -> None:
        """`name` means each of the values; what says nothing only hides outer names."""
        for value in values:
            if value and value != "?" and not (value == name and scope == within):
                self.bindings.append(Binding(scope, name, value, kind, within, line))

    def refer(self, within: int, kind: str, chain: str, node: Node, arguments: tuple[str, ...] = ()) -> None:
        self.raw.append((within, kind, chain, node.start_point[0] + 1, arguments))

    def gap(self, within: int, reason: str, node: Node) -> None:
        self.gaps.append(Gap(within, reason, node.start_point[0] + 1))

    def literal(self, node: Node, within: int) -> str:
        """The value of a text literal, which is written down where it may name something outside the code."""
        value = self.text(node)[1:-1]
        if "\\" not in value and names_something(value):
            self.texts.append(Text(within, value, node.start_point[0] + 1))
        return value

    def find(self, scope: int, path: str) -> int:
        """The definition in this file that a dotted name means here, seen from the inside out; -1 for none."""
        first, *rest = path.split(".")
        at = scope
        while at >= 0 and (at, first) not in self.named:
            if first in self.locals[at]:
                return -1
            at = self.drafts[at].lexical
        if at < 0:
            return -1
        found = self.named[at, first]
        for name in rest:
            found = self.named.get((found, name), -1)
            if found < 0:
                return -1
        return found

    def is_local(self, scope: int, name: str) -> bool:
        """Whether the file binds the name here or further out."""
        at = scope
        while at >= 0:
            if name in self.locals[at] or (at, name) in self.named:
                return True
            at = self.drafts[at].lexical
        return False
