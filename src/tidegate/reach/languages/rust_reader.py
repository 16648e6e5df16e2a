"""Rust's items: what a file defines, in which module, and which types have which methods and traits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from tidegate.reach.languages.rust_expressions import RustExpressions
from tidegate.reach.languages.rust_tokens import read_tokens
from tidegate.reach.languages.rust_types import NOTHING, Scope
from tidegate.reach.languages.tree import Under
from tidegate.reach.symbols import (
    Binding,
    Definition,
    DefinitionKind,
    FileSymbols,
    Gap,
    Parameter,
    Reference,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_TYPES = {"struct_item": "class", "union_item": "class", "enum_item": "class", "trait_item": "interface"}
_PLAIN_ATTRIBUTES = (
    "allow warn deny forbid expect inline doc cfg cfg_attr must_use non_exhaustive repr track_caller cold no_mangle "
    "automatically_derived rustfmt clippy deprecated ignore should_panic macro_use macro_export path feature"
)
_PLAIN = frozenset(_PLAIN_ATTRIBUTES.split(" "))
_TESTS = frozenset(["test", "rstest", "test_case", "quickcheck", "wasm_bindgen_test", "proptest"])


class RustReader(RustExpressions):
    """Reads one file. A type stands before its methods among the definitions, wherever it stands in the file."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self.nodes: dict[int, Node] = {}
        self.types: dict[tuple[int, str], int] = {}
        self.bases: dict[int, list[str]] = {}
        self.attributes: list[Node] = []
        self.test_macros: set[str] = set()

    @classmethod
    def readers_of(cls) -> dict[str, Callable[[Any, Node], str]]:
        return {
            **super().readers_of(),
            "function_item": cls._function,
            "function_signature_item": cls._function,
            "macro_definition": cls._macro_rules,
            "mod_item": cls._module,
            "use_declaration": cls._use,
            "extern_crate_declaration": cls._extern_crate,
            "impl_item": cls._impl,
            "const_item": cls._constant,
            "static_item": cls._constant,
            "type_item": cls._alias,
            "associated_type": cls._associated,
            "declaration_list": cls._items,
            "attribute_item": cls._attribute,
            "macro_invocation": cls._item_macro,
            **dict.fromkeys(_TYPES, cls._type_item),
        }

    def read_file(self, root: Node) -> FileSymbols:
        self.definitions.append(Definition("", "module", 1, self.text.count("\n") + 1, -1))
        self.nodes[0] = root
        self._collect(root)
        self._read_items(root)
        if root.has_error and not self.gaps:
            self.gaps.append(Gap(0, "syntax", 1))
        return FileSymbols(
            definitions=tuple(self._whole(index, made) for index, made in enumerate(self.definitions)),
            bindings=tuple(self.bindings),
            references=tuple(self.references),
            texts=tuple(self.texts),
            gaps=tuple(self.gaps),
        )

    def _whole(self, index: int, made: Definition | None) -> Definition:
        """The definition with what its impl blocks add. What reading did not reach keeps its place."""
        if made is None:
            node = self.nodes[index]
            name = node.child_by_field_name("name")
            first, last = node.start_point[0] + 1, node.end_point[0] + 1
            return Definition(self.cut(name)[:80] if name is not None else "?", "variable", first, last, 0)
        more = self.bases.get(index)
        if not more:
            return made
        bases = tuple(dict.fromkeys([*made.bases, *more]))
        return Definition(
            *(made.name, made.kind, made.line, made.end_line, made.parent, made.visibility, bases),
            *(made.decorators, made.parameters, made.returns, made.flags),
        )

    # What the file declares, before anything is read: names of modules and types tell paths into crates from others.

    def _collect(self, root: Node) -> None:
        todo = [root]
        while todo:
            for node in todo.pop().named_children:
                kind = node.type
                if kind == "use_declaration":
                    self._collect_names(node)
                elif kind in ("declaration_list", "ERROR"):
                    todo.append(node)
                elif kind.endswith("_item") or kind in ("macro_definition", "extern_crate_declaration"):
                    name = node.child_by_field_name("alias") or node.child_by_field_name("name")
                    if name is not None:
                        self.declared.add(self.cut(name))
                    body = node.child_by_field_name("body")
                    if body is not None and body.type == "declaration_list":
                        if kind == "impl_item":
                            self._collect_methods(body)
                        else:
                            todo.append(body)

    def _collect_methods(self, body: Node) -> None:
        for node in body.named_children:
            if node.type == "function_item":
                name = node.child_by_field_name("name")
                if name is not None:
                    self.methods.add(self.cut(name))

    def _collect_names(self, node: Node) -> None:
        self.declared.update(name for name, _ in self._used_names(node))

    def _read_items(self, node: Node) -> None:
        """The items of a module, its types first: impl blocks may stand above them."""
        listed = list(_items(node))
        self._reserve_types(listed)
        self.attributes = []
        for part in listed:
            kind = part.type
            if kind in ("line_comment", "block_comment", "inner_attribute_item"):
                continue
            if kind == "attribute_item":
                self.attributes.append(part)
                continue
            self._guarded(part)
            self.attributes = []

    def _guarded(self, node: Node) -> None:
        """An item that is nested too deeply is a gap, and leaves the others alone."""
        scope, under = self.scope, self.under
        try:
            self.read(node)
        except RecursionError:
            self.scope, self.under = scope, under
            self.gaps.append(Gap(scope.index, "syntax", node.start_point[0] + 1))

    def _reserve_types(self, listed: list[Node]) -> None:
        for part in listed:
            name = part.child_by_field_name("name") if part.type in _TYPES else None
            if name is not None:
                self.types.setdefault((self.scope.index, self.cut(name)), self._reserve(part))

    def _reserve(self, node: Node) -> int:
        self.definitions.append(None)
        self.nodes[len(self.definitions) - 1] = node
        return len(self.definitions) - 1

    def _items(self, node: Node) -> str:
        self._read_items(node)
        return "?"

    def _attribute(self, node: Node) -> str:
        self.attributes.append(node)
        return "?"

    def _module(self, node: Node) -> str:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None:
            return "?"
        text = self.cut(name)
        if body is None:
            self._module_file(node, text)
            return "?"
        index = self._reserve(node)
        outer = self.scope
        full = self._full(text)
        decorators = self._decorators(index)
        self._define(node, index, (full, "module", outer.index), self._public(node), decorators=decorators)
        self._inside(index, full, lambda: self._read_items(body), module=text)
        return "?"

    def _module_file(self, node: Node, name: str) -> None:
        """`mod name;` means a file; `#[path = "..."]` says which."""
        spec = "::".join(["self", *self.scope.modules, name])
        for attribute in self.attributes:
            text = self.cut(attribute)
            if text.startswith("#[path") and text.count('"') == 2:
                spec = "./" + text.split('"')[1]
        line = node.start_point[0] + 1
        index = self.scope.index
        self.bindings.append(Binding(index, name, f"<{spec}>", "import", index, line))
        self.references.append(Reference(index, "import", f"<{spec}>", line))

    def _inside(self, index: int, name: str, read: Callable[[], None], module: str = "") -> None:
        """Reads what stands inside a definition, and goes back to the one around it."""
        outer, under, attributes = self.scope, self.under, self.attributes
        self.scope = Scope(index, name, (*outer.modules, module) if module else outer.modules)
        self.scope.type_parameters |= outer.type_parameters
        self.scope.bounds = list(outer.bounds)
        for known, chain in outer.bounds:
            self.bind(known, chain, "annotation", self.nodes[index])
        self.under = Under()
        read()
        self.scope, self.under, self.attributes = outer, under, attributes

    def _full(self, name: str) -> str:
        return f"{self.scope.name}.{name}" if self.scope.name else name

    def _use(self, node: Node) -> str:
        line, index = node.start_point[0] + 1, self.scope.index
        for name, path in self._used_names(node):
            if len(path) == 1 and path[0] not in ("crate", "self", "super"):
                chain = f"<{path[0]}>" if path[0] not in self.declared - {name} else path[0]
            else:
                inner = name in self.declared
                self.declared.discard(name) if inner and path[0] == name else None
                chain = self.spell(path)
                if inner:
                    self.declared.add(name)
            if chain == name:
                continue
            self.bindings.append(Binding(index, name, chain, "import", index, line))
            if chain[0] == "<":
                self.references.append(Reference(index, "import", chain.removesuffix(".*"), line))
        return "?"

    def _used_names(self, node: Node) -> list[tuple[str, list[str]]]:
        """The names that a `use` brings with the path of each; "*" for all names of a module."""
        found: list[tuple[str, list[str]]] = []
        argument = node.child_by_field_name("argument")
        todo: list[tuple[Node, list[str]]] = [(argument, [])] if argument is not None else []
        while todo:
            part, before = todo.pop()
            kind = part.type
            if kind == "scoped_use_list":
                path, listed = part.child_by_field_name("path"), part.child_by_field_name("list")
                if listed is not None:
                    todo.append((listed, [*before, *(self._names(path) if path is not None else [])]))
            elif kind == "use_list":
                todo.extend((inner, before) for inner in reversed(part.named_children) if "comment" not in inner.type)
            elif kind == "use_as_clause":
                path, alias = part.child_by_field_name("path"), part.child_by_field_name("alias")
                if path is not None and alias is not None and self.cut(alias) != "_":
                    names = [*before, *self._names(path)]
                    found.append((self.cut(alias), names[:-1] if names[-1] == "self" and before else names))
            elif kind == "use_wildcard":
                inner = part.named_children
                found.append(("*", [*before, *(self._names(inner[0]) if inner else []), "*"]))
            elif kind == "self" and before:
                found.append((before[-1], before))
            else:
                names = [*before, *self._names(part)]
                found.append((names[-1], names))
        return found

    def _names(self, node: Node) -> list[str]:
        return [name.strip() for name in self.cut(node).split("::")]

    def _extern_crate(self, node: Node) -> str:
        name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
        if name is not None:
            text, line = self.cut(name), node.start_point[0] + 1
            index = self.scope.index
            known = self.cut(alias) if alias is not None else text
            self.bindings.append(Binding(index, known, f"<{text}>", "import", index, line))
            self.references.append(Reference(index, "import", f"<{text}>", line))
        return "?"

    # definitions

    def _define(
        self,
        node: Node,
        index: int,
        place: tuple[str, DefinitionKind, int],
        flags: list[str],
        *,
        bases: tuple[str, ...] = (),
        decorators: tuple[str, ...] = (),
        parameters: tuple[Parameter, ...] = (),
        returns: tuple[str, ...] = (),
    ) -> None:
        name, kind, parent = place
        first = min([attribute.start_point[0] for attribute in self.attributes] + [node.start_point[0]]) + 1
        visible: tuple[str, ...] = tuple(flag for flag in flags if flag != "visible")
        self.definitions[index] = Definition(
            name=name,
            kind=kind,
            line=first,
            end_line=node.end_point[0] + 1,
            parent=parent,
            visibility="public" if "exported" in flags or "visible" in flags else "private",
            bases=bases,
            decorators=decorators,
            parameters=parameters,
            returns=returns,
            flags=visible,
        )

    def _public(self, node: Node) -> list[str]:
        """`pub` is exported, `pub(crate)` and the like are visible elsewhere in the crate."""
        for part in node.children[:2]:
            if part.type == "visibility_modifier":
                return ["exported"] if part.child_count < 2 else ["visible"]
        return []

    def _decorators(self, index: int) -> tuple[str, ...]:
        """The attributes of an item; a derived trait counts by its own name."""
        found: list[str] = []
        scope = self.scope
        self.scope = Scope(index, scope.name, scope.modules)
        for attribute in self.attributes:
            inner = attribute.named_children[0] if attribute.named_children else None
            parts = inner.named_children if inner is not None and inner.type == "attribute" else []
            if not parts or self.cut(parts[0]).partition("::")[0] in _PLAIN:
                continue
            tree = parts[1] if len(parts) > 1 and parts[1].type == "token_tree" else None
            before = len(self.references)
            given = read_tokens(self, tree, False) if tree is not None else ()
            name = self.path_of(parts[0])
            if name == "derive":
                found.extend(given)
                given = tuple(chain for chain in given if chain)
            else:
                found.append(name)
            del self.references[before:]
            self.refer("decorate", name, attribute, given)
        self.scope = scope
        return tuple(found)

    def _function(self, node: Node) -> str:
        name = node.child_by_field_name("name")
        if name is None:
            return "?"
        owner = self.definitions[self.scope.index]
        member = owner is not None and owner.kind in ("class", "interface") and self.scope.name == owner.name
        index, text = self._reserve(node), self.cut(name)
        flags = self._public(node) or (["visible"] if self._in_trait(node) else [])
        decorators = self._decorators(index)
        full, outer, attributes = self._full(text), self.scope.index, self.attributes

        def read() -> None:
            self.attributes = attributes
            self._signature_and_body(node, index, (full, "method" if member else "function", outer), flags, decorators)

        self._inside(index, full, read)
        return "?"

    @staticmethod
    def _in_trait(node: Node) -> bool:
        """Whether a method belongs to a trait or to the implementation of one: its visibility is the trait's."""
        around = node.parent.parent if node.parent is not None else None
        if around is None:
            return False
        return around.type == "trait_item" or (
            around.type == "impl_item" and around.child_by_field_name("trait") is not None
        )

    def _signature_and_body(
        self,
        node: Node,
        index: int,
        place: tuple[str, DefinitionKind, int],
        flags: list[str],
        decorators: tuple[str, ...],
    ) -> None:
        listed, body = node.child_by_field_name("parameters"), node.child_by_field_name("body")
        self._bounds(node)
        flags = [*flags, *self._function_flags(node, place, decorators)]
        parameters = tuple(self._parameters(listed)) if listed is not None else ()
        result = node.child_by_field_name("return_type")
        chain = self.type_of(result) if result is not None else "?"
        returns = (chain,) if chain != "?" else ()
        # Defined before the body is read, for what stands inside of it asks what it stands in.
        self._define(node, index, place, flags, decorators=decorators, parameters=parameters, returns=returns)
        attributes, self.attributes = self.attributes, []
        given = self.read(body) if body is not None else "?"
        if given[0] not in "%?" and result is not None and result.type == "abstract_type":
            self.attributes, returns = attributes, (*returns, given)
            self._define(node, index, place, flags, decorators=decorators, parameters=parameters, returns=returns)

    def _function_flags(
        self, node: Node, place: tuple[str, DefinitionKind, int], decorators: tuple[str, ...]
    ) -> Iterator[str]:
        listed = node.child_by_field_name("parameters")
        first = listed.named_children[0] if listed is not None and listed.named_children else None
        if place[1] == "method" and (first is None or first.type != "self_parameter"):
            yield "static"
        if any(part.type == "function_modifiers" and "async" in self.cut(part) for part in node.named_children):
            yield "async"
        if node.type == "function_signature_item" and place[1] == "method":
            yield "abstract"
        if any(chain.rpartition(".")[2] in _TESTS for chain in decorators):
            yield "test"

    def _parameters(self, node: Node) -> Iterator[Parameter]:
        for part in node.named_children:
            if part.type != "parameter":
                continue
            pattern, kind = part.child_by_field_name("pattern"), part.child_by_field_name("type")
            chain = self.type_of(kind) if kind is not None else "?"
            while pattern is not None and pattern.type in ("mut_pattern", "ref_pattern") and pattern.named_children:
                pattern = pattern.named_children[-1]
            if pattern is not None and pattern.type == "identifier":
                name = self.cut(pattern)
                self.scope.locals.add(name)
                yield Parameter(name, "" if chain == "?" else chain)
            else:
                if pattern is not None:
                    self.pattern(pattern, chain)
                yield Parameter("_", "" if chain == "?" else chain)

    def _bounds(self, node: Node) -> None:
        """A type parameter means the traits that bound it: `T: Read`, `where T: Read`."""
        listed = node.child_by_field_name("type_parameters")
        for part in listed.named_children if listed is not None else ():
            name, bounds = part.child_by_field_name("name"), part.child_by_field_name("bounds")
            if name is not None and part.type == "type_parameter":
                self.scope.type_parameters.add(self.cut(name))
                self._bound(self.cut(name), bounds)
        for clause in node.named_children:
            for predicate in clause.named_children if clause.type == "where_clause" else ():
                left, bounds = predicate.child_by_field_name("left"), predicate.child_by_field_name("bounds")
                if left is not None:
                    self._bound(self.cut(left), bounds)

    def _bound(self, name: str, bounds: Node | None) -> None:
        for bound in bounds.named_children if bounds is not None else ():
            if bound.type == "lifetime":
                continue
            chain = self.class_of(bound)
            if chain and name.isidentifier() and chain not in NOTHING:
                self.scope.bounds.append((name, chain))
                self.bind(name, chain, "annotation", bound)

    def _macro_rules(self, node: Node) -> str:
        """A macro is a function whose body uses what the right-hand sides of its rules name."""
        name = node.child_by_field_name("name")
        if name is None:
            return "?"
        index, text = self._reserve(node), self.cut(name)
        exported = any("macro_export" in self.cut(attribute) for attribute in self.attributes)
        self._define(node, index, (self._full(text), "function", self.scope.index), ["exported"] if exported else [])
        if "#[test]" in self.cut(node):
            self.test_macros.add(text)

        def read() -> None:
            for rule in node.named_children:
                right = rule.child_by_field_name("right") if rule.type == "macro_rule" else None
                if right is not None:
                    read_tokens(self, right, False)

        self._inside(index, self._full(text), read)
        return "?"

    def _item_macro(self, node: Node) -> str:
        """`my_test!(name, ...)` at the level of items makes a test of that name; any other macro is only called.

        So does a macro of the file that writes `#[test]`.
        """
        around = node.parent
        if around is not None and around.type == "expression_statement":
            around = around.parent
        name = node.child_by_field_name("macro")
        tree = node.named_children[-1] if node.named_children else None
        made = tree.named_children[0] if tree is not None and tree.named_children else None
        top = around is not None and around.type in ("source_file", "declaration_list")
        if not top or name is None or made is None or made.type != "identifier":
            return self._macro(node)
        if "test" not in self.cut(name) and self.cut(name) not in self.test_macros:
            return self._macro(node)
        index, full = self._reserve(node), self._full(self.cut(made))
        self._define(node, index, (full, "function", self.scope.index), ["test"])

        def read() -> None:
            self._macro(node)

        self._inside(index, full, read)
        return "?"

    def _constant(self, node: Node) -> str:
        name, kind, value = (node.child_by_field_name(field) for field in ("name", "type", "value"))
        if name is None:
            return "?"
        text, outer = self.cut(name), self.scope.index
        around = self.definitions[outer]
        local = around is not None and around.kind in ("function", "method")
        if text == "_" or local:
            declared = self.type_of(kind) if kind is not None else "?"
            self.bind(text, declared, "annotation", node)
            if value is not None:
                self.value(value)
            return "?"
        index = self._reserve(node)
        decorators = self._decorators(index)
        static = node.type == "static_item"
        place: tuple[str, DefinitionKind, int] = (self._full(text), "variable" if static else "constant", outer)
        self._define(node, index, place, self._public(node), decorators=decorators)

        def read() -> None:
            line = node.start_point[0] + 1
            if kind is not None and (chain := self.type_of(kind)) != "?":
                self.bindings.append(Binding(outer, text, chain, "annotation", index, line))
            if value is not None and (chain := self.value(value))[0] not in "%?":
                self.bindings.append(Binding(outer, text, chain, "assign", index, line))

        self._inside(index, self._full(text), read)
        return "?"

    def _alias(self, node: Node) -> str:
        """`type Name = Other;`. Inside an impl block it is the type that the trait asks for."""
        name, kind = node.child_by_field_name("name"), node.child_by_field_name("type")
        if name is None:
            return "?"
        index, text, outer = self._reserve(node), self.cut(name), self.scope.index
        self._define(node, index, (self._full(text), "type", outer), self._public(node))

        def read() -> None:
            self._bounds(node)
            chain = self.class_of(kind) if kind is not None else ""
            if chain:
                self.bindings.append(Binding(outer, text, chain, "assign", index, node.start_point[0] + 1))

        self._inside(index, self._full(text), read)
        return "?"

    def _associated(self, node: Node) -> str:
        name, bounds = node.child_by_field_name("name"), node.child_by_field_name("bounds")
        if name is not None and bounds is not None:
            self._bound(self.cut(name), bounds)
        return "?"

    # types

    def _type_item(self, node: Node) -> str:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None:
            return "?"
        text, outer = self.cut(name), self.scope.index
        index = self.types.get((outer, text), -1)
        if index < 0 or self.nodes[index].start_byte != node.start_byte:
            index = next((i for i, n in self.nodes.items() if n.start_byte == node.start_byte and i), -1)
            index = index if index > 0 and self.definitions[index] is None else self._reserve(node)
            self.types.setdefault((outer, text), index)
        flags = self._public(node)
        decorators = self._decorators(index)
        kind: DefinitionKind = "interface" if node.type == "trait_item" else "class"
        attributes, full = self.attributes, self._full(text)

        def read() -> None:
            self.attributes = attributes
            self._bounds(node)
            bounds = node.child_by_field_name("bounds")
            bases = tuple(self._inherited(bounds)) if bounds is not None else ()
            self._define(node, index, (full, kind, outer), flags, bases=bases, decorators=decorators)
            self.attributes = []
            if body is not None:
                self._type_body(node, body, full, index)

        self._inside(index, full, read)
        return "?"

    def _inherited(self, bounds: Node) -> Iterator[str]:
        for bound in bounds.named_children:
            chain = self.class_of(bound) if bound.type != "lifetime" else ""
            if chain and chain not in NOTHING:
                self.refer("inherit", chain, bound)
                yield chain

    def _type_body(self, node: Node, body: Node, full: str, index: int) -> None:
        if node.type == "trait_item":
            self._read_items(body)
        elif node.type == "enum_item":
            for variant in body.named_children:
                if variant.type == "enum_variant":
                    self._variant(variant, full, index)
        else:
            self._fields(body)

    def _fields(self, body: Node) -> None:
        place = 0
        if body.type == "ordered_field_declaration_list":
            for part in body.children_by_field_name("type"):
                self._field_means(str(place), self.type_of(part), part)
                place += 1
            return
        for field in body.named_children:
            name, kind = field.child_by_field_name("name"), field.child_by_field_name("type")
            if field.type == "field_declaration" and name is not None and kind is not None:
                self._field_means(self.cut(name), self.type_of(kind), field)

    def _field_means(self, name: str, chain: str, node: Node) -> None:
        index = self.scope.index
        if chain != "?":
            self.bindings.append(Binding(index, name, chain, "annotation", index, node.start_point[0] + 1))

    def _variant(self, node: Node, owner: str, parent: int) -> None:
        """A variant is a class below its enum: what is asked of it is answered there."""
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None:
            return
        index = self._reserve(node)
        full = f"{owner}.{self.cut(name)}"
        base = owner.rpartition(".")[2]
        self._define(node, index, (full, "class", parent), ["visible"], bases=(base,))

        def read() -> None:
            self.refer("inherit", base, node)
            if body is not None:
                self._fields(body)

        self._inside(index, full, read)

    def _impl(self, node: Node) -> str:
        """The methods of an impl block are members of its type; where that stands in another file, of a part of it."""
        kind, trait, body = (node.child_by_field_name(field) for field in ("type", "trait", "body"))
        if kind is None:
            return "?"
        outer = self.scope
        named = kind
        while named.type in ("generic_type", "reference_type", "bracketed_type") and named.named_children:
            named = named.named_children[0] if named.type == "generic_type" else named.named_children[-1]
        text = self.cut(named).replace(" ", "")
        short = text.rpartition("::")[2]
        short = short if short.isidentifier() else "?"
        local = self.types.get((outer.index, short)) if "::" not in text or text.startswith(("Self", "self")) else None
        index = local if local is not None else self._partial(node, named, short)
        full = short if not outer.name else f"{outer.name}.{short}"

        def read() -> None:
            self._bounds(node)
            chain = self.class_of(trait) if trait is not None else ""
            if chain:
                self.refer("inherit", chain, node)
                self.bases.setdefault(index, []).append(chain)
            if body is not None:
                self._read_items(body)

        self._inside(index, full, read)
        return "?"

    def _partial(self, node: Node, named: Node, short: str) -> int:
        index = self._reserve(node)
        self.types.setdefault((self.scope.index, short), index)
        path = self.path_of(named) if named.type in ("scoped_type_identifier", "type_identifier") else "?"
        bases = self._imported(short) if path == short else [path] if path != "?" else []
        self._define(node, index, (self._full(short), "class", self.scope.index), ["partial"])
        self.bases.setdefault(index, []).extend(bases)
        return index

    def _imported(self, name: str) -> list[str]:
        """What an import of the file says that the name means, read from the outside of the part of the type."""
        return [b.value for b in self.bindings if b.name == name and b.kind == "import"]


def _items(node: Node) -> Iterator[Node]:
    """The items of a file or a module; those inside of what could not be parsed too."""
    for part in node.named_children:
        yield part
        if part.type == "ERROR":
            yield from part.named_children
