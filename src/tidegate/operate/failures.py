"""What a command failed of: each failing test that its output names, and the kind and message of each failure.

Formats: pytest's sections and its summary, `unittest`, `go test`; of anything else the whole output is one failure.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.operate.frames import read_traces
from tidegate.verify.runner import Ran

Outcome: TypeAlias = Literal["same", "passed", "other"]
"""`same`: it fails as it did. `other`: it fails in another way, or did not run."""

WHOLE = ""
"""The name of what failed where the output names no test."""
MOST_FAILURES = 200


class Failures(Struct, frozen=True):
    """The failing tests by name with what each failure is told by; how many tests passed, -1 where that is not said.

    `broken` is true where some of the tests could not even be collected.
    """

    told: Mapping[str, str]
    passed: int = -1
    broken: bool = False


def read_failures(ran: Ran) -> Failures:
    """The failures of a run. One that failed without naming a test has one failure, `WHOLE`."""
    sections, broken = _sections(ran.output)
    if not sections and not broken and _failed(ran):
        sections = {WHOLE: ran.output}
    counted = [int(found["count"]) for found in _PASSED.finditer(ran.output[-4000:])]
    told = {name: signature(text, ran.exit_code) for name, text in list(sections.items())[:MOST_FAILURES]}
    summed = bool(_SUMMARY.search(ran.output[-4000:]))
    return Failures(told, counted[-1] if counted else 0 if summed else -1, broken or ran.timed_out)


def texts_of(ran: Ran) -> dict[str, str]:
    """What the output says of each failing test, all of it for `WHOLE`."""
    sections, _ = _sections(ran.output)
    return sections or {WHOLE: ran.output}


def compare(first: Failures, ran: Ran) -> dict[str, Outcome]:
    """What became of each failure of the first run. A test that is not told to fail has passed only where so many more
    tests passed, or where the command succeeded and does not count its tests."""
    now = read_failures(ran)
    gone = [name for name in first.told if name not in now.told]
    if now.passed >= 0 and first.passed >= 0:
        passed = not now.broken and now.passed - first.passed >= len(gone)
    else:
        passed = not _failed(ran)
    found: dict[str, Outcome] = {}
    for name, told in first.told.items():
        if name in now.told:
            found[name] = "same" if now.told[name] == told else "other"
        else:
            found[name] = "passed" if passed else "other"
    return found


def overall(outcomes: Mapping[str, Outcome]) -> Outcome:
    """One outcome for all: `other` where they differ."""
    kinds = set(outcomes.values())
    return kinds.pop() if len(kinds) == 1 else "other"


def signature(output: str, exit_code: int) -> str:
    """What a failure is told by: the kinds and messages of its exceptions, without addresses, lines, times."""
    told = [f"{trace.kind}: {trace.message}" for trace in read_traces(output)]
    told += [line[1:].strip() for line in output.split("\n") if line.startswith("E  ")]
    if not told:
        told = [f"exit {exit_code}", *output.strip().split("\n")[-3:]]
    text = "\n".join(told)
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


# Private

_HEADING = re.compile(
    r"^(?:_{3,} (?:ERROR at (?:setup|teardown|call) of )?(?P<pytest>\S.*?) _{3,}"
    r"|(?:FAIL|ERROR): (?P<unittest>\S+ \([\w.]+\).*)"
    r"|\s*--- FAIL: (?P<go>\S+) \([0-9.]+s\))$"
)
_END = re.compile(r"^(?:={3,} .* ={3,}|-{60,}|FAIL|ok\s.*)$")
_COLLECTING = "ERROR collecting "
_PASSED = re.compile(r"\b(?P<count>\d+) passed\b")
_SUMMARY = re.compile(r"^(?:=+ )?\d+ (?:failed|passed|errors?|skipped|deselected)\b.* in [0-9.]+s", re.MULTILINE)
_VARYING = (
    (re.compile(r"0x[0-9a-fA-F]{4,}"), "0x"),
    (re.compile(r"\S*/tidegate-replay-\w+/tree"), ""),
    (re.compile(r"\bline \d+"), "line"),
    (re.compile(r":\d+(?=[:\s]|$)"), ":"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:s|ms|seconds)\b"), "0s"),
)


def _failed(ran: Ran) -> bool:
    return ran.exit_code != 0 or ran.timed_out


def _sections(output: str) -> tuple[dict[str, str], bool]:
    """The text of each failure by its test, and whether something could not be collected."""
    found: dict[str, list[str]] = defaultdict(list)
    name, broken = "", False
    for line in output.split("\n"):
        if heading := _HEADING.match(line):
            name = heading[heading.lastgroup or 0]
            if name.startswith(_COLLECTING):
                name, broken = "", True
            else:
                found[name].append("")
        elif name and _END.match(line) and not line.startswith("-" * 60):
            name = ""
        elif name:
            found[name].append(line)
    return {test: "\n".join(lines) for test, lines in found.items()}, broken
