"""Cognitive complexity, nesting, length and parameters of Python functions.

Cognitive complexity after G. Ann Campbell, "Cognitive Complexity: a new way of measuring understandability"
(SonarSource, 2018, and version 1.7 of 2023): one for every break in the linear flow, one more for every level that it
is nested in, one for each run of like boolean operators, nothing for shorthand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from tidegate.verify.debt.source import Source

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Measured(Struct, frozen=True):
    """A function with its measures. `length` counts its lines without docstring, comments, blank lines and texts.

    `parameters` are those that a caller must think of; -1 where something else than a caller gives them (a decorator).
    """

    name: str
    line: int
    end_line: int
    complexity: int
    nesting: int
    length: int
    parameters: int


def python_functions(source: Source) -> Iterator[tuple[str, FunctionNode]]:
    """The functions and methods of a file with their qualified names; those inside a function belong to it."""
    if source.python is not None:
        yield from _functions(source.python.body, "")


def measure_python(source: Source, name: str, node: FunctionNode) -> Measured:
    """The measures of a function with all that is nested in it."""
    counter = _Counter(source, node.name)
    described = ast.get_docstring(node, clean=False) is not None
    for statement in node.body[described:]:
        counter.read(statement, 0)
    return Measured(
        name=name,
        line=node.lineno,
        end_line=node.end_lineno or node.lineno,
        complexity=counter.complexity,
        nesting=counter.deepest,
        length=_length(source, node) - counter.text,
        parameters=-1 if node.decorator_list and not _plain(node) else _parameters(node),
    )


# Private


def _functions(body: list[ast.stmt], above: str) -> Iterator[tuple[str, FunctionNode]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield above + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{above}{node.name}.")
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _functions([*node.body, *getattr(node, "orelse", [])], above)


class _Counter:
    def __init__(self, source: Source, name: str) -> None:
        self.source = source
        self.name = name
        self.complexity = self.deepest = self.text = 0

    def read(self, node: ast.AST, nesting: int) -> None:
        if isinstance(node, ast.If):
            self._branch(node, nesting, first=True)
        elif isinstance(node, ast.IfExp):
            self._nest(node, nesting)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.While):
            self._loop(node, nesting)
        elif isinstance(node, ast.ExceptHandler | ast.Match):
            self._nest(node, nesting)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            self._all(node, nesting + 1)
        elif isinstance(node, ast.BoolOp):
            self.complexity += 1
            self._all(node, nesting)
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            self.text += (node.end_lineno or node.lineno) - node.lineno
        else:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == self.name:
                self.complexity += 1
            self._all(node, nesting)

    def _all(self, node: ast.AST, nesting: int) -> None:
        for child in self.source.children(node):
            self.read(child, nesting)

    def _nest(self, node: ast.AST, nesting: int) -> None:
        self._add(nesting)
        self._all(node, nesting + 1)

    def _add(self, nesting: int) -> None:
        self.complexity += 1 + nesting
        self.deepest = max(self.deepest, nesting + 1)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, nesting: int) -> None:
        self._nest(node, nesting)
        self.complexity += bool(node.orelse)

    def _branch(self, node: ast.If, nesting: int, *, first: bool) -> None:
        while True:
            if first:
                self._add(nesting)
            else:
                self.complexity += 1
            self.read(node.test, nesting)
            for statement in node.body:
                self.read(statement, nesting + 1)
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            node, first = node.orelse[0], False
        self.complexity += bool(node.orelse)
        for statement in node.orelse:
            self.read(statement, nesting + 1)


def _length(source: Source, node: FunctionNode) -> int:
    start = node.body[0].end_lineno if ast.get_docstring(node, clean=False) is not None else node.lineno
    lines = source.lines[start or node.lineno : node.end_lineno]
    return sum(1 for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _plain(node: FunctionNode) -> bool:
    known = {"staticmethod", "classmethod", "override", "property"}
    return all(isinstance(one, ast.Name) and one.id in known for one in node.decorator_list)


def _parameters(node: FunctionNode) -> int:
    """Optional parameters that are given by name cost a caller nothing."""
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    own = bool(names) and names[0] in ("self", "cls", "mcs")
    required = sum(1 for default in node.args.kw_defaults if default is None)
    return len(names) - own + required
