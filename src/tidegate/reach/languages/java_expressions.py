"""Java's expressions, types and statements: what a body calls, reads, writes and binds.

Every handler takes a node and answers with the chain of its value, a text literal between double quotes, or "" where
the value says nothing. Handlers are found by the kind of the node; a kind without one is read through its children.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from tidegate.reach.languages.jvm import (
    CONTAINERS,
    ELEMENT_CALLS,
    FLATTENING_CALLS,
    LAST_ARGUMENT,
    MAPPING_CALLS,
    PLAIN,
    SAME_CALLS,
    contained,
    join,
    quote,
    split_qualified,
)
from tidegate.reach.languages.jvm_record import BRANCH, EXIT, HANDLER, LOOP, JvmReader, line_of
from tidegate.reach.languages.tree import node_kinds, unescape
from tidegate.reach.symbols import Reference

if TYPE_CHECKING:
    from tree_sitter import Node

GRAMMAR = "tree_sitter_java"


class JavaExpressions(JvmReader):
    """Reads expressions and statements; what declares members or classes is left to `JavaDeclarations`."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.switched: list[str] = []
        self.delegates = False
        self.containers = {"Iterable"}
        self.handlers, self.comment_kinds, self.function_kinds, self.if_kinds = _tables(type(self))  # type: ignore[arg-type]

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

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────

    def type_node(self, node: Node) -> str:
        """A type where an expression could stand: it is only used."""
        self.type_of(node)
        return ""

    def type_name(self, node: Node) -> str:
        """The class that a type names as a chain, without its arguments; "" for a primitive or a type variable."""
        while node.type in ("generic_type", "annotated_type", "array_type"):
            parts = node.named_children
            node = parts[-1] if node.type == "annotated_type" else parts[0]
        if node.type in ("type_identifier", "identifier"):
            name = self.source_of(node)
            if name in self.scope.types:
                return self.scope.types[name].removesuffix("!")
            self.implied(name)
            return name
        if node.type in ("scoped_type_identifier", "scoped_identifier"):
            names = [self.source_of(part) for part in _names(node)]
            return split_qualified(".".join(names)) if names[0][:1].islower() else ".".join(names)
        return ""

    def type_of(self, node: Node, *, made: bool = False) -> str:
        """The chain of an instance of a type, "" where it says nothing; what it names is a reference.

        With `made`, a `new` follows: the class itself is called and needs no reference of its own.
        """
        kind = node.type
        if kind == "type_identifier":
            name = self.source_of(node)
            if name in self.scope.types:
                return self.scope.types[name]
            plain = PLAIN.get(name)
            if plain is not None:
                return plain
            self.implied(name)
            if not made:
                self.use(name, node.start_point[0] + 1)
            return "%list" if name in self.containers and not made else name + "!"
        if kind == "generic_type":
            return self.generic_type(node, made)
        if kind == "array_type":
            element = node.child_by_field_name("element")
            return contained(self.type_of(element)) if element is not None else "%list"
        if kind == "scoped_type_identifier":
            chain = self.type_name(node)
            if not made:
                self.use(chain, line_of(node))
            return chain + "!"
        if kind in ("integral_type", "floating_point_type", "boolean_type"):
            return "%int"
        if kind in ("annotated_type", "wildcard"):
            parts = [child for child in node.named_children if "annotation" not in child.type]
            return self.type_of(parts[-1]) if parts else ""
        return ""

    def generic_type(self, node: Node, made: bool) -> str:
        base, *rest = node.named_children
        given = [self.type_of(child) for part in rest if part.type == "type_arguments" for child in part.named_children]
        full = self.source_of(base)
        name = full.rpartition(".")[2]
        if name == "Class":
            return given[0].removesuffix("!") if given and given[0].endswith("!") else ""
        root = full.partition(".")[0]
        if name not in CONTAINERS or not (root in self.containers or root in ("java", "javax", "jakarta")):
            return self.type_of(base, made=made)
        if not made:
            self.use(self.type_name(base), line_of(base))
        if not given:
            return "" if made else "%list"
        chain = given[-1] if name in LAST_ARGUMENT else given[0]
        return contained(chain)


Handler: TypeAlias = Callable[[JavaExpressions, "Node"], str]
_Tables: TypeAlias = tuple[dict[int, Handler], frozenset[int], frozenset[int], frozenset[int]]

