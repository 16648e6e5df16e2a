"""What words become: variables that are known put in, braces multiplied, fields split; what nobody sees is marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tidegate.agent.guard.shell.values import Run, Text, Variable, Word

UNSEEN = "\0"
"""Stands in a field for text that only the run would show. No argument of a program can hold it."""
MOST_FIELDS = 2_000
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)|([A-Za-z])\.\.([A-Za-z])")

Outcome = Callable[[Run], str | None]
"""What a substitution prints, None where that is not known."""


def fields_of(word: Word, known: Mapping[str, str | None], outcome: Outcome, home: str) -> list[str]:
    """The fields that a word becomes. A variable that is not among those known is unseen."""
    pieces = [one for variant in _braced(word) for one in _fields(variant, known, outcome, home)]
    return pieces[:MOST_FIELDS]


def text_of(word: Word, known: Mapping[str, str | None], outcome: Outcome, home: str = "") -> str:
    """A word as one text, as in an assignment or a redirection: nothing is split."""
    made = [_piece(part, known, outcome) for part in word]
    return _at_home("".join(made), word, home)


# Private


def _braced(word: Word) -> list[Word]:
    for place, part in enumerate(word):
        if isinstance(part, Text) and not part.quoted and "{" in part.text:
            return _multiplied(word, place, part)
    return [word]


def _multiplied(word: Word, place: int, part: Text) -> list[Word]:
    found = _BRACES.search(part.text)
    if found is not None and ("," in found[1] or ".." in found[1]):
        front, back = part.text[: found.start()], part.text[found.end() :]
        made: list[Word] = []
        for option in _options(found[1]):
            ends = _braced((Text(back), *word[place + 1 :]))[:MOST_FIELDS]
            made += [(*word[:place], Text(front + option), *end) for end in ends]
        if "{" in front:
            made = [one for variant in made for one in _braced(variant)]
        return made[:MOST_FIELDS]
    rest = "".join(other.text if isinstance(other, Text) and not other.quoted else UNSEEN for other in word[place:])
    if found is None and ("," in rest or ".." in rest) and "}" in rest:
        return [(Text(UNSEEN), *word)]
    return [word]


def _options(inside: str) -> list[str]:
    found = _RANGE.fullmatch(inside)
    if found is None:
        return inside.split(",")
    if found[1]:
        first, last = int(found[1]), int(found[2])
        step = 1 if last >= first else -1
        return [str(number) for number in range(first, last + step, step)][:100]
    first, last = ord(found[3]), ord(found[4])
    step = 1 if last >= first else -1
    return [chr(number) for number in range(first, last + step, step)]


def _fields(word: Word, known: Mapping[str, str | None], outcome: Outcome, home: str) -> list[str]:
    made: list[str] = []
    open_ = False
    for part in word:
        text = _piece(part, known, outcome)
        if isinstance(part, Text) or part.quoted:
            if not open_:
                made.append("")
                open_ = True
            made[-1] += text
            continue
        pieces = re.split(r"[ \t\n]+", text)
        for number, piece in enumerate(pieces):
            if number or not open_:
                if not piece and (number == 0 or number == len(pieces) - 1):
                    open_ = open_ and number == 0
                    continue
                made.append("")
                open_ = True
            made[-1] += piece
    if made:
        made[0] = _at_home(made[0], word, home)
    return made


def _piece(part: Text | Variable | Run, known: Mapping[str, str | None], outcome: Outcome) -> str:
    if isinstance(part, Text):
        return part.text
    if isinstance(part, Run):
        found = None if part.process else outcome(part)
        return UNSEEN if found is None else found.rstrip("\n")
    if part.changed or part.name not in known:
        return UNSEEN
    value = known[part.name]
    return UNSEEN if value is None else value


def _at_home(text: str, word: Word, home: str) -> str:
    first = word[0] if word else None
    if not isinstance(first, Text) or first.quoted or not first.text.startswith("~"):
        return text
    name, slash, rest = text.partition("/")
    return (home if name == "~" else f"/home/{name[1:]}") + slash + rest
