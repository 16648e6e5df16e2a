"""What a TypeScript or JavaScript module exports, as it is written there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from tidegate.verify.contracts.syntax import line_of, read_syntax, text_of, told_before

if TYPE_CHECKING:
    from tree_sitter import Node


class Parameter(Struct, frozen=True):
    name: str
    optional: bool


class Export(Struct):
    """An exported name. `source` and `name` say where it comes from, if not from here; name "*" is a whole module.

    `parameters` is None where it is no function, or one of several signatures. `members` are public methods,
    None as well where they have several signatures.
    """

    kind: str
    line: int
    path: str
    deprecated: bool = False
    parameters: tuple[Parameter, ...] | None = None
    members: dict[str, tuple[Parameter, ...] | None] = field(default_factory=dict)
    extends: bool = False
    source: str = ""
    name: str = ""


class Module(Struct):
    """`stars` are the modules whose names it gives on; `open` if it exports in a way that is not read."""

    exports: dict[str, Export] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    open: bool = False


def read_module(path: str, content: bytes) -> Module:
    """What a module exports. Raises Unreadable."""
    plain = path.endswith((".ts", ".mts", ".cts"))
    function = "language_typescript" if plain else "language_tsx"
    root = read_syntax(content, "tree_sitter_typescript", function)
    module = Module(open=root.has_error or b"module.exports" in content or b"export =" in content)
    known = _known(root, path)
    for node in root.named_children:
        if node.type == "export_statement":
            _export(node, path, known, module)
    return module


# Private

_KINDS = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "function_signature": "function",
    "class_declaration": "class",
    "abstract_class_declaration": "class",
    "interface_declaration": "interface",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "internal_module": "namespace",
    "module": "namespace",
}
_FUNCTIONS = ("arrow_function", "function_expression", "generator_function")
Known = dict[str, Export]


def _known(root: Node, path: str) -> Known:
    """The names of the module itself, its imports among them."""
    known: Known = {}
    for node in root.named_children:
        if node.type == "import_statement":
            known |= dict(_imports(node, path))
        inner = node.child_by_field_name("declaration") if node.type == "export_statement" else node
        if inner is not None:
            for name, export in _declared(inner, path):
                _put(known, name, export)
    return known


def _put(into: Known, name: str, export: Export) -> None:
    """A name that is declared more than once has several signatures, or is a value and a type."""
    before = into.get(name)
    if before is None:
        into[name] = export
    elif before.kind == export.kind == "function":
        before.parameters = None
    elif before.kind in ("type", "interface", "namespace"):
        into[name] = export


def _declared(node: Node, path: str) -> Iterator[tuple[str, Export]]:
    if node.type == "ambient_declaration":
        for inner in node.named_children:
            yield from _declared(inner, path)
    elif node.type in _KINDS:
        name = text_of(node.child_by_field_name("name"))
        export = Export(_KINDS[node.type], line_of(node), path, _deprecated(node))
        if export.kind == "function":
            export.parameters = _parameters(node)
        elif export.kind == "class":
            export.members = dict(_methods(node))
            export.extends = any(child.type == "class_heritage" for child in node.named_children)
        yield name, export
    elif node.type in ("lexical_declaration", "variable_declaration"):
        for one in node.named_children:
            if one.type == "variable_declarator":
                yield from _variable(one, path, _deprecated(node))


def _variable(node: Node, path: str, deprecated: bool) -> Iterator[tuple[str, Export]]:
    target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if target is None:
        return
    if target.type == "identifier":
        function = value is not None and value.type in _FUNCTIONS
        typed = node.child_by_field_name("type") is not None
        parameters = _parameters(value) if function and value is not None and not typed else None
        kind = "function" if function else "const"
        yield text_of(target), Export(kind, line_of(node), path, deprecated, parameters)
        return
    stack = list(target.named_children)
    while stack:
        one = stack.pop()
        if one.type in ("shorthand_property_identifier_pattern", "identifier"):
            yield text_of(one), Export("const", line_of(one), path, deprecated)
        elif one.type == "pair_pattern":
            stack += [inner for inner in (one.child_by_field_name("value"),) if inner is not None]
        else:
            stack += one.named_children


def _export(node: Node, path: str, known: Known, module: Module) -> None:
    source = text_of(node.child_by_field_name("source")).strip("'\"`")
    declaration = node.child_by_field_name("declaration")
    default = any(child.type == "default" for child in node.children)
    if declaration is not None:
        for name, export in _declared(declaration, path):
            export.deprecated |= _deprecated(node)
            _put(module.exports, "default" if default else name, export)
        return
    if default:
        value = node.child_by_field_name("value")
        name = text_of(value)
        local = known.get(name, Export("value", line_of(node), path))
        if value is not None and value.type in _FUNCTIONS:
            local = Export("function", line_of(node), path, _deprecated(node), _parameters(value))
        module.exports["default"] = local
        return
    clauses = [child for child in node.named_children if child.type in ("export_clause", "namespace_export")]
    for clause in clauses:
        for one in clause.named_children:
            if clause.type == "namespace_export":
                module.exports[text_of(one)] = Export("namespace", line_of(one), path, source=source, name="*")
            elif one.type == "export_specifier":
                _specifier(one, path, (source, known), module)
    if not clauses and source:
        module.stars.append(source)


def _specifier(node: Node, path: str, at: tuple[str, Known], module: Module) -> None:
    source, known = at
    name = text_of(node.child_by_field_name("name"))
    alias = text_of(node.child_by_field_name("alias")) or name
    if source:
        module.exports[alias] = Export("name", line_of(node), path, source=source, name=name)
    else:
        module.exports[alias] = known.get(name, Export("name", line_of(node), path))


def _imports(node: Node, path: str) -> Iterator[tuple[str, Export]]:
    source = text_of(node.child_by_field_name("source")).strip("'\"`")
    line = line_of(node)
    for clause in (child for child in node.named_children if child.type == "import_clause"):
        for one in clause.named_children:
            if one.type == "identifier":
                yield text_of(one), Export("name", line, path, source=source, name="default")
            elif one.type == "namespace_import":
                yield text_of(one.named_children[0]), Export("namespace", line, path, source=source, name="*")
            elif one.type == "named_imports":
                for item in one.named_children:
                    name = text_of(item.child_by_field_name("name"))
                    alias = text_of(item.child_by_field_name("alias")) or name
                    yield alias, Export("name", line, path, source=source, name=name)


def _methods(node: Node) -> Iterator[tuple[str, tuple[Parameter, ...] | None]]:
    body = node.child_by_field_name("body")
    seen: dict[str, int] = {}
    found: dict[str, tuple[Parameter, ...]] = {}
    for one in body.named_children if body is not None else ():
        hidden = any(
            child.type == "accessibility_modifier" and text_of(child) in ("private", "protected")
            for child in one.named_children
        )
        name = text_of(one.child_by_field_name("name"))
        if "method" in one.type and not hidden and name and name[0] not in "#_[":
            seen[name] = seen.get(name, 0) + 1
            found[name] = _parameters(one)
    for name, parameters in found.items():
        yield name, parameters if seen[name] == 1 else None


def _parameters(node: Node) -> tuple[Parameter, ...]:
    given = node.child_by_field_name("parameters")
    if given is None:  # an arrow function with one bare name
        alone = node.child_by_field_name("parameter")
        return (Parameter(text_of(alone), False),) if alone is not None else ()
    found = []
    for one in given.named_children:
        if one.type not in ("required_parameter", "optional_parameter"):
            continue
        pattern = one.child_by_field_name("pattern")
        rest = pattern is not None and pattern.type == "rest_pattern"
        optional = one.type == "optional_parameter" or one.child_by_field_name("value") is not None or rest
        if text_of(pattern) != "this":
            found.append(Parameter(text_of(pattern), optional))
    return tuple(found)


def _deprecated(node: Node) -> bool:
    return "@deprecated" in told_before(node)
