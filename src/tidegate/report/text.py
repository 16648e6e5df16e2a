"""The check on a terminal: the verdict first, then what must still happen, then who wrote it."""

from __future__ import annotations

from tidegate.facts import Facts
from tidegate.policy.verdict import Verdict
from tidegate.report.escape import terminal
from tidegate.report.style import Style


def render_text(facts: Facts, verdict: Verdict, style: Style) -> str:
    """The check for a person at a terminal."""

    def show(text: str) -> str:
        return terminal(text, unicode=style.unicode)

    word = {"pass": "PASS", "hold": "HELD", "block": "BLOCKED"}[verdict.outcome]
    lines = [word]
    for rule, obligation in verdict.unmet():
        lines += [
            "",
            f"  {show(rule.id)}: {show(obligation.text)}",
            f"    {show(obligation.why)}",
            f"    next: {show(obligation.next_step)}",
        ]
    lines += ["", f"Compared: {show(facts.change.chosen)}", f"Policy: {show(verdict.policy)}"]
    return "\n".join(lines) + "\n"
