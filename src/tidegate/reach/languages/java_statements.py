"""Java's statements: local variables, what is written, and under which condition a line runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.java_expressions import JavaExpressions
from tidegate.reach.languages.jvm import (
    contained,
    join,
)
from tidegate.reach.languages.jvm_record import BRANCH, EXIT, HANDLER, LOOP, line_of
from tidegate.reach.symbols import Reference

if TYPE_CHECKING:
    from tree_sitter import Node


_LEAVING = frozenset(["return_statement", "throw_statement", "continue_statement", "break_statement"])


class JavaStatements(JavaExpressions):
    """Reads statements. `switched` are the values that are switched over here."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.switched: list[str] = []

    # ── assignments and local variables ──────────────────────────────────────────────────────────────────────────

    def assignment(self, node: Node) -> str:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return self.children(node)
        values = self.choices(right)
        self.write(left, values)
        return values[0] if values else ""

    def write(self, left: Node, values: list[str]) -> None:
        line = line_of(left)
        if left.type == "identifier":
            name = self.source_of(left)
            local = name in self.scope.locals
            if local and self.scope.locals[name] != "=":
                return
            if not local:
                self.references.append(Reference(self.scope.index, "write", name, line, (), self.branch))
        elif left.type == "field_access":
            target, field = left.child_by_field_name("object"), left.child_by_field_name("field")
            if target is None or field is None:
                self.children(left)
                return
            receiver, name, local = self.receiver(target), self.source_of(field), False
            self.refer("write", join(receiver, name), line)
            if receiver != "self":
                return
        else:
            self.value(left)
            return
        scope = self.scope if local else self.scope.enclosing_class()
        for value in values:
            self.assigned(name, value, line, scope)

    def update(self, node: Node) -> str:
        for child in node.named_children:
            if child.type in ("identifier", "field_access"):
                self.write(child, [])
            else:
                self.value(child)
        return "%int"

    def local_variable(self, node: Node) -> str:
        typed = node.child_by_field_name("type")
        if typed is None:
            return self.children(node)
        mark = self.type_of(typed)
        for child in node.children_by_field_name("declarator"):
            self.local_declarator(child, mark)
        return ""

    def local_declarator(self, node: Node, mark: str) -> None:
        """A local variable; the class that it is made of is better known than its declared type."""
        named, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if named is None:
            return
        if node.child_by_field_name("dimensions") is not None:
            mark = contained(mark)
        name = self.source_of(named)
        self.scope.locals.setdefault(name, "")
        values = self.choices(value) if value is not None else []
        made = value is not None and value.type == "object_creation_expression" and mark[-1:] != "*"
        if values and (not mark or made) and values[0][0] not in '"%':
            for chain in values:
                self.local(self.source_of(named), chain, "assign", line_of(named))
                if self.is_container(chain):
                    self.scope.locals[self.source_of(named)] = "*"
        else:
            self.local(self.source_of(named), mark, "annotation", line_of(named))

    def resource(self, node: Node) -> str:
        """`try (Foo f = ...)`: what was opened is closed at the end."""
        typed, named = node.child_by_field_name("type"), node.child_by_field_name("name")
        line = line_of(node)
        if typed is not None and named is not None:
            self.local_declarator(node, self.type_of(typed))
            chain = self.source_of(named)
        else:
            chain = self.parenthesized(node)
        self.refer("call", f"{chain}.close" if chain else "", line)
        return ""

    def for_each(self, node: Node) -> str:
        """A loop over elements: what is looped over is asked for its iterator, where it is no array or collection."""
        typed, named = node.child_by_field_name("type"), node.child_by_field_name("name")
        value, body = node.child_by_field_name("value"), node.child_by_field_name("body")
        if typed is None or named is None or value is None:
            return self.children(node)
        chain = self.receiver(value)
        if chain[0] not in "?%" and not self.is_container(chain):
            self.references.append(
                Reference(self.scope.index, "call", f"{chain}.iterator", line_of(node), (), self.branch)
            )
        mark = self.type_of(typed)
        element = f"{chain}[]" if chain[0] not in "?%" else ""
        self.local(self.source_of(named), mark or element, "annotation" if mark else "assign", line_of(named))
        self.nested(body, LOOP)
        return ""

    # ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────

    def block(self, node: Node) -> str:
        """Statements; what follows one that may leave stands after a possible early exit."""
        exits = 0
        handlers = self.handlers
        for child in node.named_children:
            kind = child.kind_id
            handlers[kind](self, child)
            if kind in self.if_kinds and _may_leave(child):
                exits += 1
                self.under(EXIT, 1)
        if exits:
            self.under(EXIT, -exits)
        return ""

    def if_(self, node: Node) -> str:
        """A chain of `else if` is followed without recursion: each is a branch of its own, not one of the last."""
        at: Node | None = node
        first = True
        while at is not None and at.type == "if_statement":
            condition = at.child_by_field_name("condition")
            if condition is not None:
                self.value(condition)
            if first:
                self.under(BRANCH, 1)
                first = False
            then = at.child_by_field_name("consequence")
            if then is not None:
                self.value(then)
            at = at.child_by_field_name("alternative")
        if at is not None:
            self.value(at)
        self.under(BRANCH, -1)
        return ""

    def loop(self, node: Node) -> str:
        body = node.child_by_field_name("body")
        for child in node.named_children:
            if body is not None and child.id == body.id:
                self.nested(child, LOOP)
            else:
                self.value(child)
        return ""

    def handler(self, node: Node) -> str:
        for child in node.named_children:
            self.nested(child, HANDLER)
        return ""

    def case(self, node: Node) -> str:
        for child in node.named_children:
            self.nested(child, BRANCH)
        return ""

    def catch(self, node: Node) -> str:
        named = node.child_by_field_name("name")
        for child in node.named_children:
            if child.type == "catch_type" and named is not None:
                for typed in child.named_children:
                    self.local(self.source_of(named), self.type_of(typed), "annotation", line_of(named))
        return ""

    def switch(self, node: Node) -> str:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        self.switched.append(self.value(condition) if condition is not None else "")
        if body is not None:
            self.children(body)
        self.switched.pop()
        return ""

    def switch_label(self, node: Node) -> str:
        """`case RED` names a constant of the class of what is switched over."""
        for child in node.named_children:
            if child.type == "identifier":
                chain = self.switched[-1] if self.switched else ""
                name = self.source_of(child)
                self.read(join(chain, name) if chain and chain[0] not in '"?%' else name, line_of(child))
            else:
                self.value(child)
        return ""

    def labeled(self, node: Node) -> str:
        for child in node.named_children[1:]:
            self.value(child)
        return ""


def _may_leave(node: Node) -> bool:
    """Whether what follows an `if` may not run: a branch of it ends the method or the round of the loop."""
    for side in ("consequence", "alternative"):
        branch = node.child_by_field_name(side)
        if branch is not None and branch.type == "block" and branch.named_child_count:
            branch = branch.named_children[-1]
        if branch is not None and branch.type in _LEAVING:
            return True
    return False
