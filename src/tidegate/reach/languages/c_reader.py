"""Declarations of C and C++: what a file defines, in which class, and what it only declares."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tidegate.reach.languages.c_expressions import GAP_LIMIT, CExpressions, Local
from tidegate.reach.languages.c_types import Declared, declared, spelled
from tidegate.reach.symbols import (
    Binding,
    Definition,
    DefinitionKind,
    FileSymbols,
    Gap,
    Parameter,
    Reference,
    Visibility,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_CLASSES = frozenset(["struct_specifier", "class_specifier", "union_specifier"])
_TESTS = frozenset(["TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TYPED_TEST_P", "FRIEND_TEST", "BOOST_AUTO_TEST_CASE",
                    "BOOST_FIXTURE_TEST_CASE", "TEST_BEGIN"])  # fmt: skip
_FIXED = frozenset(["TEST_F", "TEST_P", "TYPED_TEST", "TYPED_TEST_P", "BOOST_FIXTURE_TEST_CASE"])
_TITLED = frozenset(["TEST_CASE", "SCENARIO", "TEST_CASE_METHOD", "TEMPLATE_TEST_CASE", "BENCHMARK_CASE"])
_MACRO_WORDS = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|([^\W\d]\w*)(\s*\()?")
_CONTROL = frozenset(
    ["if", "else", "while", "for", "do", "switch", "return", "sizeof", "case", "break", "defined", "const", "static",
     "struct", "int", "char", "void"]
)  # fmt: skip
_CLASS_NAMES = re.compile(
    rb"\b(?:class|struct|union)\s+(?:[A-Z_]+\s+)?(\w+)\s*(?:final\s*)?(?::[^:;{]*(?:::[^:;{]*)*)?\{"
).finditer
_SPECIAL = re.compile(r"~|operator").match
_LEVELS = frozenset(
    ["translation_unit", "declaration_list", "preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif",
     "preproc_elifdef", "linkage_specification", "export_declaration", "field_declaration_list", "friend_declaration"]
)  # fmt: skip


class CReader(CExpressions):
    """Reads one file. `nodes` has the node of each definition; `partial` are classes that stand in another file.

    `begins` has the line in which a definition begins with its template parameters.
    """

    def __init__(self, source: bytes, grammar: str) -> None:
        super().__init__(source, grammar)
        self.definitions: list[Definition] = []
        self.nodes: list[Node] = []
        self.partial: set[int] = set()
        self.begins: dict[int, int] = {}
        self.template_at = 0
        self.package = ""
        self.classes: dict[str, int] = {}
        self.visibility: Visibility = "public"
        self._levels = self._level_readers()

    def read_file(self, root: Node, left_out: Sequence[int] = ()) -> FileSymbols:
        """What the file says. `left_out` are lines that the tree has not: they are gaps, one for each run of them."""
        lines = self.source.count(b"\n") + 1
        self.definitions.append(Definition("", "module", 1, lines, -1))
        self.nodes.append(root)
        self._find_namespaces(root)
        self._find_classes()
        self.level(root)
        runs = [line for place, line in enumerate(left_out) if not place or left_out[place - 1] != line - 1]
        self.gaps += [Gap(0, "macro", line) for line in runs[:GAP_LIMIT]]
        if root.has_error and not self.gaps and not self.mended:
            self.gaps.append(Gap(0, "syntax", 1))
        return FileSymbols(
            definitions=tuple(self.definitions),
            bindings=tuple(self.bindings),
            references=tuple(self.references),
            texts=tuple(self.texts),
            gaps=tuple(self.gaps),
            package=self.package,
        )

    def _find_namespaces(self, root: Node) -> None:
        """The names of the namespaces that the file declares, before anything is read."""
        if not self.cpp:
            return
        stack = [root]
        while stack:
            node = stack.pop()
            for part in node.named_children:
                if part.type == "namespace_definition":
                    name = part.child_by_field_name("name")
                    names = self.cut(name).replace("inline", "").split("::") if name is not None else []
                    self.namespaces.update(word.strip() for word in names)
                    self.package = self.package or ".".join(word.strip() for word in names)
                    body = part.child_by_field_name("body")
                    stack += [body] if body is not None else []
                elif part.type in _LEVELS:
                    stack.append(part)

    def _find_classes(self) -> None:
        """Names of classes with a body: a scope of that name is no namespace, however it is spelled."""
        if self.cpp:
            self.class_names = {found[1].decode("utf-8", "replace") for found in _CLASS_NAMES(self.source)}
            self.namespaces -= self.class_names

    # levels

    def level(self, node: Node) -> None:
        """Reads declarations, of a file, a namespace or a class."""
        title: Node | None = None
        for part in node.named_children:
            local, visibility = self.local, self.visibility
            try:
                title = self._declaration_part(part, title)
            except RecursionError:
                self.local, self.visibility = local, visibility
                self.gaps.append(Gap(self.local.index, "syntax", part.start_point[0] + 1))
                title = None

    def _declaration_part(self, node: Node, title: Node | None) -> Node | None:
        """Reads one declaration. Catch writes a test as a call and a block behind it: the call is handed on."""
        kind = node.type
        if kind == "expression_statement":
            return self._statement(node)
        if kind == "compound_statement" and title is not None:
            self._titled_test(title, node)
        elif kind in self._levels:
            self._levels[kind](node)
        elif kind.startswith("preproc_"):
            self._preprocessor(node)
        elif kind != "comment":
            self.read(node)
        return None

    def _level_readers(self) -> dict[str, Callable[[Node], None]]:
        readers: dict[str, Callable[[Node], None]] = {
            "function_definition": self._function_definition,
            "declaration": self._declared,
            "field_declaration": self._declared,
            "enum_specifier": self.local_class,
            "type_definition": self._typedef,
            "alias_declaration": self._alias,
            "template_declaration": self._template_declaration,
            "namespace_definition": self._namespace,
            "access_specifier": self._access,
            "using_declaration": self._using,
            "ERROR": self._broken_level,
        }
        readers.update((kind, self.local_class) for kind in _CLASSES)
        readers.update((kind, self.level) for kind in _LEVELS)
        return readers

    def _namespace(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        if body is not None:
            self.level(body)

    def _access(self, node: Node) -> None:
        self.visibility = "private" if self.cut(node).startswith("private") else "public"

    def _broken_level(self, node: Node) -> None:
        self.gap("syntax", node)
        self.level(node)

    def _statement(self, node: Node) -> Node | None:
        """A macro that stands alone: a test of Catch, or something that the preprocessor alone understands."""
        call = next(iter(node.named_children), None)
        if call is not None and call.type == "call_expression":
            name = call.child_by_field_name("function")
            if name is not None and self.cut(name) in _TITLED:
                return call
        self.parts(node)
        return None

    # what everything is defined with

    def define(
        self,
        name: str,
        kind: DefinitionKind,
        node: Node,
        *,
        parent: int,
        bases: tuple[str, ...] = (),
        flags: tuple[str, ...] = (),
    ) -> int:
        """A definition of this name inside of `parent`."""
        above = self.definitions[parent].name
        made = Definition(
            f"{above}.{name}" if above else name,
            kind,
            node.start_point[0] + 1,
            _last_line(node),
            parent,
            self.visibility if self.definitions[parent].kind == "class" else _visibility(flags),
            bases,
            flags=tuple(flag for flag in flags if flag != "private"),
        )
        if self.template_at:
            self.begins[len(self.definitions)] = self.template_at
            self.template_at = 0
        self.definitions.append(made)
        self.nodes.append(node)
        return len(self.definitions) - 1

    def owner(self) -> int:
        """The class or file around; what is declared in a function belongs to the function."""
        return self.local.index

    def partial_class(self, path: list[str], node: Node) -> int:
        """The class that a member belongs to that is defined outside of it."""
        parent = 0
        for place, name in enumerate(path):
            full = ".".join(path[: place + 1])
            known = self.classes.get(full)
            if known is None:
                known = self.define(name, "class", node, parent=parent)
                self.classes[full] = known
                self.partial.add(known)
            parent = known
        return parent

    # classes

    def class_(self, node: Node, whole: Node, name: str = "") -> int:
        """A class with a body is defined; one without is only named. Gives its index, -1 where there is none."""
        body, named = node.child_by_field_name("body"), node.child_by_field_name("name")
        if body is None:
            return -1
        if named is not None:
            name = self.class_chain(named).rpartition(".")[2] or name
        if not name:
            self._members(body)
            return -1
        bases = self._bases(node)
        outer, visibility = self.local, self.visibility
        parent = self.owner()
        index = self.define(name, "class", whole, parent=parent, bases=tuple(bases))
        self.classes.setdefault(self.definitions[index].name, index)
        for base in bases:
            self.references.append(Reference(index, "inherit", base, node.start_point[0] + 1))
        self.local = Local(index, index)
        self.visibility = "private" if node.type == "class_specifier" else "public"
        self.level(body)
        self.local, self.visibility = outer, visibility
        return index

    def local_class(self, node: Node) -> None:
        if node.type in _CLASSES:
            self.class_(node, node)
        elif node.type == "enum_specifier":
            self._enum(node, node)

    def _bases(self, node: Node) -> list[str]:
        bases = []
        for part in node.named_children:
            if part.type == "base_class_clause":
                for base in part.named_children:
                    chain = self.class_chain(base) if base.type != "access_specifier" else ""
                    bases += [chain] if chain else []
        return bases

    def _members(self, body: Node) -> None:
        """The members of a struct or union without a name belong to what is around it."""
        self.level(body)

    def _enum(self, node: Node, whole: Node, name: str = "") -> None:
        body, named = node.child_by_field_name("body"), node.child_by_field_name("name")
        if body is None:
            return
        name = self.cut(named) if named is not None else name
        parent = outer = self.owner()
        if name:
            parent = self.define(name, "class", whole, parent=outer)
            self.classes.setdefault(self.definitions[parent].name, parent)
        scoped = any(part.type in ("class", "struct") for part in node.children)
        for part in body.named_children:
            if part.type != "enumerator":
                continue
            constant = part.child_by_field_name("name")
            value = part.child_by_field_name("value")
            if constant is not None:
                text = self.cut(constant)
                index = self.define(text, "constant", part, parent=parent)
                if name and not scoped:
                    self.bindings.append(
                        Binding(outer, text, f"{name}.{text}", "assign", outer, part.start_point[0] + 1)
                    )
                if value is not None:
                    self._inside(index, value)

    def _inside(self, index: int, value: Node) -> None:
        """Reads an initial value as a part of the definition that it is the value of."""
        outer = self.local
        self.local = Local(index, outer.cls)
        self.handed(value)
        self.local = outer

    # types

    def _typedef(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        names = [declared(part) for part in node.children_by_field_name("declarator")]
        first = next((found for found in names if found.name is not None), None)
        inner = kind.child_by_field_name("name") if kind is not None and kind.type != "primitive_type" else None
        if kind is not None and kind.child_by_field_name("body") is not None and kind.type.endswith("_specifier"):
            named = self.cut(first.name) if first is not None and first.name is not None else ""
            if kind.type in _CLASSES:
                self.class_(kind, kind if inner is not None else node, named)
            else:
                self._enum(kind, kind if inner is not None else node, named)
            if inner is None:
                names = names[1:]
        for found in names:
            self._type_name(node, kind, found)

    def _type_name(self, node: Node, kind: Node | None, found: Declared) -> None:
        if found.name is None:
            return
        name = self.cut(found.name)
        chain = self.use_type(kind) if found.function is None else ""
        if chain == name + "!":
            return
        self.define(name, "type", node, parent=self.owner())
        if chain.endswith("!") and not found.array:
            self.bind(self.owner(), name, chain[:-1], "assign", node)

    def _alias(self, node: Node) -> None:
        name, kind = node.child_by_field_name("name"), node.child_by_field_name("type")
        if name is None:
            return
        chain = self.use_type(kind)
        self.define(self.cut(name), "type", node, parent=self.owner())
        if chain.endswith("!"):
            self.bind(self.owner(), self.cut(name), chain[:-1], "assign", node)

    def _using(self, node: Node) -> None:
        """`using a::Foo` names Foo; a namespace that is used as a whole changes nothing here."""
        inner = next(iter(node.named_children), None)
        if inner is None or inner.type != "qualified_identifier":
            return
        chain = self.qualified(inner)
        name = chain.rpartition(".")[2]
        if chain and name != chain and not any(part.type == "namespace" for part in node.children):
            self.bind(self.owner(), name, chain, "import", node)

    def _template_declaration(self, node: Node) -> None:
        """A template is what it declares; its parameters are no names of this file."""
        outer = self.parameters
        listed = node.child_by_field_name("parameters")
        for part in listed.named_children if listed is not None else ():
            name = next((inner for inner in reversed(part.named_children) if inner.type == "type_identifier"), None)
            if name is not None and part.type.endswith("type_parameter_declaration"):
                self.parameters = self.parameters | {self.cut(name)}
        for part in node.named_children:
            if part.type not in ("template_parameter_list", "requires_clause", "comment"):
                self.template_at = node.start_point[0] + 1
                self._declaration_part(part, None)
                self.template_at = 0
        self.parameters = outer

    # variables and declared functions

    def _declared(self, node: Node) -> None:
        kind = node.child_by_field_name("type")
        base = self.use_type(kind)
        if kind is not None and kind.type in _CLASSES and kind.child_by_field_name("body") is not None:
            if kind.child_by_field_name("name") is None and self.local.cls >= 0:
                base = self._unnamed_member(node, kind)
            else:
                self.local_class(kind)
        elif kind is not None and kind.type == "enum_specifier":
            self.local_class(kind)
        words = {self.cut(part) for part in node.children if part.type in _WORDS}
        parts = node.children_by_field_name("declarator")
        default = node.child_by_field_name("default_value")
        for part in parts:
            found = declared(part)
            if found.name is None:
                continue
            if found.function is not None:
                self._declared_function(node, found, base, words)
            else:
                value = part.child_by_field_name("value") if part.type == "init_declarator" else default
                self._variable(node if len(parts) == 1 else part, found, base, words, value)

    def _unnamed_member(self, node: Node, kind: Node) -> str:
        """`struct { int a; } b;` in a class: the members are those of a class called as its first variable."""
        parts = node.children_by_field_name("declarator")
        name = declared(parts[0]).name if parts else None
        index = self.class_(kind, kind, f"{self.cut(name)}_t" if name is not None else "")
        return self.definitions[index].name.rpartition(".")[2] + "!" if index >= 0 else ""

    def _variable(self, node: Node, found: Declared, base: str, words: set[str], value: Node | None) -> None:
        if found.name is None:
            return
        parent, name = self.owner(), self.cut(found.name)
        if found.name.type == "qualified_identifier":
            path = self.without_namespaces(self.scopes(found.name), defining=True)
            parent = self.partial_class(path[:-1], node) if path[:-1] else parent
            name = path[-1]
        flags: tuple[str, ...] = ("abstract",) if "extern" in words and value is None else ()
        flags += ("static",) if "static" in words and self.local.cls >= 0 else ()
        flags += ("private",) if "static" in words and self.local.cls < 0 else ()
        fixed = {"constexpr", "constinit"} if found.pointer else {"constexpr", "const", "constinit"}
        constant = bool(words & fixed) or name.isupper()
        index = self.define(name, "constant" if constant else "variable", node, parent=parent, flags=flags)
        chain = base + "*" if base and found.array and base[0] != "%" else base
        if chain and chain[0] != "%" and not found.callable:
            self.bind(parent, name, chain, "annotation", found.name)
        if value is not None:
            self._inside(index, value)

    def _declared_function(self, node: Node, found: Declared, base: str, words: set[str]) -> None:
        if found.name is None or found.function is None:
            return
        name = spelled(self._simple(found.name))
        flags: tuple[str, ...] = ("abstract",)
        flags += ("static",) if "static" in words and self.local.cls >= 0 else ()
        flags += ("private",) if "static" in words and self.local.cls < 0 else ()
        parent = self.owner()
        index = self.define(name, "method" if self.local.cls >= 0 else "function", node, parent=parent, flags=flags)
        outer = self.local
        self.local = Local(index, outer.cls)
        self._signature(index, found.function, base)
        self.local = outer
        self._hand_over(name, index, outer)

    def _simple(self, node: Node) -> str:
        if node.type == "qualified_identifier":
            return (self.scopes(node) or [""])[-1]
        return self.cut(node)

    def _signature(self, index: int, function: Node, base: str) -> None:
        """Parameters and what is returned, into the definition."""
        made = []
        listed = function.child_by_field_name("parameters")
        for part in listed.named_children if listed is not None else ():
            if part.type not in (
                "parameter_declaration",
                "optional_parameter_declaration",
                "variadic_parameter_declaration",
            ):
                continue
            chain = self.use_type(part.child_by_field_name("type"))
            declarator = part.child_by_field_name("declarator")
            found = declared(declarator) if declarator is not None else None
            name = found.name if found is not None else None
            if found is not None and (found.callable or found.function is not None):
                chain = "%func"
            value = part.child_by_field_name("default_value")
            default = self.handed(value) if value is not None else ""
            text = self.cut(name) if name is not None and name.type == "identifier" else ""
            if not text and not chain:
                continue
            self.local.names[text] = chain
            variadic = part.type == "variadic_parameter_declaration"
            made.append(Parameter(text, chain, "" if default[:1] == "?" else default, "*" if variadic else ""))
        following = next((part for part in function.named_children if part.type == "trailing_return_type"), None)
        if following is not None and following.named_children:
            base = self.use_type(following.named_children[0]) or base
        old = self.definitions[index]
        returns = (base,) if base else ()
        self.definitions[index] = _with_signature(old, tuple(made), returns)

    # functions

    def _function_definition(self, node: Node) -> None:
        declarator = node.child_by_field_name("declarator")
        found = declared(declarator) if declarator is not None else None
        if found is None or found.name is None or found.function is None:
            self.parts(node)
            return
        if found.name.type == "identifier" and self.cut(found.name) in _TESTS:
            self._macro_test(node, self.cut(found.name), found.function)
            return
        path = [self.cut(found.name)]
        if found.name.type == "qualified_identifier":
            path = self.without_namespaces(self.scopes(found.name), defining=True)
        name = spelled(path[-1])
        parent = self.owner()
        if path[:-1] and self.local.cls < 0:
            parent = self.partial_class(path[:-1], node)
        self._function(node, name, parent, found)

    def _function(self, node: Node, name: str, parent: int, found: Declared) -> None:
        words = {self.cut(part) for part in node.children if part.type in _WORDS}
        in_class = self.definitions[parent].kind == "class"
        bodiless = any(
            part.type in ("delete_method_clause", "default_method_clause", "pure_virtual_clause")
            for part in node.children
        )
        flags: tuple[str, ...] = ("abstract",) if bodiless else ()
        flags += ("static",) if "static" in words and in_class else ()
        flags += ("private",) if "static" in words and not in_class else ()
        visibility = self.visibility
        if parent != self.local.index:
            self.visibility = "public"
        index = self.define(name, "method" if in_class else "function", node, parent=parent, flags=flags)
        self.visibility = visibility
        outer = self.local
        cls = parent if in_class else -1
        self.local = Local(index, cls)
        base = self.use_type(node.child_by_field_name("type"))
        if base.startswith("auto"):
            base = ""
        if found.function is not None:
            self._signature(index, found.function, base)
        for part in node.named_children:
            if part.type == "field_initializer_list":
                self._initializers(part)
            elif part.type in ("compound_statement", "try_statement"):
                self.parts(part)
        self.local = outer
        self._hand_over(name, index, Local(parent, cls))

    def _initializers(self, node: Node) -> None:
        """`Foo(int a) : Base(a), b_(a)`: constructors of bases and of members."""
        for part in node.named_children:
            inner = part.named_children
            if part.type != "field_initializer" or not inner:
                continue
            arguments: tuple[str, ...] = ()
            for given in inner[1:]:
                arguments = self.arguments(given)
            name = self.class_chain(inner[0]) or self.cut(inner[0]).partition("<")[0].strip()
            bases = self.definitions[self.local.cls].bases if self.local.cls >= 0 else ()
            if name in bases or inner[0].type != "field_identifier" or name[:1].isupper():
                self.refer("call", name, part, arguments)
            else:
                self.refer_once("write", f"self.{name}", part)

    def _hand_over(self, name: str, index: int, outer: Local) -> None:
        """A class calls its constructors, and hands its operators to the language."""
        if outer.cls < 0:
            return
        own = self.definitions[outer.cls].name.rpartition(".")[2]
        line = self.definitions[index].line
        if name == own:
            self.references.append(Reference(outer.cls, "call", f"self.{name}", line))
        elif _SPECIAL(name):
            self.references.append(Reference(outer.cls, "pass", f"self.{name}", line))

    # tests

    def _macro_test(self, node: Node, macro: str, function: Node) -> None:
        listed = function.child_by_field_name("parameters")
        words = [self.cut(part) for part in listed.named_children] if listed is not None else []
        fixture = words[0] if words and macro in _FIXED else ""
        parent = self.partial_class([fixture], node) if fixture else 0
        name = words[-1] if fixture and len(words) > 1 else ".".join(words) or macro
        index = self.define(name, "method" if fixture else "function", node, parent=parent, flags=("test",))
        outer = self.local
        self.local = Local(index, parent if fixture else -1)
        if fixture:
            for step in ("SetUp", "TearDown"):
                self.refer("call", f"self.{step}", node)
            self.refer("call", fixture, node)
        body = node.child_by_field_name("body")
        if body is not None:
            self.parts(body)
        self.local = outer

    def _titled_test(self, call: Node, body: Node) -> None:
        given = call.child_by_field_name("arguments")
        parts = given.named_children if given is not None else []
        literals = [part for part in parts if part.type == "string_literal"]
        title = self.literal(literals[0]) if literals else f"case {call.start_point[0] + 1}"
        name = " ".join(spelled_title(title).split()) or "case"
        index = self.define(name, "function", body, parent=0, flags=("test",))
        outer = self.local
        self.local = Local(index)
        for part in parts:
            if part.type == "identifier":
                self.refer("call", self.cut(part), part)
        self.parts(body)
        self.local = outer

    # preprocessor

    def _preprocessor(self, node: Node) -> None:
        kind = node.type
        if kind == "preproc_include":
            self._include(node)
        elif kind in ("preproc_def", "preproc_function_def"):
            self._macro(node)
        elif kind not in ("preproc_call", "preproc_directive", "preproc_arg"):
            self.level(node)

    def _include(self, node: Node) -> None:
        path = node.child_by_field_name("path")
        if path is None:
            return
        text = self.cut(path)
        if path.type == "string_literal":
            spec = text[1:-1]
            spec = spec if spec.startswith(".") else "./" + spec
            self.bind(0, "*", f"<{spec}>.*", "import", node)
        elif path.type == "system_lib_string":
            spec = text[1:-1]
            if "/" in spec or spec.endswith((".h", ".hpp")):
                self.bind(0, "*", f"<{spec}>.*", "import", node)
        else:
            self.gaps.append(Gap(0, "macro", node.start_point[0] + 1))
            return
        self.refer("import", f"<{spec}>", node)

    def _macro(self, node: Node) -> None:
        """A macro is a function or a constant; what its text mentions, it uses. A guard of a header is neither."""
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or (value is None and node.type == "preproc_def"):
            return
        listed = node.child_by_field_name("parameters")
        names = (
            [self.cut(part) for part in listed.named_children if part.type == "identifier"]
            if listed is not None
            else []
        )
        kind: DefinitionKind = "constant" if listed is None else "function"
        index = self.define(self.cut(name), kind, node, parent=0)
        self.definitions[index] = _with_signature(self.definitions[index], tuple(map(Parameter, names)), ())
        outer = self.local
        self.local = Local(index)
        line = node.start_point[0] + 1
        for found in _MACRO_WORDS.finditer(self.cut(value) if value is not None else ""):
            word = found[1]
            if not word or word in names or word in _CONTROL:
                continue
            use = "call" if found[2] else "read"
            if (use, word) not in self.local.seen:
                self.local.seen.add((use, word))
                self.references.append(Reference(index, "call" if found[2] else "read", word, line))
        self.local = outer


_WORDS = frozenset(
    ["storage_class_specifier", "type_qualifier", "virtual", "virtual_function_specifier", "extern", "inline"]
)


def spelled_title(title: str) -> str:
    """A title as a name: a point would part it, and # and : mean something in the graph."""
    from tidegate.reach.languages.tree import STEP_LOOK_ALIKES

    return title.translate(STEP_LOOK_ALIKES).replace("#", "＃").replace(":", "：")


def _last_line(node: Node) -> int:
    """The preprocessor's lines end at the beginning of the next."""
    row, column = node.end_point
    return row if column == 0 and row > node.start_point[0] else row + 1


def _visibility(flags: tuple[str, ...]) -> Visibility:
    return "private" if "private" in flags else "public"


def _with_signature(old: Definition, parameters: tuple[Parameter, ...], returns: tuple[str, ...]) -> Definition:
    return Definition(
        old.name,
        old.kind,
        old.line,
        old.end_line,
        old.parent,
        old.visibility,
        old.bases,
        old.decorators,
        parameters,
        returns,
        old.flags,
    )
