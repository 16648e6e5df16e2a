"""Calls that mean more than a call: modules, `call` and `bind`, objects that get members, mixins, evaluated text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.expressions import Expressions
from tidegate.reach.languages.ecma.state import EXPORTS, FUNCTIONS, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

_MIXINS = frozenset(["mixin", "mixins", "extend", "merge", "assign", "inherits", "setPrototypeOf", "setprototypeof"])
_SAME = frozenset(["Object.freeze", "Object.seal", "Object.create", "Object.preventExtensions", "structuredClone"])
_DEFINERS = frozenset(["defineProperty", "defineGetter", "__defineGetter__", "defineLazyProperty"])
_CALLERS = frozenset(["call", "apply", "bind"])
_LISTED = frozenset(["Object.values", "Object.keys", "Object.entries", "Array.from"])
_KNOWN = frozenset([*_CALLERS, *_MIXINS, *_DEFINERS, *(name.rpartition(".")[2] for name in _LISTED), "all", "resolve"])
_ROOTS = frozenset(["super", "eval", EXPORTS])
_REQUIRES = frozenset(["require", "import", "require.resolve", "jest.requireActual", "vi.importActual"])
_TESTING = frozenset(
    [
        "describe",
        "context",
        "suite",
        "it",
        "test",
        "specify",
        "xit",
        "fit",
        "xtest",
        "xdescribe",
        "fdescribe",
        "beforeEach",
        "afterEach",
        "beforeAll",
        "afterAll",
        "before",
        "after",
        "setup",
        "teardown",
        "t",
        "Deno",
        "QUnit",
        "tap",
    ]
)


class Calls(Expressions):
    """Reads calls."""

    def test_call(self, chain: str, parts: list[Node], scope: Scope) -> bool:
        raise NotImplementedError

    def add_members(self, owner: int, node: Node, scope: Scope, depth: int = 0) -> None:
        raise NotImplementedError

    def add_function(self, owner: int, name: str, node: Node, scope: Scope) -> int:
        raise NotImplementedError

    def call(self, chain: str, parts: list[Node], scope: Scope) -> str:
        """The chain of the result; the call and everything in its arguments are written down.

        `parts` are the callee, perhaps the arguments of its type, and the arguments.
        """
        arguments = parts[-1]
        if len(parts) > 2:
            self._type_arguments(parts, scope)
        first = chain.partition(".")[0].partition("(")[0]
        if first in _TESTING and self.test_call(chain, parts, scope):
            return "?"
        if chain in _REQUIRES and not self.is_local(scope.index, first):
            return self._require(chain, parts, scope)
        last = chain.rpartition(".")[2]
        if last in _KNOWN or chain in _SAME:
            known = self._known(chain, last, parts, scope)
            if known:
                return known
        if chain in _ROOTS or self.required:
            chain = self._rooted(chain, parts, scope)
        given = self.arguments(arguments, scope, self.given_to_callback(chain))
        if chain.endswith("[]") and self._computed(parts[0]):
            self.gap(scope.index, "reflection", arguments)
        self.raw.append((scope.index, "call", chain, parts[0].end_point[0] + 1, given))
        self.required = False
        return chain + "()"

    def _rooted(self, chain: str, parts: list[Node], scope: Scope) -> str:
        """The callee where it is a word of the language, or a whole module."""
        if chain == "super":
            return "super.constructor"
        if chain == "eval":
            self.gap(scope.index, "eval", parts[0])
        if chain == EXPORTS:
            return "default"
        return chain + ".default" if chain[:1] == "<" and chain.endswith(">") else chain

    def _type_arguments(self, parts: list[Node], scope: Scope) -> None:
        for part in parts[1:-1]:
            if self.kinds[part.kind_id] == "type_arguments":
                self.type_uses(part, scope.index)

    def _refer_call(self, chain: str, callee: Node, scope: Scope, given: tuple[str, ...]) -> None:
        line = callee.end_point[0] + 1
        self.raw.append((scope.index, "call", "default" if chain == EXPORTS else chain, line, given))

    def _computed(self, callee: Node) -> bool:
        if self.kinds[callee.kind_id] != "subscript_expression":
            return False
        parts = self.parts(callee)
        return bool(parts) and self.kinds[parts[-1].kind_id] != "number"

    # modules

    def _require(self, chain: str, parts: list[Node], scope: Scope) -> str:
        given = self.parts(parts[-1])
        kind = self.kinds[given[0].kind_id] if given else ""
        text = self.text(given[0]) if kind in ("string", "template_string") else ""
        if not text or "${" in text:
            self.gap(scope.index, "dynamic-import", parts[0])
            self.arguments(parts[-1], scope, "")
            return "?"
        spec = text[1:-1].replace(">", "")
        self.refer(scope.index, "import", f"<{spec}>", parts[0])
        self.required = chain == "require"
        return "%str" if chain == "require.resolve" else f"<{spec}>"

    def _bound(self, chain: str, how: str, parts: list[Node], scope: Scope) -> str:
        """`f.call(this, a)` and `f.apply(this, all)` call f; `f.bind(this)` is f."""
        given = self.arguments(parts[-1], scope, "")
        if how == "bind":
            self.refer(scope.index, "pass", chain, parts[0])
            return chain
        self._refer_call(chain, parts[0], scope, given[1:] if how == "call" else ())
        return chain + "()"

    # objects

    def _known(self, chain: str, last: str, parts: list[Node], scope: Scope) -> str:
        """The chain of the result of a call that this reader knows; "" for any other."""
        arguments = parts[-1]
        if last in _CALLERS:
            return self._bound(chain[: -len(last) - 1], last, parts, scope) if "." in chain else ""
        if chain in _SAME:
            given = self.parts(arguments)
            self.arguments(arguments, scope, "")
            return (self._pure(given[0], scope) if given else "") or "%dict"
        if chain in _LISTED:
            return self._listed(last, arguments, scope)
        if last in _DEFINERS:
            return self._defined(chain, last, parts, scope)
        if last in _MIXINS:
            return self._mixed(chain, parts, scope)
        if chain == "Promise.all" or chain == "Promise.resolve":
            given = self.parts(arguments)
            found = self.values(given[0], scope) if given else ()
            return found[0] if found else "?"
        return ""

    def _listed(self, last: str, arguments: Node, scope: Scope) -> str:
        self.arguments(arguments, scope, "")
        parts = self.parts(arguments)
        of = self._pure(parts[0], scope) if parts else ""
        if last == "keys":
            return "%str*"
        if not of or of[0] in "?%":
            return "%list"
        return of + ("[]**" if last == "entries" else "[]*")

    def _pure(self, node: Node, scope: Scope) -> str:
        """The chain of names and members, without writing anything down; "" for anything else."""
        names: list[str] = []
        while self.kinds[node.kind_id] in ("member_expression", "non_null_expression"):
            parts = self.parts(node)
            if len(parts) > 1:
                names.append(self.text(parts[-1]))
            node = parts[0]
        kind = self.kinds[node.kind_id]
        if kind == "this":
            chain = scope.this
        elif kind == "identifier":
            chain = self.name(node)
            if chain == "exports" and not self.is_local(scope.index, chain):
                chain = EXPORTS
        elif kind == "object" or kind == "array":
            return "%dict"
        elif kind == "call_expression" or kind == "new_expression":
            inner = self.parts(node)
            chain = self._pure(inner[0], scope) + "()" if inner else ""
        else:
            return ""
        for name in reversed(names):
            chain = self.member(chain, name)
        return chain

    def _owner(self, chain: str, scope: Scope) -> int:
        """The definition in this file that gets members under this chain; -1 for none, 0 for what is exported."""
        if chain == EXPORTS:
            return 0
        if chain == scope.this and scope.owner >= 0:
            return scope.owner
        chain = chain.removesuffix("!")
        if not chain or chain[0] in "?%<" or "(" in chain or "[" in chain or "!" in chain:
            return -1
        return self.find(scope.index, chain)

    def _mixed(self, chain: str, call: list[Node], scope: Scope) -> str:
        arguments = call[-1]
        parts = self.parts(arguments)
        target = self._pure(parts[0], scope) if parts else ""
        owner = self._owner(target, scope) if target else -1
        if owner < 0 or (owner and self.drafts[owner].kind not in ("class", "variable", "constant", "function")):
            if chain in ("Object.assign", "Object.setPrototypeOf") and target and target[0] not in "?%":
                self.arguments(arguments, scope, "")
                return target
            return ""
        self._refer_call(chain, call[0], scope, (target,))
        for part in parts[1:]:
            kind = self.kinds[part.kind_id]
            if kind == "object":
                self.add_members(owner, part, scope)
                continue
            line = part.start_point[0] + 1
            for value in self.values(part, scope):
                if owner == 0:
                    self.bind(0, "*", (value + ".*",) if value[0] == "<" else (), "import", scope.index, line)
                elif value[0] not in "?%":
                    self.inherit(owner, value, part)
        return "default" if target == EXPORTS else target

    def inherit(self, owner: int, value: str, node: Node) -> None:
        """A definition gets the members of what the chain means."""
        base = value.removesuffix("!")
        draft = self.drafts[owner]
        if base not in draft.bases and draft.name != base:
            draft.bases.append(base)
            self.refer(owner, "inherit", base, node)

    def _defined(self, chain: str, last: str, call: list[Node], scope: Scope) -> str:
        """`Object.defineProperty(object, "name", { get() {} })` and its like make a member of the object."""
        parts = self.parts(call[-1])
        if last == "__defineGetter__":
            target, parts = chain[: -len(last) - 1], [call[-1], *parts]
        elif len(parts) >= 3:
            target = self._pure(parts[0], scope)
        else:
            return ""
        owner = self._owner(target, scope) if target else -1
        if owner < 0 or len(parts) < 3 or self.kinds[parts[1].kind_id] != "string":
            return ""
        name = self.member_name(parts[1])
        self._refer_call(chain, call[0], scope, (target, f'"{name}"'))
        made = parts[2]
        if self.kinds[made.kind_id] in FUNCTIONS:
            self._property(owner, name, made, scope)
            return target
        for part in self.parts(made) if self.kinds[made.kind_id] == "object" else [made]:
            key = part.child_by_field_name("key") or part.child_by_field_name("name")
            value = part.child_by_field_name("value") or part
            word = self.text(key) if key is not None else ""
            if word in ("get", "set", "value") and (
                self.kinds[value.kind_id] in FUNCTIONS or self.kinds[value.kind_id] == "method_definition"
            ):
                if word == "value":
                    self.add_function(owner, name, value, scope)
                else:
                    self._property(owner, name, value, scope)
            elif word == "get" or word == "value":
                self.bind(owner, name, self.values(value, scope), "assign", scope.index, part.start_point[0] + 1)
            else:
                self.pending.append((part, scope))
        return target

    def _property(self, owner: int, name: str, node: Node, scope: Scope) -> None:
        draft = self.drafts[self.add_function(owner, name, node, scope)]
        draft.kind = "property"
        draft.flags.append("property")
