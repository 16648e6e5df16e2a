"""`tidegate approve` as a person uses it: at a terminal, with a key of theirs, and never otherwise."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.approvals.keys import Authenticator, FileKey, HardwareKey
from tests.approvals.world import make_repo
from tests.repos import Repo
from tidegate.ledger.approval import make_keyring, open_sealed
from tidegate.provenance.environment import find_agent

Keys = dict[str, FileKey | HardwareKey | Authenticator]
LIMIT_SECONDS = 60
NOW = "2026-03-01T11:00:00Z"


class Ran(NamedTuple):
    code: int
    output: str


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "COLUMNS": "200", "TERM": "xterm", **more}


def at_a_terminal(folder: Path, arguments: list[str], typed: str, more: Mapping[str, str] | None = None) -> Ran:
    """Runs the command with a terminal of its own, and types when it asks."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("tidegate")), *arguments],
        stdin=follower, stdout=follower, stderr=follower, cwd=folder, env=environment(**(more or {})),
        start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    output, asked, ends = b"", False, time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < ends:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                part = os.read(leader, 1 << 16)
            except OSError:
                break
            if not part:
                break
            output += part
        if not asked and b"to sign, anything else to stop" in output:
            os.write(leader, f"{typed}\n".encode())
            asked = True
    if time.monotonic() >= ends:
        process.kill()
    code = process.wait()
    os.close(leader)
    return Ran(code, output.decode("utf-8", "replace").replace("\r\n", "\n"))


def plainly(folder: Path, *arguments: str, **more: str) -> Ran:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("tidegate")), *arguments],
        cwd=folder, env=environment(**more), capture_output=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return Ran(done.returncode, (done.stdout + done.stderr).decode())


@pytest.fixture(scope="module")
def shop(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    folder = tmp_path_factory.mktemp("command")
    return make_repo(folder / "repo", {name: key for name, key in keys.items() if name != "lost"})


def key_path(keys: Keys, name: str) -> str:
    key = keys[name]
    assert isinstance(key, FileKey)
    return str(key.path)


def merge_tree(repo: Repo) -> str:
    return repo.git("merge-tree", "--write-tree", "main", "feature")


def test_a_person_signs_hands_it_in_and_it_counts(shop: Repo, keys: Keys) -> None:
    wanted = merge_tree(shop)
    arguments = ["approve", "main..feature", "--key", key_path(keys, "bob"), "--now", NOW]
    ran = at_a_terminal(shop.path, arguments, f"approve {wanted[:8]}")
    assert ran.code == 0, ran.output
    for shown in ("What changes", "src/pay.py", "What you sign", "I approve this change.", f"merge tree: {wanted}"):
        assert shown in ran.output
    (written,) = (shop.path / ".git" / "tidegate" / "approvals").glob("*.json")
    opened = open_sealed(written.read_bytes(), make_keyring({"bob": [keys["bob"].line]}))
    assert (opened.terms.merge_tree, opened.terms.target, opened.terms.person) == (wanted, "refs/heads/main", "bob")
    for line in opened.terms.text.splitlines():
        assert line in ran.output
    checked = plainly(
        shop.path, "check", "main..feature", "--approvals", str(written.parent), "--format", "json", "--now",
        "2026-03-01T12:00:00Z",
    )  # fmt: skip
    rules = {rule["id"]: rule["obligations"][0] for rule in json.loads(checked.output)["verdict"]["rules"]}
    assert rules["signed"]["state"] == rules["owners"]["state"] == "met"
    assert rules["hardware"]["state"] == "unmet"
    said = plainly(shop.path, "approve", "verify", str(written), "--at", "main")
    assert said.code == 0
    assert "Signed by bob with SHA256:" in said.output
    written.unlink()


def test_anything_else_than_the_words_signs_nothing(shop: Repo, keys: Keys) -> None:
    for typed in ("yes", "approve 00000000"):
        arguments = ["approve", "main..feature", "--key", key_path(keys, "bob"), "--now", NOW]
        ran = at_a_terminal(shop.path, arguments, typed)
        assert ran.code == 2
        assert "nothing was signed" in ran.output
    assert not list((shop.path / ".git").glob("tidegate/approvals/*"))


def test_without_a_terminal_nothing_is_signed(shop: Repo, keys: Keys) -> None:
    ran = plainly(shop.path, "approve", "main..feature", "--key", key_path(keys, "bob"))
    assert ran.code == 2
    assert "confirmed at a terminal" in ran.output


def test_in_an_agents_session_nothing_is_signed(shop: Repo, keys: Keys) -> None:
    arguments = ["approve", "main..feature", "--key", key_path(keys, "bob"), "--now", NOW]
    ran = at_a_terminal(shop.path, arguments, "", {"CLAUDECODE": "1"})
    assert ran.code == 2
    assert "the session of Claude Code (CLAUDECODE is set), and agents do not approve" in ran.output


def test_a_key_of_nobody_signs_nothing(shop: Repo, keys: Keys) -> None:
    ran = at_a_terminal(shop.path, ["approve", "main..feature", "--key", key_path(keys, "lost")], "")
    assert ran.code == 2
    assert "is nobody's key at the base of the change" in ran.output


def test_a_key_in_the_agent_is_found(shop: Repo, keys: Keys, tmp_path: Path) -> None:
    socket = tmp_path / "s"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if socket.exists():
                break
            time.sleep(0.05)
        there = {"SSH_AUTH_SOCK": str(socket)}
        added = ["ssh-add", "-q", key_path(keys, "bob")]
        subprocess.run(added, env=environment(**there), check=True, capture_output=True)
        out = tmp_path / "approval.json"
        arguments = ["approve", "main..feature", "--withdraw", "--now", NOW, "--out", str(out)]
        ran = at_a_terminal(shop.path, arguments, f"withdraw {merge_tree(shop)[:8]}", there)
        assert ran.code == 0, ran.output
        assert open_sealed(out.read_bytes(), make_keyring({"bob": [keys["bob"].line]})).terms.word == "withdrawn"
    finally:
        agent.kill()
        agent.wait()


@pytest.mark.parametrize(
    "variables",
    [
        {"AI_AGENT": "claude-code@2"}, {"CURSOR_AGENT": "1"}, {"CODEX_THREAD_ID": "x"}, {"GEMINI_CLI": "1"},
        {"OPENCODE": "1"}, {"AGENT": "goose"}, {"CLOUD_AGENT_ID": "7"}, {"HOME": "/home/jules"},
        {"REPLIT_MODE": "assistant"},
    ],
)  # fmt: skip
def test_agents_are_known_by_what_they_set(variables: dict[str, str]) -> None:
    assert find_agent({"PATH": "/bin", **variables})


def test_people_are_not_taken_for_agents() -> None:
    for own in ({}, {"CURSOR_TRACE_ID": "1"}, {"TERM_PROGRAM": "vscode"}, {"CLAUDECODE": "0"}, {"AGENT": "ssh"}):
        assert find_agent({"PATH": "/bin", "HOME": "/home/bob", **own}) == ""
