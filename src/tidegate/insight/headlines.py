"""The answer in four sentences: is AI helping or hurting, do deployments hold, is scrutiny keeping up, who wrote it.

A side is taken only where the whole interval lies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from tidegate.insight.answer import Insight
from tidegate.insight.values import Figure, Series
from tidegate.insight.words import moved, percent, said

Side = Literal["better", "worse", "open", "told"]
"""Whether the interval lies on one side. "open": on neither, or there is none; "told": it has no sides."""

UP_IS_WORSE = {
    "deployment frequency": False,
    "lead time": True,
    "change failure rate": True,
    "failed deployment recovery time": True,
    "rework rate": True,
    "changes repaired": True,
    "redeploys a repaired change": True,
    "changes debugged in production": True,
    "lines reviewed": False,
    "review per 100 lines": False,
    "landed without a review": True,
    "merged by the author": True,
    "test lines of all lines": False,
    "changes that touch tests": False,
    "complexity added": True,
    "duplicated lines": True,
    "notes to do added": True,
    "lines of unknown writers": True,
}
"""What more of a figure means. Of figures that are not here nobody can say."""
_STEADY = ("change failure rate", "changes repaired")
_READ = ("review per 100 lines", "lines reviewed", "landed without a review")


class Headline(Struct, frozen=True, kw_only=True):
    """`answer` in a few words, `said` the numbers that it rests on, or why there are none."""

    question: str
    answer: str
    said: str
    side: Side


def headlines(found: Insight) -> tuple[Headline, Headline, Headline, Headline]:
    """Always four, in this order."""
    return (
        _against(found.compared),
        _over_time(found.series, _STEADY, "Do deployments hold?", "no deployment or repair is known"),
        _over_time(found.series, _READ, "Is scrutiny keeping up?", "nobody wrote down who reviewed what"),
        _writers(found),
    )


def side_of(name: str, difference: Figure) -> Side:
    """Whether a difference of this figure is for the better or the worse with all of its interval."""
    if difference.low is None or difference.high is None or difference.low <= 0 <= difference.high:
        return "open"
    if name not in UP_IS_WORSE:
        return "told"
    return "worse" if (difference.low > 0) == UP_IS_WORSE[name] else "better"


def course_of(found: Sequence[Series], name: str, group: str = "all") -> Series | None:
    """The series of this name for this group."""
    return next((one for one in found if one.name == name and one.group == group), None)


# Private


def _against(compared: Sequence[Figure]) -> Headline:
    """Repairs of AI against human changes, like with like."""
    question = "Is AI helping or hurting?"
    figure = compared[0] if compared else None
    if figure is None or figure.value is None or figure.low is None or figure.high is None:
        why = figure.says if figure is not None else "nothing to compare"
        return Headline(
            question=question,
            answer="nobody can tell yet",
            said=f"repairs of AI against human changes: {why}",
            side="open",
        )
    words = f"repairs of AI against human changes of like size and repository: {said(figure)}"
    if figure.low <= 1 <= figure.high:
        return Headline(question=question, answer="nobody can tell yet", said=words, side="open")
    worse = figure.low > 1
    answer = "AI changes are repaired more often" if worse else "AI changes are repaired less often"
    return Headline(question=question, answer=answer, said=words, side="worse" if worse else "better")


def _over_time(found: Sequence[Series], names: Sequence[str], question: str, missing: str) -> Headline:
    """The first of these figures that has two halves to compare."""
    course = next((one for name in names if (one := course_of(found, name)) is not None and one.change), None)
    if course is None or course.change is None:
        only = next((one for name in names if (one := course_of(found, name)) is not None), None)
        why = f"{only.name}: too few in one half of the time to compare" if only else missing
        return Headline(question=question, answer="nobody can tell yet", said=why, side="open")
    change = course.change
    side = side_of(course.name, change.difference)
    answers = {"better": f"{course.name}: better", "worse": f"{course.name}: worse"}
    numbers = f"{said(change.before)}, in the first half of the time; {said(change.after)}, in the second"
    return Headline(
        question=question,
        answer=answers.get(side, "no change can be seen"),
        said=f"{course.name}: {numbers}; difference {moved(change.difference)}",
        side=side,
    )


def _writers(found: Insight) -> Headline:
    lines = dict(found.written)
    whole = sum(lines.values())
    if not whole:
        return Headline(question="Who writes it?", answer="no line is known", said="nothing landed", side="told")
    shares = {writer: lines.get(writer, 0) / whole for writer in ("ai", "human", "mixed", "unknown")}
    named = {"ai": "agents", "human": "people", "mixed": "both", "unknown": "no record"}
    words = ", ".join(f"{name} {percent(shares[writer])}" for writer, name in named.items())
    dark = shares["unknown"] >= 0.5
    return Headline(
        question="Who writes it?",
        answer=f"nobody knows of {percent(shares['unknown'])}"
        if dark
        else f"agents {percent(shares['ai'])} of the lines",
        said=f"{words}; of {whole:,} changed lines",
        side="open" if dark else "told",
    )
