"""Imports of JavaScript and TypeScript: `import`, `export ... from`, `require`, `import()` of literal texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tidegate.verify.dependencies.imports.values import Guard, Import

if TYPE_CHECKING:
    from tree_sitter import Node

SUFFIXES = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")
COMPONENTS = (".vue", ".svelte", ".astro")
LARGEST_BYTES = 2 * 1024 * 1024
_QUICK = re.compile(
    rb"""(?:\bfrom\s*|\brequire(?:\.resolve)?\s*\(\s*|\bimport\s*\(\s*(?:/\*.*?\*/\s*)?|\bimport\s+)(["'`])([^"'`\s$]+)\1"""
)
_TYPED = re.compile(rb"^\s*(?:import|export)\s+type\b")


def quick_modules(line: bytes) -> Iterator[str]:
    """The modules that a line may import, without knowing whether it is code."""
    if b"import" in line or b"require" in line or b"from" in line:
        for found in _QUICK.finditer(line):
            yield found[2].decode("utf-8", "replace")


def read_javascript_imports(path: str, content: bytes) -> tuple[Import, ...] | None:
    """Every import of a source, in order; None where it is too large to parse. A component is read line by line."""
    if path.endswith(COMPONENTS):
        return tuple(
            Import(module, number)
            for number, line in enumerate(content.split(b"\n"), 1)
            for module in quick_modules(line)
            if not line.lstrip().startswith((b"//", b"*"))
        )
    if len(content) > LARGEST_BYTES:
        return None
    import tree_sitter
    import tree_sitter_javascript
    import tree_sitter_typescript

    if path.endswith((".ts", ".mts", ".cts")):
        language = tree_sitter_typescript.language_typescript()
    elif path.endswith(".tsx"):
        language = tree_sitter_typescript.language_tsx()
    else:
        language = tree_sitter_javascript.language()
    tree = tree_sitter.Parser(tree_sitter.Language(language)).parse(content)
    return tuple(_imports(tree.root_node))


def package_of(module: str) -> str:
    """The package of a specifier: `@scope/name` or the first part; "" where it names none."""
    if not module or module.startswith((".", "/", "#", "~", "$", "!", "@/", "\\")) or "!" in module:
        return ""
    if re.match(r"[a-z][a-z0-9+.-]*:", module):
        return package_of(re.sub(r"@[^@/]*(?=/|$)", "", module[4:], count=1)) if module.startswith("npm:") else ""
    parts = module.partition("?")[0].split("/")
    if module.startswith("@"):
        return "/".join(parts[:2]) if len(parts) > 1 and parts[1] else ""
    return parts[0]


# Private


def _imports(root: Node) -> Iterator[Import]:
    pending: list[tuple[Node, Guard]] = [(root, "")]
    while pending:
        node, guard = pending.pop()
        kind = node.type
        if kind in ("import_statement", "export_statement"):
            yield from _statement(node)
        elif kind == "call_expression":
            yield from _call(node, guard)
        if kind == "try_statement" and node.child_by_field_name("handler") is not None:
            guard = "optional"
        if kind not in ("import_statement", "string", "comment"):
            pending += [(child, guard) for child in reversed(node.named_children)]


def _statement(node: Node) -> Iterator[Import]:
    source = node.child_by_field_name("source")
    if source is None:
        clause = next((child for child in node.named_children if child.type == "import_require_clause"), None)
        source = clause.child_by_field_name("source") if clause is not None else None
    text = _literal(source)
    if text:
        typed = _TYPED.match(node.text or b"") is not None
        yield Import(
            text, node.start_point[0] + 1 if source is None else source.start_point[0] + 1, "typing" if typed else ""
        )


def _call(node: Node, guard: Guard) -> Iterator[Import]:
    function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if function is None or arguments is None or arguments.type != "arguments" or not arguments.named_children:
        return
    name = (function.text or b"")[:40]
    if name in (b"require", b"import", b"require.resolve", b"jest.mock", b"vi.mock"):
        text = _literal(arguments.named_children[0])
        if text:
            yield Import(text, arguments.named_children[0].start_point[0] + 1, guard)


def _literal(node: Node | None) -> str:
    if node is None or node.type not in ("string", "template_string") or node.text is None or b"${" in node.text:
        return ""
    return node.text[1:-1].decode("utf-8", "replace")
