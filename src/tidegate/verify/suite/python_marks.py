"""What decorators and marks say of a Python test: skipped, expected to fail, run again, run for many cases."""

from __future__ import annotations

import ast

from msgspec import Struct

from tidegate.verify.suite.python_asserts import name_of

Marked = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Marks(Struct, frozen=True):
    """The marks of a test and of all that is around it. `unseen`: a decorator that may assert."""

    skipped: str = ""
    maybe_skipped: str = ""
    expected_to_fail: str = ""
    retries: bool = False
    cases: int = 1
    fixtures: tuple[str, ...] = ()
    unseen: bool = False


def module_marks(module: ast.Module) -> Marks:
    """The marks that `pytestmark` puts on every test of a file."""
    for node in module.body:
        if isinstance(node, ast.Assign) and name_of(node.targets[0]) == "pytestmark":
            value = node.value
            return _joined(list(value.elts) if isinstance(value, ast.List | ast.Tuple) else [value], Marks())
    return Marks()


def marks_of(node: Marked, outer: Marks) -> Marks:
    """The marks of a function or a class, added to those around it."""
    found = _joined(node.decorator_list, outer)
    if isinstance(node, ast.ClassDef):
        for statement in node.body:
            if isinstance(statement, ast.Assign) and name_of(statement.targets[0]) == "pytestmark":
                value = statement.value
                found = _joined(list(value.elts) if isinstance(value, ast.List | ast.Tuple) else [value], found)
    return found


# Private

_RETRIES = frozenset(("flaky", "retry", "rerun", "retries", "flakey"))
_HARMLESS = frozenset(
    "mark parametrize usefixtures patch object dict skip skipif skipIf skipUnless xfail expectedFailure given settings "
    "example asyncio anyio django_db slow integration timeout filterwarnings override_settings staticmethod "
    "classmethod flaky retry parameterized expand network".split()
)


def _joined(decorators: list[ast.expr], outer: Marks) -> Marks:
    skipped, maybe, failing = outer.skipped, outer.maybe_skipped, outer.expected_to_fail
    retries, cases, fixtures, unseen = outer.retries, outer.cases, list(outer.fixtures), outer.unseen
    for decorator in decorators:
        call = decorator if isinstance(decorator, ast.Call) else None
        name = name_of(call.func if call else decorator)
        text = f"`@{ast.unparse(decorator)[:70]}`"
        if name in ("skip", "skipif", "skipIf", "skipUnless"):
            if name == "skip" or (call and call.args and _is_true(call.args[0], name)):
                skipped = skipped or text
            else:
                maybe = maybe or text
        elif name in ("xfail", "expectedFailure"):
            conditional = call is not None and bool(call.args)
            failing, maybe = (failing, maybe or text) if conditional else (failing or text, maybe)
        elif name in _RETRIES:
            retries = True
        elif name in ("parametrize", "expand", "data") and call is not None:
            if _length(call) == 0:
                skipped = skipped or f"{text} has no cases"
            cases *= max(1, _length(call))
        elif name == "usefixtures" and call is not None:
            fixtures += [str(one.value) for one in call.args if isinstance(one, ast.Constant)]
        elif name not in _HARMLESS and "mark" not in text and "patch" not in text:
            unseen = True
    return Marks(skipped, maybe, failing, retries, cases, tuple(fixtures), unseen)


def _is_true(condition: ast.expr, name: str) -> bool:
    return (
        isinstance(condition, ast.Constant)
        and bool(condition.value) is (name != "skipUnless")
        and (not isinstance(condition.value, str))
    )


def _length(call: ast.Call) -> int:
    values = call.args[1] if len(call.args) > 1 else call.args[0] if call.args else None
    return len(values.elts) if isinstance(values, ast.List | ast.Tuple | ast.Set) else 1
