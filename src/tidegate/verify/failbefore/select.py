"""Which tests a change adds or changes, read from their text: a test that was only moved or reformatted is not one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct

from tidegate.change.python_source import parse_python
from tidegate.change.trees import Pair, Tree, Trees
from tidegate.change.values import Change
from tidegate.verify.failbefore.values import Selected, TestName

_MOST_READ = 50
_MOST_INDIRECT = 200
_TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_tests?|tests)\.py$")


class Selection(Struct, frozen=True):
    """The changed tests, and what the change holds of tests that no test function could be found for."""

    tests: tuple[Selected, ...]
    others: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(sorted({selected.test.path for selected in self.tests}))


def select_python(change: Change, trees: Trees) -> Selection:
    """The Python tests whose text the change adds or changes, and those that use a helper that it changes.

    A changed test is one whose syntax differs, comments, annotations and docstrings left out. Where nothing smaller
    can be told (the file cannot be parsed, or only its imports changed), the whole file is selected under the name "".
    """
    pairs = [pair for file, pair in _test_files(change, trees) if file.endswith(".py") and pair.after]
    old = trees.before.read(pair.before for pair in pairs if pair.before)
    gone = trees.before.read(
        p.before for f, p in _test_files(change, trees) if p.before.endswith(".py") and not p.after
    )
    new = trees.after.read(pair.after for pair in pairs)
    forms: _Forms = {}
    before = {path: _parsed(content, forms) for path, content in {**old, **gone}.items()}
    moved = {key for parsed in before.values() if parsed for key in parsed.texts()}
    found: dict[TestName, Selected] = {}
    helpers: list[tuple[str, frozenset[str]]] = []
    for pair in pairs:
        if pair.after not in new:
            continue
        head, base = _parsed(new[pair.after], forms), before.get(pair.before)
        if head is None or (pair.before and base is None):
            found[TestName(pair.after, "")] = Selected(TestName(pair.after, ""), 0, direct=not pair.before)
            continue
        for selected in _changed_tests(pair.after, head, base, moved):
            found.setdefault(selected.test, selected)
        if not head.tests and (names := head.changed_helpers(base)):
            helpers.append((pair.after, names))
    for selected in _users(helpers, trees.after):
        found.setdefault(selected.test, selected)
    others = tuple(file for file, pair in _test_files(change, trees) if pair.after and not file.endswith(".py"))
    return Selection(tuple(sorted(found.values(), key=lambda one: one.test)), others)


# Private

_Forms: TypeAlias = dict[bytes, tuple[str, frozenset[str]]]
"""The normal form of a function and the names that it uses, by its text: most are the same in both trees."""


class _Piece(Struct, frozen=True):
    """A definition at the top of a module or a class: where it is, its normal form, and the names that it uses."""

    name: str
    line: int
    text: str
    uses: frozenset[str]
    owner: str = ""


class _File(Struct, frozen=True):
    """A test file in pieces: tests by name, helpers by name, and the rest (imports, calls) as one text."""

    tests: Mapping[str, _Piece]
    helpers: Mapping[str, _Piece]
    rest: str

    def texts(self) -> Iterator[tuple[str, str]]:
        for piece in self.tests.values():
            yield piece.name.rpartition(".")[2], piece.text

    def changed_helpers(self, base: _File | None) -> frozenset[str]:
        """The helpers that differ from the base, with those that use them."""
        old = base.helpers if base is not None else {}
        changed = {name for name, piece in self.helpers.items() if name not in old or old[name].text != piece.text}
        while True:
            more = {name for name, piece in self.helpers.items() if name not in changed and piece.uses & changed}
            if not more:
                return frozenset(changed)
            changed |= more


def _test_files(change: Change, trees: Trees) -> list[tuple[str, Pair]]:
    by_path = {pair.path: pair for pair in trees.changed}
    found = []
    for file in change.files:
        path = file.path.decode("utf-8", "surrogateescape")
        if file.kind == "test" and path in by_path:
            found.append((path, by_path[path]))
    return found


def _changed_tests(path: str, head: _File, base: _File | None, moved: set[tuple[str, str]]) -> list[Selected]:
    old = base.tests if base is not None else {}
    helpers = head.changed_helpers(base)
    found = []
    for name, piece in head.tests.items():
        same = name in old and old[name].text == piece.text
        if not same and (name.rpartition(".")[2], piece.text) not in moved:
            found.append(Selected(TestName(path, name), piece.line))
        elif base is not None and (piece.uses | {piece.owner}) & helpers:
            found.append(Selected(TestName(path, name), piece.line, direct=False))
    if not found and base is not None and head.tests and head.rest != base.rest:
        found.append(Selected(TestName(path, ""), 0, direct=False))
    return found


def _users(helpers: Sequence[tuple[str, frozenset[str]]], tree: Tree) -> Iterator[Selected]:
    """Tests in the folders of changed helper files (and, of a conftest, below) that name what was changed there."""
    if not helpers:
        return
    listed = [path for path in tree.paths() if _TEST_FILE.search(path)]
    told = 0
    for helper, names in helpers:
        folder, _, file = helper.rpartition("/")
        lead = f"{folder}/" if folder else ""
        below = [path for path in listed if path.startswith(lead)]
        near = below if file == "conftest.py" else [path for path in below if "/" not in path[len(lead) :]]
        word = re.compile(rb"\b(" + b"|".join(sorted(re.escape(name.encode()) for name in names)) + rb")\b")
        stem = file.removesuffix(".py").encode()
        for path, content in sorted(tree.read(near[:_MOST_READ]).items()):
            if not word.search(content) or not (stem == b"conftest" or stem in content):
                continue
            parsed = _parsed(content, {})
            for name, piece in (parsed.tests if parsed else {}).items():
                if piece.uses & names and told < _MOST_INDIRECT:
                    told += 1
                    yield Selected(TestName(path, name), piece.line, direct=False)


def _parsed(content: bytes, forms: _Forms) -> _File | None:
    try:
        return _Reading(content, forms).read()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Reading:
    """One file, taken to pieces."""

    def __init__(self, content: bytes, forms: _Forms) -> None:
        self._module = parse_python(content)
        self._lines = content.splitlines()
        self._forms = forms
        self._tests: dict[str, _Piece] = {}
        self._helpers: dict[str, _Piece] = {}

    def read(self) -> _File:
        rest: list[str] = []
        for statement in self._module.body:
            if isinstance(statement, ast.ClassDef) and _holds_tests(statement):
                self._take_class(statement, "")
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name.startswith("test"):
                self._tests[statement.name] = self._function(statement, statement.name)
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._helpers[statement.name] = self._function(statement, statement.name)
            else:
                self._take_other(statement, rest)
        return _File(self._tests, self._helpers, "\n".join(rest))

    def _take_other(self, statement: ast.stmt, rest: list[str]) -> None:
        normal = _Normal().visit(statement)
        if normal is None:
            return
        names = _defined(normal)
        form, uses = _form(normal)
        for name in names:
            self._helpers[name] = _Piece(name, normal.lineno, form, uses)
        if not names:
            rest.append(form)

    def _take_class(self, node: ast.ClassDef, lead: str) -> None:
        """The tests of a class; its bases, decorators and other members are one helper that all of them use."""
        name = f"{lead}{node.name}"
        others: list[ast.stmt] = []
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name.startswith("test"):
                full = f"{name}.{statement.name}"
                self._tests[full] = self._function(statement, full, owner=f"class {name}")
            elif isinstance(statement, ast.ClassDef) and _holds_tests(statement):
                self._take_class(statement, f"{name}.")
            elif not _is_text(statement):
                others.append(statement)
        shell = ast.ClassDef(
            name=node.name,
            bases=node.bases,
            keywords=node.keywords,
            body=others or [ast.Pass()],
            decorator_list=node.decorator_list,
        )
        form, uses = _form(_Normal().visit(ast.copy_location(shell, node)))
        self._helpers[f"class {name}"] = _Piece(f"class {name}", node.lineno, form, uses)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, owner: str = "") -> _Piece:
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        text = b"\n".join(self._lines[first - 1 : node.end_lineno])
        if text not in self._forms:
            self._forms[text] = _form(_Normal().visit(node))
        return _Piece(name, node.lineno, *self._forms[text], owner)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _holds_tests(node: ast.ClassDef) -> bool:
    return any(
        (isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and inner.name.startswith("test"))
        or (isinstance(inner, ast.ClassDef) and _holds_tests(inner))
        for inner in node.body
    )


def _defined(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return (statement.name,)
    targets: Iterable[ast.expr] = ()
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign):
        targets = (statement.target,)
    return tuple(inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name))


def _form(node: ast.AST) -> tuple[str, frozenset[str]]:
    """The normal form of a statement, and the names that it uses."""
    uses: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            uses.add(inner.id)
        elif isinstance(inner, ast.arg):
            uses.add(inner.arg)
        elif isinstance(inner, ast.Attribute):
            uses.add(inner.attr)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and inner.value.isidentifier():
            uses.add(inner.value)
    return ast.dump(node), frozenset(uses)


class _Normal(ast.NodeTransformer):
    """Takes away what does not run: annotations and docstrings."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._without_docstring(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._without_docstring(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign(targets=[node.target], value=self.visit(node.value)), node)

    def _without_docstring(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body = [*node.body[1:], *([] if node.body[1:] else [ast.Pass()])]
        return self.generic_visit(node)
