"""Variables and assignments: names, fields of `this`, members of objects and prototypes, what CommonJS exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.modules import Modules
from tidegate.reach.languages.ecma.state import EXPORTS, FUNCTIONS, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

_VERBS = ("get", "post", "put", "delete", "patch", "head", "options", "all")


class Assignments(Modules):
    """Reads declarations of variables, and assignments."""

    def variables(self, node: Node, scope: Scope) -> None:
        """`const`, `let` and `var`. Names of a module's or namespace's top level are definitions."""
        constant = node.children[0].type == "const"
        declarators = [part for part in node.named_children if self.kinds[part.kind_id] == "variable_declarator"]
        for part in declarators:
            whole = node if len(declarators) == 1 else part
            self._variable(part, whole, constant, scope)

    def _variable(self, node: Node, whole: Node, constant: bool, scope: Scope) -> None:
        pattern, value, written = (
            node.child_by_field_name("name"),
            node.child_by_field_name("value"),
            node.child_by_field_name("type"),
        )
        if pattern is None:
            return
        if written is not None:
            self.type_uses(written, scope.index)
        if self.kinds[pattern.kind_id] != "identifier":
            self._taken_apart(pattern, value, written, whole, constant, scope)
            return
        name = self.name(pattern)
        self.locals[scope.index].add(name)
        line = node.start_point[0] + 1
        if value is not None and self._is_definition(name, value, whole, scope):
            pass
        else:
            values = self.values(value, scope) if value is not None else ()
            imported = bool(values) and values[0][0] == "<"
            if scope.top and not imported:
                self._top(name, constant, scope, whole, node)
            self.bind(scope.index, name, values, "import" if imported else "assign", scope.index, line)
            if value is not None and values and values[0] != "default":
                self._inherited(name, value, values, scope)
        types = self.type_chains(written)
        self.bind(scope.index, name, types, "annotation", scope.index, line)

    def _top(self, name: str, constant: bool, scope: Scope, whole: Node, node: Node) -> None:
        self.define(name, "constant" if constant or name.isupper() else "variable", scope.index, whole, node)

    def _inherited(self, name: str, value: Node, values: tuple[str, ...], scope: Scope) -> None:
        """`const a = Object.create(b)` at a top level: a has the members of b."""
        index = self.named.get((scope.index, name), -1)
        if (
            index < 0
            or self.kinds[value.kind_id] != "call_expression"
            or not self.text(value).startswith("Object.create")
        ):
            return
        for chain in values:
            if chain[0] not in "?%":
                self.drafts[index].bases.append(chain.removesuffix("!"))
                self.refer(index, "inherit", chain.removesuffix("!"), value)

    def _is_definition(self, name: str, value: Node, whole: Node, scope: Scope) -> bool:
        """Defines what a name is bound to where that is a function, a class or an object; False for other values."""
        kind = self.kinds[value.kind_id]
        while kind in ("parenthesized_expression", "as_expression", "satisfies_expression"):
            parts = self.parts(value)
            if not parts:
                return False
            if len(parts) > 1:
                self.type_uses(parts[1], scope.index)
            value = parts[0]
            kind = self.kinds[value.kind_id]
        if kind in FUNCTIONS:
            self.add_function(scope.index, name, value, scope, whole)
            return True
        if kind == "class":
            self.class_named(value, name, scope.index, scope, whole)
            return True
        if kind == "object" and (scope.top or self._has_functions(value)):
            self.add_object(scope.index, name, value, scope, whole)
            return True
        if kind == "assignment_expression":
            return self._exported_object(name, value, whole, scope)
        return self._wrapped(name, value, whole, scope) if kind == "call_expression" else False

    def _wrapped(self, name: str, value: Node, whole: Node, scope: Scope) -> bool:
        """`const f = wrap(() => ...)` at a top level: f is the function, and what wraps it decorates it."""
        parts = self.parts(value)
        if not scope.top or len(parts) < 2 or self.kinds[parts[-1].kind_id] != "arguments":
            return False
        given = self.parts(parts[-1])
        if (
            not given
            or self.kinds[given[0].kind_id] not in FUNCTIONS
            or self.kinds[parts[0].kind_id]
            not in (
                "identifier",
                "member_expression",
            )
        ):
            return False
        index = self.add_function(scope.index, name, given[0], scope, whole)
        chain = self.chain(parts[0], scope, "")
        self.refer(scope.index, "call", chain, value, (name,))
        self.refer(index, "decorate", chain, value)
        self.drafts[index].decorators.append(chain + "()")
        for part in given[1:]:
            self.argument(part, scope, "")
        return True

    def _has_functions(self, node: Node) -> bool:
        for part in self.parts(node):
            kind = self.kinds[part.kind_id]
            if kind == "method_definition":
                return True
            if kind == "pair":
                value = part.child_by_field_name("value")
                if value is not None and self.kinds[value.kind_id] in FUNCTIONS:
                    return True
        return False

    def _exported_object(self, name: str, value: Node, whole: Node, scope: Scope) -> bool:
        """`var app = exports = module.exports = {}`: what is assigned has the name, and is exported."""
        targets, node = [], value
        while self.kinds[node.kind_id] == "assignment_expression":
            parts = self.parts(node)
            if len(parts) != 2:
                return False
            targets.append(parts[0])
            node = parts[1]
        if not self._is_definition(name, node, whole, scope):
            return False
        for target in targets:
            self._export_target(target, name, scope)
        return True

    def _export_target(self, target: Node, name: str, scope: Scope) -> None:
        chain = self._pure(target, scope)
        line = target.start_point[0] + 1
        if chain == EXPORTS:
            self.bind(0, "default", (name,), "assign", scope.index, line)
            self.exported.add(name)
        elif self.text(target).startswith(("exports.", "module.exports.")):
            self.bind(0, chain, (name,), "assign", scope.index, line)
            self.exported.add(name)
        else:
            owner, last = self._target(target, scope)
            if owner >= 0:
                self.bind(owner, last, (name,), "assign", scope.index, line)

    def _taken_apart(
        self, pattern: Node, value: Node | None, written: Node | None, whole: Node, constant: bool, scope: Scope
    ) -> None:
        if (
            value is not None
            and self.kinds[value.kind_id] == "array"
            and self.kinds[pattern.kind_id] == "array_pattern"
        ):
            for target, one in zip(self.parts(pattern), self.parts(value), strict=False):
                self.bind_pattern(target, self.values(one, scope), scope, "assign")
            return
        values = self.values(value, scope) if value is not None else ()
        values += self.type_chains(written)
        imported = bool(values) and values[0][0] == "<"
        before = len(self.bindings)
        self.bind_pattern(pattern, values, scope, "import" if imported else "assign")
        if scope.top and not imported:
            names = dict.fromkeys(binding.name for binding in self.bindings[before:])
            for name in names:
                self.define(name, "constant" if constant else "variable", scope.index, whole)

    # assignments

    def assign(self, node: Node, scope: Scope) -> tuple[str, ...]:
        """Reads an assignment; what it gives."""
        parts = self.parts(node)
        if len(parts) != 2:
            self.pending.extend([(part, scope) for part in parts])
            return ()
        left, right = parts
        while self.kinds[right.kind_id] == "parenthesized_expression" and self.parts(right):
            right = self.parts(right)[0]
        kind = self.kinds[left.kind_id]
        if kind == "identifier":
            return self._to_name(left, right, node, scope)
        if kind == "member_expression" or kind == "subscript_expression":
            return self._to_member(left, right, node, scope)
        values = self.values(right, scope)
        self.bind_pattern(left, values, scope, "assign")
        return values

    def _scope_of(self, name: str, scope: Scope) -> int:
        at = scope.index
        while at > 0 and name not in self.locals[at]:
            at = self.drafts[at].lexical
        return max(at, 0)

    def _to_name(self, left: Node, right: Node, node: Node, scope: Scope) -> tuple[str, ...]:
        name = self.name(left)
        if name == "exports" and not self.is_local(scope.index, name):
            return self._to_exports(right, node, scope)
        target = self._scope_of(name, scope)
        kind = self.kinds[right.kind_id]
        if kind in FUNCTIONS:
            self.add_function(target, name, right, scope, node)
            return (name,)
        if kind == "class":
            self.class_named(right, name, target, scope, node)
            return (name,)
        values = self.values(right, scope)
        self.bind(target, name, values, "assign", scope.index, node.start_point[0] + 1)
        if target == 0:
            self.refer(scope.index, "write", name, left)
        return values

    def _to_exports(self, right: Node, node: Node, scope: Scope) -> tuple[str, ...]:
        """`module.exports = x`: x is the module's default, and its members are names of the module."""
        if self.kinds[right.kind_id] == "object":
            index = self.define("default", "variable", 0, node, right)
            self.add_members(index, right, scope)
            self.drafts[index].flags.append("exported")
            for (parent, name), number in list(self.named.items()):
                if parent == index:
                    self.bind(0, name, (f"default.{name}",), "assign", 0, self.drafts[number].line)
            for binding in [one for one in self.bindings if one.scope == index]:
                if binding.value != binding.name:
                    self.bind(0, binding.name, (binding.value,), "assign", binding.within, binding.line)
                self.exported.add(binding.name)
            self._stars(tuple(self.drafts[index].bases), scope, node)
            return ("default",)
        if self.kinds[right.kind_id] == "assignment_expression":
            values = self.assign(right, scope)
            if values != ("default",):
                self.bind(0, "default", values, "assign", scope.index, node.start_point[0] + 1)
                self._stars(values, scope, node)
            return values or ("default",)
        self._default(right, scope, node, [])
        values = tuple(b.value for b in self.bindings if b.scope == 0 and b.name == "default")
        self._stars(values, scope, node)
        return values or ("default",)

    def _stars(self, values: tuple[str, ...], scope: Scope, node: Node) -> None:
        for value in values:
            if value[0] == "<" and value.endswith(">"):
                self.bind(0, "*", (value + ".*",), "import", scope.index, node.start_point[0] + 1)

    def _target(self, left: Node, scope: Scope) -> tuple[int, str]:
        """The definition that an assignment gives a member to, and the member's name; -1 where that is not known."""
        parts = self.parts(left)
        if len(parts) < 2:
            return -1, ""
        if self.kinds[left.kind_id] == "member_expression":
            name = self.text(parts[-1])
        else:
            name = self.member_name(parts[-1]) if self.kinds[parts[-1].kind_id] == "string" else ""
        chain = self._pure(parts[0], scope)
        return (self._owner(chain, scope) if chain else -1), name

    def _to_member(self, left: Node, right: Node, node: Node, scope: Scope) -> tuple[str, ...]:
        chain = self._pure(left, scope) if self.kinds[left.kind_id] == "member_expression" else ""
        if chain == EXPORTS:
            return self._to_exports(right, node, scope)
        owner, name = self._target(left, scope)
        if not name:
            return self._computed_member(owner, left, right, node, scope)
        if owner < 0 and self.kinds[right.kind_id] in FUNCTIONS and chain and chain[0] not in "?%<":
            owner = self._local_object(chain.rpartition(".")[0], left, scope)
        if name == "__proto__" or (name == "prototype" and owner > 0):
            return self._prototype(owner, right, node, scope)
        if owner > 0:
            self._written(left, scope)
        if owner >= 0 and self._member_definition(owner, name, right, node, scope):
            if owner == 0:
                self.exported.add(name)
                self.drafts[self.named[0, name]].flags.append("exported")
            return (self._pure(left, scope) or name,)
        if owner < 0:
            self.chain(left, scope, "write")
        values = self.values(right, scope)
        if values and values[0][0] not in "?%" and self.kinds[right.kind_id] in ("identifier", "member_expression"):
            self.raw.append((scope.index, "pass", values[0], node.start_point[0] + 1, ()))
        if owner >= 0:
            within = scope.index
            self.bind(owner, name, values, "assign", within, node.start_point[0] + 1)
        if owner == 0:
            self.exported.add(name)
            self.exported.update(values)
        return values

    def _written(self, left: Node, scope: Scope) -> None:
        chain = self._pure(left, scope)
        if chain:
            self.refer(scope.index, "write", chain, left)

    def _member_definition(self, owner: int, name: str, right: Node, node: Node, scope: Scope) -> bool:
        kind = self.kinds[right.kind_id]
        if kind in FUNCTIONS:
            self.add_function(owner, name, right, scope, node)
            return True
        if kind == "class":
            self.class_named(right, name, owner, scope, node)
            return True
        if kind == "object" and (owner == 0 or self._has_functions(right)):
            self.add_object(owner, name, right, scope, node)
            return True
        return False

    def _local_object(self, chain: str, left: Node, scope: Scope) -> int:
        """An object without a definition gets a function: it becomes a variable of the code around."""
        if not chain or not chain.replace("$", "_").isidentifier() or chain in ("self", "cls", "super"):
            return -1
        at = self._scope_of(chain, scope)
        if chain in self.locals[at] and at > 0:
            return self.define(chain, "variable", at, left)
        return -1

    def _prototype(self, owner: int, right: Node, node: Node, scope: Scope) -> tuple[str, ...]:
        """`A.prototype = B.prototype` and `a.__proto__ = b`: A inherits from B."""
        if owner > 0 and self.kinds[right.kind_id] == "object":
            self.add_members(owner, right, scope)
            return ()
        values = self.values(right, scope)
        for value in values:
            if owner > 0 and value[0] not in "?%":
                self.inherit(owner, value.removesuffix("()"), node)
        return values

    def _computed_member(self, owner: int, left: Node, right: Node, node: Node, scope: Scope) -> tuple[str, ...]:
        """`app[method] = function`: one function under names that are not written here.

        It is defined under the name of the variable; where that says HTTP methods, it is bound to their names.
        """
        parts = self.parts(left)
        index = parts[-1] if len(parts) > 1 else left
        if len(parts) > 1:
            self.chain(parts[0], scope)
            self.chain(index, scope)
        if owner < 0 or self.kinds[right.kind_id] not in FUNCTIONS or self.kinds[index.kind_id] != "identifier":
            if owner >= 0:
                self.gap(scope.index, "reflection", node)
            return self.values(right, scope)
        name = self.name(index)
        if (owner, name) in self.named:
            name += "$"
        made = self.add_function(owner, name, right, scope, node)
        self.gap(made, "reflection", node)
        if name.lower().rstrip("s$") in ("method", "verb", "httpmethod"):
            chain = f"{self.path_of(owner)}.{name}" if owner else name
            line = node.start_point[0] + 1
            for verb in _VERBS:
                if (owner, verb) not in self.named:
                    self.bind(owner, verb, (chain,), "assign", max(self.drafts[owner].parent, 0), line)
        return ()
