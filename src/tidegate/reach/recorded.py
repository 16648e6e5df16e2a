"""What recorded runs say of a change: the tests that were seen to execute it, and how old that evidence is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from tidegate.change.git import Repository
from tidegate.reach.answer import ReachedTest, SymbolId
from tidegate.reach.index import Index
from tidegate.reach.languages import language_of
from tidegate.reach.record.maps import read_map
from tidegate.reach.record.raw import bits
from tidegate.reach.record.validity import Validity, files_to_digest, still_valid
from tidegate.reach.record.values import TestMap
from tidegate.reach.trees import HeadTree

STRONG = 0.5
"""A test that a map does not know is believed to reach what it knows only above this, where its siblings do not."""


class Recorded(Struct, frozen=True):
    """A map beside the question. `seen` are the tests that executed what changed, `known` those whose runs are known.

    `answered`: every changed symbol existed at a recording, so that a known test that is not seen did not execute it.
    """

    seen: frozenset[SymbolId]
    known: frozenset[SymbolId]
    touched: frozenset[SymbolId]
    answered: bool
    age: int | None
    notes: tuple[str, ...]

    def sharpen(self, static: Mapping[SymbolId, ReachedTest]) -> dict[SymbolId, ReachedTest]:
        """The tests that reach the change: those seen, and of those that nobody saw the ones that static paths find.

        A known test that was not seen is left out only where every changed symbol existed when it was recorded, and
        where nothing that the test executed has changed since.
        """
        found = {symbol: ReachedTest(symbol, 1.0, "recorded") for symbol in self.seen}
        siblings = {_group(symbol) for symbol in self.seen}
        for symbol, test in static.items():
            if symbol in found:
                continue
            if symbol not in self.known:
                if not self.answered or _group(symbol) in siblings or test.probability >= STRONG:
                    found[symbol] = test
            elif not self.answered:
                found[symbol] = test
            elif symbol in self.touched and test.probability >= STRONG:
                found[symbol] = structs.replace(test)
        return found


def _group(symbol: SymbolId) -> str:
    """Tests that share a file and a class are siblings: they share what is set up for them."""
    return f"{symbol.path}:{symbol.name.rpartition('.')[0]}"


def read_recorded(repository: Repository, index: Index, changed: Iterable[SymbolId], tree: HeadTree) -> Recorded | None:
    """What the kept map says of these symbols in the current tree; None without a map."""
    complaints: list[str] = []
    kept = read_map(repository.common_dir / "tidegate" / "reach", complaints)
    if kept is None:
        return Recorded(frozenset(), frozenset(), frozenset(), False, None, tuple(complaints)) if complaints else None
    return recorded_of(kept, validity_of(kept, index), changed, _age(repository, kept))


def recorded_of(kept: TestMap, validity: Validity, changed: Iterable[SymbolId], age: int | None) -> Recorded:
    """What the map says of these symbols; nested functions count with the function around them."""
    names = [test.symbol for test in kept.tests]
    mask, answered = 0, True
    for symbol in changed:
        entry = validity.seen.get(symbol)
        if entry is None:
            answered = False
            continue
        mask |= entry.tests
        inside = f"{symbol.name}."
        for other, more in validity.seen.items():
            if other.path == symbol.path and other.name.startswith(inside):
                mask |= more.tests
        answered = answered and not entry.outside
    whole = {number for number, test in enumerate(kept.tests) if test.state == "passed"}
    return Recorded(
        frozenset(names[number] for number in bits(mask)),
        frozenset(names[number] for number in whole),
        frozenset(names[number] for number in bits(validity.touched)),
        answered,
        age,
        (),
    )


def validity_of(kept: TestMap, index: Index) -> Validity:
    """The map beside the tree of the index: only files that changed since are digested."""
    blobs = {path: blob.oid for path, blob in index.files.items()}
    wanted = files_to_digest(kept, blobs)
    digests = {}
    for path, source in index.read_bytes(wanted).items():
        language = language_of(path)
        if language is not None:
            digests[path] = language.read_digests(source, f".{path.rpartition('.')[2]}")
    return still_valid(kept, blobs, digests)


def _age(repository: Repository, kept: TestMap) -> int | None:
    """How many commits of HEAD are newer than the newest recording that is known to be one of its ancestors."""
    commit = next((recording.commit for recording in reversed(kept.recordings) if recording.commit), "")
    if not commit or not repository.exists(commit):
        return None
    counted = repository.run("rev-list", "--count", "--first-parent", f"{commit}..HEAD")
    return int(counted.strip() or b"0")
