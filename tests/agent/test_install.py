"""Installing shows what it writes, keeps what is there, changes nothing twice, and is undone exactly."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repos import Repo
from tidegate.agent.hooks.payload import read_event
from tidegate.agent.install.agents import AGENTS, GUARD, MARK
from tidegate.agent.install.apply import install, plan_uninstall, uninstall
from tidegate.agent.install.plan import memory_of, plan_install, render_diff
from tidegate.agent.install.status import read_status, render_status
from tidegate.errors import InputError

THERE = {
    "model": "opus",
    "hooks": {
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./check.sh"}]}],
        "BeforeTool": [{"hooks": [{"type": "command", "command": "other"}]}],
        "postToolUse": [{"command": "theirs"}],
        "Stop": [],
    },
}


def snapshot(*folders: Path) -> dict[str, bytes]:
    """Every file below the folders but git's own records of ours, and every empty folder."""
    found: dict[str, bytes] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if "tidegate" not in path.parts[len(folder.parts) :]:
                content = path.read_bytes() if path.is_file() else b""
                found[str(path)] = b"%o " % path.stat().st_mode + content
    return found


@pytest.fixture
def work(tmp_path: Path) -> Path:
    Repo.init(tmp_path / "work")
    (tmp_path / "home/.local/state/tidegate").mkdir(parents=True)
    return tmp_path / "work"


def home_of(work: Path) -> Path:
    return work.parent / "home"


@pytest.mark.parametrize("guard", [False, True])
@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("there", [None, json.dumps(THERE, indent="\t") + "\n", json.dumps(THERE)])
@pytest.mark.parametrize("name", AGENTS)
def test_installed_once_and_undone_exactly(
    work: Path, name: str, there: str | None, everywhere: bool, guard: bool
) -> None:
    agent, home = AGENTS[name], home_of(work)
    file = home / agent.everywhere if everywhere else work / agent.here
    if there is not None:
        file.parent.mkdir(parents=True)
        file.write_text(there)
        file.chmod(0o600)
    before = snapshot(work, home)
    plan = plan_install(name, work, home, everywhere=everywhere, guard=guard)
    assert snapshot(work, home) == before, "planning writes nothing"
    assert f"+++ {file}" in render_diff(plan.changes)
    install(plan)
    text = file.read_text()
    assert MARK in text
    assert (GUARD in text) == guard
    if agent.shape != "own-script":
        hooks = json.loads(text)["hooks"]
        assert set(agent.events) <= set(hooks)
        if there is not None and not agent.shape.startswith("own"):
            assert json.loads(text)["model"] == "opus"
            for event, groups in THERE["hooks"].items():
                assert hooks[event][: len(groups)] == groups
        if guard:
            first = next(hook for hook in map(json.dumps, hooks[agent.before]) if "entry.py" in hook)
            assert GUARD in first, "what the guard denies is not recorded as done"
    assert plan_install(name, work, home, everywhere=everywhere).changes == ()
    memory = memory_of(name, None, home) if everywhere else plan.memory
    uninstall(plan_uninstall(name, memory), memory)
    assert snapshot(work, home) == before
    with pytest.raises(InputError, match="not installed here"):
        plan_uninstall(name, memory)


def test_what_was_written_since_stays(work: Path) -> None:
    home = home_of(work)
    install(plan := plan_install("claude-code", work, home, everywhere=False))
    file = work / AGENTS["claude-code"].here
    content = json.loads(file.read_text())
    content["hooks"]["PreToolUse"].insert(0, THERE["hooks"]["PreToolUse"][0])
    content["permissions"] = {"allow": ["Read"]}
    file.write_text(json.dumps(content))
    assert "was changed since" in render_status(read_status(work, home, {}))
    uninstall(plan_uninstall("claude-code", plan.memory), plan.memory)
    left = json.loads(file.read_text())
    assert left == {"hooks": {"PreToolUse": THERE["hooks"]["PreToolUse"]}, "permissions": {"allow": ["Read"]}}


def test_a_new_file_is_kept_out_of_commits(work: Path) -> None:
    install(plan_install("cursor", work, home_of(work), everywhere=False))
    assert Repo(work).git("status", "--porcelain") == ""


@pytest.mark.parametrize("content", ["// a comment\n{}", "[]", '{"hooks": []}', '{"hooks": {"Stop": "x"}}', "{"])
def test_what_cannot_be_read_is_not_touched(work: Path, content: str) -> None:
    file = work / AGENTS["gemini"].here
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(InputError, match="nothing is changed"):
        plan_install("gemini", work, home_of(work), everywhere=False)
    assert file.read_text() == content


