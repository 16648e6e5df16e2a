"""A drill on a terminal: what fits, what was made, what is seen and asked, what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.drill.make import Offer
from tidegate.drill.patterns import PATTERNS
from tidegate.drill.values import Decision, Inject, Report, Scenario, Tested
from tidegate.report.escape import terminal
from tidegate.report.layout import grouped, paint, wrap
from tidegate.report.style import Style

_KINDS = {"alert": "red", "dashboard": "cyan", "chat": "dim", "customer": "yellow"}


def render_offers(offers: Sequence[Offer], name: str, style: Style) -> str:
    """Every pattern, those that fit first, each with where it would strike or what it needs."""
    lines = [paint(f"{len(offers)} of {len(PATTERNS)} failure patterns fit {_t(name, style)}", style, "bold")]
    for offer in offers:
        lines += ["", f"{paint(offer.pattern.id, style, 'bold')}  {_t(offer.pattern.title, style)}"]
        lines += _wrapped(offer.chance.why, style, "  ")
    fitting = {offer.pattern.id for offer in offers}
    left = [pattern for pattern in PATTERNS if pattern.id not in fitting]
    if left:
        lines += ["", "These do not fit:"]
        for pattern in left:
            lines += _wrapped(f"{pattern.id} needs {pattern.needs}", style, "  ")
    return "\n".join(lines)


def render_made(scenario: Scenario, style: Style) -> str:
    """What a facilitator has to know before the exercise. It tells the hidden truth."""
    lines = [paint(_t(scenario.title, style), style, "bold")]
    why = scenario.why.removeprefix(f"{scenario.title.rpartition(' (')[0]}: ")
    lines += _wrapped(f"Why this one: {why}", style)
    for source in scenario.source:
        lines += _wrapped(f"Seen in the world ({source.date}): {source.fact} {source.url}", style)
    lines += ["", paint("Hidden truth", style, "bold")]
    lines += _wrapped(f"{scenario.truth.commit[:8]} “{scenario.truth.subject}” {scenario.truth.what}.", style, "  ")
    lines += ["", paint("Asked of this repository", style, "bold")]
    for one in scenario.criteria:
        mark = {"yes": paint("yes    ", style, "green"), "no": paint("no     ", style, "red")}.get(
            one.answer, "unknown"
        )
        lines += _wrapped(one.question, style, f"  {mark} ", " " * 10)
        lines += _wrapped(one.evidence, style, " " * 10)
    lines += ["", paint("The gate", style, "bold"), *_gate(scenario, style)]
    runs = f"{len(scenario.injects)} injects and {len(scenario.decisions)} decisions in {_length(scenario)} minutes"
    lines += ["", *_wrapped(f"{runs}. Run it: tidegate drill run FILE", style)]
    return "\n".join(lines)


def render_begin(scenario: Scenario, style: Style) -> str:
    """What is read out at the beginning. Nothing of the hidden truth."""
    lines = [
        paint("A tabletop exercise. Nothing here has happened.", style, "bold"),
        "",
        *_wrapped(scenario.story, style),
    ]
    return "\n".join([*lines, "", f"It takes {_length(scenario)} minutes."])


def render_inject(inject: Inject, style: Style) -> str:
    head = f"{_clock(inject.minute)}  {inject.role}, {inject.kind}"
    return "\n".join(["", paint(head, style, _KINDS[inject.kind]), *_wrapped(inject.text, style, "  ")])


def render_question(decision: Decision, style: Style) -> str:
    head = f"{_clock(decision.minute)}  decision for the {decision.role}, {grouped(decision.minutes, 'minute')}"
    lines = ["", paint(head, style, "bold"), *_wrapped(decision.question, style, "  ")]
    for option in decision.options:
        lines += _wrapped(option.text, style, f"    {option.id}) ", " " * 7)
    if decision.asks == "call":
        lines.append("    or name somebody: @owner")
    if decision.asks == "rollback":
        lines.append("    or name a revision")
    return "\n".join(lines)


def render_report(report: Report, style: Style) -> str:
    """The end: points with reasons, the truth, the findings, and the rules with what they would have held."""
    lines = ["", paint(f"{_points(report.points)} of {report.most} points", style, "bold")]
    for one in report.marked:
        late = ", late" if one.late else ""
        lines += ["", f"  {_points(one.points)}/{one.most}{late}  {_t(one.question, style)}"]
        lines += _wrapped(f"You: {one.given}", style, "        ")
        if one.why != one.given:
            lines += _wrapped(f"Why: {one.why}", style, "        ")
        if one.better:
            lines += _wrapped(f"Better: {one.better}", style, "        ")
    truth = report.truth
    lines += ["", paint("What really happened", style, "bold")]
    lines += _wrapped(
        f"{truth.commit[:8]} “{truth.subject}” {truth.what}. (The session and its person are made up.)", style, "  "
    )
    lines += ["", paint("Findings", style, "bold")]
    for text in report.findings:
        lines += _wrapped(text, style, "  - ", "    ")
    lines += ["", paint("Rules to think about", style, "bold")]
    tested = {one.action: one for one in report.tested}
    for action in report.actions:
        lines += _wrapped(action.title, style, "  - ", "    ")
        if action.id in tested:
            lines += _wrapped(said_of(tested[action.id]), style, "    ")
    return "\n".join([*lines, "", *_wrapped(report.checked, style)])


def said_of(tested: Tested) -> str:
    """What a rule would have done, in a sentence or two."""
    if tested.problem:
        return f"It could not be tried: {tested.problem}."
    if not tested.changes:
        return "No change landed here in the last year, so nothing can be said."
    of_all = f"It would have held {tested.held} of the {grouped(tested.changes, 'change')} since {tested.since}"
    asking = f", {tested.asking} of them until somebody shows an approval that nobody recorded" if tested.asking else ""
    unjudged = f" {tested.unjudged} could not be judged: {tested.reason}." if tested.unjudged else ""
    hidden = {
        "yes": " It holds the hidden change.",
        "no": " It does not hold the hidden change.",
        "unknown": "",
    }[tested.holds_hidden]
    return f"{of_all}{asking}.{unjudged}{hidden}"


# Private


def _t(text: str, style: Style) -> str:
    return terminal(text, unicode=style.unicode)


def _wrapped(text: str, style: Style, first: str = "", rest: str | None = None) -> list[str]:
    return wrap(_t(text, style), style.width, first, first if rest is None and not first.strip() else rest)


def _clock(minute: int) -> str:
    return f"+{minute:02d}:00"


def _points(points: float) -> str:
    return f"{points:g}"


def _length(scenario: Scenario) -> int:
    ends = [decision.minute + decision.minutes for decision in scenario.decisions]
    return max([*ends, *(inject.minute for inject in scenario.injects)])


def _gate(scenario: Scenario, style: Style) -> list[str]:
    gate = scenario.gate
    lines = _wrapped(f"Verdict of {gate.policy}: {gate.outcome}.", style, "  ")
    groups = (
        ("for what it does", gate.saw),
        ("for where it is, who wrote it or how far it reaches", gate.place),
        ("because they hold every change", tuple(rule for rule in gate.held if rule.always)),
    )
    for words, rules in groups:
        if rules:
            lines += _wrapped(f"Held {words}:", style, "  ")
        for rule in rules:
            lines += _wrapped(f"{rule.id}: {rule.why}", style, "    ", "      ")
    if not gate.saw and not gate.place:
        lines += _wrapped("Nothing here would have held it for what it is.", style, "  ")
    return lines
