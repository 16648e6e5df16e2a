"""Why an assertion of Python can never fail whatever the code under test does, judged by its own text."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping

from tidegate.verify.suite.python_asserts import name_of, root_of


class Known:
    """What a function says of its names: constants, mocks and what they were told, new objects."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.documented = f"{function.name} {ast.get_docstring(function) or ''}"
        self.constants: dict[str, ast.expr] = {}
        self.mocks: set[str] = set()
        self.told: set[str] = set()
        self.built: dict[str, str] = {}
        self.from_mock: set[str] = set()
        self._passed: set[str] = set()
        self._read(function)

    def is_constant(self, node: ast.expr) -> bool:
        """Whether a value is known from the text of the test alone."""
        return all(
            not isinstance(inner, ast.Call | ast.Attribute | ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr)
            and (not isinstance(inner, ast.Name) or inner.id in self.constants)
            for inner in ast.walk(node)
        )

    def is_told(self, node: ast.expr) -> bool:
        """Whether a value is only what a mock of this test was told to answer."""
        if isinstance(node, ast.Await):
            return self.is_told(node.value)
        if isinstance(node, ast.Name):
            return node.id in self.from_mock
        return ast.unparse(node.func if isinstance(node, ast.Call) else node) in self.told

    def _read(self, function: ast.AST) -> None:
        bound, by_itself = _bound(function), {id(one) for one in map(_used_itself, ast.walk(function))}
        self._passed = {
            node.id
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in by_itself
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                self._assigned(node.targets[0], node.value, bound)
        self.told -= {one for one in self.told if one.split(".")[0] in self._passed}
        for node in ast.walk(function):
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.Assign) and isinstance(target, ast.Name) and self.is_told(node.value):
                self.from_mock |= {target.id} if bound.get(target.id) == 1 else set()

    def _assigned(self, target: ast.expr, value: ast.expr, bound: Mapping[str, int]) -> None:
        if isinstance(target, ast.Name) and bound.get(target.id) == 1:
            if isinstance(value, ast.Constant):
                self.constants[target.id] = value
            elif isinstance(value, ast.Call):
                name = name_of(value.func)
                if name in _MOCKS:
                    self.mocks.add(target.id)
                    if any(word.arg in ("return_value", "side_effect") for word in value.keywords):
                        self.told.add(target.id)
                    self.told |= {
                        f"{target.id}.{word.arg}"
                        for word in value.keywords
                        if word.arg and word.arg not in _MOCK_OPTIONS
                    }
                elif re.match(r"_?[A-Z]\w*[a-z]", name):
                    self.built[target.id] = name
        elif isinstance(target, ast.Attribute) and root_of(target) in self.mocks and "(" not in ast.unparse(target):
            self.told.add(ast.unparse(target).removesuffix(".return_value"))


def idle_assert(node: ast.Assert, known: Known) -> str:
    """Why an assert statement can never fail, "" where it can."""
    return _always(node.test, known)


def idle_call(call: ast.Call, known: Known) -> str:
    """Why a call such as `self.assertEqual(a, b)` can never fail, "" where it can or where that is not known."""
    name, arguments = name_of(call.func), call.args
    if not re.match(r"assert", name) or not arguments:
        return ""
    plain = name.replace("_", "").lower()
    if plain == "asserttrue":
        return _always(arguments[0], known)
    if plain == "assertfalse":
        return _always(ast.UnaryOp(op=ast.Not(), operand=arguments[0]), known)
    if plain in ("assertisnotnone", "assertisnone"):
        operator: ast.cmpop = ast.IsNot() if plain == "assertisnotnone" else ast.Is()
        return _always(ast.Compare(arguments[0], [operator], [ast.Constant(None)]), known)
    if (
        plain in ("assertequal", "assertequals", "assertis", "assertdictequal", "assertlistequal")
        and len(arguments) > 1
    ):
        return _always(ast.Compare(arguments[0], [ast.Eq()], [arguments[1]]), known)
    return ""


