"""What rules that somebody just wrote would say of a change, or of many that are over, asked in a bounded process.

A condition of a few hundred characters can take all memory of the machine, and must take none of the service's.

    python -m tidegate.server.simulation SECONDS MEMORY_MB

reads one `Asked` or `AskedOfPast` and writes one `Said` or `SaidOfPast`. Its parent believes nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from tidegate.errors import GitError, InputError
from tidegate.policy.verdict import Verdict
from tidegate.server.api.problems import Problem
from tidegate.server.bounded import LARGEST, Bounds, Wrong, alone, child, run
from tidegate.server.config import Config

if TYPE_CHECKING:
    from tidegate.change.git import Repository
    from tidegate.policy.rules import Policy

BOUNDS = Bounds(10, 1024)
CHILD = child("tidegate.server.simulation")


class Asked(Struct, frozen=True, tag=True):
    """`rules` is TOML with `[[rule]]` tables alone; owners and settings are those of `target` in the mirror."""

    rules: str
    mirror: str
    target: str
    document: Mapping[str, Any]


class Past(Struct, frozen=True):
    """A change that was decided on: its number here, and the facts as they were then."""

    change: int
    facts: msgspec.Raw


class AskedOfPast(Struct, frozen=True, tag=True):
    """As `Asked`, of many changes, and beside it what the rules of `target` would say."""

    rules: str
    mirror: str
    target: str
    past: tuple[Past, ...]


class Said(Struct, frozen=True, omit_defaults=True):
    """The verdict, or what was wrong."""

    verdict: Verdict | None = None
    wrong: Wrong = Wrong()


class Tried(Struct, frozen=True, omit_defaults=True):
    """What the rules of today and those that are tried say of a change; "" where `problem` says why they say nothing.

    `more` are the rules that ask for something under those that are tried only, `less` under those of today only.
    """

    change: int
    today: str = ""
    tried: str = ""
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    problem: str = ""


class SaidOfPast(Struct, frozen=True, omit_defaults=True):
    """One for each change, in their order, or what was wrong."""

    tried: tuple[Tried, ...] = ()
    wrong: Wrong | None = None


def simulate(config: Config, asked: Asked, command: Sequence[str] = CHILD) -> Verdict:
    """The verdict of these rules. InputError for rules that are not right, Problem 409 where the mirror cannot be read,
    422 where they take too much, 503 while another simulation is under way."""
    said = msgspec.json.decode(_ask(config, asked, command), type=Said)
    if said.verdict is None:
        raise said.wrong.raised()
    return said.verdict


def simulate_past(config: Config, asked: AskedOfPast, command: Sequence[str] = CHILD) -> tuple[Tried, ...]:
    """What these rules would have said of changes that are over. Raises as `simulate` does."""
    said = msgspec.json.decode(_ask(config, asked, command), type=SaidOfPast)
    if said.wrong is not None:
        raise said.wrong.raised()
    return said.tried


def main(arguments: Sequence[str]) -> int:
    from tidegate.server.work.child import OUT_OF_MEMORY, limit

    limit(int(arguments[0]), int(arguments[1]))
    try:
        asked = msgspec.json.decode(sys.stdin.buffer.read(LARGEST), type=Asked | AskedOfPast)
        said = _answer(asked) if isinstance(asked, Asked) else _answer_of_past(asked)
        sys.stdout.buffer.write(msgspec.json.encode(said))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


# Private


def _ask(config: Config, asked: Asked | AskedOfPast, command: Sequence[str]) -> bytes:
    with alone(config.data / "simulation.lock", "simulation"):
        said = run(command, msgspec.json.encode(asked), BOUNDS)
    if said is None:
        bounds = f"{BOUNDS.seconds} s or {BOUNDS.memory_mb} MB"
        raise Problem(422, f"these rules take more than {bounds}", mend="make them simpler")
    return said


def _answer(asked: Asked) -> Said:
    from tidegate.change.git import open_repository
    from tidegate.policy.decide import decide
    from tidegate.report.document import encodable

    if not Path(asked.mirror).is_dir():
        return Said(wrong=Wrong(unread=True))
    try:
        with open_repository(Path(asked.mirror), bare=True) as mirror:
            verdict = decide(_policy(mirror, asked.target, asked.rules), asked.document)
    except GitError:
        return Said(wrong=Wrong(unread=True))
    except InputError as error:
        return Said(wrong=Wrong(error.what, error.where, error.mend))
    return Said(msgspec.convert(encodable(msgspec.to_builtins(verdict)), Verdict))


def _answer_of_past(asked: AskedOfPast) -> SaidOfPast:
    from tidegate.change.git import open_repository

    if not Path(asked.mirror).is_dir():
        return SaidOfPast(wrong=Wrong(unread=True))
    try:
        with open_repository(Path(asked.mirror), bare=True) as mirror:
            today, tried = _policy(mirror, asked.target, None), _policy(mirror, asked.target, asked.rules)
    except GitError:
        return SaidOfPast(wrong=Wrong(unread=True))
    except InputError as error:
        return SaidOfPast(wrong=Wrong(error.what, error.where, error.mend))
    return SaidOfPast(tuple(_try(today, tried, each) for each in asked.past))


def _policy(mirror: Repository, target: str, rules: str | None) -> Policy:
    """The policy of the branch, with these rules in the place of its own; None: as it stands."""
    from tidegate.change.configuration import read_settings
    from tidegate.change.owners_file import read_owners
    from tidegate.policy.rules import RuleTable, make_policy

    tip = mirror.resolve(target)
    loaded = read_settings(mirror, tip, {})
    if rules is None:
        own = [RuleTable(*each) for each in zip(loaded.settings.rule, loaded.rule_origins, strict=True)]
    else:
        own = [RuleTable(table, "rules") for table in _tables(rules)]
    return make_policy(own, read_owners(mirror, tip, loaded.settings), loaded.settings)


def _tables(rules: str) -> list[dict[str, object]]:
    from tidegate.settings import convert, read_toml

    table = read_toml(rules.encode(), "rules")
    if extra := sorted(set(table) - {"rule"}):
        raise InputError(f"only [[rule]] can be tried here, not {extra[0]}")
    return convert(table.get("rule", []), list[dict[str, object]], "rules")


def _try(today: Policy, tried: Policy, past: Past) -> Tried:
    from tidegate.policy.decide import decide

    try:
        facts = msgspec.json.decode(past.facts, type=dict[str, Any])
        ours, theirs = decide(today, facts), decide(tried, facts)
    except (InputError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return Tried(past.change, problem=str(error)[:300] or "its facts cannot be read")
    before, after = set(_asking(ours)), set(_asking(theirs))
    more, less = (
        tuple(sorted(f"{rule}: {outcome}" for rule, outcome in each)) for each in (after - before, before - after)
    )
    return Tried(past.change, ours.outcome, theirs.outcome, more, less)


def _asking(verdict: Verdict) -> Iterator[tuple[str, str]]:
    for rule in verdict.rules:
        if rule.outcome != "pass":
            yield rule.id, f"{rule.outcome}, on trial" if rule.mode != "enforce" else rule.outcome


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