def test_a_link_is_not_followed(work: Path) -> None:
    file = work / AGENTS["codex"].here
    file.parent.mkdir()
    file.symlink_to(work.parent / "elsewhere")
    with pytest.raises(InputError, match="symbolic link"):
        plan_install("codex", work, home_of(work), everywhere=False)


@pytest.mark.parametrize("where", ["", ".husky/_"])
def test_hooks_that_were_there_still_run(work: Path, where: str) -> None:
    repo, log = Repo(work), work.parent / "log"
    if where:
        repo.git("config", "core.hooksPath", where)
    folder = work / (where or ".git/hooks")
    folder.mkdir(parents=True, exist_ok=True)
    for hook in ("prepare-commit-msg", "post-commit", "post-rewrite"):
        (folder / hook).write_text(f"#!/bin/sh\necho {hook} $# >> {log}\ncat >> {log} </dev/stdin\n")
        (folder / hook).chmod(0o755)
    before = snapshot(work)
    plan = plan_install("git", work, home_of(work), everywhere=False)
    install(plan)
    assert plan_install("git", work, home_of(work), everywhere=False).changes == ()
    (work / "a.txt").write_text("a\n")
    repo.git("add", "a.txt")
    repo.git("commit", "-q", "-m", "one")
    repo.git("commit", "-q", "--amend", "-m", "two")
    said = log.read_text().split("\n")
    assert said[:2] == ["prepare-commit-msg 2", "post-commit 0"]
    assert "post-rewrite 1" in said
    assert len(next(line for line in said if len(line) > 80).split()) == 2, "what git said on standard input"
    uninstall(plan_uninstall("git", plan.memory), plan.memory)
    shutil.rmtree(work / ".git/tidegate")
    assert snapshot(folder) == {path: text for path, text in before.items() if path.startswith(f"{folder}/")}


