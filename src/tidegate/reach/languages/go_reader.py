"""Go's declarations and statements: what a file defines and what its local names mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tidegate.reach.languages.go_expressions import NOTHING, GoExpressions
from tidegate.reach.languages.go_flat import LONGEST, flat_definition, flat_items, flat_return
from tidegate.reach.languages.go_types import Scope, first_result
from tidegate.reach.languages.tree import Under, names_something
from tidegate.reach.symbols import (
    Binding,
    Definition,
    DefinitionKind,
    FileSymbols,
    Gap,
    Parameter,
    Reference,
    Text,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_VERSION = re.compile(r"v\d+").fullmatch
_TEST = re.compile(r"Test(?:[^a-z]\w*)?").fullmatch
_FUZZ = re.compile(r"Fuzz(?:[^a-z]\w*)?").fullmatch
_EXAMPLE = re.compile(r"Example(?:[^a-z]\w*)?").fullmatch
_FAILS = re.compile(r"(?:\w*\.)?(?:err\w*|\w*Err) != nil").fullmatch
_EXITS = frozenset(["return_statement", "break_statement", "continue_statement", "goto_statement"])
_CASES = frozenset(["expression_case", "default_case", "communication_case"])
_OUTPUT = re.compile(r"(?im)^\s*//\s*(?:unordered )?output:").search
"""An example without its output is compiled and not run."""
_SUITE = "github.com/stretchr/testify/suite"


class GoReader(GoExpressions):
    """Reads one file. Definitions of the file's top level come first, in the order of the source."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.package = ""
        self.planned: list[tuple[Node, Node, int]] = []
        self.results: dict[str, Node | None] = {}
        self.suites = False
        self.partial: set[int] = set()

    @classmethod
    def readers_of(cls) -> dict[str, Callable[[Any, Node], str]]:
        return {
            **super().readers_of(),
            "short_var_declaration": cls._assignment,
            "assignment_statement": cls._assignment,
            "var_spec": cls._local_values,
            "const_spec": cls._local_values,
            "type_spec": cls._local_type,
            "type_alias": cls._local_type,
            "range_clause": cls._range,
            "receive_statement": cls._assignment,
            "type_switch_statement": cls._type_switch,
            "return_statement": cls._returned,
            "send_statement": cls._returned,
            "statement_list": cls._statements,
            "if_statement": cls._if,
            "for_statement": cls._for,
            "expression_switch_statement": cls._switch,
            "select_statement": cls._switch,
        }

    def read_file(self, root: Node) -> FileSymbols:
        self.definitions.append(Definition("", "module", 1, self.text.count("\n") + 1, -1))
        self.nodes[0] = root
        listed = list(_top_level(root))
        for node in listed:
            if node.type == "type_declaration":
                self._plan(node)
        for node in listed:
            if node.type != "type_declaration":
                self._plan(node)
        for declaration, node, index in self.planned:
            self._guarded(declaration, node, index)
        if root.has_error and not self.gaps:
            self.gaps.append(Gap(0, "syntax", 1))
        return FileSymbols(
            definitions=tuple(self._whole(index, made) for index, made in enumerate(self.definitions)),
            bindings=tuple(self.bindings),
            references=tuple(self.references),
            texts=tuple(self.texts),
            gaps=tuple(self.gaps),
            package=self.package,
        )

    def _whole(self, index: int, made: Definition | None) -> Definition:
        """A definition that reading did not reach, for it is nested too deeply, keeps its place."""
        if made is not None:
            return made
        node = self.nodes[index]
        name = node.child_by_field_name("name")
        first, last = node.start_point[0] + 1, node.end_point[0] + 1
        return Definition(self.cut(name)[:80] if name is not None else "struct", "variable", first, last, 0)

    # What the file declares, before anything is read: types come first, for they may stand below their methods.

    def _plan(self, node: Node) -> None:
        kind = node.type
        if kind == "package_clause":
            self.package = self.cut(node.named_children[-1]) if node.named_children else ""
        elif kind == "import_declaration":
            self._imports(node)
        elif kind in ("function_declaration", "method_declaration"):
            self._plan_function(node)
        elif kind == "comment":
            self._embed(node)
        elif kind == "ERROR":
            self.gaps.append(Gap(0, "syntax", node.start_point[0] + 1))
        else:
            for spec in _specs(node):
                self._plan_spec(node, spec)

    def _plan_function(self, node: Node) -> None:
        name = node.child_by_field_name("name")
        if name is None:
            return
        receiver = node.child_by_field_name("receiver")
        owner = _receiver_type(self, receiver) if receiver is not None else ""
        full = f"{owner}.{self.cut(name)}" if owner else self.cut(name)
        self.results[full] = node.child_by_field_name("result")
        if owner and owner not in self.types:
            self._partial(node, owner)
        if node.child_by_field_name("type_parameters") is not None:
            self.generic.add(full)
        self.planned.append((node, name, self._reserve(node)))

    def _partial(self, node: Node, owner: str) -> None:
        """The part that this file adds to a type of another file of the package."""
        index = self.types[owner] = self._reserve(node)
        self.partial.add(index)
        self._define(node, index, (owner, "class", 0), ["partial"])

    def _plan_spec(self, declaration: Node, spec: Node) -> None:
        for name in spec.children_by_field_name("name"):
            text = self.cut(name)
            if text == "_":
                continue
            index = self._reserve(spec)
            if spec.type in ("type_spec", "type_alias"):
                self.types.setdefault(text, index)
            self.planned.append((declaration, name, index))
        if spec.type == "var_spec" and all(self.cut(name) == "_" for name in spec.children_by_field_name("name")):
            self.planned.append((declaration, spec, 0))

    def _reserve(self, node: Node) -> int:
        self.definitions.append(None)
        self.nodes[len(self.definitions) - 1] = node
        return len(self.definitions) - 1

    def _guarded(self, declaration: Node, node: Node, index: int) -> None:
        """A declaration that is nested too deeply is a gap, and leaves the others alone."""
        try:
            self._declaration(declaration, node, index)
        except RecursionError:
            self.gaps.append(Gap(index, "syntax", declaration.start_point[0] + 1))

    def _declaration(self, declaration: Node, name: Node, index: int) -> None:
        if declaration.type == "function_declaration":
            self._function(declaration, self.cut(name), index)
        elif declaration.type == "method_declaration":
            self._method(declaration, self.cut(name), index)
        elif index == 0:
            self._enter(Scope(0))
            self._unnamed(name)
        else:
            self._spec(declaration, self.nodes[index], self.cut(name), index)

    def _imports(self, node: Node) -> None:
        for spec in _specs(node):
            path = spec.child_by_field_name("path")
            if path is None:
                continue
            self._import(spec, self.cut(path)[1:-1])

    def _import(self, spec: Node, path: str) -> None:
        line = spec.start_point[0] + 1
        self.references.append(Reference(0, "import", f"<{path}>", line))
        self.suites = self.suites or path == _SUITE
        given = spec.child_by_field_name("name")
        if given is not None and given.type == "dot":
            self.bindings.append(Binding(0, "*", f"<{path}>.*", "import", 0, line))
        elif given is None or given.type == "package_identifier":
            for name in [self.cut(given)] if given is not None else _package_names(path):
                self.bindings.append(Binding(0, name, f"<{path}>", "import", 0, line))

    def _embed(self, node: Node) -> None:
        text = self.cut(node)
        if text.startswith("//go:embed "):
            line = node.start_point[0] + 1
            self.texts.extend(Text(0, part, line) for part in text[11:].split() if names_something(part))

    # definitions

    def _enter(self, scope: Scope) -> None:
        self.scope = scope
        self.within = scope.index
        self.under = Under()

    def _function(self, node: Node, name: str, index: int) -> None:
        self._enter(Scope(index, name))
        parameters, returns = self._signature(node)
        flags = _flags(name, parameters)
        if _EXAMPLE(name) and not parameters and not returns and _OUTPUT(self.cut(node)):
            flags.append("test")
        if name == "init":
            self.references.append(Reference(0, "call", name, node.start_point[0] + 1))
        self._define(node, index, (name, "function", 0), flags, parameters=parameters, returns=returns)
        self._body(node)

    def _method(self, node: Node, name: str, index: int) -> None:
        receiver = node.child_by_field_name("receiver")
        type_name = _receiver_type(self, receiver) if receiver is not None else ""
        owner = self.types.get(type_name, -1)
        scope = Scope(index, f"{type_name}.{name}", _receiver_name(self, receiver), owner)
        self._enter(scope)
        self._receiver_parameters(receiver, owner)
        parameters, returns = self._signature(node)
        flags = ["exported"] if name[:1].isupper() else []
        if self.suites and _TEST(name) and not parameters:
            flags.append("test")
        place: tuple[str, DefinitionKind, int] = (scope.name if type_name else name, "method", max(owner, 0))
        self._define(node, index, place, flags, parameters=parameters, returns=returns)
        self._body(node)

    def _define(
        self,
        node: Node,
        index: int,
        place: tuple[str, DefinitionKind, int],
        flags: list[str],
        *,
        bases: tuple[str, ...] = (),
        parameters: tuple[Parameter, ...] = (),
        returns: tuple[str, ...] = (),
    ) -> None:
        name, kind, parent = place
        public = name.rpartition(".")[2][:1].isupper()
        self.definitions[index] = Definition(
            name=name,
            kind=kind,
            line=node.start_point[0] + 1,
            end_line=node.end_point[0] + 1,
            parent=parent,
            visibility="public" if public else "private",
            bases=bases,
            parameters=parameters,
            returns=returns,
            flags=tuple(flags),
        )

    def _receiver_parameters(self, receiver: Node | None, owner: int) -> None:
        """`func (s *Stack[T])`: T means in the method what it means in the type."""
        if receiver is None or owner < 0 or owner in self.partial:
            return
        spec = self.nodes[owner]
        listed = spec.child_by_field_name("type_parameters")
        stack = [receiver]
        while stack:
            node = stack.pop()
            if node.type == "type_arguments":
                self.scope.type_parameters.update(self.cut(part) for part in node.named_children)
            else:
                stack.extend(node.named_children)
        if listed is not None:
            self._type_parameters(listed)

    def _type_parameters(self, node: Node) -> None:
        """A type parameter means what it is bound to: `T fmt.Stringer` makes T a Stringer."""
        for part in node.named_children:
            limit = part.child_by_field_name("type")
            if limit is None:
                continue
            for name in part.children_by_field_name("name"):
                self.scope.type_parameters.add(self.cut(name))
            for option in limit.named_children:
                chain = self.class_of(option)
                for name in part.children_by_field_name("name") if chain else ():
                    self.bind(self.cut(name), chain, "annotation", part.start_point[0] + 1)

    def _signature(self, node: Node) -> tuple[tuple[Parameter, ...], tuple[str, ...]]:
        listed = node.child_by_field_name("type_parameters")
        if listed is not None:
            self._type_parameters(listed)
        parameters = self.parameters_of(node.child_by_field_name("parameters"))
        results = self.parameters_of(node.child_by_field_name("result"))
        scope = self.scope
        line = node.start_point[0] + 1
        for parameter in parameters:
            scope.locals.add(parameter.name)
            if parameter.kind and parameter.name:
                self.bind(parameter.name, (parameter.type or "?") + "*", "annotation", line)
        for result in results:
            if result.name:
                self.bind(result.name, result.type or "?", "annotation", line)
        return parameters, first_result(results)

    def _body(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        if body is not None:
            self.parts(body)

    def _spec(self, declaration: Node, spec: Node, name: str, index: int) -> None:
        if spec.type in ("type_spec", "type_alias"):
            self._enter(Scope(index, name))
            self._type_definition(spec, name, index, 0)
        else:
            self._package_value(declaration, spec, name, index)

    # types

    def _local_type(self, spec: Node) -> str:
        name = spec.child_by_field_name("name")
        if name is not None:
            outer, index = self.scope, self._reserve(spec)
            full = f"{outer.name}.{self.cut(name)}" if outer.name else self.cut(name)
            outer.locals.add(self.cut(name))
            self._inside(index, full, lambda: self._type_definition(spec, full, index, outer.index))
        return "?"

    def anonymous(self, node: Node) -> str:
        outer, index = self.scope, self._reserve(node)
        full = f"{outer.name}.struct" if outer.name else "struct"
        self._inside(index, full, lambda: self._struct(node, (full, "class", outer.index), index, node, ["anonymous"]))
        return "struct!"

    def _inside(self, index: int, name: str, read: Callable[[], None]) -> None:
        """Reads a definition inside another one, and goes back to that."""
        outer, under = self.scope, self.under
        scope = Scope(index, name)
        scope.type_parameters |= outer.type_parameters
        self._enter(scope)
        read()
        self._enter(outer)
        self.under = under

    def _type_definition(self, spec: Node, name: str, index: int, parent: int) -> None:
        listed = spec.child_by_field_name("type_parameters")
        if listed is not None:
            self._type_parameters(listed)
        node = spec.child_by_field_name("type")
        flags = ["exported"] if name.rpartition(".")[2][:1].isupper() else []
        kind: DefinitionKind = "type" if spec.type == "type_alias" else "class"
        if node is None:
            self._define(spec, index, (name, kind, parent), flags)
        elif kind == "type":
            self._define(spec, index, (name, kind, parent), flags)
            chain = self.class_of(node)
            if chain:
                short = name.rpartition(".")[2]
                line = spec.start_point[0] + 1
                self.bindings.append(Binding(parent, short, chain, "assign", parent, line))
        elif node.type == "struct_type":
            self._struct(node, (name, kind, parent), index, spec, flags)
        elif node.type == "interface_type":
            self._interface(node, (name, "interface", parent), index, spec, flags)
        else:
            self._named_type(node, (name, kind, parent), index, spec, flags)

    def _struct(
        self, node: Node, place: tuple[str, DefinitionKind, int], index: int, spec: Node, flags: list[str]
    ) -> None:
        bases: list[str] = []
        for field in _fields(node):
            kind = field.child_by_field_name("type")
            if kind is None:
                continue
            line = field.start_point[0] + 1
            chain = self.type_of(kind)
            names = [self.cut(name) for name in field.children_by_field_name("name")]
            if not names and chain.endswith("!"):
                bases.append(chain[:-1])
                self.references.append(Reference(index, "inherit", chain[:-1], line))
                names = [chain[:-1].rpartition(".")[2]]
            for name in names:
                if name != "_" and chain != "?":
                    self.bindings.append(Binding(index, name, chain, "annotation", index, line))
        self._define(spec, index, place, flags, bases=tuple(bases))

    def _interface(
        self, node: Node, place: tuple[str, DefinitionKind, int], index: int, spec: Node, flags: list[str]
    ) -> None:
        bases: list[str] = []
        name, _, _ = place
        for part in node.named_children:
            if part.type == "method_elem":
                self._abstract(part, name, index)
            elif part.type == "type_elem":
                chain = self.class_of(part) if len(part.named_children) == 1 else self.type_of(part)[:0]
                if chain:
                    bases.append(chain)
                    self.references.append(Reference(index, "inherit", chain, part.start_point[0] + 1))
        self._define(spec, index, place, flags, bases=tuple(bases))

    def _abstract(self, node: Node, owner: str, parent: int) -> None:
        name = node.child_by_field_name("name")
        if name is None:
            return
        index = self._reserve(node)
        full = f"{owner}.{self.cut(name)}"

        def read() -> None:
            parameters, returns = self._signature(node)
            flags = ["abstract", "exported"] if self.cut(name)[:1].isupper() else ["abstract"]
            self._define(node, index, (full, "method", parent), flags, parameters=parameters, returns=returns)

        self._inside(index, full, read)

    def _named_type(
        self, node: Node, place: tuple[str, DefinitionKind, int], index: int, spec: Node, flags: list[str]
    ) -> None:
        """`type Handler func(...)`, `type Headers map[string]Foo`, `type Other Foo`.

        An element of it is bound to "[]" and a call of it to "()" in the class: they have no names of their own.
        """
        line = spec.start_point[0] + 1
        chain = self.type_of(node)
        bases: tuple[str, ...] = ()
        if chain.endswith("!"):
            bases = (chain[:-1],)
            self.references.append(Reference(index, "inherit", chain[:-1], line))
        elif chain.endswith("*"):
            self.bindings.append(Binding(index, "[]", chain[:-1], "annotation", index, line))
        elif node.type == "function_type":
            for result in first_result(self.parameters_of(node.child_by_field_name("result"))):
                self.bindings.append(Binding(index, "()", result, "annotation", index, line))
        self._define(spec, index, place, flags, bases=bases)

    # values

    def _package_value(self, declaration: Node, spec: Node, name: str, index: int) -> None:
        """A constant or a variable of the package. What its value uses belongs to it."""
        self._enter(Scope(index, name))
        names = [self.cut(part) for part in spec.children_by_field_name("name")]
        listed = spec.child_by_field_name("value")
        values = [part for part in listed.named_children if part.type != "comment"] if listed is not None else []
        place = names.index(name)
        value = values[place] if len(values) == len(names) else None
        flags = ["exported"] if name[:1].isupper() else []
        if value is not None and value.type == "func_literal" and spec.type == "var_spec":
            self._named_function(spec, value, (name, "function", 0), index, flags)
            return
        kind = spec.child_by_field_name("type") or _inherited_type(declaration, spec)
        line = spec.start_point[0] + 1
        if kind is not None:
            self._means(name, self.type_of(kind), "annotation", line)
        if value is not None:
            self._means(name, self.value(value), "assign", line)
        elif values and place == 0:
            self._means(name, self.read(values[0]), "assign", line)
        elif values:
            self._means(name, self._second(values[0], place), "assign", line)
        self._define(spec, index, (name, "constant" if spec.type == "const_spec" else "variable", 0), flags)

    def _named_function(
        self, spec: Node, value: Node, place: tuple[str, DefinitionKind, int], index: int, flags: list[str]
    ) -> None:
        parameters, returns = self._signature(value)
        self._define(spec, index, place, flags, parameters=parameters, returns=returns)
        self._body(value)

    def _means(self, name: str, chain: str, kind: str, line: int) -> None:
        if chain not in ("?", name):
            means = "annotation" if kind == "annotation" else "assign"
            self.bindings.append(Binding(0, name, chain, means, self.within, line))  # type: ignore[arg-type]

    def _unnamed(self, spec: Node) -> None:
        """`var _ Interface = (*Type)(nil)`: the type is said to fit the interface."""
        for part in spec.named_children:
            if part.kind_id not in self.identifiers:
                self.read(part)

    def _local_values(self, spec: Node) -> str:
        names = [self.cut(part) for part in spec.children_by_field_name("name")]
        kind = spec.child_by_field_name("type")
        line = spec.start_point[0] + 1
        if kind is not None:
            chain = self.type_of(kind)
            for name in names:
                self.bind(name, chain, "annotation", line)
        listed = spec.child_by_field_name("value")
        if listed is not None:
            values = [part for part in listed.named_children if part.type != "comment"]
            for name, chain in zip(names, self._values(names, values), strict=False):
                if chain != "?" or kind is None:
                    self.bind(name, chain, "assign", line)
        elif kind is None:
            self.scope.locals.update(names)
        return "?"

    def _values(self, names: list[str], values: list[Node]) -> Iterator[str]:
        """The chains of the right-hand side for every name of the left one."""
        if len(values) == len(names) or not values:
            for name, value in zip(names, values, strict=False):
                if value.kind_id in self.functions:
                    self.scope.closures[name] = self.closure_result(value)
                yield self.value(value)
            return
        first = self.value(values[0])
        for place in range(len(names)):
            yield first if place == 0 else self._second(values[0], place, names[place])

    def _second(self, value: Node, place: int, name: str = "") -> str:
        """What a further name of `a, b := f()` means: the result of a function of this file, an error by its name."""
        if value.type != "call_expression":
            return "%bool"
        function = value.children[0]
        return self._result(self.path(function) if function.kind_id in self.simple else "", place, name)

    def _result(self, callee: str, place: int, name: str) -> str:
        if callee.startswith("self."):
            callee = f"{self.scope.name.partition('.')[0]}{callee[4:]}"
        node = self.results.get(callee)
        if node is not None:
            before = len(self.references)
            results = self.parameters_of(node)
            del self.references[before:]
            return results[place].type or "?" if place < len(results) else "?"
        return "%error" if name == "err" or name.endswith("Err") else "?"

    # statements

    def _flat_assignment(self, node: Node) -> bool:
        """`a, err := f(x)` by its text alone."""
        start, end = node.start_byte, node.end_byte
        found = flat_definition(self.text[start:end]) if self.flat and end - start < LONGEST else None
        callee = self.spelled(found[2]) if found else ""
        if not found or callee in NOTHING:
            return False
        line = node.start_point[0] + 1
        names = found[1].split(", ")
        chain = self.flat_call(callee, found[3], line)
        others = [self._result(callee, place, name) for place, name in enumerate(names) if place]
        for name, means in zip(names, [chain, *others], strict=True):
            self.bind(name, means, "assign", line)
        return True

    def _assignment(self, node: Node) -> str:
        if self._flat_assignment(node):
            return "?"
        comments = self.comments
        parts = [part for part in node.children if part.kind_id not in comments]
        if len(parts) < 3 or parts[0].kind_id not in self.lists:
            return self.parts(node)
        lefts = [part for part in parts[0].named_children if part.kind_id not in comments]
        right = parts[-1]
        listed = right.kind_id in self.lists
        values = [part for part in right.named_children if part.kind_id not in comments] if listed else [right]
        names = [self.cut(left) if left.kind_id in self.identifiers else "" for left in lefts]
        declares = parts[1].type == ":="
        for left, name, chain in zip(lefts, names, list(self._values(names, values)), strict=False):
            if declares or (name and name in self.scope.locals):
                self.bind(name, chain, "assign", left.start_point[0] + 1)
            elif name != "_":
                self._target(left, chain)
        return "?"

    def _target(self, node: Node, chain: str) -> None:
        """An assignment to something that is no local variable."""
        line = node.start_point[0] + 1
        if node.kind_id not in self.simple:
            self.read(node)
            return
        path = self.path(node)
        root, _, member = path.partition(".")
        if member or root not in self.scope.locals:
            self.references.append(Reference(self.within, "write", path, line))
        if chain[0] in "?%" and chain != "%func":
            return
        if root == "self" and member.isidentifier() and self.scope.owner >= 0:
            self.bindings.append(Binding(self.scope.owner, member, chain, "assign", self.within, line))
        elif not member and root != "self":
            self.bindings.append(Binding(0, root, chain, "assign", self.within, line))

    def _returned(self, node: Node) -> str:
        start, end = node.start_byte, node.end_byte
        found = flat_return(self.text[start:end]) if self.flat and end - start < LONGEST else None
        if found:
            line = node.start_point[0] + 1
            for item in flat_items(found[1] or ""):
                self.flat_argument(item, line)
            return "?"
        for part in node.named_children:
            inner = part.named_children if part.kind_id in self.lists else [part]
            for value in inner:
                self.value(value)
        return "?"

    def _range(self, node: Node) -> str:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if right is None:
            return self.parts(node)
        chain = self.read(right)
        names = [self.cut(part) for part in left.named_children] if left is not None else []
        line = node.start_point[0] + 1
        if len(names) == 1:
            self.bind(names[0], "%int" if chain == "%int" else chain + "[]", "assign", line)
        for name, means in zip(names, ("?", chain + "[]"), strict=False):
            self.bind(name, means, "assign", line)
        return "?"

    def _type_switch(self, node: Node) -> str:
        first, alias, value = (node.child_by_field_name(field) for field in ("initializer", "alias", "value"))
        if first is not None:
            self.read(first)
        chain = self.read(value) if value is not None else "?"
        name = self.cut(alias) if alias is not None else ""
        for case in node.named_children:
            if case.type == "type_case":
                for kind in case.children_by_field_name("type"):
                    means = self.type_of(kind)
                    if name and means != "nil!":
                        self.bind(name, means, "narrow", case.start_point[0] + 1)
                self._case(case)
            elif case.type == "default_case":
                if name:
                    self.bind(name, chain, "assign", case.start_point[0] + 1)
                self._case(case)
        return "?"

    def _case(self, case: Node) -> None:
        self.under.enter("branches")
        for part in case.named_children:
            if part.type == "statement_list":
                self.read(part)
        self.under.leave("branches")

    def _switch(self, node: Node) -> str:
        for part in node.named_children:
            if part.type in _CASES:
                self.under.enter("branches")
                self.parts(part)
                self.under.leave("branches")
            else:
                self.read(part)
        return "?"

    def _statements(self, node: Node) -> str:
        """What follows a statement that may leave the function or the round of the loop may not run."""
        left = 0
        readers, most, ifs = self.readers, self.most, self.ifs
        for statement in node.named_children:
            number = statement.kind_id
            if number >= most:
                self.broken(statement)
                continue
            readers[number](self, statement)
            if number in ifs and self._may_leave(statement):
                left += 1
                self.under.enter("exits")
        if left:
            self.under.leave("exits", left)
        return "?"

    def _may_leave(self, node: Node) -> bool:
        body, condition = node.child_by_field_name("consequence"), node.child_by_field_name("condition")
        listed = body.named_children if body is not None else []
        inner = listed[-1].named_children if listed and listed[-1].type == "statement_list" else []
        return bool(inner) and inner[-1].type in _EXITS and not (condition and self._fails(condition))

    def _fails(self, condition: Node) -> bool:
        """`err != nil`: what other languages say with an exception."""
        return bool(_FAILS(self.text[condition.start_byte : condition.end_byte]))

    def _if(self, node: Node) -> str:
        """The branch that treats an error counts as a handler of exceptions."""
        condition = node.child_by_field_name("condition")
        fails = condition is not None and self._fails(condition)
        what = "handlers" if fails else "branches"
        for part in node.named_children:
            if part.kind_id in self.blocks:
                self.under.enter(what)
                self.read(part)
                self.under.leave(what)
                what = "branches"
            elif not fails or part != condition:
                self.read(part)
        return "?"

    def _for(self, node: Node) -> str:
        for part in node.named_children:
            if part.type == "block":
                self.under.enter("loops")
                self.read(part)
                self.under.leave("loops")
            else:
                self.read(part)
        return "?"


def _top_level(root: Node) -> Iterator[Node]:
    """The declarations of a file; those inside of what could not be parsed too."""
    for node in root.named_children:
        yield node
        if node.type == "ERROR":
            yield from node.named_children


def _specs(node: Node) -> Iterator[Node]:
    """The specs of a declaration, whether it has brackets or not."""
    for part in node.named_children:
        if part.type.endswith("_spec") or part.type == "type_alias":
            yield part
        elif part.type.endswith("_list"):
            yield from (inner for inner in part.named_children if inner.type.endswith("_spec"))


def _fields(node: Node) -> Iterator[Node]:
    for part in node.named_children:
        for field in part.named_children:
            if field.type == "field_declaration":
                yield field


def _receiver_type(reader: GoReader, receiver: Node | None) -> str:
    parts = receiver.named_children if receiver is not None else []
    declared = next((part for part in parts if part.type == "parameter_declaration"), None)
    node = declared.child_by_field_name("type") if declared is not None else None
    while node is not None and node.type in ("pointer_type", "parenthesized_type", "generic_type"):
        node = node.named_children[0] if node.named_children else None
    return reader.cut(node) if node is not None else ""


def _receiver_name(reader: GoReader, receiver: Node | None) -> str:
    parts = receiver.named_children if receiver is not None else []
    declared = next((part for part in parts if part.type == "parameter_declaration"), None)
    name = declared.child_by_field_name("name") if declared is not None else None
    text = reader.cut(name) if name is not None else ""
    return "" if text == "_" else text


def _inherited_type(declaration: Node, spec: Node) -> Node | None:
    """The type of a constant that repeats the one above: `B` in `A Color = iota; B`."""
    if spec.type != "const_spec" or spec.child_by_field_name("value") is not None:
        return None
    found: Node | None = None
    for other in _specs(declaration):
        if other.start_byte >= spec.start_byte:
            break
        if other.child_by_field_name("value") is not None:
            found = other.child_by_field_name("type")
    return found


def _package_names(path: str) -> list[str]:
    """What a package is probably called in the file that imports it: the last part of its path, without decoration."""
    parts = path.split("/")
    last = parts[-1]
    if _VERSION(last) and len(parts) > 1:
        last = parts[-2]
    base = last.partition(".v")[0] if ".v" in last else last
    names = [base]
    if not base.isidentifier():
        short = base.removeprefix("go-").removesuffix("-go").removesuffix(".go").removeprefix("go.")
        names = [short, short.replace("-", ""), short.replace("-", "_"), short.rpartition("-")[2]]
    found = list(dict.fromkeys(name for name in names if name.isidentifier()))
    return found or [base]


def _flags(name: str, parameters: tuple[Parameter, ...]) -> list[str]:
    flags = ["exported"] if name[:1].isupper() or name == "init" else []
    types = [parameter.type for parameter in parameters]
    if (_TEST(name) and types == ["testing.T!"]) or (_FUZZ(name) and types == ["testing.F!"]):
        flags.append("test")
    return flags
