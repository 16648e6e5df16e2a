"""The added lines that deserve the first look, each with its reason: what it does, where, and what it speaks of."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tidegate.change.values import Change, FileChange, show_path
from tidegate.facts import RiskyLine
from tidegate.risk.features.text import comment_of
from tidegate.risk.features.tokens import STRONGEST, words_of

MOST = 5
MOST_OF_A_FILE = 3
MOST_READ = 10_000
"""Lines that are looked at; a change with more is looked at from its start, file by file."""
LONGEST = 300
FEW_AUTHORS = 1
TELLING = 2.0
"""A word is told of where lines with it were repaired so many times as often as others."""


def risky_lines(
    change: Change, words: Mapping[str, float], authors: Mapping[str, int] | None = None
) -> tuple[RiskyLine, ...]:
    """At most five added lines, the one to look at first first, at most three of one file.

    `words` is what `tokens.learn_words` answered (empty: nothing was learnt here); `authors` says how many people
    changed a file before, by the name that it had then. Comments, prose, blank lines, imports, brackets and lines that
    nothing can be said of are never among them, nor are tests, documents, markup and data; configuration, generated
    and vendored files only of critical domains, and only where nothing else was added.
    """
    known = authors or {}
    for files in (_first(change.files), _others(change.files)):
        found = sorted(_judged(files, words, known), key=lambda one: (-one.score, one.path, one.line))
        if found:
            return tuple(RiskyLine(one.path, one.line, one.words) for one in _spread(found))
    return ()


# Private


class _Judged(NamedTuple):
    score: float
    path: str
    line: int
    words: str
    text: bytes


class _Kind(NamedTuple):
    """A kind of line: how it is called ("" where that is no reason to look), what it looks like, its log-odds.

    The log-odds are rounded from 650 changes of three public Python projects: how much oftener than the other lines of
    the same change such a line was later repaired.
    """

    name: str
    pattern: re.Pattern[bytes]
    score: float


_DEFINITION = re.compile(
    rb"^\s*(?:(?:export|default|public|private|protected|static|final|abstract|async|pub|override)\s+)*"
    rb"(?:def|class|func|function|fn|interface|type|struct|enum|trait|impl)\b"
)
_KINDS = (
    _Kind(
        "concurrency",
        re.compile(
            rb"\b(?:go func|[Ll]ock|[Mm]utex|synchronized|volatile|[Tt]hread\w*|atomic\w*|[Ss]emaphore"
            rb"|[Cc]hannel|Promise\.\w+|asyncio)\b|\.(?:wait|notify\w*|acquire|release)\("
        ),
        0.5,
    ),
    _Kind("", re.compile(rb"\b(?:async|await)\b"), 0.3),
    _Kind("an index or a slice", re.compile(rb"[\w)\]]\[[^\]]{1,30}\]"), 0.45),
    _Kind("arithmetic", re.compile(rb"[\w)\]]\s[-+*/%]\s?[\w(]|[-+*/]=|<<|>>"), 0.35),
    _Kind("several calls in one", re.compile(rb"\w\s*\([^\n]*[\w.]\s*\("), 0.35),
    _Kind(
        "error handling",
        re.compile(
            rb"^\s*(?:\}\s*)?(?:except|catch|rescue|finally|defer|recover)\b|\bif err\b|\.catch\(|\bunwrap\("
            rb"|\bpanic!?\("
        ),
        0.3,
    ),
    _Kind("a negation", re.compile(rb"\bnot\b|![^=]|!="), 0.2),
    _Kind(
        "a condition",
        re.compile(rb"^\s*(?:\}\s*)?(?:if|else if|elif|elsif|unless|switch|case|when|match)\b|\?[^?:.]+:|&&|\|\|"),
        0.2,
    ),
    _Kind("a returned value", re.compile(rb"^\s*return\s+\S"), 0.2),
    _Kind("", re.compile(rb"\b\d+\b|\"\""), 0.2),
    _Kind("", re.compile(rb"^\s*(?:raise|throw)\b"), -0.3),
    _Kind("", re.compile(rb"^\s*(?:for|while)\b"), -0.3),
    _Kind("", re.compile(rb"^\s*@\w"), -0.5),
    _Kind("", _DEFINITION, -0.45),
    _Kind("", re.compile(rb"^\s*.{0,19}\s*$"), -0.3),
    _Kind("", re.compile(rb"^\s*\S.{38,98}\S\s*$"), 0.2),
)
_OTHER_ARGUMENTS = 0.4
_CRITICAL = 0.4
_ALONE = 0.15
_WORD_WEIGHT = 0.15
_CALL = re.compile(rb"([A-Za-z_][\w.]{1,60})\s*\(")
_MARKUP = re.compile(
    rb"\.(?:html?|xml|xsl|css|scss|less|svg|props|targets|projitems|\w*proj|resx|xaml|json|lock|snap)$", re.IGNORECASE
)
"""Files whose lines are no statements."""
_TALKING = re.compile(
    rb"(?:[\w.]*\.)?(?:print|println|printf|sprintf|fprintf|Errorf|Sprintf|Printf|Println|Fprintf|format|echo|puts|warn"
    rb"|log|debug|info|warning|error|len|str|int|list|set|dict|tuple|range|if|elif|for|while|switch|return|catch|describe"
    rb"|it|test|expect|console\.\w+)"
)
"""Calls whose arguments are edited all the time without anything behaving otherwise, and words that are no calls."""
_IMPORT = re.compile(rb"\s*(?:import\b|from\b.*\bimport\b|#\s*include\b|require\b|use\b|using\b|package\b|export \*)")
_BRACKETS = re.compile(rb"[\s{}()\[\];,:]*|\s*(?:else|try|do|end|pass|begin|finally)\s*[:{]?\s*")
_PROSE = re.compile(rb"\b(?:the|an|this|that|will|are|be|which|should|must)\s+[a-z`]{2}")
_SILENT = frozenset(
    "self this else elif then when where what have "
    "true false none null undefined const final void func function return async await yield "
    "with from import class def case switch break continue while string number bool boolean static public private "
    "protected export default type interface struct".split()
)
_STRING = re.compile(rb"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*(?:`|$)")
_REMARK = re.compile(rb"\s(?://|#)\s.*")
"""A comment behind code."""
_CODE = re.compile(rb"[=(){}\[\];<>+*/&|]|\b(?:return|raise|throw|yield|await|delete|del|goto|break|continue)\b|:\s*$")
"""What prose, such as the text of a docstring, has none of."""


def _first(files: Iterable[FileChange]) -> list[FileChange]:
    return [file for file in files if file.by_hand and file.kind == "source" and not _MARKUP.search(file.path)]


def _others(files: Iterable[FileChange]) -> list[FileChange]:
    return [file for file in files if file.critical and file.kind in ("source", "config")]


def _judged(files: Iterable[FileChange], words: Mapping[str, float], authors: Mapping[str, int]) -> Iterator[_Judged]:
    left = MOST_READ
    for file in files:
        comment = comment_of(file.language)
        base, place = _of_file(file, authors)
        path = show_path(file.path)
        for hunk in file.hunks:
            before = _edited_calls(hunk.removed)
            for number, text in enumerate(hunk.added[: max(left, 0)], hunk.new_start):
                line = text[:LONGEST]
                if _tells(line, comment):
                    score, why = (0.0, []) if file.kind == "config" else _of_line(line, before, words)
                    if why or file.critical:
                        yield _Judged(base + score, path, number, "; ".join((*why, *place)), line.strip())
            left -= len(hunk.added)


def _tells(line: bytes, comment: re.Pattern[bytes] | None) -> bool:
    code = _STRING.sub(b'""', line)
    if _BRACKETS.fullmatch(code) or _IMPORT.match(code) or not _CODE.search(code) or _PROSE.search(code):
        return False
    return comment is None or comment.match(b"\n" + line) is None


def _of_file(file: FileChange, authors: Mapping[str, int]) -> tuple[float, list[str]]:
    score, why = 0.0, []
    if file.critical:
        names = sorted({hit.domain for hit in file.domains})
        score, why = _CRITICAL, [f"in {' and '.join(names[:2])}"]
    if file.status != "added" and authors.get(show_path(file.old_path), FEW_AUTHORS + 1) <= FEW_AUTHORS:
        score += _ALONE
        why.append("1 person alone changed this file before")
    return score, why


def _of_line(line: bytes, before: Mapping[bytes, set[bytes]], words: Mapping[str, float]) -> tuple[float, list[str]]:
    code = _REMARK.sub(b"", _STRING.sub(b'""', line))
    kinds = [kind for kind in _KINDS if kind.pattern.search(code)]
    score = sum(kind.score for kind in kinds)
    why = [kind.name for kind in kinds if kind.name]
    name = _other_arguments(code, before)
    if name:
        score += _OTHER_ARGUMENTS
        what = "another signature of" if _DEFINITION.match(code) else "other arguments for"
        why.insert(0, f"{what} {name.decode('utf-8', 'backslashreplace')}")
    learnt, said = _of_words(code, words)
    return score + learnt, [*why[:2], *said]


def _of_words(code: bytes, words: Mapping[str, float]) -> tuple[float, list[str]]:
    """The sum of the three strongest words, and the strongest in words where it raises the odds."""
    if not words:
        return 0.0, []
    found = sorted(
        ((words[word], word) for word in words_of(code) if word in words), key=lambda one: (-abs(one[0]), one[1])
    )
    score = _WORD_WEIGHT * sum(odds for odds, _ in found[:3])
    raised = [(odds, word) for odds, word in found if odds >= math.log(TELLING) and _speaks(word)]
    if not raised:
        return score, []
    odds, word = raised[0]
    times = f"{math.exp(odds):.1f}" if odds < STRONGEST else f"more than {math.exp(STRONGEST):.0f}"
    return score, [f"lines with `{word}` were repaired {times} times as often as others here"]


def _speaks(word: str) -> bool:
    """Whether a word means something to who reads it alone: `is`, `for` and `self` do not."""
    return len(word) >= 4 and word not in _SILENT


def _other_arguments(code: bytes, before: Mapping[bytes, set[bytes]]) -> bytes:
    """The call whose line read the same before the edit, up to the bracket; b"" for none."""
    for match in _CALL.finditer(code):
        rest = before.get(code[: match.end()].strip())
        if rest and _arguments(code[match.end() :]) not in rest and not _TALKING.fullmatch(match[1]):
            return match[1]
    return b""


def _edited_calls(removed: Iterable[bytes]) -> dict[bytes, set[bytes]]:
    """The text of removed lines up to the bracket of each call, to the arguments that follow it."""
    found: dict[bytes, set[bytes]] = {}
    for text in removed:
        line = _REMARK.sub(b"", _STRING.sub(b'""', text[:LONGEST]))
        for match in _CALL.finditer(line):
            found.setdefault(line[: match.end()].strip(), set()).add(_arguments(line[match.end() :]))
    return found


def _arguments(rest: bytes) -> bytes:
    """What follows a bracket up to the one that closes it, or to the end of the line."""
    depth = 0
    for place, sign in enumerate(rest):
        depth += (sign in b"([{") - (sign in b")]}")
        if depth < 0:
            return rest[:place].strip()
    return rest.strip()


def _spread(found: list[_Judged]) -> list[_Judged]:
    """The first few, at most three of a file, no two that touch each other, and a text that comes again only once."""
    taken: list[_Judged] = []
    for one in found:
        if any(other.text == one.text for other in taken):
            continue
        same = [other for other in taken if other.path == one.path]
        if len(same) < MOST_OF_A_FILE and all(abs(other.line - one.line) > 1 for other in same):
            taken.append(one)
        if len(taken) == MOST:
            break
    return taken
