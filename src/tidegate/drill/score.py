"""What decisions are worth: by the scenario, and for names and revisions by the repository itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from tidegate.drill.values import Decision, Given, Marked, Option
from tidegate.report.escape import plain

LATE_SHARE = 0.5
NOTHING = "nothing was decided"

Ask = Callable[[Decision, str], tuple[int, str] | None]
"""What the repository says of a free answer: points and why; None where it cannot be asked."""


def option_of(decision: Decision, given: str) -> Option | None:
    """The option that an answer names, by its letter or by its text."""
    text = given.strip()
    for option in decision.options:
        if text.lower() == option.id or text == option.text:
            return option
    return None


def mark(decision: Decision, given: Given | None, ask: Ask) -> Marked:
    """One decision with its points, whether it was late, and why."""
    best = max(decision.options, key=lambda option: option.points)
    if given is None or not given.given.strip():
        return _marked(decision, NOTHING, 0, NOTHING, best)
    late = given.seconds > decision.minutes * 60
    option = option_of(decision, given.given)
    said = option.text if option is not None else given.given.strip()
    asked = ask(decision, said) if _is_name(decision, said) else None
    if option is not None:
        points, why = asked or (option.points, option.why)
        return _marked(decision, option.text, points, why, best, late)
    if asked is None:
        why = "no repository is at hand that could say what that is worth"
        if decision.asks not in ("call", "rollback"):
            why = f"that is none of the options ({', '.join(one.id for one in decision.options)})"
        return _marked(decision, plain(given.given, 200), 0, why, best, late)
    return _marked(decision, plain(given.given, 200), asked[0], asked[1], best, late)


def mark_all(decisions: Sequence[Decision], answers: Mapping[str, Given], ask: Ask) -> tuple[Marked, ...]:
    return tuple(mark(decision, answers.get(decision.id), ask) for decision in decisions)


# Private

_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@/~^-]*")


def _is_name(decision: Decision, text: str) -> bool:
    """Whether the answer names somebody or something that a repository knows, rather than says a sentence."""
    if decision.asks == "call":
        return " " not in text
    return decision.asks == "rollback" and _REVISION.fullmatch(text) is not None


def _marked(decision: Decision, given: str, points: int, why: str, best: Option, late: bool = False) -> Marked:
    worth = min(points, decision.most)
    return Marked(
        decision=decision.id,
        asks=decision.asks,
        question=decision.question,
        given=plain(given, 390),
        points=worth * LATE_SHARE if late else float(worth),
        most=decision.most,
        late=late,
        why=why,
        better="" if worth == decision.most else best.text if best.why == why else f"{best.text} ({best.why})"[:1_900],
    )
