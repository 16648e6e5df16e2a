"""Changed tests that proved worthless when they were run: they notice no fault where the change is, and pass before it.

It joins what `tidegate verify mutate` and `tidegate verify fail-before` kept for exactly this change, and runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.verify.failbefore.kept import read_kept as read_fail_before
from tidegate.verify.mutate.kept import read_kept as read_mutation
from tidegate.verify.mutate.values import Mutation
from tidegate.verify.values import Subject

FEWEST = 2
"""Fewer faults tell nothing: one that changes nothing that anybody could see is not rare."""
ENOUGH = 5


class Worthless(Struct, frozen=True):
    """A test that noticed none of the `faults` that it executes, although all of them were tried on it."""

    path: str
    name: str
    line: int
    faults: int

    @property
    def sure(self) -> bool:
        """Whether the faults are so many that the doubt is small."""
        return self.faults >= ENOUGH

    @property
    def reason(self) -> str:
        """Why, in words that follow the name of the test."""
        confidence = "high" if self.sure else "moderate, they are few"
        return (
            f"executes {self.faults} of the faults that were put into the changed lines, each was tried on it, and it "
            f"noticed none; it passes without the change too (confidence: {confidence})"
        )


def worthless(subject: Subject) -> Iterator[Worthless]:
    """The changed tests that are worthless for this change, by path and name.

    Nothing where one of the two commands was not run for exactly these trees, where the faults were not all judged,
    where a fault that the test executes was not tried on it, or where it is not known to pass without the change.
    """
    change = subject.change
    mutation = read_mutation(subject.kept, change.base_tree, change.head_tree)
    result = read_fail_before(subject.kept, change.base_tree, change.head_tree)
    if isinstance(mutation, str) or isinstance(result, str) or _is_partial(mutation):
        return
    counted = _counted(mutation)
    for test in result.tests:
        if test.class_ != "pass_before" or not test.direct:
            continue
        covers, ran, killed = counted.get((test.path, test.name), (0, 0, 0))
        if covers >= FEWEST and ran >= covers and not killed:
            yield Worthless(test.path, test.name, test.line, covers)


# Private


def _is_partial(mutation: Mutation) -> bool:
    """Whether faults were left untried, or could not be judged although tests execute them."""
    return mutation.untried > 0 or any(one.outcome == "unknown" and one.covered for one in mutation.judged)


def _counted(mutation: Mutation) -> Mapping[tuple[str, str], tuple[int, int, int]]:
    """Per test function, all its parameters together: the faults that it covers, was run on, and noticed.

    A function of which one case was left out (it fails or wavers without any fault) is not counted.
    """
    wavering = {_function(one.rpartition(": ")[0]) for one in mutation.left_out}
    many = mutation.left_out_total > len(mutation.left_out)
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    for worth in () if many else mutation.worth:
        key = _function(worth.test)
        if key not in wavering:
            covers, ran, killed = found.get(key, (0, 0, 0))
            found[key] = (covers + worth.covers, ran + worth.ran, killed + worth.killed)
    return found


def _function(test: str) -> tuple[str, str]:
    """The file and the name with its classes of a test as pytest names it: `tests/a.py::TestA::test_b[1]`."""
    path, _, name = test.partition("::")
    return path, re.sub(r"\[.*", "", name, flags=re.DOTALL).replace("::", ".")
