"""What can be put in the place of a statement or an expression: one small fault, as a replacement of source text.

Replacements keep every line where it is, so that what runs afterwards is the same but for the fault.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from tidegate.verify.mutate.arid import KEYWORDS, is_arid_call, name_of

COMPARISON, NEGATION, ARITHMETIC, BOOLEAN, CALLED, CONSTANT, RETURNED, REMOVED, CAUGHT, LOOP, ASSIGNED, TEXT = range(12)
"""The most productive first."""

RANKS = "comparison negation arithmetic boolean called constant return removal exception loop assignment text".split()


class Fault(Struct, frozen=True):
    """Bytes `start` to `end` of the source become `after`; `node` is what is changed, `words` says it."""

    rank: int
    start: int
    end: int
    after: str
    words: str
    line: int
    end_line: int


class Source:
    """The text of a file with the places of its nodes. Columns of `ast` count bytes of UTF-8."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._starts = [0]
        for line in content.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def text(self, start: int, end: int) -> str:
        return self.content[start:end].decode("utf-8", "replace")

    def line_of(self, line: int) -> bytes:
        return self.content[self._starts[line - 1] : self._starts[line]].rstrip(b"\r\n")


def statement_faults(source: Source, node: ast.stmt) -> Iterator[Fault]:
    """The faults of a statement's own parts; those of the statements inside it are not among them."""
    for expression in _own_expressions(node):
        yield from expression_faults(source, expression)
    if isinstance(node, ast.If | ast.While):
        yield from _condition(source, node)
    elif isinstance(node, ast.For | ast.AsyncFor):
        yield _replaced(source, LOOP, node.iter, "()", "the loop runs over nothing")
    elif isinstance(node, ast.Return):
        yield from _returned(source, node)
    elif isinstance(node, ast.Expr):
        yield from _called(source, node)
    elif isinstance(node, ast.Raise):
        yield _replaced(source, REMOVED, node, "pass", f"`{_short(source, node)}` was removed")
    elif isinstance(node, ast.AugAssign):
        yield from _operator(source, node.target, node.value, _ARITHMETIC_OF.get(type(node.op)), suffix="=")
    elif isinstance(node, ast.Break | ast.Continue):
        other = "continue" if isinstance(node, ast.Break) else "break"
        yield _replaced(source, LOOP, node, other, f"`{_short(source, node)}` became `{other}`")
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        yield from _assigned(source, node)


def handler_fault(source: Source, handler: ast.ExceptHandler) -> Fault | None:
    """`except ValueError` catches nothing any more."""
    if handler.type is None:
        return None
    caught = _short(source, handler.type)
    return _replaced(source, CAUGHT, handler.type, "()", f"`except {caught}` no longer catches anything")


def expression_faults(source: Source, node: ast.AST) -> Iterator[Fault]:
    """The faults of an expression and of those inside it; messages, types and strings with places are left alone."""
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and is_arid_call(node)):
        return
    maker = _MAKERS.get(type(node))
    if maker is not None:
        yield from maker(source, node)
    counted = _counted(node)
    if counted is not None:
        yield from _MAKERS[ast.Call](source, counted)
    for child in ast.iter_child_nodes(counted if counted is not None else node):
        if counted is not None and isinstance(child, ast.Constant):
            continue
        if isinstance(child, ast.keyword) and child.arg in KEYWORDS:
            continue
        if isinstance(child, ast.expr | ast.keyword | ast.comprehension):
            yield from expression_faults(source, child)


# Private

_FIRST_OF = {"split": "0", "most_common": "0", "nlargest": "0", "nsmallest": "0", "rsplit": "-1"}
_COMPARISONS = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
_OPPOSITES = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_ARITHMETIC_OF = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
_PAIRS = (
    "min max|any all|startswith endswith|lstrip rstrip|lower upper|find rfind|split rsplit|partition rpartition"
    "|ceil floor"
)
_TWINS = {one: other for pair in _PAIRS.split("|") for a, b in [pair.split()] for one, other in ((a, b), (b, a))}
_WITHOUT_ARGUMENTS = ("lower", "upper", "lstrip", "rstrip")
_LONGEST_TEXT = 30
_WITH_VALUE = (ast.Return, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr)


