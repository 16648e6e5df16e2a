"""Java's expressions: what a body calls, reads and hands over.

Every handler takes a node and answers with the chain of its value, a text literal between double quotes, or "" where
the value says nothing. Handlers are found by the kind of the node; a kind without one is read through its children.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.java_types import JavaTypes
from tidegate.reach.languages.jvm import (
    ELEMENT_CALLS,
    FLATTENING_CALLS,
    MAPPING_CALLS,
    PLAIN,
    SAME_CALLS,
    contained,
    join,
    quote,
    split_qualified,
)
from tidegate.reach.languages.jvm_record import BRANCH, line_of
from tidegate.reach.languages.tree import unescape
from tidegate.reach.symbols import Reference

if TYPE_CHECKING:
    from tree_sitter import Node


class JavaExpressions(JavaTypes):
    """Reads expressions. `delegates` says whether the constructor that is read calls another one."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.delegates = False
        self.containers = {"Iterable"}

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def identifier(self, node: Node) -> str:
        name = self.source_of(node)
        if name in self.scope.locals:
            return name
        if name in self.roots:
            return "<" + name
        self.implied(name)
        self.read(name, line_of(node))
        return name

    def this(self, _: Node) -> str:
        return "self"

    def super_(self, _: Node) -> str:
        return "super"

    def field_access(self, node: Node) -> str:
        parts = node.children
        if len(parts) == 3:
            target: Node | None = parts[0]
            field: Node | None = parts[2]
        else:
            target, field = node.child_by_field_name("object"), node.child_by_field_name("field")
        if target is None or field is None:
            return self.children(node)
        receiver = self.receiver(target)
        name = self.source_of(field)
        if name == "this":
            return receiver + "!"
        if receiver[0] == "<" and ">" not in receiver:
            if not name[:1].isupper():
                return f"{receiver}.{name}"
            chain = split_qualified(f"{receiver[1:]}.{name}")
        elif name == "length" and self.is_container(receiver):
            return "%int"
        else:
            chain = join(receiver, name)
        if chain[0] not in "?%":
            self.read(chain, line_of(node))
        return chain

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    def method_invocation(self, node: Node) -> str:
        parts = node.children
        if len(parts) == 2:
            target, named, given = None, parts[0], parts[1]
        elif len(parts) == 4 and parts[3].type == "argument_list":
            target, named, given = parts[0], parts[2], parts[3]
        else:
            found = [node.child_by_field_name(field) for field in ("object", "name", "arguments")]
            if found[1] is None or found[2] is None:
                return self.children(node)
            target, named, given = found[0], found[1], found[2]
        name = self.source_of(named)
        line = named.start_point[0] + 1
        if target is None:
            chain = self.own_call(name)
            arguments = self.arguments(given)
            arguments = self.kept_of(name, arguments) if chain == name else arguments
            if chain == name:
                self.all_of(self.scope.enclosing_class().simple, name, line)
            self.references.append(Reference(self.scope.index, "call", chain, line, arguments, self.branch))
            return chain + "()"
        receiver = self.receiver(target)
        if receiver[0] == "<" and ">" not in receiver:
            receiver = receiver[1:]
        if len(parts) > 4:
            types = node.child_by_field_name("type_arguments")
            if types is not None:
                self.children(types)
        if self.is_container(receiver):
            return self.call_container(receiver, name, given, line)
        arguments = self.arguments(given)
        self.all_of(receiver, name, line)
        self.reflect(receiver, name, arguments, line)
        arguments = self.kept_of(name, arguments)
        chain = join(receiver, name)
        if chain[0] != "?":
            if chain[0] != "%":
                self.references.append(Reference(self.scope.index, "call", chain, line, arguments, self.branch))
            return chain + "()"
        self.references.append(Reference(self.scope.index, "call", f"?.{name}", line, arguments, self.branch))
        return ""

    def call_container(self, receiver: str, name: str, given: Node, line: int) -> str:
        """A call on something that holds elements: functions among the arguments are given an element."""
        outer, self.element = self.element, receiver + "[]"
        arguments = self.kept_of(name, self.arguments(given))
        self.element = outer
        self.references.append(Reference(self.scope.index, "call", join(receiver, name), line, arguments, self.branch))
        if name in ELEMENT_CALLS:
            return receiver + "[]"
        if name in SAME_CALLS:
            return receiver
        if name in MAPPING_CALLS:
            return self.made if name in FLATTENING_CALLS else contained(self.made) if self.made else ""
        return ""

    def arguments(self, node: Node) -> tuple[str, ...]:
        """The arguments of a call as a Reference lists them. `made` is then what a function among them answers."""
        if node.child_count == 2:
            return ()
        found: list[str] = []
        made = ""
        handlers = self.handlers
        element = self.element
        for child in node.named_children:
            kind = child.kind_id
            if kind in self.comment_kinds:
                continue
            self.element = element if kind in self.function_kinds else ""
            self.made = ""
            value = handlers[kind](self, child)
            made = made or self.made
            found.append("" if value == "?" or value.startswith("%") else value)
        self.made, self.element = made, element
        return tuple(found)

    def new(self, node: Node) -> str:
        typed = node.child_by_field_name("type")
        given = node.child_by_field_name("arguments")
        if typed is None or given is None:
            return self.children(node)
        first = node.named_children[0]
        if first.id != typed.id and first.end_byte <= typed.start_byte:
            self.value(first)
        line = typed.start_point[0] + 1
        mark = self.type_of(typed, made=True)
        chain = self.type_name(typed)
        known = chain in PLAIN
        arguments = self.arguments(given)
        body = node.named_children[-1]
        if body.type == "class_body":
            name = self.anonymous_class(body, chain)
            self.references.append(Reference(self.scope.index, "call", name, line, arguments, self.branch))
            return name + "()"
        if known or not chain:
            return mark
        self.references.append(Reference(self.scope.index, "call", chain, line, arguments, self.branch))
        return mark if mark[-1:] == "*" else chain + "()"

    def delegation(self, node: Node) -> str:
        """`this(...)` and `super(...)` in a constructor."""
        called, given = node.child_by_field_name("constructor"), node.child_by_field_name("arguments")
        if called is None or given is None:
            return self.children(node)
        self.delegates = True
        arguments = self.arguments(given)
        root = "super" if called.type == "super" else "self"
        self.references.append(
            Reference(self.scope.index, "call", f"{root}.<init>", line_of(node), arguments, self.branch)
        )
        return ""

    def anonymous_class(self, body: Node, base: str) -> str:
        """Read the body of an anonymous class; its name."""
        raise NotImplementedError

    def method_reference(self, node: Node) -> str:
        parts = node.named_children
        first, last = parts[0], node.children[-1]
        line = line_of(node)
        receiver = self.type_name(first) if "type" in first.type else self.receiver(first)
        if last.type == "new":
            chain = receiver
            self.made = receiver + "()"
        else:
            name = self.source_of(last)
            chain = join(receiver, name)
            element = self.element
            self.made = join(element, name) + "()" if element and receiver[:1].isupper() else chain + "()"
        if first.type == "array_type":
            return ""
        self.refer("pass", chain, line)
        return chain if chain[0] not in "?%" else ""

    def lambda_(self, node: Node) -> str:
        given = node.child_by_field_name("parameters")
        body = node.child_by_field_name("body")
        element, self.element = self.element, ""
        if given is not None:
            self.lambda_parameters(given, element)
        value = self.nested(body, BRANCH)
        self.made = value if value[:1] not in ('"', "%", "?") else ""
        return ""

    def lambda_parameters(self, given: Node, element: str) -> None:
        if given.type == "identifier":
            self.local(self.source_of(given), element, "assign", line_of(given))
            return
        names = [child for child in given.named_children if child.kind_id not in self.comment_kinds]
        for child in names:
            if child.type == "identifier":
                self.local(self.source_of(child), element, "assign", line_of(child))
                continue
            typed, named = child.child_by_field_name("type"), child.child_by_field_name("name")
            if typed is not None and named is not None:
                self.local(self.source_of(named), self.type_of(typed) or element, "annotation", line_of(named))

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────

    def number(self, _: Node) -> str:
        return "%int"

    def string(self, node: Node) -> str:
        raw = self.source_of(node)
        value = unescape(raw[3:-3].strip() if raw.startswith('"""') else raw[1:-1])
        self.text(value, line_of(node))
        return quote(value)

    def binary(self, node: Node) -> str:
        """Operators; a sum of texts is one text with holes. The left side is followed without recursion."""
        right: list[Node] = []
        sums = True
        shorts = 0
        while node.type == "binary_expression":
            operator = node.child_by_field_name("operator")
            left, other = node.child_by_field_name("left"), node.child_by_field_name("right")
            if operator is None or left is None or other is None:
                break
            sums = sums and operator.type == "+"
            shorts += operator.type in ("&&", "||")
            right.append(other)
            node = left
        values = [self.value(node) if node.type != "binary_expression" else self.children(node)]
        if shorts:
            self.under(BRANCH, 1)
        values += [self.value(part) for part in reversed(right)]
        if shorts:
            self.under(BRANCH, -1)
        if not sums or not any(value[:1] == '"' for value in values):
            return ""
        return quote("".join(value[1:-1] if value[:1] == '"' else "{}" for value in values))

    def parenthesized(self, node: Node) -> str:
        value = ""
        for child in node.named_children:
            value = self.value(child) or value
        return value

    def ternary(self, node: Node) -> str:
        values = self.choices(node)
        return values[0] if values else ""

    def choices(self, node: Node) -> list[str]:
        """The chains that a value can be: both sides of a conditional, one of anything else."""
        while node.type == "parenthesized_expression" and node.named_child_count == 1:
            node = node.named_children[0]
        if node.type != "ternary_expression":
            return [value for value in [self.value(node)] if value]
        condition, *sides = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        self.value(condition)
        self.under(BRANCH, 1)
        found = [value for side in sides for value in self.choices(side)]
        self.under(BRANCH, -1)
        return found

    def cast(self, node: Node) -> str:
        typed, inner = node.child_by_field_name("type"), node.child_by_field_name("value")
        if typed is None or inner is None:
            return self.children(node)
        value = self.value(inner)
        mark = self.type_of(typed)
        self.made_outside(value, mark, line_of(node))
        return mark or value

    def array_access(self, node: Node) -> str:
        array, index = node.child_by_field_name("array"), node.child_by_field_name("index")
        if array is None or index is None:
            return self.children(node)
        value = self.receiver(array)
        self.value(index)
        return value + "[]" if value[0] not in "?%" and len(value) < 300 else ""

    def new_array(self, node: Node) -> str:
        typed = node.child_by_field_name("type")
        mark = self.type_of(typed) if typed is not None else ""
        for child in node.named_children:
            if typed is None or child.id != typed.id:
                self.value(child)
        return contained(mark) if mark else "%list"

    def class_literal(self, node: Node) -> str:
        typed = node.named_children[0]
        chain = "" if typed.type in ("array_type", "void_type") else self.type_name(typed)
        self.refer("pass", chain, line_of(node))
        return chain

    def instance_of(self, node: Node) -> str:
        left, typed = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None:
            self.value(left)
        mark = self.type_of(typed) if typed is not None else ""
        named, pattern = node.child_by_field_name("name"), node.child_by_field_name("pattern")
        if named is not None:
            self.local(self.source_of(named), mark, "narrow", line_of(named))
        if pattern is not None:
            self.value(pattern)
        return ""

    def typed_pattern(self, node: Node) -> str:
        """`Foo f` in a `case` or inside of a record pattern."""
        parts = [child for child in node.named_children if child.type != "modifiers"]
        if len(parts) == 2 and parts[1].type == "identifier":
            self.local(self.source_of(parts[1]), self.type_of(parts[0]), "narrow", line_of(node))
            return ""
        return self.children(node)

    def record_pattern(self, node: Node) -> str:
        first, *rest = node.named_children
        self.use(
            split_qualified(self.source_of(first)) if "." in self.source_of(first) else self.source_of(first),
            line_of(first),
        )
        for child in rest:
            self.value(child)
        return ""
