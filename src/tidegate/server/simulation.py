"""What rules that somebody just wrote would say of a change, asked in a process of its own.

A condition of a few hundred characters can take all memory of the machine, and must take none of the service's.

    python -m tidegate.server.simulation SECONDS MEMORY_MB

reads one `Asked` and writes one `Said`. Its parent believes nothing else.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.change.git_dir import safe_path
from tidegate.errors import GitError, InputError
from tidegate.policy.verdict import Verdict
from tidegate.server.api.problems import Problem
from tidegate.server.config import Config

SECONDS = 10
MEMORY_MB = 1024
LARGEST = 64 << 20
CHILD = (sys.executable, "-I", "-m", "tidegate.server.simulation")


class Asked(Struct, frozen=True):
    """`rules` is TOML with `[[rule]]` tables alone; owners and settings are those of `target` in the mirror."""

    rules: str
    mirror: str
    target: str
    document: Mapping[str, Any]


class Said(Struct, frozen=True, omit_defaults=True):
    """The verdict, or what was wrong. `unread`: not with the rules, but with the mirror."""

    verdict: Verdict | None = None
    what: str = ""
    where: str = ""
    mend: str = ""
    unread: bool = False


def simulate(config: Config, asked: Asked, command: Sequence[str] = CHILD) -> Verdict:
    """The verdict of these rules. InputError for rules that are not right, Problem 409 where the mirror cannot be read,
    422 where they take too much, 503 while another simulation is under way."""
    with _alone(config.data / "simulation.lock"):
        said = _run(asked, command)
    if said is None:
        raise Problem(422, f"these rules take more than {SECONDS} s or {MEMORY_MB} MB", mend="make them simpler")
    if said.unread:
        raise Problem(409, "the repository cannot be read here now")
    if said.verdict is None:
        raise InputError(said.what, where=said.where, mend=said.mend)
    return said.verdict


def main(arguments: Sequence[str]) -> int:
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        said = _answer(msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Asked))
        sys.stdout.buffer.write(msgspec.json.encode(said))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One at a time on this machine: each may take its bounds."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise Problem(503, "another simulation is under way", retry_after=5) from error
    finally:
        os.close(lock)


def _run(asked: Asked, command: Sequence[str]) -> Said | None:
    """What the child said; None where it was ended for taking too much."""
    with tempfile.TemporaryDirectory(prefix="tidegate-simulation-") as scratch, tempfile.TemporaryFile() as given:
        given.write(msgspec.json.encode(asked))
        given.seek(0)
        with tempfile.TemporaryFile() as answered:
            process = subprocess.Popen(  # noqa: S603 our own module
                [*command, str(SECONDS), str(MEMORY_MB)],
                stdin=given,
                stdout=answered,
                stderr=subprocess.DEVNULL,
                env={"PATH": safe_path(), "HOME": scratch, "TMPDIR": scratch, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                cwd=scratch,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout=2 * SECONDS)
            except subprocess.TimeoutExpired:
                code = -1
            finally:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            answered.seek(0)
            return msgspec.json.decode(answered.read(LARGEST), type=Said) if code == 0 else None


def _answer(asked: Asked) -> Said:
    from tidegate.change.configuration import read_settings
    from tidegate.change.git import open_repository
    from tidegate.change.owners_file import read_owners
    from tidegate.policy.decide import decide
    from tidegate.policy.rules import RuleTable, make_policy
    from tidegate.report.document import encodable
    from tidegate.settings import convert, read_toml

    try:
        table = read_toml(asked.rules.encode(), "rules")
        if extra := sorted(set(table) - {"rule"}):
            raise InputError(f"only [[rule]] can be tried here, not {extra[0]}")
        own = [RuleTable(each, "rules") for each in convert(table.get("rule", []), list[dict[str, object]], "rules")]
        with open_repository(Path(asked.mirror), bare=True) as mirror:
            tip = mirror.resolve(asked.target)
            settings = read_settings(mirror, tip, {}).settings
            policy = make_policy(own, read_owners(mirror, tip, settings), settings)
        verdict = decide(policy, asked.document)
    except GitError:
        return Said(unread=True)
    except InputError as error:
        return Said(what=error.what, where=error.where, mend=error.mend)
    return Said(msgspec.convert(encodable(msgspec.to_builtins(verdict)), Verdict))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
