"""Where an application may run, for a person at a terminal: the tier first, then what is missing, then the rest."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.place.judge import steps_to
from tidegate.place.values import AXES, TIERS, TITLES, Criterion, Placement
from tidegate.report.escape import terminal
from tidegate.report.layout import paint, wrap
from tidegate.report.style import Style

_WORDS = {"met": ("met", "green"), "unmet": ("unmet", "red"), "unknown": ("unknown", "yellow")}


def render_place(placement: Placement, style: Style, *, target: str = "") -> str:
    """No line is wider than the style. With a `target` what is asked for up to that tier, else up to the next one."""
    upto = target or placement.next or placement.tier
    blocks = [_head(placement, style), _steps(placement, style, upto), _known(placement, style)]
    blocks += [_asked(placement, tier, style) for tier in TIERS[1:] if tier <= upto]
    blocks.append(_damage(placement, style, upto))
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


def render_reasons(placement: Placement, reasons: Sequence[str], style: Style) -> str:
    """What `--check` found: why a place that was given should be taken back, or that nothing speaks against it."""
    if not reasons and not placement.declared:
        return f"No tier is declared ([place] tier in tidegate.toml); it earns {placement.tier}.\n"
    if not reasons:
        return f"{placement.declared} holds: nothing found that takes it back.\n"
    many = f"{len(reasons)} reason{'s' if len(reasons) > 1 else ''}"
    what = placement.declared or "its place"
    lines = [f"{paint('TAKE BACK', style, 'red')}  {many} to ask again about {what}"]
    for reason in reasons:
        lines += wrap(_say(reason, style), style.width, "  - ", "    ")
    return "\n".join(lines) + "\n"


# Private


def _say(text: str, style: Style) -> str:
    return terminal(text, unicode=style.unicode)


def _head(placement: Placement, style: Style) -> list[str]:
    app = placement.application
    name = app.name + (f" ({app.folder}/)" if app.folder else "")
    lines = wrap(_say(f"{placement.title}", style), style.width, f"{placement.tier}  ")
    lines[0] = paint(placement.tier, style, "bold") + lines[0][len(placement.tier) :]
    told = f"{name} at {app.commit[:12]}, {app.files} files, {', '.join(app.languages) or 'no language that is read'}"
    lines += wrap(_say(told, style), style.width, "    ")
    low = [axis for axis in AXES if placement.axes[axis] == placement.tier]
    rest = [f"{axis} {placement.axes[axis]}" for axis in AXES if axis not in low]
    lines += wrap(
        f"held at {placement.tier} by {', '.join(low)}" + (f"; {', '.join(rest)}" if rest else ""), style.width, "    "
    )
    if placement.declared:
        lines += [f"    declared in tidegate.toml: {placement.declared}"]
    return lines


def _steps(placement: Placement, style: Style, upto: str) -> list[str]:
    steps = steps_to(placement.criteria, upto) if upto > placement.tier else ()
    if not steps:
        return []
    lines = [paint(f"To {upto} ({TITLES[upto].partition(':')[0]}), easiest first", style, "bold")]
    for number, step in enumerate(steps, 1):
        lines += wrap(_say(step, style), style.width, f"  {number:>2}. ", "      ")
    return lines


def _known(placement: Placement, style: Style) -> list[str]:
    """What it wants: machines, secrets, data. One line each, with what is not told."""
    app = placement.application
    lines = [paint("What it wants", style, "bold")]
    hosts = ", ".join(f"{one.name}:{one.port}" for one in app.hosts) or "nobody that is named"
    rows = [("calls", hosts)]
    rows += [("", f"not told: {one}") for one in app.dynamic[:6]]
    rows += [("", f"and {len(app.dynamic) - 6} more that are not told")] if len(app.dynamic) > 6 else []
    if app.named_only:
        names = ", ".join(one.name for one in app.named_only[:4])
        rows.append(("", f"{len(app.named_only)} addresses are only written down, and stay closed: {names}"))
    rows.append(("secrets", ", ".join(one.name for one in app.wanted if one.secret) or "none"))
    plain = [one.name for one in app.wanted if not one.secret]
    if plain:
        rows.append(("settings", ", ".join(plain[:12]) + (f" and {len(plain) - 12} more" if len(plain) > 12 else "")))
    rows.append(
        (
            "data",
            f"{app.data}" + (f": {', '.join(sorted({one.name for one in app.fields})[:10])}" if app.fields else ""),
        )
    )
    asked = sum(one.guard is not None for one in app.routes)
    natural = sum(one.guard is None and bool(one.open_by_name) for one in app.routes)
    ways = f"{asked} ask who is there, {natural} are sign-in, health or files"
    said = f"{len(app.routes)}: {ways}, {len(app.routes) - asked - natural} were not seen to ask"
    rows.append(("routes", said if app.routes else "none"))
    for word, text in rows:
        lines += wrap(_say(text, style), style.width, f"  {word:<9} ", " " * 12)
    return lines


def _asked(placement: Placement, tier: str, style: Style) -> list[str]:
    mine = [one for one in placement.criteria if one.tier == tier]
    met = sum(one.state == "met" for one in mine)
    lines = [paint(f"{tier} asks", style, "bold") + f"  {met} of {len(mine)} met"]
    for one in sorted(mine, key=lambda each: (each.state == "met", AXES.index(each.axis))):
        lines += _criterion(one, style)
    return lines


def _criterion(one: Criterion, style: Style) -> list[str]:
    word, colour = _WORDS[one.state]
    lines = wrap(_say(f"{one.title} ({one.axis})", style), style.width, f"  {word:<8} ", " " * 11)
    lines[0] = lines[0].replace(word, paint(word, style, colour), 1)
    shown = one.evidence[:1] if one.state == "met" else one.evidence
    for text in shown:
        more = f" (and {len(one.evidence) - 1} more)" if one.state == "met" and len(one.evidence) > 1 else ""
        lines += wrap(_say(text + more, style), style.width, " " * 11, " " * 13)
    return lines


def _damage(placement: Placement, style: Style, upto: str) -> list[str]:
    lines = [paint("At its worst it could", style, "bold")]
    for tier, texts in placement.damage.items():
        if tier <= upto:
            for at, text in enumerate(texts):
                lines += wrap(_say(text, style), style.width, f"  {tier if not at else '  '}  ", "      ")
    return lines
