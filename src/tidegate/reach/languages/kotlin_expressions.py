"""Kotlin's expressions: what a body calls, reads and hands over.

Every handler takes a node and answers with the chain of its value, a text literal between double quotes, or "" where
the value says nothing. A parameter of a lambda (`it` where none is written) is no name of its own: it is read as the
chain of what the lambda is given. In a lambda whose receiver is known (`apply`, `run`, `with`) a bare name may be a
member of the receiver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.jvm import (
    ELEMENT_CALLS,
    FLATTENING_CALLS,
    MAPPING_CALLS,
    PLAIN,
    SAME_CALLS,
    contained,
    join,
    split_qualified,
)
from tidegate.reach.languages.jvm_record import BRANCH, line_of
from tidegate.reach.languages.kotlin_types import KotlinTypes
from tidegate.reach.symbols import Reference

if TYPE_CHECKING:
    from tree_sitter import Node

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


class KotlinExpressions(KotlinTypes):
    """Reads names and calls."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.declaring = ""
        self.aliases: dict[str, str] = {}
        self.receivers: list[str] = []
        self.functions: set[str] = set()
        self.extensions: set[str] = set()

    # ── names ────────────────────────────────────────────────────────────────────────────────────────────────────

    def identifier(self, node: Node) -> str:
        return self.name(self.name_of(node), line_of(node))

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


def _takes_function(given: list[Node]) -> bool:
    """Whether a call is given a lambda or a function."""
    if any(child.type == "annotated_lambda" for child in given):
        return True
    values = [part for child in given if child.type == "value_arguments" for part in child.named_children]
    inner = [part.named_children[-1] for part in values if part.named_child_count]
    functions = ("callable_reference", "lambda_literal", "anonymous_function")
    return len(inner) == 1 and (inner[0].type in functions or any(part.type == "::" for part in inner[0].children))
