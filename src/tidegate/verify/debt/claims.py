"""Comments and docstrings that say what the changed code no longer does. Only what agreed before and does not now."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from tidegate.change.values import FileChange
from tidegate.verify.debt.complexity import FunctionNode, python_functions
from tidegate.verify.debt.source import Changed, Site, Source

RULE = "comment-contradicts"


def contradictions(one: Changed, file: FileChange) -> Iterator[Site]:
    """Docstrings that describe a parameter or a default that the change took away, and numbers beside a new value."""
    yield from _docstrings(one)
    yield from _numbers(one, file)


# Private

_DEFAULT = r"(?i)default(?:s to|:| is|=)?\s*(?:to\s+)?[`'\"]*(-?\w[\w.]*)"


def _docstrings(one: Changed) -> Iterator[Site]:
    if one.before.python is None or one.after.python is None:
        return
    before = dict(python_functions(one.before))
    for name, node in python_functions(one.after):
        span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        old = before.get(name)
        text = ast.get_docstring(node, clean=False)
        if old is None or not text or not any(line in one.added for line in span):
            continue
        yield from _parameters(name, (old, node), text)
        yield from _defaults(one.after, name, (old, node), text)


def _parameters(name: str, sides: tuple[FunctionNode, FunctionNode], text: str) -> Iterator[Site]:
    old, new = (_arguments(side) for side in sides)
    if sides[1].args.kwarg is not None:
        return
    for parameter in old.keys() - new.keys():
        line = _documented(sides[1], text, parameter)
        if line:
            message = f"the docstring of {name} still describes the parameter {parameter}, which the change takes away"
            yield Site(
                RULE, "low", line, f"claim {name} {parameter}", message, "describe the parameters that there are"
            )


def _defaults(source: Source, name: str, sides: tuple[FunctionNode, FunctionNode], text: str) -> Iterator[Site]:
    old, new = (_arguments(side) for side in sides)
    for parameter in sorted(old.keys() & new.keys()):
        was, now = old[parameter], new[parameter]
        if was is None or now is None or was == now or parameter in ("self", "cls"):
            continue
        line = _documented(sides[1], text, parameter)
        said = re.findall(_DEFAULT, _paragraph(source, line)) if line else []
        if any(_same(one, was) for one in said) and not any(_same(one, now) for one in said):
            message = f"the docstring of {name} gives {was} as the default of {parameter}, which is {now} now"
            yield Site(RULE, "low", line, f"claim {name} {parameter}", message, f"write {now}")


def _arguments(node: FunctionNode) -> dict[str, str | None]:
    """The parameters of a function with their defaults as source where those are plain constants."""
    found: dict[str, str | None] = {}
    plain = [*node.args.posonlyargs, *node.args.args]
    padded = [None] * (len(plain) - len(node.args.defaults)) + list(node.args.defaults)
    for argument, default in (
        *zip(plain, padded, strict=True),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ):
        found[argument.arg] = ast.unparse(default) if isinstance(default, ast.Constant) else None
    return found


def _documented(node: FunctionNode, text: str, parameter: str) -> int:
    """The line where a docstring describes a parameter (Sphinx, Google, NumPy), 0 where it does not."""
    name = re.escape(parameter)
    pattern = rf"^[ \t]*(?::param(?:eter)?(?: [\w\[\], .|]+)? {name}:|{name}\s*(?:\([^)\n]*\))?\s*:(?!:)\s*\S)"
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        return 0
    body = node.body[0]
    return body.lineno + text.count("\n", 0, match.start())


def _paragraph(source: Source, line: int) -> str:
    """The description of one parameter: its line and the deeper ones that follow."""
    first = source.line(line)
    depth = len(first) - len(first.lstrip())
    rest = takewhile(
        lambda text: text.strip() and len(text) - len(text.lstrip()) > depth, source.lines[line : line + 12]
    )
    return " ".join((first, *rest))


def _same(said: str, value: str) -> bool:
    return said.strip("`'\".,)") == value.strip("'\"")


_VALUE = re.compile(
    r"^\s*([A-Za-z_][\w.\[\]\"']*)\s*(?::[^=]*)?(?::=|=|:)\s*(-?\d[\d_]*(?:\.\d+)?)\s*[,;]?\s*((?:#|//).*)?$"
)
_MARK = re.compile(r"^\s*(?:#|//|\*)")


def _numbers(one: Changed, file: FileChange) -> Iterator[Site]:
    """A value that changed while the comment beside or above it still names the old one."""
    for hunk in file.hunks:
        removed = _values(hunk.removed)
        for offset, raw in enumerate(hunk.added):
            number = hunk.new_start + offset
            match = _VALUE.match(raw[:500].decode("utf-8", "replace"))
            if match is None or removed.get(match[1], match[2]) == match[2]:
                continue
            was, now = removed[match[1]], match[2]
            if abs(float(was)) >= 3 and _says(one.after, number, match[3] or "", (was, now)):
                message = f"the comment says {was} and {match[1]} is {now} now"
                yield Site(RULE, "low", number, f"claim {match[1]} {now}", message, "change the comment with the value")


def _values(lines: Sequence[bytes]) -> dict[str, str]:
    found = (_VALUE.match(line[:500].decode("utf-8", "replace")) for line in lines)
    return {match[1]: match[2] for match in found if match is not None}


def _says(source: Source, number: int, beside: str, values: tuple[str, str]) -> bool:
    above = " ".join(takewhile(_MARK.match, (source.line(number - 1), source.line(number - 2))))
    said = f"{above} {beside}"
    was, now = (re.search(rf"(?<![\w.#/-]){re.escape(value)}(?![\w./-]\d|\d)", said) for value in values)
    return was is not None and now is None
