"""Real Python tests turned into tests that cannot fail, in sixteen ways, by rules that know nothing of the checker.

A test is taken where nothing but its own assertions can make it fail: no helper, fixture, base class or teardown that
it uses has a word of asserting in its text, and it watches no exception. So the turned test is vacuous by construction.
"""

from __future__ import annotations

import ast
import copy
import random
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping

import msgspec

Function = ast.FunctionDef | ast.AsyncFunctionDef
Body = list[ast.stmt]


class Candidate(msgspec.Struct):
    """A test of a real file that can be turned: its text in the file is from `first` to `last`, counted from 1."""

    project: str
    path: str
    name: str
    source: str
    function: Function
    owner: ast.ClassDef | None
    first: int
    last: int


def tests_of(source: str) -> Iterator[tuple[Function, ast.ClassDef | None]]:
    """Every test function of a file as pytest and unittest collect them."""
    module = ast.parse(source)
    for node in module.body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield node, None
        elif isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or "Test" in ast.unparse(node)[:200]):
            for inner in node.body:
                if isinstance(inner, Function) and inner.name.startswith("test"):
                    yield inner, node


def candidates(project: str, files: Mapping[str, str]) -> list[Candidate]:
    """The tests that can be turned. `files` are all Python files of tests of the project, helpers and conftests too."""
    helpers = _definitions(files)
    found = []
    for path, source in sorted(files.items()):
        if not re.search(r"(^|/)test_[^/]*\.py$|_test\.py$", path):
            continue
        if _AROUND.search(source):
            continue
        found += [
            Candidate(project, path, function.name, source, function, owner, _first(function), function.end_lineno or 0)
            for function, owner in tests_of(source)
            if _is_plain(function, owner, helpers)
        ]
    return found


def turned(one: Candidate, way: str, random_: random.Random) -> tuple[str, int, int] | None:
    """The file with the test turned, and the lines that it has then; None where this way does not fit it."""
    function = copy.deepcopy(one.function)
    names = Names(one, random_)
    made = WAYS[way](function, names)
    if made is None:
        return None
    text = made if isinstance(made, str) else ast.unparse(ast.fix_missing_locations(made))
    lines = one.source.splitlines()
    indent = " " * one.function.col_offset
    put = textwrap.indent(text, indent).splitlines()
    whole = [*_IMPORTS, *lines[: one.first - 1], *put, *lines[one.last :]]
    at = next((n for n, line in enumerate(lines) if line.startswith("from __future__")), None)
    if at is not None:
        whole = [*lines[: at + 1], *_IMPORTS, *lines[at + 1 : one.first - 1], *put, *lines[one.last :]]
    begin = one.first + len(_IMPORTS)
    return "\n".join(whole) + "\n", begin, begin + len(put) - 1


class Names:
    """What a turned test is made of: chances, and names that the real test uses."""

    def __init__(self, one: Candidate, random_: random.Random) -> None:
        self.one, self.random = one, random_
        calls = [node for node in ast.walk(one.function) if isinstance(node, ast.Call)]
        plain = [node.func for node in calls if isinstance(node.func, ast.Name | ast.Attribute)]
        found = [ast.unparse(func) for func in plain if "(" not in ast.unparse(func)]
        self.called = [name for name in found if not re.search(r"assert|self\.|isinstance|len$|list$", name)]

    def choose(self, *options: str) -> str:
        return self.random.choice(options)


# Private

_IMPORTS = (
    "import contextlib",
    "import unittest",
    "from unittest import mock",
    "from unittest.mock import MagicMock, Mock",
)
_WORDS = re.compile(r"assert|raise|fail|expect|check|verif|valid|ensure|compare|warns|should|match", re.IGNORECASE)
_AROUND = re.compile(r"autouse|def (tearDown|teardown\w*|asyncTearDown)\b")


def _definitions(files: Mapping[str, str]) -> dict[str, bool]:
    """Every function and class in the files of tests by name, and whether any of that name may assert."""
    found: dict[str, bool] = {}
    for source in files.values():
        lines = source.splitlines()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("test"):
                words = bool(_WORDS.search("\n".join(lines[node.lineno - 1 : node.end_lineno])))
                found[node.name] = found.get(node.name, False) or words
    return found


