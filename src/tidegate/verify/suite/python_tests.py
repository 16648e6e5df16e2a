"""The tests of a Python file, with helpers and fixtures followed in the file and in the files of tests it imports."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from msgspec import Struct

from tidegate.verify.suite.python_asserts import EXCUSE, name_of
from tidegate.verify.suite.python_flow import Function, is_skip, read_flow
from tidegate.verify.suite.python_hidden import hidden
from tidegate.verify.suite.python_marks import Marks, marks_of, module_marks
from tidegate.verify.suite.python_scope import Scope, parse
from tidegate.verify.suite.python_walk import walk
from tidegate.verify.suite.values import Assertion, Draft, Lookup, TestCase, TestFile, Tests


def read_python(content: bytes, path: str, lookup: Lookup) -> TestFile | None:
    """The tests of a file, or None where it cannot be parsed. `lookup` reads other files of the same tree."""
    module = parse(content)
    if module is None:
        return None
    scope = Scope(module, path, lookup)
    lines = content.decode("utf-8", "replace").split("\n")
    drafts: dict[str, Draft] = {}
    builds: dict[str, Callable[[], TestCase]] = {}
    for name, function, owner, marks in _tests(module):
        key = name if name not in drafts else f"{name} (line {function.lineno})"
        drafts[key] = _draft(function, owner, marks, scope, lines)
        builds[key] = partial(_case, name, function, owner, marks, scope, lines)
    own = {name: isinstance(node, ast.AsyncFunctionDef) for name, node in scope.functions.items()}
    tests = Tests(drafts, builds, partial(_again, content, path, lookup))
    return TestFile(tests, scope.imports, own, hidden(module) if b"def test" in content else {})


# Private

_COMMENTED = re.compile(r"#[#\s]*(assert\b|self\.assert|with pytest\.raises|with self\.assert|expect\()")
_CALLED = re.compile(r"\.assert[A-Z_]\w*\(|\braises\(")
_QUOTED = re.compile(r"[^#]*[\"'].*#")
_MULTILINE = re.compile(r"\"\"\"|'''|\\\r?$")
_QUIET = re.compile(r"simplefilter\(['\"]error|filterwarnings\(['\"]error|nullcontext|no_raise")
_BENCHES = re.compile(r"(?:^|/)(bench)\w*/")
_REPEATING = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.GeneratorExp)


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


def _again(content: bytes, path: str, lookup: Lookup) -> Tests:
    found = read_python(content, path, lookup)
    return found.tests if found is not None and isinstance(found.tests, Tests) else Tests({}, {}, None)


def _draft(function: Function, owner: ast.ClassDef | None, marks: Marks, scope: Scope, lines: Sequence[str]) -> Draft:
    """What a test is before it is judged. One that nothing in it asserts, or that may not be awaited, is always."""
    start = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    text = "\n".join(lines[start - 1 : function.end_lineno])
    waits = isinstance(function, ast.AsyncFunctionDef) and owner is not None
    asserts = scope.has_assert(function) or _CALLED.search(text) is not None
    return Draft(text, marks, settled=asserts and not waits)


def _case(
    name: str,
    function: Function,
    owner: ast.ClassDef | None,
    marks: Marks,
    scope: Scope,
    lines: Sequence[str],
) -> TestCase:
    nodes = walk(function)
    flow = read_flow(function, scope.functions)
    end, told = _comments(function, lines)
    unseen = any(scope.may_assert(call, function, owner) for call in flow.calls)
    if not unseen and not any(not one.idle for one in flow.assertions):
        arguments = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
        used = [*arguments, *marks.fixtures]
        unseen = any(map(scope.fixture_asserts, used)) or scope.tear_down_asserts(owner)
        unseen = unseen or any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)
        unseen = unseen or marks.unseen or any(map(_is_script, nodes))
    text = _normal(function)
    document = " ".join(
        [*_BENCHES.findall(scope.path), function.name, ast.get_docstring(function) or "", *told, _quiet(function, text)]
    )
    found = EXCUSE.search(document)
    skipped = (
        marks.skipped
        or _unawaited(function, owner, scope)
        or next((f"`{ast.unparse(one)[:60]}`" for one in function.body[:3] if is_skip(one)), "")
    )
    inner = any(isinstance(node, ast.Expr | ast.Raise) and is_skip(node) for node in nodes)
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
        repeats=any(isinstance(node, _REPEATING) for node in nodes),
        retries=marks.retries,
    )


def _unawaited(function: Function, owner: ast.ClassDef | None, scope: Scope) -> str:
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


def _is_script(node: ast.AST) -> bool:
    """Whether a call is given the text of a program that asserts."""
    return isinstance(node, ast.Call) and any(
        isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and re.search(r"^\s*assert ", one.value, re.MULTILINE)
        for one in node.args
    )


def _line(one: Assertion) -> int:
    return one.line


def _quiet(function: Function, text: str) -> str:
    """Words for what makes warnings fail: such a test asserts that there are none."""
    whole = text if _QUIET.search(text) else f"{function.name} {ast.get_docstring(function) or ''}"
    return "does not warn" if _QUIET.search(whole) else ""


def _normal(function: Function) -> str:
    """The text of a test without its documentation, its annotations and how it is laid out."""
    body = function.body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        body = body[1:]
    arguments = ", ".join(argument.arg for argument in function.args.args)
    lead = [f"@{ast.unparse(one)}" for one in function.decorator_list]
    return "\n".join([*lead, f"({arguments})", *map(ast.unparse, body)])


def _comments(function: Function, lines: Sequence[str]) -> tuple[int, list[str]]:
    """The last line of a function, with the comments that stand below its last statement, and all its comments."""
    first, end = function.lineno, function.end_lineno or function.lineno
    below: list[str] = []
    while end < len(lines) and (text := lines[end].lstrip()).startswith("#"):
        if len(lines[end]) - len(text) <= function.col_offset:
            break
        below.append(text.rstrip())
        end += 1
    document = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    inside = range(document.lineno, (document.end_lineno or 0) + 1) if document is not None else ()
    body = ["" if at in inside else lines[at - 1] for at in range(first, end - len(below) + 1)]
    return end, [*_comments_in(body), *below]


def _comments_in(lines: Sequence[str]) -> list[str]:
    """The comments of whole statements. Only where a quote stands before a `#` they have to be told from strings."""
    marked = [line for line in lines if "#" in line]
    if not any(_QUOTED.match(line) for line in marked) and not any(_MULTILINE.search(line) for line in lines):
        return [line[line.index("#") :].rstrip() for line in marked]
    found: list[str] = []
    if marked:
        try:
            tokens = tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline)
            found.extend(token.string for token in tokens if token.type == tokenize.COMMENT)
        except (tokenize.TokenError, SyntaxError, ValueError):
            return found
    return found
