"""What was heard of every mutant, as one answer that can be kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tidegate.change.values import Change, show_path
from tidegate.verify.mutate.hearing import Hearing, Verdict
from tidegate.verify.mutate.plan import Plan
from tidegate.verify.mutate.values import Judged, Mutant, Mutation, Outcome, TestWorth

_OUTCOMES: tuple[Outcome, ...] = ("killed", "timeout", "survived", "uncovered", "unknown")
_MOST_NAMES = 20


def mutation_of(
    change: Change, planned: Plan, heard: Hearing, command: str, python: str, notes: tuple[str, ...] = ()
) -> Mutation:
    """The answer of one run. A mutant of which nothing was heard is unknown, with the reason."""
    judged = [
        _judged(mutant, planned, heard, identity)
        for identity, mutant in enumerate(planned.mutants)
        if heard.verdicts.get(identity, Verdict("")).outcome != "invalid"
    ]
    return Mutation(
        schema="tidegate.mutation/1",
        base_tree=change.base_tree,
        head_tree=change.head_tree,
        command=command,
        python=python,
        judged=tuple(judged),
        dismissed=planned.dismissed,
        untried=planned.untried,
        tests=len(heard.seconds),
        left_out=tuple(f"{test}: {why}" for test, why in sorted(heard.left_out.items())[:_MOST_NAMES]),
        left_out_total=len(heard.left_out),
        worth=tuple(_worth(change, heard)),
        notes=(*planned.unread, *notes, *_notes(heard)),
    )


# Private


def _judged(mutant: Mutant, planned: Plan, heard: Hearing, identity: int) -> Judged:
    verdict = _verdict(mutant, heard, identity)
    covered = bool(heard.covering.get(identity) or verdict.tests)
    known = [outcome for outcome in _OUTCOMES if outcome == verdict.outcome]
    return Judged(
        path=mutant.path,
        line=mutant.line,
        words=mutant.words,
        operator=mutant.operator,
        outcome=known[0] if known else "unknown",
        covered=covered,
        key=mutant.key,
        critical=mutant.path in planned.critical,
        killer=verdict.killer,
        tests=verdict.tests,
        reason=verdict.reason,
    )


def _verdict(mutant: Mutant, heard: Hearing, identity: int) -> Verdict:
    elsewhere = heard.imported.get(mutant.path, "")
    if elsewhere:
        return Verdict("unknown", reason=f"the tests import {elsewhere}, not the file of the change")
    told = heard.verdicts.get(identity)
    if told is not None:
        if told.outcome == "unknown" and not told.reason:
            return Verdict("unknown", reason="its tests could not be run in a process of their own")
        if told.outcome == "survived" and heard.broken:
            return Verdict("unknown", reason=heard.broken)
        if told.outcome not in ("skip", "uncovered"):
            return told
    if not heard.collected:
        return Verdict("unknown", reason=heard.trouble)
    tests = {*heard.covering.get(identity, ()), *heard.near.get(identity, ())}
    if not tests - heard.left_out.keys() and (tests or identity in heard.doubtful):
        return Verdict("unknown", reason="the tests that execute it fail or waver without any fault")
    if tests:
        return Verdict("unknown", reason="the time ran out before it (--budget)")
    if heard.broken:
        return Verdict("unknown", reason=heard.broken)
    if heard.late:
        return Verdict("unknown", reason="the tests were not all heard")
    if mutant.lane == "import" and not mutant.names:
        return Verdict("unknown", reason="it takes effect at import, and no test is known to depend on it")
    return Verdict("uncovered")


def _worth(change: Change, heard: Hearing) -> Iterator[TestWorth]:
    """The tests in the files that the change touches: what each of them was good for."""
    files = {show_path(file.path) for file in change.files if file.kind == "test"}
    covers: Counter[str] = Counter(test for tests in heard.covering.values() for test in tests)
    killed: Counter[str] = Counter(verdict.killer for verdict in heard.verdicts.values())
    ran: Counter[str] = Counter(test for verdict in heard.verdicts.values() for test in verdict.passed)
    for test in sorted(heard.seconds):
        if test.split("::", 1)[0] in files:
            yield TestWorth(test, covers[test], ran[test] + killed[test], killed[test])


def _notes(heard: Hearing) -> Iterator[str]:
    if heard.collected and not heard.forked:
        yield "the tests do not run in forked processes here: each mutant had a process of its own"
    if heard.late:
        yield "the run of all tests did not reach its end"
    if heard.broken:
        yield heard.broken
