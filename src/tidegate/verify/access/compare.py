"""Which guards of a unit are gone without another as strong in their place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from tidegate.verify.access.values import Guard, Unit, Units


class Gone(Struct, frozen=True):
    """Guards that a unit lost: the first of them, how many more, and what opens it instead ("" for nothing)."""

    before: Unit
    after: Unit
    guard: Guard
    more: int = 0
    instead: str = ""


def compare(before: Units, after: Units, moved: Units) -> Iterator[Gone]:
    """The losses between two sides of a file. `moved` are new units of other files, for what left this one."""
    for key, unit in before.items():
        other = after.get(key) or moved.get(key)
        if other is None or not (unit.guards or unit.refuses or other.opened):
            continue
        found = _lost(unit, other)
        if found is not None and not _behind(found, before, after):
            yield found


def together(found: Iterable[Gone]) -> list[tuple[Gone, int]]:
    """Losses of one guard (a class's, a router's) as one, with how many units lost it."""
    grouped: dict[tuple[str, int], list[Gone]] = {}
    for one in found:
        grouped.setdefault((one.guard.key, one.guard.line), []).append(one)
    return [(min(group, key=lambda one: one.before.line), len(group)) for group in grouped.values()]


# Private

_QUESTION = re.compile(r"(?i)\b\w*(?:perm|auth|role|owner|admin|staff)\w*\b")


def _lost(unit: Unit, other: Unit) -> Gone | None:
    had = {guard.key for guard in unit.guards}
    held = () if other.opened and not unit.opened else other.guards
    fresh = [guard for guard in held if guard.key not in had]
    kept = [guard for guard in held if guard.key in had]
    now = {guard.key for guard in held}
    gone = [
        guard for guard in unit.guards if not guard.aside and guard.key not in now and not _covered(guard, fresh, kept)
    ]
    if gone:
        weaker = next((guard.text for guard in fresh if guard.level < gone[0].level), "")
        return Gone(unit, other, gone[0], len({guard.key for guard in gone}) - 1, other.opened or weaker)
    if unit.refuses and other.refuses == 0:
        return Gone(unit, other, Guard(f"what {unit.name} refuses", unit.line, 2), 0, "")
    return None


def _behind(gone: Gone, before: Units, after: Units) -> bool:
    """Whether guards as strong stand before all that call it now, or before what is new and it calls itself."""
    asking = {key for key, unit in after.items() if any(one.level >= gone.guard.level for one in unit.guards)}
    callers = [key for key, unit in after.items() if gone.after.name in unit.calls and key != gone.after.key]
    if callers and asking.issuperset(callers):
        return True
    if any(key in asking and key not in before for key in gone.after.calls):
        return True
    # A condition that moved into a new function of the file still names the same question.
    words = set(_QUESTION.findall(gone.guard.text)) if gone.guard.text.startswith("if ") else set()
    fresh = [guard.text for key, unit in after.items() if key not in before for guard in unit.guards]
    return any(words.intersection(_QUESTION.findall(text)) for text in fresh)


def _covered(gone: Guard, fresh: list[Guard], kept: list[Guard]) -> bool:
    """Whether something as strong is new, or what is left implies what is gone."""
    if any(guard.level >= gone.level for guard in fresh):
        return True
    return gone.level == 1 and bool(kept)
