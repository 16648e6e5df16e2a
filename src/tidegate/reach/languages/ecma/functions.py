"""Functions: parameters, what they return, which of them are definitions, and objects whose members are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.calls import Calls
from tidegate.reach.languages.ecma.state import DEPTH_LIMIT, FUNCTIONS, Scope
from tidegate.reach.symbols import BindingKind, Parameter

if TYPE_CHECKING:
    from tree_sitter import Node

_MODIFIERS = frozenset(["accessibility_modifier", "readonly", "override_modifier"])
_PARAMETERS = frozenset(["required_parameter", "optional_parameter"])
_RETURN_LIMIT = 8
_NESTING = 6


class Functions(Calls):
    """Reads functions and objects."""

    # definitions

    def add_function(self, owner: int, name: str, node: Node, scope: Scope, whole: Node | None = None) -> int:
        """Defines a function as a member of a definition, a name of a module (0) or of a function; its index.

        A function that is used as a class is a class with a method `constructor`.
        """
        parent = self.drafts[owner].kind
        inside = parent in ("class", "interface")
        if not inside and self._is_class(name, node):
            index = self.define(name, "class", owner, whole or node, node)
            self.drafts[index].lexical = scope.index
            self.read_function(self.define("constructor", "method", index, node), node, "self", index, scope)
            return index
        member = inside or parent in ("variable", "constant")
        index = self.define(name, "method" if member else "function", owner, whole or node, node)
        self.drafts[index].lexical = scope.index if scope.index != index else owner
        this = "self" if inside else scope.this if self.kinds[node.kind_id] == "arrow_function" else "?"
        holder = owner if member else scope.owner if this == scope.this else -1
        if member and not inside and self.kinds[node.kind_id] != "arrow_function":
            this = self.path_of(owner)
        elif self.drafts[owner].kind == "function" and this == "?":
            this, holder = self.path_of(owner), owner
        self.read_function(index, node, this, holder, scope)
        return index

    def path_of(self, index: int) -> str:
        """The chain by which code inside a definition names it: from the nearest definition that is a function."""
        names: list[str] = []
        while index > 0:
            draft = self.drafts[index]
            names.append(draft.name.rpartition(".")[2])
            index = draft.parent
            if self.drafts[index].kind not in ("variable", "constant", "class"):
                break
        return ".".join(reversed(names)) or "?"

    def _is_class(self, name: str, node: Node) -> bool:
        if self.kinds[node.kind_id] == "arrow_function" or self.kinds[node.kind_id] == "method_definition":
            return False
        if name in self.classlike:
            return name[:1].isupper() or not self.modern
        return name[:1].isupper() and "this." in self.source[node.start_byte : node.end_byte]

    def read_function(self, index: int, node: Node, this: str, owner: int, scope: Scope) -> None:
        """Reads the signature of a function that is a definition, and leaves its body for later."""
        draft = self.drafts[index]
        inner = Scope(index, this, owner, scope.suite, returns=True)
        for child in node.children:
            if child.is_named:
                if child.type == "formal_parameters":
                    break
            elif child.type in ("async", "*"):
                draft.flags.append("async" if child.type == "async" else "generator")
        if self.kinds[node.kind_id].startswith("generator"):
            draft.flags.append("generator")
        draft.flags = list(dict.fromkeys(draft.flags))
        self.type_parameters(node, index)
        draft.parameters = self.parameters(node, inner)
        written = node.child_by_field_name("return_type")
        if written is not None:
            self.type_uses(written, index)
            draft.returns.extend(self.type_chains(written))
        self._body(node, inner)

    def _body(self, node: Node, inner: Scope) -> None:
        body = node.child_by_field_name("body")
        if body is None:
            return
        if self.kinds[body.kind_id] == "statement_block":
            self.pending.append((body, inner))
        elif inner.returns:
            self.pending.append((body, inner))
            self.answers.add(body.id)
        else:
            self.pending.append((body, inner))

    def type_parameters(self, node: Node, index: int) -> None:
        """`<T extends A>`: inside, T means an A."""
        written = node.child_by_field_name("type_parameters")
        if written is None:
            return
        for part in self.parts(written):
            name, constraint = part.child_by_field_name("name"), part.child_by_field_name("constraint")
            if name is None:
                continue
            text = self.text(name)
            self.locals[index].add(text)
            if constraint is not None:
                self.type_uses(constraint, index)
                inner = self.parts(constraint)
                chains = self.type_chains(inner[0]) if inner else ()
                bases = tuple(chain[:-1] for chain in chains if chain.endswith("!"))
                self.bind(index, text, bases, "annotation", index, part.start_point[0] + 1)

    # parameters

    def parameters(self, node: Node, inner: Scope) -> tuple[Parameter, ...]:
        """The parameters of a definition; those that are taken apart are named by their place and bound."""
        single = node.child_by_field_name("parameter")
        if single is not None:
            self.locals[inner.index].add(self.name(single))
            return (Parameter(self.name(single)),)
        written = node.child_by_field_name("parameters")
        found: list[Parameter] = []
        for part in self.parts(written) if written is not None else ():
            pattern, type_node, default = self._parameter_parts(part, inner)
            if pattern is None or self.kinds[pattern.kind_id] == "this":
                continue
            star = ""
            if self.kinds[pattern.kind_id] == "rest_pattern":
                star, inside = "*", self.parts(pattern)
                pattern = inside[0] if inside else pattern
            types = self.type_chains(type_node)
            if star:
                types = tuple(chain.removesuffix("*") for chain in types)
            values = self.values(default, inner) if default is not None else ()
            name = f"arg{len(found)}"
            if self.kinds[pattern.kind_id] == "identifier":
                name = self.name(pattern)
                self.locals[inner.index].add(name)
            else:
                self.bind_pattern(pattern, (name,), inner, "assign")
            if self.kinds[part.kind_id] in _PARAMETERS:
                self._field(part, name, types, inner)
            found.append(Parameter(name, "|".join(types), values[0] if values else "", star))
        return tuple(found)

    def _parameter_parts(self, part: Node, inner: Scope) -> tuple[Node | None, Node | None, Node | None]:
        """The pattern, the type and the default of a parameter; its decorators are written down."""
        kind = self.kinds[part.kind_id]
        if kind == "assignment_pattern":
            return part.child_by_field_name("left"), None, part.child_by_field_name("right")
        if kind not in _PARAMETERS:
            return part, None, None
        for child in part.named_children:
            if self.kinds[child.kind_id] == "decorator":
                self.decorator(child, inner)
        written = part.child_by_field_name("type")
        if written is not None:
            self.type_uses(written, inner.index)
        return part.child_by_field_name("pattern"), written, part.child_by_field_name("value")

    def _field(self, part: Node, name: str, types: tuple[str, ...], inner: Scope) -> None:
        """A parameter of a constructor with a modifier is a field."""
        if any(self.kinds[child.kind_id] in _MODIFIERS or child.type == "readonly" for child in part.children):
            owner = self.drafts[inner.index].parent
            self.bind(owner, name, types, "annotation", inner.index, part.start_point[0] + 1)
            if not types:
                self.bind(owner, name, (name,), "assign", inner.index, part.start_point[0] + 1)

    def decorator(self, node: Node, scope: Scope) -> str:
        """A decorator, written down with its arguments; its chain."""
        parts = self.parts(node)
        if not parts:
            return "?"
        call = parts[0]
        if self.kinds[call.kind_id] != "call_expression":
            chain = self.chain(call, scope, "")
            self.refer(scope.index, "decorate", chain, node)
            return chain
        inner = self.parts(call)
        chain = self.chain(inner[0], scope, "")
        self.refer(scope.index, "decorate", chain, node, self.arguments(inner[-1], scope, ""))
        return chain + "()"

    # functions that are no definitions

    def callback(self, node: Node, scope: Scope, given: str = "") -> str:
        """Reads a function that is handed over: a definition where it has a name, else a part of the one around it.

        `given` is what its first parameter gets. The answer is its name, "" for an anonymous one.
        """
        named = (
            node.child_by_field_name("name")
            if self.kinds[node.kind_id] in ("function_expression", "generator_function")
            else None
        )
        if named is not None:
            name = self.name(named)
            this, owner = scope.this, scope.owner
            index = self.define(name, "function", scope.index, node)
            self.read_function(index, node, this, owner, scope)
            self.refer(scope.index, "pass", name, node)
            return name
        inner = scope.inside()
        found = self._loose_parameters(node, inner)
        if given and found:
            self.bind(scope.index, found, (given,), "assign", scope.index, node.start_point[0] + 1)
        self._body(node, inner)
        return ""

    def _loose_parameters(self, node: Node, inner: Scope) -> str:
        """Binds the parameters of an anonymous function in the definition around it; the name of the first."""
        single = node.child_by_field_name("parameter")
        if single is not None:
            self.locals[inner.index].add(self.name(single))
            return self.name(single)
        written = node.child_by_field_name("parameters")
        first = ""
        for number, part in enumerate(self.parts(written) if written is not None else ()):
            pattern, type_node, default = self._parameter_parts(part, inner)
            if pattern is None:
                continue
            types = self.type_chains(type_node)
            if default is not None:
                types += self.values(default, inner)
            if self.kinds[pattern.kind_id] == "rest_pattern":
                inside = self.parts(pattern)
                pattern = inside[0] if inside else pattern
            self.bind_pattern(pattern, types, inner, "annotation" if type_node is not None else "assign")
            if number == 0 and self.kinds[pattern.kind_id] == "identifier":
                first = "" if types else self.name(pattern)
        return first

    # patterns

    def bind_pattern(
        self, pattern: Node, values: tuple[str, ...], scope: Scope, how: BindingKind, depth: int = 0
    ) -> None:
        """Binds every name of a pattern to its part of the values."""
        kind = self.kinds[pattern.kind_id]
        line = pattern.start_point[0] + 1
        if kind in ("identifier", "shorthand_property_identifier_pattern"):
            name = self.name(pattern)
            self.locals[scope.index].add(name)
            self.bind(scope.index, name, values, how, scope.index, line)
        elif depth > DEPTH_LIMIT:
            self.pending.append((pattern, scope))
        elif kind == "object_pattern":
            for part in self.parts(pattern):
                self._bind_property(part, values, scope, how, depth)
        elif kind == "array_pattern":
            elements = tuple(value + "[]" for value in values)
            for part in self.parts(pattern):
                self.bind_pattern(part, elements, scope, how, depth + 1)
        elif kind in ("assignment_pattern", "object_assignment_pattern"):
            parts = self.parts(pattern)
            if len(parts) == 2:
                self.bind_pattern(parts[0], values + self.values(parts[1], scope), scope, how, depth + 1)
        elif kind == "rest_pattern":
            for part in self.parts(pattern):
                self.bind_pattern(part, values, scope, how, depth + 1)
        else:
            self.pending.append((pattern, scope))

    def _bind_property(self, part: Node, values: tuple[str, ...], scope: Scope, how: BindingKind, depth: int) -> None:
        kind = self.kinds[part.kind_id]
        if kind == "pair_pattern":
            key, target = part.child_by_field_name("key"), part.child_by_field_name("value")
            name = self.member_name(key) if key is not None else ""
            if target is not None:
                step = f".{name}" if name else "[]"
                self.bind_pattern(target, tuple(value + step for value in values), scope, how, depth + 1)
        elif kind == "rest_pattern":
            self.bind_pattern(part, values, scope, how, depth + 1)
        elif kind == "object_assignment_pattern":
            left, right = part.child_by_field_name("left"), part.child_by_field_name("right")
            if left is not None and right is not None:
                own = tuple(f"{value}.{self.text(left)}" for value in values)
                self.bind_pattern(left, own + self.values(right, scope), scope, how, depth + 1)
        else:
            self.bind_pattern(part, tuple(f"{value}.{self.text(part)}" for value in values), scope, how, depth + 1)

    # objects

    def add_object(self, owner: int, name: str, node: Node, scope: Scope, whole: Node) -> int:
        """Defines an object literal as a variable with its members; its index."""
        index = self.define(name, "variable", owner, whole, node)
        self.add_members(index, node, scope)
        return index

    def add_members(self, owner: int, node: Node, scope: Scope, depth: int = 0) -> None:
        """The members of an object literal become definitions and bindings of `owner`."""
        for part in self.parts(node):
            kind = self.kinds[part.kind_id]
            if kind == "method_definition":
                self._add_method(owner, part, scope)
            elif kind == "pair":
                self._add_pair(owner, part, scope, depth)
            elif kind == "shorthand_property_identifier":
                name = self.name(part)
                if owner:
                    self.bind(owner, name, (name,), "assign", scope.index, part.start_point[0] + 1)
                else:
                    self.exported.add(name)
                self.raw.append((scope.index, "pass", name, part.start_point[0] + 1, ()))
            elif kind == "spread_element":
                self._add_spread(owner, part, scope)

    def _add_method(self, owner: int, part: Node, scope: Scope) -> None:
        key = part.child_by_field_name("name")
        name = self.member_name(key) if key is not None else ""
        if not name:
            self.callback(part, scope)
            return
        draft = self.drafts[self.add_function(owner, name, part, scope)]
        if any(child.type in ("get", "set") for child in part.children if not child.is_named):
            draft.kind = "property"
            draft.flags.append("property")

    def _add_spread(self, owner: int, part: Node, scope: Scope) -> None:
        for inner in self.parts(part):
            for value in self.values(inner, scope):
                if value[0] not in "?%" and owner:
                    self.drafts[owner].bases.append(value)
                elif value[0] == "<":
                    self.bind(0, "*", (value + ".*",), "import", scope.index, inner.start_point[0] + 1)

    def _add_pair(self, owner: int, part: Node, scope: Scope, depth: int) -> None:
        key, value = part.child_by_field_name("key"), part.child_by_field_name("value")
        if key is None or value is None:
            return
        name = self.member_name(key)
        kind = self.kinds[value.kind_id]
        if not name:
            self.pending.append((key, scope))
            self.argument(value, scope, "")
        elif kind in FUNCTIONS:
            self.add_function(owner, name, value, scope, part)
        elif kind == "object" and depth < _NESTING and owner:
            index = self.define(name, "variable", owner, part, value)
            self.add_members(index, value, scope, depth=depth + 1)
        elif kind == "class":
            self.class_named(value, name, owner, scope, part)
        elif kind == "identifier" and owner == 0 and self.name(value) == name:
            self.exported.add(name)
        else:
            line = part.start_point[0] + 1
            values = self.values(value, scope)
            if values and values[0][0] not in "?%":
                self.raw.append((scope.index, "pass", values[0], line, ()))
            self.bind(owner, name, values, "assign", scope.index, line)
        if owner == 0 and name:
            self.exported.add(name)

    def class_named(
        self, node: Node, name: str, parent: int, scope: Scope, whole: Node, decorators: list[Node] | None = None
    ) -> int:
        raise NotImplementedError
