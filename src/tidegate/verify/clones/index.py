"""The index over one tree: which of its files are source that people wrote, brought up to date within a budget."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from tidegate.change.attributes import FILE_NAME, read_attributes
from tidegate.change.classify import classify_files, has_header
from tidegate.change.git import Repository
from tidegate.change.kinds import Names
from tidegate.change.trees import GitTree
from tidegate.change.values import FileChange
from tidegate.settings import Settings
from tidegate.verify.clones.languages import FAMILIES
from tidegate.verify.clones.store import Store, open_store
from tidegate.verify.clones.tokens import (
    LARGEST_BYTES,
    Reader,
    Tokens,
    family_of,
    holds_tests,
    is_unread,
    unread_tokens,
    why_unread,
    without_tests,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHECK_BYTES = 16 << 20
"""So much source is read anew by one check, some three CPU seconds, so that a fresh clone of most repositories is
searched whole; the next check goes on from there."""

MOST_BYTES = 120 << 20
"""A larger repository is not indexed whole; some three million lines."""


class Indexed(Struct, frozen=True):
    """How far the index covers a tree: source files, those that are not read yet, and those that cannot be searched.

    Those are larger than 1 MB, hold NUL bytes or have very long lines; they count as indexed.
    """

    files: int
    missing: int
    kept: bool = True
    unread: int = 0

    def __str__(self) -> str:
        have = f"{self.files - self.missing} of {self.files} source files are indexed"
        if self.unread:
            have += f", {self.unread} of them by name alone: too large, not text, or with very long lines"
        where = "" if self.kept else "; the index cannot be kept, so each check begins anew"
        why = f"; the others are not in this clone, or beyond {MOST_BYTES >> 20} MB in all" if self.missing else ""
        return f"{have}{why}{where}"


class Hits(NamedTuple):
    """Fingerprints that are in the index: which that were asked for, in which blob, and at which token there."""

    asked: NDArray[np.intp]
    owners: NDArray[np.int64]
    places: NDArray[np.int64]


class Index:
    """A store of files seen through one tree: only what the tree holds is found. Paths by language, then by blob."""

    def __init__(self, store: Store, sources: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        self._store = store
        self._sources = sources
        self.damaged: set[str] = set()

    def find(self, hashes: NDArray[np.uint64], most: int) -> Hits:
        """Where these fingerprints are. One at more than `most` places of a segment is an idiom, and left out."""
        import numpy as np

        parts = []
        for number, segment in enumerate(self._store.segments):
            known = segment.directory.hashes
            low = np.searchsorted(known, hashes, "left")
            counts = np.searchsorted(known, hashes, "right") - low
            counts[counts > most] = 0
            asked = np.repeat(np.arange(len(hashes)), counts)
            at = np.arange(len(asked)) + np.repeat(low - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
            owners = segment.directory.owners[at].astype(np.int64) | number << _SEGMENT_BITS
            parts.append(Hits(asked, owners, segment.directory.places[at].astype(np.int64)))
        if not parts:
            return Hits(np.zeros(0, np.intp), np.zeros(0, np.int64), np.zeros(0, np.int64))
        return Hits(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def paths(self, owner: int, family: str) -> Sequence[str]:
        """The files of the tree that this blob is, in order; none where the tree does not hold it."""
        segment, blob = owner >> _SEGMENT_BITS, owner & ((1 << _SEGMENT_BITS) - 1)
        oid = self._store.segments[segment].directory.oids[blob].tobytes().hex()
        return self._sources.get(family, {}).get(oid, ())

    def tokens(self, owner: int) -> Tokens | None:
        """The tokens of a blob; where they are damaged None, and the segment is among the `damaged` from then on."""
        segment = self._store.segments[owner >> _SEGMENT_BITS]
        tokens = segment.tokens(owner & ((1 << _SEGMENT_BITS) - 1))
        if tokens is None:
            self.damaged.add(segment.name)
        return tokens


class Listing(NamedTuple):
    """The files of a tree with their blobs, and the tree whose marks of generated files are believed."""

    oids: Mapping[str, str]
    marks: str


def read_sources(
    repository: Repository, listing: Listing, settings: Settings, families: Collection[str] = tuple(FAMILIES)
) -> dict[str, dict[str, list[str]]]:
    """The source files that people write: family of languages to blob to paths. Tests are not among them."""
    names = Names()
    asked = []
    for path, oid in listing.oids.items():
        raw = path.encode("utf-8", "surrogateescape")
        if family_of(names.language_of(raw)) in families:
            asked.append(_as_file(raw, oid))
    marked = [path for path in listing.oids if path.rpartition("/")[2] == FILE_NAME]
    attributes = read_attributes(
        repository, listing.marks, (path.encode("utf-8", "surrogateescape") for path in marked)
    )
    sources: dict[str, dict[str, list[str]]] = {}
    for file in classify_files(asked, attributes, settings):
        if file.kind == "source" and file.by_hand and not repeats_by_nature(file.path):
            by_oid = sources.setdefault(family_of(file.language), {})
            by_oid.setdefault(file.new_oid, []).append(file.path.decode("utf-8", "surrogateescape"))
    return sources


def repeats_by_nature(path: bytes) -> bool:
    """Whether what a file repeats is meant to be repeated: declarations alone, and steps of a schema's history."""
    return path.endswith((b".pyi", b".d.ts", b".d.mts", b".d.cts")) or _MIGRATION.search(path) is not None


