"""What the names of a Python file of tests stand for, and whether what they name asserts, in other files too."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left

from tidegate.change.python_source import parse_python
from tidegate.verify.suite.python_asserts import ASSERTING, name_of, root_of
from tidegate.verify.suite.python_flow import Function, read_flow
from tidegate.verify.suite.python_walk import statements
from tidegate.verify.suite.values import Lookup


def parse(content: bytes) -> ast.Module | None:
    """The syntax of a file, None where it is not Python 3."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parse_python(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class Scope:
    """What the names of a test file stand for."""

    def __init__(self, module: ast.Module, path: str, lookup: Lookup, depth: int = 0) -> None:
        self.path, self._lookup, self._depth = path, lookup, depth
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.imports: dict[str, str] = {}
        self._asserts: dict[int, bool] = {}
        self._files: dict[str, Scope | None] = {}
        self._stated: list[int] = []
        for node in statements(module):
            if isinstance(node, ast.Assert):
                self._stated.append(node.lineno)
            elif isinstance(node, Function):
                self.functions.setdefault(node.name, node)
            elif isinstance(node, ast.ClassDef):
                self.classes.setdefault(node.name, node)
            elif isinstance(node, ast.ImportFrom):
                lead = "." * node.level + (node.module or "")
                self.imports |= {name.asname or name.name: f"{lead}:{name.name}" for name in node.names}
            elif isinstance(node, ast.Import):
                for name in node.names:
                    self.imports[name.asname or name.name.split(".")[0]] = name.name

        self._stated.sort()

    def has_assert(self, function: Function) -> bool:
        """Whether an assert statement stands in a function of the file."""
        at = bisect_left(self._stated, function.lineno)
        return at < len(self._stated) and self._stated[at] <= (function.end_lineno or 0)

    def asserts(self, function: Function, owner: ast.ClassDef | None) -> bool:
        """Whether a helper or a fixture asserts something, itself or by what it calls."""
        if id(function) not in self._asserts:
            self._asserts[id(function)] = False
            flow = read_flow(function)
            self._asserts[id(function)] = any(not one.idle for one in flow.assertions) or any(
                self.may_assert(call, function, owner) for call in flow.calls
            )
        return self._asserts[id(function)]

    def may_assert(self, call: ast.Call, function: Function, owner: ast.ClassDef | None) -> bool:
        """Whether what is called asserts, or may: a helper that cannot be read is given the benefit of the doubt."""
        called = call.func
        if isinstance(called, ast.Attribute):
            if called.attr in _REQUESTS and any(word.arg == "status" for word in call.keywords):
                return True  # WebTest raises where the answer has another status
            if isinstance(called.value, ast.Name) and called.value.id in ("self", "cls"):
                return self.method(called.attr, owner)
            if isinstance(called.value, ast.Call) and name_of(called.value.func) == "super":
                return True
            module = self.imports.get(root_of(called), "")
            return bool(module) and self.foreign(
                f"{module}:{called.attr}" if ":" not in module else module, called.attr
            )
        if isinstance(called, ast.Name):
            if called.id in self.functions:
                return self.asserts(self.functions[called.id], owner)
            if called.id in self.imports:
                return self.foreign(self.imports[called.id], called.id)
            if called.id in self.classes:
                return any(
                    isinstance(node, Function) and self.asserts(node, self.classes[called.id])
                    for node in self.classes[called.id].body
                )
            given = {argument.arg for argument in function.args.args}
            return called.id in given and not re.fullmatch(r"cls|klass|\w*_cls|\w*_class|[A-Z]\w*", called.id)
        return isinstance(called, ast.Call | ast.Subscript | ast.Lambda) and not isinstance(called, ast.Call)

    def fixture_asserts(self, name: str) -> bool:
        """Whether a fixture asserts by its name, in this file, or in a conftest above it."""
        if ASSERTING.search(name) or re.search(r"snapshot|benchmark|golden|approv", name):
            return True
        if name in self.functions:
            return self.asserts(self.functions[name], None)
        folder = self.path.rpartition("/")[0]
        while True:
            scope = self._file(f"{folder}/conftest.py" if folder else "conftest.py")
            if scope is not None and name in scope.functions:
                return scope.asserts(scope.functions[name], None)
            if not folder:
                return False
            folder = folder.rpartition("/")[0]

    def tear_down_asserts(self, owner: ast.ClassDef | None) -> bool:
        """Whether what runs after each test of a class, or around it, asserts."""
        own = [node for node in (owner.body if owner else ()) if isinstance(node, Function)]
        around = [node for node in own if node.name.lower() in ("teardown", "teardown_method", "asyncteardown")]
        used = [
            node for node in self.functions.values() if any("autouse" in ast.unparse(d) for d in node.decorator_list)
        ]
        return any(self.asserts(node, owner) for node in (*around, *used))

    def method(self, name: str, owner: ast.ClassDef | None, depth: int = 0) -> bool:
        if owner is None or depth > 8:
            return True
        for node in owner.body:
            if isinstance(node, Function) and node.name == name:
                return self.asserts(node, owner)
        if name in ("setUp", "id", "skipTest", "addCleanup", "subTest", "enterContext", "tearDown"):
            return False
        bases = [base for base in owner.bases if name_of(base) not in ("object", "TestCase", "IsolatedAsyncioTestCase")]
        if not bases or (ASSERTING.search(name) and not depth and _is_known(name)):
            return False
        for base in bases:
            local = self.classes.get(name_of(base))
            if local is not None and local is not owner:
                if self.method(name, local, depth + 1):
                    return True
                continue
            scope = self._imported(self.imports.get(root_of(base), ""), name_of(base))
            if scope is None or name_of(base) not in scope.classes:
                return True
            if scope.method(name, scope.classes[name_of(base)], depth + 1):
                return True
        return False

    def foreign(self, source: str, name: str) -> bool:
        """Whether a name that is imported from there asserts, or may."""
        if ASSERTING.search(name):
            return True
        module = source.partition(":")[0]
        if not (module.startswith(".") or _TEST_PLACE.search(module)):
            return False
        scope = self._imported(source, name)
        if scope is None:
            return bool(re.search(r"(^|[/.])(tests?|conftest|test_\w+|\w+_tests?)([/.]|$)", module))
        if name in scope.functions:
            return scope.asserts(scope.functions[name], None)
        return name not in scope.classes and name in scope.imports and scope.foreign(scope.imports[name], name)

    def _imported(self, source: str, name: str) -> Scope | None:
        """The file that a name comes from, where it is one of the same tree."""
        if not source or self._depth > 2:
            return None
        module, _, inner = source.partition(":")
        level = len(module) - len(module.lstrip("."))
        parts = [part for part in module.lstrip(".").split(".") if part]
        folder = self.path.split("/")[:-1]
        starts = [folder[: len(folder) - level + 1]] if level else [folder[:at] for at in range(len(folder), -1, -1)]
        for start in starts:
            for tail in (parts, [*parts, inner or name]):
                stem = "/".join([*start, *tail])
                for path in (f"{stem}.py", f"{stem}/__init__.py"):
                    scope = self._file(path)
                    if scope is not None:
                        return scope
        return None

    def _file(self, path: str) -> Scope | None:
        if path not in self._files:
            content = self._lookup(path) if path != self.path else None
            module = parse(content) if content is not None else None
            self._files[path] = Scope(module, path, self._lookup, self._depth + 1) if module is not None else None
        return self._files[path]


# Private

_TEST_PLACE = re.compile(
    r"(^|[/.])(tests?|testing|test_\w+|\w+_tests?|conftest|spec|helpers?|utils?|common|support)([/.]|$)"
)
_REQUESTS = frozenset("get post put patch delete head options request click submit follow post_json put_json".split())


def _is_known(name: str) -> bool:
    return bool(re.match(r"assert[A-Z]", name))