_LEAVING = frozenset(["return_statement", "throw_statement", "continue_statement", "break_statement"])

_HANDLERS = {
    "identifier": "identifier",
    "this": "this",
    "super": "super_",
    "field_access": "field_access",
    "method_invocation": "method_invocation",
    "object_creation_expression": "new",
    "explicit_constructor_invocation": "delegation",
    "method_reference": "method_reference",
    "lambda_expression": "lambda_",
    **dict.fromkeys(["decimal_integer_literal", "hex_integer_literal", "true", "false"], "number"),
    "string_literal": "string",
    "binary_expression": "binary",
    "parenthesized_expression": "parenthesized",
    "ternary_expression": "ternary",
    "cast_expression": "cast",
    "array_access": "array_access",
    "array_creation_expression": "new_array",
    "class_literal": "class_literal",
    "instanceof_expression": "instance_of",
    "type_pattern": "typed_pattern",
    "record_pattern_component": "typed_pattern",
    "record_pattern": "record_pattern",
    "assignment_expression": "assignment",
    "update_expression": "update",
    "local_variable_declaration": "local_variable",
    "resource": "resource",
    "enhanced_for_statement": "for_each",
    "block": "block",
    "constructor_body": "block",
    "switch_block_statement_group": "case",
    "switch_rule": "case",
    "if_statement": "if_",
    "for_statement": "loop",
    "while_statement": "loop",
    "do_statement": "loop",
    "catch_clause": "handler",
    "catch_formal_parameter": "catch",
    "switch_expression": "switch",
    "switch_label": "switch_label",
    "labeled_statement": "labeled",
    "break_statement": "nothing",
    "continue_statement": "nothing",
    "modifiers": "nothing",
    "line_comment": "nothing",
    "block_comment": "nothing",
    "type_identifier": "type_node",
    "generic_type": "type_node",
    "scoped_type_identifier": "type_node",
    "array_type": "type_node",
    "annotated_type": "type_node",
    "wildcard": "type_node",
    "class_declaration": "class_",
    "interface_declaration": "class_",
    "enum_declaration": "class_",
    "record_declaration": "class_",
    "annotation_type_declaration": "class_",
    "method_declaration": "method",
    "annotation_type_element_declaration": "method",
    "constructor_declaration": "method",
    "compact_constructor_declaration": "method",
    "static_initializer": "initializer",
    "field_declaration": "field",
    "constant_declaration": "field",
    "enum_constant": "enum_constant",
    "package_declaration": "package_",
    "import_declaration": "import_",
}
_LEAVES = (
    "octal_integer_literal binary_integer_literal "
    "decimal_floating_point_literal hex_floating_point_literal character_literal null_literal asterisk "
    "integral_type floating_point_type boolean_type void_type dimensions underscore_pattern inferred_parameters"
)


@cache
def _tables(reader: type[JavaExpressions]) -> _Tables:
    """The handlers by kind, and the kinds of comments, of functions that stand as arguments, and of `if`."""
    names = node_kinds(GRAMMAR)
    methods = {**dict.fromkeys(_LEAVES.split(), "nothing"), **_HANDLERS}
    handlers: dict[int, Handler] = {
        kind: getattr(reader, methods.get(name, "children")) for kind, name in enumerate(names)
    }
    handlers[65535] = reader.error

    def kinds(*wanted: str) -> frozenset[int]:
        return frozenset(kind for kind, name in enumerate(names) if name in wanted)

    comments = kinds("line_comment", "block_comment")
    return handlers, comments, kinds("lambda_expression", "method_reference"), kinds("if_statement")


def _may_leave(node: Node) -> bool:
    """Whether what follows an `if` may not run: a branch of it ends the method or the round of the loop."""
    for side in ("consequence", "alternative"):
        branch = node.child_by_field_name(side)
        if branch is not None and branch.type == "block" and branch.named_child_count:
            branch = branch.named_children[-1]
        if branch is not None and branch.type in _LEAVING:
            return True
    return False


def _names(node: Node) -> list[Node]:
    """The names of a dotted name, in order, without recursion."""
    found: list[Node] = []
    while node.type in ("scoped_type_identifier", "scoped_identifier"):
        parts = [child for child in node.named_children if "annotation" not in child.type]
        found.append(parts[-1])
        node = parts[0]
        if node.type == "generic_type":
            node = node.named_children[0]
    found.append(node)
    found.reverse()
    return found
