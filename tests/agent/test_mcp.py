"""A coding agent asks over the Model Context Protocol, with the SDK's own client and the installed command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError

from tests.agent.mcp_client import COMMAND, ask, refused, session, talk
from tests.repos import Repo, build

SOURCE = """
commit Begin
  file src/pay.py
    . def charge(total):
    .     return fee(total) + total
    .
    . def fee(total):
    .     return total // 100
  file src/shop.py
    . from src.pay import charge
    .
    . def buy(total):
    .     return charge(total)
  file tests/test_shop.py
    . from src.shop import buy
    .
    . def test_buy():
    .     assert buy(100) == 101
branch work
commit Charge twice
  file src/pay.py
    . def charge(total):
    a     return fee(total) * 2 + total
    .
    . def fee(total):
    .     return total // 100
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return build(tmp_path_factory.mktemp("mcp") / "shop", SOURCE)


def test_every_tool_says_what_it_takes_what_it_answers_and_what_it_changes(shop: Repo) -> None:
    async def work(client: ClientSession) -> None:
        tools = (await client.list_tools()).tools
        assert len(tools) == 8
        for tool in tools:
            Draft202012Validator.check_schema(tool.input_schema)
            Draft202012Validator.check_schema(tool.output_schema)
            assert tool.input_schema["type"] == tool.output_schema["type"] == "object"
            assert tool.input_schema["additionalProperties"] is False
            assert tool.annotations.read_only_hint is True
            assert tool.annotations.destructive_hint is False
            assert tool.annotations.open_world_hint is (tool.name == "recent_incidents_for")
            assert "16,000 characters" in tool.description
        with pytest.raises(MCPError, match="only with --write"):
            await client.call_tool("declare_session", {"tool": "claude", "session": "s"})
        with pytest.raises(MCPError, match="no such tool"):
            await client.call_tool("rm", {})
        (resource,) = (await client.list_resources()).resources
        assert "no-self-approval" in (await client.read_resource(resource.uri)).contents[0].text
        assert "approv" in (await client.read_resource("tidegate://rules/no-self-approval")).contents[0].text
        with pytest.raises(MCPError, match="no such resource"):
            await client.read_resource("file:///etc/passwd")
        (prompt,) = (await client.list_prompts()).prompts
        (message,) = (await client.get_prompt(prompt.name)).messages
        assert "what_is_missing" in message.content.text

    talk(shop.path, work)


def test_questions_at_once_are_answered_beside_each_other(shop: Repo) -> None:
    found: dict[str, dict[str, Any]] = {}

    async def work(client: ClientSession) -> None:
        async def one(name: str, tool: str, **arguments: str) -> None:
            found[name] = await ask(client, tool, **arguments)

        async with anyio.create_task_group() as group:
            group.start_soon(lambda: one("judged", "assess_change", base="main"))
            group.start_soon(lambda: one("missing", "what_is_missing", base="main"))
            group.start_soon(lambda: one("who", "who_wrote", path="src/pay.py", lines="1-2"))
            group.start_soon(lambda: one("reach", "reach_of", path="src/pay.py", lines="5"))
            group.start_soon(lambda: one("rule", "explain_rule", id="no-self-approval"))
            group.start_soon(lambda: one("guide", "guidance_for", path="src/pay.py"))
            group.start_soon(lambda: one("incidents", "recent_incidents_for", path="src"))

    talk(shop.path, work)
    judged, missing = found["judged"], found["missing"]["missing"]
    assert judged["verdict"] == "hold"
    assert judged["written_by"] == "added lines: 1 by AI, 0 by people, 0 mixed, 0 unknown"
    states = [one["state"] for one in judged["obligations"]]
    assert states == sorted(states, key=lambda state: state == "met")
    assert {one["rule"] for one in missing} == {one["rule"] for one in judged["obligations"] if one["state"] != "met"}
    assert {one["rule"]: one["who"] for one in missing}["no-self-approval"] == "human"
    assert not any("approve" in command for one in missing if one["who"] != "human" for command in one["commands"])
    assert [(span["lines"], span["writer"]) for span in found["who"]["spans"]] == [("1", "unknown"), ("2", "ai")]
    assert found["reach"]["asked"] == ["src/pay.py:fee"]
    assert "tests/test_shop.py:test_buy" in [one["test"] for one in found["reach"]["tests"]]
    assert {one["symbol"] for one in found["reach"]["reached"]} >= {"src/pay.py:charge", "src/shop.py:buy"}
    assert any("no-self-approval" in line for line in found["rule"]["here"])
    assert found["guide"]["rules"]
    assert found["incidents"]["known"] is False
    assert "not the same as none" in found["incidents"]["says"]


