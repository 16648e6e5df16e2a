"""A changed file as the readers of debt see it, and what stands at a place in it."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from msgspec import Struct

from tidegate.change.python_source import parse_python
from tidegate.facts import Finding, Place, Severity

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

LARGEST_BYTES = 800_000
"""Larger files are tables or generated; what stands in them is not judged."""


LONGEST_LINE = 1_000
"""Nobody writes longer ones by hand."""


class Site(Struct, frozen=True):
    """Something at a line that costs later. `key` is the same wherever the same thing stands, however indented."""

    rule: str
    severity: Severity
    line: int
    key: str
    message: str
    mend: str


class Source:
    """The text of a file at one side. Parsed at the first question; a file that cannot be parsed has no tree."""

    def __init__(self, path: str, language: str, content: bytes) -> None:
        self.path = path
        self.language = language
        self.content = content if len(content) <= LARGEST_BYTES and b"\0" not in content else b""

    @cached_property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @cached_property
    def lines(self) -> list[str]:
        """The lines as git counts them."""
        return self.text.split("\n")

    def line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    @cached_property
    def python(self) -> ast.Module | None:
        """The tree of a Python file, None for another language and for what Python cannot read."""
        if self.language != "Python" or not self.path.endswith(".py"):
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return parse_python(self.content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def of(self, *kinds: type[_Kind]) -> Iterator[_Kind]:
        """The nodes of these kinds of the Python tree."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    @property
    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function of the Python tree, methods and inner ones too."""
        yield from self.of(ast.FunctionDef)
        yield from self.of(ast.AsyncFunctionDef)

    def children(self, node: ast.AST) -> Sequence[ast.AST]:
        """The nodes directly below one of the Python tree, without what `_children` leaves out."""
        return self._below.get(node, ())

    def walk(self, node: ast.AST) -> Iterator[ast.AST]:
        """What `ast.walk` says of a node of the Python tree, without what `_children` leaves out."""
        todo = [node]
        for one in todo:
            yield one
            todo += self.children(one)

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node around every node of the Python tree."""
        return {child: node for node, children in self._below.items() for child in children}

    @cached_property
    def _below(self) -> dict[ast.AST, list[ast.AST]]:
        """The nodes below every node of the Python tree that has any, from the top down."""
        found: dict[ast.AST, list[ast.AST]] = {}
        todo: list[ast.AST] = [self.python] if self.python is not None else []
        for node in todo:
            children = _children(node)
            if children:
                found[node] = children
                todo += children
        return found

    @cached_property
    def _by_kind(self) -> dict[type[ast.AST], list[Any]]:
        found: dict[type[ast.AST], list[Any]] = {}
        for node in self.walk(self.python) if self.python is not None else ():
            found.setdefault(type(node), []).append(node)
        return found

    def count(self, word: str) -> int:
        """How often a word stands in the file, in code, texts and comments alike."""
        often = self.text.count(word)
        if often < 2:
            return often
        if _WORD.fullmatch(word):
            return self._words[word]
        return len(re.findall(rf"\b{re.escape(word)}\b", self.text))

    @cached_property
    def _words(self) -> Counter[str]:
        return Counter(_WORD.findall(self.text))

    @cached_property
    def root(self) -> Node | None:
        """The tree-sitter tree of a file in another language, None where there is no grammar or far too many errors."""
        grammar = grammar_of(self.language, self.path)
        if grammar is None or not self.content:
            return None
        return _parser(*grammar).parse(self.content).root_node


class Changed(Struct, frozen=True):
    """A changed file of source with both sides and the numbers of its added lines at the head."""

    before: Source
    after: Source
    added: frozenset[int]


Reader: TypeAlias = Callable[[Source], Iterable[Site]]
"""Finds every site of some kind in a file, wherever it stands."""


def introduced(files: Sequence[Changed], reader: Reader) -> Iterator[tuple[Source, Site]]:
    """The sites on added lines that no changed file had before: what a change moves or indents is not its doing."""
    found = [(one, list(reader(one.after))) for one in files if one.added]
    fresh = [
        (one.after, site)
        for one, sites in found
        for site in sites
        if site.line in one.added and len(one.after.line(site.line)) < LONGEST_LINE
    ]
    if not fresh:
        return
    found += [(one, list(reader(one.after))) for one in files if not one.added]
    kept = Counter(site.key for one, sites in found for site in sites if site.line not in one.added)
    known = Counter(site.key for one in files for site in reader(one.before))
    known.subtract(kept)
    for source, site in fresh:
        if known[site.key] > 0:
            known[site.key] -= 1
        else:
            yield source, site


def finding(source: Source, site: Site) -> Finding:
    """A site in the words that people read."""
    path = source.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return Finding(site.rule, site.severity, site.message, Place(path, site.line), site.mend)


def grammar_of(language: str, path: str) -> tuple[str, str] | None:
    """The wheel and the function in it that parse a file, None where there is none."""
    if language == "TypeScript":
        return "tree_sitter_typescript", "language_tsx" if path.endswith("x") else "language_typescript"
    return _GRAMMARS.get(language)


# Private

_WORD = re.compile(r"\w+")
_Kind = TypeVar("_Kind", bound=ast.AST)


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly below one, without what only says how a name is used or which operator stands there."""
    found: list[ast.AST] = []
    for name in node._fields:
        value: Any = getattr(node, name, None)
        kind = type(value)
        if kind is list:
            found += [one for one in value if isinstance(one, ast.AST)]
        elif kind not in _PLAIN and isinstance(value, ast.AST) and not isinstance(value, _LEFT_OUT):
            found.append(value)
    return found


_LEFT_OUT = (ast.expr_context, ast.operator)
_PLAIN = frozenset((type(None), str, int, ast.Load, ast.Store))
"""What stands below a node most often and is none; asked for first."""


_GRAMMARS = {
    "JavaScript": ("tree_sitter_javascript", "language"),
    "Go": ("tree_sitter_go", "language"),
    "Java": ("tree_sitter_java", "language"),
    "Ruby": ("tree_sitter_ruby", "language"),
    "Rust": ("tree_sitter_rust", "language"),
}


@cache
def _parser(module: str, function: str) -> Parser:
    from tree_sitter import Language, Parser

    return Parser(Language(getattr(import_module(module), function)()))
