"""What the rest of a change says about its tests: assertions that moved, words that left, source that was taken out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.change.values import FileChange
from tidegate.verify.suite.matching import Gone, Matched
from tidegate.verify.suite.values import Assertion, TestCase
from tidegate.verify.values import Subject

_SHRINKS = 2


class Around(Struct, frozen=True):
    """What the rest of the change holds.

    `elsewhere` are assertions that other tests gained, `gone` words that left the source, `shrunk` the stems of files
    of source that lost far more than they gained, `fresh` the new tests of a file, `source` whether source changed,
    `undeprecated` whether source that was deprecated is taken out.
    """

    elsewhere: Counter[str] = Counter()
    gone: frozenset[str] = frozenset()
    shrunk: frozenset[str] = frozenset()
    fresh: Mapping[str, tuple[TestCase, ...]] = {}
    source: bool = False
    undeprecated: bool = False

    def taken_out(self, path: str, test: TestCase) -> bool:
        """Whether the source that a test is about is mostly taken out by the change."""
        words = {word.lower() for word in test.words} | {word.lower() for word in re.findall(r"[A-Za-z0-9]+", path)}
        whole = path.rpartition("/")[2].lower()
        return any(stem in words or stem in whole for stem in self.shrunk)

    def taken_over(self, path: str, test: TestCase, lost: Sequence[Assertion]) -> tuple[TestCase, ...]:
        """The new tests of a file that assert as much as what was lost, about the same things; none if they do not."""
        wanted = test.words - _COMMON
        heirs = [
            one
            for one in self.fresh.get(path, ())
            if one.live and len(wanted & one.words) >= _SHARED * max(1, min(len(wanted), len(one.words - _COMMON)))
        ]
        said = sum(len(one.live) * (len(lost) if one.repeats else one.cases) for one in heirs)
        return tuple(heirs) if heirs and said >= len(lost) else ()


def around_of(subject: Subject, matched: Matched) -> Around:
    """What the rest of a change says about its tests."""
    elsewhere: Counter[str] = Counter()
    for one in matched.added:
        elsewhere.update({assertion.text: 1 for assertion in one.test.live})
    for kept in matched.kept:
        gained = Counter(one.text for one in kept.after.live) - Counter(one.text for one in kept.before.live)
        elsewhere.update(gained)
    sources = [file for file in subject.change.files if file.kind == "source" and file.by_hand]
    gone, fresh = _gone_words(subject), _fresh(matched.added)
    return Around(elsewhere, gone, _shrunk(sources), fresh, bool(sources), _undeprecated(sources))


# Private

_SHARED = 0.5
_WORD = re.compile(rb"[A-Za-z_]\w{2,}")
_COMMON = frozenset(
    "self assert assertEqual assertTrue expect toBe toEqual import from def test func testing require Equal let const "
    "var async await return new true false none null None True False with for not and the".split()
)


def _fresh(added: Sequence[Gone]) -> dict[str, tuple[TestCase, ...]]:
    found: dict[str, tuple[TestCase, ...]] = {}
    for one in added:
        found[one.path] = (*found.get(one.path, ()), one.test)
    return found


def _shrunk(sources: Sequence[FileChange]) -> frozenset[str]:
    stems = set()
    for file in sources:
        lost = sum(_is_code(line) for hunk in file.hunks for line in hunk.removed)
        gained = sum(_is_code(line) for hunk in file.hunks for line in hunk.added)
        stem = file.old_path.rpartition(b"/")[2].partition(b".")[0].decode("utf-8", "replace").lower()
        if len(stem) > 2 and lost >= 3 and lost > _SHRINKS * gained:
            stems.add(stem)
    return frozenset(stems)


def _undeprecated(sources: Sequence[FileChange]) -> bool:
    return any(b"deprecat" in line.lower() for file in sources for hunk in file.hunks for line in hunk.removed)


def _is_code(line: bytes) -> bool:
    text = line.strip()
    return len(text) > 2 and not text.startswith((b"#", b"//", b"*", b"/*", b'"""'))


def _gone_words(subject: Subject) -> frozenset[str]:
    sources = [(file, pair) for file, pair in subject.changed() if file.kind == "source"]
    lost: set[bytes] = set()
    for file, _ in sources:
        for hunk in file.hunks:
            for line in hunk.removed:
                lost.update(_WORD.findall(line))
    for content in subject.trees.after.read([pair.after for _, pair in sources if pair.after]).values():
        lost.difference_update(_WORD.findall(content))
    return frozenset(word.decode() for word in lost)
