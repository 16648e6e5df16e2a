"""What a Java method, constructor, initialiser or field is: its parameters, types, modifiers and annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.java_handlers import java_tables
from tidegate.reach.languages.java_statements import JavaStatements
from tidegate.reach.languages.jvm import (
    SET_UP_MARKS,
    TEST_MARKS,
    contained,
    quote,
    split_qualified,
)
from tidegate.reach.languages.jvm_record import Scope, line_of
from tidegate.reach.symbols import Binding, DefinitionKind, Parameter, Reference, Visibility

if TYPE_CHECKING:
    from tree_sitter import Node


class JavaMembers(JavaStatements):
    """Reads members. `nodes` has the node of each definition, `records` the components of records by their class."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.handlers, self.comment_kinds, self.function_kinds, self.if_kinds = java_tables(type(self))  # type: ignore[arg-type]
        self.nodes: list[Node] = []
        self.bodies: dict[int, Node] = {}
        self.records: dict[int, Node] = {}
        self.methods: dict[int, dict[str, bool]] = {}

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
        lines = lines_of(node)
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
        self.define("method", lines_of(node), ["static"] if static else [], visibility="private")
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
            self.define(kind, lines_of(node), flags, visibility=visibility, decorators=decorators)
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
        self.define("constant", lines_of(node), ["static"], decorators=decorators)
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


def lines_of(node: Node) -> tuple[int, int]:
    """The first and the last line of a node, from 1."""
    return node.start_point[0] + 1, node.end_point[0] + 1


def _last(chain: str) -> str:
    return chain.rpartition(".")[2]
