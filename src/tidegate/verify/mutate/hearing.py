"""The one run of all tests: which of them execute which mutant, and what the forked processes said of each."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from tidegate.verify.mutate.engine import mutated
from tidegate.verify.mutate.plan import Plan
from tidegate.verify.mutate.session import Ground, Heard, run_job

_SLACK_SECONDS = 60.0


class Verdict(Struct, frozen=True):
    """What was said of one mutant: `skip` where its code could not be exchanged in a living process, `invalid` where
    it is no Python."""

    outcome: str
    killer: str = ""
    tests: int = 0
    passed: tuple[str, ...] = ()
    reason: str = ""


class Hearing(Struct, frozen=True):
    """What is known after the run. Mutants go by their place in the plan, tests by pytest's names.

    `outside` were executed while modules were imported, `doubtful` by tests that fail without any mutant. `imported`
    says of files which other file was imported in their place, "" where it was they themselves. `trouble` says why
    nothing is known, `late` that it is not all.
    """

    collected: bool = False
    forked: bool = False
    seconds: Mapping[str, float] = {}
    covering: Mapping[int, tuple[str, ...]] = {}
    near: Mapping[int, tuple[str, ...]] = {}
    outside: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()
    imported: Mapping[str, str] = {}
    verdicts: Mapping[int, Verdict] = {}
    left_out: Mapping[str, str] = {}
    trouble: str = ""
    late: bool = False
    broken: str = ""
    hearing_seconds: float = 0.0
    judging_seconds: float = 0.0
    cpu_seconds: float = 0.0
    notes: tuple[str, ...] = field(default_factory=tuple)


def hear(place: Ground, planned: Plan, budget: float, at_once: int, seconds: float) -> Hearing:
    """Run all tests once, and the mutants of functions in forks; where forks do not work, only the tests."""
    job = {"mode": "serve", "seconds": seconds, "budget": budget, "at_once": at_once, "mutants": _described(planned)}
    heard = run_job(place, job, seconds + budget + _SLACK_SECONDS)
    if heard.of("heard"):
        return _understood(heard, forked=True)
    again = run_job(place, {**job, "mode": "plain"}, seconds)
    if again.of("test"):
        return _understood(again, forked=False)
    return Hearing(trouble=_trouble(again), cpu_seconds=heard.ran.cpu_seconds + again.ran.cpu_seconds)


def words_of(text: str) -> set[str]:
    """The words that names in a text are made of, in small letters."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+", text)}


# Private


def _described(planned: Plan) -> list[dict[str, Any]]:
    futures = {path: _futures(content) for path, content in planned.contents.items()}
    described = []
    for identity, mutant in enumerate(planned.mutants):
        lines = mutated(planned.contents[mutant.path], mutant).split(b"\n")[mutant.first - 1 : mutant.last]
        described.append(
            {
                "id": identity,
                "path": mutant.path,
                "lane": mutant.lane,
                "lines": sorted({*range(mutant.line, mutant.end_line + 1), mutant.statement}),
                "names": mutant.names,
                "first": mutant.first,
                "last": mutant.last,
                "block": b"\n".join(lines).decode("utf-8") + "\n",
                "words": sorted(words_of(f"{mutant.function} {mutant.key}")),
                "futures": futures[mutant.path],
            }
        )
    return described


def _futures(content: bytes) -> list[str]:
    """What a block that is compiled alone would lose: the module's imports from `__future__`."""
    if b"__future__" not in content:
        return []
    found = []
    for statement in ast.parse(content).body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            found += [alias.name for alias in statement.names]
    return found


def _understood(heard: Heard, *, forked: bool) -> Hearing:
    covering: dict[int, list[str]] = {}
    near: dict[int, list[str]] = {}
    seconds: dict[str, float] = {}
    doubtful: set[int] = set()
    left_out = {str(event["test"]): str(event["why"]) for event in heard.of("left-out")}
    for event in heard.of("test"):
        test = str(event["test"])
        seconds[test] = float(event["seconds"])
        if event["outcome"] == "failed":
            left_out[test] = "it fails without any mutant"
            doubtful.update(event["covered"])
        elif event["outcome"] == "passed":
            for kind, mutants in (("covered", covering), ("near", near)):
                for identity in event[kind]:
                    mutants.setdefault(identity, []).append(test)
    first = _first(heard, "collected")
    spent = _first(heard, "heard")
    hearing_cpu = float(spent.get("cpu", heard.ran.cpu_seconds))
    verdicts = {
        int(event["id"]): Verdict(
            str(event["outcome"]), str(event["killer"]), int(event["tests"]), tuple(event.get("passed", ()))
        )
        for event in heard.of("mutant")
    }
    return Hearing(
        collected=True,
        forked=forked,
        seconds=seconds,
        covering={identity: tuple(tests) for identity, tests in covering.items()},
        near={identity: tuple(tests) for identity, tests in near.items()},
        outside=frozenset(first.get("outside", ())),
        doubtful=frozenset(doubtful),
        imported=dict(first.get("imported", {})),
        verdicts=verdicts,
        left_out=left_out,
        late=bool(heard.of("late")) or heard.ran.timed_out or not heard.of("heard"),
        broken=_broken(heard),
        hearing_seconds=hearing_cpu,
        judging_seconds=float(_first(heard, "served").get("seconds", 0.0)),
        cpu_seconds=max(0.0, heard.ran.cpu_seconds - hearing_cpu),
    )


def _broken(heard: Heard) -> str:
    """The test files that could not be imported, in words; "" where there are none."""
    files = {str(event["what"]): str(event.get("why", "")) for event in heard.of("broken")}
    if not files:
        return ""
    file, why = min(files.items())
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{file}{more} cannot be collected{': ' if why else ''}{why}"


def _first(heard: Heard, kind: str) -> dict[str, Any]:
    return next(iter(heard.of(kind)), {})


def _trouble(heard: Heard) -> str:
    """Why no test ran, in the command's own last words."""
    if heard.ran.timed_out:
        return "the tests took longer than their time (--timeout)"
    first = _first(heard, "collected")
    if first and not first.get("tests"):
        return "the command collects no test"
    lines = [line.strip() for line in heard.ran.output.splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if line.startswith(("E ", "ERROR", "ImportError"))), "")
    said = said or (lines[-1] if lines else f"exit code {heard.ran.exit_code}")
    how = "pytest did not run the tests" if heard.events else "the command does not run pytest, or pytest failed"
    return f"{how}: {said[:200]}"
