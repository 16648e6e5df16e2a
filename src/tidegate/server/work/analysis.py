"""Has a change analysed by a child process, and makes of whatever becomes of that child a decision.

The child is bounded in memory, processor time, wall time and output, has no credential in its environment, and is ended
as a group. What it could not do is unknown, and a decision that holds the change says so: never a pass, never silence.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.change.git_dir import safe_path
from tidegate.facts import SECTIONS, Facts, Unknown
from tidegate.policy.verdict import RuleResult, Verdict
from tidegate.server.config import Limits
from tidegate.server.work.asked import decided
from tidegate.server.work.child import OUT_OF_MEMORY
from tidegate.server.work.questions import UNREAD_POLICY, Answer, Ask, Begun, Done, Failed, key_of

MOST_OUTPUT_BYTES = 128 << 20
CHILD = (sys.executable, "-I", "-m", "tidegate.server.work.child")
UNANALYSED = "not-analysed"
"""The rule that holds a change which could not be analysed."""


class Analysis(Struct, frozen=True):
    """What the decision is about, and the decision: None where it was made before. `problem` is why it is unknown."""

    begun: Begun
    done: Done | None
    problem: str = ""


def analyse(ask: Ask, limits: Limits, command: Sequence[str] = CHILD) -> Analysis:
    """The analysis of a change. It never fails: where nothing can be told, that is what it tells."""
    answers, problem = _run(ask, limits, command)
    begun = next((each for each in answers if isinstance(each, Begun)), None)
    done = next((each for each in answers if isinstance(each, Done)), None)
    failed = next((each for each in answers if isinstance(each, Failed)), None)
    if begun is not None and begun.known:
        return Analysis(begun, None)
    if begun is not None and done is not None and not problem:
        return Analysis(begun, done)
    return unknown(ask, begun, problem or (failed.reason if failed else "the analysis gave no answer"))


def policy_at(ask: Ask, limits: Limits, command: Sequence[str] = CHILD) -> str:
    """The digest of the policy at the tip; UNREAD_POLICY where it cannot be read."""
    answers, _ = _run(ask, limits, command)
    return next((each.policy for each in answers if isinstance(each, Begun)), UNREAD_POLICY)


def unknown(ask: Ask, begun: Begun | None, reason: str, head: str = "") -> Analysis:
    """The decision where there is no analysis: hold, with the reason.

    What it follows from may be unknown too; then it is one decision for these commits, and another comes with the
    first analysis that succeeds.
    """
    if begun is None or not begun.key:
        key = key_of("tidegate.unknown/1", ask.repository, str(ask.number), ask.tip, head, ask.again)
        begun = Begun(begun.policy if begun else UNREAD_POLICY, key, ask.tip, head)
    nothing = {name: type(getattr(_EMPTY, name))(unknowns=(Unknown(name, reason),)) for name in SECTIONS}
    rule = RuleResult(
        id=UNANALYSED,
        title="The change could not be analysed",
        effect="hold",
        mode="enforce",
        state="unknown",
        outcome="hold",
        quantifier="all",
        conditions=(),
        obligations=(),
        reason=reason,
        owner="",
        origin="the service",
    )
    verdict = Verdict("hold", "merge", (rule,), policy="not read", policy_digest=begun.policy)
    return Analysis(begun, decided(Facts(now=ask.now, **nothing), verdict), reason)


# Private

_EMPTY = Facts(now="")
_ANSWER: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)
"""Made once, under the lock of the import: see `record._CHECK`."""


def _run(ask: Ask, limits: Limits, command: Sequence[str]) -> tuple[list[Answer], str]:
    """What the child said, and what was wrong with it."""
    with tempfile.TemporaryDirectory(prefix="tidegate-child-", ignore_cleanup_errors=True) as scratch:
        with (Path(scratch) / "asked").open("w+b") as asked:
            asked.write(msgspec.json.encode(ask))
            asked.seek(0)
            process = subprocess.Popen(  # noqa: S603 our own module
                [*command, str(limits.seconds), str(limits.memory_mb)],
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(scratch, ask.mirror),
                cwd=scratch,
                start_new_session=True,
            )
        output, problem = _read(process, limits)
    answers, garbage = _decode(output)
    return answers, problem or _ended(process.returncode, limits) or garbage


def _read(process: subprocess.Popen[bytes], limits: Limits) -> tuple[bytes, str]:
    """Its output, and why it was ended before its time. All that it started is ended with it."""
    assert process.stdout is not None  # noqa: S101 it was asked for
    parts, size, problem, ends = [], 0, "", time.monotonic() + limits.seconds
    with process.stdout as stream, selectors.DefaultSelector() as ready:
        ready.register(stream, selectors.EVENT_READ)
        while not problem:
            if not ready.select(max(0.0, ends - time.monotonic())):
                problem = f"the analysis took longer than {limits.seconds} s"
            elif part := os.read(stream.fileno(), 1 << 20):
                parts.append(part)
                size += len(part)
                if size > MOST_OUTPUT_BYTES:
                    problem = f"the analysis answered with more than {MOST_OUTPUT_BYTES >> 20} MB"
            else:
                break
        if not problem:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, ends - time.monotonic()))
    _kill(process)
    process.wait()
    return (b"" if problem else b"".join(parts)), problem


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _ended(code: int, limits: Limits) -> str:
    if code == 0:
        return ""
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"the analysis used more than {limits.seconds} s of processor time, or was ended from outside"
    if code == OUT_OF_MEMORY:
        return f"the analysis needed more than {limits.memory_mb} MB of memory"
    return f"the analysis broke off ({f'signal {-code}' if code < 0 else f'exit code {code}'})"


def _decode(output: bytes) -> tuple[list[Answer], str]:
    try:
        return [_ANSWER.decode(line) for line in output.splitlines()], ""
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [], "the analysis answered with what is no answer"


def _environment(scratch: str, mirror: str) -> dict[str, str]:
    """Nothing of ours: settings of the service, and with them its secrets, stay here."""
    return {
        "PATH": safe_path(),
        "HOME": scratch,
        "TMPDIR": scratch,
        "XDG_CACHE_HOME": f"{mirror}.cache",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
