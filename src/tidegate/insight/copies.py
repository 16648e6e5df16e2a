"""Tests that are near copies of each other: what one test with several cases could say, written out again and again.

Two tests are near copies where nine tenths of their tokens stand in the same order, and nine tenths of the names in
these are the same: values may be others. Tests of fewer than 40 tokens are too short to tell, and are left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from tidegate.change.attributes import FILE_NAME, read_attributes
from tidegate.change.classify import classify_files, has_header
from tidegate.change.git import Repository
from tidegate.change.kinds import Names
from tidegate.change.trees import GitTree
from tidegate.change.values import FileChange
from tidegate.insight.intervals import share
from tidegate.insight.values import Copies, Family
from tidegate.settings import Settings
from tidegate.verify.clones.align import align
from tidegate.verify.clones.prints import hash_grams, winnow
from tidegate.verify.clones.tokens import LARGEST_BYTES, NAME, Reader, family_of, shape_of, why_unread
from tidegate.verify.suite.readers import LANGUAGES, read_tests

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_TOKENS = 40
LEAST_ALIKE = 0.9
MOST_BYTES = 12 << 20
MOST_TESTS = 20_000
MOST_NAMED = 10
NAMES_EACH = 3


def read_copies(repository: Repository, revision: str, settings: Settings) -> Copies | None:
    """Of the tests that people wrote in a tree, in languages whose tests are read; None where there are none."""
    files = _test_files(repository, revision, settings)
    found: list[_Test] = []
    seen = used = unread = 0
    for path, language, content in _contents(repository, files):
        if used + len(content) > MOST_BYTES or seen >= MOST_TESTS:
            unread += 1
            continue
        used += len(content)
        tests = _tests_of(path, language, content)
        if tests is None:
            unread += 1
            continue
        seen += len(tests)
        found += [one for one in tests if len(one.codes) >= LEAST_TOKENS]
    if not seen:
        return None
    families = _families(found)
    copies = sum(len(each) for each in families)
    return Copies(
        tests=seen,
        unread=unread,
        share=share("near copies of other tests", copies, len(found), left_out=seen - len(found)),
        families=tuple(
            Family(
                tests=len(each),
                lines=sum(found[one].lines for one in each),
                names=tuple(found[one].name for one in each[:NAMES_EACH]),
            )
            for each in families[:MOST_NAMED]
        ),
        families_total=len(families),
    )


# Private

_MOST_OWNERS = 200
"""A fingerprint that more tests have says nothing."""
_CANDIDATES = 6
_GRAM = 8


class _Test(NamedTuple):
    name: str
    language: str
    codes: NDArray[np.uint32]
    lines: int


def _test_files(repository: Repository, revision: str, settings: Settings) -> list[FileChange]:
    tree = repository.resolve(revision, "tree")
    names = Names()
    asked = []
    marked = []
    for path, oid in GitTree(repository, tree).oids().items():
        raw = path.encode("utf-8", "surrogateescape")
        if path.rpartition("/")[2] == FILE_NAME:
            marked.append(raw)
        if names.language_of(raw) in LANGUAGES:
            asked.append(FileChange(raw, raw, "modified", 0o100644, 0o100644, oid, oid, 100, 0, 0, False, True, ()))
    return [
        one
        for one in classify_files(asked, read_attributes(repository, tree, marked), settings)
        if one.kind == "test" and one.by_hand
    ]


def _contents(repository: Repository, files: Sequence[FileChange]) -> Iterator[tuple[str, str, bytes]]:
    """Each blob once, in the order of paths."""
    by_oid: dict[str, FileChange] = {}
    for one in files:
        by_oid.setdefault(one.new_oid, one)
    for blob in repository.read_blobs(list(by_oid), LARGEST_BYTES):
        file = by_oid.get(blob.name)
        if file is not None and blob.kind == "blob":
            yield file.path.decode("utf-8", "replace"), file.language, blob.content


def _tests_of(path: str, language: str, content: bytes) -> list[_Test] | None:
    """None where the file cannot be read."""
    import numpy as np

    if has_header(content):
        return []
    read = None if why_unread(content) else read_tests(content, path, language, lambda _: None)
    if read is None:
        return None
    tokens = Reader(family_of(language)).read(content)
    found = []
    for name, one in read.tests.items():
        low, high = np.searchsorted(tokens.lines, (one.line, one.end_line + 1))
        found.append(_Test(f"{path}::{name}", language, tokens.codes[low:high], one.end_line - one.line + 1))
    return found


def _families(tests: Sequence[_Test]) -> list[list[int]]:
    """Tests by number in groups of two and more, the largest first. Each is laid beside the first of a group."""
    owners: dict[int, list[int]] = defaultdict(list)
    groups: dict[int, list[int]] = {}
    for number, test in enumerate(tests):
        prints = _prints(test)
        shared: Counter[int] = Counter()
        for one in prints:
            shared.update(owners[one] if len(owners[one]) < _MOST_OWNERS else ())
        near = next(
            (
                other
                for other, _ in _likeliest(shared)
                if tests[other].language == test.language and _near(tests[other].codes, test.codes, prints)
            ),
            None,
        )
        if near is not None:
            groups[near].append(number)
            continue
        groups[number] = [number]
        for one in prints:
            owners[one].append(number)
    return sorted((each for each in groups.values() if len(each) > 1), key=lambda each: (-len(each), each[0]))


def _likeliest(shared: Mapping[int, int]) -> list[tuple[int, int]]:
    return sorted(shared.items(), key=lambda each: (-each[1], each[0]))[:_CANDIDATES]


def _prints(test: _Test) -> dict[int, int]:
    """Fingerprints of its shape, each with the place where it comes first."""
    import numpy as np

    hashes = hash_grams(shape_of(test.codes), _GRAM)
    places = winnow(hashes, np.ones(len(hashes), bool))
    return {int(hashes[at]): int(at) for at in reversed(places.tolist())}


def _near(one: NDArray[np.uint32], other: NDArray[np.uint32], prints: Mapping[int, int]) -> bool:
    import numpy as np

    if min(len(one), len(other)) < LEAST_ALIKE * max(len(one), len(other)):
        return False
    left, right = shape_of(one), shape_of(other)
    hashes = hash_grams(left, _GRAM)
    at = next((place for place in range(len(hashes)) if int(hashes[place]) in prints), None)
    if at is None:
        return False
    blocks = align(left.tolist(), right.tolist(), (at, prints[int(hashes[at])]))
    if sum(block.length for block in blocks) < LEAST_ALIKE * max(len(one), len(other)):
        return False
    mine = np.concatenate([one[b.left : b.left + b.length] for b in blocks])
    theirs = np.concatenate([other[b.right : b.right + b.length] for b in blocks])
    named = mine >> 30 == NAME
    return not named.any() or float((mine == theirs)[named].mean()) >= LEAST_ALIKE
