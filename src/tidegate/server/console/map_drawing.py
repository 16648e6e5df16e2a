"""Who calls whom, drawn by layers: who is called by nobody stands left, what they call to the right of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from tidegate.operate.environment.values import Map, Service

MOST_DRAWN = 60
WIDTH, HEIGHT, ACROSS, DOWN = 168, 44, 76, 16
LONGEST = 22
_SVG = Markup(
    '<svg class="map" viewBox="0 0 {} {}" width="{}" height="{}" role="group" aria-label="{}"><title>{}</title>{}</svg>'
)
_BOX = Markup(
    '<a href="#service-{}" class="{}"><title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="4"/>'
    '<text class="name" x="{}" y="{}">{}</text><text class="note" x="{}" y="{}">{}</text></a>'
)
_EDGE = Markup('<path class="{}" d="M{} {}C{} {} {} {} {} {}"/>')


def draw_map(made: Map) -> Markup:
    """The services that call or are called, at most 60, those with most calls; "" where nobody calls anybody."""
    number = {one.name: place for place, one in enumerate(made.services, 1)}
    calls = {
        one.name: tuple(sorted({call.target for call in one.calls} & number.keys() - {one.name}))
        for one in made.services
    }
    callers: dict[str, set[str]] = {}
    for caller, targets in calls.items():
        for target in targets:
            callers.setdefault(target, set()).add(caller)
    linked = [one for one in made.services if calls[one.name] or one.name in callers]
    busiest = sorted(linked, key=lambda one: (-len(calls[one.name]) - len(callers.get(one.name, ())), one.name))
    shown = {one.name: one for one in busiest[:MOST_DRAWN]}
    if not shown:
        return Markup("")
    columns = _columns(shown, calls, callers)
    place = {name: (column, row) for column, names in enumerate(columns) for row, name in enumerate(names)}
    across = len(columns) * (WIDTH + ACROSS) - ACROSS + 4
    down = max(map(len, columns)) * (HEIGHT + DOWN) - DOWN + 4
    guessed = {(one.name, call.target) for one in made.services for call in one.calls if call.guessed}
    body = Markup("").join(
        (
            *_edges(shown, calls, place, guessed),
            *(_box(made, shown[name], number[name], at) for name, at in sorted(place.items())),
        )
    )
    words = f"{len(shown)} services and who calls whom; the table below says the same"
    return _SVG.format(across, down, across, down, words, words, body)


# Private


def _columns(
    shown: Mapping[str, Service], calls: Mapping[str, Sequence[str]], callers: Mapping[str, set[str]]
) -> list[list[str]]:
    """By how many calls lie between the outside and a service; of those that only call each other one is outside."""
    depth: dict[str, int] = {}
    outside = [name for name in sorted(shown) if not callers.get(name, set()) & shown.keys()]
    for begin in [outside, *([name] for name in sorted(shown))]:
        wave = [name for name in begin if name not in depth]
        depth |= dict.fromkeys(wave, 0)
        while wave:
            reached = sorted({target for name in wave for target in calls[name] if target in shown} - depth.keys())
            depth |= dict.fromkeys(reached, depth[wave[0]] + 1)
            wave = reached
    columns: dict[int, list[str]] = {}
    for name in sorted(shown):
        columns.setdefault(depth.get(name, 0), []).append(name)
    ordered = [columns[each] for each in sorted(columns)]
    for before, names in pairwise(ordered):
        row = {name: place for place, name in enumerate(before)}
        names.sort(key=lambda name: (_middle([row[each] for each in callers.get(name, ()) if each in row]), name))
    return ordered


def _middle(rows: Sequence[int]) -> float:
    return sum(rows) / len(rows) if rows else float(MOST_DRAWN)


def _edges(
    shown: Mapping[str, Service],
    calls: Mapping[str, Sequence[str]],
    place: Mapping[str, tuple[int, int]],
    guessed: set[tuple[str, str]],
) -> Iterator[Markup]:
    for caller in sorted(shown):
        for target in calls[caller]:
            if target not in shown:
                continue
            x, y = _corner(place[caller])
            to_x, to_y = _corner(place[target])
            begin, end = (x + WIDTH, to_x) if to_x > x else (x + WIDTH, to_x + WIDTH)
            bend = ACROSS // 2
            kind = "edge guess" if (caller, target) in guessed else "edge"
            near = end - bend if to_x > x else end + bend
            middle, to_middle = y + HEIGHT // 2, to_y + HEIGHT // 2
            yield _EDGE.format(kind, begin, middle, begin + bend, middle, near, to_middle, end, to_middle)


def _box(made: Map, one: Service, number: int, at: tuple[int, int]) -> Markup:
    x, y = _corner(at)
    lacks = [
        words for words, names in (("no owner", made.unowned), ("not watched", made.unmonitored)) if one.name in names
    ]
    note = ", ".join(lacks) or one.owner or one.kind
    kind = "box lacking" if lacks else "box"
    title = f"{one.name}: {note}"
    return _BOX.format(
        number, kind, title, x, y, WIDTH, HEIGHT, x + 10, y + 18, _cut(one.name), x + 10, y + 34, _cut(note)
    )


def _corner(at: tuple[int, int]) -> tuple[int, int]:
    return 2 + at[0] * (WIDTH + ACROSS), 2 + at[1] * (HEIGHT + DOWN)


def _cut(text: str) -> str:
    plain = "".join(letter if letter.isprintable() else "�" for letter in text)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