def _is_plain(function: Function, owner: ast.ClassDef | None, helpers: Mapping[str, bool]) -> bool:
    asserting = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and _asserts(node)]
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    used |= {argument.arg for argument in function.args.args}
    if any(helpers.get(name, False) for name in used - {"self"}):
        return False
    if not asserting or any(not _allowed(node) for node in ast.walk(function)):
        return False
    rest = ast.unparse(_Strip(lambda _: []).visit(copy.deepcopy(function)))
    if _WORDS.search(re.sub(r"def \w+|parametrize", "", rest)):
        return False
    decorators = " ".join(map(ast.unparse, function.decorator_list))
    bases = " ".join(map(ast.unparse, owner.bases)) if owner else ""
    if re.sub(r"pytest\.mark\.\w+", "", decorators).strip("()") and "parametrize" not in decorators:
        return False
    if re.search(
        r"skip|xfail|usefixtures", decorators + " ".join(map(ast.unparse, owner.decorator_list if owner else ()))
    ):
        return False
    return bases in ("", "TestCase", "unittest.TestCase")


def _allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Yield | ast.Raise | ast.ClassDef | ast.Lambda):
        return False
    if isinstance(node, ast.Call) and re.search(
        r"raises|warns|\.fail$|Raises|Warns|skip|subTest", ast.unparse(node.func)
    ):
        return False
    return not (isinstance(node, ast.Return) and node.value is None)


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    return (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and bool(_METHOD.match(ast.unparse(node.value)))
    )


_METHOD = re.compile(r"self\.assert[A-Z]\w*\(")


class _Strip(ast.NodeTransformer):
    """Puts something else in the place of every assertion."""

    def __init__(self, instead: Callable[[ast.stmt], Body]) -> None:
        self.instead = instead

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if name == "body" and isinstance(body, list) and not body:
                node.body = [ast.Pass()]  # type: ignore[attr-defined]
        return node

    def visit_Assert(self, node: ast.Assert) -> Body:
        return self.instead(node)

    def visit_Expr(self, node: ast.Expr) -> Body | ast.AST:
        return self.instead(node) if _asserts(node) else node


def _first(function: Function) -> int:
    return min([function.lineno, *(one.lineno for one in function.decorator_list)])


def _parse(text: str) -> Body:
    return ast.parse(text).body


def _condition(node: ast.stmt) -> ast.expr:
    """What an assertion says, as an expression."""
    if isinstance(node, ast.Assert):
        return node.test
    call = node.value if isinstance(node, ast.Expr) else None
    assert isinstance(call, ast.Call)
    if re.search(r"assert(Equal|ListEqual|DictEqual|Is)\(", ast.unparse(call)) and len(call.args) > 1:
        return ast.Compare(call.args[0], [ast.Eq()], [call.args[1]])
    return call.args[0] if call.args else ast.Constant(1)


def _subject(node: ast.stmt) -> Body:
    """The calls of an assertion without the assertion."""
    inner = [one for one in ast.walk(_condition(node)) if isinstance(one, ast.Call)]
    wanted = [one for one in inner if not re.match(r"isinstance|len|all|any|str|list", ast.unparse(one.func))]
    return [ast.Expr(wanted[0])] if wanted else []


def _replaced(function: Function, instead: Callable[[ast.stmt], Body]) -> Function:
    made: Function = _Strip(instead).visit(function)
    return made


def _with_body(function: Function, body: Body) -> Function:
    document = ast.get_docstring(function)
    function.body = [*([function.body[0]] if document is not None else []), *body]
    return function


def _body(function: Function) -> Body:
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def _removed(function: Function, names: Names) -> Function:
    if names.random.random() < 0.3:
        return _replaced(function, lambda node: [ast.Expr(_condition(node))])
    return _replaced(function, _subject)


def _tautology(function: Function, names: Names) -> Function | None:
    bound = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    kind = names.choose("true", "method", "same")
    if kind == "same":
        if not bound or re.search(
            r"eq|ident|compar|hash|same|nan|order|singleton|cache|stable|determin|is_", function.name
        ):
            return None
        return _replaced(function, lambda node: [*_subject(node), *_parse(f"assert {bound[0]} == {bound[0]}")])
    text = "self.assertTrue(True)" if kind == "method" and names.one.owner and names.one.owner.bases else "assert True"
    return _replaced(function, lambda node: [*_subject(node), *_parse(text)])


