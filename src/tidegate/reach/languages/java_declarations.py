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

from tidegate.reach.languages.java_expressions import JavaExpressions
from tidegate.reach.languages.jvm import (
    CONTAINERS,
    SET_UP_MARKS,
    TEST_MARKS,
    contained,
    quote,
    split_qualified,
)
from tidegate.reach.languages.jvm_record import Scope, line_of
from tidegate.reach.symbols import Binding, Definition, DefinitionKind, Parameter, Reference, Visibility

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


class JavaDeclarations(JavaExpressions):
    """Reads packages, imports, classes and their members. `nodes` has the node of each definition."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.nodes: list[Node] = []
        self.bodies: dict[int, Node] = {}
        self.records: dict[int, Node] = {}
        self.methods: dict[int, dict[str, bool]] = {}

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
        self.define(kind, _lines(node), flags, visibility=visibility, bases=own, decorators=decorators)
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
        self.define("class", _lines(body), ["anonymous"], visibility="private", bases=self.own_bases(bases))
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
            self.define("method", _lines(child), decorators=decorators, returns=[mark])
            self.leave()
            self.has_field(name, mark, line_of(child))

    def type_variables(self, node: Node | None) -> None:
        """Type variables stand for their bound, and for anything where they have none."""
        if node is None:
            return
        known = self.scope.types = dict(self.scope.types)
        parts = [child for child in node.named_children if child.type == "type_parameter"]
        for child in parts:
            known[self.source_of(child.named_children[0])] = ""
        for child in parts:
            bound = [part for part in child.named_children if part.type == "type_bound"]
            marks = [self.type_of(typed) for part in bound for typed in part.named_children]
            names = [part for part in child.named_children if part.type in ("type_identifier", "identifier")]
            known[self.source_of(names[0] if names else child.named_children[0])] = marks[0] if marks else ""

    # ── members ──────────────────────────────────────────────────────────────────────────────────────────────────

    def method(self, node: Node) -> str:
        named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if named is None:
            return self.children(node)
        outer = self.scope
        constructor = "constructor" in node.type
        name = "<init>" if constructor else self.source_of(named)
        scope = self.enter(outer.qualify(name), name, "method")
        self.nodes.append(node)
        self.marks_read = []
        flags, visibility, decorators = self.modifiers(node, outer)
        self.type_variables(node.child_by_field_name("type_parameters"))
        typed = node.child_by_field_name("type")
        returns = self.type_of(typed) if typed is not None and typed.type != "void_type" else ""
        if node.child_by_field_name("dimensions") is not None:
            returns = contained(returns)
        given = node.child_by_field_name("parameters") or self.records.get(outer.index) if constructor else None
        given = given or node.child_by_field_name("parameters")
        parameters = self.parameters(given) if given is not None else []
        for child in node.named_children:
            if child.type == "throws":
                self.children(child)
        if body is None and "static" not in flags and node.type == "method_declaration":
            flags = flags if "abstract" in flags else [*flags, "abstract"]
        if not constructor and self.marks(scope, outer, name, visibility, decorators):
            flags = [*flags, "test"]
            self.sources(outer, name)
        lines = _lines(node)
        self.define(
            "method",
            lines,
            flags,
            visibility=visibility,
            decorators=decorators,
            parameters=parameters,
            returns=[returns],
        )
        if "Override" in decorators:
            self.references.append(Reference(scope.index, "override", f"super.{name}", lines[0]))
        default = node.child_by_field_name("value")
        if default is not None:
            self.value(default)
        self.body(body, constructor and outer.index not in self.records)
        self.leave()
        return ""

    def body(self, body: Node | None, constructor: bool) -> None:
        """Read a body; a constructor that does not say which other one it calls calls that of the class above."""
        before, self.delegates = self.delegates, False
        if body is not None:
            self.member_body(body)
        outer = self.scope.outer
        if constructor and not self.delegates and outer is not None and self.definitions[outer.index].bases:
            line = self.definitions[self.scope.index].line
            self.references.append(Reference(self.scope.index, "call", "super.<init>", line))
        self.delegates = before

    def member_body(self, body: Node) -> None:
        scope = self.scope
        try:
            self.block(body)
        except RecursionError:
            self.go_to(scope)
            self.gap("syntax", line_of(body))

    def marks(self, scope: Scope, outer: Scope, name: str, visibility: Visibility, decorators: tuple[str, ...]) -> bool:
        """Whether a method is a test; set-up methods are remembered for the tests of the class."""
        names = {_last(chain) for chain in decorators}
        holder = self.definitions[outer.index]
        legacy = any(_last(base).endswith("TestCase") for base in holder.bases)
        if names & SET_UP_MARKS or (legacy and name in ("setUp", "tearDown")):
            outer.tests.set_up.append(name)
            return False
        whole = any(_last(chain) == "Test" for chain in holder.decorators) and visibility == "public"
        if names & TEST_MARKS or whole or (legacy and name.startswith("test")):
            outer.tests.tests.append((scope.index, self.nodes[scope.index].start_point[0] + 1))
            return True
        return False

    def sources(self, outer: Scope, name: str) -> None:
        """Calls of the methods that give a test its arguments: `@MethodSource("a")`, `@Test(dataProvider = "b")`."""
        for mark, arguments, line in self.marks_read:
            chain = _last(mark)
            given = [argument.removeprefix("value=") for argument in arguments]
            if chain == "Test":
                given = [one.removeprefix("dataProvider=") for one in given if one.startswith("dataProvider=")]
            elif chain not in ("MethodSource", "FieldSource", "UseDataProvider"):
                continue
            elif not given:
                given = [quote(name)]
            for literal in given:
                owner, _, member = literal.strip('"').rpartition("#")
                owner = split_qualified(owner.replace("$", ".")) if owner else outer.simple
                target = f"{owner}.{member.partition('(')[0]}"
                self.references.append(Reference(self.scope.index, "call", target, line))

    def parameters(self, node: Node) -> list[Parameter]:
        found: list[Parameter] = []
        for child in node.named_children:
            if child.type == "formal_parameter":
                named, typed = child.child_by_field_name("name"), child.child_by_field_name("type")
                if named is None or typed is None:
                    continue
                mark, kind = self.type_of(typed), ""
                if child.child_by_field_name("dimensions") is not None:
                    mark = contained(mark)
            elif child.type == "spread_parameter":
                parts = [part for part in child.named_children if "comment" not in part.type]
                named, typed = parts[-1].child_by_field_name("name"), parts[-2]
                mark, kind = self.type_of(typed), "*"
                if named is None:
                    continue
            else:
                continue
            if child.named_children[0].type == "modifiers":
                self.parameter_marks(child.named_children[0])
            name = self.source_of(named)
            self.scope.locals[name] = "*" if kind or mark.endswith("*") else ""
            found.append(Parameter(name, mark, "", kind))
        return found

    def parameter_marks(self, modifiers: Node) -> None:
        for child in modifiers.named_children:
            if "annotation" in child.type:
                named = child.child_by_field_name("name")
                if named is not None:
                    self.use(self.type_name(named), line_of(child))

    def initializer(self, node: Node) -> str:
        outer = self.scope
        static = node.type == "static_initializer"
        scope = self.enter(outer.qualify("<clinit>"), "<clinit>", "method")
        self.nodes.append(node)
        self.define("method", _lines(node), ["static"] if static else [], visibility="private")
        self.member_body(node)
        self.leave()
        if outer.kind == "class" and "<clinit>" not in outer.reads:
            outer.reads.add("<clinit>")
            line = self.definitions[scope.index].line
            self.references.append(Reference(outer.index, "call", f"{outer.simple}.<clinit>", line))
        return ""

    def field(self, node: Node) -> str:
        typed = node.child_by_field_name("type")
        outer = self.scope
        shared = ""
        for child in node.children_by_field_name("declarator"):
            named, value = child.child_by_field_name("name"), child.child_by_field_name("value")
            if named is None:
                continue
            name = self.source_of(named)
            self.enter(outer.qualify(name), name, "field")
            self.nodes.append(child)
            flags, visibility, decorators = self.modifiers(node, outer)
            mark = shared = shared or (self.type_of(typed) if typed is not None else "")
            if child.child_by_field_name("dimensions") is not None:
                mark = contained(mark)
            constant = name.isupper() or node.type == "constant_declaration"
            kind: DefinitionKind = "constant" if constant else "variable"
            self.define(kind, _lines(node), flags, visibility=visibility, decorators=decorators)
            values = self.initial(value)
            index = self.scope.index
            self.leave()
            self.has_field(name, mark, line_of(named))
            for chain in values:
                self.assigned(name, chain, line_of(named), outer, index)
        return ""

    def initial(self, value: Node | None) -> list[str]:
        """Read the first value of a field. Its class reads the field where that calls something."""
        if value is None:
            return []
        before = len(self.references)
        scope = self.scope
        try:
            values = self.choices(value)
        except RecursionError:
            self.go_to(scope)
            values = []
            self.gap("syntax", line_of(value))
        outer = scope.outer
        if outer is not None and any(reference.kind == "call" for reference in self.references[before:]):
            self.references.append(Reference(outer.index, "read", f"{outer.simple}.{scope.simple}", line_of(value)))
        return values

    def enum_constant(self, node: Node) -> str:
        """A constant of an enum is an instance that the enum makes; one with a body is of a class of its own."""
        named, given = node.child_by_field_name("name"), node.child_by_field_name("arguments")
        if named is None:
            return self.children(node)
        outer, name, line = self.scope, self.source_of(named), line_of(node)
        scope = self.enter(outer.qualify(name), name, "field")
        self.nodes.append(node)
        _, _, decorators = self.modifiers(node, outer)
        self.define("constant", _lines(node), ["static"], decorators=decorators)
        arguments = self.arguments(given) if given is not None else ()
        body = node.child_by_field_name("body")
        called = self.anonymous_class(body, outer.simple) if body is not None else outer.simple
        self.references.append(Reference(scope.index, "call", called, line, arguments))
        self.leave()
        self.bindings.append(Binding(outer.index, name, called + "()", "assign", scope.index, line))
        self.references.append(Reference(outer.index, "read", f"{outer.simple}.{name}", line))
        return ""

    # ── modifiers and annotations ────────────────────────────────────────────────────────────────────────────────

    def modifiers(self, node: Node, outer: Scope) -> tuple[list[str], Visibility, tuple[str, ...]]:
        """The flags, the visibility and the annotations of a declaration."""
        first = node.named_children[0] if node.named_child_count else None
        inside = self.definitions[outer.index].kind == "interface"
        if first is None or first.type != "modifiers":
            return [], "public" if inside else "private", ()
        flags: list[str] = []
        words: set[str] = set()
        decorators: list[str] = []
        for child in first.children:
            if child.is_named:
                if "annotation" in child.type:
                    decorators.append(self.annotation(child))
            else:
                words.add(child.type)
        flags = [word for word in ("static", "abstract") if word in words]
        public = "public" in words or "protected" in words or (inside and "private" not in words)
        return flags, "public" if public else "private", tuple(chain for chain in decorators if chain)

    def annotation(self, node: Node) -> str:
        """An annotation and its arguments, "name=" before each that is named; an array is one argument for each."""
        named, given = node.child_by_field_name("name"), node.child_by_field_name("arguments")
        if named is None:
            return ""
        chain = self.type_name(named)
        arguments: list[str] = []
        for child in given.named_children if given is not None else []:
            if child.type == "element_value_pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is not None and value is not None:
                    arguments += [f"{self.source_of(key)}={part}" for part in self.annotation_values(value)]
            elif "comment" not in child.type:
                arguments += self.annotation_values(child)
        self.mark(chain, tuple(arguments), line_of(node))
        return chain

    def annotation_values(self, node: Node) -> list[str]:
        if node.type == "element_value_array_initializer":
            return [part for child in node.named_children for part in self.annotation_values(child)]
        if "annotation" in node.type:
            self.annotation(node)
            return [""]
        value = self.value(node)
        return ["" if value[:1] in ("?", "%") else value]


def _is_static(node: Node) -> bool:
    first = node.children[0]
    return first.type == "modifiers" and any(child.type == "static" for child in first.children)


def _lines(node: Node) -> tuple[int, int]:
    return node.start_point[0] + 1, node.end_point[0] + 1


def _module(root: Node) -> Definition:
    return Definition("", "module", 1, max(root.end_point[0] + (root.end_point[1] > 0), 1), -1)


def _last(chain: str) -> str:
    return chain.rpartition(".")[2]


def _has_capital(name: str) -> bool:
    return any(part[:1].isupper() for part in name.split("."))
