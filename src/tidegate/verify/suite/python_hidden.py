"""Tests of Python that never run: another has their name, or nothing collects what they stand in."""

from __future__ import annotations

import ast
import re


def hidden(module: ast.Module) -> dict[str, tuple[int, str]]:
    """The tests of a file that never run, by name, with their line and the reason."""
    found: dict[str, tuple[int, str]] = {}
    _shadowed(module.body, "", found)
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.bases and not node.name.startswith("Test"):
            if any(_is_test(inner) for inner in node.body) and re.search(r"Test", node.name):
                found[node.name] = (node.lineno, "holds tests and is not collected: its name does not begin with Test")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("test") and not node.decorator_list:
            for inner in node.body:
                if _is_test(inner) and inner.name.startswith("test_"):  # type: ignore[attr-defined]
                    found[f"{node.name}.{inner.name}"] = (inner.lineno, "stands in a function and is not collected")  # type: ignore[attr-defined]
    return found


# Private


def _shadowed(body: list[ast.stmt], prefix: str, found: dict[str, tuple[int, str]]) -> None:
    seen: dict[str, int] = {}
    for node in body:
        if isinstance(node, ast.ClassDef):
            _shadowed(node.body, f"{prefix}{node.name}.", found)
        if _is_test(node) or (isinstance(node, ast.ClassDef) and node.name.startswith("Test")):
            name = node.name  # type: ignore[attr-defined]
            if name in seen:
                words = f"of line {seen[name]} never runs: line {node.lineno} gives its name to another"
                found[f"{prefix}{name}"] = (seen[name], words)
            seen[name] = node.lineno


def _is_test(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not node.name.startswith("test"):
        return False
    return not any(
        re.search(r"overload|setter|fixture|dispatch|register", ast.unparse(one)) for one in node.decorator_list
    )
