"""The added lines of a change as tokens, without what the change only moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tidegate.change.trees import Pair
from tidegate.change.values import FileChange
from tidegate.verify.clones.prints import GRAM, hash_grams
from tidegate.verify.clones.search import Added
from tidegate.verify.clones.tokens import (
    Reader,
    Tokens,
    family_of,
    holds_tests,
    is_written,
    shape_of,
    why_unread,
    without_tests,
)
from tidegate.verify.values import added_lines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_added(
    files: Iterable[tuple[FileChange, Pair]], contents: Mapping[str, bytes], readers: Mapping[str, Reader]
) -> list[Added]:
    """The changed files with their tokens at the head; tests, and what cannot be searched, are left out."""
    import numpy as np

    found = []
    for file, pair in files:
        content = contents.get(pair.after, b"")
        if why_unread(content) or holds_tests(content):
            continue
        family = family_of(file.language)
        tokens = readers[family].read(without_tests(content))
        lines = np.fromiter(sorted(added_lines(file)), np.uint32)
        found.append(Added(pair.after, family, tokens, np.isin(tokens.lines, lines)))
    return found


def unread_files(files: Iterable[tuple[FileChange, Pair]], contents: Mapping[str, bytes]) -> dict[str, str]:
    """Why changed files cannot be searched for, by path. Of a file of tests nobody asks."""
    found = {}
    for _, pair in files:
        content = contents.get(pair.after)
        why = "could not be read" if content is None else why_unread(content)
        if why and not holds_tests(content or b""):
            found[pair.after] = why
    return found


def removed_grams(files: Iterable[FileChange], readers: Mapping[str, Reader]) -> NDArray[np.uint64]:
    """The runs of tokens that the change takes away anywhere, in order: what has them again is moved, not new."""
    import numpy as np

    parts = [np.zeros(0, np.uint64)]
    for file in files:
        reader = readers.get(family_of(file.language))
        text = b"\n".join(line for hunk in file.hunks for line in hunk.removed)
        if reader is not None and text and is_written(text):
            parts.append(hash_grams(shape_of(reader.read(text).codes)))
    return np.unique(np.concatenate(parts))


def moved_share(tokens: Tokens, span: tuple[int, int], removed: NDArray[np.uint64]) -> float:
    """The share of a span's tokens that lie in runs which the change takes away."""
    import numpy as np

    count = span[1] - span[0]
    hashes = hash_grams(shape_of(tokens.codes[span[0] : span[1]]))
    if not len(removed) or not len(hashes):
        return 0.0
    covered = np.zeros(count, bool)
    at = np.minimum(np.searchsorted(removed, hashes), len(removed) - 1)
    starts = np.flatnonzero(removed[at] == hashes)
    for offset in range(GRAM):
        covered[starts + offset] = True
    return float(covered.mean())


def fresh_lines(added: Added, lines: Sequence[int]) -> tuple[int, ...]:
    """Those of the lines that the change adds."""
    fresh = set(added.tokens.lines[added.fresh].tolist())
    return tuple(line for line in lines if line in fresh)
