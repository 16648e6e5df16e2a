"""Which mutants a change has: at most one a changed line and one a statement, the most productive first."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from tidegate.verify.mutate.arid import (
    is_arid_condition,
    is_arid_function,
    is_arid_statement,
    is_excluded,
    is_old,
    is_unfinished,
    name_of,
)
from tidegate.verify.mutate.operators import ASSIGNED, RANKS, Fault, Source, handler_fault, statement_faults
from tidegate.verify.mutate.values import Lane, Mutant


def mutants_of(path: str, content: bytes, lines: Collection[int]) -> tuple[Mutant, ...]:
    """The mutants of one Python file on these lines, by line. Raises SyntaxError or ValueError where it is no Python
    that can be read here, and RecursionError where it is nested too deep."""
    content.decode("utf-8")  # places in the tree count bytes of UTF-8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(content)
    source = Source(content)
    found: list[Mutant] = []
    for statement in tree.body:
        block = (_first_line(statement), statement.end_lineno or statement.lineno)
        if lines_within(lines, *block):
            walker = _Walker(source, path, lines, block)
            found += walker.walk([statement], _Scope())
    return tuple(_best(found))


def lines_within(lines: Collection[int], first: int, last: int) -> bool:
    """Whether one of the lines lies between the two, both included."""
    if len(lines) < last - first:
        return any(first <= line <= last for line in lines)
    return any(line in lines for line in range(first, last + 1))


def pick(mutants: Sequence[Mutant], most: int) -> tuple[Mutant, ...]:
    """The `most` mutants to try first: those of every function in turn, the most productive of each first."""
    turns: dict[tuple[str, str], int] = {}
    keyed = []
    for mutant in sorted(mutants, key=lambda m: (m.rank, m.path, m.line)):
        place = (mutant.path, mutant.function)
        turns[place] = turns.get(place, 0) + 1
        keyed.append((turns[place], mutant.rank, mutant.path, mutant.line, mutant))
    chosen = [entry[-1] for entry in sorted(keyed, key=lambda entry: entry[:-1])[:most]]
    return tuple(sorted(chosen, key=lambda m: (m.path, m.line)))


def mutated(content: bytes, mutant: Mutant) -> bytes:
    """The file with the mutant in it."""
    return content[: mutant.start] + mutant.after.encode() + content[mutant.end :]


# Private

_DEEPEST = 60
_SIMPLE = (ast.Return, ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Raise)


class _Scope(Struct, frozen=True):
    """Where a statement stands: the functions and classes around it, and whether it runs when it is imported."""

    names: tuple[str, ...] = ()
    lane: Lane = "import"
    depth: int = 0

    def inside(self, name: str, lane: Lane) -> _Scope:
        return _Scope((*self.names, name), lane, self.depth + 1)


class _Walker(Struct, frozen=True):
    source: Source
    path: str
    lines: Collection[int]
    block: tuple[int, int]

    def walk(self, body: Iterable[ast.AST], scope: _Scope) -> Iterator[Mutant]:
        if scope.depth > _DEEPEST:
            return
        for node in body:
            last = getattr(node, "end_lineno", None)
            line = getattr(node, "lineno", None)
            if line is None or last is None or not lines_within(self.lines, _first_line(node), last):
                continue
            if isinstance(node, ast.stmt) and not is_excluded(self.source.line_of(node.lineno)):
                yield from self._statement(node, scope)

    def _statement(self, node: ast.stmt, scope: _Scope) -> Iterator[Mutant]:
        if is_arid_statement(node):
            return
        if isinstance(node, _SIMPLE) and is_unfinished(self.source.line_of(node.end_lineno or node.lineno)):
            return
        if isinstance(node, ast.If | ast.While) and is_arid_condition(node):
            return
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if is_arid_function(node):
                return
            yield from self._own(node, scope, "import", (node.name,))
            yield from self.walk(node.body, scope.inside(node.name, "call"))
            return
        if isinstance(node, ast.ClassDef):
            if is_old(node.name):
                return
            yield from self.walk(node.body, scope.inside(node.name, scope.lane))
            return
        yield from self._own(node, scope, scope.lane, _assigned_names(node))
        yield from self._inner(node, scope)

    def _inner(self, node: ast.stmt, scope: _Scope) -> Iterator[Mutant]:
        deeper = _Scope(scope.names, scope.lane, scope.depth + 1)
        for name in ("body", "orelse", "finalbody"):
            yield from self.walk(getattr(node, name, ()), deeper)
        for handler in getattr(node, "handlers", ()):
            fault = handler_fault(self.source, handler)
            imports = scope.lane == "import" and "Import" in ast.unparse(handler.type or handler)
            if is_excluded(self.source.line_of(handler.lineno)):
                continue
            if fault is not None and fault.line in self.lines and not imports:
                yield self._mutant(fault, handler.lineno, scope, scope.lane, ())
            yield from self.walk(handler.body, deeper)
        for case in getattr(node, "cases", ()):
            yield from self.walk(case.body, deeper)

    def _own(self, node: ast.stmt, scope: _Scope, lane: Lane, names: tuple[str, ...]) -> Iterator[Mutant]:
        for fault in statement_faults(self.source, node):
            # A name that is None from the start breaks every import: that says nothing of the tests.
            if fault.line in self.lines and not (lane == "import" and fault.rank == ASSIGNED):
                yield self._mutant(fault, node.lineno, scope, lane, names)

    def _mutant(self, fault: Fault, statement: int, scope: _Scope, lane: Lane, names: tuple[str, ...]) -> Mutant:
        return Mutant(
            path=self.path,
            line=fault.line,
            end_line=fault.end_line,
            statement=statement,
            start=fault.start,
            end=fault.end,
            after=fault.after,
            words=fault.words,
            operator=RANKS[max(fault.rank, 0)],
            rank=fault.rank,
            lane=lane,
            names=(*names, *scope.names[-1:]) if lane == "import" else (),
            function=".".join(scope.names),
            first=self.block[0],
            last=self.block[1],
            key=self.source.line_of(fault.line).strip().decode("utf-8", "replace"),
        )


def _best(found: Sequence[Mutant]) -> Iterator[Mutant]:
    lines: set[int] = set()
    statements: set[int] = set()
    chosen = []
    for mutant in sorted(found, key=lambda m: (m.rank, m.start, m.end)):
        if mutant.line not in lines and mutant.statement not in statements:
            lines.add(mutant.line)
            statements.add(mutant.statement)
            chosen.append(mutant)
    yield from sorted(chosen, key=lambda m: m.line)


def _assigned_names(node: ast.stmt) -> tuple[str, ...]:
    if isinstance(node, ast.Assign):
        return tuple(filter(None, (name_of(target).rpartition(".")[2] for target in node.targets)))
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return tuple(filter(None, (name_of(node.target).rpartition(".")[2],)))
    return ()


def _first_line(node: ast.AST) -> int:
    own: int = getattr(node, "lineno", 1)
    lines: list[int] = [decorator.lineno for decorator in getattr(node, "decorator_list", ())]
    return min([own, *lines])
