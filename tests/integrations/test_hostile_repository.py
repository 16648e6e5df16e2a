"""A repository whose every text wants out, from git to each format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.integrations.actions import Runner
from tests.report.test_forges import _OWN_HTML, READER, read_command
from tests.repos import Repo
from tidegate.report.formats import FORMATS

EVIL = "\x1b]0;owned\x07 ##[add-mask]x \u202egnp <img src=x> @octocat [x](http://evil.test) `$(touch pwned)` \u200b"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "repo")
    repo.commit("Start", {"README.md": "A shop.\n"})
    repo.git("checkout", "-q", "-b", "feature")
    path = "auth/\x1b[31m\n::error::owned\n<b>@octocat `x` | \u202e.py"
    author = f"{EVIL.replace('<', '').replace('>', '')} <evil@example.com>"
    repo.commit(
        f"{EVIL}\n\n::set-output name=x::y\n##[set-output name=x;]y\n\n## Why\n\n{EVIL}",
        {path: "x = 1\n" * 30},
        author=author,
    )
    repo.commit("Bytes", {b"auth/\xff\xfe.py".decode("utf-8", "surrogateescape"): "y = 2\n"})
    return repo


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_nothing_gets_out(name: str, repo: Repo, tidegate: Callable[..., CompletedProcess[str]]) -> None:
    done = tidegate("check", "main..feature", "--format", name, "--color", "always", cwd=repo.path)
    assert done.returncode == 1, done.stderr
    shown = re.sub(r"\x1b\[(?:0|\d{1,2}(?:;\d{1,2})*)m", "", done.stdout)
    assert "##[" not in shown
    if name == "json":
        json.loads(shown)
        return
    assert not {character for character in shown if not character.isprintable()} - {"\n", "\u200b"}
    for line in shown.splitlines():
        command = read_command(line)
        assert command is None or (name == "github" and command[0] in ("error", "warning", "notice"))
    if name in ("markdown", "summary"):
        for token in READER.parse(shown):
            assert token.type != "html_block" or _OWN_HTML.fullmatch(token.content)
            assert not [c for c in token.children or () if c.type in ("link_open", "image", "html_inline")]


def test_the_action_leaves_nothing_behind(repo: Repo, tmp_path: Path) -> None:
    runner = Runner(tmp_path / "runner", repo.path, more={"GITHUB_SHA": repo.head("feature~1")})
    runner.install()
    done = runner.step("Check", range="main..feature")
    assert done.returncode == 1, done.stderr
    assert sorted(runner.outputs) == ["comment", "json", "outcome", "sarif"]
    assert not list(tmp_path.rglob("pwned"))
