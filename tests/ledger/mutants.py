"""One-line mutants of a module: each is the source with one comparison, constant, operator or refusal changed."""

from __future__ import annotations

import ast
import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, ModuleType
from typing import Any, NamedTuple


class Mutant(NamedTuple):
    """`name` says what was changed, so that a survivor can be found."""

    name: str
    code: CodeType

    def load(self, name: str) -> ModuleType:
        module = ModuleType(name)
        exec(self.code, module.__dict__)
        return module


class TooSlowError(Exception):
    pass


def mutants_of(source: str, functions: set[str] | None = None) -> Iterator[Mutant]:
    """All mutants of these functions, or of the whole module. Texts of errors are left alone."""
    tree = ast.parse(source)
    for function, node in _places(tree, functions):
        for change in _changes(node):
            before = _text(node)
            fields = {name: value[:] if isinstance(value, list) else value for name, value in ast.iter_fields(node)}
            change()
            ast.fix_missing_locations(tree)
            name = f"{function}: {before} -> {_text(node)}"
            yield Mutant(name, compile(tree, f"<mutant {name}>", "exec"))
            for field, value in fields.items():
                setattr(node, field, value)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Ends what takes more of this process's time than that: a mutant may loop for ever.

    Nothing is collected meanwhile: raised in a finalizer of somebody else's, the end would be ignored.
    """

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    gc.disable()
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        gc.enable()
        signal.signal(signal.SIGVTALRM, before)


# Private

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.RShift: ast.LShift,
    ast.LShift: ast.RShift,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Mult: ast.Add,
}


def _places(tree: ast.Module, functions: set[str] | None) -> list[tuple[str, ast.AST]]:
    places: list[tuple[str, ast.AST]] = []
    for top in tree.body:
        if functions is None or getattr(top, "name", None) in functions:
            owner = getattr(top, "name", "module")
            places += [(owner, node) for node in _walk(top) if _changes(node)]
    return places


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Raise) or field in ("annotation", "returns", "decorator_list"):
            continue
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, ast.AST) and not isinstance(inner, ast.JoinedStr):
                yield from _walk(inner)


def _changes(node: ast.AST) -> list[Callable[[], None]]:
    if isinstance(node, ast.Compare):
        return [
            _set_item(node, "ops", at, other())
            for at, operator in enumerate(node.ops)
            for other in _COMPARISONS.get(type(operator), ())
        ]
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        neutral = ast.Constant(isinstance(node.op, ast.And))
        return [_set(node, "op", other), *(_set_item(node, "values", at, neutral) for at in range(len(node.values)))]
    if (
        isinstance(node, ast.BinOp)
        and type(node.op) in _OPERATORS
        and not isinstance(node.left, ast.Constant | ast.List)
    ):
        return [_set(node, "op", _OPERATORS[type(node.op)]())]
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return [_set(node, "value", node.value + 1)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [_set(node, "op", ast.UAdd())]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "node_hash":
            return [_set(node, "args", node.args[::-1])]
        if node.func.id == "require":
            return [_set_item(node, "args", 0, ast.Constant(True))]
    if isinstance(node, ast.If) and any(isinstance(inner, ast.Raise) for inner in node.body):
        return [_set(node, "test", ast.Constant(False))]
    return []


def _set(node: ast.AST, field: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(node, field, value)


def _set_item(node: ast.AST, field: str, at: int, value: Any) -> Callable[[], None]:
    return lambda: getattr(node, field).__setitem__(at, value)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}: raise"
    return ast.unparse(node)
