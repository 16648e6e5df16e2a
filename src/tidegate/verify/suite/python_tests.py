"""The tests of a Python file, with helpers and fixtures followed in the file and in the files of tests it imports."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.verify.suite.python_asserts import ASSERTING, EXCUSE, name_of, root_of
from tidegate.verify.suite.python_flow import is_skip, read_flow
from tidegate.verify.suite.python_marks import Marks, marks_of, module_marks
from tidegate.verify.suite.values import Assertion, Lookup, TestCase, TestFile

Function = ast.FunctionDef | ast.AsyncFunctionDef


def read_python(content: bytes, path: str, lookup: Lookup) -> TestFile | None:
    """The tests of a file, or None where it cannot be parsed. `lookup` reads other files of the same tree."""
    module = parse(content)
    if module is None:
        return None
    scope = _Scope(module, path, lookup)
    comments = _comments(content)
    tests: dict[str, TestCase] = {}
    for name, function, owner, marks in _tests(module):
        case = _case(name, function, owner, marks, scope, comments)
        tests[name if name not in tests else f"{name} (line {function.lineno})"] = case
    return TestFile(tests, scope.imports)


def parse(content: bytes) -> ast.Module | None:
    """The syntax of a file, None where it is not Python 3."""
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# Private

_COMMENTED = re.compile(r"#[#\s]*(assert\b|self\.assert|with pytest\.raises|with self\.assert|expect\()")
_TEST_PLACE = re.compile(
    r"(^|[/.])(tests?|testing|test_\w+|\w+_tests?|conftest|spec|helpers?|utils?|common|support)([/.]|$)"
)
_BENCHES = re.compile(r"(?:^|/)(bench)\w*/")
_REQUESTS = frozenset("get post put patch delete head options request click submit follow post_json put_json".split())
_REPEATING = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.GeneratorExp)


class _Scope:
    """What the names of a test file stand for."""

    def __init__(self, module: ast.Module, path: str, lookup: Lookup, depth: int = 0) -> None:
        self.path, self._lookup, self._depth = path, lookup, depth
        self.functions: dict[str, Function] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self.imports: dict[str, str] = {}
        self._asserts: dict[int, bool] = {}
        self._files: dict[str, _Scope | None] = {}
        for node in ast.walk(module):
            if isinstance(node, Function):
                self.functions.setdefault(node.name, node)
            elif isinstance(node, ast.ClassDef):
                self.classes.setdefault(node.name, node)
            elif isinstance(node, ast.ImportFrom):
                lead = "." * node.level + (node.module or "")
                self.imports |= {name.asname or name.name: f"{lead}:{name.name}" for name in node.names}
            elif isinstance(node, ast.Import):
                for name in node.names:
                    self.imports[name.asname or name.name.split(".")[0]] = name.name

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

    def _imported(self, source: str, name: str) -> _Scope | None:
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

    def _file(self, path: str) -> _Scope | None:
        if path not in self._files:
            content = self._lookup(path) if path != self.path else None
            module = parse(content) if content is not None else None
            self._files[path] = _Scope(module, path, self._lookup, self._depth + 1) if module is not None else None
        return self._files[path]


class _Place(Struct, frozen=True):
    """Where tests stand: their class and the marks of all that is around them."""

    prefix: str
    owner: ast.ClassDef | None
    marks: Marks


def _tests(module: ast.Module) -> Iterator[tuple[str, Function, ast.ClassDef | None, Marks]]:
    yield from _tests_in(module.body, _Place("", None, module_marks(module)))


def _tests_in(body: list[ast.stmt], place: _Place) -> Iterator[tuple[str, Function, ast.ClassDef | None, Marks]]:
    for node in body:
        if isinstance(node, Function) and node.name.startswith("test"):
            if any(
                name_of(d.func if isinstance(d, ast.Call) else d) in ("fixture", "overload")
                for d in node.decorator_list
            ):
                continue
            yield f"{place.prefix}{node.name}", node, place.owner, marks_of(node, place.marks)
        elif isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or node.bases or "Test" in node.name):
            yield from _tests_in(node.body, _Place(f"{place.prefix}{node.name}.", node, marks_of(node, place.marks)))
        elif isinstance(node, ast.If):
            yield from _tests_in(node.body, place)
            yield from _tests_in(node.orelse, place)
        elif isinstance(node, ast.Try):
            yield from _tests_in([*node.body, *node.orelse], place)


def _case(
    name: str,
    function: Function,
    owner: ast.ClassDef | None,
    marks: Marks,
    scope: _Scope,
    comments: Mapping[int, tuple[int, str]],
) -> TestCase:
    flow = read_flow(function, scope.functions)
    end = _end(function, comments)
    told = [comments[line][1] for line in range(function.lineno, end + 1) if line in comments]
    unseen = any(scope.may_assert(call, function, owner) for call in flow.calls)
    if not unseen and not any(not one.idle for one in flow.assertions):
        arguments = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
        used = [*arguments, *marks.fixtures]
        unseen = any(map(scope.fixture_asserts, used)) or scope.tear_down_asserts(owner)
        unseen = unseen or any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
        unseen = unseen or marks.unseen or any(map(_is_script, ast.walk(function)))
    document = " ".join(
        [*_BENCHES.findall(scope.path), function.name, ast.get_docstring(function) or "", *told, _quiet(function)]
    )
    found = EXCUSE.search(document)
    text = _normal(function)
    skipped = (
        marks.skipped
        or _unawaited(function, owner, scope)
        or next((f"`{ast.unparse(one)[:60]}`" for one in function.body[:3] if is_skip(one)), "")
    )
    inner = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and is_skip(node)]
    return TestCase(
        name=name,
        line=function.lineno,
        end_line=end,
        text=text,
        words=frozenset(re.findall(r"[A-Za-z_]\w{2,}", text)),
        assertions=tuple(sorted(flow.assertions, key=_line)),
        skipped=skipped,
        maybe_skipped=marks.maybe_skipped or ("a skip under a condition" if inner and not skipped else ""),
        expected_to_fail=marks.expected_to_fail,
        excused=found[0] if found else "",
        unseen=unseen,
        commented=sum(bool(_COMMENTED.match(comment)) for comment in told),
        cases=marks.cases,
        repeats=any(isinstance(node, _REPEATING) for node in ast.walk(function)),
        retries=marks.retries,
    )


def _unawaited(function: Function, owner: ast.ClassDef | None, scope: _Scope) -> str:
    """Whether a coroutine is a test of a class of unittest that does not await it."""
    if not isinstance(function, ast.AsyncFunctionDef) or function.decorator_list or owner is None:
        return ""
    for _ in range(8):
        if len(owner.bases) != 1:
            return ""
        base = ast.unparse(owner.bases[0])
        if base == "unittest.TestCase" or scope.imports.get(base) == "unittest:TestCase":
            return "a coroutine, which `unittest.TestCase` does not await"
        if base not in scope.classes:
            return ""
        owner = scope.classes[base]
    return ""


def _end(function: Function, comments: Mapping[int, tuple[int, str]]) -> int:
    """The last line of a function, with the comments that stand below its last statement."""
    end = function.end_lineno or function.lineno
    while comments.get(end + 1, (0, ""))[0] > function.col_offset:
        end += 1
    return end


def _is_script(node: ast.AST) -> bool:
    """Whether a call is given the text of a program that asserts."""
    return isinstance(node, ast.Call) and any(
        isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and re.search(r"^\s*assert ", one.value, re.MULTILINE)
        for one in node.args
    )


def _is_known(name: str) -> bool:
    return bool(re.match(r"assert[A-Z]", name))


def _line(one: Assertion) -> int:
    return one.line


def _quiet(function: Function) -> str:
    """Words for what makes warnings fail: such a test asserts that there are none."""
    text = ast.unparse(function)
    return (
        "does not warn"
        if re.search(r"simplefilter\(['\"]error|filterwarnings\(['\"]error|nullcontext|no_raise", text)
        else ""
    )


def _normal(function: Function) -> str:
    """The text of a test without its documentation, its annotations and how it is laid out."""
    body = function.body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        body = body[1:]
    arguments = ", ".join(argument.arg for argument in function.args.args)
    lead = [f"@{ast.unparse(one)}" for one in function.decorator_list]
    return "\n".join([*lead, f"({arguments})", *map(ast.unparse, body)])


def _comments(content: bytes) -> dict[int, tuple[int, str]]:
    found = {}
    try:
        for token in tokenize.tokenize(io.BytesIO(content).readline):
            if token.type == tokenize.COMMENT:
                found[token.start[0]] = (token.start[1], token.string)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return found
    return found
