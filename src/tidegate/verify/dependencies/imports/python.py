"""Imports of Python: statements, literal dynamic imports, and whether the code does without them."""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator

from tidegate.change.python_source import parse_python
from tidegate.verify.dependencies.imports.values import Guard, Import

DYNAMIC = ("import_module", "__import__", "importorskip", "find_spec")
_QUICK = re.compile(
    rb"^\s*(?:>>> |\.\.\. )?(?:from\s+([A-Za-z_\x80-\xff][\w.\x80-\xff]*)\s+import\b"
    rb"|import\s+([A-Za-z_\x80-\xff][\w., \t\x80-\xff]*))"
    rb"|(?:import_module|__import__|importorskip|find_spec)\(\s*[\"']([A-Za-z_][\w.]*)[\"']"
    rb"|;\s*(?:import|from)\s+([A-Za-z_\x80-\xff][\w.\x80-\xff]*)",
)
_MISSING = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")


def quick_modules(line: bytes) -> Iterator[str]:
    """The modules that a line may import, without knowing whether it is code."""
    if b"import" not in line and b"find_spec" not in line:
        return
    for found in _QUICK.finditer(line):
        for group in filter(None, found.groups()):
            for one in group.split(b","):
                words = one.split()
                if words:
                    yield unicodedata.normalize("NFKC", words[0].decode("utf-8", "replace"))


def read_python_imports(content: bytes) -> tuple[Import, ...] | None:
    """Every absolute import of a source, in order; None where it cannot be parsed."""
    try:
        tree = parse_python(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tuple(_imports(tree))


# Private


def _imports(tree: ast.Module) -> Iterator[Import]:
    pending: list[tuple[ast.AST, Guard]] = [(tree, "")]
    while pending:
        node, guard = pending.pop()
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, guard) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                yield Import(node.module, node.lineno, guard)
        elif isinstance(node, ast.Call):
            yield from _dynamic(node, guard)
        pending += [(child, inner) for child, inner in reversed(list(_children(node, guard)))]


def _children(node: ast.AST, guard: Guard) -> Iterator[tuple[ast.AST, Guard]]:
    """The parts of a node, each with what guards it."""
    if isinstance(node, ast.Try) and any(_catches(handler) for handler in node.handlers):
        for field in ("body", "handlers", "orelse", "finalbody"):
            inner: Guard = "optional" if field in ("body", "handlers") else guard
            yield from ((child, inner) for child in getattr(node, field))
    elif isinstance(node, ast.If) and _is_typing(node.test):
        yield from ((child, "typing") for child in node.body)
        yield from ((child, guard) for child in node.orelse)
    elif isinstance(node, ast.If) and _is_version(node.test):
        yield from ((child, "optional") for child in (*node.body, *node.orelse))
    elif isinstance(node, ast.With) and any(_suppresses(item.context_expr) for item in node.items):
        yield from ((child, "optional") for child in node.body)
    else:
        yield from ((child, guard) for child in ast.iter_child_nodes(node))


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(_last(kind) in _MISSING for kind in kinds)


def _suppresses(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and _last(node.func) == "suppress"
        and any(_last(one) in _MISSING for one in node.args)
    )


def _is_typing(test: ast.expr) -> bool:
    return _last(test) == "TYPE_CHECKING"


def _is_version(test: ast.expr) -> bool:
    """`sys.version_info`, `sys.platform` and the like: one of the branches is for another interpreter."""
    return any(
        (isinstance(one, ast.Attribute) and one.attr in ("version_info", "platform", "implementation"))
        or (isinstance(one, ast.Name) and one.id in ("PY2", "PY3", "WINDOWS"))
        for one in ast.walk(test)
    )


def _dynamic(node: ast.Call, guard: Guard) -> Iterator[Import]:
    name = _last(node.func)
    if name not in DYNAMIC or not node.args:
        return
    first = node.args[0]
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        module = first.value
        if re.fullmatch(r"[A-Za-z_][\w.]*", module):
            inner: Guard = "optional" if name in ("importorskip", "find_spec") else guard
            yield Import(module, node.lineno, inner)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
