"""Holes in the types of a code base that has types."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tidegate.verify.debt.source import Site, Source

RULE = "type-hole"
TYPED = 0.8


def type_holes(source: Source) -> Iterator[Site]:
    """Where types are told to look away: `Any` or `any` in a signature, a check that is switched off."""
    if source.language == "TypeScript" and not source.path.endswith(".d.ts"):
        yield from _lines(source, _ECMA)
    elif source.language == "Python":
        if b"type: ignore" in source.content or b"pyright: ignore" in source.content:
            yield from _lines(source, _PYTHON)
        if b"Any" in source.content and _is_typed(source):
            yield from _signatures(source)


# Private

_PYTHON = re.compile(r"#\s*(type: ignore|pyright: ignore)(?!\[)")
_ECMA = re.compile(r"(@ts-ignore|@ts-nocheck)|(?:(?<=\w)\??|\)): (any)(?=[\s,;)=]|$)|\bas (any)\b(?![\w'])")
_MEND = "say the type that is meant, or why it cannot be said"


def _site(line: int, text: str, what: str) -> Site:
    return Site(RULE, "note", line, f"type {' '.join(text.split())}", f"{what}: types are not checked here", _MEND)


def _lines(source: Source, pattern: re.Pattern[str]) -> Iterator[Site]:
    for number, line in enumerate(source.lines, 1):
        match = pattern.search(line[:1_000])
        if match is None:
            continue
        code = line.partition("//")[0]
        marked = match[1] is not None
        prose = not marked and (match.start() > len(code) or code.lstrip().startswith(("*", "/*")))
        if not prose and not (marked and _reasoned(match, line)):
            yield _site(number, line, f"`{next(filter(None, match.groups()))}`")


def _reasoned(match: re.Match[str], line: str) -> bool:
    """Whether the words after the mark give a reason."""
    rest = re.sub(r"^[\[\](\w, :)-]*?\]", "", line[match.end() :])
    return len(re.findall(r"[A-Za-z]{3,}", rest)) >= 3


def _is_typed(source: Source) -> bool:
    functions = list(source.functions)
    typed = sum(1 for node in functions if node.returns is not None)
    return len(functions) >= 3 and typed / len(functions) >= TYPED


def _signatures(source: Source) -> Iterator[Site]:
    for node in source.functions:
        if _any(node.returns) and not node.decorator_list and not node.name.startswith("__"):
            inner = isinstance(source.parents.get(node), ast.FunctionDef | ast.AsyncFunctionDef)
            if not inner:
                yield _site(node.lineno, f"{node.name} return", f"{node.name} returns Any")


def _any(node: ast.expr | None) -> bool:
    return (isinstance(node, ast.Name) and node.id == "Any") or (
        isinstance(node, ast.Attribute) and node.attr == "Any" and getattr(node.value, "id", "") in ("typing", "t")
    )
