"""Why an assertion of Python can never fail whatever the code under test does, judged by its own text."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tidegate.verify.suite.python_asserts import name_of, root_of
from tidegate.verify.suite.python_walk import walk


class Known:
    """What a function says of its names: constants, mocks and what they were told, new objects."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.documented = f"{function.name} {ast.get_docstring(function) or ''}"
        self.constants: dict[str, ast.expr] = {}
        self.mocks: set[str] = set()
        self.told: set[str] = set()
        self.built: dict[str, str] = {}
        self.from_mock: set[str] = set()
        self._empty: set[str] = set()
        self._used: dict[str, list[ast.AST]] = {}
        self._passed: set[str] = set()
        self._read(function)

    def is_constant(self, node: ast.expr) -> bool:
        """Whether a value is known from the text of the test alone."""
        return all(
            not isinstance(inner, ast.Call | ast.Attribute | ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr)
            and (not isinstance(inner, ast.Name) or inner.id in self.constants)
            for inner in walk(node)
        )

    def is_told(self, node: ast.expr) -> bool:
        """Whether a value is only what a mock of this test was told to answer."""
        if isinstance(node, ast.Await):
            return self.is_told(node.value)
        if isinstance(node, ast.Name):
            return node.id in self.from_mock
        return bool(self.told) and ast.unparse(node.func if isinstance(node, ast.Call) else node) in self.told

    def is_empty(self, node: ast.expr) -> bool:
        """Whether a value is an empty list of this test that nothing is ever put into."""
        return isinstance(node, ast.Name) and node.id in self._empty

    def unused(self, inner: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Why a function inside the test never runs, "" where it may: nothing calls it, or nothing awaits it."""
        if inner.decorator_list or "locals" in self._used:
            return ""
        own = {id(node) for node in walk(inner)}
        uses = [user for user in self._used.get(inner.name, ()) if id(user) not in own]
        if not uses:
            return f"it stands in `{inner.name}`, which nothing calls"
        if isinstance(inner, ast.AsyncFunctionDef) and all(isinstance(user, ast.Expr) for user in uses):
            return f"it stands in `{inner.name}`, which is never awaited"
        return ""

    def _read(self, function: ast.AST) -> None:
        nodes = walk(function)
        self._used = _users(nodes)
        bound, by_itself = _bound(nodes), {id(one) for one in map(_used_itself, nodes) if one is not None}
        self._passed = {
            node.id
            for node in nodes
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in by_itself
        }
        assigned = [node for node in nodes if isinstance(node, ast.Assign)]
        for node in assigned:
            if len(node.targets) == 1:
                self._assigned(node.targets[0], node.value, bound)
        self.told -= {one for one in self.told if one.split(".")[0] in self._passed}
        if not _ABOUT_MOCKS.search(self.documented):
            self.told |= set(_patched(nodes))
        for node in assigned:
            target = node.targets[0]
            if isinstance(target, ast.Name) and self.told | self.from_mock and self.is_told(node.value):
                self.from_mock |= {target.id} if bound.get(target.id) == 1 else set()

    def _assigned(self, target: ast.expr, value: ast.expr, bound: Mapping[str, int]) -> None:
        if isinstance(target, ast.Name) and bound.get(target.id) == 1:
            if isinstance(value, ast.Constant):
                self.constants[target.id] = value
            elif isinstance(value, ast.List | ast.Tuple) and not value.elts:
                if all(isinstance(user, ast.For) for user in self._used.get(target.id, ())):
                    self._empty.add(target.id)
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
_ABOUT_MOCKS = re.compile(r"mock|patch|stub|spy|fake", re.IGNORECASE)
_NO_ASSERTION = re.compile(r"(has_been_|was_|is_)?(called|awaited)(_once|_with|_once_with)|(has|have)_calls|any_call")
_ABOUT_EQUALITY = re.compile(
    r"eq|ident|compar|hash|reflex|same|nan|order|singleton|cache|stable|determin|is_|dunder", re.IGNORECASE
)


def _always(test: ast.expr, known: Known) -> str:
    if isinstance(test, ast.Constant):
        return f"`{ast.unparse(test)}` is always true" if test.value else ""
    if isinstance(test, ast.Tuple):
        return f"a tuple is always true: `assert ({ast.unparse(test)[1:60]}` compares nothing" if test.elts else ""
    if isinstance(test, ast.List | ast.Set | ast.GeneratorExp | ast.Lambda):
        return _always_object(test, ast.unparse(test)[:60])
    if isinstance(test, ast.BoolOp):
        reasons = [_always(part, known) for part in test.values]
        if isinstance(test.op, ast.Or):
            return f"`{ast.unparse(test)[:60]}` is always true" if any(reasons) else ""
        return reasons[0] if all(reasons) else ""
    if isinstance(test, ast.Name):
        if test.id in known.mocks:
            return f"`{test.id}` is a mock, which is always true"
        value = known.constants.get(test.id)
        return (
            f"`{test.id}` is set in the test and always true" if isinstance(value, ast.Constant) and value.value else ""
        )
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Constant):
        return f"`{ast.unparse(test)}` is always true" if not test.operand.value else ""
    if isinstance(test, ast.Call):
        return _always_called(test, known)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _always_compared(test, known)
    return ""


def _always_object(test: ast.List | ast.Set | ast.GeneratorExp | ast.Lambda, text: str) -> str:
    if isinstance(test, ast.GeneratorExp | ast.Lambda):
        return f"`{text}` is an object that is always true, it is not evaluated"
    return f"`{text}` is never empty" if test.elts and not isinstance(test.elts[0], ast.Starred) else ""


def _always_called(test: ast.Call, known: Known) -> str:
    if root_of(test) in known.mocks and _NO_ASSERTION.fullmatch(name_of(test.func)):
        return f"`{ast.unparse(test)[:60]}` is no assertion: a mock answers to any name"
    return f"`{ast.unparse(test)[:60]}` is what the mock was told to answer" if known.is_told(test) else ""


def _always_compared(test: ast.Compare, known: Known) -> str:
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    same = isinstance(operator, ast.Eq | ast.Is | ast.LtE | ast.GtE)
    if known.is_constant(left) and known.is_constant(right):
        if _names(left) | _names(right):
            return f"`{ast.unparse(test)[:80]}` compares constants of the test itself"
        return f"`{ast.unparse(test)[:80]}` compares constants"
    if (
        same
        and _is_name(left)
        and ast.unparse(left) == ast.unparse(right)
        and not _ABOUT_EQUALITY.search(known.documented)
    ):
        return f"`{ast.unparse(test)[:80]}` compares a value with itself"
    if same and (known.is_told(left) or known.is_told(right)):
        return f"`{ast.unparse(test)[:80]}` compares a mock with what the test told it to answer"
    if isinstance(operator, ast.IsNot) and isinstance(right, ast.Constant) and right.value is None:
        if isinstance(left, ast.Name) and left.id in known.built:
            return f"`{left.id}` is a new {known.built[left.id]}, which is never None"
        if isinstance(left, ast.Name) and left.id in known.mocks:
            return f"`{left.id}` is a mock, which is never None"
    counted = isinstance(operator, ast.GtE) and isinstance(left, ast.Call) and name_of(left.func) == "len"
    return (
        f"`{ast.unparse(test)[:80]}` is always true"
        if counted and isinstance(right, ast.Constant) and right.value == 0
        else ""
    )


def _users(nodes: Sequence[ast.AST]) -> dict[str, list[ast.AST]]:
    """What each name is used by: the statement `f()` and the loop over it by themselves, else the name itself."""
    whole: dict[int, ast.AST] = {}
    found: dict[str, list[ast.AST]] = {}
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            whole[id(node.value.func)] = node
        elif isinstance(node, ast.For):
            whole[id(node.iter)] = node
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.setdefault(node.id, []).append(whole.get(id(node), node))
    return found


def _patched(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """What the test puts a fixed answer in the place of: `a.f` of `patch.object(a, "f", return_value=3)`."""
    for node in nodes:
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        what = node.args[1].value if isinstance(node.args[1], ast.Constant) else None
        if not isinstance(what, str):
            continue
        name, given = name_of(node.func), {word.arg: word.value for word in node.keywords}
        fixed = isinstance(given.get("return_value"), ast.Constant) if name == "object" else False
        if name == "setattr" and root_of(node.func) == "monkeypatch" and len(node.args) == 3:
            fixed = isinstance(node.args[2], ast.Lambda) and isinstance(node.args[2].body, ast.Constant)
        if fixed:
            yield f"{ast.unparse(node.args[0])}.{what}"


def _bound(nodes: Sequence[ast.AST]) -> Counter[str]:
    """How often each name is given a value."""
    found: Counter[str] = Counter()
    for node in nodes:
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
    return {inner.id for inner in walk(node) if isinstance(inner, ast.Name)}


def _is_name(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