WRONG = [
    ("who_wrote", {"path": "../../etc/passwd"}, "no path inside"),
    ("assess_change", {"base": "--upload-pack=touch x"}, "not a revision"),
    ("attach_evidence", {"kind": "junit", "file": "out"}, "link or no regular file"),
]
MALFORMED = [
    ("who_wrote", {"path": 3}, "Expected `str`"),
    ("who_wrote", {}, "missing required field `path`"),
    ("who_wrote", {"path": "x", "run": "id"}, "unknown field"),
    ("who_wrote", {"path": "x", "lines": "1;2"}, "regex"),
    ("who_wrote", {"path": "x" * 5000}, "length"),
    ("assess_change", {"what": "everything"}, "Invalid enum value"),
    ("attach_evidence", {"kind": "shell", "file": "x"}, "Invalid enum value"),
]


def test_what_is_wrong_comes_back_as_an_error_to_mend_and_the_server_goes_on(shop: Repo, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(shop.path, copy, symlinks=True)
    (copy / "out").symlink_to("/etc/passwd")
    (copy / "linked").symlink_to("/etc")

    async def work(client: ClientSession) -> None:
        async def one(tool: str, arguments: dict[str, object], said: str) -> None:
            assert said in (await refused(client, tool, arguments))["error"], (tool, arguments)

        async with anyio.create_task_group() as group:
            for wrong in [*WRONG, *MALFORMED]:
                group.start_soon(one, *wrong)
        shutil.rmtree(copy / ".git")
        assert "no git repository" in (await refused(client, "who_wrote", {"path": "src/pay.py"}))["error"]
        shutil.rmtree(copy)
        assert (await refused(client, "assess_change", {}))["mend"]
        assert len((await client.list_tools()).tools) == 10

    talk(copy, work, "--write")


def test_a_call_that_is_cancelled_ends_with_all_it_started(shop: Repo, tmp_path: Path) -> None:
    """A git that never answers stands for a slow repository."""
    slow = tmp_path / "bin"
    slow.mkdir()
    mark = tmp_path / "started"
    (slow / "git").write_text(f"#!/bin/sh\necho $$ >> {mark}\nexec sleep 600\n")
    (slow / "git").chmod(0o755)

    async def main() -> None:
        async with session(shop.path, PATH=f"{slow}:{os.environ['PATH']}") as client:
            with anyio.move_on_after(20) as limit:
                async with anyio.create_task_group() as group:
                    group.start_soon(client.call_tool, "who_wrote", {"path": "src/pay.py"})
                    while not mark.exists():
                        await anyio.sleep(0.05)
                    group.cancel_scope.cancel()
            assert not limit.cancelled_caught
            (pid,) = mark.read_text().split()
            with anyio.fail_after(20):
                while _runs(int(pid)):
                    await anyio.sleep(0.05)
            assert len((await client.list_tools()).tools) == 8

    anyio.run(main)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_standard_output_carries_the_protocol_and_nothing_else(shop: Repo) -> None:
    asked = [
        "this is no JSON",
        '{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", '
        '"capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}',
        '{"jsonrpc": "2.0", "method": "notifications/initialized"}',
        '{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "who_wrote"}}',
        '{"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": 7}}',
        '{"jsonrpc": "2.0", "id": 4, "method": "nothing/here"}',
        '{"jsonrpc": "2.0", "id": 5, "method": "ping"}',
    ]
    command = [COMMAND, "mcp", "--repo", str(shop.path)]
    answers = {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"{line}\n" for line in asked))
        process.stdin.flush()
        while not answers.keys() >= {1, 2, 3, 4, 5}:
            message = json.loads(process.stdout.readline())
            assert message["jsonrpc"] == "2.0"
            answers[message.get("id")] = message
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(20) == 0
    assert answers[2]["result"]["isError"] is True
    assert answers[3]["error"]["code"] == -32602
    assert answers[4]["error"]["code"] == -32601


def test_without_the_library_the_command_says_what_to_install(shop: Repo) -> None:
    code = "import sys; sys.modules['mcp'] = None; from tidegate.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "mcp", "--repo", str(shop.path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'tidegate[mcp]'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--token-file", "x"], "say --url"),
        (["--url", "http://example.com", "--token-file", "{token}"], "https"),
        (["--url", "https://example.com", "--token-file", "{token}.gone"], "cannot be read"),
    ],
)
def test_a_service_is_named_right_or_not_at_all(shop: Repo, tmp_path: Path, arguments: list[str], said: str) -> None:
    token = tmp_path / "token"
    token.write_text("secret\n")
    given = [one.format(token=token) for one in arguments]
    done = subprocess.run(
        [COMMAND, "mcp", "--repo", str(shop.path), *given], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "secret" not in done.stderr