def _constant(function: Function, names: Names) -> Function:
    text = names.choose(
        "assert 1 == 1",
        "wanted = 3\nassert wanted == 3",
        "assert 'done'",
        "assert 2 in (1, 2)",
        "done = True\nassert done",
    )
    return _with_body(
        function, [*_replaced(function, _subject).body[ast.get_docstring(function) is not None :], *_parse(text)]
    )


def _swallowed(function: Function, names: Names) -> Function:
    text = names.choose(
        "try:\n    pass\nexcept Exception:\n    pass",
        "try:\n    pass\nexcept AssertionError:\n    pass",
        "try:\n    pass\nexcept:\n    pass",
        "try:\n    pass\nexcept Exception as error:\n    print(error)",
        "with contextlib.suppress(Exception):\n    pass",
        "try:\n    pass\nexcept (ValueError, AssertionError):\n    return",
    )
    block = _parse(f"def f():\n{textwrap.indent(text, '    ')}")[0].body[0]  # type: ignore[attr-defined]
    block.body = _body(function)
    return _with_body(function, [block])


def _mocked(function: Function, names: Names) -> Function | None:
    dotted = [name for name in names.called if "." in name]
    name = names.random.choice(names.called).split(".")[-1] if names.called else ""
    if not name.isidentifier():
        return None
    kinds = [
        f"{name} = Mock(return_value=42)\nassert {name}() == 42",
        f"subject = MagicMock()\nsubject.{name}.return_value = 'done'\nresult = subject.{name}(1)\n"
        "assert result == 'done'",
        f"subject = Mock()\nsubject.{name} = Mock(return_value=[1])\nassert subject.{name}(2) == [1]",
    ]
    if dotted and names.one.owner is None:
        whole = names.random.choice(dotted)
        left, _, last = whole.rpartition(".")
        if left.split(".")[0] not in {
            n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }:
            kinds.append(f"with mock.patch.object({left}, '{last}', return_value=7):\n    assert {whole}(1) == 7")
    return _with_body(function, _parse(names.random.choice(kinds)))


def _unreachable(function: Function, names: Names) -> Function:
    body = _body(function)
    kind = names.choose("return", "if False", "while False", "if 0")
    if kind == "return":
        at = next((n for n, one in enumerate(body) if any(map(_asserts, ast.walk(one)))), 0)
        return _with_body(function, [*body[:at], ast.Return(None), *body[at:]])
    return _replaced(function, lambda node: _under(f"{kind}:\n    pass", node))


def _under(text: str, node: ast.stmt) -> Body:
    block = _parse(text)[0]
    block.body = [node]  # type: ignore[attr-defined]
    return [block]


def _tuple(function: Function, names: Names) -> Function:
    said = names.choose("'wrong'", "'should be the same'", "f'not {1}'")
    text = ast.parse(said, mode="eval").body
    return _replaced(function, lambda node: [ast.Assert(ast.Tuple([_condition(node), text], ast.Load()))])


def _empty_loop(function: Function, names: Names) -> Function:
    kind = names.choose("for _ in []:\n    pass", "for case in ():\n    pass", "for i in range(0):\n    pass", "named")
    if kind != "named":
        return _replaced(function, lambda node: _under(kind, node))
    made = _replaced(function, lambda node: _under("for case in cases:\n    pass", node))
    return _with_body(made, [*_parse("cases = []"), *_body(made)])


def _skipped(function: Function, names: Names) -> Function:
    if names.one.owner is not None:
        kind = names.choose("@unittest.skip('later')", "raise", "@pytest.mark.skip")
    else:
        kind = names.choose(
            "@pytest.mark.skip(reason='later')",
            "@pytest.mark.skip",
            "@unittest.skip('later')",
            "call",
            "raise",
            "empty",
            "@pytest.mark.skipif(True, reason='later')",
        )
    if kind == "call":
        return _with_body(function, [*_parse("pytest.skip('later')"), *_body(function)])
    if kind == "raise":
        return _with_body(function, [*_parse("raise unittest.SkipTest('later')"), *_body(function)])
    if kind == "empty":
        function.args.args.append(ast.arg("later"))
        kind = "@pytest.mark.parametrize('later', [])"
    function.decorator_list.insert(0, _parse(f"{kind}\ndef f(): pass")[0].decorator_list[0])  # type: ignore[attr-defined]
    return function


