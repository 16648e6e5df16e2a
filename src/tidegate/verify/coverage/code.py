"""Which lines of a file can be executed at all, by a cheap rule: Python by its syntax tree, others by their words.

The rule is asked where no report speaks of a file, and to tell that a report is of another version of it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from msgspec import Struct

_SLASHES = frozenset(
    "C C# C++ CUDA D Dart Go Groovy Java JavaScript Kotlin Objective-C PHP Rust Scala Solidity Swift TypeScript Apex "
    "Move SystemVerilog V GLSL Vue Svelte".split()
)
_HASHES = frozenset(
    "CoffeeScript Crystal Elixir Julia Nim Nix PHP Perl PowerShell Puppet Python R Ruby Shell Starlark Tcl".split()
)
_DASHES = frozenset("Ada Elm Haskell Lua SQL VHDL".split())
_OTHERS = frozenset({*"Assembly COBOL Clojure Erlang F# Fortran Lisp OCaml Pascal Zig".split(), "Visual Basic"})
LANGUAGES = _SLASHES | _HASHES | _DASHES | _OTHERS
"""Languages whose files hold lines that are executed."""

EXACT = frozenset({"C#", "Java", "PHP", "Ruby"})
"""Languages whose coverage tools speak of lines with code only; others speak of blank lines too."""

_SLASH_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`(?:\\.|[^`\\])*`|//|/\*')
_IDLE = re.compile(
    r"(?:import|package|using|use|#\s*include|#\s*pragma|include|extern crate|namespace|module|export \* from|end|else|"
    r"try|do|begin|then|fi|done|esac|default\s*:|public:|private:|protected:)\b[^=()]*$"
)
_EXCLUDED = re.compile(r"#\s*pragma[: ]\s*no\s*cover", re.IGNORECASE)
_SILENT_TESTS = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"})


class Code(Struct, frozen=True):
    """The lines of a file. `starts` begin what is executed, `spans` are all lines of it, `length` is their number.

    `written` are the lines that hold more than white space and a comment. `sure` are starts that every coverage tool
    counts unless it was told not to; `possible` are the lines that a report of this very text may speak of, None where
    that cannot be told.
    """

    length: int
    starts: frozenset[int]
    spans: frozenset[int]
    written: frozenset[int]
    sure: frozenset[int] = frozenset()
    possible: frozenset[int] | None = None


def read_code(content: bytes, language: str) -> Code:
    """The lines of this file that can be executed. A file that cannot be parsed is read by its words."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    length = len(lines) - (not lines[-1])
    if language == "Python":
        found = _python(text, lines, length)
        if found is not None:
            return found
    if language and language not in LANGUAGES:
        return Code(length, frozenset(), frozenset(), frozenset(n for n, line in enumerate(lines, 1) if line.strip()))
    plain = frozenset(_plain_lines(lines, language))
    sure = frozenset(n for n in plain if re.match(r"\s*(?:return|throw|raise)\b", lines[n - 1]))
    filled = frozenset(n for n in plain if not _IDLE.match(lines[n - 1].strip()))
    written = _written(lines)
    return Code(length, filled, filled, written, sure, written if language in EXACT else None)


# Private


def _python(text: str, lines: list[str], length: int) -> Code | None:
    """The statements of a Python file; None where it is no Python of this version."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    starts: set[int] = set()
    spans: set[int] = set()
    sure: set[int] = set()
    possible: set[int] = set()
    left_out = _left_out(tree, lines)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if line:
            possible.add(line)
        if not isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)) or _idle(node):
            continue
        first, last = _own_lines(node)
        starts.add(first)
        spans.update(range(first, last + 1))
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.Return, ast.Raise, ast.Expr, ast.Assert, ast.Delete)):
            sure.add(first)
    possible |= spans
    known = [frozenset(found) for found in (starts, spans, possible, sure - left_out, possible)]
    return Code(length, *known)


def _own_lines(node: ast.stmt | ast.ExceptHandler | ast.match_case) -> tuple[int, int]:
    """The first and last line of a statement without the statements inside it."""
    first = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
    decorators = getattr(node, "decorator_list", ())
    first = min([first, *(decorator.lineno for decorator in decorators)])
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if isinstance(body, list) and body:
        inner = body[0]
        below = inner.pattern.lineno if isinstance(inner, ast.match_case) else inner.lineno
        return first, max(first, below - 1)
    return first, getattr(node, "end_lineno", None) or first


def _idle(node: ast.AST) -> bool:
    """Whether nothing is executed: texts that stand alone, `...`, and words for the compiler."""
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _left_out(tree: ast.Module, lines: list[str]) -> set[int]:
    """Lines that coverage tools are commonly told to leave out: marked ones, types only, abstract and main."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, (ast.stmt, ast.ExceptHandler)):
            continue
        first, last = _own_lines(node)
        marked = any(_EXCLUDED.search(line) for line in lines[first - 1 : last])
        if marked or _silent(node):
            found.update(range(first, (getattr(node, "end_lineno", None) or last) + 1))
        for name in ("body", "orelse", "finalbody"):
            found.update(_unreachable(getattr(node, name, [])))
    return found


def _unreachable(body: list[ast.stmt]) -> Iterator[int]:
    """The lines after a statement that never goes on: the compiler leaves them out."""
    for at, statement in enumerate(body[:-1]):
        if isinstance(statement, (ast.Return, ast.Raise, ast.Continue, ast.Break)):
            yield from range(body[at + 1].lineno, (body[-1].end_lineno or body[-1].lineno) + 1)
            return


def _silent(node: ast.AST) -> bool:
    if isinstance(node, (ast.If, ast.While)):
        return isinstance(node.test, ast.Constant) or ast.unparse(node.test) in _SILENT_TESTS
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        names = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
        return bool(names & {"overload", "abstractmethod"}) or node.name == "__repr__"
    if isinstance(node, ast.Raise) and node.exc is not None:
        return ast.unparse(node.exc).startswith("NotImplementedError")
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases)


def _written(lines: list[str]) -> frozenset[int]:
    """The lines with anything but white space and line comments."""
    return frozenset(
        number for number, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith(("//", "#"))
    )


def _plain_lines(lines: list[str], language: str) -> Iterator[int]:
    """The numbers of the lines with a word outside comments."""
    slashes = language in _SLASHES
    mark = "#" if language in _HASHES else "--" if language in _DASHES else ""
    opened = 0
    held: list[int] = []
    for number, line in enumerate(lines, 1):
        if len(line) > 1 << 16:
            yield number
            continue
        rest = line
        if opened:
            _, closed, rest = line.partition("*/")
            if not closed:
                held.append(number)
                continue
            opened, held = 0, []
        if slashes:
            rest, still_open = _without_comments(rest)
            opened = number if still_open else 0
        if mark and rest.lstrip().startswith(mark):
            continue
        if re.search(r"\w", rest):
            yield number
    # A comment that never ends is none: its opening was part of something else.
    yield from (number for number in held if re.search(r"\w", lines[number - 1]))


def _without_comments(line: str) -> tuple[str, bool]:
    """The line without comments, and whether a comment is open at its end."""
    kept, at = "", 0
    while found := _SLASH_TOKEN.search(line, at):
        word = found.group()
        if word == "//":
            return kept + line[at : found.start()], False
        if word == "/*":
            kept += line[at : found.start()]
            close = line.find("*/", found.end())
            if close < 0:
                return kept, True
            at = close + 2
        else:
            kept += line[at : found.end()]
            at = found.end()
    return kept + line[at:], False
