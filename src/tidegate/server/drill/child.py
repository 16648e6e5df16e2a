"""An exercise made from a mirror, or judged beside it, in a process of its own: what stands there is somebody else's.

    python -m tidegate.server.drill.child SECONDS MEMORY_MB

reads one `Making` or `Judging` and writes one `Made` or `Judged`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.drill.values import Given, Report, Scenario
from tidegate.errors import GitError, InputError
from tidegate.server.bounded import LARGEST, Bounds, Wrong, child, run

BOUNDS = Bounds(240, 3072)
CHILD = child("tidegate.server.drill.child")


class Making(Struct, frozen=True, tag=True):
    """`given`: a scenario from elsewhere, to be checked; None: one is made, of `pattern`, "" for the one that fits."""

    mirror: str
    revision: str
    name: str
    pattern: str
    seed: int
    given: Scenario | None = None


class Judging(Struct, frozen=True, tag=True):
    """A scenario that was played, and what was decided in it."""

    mirror: str
    scenario: Scenario
    answers: Mapping[str, Given]


class Made(Struct, frozen=True, omit_defaults=True):
    """The scenario as the repository has it, or what was wrong."""

    scenario: Scenario | None = None
    wrong: Wrong = Wrong()


class Judged(Struct, frozen=True, omit_defaults=True):
    """The report, with each rule tried on the past, or what was wrong."""

    report: Report | None = None
    wrong: Wrong = Wrong()


def make(asked: Making, command: Sequence[str] = CHILD) -> Made | None:
    """None where it took more than its bounds, or failed."""
    said = run(command, msgspec.json.encode(asked), BOUNDS)
    return None if said is None else msgspec.json.decode(said, type=Made)


def judge(asked: Judging, command: Sequence[str] = CHILD) -> Judged | None:
    """None where it took more than its bounds, or failed."""
    said = run(command, msgspec.json.encode(asked), BOUNDS)
    return None if said is None else msgspec.json.decode(said, type=Judged)


def main(arguments: Sequence[str]) -> int:
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Making | Judging)
        said: Made | Judged = _make(asked) if isinstance(asked, Making) else _judge(asked)
        sys.stdout.buffer.write(msgspec.json.encode(said))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


def _make(asked: Making) -> Made:
    from tidegate.change.git import open_repository
    from tidegate.drill.field import open_field
    from tidegate.drill.make import new_drill

    try:
        with open_repository(Path(asked.mirror), bare=True) as repository:
            if asked.given is None:
                made = new_drill(repository, {}, pattern=asked.pattern, seed=asked.seed, revision=asked.revision)
                return Made(replace(made, repository=asked.name))
            with open_field(repository, asked.given, {}) as field:
                return Made(field.scenario)
    except InputError as error:
        return Made(wrong=Wrong(error.what, error.where, error.mend))
    except GitError:
        return Made(wrong=Wrong(unread=True))


def _judge(asked: Judging) -> Judged:
    from tidegate.change.git import open_repository
    from tidegate.drill.after import backtested, report_of
    from tidegate.drill.field import open_field

    try:
        with (
            open_repository(Path(asked.mirror), bare=True) as repository,
            open_field(repository, asked.scenario, {}) as field,
        ):
            tested = backtested(field, field.scenario)
            return Judged(report_of(field.scenario, asked.answers, "", field, tested))
    except InputError as error:
        return Judged(wrong=Wrong(error.what, error.where, error.mend))
    except GitError:
        return Judged(wrong=Wrong(unread=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
