"""Walks the syntax tree of one file and makes its symbols. The walk keeps its own stack: no nesting is too deep."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tidegate.reach.languages.ecma.expressions import ROOTS
from tidegate.reach.languages.ecma.repair import parse_repaired
from tidegate.reach.languages.ecma.result import finish
from tidegate.reach.languages.ecma.state import Scope
from tidegate.reach.languages.ecma.testing import Testing
from tidegate.reach.languages.tree import make_parser, node_kinds
from tidegate.reach.symbols import FileSymbols, Gap

if TYPE_CHECKING:
    from tree_sitter import Node

Statement: TypeAlias = "Callable[[Reader, Node, Scope], object]"

_ERROR_LIMIT = 100
_SILENT = (
    "comment",
    "html_comment",
    "empty_statement",
    "hash_bang_line",
    "jsx_text",
    "jsx_closing_element",
    "statement_identifier",
    "property_identifier",
    "string_fragment",
    "number",
    "true",
    "false",
    "null",
    "undefined",
    "regex",
    "super",
    "meta_property",
    "break_statement",
    "continue_statement",
    "debugger_statement",
)
_STATEMENTS = {
    "import_statement": "import_statement",
    "export_statement": "export_statement",
    "lexical_declaration": "variables",
    "variable_declaration": "variables",
    "function_declaration": "_function_declaration",
    "generator_function_declaration": "_function_declaration",
    "function_signature": "_function_declaration",
    "class_declaration": "_class_declaration",
    "abstract_class_declaration": "_class_declaration",
    "interface_declaration": "interface",
    "type_alias_declaration": "alias",
    "enum_declaration": "enum",
    "internal_module": "namespace",
    "module": "namespace",
    "return_statement": "_return",
    "for_in_statement": "_for_in",
    "catch_clause": "_catch",
    "augmented_assignment_expression": "_augmented",
    "update_expression": "_update",
    "jsx_opening_element": "_jsx",
    "jsx_self_closing_element": "_jsx",
    "type_arguments": "_type",
    "type_annotation": "_type",
    **dict.fromkeys(ROOTS, "_expression"),
    "identifier": "_expression",
    "call_expression": "_expression",
    "member_expression": "_expression",
    "subscript_expression": "_expression",
    "await_expression": "_expression",
    "non_null_expression": "_expression",
    "assignment_expression": "values",
    "binary_expression": "values",
    "ternary_expression": "values",
    "sequence_expression": "values",
    "as_expression": "values",
    "satisfies_expression": "values",
    "type_assertion": "values",
    **dict.fromkeys(_SILENT, "_nothing"),
}
_ERROR = 65535


class Reader(Testing):
    """Reads one file."""

    def __init__(self, source: bytes, grammar: tuple[str, str], root: Node) -> None:
        super().__init__(source, _kinds(grammar), root)
        self.table = _table(grammar)

    def _expression(self, node: Node, scope: Scope) -> None:
        self.chain(node, scope)

    def _type(self, node: Node, scope: Scope) -> None:
        self.type_uses(node, scope.index)

    def _nothing(self, node: Node, scope: Scope) -> None:
        """Nothing is said here."""

    def statement(self, node: Node, scope: Scope) -> None:
        """Reads one statement or expression, now; the work that it leaves waits its turn."""
        read = self.table.get(node.kind_id)
        if read is not None:
            read(self, node, scope)
        else:
            self.pending.extend([(child, scope) for child in node.named_children])

    def symbols(self) -> FileSymbols:
        """What the file says, once everything was read."""
        return finish(self)

    def walk(self, root: Node) -> None:
        """Reads everything, in source order as far as definitions are concerned."""
        stack: list[tuple[Node, Scope]] = [(child, Scope(0, top=True)) for child in reversed(root.named_children)]
        table, pending, answers = self.table, self.pending, self.answers
        while stack:
            node, scope = stack.pop()
            if answers and scope.returns and node.id in answers:
                answers.discard(node.id)
                self._answer(node, scope)
            else:
                read = table.get(node.kind_id)
                if read is not None:
                    read(self, node, scope)
                else:
                    children = node.named_children
                    children.reverse()
                    stack.extend([(child, scope) for child in children])
            if pending:
                pending.reverse()
                stack.extend(pending)
                pending.clear()

    # statements

    def _function_declaration(self, node: Node, scope: Scope) -> None:
        named = node.child_by_field_name("name")
        name = self.name(named) if named is not None else "default"
        self.locals[scope.index].add(name)
        index = self.add_function(scope.index, name, node, scope)
        if self.kinds[node.kind_id] == "function_signature":
            self.drafts[index].flags.append("overload")

    def _class_declaration(self, node: Node, scope: Scope) -> None:
        named = node.child_by_field_name("name")
        self.class_named(node, self.name(named) if named is not None else "default", scope.index, scope, node)

    def _return(self, node: Node, scope: Scope) -> None:
        parts = self.parts(node)
        if not parts:
            return
        if scope.returns:
            self._answer(parts[0], scope)
        else:
            self.pending.append((parts[0], scope))

    def _answer(self, node: Node, scope: Scope) -> None:
        """What a function returns: an object with functions is a definition of its own, named `returned`."""
        while self.kinds[node.kind_id] == "parenthesized_expression" and self.parts(node):
            node = self.parts(node)[0]
        draft = self.drafts[scope.index]
        if self.kinds[node.kind_id] == "object" and scope.index and self._gives_functions(node):
            self.add_object(scope.index, "returned", node, scope, node)
            found: tuple[str, ...] = ("returned",)
        else:
            found = self.values(node, scope)
        for chain in found:
            if chain not in draft.returns and len(draft.returns) < 8:
                draft.returns.append(chain)
        if len(found) == 1 and self.kinds[node.kind_id] == "identifier":
            self.raw.append((scope.index, "pass", found[0], node.start_point[0] + 1, ()))

    def _gives_functions(self, node: Node) -> bool:
        return self._has_functions(node) or any(
            self.kinds[part.kind_id] == "shorthand_property_identifier" for part in node.named_children
        )

    def _for_in(self, node: Node, scope: Scope) -> None:
        left, right, body = (
            node.child_by_field_name("left"),
            node.child_by_field_name("right"),
            node.child_by_field_name("body"),
        )
        operator = node.child_by_field_name("operator")
        if left is None or right is None:
            self.pending.extend([(child, scope) for child in node.named_children])
            return
        values = self.values(right, scope)
        of = operator is not None and operator.type == "of"
        elements = tuple(value + "[]" for value in values) if of else ()
        if self.kinds[left.kind_id] in ("member_expression", "subscript_expression"):
            self.pending.append((left, scope))
        else:
            self.bind_pattern(left, elements, scope, "assign")
            pair = self.parts(left)
            if self.kinds[left.kind_id] == "array_pattern" and len(pair) == 2:
                self.bind_pattern(pair[1], elements, scope, "assign")
        if body is not None:
            self.pending.append((body, scope))

    def _catch(self, node: Node, scope: Scope) -> None:
        parameter, body = node.child_by_field_name("parameter"), node.child_by_field_name("body")
        if parameter is not None:
            self.bind_pattern(parameter, (), scope, "assign")
        if body is not None:
            self.pending.append((body, scope))

    def _augmented(self, node: Node, scope: Scope) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        if self.kinds[node.kind_id] == "augmented_assignment_expression" and any(
            child.type in ("||=", "??=", "&&=") for child in node.children
        ):
            self.assign_parts(left, right, node, scope)
            return
        self._use_as_target(left, scope)
        self.pending.append((right, scope))

    def assign_parts(self, left: Node, right: Node, node: Node, scope: Scope) -> None:
        """`a ||= b` is an assignment that also reads."""
        kind = self.kinds[left.kind_id]
        if kind == "identifier":
            self._to_name(left, right, node, scope)
        elif kind == "member_expression":
            self._to_member(left, right, node, scope)
        else:
            self._use_as_target(left, scope)
            self.pending.append((right, scope))

    def _update(self, node: Node, scope: Scope) -> None:
        for part in self.parts(node):
            self._use_as_target(part, scope)

    def _use_as_target(self, left: Node, scope: Scope) -> None:
        if self.kinds[left.kind_id] == "identifier":
            if self._scope_of(self.name(left), scope) == 0:
                self.refer(scope.index, "write", self.name(left), left)
        else:
            self.chain(left, scope, "write")

    def narrow(self, node: Node, scope: Scope) -> None:
        """`x instanceof A`: x is an A."""
        parts = self.parts(node)
        if len(parts) != 2:
            return
        what = self.chain(parts[1], scope)
        if self.kinds[parts[0].kind_id] == "identifier" and what[:1] not in "?%":
            name = self.name(parts[0])
            target = self._scope_of(name, scope)
            self.bind(target, name, (what + "!",), "narrow", scope.index, node.start_point[0] + 1)
        self.pending.append((parts[0], scope))

    def _jsx(self, node: Node, scope: Scope) -> None:
        """`<Foo a={b}/>` calls Foo; what it is given is handed over."""
        named = node.child_by_field_name("name")
        given: list[str] = []
        for part in self.parts(node):
            kind = self.kinds[part.kind_id]
            if kind == "jsx_attribute":
                inner = self.parts(part)
                value = inner[1] if len(inner) > 1 else None
                key = self.text(inner[0]) if inner else ""
                if value is not None and self.kinds[value.kind_id] == "jsx_expression":
                    inside = self.parts(value)
                    text = self.argument(inside[0], scope, "") if inside else ""
                elif value is not None:
                    text = self.argument(value, scope, "")
                else:
                    text = ""
                if text:
                    given.append(f"{key}={text}")
            elif kind == "jsx_expression":
                self.pending.append((part, scope))
            elif kind == "type_arguments":
                self.type_uses(part, scope.index)
        if named is None:
            return
        text = self.text(named)
        if self.kinds[named.kind_id] == "member_expression" or (
            self.kinds[named.kind_id] == "identifier" and not text[:1].islower()
        ):
            self.refer(scope.index, "call", text.replace(" ", ""), node, tuple(given[:16]))


def read_tree(source: bytes, grammar: tuple[str, str]) -> Reader:
    """One file, read by a grammar: a module of a wheel and the function in it that gives the grammar."""
    parser = make_parser(*grammar)
    root = parser.parse(source).root_node
    if root.has_error and grammar[0] == "tree_sitter_typescript":
        root = parse_repaired(parser, source, root)
    reader = Reader(source, grammar, root)
    reader.walk(root)
    if root.has_error:
        _read_errors(reader, root)
    return reader


@cache
def _kinds(grammar: tuple[str, str]) -> dict[int, str]:
    return {**dict(enumerate(node_kinds(*grammar))), _ERROR: "ERROR"}


@cache
def _table(grammar: tuple[str, str]) -> dict[int, Statement]:
    """What reads each kind of node, by its number."""
    return {
        number: getattr(Reader, _STATEMENTS[kind]) for number, kind in _kinds(grammar).items() if kind in _STATEMENTS
    }


def _read_errors(reader: Reader, root: Node) -> None:
    """The places that no grammar understands."""
    stack, found = [root], 0
    while stack and found < _ERROR_LIMIT:
        node = stack.pop()
        if node.is_error or node.is_missing:
            reader.gaps.append(Gap(_around(reader, node), "syntax", node.start_point[0] + 1))
            found += 1
            continue
        stack.extend([child for child in reversed(node.children) if child.has_error])


def _around(reader: Reader, node: Node) -> int:
    """The innermost definition around a place."""
    best, size = 0, 1 << 62
    for index, draft in enumerate(reader.drafts[1:], 1):
        start, end = draft.node.start_byte, draft.node.end_byte
        if start <= node.start_byte and node.end_byte <= end and end - start < size:
            best, size = index, end - start
    return best
