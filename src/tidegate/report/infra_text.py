"""What a change does to infrastructure, for a person at a terminal: the verdict, then each effect and what it hits."""

from __future__ import annotations

from tidegate.facts import Effect, Infra, Severity
from tidegate.report.escape import terminal
from tidegate.report.infra_words import HEAD, asked, details, headline, some, word_of
from tidegate.report.layout import grouped, paint, wrap
from tidegate.report.style import Style

_MOST_EFFECTS = 25
_MOST_OTHERS = 12
_COLOURS: dict[str, str] = {"pass": "green", "note": "green", "hold": "red", "cannot judge": "yellow"}
_SEVERE: dict[Severity, str] = {"critical": "red", "high": "red", "medium": "yellow"}


def render_infra_text(infra: Infra, style: Style) -> str:
    """No line is wider than the style. The gravest effect comes first; nothing that was found is left unsaid."""
    blocks = (_verdict(infra, style), *_effects(infra, style), _unjudged(infra, style), _drift(infra, style))
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


def render_drift_text(infra: Infra, style: Style) -> str:
    """Where the world and the code have come apart."""
    if not infra.drift:
        return "No drift: what the plan read of the world is what the code says.\n"
    return "\n".join(_drift(infra, style)) + "\n"


def render_infra_brief(infra: Infra, style: Style, most: int = 5) -> list[str]:
    """The part of a check: the count, then the gravest effects, short; nothing where nothing was seen."""
    reasons = [unknown.reason for unknown in infra.unknowns]
    if reasons == ["not collected"] or (infra.status == "complete" and not _anything(infra)):
        return []
    said = "unknown: " if infra.status != "complete" else ""
    lines = wrap(_say(said + headline(infra), style), style.width, "Infrastructure  ", "  ")
    lines[0] = paint("Infrastructure", style, "bold") + lines[0][len("Infrastructure") :]
    for effect in infra.effects[:most]:
        lines += _sentence(effect, style)
    for one in infra.unjudged[: max(1, most - len(infra.effects))]:
        lines += wrap(_say(f"{one.address}: {one.reason}", style), style.width, "  unclear   ", " " * 12)
    left = max(0, len(infra.effects) - most) + max(0, len(infra.unjudged) - max(1, most - len(infra.effects)))
    return [*lines, f"  and {left} more: tidegate infra"] if left else lines


# Private


def _anything(infra: Infra) -> bool:
    return bool(infra.effects or infra.unjudged)


def _say(text: str, style: Style) -> str:
    return terminal(text, unicode=style.unicode)


def _verdict(infra: Infra, style: Style) -> list[str]:
    word = word_of(infra)
    head = HEAD[word]
    lines = wrap(_say(headline(infra), style), style.width, f"{head}  ")
    lines[0] = paint(head, style, "bold", _COLOURS[word]) + lines[0][len(head) :]
    indent = " " * (len(head) + 2)
    if who := asked(infra):
        lines += wrap(_say(who, style), style.width, indent)
    read = [f"plan {plan.name} ({plan.tool}, sha256 {plan.digest[:12]})" for plan in infra.plans]
    read += [grouped(len(infra.files), "file")] if infra.files else []
    if read:
        lines += [
            paint(line, style, "dim") for line in wrap(_say(f"read: {', '.join(read)}", style), style.width, indent)
        ]
    return lines


def _effects(infra: Infra, style: Style) -> list[list[str]]:
    blocks = [_effect(effect, style) for effect in infra.effects[:_MOST_EFFECTS]]
    left = len(infra.effects) - _MOST_EFFECTS
    return [*blocks, [f"and {left:,} more effects: --format json"]] if left > 0 else blocks


def _effect(effect: Effect, style: Style) -> list[str]:
    address = _say(effect.address, style)
    colour = _SEVERE.get(effect.severity)
    severity = paint(effect.severity, style, "bold", *([colour] if colour else []))
    lines = wrap(address, style.width, " " * 10)
    lines[0] = f"{severity}{' ' * (10 - len(effect.severity))}{paint(lines[0].strip(), style, 'bold')}"
    code = effect.code
    lines[-1] += f"  {paint(code, style, 'dim')}" if len(address) + len(code) + 12 <= style.width else ""
    lines += wrap(_say(effect.reason, style), style.width, " " * 10)
    for name, words in details(effect):
        lines += [
            paint(line, style, "dim")
            for line in wrap(_say(words, style), style.width, f"{'':10}{name + ':':11}", " " * 21)
        ]
    return lines


def _sentence(effect: Effect, style: Style) -> list[str]:
    lead = f"  {effect.severity:8}  "
    said = effect.reason if effect.address in effect.reason else f"{effect.address}: {effect.reason}"
    lines = wrap(_say(said, style), style.width, lead, " " * 12)
    if effect.path:
        lines += wrap(_say(f"cut: {' -> '.join(effect.path)}", style), style.width, " " * 12)
    if effect.dependents:
        lines += wrap(_say(f"needed by {some(effect.dependents, 3)}", style), style.width, " " * 12)
    return lines


def _unjudged(infra: Infra, style: Style) -> list[str]:
    if not infra.unjudged:
        return []
    lines = [paint("Cannot judge", style, "bold")]
    for one in infra.unjudged[:_MOST_OTHERS]:
        where = f" ({one.place})" if one.place.path and str(one.place) != one.address else ""
        lines += wrap(_say(f"{one.address}: {one.reason}{where}", style), style.width, "  ", "    ")
        if one.mend:
            lines += wrap(_say(one.mend, style), style.width, "    next: ", "          ")
    left = len(infra.unjudged) - _MOST_OTHERS
    return [*lines, f"  and {left} more: --format json"] if left > 0 else lines


def _drift(infra: Infra, style: Style) -> list[str]:
    if not infra.drift:
        return []
    lines = [paint("Drift", style, "bold")]
    for one in infra.drift[:_MOST_OTHERS]:
        undone = "; this change undoes it" if one.undone else ""
        lines += wrap(_say(f"{one.address}: {one.reason}{undone}", style), style.width, f"  {one.kind:16}  ", " " * 20)
    left = len(infra.drift) - _MOST_OTHERS
    return [*lines, f"  and {left} more: --format json"] if left > 0 else lines
