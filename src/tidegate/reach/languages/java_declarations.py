"""Java: what a compilation unit declares, and by `java_expressions` what its bodies do.

Constructors are methods of the name "Class.<init>"; `new Foo()` is a call of "Foo", `this()` and `super()` are calls of
"self.<init>" and "super.<init>", and a constructor that writes neither calls "super.<init>". Initialisers, static or
not, are methods of the name "Class.<clinit>"; their class calls them, and reads each of its fields that calls something
when it is made. An anonymous class is "outer.Base$1", a class with that base inside the definition around it; it is
what `new Base() {}` calls. A component of a record is a method and a field. A test calls its class and every set-up
method of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tidegate.reach.languages.java_members import JavaMembers, lines_of
from tidegate.reach.languages.jvm import (
    CONTAINERS,
    split_qualified,
)
from tidegate.reach.languages.jvm_record import Scope, line_of
from tidegate.reach.symbols import Definition, DefinitionKind, Reference

if TYPE_CHECKING:
    from tree_sitter import Node

_PLATFORM = (
    "java.",
    "javax.",
    "jakarta.",
    "reactor.",
    "io.reactivex.",
    "com.google.common.",
    "com.google.inject",
    "org.springframework.",
    "rx.",
    "kotlin",
    "androidx.",
)
_KINDS: dict[str, DefinitionKind] = {"interface_declaration": "interface", "annotation_type_declaration": "interface"}
_CALLABLE = frozenset(["method_declaration", "annotation_type_element_declaration"])


class JavaDeclarations(JavaMembers):
    """Reads a compilation unit, its packages, imports and classes."""

    def module(self, root: Node) -> None:
        self.definitions.clear()
        self.scope = Scope(0, "", "", "module", None)
        self.nodes.append(root)
        self.definitions.append(_module(root))
        for child in root.named_children:
            self.member(child)

    def member(self, node: Node) -> None:
        """Read one member; one that is nested too deeply is a gap, and the next one is read."""
        scope, element = self.scope, self.element
        try:
            self.value(node)
        except RecursionError:
            self.go_to(scope)
            self.element = element
            self.gap("syntax", line_of(node))

    def package_(self, node: Node) -> str:
        for child in node.named_children:
            if child.type in ("identifier", "scoped_identifier"):
                self.package = "".join(self.source_of(child).split())
        return ""

    def import_(self, node: Node) -> str:
        named = next((child for child in node.named_children if "identifier" in child.type), None)
        if named is None:
            return ""
        full, line = "".join(self.source_of(named).split()), line_of(node)
        static = any(child.type == "static" for child in node.children)
        if node.named_children[-1].type == "asterisk":
            spec = split_qualified(full) if static or _has_capital(full) else f"<{full}>"
            if full.startswith(_PLATFORM):
                self.containers |= CONTAINERS
            self.bind("*", spec + ".*", "import", line)
            self.references.append(Reference(0, "import", spec, line))
            return ""
        chain = split_qualified(full, members=1 if static else 0)
        name = full.rpartition(".")[2]
        self.imported.add(name)
        if full.startswith(_PLATFORM):
            self.containers.update([name] if name in CONTAINERS else [])
        else:
            self.foreign.add(name)
        self.bind(name, chain, "import", line)
        self.references.append(Reference(0, "import", chain, line))
        return ""

    # ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────

    def class_(self, node: Node) -> str:
        named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if named is None or body is None:
            return self.children(node)
        simple = self.source_of(named)
        outer = self.scope
        scope = self.enter(outer.qualify(simple), simple, "class")
        self.nodes.append(node)
        self.bodies[scope.index] = body
        flags, visibility, decorators = self.modifiers(node, outer)
        self.type_variables(node.child_by_field_name("type_parameters"))
        bases = self.bases(node)
        kind = _KINDS.get(node.type, "class")
        open_ = kind == "interface" or "abstract" in flags
        own = bases if open_ else self.own_bases(bases)
        self.define(kind, lines_of(node), flags, visibility=visibility, bases=own, decorators=decorators)
        self.called_back(scope, bases)
        if node.type == "record_declaration":
            self.components(node, scope)
        if node.type == "enum_declaration":
            self.bind("values", f"{simple}!*.values", "annotation", line_of(node))
            self.bind("valueOf", f"{simple}!*.get", "annotation", line_of(node))
        self.members(body)
        self.leave()
        return ""

    def members(self, body: Node) -> None:
        """Read the members of a class, then tie tests to what sets them up and static fields to what fills them."""
        for child in body.named_children:
            if child.type == "enum_body_declarations":
                for inner in child.named_children:
                    self.initializer_or_member(inner)
            else:
                self.initializer_or_member(child)
        self.call_set_up(self.scope)
        scope = self.scope
        if any(node.type == "static_initializer" for node in body.named_children):
            for index, one in enumerate(self.definitions[scope.index + 1 :], scope.index + 1):
                if one.parent == scope.index and one.kind in ("variable", "constant") and "static" in one.flags:
                    self.references.append(Reference(index, "call", f"{scope.simple}.<clinit>", one.line))

    def initializer_or_member(self, node: Node) -> None:
        if node.type == "block":
            self.initializer(node)
        else:
            self.member(node)

    def bases(self, node: Node) -> tuple[str, ...]:
        """What a class extends and implements, each with an "inherit" reference; their type arguments are uses."""
        found: list[str] = []
        above = node.child_by_field_name("superclass")
        if above is not None:
            self.made_with(self.type_name(above.named_children[-1]), line_of(above))
        for child in node.named_children:
            if child.type in ("superclass", "super_interfaces", "extends_interfaces"):
                for part in child.named_children:
                    for typed in part.named_children if part.type == "type_list" else [part]:
                        found += self.base(typed)
            elif child.type == "permits":
                self.children(child)
        return tuple(found)

    def base(self, typed: Node) -> list[str]:
        chain = self.type_name(typed)
        if not chain or "comment" in typed.type:
            return []
        self.references.append(Reference(self.scope.index, "inherit", chain, line_of(typed)))
        if typed.type == "generic_type":
            for part in typed.named_children[1:]:
                self.children(part)
        return [chain]

    def anonymous_class(self, body: Node, base: str) -> str:
        name = self.scope.number(base.rpartition(".")[2] or "Object")
        scope = self.enter(self.scope.qualify(name), name, "class")
        self.nodes.append(body)
        self.bodies[scope.index] = body
        bases = (base,) if base else ()
        self.define("class", lines_of(body), ["anonymous"], visibility="private", bases=self.own_bases(bases))
        self.called_back(scope, bases)
        for chain in bases:
            self.made_with(chain, line_of(body))
            self.references.append(Reference(scope.index, "inherit", chain, line_of(body)))
        element, self.element = self.element, ""
        self.members(body)
        self.element = element
        self.leave()
        return name

    def methods_of(self, index: int) -> Mapping[str, bool]:
        known = self.methods.get(index)
        if known is None:
            members = list(self.bodies[index].named_children) if index in self.bodies else []
            members += [
                inner for child in members if child.type == "enum_body_declarations" for inner in child.children
            ]
            known = self.methods[index] = {}
            for child in members:
                named = child.child_by_field_name("name") if child.type in _CALLABLE else None
                if named is not None:
                    name = self.source_of(named)
                    known[name] = known.get(name, True) and _is_static(child)
        return known

    def components(self, node: Node, scope: Scope) -> None:
        """The components of a record: each is a field and the method that answers with it."""
        given = node.child_by_field_name("parameters")
        if given is None:
            return
        self.records[scope.index] = given
        for child in given.named_children:
            named, typed = child.child_by_field_name("name"), child.child_by_field_name("type")
            if named is None or typed is None:
                continue
            name = self.source_of(named)
            self.enter(scope.qualify(name), name, "field")
            self.nodes.append(child)
            mark = self.type_of(typed)
            _, _, decorators = self.modifiers(child, scope)
            self.define("method", lines_of(child), decorators=decorators, returns=[mark])
            self.leave()
            self.has_field(name, mark, line_of(child))


def _is_static(node: Node) -> bool:
    first = node.children[0]
    return first.type == "modifiers" and any(child.type == "static" for child in first.children)


def _module(root: Node) -> Definition:
    return Definition("", "module", 1, max(root.end_point[0] + (root.end_point[1] > 0), 1), -1)


def _has_capital(name: str) -> bool:
    return any(part[:1].isupper() for part in name.split("."))
