"""Tests of mocha, jest, vitest, node:test, tap, QUnit, Deno: each is a definition named by its titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.reach.languages.ecma.assignments import Assignments
from tidegate.reach.languages.ecma.state import FUNCTIONS, Scope

if TYPE_CHECKING:
    from tree_sitter import Node

_SUITES = frozenset(["describe", "context", "suite", "xdescribe", "fdescribe", "QUnit.module", "test.describe"])
_TESTS = frozenset(
    ["it", "test", "specify", "xit", "fit", "xtest", "t.test", "Deno.test", "QUnit.test", "tap.test", "suite.test"]
)
_HOOKS = frozenset(
    [
        "beforeEach",
        "afterEach",
        "beforeAll",
        "afterAll",
        "before",
        "after",
        "setup",
        "teardown",
        "test.beforeEach",
        "test.afterEach",
        "test.before",
        "test.after",
        "t.beforeEach",
        "t.afterEach",
        "t.before",
        "t.after",
        "test.beforeAll",
        "test.afterAll",
    ]
)
_VARIANTS = frozenset(
    [
        "only",
        "skip",
        "each",
        "concurrent",
        "todo",
        "fails",
        "failing",
        "sequential",
        "serial",
        "parallel",
        "for",
        "extend",
        "skipIf",
        "runIf",
        "if",
    ]
)
_MARKS = str.maketrans(".()[]!*|<%?", "___________")
_TITLE_LIMIT = 300


class Testing(Assignments):
    """Reads the calls of test runners."""

    def test_call(self, chain: str, parts: list[Node], scope: Scope) -> bool:
        """Reads a suite, a test or a hook; False where the call is something else."""
        name = chain
        while True:
            name = name.removesuffix("()")
            before, _, last = name.rpartition(".")
            if not before or last not in _VARIANTS:
                break
            name = before
        suite, test, hook = name in _SUITES, name in _TESTS, name in _HOOKS
        if not (suite or test or hook):
            return False
        node = parts[0].parent or parts[0]
        parts = self.parts(parts[-1])
        body = next((part for part in reversed(parts) if self.kinds[part.kind_id] in FUNCTIONS), None)
        if hook and body is not None:
            self._hook(name.rpartition(".")[2], body, scope, node)
            return True
        if not parts or parts[0] is body or (body is None and not (test and len(parts) > 1)):
            return False
        title = self._title(parts[0])
        if suite and body is not None:
            self._suite(title, body, scope)
            return True
        if suite or (body is None and self.kinds[parts[0].kind_id] not in ("string", "template_string")):
            return False
        self._test(title, node, body, parts, scope)
        return True

    def _title(self, node: Node) -> str:
        kind = self.kinds[node.kind_id]
        if kind == "string":
            return self.text(node)[1:-1].replace("\\'", "'").replace('\\"', '"')[:_TITLE_LIMIT]
        if kind == "template_string":
            return self.template_text(node)[:_TITLE_LIMIT]
        return self.text(node)[:_TITLE_LIMIT] if kind in ("identifier", "member_expression") else "{}"

    def _titles(self, suite: int, title: str) -> str:
        path = [title]
        while suite > 0:
            suite, outer = self.suites[suite]
            path.append(outer)
        return " > ".join(reversed(path))

    def _suite(self, title: str, body: Node, scope: Scope) -> None:
        inner = scope.inside()
        inner.suite = len(self.suites)
        self.suites.append((scope.suite, title))
        self._loose_parameters(body, inner)
        self._body(body, inner)

    def _test(self, title: str, node: Node, body: Node | None, parts: list[Node], scope: Scope) -> None:
        titles = self._titles(scope.suite, title)
        index = self.define(titles, "function", scope.index, node, body)
        draft = self.drafts[index]
        if "test" in self.drafts[scope.index].flags:
            draft.name = titles
        draft.flags.append("test")
        draft.hidden = False
        self.tests.append((index, scope.suite))
        inner = Scope(index, "?", -1, len(self.suites))
        self.suites.append((scope.suite, title))
        for part in parts[1:]:
            if body is None or part.id != body.id:
                self._given(part, inner)
        if body is not None:
            self.read_function(index, body, "?", -1, inner)

    def _given(self, part: Node, inner: Scope) -> None:
        """What a test is given besides its function: options, or a function made elsewhere, which it calls."""
        if self.kinds[part.kind_id] in ("identifier", "member_expression"):
            self.refer(inner.index, "call", self.chain(part, inner, ""), part)
        else:
            self.argument(part, inner, "")

    def _hook(self, name: str, body: Node, scope: Scope, node: Node) -> None:
        suite = self._titles(*self.suites[scope.suite]) if scope.suite else "file"
        title = f"{suite.translate(_MARKS)} > {name}"
        index = self.define(title, "function", scope.index, node, body)
        self.hooks.append((scope.suite, title))
        self.read_function(index, body, "?", -1, Scope(index, "?", -1, scope.suite))

    def link_hooks(self) -> None:
        """A test calls every hook of the suites around it."""
        by_suite: dict[int, list[str]] = {}
        for suite, title in self.hooks:
            by_suite.setdefault(suite, []).append(title)
        if not by_suite:
            return
        for index, suite in self.tests:
            titles: list[str] = []
            while suite >= 0:
                titles.extend(by_suite.get(suite, ()))
                suite = self.suites[suite][0]
            for title in dict.fromkeys(titles):
                self.raw.append((index, "call", title, self.drafts[index].line, ()))
