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

from tidegate.reach.languages.jvm import PLAIN, SET_UP_MARKS, TEST_MARKS
from tidegate.reach.languages.jvm_record import Scope, line_of
from tidegate.reach.languages.kotlin_expressions import KotlinExpressions
from tidegate.reach.symbols import Binding, Definition, DefinitionKind, Parameter, Reference, Visibility

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
_TYPES = frozenset(["user_type", "nullable_type", "function_type", "non_nullable_type", "parenthesized_type"])
_BODIES = frozenset(["class_body", "enum_class_body"])
_HEADS = frozenset(["class", "interface", "object", "fun"])


class KotlinDeclarations(KotlinExpressions):
    """Reads declarations. `nodes` has the node of each definition."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.nodes: list[Node] = []
        self.bodies: dict[int, Node] = {}
        self.methods: dict[int, dict[str, bool]] = {}
        self.answers: dict[int, list[str]] = {}
        self.hidden: dict[int, list[Parameter]] = {}
        self.file_name = ""

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
        if named is not None and _receiver_of(node) is not None:
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
        self.define(kind, _lines(node), flags, visibility=visibility, bases=own, decorators=decorators)
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
        self.define("method", _lines(node), visibility=visibility, decorators=decorators, parameters=parameters)
        self.super_call(owner)
        self.leave()
        for part, name, mark in fields:
            self.enter(outer.qualify(name), name, "field")
            self.nodes.append(part)
            _, seen, marks = self.modifiers(part)
            self.define("variable", _lines(part), visibility=seen, decorators=marks)
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
        self.define("class", _lines(node), ["anonymous"], visibility="private", bases=self.own_bases(bases))
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
        self.define("constant", _lines(node), ["static"], decorators=decorators)
        arguments = self.arguments([child for child in node.named_children if child.type == "value_arguments"], "", "")
        body = next((child for child in node.named_children if child.type == "class_body"), None)
        called = outer.simple
        if body is not None:
            called = self.scope.number(outer.simple)
            inner = self.enter(self.scope.qualify(called), called, "class")
            self.nodes.append(body)
            self.bodies[inner.index] = body
            self.define("class", _lines(body), ["anonymous"], visibility="private", bases=[outer.simple])
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
                if child.type == "function_declaration" and _receiver_of(child) is None
            ]
            known = self.methods[index] = {self.name_of(name): False for name in names if name is not None}
        return known

    def type_variables(self, node: Node) -> None:
        """Type variables stand for their bound, and for anything where they have none."""
        given = next((child for child in node.named_children if child.type == "type_parameters"), None)
        if given is None:
            return
        known = self.scope.types = dict(self.scope.types)
        parts = [child for child in given.named_children if child.type == "type_parameter"]
        for child in parts:
            names = [part for part in child.named_children if part.type == "identifier"]
            if names:
                known[self.name_of(names[0])] = ""
        for child in parts:
            names = [part for part in child.named_children if part.type == "identifier"]
            bounds = [self.type_of(part) for part in child.named_children if part.type in _TYPES]
            if names and bounds:
                known[self.name_of(names[0])] = bounds[0]

    # ── functions ────────────────────────────────────────────────────────────────────────────────────────────────

    def function(self, node: Node) -> str:
        named = node.child_by_field_name("name")
        constructor = node.type == "secondary_constructor"
        if named is None and not constructor:
            return self.children(node)
        name = self.name_of(named) if named is not None else "<init>"
        outer = self.scope
        member = outer.kind == "class"
        scope = self.enter(outer.qualify(name), name, "method" if member else "function")
        if not member:
            outer.locals[name] = outer.locals.get(name, "") if outer.kind != "module" else ""
            if outer.kind == "module":
                del outer.locals[name]
        self.nodes.append(node)
        words, visibility, decorators = self.modifiers(node)
        self.type_variables(node)
        flags = [flag for word, flag in (("abstract", "abstract"), ("suspend", "async")) if word in words]
        receiver = _receiver_of(node)
        parameters: list[Parameter] = []
        if receiver is not None:
            flags.append("extension")
            parameters.append(self.receiver_parameter(receiver))
        body, returns = self.head(node, receiver, parameters)
        if body is None and not constructor and member and "abstract" not in flags:
            flags.append("abstract")
        if self.marks(scope, outer, name, decorators):
            flags.append("test")
        self.define(
            "method" if member else "function",
            _lines(node),
            flags,
            visibility=visibility,
            decorators=decorators,
            parameters=parameters,
            returns=[returns],
        )
        if "override" in words:
            self.references.append(Reference(scope.index, "override", f"super.{name}", line_of(node)))
        self.body(node, body, untyped=not returns)
        self.leave()
        return ""

    def receiver_parameter(self, node: Node) -> Parameter:
        mark = self.type_of(node)
        self.scope.locals["this"] = "*" if mark.endswith("*") else ""
        return Parameter("this", mark)

    def head(self, node: Node, receiver: Node | None, parameters: list[Parameter]) -> tuple[Node | None, str]:
        """Read the parameters and the written type of a function; its body and that type."""
        body: Node | None = None
        returns = ""
        for child in node.named_children:
            if child.type == "function_value_parameters":
                parameters += self.parameters(child)
            elif child.type in ("function_body", "block"):
                body = child
            elif child.type in _TYPES and (receiver is None or child.id != receiver.id):
                returns = self.type_of(child)
            elif child.type == "type_constraints":
                self.children(child)
        return body, returns

    def body(self, node: Node, body: Node | None, *, untyped: bool) -> None:
        scope, aliases, receivers = self.scope, self.aliases, self.receivers
        self.aliases = {} if scope.outer is not None and scope.outer.kind in ("class", "module") else dict(aliases)
        self.receivers = [] if scope.kind == "method" else receivers
        try:
            for child in node.named_children:
                if child.type == "constructor_delegation_call":
                    self.delegation(child)
            if body is not None:
                self.function_body(body, untyped=untyped)
        except RecursionError:
            self.go_to(scope)
            self.gap("syntax", line_of(node))
        self.aliases, self.receivers = aliases, receivers

    def function_body(self, body: Node, *, untyped: bool) -> None:
        if body.type == "function_body" and body.children[0].type == "=":
            values = self.choices(body.named_children[-1])
            if untyped:
                found = [value for value in values if value[0] not in '"?']
                self.answers[self.scope.index] = ["%str" if value[0] == '"' else value for value in found]
            return
        for child in body.named_children if body.type == "function_body" else [body]:
            self.value(child)

    def delegation(self, node: Node) -> None:
        root = "super" if node.children[0].type == "super" else "self"
        arguments = self.arguments(list(node.named_children), "", "")
        self.references.append(Reference(self.scope.index, "call", f"{root}.<init>", line_of(node), arguments))

    def parameters(self, node: Node) -> list[Parameter]:
        found: list[Parameter] = []
        vararg = False
        default = False
        for child in node.children:
            if child.type == "parameter_modifiers":
                vararg = "vararg" in self.source_of(child)
            elif child.type == "parameter":
                parameter = self.parameter(child, vararg=vararg)
                found.append(parameter)
                vararg = False
            elif child.type == "=":
                default = True
            elif default and child.is_named and child.kind_id not in self.comment_kinds:
                default = False
                value = self.value(child)
                if found and value[:1] not in ("", '"', "%", "?"):
                    last = found.pop()
                    found.append(Parameter(last.name, last.type, value, last.kind))
        return found

    def parameter(self, node: Node, *, vararg: bool = False) -> Parameter:
        name, mark, value, default = "", "", "", False
        for child in node.children:
            if child.type == "identifier" and not name:
                name = self.name_of(child)
            elif child.type == "modifiers":
                vararg = vararg or "vararg" in self.source_of(child).split()
            elif child.type in _TYPES and not default:
                mark = self.type_of(child)
            elif child.type == "=":
                default = True
            elif default and child.is_named and child.kind_id not in self.comment_kinds:
                value = self.value(child)
        self.scope.locals[name] = "*" if vararg or mark.endswith("*") else ""
        return Parameter(name, mark, value if value[:1] not in ('"', "%", "?") else "", "*" if vararg else "")

    def marks(self, scope: Scope, outer: Scope, name: str, decorators: tuple[str, ...]) -> bool:
        """Whether a function is a test; set-up functions are remembered for the tests of the class."""
        names = {chain.rpartition(".")[2] for chain in decorators}
        legacy = any(base.rpartition(".")[2].endswith("TestCase") for base in self.definitions[outer.index].bases)
        if outer.kind == "class" and (names & SET_UP_MARKS or (legacy and name in ("setUp", "tearDown"))):
            outer.tests.set_up.append(name)
            return False
        if names & TEST_MARKS or (legacy and name.startswith("test")):
            if outer.kind == "class":
                outer.tests.tests.append((scope.index, line_of(self.nodes[scope.index])))
            return True
        return False

    def initializer(self, node: Node) -> str:
        outer = self.scope
        self.enter(outer.qualify("<clinit>"), "<clinit>", "method")
        self.nodes.append(node)
        self.define("method", _lines(node), visibility="private")
        self.see_parameters(outer, line_of(node))
        self.body(node, next((child for child in node.named_children if child.type == "block"), None), untyped=False)
        self.leave()
        if outer.kind == "class" and "<clinit>" not in outer.reads:
            outer.reads.add("<clinit>")
            self.references.append(Reference(outer.index, "call", f"{outer.simple}.<clinit>", line_of(node)))
        return ""

    def see_parameters(self, outer: Scope, line: int) -> None:
        """Initialisers and properties see the parameters of the primary constructor that are no fields."""
        for parameter in self.hidden.get(outer.index, ()) if outer.kind == "class" else ():
            self.local(parameter.name, parameter.type, "annotation", line)

    # ── properties ───────────────────────────────────────────────────────────────────────────────────────────────

    def declare_property(self, node: Node) -> str:
        declared = next((child for child in node.named_children if child.type == "variable_declaration"), None)
        if declared is None or not declared.named_child_count:
            return self.children(node)
        parts = [child for child in declared.named_children if child.type != "annotation"]
        name, line = self.name_of(parts[0]), line_of(node)
        outer = self.scope
        scope = self.enter(outer.qualify(name), name, "field")
        self.nodes.append(node)
        words, visibility, decorators = self.modifiers(node)
        self.type_variables(node)
        receiver = next((child for child in node.named_children if child.type in _TYPES), None)
        parameters = [self.receiver_parameter(receiver)] if receiver is not None else []
        mark = self.type_of(parts[-1]) if len(parts) > 1 else ""
        accessors = [child for child in node.named_children if child.type in ("getter", "setter")]
        computed = any(part.type == "function_body" for child in accessors for part in child.named_children)
        constant = "const" in words or (name.isupper() and any(child.type == "val" for child in node.children))
        kind: DefinitionKind = "property" if computed else "constant" if constant else "variable"
        flags = ["property"] if computed else []
        flags += ["extension"] if receiver is not None else []
        flags += ["abstract"] if "abstract" in words else []
        self.define(
            kind,
            _lines(node),
            flags,
            visibility=visibility,
            decorators=decorators,
            parameters=parameters if computed else (),
            returns=[mark] if computed else (),
        )
        before = len(self.references)
        values = self.property_values(node, untyped=computed and not mark)
        self.leave()
        if mark and not (computed and any(child.type == "getter" for child in accessors)):
            self.has_field(name, mark, line)
        if values and not mark and not computed and values[0][0] in '"%':
            self.bind(name, "%str" if values[0][0] == '"' else values[0], "assign", line)
        for chain in values:
            if not computed:
                self.assigned(name, chain, line, outer, scope.index)
                if chain.endswith("*"):
                    outer.fields[name] = "*"
        initial = any(child.type in ("=", "property_delegate") for child in node.children)
        called = initial and any(reference.kind == "call" for reference in self.references[before:])
        if called and outer.kind == "class":
            self.references.append(Reference(outer.index, "read", f"{outer.simple}.{name}", line))
        return ""

    def property_values(self, node: Node, *, untyped: bool) -> list[str]:
        """Read the first value, the delegate and the accessors of a property; what it is at first."""
        scope = self.scope
        values: list[str] = []
        equals = False
        if scope.outer is not None and any(child.type in ("=", "property_delegate") for child in node.children):
            self.see_parameters(scope.outer, line_of(node))
        try:
            for child in node.children:
                if child.type == "=":
                    equals = True
                elif child.type == "property_delegate":
                    values = self.delegate(child)
                elif child.type in ("getter", "setter"):
                    self.accessor(child, untyped=untyped)
                elif equals and child.is_named and child.kind_id not in self.comment_kinds:
                    values, equals = self.choices(child), False
        except RecursionError:
            self.go_to(scope)
            self.gap("syntax", line_of(node))
        return values

    def accessor(self, node: Node, *, untyped: bool) -> None:
        for child in node.named_children:
            if child.type == "identifier":
                self.scope.locals[self.name_of(child)] = ""
            elif child.type == "function_body":
                self.function_body(child, untyped=untyped and node.type == "getter")

    def type_alias(self, node: Node) -> str:
        named, *rest = [child for child in node.named_children if child.type != "modifiers"]
        name = self.name_of(named) if named.type == "identifier" else self.type_name(named)
        scope = self.enter(self.scope.qualify(name), name, "field")
        self.nodes.append(node)
        _, visibility, decorators = self.modifiers(node)
        self.define("type", _lines(node), visibility=visibility, decorators=decorators)
        typed = next((child for child in reversed(rest) if child.type in _TYPES), None)
        chain = self.type_name(typed) if typed is not None else ""
        if typed is not None:
            self.type_of(typed)
        self.leave()
        if chain and chain not in PLAIN:
            self.bindings.append(Binding(self.scope.index, name, chain, "assign", scope.index, line_of(node)))
        return ""

    # ── modifiers and annotations ────────────────────────────────────────────────────────────────────────────────

    def modifiers(self, node: Node) -> tuple[set[str], Visibility, tuple[str, ...]]:
        """The words, the visibility and the annotations of a declaration."""
        words: set[str] = set()
        decorators: list[str] = []
        for child in node.named_children:
            if child.type != "modifiers":
                continue
            for part in child.named_children:
                if part.type == "annotation":
                    decorators += self.annotation(part)
                else:
                    words.add(self.source_of(part))
        private = words & {"private", "internal"}
        return words, "private" if private else "public", tuple(decorators)

    def annotation(self, node: Node) -> list[str]:
        """The annotations of one `@`, each with a "decorate" reference."""
        found: list[str] = []
        for child in node.named_children:
            chain, arguments = self.annotation_of(child)
            if chain:
                found.append(chain)
                self.mark(chain, arguments, line_of(node))
        return found

    def annotation_of(self, node: Node) -> tuple[str, tuple[str, ...]]:
        """An annotation's chain and arguments, "name=" before each that is named; a list is one argument for each."""
        if node.type == "user_type":
            return self.type_name(node), ()
        if node.type != "constructor_invocation" or not node.named_child_count:
            return "", ()
        arguments: list[str] = []
        for child in node.named_children[1:]:
            for part in child.named_children:
                inner = part.named_children
                if not inner:
                    continue
                key = self.name_of(inner[0]) + "=" if any(word.type == "=" for word in part.children) else ""
                value = inner[-1]
                values = value.named_children if value.type == "collection_literal" else [value]
                found = [self.value(one) for one in values]
                arguments += [key + ("" if one[:1] in ("?", "%") else one) for one in found]
        return self.type_name(node.named_children[0]), tuple(arguments)


