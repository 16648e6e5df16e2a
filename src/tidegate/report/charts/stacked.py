"""Wholes in parts, each as a bar of the same length: who wrote what."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.report.charts.scale import EDGE, WIDTH, headed, path, short, svg, text, text_width
from tidegate.report.charts.values import KINDS, Part, Stack, is_number

STEP, _TALL, _SWATCH = 36, 12, 12
MOST = 20


def stacked_chart(stacks: Sequence[Stack], title: str, names: Sequence[tuple[str, str]]) -> str:
    """A row for each whole, at most MOST. `names` are the kinds in their order with what they are called.

    A whole of nothing is a row without a bar. "" where there is none with anything in it.
    """
    shown = stacks[:MOST]
    if not any(_counted(stack) for stack in shown):
        return ""
    parts, top = _legend(names)
    for number, stack in enumerate(shown):
        y = top + number * STEP
        parts += headed(stack.label, stack.said, y + 12)
        counted = _counted(stack)
        whole = sum(part.count for part in counted)
        x = float(EDGE)
        for part in counted:
            width = part.count / whole * (WIDTH - 2 * EDGE)
            parts += _piece(part.kind, x, y + 17, width)
            x += width
    more = f"; {len(stacks) - MOST} more are in the table" if len(stacks) > MOST else ""
    words = "; ".join(f"{stack.label}: {stack.said or 'no words'}" for stack in shown)
    return svg(title, words + more, top + len(shown) * STEP + 2, parts)


# Private


def _counted(stack: Stack) -> list[Part]:
    return [part for part in stack.parts if is_number(part.count) and part.count > 0]


def _legend(names: Sequence[tuple[str, str]]) -> tuple[list[str], float]:
    """The kinds with their textures, on as many lines as they need; and where the rows begin."""
    parts: list[str] = []
    x, y = float(EDGE), 4.0
    for kind, name in names:
        width = _SWATCH + 5 + text_width(name)
        if x > EDGE and x + width > WIDTH - EDGE:
            x, y = float(EDGE), y + 18
        parts += [*_piece(kind, x, y, _SWATCH), text(x + _SWATCH + 5, y + 10, name)]
        x += width + 14
    return parts, (y + 22 if names else 0.0)


def _piece(kind: str, x: float, y: float, width: float) -> list[str]:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    parts = [f'<rect class="{kind}" x="{short(x)}" y="{short(y)}" width="{short(width)}" height="{_TALL}"/>']
    if kind == "mixed":
        lines = "".join(f"M{short(x + at)} {short(y)}v{_TALL}" for at in range(3, int(width), 5))
        parts.append(path("stripes", lines))
    if kind == "unknown" and width > 4:
        lines = "".join(f"M{short(x + 2)} {short(y + at)}h{short(width - 3)}" for at in (3, 6, 9))
        parts.append(path("dots", lines))
    return parts
