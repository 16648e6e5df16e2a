"""Code that nothing can reach or read any more: what follows a return, and in Python names that nobody uses."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from itertools import pairwise

from tidegate.verify.debt.complexity import python_functions
from tidegate.verify.debt.source import Site, Source

RULE = "dead-code-added"


def unreachable(source: Source) -> Iterator[Site]:
    """Statements behind one that always leaves, but for a `yield` that makes a generator.

    JavaScript and TypeScript by their lines: what stands as deep as a whole `return` right above it.
    """
    if source.language in ("JavaScript", "TypeScript"):
        yield from _behind(source)
    for node in source.of(*_BLOCKS):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if not isinstance(body, list):
                continue
            for before, after in pairwise(body):
                if isinstance(before, _LEAVES) and isinstance(after, ast.stmt) and not _marks(after):
                    word = type(before).__name__.lower()
                    message = f"nothing reaches this line behind `{word}` in line {before.lineno}"
                    yield _site(after.lineno, f"unreachable {ast.unparse(after)[:200]}", message, "remove it")
                    break


def unused_imports(source: Source) -> Iterator[Site]:
    """Names that are imported and stand nowhere else in the file. Re-exports and imports for effect are left out."""
    if source.python is None or source.path.endswith(("__init__.py", "conftest.py")) or b"__all__" in source.content:
        return
    for node in source.python.body:
        if isinstance(node, ast.Import | ast.ImportFrom) and not _excused(source, node):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                if _counts(source, node, alias, name):
                    message = f"{name} is imported and nothing in this file names it"
                    yield _site(alias.lineno, f"import {name} {source.path}", message, "remove the import")


def unused_variables(source: Source) -> Iterator[Site]:
    """Local names that are given a value and never read."""
    for _, node in python_functions(source):
        yield from _locals(source, node)


def unused_parameters(source: Source) -> Iterator[Site]:
    """Parameters of private functions, called by name only in this file, that the body never reads."""
    for node in source.functions:
        if _own_signature(source, node):
            used = {one.id for one in source.walk(node) if isinstance(one, ast.Name)}
            for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                if one.arg not in used and not one.arg.startswith("_") and one.arg not in ("self", "cls"):
                    message = f"{node.name} never reads its parameter {one.arg}"
                    yield _site(one.lineno, f"parameter {node.name} {one.arg}", message, "remove it, or use it")


def unnamed(source: Source) -> Iterator[tuple[str, Site]]:
    """Private functions, classes and constants of a module that stand in this file once: perhaps nothing names them."""
    if source.python is None:
        return
    for node in source.python.body:
        name, what = _private(node)
        if (
            name
            and source.count(name) == 1
            and b"__getattr__" not in source.content
            and not _noted(source, node.lineno)
        ):
            message = f"nothing in the repository names the {what} {name}"
            yield name, _site(node.lineno, f"unnamed {name}", message, "remove it, or call it")


# Private

_BLOCKS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.If, ast.For, ast.While, ast.With, ast.Try, ast.ExceptHandler)
_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def _site(line: int, key: str, message: str, mend: str) -> Site:
    return Site(RULE, "low", line, key, message, mend)


_LEFT = re.compile(r"^([ \t]+)(return|throw)\b[^{(\[`]*(?:\([^()`]*\)[^{(\[`]*)?;\s*$")
_HOISTED = re.compile(r"[})\].?:&|+*/=<>-]|(?:case|default|function|async function|class|var)\b")


def _behind(source: Source) -> Iterator[Site]:
    for number, (line, after) in enumerate(pairwise(source.lines), 1):
        left = _LEFT.match(line) if ";" in line and len(line) < 500 else None
        if left is None or not after.startswith(left[1]):
            continue
        rest = after[len(left[1]) :]
        if rest and not rest[0].isspace() and not _HOISTED.match(rest) and not _braceless(source, number, left[1]):
            message = f"nothing reaches this line behind `{left[2]}` in line {number}"
            yield _site(number + 1, f"unreachable {rest.strip()}", message, "remove it")


def _braceless(source: Source, number: int, indent: str) -> bool:
    """Whether the statement above belongs to a condition that is written no deeper."""
    above = source.line(number - 1)
    return above.startswith(indent) and bool(re.search(r"(?:\)|\belse|=>|[?:&|])\s*$", above))


def _marks(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom | ast.Constant)


def _noted(source: Source, line: int) -> bool:
    return bool(re.search(r"#\s*(?:noqa|type:|pylint|ruff|pyright|nosec|lint)", source.line(line)))


def _excused(source: Source, node: ast.Import | ast.ImportFrom) -> bool:
    lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return any(_noted(source, line) for line in lines) or getattr(node, "module", "") == "__future__"


def _counts(source: Source, node: ast.Import | ast.ImportFrom, alias: ast.alias, name: str) -> bool:
    if name == "*" or alias.asname == alias.name or name.startswith("_"):
        return False
    if isinstance(node, ast.Import) and (name not in sys.stdlib_module_names or name in ("readline", "antigravity")):
        return False
    standing = source.count(name)
    if alias.asname is None and isinstance(node, ast.ImportFrom):
        standing -= (node.module or "").split(".").count(name)
    if isinstance(node, ast.ImportFrom) and (node.level or not _foreign(node.module)):
        return False
    return standing <= 1


def _foreign(module: str | None) -> bool:
    """Whether a module is the standard library's: what is ours may be imported to be had from here."""
    return (module or "").partition(".")[0] in sys.stdlib_module_names


