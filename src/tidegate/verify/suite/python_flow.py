"""The assertions of one Python function in their order, each with the reason why it can never fail, if it cannot."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.verify.suite.python_asserts import BROAD, name_of, of_assert, of_call, root_of
from tidegate.verify.suite.python_idle import Known, idle_assert, idle_call
from tidegate.verify.suite.python_walk import walk
from tidegate.verify.suite.values import Assertion

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Flow(Struct, frozen=True):
    """What a function asserts, and the calls that it makes in code that can run."""

    assertions: tuple[Assertion, ...]
    calls: tuple[ast.Call, ...]


def read_flow(function: Function, own: Mapping[str, Function] | None = None) -> Flow:
    """The assertions and calls of a function, those of functions inside it among them.

    `own` are the functions of the file of tests itself.
    """
    walk = _Walk(Known(function), own or {})
    walk.block(function.body, "")
    return Flow(tuple(walk.assertions), tuple(walk.calls))


def is_skip(statement: ast.stmt) -> bool:
    """Whether a statement ends the test as skipped."""
    if isinstance(statement, ast.Raise) and statement.exc is not None:
        return name_of(statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc) == "SkipTest"
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    called = statement.value.func
    return name_of(called) == "skipTest" or (
        name_of(called) in ("skip", "xfail") and root_of(called) in ("pytest", "skip", "xfail", "unittest")
    )


# Private

_QUIET = re.compile(r"^(print|debug|info|warning|warn|error|exception|log|write|sleep)$")
_ASSERTS = re.compile(r"assert(_[a-z]|[A-Z])")
_FAILS_HARD = re.compile(r"\bfail\(|raises|warns")
_CATCHES = frozenset(("Exception", "BaseException", "AssertionError"))


class _Walk:
    """Goes through statements with the reason, if any, why nothing below can fail."""

    def __init__(self, known: Known, own: Mapping[str, Function]) -> None:
        self._own = own
        self.assertions: list[Assertion] = []
        self.calls: list[ast.Call] = []
        self._known = known

    def block(self, body: Sequence[ast.stmt], idle: str) -> None:
        for statement in body:
            self.statement(statement, idle)
            if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue) or is_skip(statement):
                word = "a skip" if is_skip(statement) else f"`{type(statement).__name__.lower()}`"
                idle = idle or f"it stands after {word} in line {statement.lineno} and never runs"

    def statement(self, node: ast.stmt, idle: str) -> None:
        if isinstance(node, ast.Assert):
            reason = idle or idle_assert(node, self._known)
            self._add(of_assert(node), reason)
            self._expressions(node, idle, asserting=False)
        elif isinstance(node, ast.If | ast.While):
            self._expressions(node.test, idle)
            self._branches(node, idle)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._expressions(node.iter, idle)
            empty = _is_empty(node.iter) or self._known.is_empty(node.iter)
            never = "it stands in a loop over nothing and never runs" if empty else ""
            self.block(node.body, idle or never)
            self.block(node.orelse, idle)
        elif isinstance(node, ast.Try | ast.TryStar):
            self._try(node, idle)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self._with(node, idle)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.block(node.body, idle or self._known.unused(node))
        elif isinstance(node, ast.ClassDef):
            self.block(node.body, idle)
        elif isinstance(node, ast.Match):
            self._expressions(node.subject, idle)
            for case in node.cases:
                self.block(case.body, idle)
        else:
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Attribute) and _ASSERTS.match(node.value.attr):
                text = ast.unparse(node.value)
                self._add([Assertion(node.lineno, text, text, 1)], idle or f"`{text[:60]}` is not called")
            if isinstance(node, ast.Raise) and not is_skip(node):
                text = ast.unparse(node)
                self._add([Assertion(node.lineno, text, text, 2, opaque=True)], idle)
            self._expressions(node, idle)

    def _branches(self, node: ast.If | ast.While, idle: str) -> None:
        truth = _constant(node.test)
        never = (
            f"it stands below `{'if' if isinstance(node, ast.If) else 'while'} {ast.unparse(node.test)}` and never runs"
        )
        self.block(node.body, idle or (never if truth is False else ""))
        self.block(node.orelse, idle or (never if truth is True else ""))

    def _try(self, node: ast.Try | ast.TryStar, idle: str) -> None:
        quiet = next((handler for handler in node.handlers if _swallows(handler)), None)
        swallowed = ""
        if quiet is not None:
            caught = ast.unparse(quiet.type) if quiet.type is not None else "everything"
            swallowed = f"its failure is swallowed by the except of {caught} in line {quiet.lineno}"
        start, calls = len(self.assertions), len(self.calls)
        self.block(node.body, idle)
        if quiet is not None and (quiet.type is None or name_of(quiet.type) in BROAD):
            del self.calls[calls:]
        if swallowed:
            all_caught = quiet is not None and (quiet.type is None or ast.unparse(quiet.type) == "BaseException")
            self.assertions[start:] = [
                one if one.idle or not (all_caught or not _FAILS_HARD.search(one.text)) else _idle(one, swallowed)
                for one in self.assertions[start:]
            ]
        self.block(node.orelse, idle)
        certain = any(not one.idle for one in self.assertions[start:]) or self._raises_itself(node)
        for handler in node.handlers:
            before = len(self.assertions)
            self.block(handler.body, idle)
            if not certain and not isinstance(handler.body[-1], ast.Raise):
                never = f"it runs only if something is raised in line {node.lineno}, and nothing says that it must be"
                self._mark(before, never)
        self.block(node.finalbody, idle)

    def _raises_itself(self, node: ast.Try | ast.TryStar) -> bool:
        """Whether what is tried is meant to raise, by its own text: `raise`, `1 / 0`, a function of the test file."""
        for statement in node.body:
            for inner in walk(statement):
                if isinstance(inner, ast.Raise):
                    return True
                if isinstance(inner, ast.BinOp) and isinstance(inner.right, ast.Constant) and inner.right.value == 0:
                    return True
                if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id in self._own:
                    return True
        return False

    def _mark(self, start: int, reason: str) -> None:
        """Gives all assertions from here on this reason, where they have none."""
        self.assertions[start:] = [one if one.idle else _idle(one, reason) for one in self.assertions[start:]]

    def _with(self, node: ast.With | ast.AsyncWith, idle: str) -> None:
        body = "; ".join(ast.unparse(statement) for statement in node.body)[:400]
        for item in node.items:
            if isinstance(item.context_expr, ast.Call):
                self._add(of_call(item.context_expr, body), idle)
            elif isinstance(item.context_expr, ast.Name | ast.Attribute):
                name = ast.unparse(item.context_expr)
                self._add([Assertion(node.lineno, f"with {name}", name, 2, opaque=True)], idle)
            self._expressions(item.context_expr, idle, asserting=False)
        inside, calls = len(self.assertions), len(self.calls)
        self.block(node.body, idle)
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or name_of(call.func) != "suppress":
                continue
            if BROAD & {name_of(argument) for argument in call.args}:
                del self.calls[calls:]
            if _CATCHES & {name_of(argument) for argument in call.args}:
                self._mark(inside, f"its failure is swallowed by `{ast.unparse(call)}` in line {node.lineno}")

    def _expressions(self, node: ast.AST, idle: str, *, asserting: bool = True) -> None:
        """The calls in an expression or a simple statement, the assertions among them."""
        for inner in walk(node):
            if not isinstance(inner, ast.Call):
                continue
            if not idle and not self._is_forgotten(inner, node):
                self.calls.append(inner)
            if asserting:
                self._add(of_call(inner), idle or idle_call(inner, self._known))

    def _is_forgotten(self, call: ast.Call, statement: ast.AST) -> bool:
        """Whether a call as a whole statement only makes a coroutine that nothing awaits."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        alone = isinstance(statement, ast.Expr) and statement.value is call
        return alone and isinstance(self._own.get(name), ast.AsyncFunctionDef)

    def _add(self, found: Iterator[Assertion] | Sequence[Assertion], idle: str) -> None:
        for one in found:
            self.assertions.append(_idle(one, idle) if idle else one)


