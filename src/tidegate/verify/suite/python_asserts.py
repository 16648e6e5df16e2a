"""What an assertion of Python pins down, by its syntax alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tidegate.verify.suite.python_walk import walk
from tidegate.verify.suite.values import BARE, CLOSE, EXACT, ROUGH, Assertion

ASSERTING = re.compile(
    r"assert|expect|verif|raises|(^|_)(check|ensure|should|validate|must|compare|fail|warns)(_|$|[A-Z])|^(eq|ok)_$"
    r"|(match|contains)_lines?$|^(deprecated_call|doctest|testmod|testfile|raise_for_status|run_tests?|snapshot)$"
    r"|^(check|benchmark|ensure|validate)|_(test|check)$|^(run|do|execute)_?(\w+_)?(tests?|checks?)$|regression",
    re.IGNORECASE,
)
EXCUSE = re.compile(
    r"no[_ ](error|exception|raise|crash|warning|op\b|fail|problem|traceback|infinite|leak|deadlock|hang|segfault)|"
    r"noop|ts-expect-error|\btypes?\b|"
    r"(not|n't|nt|never|without)[_ ]*(\w+ing[_ ])?(an? |any )?(to )?(be )?(raise|rais|fail|crash|error|warn|throw|hang|"
    r"explode|blow|break|exception|except|complain|segfault|block|deadlock|leak|die|infinite|problem|choke|loop|overflow)|"
    r"smoke|sanity|import|runs|works|succeed|passes|is[_ ]?ok\b|allow|accept|valid|silent|ignore|doctest|"
    r"type_?check|mypy|"
    r"just (make sure|run|check|call|test)|should (pass|work|be fine|run|succeed|compile|not|be (ok|possible|able))|"
    r"does(n't|[_ ]not)|ok[_ ]to\b|must not|bench|perf|regression|crash|example|can_|able[_ ]to|"
    r"compil|coverage|for side effects|"
    r"terminat|recurs|idempotent|twice|leak|stress|fuzz",
    re.IGNORECASE,
)
BROAD = frozenset(("Exception", "BaseException"))
_EQUAL = re.compile(
    r"^assert_?(equals?|is_?none|(array_|frame_|series_|index_|extension_array_)equal|is|(dict|list|set|tuple|multiline|sequence|count|"
    r"json|xml|html|query_?set)_?equal|called_(once_)?with|has_calls|awaited_(once_)?with|any_call|not_called|outcomes)$",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    r"^assert_?(almost_?equals?|allclose|array_almost_equal|in|not_?in|(not_?)?regex|raises_?regex|greater|less|"
    r"greater_?equal|less_?equal|called_once|awaited_once|contains|dict_contains_subset|starts_?with|ends_?with|logs)$",
    re.IGNORECASE,
)
_ROUGH = re.compile(r"^assert_?(is_?instance|not_?equals?|is_?not|called|awaited|true|false)$", re.IGNORECASE)
_BARE = re.compile(r"^assert_?is_?not_?none$", re.IGNORECASE)
_RAISES = re.compile(r"^(raises|warns|assert_?(raises|warns)(_?regex|_?message)?|throws)$", re.IGNORECASE)


def name_of(node: ast.expr) -> str:
    """The last part of what is called: `d` of `a.b.d`, "" where it has no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def root_of(node: ast.expr) -> str:
    """The first name of a chain of attributes, calls and items, "" where there is none."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript | ast.Await):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def of_assert(node: ast.Assert) -> Iterator[Assertion]:
    """The assertions of an assert statement; each part of an `and` is one."""
    yield from _of_condition(node.test, node)


def of_call(call: ast.Call, body: str = "") -> Iterator[Assertion]:
    """The assertions of a call that asserts by its name; nothing where the name says nothing.

    `body` is the text that a context manager such as `pytest.raises` watches.
    """
    name = name_of(call.func)
    if _RAISES.match(name):
        yield _raising(call, name, body)
        return
    if not ASSERTING.search(name) or name in ("expectedFailure", "return_value", "side_effect"):
        return
    arguments = call.args
    if re.fullmatch(r"assert_?(true|false)_?", name, re.IGNORECASE) and arguments:
        test = arguments[0] if "rue" in name else ast.UnaryOp(op=ast.Not(), operand=arguments[0])
        yield from _of_condition(test, call)
        return
    strength = next((rank for rank, words in _RANKS if words.match(name)), 0)
    expected = ast.unparse(arguments[1]) if len(arguments) > 1 else ""
    subject = ast.unparse(_subject(arguments[:2]) or call.func)
    if isinstance(call.func, ast.Attribute) and re.match(r"assert_(called|awaited|has|any|not_)", name):
        subject, expected = ast.unparse(call.func.value), ", ".join(map(ast.unparse, arguments))
    yield Assertion(
        call.lineno,
        ast.unparse(call),
        subject,
        strength or CLOSE,
        limit=_limit(call),
        opaque=not strength,
        expected=expected,
    )


# Private

_RANKS = ((EXACT, _EQUAL), (CLOSE, _CLOSE), (BARE, _BARE), (ROUGH, _ROUGH))


def _of_condition(test: ast.expr, at: ast.AST) -> Iterator[Assertion]:
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        for part in test.values:
            yield from _of_condition(part, at)
        return
    strength, subject, limit, expected = BARE, test, 0.0, ""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        strength, subject = ROUGH, test.operand
    elif isinstance(test, ast.Compare):
        strength, subject, limit = _of_compare(test)
        expected = " ".join(ast.unparse(side) for side in (test.left, *test.comparators) if side is not subject)
    elif isinstance(test, ast.Call):
        strength = CLOSE if re.search(r"startswith|endswith|match|all|equals?$|issub", name_of(test.func)) else ROUGH
        subject = test.args[0] if name_of(test.func) in ("isinstance", "all", "any") and test.args else test
    else:
        strength = ROUGH
    yield Assertion(
        getattr(at, "lineno", 0), ast.unparse(test), ast.unparse(subject), strength, "", limit, False, expected
    )


def _of_compare(test: ast.Compare) -> tuple[int, ast.expr, float]:
    operator, sides = test.ops[0], (test.left, *test.comparators)
    near = next((side for side in sides if isinstance(side, ast.Call) and "approx" in name_of(side.func)), None)
    subject = _subject([side for side in sides if side is not near]) or test.left
    if isinstance(operator, ast.Eq | ast.Is):
        if near is not None:
            return CLOSE, subject, _limit(near)
        return EXACT, subject, 0.0
    if isinstance(operator, ast.IsNot) and any(map(_is_plain, sides)):
        return BARE, subject, 0.0
    if isinstance(operator, ast.In | ast.NotIn):
        return CLOSE, test.comparators[0], 0.0
    return (ROUGH if isinstance(operator, ast.NotEq | ast.IsNot) else CLOSE), subject, 0.0


def _raising(call: ast.Call, name: str, body: str) -> Assertion:
    wanted = call.args[0] if call.args else None
    names = {name_of(one) for one in (wanted.elts if isinstance(wanted, ast.Tuple) else [wanted] if wanted else [])}
    told = "regex" in name.lower() or "message" in name.lower() or any(word.arg == "match" for word in call.keywords)
    strength = ROUGH if names & BROAD or not names else CLOSE
    if len(call.args) > 1 and not told:
        body = ", ".join(map(ast.unparse, call.args[1:]))
    subject = f"raises: {body}"
    return Assertion(
        call.lineno, f"{name}({', '.join(sorted(names))}) {body}", subject, strength + told, expected=" ".join(names)
    )


def _subject(sides: list[ast.expr]) -> ast.expr | None:
    """The side that is computed: the first that calls something, else the first that is no literal."""
    open_ = [side for side in sides if not _is_literal(side)]
    calling = [side for side in open_ if any(isinstance(inner, ast.Call) for inner in walk(side))]
    return next(iter([*calling, *open_]), None)


def _is_literal(node: ast.expr) -> bool:
    return not any(isinstance(inner, ast.Name | ast.Call) for inner in walk(node))


def _is_plain(node: ast.expr) -> bool:
    """Whether a value is told from others by its truth already: None, True, an empty list, 0."""
    if isinstance(node, ast.Constant):
        return not node.value or node.value is True
    return (isinstance(node, ast.List | ast.Tuple) and not node.elts) or (isinstance(node, ast.Dict) and not node.keys)


def _limit(call: ast.Call) -> float:
    """The tolerance that a call names: larger is looser."""
    found = 0.0
    for word in call.keywords:
        if isinstance(word.value, ast.Constant) and isinstance(word.value.value, int | float):
            value = float(word.value.value)
            if word.arg in ("rel", "abs", "rtol", "atol", "delta"):
                found = max(found, value)
            elif word.arg in ("places", "decimal"):
                found = max(found, 10.0**-value) if value < 300 else found
    return found