def bring_up_to_date(
    repository: Repository,
    store: Store,
    sources: Mapping[str, Mapping[str, Sequence[str]]],
    *,
    near: Sequence[str] = (),
    budget: int = CHECK_BYTES,
) -> Indexed:
    """Read the files that the store does not hold, at most `budget` bytes of them, those nearest to `near` first."""
    known = {oid.tobytes().hex() for segment in store.segments for oid in segment.directory.oids}
    total = sum(len(by_oid) for by_oid in sources.values())
    missing = 0
    kept = True
    for family in sorted(sources):
        absent = {oid: paths for oid, paths in sources[family].items() if oid not in known}
        away = _Distances(near)
        order = sorted(absent, key=lambda oid, found=absent, of=away.of: (of(found[oid][0]), found[oid][0]))  # type: ignore[misc]
        read = 0
        for batch, used in _read(repository, Reader(family), order, budget):
            kept &= store.add(batch)
            read += len(batch)
            budget -= used
        missing += len(order) - read
    return Indexed(total, missing, kept, _unread(store, sources))


def index_tree(repository: Repository, revision: str, settings: Settings) -> Indexed:
    """Index all source of a tree, up to 120 MB, where the repository keeps what can be made again."""
    tree = repository.resolve(revision, "tree")
    sources = read_sources(repository, Listing(GitTree(repository, tree).oids(), tree), settings)
    with open_store(repository.common_dir / "tidegate" / "verify" / "clones") as store:
        return bring_up_to_date(repository, store, sources, budget=MOST_BYTES)


# Private

_SEGMENT_BITS = 32
_AT_ONCE = 400
_BATCH_BYTES = 16 << 20


def _unread(store: Store, sources: Mapping[str, Mapping[str, Sequence[str]]]) -> int:
    """How many files of the tree are in the store by name alone."""
    import numpy as np

    wanted = {oid for by_oid in sources.values() for oid in by_oid}
    found = set()
    for segment in store.segments:
        for blob in np.flatnonzero(np.diff(segment.directory.starts.astype(np.int64)) == 1).tolist():
            oid = segment.directory.oids[blob].tobytes().hex()
            tokens = segment.tokens(blob) if oid in wanted else None
            if tokens is not None and is_unread(tokens):
                found.add(oid)
    return len(found)


def _as_file(path: bytes, oid: str) -> FileChange:
    return FileChange(path, path, "modified", 0o100644, 0o100644, oid, oid, 100, 0, 0, False, True, ())


_MIGRATION = re.compile(
    rb"(?:^|/)(?:migrations/\d{3,}_[^/]*\.py|(?:db/migrate|alembic/versions|migrations/versions)/[^/]+)$"
)


class _Distances:
    """How many folders lie between a file and the nearest of `near`: asked once for each folder."""

    def __init__(self, near: Sequence[str]) -> None:
        self._near = sorted({path.rpartition("/")[0] for path in near})
        self._known: dict[str, int] = {}

    def of(self, path: str) -> int:
        folder = path.rpartition("/")[0]
        if folder not in self._known:
            own = folder.split("/")
            self._known[folder] = min((_apart(own, other.split("/")) for other in self._near), default=0)
        return self._known[folder]


def _apart(one: Sequence[str], other: Sequence[str]) -> int:
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
    return len(one) + len(other) - 2 * common


def _read(
    repository: Repository, reader: Reader, oids: Sequence[str], budget: int
) -> Iterator[tuple[list[tuple[bytes, Tokens]], int]]:
    """Batches of files with their tokens, and how many bytes were read for each, until the budget is used up."""
    batch: list[tuple[bytes, Tokens]] = []
    used = 0
    rest = iter(oids)
    while used < budget and (chunk := list(islice(rest, _AT_ONCE))):
        for blob in repository.read_blobs(chunk, LARGEST_BYTES):
            if blob.kind != "missing":
                large = blob.kind == "too-large"
                batch.append((bytes.fromhex(blob.name), unread_tokens() if large else _tokens(reader, blob.content)))
                used += len(blob.content)
            if used >= budget:
                break
        if used >= _BATCH_BYTES:
            yield batch, used
            budget -= used
            batch, used = [], 0
    if batch:
        yield batch, used


def _tokens(reader: Reader, content: bytes) -> Tokens:
    """The tokens of a file; none of one that is generated or of tests."""
    if has_header(content) or holds_tests(content):
        return reader.read(b"")
    return unread_tokens() if why_unread(content) else reader.read(without_tests(content))
