"""What the tests noticed of faults in the changed lines, for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.report.escape import terminal
from tidegate.report.layout import grouped, paint, wrap
from tidegate.report.style import Style
from tidegate.verify.mutate.values import Judged, Mutation

_MOST = 20


def render_mutation_text(mutation: Mutation, asked: str, style: Style) -> str:
    """The totals, then what no test noticed, then what could not be told."""
    judged = mutation.judged
    killed = [one for one in judged if one.outcome in ("killed", "timeout")]
    survived = [one for one in judged if one.outcome == "survived"]
    uncovered = [one for one in judged if one.outcome == "uncovered"]
    unknown = [one for one in judged if one.outcome == "unknown"]
    lines = [paint(_total(mutation, len(killed), len(survived) + len(uncovered)), style, "bold")]
    lines += _listed("No test noticed", survived, style)
    lines += _listed("No test executes", uncovered, style)
    lines += _unknown(unknown, style)
    said = list(_notes(mutation, asked))
    lines += [line for note in said for line in wrap(terminal(note, unicode=style.unicode), style.width, "  ", "    ")]
    return "\n".join(line.rstrip() for line in lines) + "\n"


# Private


def _total(mutation: Mutation, killed: int, survived: int) -> str:
    if not mutation.judged:
        return "Nothing to try: the change adds no Python line that a fault could be put into."
    told = killed + survived
    if not told:
        return f"Unknown: of {grouped(len(mutation.judged), 'fault')} none could be judged."
    return f"Tests notice {killed} of {grouped(told, 'fault')} in the changed lines ({round(100 * killed / told)} %)."


def _listed(title: str, judged: Sequence[Judged], style: Style) -> list[str]:
    if not judged:
        return []
    lines = ["", f"{title} ({len(judged)})"]
    for one in judged[:_MOST]:
        ran = f"; {grouped(one.tests, 'test')} ran" if one.outcome == "survived" and one.tests else ""
        text = terminal(f"{one.path}:{one.line}  {one.words}{ran}", unicode=style.unicode)
        lines += wrap(text, style.width, "  ", "      ")
    if len(judged) > _MOST:
        lines.append(f"  and {len(judged) - _MOST} more: --format json")
    return lines


def _unknown(judged: Sequence[Judged], style: Style) -> list[str]:
    reasons: dict[str, list[Judged]] = {}
    for one in judged:
        reasons.setdefault(one.reason, []).append(one)
    lines = ["", f"Could not be told ({len(judged)})"] if judged else []
    for reason, ones in reasons.items():
        text = terminal(f"{len(ones)}: {reason}, first {ones[0].path}:{ones[0].line}", unicode=style.unicode)
        lines += wrap(text, style.width, "  ", "      ")
    return lines


def _notes(mutation: Mutation, asked: str) -> Iterator[str]:
    notes = list(mutation.notes)
    if mutation.dismissed:
        notes.append(f"{grouped(mutation.dismissed, 'line')} dismissed in .tidegate/mutants.toml")
    if mutation.untried:
        notes.append(f"{grouped(mutation.untried, 'further fault')} not tried (--most)")
    if mutation.left_out:
        more = f" and {mutation.left_out_total - 1} more" if mutation.left_out_total > 1 else ""
        notes.append(f"tests left out: {mutation.left_out[0]}{more}")
    if notes:
        yield ""
    yield from notes
    if any(one.outcome in ("survived", "uncovered") for one in mutation.judged):
        yield ""
        yield "A line that needs no test: tidegate verify dismiss PATH:LINE --because '...'"
        yield f"See it again: tidegate verify mutate {asked}".rstrip()