def _counted(node: ast.AST) -> ast.Call | None:
    """The call in `text.split(sign, 1)[0]`: one part more or less is the same, as only the first is taken."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call)):
        return None
    ends = _FIRST_OF.get(name_of(node.value.func).rpartition(".")[2])
    return node.value if ends is not None and ast.unparse(node.slice) == ends else None


def _own_expressions(node: ast.stmt) -> Iterator[ast.expr]:
    """What a statement evaluates itself: no annotations, no decorators, no messages of exceptions."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from (default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None)
    elif isinstance(node, ast.If | ast.While):
        yield node.test
    elif isinstance(node, ast.For | ast.AsyncFor):
        yield node.iter
    elif isinstance(node, ast.With | ast.AsyncWith):
        yield from (item.context_expr for item in node.items)
    elif isinstance(node, ast.Match):
        yield node.subject
    elif (
        isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr) and node.value is not None
    ):
        yield node.value


def _condition(source: Source, node: ast.If | ast.While) -> Iterator[Fault]:
    if isinstance(node.test, ast.Constant):
        return
    if isinstance(node, ast.While):
        yield _replaced(source, LOOP, node.test, "False", "the loop never runs")
    elif not isinstance(node.test, ast.UnaryOp | ast.Compare | ast.BoolOp):
        yield _negated(source, node.test)
    if isinstance(node, ast.If) and isinstance(node.test, ast.Compare):
        yield from _clamped(source, node, node.test)


def _clamped(source: Source, node: ast.If, test: ast.Compare) -> Iterator[Fault]:
    """`if a > b: a = b` is the same with `>=`: here the comparison is turned round."""
    if len(node.body) == 1 and isinstance(node.body[0], ast.Assign) and len(test.ops) == 1:
        assigned = {ast.unparse(node.body[0].targets[0]), ast.unparse(node.body[0].value)}
        sign = _COMPARISONS[type(test.ops[0])][0]
        if sign in _OPPOSITES and assigned == {ast.unparse(test.left), ast.unparse(test.comparators[0])}:
            yield from _operator(source, test.left, test.comparators[0], (sign, _OPPOSITES[sign]), rank=COMPARISON - 1)


def _returned(source: Source, node: ast.Return) -> Iterator[Fault]:
    value = node.value
    if value is None or isinstance(value, ast.Constant) or name_of(value) == "NotImplemented":
        return
    yield _replaced(source, RETURNED, value, "None", f"`return {_short(source, value)}` became `return None`")


def _called(source: Source, node: ast.Expr) -> Iterator[Fault]:
    value = node.value.value if isinstance(node.value, ast.Await) else node.value
    if isinstance(value, ast.Call):
        yield _replaced(source, REMOVED, node, "pass", f"`{_short(source, node)}` was removed")
    elif isinstance(value, ast.Yield) and value.value is not None and not isinstance(value.value, ast.Constant):
        yield _replaced(
            source, RETURNED, value.value, "None", f"`yield {_short(source, value.value)}` became `yield None`"
        )


def _assigned(source: Source, node: ast.Assign | ast.AnnAssign) -> Iterator[Fault]:
    value = node.value
    if value is None or isinstance(value, ast.Constant | ast.JoinedStr):
        return
    if isinstance(value, ast.Call) and is_arid_call(value):
        return
    yield _replaced(source, ASSIGNED, value, "None", f"`{_short(source, value)}` became `None`")


def _compared(source: Source, node: ast.Compare) -> Iterator[Fault]:
    yield from _operator(source, node.left, node.comparators[0], _COMPARISONS[type(node.ops[0])], rank=COMPARISON)


def _negation(source: Source, node: ast.UnaryOp) -> Iterator[Fault]:
    if not isinstance(node.op, ast.Not | ast.USub) or isinstance(node.operand, ast.Constant):
        return
    sign = "not" if isinstance(node.op, ast.Not) else "-"
    start, end = source.start(node), source.start(node) + len(sign)
    rank = NEGATION if sign == "not" else ARITHMETIC
    yield Fault(rank, start, end, "", f"`{_short(source, node)}` lost its `{sign}`", node.lineno, node.lineno)


def _computed(source: Source, node: ast.BinOp) -> Iterator[Fault]:
    if not any(map(_is_text, (node.left, node.right))):
        yield from _operator(source, node.left, node.right, _ARITHMETIC_OF.get(type(node.op)))


def _joined(source: Source, node: ast.BoolOp) -> Iterator[Fault]:
    pair = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    yield from _operator(source, node.values[0], node.values[1], pair, rank=BOOLEAN)


