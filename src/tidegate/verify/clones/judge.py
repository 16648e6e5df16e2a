"""Whether aligned tokens are a clone worth a word: long enough, alike enough, and logic rather than a table."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tidegate.verify.clones.align import Block
from tidegate.verify.clones.prints import hash_grams
from tidegate.verify.clones.tokens import LITERAL, NAME, Tokens, shape_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_LINES = 6
FEWEST_TOKENS = 50
LEAST_SIMILAR = 0.7
LEAST_VARIED = 0.5
LEAST_VARIED_COPY = 0.2
LEAST_CALLED = 0.6
LONG_TOKENS = 150
SHORT_TOKENS = 90
MOST_SAID_ELSE = 0.06
FEWEST_ACTS = 4


class Likeness(NamedTuple):
    """What two places share: spans of tokens, the lines that match, and shares of 1.

    `names` are equal names, `called` equal names among those that are called or are members, `renamed` names that
    always stand for the same other name, `varied` runs of tokens that are no repetition, `said_else` literals that are
    others on the other side, `keyed` colons, `decorated` `@`. `branches` counts the tokens that branch or loop, `steps`
    also those that leave, `acts` also calls; `contract` says that methods are defined which every class writes for
    itself.
    """

    left: tuple[int, int]
    right: tuple[int, int]
    lines: tuple[int, ...]
    other_lines: tuple[int, ...]
    matched: int
    similarity: float
    names: float
    called: float
    renamed: float
    varied: float
    acts: int
    steps: int
    branches: int
    said_else: float
    keyed: float
    decorated: float
    contract: bool
    kind: int


def is_clone(likeness: Likeness, lines: int) -> bool:
    """Whether this is worth a word, when so many of the lines are new.

    The fewer names are equal, the less a shape says: then it must be longer, more alike and renamed throughout.
    """
    if lines < FEWEST_LINES or likeness.matched < FEWEST_TOKENS or likeness.similarity < LEAST_SIMILAR:
        return False
    if not _has_logic(likeness):
        return False
    if likeness.contract and likeness.matched < LONG_TOKENS:
        return False
    if likeness.said_else > MOST_SAID_ELSE and likeness.similarity < 0.92:
        return False
    if _is_only_a_form(likeness) or _is_declared(likeness):
        return False
    copied = likeness.names >= 0.9 and likeness.similarity >= 0.9
    if likeness.acts < FEWEST_ACTS or likeness.varied < (LEAST_VARIED_COPY if copied else LEAST_VARIED):
        return False
    if likeness.similarity < 0.8 and likeness.matched < 80:
        return likeness.names >= 0.8 and likeness.renamed >= 0.9
    if likeness.names >= 0.7:
        return likeness.renamed >= 0.8
    if likeness.matched >= 120 and likeness.similarity >= 0.8:
        return likeness.called >= 0.5 and likeness.renamed >= 0.85
    least_renamed = 0.85 if likeness.names >= 0.5 else 0.9
    return likeness.called >= LEAST_CALLED and likeness.renamed >= least_renamed and likeness.matched >= 60


def may_be_clone(blocks: Sequence[Block]) -> bool:
    """Whether blocks are long and dense enough to be measured at all."""
    matched = sum(block.length for block in blocks)
    if matched < FEWEST_TOKENS:
        return False
    last = blocks[-1]
    longest = max(last.left + last.length - blocks[0].left, last.right + last.length - blocks[0].right)
    return matched >= LEAST_SIMILAR * longest


def measure(one: Tokens, other: Tokens, blocks: Sequence[Block]) -> Likeness:
    """How alike two places are, by their blocks (token numbers of each side), which are not empty."""
    import numpy as np

    mine = np.concatenate([np.arange(b.left, b.left + b.length) for b in blocks])
    theirs = np.concatenate([np.arange(b.right, b.right + b.length) for b in blocks])
    left, right = (blocks[0].left, int(mine[-1]) + 1), (blocks[0].right, int(theirs[-1]) + 1)
    longest = max(left[1] - left[0], right[1] - right[0])
    near = one.codes[left[0] : left[1] + 1]
    inside = mine - left[0]
    same = one.codes[mine] == other.codes[theirs]
    named = one.codes[mine] >> 30 == NAME
    renamed = _consistent(one.codes[mine][named], other.codes[theirs][named])
    whole = len(mine) == left[1] - left[0] == right[1] - right[0]
    return Likeness(
        left=left,
        right=right,
        lines=matched_lines(one, mine),
        other_lines=matched_lines(other, theirs),
        matched=len(mine),
        similarity=len(mine) / longest,
        names=_share(same[named]),
        called=_share(same[named & _called(near)[inside]]),
        renamed=renamed,
        varied=_variety(one.codes[left[0] : left[1]]),
        acts=_count(near[inside], _BRANCHING + _LEAVING) + _calls(near, inside),
        steps=_count(near[inside], _BRANCHING + _LEAVING),
        branches=_count(near[inside], _BRANCHING),
        said_else=float((~same & (one.codes[mine] >> 30 == LITERAL)).mean()),
        keyed=float((near[inside] == _COLON).mean()),
        decorated=float((near[inside] == _AT).mean()),
        contract=bool(np.isin(near, np.array(_CONTRACT, np.uint32)).any()),
        kind=1 if whole and bool(same.all()) else 2 if whole and renamed >= 0.9 else 3,
    )


def matched_lines(tokens: Tokens, places: NDArray[np.intp]) -> tuple[int, ...]:
    """The lines of which at least half of the tokens are among `places`, in order."""
    import numpy as np

    lines, counts = np.unique(tokens.lines[places], return_counts=True)
    ends = np.searchsorted(tokens.lines, lines, "right") - np.searchsorted(tokens.lines, lines, "left")
    return tuple(lines[2 * counts >= ends].tolist())


# Private

_DOT, _OPEN, _COLON, _AT = (zlib.crc32(word) & ((1 << 30) - 1) for word in (b".", b"(", b":", b"@"))
_BRANCHING = tuple(
    zlib.crc32(word) & ((1 << 30) - 1)
    for word in b"if elif else elsif unless for while until loop do switch case when match try except catch".split()
)
_LEAVING = tuple(
    zlib.crc32(word) & ((1 << 30) - 1)
    for word in b"finally ensure return raise throw yield await break continue assert with defer go".split()
)
_CONTRACT = tuple(
    NAME << 30 | zlib.crc32(word) & ((1 << 30) - 1)
    for word in (b"__eq__", b"__hash__", b"__repr__", b"equals", b"hashCode", b"toString")
)


def _has_logic(likeness: Likeness) -> bool:
    """Whether enough is decided there: what only calls and returns is often a form that many places fill in."""
    if likeness.kind < 3:
        return likeness.steps >= 1 or _is_long_copy(likeness)
    fewest = 2 if likeness.similarity < 0.8 else 1 if likeness.similarity < 0.9 else 0
    return likeness.steps >= 2 and likeness.branches >= fewest


def _is_long_copy(likeness: Likeness) -> bool:
    """Whether many calls one after another are copied under the same names: how something is put together."""
    same = likeness.names >= 0.9 and likeness.called >= 0.9
    return same and likeness.matched >= 120 and likeness.acts >= 10 and likeness.varied >= LEAST_VARIED


def _is_only_a_form(likeness: Likeness) -> bool:
    """Whether a short likeness is that of places that fill in the same form: errors passed on, or values kept."""
    if likeness.similarity < 0.85 and likeness.matched < SHORT_TOKENS:
        return likeness.names < 0.9 or likeness.called < 0.9
    return likeness.names < 0.5 and likeness.branches == 0


def _is_declared(likeness: Likeness) -> bool:
    """Whether most of it says what something is: methods and routes under decorators, or a table of named values."""
    if likeness.names >= 0.9:
        return False
    return likeness.decorated > 0.02 or (likeness.keyed > 0.1 and likeness.varied < 0.6)


def _share(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else 1.0


def _called(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which names are called, or are members of something."""
    import numpy as np

    named = codes >> 30 == NAME
    before, after = np.roll(codes, 1), np.roll(codes, -1)
    called: NDArray[np.bool_] = named & ((before == _DOT) | (after == _OPEN))
    return called