def _locals(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Site]:
    stored: dict[str, list[ast.Name]] = {}
    others: set[str] = set()
    for one in source.walk(node):
        if isinstance(one, ast.Name):
            if one.id in ("locals", "exec", "eval", "vars"):
                return
            if isinstance(one.ctx, ast.Store) and _plainly(source, one):
                stored.setdefault(one.id, []).append(one)
            else:
                others.add(one.id)
        elif isinstance(one, ast.Global | ast.Nonlocal):
            others.update(one.names)
        elif isinstance(one, ast.ClassDef):
            others.update(name.id for name in source.walk(one) if isinstance(name, ast.Name))
    for name, places in stored.items():
        if name not in others and not name.startswith("_") and not _noted(source, places[0].lineno):
            message = f"{name} is given a value in {node.name} and never read"
            yield _site(places[0].lineno, f"variable {node.name} {name}", message, "remove it, or use it")


def _plainly(source: Source, name: ast.Name) -> bool:
    around = source.parents.get(name)
    if isinstance(around, ast.Assign):
        return name in around.targets
    return isinstance(around, ast.AnnAssign) and around.value is not None


def _own_signature(source: Source, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether nobody but this file decides what a function takes."""
    if (
        not node.name.startswith("_")
        or node.name.startswith("__")
        or node.decorator_list
        or _noted(source, node.lineno)
    ):
        return False
    around = source.parents.get(node)
    if not isinstance(around, ast.Module) or _is_stub(node) or re.search(rb"\b(?:locals|vars)\(", source.content):
        return False
    calls = 0
    for one in source.of(ast.Name):
        if one.id == node.name:
            caller = source.parents.get(one)
            if not isinstance(caller, ast.Call) or caller.func is not one:
                return False
            calls += 1
    return calls > 0 and calls + 1 == source.count(node.name)


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    body = [one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    return not body or (len(body) == 1 and isinstance(body[0], ast.Pass | ast.Raise))


def _private(node: ast.stmt) -> tuple[str, str]:
    name, what = "", "constant"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.decorator_list:
        name, what = node.name, "class" if isinstance(node, ast.ClassDef) else "function"
        if isinstance(node, ast.ClassDef) and (node.keywords or node.bases):
            return "", ""
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
    private = name.startswith("_") and not name.startswith("__") and len(name) > 2
    return (name, what) if private else ("", "")