def _idle(one: Assertion, reason: str) -> Assertion:
    return Assertion(one.line, one.text, one.subject, one.strength, reason, one.limit, one.opaque, one.expected)


def _constant(node: ast.expr) -> bool | None:
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _constant(node.operand)
        return None if inner is None else not inner
    return False if isinstance(node, ast.Name) and node.id == "TYPE_CHECKING" else None


def _is_empty(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return not node.elts
    if isinstance(node, ast.Dict):
        return not node.keys
    if isinstance(node, ast.Constant):
        return node.value in ("", b"")
    if isinstance(node, ast.Call):
        zero = [isinstance(one, ast.Constant) and one.value == 0 for one in node.args]
        return (name_of(node.func) == "range" and zero == [True]) or (
            name_of(node.func) in ("list", "tuple", "set", "dict", "iter")
            and node.args == []
            and not node.keywords
            and isinstance(node.func, ast.Name)
        )
    return False


def _swallows(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches a failed assertion and does nothing about it."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
    if caught and not _CATCHES & {name_of(one) for one in caught}:
        return False
    return all(map(_does_nothing, handler.body))


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass | ast.Continue | ast.Break):
        return True
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assert):
        return isinstance(statement.test, ast.Constant) and bool(statement.test.value)
    if isinstance(statement, ast.Expr):
        value = statement.value
        return isinstance(value, ast.Constant) or (
            isinstance(value, ast.Call) and bool(_QUIET.match(name_of(value.func)))
        )
    return False