# Private

_MOCKS = frozenset(("Mock", "MagicMock", "AsyncMock", "NonCallableMock"))
_MOCK_OPTIONS = frozenset(("return_value", "side_effect", "spec", "spec_set", "name", "wraps", "autospec", "unsafe"))
_ABOUT_EQUALITY = re.compile(
    r"eq|ident|compar|hash|reflex|same|nan|order|singleton|cache|stable|determin|is_|dunder", re.IGNORECASE
)


def _always(test: ast.expr, known: Known) -> str:
    text = ast.unparse(test)
    if isinstance(test, ast.Constant):
        return f"`{text}` is always true" if test.value else ""
    if isinstance(test, ast.Tuple):
        return f"a tuple is always true: `assert ({text[1:60]}` compares nothing" if test.elts else ""
    if isinstance(test, ast.List | ast.Set) and test.elts and not isinstance(test.elts[0], ast.Starred):
        return f"`{text[:60]}` is never empty"
    if isinstance(test, ast.GeneratorExp | ast.Lambda):
        return f"`{text[:60]}` is an object that is always true, it is not evaluated"
    if isinstance(test, ast.BoolOp):
        reasons = [_always(part, known) for part in test.values]
        if isinstance(test.op, ast.Or):
            return next((f"`{text[:60]}` is always true" for reason in reasons if reason), "")
        return reasons[0] if all(reasons) else ""
    if isinstance(test, ast.Name):
        if test.id in known.mocks:
            return f"`{test.id}` is a mock, which is always true"
        value = known.constants.get(test.id)
        return (
            f"`{test.id}` is set in the test and always true" if isinstance(value, ast.Constant) and value.value else ""
        )
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Constant):
        return f"`{text}` is always true" if not test.operand.value else ""
    if isinstance(test, ast.Call) and known.is_told(test):
        return f"`{text[:60]}` is what the mock was told to answer"
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _always_compared(test, text[:80], known)
    return ""


def _always_compared(test: ast.Compare, text: str, known: Known) -> str:
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    same = isinstance(operator, ast.Eq | ast.Is | ast.LtE | ast.GtE)
    if known.is_constant(left) and known.is_constant(right):
        if _names(left) | _names(right):
            return f"`{text}` compares constants of the test itself"
        return f"`{text}` compares constants"
    alike = ast.unparse(left) == ast.unparse(right)
    if same and alike and _is_name(left) and not _ABOUT_EQUALITY.search(known.documented):
        return f"`{text}` compares a value with itself"
    if same and (known.is_told(left) or known.is_told(right)):
        return f"`{text}` compares a mock with what the test told it to answer"
    if isinstance(operator, ast.IsNot) and isinstance(right, ast.Constant) and right.value is None:
        if isinstance(left, ast.Name) and left.id in known.built:
            return f"`{left.id}` is a new {known.built[left.id]}, which is never None"
        if isinstance(left, ast.Name) and left.id in known.mocks:
            return f"`{left.id}` is a mock, which is never None"
    counted = isinstance(operator, ast.GtE) and isinstance(left, ast.Call) and name_of(left.func) == "len"
    return f"`{text}` is always true" if counted and isinstance(right, ast.Constant) and right.value == 0 else ""


def _bound(function: ast.AST) -> Counter[str]:
    """How often each name is given a value."""
    found: Counter[str] = Counter()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found[node.id] += 1
        elif isinstance(node, ast.arg):
            found[node.arg] += 1
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found.update(dict.fromkeys(node.names, 2))
    return found


def _used_itself(node: ast.AST) -> ast.expr | None:
    """The name that is only asked for an attribute or called here, and so is given to nobody."""
    if isinstance(node, ast.Attribute):
        return node.value
    if isinstance(node, ast.Call):
        return node.func
    if isinstance(node, ast.Compare):
        return node.left
    return node.test if isinstance(node, ast.Assert) else None


def _names(node: ast.expr) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _is_name(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
