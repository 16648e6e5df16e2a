"""Which series an expression of PromQL reads: its selectors, nothing else of it (prometheus.io/docs, "Querying")."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

LONGEST = 20_000
MOST_SELECTORS = 50


class Matcher(Struct, frozen=True, order=True):
    """`label` `op` `value`, with op one of = != =~ !~."""

    label: str
    op: str
    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.op}"{escaped}"'


class Selector(Struct, frozen=True, order=True):
    """A metric with its matchers. `absent`: the expression asks whether there is such a series at all."""

    metric: str
    matchers: tuple[Matcher, ...] = ()
    absent: bool = False

    def __str__(self) -> str:
        return f"{self.metric}{{{','.join(map(str, self.matchers))}}}" if self.matchers else self.metric

    def only(self, labels: frozenset[str]) -> Selector:
        """The same with those matchers that speak of these labels."""
        return Selector(self.metric, tuple(one for one in self.matchers if one.label in labels))


def selectors_of(expression: str) -> tuple[Selector, ...]:
    """The selectors, each once, in the order of the text."""
    return tuple(dict.fromkeys(_found(expression[:LONGEST])))[:MOST_SELECTORS]


# Private

_TOKEN = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)|(?P<comment>\#[^\n]*)|(?P<range>\[[^\]]*\])"""
    r"""|(?P<word>[A-Za-z_:][\w:.]*)|(?P<number>\d[\w.]*)|(?P<braces>\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^{}"'])*\})"""
    r"""|(?P<mark>\S)""",
    re.DOTALL,
)
_MATCHER = re.compile(r"""([A-Za-z_][\w.]*)\s*(=~|!~|!=|=)\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_GROUPING = frozenset(("by", "without", "on", "ignoring", "group_left", "group_right"))
_WORDS = frozenset(("and", "or", "unless", "bool", "offset", "atan2", "inf", "nan", "start", "end"))
_ABSENT = frozenset(("absent", "absent_over_time"))


def _found(expression: str) -> Iterator[Selector]:
    tokens = [
        (match.lastgroup or "", match[0]) for match in _TOKEN.finditer(expression) if match.lastgroup != "comment"
    ]
    place, absent = 0, False
    while place < len(tokens):
        kind, text = tokens[place]
        after = tokens[place + 1] if place + 1 < len(tokens) else ("", "")
        if kind == "word" and text.lower() in _GROUPING:
            place = _behind(tokens, place + 1) if after[1] == "(" else place + 1
            continue
        if kind == "word" and after[1].lower() in ("by", "without"):
            pass  # an aggregation that says first by what
        elif kind == "word" and after[1] == "(":
            absent = text in _ABSENT
        elif kind == "word" and text.lower() not in _WORDS:
            yield Selector(text, _matchers(after[1]) if after[0] == "braces" else (), absent)
            absent = False
            place += after[0] == "braces"
        elif kind == "braces":
            named = {one.value for one in _matchers(text) if one.label == "__name__" and one.op == "="}
            rest = tuple(one for one in _matchers(text) if one.label != "__name__")
            yield Selector(min(named, default=""), rest, absent)
        place += 1


def _behind(tokens: list[tuple[str, str]], place: int) -> int:
    """Past the list in round brackets that opens here."""
    while place < len(tokens) and tokens[place][1] != ")":
        place += 1
    return place + 1


def _matchers(braces: str) -> tuple[Matcher, ...]:
    found = (Matcher(m[1], m[2], re.sub(r"\\(.)", r"\1", m[3][1:-1])) for m in _MATCHER.finditer(braces))
    return tuple(sorted(found))
