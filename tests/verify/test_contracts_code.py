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
