"""What those who import a Go module or a TypeScript package lose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repos import Repo
from tests.verify.changes import subject_of
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.settings import Settings
from tidegate.verify.contracts.check import check
from tidegate.verify.values import Part, Subject


def _found(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str]]:
    part = check(subject_of(before, after))
    assert not part.unknowns, part.unknowns
    return [(one.severity, one.message.partition(", ")[2].removesuffix(".")) for one in part.findings]


# Go

MODULE = {"go.mod": "module example.com/shop\n\ngo 1.22\n"}


def _go(before: str, after: str, path: str = "cart/cart.go") -> list[tuple[str, str]]:
    head = "package cart\n\n"
    return _found({**MODULE, path: head + before}, {**MODULE, path: head + after})


GO_LOST = {
    "func": ("func F() {}", "", "high", "the package `cart` is gone"),
    "one of two": ("func F() {}\nfunc G() {}", "func G() {}", "high", "the func `F` is gone"),
    "deprecated": ("// F does.\n//\n// Deprecated: use G.\nfunc F() {}", "func G() {}", "low", "as was announced"),
    "const": ("const (\n\tA = 1\n\tB = 2\n)", "const (\n\tB = 2\n)", "medium", "the const `A` is gone"),
    "method": ("type T struct{}\nfunc (t *T) M() {}", "type T struct{}", "high", "the method `T.M` is gone"),
    "field": ("type T struct {\n\tA, B int\n}", "type T struct {\n\tA int\n}", "high", "the field `T.B` is gone"),
    "field type": (
        "type T struct {\n\tA int\n}",
        "type T struct {\n\tA string\n}",
        "medium",
        "was `int` and is `string`",
    ),
    "kind": ("type T string", "type T struct{}", "high", "the type `T` was string and is struct now"),
    "parameter": ("func F(a int) {}", "func F(a int, b int) {}", "medium", "`F` was `(int)` and is `(int, int)` now"),
    "result": ("func F() error { return nil }", "func F() (int, error) { return 1, nil }", "medium", "(int, error)"),
    "interface": (
        "type I interface {\n\tA()\n}",
        "type I interface {\n\tA()\n\tB()\n}",
        "medium",
        "asks for the method",
    ),
    "of interface": (
        "type I interface {\n\tA()\n\tb()\n}",
        "type I interface {\n\tb()\n}",
        "high",
        "method `I.A` is gone",
    ),
}


@pytest.mark.parametrize("name", GO_LOST)
def test_importers_of_a_go_module_lose(name: str) -> None:
    before, after, severity, said = GO_LOST[name]
    path = {"cart/cart.go": "package cart\n" + after} if after else {}
    found = _found({**MODULE, "cart/cart.go": "package cart\n" + before}, {**MODULE, **path})
    assert [one[0] for one in found] == [severity], found
    assert said in found[0][1]


GO_KEPT = {
    "added": ("func F() {}", "func F() {}\nfunc G() {}\ntype T struct{ A int }"),
    "private": ("func F() {}\nfunc g() {}\ntype t struct{ A int }\nfunc (x t) M() {}", "func F() {}"),
    "names of parameters": ("func F(a, b int, c interface{}) {}", "func F(x int, y int, z any) {}"),
    "variadic": ("func F(a int) {}", "func F(a int, more ...string) {}"),
    "first result": ("func F() {}", "func F() error { return nil }"),
    "closed interface": ("type I interface {\n\tA()\n\tx()\n}", "type I interface {\n\tA()\n\tB()\n\tx()\n}"),
    "embedded": ("type T struct{}\nfunc (T) M() {}", "type T struct{ B }"),
    "alias": ("type T struct{ A int }", "type T = other.T"),
    "named in a func": ("func F(f func(a int) error) {}", "func F(f func(b int) error) {}"),
    "another word": (
        "func F(a []string, f func(a string) error) {}",
        "type A = string\ntype G = func(A) error\nfunc F(a []A, f G) {}",
    ),
    "const to var": ("const A = 1", "var A = 1"),
}


@pytest.mark.parametrize("name", GO_KEPT)
def test_what_go_importers_still_have_is_silent(name: str) -> None:
    assert _go(*GO_KEPT[name]) == []


def test_a_go_name_may_move_within_its_package_and_to_files_that_did_not_change() -> None:
    one, two = "package cart\n\nfunc F() {}\n", "package cart\n\nfunc G() {}\n"
    assert _found({**MODULE, "a.go": one + "func G() {}\n"}, {**MODULE, "a.go": one, "b.go": two}) == []
    linux = {**MODULE, "a_linux.go": one, "a_windows.go": one, "b.go": two}
    assert _found(linux, {**linux, "a_linux.go": two}) == []


@pytest.mark.parametrize(
    "path", ["internal/a/a.go", "cmd/shop/a.go", "a/a_test.go", "a/testdata/a.go", "vendor/x/a.go", "_old/a.go"]
)
def test_what_nobody_can_import_promises_nothing(path: str) -> None:
    assert _go("func F() {}\nfunc G() {}", "func G() {}", path) == []


def test_programs_and_modules_with_a_local_name_promise_nothing() -> None:
    before, after = "package {}\n\nfunc F() {{}}\nfunc G() {{}}\n", "package {}\n\nfunc G() {{}}\n"
    assert _found({**MODULE, "a.go": before.format("main")}, {**MODULE, "a.go": after.format("main")}) == []
    local = {"go.mod": "module shop\n"}
    assert _found({**local, "a.go": before.format("a")}, {**local, "a.go": after.format("a")}) == []


def test_the_next_major_version_of_a_module_makes_it_a_note() -> None:
    before, after = "package a\n\nfunc F() {}\nfunc G() {}\n", "package a\n\nfunc G() {}\n"
    part = check(
        subject_of(
            {"go.mod": "module example.com/shop\n", "a.go": before},
            {"go.mod": "module example.com/shop/v2\n", "a.go": after},
        )
    )
    assert [one.severity for one in part.findings] == ["note"]
    assert "v1 to v2" in part.findings[0].message


@pytest.mark.parametrize(("tag", "severities"), [("", []), ("v0.3.0", ["low"]), ("v1.2.0", ["high"]), ("x1", [])])
def test_only_a_module_with_a_tag_is_published(tmp_path: Path, tag: str, severities: list[str]) -> None:
    repo = Repo.init(tmp_path)
    for body in ("func F() {}\nfunc G() {}\n", "func G() {}\n"):
        (repo.path / "go.mod").write_text(MODULE["go.mod"])
        (repo.path / "a.go").write_text("package a\n\n" + body)
        repo.git("add", "-A")
        repo.git("commit", "-q", "-m", "Change")
    if tag:
        repo.git("tag", tag)
    assert [one.severity for one in _asked(repo).findings] == severities


def _asked(repo: Repo) -> Part:
    with open_repository(repo.path) as repository:
        read = read_change(read_ends(Question("HEAD"), repository), repository, Settings())
        before, after = (GitTree(repository, tree) for tree in (read.base_tree, read.head_tree))
        return check(Subject(read, Trees(before, after, pairs_of(read)), Settings()))


# npm packages

PACKAGE = {"package.json": '{"name": "shop", "version": "1.2.0", "main": "dist/index.js"}'}


def _npm(before: str, after: str, **more: str) -> list[tuple[str, str]]:
    files = {**PACKAGE, **{f"src/{name}.ts": text for name, text in more.items()}}
    return _found({**files, "src/index.ts": before}, {**files, "src/index.ts": after})


NPM_LOST = {
    "function": ("export function f() {}", "function f() {}", "high", "`f` is gone"),
    "renamed": ("export { f as g };\nfunction f() {}", "export { f };\nfunction f() {}", "high", "`g` is gone"),
    "deprecated": ("/** @deprecated */\nexport function f() {}", "", "low", "`f`, as was announced, is gone"),
    "const": ("export const a = 1, { b } = c;", "export const a = 1;", "medium", "`b` is gone"),
    "type": ("export type T = 1;", "", "high", "`T` is gone"),
    "default": ("export default class A {}", "export class A {}", "high", "`default` is gone"),
    "passed on": ("export { x } from './more';", "", "high", "`x` is gone"),
    "star": ("export * from './more';", "", "high", "`x` is gone"),
    "namespace": ("export * as ns from './more';", "", "high", "`ns` is gone"),
    "parameter": ("export function f(a) {}", "export function f(a, b) {}", "medium", "asks for its parameter 2, `b`"),
    "required": ("export const f = (a?: X) => 1", "export const f = (a: X) => 1", "medium", "no longer does without"),
    "method": ("export class A { m() {} n() {} }", "export class A { n() {} }", "high", "the method `A.m` is gone"),
    "hidden": ("export class A { m() {} }", "export class A { private m() {} }", "high", "the method `A.m` is gone"),
    "constructor": (
        "export class A { constructor() {} }",
        "export class A { constructor(a: X) {} }",
        "medium",
        "`A.constructor` now asks for its parameter 1",
    ),
}


@pytest.mark.parametrize("name", NPM_LOST)
def test_importers_of_an_npm_package_lose(name: str) -> None:
    before, after, severity, said = NPM_LOST[name]
    found = _npm(before, after, more="export const x = () => 1;")
    assert [one[0] for one in found] == [severity], found
    assert said in found[0][1]


NPM_KEPT = {
    "added": ("export function f() {}", "export function f(a = 1, b?: X, ...c) {}\nexport const g = 1;"),
    "not exported": ("function f() {}\nclass A { m() {} }", ""),
    "moved": ("export const x = () => 1;", "export * from './more';"),
    "renamed inside": ("export function f() {}", "function g() {}\nexport { g as f };"),
    "several signatures": (
        "export function f(): void;\nexport function f(a?: X) {}",
        "export function f(a: X, b: Y): void;\nexport function f(a: Y, b: X) {}",
    ),
    "inherited": ("export class A extends B { m() {} }", "export class A extends B {}"),
    "private": ("export class A { #m() {} private n() {} }", "export class A {}"),
}


@pytest.mark.parametrize("name", NPM_KEPT)
def test_what_npm_importers_still_have_is_silent(name: str) -> None:
    assert _npm(*NPM_KEPT[name], more="export const x = () => 1;") == []


def test_a_change_in_a_module_that_the_entry_passes_on_is_told_at_its_place() -> None:
    files = {**PACKAGE, "src/index.ts": "export { f } from './a.js';\nimport { B } from './b';\nexport { B as C };\n"}
    before = {**files, "src/a.ts": "export * from './c';", "src/b/index.ts": "export class B { m() {} }"}
    more = {"src/c.tsx": "export function f() {}"}
    after = {**before, "src/c.tsx": "\nexport function f(a: X) {}", "src/b/index.ts": "export class B {}"}
    part = check(subject_of({**before, **more}, after))
    assert [(str(one.place), one.severity) for one in part.findings] == [
        ("src/b/index.ts:1", "high"),
        ("src/c.tsx:2", "medium"),
    ]


def test_entries_of_exports_are_followed_and_may_not_go() -> None:
    manifest = '{"name": "shop", "exports": {".": {"types": "./dist/esm/main.d.ts"}%s}}'
    before = {"package.json": manifest % ', "./sub": "./dist/sub.js"', "src/sub.ts": "export const a = 1, b = 2;"}
    code = {"src/main.ts": "export const c = 1;"}
    less = {**before, "src/sub.ts": "export const b = 2;"}
    assert _found({**before, **code}, {**less, **code}) == [("medium", "`sub.a` is gone")]
    gone = {**before, "package.json": manifest % "", "src/main.ts": "export const d = 1;"}
    assert _found({**before, **code}, gone) == [
        ("high", "the entry `./sub` is gone"),
        ("medium", "`c` is gone"),
    ]


@pytest.mark.parametrize("manifest", ['{"name": "shop", "private": true, "main": "index.js"}', "{}", "[", "[1]"])
def test_a_private_package_promises_nothing(manifest: str) -> None:
    files = {"package.json": manifest}
    assert _found({**files, "index.ts": "export const a = 1;"}, {**files, "index.ts": ""}) == []


@pytest.mark.parametrize("after", ["export {", "export * from './gone';", "\x00", "module.exports = {}"])
def test_exports_that_cannot_be_followed_are_unknown(after: str) -> None:
    before = {**PACKAGE, "src/index.ts": "export const a = 1;"}
    part = check(subject_of(before, {**before, "src/index.ts": after}))
    assert not part.findings
    assert "breaks" not in part.fields
    assert "`a`" in part.unknowns[0].reason


def test_modules_that_pass_each_other_on_end() -> None:
    circle = {"one": "export * from './two';", "two": "export * from './one';\nexport const x = 1;"}
    assert _npm("export * from './one';", "export * from './one';\n", **circle) == []