def _chosen(source: Source, node: ast.IfExp) -> Iterator[Fault]:
    sides = {ast.unparse(node.body), ast.unparse(node.orelse)}
    test = node.test
    if isinstance(test, ast.Compare) and sides == {ast.unparse(test.left), ast.unparse(test.comparators[0])}:
        sign = _COMPARISONS[type(test.ops[0])][0]
        if sign in _OPPOSITES:  # a minimum or maximum: its boundary is the same on both sides
            pair = (sign, _OPPOSITES[sign])
            yield from _operator(source, test.left, test.comparators[0], pair, rank=COMPARISON - 1)
    elif not isinstance(test, ast.Compare | ast.UnaryOp):
        yield _negated(source, test)


def _filtered(source: Source, node: ast.comprehension) -> Iterator[Fault]:
    for test in node.ifs:
        if not isinstance(test, ast.Compare | ast.UnaryOp | ast.BoolOp):
            yield _negated(source, test)


def _swapped(source: Source, node: ast.Call) -> Iterator[Fault]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else name_of(node.func)
    twin = _TWINS.get(name)
    often_alike = name in ("split", "rsplit") and len(node.args) < 2
    if twin is None or often_alike or not (node.args or name in _WITHOUT_ARGUMENTS):
        return
    end = source.end(node.func)
    line = node.func.end_lineno or node.lineno
    yield Fault(CALLED, end - len(name), end, twin, f"`{name}` became `{twin}`", line, line)


def _constant(source: Source, node: ast.Constant) -> Iterator[Fault]:
    value = node.value
    if isinstance(value, bool):
        yield _replaced(source, CONSTANT, node, str(not value), f"`{value}` became `{not value}`")
    elif isinstance(value, int | float) and abs(value) < 1e15:
        yield _replaced(source, CONSTANT, node, repr(value + 1), f"`{_short(source, node)}` became `{value + 1}`")
    elif isinstance(value, str) and len(value) <= _LONGEST_TEXT and " " not in value.strip(" "):
        after = repr(f"XX{value}XX") if value else "'XX'"
        yield _replaced(source, TEXT, node, after, f"`{_short(source, node)}` became `{after}`")


_MAKERS: dict[type, Callable[[Source, Any], Iterator[Fault]]] = {
    ast.Compare: _compared,
    ast.UnaryOp: _negation,
    ast.BinOp: _computed,
    ast.BoolOp: _joined,
    ast.IfExp: _chosen,
    ast.comprehension: _filtered,
    ast.Call: _swapped,
    ast.Constant: _constant,
}


def _operator(
    source: Source,
    left: ast.expr,
    right: ast.expr,
    pair: tuple[str, str] | None,
    rank: int = ARITHMETIC,
    suffix: str = "",
) -> Iterator[Fault]:
    """The operator between two operands; it has no place of its own in the tree."""
    start, end = source.end(left), source.start(right)
    gap = source.text(start, end)
    if pair is None or "#" in gap:
        return
    sign = pair[0] if "\\s" in pair[0] else re.escape(pair[0])
    found = re.search(sign + re.escape(suffix), gap)
    if found is None:
        return
    at = start + len(gap[: found.start()].encode())
    line = (left.end_lineno or left.lineno) + gap[: found.start()].count("\n")
    said, after = found.group(), pair[1] + suffix
    yield Fault(rank, at, at + len(said.encode()), after, f"`{said}` became `{after}`", line, line)


def _negated(source: Source, node: ast.expr) -> Fault:
    inner = source.text(source.start(node), source.end(node))
    words = f"`{_short(source, node)}` became `not {_short(source, node)}`"
    return Fault(
        NEGATION,
        source.start(node),
        source.end(node),
        f"(not ({inner}))",
        words,
        node.lineno,
        node.end_lineno or node.lineno,
    )


def _replaced(source: Source, rank: int, node: ast.expr | ast.stmt, after: str, words: str) -> Fault:
    start, end = source.start(node), source.end(node)
    kept = after + "\n" * source.content.count(b"\n", start, end)
    return Fault(rank, start, end, kept, words, node.lineno, node.end_lineno or node.lineno)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _short(source: Source, node: ast.expr | ast.stmt) -> str:
    text = " ".join(source.text(source.start(node), source.end(node)).split())
    return text if len(text) <= 60 else text[:57] + "..."
