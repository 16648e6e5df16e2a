"""Edits are recorded as they happen, and commits say who wrote their lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.hooked import call
from tests.repos import Repo
from tidegate.agent.hooks.diffs import Changed, Line
from tidegate.agent.hooks.journal import Run, append, read_counts, read_runs
from tidegate.agent.hooks.lines import digest, digests, inserted
from tidegate.agent.hooks.matching import match
from tidegate.agent.hooks.payload import read_event, sniff
from tidegate.agent.hooks.place import find_place
from tidegate.agent.install.git_hooks import HOOKS, hook_text
from tidegate.change.commits import read_commit_objects
from tidegate.change.git import open_repository
from tidegate.provenance.evidence import EvidenceIndex, read_evidence
from tidegate.provenance.recorder_key import RECORDS
from tidegate.settings import Settings

AI = {"tool": "claude", "session": "s", "model": "m", "human": "A <a@b.c>"}


class Desk:
    """A work tree with all hooks, a person and an agent at it."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo.init(folder / "work")
        self.home = folder / "home"
        self.home.mkdir()
        (self.home / ".gitconfig").write_text("[user]\n\tname = Alice Smith\n\temail = alice@example.com\n")
        for hook in HOOKS:
            file = self.repo.path / ".git/hooks" / hook
            file.parent.mkdir(exist_ok=True)
            file.write_text(hook_text(hook))
            file.chmod(0o755)
        self.write("app.py", "import os\n\n\ndef run():\n    return os.name\n")
        self.commit("begin")

    def write(self, name: str, text: str) -> None:
        path = self.repo.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def hook(self, event: str, tool: str = "Edit", name: str = "", **given: str) -> None:
        file = {"file_path": str(self.repo.path / name)} if name else {}
        payload = {"hook_event_name": event, "session_id": "s1", "cwd": str(self.repo.path), "model": "opus"}
        call(self.repo.path, "claude-code", {**payload, "tool_name": tool, "tool_input": {**file, **given}}, self.home)

    def edit(self, name: str, text: str) -> None:
        self.hook("PreToolUse", name=name)
        self.write(name, text)
        self.hook("PostToolUse", name=name)

    def commit(self, message: str, *arguments: str, **env: str) -> str:
        self.repo.clock += 60
        self.repo.git("add", "-A")
        self.repo.git("commit", "-q", *arguments, "-m", message, env={"HOME": str(self.home), **env})
        return self.repo.git("rev-parse", "HEAD")

    def evidence(self, monkeypatch: pytest.MonkeyPatch) -> tuple[EvidenceIndex, str]:
        monkeypatch.setenv("HOME", str(self.home))
        monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        head = self.repo.git("rev-parse", "HEAD")
        with open_repository(self.repo.path) as repository:
            commits = tuple(read_commit_objects(repository, [head]).values())
            return read_evidence(repository, Settings(), commits, None, ()), head

    def said(self, monkeypatch: pytest.MonkeyPatch, name: str, lines: int) -> list[str]:
        """What is known of the first lines of a file of HEAD, `E5 ai` or `E0 unknown`."""
        evidence, head = self.evidence(monkeypatch)
        found = [evidence.origin(head, name.encode(), line) for line in range(1, lines + 1)]
        return [f"{origin.evidence} {origin.writer}" for origin in found]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_an_agent_wrote_is_known_by_its_own_hook(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    prompt = {"hook_event_name": "UserPromptSubmit", "session_id": "s1", "cwd": str(desk.repo.path), "prompt": "do it"}
    call(desk.repo.path, "claude-code", dict(prompt), desk.home)
    desk.edit("app.py", "import os\n\n\ndef run():\n    print('by the agent')\n\n    return os.name\n")
    desk.commit("work")
    evidence, head = desk.evidence(monkeypatch)
    origin = evidence.origin(head, b"app.py", 5)
    assert (origin.evidence, origin.tool, origin.model, origin.session) == ("E5", "claude", "opus", "s1")
    assert origin.prompt.startswith("sha256:")
    assert len(origin.prompt) == 71
    assert evidence.origin(head, b"app.py", 6).evidence == "E5", "a blank line follows its neighbour"
    note = desk.repo.git("notes", "--ref=ai", "show", head)
    assert note.startswith("app.py\n  s_")
    assert "do it" not in note


def test_an_amend_keeps_what_was_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit("app.py", "written by an agent with hooks\n")
    desk.commit("work")
    desk.commit("the same, better told", "--amend")
    assert desk.said(monkeypatch, "app.py", 1) == ["E5 ai"]


def test_a_person_between_two_calls_is_known_by_elimination(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit("app.py", "the first line by an agent\nimport os\n")
    desk.write("app.py", "the first line by an agent\nthe second line by a person\nimport os\n")
    desk.edit("other.txt", "something else entirely\n")
    desk.commit("work")
    assert desk.said(monkeypatch, "app.py", 3) == ["E5 ai", "E4 human", "E0 unknown"]


def test_what_git_moved_was_typed_by_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.repo.git("checkout", "-q", "-b", "side")
    desk.write("app.py", "a line from the other branch, by nobody who said so\n")
    desk.commit("side", HOME="/nonexistent")
    desk.repo.git("checkout", "-q", "main")
    desk.edit("app.py", "import os\n")
    desk.commit("work")
    desk.repo.git("checkout", "-q", "side")
    desk.hook("PreToolUse", name="app.py")
    desk.write("more.txt", "x\n")
    desk.commit("again")
    place = find_place(str(desk.repo.path))
    assert place is not None
    brought = digest(b"a line from the other branch, by nobody who said so")
    assert read_runs(place, {brought}) == []


def test_an_agents_command_gives_it_what_it_names(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    command = "cat > made.txt <<EOF"
    desk.hook("PreToolUse", "Bash", command=command)
    desk.write("made.txt", "a line that a command wrote\n")
    desk.hook("PostToolUse", "Bash", command=command)
    desk.commit("work")
    assert desk.said(monkeypatch, "made.txt", 1) == ["E5 ai"]


def test_a_command_that_never_ended_gives_nothing_to_the_person(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit("app.py", "by the agent, first of all\n")
    desk.hook("PreToolUse", "Bash", command="make generate")
    desk.write("app.py", "by the agent, first of all\nby a command that failed, most likely\n")
    desk.hook("PreToolUse", "Bash", command="true")
    desk.hook("PostToolUse", "Bash", command="true")
    desk.commit("work")
    assert desk.said(monkeypatch, "app.py", 2) == ["E5 ai", "E0 unknown"]


def test_many_write_at_once(tmp_path: Path) -> None:
    Repo.init(tmp_path)
    place = find_place(str(tmp_path))
    assert place is not None
    code = (
        "from tidegate.agent.hooks.journal import append\n"
        "from tidegate.agent.hooks.place import find_place\n"
        f"place = find_place({str(tmp_path)!r})\n"
        "for n in range(100): append(place, 'a', '', {'human': 'A'}, [[f'{n:012x}'] * 400])\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    assert read_counts(place) == (400, 0)


def test_the_environment_speaks_where_no_hook_does(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("app.py", "written by an agent without hooks\n")
    head = desk.commit("work", CLAUDECODE="1", CLAUDE_CODE_SESSION_ID="abc")
    assert desk.said(monkeypatch, "app.py", 1) == ["E4 ai"]
    assert '"recorded_by": "environment"' in desk.repo.git("notes", "--ref=ai", "show", head)


def test_a_formatter_takes_nobodys_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit("app.py", "if True:\n  value = compute_everything( 1 )\n")
    desk.write("app.py", "if True:\n    value = compute_everything(1)\n")
    desk.commit("work")
    assert desk.said(monkeypatch, "app.py", 2) == ["E5 ai", "E5 ai"]


def test_work_trees_and_odd_names(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    desk.repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"))
    main, desk.repo.path = desk.repo.path, tmp_path / "tree"
    name = 'a "b"\tä.txt'
    desk.edit(name, "a line in a file with an odd name\n")
    desk.commit("work")
    evidence, head = desk.evidence(monkeypatch)
    assert evidence.origin(head, name.encode(), 1).evidence == "E5"
    assert not (main / name).exists()


def test_records_from_elsewhere_are_not_believed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.edit("app.py", "written by an agent with hooks\n")
    desk.commit("work")
    desk.repo.git("update-ref", "-d", "refs/notes/ai")
    assert desk.said(monkeypatch, "app.py", 1) == ["E5 ai"]
    records = desk.repo.path / ".git" / RECORDS
    honest = records.read_text()
    records.write_text(honest.replace("claude", "cursor"))
    assert desk.said(monkeypatch, "app.py", 1) == ["E0 unknown"]
    records.write_text(honest)
    (desk.home / ".local/state/tidegate/recorder.key").write_bytes(os.urandom(32))
    assert desk.said(monkeypatch, "app.py", 1) == ["E0 unknown"]


def test_somebody_elses_note_stays(desk: Desk) -> None:
    desk.edit("app.py", "written by an agent with hooks\n")
    head = desk.commit("work")
    theirs = 'app.py\n  h_31dce776f88375 1\n---\n{"schema_version": "authorship/3.0.0"}'
    desk.repo.git("notes", "--ref=ai", "add", "-f", "-m", theirs, head)
    place = find_place(str(desk.repo.path))
    assert place is not None
    desk.repo.git("hook", "run", "post-commit", env={"HOME": str(desk.home)})
    assert desk.repo.git("notes", "--ref=ai", "show", head) == theirs


def test_a_failing_recorder_stops_nobody(desk: Desk, tmp_path: Path) -> None:
    (desk.repo.path / ".git/tidegate").rename(desk.repo.path / ".git/away")
    (desk.repo.path / ".git/tidegate").write_text("a file where a folder should be")
    desk.write("app.py", "something\n")
    desk.commit("work")
    done = subprocess.run([*_entry(), "claude-code"], cwd=desk.repo.path, input=b"[]", capture_output=True, check=False)
    assert done.returncode == 1
    assert b"was not recorded" in done.stderr
    assert b"Traceback" not in done.stderr


def test_torn_records_spoil_no_other(tmp_path: Path) -> None:
    Repo.init(tmp_path)
    place = find_place(str(tmp_path))
    assert place is not None
    append(place, "a", "", AI, [["111111111111", "222222222222"]])
    journal = next(Path(place.shared).glob("journal-*"))
    whole = journal.read_bytes()
    for end in range(0, len(whole), 7):
        journal.write_bytes(whole[:end])
        append(place, "b", "", AI, [["333333333333"]])
        assert [run.path for run in read_runs(place, {"333333333333"})] == ["b"]
        assert read_counts(place)[0] >= 1
    journal.write_bytes(whole + b'\n{"path": 1}\t4\t.\n\nnonsense\n')
    assert read_counts(place) == (1, 2)


LINES = st.lists(st.sampled_from([b"a = 1", b"b = 2", b"}", b"", b"longer line"]), max_size=12)


@given(LINES, LINES)
def test_inserted_lines_are_what_the_shortest_edit_adds(old: list[bytes], new: list[bytes]) -> None:
    before, after = [digest(line) for line in old], [digest(line) for line in new]
    runs = inserted(before, after)
    table = [[0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for i, one in enumerate(before):
        for j, other in enumerate(after):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    assert sum(map(len, runs)) == len(after) - table[-1][-1]


@given(LINES)
def test_nothing_is_inserted_into_the_same(lines: list[bytes]) -> None:
    content = b"".join(line + b"\n" for line in lines)
    assert digests(content) == [digest(line) for line in lines]
    assert inserted(digests(content), digests(content.replace(b"\n", b"\r\n"))) == []


def changed(*lines: bytes, before: tuple[bytes, ...] = ()) -> Changed:
    file = Changed("a.py", "a.py")
    file.added = [Line(number, line) for number, line in enumerate(lines, 1)]
    file.before = {digest(line) for line in before}
    return file


def run_of(*lines: bytes, path: str = "a.py", head: str = "p") -> Run:
    return Run(path, head, AI, [digest(line) for line in lines])


def test_short_lines_tell_nothing_alone() -> None:
    run = run_of(b"value = compute(1)", b"}")
    assert set(match(changed(b"value = compute(1)", b"}"), [run], {"p"})) == {1, 2}
    assert match(changed(b"}", b"other"), [run], {"p"}) == {}
    assert match(changed(b"other", b"}"), [run], {"p"}) == {}


def test_old_records_and_other_files_must_be_telling() -> None:
    run = run_of(b"return None", b"a line that is long enough to tell")
    assert set(match(changed(b"return None"), [run], {"p"})) == {1}
    assert match(changed(b"return None"), [run], {"q"}) == {}
    assert set(match(changed(b"a line that is long enough to tell"), [run], {"q"})) == {1}
    told = changed(b"a line that is long enough to tell", before=(b"a line that is long enough to tell",))
    assert match(told, [run], {"q"}) == {}, "the parent has this line already: it is another one"
    moved = run_of(b"return compute()", b"a line that is long enough to tell", path="b.py")
    assert set(match(changed(b"return compute()"), [moved], {"p"})) == set()
    assert set(match(changed(b"a line that is long enough to tell"), [moved], {"p"})) == {1}


def test_one_recorded_line_is_one_line() -> None:
    run = run_of(b"a line that is long enough to tell")
    assert len(match(changed(*[b"a line that is long enough to tell"] * 3), [run], {"p"})) == 1


@pytest.mark.parametrize(
    ("name", "payload", "tool"),
    [
        ("claude-code", {"cursor_version": "2.1"}, "cursor"),
        ("claude-code", {"transcript_path": "/h/.cursor/x.jsonl"}, "cursor"),
        ("claude-code", {"transcript_path": "/h/Code/github.copilot-chat/x.json"}, "github-copilot"),
        ("claude-code", {"transcript_path": "/h/.claude/projects/x.jsonl"}, "claude"),
        ("cursor", {"transcript_path": "/h/.claude/projects/x.jsonl"}, "claude"),
        ("copilot", {"toolName": "edit"}, "github-copilot"),
        ("codex", {"turn_id": "1"}, "codex"),
        ("gemini", {"hook_event_name": "AfterTool"}, "gemini"),
        ("opencode", {"sessionID": "1"}, "opencode"),
        ("claude-code", {}, "claude"),
    ],
)
def test_a_payload_says_whose_it_is(name: str, payload: dict[str, object], tool: str) -> None:
    assert sniff(name, payload) == tool


@pytest.mark.parametrize(
    ("name", "event", "payload", "kind", "paths", "shell"),
    [
        (
            "codex",
            "",
            {
                "hook_event_name": "PostToolUse",
                "turn_id": "1",
                "session_id": "s",
                "model": "gpt",
                "cwd": "/r",
                "tool_name": "apply_patch",
                "tool_input": {"command": "*** Begin Patch\n*** Update File: a.py\n+x\n*** Add File: b/c.py\n+y\n"},
            },
            "after",
            ["/r/a.py", "/r/b/c.py"],
            False,
        ),
        (
            "cursor",
            "",
            {
                "hook_event_name": "afterFileEdit",
                "conversation_id": "c",
                "generation_id": "g",
                "workspace_roots": ["/r"],
                "file_path": "/r/a.ts",
                "edits": [{"old_string": "a", "new_string": "b"}],
            },
            "after",
            ["/r/a.ts"],
            False,
        ),
        (
            "gemini",
            "",
            {
                "hook_event_name": "BeforeTool",
                "session_id": "s",
                "cwd": "/r",
                "tool_name": "write_file",
                "tool_input": {"file_path": "a", "content": "x"},
            },
            "before",
            ["/r/a"],
            False,
        ),
        (
            "copilot",
            "preToolUse",
            {"sessionId": "s", "cwd": "/r", "toolName": "bash", "toolArgs": '{"command": "make"}'},
            "before",
            [],
            True,
        ),
        (
            "copilot",
            "postToolUse",
            {"cwd": "/r", "toolName": "edit", "toolArgs": {"path": "/r/x"}},
            "after",
            ["/r/x"],
            False,
        ),
        (
            "opencode",
            "",
            {
                "event": "PostToolUse",
                "sessionID": "s",
                "cwd": "/r",
                "tool_name": "write",
                "tool_input": {"filePath": "q"},
            },
            "after",
            ["/r/q"],
            False,
        ),
        ("claude-code", "", {"hook_event_name": "PreToolUse", "cwd": "/r", "tool_name": "Read"}, "", [], False),
    ],
)
def test_payloads_of_every_tool(
    name: str, event: str, payload: dict[str, object], kind: str, paths: list[str], shell: bool
) -> None:
    found = read_event(name, event, json.dumps(payload).encode())
    assert (found.kind, found.paths, found.shell) == (kind, paths, shell)


KEYS = st.sampled_from(
    "hook_event_name session_id cwd model tool_name tool_input toolArgs edits file_path prompt transcript_path".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, JSON, max_size=8))
def test_no_payload_breaks_the_reader(payload: dict[str, object]) -> None:
    found = read_event("claude-code", "PreToolUse", json.dumps(payload).encode())
    assert all(path.startswith("/") or path for path in found.paths)


def _entry() -> list[str]:
    from tidegate.agent.install.git_hooks import entry_arguments

    return entry_arguments()
