"""Expressions become chains; every use inside them is written down on the way.

A chain such as `a.b(c)[0].d` is read from its root outwards in one pass. Functions inside are left for later (their
bodies are pushed as work), so that only brackets nest, and those no deeper than DEPTH_LIMIT.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.state import CHAIN_LIMIT, COMMENTS, DEPTH_LIMIT, EXPORTS, FUNCTIONS, RESERVED, Scope
from tidegate.reach.languages.ecma.types import Types

if TYPE_CHECKING:
    from tree_sitter import Node

LITERALS = {
    "number": "%int",
    "true": "%bool",
    "false": "%bool",
    "regex": "%regex",
    "null": "?",
    "undefined": "?",
    "super": "super",
    "meta_property": "%meta",
    "import": "import",
}
ROOTS = {
    "this": "_this",
    "string": "_string",
    "template_string": "_template",
    "array": "_array",
    "object": "_object",
    "new_expression": "_new",
    "arrow_function": "_function",
    "function_expression": "_function",
    "generator_function": "_function",
    "class": "_class",
    "ternary_expression": "_first",
    "binary_expression": "_first",
    "assignment_expression": "_first",
    "sequence_expression": "_first",
    "as_expression": "_first",
    "satisfies_expression": "_first",
    "type_assertion": "_first",
    "yield_expression": "_yield",
}
"""What reads each kind of expression that is not a step of a chain."""
_STEPS = frozenset(["member_expression", "subscript_expression", "call_expression"])
_SPECIAL_OBJECTS = frozenset([EXPORTS, "module"])
_THROUGH = frozenset(
    ["non_null_expression", "parenthesized_expression", "await_expression", "instantiation_expression"]
)
_TYPED = frozenset(["as_expression", "satisfies_expression", "type_assertion"])
_EACH = frozenset(
    ["forEach", "map", "filter", "find", "findLast", "findIndex", "some", "every", "flatMap", "sort", "each"]
)
_ARGUMENTS = 16


class Expressions(Types):
    """Reads expressions. The parts that need statements are given by the reader that is built on this."""

    # given by the reader

    def call(self, chain: str, parts: list[Node], scope: Scope) -> str:
        raise NotImplementedError

    def assign(self, node: Node, scope: Scope) -> tuple[str, ...]:
        raise NotImplementedError

    def callback(self, node: Node, scope: Scope, given: str = "") -> str:
        raise NotImplementedError

    def class_expression(self, node: Node, scope: Scope) -> str:
        raise NotImplementedError

    def narrow(self, node: Node, scope: Scope) -> None:
        raise NotImplementedError

    # chains

    def chain(self, node: Node, scope: Scope, use: str = "read") -> str:
        """The chain of an expression. `use` says how it is used: "read", "pass", or "" where the caller says it."""
        kinds = self.kinds
        spine: list[tuple[str, list[Node]]] = []
        while True:
            kind = kinds[node.kind_id]
            if kind in _STEPS:
                parts = node.named_children
                if len(parts) < 2:
                    break
                spine.append((kind, parts))
                node = parts[0]
            elif kind in _THROUGH:
                parts = self.parts(node)
                if not parts:
                    break
                node = parts[0]
            else:
                break
        self.required = False
        if kind == "identifier":
            chain = self.source[node.start_byte : node.end_byte] if self.ascii else self.text(node)
            if not chain or chain in RESERVED:
                chain = self._reserved(chain, scope)
            if not spine:
                if use:
                    self.raw.append((scope.index, use, chain, node.start_point[0] + 1, ()))
                return chain
        else:
            chain = LITERALS.get(kind) or self._root(kind, node, scope)
        return self._climb(chain, spine, scope, use) if spine else chain

    def _reserved(self, name: str, scope: Scope) -> str:
        if name == "exports":
            return name if self.is_local(scope.index, name) else EXPORTS
        return RESERVED.get(name, "?")

    def _root(self, kind: str, node: Node, scope: Scope) -> str:
        """What a chain begins with that is neither a name nor a literal."""
        read = ROOTS.get(kind)
        if read is None:
            self.pending.extend([(child, scope) for child in node.named_children])
            return "?"
        if self.depth > DEPTH_LIMIT:
            self.pending.append((node, scope))
            return "?"
        self.depth += 1
        chain: str = getattr(self, read)(node, scope)
        self.depth -= 1
        self.required = False
        return chain

    def _climb(self, chain: str, spine: list[tuple[str, list[Node]]], scope: Scope, use: str) -> str:
        kind, part = "", spine[0][1][-1]
        for kind, parts in reversed(spine):
            if kind == "member_expression":
                part = parts[-1]
                name = self.source[part.start_byte : part.end_byte] if self.ascii else self.text(part)
                if chain in _SPECIAL_OBJECTS or name == "prototype":
                    chain = self.member(chain, name)
                else:
                    chain = f"{chain}.{name}"
            elif kind == "call_expression":
                chain = self.call(chain, parts, scope)
            else:
                chain = self._subscript(chain, parts[-1], scope)
            if len(chain) > CHAIN_LIMIT:
                chain = "?"
        if use and kind == "member_expression" and chain != EXPORTS:
            self.raw.append((scope.index, use, chain, part.start_point[0] + 1, ()))
        return chain

    def member(self, chain: str, name: str) -> str:
        """The chain of a member. What a CommonJS module exports are names of the module."""
        if chain == EXPORTS:
            return name
        if chain == "module" and name == "exports":
            return EXPORTS
        if name == "prototype":
            return chain if chain.endswith("!") else chain + "!"
        return f"{chain}.{name}"

    def _subscript(self, chain: str, index: Node, scope: Scope) -> str:
        kind = self.kinds[index.kind_id]
        if kind == "string":
            key = self.member_name(index)
            if key:
                return self.member(chain, key)
        elif kind != "number":
            self.chain(index, scope)
        return chain + "[]"

    # alternatives

    def values(self, node: Node, scope: Scope) -> tuple[str, ...]:
        """What an expression can mean, one chain for each alternative; () where it says nothing."""
        kind = self.kinds[node.kind_id]
        while kind in _THROUGH:
            parts = self.parts(node)
            if not parts:
                return ()
            node = parts[0]
            kind = self.kinds[node.kind_id]
        if self.depth > DEPTH_LIMIT:
            self.pending.append((node, scope))
            return ()
        self.depth += 1
        found = self._alternatives(node, kind, scope)
        self.depth -= 1
        return found

    def _alternatives(self, node: Node, kind: str, scope: Scope) -> tuple[str, ...]:
        if kind == "ternary_expression":
            parts = self.parts(node)
            if len(parts) != 3:
                return ()
            self.condition(parts[0], scope)
            return self._joined(self.values(parts[1], scope), self.values(parts[2], scope))
        if kind == "binary_expression":
            return self._binary(node, scope)
        if kind == "assignment_expression":
            return self.assign(node, scope)
        if kind == "sequence_expression":
            found: tuple[str, ...] = ()
            for part in self.parts(node):
                found = self.values(part, scope)
            return found
        if kind in _TYPED:
            return self._typed(node, kind, scope)
        chain = self.chain(node, scope)
        if chain == EXPORTS:
            return ("default",)
        if self.required and chain.startswith("<") and not chain.startswith("<node:"):
            self.required = False
            end = chain.index(">") + 1
            return (chain, f"{chain[:end]}.default{chain[end:]}")
        return (chain,) if chain[:1] != "?" else ()

    def _joined(self, one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one + two))[:8]

    def _binary(self, node: Node, scope: Scope) -> tuple[str, ...]:
        children = [child for child in node.children if self.kinds[child.kind_id] not in COMMENTS]
        if len(children) != 3:
            self.pending.extend([(child, scope) for child in node.named_children])
            return ()
        left, operator, right = children
        mark = operator.type
        if mark == "||" or mark == "??":
            return self._joined(self.values(left, scope), self.values(right, scope))
        if mark == "&&":
            self.condition(left, scope)
            return self.values(right, scope)
        if mark == "instanceof":
            self.narrow(node, scope)
            return ("%bool",)
        if mark == "+" and "string" in (self.kinds[left.kind_id], self.kinds[right.kind_id]):
            self.pending.extend([(left, scope), (right, scope)])
            return ("%str",)
        self.pending.extend([(left, scope), (right, scope)])
        return ()

    def condition(self, node: Node, scope: Scope) -> None:
        """Reads an expression whose value does not matter here."""
        self.pending.append((node, scope))

    def _typed(self, node: Node, kind: str, scope: Scope) -> tuple[str, ...]:
        parts = self.parts(node)
        if len(parts) < 2:
            return self.values(parts[0], scope) if parts else ()
        value, written = (parts[-1], parts[0]) if kind == "type_assertion" else (parts[0], parts[1])
        inner = self.values(value, scope)
        self.type_uses(written, scope.index)
        types = self.type_chains(written)
        if kind == "type_assertion" and not types:
            types = tuple(chain for part in self.parts(written) for chain in self.type_chains(part))
        if kind == "satisfies_expression" or not types:
            return inner
        return self._joined(types, inner)

    def _first(self, node: Node, scope: Scope) -> str:
        found = self._alternatives(node, self.kinds[node.kind_id], scope)
        return found[0] if found else "?"

    # roots

    def _this(self, node: Node, scope: Scope) -> str:
        return scope.this if node.named_child_count == 0 else "?"

    def _string(self, node: Node, scope: Scope) -> str:
        self.literal(node, scope.index)
        return "%str"

    def _template(self, node: Node, scope: Scope) -> str:
        for part in node.named_children:
            if self.kinds[part.kind_id] == "template_substitution":
                self.pending.extend([(child, scope) for child in part.named_children])
        return "%str"

    def _array(self, node: Node, scope: Scope) -> str:
        first = ""
        for part in self.parts(node):
            if self.kinds[part.kind_id] == "spread_element":
                inner = self.parts(part)
                chain = self.chain(inner[0], scope) + "[]" if inner else "?"
            else:
                chain = self.chain(part, scope, "pass")
            if not first and chain[:1] not in "?%":
                first = chain
        return first + "*" if first else "%list"

    def _object(self, node: Node, scope: Scope) -> str:
        self.members_of_literal(node, scope)
        return "%dict"

    def members_of_literal(self, node: Node, scope: Scope) -> list[str]:
        """Reads an object that is no definition; its members as arguments `name=chain` and `name="text"`."""
        found: list[str] = []
        for part in self.parts(node):
            kind = self.kinds[part.kind_id]
            if kind == "pair":
                key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
                if key is None or value is None:
                    continue
                if self.kinds[key.kind_id] == "computed_property_name":
                    self.pending.extend([(child, scope) for child in key.named_children])
                given = self.argument(value, scope, "")
                if given:
                    found.append(f"{self.member_name(key)}={given}")
            elif kind == "shorthand_property_identifier":
                name = self.name(part)
                self.raw.append((scope.index, "pass", name, part.start_point[0] + 1, ()))
                found.append(f"{name}={name}")
            elif kind == "method_definition":
                self.callback(part, scope)
            else:
                self.pending.extend([(child, scope) for child in part.named_children])
        return found

    def _new(self, node: Node, scope: Scope) -> str:
        made = node.child_by_field_name("constructor")
        arguments = node.child_by_field_name("arguments")
        types = node.child_by_field_name("type_arguments")
        if types is not None:
            self.type_uses(types, scope.index)
        chain = self.chain(made, scope, "") if made is not None else "?"
        given = self.arguments(arguments, scope, "") if arguments is not None else ()
        if chain == "Function" and not self.is_local(scope.index, chain):
            self.gap(scope.index, "eval", node)
        self.refer(scope.index, "call", "default" if chain == EXPORTS else chain, node, given)
        if chain in ("Map", "Set", "WeakMap", "Array") and types is not None and not self.is_local(scope.index, chain):
            inner = self.parts(types)
            found = self.type_chains(inner[-1]) if inner else ()
            return found[0] + "*" if found else "%dict"
        return chain + "()"

    def _function(self, node: Node, scope: Scope) -> str:
        return self.callback(node, scope) or "%func"

    def _class(self, node: Node, scope: Scope) -> str:
        return self.class_expression(node, scope)

    def _yield(self, node: Node, scope: Scope) -> str:
        for part in self.parts(node):
            values = self.values(part, scope)
            if scope.returns:
                self.drafts[scope.index].returns.extend(value + "*" for value in values if value[0] != "%")
        return "?"

    # arguments

    def arguments(self, node: Node, scope: Scope, receiver: str) -> tuple[str, ...]:
        """The arguments of a call as a reference has them; functions among them are read with what they are given.

        `receiver` is what a callback gets as its first parameter, "" where that is not known.
        """
        if self.kinds[node.kind_id] == "template_string":
            self._template(node, scope)
            return (f'"{self.template_text(node)}"',)
        found: list[str] = []
        for part in self.parts(node):
            if self.kinds[part.kind_id] == "object":
                found.extend(self.members_of_literal(part, scope) or [""])
            else:
                found.append(self.argument(part, scope, receiver))
        while found and not found[-1]:
            found.pop()
        return tuple(found[:_ARGUMENTS])

    def argument(self, node: Node, scope: Scope, receiver: str) -> str:
        """One argument: a chain, a text between double quotes, or "" for what is neither."""
        kind = self.kinds[node.kind_id]
        if kind == "string":
            value = self.literal(node, scope.index)
            return f'"{value}"' if len(value) <= 200 else ""
        if kind == "identifier":
            return self.chain(node, scope, "pass")
        if kind == "template_string":
            self._template(node, scope)
            value = self.template_text(node)
            return f'"{value}"' if len(value) <= 200 else ""
        if kind in FUNCTIONS:
            return self.callback(node, scope, receiver)
        if self.depth > DEPTH_LIMIT:
            self.pending.append((node, scope))
            return ""
        self.depth += 1
        chain = self._argument_chain(node, kind, scope)
        self.depth -= 1
        return chain if chain[:1] not in "?%" else ""

    def _argument_chain(self, node: Node, kind: str, scope: Scope) -> str:
        if kind == "member_expression":
            chain = self.chain(node, scope, "pass")
            return "default" if chain == EXPORTS else chain
        if kind == "spread_element":
            for part in self.parts(node):
                self.chain(part, scope, "pass")
            return ""
        if kind == "call_expression" or kind == "new_expression":
            return self.chain(node, scope)
        if kind == "array":
            items = [self.argument(part, scope, "") for part in self.parts(node)]
            return items[0] + "*" if items and items[0] and items[0][0] != '"' else ""
        found = self.values(node, scope)
        if found and found[0][0].isalpha():
            self.refer(scope.index, "pass", found[0], node)
        return found[0] if found else ""

    def template_text(self, node: Node) -> str:
        """The text of a template, with {} for its holes."""
        made = []
        for part in node.named_children:
            kind = self.kinds[part.kind_id]
            made.append("{}" if kind == "template_substitution" else self.text(part))
        return "".join(made)

    def given_to_callback(self, chain: str) -> str:
        """What a function that is handed to this callee gets as its first parameter, "" where that is not known."""
        before, _, name = chain.rpartition(".")
        if not before or before[0] in "?%":
            return ""
        if name in _EACH:
            return before + "[]"
        return before if name in ("then", "tap", "pipe") else ""
