"""Kotlin's expressions, types and statements: what a body calls, reads, writes and binds.

Every handler takes a node and answers with the chain of its value, a text literal between double quotes, or "" where
the value says nothing. A parameter of a lambda (`it` where none is written) is no name of its own: it is read as the
chain of what the lambda is given. In a lambda whose receiver is known (`apply`, `run`, `with`) a bare name may be a
member of the receiver.
"""

from __future__ import annotations

import re
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

GRAMMAR = "tree_sitter_kotlin"
_NAME = re.compile(r"[A-Za-z_]\w*")
_GIVEN = frozenset(["let", "also", "use", "takeIf", "takeUnless", "useLines"])
_RECEIVERS = frozenset(["apply", "run"])
_KEPT = frozenset(["apply", "also", "takeIf", "takeUnless"])
_ANSWERED = frozenset(
    ["let", "run", "with", "use", "lazy", "runBlocking", "withContext", "synchronized", "runCatching"]
)
_NUMBERS = frozenset(["toInt", "toLong", "toByte", "toShort", "toDouble", "toFloat", "toChar"])
_STANDARD = frozenset(
    [
        *(
            "require",
            "check",
            "requireNotNull",
            "checkNotNull",
            "error",
            "println",
            "print",
            "repeat",
            "maxOf",
            "minOf",
        ),
        *("lazy", "synchronized", "runCatching", "buildList", "buildString", "emptyList", "mapOf", "emptyMap", "TODO"),
    ]
)
"""Functions of the standard library that are called by their bare name everywhere."""
_LISTS = frozenset(
    [
        "listOf",
        "mutableListOf",
        "setOf",
        "mutableSetOf",
        "arrayListOf",
        "arrayOf",
        "sequenceOf",
        "listOfNotNull",
        "flowOf",
    ]
)


