"""Kotlin's values: operators, texts, and what the branches of `if`, `when` and `try` come to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidegate.reach.languages.jvm import (
    quote,
)
from tidegate.reach.languages.jvm_record import BRANCH, line_of
from tidegate.reach.languages.kotlin_expressions import KotlinExpressions
from tidegate.reach.languages.tree import unescape

if TYPE_CHECKING:
    from tree_sitter import Node


_NAME = re.compile(r"[A-Za-z_]\w*")


class KotlinValues(KotlinExpressions):
    """Reads what is neither a name nor a call."""

    def number(self, _: Node) -> str:
        return "%int"

    def string(self, node: Node) -> str:
        """A text; what stands in its templates is read, and is a hole in it."""
        made: list[str] = []
        dollar = False
        for child in node.named_children:
            if child.type == "interpolation":
                self.children(child)
                made.append("{}")
                continue
            part = self.source_of(child)
            if dollar and (name := _NAME.match(part)):
                # The grammar gives `$name` as two pieces of plain text where no `${` stands before it.
                self.name(name[0], line_of(child))
                made[-1] = "{}"
                part = part[name.end() :]
            dollar = part == "$"
            made.append(part)
        raw = "".join(made)
        value = raw.strip() if node.type == "multiline_string_literal" else unescape(raw)
        self.text(value, line_of(node))
        return quote(value)

    def binary(self, node: Node) -> str:
        """Operators; a sum of texts is one text with holes. The left side is followed without recursion."""
        right: list[Node] = []
        sums, short = True, False
        while node.type == "binary_expression":
            parts = [child for child in node.children if child.kind_id not in self.comment_kinds]
            if len(parts) != 3:
                break
            sums = sums and parts[1].type == "+"
            short = short or parts[1].type in ("&&", "||", "?:")
            if parts[1].type == "?:" and not right:
                return self.elvis(parts[0], parts[2])
            right.append(parts[2])
            node = parts[0]
        values = [self.value(node) if node.type != "binary_expression" else self.children(node)]
        self.under(BRANCH, int(short))
        values += [self.value(part) for part in reversed(right)]
        self.under(BRANCH, -int(short))
        if not sums or not any(value[:1] == '"' for value in values):
            return ""
        return quote("".join(value[1:-1] if value[:1] == '"' else "{}" for value in values))

    def elvis(self, left: Node, right: Node) -> str:
        value = self.value(left)
        other = self.nested(right, BRANCH)
        return value or other

    def first(self, node: Node) -> str:
        """`x!!`, `(x)`, `x++`, `throw x`: the value of what stands inside."""
        value = ""
        for child in node.named_children:
            value = self.value(child) or value
        operator = node.child_by_field_name("operator")
        return value if operator is None or operator.type == "!!" else ""

    def choices(self, node: Node) -> list[str]:
        """The chains that a value can be: the ends of the branches of `if`, `when`, `try` and `?:`."""
        kind = node.type
        if kind == "if_expression":
            parts = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
            self.value(parts[0])
            return [value for part in parts[1:] for value in self.branch_values(part)]
        if kind == "when_expression":
            return self.when_values(node)
        if kind == "binary_expression" and node.child_count == 3 and node.children[1].type == "?:":
            return [*self.choices(node.children[0]), *self.branch_values(node.children[2])]
        if kind == "parenthesized_expression" and node.named_child_count == 1:
            return self.choices(node.named_children[0])
        if kind == "try_expression":
            found = []
            for child in node.named_children:
                if child.type == "block":
                    found += self.block_values(child)
                else:
                    self.value(child)
            return found
        value = self.value(node)
        return [value] if value else []

    def branch_values(self, node: Node) -> list[str]:
        self.under(BRANCH, 1)
        found = self.block_values(node) if node.type == "block" else self.choices(node)
        self.under(BRANCH, -1)
        return found

    def block_values(self, node: Node) -> list[str]:
        statements = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        for child in statements[:-1]:
            self.value(child)
        return self.choices(statements[-1]) if statements else []

    def if_(self, node: Node) -> str:
        values = self.choices(node)
        return values[0] if values else ""

    def when_values(self, node: Node) -> list[str]:
        subject = ""
        found: list[str] = []
        for child in node.named_children:
            if child.type == "when_subject":
                subject = self.when_subject(child)
            elif child.type == "when_entry":
                found += self.when_entry(child, subject)
        return found

    def when_subject(self, node: Node) -> str:
        parts = node.named_children
        if parts and parts[0].type == "variable_declaration":
            self.declare(parts[0], self.choices(parts[-1]) if len(parts) > 1 else [])
            return self.name_of(parts[0].named_children[0])
        return self.value(parts[-1]) if parts else ""

    def when_entry(self, node: Node, subject: str) -> list[str]:
        parts = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        conditions = {child.id for child in node.children_by_field_name("condition")}
        self.under(BRANCH, 1)
        for child in parts:
            if child.id not in conditions:
                continue
            if child.type == "type_test":
                self.narrow(subject, child.named_children[-1])
            else:
                self.value(child)
        body = parts[-1] if parts and parts[-1].id not in conditions else None
        found = (self.block_values(body) if body.type == "block" else self.choices(body)) if body is not None else []
        self.under(BRANCH, -1)
        return found

    def narrow(self, chain: str, typed: Node) -> None:
        """After `x is Foo` the name x is a Foo."""
        mark = self.type_of(typed)
        if mark and chain.isidentifier() and mark[-1:] == "!":
            self.bind(chain, mark, "narrow", line_of(typed))

    def is_(self, node: Node) -> str:
        left, typed = node.named_children[0], node.named_children[-1]
        negated = any(child.type == "!is" for child in node.children)
        value = self.value(left)
        if negated and typed.type == "user_type":
            self.type_of(typed)
        self.narrow(value, typed)
        return ""

    def as_(self, node: Node) -> str:
        value = self.value(node.named_children[0])
        mark = self.type_of(node.named_children[-1])
        self.made_outside(value, mark, line_of(node))
        if mark[-1:] == "!" and value.isidentifier():
            self.bind(value, mark, "narrow", line_of(node))
        return mark or value

    def index(self, node: Node) -> str:
        target, *rest = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        value = self.receiver(target)
        for child in rest:
            self.value(child)
        if value[0] in "?%" or len(value) > 300:
            return ""
        if not self.is_container(value):
            self.add_call(f"{value}.get", line_of(node))
        return value + "[]"

    def infix(self, node: Node) -> str:
        """`a shouldBe b` calls a function of two operands."""
        parts = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        if len(parts) != 3:
            return self.children(node)
        receiver = self.receiver(parts[0])
        name = self.name_of(parts[1])
        value = self.value(parts[2])
        if name in ("to", "until", "downTo", "step", "and", "or", "xor", "shl", "shr", "ushr"):
            return ""
        return self.call_on(receiver, name, line_of(parts[1]), ("" if value[:1] in ("?", "%") else value,))

    def object_(self, node: Node) -> str:
        """`object : Foo() { }`: an instance of an anonymous class."""
        name = self.anonymous_class(node)
        self.add_call(name, line_of(node))
        return name + "()"

    def anonymous_class(self, node: Node) -> str:
        """Read an object literal; the name of its class."""
        raise NotImplementedError

    def declare(self, node: Node, values: list[str]) -> None:
        """A local name with its type, or with the values that say it."""
        parts = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        if not parts:
            return
        named = [child for child in parts if child.type == "identifier"]
        if not named:
            return
        name = self.name_of(named[0])
        self.aliases.pop(name, None)
        line = line_of(named[0])
        mark = self.type_of(parts[-1]) if parts[-1].type != "identifier" else ""
        if mark:
            self.local(name, mark, "annotation", line)
            return
        found = [value for value in values if value[0] not in '"%?']
        for value in found:
            self.local(name, value, "assign", line)
            if self.is_container(value):
                self.scope.locals[name] = "*"
        if not found:
            plain = values[0] if values else ""
            self.local(name, "%str" if plain[:1] == '"' else plain if plain[:1] == "%" else "", "assign", line)
