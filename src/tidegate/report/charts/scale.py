"""Axes and text: where ticks stand, what they say, and how much room a text takes at most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from tidegate.report.escape import markup, plain

WIDTH = 360
SIZE = 11
EDGE = 2
_TIMES = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
_NARROW = frozenset(" .,:;|!'`()[]{}/\\-fijlrtI")
_BROAD = frozenset("mwMWQOG%@&…")
MOST_LABEL = 200
NOTHING = 1e-12
"""What is smaller stands at zero."""


class Axis(Struct, frozen=True):
    """`ticks` from the least to the most, and what stands at each."""

    ticks: tuple[float, ...]
    words: tuple[str, ...]

    @property
    def low(self) -> float:
        return self.ticks[0]

    @property
    def high(self) -> float:
        return self.ticks[-1]

    def share(self, value: float) -> float:
        """Where a value lies between the ends, 0 to 1; beyond them at the end."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


def make_axis(values: Iterable[float], unit: str, most: int = 4) -> Axis:
    """An axis with zero that holds all values. `unit` is "share", "seconds" or what stands nowhere else."""
    given = [*values, 0.0]
    low, high = min(given), max(given)
    if high - low < NOTHING:
        high = low + 1.0
    size, word = _size(max(abs(low), abs(high)), unit)
    step = _step((high - low) / size / most)
    first, last = math.floor(low / size / step + 1e-9), math.ceil(high / size / step - 1e-9)
    if unit == "share" and high <= 1 and last * step > 100:
        last = round(100 / step)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    numbers = [number * step for number in range(first, max(last, first + 1) + 1)]
    return Axis(
        tuple(number * size for number in numbers),
        tuple(f"{_tick(number, places)}{word}" for number in numbers),
    )


def text_width(text: str, size: float = SIZE) -> float:
    """At most so wide is a text in the fonts that the pages ask for; measured in DejaVu Sans, the widest of them."""
    return size * sum(_width(letter) for letter in text)


def fitted(text: str, room: float) -> str:
    """The text on one visible line, shortened to its room. Not escaped yet."""
    whole = plain(text, MOST_LABEL)
    if text_width(whole) <= room:
        return whole
    left = room - text_width("…")
    kept = 0
    for letter in whole:
        left -= SIZE * _width(letter)
        if left < 0:
            break
        kept += 1
    return whole[:kept].rstrip() + "…" if kept else ""


def text(x: float, y: float, words: str, classes: str = "") -> str:
    """A text element; "" of no words."""
    named = f' class="{classes}"' if classes else ""
    return f'<text{named} x="{short(x)}" y="{short(y)}">{markup(words)}</text>' if words else ""


def path(classes: str, data: str) -> str:
    return f'<path class="{classes}" d="{data}"/>' if data else ""


def whisker(y: float, low: float, high: float) -> str:
    """A lying one, with an end at both sides."""
    ends = "".join(f"M{short(x)} {short(y - 3)}v6" for x in (low, high))
    return path("whisker", f"{ends}M{short(low)} {short(y)}H{short(high)}")


def behind(x: float, rows: int, step: int, classes: str = "rule") -> str:
    """A standing line behind the bars of all rows, and behind none of their words."""
    return path(classes, "".join(f"M{short(x)} {number * step + 15}v16" for number in range(rows)))


def headed(label: str, said: str, y: float) -> list[str]:
    """A row's name at the left and what it says at the right of one line; the name gives way."""
    right = fitted(said, WIDTH * 0.68)
    room = WIDTH - 2 * EDGE - text_width(right) - 10
    return [text(EDGE, y, fitted(label, room), "name"), text(WIDTH - EDGE, y, right, "end")]


def svg(title: str, description: str, height: float, parts: Sequence[str]) -> str:
    """The picture with its name and what it shows."""
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {short(height)}" role="img">',
            f"<title>{markup(title, 300)}</title><desc>{markup(description, 1000)}</desc>",
            *parts,
            "</svg>",
        ]
    )


def short(number: float) -> str:
    """A number to a tenth, as short as it can be written."""
    shown = f"{number:.1f}".removesuffix(".0")
    return "0" if shown == "-0" else shown


# Private


def _size(most: float, unit: str) -> tuple[float, str]:
    if unit == "share":
        return 0.01, " %"
    if unit == "seconds":
        size, word = next((each for each in _TIMES if most >= 2 * each[0]), _TIMES[-1])
        return size, f" {word}"
    return 1.0, ""


def _tick(number: float, places: int) -> str:
    """Of numbers that are very small or very large a power of ten."""
    return f"{number:.3g}" if places > 4 or abs(number) >= 1e7 else f"{number:,.{places}f}"


def _step(least: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(size * power for size in (1.0, 2.0, 5.0, 10.0) if size * power >= least * (1 - 1e-9))


def _width(letter: str) -> float:
    if letter in _NARROW:
        return 0.42
    if letter in _BROAD:
        return 1.0
    if letter.isascii():
        return 0.7 if letter.isupper() else 0.64
    return 1.0