def _count(codes: NDArray[np.uint32], symbols: tuple[int, ...]) -> int:
    """How many of these tokens are among the symbols."""
    import numpy as np

    return int(np.isin(codes, np.array(symbols, np.uint32)).sum())


def _calls(codes: NDArray[np.uint32], places: NDArray[np.intp]) -> int:
    """How many of these tokens are names that are called."""
    import numpy as np

    return int(((codes >> 30 == NAME) & (np.roll(codes, -1) == _OPEN))[places].sum())


def _consistent(mine: NDArray[np.uint32], theirs: NDArray[np.uint32]) -> float:
    """The share of names that are equal, or always stand for the same other name, seen from the worse side."""
    if not len(mine):
        return 1.0
    other = mine != theirs
    pairs = Counter(zip(mine[other].tolist(), theirs[other].tolist(), strict=True))
    best_mine: dict[int, int] = {}
    best_theirs: dict[int, int] = {}
    for (name, instead), count in pairs.items():
        best_mine[name] = max(best_mine.get(name, 0), count)
        best_theirs[instead] = max(best_theirs.get(instead, 0), count)
    alike = min(sum(best_mine.values()), sum(best_theirs.values()))
    return (len(mine) - int(other.sum()) + alike) / len(mine)


def _variety(codes: NDArray[np.uint32]) -> float:
    """The share of short runs of tokens that are not repeated: rows of a table have all the same shape."""
    import numpy as np

    grams = hash_grams(shape_of(codes), 7)
    return len(np.unique(grams)) / len(grams) if len(grams) else 0.0
