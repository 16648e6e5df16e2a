"""The facts of a change: counted, sorted, and marked where policy itself is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.change.trees import EXECUTABLE, Content, commit_tree
from tests.repos import Repo
from tidegate.change.branches import repository_name
from tidegate.change.collect import collect_change, collect_repository
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.values import Context
from tidegate.facts import ChangeFacts, Repository, is_known, to_json
from tidegate.settings import Settings

NOW = "2026-03-01T00:00:00Z"


def facts_of(path: Path, change: str = "HEAD") -> tuple[ChangeFacts, Repository]:
    with open_repository(path) as repository:
        found = read_change(read_ends(Question(change=change), repository), repository, Settings())
        context = Context(repository=repository, settings=Settings(), now=NOW)
        return collect_change(found, context), collect_repository(found, context)


def facts(tmp_path: Path, before: dict[bytes, Content], after: dict[bytes, Content]) -> ChangeFacts:
    repo = Repo.init(tmp_path / "repo")
    commit_tree(repo, before, "before")
    commit_tree(repo, after, "Do it\n\nWhy: because")
    return facts_of(repo.path, "main")[0]


def test_lines_and_files_are_counted_by_kind(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        {b"src/app.py": b"a\nb\n", b"run": b"x\n", b"tests/test_old.py": b"old\n"},
        {
            b"src/app.py": b"a\nc\nd\n",
            b"tests/test_app.py": b"1\n2\n",
            b"tests/test_old.py": None,
            b"docs/x.md": b"text\n",
            b"vendor/lib.py": b"1\n2\n3\n",
            b"run": (EXECUTABLE, b"x\n"),
        },
    )

    assert (found.status, found.files_total, found.lines_added, found.lines_deleted) == ("complete", 6, 8, 2)
    assert (found.source_files, found.source_lines_added, found.source_lines_deleted) == (2, 2, 1)
    assert (found.test_files, found.test_lines_added) == (1, 2)
    assert [f.path for f in found.files] == sorted(f.path for f in found.files)
    assert [f.path for f in found.files if f.executable_changed] == ["run"]
    assert (found.title, found.author) == ("Do it", "Alice Smith <alice@example.com>")
    assert (found.commits_total, found.merges, found.intent.why) == (1, 0, "because")


def test_the_same_change_gives_the_same_bytes(tmp_path: Path) -> None:
    files: dict[bytes, Content] = {b"%d/auth.py" % n: b"password = 1\n" for n in range(30)}
    first = facts(tmp_path, {b"x": b"1\n"}, files)

    assert to_json(first) == to_json(facts_of(tmp_path / "repo", "main")[0])
    assert list(first.domains) == sorted(first.domains)
    assert first.breadth == len(first.domains) > 0


def test_policy_and_owners_files_are_named(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        {
            b"tidegate.toml": b"",
            b".tidegate/policy/a.toml": b"",
            b"docs/CODEOWNERS": b"* @a\n",
            b"sub/CODEOWNERS": b"* @a\n",
            b"sub/tidegate.toml": b"1",
            b".github/workflows/gate.yml": b"run: tidegate check\n",
            b".github/workflows/other.yml": b"run: make\n",
        },
        {
            b"tidegate.toml": b"# x\n",
            b".tidegate/policy/a.toml": None,
            b"docs/CODEOWNERS": None,
            b"moved": b"* @a\n",
            b"sub/CODEOWNERS": b"* @b\n",
            b"sub/tidegate.toml": b"2",
            b".github/workflows/gate.yml": b"run: true\n",
            b".github/workflows/other.yml": b"run: make all\n",
        },
    )

    assert found.policy_files == (".github/workflows/gate.yml", ".tidegate/policy/a.toml", "tidegate.toml")
    assert found.owners_files == ("moved",)


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (b"[project]\n[tool.tidegate.policy]\npack='none'\n", b"[a]\n[tool.tidegate.policy]\npack='none'\n", False),
        (b"[tool.tidegate.policy]\npack='default'\n", b"[tool.tidegate.policy]\npack='none'\n", True),
        (b"[project]\n", b"[project]\n[tool.'tide\\u0067ate']\n", False),
        (b"[project]\n", b"[project]\n[tool.\"tide\\u0067ate\".policy]\npack='none'\n", True),
        (b"[project]\n", b"[tool]\ntidegate = {policy = {pack = 'none'}}\n", True),
        (b"[project]\n", b"[project\n", True),
        (b"[project]\n", b"\xff", True),
        (b"[project]\n", None, False),
        (b"[tool.tidegate]\npeople = {}\n", None, True),
    ],
)  # fmt: skip
def test_pyproject_counts_when_what_it_says_of_us_changed(
    tmp_path: Path, before: bytes, after: bytes | None, counts: bool
) -> None:
    found = facts(tmp_path, {b"pyproject.toml": before, b"keep": b"1"}, {b"pyproject.toml": after})

    assert (found.policy_files == ("pyproject.toml",)) is counts


def test_a_diff_cannot_tell_whether_pyproject_speaks_of_us(tmp_path: Path) -> None:
    file = tmp_path / "x.diff"
    file.write_bytes(b"--- a/pyproject.toml\n+++ b/pyproject.toml\n@@ -9 +9 @@\n-pack = 1\n+pack = 2\n")
    context = Context(repository=None, settings=Settings(), now=NOW)

    change = read_change(read_ends(Question(diff=file), None), None, Settings())
    found = collect_change(change, context)

    assert found.status == "partial"
    assert not is_known(found, "policy_files")
    assert is_known(found, "lines_added")
    assert not is_known(found, "commits")
    assert collect_repository(change, context).status == "unknown"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://user:ghp_secret@github.com/acme/shop.git", "acme/shop"),
        ("https://github.com/acme/shop/", "acme/shop"),
        ("git@github.com:acme/shop.git", "acme/shop"),
        ("ssh://git@gitlab.example.com:2222/group/sub/shop.git", "group/sub/shop"),
        ("https://x:y@h/acme/shop.git?token=secret#z", "acme/shop"),
        ("/srv/git/shop.git", ""),
        ("../shop", ""),
        ("file:///srv/shop.git", ""),
        ("C:/shop", ""),
        ("", ""),
    ],
)
def test_the_repository_is_named_without_credentials(url: str, name: str) -> None:
    assert repository_name(url) == name


def test_the_repository_section(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "shop")
    repo.commit("one", {"f": "1\n"})

    _, section = facts_of(repo.path)
    assert (section.name, section.head_branch, section.status) == ("shop", "main", "complete")
    assert section.default_branch == ""

    repo.git("remote", "add", "origin", "https://u:p@example.com/acme/shop.git")
    repo.git("update-ref", "refs/remotes/origin/trunk", "HEAD")
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    _, section = facts_of(repo.path)
    assert (section.name, section.default_branch, section.status) == ("acme/shop", "trunk", "complete")
