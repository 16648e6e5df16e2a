"""Two runs of tokens laid side by side: from a place that they share, outwards in both directions, over short gaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SHORT_GRAM = 4
LONGEST_GAP = 60
_DROP = 45


class Block(NamedTuple):
    """`length` tokens that have the same shape, from `left` on the one side and from `right` on the other."""

    left: int
    right: int
    length: int


def align(left: Sequence[int], right: Sequence[int], seed: tuple[int, int]) -> tuple[Block, ...]:
    """The blocks that two runs share around a place that both have, in order.

    Every token in a block counts for one, every token of a gap against it; a side ends where that is largest.
    """
    at, there = seed
    onwards = _extend(left[at:], right[there:])
    back = _extend(left[:at][::-1], right[:there][::-1])
    before = [Block(at - b.left - b.length, there - b.right - b.length, b.length) for b in reversed(back)]
    after = [Block(at + b.left, there + b.right, b.length) for b in onwards]
    if before and after and before[-1].left + before[-1].length == at == after[0].left and _touch(before[-1], after[0]):
        joined = Block(before[-1].left, before[-1].right, before[-1].length + after[0].length)
        return (*before[:-1], joined, *after[1:])
    return (*before, *after)


# Private


def _touch(first: Block, second: Block) -> bool:
    return first.left + first.length == second.left and first.right + first.length == second.right


def _extend(left: Sequence[int], right: Sequence[int]) -> list[Block]:
    blocks: list[Block] = []
    score = best = kept = at = there = 0
    while score > best - _DROP:
        length = _common(left, right, at, there)
        if length:
            blocks.append(Block(at, there, length))
            at, there, score = at + length, there + length, score + length
            if score > best:
                best, kept = score, len(blocks)
        step = _resume(left, right, at, there)
        if step is None:
            break
        score -= max(step)
        at, there = at + step[0], there + step[1]
    return blocks[:kept]


def _common(left: Sequence[int], right: Sequence[int], at: int, there: int) -> int:
    most = min(len(left) - at, len(right) - there)
    for length in range(most):
        if left[at + length] != right[there + length]:
            return length
    return most


def _resume(left: Sequence[int], right: Sequence[int], at: int, there: int) -> tuple[int, int] | None:
    """The shortest step to where both have the same tokens again."""
    places: dict[tuple[int, ...], int] = {}
    for over in range(min(LONGEST_GAP, len(right) - SHORT_GRAM - there) + 1):
        places.setdefault(tuple(right[there + over : there + over + SHORT_GRAM]), over)
    found: tuple[int, int] | None = None
    cost = 2 * LONGEST_GAP + 1
    for skip in range(min(LONGEST_GAP, len(left) - SHORT_GRAM - at) + 1):
        if skip >= cost:
            break
        near = places.get(tuple(left[at + skip : at + skip + SHORT_GRAM]))
        if near is not None and skip + near < cost:
            found, cost = (skip, near), skip + near
    return found
