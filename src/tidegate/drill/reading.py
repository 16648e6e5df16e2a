"""Scenarios and answers from files: bounded, and refused whole where anything in them does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from tidegate.drill.values import Answers, Scenario
from tidegate.errors import InputError

LARGEST_BYTES = 2 << 20
T = TypeVar("T", Scenario, Answers)


def read_scenario(path: Path) -> Scenario:
    """A scenario that `drill new` wrote, here or elsewhere. Raises InputError for anything else."""
    return scenario_of(_content(path), str(path))


def scenario_of(content: bytes, where: str) -> Scenario:
    """The same, of what was read already; `where` names it in errors."""
    scenario = _decoded(content, where, Scenario, "write one with `tidegate drill new -o FILE`")
    names = [decision.id for decision in scenario.decisions]
    if len(set(names)) < len(names):
        raise InputError("two of its decisions have one id", where=where, mend="make it anew")
    for decision in scenario.decisions:
        options = [option.id for option in decision.options]
        if len(set(options)) < len(options):
            raise InputError(f"two options of the decision {decision.id} have one id", where=where, mend="make it anew")
    return scenario


def read_answers(path: Path, scenario: Scenario) -> Answers:
    """What was decided, for a run that nobody sits at. Raises InputError for a decision that the scenario lacks."""
    answers = _decoded(_content(path), str(path), Answers, "docs/drill.md shows one")
    known = {decision.id for decision in scenario.decisions}
    seen: set[str] = set()
    for given in answers.answers:
        if given.decision not in known:
            raise InputError(
                f"the scenario has no decision {given.decision}",
                where=str(path),
                mend=f"known: {', '.join(sorted(known))}",
            )
        if given.decision in seen:
            raise InputError(f"{given.decision} is answered twice", where=str(path), mend="keep one of them")
        seen.add(given.decision)
    return answers


# Private


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), mend="name a file that is there"
        ) from error


def _decoded(content: bytes, where: str, type_: type[T], mend: str) -> T:
    if len(content) > LARGEST_BYTES:
        raise InputError(f"it is larger than {LARGEST_BYTES >> 20} MiB", where=where, mend=mend)
    try:
        return msgspec.json.decode(content, type=type_, strict=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"this is no {type_.__name__.lower()} of a drill: {error}", where=where, mend=mend) from error