class KotlinExpressions(JvmReader):
    """Reads expressions and statements; what declares members or classes is left to `KotlinDeclarations`."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.containers = set(CONTAINERS)
        self.handlers, self.comment_kinds, self.name_kinds = _tables(type(self))  # type: ignore[arg-type]
        self.declaring = ""
        self.aliases: dict[str, str] = {}
        self.receivers: list[str] = []
        self.functions: set[str] = set()
        self.extensions: set[str] = set()

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def identifier(self, node: Node) -> str:
        return self.name(self.name_of(node), line_of(node))

    def name_of(self, node: Node) -> str:
        """A name, without the backticks that let it be any text."""
        name = self.source_of(node)
        return name[1:-1].replace(".", " ") if name[:1] == "`" else name

    def name(self, name: str, line: int) -> str:
        """The chain of a bare name that is read."""
        alias = self.aliases.get(name)
        if alias is not None:
            return alias
        if name in self.scope.locals:
            return name
        if name in ("null", "field"):
            return ""
        if name in ("true", "false"):
            return "%int"
        if name in self.roots:
            return "<" + name
        self.implied(name)
        if self.receivers and not name[:1].isupper():
            self.read(join(self.receivers[-1], name), line)
        self.read(name, line)
        return name

    def this(self, node: Node) -> str:
        for child in node.named_children:
            name = self.name_of(child)
            scope = self.scope.enclosing_class()
            if name != scope.simple and name[:1].isupper():
                return name + "!"
            return "self"
        return self.own()

    def own(self) -> str:
        """What `this` is: the receiver of a lambda or of an extension function, else the instance."""
        if self.receivers:
            return self.receivers[-1]
        return "this" if "this" in self.scope.locals else "self"

    def super_(self, _: Node) -> str:
        return "super"

    def navigation(self, node: Node) -> str:
        parts = node.children
        target, last = parts[0], parts[-1]
        line = last.start_point[0] + 1
        receiver = self.receiver(target)
        if parts[-2].type == "::":
            return self.handed(receiver, last, line)
        if last.type != "identifier":
            return self.children(node)
        name = self.name_of(last)
        if receiver[0] == "<" and ">" not in receiver:
            if not name[:1].isupper():
                return f"{receiver}.{name}"
            chain = split_qualified(f"{receiver[1:]}.{name}")
        elif self.is_container(receiver):
            return self.property_of_container(receiver, name)
        elif name in ("java", "kotlin") and target.type == "navigation_expression":
            return receiver
        else:
            chain = join(receiver, name)
        if chain[0] not in "?%":
            self.read(chain, line)
            self.all_of(receiver, name, line)
        return chain

    def property_of_container(self, receiver: str, name: str) -> str:
        if name in ("values", "entries", "indices", "withIndex"):
            return receiver
        if name in ("value", "first", "last", "key", "second"):
            return receiver + "[]"
        return "%int" if name in ("size", "length", "lastIndex") else ""

    def handed(self, receiver: str, last: Node, line: int) -> str:
        """`Foo::bar` hands a function over, `Foo::class` a class."""
        name = self.name_of(last)
        chain = receiver if name in ("class", "new") else join(receiver, name)
        self.made = chain + "()"
        self.refer("pass", chain, line)
        return chain if chain[0] not in "?%" else ""

    def callable_reference(self, node: Node) -> str:
        last = node.children[-1]
        name, line = self.name_of(last), line_of(node)
        parts = node.named_children
        if len(parts) > 1:
            return self.handed(self.receiver(parts[0]), last, line)
        chain = self.own_call(name) if name not in self.scope.locals else name
        self.made = chain + "()"
        self.refer("pass", chain, line)
        return chain

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    def call(self, node: Node) -> str:
        callee, given = node.children[0], node.named_children[1:]
        if callee.type == "call_expression" and given and given[-1].type == "annotated_lambda":
            inner = callee.named_children
            if inner[-1].type == "value_arguments":
                callee, given = callee.children[0], [*inner[1:], *given]
        if given and given[0].type == "type_arguments":
            self.children(given[0])
        if callee.type == "identifier":
            return self.call_name(callee, given)
        kind = callee.type
        if kind == "navigation_expression":
            parts = callee.children
            if parts[-1].type == "identifier" and parts[-2].type != "::":
                return self.call_member(parts[0], parts[-1], given)
        value = self.receiver(callee)
        arguments = self.arguments(given, "", "")
        if value[0] not in "?%":
            self.add_call(value, line_of(node), arguments)
            return value + "()"
        return ""

    def add_call(self, chain: str, line: int, arguments: tuple[str, ...] = ()) -> None:
        self.references.append(Reference(self.scope.index, "call", chain, line, arguments, self.branch))

    def call_name(self, callee: Node, given: list[Node]) -> str:
        """A call without a receiver: a function, a class, a member, or a member of an implicit receiver."""
        name, line = self.name_of(callee), line_of(callee)
        if name == "with" and given and given[0].type == "value_arguments":
            return self.call_with(given, line)
        if (name in _RECEIVERS or name in _GIVEN) and _takes_function(given) and name not in self.functions:
            return self.call_scope_function(self.own(), name, given)
        arguments = self.arguments(given, "", "")
        if name in _LISTS or (name in self.containers and given[0].type == "type_arguments"):
            return self.made_list(given, arguments)
        if name in PLAIN:
            return PLAIN[name]
        alias = self.aliases.get(name)
        if alias is not None:
            if alias[0] not in "?%":
                self.add_call(alias, line, arguments)
                return alias + "()"
            return ""
        self.implied(name)
        chain = self.chain_of_call(name)
        arguments = self.kept_of(name, arguments) if chain == name else arguments
        for receiver in self.implicit_receivers(name) if name not in _STANDARD or not arguments else ():
            self.add_call(join(receiver, name), line, arguments)
        self.add_call(chain, line, arguments)
        return self.made if name in _ANSWERED and self.made else chain + "()"

    def chain_of_call(self, name: str) -> str:
        """The chain of a name that is called. In `val name = name()` the name is not yet the local one."""
        if name in self.scope.locals:
            return name
        chain = self.own_call(name)
        if chain == name == self.declaring and name not in self.functions and self.scope.enclosing_class().outer:
            return f"self.{name}"
        return chain

    def implicit_receivers(self, name: str) -> list[str]:
        """The receivers of lambdas and extension functions whose member a bare name may be; `self` needs no mention."""
        if name in self.functions or name in self.imported or name in self.scope.locals:
            return []
        if name[:1].isupper():
            return []
        receivers = self.receivers[-1:] or (["this"] if "this" in self.scope.locals else [])
        return [receiver for receiver in receivers if receiver[0] not in "?%" and receiver != "self"]

    def call_scope_function(self, receiver: str, name: str, given: list[Node]) -> str:
        """`apply`, `let` and their like: the lambda has the receiver, or is given it."""
        with_receiver = name in _RECEIVERS
        self.arguments(given, "" if with_receiver else receiver, receiver if with_receiver else "")
        return receiver if name in _KEPT else self.made

    def made_list(self, given: list[Node], arguments: tuple[str, ...]) -> str:
        types = [child for child in given if child.type == "type_arguments"]
        if types:
            inner = [self.type_of(part) for part in types[0].named_children]
            self.made = ""
            return contained(inner[-1]) if inner else "%list"
        first = next((argument for argument in arguments if argument and argument[0] != '"'), "")
        return contained(first) if first else "%list"

    def call_with(self, given: list[Node], line: int) -> str:
        value = given[0].named_children[0] if given[0].named_child_count else None
        receiver = self.value(value.named_children[-1]) if value is not None and value.named_child_count else ""
        self.arguments(given[1:], "", receiver or "?")
        self.add_call("with", line)
        return self.made

    def call_member(self, target: Node, last: Node, given: list[Node]) -> str:
        receiver = self.receiver(target)
        name, line = self.name_of(last), last.start_point[0] + 1
        if receiver[0] == "<" and ">" not in receiver:
            if not name[:1].isupper():
                return self.call_outside(receiver, name, given, line)
            receiver_chain = split_qualified(f"{receiver[1:]}.{name}")
            arguments = self.arguments(given, "", "")
            self.add_call(receiver_chain, line, arguments)
            return receiver_chain + "()"
        if (name in _GIVEN or name in _RECEIVERS) and _takes_function(given):
            return self.call_scope_function(receiver, name, given)
        if self.is_container(receiver):
            return self.call_container(receiver, name, given, line)
        arguments = self.arguments(given, "", "")
        self.all_of(receiver, name, line)
        self.reflect(receiver, name, arguments, line)
        return self.call_on(receiver, name, line, arguments)

    def call_outside(self, receiver: str, name: str, given: list[Node], line: int) -> str:
        """`com.acme.foo()`: a function of a package, unless the first name is a value after all."""
        chain = f"{receiver}>.{name}" if "." in receiver else f"{receiver[1:]}.{name}"
        self.add_call(chain, line, self.arguments(given, "", ""))
        return chain + "()"

    def call_on(self, receiver: str, name: str, line: int, arguments: tuple[str, ...]) -> str:
        """A call of a member; where an extension function of the name is in sight, that is called with the receiver."""
        chain = join(receiver, name)
        arguments = self.kept_of(name, arguments)
        if name in self.extensions:
            own = receiver if receiver[0] not in "?%" else ""
            self.add_call(name, line, (own, *arguments))
            return name + "()"
        if name in _NUMBERS:
            return "%int"
        if chain[0] == "%":
            return chain + "()"
        if chain[0] == "?":
            self.add_call(f"?.{name}", line, arguments)
            return ""
        self.add_call(chain, line, arguments)
        return chain + "()"

    def call_container(self, receiver: str, name: str, given: list[Node], line: int) -> str:
        arguments = self.kept_of(name, self.arguments(given, receiver + "[]", ""))
        if name in self.extensions:
            self.add_call(name, line, (receiver, *arguments))
            return name + "()"
        self.add_call(join(receiver, name), line, arguments)
        if name in ELEMENT_CALLS:
            return receiver + "[]"
        if name in SAME_CALLS:
            return receiver
        if name in MAPPING_CALLS:
            return self.made if name in FLATTENING_CALLS else contained(self.made) if self.made else ""
        return ""

    def arguments(self, given: list[Node], element: str, receiver: str) -> tuple[str, ...]:
        """The arguments of a call as a Reference lists them; a lambda is given `element`, or has the `receiver`."""
        found: list[str] = []
        made = ""
        outer = self.element
        for child in given:
            if child.type == "value_arguments":
                for part in child.named_children:
                    if part.type == "value_argument":
                        found.append(self.argument(part, element, receiver))
                        made = made or self.made
            elif child.type == "annotated_lambda":
                for part in child.named_children:
                    if part.type == "lambda_literal":
                        self.lambda_with(part, element, receiver)
                        made = self.made
                found.append("")
        self.made, self.element = made, outer
        return tuple(found)

    def argument(self, node: Node, element: str, receiver: str) -> str:
        if node.child_count == 1:
            inner = node.children[0]
            if inner.kind_id in self.name_kinds:
                self.made = ""
                value = self.name(self.name_of(inner), inner.start_point[0] + 1)
                return "" if value[:1] in ("?", "%") else value
        parts = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        if not parts:
            return ""
        inner = parts[-1]
        self.made = ""
        if inner.type == "lambda_literal":
            self.lambda_with(inner, element, receiver)
            value = ""
        else:
            value = self.value(inner)
            if inner.type not in ("callable_reference", "navigation_expression"):
                self.made = ""
        value = "" if value[:1] in ("?", "%") else value
        named = len(parts) > 1 and any(child.type == "=" for child in node.children)
        return f"{self.name_of(parts[0])}={value}" if named else value

    def lambda_(self, node: Node) -> str:
        self.lambda_with(node, "", "")
        return ""

    def lambda_with(self, node: Node, element: str, receiver: str) -> None:
        """A lambda: its parameters stand for the element, bare names may be members of the receiver."""
        outer = dict(self.aliases)
        if receiver:
            self.receivers.append(receiver)
        statements = list(node.named_children)
        if statements and statements[0].type == "lambda_parameters":
            self.lambda_parameters(statements.pop(0), element)
        else:
            self.aliases["it"] = element or "?"
        self.under(BRANCH, 1)
        value = ""
        for child in statements:
            if child.kind_id not in self.comment_kinds:
                value = self.value(child)
        self.under(BRANCH, -1)
        if receiver:
            self.receivers.pop()
        self.aliases = outer
        self.made = value if value[:1] not in ('"', "%", "?") else ""

    def lambda_parameters(self, node: Node, element: str) -> None:
        given = [child for child in node.named_children if child.kind_id not in self.comment_kinds]
        for child in given:
            if child.type == "multi_variable_declaration":
                for part in child.named_children:
                    self.alias(part, "")
            else:
                self.alias(child, element)

    def alias(self, node: Node, element: str) -> None:
        """A parameter of a lambda: a local of its written type, else another name for what the lambda is given."""
        parts = node.named_children
        if not parts:
            return
        name = self.name_of(parts[0])
        if len(parts) > 1:
            self.aliases.pop(name, None)
            self.local(name, self.type_of(parts[-1]), "annotation", line_of(node))
        else:
            self.aliases[name] = element or "?"

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────

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

    # ── assignments and local variables ──────────────────────────────────────────────────────────────────────────

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

    # ── types ────────────────────────────────────────────────────────────────────────────────────────────────────

    def type_node(self, node: Node) -> str:
        """A type where an expression could stand: it is only used."""
        self.type_of(node)
        return ""

    def type_name(self, node: Node) -> str:
        """The class that a type names as a chain, without its arguments; "" where it names none."""
        while node.type in ("nullable_type", "non_nullable_type", "parenthesized_type", "type_projection"):
            inner = [child for child in node.named_children if child.type != "type_modifiers"]
            if not inner:
                return ""
            node = inner[-1]
        if node.type != "user_type":
            return ""
        names = [self.name_of(child) for child in node.named_children if child.type == "identifier"]
        if len(names) == 1:
            known = self.scope.types.get(names[0])
            if known is not None:
                return known.removesuffix("!")
            if names[0] not in PLAIN:
                self.implied(names[0])
            return names[0]
        if not names:
            return ""
        return split_qualified(".".join(names)) if names[0][:1].islower() else ".".join(names)

    def type_of(self, node: Node) -> str:
        """The chain of an instance of a type, "" where it says nothing; what it names is a reference."""
        kind = node.type
        if kind in ("nullable_type", "non_nullable_type", "parenthesized_type", "type_projection"):
            inner = [child for child in node.named_children if child.type in _TYPES]
            return self.type_of(inner[-1]) if inner else ""
        if kind == "function_type":
            self.children(node)
            return "%func"
        if kind != "user_type":
            return ""
        chain = self.type_name(node)
        given = [
            part for child in node.named_children if child.type == "type_arguments" for part in child.named_children
        ]
        inner_types = [self.type_of(part) for part in given]
        name = chain.rpartition(".")[2]
        if name in self.scope.types:
            return self.scope.types[name]
        if not chain or chain in PLAIN:
            return PLAIN.get(chain, "")
        if name in ("Class", "KClass"):
            return inner_types[0].removesuffix("!") if inner_types and inner_types[0].endswith("!") else ""
        self.use(chain, line_of(node))
        if name in self.containers:
            if not inner_types:
                return "%list"
            return contained(inner_types[-1] if name in LAST_ARGUMENT else inner_types[0])
        return chain + "!"


Handler: TypeAlias = Callable[[KotlinExpressions, "Node"], str]
_DECLARED = frozenset(["variable_declaration", "multi_variable_declaration"])
_TYPES = frozenset(
    ["user_type", "nullable_type", "non_nullable_type", "parenthesized_type", "function_type", "type_projection"]
)
_HANDLERS = {
    "identifier": "identifier",
    "this_expression": "this",
    "super_expression": "super_",
    "navigation_expression": "navigation",
    "callable_reference": "callable_reference",
    "call_expression": "call",
    "lambda_literal": "lambda_",
    "number_literal": "number",
    "float_literal": "number",
    "string_literal": "string",
    "multiline_string_literal": "string",
    "binary_expression": "binary",
    "parenthesized_expression": "first",
    "unary_expression": "first",
    "if_expression": "if_",
    "when_expression": "if_",
    "try_expression": "if_",
    "is_expression": "is_",
    "as_expression": "as_",
    "index_expression": "index",
    "infix_expression": "infix",
    "object_literal": "object_",
    "assignment": "assignment",
    "property_declaration": "property",
    "for_statement": "for_",
    "while_statement": "loop",
    "do_while_statement": "loop",
    "block": "block",
    "catch_block": "catch",
    "return_expression": "jump",
    "anonymous_function": "anonymous_function",
    "collection_literal": "collection",
    "user_type": "type_node",
    "nullable_type": "type_node",
    "function_type": "type_node",
    "type_constraint": "constraint",
    "type_modifiers": "nothing",
    "class_declaration": "class_",
    "object_declaration": "class_",
    "companion_object": "class_",
    "function_declaration": "function",
    "secondary_constructor": "function",
    "anonymous_initializer": "initializer",
    "enum_entry": "enum_entry",
    "type_alias": "type_alias",
    "package_header": "package_",
    "import": "import_",
    "file_annotation": "file_annotation",
}
_LEAVES = (
    "character_literal line_comment block_comment label string_content escape_sequence "
    "modifiers annotation shebang visibility_modifier"
)


@cache
def _tables(reader: type[KotlinExpressions]) -> tuple[dict[int, Handler], frozenset[int], frozenset[int]]:
    """The handlers by kind, and the kinds of comments and of plain names."""
    names = node_kinds(GRAMMAR)
    methods = {**dict.fromkeys(_LEAVES.split(), "nothing"), **_HANDLERS}
    handlers: dict[int, Handler] = {
        kind: getattr(reader, methods.get(name, "children")) for kind, name in enumerate(names)
    }
    handlers[65535] = reader.error
    comments = frozenset(kind for kind, name in enumerate(names) if name in ("line_comment", "block_comment"))
    return handlers, comments, frozenset(kind for kind, name in enumerate(names) if name == "identifier")


def _takes_function(given: list[Node]) -> bool:
    """Whether a call is given a lambda or a function."""
    if any(child.type == "annotated_lambda" for child in given):
        return True
    values = [part for child in given if child.type == "value_arguments" for part in child.named_children]
    inner = [part.named_children[-1] for part in values if part.named_child_count]
    functions = ("callable_reference", "lambda_literal", "anonymous_function")
    return len(inner) == 1 and (inner[0].type in functions or any(part.type == "::" for part in inner[0].children))


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
