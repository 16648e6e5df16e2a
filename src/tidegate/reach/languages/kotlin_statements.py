"""Kotlin's statements: local variables, what is written, and under which condition a line runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.jvm import (
    join,
)
from tidegate.reach.languages.jvm_record import BRANCH, EXIT, HANDLER, LOOP, line_of
from tidegate.reach.languages.kotlin_values import KotlinValues

if TYPE_CHECKING:
    from tree_sitter import Node


_DECLARED = frozenset(["variable_declaration", "multi_variable_declaration"])


class KotlinStatements(KotlinValues):
    """Reads statements; a property of a class or of a file is left to `KotlinDeclarations`."""

    def assignment(self, node: Node) -> str:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return self.children(node)
        values = self.choices(right)
        line = line_of(left)
        if left.type == "identifier":
            self.write_name(self.name_of(left), values, line)
        elif left.type == "navigation_expression" and left.children[-1].type == "identifier":
            receiver = self.receiver(left.children[0])
            name = self.name_of(left.children[-1])
            self.refer("write", join(receiver, name), line)
            if receiver == "self":
                self.bind_values(name, values, line)
        else:
            value = self.value(left)
            if left.type == "index_expression" and value:
                self.add_call(value.removesuffix("[]") + ".set", line)
        return ""

    def write_name(self, name: str, values: list[str], line: int) -> None:
        mark = self.scope.locals.get(name)
        if mark is not None:
            for value in values if mark == "=" else ():
                self.assigned(name, value, line, self.scope)
            return
        if name == "field" or name in self.aliases:
            return
        if self.receivers and self.receivers[-1][0] not in "?%":
            self.refer("write", join(self.receivers[-1], name), line)
        self.refer("write", name, line)
        self.bind_values(name, values, line)

    def bind_values(self, name: str, values: list[str], line: int) -> None:
        scope = self.scope.enclosing_class()
        for value in values:
            self.assigned(name, value, line, scope)

    def property(self, node: Node) -> str:
        """A local `val` or `var`; a property of a class or a file is a definition."""
        if self.scope.kind in ("module", "class"):
            return self.declare_property(node)
        declared = [child for child in node.named_children if child.type in _DECLARED]
        if declared and declared[0].named_child_count:
            self.declaring = self.name_of(declared[0].named_children[0])
        values: list[str] = []
        equals = False
        for child in node.children:
            equals = equals or child.type == "="
            if child.type == "property_delegate":
                values = self.delegate(child)
            elif equals and child.is_named and child.kind_id not in self.comment_kinds:
                values = self.choices(child)
                equals = False
        for child in declared:
            if child.type == "multi_variable_declaration":
                for number, part in enumerate(child.named_children, 1):
                    found = [f"{value}.component{number}()" for value in values if value[0] not in '"%?']
                    for chain in found:
                        self.add_call(chain[:-2], line_of(part))
                    self.declare(part, found)
            else:
                self.declare(child, values)
        return ""

    def declare_property(self, node: Node) -> str:
        """Read a property of a class or of a file."""
        raise NotImplementedError

    def delegate(self, node: Node) -> list[str]:
        """`by lazy { Foo() }` answers with what the lambda makes."""
        self.made = ""
        self.children(node)
        return [self.made] if self.made else []

    def for_(self, node: Node) -> str:
        declared, value, *body = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        chain = self.receiver(value)
        known = self.is_container(chain)
        if chain[0] not in "?%" and not known:
            self.add_call(f"{chain}.iterator", line_of(node))
        element = [f"{chain}[]"] if chain[0] not in "?%" else []
        if declared.type == "multi_variable_declaration":
            parts = declared.named_children
            for part in parts:
                self.declare(part, element if part.id == parts[-1].id and known else [])
        else:
            self.declare(declared, element)
        for child in body:
            self.nested(child, LOOP)
        return ""

    def loop(self, node: Node) -> str:
        for child in node.named_children:
            self.nested(child, LOOP)
        return ""

    def block(self, node: Node) -> str:
        """Statements; what follows one that may leave stands after a possible early exit."""
        exits = 0
        for child in node.named_children:
            self.handlers[child.kind_id](self, child)
            if _may_leave(child):
                exits += 1
                self.under(EXIT, 1)
        if exits:
            self.under(EXIT, -exits)
        return ""

    def catch(self, node: Node) -> str:
        named = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        for child in named:
            if child.type == "identifier" and len(named) > 1:
                self.local(self.name_of(child), self.type_of(named[1]), "annotation", line_of(child))
            elif child.type == "block":
                self.nested(child, HANDLER)
        return ""

    def jump(self, node: Node) -> str:
        """`return x` and its like; a label is no name."""
        labelled = node.children[0].type.endswith("@")
        for child in node.named_children[labelled:]:
            self.value(child)
        return ""

    def constraint(self, node: Node) -> str:
        """`where T : Foo`."""
        for child in node.named_children[1:]:
            self.value(child)
        return ""

    def anonymous_function(self, node: Node) -> str:
        for child in node.named_children:
            if child.type == "function_value_parameters":
                for part in child.named_children:
                    if part.type == "parameter":
                        self.declare(part, [])
            elif child.type == "function_body":
                self.nested(child, BRANCH)
        return ""

    def collection(self, node: Node) -> str:
        self.children(node)
        return "%list"


def _may_leave(node: Node) -> bool:
    """Whether what follows a statement may not run: an `if` whose branch leaves, or `?: return`."""
    kind = node.type
    if kind == "if_expression":
        for child in node.named_children[1:]:
            last = child.named_children[-1] if child.type == "block" and child.named_child_count else child
            if last.type in ("return_expression", "throw_expression"):
                return True
        return False
    if kind == "property_declaration" and node.named_child_count:
        node = node.named_children[-1]
    return node.type == "binary_expression" and node.children[-1].type in ("return_expression", "throw_expression")
