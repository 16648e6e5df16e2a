"""Instructions that are there already: which are enforced, shown, contradicted; where silence is better."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.agent.guide.commands import targets_of
from tidegate.agent.guide.compiled import read
from tidegate.agent.guide.judge import Judged, judge
from tidegate.agent.guide.statements import read_statements
from tidegate.change.configuration import read_settings
from tidegate.change.git import open_repository

WORKFLOW = (
    "on: [pull_request]\njobs:\n  a:\n    steps:\n      - run: pnpm install\n      - run: pnpm lint\n"
    "      - run: go test ./...\n"
)
FILES: Mapping[str, str] = {
    ".github/workflows/ci.yml": WORKFLOW,
    "package.json": '{"scripts": {"lint": "eslint .", "build": "tsc"}, "engines": {"node": ">=20"}}\n',
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "Makefile": "build: deps\n\ttrue\ndeps:\n\ttrue\n",
    "pyproject.toml": '[project]\nrequires-python = ">=3.11"\n\n[tool.ruff]\nline-length = 100\n',
    ".gitignore": "out/\n*.gen.ts\n",
    "src/app.ts": "export {}\n",
    "docs/guide.md": "x\n",
}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = Repo.init(tmp_path_factory.mktemp("judge") / "repo")
    made.commit("Begin", FILES)
    return made


def verdicts(repo: Repo, text: str) -> tuple[Judged, ...]:
    with open_repository(repo.path) as repository:
        oid = repository.resolve("HEAD")
        found = read(repository, oid, read_settings(repository, oid, {}).settings)
        return judge(found, {"AGENTS.md": text})


@pytest.mark.parametrize(
    ("text", "word", "why"),
    [
        ("Run `npm run lint` first.", "contradicts", "it says npm, and here pnpm is locked"),
        ("```sh\nyarn install\n```", "contradicts", "it says yarn"),
        ("Run `make tests`.", "contradicts", "no Makefile has `tests`"),
        ("Run `pnpm run typecheck`.", "contradicts", "no package.json has a script `typecheck`"),
        ("Keep the line length at 88.", "contradicts", "it says 88 characters, and configuration says 100"),
        ("Runs on Python 3.9+.", "contradicts", "asks for Python 3.11 or newer"),
        ("Use Node 18+.", "contradicts", "asks for Node 20 or newer"),
        ("Read `docs/gone.md` first.", "contradicts", "`docs/gone.md` is not in the tree"),
        ("Run `pnpm lint`.", "enforced", "a pipeline runs it"),
        ("Run `pnpm run lint`.", "enforced", "a pipeline runs it"),
        ("Run `go test ./...` always.", "enforced", "a pipeline runs it"),
        ("Run `go test -race ./...` always.", "shown", "in another form"),
        ("Run `pnpm lint && go test -race ./...` always.", "shown", "some of it"),
        ("Run `pnpm --filter web lint`.", "shown", "in another form"),
        ("Always skip `pnpm lint` here.", "unknown", "nothing here checks this"),
        ("Run `make build`.", "shown", "it is there"),
        ("Never use `npm install`.", "unknown", "nothing here checks this"),
        ("Keep the line length under 100.", "shown", "configuration says so"),
        ("Always write clear names.", "unknown", "nothing here checks this"),
    ],
)
def test_words(repo: Repo, text: str, word: str, why: str) -> None:
    judged = verdicts(repo, text)
    assert [(one.word, why in one.why) for one in judged] == [(word, True)], judged


@pytest.mark.parametrize(
    "text",
    [
        "Use `npm` or `pnpm`: `npm run lint` works as well as pnpm.",
        "In `site`, run `cd site && npm install`.",
        "```sh\ncd site\nnpm install\n```",
        "Never run `npm install`; it breaks the lock file.",
        "Use `pnpm install` instead of `npm install`.",
        "Install the tool: `npm install -g wrangler`.",
        "Run `make <target>`.",
        "Run `make -C site pages`.",
        "For example, `make pages` builds them.",
        "Create `docs/new.md` for it.",
        "Run it; the report is in `out/report.md`.",
        "Read `src/api.gen.ts` first.",
        "Read `src/*.ts` first.",
        "See `github.com/acme/other.md`.",
        "Python 3.9+ syntax fails here.",
        "Docstring lines have a line length of 72.",
        "Use Python 3.12+.",
        "```python\nyarn install\n```",
        "<!--\nRun `make tests`.\n-->",
    ],
)
def test_doubt_is_no_contradiction(repo: Repo, text: str) -> None:
    assert [one for one in verdicts(repo, text) if one.word == "contradicts"] == []


def test_an_include_or_a_second_lock_file_ends_the_question(tmp_path: Path) -> None:
    other = Repo.init(tmp_path / "repo")
    other.commit("Begin", {**FILES, "Makefile": "include more.mk\n", "site/package-lock.json": "{}\n"})
    assert [one.word for one in verdicts(other, "Run `make tests`.\n\nRun `npm run lint`.")] == ["unknown", "enforced"]


def test_a_submodule_or_a_link_is_there(repo: Repo, tmp_path: Path) -> None:
    other = Repo.init(tmp_path / "repo")
    other.commit("Begin", {"vendor/readme.md": "x\n"})
    other.git("update-index", "--add", "--cacheinfo", f"160000,{other.head()},vendor/lib")
    (other.path / "vendor/link").symlink_to("../..")
    other.git("add", "vendor/link")
    other.git("commit", "-q", "-m", "Add both")
    said = verdicts(other, "Update `vendor/lib/` first.\n\nRead `vendor/lib/a.md` and `vendor/link/b.md`.")
    assert not [one for one in said if one.word == "contradicts"]


def test_lines_are_those_of_the_file() -> None:
    text = "---\nx: y\n---\n# Title\n\n- First\n  goes on. Always run `a b`.\n\n```sh\n# no\n$ make x # yes\n```\n"
    found = [(one.line, one.text, one.fenced) for one in read_statements("AGENTS.md", text)]
    assert found == [(7, "Always run `a b`.", False), (11, "make x", True)]


def test_hostile_text_is_quoted_in_one_line(repo: Repo) -> None:
    (one,) = verdicts(repo, "Always run this \x1b[31m\u202eevil\u202c `make <x>`.")
    assert "\x1b" not in one.said
    assert "\u202e" not in one.said
    assert len(one.said) <= 160


@pytest.mark.parametrize(
    "text",
    [
        "`" * 1_000_000,
        "- `a`" * 200_000,
        "Run `make x`. " * 70_000,
        "Run `make x`.\n" * 70_000,
        "run " * 250_000,
        "```sh\n" + "make x\n" * 140_000,
        "Never " * 10_000 + "commit " * 100_000,
    ],
)
def test_a_large_file_costs_seconds_at_most(repo: Repo, text: str) -> None:
    before = time.process_time()
    verdicts(repo, text)
    assert time.process_time() - before < 10


def test_a_large_makefile_costs_seconds_at_most() -> None:
    before = time.process_time()
    assert len(targets_of("".join(f"t{number}: x\n" for number in range(80_000)), "make")) > 10_000
    targets_of("a " * 500_000, "make")
    targets_of("a." * 500_000, "just")
    assert time.process_time() - before < 5