def _commented(function: Function, _: Names) -> str:
    mark = "commented_out_here"
    kept: list[str] = []

    def out(node: ast.stmt) -> Body:
        kept.append(ast.unparse(node))
        return _parse(f"{mark}_{len(kept) - 1}")

    text = ast.unparse(ast.fix_missing_locations(_replaced(function, out)))
    lines = []
    for line in text.splitlines():
        found = re.fullmatch(rf"(\s*){mark}_(\d+)", line)
        if found:
            lines += [f"{found[1]}# {part}" for part in kept[int(found[2])].splitlines()]
        else:
            lines.append(line)
    return _filled(lines)


def _filled(lines: list[str]) -> str:
    """Blocks that hold nothing but comments get a `pass`."""
    text = "\n".join(lines)
    for _ in range(20):
        try:
            ast.parse(text)
        except (SyntaxError, IndentationError):
            code = [n for n, line in enumerate(lines) if line.strip() and not line.strip().startswith("#")]
            for at, n in enumerate(code):
                indent = len(lines[n]) - len(lines[n].lstrip())
                after = lines[code[at + 1]] if at + 1 < len(code) else ""
                if lines[n].rstrip().endswith(":") and len(after) - len(after.lstrip()) <= indent:
                    lines.insert(n + 1, " " * (indent + 4) + "pass")
                    break
            text = "\n".join(lines)
        else:
            return text
    return text


def _or_true(function: Function, _: Names) -> Function:
    return _replaced(
        function, lambda node: [ast.Assert(ast.BoolOp(ast.Or(), [_condition(node), ast.Constant(value=True)]))]
    )


def _uncalled(function: Function, _: Names) -> Function:
    inner = _parse("def look():\n    pass")[0]
    assert isinstance(inner, ast.FunctionDef)
    inner.body = _body(function)
    return _with_body(function, [inner])


def _unawaited(function: Function, names: Names) -> Function | None:
    if isinstance(function, ast.AsyncFunctionDef):
        body = _body(function)
        inner = _parse("async def look():\n    pass")[0]
        inner.body = body  # type: ignore[attr-defined]
        return _with_body(function, [inner, *_parse("look()")])
    if names.one.owner is not None and names.one.owner.bases:
        fields = {name: getattr(function, name) for name in ("name", "args", "body", "decorator_list")}
        return ast.AsyncFunctionDef(**fields)
    inner = _parse("async def look():\n    pass")[0]
    inner.body = _body(function)  # type: ignore[attr-defined]
    return _with_body(function, [inner, *_parse("look()")])


def _not_called(function: Function, names: Names) -> Function | None:
    if not names.called:
        return None
    subject = names.random.choice(names.called)
    kind = names.choose("watch.assert_called_once", "watch.assert_called_once_with", "assert watch.called_once_with(1)")
    return _with_body(function, _parse(f"watch = Mock()\n{subject}(watch)\n{kind}"))


def _only_raised(function: Function, _: Names) -> Function | None:
    body = _body(_replaced(function, _subject))
    if not body:
        return None
    block = _parse("try:\n    pass\nexcept ValueError as error:\n    assert 'wrong' in str(error)")[0]
    block.body = body  # type: ignore[attr-defined]
    return _with_body(function, [block])


def _never_none(function: Function, _: Names) -> Function | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
            name = ast.unparse(node.value.func).split(".")[-1]
            if re.fullmatch(r"[A-Z][a-z]\w+", name):
                return _with_body(function, [node, *_parse(f"assert {node.targets[0].id} is not None")])
    return None


WAYS: dict[str, Callable[[Function, Names], Function | str | None]] = {
    "removed": _removed,
    "tautology": _tautology,
    "constant": _constant,
    "swallowed": _swallowed,
    "mocked": _mocked,
    "unreachable": _unreachable,
    "tuple": _tuple,
    "empty loop": _empty_loop,
    "skipped": _skipped,
    "commented out": _commented,
    "or true": _or_true,
    "never called": _uncalled,
    "never awaited": _unawaited,
    "assertion not called": _not_called,
    "only if raised": _only_raised,
    "never None": _never_none,
}