def _answering(definition: Definition, found: list[str]) -> Definition:
    return replace(definition, returns=tuple(dict.fromkeys(found))[:8])


def _split(name: str) -> str:
    """A dotted name of an import as a chain; a function or property at the end stands in a package or in a type."""
    parts = name.split(".")
    types = next((at for at, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    package = ".".join(parts[:types])
    return ".".join([f"<{package}>", *parts[types:]]) if package else name


def _receiver_of(node: Node) -> Node | None:
    """The receiver's type of an extension function: a type before the name."""
    named = node.child_by_field_name("name")
    if named is None:
        return None
    before = [child for child in node.named_children if child.end_byte <= named.start_byte]
    return next((child for child in before if child.type in _TYPES), None)


def _type_of_specifier(node: Node) -> Node | None:
    """The type in `Foo`, `Foo(x)` or `Foo by x` behind a class."""
    while node.type in ("delegation_specifier", "constructor_invocation", "explicit_delegation"):
        if not node.named_child_count:
            return None
        node = next((child for child in node.named_children if child.type != "annotation"), node.named_children[0])
    return node if node.type in _TYPES else None


def _member_name(node: Node) -> Node | None:
    """The name of a member that a companion shares."""
    if node.type in ("function_declaration", "class_declaration", "object_declaration"):
        return node.child_by_field_name("name")
    if node.type == "property_declaration":
        declared = next((child for child in node.named_children if child.type == "variable_declaration"), None)
        return declared.named_children[0] if declared is not None and declared.named_child_count else None
    return None


def _lines(node: Node) -> tuple[int, int]:
    return node.start_point[0] + 1, node.end_point[0] + 1
