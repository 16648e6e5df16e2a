"""What was verified of a change and what it leaves behind, in a few lines for the check."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.facts import Verification, is_known
from tidegate.report.escape import terminal
from tidegate.report.layout import grouped, paint, wrap
from tidegate.report.style import Style

_HEAD = "Verified"
_LEFT = "Leaves"


def render_verify_brief(verification: Verification, style: Style) -> list[str]:
    """The part of a check about verification: what ran, what is left behind, what was not asked. Nothing where none."""
    if [unknown.reason for unknown in verification.unknowns] == ["not collected"]:
        return []
    if verification.status == "unknown":
        reasons = "; ".join(dict.fromkeys(unknown.reason for unknown in verification.unknowns))
        return _titled(_HEAD, f"unknown: {reasons}", style)
    said, left, missing = list(proven(verification)), list(left_behind(verification)), not_asked(verification)
    lines = _titled(_HEAD, "; ".join(said) or "nothing was run", style) if said or missing else []
    lines += _wrapped(f"not known: {missing}", style) if missing else []
    return lines + (_titled(_LEFT, "; ".join(left), style) if left else [])


def proven(verification: Verification) -> Iterator[str]:
    """What tests say of the changed lines, each where it is known and there is something to say."""
    tests, coverage, mutation = verification.tests, verification.coverage, verification.mutation
    if is_known(verification, "tests") and tests.ran:
        rest = [f"{tests.pass_before} pass without it too"] if tests.pass_before else []
        rest += [f"{tests.unknown} could not tell"] if tests.unknown else []
        rest += [f"{tests.failed} fail"] if tests.failed else []
        more = f" ({', '.join(rest)})" if rest else ""
        yield f"{tests.fail_before} of {grouped(tests.ran, 'changed test')} fail without the change{more}"
    if is_known(verification, "coverage") and coverage.lines:
        yield f"tests execute {coverage.covered} of {grouped(coverage.lines, 'changed line')}"
    if is_known(verification, "mutation") and mutation.mutants:
        judged = mutation.killed + mutation.survived
        yield f"they notice {mutation.killed} of {grouped(judged, 'fault')} put into them"
    runs = verification.runs
    if is_known(verification, "runs") and runs.tests:
        failed = f", {runs.failed} failed" if runs.failed else ""
        retried = f", {runs.retried} only when run again" if runs.retried else ""
        yield f"{grouped(runs.tests, 'test')} ran{failed}{retried}"


def left_behind(verification: Verification) -> Iterator[str]:
    """What the change leaves to be paid later, each where there is something."""
    suite, debt = verification.suite, verification.debt
    if is_known(verification, "suite"):
        yield from _counted(suite.weakened, "weaker test")
        yield from _counted(suite.vacuous, "test that cannot fail", "tests that cannot fail")
    if is_known(verification, "dependencies"):
        added = [one.name for one in verification.dependencies if one.change == "added"]
        if added:
            unknown = len(verification.unknown_dependencies)
            doubt = f", {unknown} unknown" if unknown and is_known(verification, "unknown_dependencies") else ""
            names = ", ".join(added[:3]) + (" ..." if len(added) > 3 else "")
            yield f"{grouped(len(added), 'new dependency').replace('dependencys', 'dependencies')}{doubt} ({names})"
    if is_known(verification, "clones") and verification.clones:
        yield f"{grouped(verification.cloned_lines, 'line')} that are elsewhere already"
    if is_known(verification, "secrets"):
        yield from _counted(verification.secrets, "secret")
    if is_known(verification, "access_removed"):
        yield from _counted(len(verification.access_removed), "guard gone", "guards gone")
    if is_known(verification, "breaks"):
        yield from _counted(len(verification.breaks), "broken contract")
    if is_known(verification, "debt"):
        if debt.complexity_added > 0 and debt.functions_grown:
            yield f"complexity +{debt.complexity_added} in {grouped(debt.functions_grown, 'function')}"
        yield from _counted(debt.swallowed, "swallowed error")
        yield from _counted(debt.fragile_calls, "fragile call")


def not_asked(verification: Verification) -> str:
    """What nobody asked or could tell: the fields with one reason together."""
    grouped_: dict[str, list[str]] = {}
    for unknown in verification.unknowns:
        grouped_.setdefault(unknown.reason, []).append(unknown.path.partition(".")[2].replace("_", " "))
    return "; ".join(f"{', '.join(dict.fromkeys(names))} ({reason})" for reason, names in grouped_.items())


# Private


def _counted(number: int, noun: str, many: str = "") -> Iterator[str]:
    if number:
        yield f"{number:,} {many}" if many and number > 1 else grouped(number, noun)


def _titled(title: str, text: str, style: Style) -> list[str]:
    lines = wrap(terminal(text, unicode=style.unicode), style.width, f"{title}  ", "  ")
    return [paint(title, style, "bold") + lines[0][len(title) :], *lines[1:]]


def _wrapped(text: str, style: Style) -> list[str]:
    return wrap(terminal(text, unicode=style.unicode), style.width, "  ", "    ")
