"""Declarations of agents: every mark that the tools leave, and none of the people who are called like one."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import re2

from tidegate.change.values import Commit, Person, PullRequest
from tidegate.facts import Declaration
from tidegate.provenance.accountable import parse_person
from tidegate.provenance.declared import read_declarations
from tidegate.provenance.signatures import load_signatures, shown_model

ALICE = "Alice Smith <alice@example.com>"


def commit(message: str = "Fix", author: str = ALICE, committer: str = "") -> Commit:
    who = parse_person(author)
    return Commit(
        oid="c" * 40,
        tree="t" * 40,
        parents=(),
        author=who,
        committer=parse_person(committer) if committer else who,
        authored_at="2026-05-01T00:00:00Z",
        committed_at="2026-05-01T00:00:00Z",
        message=message,
    )


def pull_request(**given: object) -> PullRequest:
    empty = dict.fromkeys(PullRequest.__struct_fields__, "")
    shape: dict[str, object] = {**empty, "number": 1, "author_is_bot": False, "labels": (), "assignees": ()}
    return PullRequest(**{**shape, **given})  # type: ignore[arg-type]


def declared(message: str = "Fix", author: str = ALICE, committer: str = "") -> list[Declaration]:
    return list(read_declarations([commit(message, author, committer)], None))


def brief(message: str) -> list[tuple[str, str, str, str]]:
    return [(d.tool, d.model, d.role, d.evidence) for d in declared(message)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Co-Authored-By: Claude <noreply@anthropic.com>", ("claude", "", "co-author", "E2")),
        (
            "Co-Authored-By: Claude Opus 4.6 (1M context) <noreply@anthropic.com>",
            ("claude", "Claude Opus 4.6 (1M context)", "co-author", "E2"),
        ),
        ("co-authored-by: claude-flow <no-reply@anthropic.com>", ("claude", "", "co-author", "E2")),
        ("Co-authored-by: Claude", ("claude", "", "co-author", "E2")),
        (
            "Co-authored-by: Copilot <223556219+Copilot@users.noreply.github.com>",
            ("github-copilot", "", "co-author", "E2"),
        ),
        ("Co-authored-by: Copilot <copilot@github.com>", ("github-copilot", "", "co-author", "E1")),
        (
            "Co-authored-by: Copilot Autofix powered by AI "
            "<62310815+github-advanced-security[bot]@users.noreply.github.com>",
            ("github-copilot", "", "suggestion", "E2"),
        ),
        (
            "Co-authored-by: gemini-code-assist[bot] <176961590+gemini-code-assist[bot]@users.noreply.github.com>",
            ("gemini-code-assist", "", "suggestion", "E2"),
        ),
        ("Co-authored-by: Cursor <cursoragent@cursor.com>", ("cursor", "", "co-author", "E2")),
        ("Co-authored-by: GPT-5.2 Codex <noreply@openai.com>", ("codex", "GPT-5.2 Codex", "co-author", "E2")),
        ("Co-authored-by: aider (gpt-4o) <noreply@aider.chat>", ("aider", "gpt-4o", "co-author", "E2")),
        ("Co-authored-by: Amp <amp@ampcode.com>", ("amp", "", "co-author", "E2")),
        ("Amp-Thread-ID: https://ampcode.com/threads/T-" + "0" * 36, ("amp", "", "session", "E2")),
        ("Claude-Session: https://claude.ai/code/session_abc123", ("claude", "", "session", "E2")),
        ("Entire-Checkpoint: 0123456789ab", ("entire", "", "session", "E2")),
        ("Assisted-by: Claude:claude-3-opus coccinelle sparse", ("claude", "claude-3-opus", "co-author", "E2")),
        ("Assisted-by: Crush:kimi-k2.6", ("crush", "kimi-k2.6", "co-author", "E2")),
        ("Assisted-by: Claude Opus 4.6 via Crush <crush@charm.land>", ("crush", "Claude Opus 4.6", "co-author", "E2")),
        ("Assisted-by: GitHub Copilot", ("github-copilot", "", "co-author", "E2")),
        ("Generated-by: ChatGPT 4", ("chatgpt", "ChatGPT 4", "author", "E2")),
        ("Generated-By: PostHog Code", ("posthog", "", "author", "E2")),
        ("Co-authored-by-AI: Claude Code (Opus 4.5)", ("claude", "Opus 4.5", "co-author", "E2")),
        ("AI-Tool: some-new-thing", ("some-new-thing", "", "co-author", "E2")),
        ("Codex-Reviewed-By: codex", ("codex", "", "review", "E2")),
        ("Reviewed-by: Claude <noreply@anthropic.com>", ("claude", "", "review", "E2")),
        ("Co-authored-by: Oz <oz-agent@warp.dev>", ("warp", "", "co-author", "E2")),
        ("Co-authored-by: opencode <noreply@opencode.ai>", ("opencode", "", "co-author", "E2")),
        ("Replit-Commit-Author: Agent", ("replit", "", "author", "E2")),
    ],
)
def test_each_mark_is_read(line: str, expected: tuple[str, str, str, str]) -> None:
    assert brief(f"Fix\n\n{line}\n\nlast words") == [expected]


@pytest.mark.parametrize(
    "line",
    [
        "Assisted-by: Claude Dupont <claude@dupont.fr>",
        "Assisted-by: Jane Doe <jane@example.com>",
        "Assisted-by: Claude Dupont",
        "Generated-by: openapi-generator 7.2",
        "Generated-by: Devin Breshears",
        "AI-Tool: none",
        "Co-authored-by: Devin Breshears <devin@breshears.example>",
        "Co-authored-by: Copilot Charlie <charlie@example.com>",
        "Co-authored-by: dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "Reported-by: Claude <noreply@anthropic.com>",
        "We used https://claude.ai/code to look at this.",
        "Update the section Generated with love",
        "Docs: how to add Co-authored-by: Claude <noreply@anthropic.com>",
    ],
)
def test_what_only_looks_like_a_mark_is_none(line: str) -> None:
    assert brief(f"Fix\n\n{line}") == []


@pytest.mark.parametrize(
    "identity",
    [
        "Ludovic Claude <ludovic.claude@example.org>",
        "Claude Dupont <claude@gmail.com>",
        "claude <claude@users.noreply.github.com>",
        "Devin Breshears <devin@example.com>",
        "devin-cognition <devin.smith@cognition.ai>",
        "Travis Cline <travis.cline@gmail.com>",
        "Jeremy Cline <github@declined.dev>",
        "Bruce Bolt <bruce@bolt.example>",
        "Jules Ivanic <jules@example.com>",
        "Gemini Wong <gemini.wong@google.com>",
        "Boris Cherny <boris@anthropic.com>",
        "Kazuhiro Sera <seratch@openai.com>",
        "Xingyao Wang <xingyao@all-hands.dev>",
        "Paul Gauthier <paul@aider.chat>",
        "Paul Gauthier <aider@paulg.org>",
        "Cody Cursor <cody@cursor.com>",
        "Amp Lifier <amp@example.org>",
        "Continue Smith <c@continue.dev>",
        "Kiro Tanaka <kiro@example.jp>",
        "Roo Panes <roo@example.com>",
        "Aiden Cline <63023139+rekram1-node@users.noreply.github.com>",
        "agentultra <james@agentultra.com>",
        "gemini-cli-robot <gemini-cli-robot@google.com>",
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "github-actions[bot] <41898282+github-actions[bot]@users.noreply.github.com>",
        "renovate[bot] <29139614+renovate[bot]@users.noreply.github.com>",
        "GitHub <noreply@github.com>",
    ],
)
def test_people_and_other_bots_are_not_taken_for_agents(identity: str) -> None:
    assert declared(author=identity) == []
    assert brief(f"Fix\n\nCo-authored-by: {identity}") == []
    assert brief(f"Fix\n\nSigned-off-by: {identity}") == []


@pytest.mark.parametrize(
    ("identity", "tool"),
    [
        ("Claude <noreply@anthropic.com>", "claude"),
        ("claude[bot] <41898282+claude[bot]@users.noreply.github.com>", "claude"),
        ("Copilot <198982749+Copilot@users.noreply.github.com>", "github-copilot"),
        ("copilot-swe-agent[bot] <198982749+Copilot@users.noreply.github.com>", "github-copilot"),
        ("Devin AI <158243242+devin-ai-integration[bot]@users.noreply.github.com>", "devin"),
        ("google-labs-jules[bot] <161369871+google-labs-jules[bot]@users.noreply.github.com>", "jules"),
        ("Paul Gauthier (aider) <paul@example.com>", "aider"),
        ("openhands <openhands@all-hands.dev>", "openhands"),
        ("Cursor Agent <cursoragent@cursor.com>", "cursor"),
    ],
)
def test_an_agent_that_commits_itself_is_the_author(identity: str, tool: str) -> None:
    assert [(d.tool, d.role, d.where) for d in declared(author=identity)] == [(tool, "author", "author")]
    assert [(d.tool, d.role, d.where) for d in declared(committer=identity)] == [(tool, "co-author", "committer")]


def test_a_mark_is_told_once_with_the_line_that_carries_it() -> None:
    line = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"
    found = declared(f"Add generated docs\n\nText\n{line}\n{line}\nmore")
    assert [(d.where, d.text) for d in found] == [("message", line)]


def test_a_pull_request_is_weak_except_for_its_author() -> None:
    request = pull_request(
        author="devin-ai-integration[bot]",
        source="codex/fix-it",
        labels=("bug", "ai-generated"),
        body="Link to Devin run: https://app.devin.ai/sessions/0123abcd\n"
        "Co-authored-by: Claude <noreply@anthropic.com>",
    )
    found = read_declarations([], request)
    assert {(d.tool, d.role, d.evidence, d.where) for d in found} == {
        ("devin", "author", "E2", "pull request author"),
        ("codex", "co-author", "E1", "branch"),
        ("ai", "co-author", "E1", "label"),
        ("devin", "session", "E1", "pull request description"),
        ("claude", "co-author", "E1", "pull request trailer co-authored-by"),
    }
    assert {d.session for d in found if d.role == "session"} == {"0123abcd"}
    assert {d.commit for d in found} == {""}


def test_long_and_strange_text_is_kept_short() -> None:
    found = declared("Fix\n\nAssisted-by: Claude:" + "x" * 1500)
    assert len(found[0].text) <= 200
    assert len(found[0].model) <= 120


@pytest.mark.parametrize("model", ["<synthetic>", "unknown", "default", '"unknown"', "", " "])
def test_placeholders_are_no_models(model: str) -> None:
    assert shown_model(model) == ""


def test_quotes_around_a_model_go() -> None:
    assert shown_model('"gpt-5"') == "gpt-5"


def test_tools_have_one_name_whatever_a_source_calls_them() -> None:
    table = load_signatures()
    for alias, name in [
        ("claude-code", "claude"),
        ("Claude Code", "claude"),
        ("copilot", "github-copilot"),
        ("codex-cloud", "codex"),
        ("continue-cli", "continue"),
        ("Factory Droid", "droid"),
        ("never-heard-of", "never-heard-of"),
    ]:
        assert table.tool_of(alias) == name


def test_every_pattern_is_re2_and_every_alias_belongs_to_one_tool() -> None:
    text = (files("tidegate.provenance") / "signatures.toml").read_text(encoding="utf-8")
    seen: dict[str, str] = {}
    for name, tool in tomllib.loads(text)["tools"].items():
        for where in ("identity", "trailer", "message", "branch", "label", "account"):
            for mark in tool.get(where, ()):
                re2.compile(mark["match"])
        for alias in {name, *tool.get("aliases", ())}:
            assert seen.setdefault(alias, name) == name


@pytest.mark.conformance
def test_every_tool_of_the_public_table_is_known(data: Path) -> None:
    table = json.loads((data / "provenance" / "signatures.json").read_text(encoding="utf-8"))["tools"]
    known = load_signatures()
    ours = {"claude", "codex", "gemini", "droid", "warp", "amazon-q"} | set(
        tomllib.loads((files("tidegate.provenance") / "signatures.toml").read_text(encoding="utf-8"))["tools"]
    )
    for name in table:
        if not name.startswith("any-"):
            assert known.tool_of(name) in ours, name


def test_people_are_read_from_the_forms_that_trailers_use() -> None:
    assert parse_person("Ann Lee (ann@x.org)") == Person("Ann Lee", "ann@x.org")
    assert parse_person("Ann Lee <ann@x.org>") == Person("Ann Lee", "ann@x.org")
    assert parse_person("Ann Lee") == Person("Ann Lee", "")
