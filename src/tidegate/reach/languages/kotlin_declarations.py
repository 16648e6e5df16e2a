"""What a Kotlin file declares: packages, imports, functions, properties, classes and their members.

A primary constructor is the method "Class.<init>"; its parameters with `val` or `var` are fields. Initialisers are
methods of the name "Class.<clinit>". The members of a companion are "Class.Companion.name", bound in the class too, as
Kotlin finds them there. An extension function has the flag "extension" and its receiver as the parameter `this`. A
property with an accessor is of the kind "property". `object : Base() {}` is the class "outer.Base$1".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tidegate.reach.languages.jvm_record import Scope, line_of
from tidegate.reach.languages.kotlin_members import TYPES, KotlinMembers, lines_of, receiver_of
from tidegate.reach.symbols import Binding, Definition, DefinitionKind, Parameter, Reference

if TYPE_CHECKING:
    from tree_sitter import Node

_PLATFORM = ("java.", "javax.", "jakarta.", "kotlin", "androidx.", "reactor.", "io.reactivex.", "org.springframework.")
_SPECS = frozenset(
    [
        "StringSpec",
        "FunSpec",
        "ShouldSpec",
        "DescribeSpec",
        "BehaviorSpec",
        "WordSpec",
        "FreeSpec",
        "FeatureSpec",
        "ExpectSpec",
    ]
)
_BODIES = frozenset(["class_body", "enum_class_body"])
_HEADS = frozenset(["class", "interface", "object", "fun"])


class KotlinDeclarations(KotlinMembers):
    """Reads a file, its packages, imports and classes."""

    def module(self, root: Node) -> None:
        self.nodes.append(root)
        end = max(root.end_point[0] + (root.end_point[1] > 0), 1)
        self.definitions.append(Definition("", "module", 1, end, -1))
        for child in root.named_children:
            if child.type == "function_declaration":
                named = child.child_by_field_name("name")
                if named is not None:
                    self.functions.add(self.name_of(named))
                self.note_extension(child)
        if root.type == "ERROR":
            self.error(root)
        for child in root.named_children if root.type != "ERROR" else ():
            self.member(child)
        if self.file_name:
            self.bind(self.file_name, f"<{self.package}>", "import", 0)
        for index, found in self.answers.items():
            self.definitions[index] = _answering(self.definitions[index], found)

    def note_extension(self, node: Node) -> None:
        """Remember an extension function before its calls are read: `x.name()` is then a call of it."""
        named = node.child_by_field_name("name")
        if named is not None and receiver_of(node) is not None:
            self.extensions.add(self.name_of(named))

    def member(self, node: Node) -> None:
        """Read one member; one that is nested too deeply is a gap, and the next one is read."""
        scope, element, aliases, receivers = self.scope, self.element, self.aliases, len(self.receivers)
        try:
            self.value(node)
        except RecursionError:
            self.go_to(scope)
            self.element, self.aliases = element, aliases
            del self.receivers[receivers:]
            self.gap("syntax", line_of(node))

    def error(self, node: Node) -> str:
        """What the grammar does not understand: said, and read as far as it goes."""
        self.gap("syntax", line_of(node))
        self.broken(node.children)
        return ""

    def broken(self, parts: Sequence[Node]) -> None:
        """Pieces of declarations: after the head of a class come its members, after that of a function its body."""
        outer = holder = self.scope
        head: Node | None = None
        for place, part in enumerate(parts):
            after = parts[place + 1] if place + 1 < len(parts) else None
            if part.type in _HEADS and after is not None and after.type == "identifier":
                self.leave_to(holder)
                self.open(part, after, parts[-1])
                holder = self.scope if part.type != "fun" else holder
                head = after
            elif part.type == "function_value_parameters":
                self.parameters(part)
            elif part.is_named and part is not head:
                self.member(part)
        self.leave_to(outer)

    def open(self, keyword: Node, named: Node, last: Node) -> None:
        """Step into the class or function of a head; where it ends is not known, at the latest with its last piece."""
        name, function = self.name_of(named), keyword.type == "fun"
        member = self.scope.kind == "class"
        self.enter(self.scope.qualify(name), name, "function" if function else "class")
        self.nodes.append(named)
        kind: DefinitionKind = ("method" if member else "function") if function else "class"
        self.define(kind, (line_of(keyword), last.end_point[0] + 1))

    def leave_to(self, scope: Scope) -> None:
        while self.scope is not scope:
            if self.scope.kind == "class":
                self.call_set_up(self.scope)
            self.leave()

    def package_(self, node: Node) -> str:
        for child in node.named_children:
            if child.type in ("qualified_identifier", "identifier"):
                self.package = "".join(self.source_of(child).split()).replace("`", "")
        return ""

    def import_(self, node: Node) -> str:
        named = next((child for child in node.named_children if child.type == "qualified_identifier"), None)
        if named is None:
            return ""
        full, line = "".join(self.source_of(named).split()).replace("`", ""), line_of(node)
        if any(child.type == "*" for child in node.children):
            spec = _split(full + ".x")[:-2] if any(part[:1].isupper() for part in full.split(".")) else f"<{full}>"
            self.bind("*", spec + ".*", "import", line)
            self.references.append(Reference(0, "import", spec, line))
            return ""
        parts = node.named_children
        name = self.name_of(parts[-1]) if any(child.type == "as" for child in node.children) else ""
        name = name or full.rpartition(".")[2]
        chain = _split(full)
        self.imported.add(name)
        if name[:1].islower():
            self.extensions.add(name)
        if not full.startswith(_PLATFORM):
            self.containers.discard(name)
            self.foreign.add(name)
        self.bind(name, chain, "import", line)
        self.references.append(Reference(0, "import", chain, line))
        return ""

    def file_annotation(self, node: Node) -> str:
        """`@file:JvmName("Names")`: Java sees the functions of the file as members of that class."""
        for child in node.named_children:
            chain, arguments = self.annotation_of(child)
            if chain == "JvmName" and arguments and arguments[0][:1] == '"':
                self.file_name = arguments[0][1:-1]
        return ""

    # ── classes ──────────────────────────────────────────────────────────────────────────────────────────────────

    def class_(self, node: Node) -> str:
        named = node.child_by_field_name("name")
        companion = node.type == "companion_object"
        if named is None and not companion:
            return self.children(node)
        simple = self.name_of(named) if named is not None else "Companion"
        outer = self.scope
        scope = self.enter(outer.qualify(simple), simple, "class")
        self.nodes.append(node)
        body = next((child for child in node.named_children if child.type in _BODIES), None)
        if body is not None:
            self.bodies[scope.index] = body
        words, visibility, decorators = self.modifiers(node)
        self.type_variables(node)
        bases = self.bases(node)
        interface = any(child.type == "interface" for child in node.children)
        flags = [word for word in ("abstract",) if word in words]
        flags += ["abstract"] if "sealed" in words and not flags else []
        flags += ["test"] if any(base.rpartition(".")[2] in _SPECS for base in bases) else []
        kind: DefinitionKind = "interface" if interface else "class"
        own = bases if interface or flags else self.own_bases(bases)
        self.define(kind, lines_of(node), flags, visibility=visibility, bases=own, decorators=decorators)
        self.called_back(scope, bases)
        self.outside_of_lambdas(node, body)
        if "enum" in words:
            self.bind("values", f"{simple}!*.values", "annotation", line_of(node))
            self.bind("entries", f"{simple}!*", "annotation", line_of(node))
            self.bind("valueOf", f"{simple}!*.get", "annotation", line_of(node))
        self.leave()
        if companion:
            self.share(outer, simple, body)
        return ""

    def outside_of_lambdas(self, node: Node, body: Node | None) -> None:
        """Read what a class is made with and its members; receivers of lambdas around it are not its own."""
        receivers, self.receivers = self.receivers, []
        primary = next((child for child in node.named_children if child.type == "primary_constructor"), None)
        if primary is not None:
            self.primary(primary, node)
        else:
            self.super_call(node)
        if body is not None:
            for child in body.named_children:
                if child.type == "function_declaration":
                    self.note_extension(child)
            for child in body.named_children:
                self.member(child)
        self.call_set_up(self.scope)
        self.receivers = receivers

    def share(self, outer: Scope, simple: str, body: Node | None) -> None:
        """The members of a companion are found in the class."""
        bound: set[str] = set()
        for child in body.named_children if body is not None else ():
            name = _member_name(child)
            if name is not None and self.name_of(name) not in bound:
                bound.add(self.name_of(name))
                text = self.name_of(name)
                self.bindings.append(
                    Binding(outer.index, text, f"{simple}.{text}", "assign", outer.index, line_of(child))
                )

    def bases(self, node: Node) -> tuple[str, ...]:
        """What a class extends, implements and delegates to, each with an "inherit" reference."""
        found: list[str] = []
        for child in node.named_children:
            if child.type != "delegation_specifiers":
                continue
            for part in child.named_children:
                typed = _type_of_specifier(part)
                chain = self.type_name(typed) if typed is not None else ""
                if typed is None or not chain:
                    continue
                found.append(chain)
                if part.named_children[0].type == "constructor_invocation":
                    self.made_with(chain, line_of(typed))
                self.references.append(Reference(self.scope.index, "inherit", chain, line_of(typed)))
                for inner in typed.named_children:
                    if inner.type == "type_arguments":
                        self.children(inner)
        return tuple(found)

    def super_call(self, node: Node) -> None:
        """The call of the constructor above that stands behind the bases, and the values that are delegated to."""
        for child in node.named_children:
            for part in child.named_children if child.type == "delegation_specifiers" else ():
                inner = part.named_children[0] if part.named_child_count else part
                if inner.type == "constructor_invocation":
                    arguments = self.arguments(inner.named_children[1:], "", "")
                    self.references.append(
                        Reference(self.scope.index, "call", "super.<init>", line_of(inner), arguments)
                    )
                elif inner.type == "explicit_delegation":
                    for value in inner.named_children[1:]:
                        self.value(value)

    def primary(self, node: Node, owner: Node) -> None:
        """The primary constructor: parameters with `val` or `var` are fields of the class."""
        outer = self.scope
        scope = self.enter(outer.qualify("<init>"), "<init>", "method")
        self.nodes.append(node)
        _, visibility, decorators = self.modifiers(node)
        parameters: list[Parameter] = []
        fields: list[tuple[Node, str, str]] = []
        for child in node.named_children:
            for part in child.named_children if child.type == "class_parameters" else ():
                if part.type != "class_parameter":
                    continue
                parameter = self.parameter(part)
                parameters.append(parameter)
                if any(word.type in ("val", "var") for word in part.children):
                    fields.append((part, parameter.name, parameter.type))
                else:
                    self.hidden.setdefault(outer.index, []).append(parameter)
        self.define("method", lines_of(node), visibility=visibility, decorators=decorators, parameters=parameters)
        self.super_call(owner)
        self.leave()
        for part, name, mark in fields:
            self.enter(outer.qualify(name), name, "field")
            self.nodes.append(part)
            _, seen, marks = self.modifiers(part)
            self.define("variable", lines_of(part), visibility=seen, decorators=marks)
            self.leave()
            self.has_field(name, mark, line_of(part))
            if not mark:
                self.bindings.append(Binding(outer.index, name, name, "assign", scope.index, line_of(part)))

    def anonymous_class(self, node: Node) -> str:
        body = next((child for child in node.named_children if child.type == "class_body"), None)
        specifiers = [
            typed
            for child in node.named_children
            if child.type == "delegation_specifiers"
            for part in child.named_children
            if (typed := _type_of_specifier(part)) is not None
        ]
        base = self.type_name(specifiers[0]) if specifiers else ""
        name = self.scope.number(base.rpartition(".")[2] or "Object")
        scope = self.enter(self.scope.qualify(name), name, "class")
        self.nodes.append(node)
        if body is not None:
            self.bodies[scope.index] = body
        bases = self.bases(node)
        self.define("class", lines_of(node), ["anonymous"], visibility="private", bases=self.own_bases(bases))
        self.called_back(scope, bases)
        element, aliases = self.element, self.aliases
        self.element = ""
        self.outside_of_lambdas(node, body)
        self.element, self.aliases = element, aliases
        self.leave()
        return name

    def enum_entry(self, node: Node) -> str:
        """A constant of an enum is an instance that the enum makes; one with a body is of a class of its own."""
        named = next((child for child in node.named_children if child.type == "identifier"), None)
        if named is None:
            return self.children(node)
        outer, name, line = self.scope, self.name_of(named), line_of(node)
        scope = self.enter(outer.qualify(name), name, "field")
        self.nodes.append(node)
        _, _, decorators = self.modifiers(node)
        self.define("constant", lines_of(node), ["static"], decorators=decorators)
        arguments = self.arguments([child for child in node.named_children if child.type == "value_arguments"], "", "")
        body = next((child for child in node.named_children if child.type == "class_body"), None)
        called = outer.simple
        if body is not None:
            called = self.scope.number(outer.simple)
            inner = self.enter(self.scope.qualify(called), called, "class")
            self.nodes.append(body)
            self.bodies[inner.index] = body
            self.define("class", lines_of(body), ["anonymous"], visibility="private", bases=[outer.simple])
            self.references.append(Reference(inner.index, "inherit", outer.simple, line))
            for child in body.named_children:
                self.member(child)
            self.leave()
        self.references.append(Reference(scope.index, "call", called, line, arguments))
        self.leave()
        self.bindings.append(Binding(outer.index, name, called + "()", "assign", scope.index, line))
        self.references.append(Reference(outer.index, "read", f"{outer.simple}.{name}", line))
        return ""

    def methods_of(self, index: int) -> Mapping[str, bool]:
        known = self.methods.get(index)
        if known is None:
            members = self.bodies[index].named_children if index in self.bodies else []
            names = [
                child.child_by_field_name("name")
                for child in members
                if child.type == "function_declaration" and receiver_of(child) is None
            ]
            known = self.methods[index] = {self.name_of(name): False for name in names if name is not None}
        return known


def _answering(definition: Definition, found: list[str]) -> Definition:
    return replace(definition, returns=tuple(dict.fromkeys(found))[:8])


def _split(name: str) -> str:
    """A dotted name of an import as a chain; a function or property at the end stands in a package or in a type."""
    parts = name.split(".")
    types = next((at for at, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    package = ".".join(parts[:types])
    return ".".join([f"<{package}>", *parts[types:]]) if package else name


def _type_of_specifier(node: Node) -> Node | None:
    """The type in `Foo`, `Foo(x)` or `Foo by x` behind a class."""
    while node.type in ("delegation_specifier", "constructor_invocation", "explicit_delegation"):
        if not node.named_child_count:
            return None
        node = next((child for child in node.named_children if child.type != "annotation"), node.named_children[0])
    return node if node.type in TYPES else None


def _member_name(node: Node) -> Node | None:
    """The name of a member that a companion shares."""
    if node.type in ("function_declaration", "class_declaration", "object_declaration"):
        return node.child_by_field_name("name")
    if node.type == "property_declaration":
        declared = next((child for child in node.named_children if child.type == "variable_declaration"), None)
        return declared.named_children[0] if declared is not None and declared.named_child_count else None
    return None
