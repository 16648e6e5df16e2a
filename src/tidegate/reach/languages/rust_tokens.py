"""What stands between the brackets of a macro: chains and calls, as far as the tokens look like expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tidegate.reach.languages.tree import TEXT_LIMIT, names_something
from tidegate.reach.symbols import BindingKind, Gap, ReferenceKind, Text

if TYPE_CHECKING:
    from tree_sitter import Node

    from tidegate.reach.languages.rust_types import Scope

_ROOTS = frozenset(["identifier", "self", "super", "crate", "primitive_type", "metavariable"])
_STRANGE = frozenset(["=>", "$", "metavariable", "token_repetition"])


class Reader(Protocol):
    """What the reading of tokens needs of the reader of the file."""

    scope: Scope
    quiet_macros: frozenset[str]
    texts: list[Text]
    gaps: list[Gap]

    def cut(self, node: Node) -> str: ...
    def spell(self, names: list[str]) -> str: ...
    def refer(self, kind: ReferenceKind, chain: str, node: Node, arguments: tuple[str, ...] = ()) -> None: ...
    def bind(self, name: str, chain: str, kind: BindingKind, node: Node) -> None: ...
    def is_local(self, chain: str) -> bool: ...
    def literal(self, node: Node) -> str: ...


def read_tokens(reader: Reader, tree: Node, unknown: bool) -> tuple[str, ...]:
    """The arguments between the brackets; everything that they use is written down.

    What is none of simple expressions in an unknown macro is a gap of kind "macro".
    """
    if unknown and any(part.type in _STRANGE for part in tree.children):
        reader.gaps.append(Gap(reader.scope.index, "macro", tree.start_point[0] + 1))
    given: list[str] = []
    todo = [(tree, given)]
    while todo:
        node, found = todo.pop()
        _Tokens(reader, node, todo).read(found)
    return tuple(given)


class _Tokens:
    """The tokens of one pair of brackets. Pairs inside that are no arguments are put on `todo`, for later."""

    def __init__(self, reader: Reader, tree: Node, todo: list[tuple[Node, list[str]]], depth: int = 0) -> None:
        self.reader = reader
        self.depth = depth
        self.tokens = tree.children[1:-1]
        self.todo = todo
        self.at = 0

    def read(self, given: list[str]) -> None:
        tokens = self.tokens
        parts: list[str] = []
        while self.at < len(tokens):
            token = tokens[self.at]
            kind = token.type
            if kind == ",":
                given.append(_one(parts))
                parts = []
                self.at += 1
            elif kind == "let":
                self._let()
            elif kind in _ROOTS:
                parts.append(self._typed() or self._chain())
            else:
                if kind not in ("&", "mut", "mutable_specifier"):
                    parts.append(self._other(token))
                self.at += 1
        if parts:
            given.append(_one(parts))

    def _let(self) -> None:
        """`let x = f();` between the brackets of a macro."""
        self.at += 1
        while self._peek() in ("mut", "mutable_specifier"):
            self.at += 1
        if self._peek() != "identifier" or self._peek(1) != "=":
            return
        name = self.tokens[self.at]
        self.at += 2
        while self._peek() in ("&", "mut", "mutable_specifier"):
            self.at += 1
        chain = self._chain() if self._peek() in _ROOTS else "?"
        self.reader.bind(self.reader.cut(name), chain, "assign", name)

    def _typed(self) -> str:
        """`|name: Type|`, the parameter of a closure: "" where it is none."""
        before = self.tokens[self.at - 1].type if self.at else ""
        if before not in ("|", "mut", "mutable_specifier") or self._peek(1) != ":" or self._peek(2) not in _ROOTS:
            return ""
        name = self.tokens[self.at]
        self.at += 2
        chain = self.reader.spell(self._path().split("::"))
        self.reader.bind(self.reader.cut(name), f"{chain}!", "annotation", name)
        return "?"

    def _other(self, token: Node) -> str:
        kind = token.type
        if kind in ("string_literal", "raw_string_literal"):
            value = self.reader.literal(token)
            if names_something(value):
                self.reader.texts.append(Text(self.reader.scope.index, value, token.start_point[0] + 1))
            return f'"{value[:TEXT_LIMIT]}"'
        if kind == "token_tree":
            self.todo.append((token, []))
        return "%int" if kind == "integer_literal" else "?"

    def _peek(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place].type if place < len(self.tokens) else ""

    def _chain(self) -> str:
        """A path with what follows it: members, calls, brackets. Stands behind it afterwards."""
        first = self.tokens[self.at]
        chain = self._path()
        used = "::" in chain or not chain[:1].islower()
        chain = self.reader.spell(chain.split("::"))
        steps = 0
        while True:
            kind = self._peek()
            if kind == "." and self._peek(1) in ("identifier", "integer_literal", "await"):
                if self._peek(1) != "await":
                    chain = f"{chain}.{self.reader.cut(self.tokens[self.at + 1])}"
                self.at += 2
            elif kind == "!" and self._peek(1) == "token_tree" and chain in self.reader.quiet_macros:
                self.todo.append((self.tokens[self.at + 1], []))
                self.at += 2
                return "?"
            elif kind == "!" and self._peek(1) == "token_tree":
                self.at += 1
                chain = self._open(chain, first, "(")
            elif kind == "?":
                self.at += 1
            elif kind == "token_tree" and self._bracket() in "([{":
                if self._bracket() == "{" and not chain.rpartition(".")[2][:1].isupper():
                    break
                chain = self._open(chain, first, self._bracket())
            else:
                break
            steps += 1
        if not steps and used and not self.reader.is_local(chain) and chain[0] not in "$?" and chain != "self":
            self.reader.refer("pass", chain, first)
        return chain if chain[0] != "$" else "?"

    def _path(self) -> str:
        names = [self.reader.cut(self.tokens[self.at])]
        self.at += 1
        while self._peek() == "::":
            if self._peek(1) in ("identifier", "super", "crate", "self"):
                names.append(self.reader.cut(self.tokens[self.at + 1]))
                self.at += 2
            elif self._peek(1) == "<":
                depth, self.at = 0, self.at + 1
                while self.at < len(self.tokens):
                    depth += {"<": 1, ">": -1, ">>": -2}.get(self._peek(), 0)
                    self.at += 1
                    if depth <= 0:
                        break
            else:
                break
        return "::".join(names)

    def _bracket(self) -> str:
        node = self.tokens[self.at]
        return node.children[0].type if node.children else "("

    def _open(self, chain: str, first: Node, bracket: str) -> str:
        tree = self.tokens[self.at]
        self.at += 1
        if bracket == "[":
            self.todo.append((tree, []))
            return chain + "[]"
        given: list[str] = []
        if tree.child_count > 2:
            if self.depth < _DEPTH:
                _Tokens(self.reader, tree, self.todo, self.depth + 1).read(given)
            else:
                self.todo.append((tree, []))
        root = chain.partition(".")[0]
        if chain not in ("Some", "Ok", "Err", "Box.new", "Arc.new", "Rc.new") and root[:1] != "$":
            last = chain.rpartition(".")[2]
            if last not in _SILENT:
                self.reader.refer("call", chain, first, tuple(given) if bracket == "(" else ())
            else:
                return chain.rpartition(".")[0]
            return chain + "()"
        return given[0] if given and root != "Err" and given[0] and given[0][0] != '"' else "?"


_DEPTH = 50
_SILENT = frozenset(["unwrap", "expect", "unwrap_or_default", "clone", "as_ref", "as_mut", "await"])


def _one(parts: list[str]) -> str:
    """The chain of an argument that is one chain or one text, else nothing."""
    return parts[0] if len(parts) == 1 and parts[0] != "?" else ""
