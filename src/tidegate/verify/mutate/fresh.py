"""Mutants that take effect when a module is imported, and those that no living function could take on: a fresh process
for each, on the temporary tree with the mutant written into it."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path

from msgspec import structs

from tidegate.verify.mutate.engine import mutated
from tidegate.verify.mutate.hearing import Hearing, Verdict, words_of
from tidegate.verify.mutate.plan import Plan
from tidegate.verify.mutate.session import Ground, Heard, run_job

_START_SECONDS = 20.0
_LEAST_SECONDS = 2.0
_FIRST = 20
_TOO_LONG = "it needs a process of its own, and there is no time left to run its tests in one (--budget)"


def judge_afresh(place: Ground, planned: Plan, heard: Hearing, end: float) -> Hearing:
    """The hearing with the verdicts of fresh processes added, as far as the time reaches (`end`, monotonic)."""
    heard = structs.replace(heard, left_out={**heard.left_out, **_unnamable(heard)})
    verdicts = dict(heard.verdicts)
    cpu = 0.0
    killers: dict[int, str] = {}
    for identity, tests, rest in _waiting(planned, heard):
        if time.monotonic() > end:
            break
        for chosen in filter(None, (tests, rest)):
            limit = _limit(chosen, heard.seconds)
            try:
                ran = _try(place, planned, identity, chosen, min(limit, max(_LEAST_SECONDS, end - time.monotonic())))
            except OSError as error:
                verdicts[identity] = Verdict("unknown", reason=f"the tests took its file away ({error.strerror})")
                break
            cpu += ran.ran.cpu_seconds
            verdicts[identity] = _verdict(ran, chosen)
            if ran.ran.timed_out and time.monotonic() > end:
                verdicts[identity] = Verdict("unknown", reason=_TOO_LONG)
            if verdicts[identity].outcome != "survived":
                break
        if verdicts[identity].outcome in ("killed", "timeout"):
            killers[identity] = verdicts[identity].killer
    if killers:
        tests = sorted({test for identity in killers for test in _proof(verdicts[identity], heard, identity)})
        ran = run_job(place, {"mode": "select", "tests": tests, "all": True}, _limit(tests, heard.seconds))
        cpu += ran.ran.cpu_seconds
        failing = {str(event["test"]) for event in ran.of("failed")}
        for identity, killer in killers.items():
            if not ran.of("done") or ran.of("broken") or killer in failing:
                verdicts[identity] = Verdict("unknown", reason="its tests fail by themselves in a process of their own")
    return structs.replace(heard, verdicts=verdicts, cpu_seconds=heard.cpu_seconds + cpu)


# Private


_OF_THE_RUN = re.compile(r"\[.*(\d\d?:\d\d:\d\d|\b0x[0-9a-f]{6,}).*\]")


def _unnamable(heard: Hearing) -> Mapping[str, str]:
    """Tests with a time or an address among their parameters: in another process they have another name."""
    why = "its name holds a time or an address, so that another process does not know it"
    return {test: why for test in heard.seconds if _OF_THE_RUN.search(test)}


def _waiting(planned: Plan, heard: Hearing) -> Iterator[tuple[int, Sequence[str], Sequence[str]]]:
    """What is left for a fresh process: the tests that are known to use it, the quickest first, and all others where
    they may notice too. What takes effect at import reaches tests that never execute the line themselves."""
    every = heard.seconds.keys() - heard.left_out.keys()
    for identity, mutant in enumerate(planned.mutants):
        if heard.imported.get(mutant.path):
            continue
        told = heard.verdicts.get(identity)
        at_import = mutant.lane == "import" or identity in heard.outside
        survived = told is not None and told.outcome == "survived"
        skipped = told is not None and told.outcome == "skip"
        uncovered = at_import and told is None and not heard.covering.get(identity)
        if mutant.lane == "call" and heard.forked and not (skipped or uncovered or (survived and at_import)):
            continue
        near = heard.near.get(identity, ()) if mutant.lane == "import" else ()
        known = every.intersection(() if survived else (*heard.covering.get(identity, ()), *near))
        rest = every - known if at_import else frozenset()
        if known or rest:
            words = words_of(f"{mutant.function} {mutant.key} {' '.join(mutant.names)}")
            yield identity, _quickest(known, heard), _likeliest(rest, heard, words)


def _quickest(tests: Iterable[str], heard: Hearing) -> list[str]:
    return sorted(tests, key=lambda test: (heard.seconds.get(test, 0.0), test))


def _likeliest(tests: Set[str], heard: Hearing, words: set[str]) -> list[str]:
    """In their own order, but first those whose names say most of what the mutant's line says."""
    own = [test for test in heard.seconds if test in tests]
    often = Counter(word for test in own for word in words & words_of(test))
    score = {test: -sum(1 / often[word] for word in words & words_of(test)) for test in own}
    first = sorted((test for test in own if score[test]), key=lambda test: (score[test], heard.seconds[test]))[:_FIRST]
    return [*first, *(test for test in own if test not in set(first))]


def _try(place: Ground, planned: Plan, identity: int, tests: Sequence[str], limit: float) -> Heard:
    mutant = planned.mutants[identity]
    file, before = place.tree / mutant.path, planned.contents[mutant.path]
    try:
        _write(file, mutated(before, mutant), identity + 1)
        return run_job(place, {"mode": "select", "tests": list(tests), "all": False}, limit)
    finally:
        _write(file, before, -identity - 1)


def _write(file: Path, content: bytes, turn: int) -> None:
    """Python takes compiled code for current by time and size: every version of the file gets a time of its own.

    The file is made anew: a test may have put a link in its place.
    """
    file.unlink(missing_ok=True)
    file.write_bytes(content)
    at = int(time.time()) + 10 * turn
    os.utime(file, (at, at))


def _verdict(heard: Heard, tests: Sequence[str]) -> Verdict:
    failed, broken, passed = heard.of("failed"), heard.of("broken"), heard.of("passed")
    names = tuple(str(event["test"]) for event in passed)
    if failed:
        return Verdict("killed", str(failed[0]["test"]), len(names) + 1, names)
    if heard.ran.timed_out:
        return Verdict("timeout", tests[len(names)] if len(names) < len(tests) else "", len(names), names)
    if broken or not heard.of("done"):
        return Verdict("killed", str(broken[0]["what"]) if broken else "", len(names), names)
    if len(names) < len(tests):
        reason = f"{len(tests) - len(names)} of its {len(tests)} tests are not there with it"
        return Verdict("unknown", reason=reason)
    return Verdict("survived", "", len(names), names)


def _proof(verdict: Verdict, heard: Hearing, identity: int) -> Sequence[str]:
    """The tests that must pass without the mutant for its death to mean something."""
    if verdict.killer in heard.seconds:
        return [verdict.killer]
    return [*heard.covering.get(identity, ()), *heard.near.get(identity, ())][:5]


def _limit(tests: Sequence[str], seconds: Mapping[str, float]) -> float:
    return _START_SECONDS + 10 * sum(seconds.get(test, 0.0) for test in tests)
