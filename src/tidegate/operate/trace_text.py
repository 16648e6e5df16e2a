"""Writes the trace of an incident for a person at two in the morning: the answer first, then why, then who wrote it."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.operate.lines import Decided, WrittenLines
from tidegate.operate.replays import Replay
from tidegate.operate.trace import IncidentTrace, TracedChange
from tidegate.report.escape import terminal
from tidegate.report.layout import cut, grouped, paint, percent, percents, wrap
from tidegate.report.style import Style

MOST_REASONS = 3
MOST_CHANGES = 5
LEAST_SHOWN = 0.01
LEAST_TOLD = 0.1
"""Of a change below it only one line is written."""
LEAST_WEIGHT = 0.1

_PLAIN = frozenset(("line", "innermost", "ochiai", "all"))
"""What a person can check at once is told first."""
_FAINT = frozenset(("size", "gone", "words", "said", "risk"))
_OUTCOMES = {"same": "fails as before", "passed": "no longer fails", "other": "fails in another way"}
_HYPOTHESES = {"older-code": "the fault is in code that was running before"}
_WRITERS = {"ai": "an agent", "human": "a person", "mixed": "an agent and a person", "unknown": "unknown: no record"}


def render_trace(trace: IncidentTrace, style: Style) -> str:
    """Text for a terminal. The first line is the answer."""
    return "\n".join(_rows(trace, style)) + "\n"


# Private


def _rows(trace: IncidentTrace, style: Style) -> Iterator[str]:
    shown = [one for one in trace.changes[:MOST_CHANGES] if one.probability >= LEAST_SHOWN]
    rest = trace.changes[len(shown) :]
    share = sum(one.probability for one in rest)
    *sure, none, together = percents([*(one.probability for one in shown), trace.none, share])
    yield from _answer(trace, style, (sure[0] if sure else percent(trace.changes[0].probability), none))
    told_none = False
    for change, chance in zip(shown, sure, strict=True):
        if trace.none >= change.probability and not told_none:
            told_none = True
            yield from _none(trace, style, none)
        yield from _change(change, style, chance)
    if not told_none:
        yield from _none(trace, style, none)
    if rest:
        yield f"{together}  {grouped(len(rest), 'other change')}{' together' if len(rest) > 1 else ''}"
    if trace.replays:
        yield ""
        yield "Replayed"
        subjects = {one.change: one.subject for one in trace.changes} | {trace.previous: "which ran before"}
        for replay in trace.replays:
            yield from wrap(_replay(replay, subjects), style.width, "  ", "    ")
    yield from _frames(trace, style)
    if trace.unknowns:
        yield ""
        yield "Not known"
        for unknown in trace.unknowns:
            yield from wrap(terminal(unknown, 300), style.width, "  ", "    ")


def _answer(trace: IncidentTrace, style: Style, chances: tuple[str, str]) -> Iterator[str]:
    """`chances`: of the first change, and of none, as they stand below."""
    first, (chance, none) = trace.changes[0], chances
    name = terminal(f"{first.change[:10]} {first.subject}", 200)
    span = f"{trace.previous[:10]}..{trace.deployed[:10]}, {grouped(len(trace.changes), 'change')}"
    if trace.none > first.probability and trace.none >= 0.5 and _points_somewhere(trace):
        head = f"Most probably none of the changes ({none.strip()})"
        yield paint(head, style, "bold", "yellow")
    elif trace.none > first.probability:
        head = "Not clear: no change stands out" if _points_somewhere(trace) else "Not clear: nothing points anywhere"
        yield paint(head, style, "bold", "yellow")
    elif first.how == "proved":
        head = f"Proved: {name}"
        yield paint(cut(head, style.width, style), style, "bold", "red")
    elif first.probability >= 0.5:
        head = f"Most probably ({chance.strip()}): {name}"
        yield paint(cut(head, style.width, style), style, "bold")
    else:
        head = f"Not clear. First suspect ({chance.strip()}): {name}"
        yield paint(cut(head, style.width, style), style, "bold", "yellow")
    yield paint(f"deployed {span}", style, "dim")
    yield ""


def _points_somewhere(trace: IncidentTrace) -> bool:
    """Whether more is known than how large each change is and which words it holds."""
    kinds = {reason.kind for change in trace.changes for reason in change.evidence}
    return bool(trace.replays or any(one.path for one in trace.frames) or kinds - _FAINT)


def _none(trace: IncidentTrace, style: Style, chance: str) -> Iterator[str]:
    kinds = [terminal(_HYPOTHESES.get(one.kind, one.kind.replace("-", " ")), 60) for one in trace.hypotheses[:3]]
    why = f": {', '.join(kinds)}" if kinds else ""
    yield from wrap(f"none of these changes{why}", style.width, f"{chance}  ", " " * 7)


def _change(one: TracedChange, style: Style, chance: str) -> Iterator[str]:
    name = terminal(f"{one.change[:10]} {one.subject}", 200)
    yield cut(f"{chance}  {name}", style.width, style)
    if one.probability < LEAST_TOLD:
        return
    lead = " " * 7
    yield cut(
        f"{lead}{terminal(one.author, 40)}, {one.committed_at[:16].replace('T', ' ')} UTC, {one.how}",
        style.width,
        style,
    )
    reasons = sorted(
        (r for r in one.evidence if r.weight >= LEAST_WEIGHT), key=lambda r: (r.kind not in _PLAIN, -r.weight)
    )
    for reason in reasons[:MOST_REASONS]:
        place = f" ({reason.source})" if reason.source and reason.source not in reason.says else ""
        yield from wrap(terminal(f"{reason.weight:+.1f} {reason.says}{place}", 300), style.width, lead, lead + "     ")
    for written in one.lines:
        yield from _written(written, style, lead)
    yield from _decided(one.decided, style, lead)
    yield ""


def _written(written: WrittenLines, style: Style, lead: str) -> Iterator[str]:
    place = f"{written.path}:{written.line}" + (f"-{written.end_line}" if written.end_line > written.line else "")
    yield ""
    yield cut(f"{lead}{paint(terminal(place, 200), style, 'bold')}", style.width, style)
    number = len(str(written.end_line))
    for line, text in enumerate(written.lines, written.line):
        mark = ">" if line in written.meant else " "
        yield cut(f"{lead}{mark} {line:>{number}} | {terminal(text.expandtabs(4))}".rstrip(), style.width, style)
    agent = " ".join(part for part in (written.tool, written.model) if part)
    who = agent if agent and written.writer != "human" else _WRITERS.get(written.writer, "unknown")
    told = [f"written by {who} ({written.evidence}{', ' + written.source if written.source else ''})"]
    told += [f"session {written.session}"] if written.session else []
    told += [f"prompt {written.prompt[:19]}"] if written.prompt else []
    told.append(f"accountable: {written.human or 'nobody'}")
    yield from wrap(terminal(", ".join(told), 400), style.width, lead + "  ", lead + "    ")
    if written.contradicted:
        yield f"{lead}  sources contradict: tidegate who {terminal(written.path, 100)}:{written.line}"


def _decided(decided: Decided, style: Style, lead: str) -> Iterator[str]:
    if decided == Decided():
        return
    told = [f"approved by {', '.join(decided.approvers) or 'nobody'}"]
    told += [f"the gate said: {decided.gate}"] if decided.gate else []
    told += [f"waived: {', '.join(decided.waived)}"] if decided.waived else []
    yield ""
    yield from wrap(terminal("; ".join(told), 400), style.width, lead, lead + "  ")


def _replay(replay: Replay, subjects: dict[str, str]) -> str:
    subject = subjects.get(replay.of, "")
    name = terminal(f"{replay.of[:10]} {subject}", 70).rstrip()
    outcome = _OUTCOMES[replay.outcome]
    passed = sum(one == "passed" for one in replay.outcomes.values())
    if 0 < passed < len(replay.outcomes):
        outcome = f"{passed} of {len(replay.outcomes)} failures are gone"
    taken = "" if replay.clean else " (later lines of others went with it)"
    return f"{outcome} {'without' if replay.kind == 'without' else 'at'} {name}{taken}"


def _frames(trace: IncidentTrace, style: Style) -> Iterator[str]:
    placed = [one for one in trace.frames if one.path]
    if not placed:
        return
    yield ""
    yield "Trace, innermost last"
    for one in placed[-6:]:
        called = f" in {one.frame.function}" if one.frame.function else ""
        yield cut(f"  {terminal(f'{one.path}:{one.line}{called}', 300)}", style.width, style)
