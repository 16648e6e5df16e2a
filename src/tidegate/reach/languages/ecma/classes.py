"""Classes, interfaces, enums, type aliases and namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.functions import Functions
from tidegate.reach.languages.ecma.state import FUNCTIONS, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

_METHODS = frozenset(["method_definition", "abstract_method_signature", "method_signature"])
_FIELDS = frozenset(["public_field_definition", "field_definition"])
_WORDS = frozenset(["static", "async", "get", "set", "*", "abstract", "accessor"])


class Classes(Functions):
    """Reads types with members."""

    def class_expression(self, node: Node, scope: Scope) -> str:
        """A class that is handed over or returned: a definition with its own name, or with the name Class."""
        named = node.child_by_field_name("name")
        name = self.name(named) if named is not None else "Class"
        index = self.class_named(node, name, scope.index, scope, node)
        if named is None:
            self.drafts[index].flags.append("anonymous")
        return name

    def class_named(
        self, node: Node, name: str, parent: int, scope: Scope, whole: Node, decorators: list[Node] | None = None
    ) -> int:
        """Defines a class with everything in it; its index."""
        index = self.define(name, "class", parent, whole, node)
        self.locals[parent].add(name)
        draft = self.drafts[index]
        inner = Scope(index, "cls", index, scope.suite)
        if self.kinds[node.kind_id].startswith("abstract"):
            draft.flags.append("abstract")
        for written in [*(decorators or ()), *(c for c in node.named_children if self.kinds[c.kind_id] == "decorator")]:
            draft.decorators.append(self.decorator(written, inner))
            draft.line = min(draft.line, written.start_point[0] + 1)
        self.type_parameters(node, index)
        for part in node.named_children:
            if self.kinds[part.kind_id] == "class_heritage":
                self._heritage(part, index, Scope(index, scope.this, scope.owner, scope.suite))
        body = node.child_by_field_name("body")
        waiting: list[Node] = []
        for part in self.parts(body) if body is not None else ():
            if self.kinds[part.kind_id] == "decorator":
                waiting.append(part)
                continue
            self._member(part, index, inner, waiting)
            waiting = []
        return index

    # heritage

    def _heritage(self, node: Node, index: int, scope: Scope) -> None:
        for part in self.parts(node):
            kind = self.kinds[part.kind_id]
            if kind == "extends_clause":
                value = part.child_by_field_name("value")
                if value is not None:
                    self._base(value, index, scope)
                self.type_uses(part.child_by_field_name("type_arguments"), index)
            elif kind == "implements_clause":
                self.implement(part, index)
            else:
                self._base(part, index, scope)

    def _base(self, node: Node, index: int, scope: Scope) -> None:
        bases = self.drafts[index].bases
        if self.kinds[node.kind_id] == "call_expression":
            parts = self.parts(node)
            for argument in self.parts(parts[-1]) if parts else ():
                if self.kinds[argument.kind_id] in ("identifier", "member_expression"):
                    chain = self.chain(argument, scope, "")
                    bases.append(chain)
                    self.refer(index, "inherit", chain, argument)
            bases.insert(0, self.chain(node, scope))
            return
        for chain in self.values(node, scope):
            bases.append(chain)
            self.refer(index, "inherit", chain, node)

    def implement(self, node: Node, index: int) -> None:
        """The types of an `implements` or an interface's `extends` are bases."""
        for part in self.parts(node):
            kind = self.kinds[part.kind_id]
            named = self.parts(part)[0] if kind == "generic_type" and self.parts(part) else part
            chain = self.text(named).replace(" ", "").replace("\n", "")
            if len(chain) > 100 or not chain.replace(".", "").replace("$", "").isidentifier():
                self.type_uses(part, index)
                continue
            self.drafts[index].bases.append(chain)
            self.refer(index, "inherit", chain, part)
            if kind == "generic_type":
                for argument in self.parts(part)[1:]:
                    self.type_uses(argument, index)

    # members

    def _member(self, part: Node, owner: int, inner: Scope, decorators: list[Node]) -> None:
        kind = self.kinds[part.kind_id]
        if kind in _METHODS:
            self._method(part, owner, inner, decorators)
        elif kind in _FIELDS:
            self._field_of(part, owner, inner, decorators)
        elif kind == "class_static_block":
            self.pending.append((part, inner))
        elif kind == "index_signature":
            self.type_uses(part, owner)
        else:
            self.pending.append((part, inner))

    def _words(self, part: Node, key: Node | None) -> list[str]:
        found: list[str] = []
        for child in part.children:
            if key is not None and child.start_byte >= key.start_byte:
                break
            word = child.type
            if word in _WORDS:
                found.append(word)
            elif word == "accessibility_modifier" and self.text(child) != "public":
                found.append("private")
        return found

    def _method(self, part: Node, owner: int, inner: Scope, decorators: list[Node]) -> None:
        key = part.child_by_field_name("name")
        name = self.member_name(key) if key is not None else ""
        words = self._words(part, key)
        if not name:
            if key is not None:
                self.pending.append((key, inner))
            name = "computed"
        index = self.define(name, "method", owner, part)
        draft = self.drafts[index]
        this = "cls" if "static" in words else "self"
        self.read_function(index, part, this, owner, inner)
        if "get" in words or "set" in words:
            draft.kind = "property"
            draft.flags.append("property")
        if self.kinds[part.kind_id] != "method_definition":
            draft.flags.append("abstract" if self.kinds[part.kind_id] == "abstract_method_signature" else "overload")
        self._decorate(index, draft_line_of=decorators, scope=Scope(index, this, owner, inner.suite))
        draft.flags.extend(word for word in words if word == "static")
        draft.hidden = draft.hidden or "private" in words

    def _decorate(self, index: int, draft_line_of: list[Node], scope: Scope) -> None:
        draft = self.drafts[index]
        for written in draft_line_of:
            draft.decorators.append(self.decorator(written, scope))
            draft.line = min(draft.line, written.start_point[0] + 1)

    def _field_of(self, part: Node, owner: int, inner: Scope, decorators: list[Node]) -> None:
        key = part.child_by_field_name("name") or part.child_by_field_name("property")
        name = self.member_name(key) if key is not None else ""
        value, written = part.child_by_field_name("value"), part.child_by_field_name("type")
        words = self._words(part, key)
        this = "cls" if "static" in words else "self"
        here = Scope(owner, this, owner, inner.suite)
        own = [child for child in part.named_children if self.kinds[child.kind_id] == "decorator"]
        if not name:
            self.pending.extend([(child, here) for child in part.named_children])
            return
        line = part.start_point[0] + 1
        if value is not None and self.kinds[value.kind_id] in FUNCTIONS:
            index = self.define(name, "method", owner, part, value)
            self.read_function(index, value, this, owner, here)
        else:
            constant = name.isupper() or any(child.type == "readonly" for child in part.children)
            index = self.define(name, "constant" if constant and "static" in words else "variable", owner, part)
            if value is not None:
                values = self.values(value, here)
                # `match = match`: no field is seen by its name alone.
                self.bind(owner, name, values, "assign", self.drafts[owner].parent if name in values else owner, line)
        if written is not None:
            self.type_uses(written, owner)
            self.bind(owner, name, self.type_chains(written), "annotation", owner, line)
        self._decorate(index, [*decorators, *own], Scope(index, this, owner, inner.suite))
        draft = self.drafts[index]
        draft.flags.extend(word for word in words if word in ("static", "abstract"))
        draft.hidden = draft.hidden or "private" in words

    # types

    def interface(self, node: Node, scope: Scope) -> None:
        """An interface: methods are definitions, properties are bindings."""
        named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if named is None:
            return
        index = self.define(self.text(named), "interface", scope.index, node)
        self.type_parameters(node, index)
        for part in node.named_children:
            if self.kinds[part.kind_id] in ("extends_type_clause", "extends_clause"):
                self.implement(part, index)
        if body is not None:
            self.signatures(body, index)

    def signatures(self, body: Node, owner: int) -> None:
        """The members of an interface or an object type."""
        for part in self.parts(body):
            kind = self.kinds[part.kind_id]
            key = part.child_by_field_name("name")
            name = self.member_name(key) if key is not None else ""
            written = part.child_by_field_name("type")
            if kind == "method_signature" and name:
                index = self.define(name, "method", owner, part)
                self.read_function(index, part, "self", owner, Scope(owner, "self", owner))
                self.drafts[index].flags.append("abstract")
            elif kind == "property_signature" and name and written is not None:
                inner = self.parts(written)
                if inner and self.kinds[inner[0].kind_id] == "function_type":
                    index = self.define(name, "method", owner, part, inner[0])
                    self.read_function(index, inner[0], "self", owner, Scope(owner, "self", owner))
                    self.drafts[index].flags.append("abstract")
                    continue
                self.type_uses(written, owner)
                self.bind(owner, name, self.type_chains(written), "annotation", owner, part.start_point[0] + 1)
            else:
                self.type_uses(part, owner)

    def alias(self, node: Node, scope: Scope) -> None:
        """`type A = B | { ... }`: A has the members of its alternatives."""
        named, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if named is None or value is None:
            return
        index = self.define(self.text(named), "type", scope.index, node)
        self.type_parameters(node, index)
        bases = self.drafts[index].bases
        stack = [value]
        while stack:
            part = stack.pop()
            kind = self.kinds[part.kind_id]
            if kind == "object_type":
                self.signatures(part, index)
            elif kind in ("union_type", "intersection_type", "parenthesized_type"):
                stack.extend(reversed(self.parts(part)))
            else:
                self.type_uses(part, index)
                chains = self.type_chains(part)
                bases.extend(chain[:-1] for chain in chains if chain.endswith("!"))

    def enum(self, node: Node, scope: Scope) -> None:
        """An enum is a class whose members are constants."""
        named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if named is None:
            return
        index = self.define(self.name(named), "class", scope.index, node)
        for part in self.parts(body) if body is not None else ():
            key = part.child_by_field_name("name") if self.kinds[part.kind_id] == "enum_assignment" else part
            name = self.member_name(key) if key is not None else ""
            if not name:
                continue
            self.define(name, "constant", index, part)
            value = part.child_by_field_name("value")
            if value is not None:
                self.pending.append((value, Scope(index, "cls", index)))

    def namespace(self, node: Node, scope: Scope) -> None:
        """`namespace A.B { ... }`: what is in it are members of A.B. What is declared for a module is of the file."""
        named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if body is None:
            return
        inner = scope
        if named is not None and self.kinds[named.kind_id] != "string":
            index = scope.index
            for name in self.text(named).replace(" ", "").split("."):
                known = self.named.get((index, name), -1)
                if known < 0 or self.drafts[known].kind not in ("variable", "class", "function"):
                    known = self.define(name, "variable", index, node)
                index = known
            inner = Scope(index, "?", -1, scope.suite, top=True)
        self.pending.append((body, inner))
