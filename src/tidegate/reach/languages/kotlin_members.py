"""What a Kotlin function or property is: its parameters, types, accessors, modifiers and annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.jvm import PLAIN, SET_UP_MARKS, TEST_MARKS
from tidegate.reach.languages.jvm_record import Scope, line_of
from tidegate.reach.languages.kotlin_handlers import kotlin_tables
from tidegate.reach.languages.kotlin_statements import KotlinStatements
from tidegate.reach.symbols import Binding, DefinitionKind, Parameter, Reference, Visibility

if TYPE_CHECKING:
    from tree_sitter import Node

TYPES = frozenset(["user_type", "nullable_type", "function_type", "non_nullable_type", "parenthesized_type"])


class KotlinMembers(KotlinStatements):
    """Reads functions and properties. `nodes` has the node of each definition.

    `answers` are the values of functions without a written type, `hidden` the parameters of primary constructors that
    are no fields, by their class.
    """

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.handlers, self.comment_kinds, self.name_kinds = kotlin_tables(type(self))  # type: ignore[arg-type]
        self.nodes: list[Node] = []
        self.bodies: dict[int, Node] = {}
        self.methods: dict[int, dict[str, bool]] = {}
        self.answers: dict[int, list[str]] = {}
        self.hidden: dict[int, list[Parameter]] = {}
        self.file_name = ""

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
        receiver = receiver_of(node)
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
            lines_of(node),
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
            elif child.type in TYPES and (receiver is None or child.id != receiver.id):
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
            elif child.type in TYPES and not default:
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
        self.define("method", lines_of(node), visibility="private")
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
        receiver = next((child for child in node.named_children if child.type in TYPES), None)
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
            lines_of(node),
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
        self.define("type", lines_of(node), visibility=visibility, decorators=decorators)
        typed = next((child for child in reversed(rest) if child.type in TYPES), None)
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
            bounds = [self.type_of(part) for part in child.named_children if part.type in TYPES]
            if names and bounds:
                known[self.name_of(names[0])] = bounds[0]


def receiver_of(node: Node) -> Node | None:
    """The receiver's type of an extension function: a type before the name."""
    named = node.child_by_field_name("name")
    if named is None:
        return None
    before = [child for child in node.named_children if child.end_byte <= named.start_byte]
    return next((child for child in before if child.type in TYPES), None)


def lines_of(node: Node) -> tuple[int, int]:
    """The first and the last line of a node, from 1."""
    return node.start_point[0] + 1, node.end_point[0] + 1
