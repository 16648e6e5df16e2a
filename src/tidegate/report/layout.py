"""Lines, columns and bars of a terminal, measured in columns and not in characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tidegate.report.style import Style

_SGR = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def paint(text: str, style: Style, *names: str) -> str:
    """The text in colour, where the style has colour. It must have been escaped before."""
    if not style.colour or not text:
        return text
    return f"\x1b[{';'.join(_SGR[name] for name in names)}m{text}\x1b[0m"


def percent(probability: float) -> str:
    """` 72 %`; what is not quite certain is never said to be, and what is possible never 0."""
    value = round(probability * 100)
    if probability < 1:
        value = min(99, max(1, value)) if probability > 0 else 0
    return f"{value:3d} %"


def percents(shares: Sequence[float]) -> tuple[str, ...]:
    """The same of shares of one whole, so that what is shown adds up to 100: by the largest remainder.

    Where rounding cannot be shared out, as of more than 99 shares, and where they are no whole, each stands by itself.
    """
    if not all(0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-6 or len(shares) > 99:
        return tuple(map(percent, shares))
    whole = [max(int(share * 100 + 1e-9), 1) if share > 0 else 0 for share in shares]
    left = [share * 100 - value for share, value in zip(shares, whole, strict=True)]
    while sum(whole) != 100:
        step = 1 if sum(whole) < 100 else -1
        may = [place for place, value in enumerate(whole) if value > (1 if step < 0 else 0)]
        place = max(may, key=lambda each: (step * left[each], whole[each], -each))
        whole[place] += step
        left[place] -= step
    return tuple(f"{value:3d} %" for value in whole)


def columns(text: str) -> int:
    """How many columns a terminal uses for an escaped text: two for wide characters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(character) for character in text)


def cut(text: str, width: int, style: Style) -> str:
    """The text in at most `width` columns, with an ellipsis where it was longer."""
    if columns(text) <= width:
        return text
    ellipsis = "…" if style.unicode else "..."
    return split_at(text, width - columns(ellipsis))[0] + ellipsis


def pad(text: str, width: int) -> str:
    return text + " " * max(0, width - columns(text))


def wrap(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """The words of a text in lines of at most `width` columns, led by `first` and then by `rest`.

    A word that is too long is split, a path after a slash where one is near, never so that a line begins with a colon:
    a CI system reads `::` there. A URL stays whole, so that it can be copied.
    """
    rest = " " * columns(first) if rest is None else rest
    lines: list[str] = []
    line, lead = "", first
    for word in text.split(" "):
        room = max(8, width - columns(lead))
        if line and columns(line) + 1 + columns(word) <= room:
            line = f"{line} {word}"
            continue
        if line:
            lines.append(lead + line)
            lead, room = rest, max(8, width - columns(rest))
        while columns(word) > room and not word.startswith(("https://", "http://")):
            part, word = _split_path(*split_at(word, room))
            lines.append(lead + part)
            lead, room = rest, max(8, width - columns(rest))
        line = word
    return [*lines, lead + line] if line or not lines else lines


def split_at(text: str, width: int) -> tuple[str, str]:
    """The text in two where `width` columns end, or a little before."""
    used = 0
    for index, character in enumerate(text):
        used += _columns_of(character)
        if used > width and index:
            back = index
            while back > 1 and text[back] == ":":
                back -= 1
            return text[:back], text[back:]
    return text, ""


def shares(counts: Sequence[int], whole: int) -> list[int]:
    """The counts as parts of `whole`: the parts add up to it, and none that counts anything is 0.

    Largest remainders first (Hamilton).
    """
    total = sum(counts)
    if not total:
        return [0] * len(counts)
    parts = [max(1, count * whole // total) if count else 0 for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda i: (-(counts[i] * whole % total), i))
    while sum(parts) < whole:
        for index in by_remainder:
            if counts[index] and sum(parts) < whole:
                parts[index] += 1
    while sum(parts) > whole:
        parts[parts.index(max(parts))] -= 1
    return parts


def grouped(number: int, noun: str) -> str:
    """`1 line`, `12,345 lines`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


# Private


def _split_path(part: str, rest: str) -> tuple[str, str]:
    end = part.rfind("/") + 1
    if end * 2 < len(part) or part[end : end + 1] in ("", ":"):
        return part, rest
    return part[:end], part[end:] + rest


def _columns_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