def test_a_hook_that_refuses_still_refuses(work: Path) -> None:
    hook = work / ".git/hooks/prepare-commit-msg"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    install(plan_install("git", work, home_of(work), everywhere=False))
    done = subprocess.run(
        ["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=work, capture_output=True, check=False
    )
    assert done.returncode != 0


@pytest.mark.parametrize("name", AGENTS)
def test_the_guard_comes_later_and_stays(work: Path, name: str) -> None:
    home, file = home_of(work), work / AGENTS[name].here
    install(plan_install(name, work, home, everywhere=False))
    assert GUARD not in file.read_text()
    install(plan := plan_install(name, work, home, everywhere=False, guard=True))
    assert "with the guard" in render_status(read_status(work, home, {}))
    assert plan_install(name, work, home, everywhere=False).changes == (), "nobody asked to take it out"
    uninstall(plan_uninstall(name, plan.memory), plan.memory)
    assert not file.exists()


def test_git_has_no_commands_to_guard(work: Path) -> None:
    with pytest.raises(InputError, match="no commands"):
        plan_install("git", work, home_of(work), everywhere=False, guard=True)


@pytest.mark.parametrize("name", ["claude-code", "codex", "cursor", "gemini", "copilot"])
@pytest.mark.parametrize(("command", "held"), [("terraform destroy", True), ("ls", False)])
def test_what_is_installed_holds(work: Path, name: str, command: str, held: bool) -> None:
    agent = AGENTS[name]
    install(plan_install(name, work, home_of(work), everywhere=False, guard=True))
    ours = json.loads((work / agent.here).read_text())["hooks"][agent.before][0]
    ours = ours["hooks"][0] if "hooks" in ours else ours
    payload = {
        "claude-code": {"hook_event_name": "PreToolUse", "session_id": "s", "tool_name": "Bash"},
        "codex": {"hook_event_name": "PreToolUse", "turn_id": "t", "tool_name": "Bash"},
        "cursor": {"hook_event_name": "beforeShellExecution", "cursor_version": "1", "command": command},
        "gemini": {"hook_event_name": "BeforeTool", "session_id": "s", "tool_name": "run_shell_command"},
        "copilot": {"toolName": "bash", "toolArgs": json.dumps({"command": command})},
    }[name] | {"cwd": str(work)}
    if name not in ("cursor", "copilot"):
        payload["tool_input"] = {"command": command}
    line = ours.get("bash") or ours["command"]
    done = subprocess.run(["/bin/sh", "-c", line], input=json.dumps(payload).encode(), capture_output=True, check=False)
    said = done.stdout + done.stderr
    assert (b"deny" in said) == held, said
    assert (b"terraform destroy" in said) == held


def test_git_is_not_installed_everywhere(work: Path) -> None:
    with pytest.raises(InputError, match="one repository"):
        plan_install("git", work, home_of(work), everywhere=True)


def test_the_command_line(work: Path, tidegate: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    env = {"HOME": str(home_of(work))}
    done = tidegate("agent", "install", "claude-code", cwd=work, env=env)
    assert done.returncode == 2
    assert "+++ " in done.stdout
    assert "say --yes" in done.stderr
    assert not (work / ".claude").exists()
    done = tidegate("agent", "install", "claude-code", "--yes", cwd=work, env=env)
    assert (done.returncode, "tidegate agent install git" in done.stderr) == (0, True)
    said = tidegate("agent", "status", cwd=work, env=env).stdout
    assert "here" in said
    assert "attributed to no commit without git's hooks" in said
    payload = json.dumps({"hook_event_name": "PreToolUse", "cwd": str(work), "tool_name": "Read"})
    assert tidegate("agent", "hook", "claude-code", cwd=work, env=env, stdin=payload).returncode == 0
    assert tidegate("agent", "uninstall", "claude-code", "--yes", cwd=work, env=env).returncode == 0
    assert not (work / ".claude").exists()


@pytest.mark.skipif(shutil.which("node") is None, reason="the plugin of OpenCode is JavaScript")
def test_the_plugin_of_opencode_speaks_as_we_read(work: Path, tmp_path: Path) -> None:
    install(plan_install("opencode", work, home_of(work), everywhere=False))
    plugin = (work / AGENTS["opencode"].here).read_text()
    said = tmp_path / "said"
    start, end = plugin.index("const COMMAND = "), plugin.index("\n\nconst tell")
    catcher = json.dumps(["/bin/sh", "-c", f"cat >> {said}; echo >> {said}"])
    script = plugin[:start] + f"const COMMAND = {catcher}" + plugin[end:]
    (tmp_path / "plugin.mjs").write_text(script)
    (tmp_path / "run.mjs").write_text(
        'import { Tidegate } from "./plugin.mjs"\n'
        'const hooks = await Tidegate({ directory: "/r" })\n'
        'const call = { tool: "edit", sessionID: "s", callID: "c" }\n'
        'const model = { providerID: "p", modelID: "m" }\n'
        'await hooks["chat.message"]({ sessionID: "s", model }, { parts: [{ text: "do it" }] })\n'
        'await hooks["tool.execute.before"](call, { args: { filePath: "/r/a" } })\n'
        'await hooks["tool.execute.after"](call, {})\n'
    )
    subprocess.run(["node", "run.mjs"], cwd=tmp_path, check=True, env={"PATH": os.environ["PATH"]})
    events = [read_event("opencode", "", line) for line in said.read_bytes().split(b"\n") if line]
    assert [event.kind for event in events] == ["prompt", "before", "after"]
    assert {event.tool for event in events} == {"opencode"}
    assert events[0].prompt == "do it"
    assert (events[2].paths, events[2].model) == (["/r/a"], "p/m")


@pytest.mark.skipif(shutil.which("node") is None, reason="the plugin of OpenCode is JavaScript")
@pytest.mark.parametrize(("command", "held"), [("terraform destroy", True), ("ls", False)])
def test_the_plugin_of_opencode_asks_the_guard(work: Path, tmp_path: Path, command: str, held: bool) -> None:
    install(plan_install("opencode", work, home_of(work), everywhere=False, guard=True))
    shutil.copy(work / AGENTS["opencode"].here, tmp_path / "plugin.mjs")
    (tmp_path / "run.mjs").write_text(
        'import { Tidegate } from "./plugin.mjs"\n'
        f"const hooks = await Tidegate({{ directory: {json.dumps(str(work))} }})\n"
        'const call = { tool: "bash", sessionID: "s", callID: "c" }\n'
        f'await hooks["tool.execute.before"](call, {{ args: {{ command: {json.dumps(command)} }} }})\n'
    )
    done = subprocess.run(
        ["node", "run.mjs"], cwd=tmp_path, capture_output=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert (done.returncode != 0) == held
    assert (b"Tidegate holds this command" in done.stderr) == held
