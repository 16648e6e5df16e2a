"""What the MCP server costs: python -m bench.agent.mcp FOLDER [PATH]

CPU of the whole process tree, user and system: the start until the tools are listed, then one call of each tool that
needs no service, cold (without our caches) and warm. The repository is cloned into a scratch folder first.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).parent / "tidegate")
RULE = """
[[rule]]
id = "large"
title = "Large changes are read by two"
effect = "hold"
reason = "large"
owner = "team"
when = { all = ["change.lines_added > 400"] }
require = [{ approvals = 2 }]
"""


def main(arguments: list[str]) -> None:
    folder, path = arguments[0], arguments[1] if len(arguments) > 1 else ""
    with tempfile.TemporaryDirectory() as scratch:
        work = f"{scratch}/work"
        subprocess.run(["git", "clone", "-q", folder, work], check=True)
        chosen = path or _largest(Path(work))
        print(f"start until tools are listed{'':24} {_run(work, []):6.2f} s CPU")
        for tool, given in _calls(chosen):
            base = _run(work, [])
            cold = _run(work, [(tool, given)]) - base
            size = 0
            warm = min(_run(work, [(tool, given)]) for _ in range(2)) - base
            size = _size(work, tool, given)
            print(f"{tool:32} {cold:6.2f} s CPU cold, {warm:6.2f} warm, {size:6,} characters")


def _calls(path: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("explain_rule", {"id": "no-self-approval"}),
        ("who_wrote", {"path": path, "lines": "1-40"}),
        ("reach_of", {"path": path}),
        ("assess_change", {"base": "HEAD~3"}),
        ("what_is_missing", {"base": "HEAD~3"}),
        ("assess_change", {"what": "worktree"}),
        ("guidance_for", {"path": path}),
        ("simulate_policy", {"policy": RULE, "since": "1y", "most": 100}),
    ]


def _run(work: str, calls: list[tuple[str, dict[str, Any]]]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _talk(work, calls)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _size(work: str, tool: str, given: dict[str, Any]) -> int:
    answer = _talk(work, [(tool, given)])
    return len(answer["result"]["content"][0]["text"])


def _talk(work: str, calls: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The last answer. Every message is written by hand: a client would be measured as well."""
    start = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    with subprocess.Popen(
        [COMMAND, "mcp", "--repo", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}
    ) as process:
        asked = [("initialize", start), ("tools/list", {})]
        asked += [("tools/call", {"name": tool, "arguments": given}) for tool, given in calls]
        answer: dict[str, Any] = {}
        for number, (method, params) in enumerate(asked):
            answer = _ask(process, {"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
    return answer


def _ask(process: subprocess.Popen[bytes], message: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    if message["method"] == "initialize":
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        process.stdin.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        return answer
    while True:
        answer = json.loads(process.stdout.readline())
        if answer.get("id") == message["id"]:
            return answer


def _largest(work: Path) -> str:
    """The Python file that most is written in."""
    files = [file for file in work.rglob("*.py") if "test" not in file.as_posix()[len(str(work)) :]]
    return max(files, key=lambda file: file.stat().st_size).relative_to(work).as_posix()


if __name__ == "__main__":
    begun = time.monotonic()
    main(sys.argv[1:])
    print(f"{time.monotonic() - begun:.0f} s in all")
