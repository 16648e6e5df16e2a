"""One run of the user's test command with our plugin in it, and the events that it wrote."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.change.git_dir import read_small
from tidegate.errors import InputError
from tidegate.verify.runner import Limits, Ran, run_limited

DEFAULT_COMMAND = "pytest -q"
MEMORY_BYTES = 2 << 30
"""What a process with a mutant may take beyond what it has: one that fills the memory is stopped."""

EVENTS_LIMIT_BYTES = 256 << 20


class Ground(Struct, frozen=True):
    """Where and how tests run: the laid-out tree, the folder of our plugin, the folders that Python imports from."""

    tree: Path
    scratch: Path
    roots: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]


class Heard(Struct, frozen=True):
    """The events of a run, and how it ended."""

    events: tuple[dict[str, Any], ...]
    ran: Ran

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("kind") == kind]


def ground(
    tree: Path, scratch: Path, roots: Sequence[str], command: str, surroundings: tuple[str, Mapping[str, str]]
) -> Ground:
    """Prepares a scratch folder. `surroundings` are the interpreter and the environment. Raises InputError for a
    command that cannot be read."""
    python, environment = surroundings
    code = scratch / "code"
    code.mkdir(parents=True)
    for file in sorted((Path(__file__).parent / "inside").glob("tidegate_*.py")):
        shutil.copyfile(file, code / file.name)
    return Ground(tree, scratch, tuple(roots), _words(command, python), _clean(environment))


def run_job(place: Ground, job: Mapping[str, Any], seconds: float) -> Heard:
    """Run the command once with this job."""
    out, told = place.scratch / "events.jsonl", place.scratch / "job.json"
    try:
        for file in (out, told):
            file.unlink(missing_ok=True)
        told.write_bytes(msgspec.json.encode({**job, "out": str(out), "root": str(place.tree), "memory": MEMORY_BYTES}))
        place.tree.stat()
    except OSError as error:
        return Heard(
            (), Ran(-1, False, 0.0, 0.0, f"the tests took away the folder that they run in ({error.strerror})")
        )
    own = dict(place.environment)
    roots = [str(place.tree / root) if root else str(place.tree) for root in place.roots]
    paths = [str(place.scratch / "code"), *roots, *filter(None, [own.get("PYTHONPATH", "")])]
    own["PYTHONPATH"] = os.pathsep.join(paths)
    own["PYTEST_ADDOPTS"] = f"{own.get('PYTEST_ADDOPTS', '')} -p tidegate_mutate".strip()
    own["TIDEGATE_MUTATE_JOB"] = str(told)
    ran = run_limited(place.command, place.tree, own, Limits(seconds=seconds))
    return Heard(tuple(_events(out)), ran)


# Private

_NOT_OURS = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "COVERAGE_PROCESS_START", "PYTHONSAFEPATH")


def _words(command: str, python: str) -> tuple[str, ...]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"the command cannot be read ({error})", where="--command", mend="check its quotes") from error
    if not words:
        raise InputError("the command is empty", where="--command", mend="write it like 'pytest -q'")
    if words[0] in ("pytest", "py.test"):
        return (python, "-m", "pytest", *words[1:])
    return (python, *words[1:]) if words[0] in ("python", "python3") else tuple(words)


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    # Compiled tests are kept beside them, in the temporary tree: a second run need not compile them again.
    left = (*_NOT_OURS, "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    kept = {k: v for k, v in environment.items() if k not in left and not k.startswith(("TIDEGATE_", "GIT_"))}
    kept.setdefault("PYTHONHASHSEED", "0")
    return kept


class _Test(Struct):
    test: str
    seconds: float
    outcome: str
    covered: list[int]
    near: list[int]


class _Mutant(Struct):
    id: int
    outcome: str
    killer: str
    tests: int
    passed: list[str] = []


class _Collected(Struct):
    tests: int
    outside: list[int] = []
    imported: dict[str, str] = {}


class _Named(Struct):
    test: str


class _Left(Struct):
    test: str
    why: str


class _Broken(Struct):
    what: str
    why: str = ""


class _Seconds(Struct):
    seconds: float = 0.0
    cpu: float = 0.0


_SHAPES = {
    "test": _Test,
    "mutant": _Mutant,
    "collected": _Collected,
    "left-out": _Left,
    "broken": _Broken,
    "failed": _Named,
    "passed": _Named,
    "heard": _Seconds,
    "served": _Seconds,
}


def _events(out: Path) -> list[dict[str, Any]]:
    """Lines that are no events are left out: tests could have written them, and the last may be broken off."""
    found = []
    for line in (read_small(out, EVENTS_LIMIT_BYTES) or b"").split(b"\n"):
        try:
            event = msgspec.json.decode(line, type=dict[str, Any])
            msgspec.convert(event, _SHAPES.get(str(event.get("kind")), Struct))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        found.append(event)
    return found
