"""What recorded runs say of a change: the tests that were seen to execute it, and how old that evidence is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.reach.affected import callers_of, symbol_of
from tidegate.reach.answer import ReachedTest, SymbolId
from tidegate.reach.index import Index
from tidegate.reach.languages import language_of
from tidegate.reach.record.maps import read_map
from tidegate.reach.record.raw import bits
from tidegate.reach.record.validity import Validity, files_to_digest, still_valid
from tidegate.reach.record.values import TestMap
from tidegate.reach.trees import HeadTree

MOST_AROUND = 2000

STRONG = 0.5
"""A new test is believed to reach the change above this, whatever the known tests did."""

AGAINST_ITS_RUN = 0.65
"""A known test that was not seen, but whose other code has changed, is believed to reach the change above this. On the
design half 226 of 11,642 such beliefs above .5 were right; at .65 the share of functions with no test missed is .002
lower, and the radius falls from 1.27 to 1.22 times the true one (maps 100 commits old)."""

LIKELY = 0.03
"""A new test is taken along where so many of the known tests that static paths find as well were seen to execute it."""


class Recorded(Struct, frozen=True):
    """A map beside the question. `seen` are the tests that executed what changed, `known` those whose runs are known.

    `near` are the known tests that executed the nearest recorded callers of what no recording had; None where such a
    symbol has no recorded caller, so that nothing is known of it. `touched` executed something that has changed since.
    """

    seen: frozenset[SymbolId]
    known: frozenset[SymbolId]
    touched: frozenset[SymbolId]
    near: frozenset[SymbolId] | None
    age: int | None
    notes: tuple[str, ...]

    def sharpen(self, static: Mapping[SymbolId, ReachedTest]) -> dict[SymbolId, ReachedTest]:
        """The tests that reach the change: those seen, and of the others the ones that static paths find and that
        nothing recorded speaks against.

        A known test that was not seen is left out where every changed symbol existed when it ran, unless what it
        executed has changed since. A new test is judged by the known ones: those of its file, and those that static
        paths find like it.
        """
        found = {symbol: ReachedTest(symbol, 1.0, "recorded") for symbol in self.seen}
        alike = [symbol for symbol in static if symbol in self.known]
        usual = sum(symbol in self.seen for symbol in alike) / len(alike) if alike else 1.0
        by_file: dict[str, list[bool]] = {}
        for symbol in self.known:
            by_file.setdefault(symbol.path, []).append(symbol in self.seen)
        for symbol, test in static.items():
            if symbol in found:
                continue
            if symbol in self.known:
                unknown = self.near is None or symbol in self.near
                if unknown or (symbol in self.touched and test.probability >= AGAINST_ITS_RUN):
                    found[symbol] = test
                continue
            beside = by_file.get(symbol.path, [])
            share = max(usual, sum(beside) / len(beside) if beside else 0.0)
            if self.near is None or self.near or share >= LIKELY or test.probability >= STRONG:
                found[symbol] = test
        return found


def read_recorded(repository: Repository, index: Index, changed: Iterable[SymbolId], tree: HeadTree) -> Recorded | None:
    """What the kept map says of these symbols in the current tree; None without a map."""
    complaints: list[str] = []
    kept = read_map(repository.common_dir / "tidegate" / "reach", complaints)
    if kept is None:
        return Recorded(frozenset(), frozenset(), frozenset(), None, None, tuple(complaints)) if complaints else None
    return recorded_of(kept, validity_of(kept, index), changed, tree, _age(repository, kept))


def recorded_of(
    kept: TestMap, validity: Validity, changed: Iterable[SymbolId], tree: HeadTree, age: int | None
) -> Recorded:
    """What the map says of these symbols; nested functions count with the function around them."""
    names = [test.symbol for test in kept.tests]
    mask, near, answered = 0, 0, True
    for symbol in changed:
        entry = validity.seen.get(symbol)
        if entry is not None:
            mask |= entry.tests | _inside(validity, symbol)
        if entry is None or entry.outside:
            around = _around(validity, symbol, tree)
            answered = answered and around is not None
            near |= around or 0
    whole = {number for number, test in enumerate(kept.tests) if test.state == "passed"}
    return Recorded(
        frozenset(names[number] for number in bits(mask)),
        frozenset(names[number] for number in whole),
        frozenset(names[number] for number in bits(validity.touched)),
        frozenset(names[number] for number in bits(near)) if answered else None,
        age,
        (),
    )


def _inside(validity: Validity, symbol: SymbolId) -> int:
    mask, inside = 0, f"{symbol.name}."
    for other, more in validity.seen.items():
        if other.path == symbol.path and other.name.startswith(inside):
            mask |= more.tests
    return mask


def _around(validity: Validity, symbol: SymbolId, tree: HeadTree) -> int | None:
    """The tests that executed the nearest recorded callers of a symbol; None where it has none."""
    start = tree.find(f"{symbol.path}:{symbol.name}")
    if start is None:
        return None
    mask, found, seen, stack = 0, False, {start}, [start]
    while stack and len(seen) < MOST_AROUND:
        for source in callers_of(tree, stack.pop()):
            if source in seen:
                continue
            seen.add(source)
            entry = validity.seen.get(symbol_of(tree.name(source))) if tree.kind(source) else None
            if entry is None or tree.kind(source) in ("module", "class", "variable", "constant"):
                stack.append(source)
            else:
                mask, found = mask | entry.tests, True
    return mask if found and not stack else None


def validity_of(kept: TestMap, index: Index) -> Validity:
    """The map beside the tree of the index: only files that changed since are digested."""
    wanted = files_to_digest(kept, index.files)
    digests = {}
    for path, source in index.read_bytes(wanted).items():
        language = language_of(path)
        if language is not None:
            digests[path] = language.read_digests(source, f".{path.rpartition('.')[2]}")
    return still_valid(kept, index.files, digests)


def _age(repository: Repository, kept: TestMap) -> int | None:
    """How many commits of HEAD are newer than the newest recording that is known to be one of its ancestors."""
    commit = next((recording.commit for recording in reversed(kept.recordings) if recording.commit), "")
    if not commit or not repository.exists(commit):
        return None
    counted = repository.run("rev-list", "--count", "--first-parent", f"{commit}..HEAD")
    return int(counted.strip() or b"0")
