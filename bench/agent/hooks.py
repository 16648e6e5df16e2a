"""What a hook call costs: python -m bench.agent.hooks

CPU of the whole process tree, user and system, the interpreter's start included; the median of fifty calls each. Run it
with `env -u PYTHONDONTWRITEBYTECODE`: a hook without its compiled modules costs a third more.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

CALLS = 50
ENTRY = Path(__file__).resolve().parents[2] / "src/tidegate/agent/hooks/entry.py"
FILES, LINES = 200, 400


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home, work = Path(folder) / "home", Path(folder) / "work"
        home.mkdir()
        work.mkdir()
        os.environ.update(HOME=str(home), GIT_CONFIG_NOSYSTEM="1", **dict.fromkeys(("GIT_CONFIG_GLOBAL",), os.devnull))
        for name, email in (("AUTHOR", "a@example.com"), ("COMMITTER", "a@example.com")):
            os.environ.update({f"GIT_{name}_NAME": "A", f"GIT_{name}_EMAIL": email})
        _prepare(work)
        print(f"{'python -c pass':44} {_median([sys.executable, '-I', '-S', '-c', 'pass'], work, b''):6.1f} ms CPU")
        for title, command, payload, before in _calls(work):
            print(f"{title:44} {_median(command, work, payload, before):6.1f} ms CPU")


def _calls(work: Path) -> list[tuple[str, list[str], bytes, Callable[[int], None] | None]]:
    file = work / "file0.py"

    def payload(event: str, tool: str, **given: str) -> bytes:
        return json.dumps(
            {
                "hook_event_name": event,
                "session_id": "s1",
                "cwd": str(work),
                "tool_name": tool,
                "tool_input": given,
                **({"prompt": "write it"} if event == "UserPromptSubmit" else {}),
                "model": "m",
            }
        ).encode()

    def edit(number: int) -> None:
        file.write_text(file.read_text() + f"value_{number} = compute({number})\n")

    def commit(number: int) -> None:
        for event in ("PreToolUse", "PostToolUse"):
            if event == "PostToolUse":
                edit(number)
            call = payload(event, "Edit", file_path=str(file))
            subprocess.run(agent, cwd=work, input=call, check=True, capture_output=True)
        _git(work, "commit", "-qam", f"work {number}")

    agent = [sys.executable, "-I", "-S", str(ENTRY), "claude-code"]
    git = [sys.executable, "-I", "-S", str(ENTRY), "git"]
    return [
        ("before an edit", agent, payload("PreToolUse", "Edit", file_path=str(file)), None),
        ("before an edit, a person typed", agent, payload("PreToolUse", "Edit", file_path=str(file)), edit),
        ("after an edit", agent, payload("PostToolUse", "Edit", file_path=str(file)), edit),
        ("before a command", agent, payload("PreToolUse", "Bash", command="make"), None),
        ("after a prompt", agent, payload("UserPromptSubmit", ""), None),
        ("git prepare-commit-msg", [*git, "prepare-commit-msg"], b"", None),
        (f"git post-commit ({FILES} files, {LINES} lines)", [*git, "post-commit"], b"", commit),
    ]


def _prepare(work: Path) -> None:
    _git(work, "init", "-q", "-b", "main")
    for number in range(FILES):
        (work / f"file{number}.py").write_text("".join(f"line_{number}_{n} = {n}\n" for n in range(LINES)))
    _git(work, "add", "-A")
    _git(work, "commit", "-qm", "begin")


def _git(work: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=work, check=True)


def _median(command: Sequence[str], work: Path, payload: bytes, before: Callable[[int], None] | None = None) -> float:
    costs: list[float] = []
    for number in range(CALLS):
        if before is not None:
            before(number)
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=work, input=payload, check=True, capture_output=True)
        end = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append((end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime) * 1000)
    return statistics.median(costs)


if __name__ == "__main__":
    main()
