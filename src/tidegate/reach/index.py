"""The files of a tree and what each says by itself. What was read before comes from the store, by blob id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias, cast

from tidegate.change.git import Repository
from tidegate.change.listing import Listing, list_tree
from tidegate.reach.languages import LANGUAGES
from tidegate.reach.languages.interface import Language
from tidegate.reach.parse import PARALLEL_BYTES, Source, default_jobs, parse
from tidegate.reach.store import Key, Packed, Store, pack, unpack
from tidegate.reach.symbols import FileSymbols, unread

SOURCE_LIMIT_BYTES = 2 << 20
_FLUSH_BYTES = 16 << 20

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many files are read of how many that have to be."""


class Index:
    """The files of a tree, read lazily. Valid as long as its repository and its store are open.

    `files` are the blobs of all regular files, in git's order; `links` and `submodules` are paths that are no files:
    what is behind them is not read. `unread` says for each source file that could not be read why. A path holds bytes
    that are no UTF-8 as surrogate escapes: never print it as it is.
    """

    def __init__(self, tree: str, listing: Listing, parser: _Parser) -> None:
        self.tree = tree
        self.parser = parser
        self.links = listing.links
        self.submodules = listing.submodules
        self.files = listing.files
        self.unread: Mapping[str, str] = {}

    @cached_property
    def sources(self) -> Mapping[str, str]:
        """The blobs of the files that a language reads."""
        is_source = self.parser.is_source
        return {path: oid for path, oid in self.files.items() if is_source[path[path.rfind(".") :]]}

    def language(self, path: str) -> str:
        """The name of the language that reads a file of this name, "" where none does."""
        return self.parser.language_name(path)

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        """The bytes of these files of the tree; -1 where the content is not in this clone."""
        oids = {path: self.files[path] for path in paths}
        sizes = self.parser.sizes(oids.values())
        return {path: sizes[oid] for path, oid in oids.items()}

    def read(self, paths: Iterable[str]) -> Mapping[str, FileSymbols]:
        """What these files say. A file that could not be read says so; one without a language is missing."""
        found: dict[str, FileSymbols] = {}
        wanted: dict[str, Key] = {}
        for path in paths:
            reason = self.unread.get(path)
            if reason is not None:
                found[path] = unread(reason)
            elif (key := self._key(path)) is not None:
                wanted[path] = key
        symbols = self.parser.get(wanted.values())
        found.update((path, symbols[key]) for path, key in wanted.items())
        return found

    def read_bytes(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The content of these files; one that is no file of this tree, or larger than 2 MB, is missing."""
        oids = {path: self.files[path] for path in paths if path in self.files}
        contents = self.parser.contents(sorted(set(oids.values())))
        return {path: contents[oid] for path, oid in oids.items() if oid in contents}

    # Private

    def _key(self, path: str) -> Key | None:
        oid = self.files.get(path)
        return None if oid is None else self.parser.key(path, oid)

    def wanted(self, paths: Iterable[str] | None = None) -> list[Key]:
        """The keys of all source files that can be tried, or of those among `paths`."""
        sizes = self.sizes(self.sources if paths is None else paths)
        keys = (self._key(path) for path, size in sizes.items() if not _refusal(path, size))
        return [key for key in keys if key is not None]

    @property
    def lasting(self) -> bool:
        """Whether what is unread would be so another time, on a machine less busy and in a clone that has it all."""
        paths = [path for path in self.unread if path in self.files]
        return min(self.sizes(paths).values(), default=0) >= 0 and not any(
            self._key(path) in self.parser.fresh for path in paths
        )

    def fill(self, progress: Progress | None = None) -> None:
        """Parses every source file that the store does not have."""
        _fill([self], self.parser, progress)

    def fill_only(self, known: Mapping[str, str], unread: Mapping[str, str]) -> None:
        """Parses the source files whose blob is another one than in `known`, of which `unread` could not be read."""
        fresh = [path for path, oid in self.sources.items() if known.get(path) != oid]
        self.parser.prepare(self.wanted(fresh), None)
        self.settle(fresh)
        kept = {path: why for path, why in unread.items() if path in self.files and path not in fresh}
        self.unread = dict(sorted({**self.unread, **kept}.items()))

    def settle(self, paths: Iterable[str] | None = None) -> None:
        """Tells apart what can be read from what cannot."""
        reasons: dict[str, str] = {}
        failed: dict[str, Key] = {}
        for path, size in self.sizes(self.sources if paths is None else paths).items():
            key = self._key(path)
            if key is None:
                continue
            if reason := _refusal(path, size):
                reasons[path] = reason
            elif key in self.parser.failed:
                failed[path] = key
        errors = self.parser.get(failed.values())
        reasons.update((path, errors[key].error) for path, key in failed.items())
        reasons.update((path, "it is a symbolic link") for path in self.links if self.parser.language_name(path))
        self.unread = dict(sorted(reasons.items()))


def read_index(
    repository: Repository,
    tree: str,
    store: Store,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
    languages: Sequence[Language] = LANGUAGES,
) -> Index:
    """The index of a tree: parses what the store does not have, by `jobs` processes (0: as many as there is room for).

    A file larger than 2 MB, or one that takes more than 10 s or 2 GB to read, is unread.
    """
    parser = _Parser(repository, store, languages, jobs)
    index = Index(tree, list_tree(repository, tree), parser)
    _fill([index], parser, progress)
    return index


def read_index_pair(
    repository: Repository,
    base: str,
    head: str,
    store: Store,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
    languages: Sequence[Language] = LANGUAGES,
) -> tuple[Index, Index]:
    """The indexes of the trees before and after a change; what is equal is listed and parsed once."""
    before, after = list_index_pair(repository, base, head, store, jobs=jobs, languages=languages)
    _fill([before, after] if before is not after else [before], before.parser, progress)
    return before, after


def list_index_pair(
    repository: Repository,
    base: str,
    head: str,
    store: Store,
    *,
    jobs: int = 0,
    languages: Sequence[Language] = LANGUAGES,
) -> tuple[Index, Index]:
    """The same with nothing parsed yet: `fill` parses all of a tree, `fill_only` what a kept tree does not have."""
    parser = _Parser(repository, store, languages, jobs)
    after = Index(head, list_tree(repository, head), parser)
    return (after, after) if base == head else (Index(base, list_tree(repository, base), parser), after)


# Private


class _Parser:
    """Where symbols come from: what was just parsed, the store, or else the source itself."""

    def __init__(self, repository: Repository, store: Store, languages: Sequence[Language], jobs: int) -> None:
        self._repository = repository
        self._store = store
        self._languages = languages
        self._jobs = jobs
        self._numbers = _numbers(languages)
        self._sizes: dict[str, int] = {}
        self.is_source = _IsSource(self._numbers)
        self.fresh: dict[Key, Packed] = {}
        self.failed: set[Key] = set()

    def language_name(self, path: str) -> str:
        number = self._numbers.get(_suffix(path))
        return "" if number is None else self._languages[number].name

    def key(self, path: str, oid: str) -> Key | None:
        """What the symbols of a file are kept by. The suffix is a part of it: a reader may go by it."""
        suffix = _suffix(path)
        number = self._numbers.get(suffix)
        if number is None:
            return None
        language = self._languages[number]
        return Key(oid, language.name + suffix, language.version)

    def sizes(self, oids: Iterable[str]) -> Mapping[str, int]:
        """The bytes of these blobs, and of others; -1 for one that is not in this clone."""
        fresh = sorted({oid for oid in oids if oid not in self._sizes})
        blobs = self._repository.look_up(fresh)
        self._sizes.update((blob.name, blob.size if blob.kind == "blob" else -1) for blob in blobs)
        return self._sizes

    def prepare(self, keys: Iterable[Key], progress: Progress | None) -> None:
        """Parses those of these keys that the store does not have."""
        wanted = dict.fromkeys(keys)
        known = self._store.look_up(wanted)
        self.failed.update(key for key, failed in known.items() if failed)
        self._parse([key for key in wanted if key not in known], progress)

    def get(self, keys: Iterable[Key]) -> dict[Key, FileSymbols]:
        """The symbols of all these keys. A record that was damaged or removed meanwhile is read from the source."""
        found: dict[Key, FileSymbols] = {}
        wanted = dict.fromkeys(keys)
        for key in wanted.keys() & self.fresh.keys():
            if (symbols := unpack(self.fresh[key].payload)) is not None:
                found[key] = symbols
        found.update(self._store.get_many(key for key in wanted if key not in found))
        missing = [key for key in wanted if key not in found]
        if missing:
            self._parse(missing, None, keep=True)
            found.update((key, unpack(self.fresh[key].payload) or unread("its reader failed")) for key in missing)
        return found

    def contents(self, oids: Sequence[str]) -> dict[str, bytes]:
        blobs = self._repository.read_blobs(oids, limit=SOURCE_LIMIT_BYTES) if oids else ()
        return {blob.oid: blob.content for blob in blobs if blob.kind == "blob"}

    # Private

    def _parse(self, keys: Sequence[Key], progress: Progress | None, *, keep: bool = False) -> None:
        if not keys:
            return
        sizes = self.sizes(key.oid for key in keys)
        much = sum(sizes[key.oid] for key in keys) > PARALLEL_BYTES
        jobs = (self._jobs or default_jobs()) if much else 1
        waiting: dict[Key, Packed] = {}
        held = 0
        for done, answer in enumerate(parse(self._sources(keys), self._languages, jobs), 1):
            key = cast(Key, answer.key)
            if answer.packed.failed:
                self.failed.add(key)
            if keep or not answer.lasting:
                self.fresh[key] = answer.packed
            if answer.lasting:
                waiting[key] = answer.packed
                held += len(answer.packed.payload)
            if held > _FLUSH_BYTES:
                self._keep(waiting)
                waiting, held = {}, 0
            if progress is not None:
                progress(done, len(keys))
        self._keep(waiting)

    def _keep(self, packed: Mapping[Key, Packed]) -> None:
        """What the store does not take is kept in memory."""
        if not self._store.put_packed(packed):
            self.fresh.update(packed)

    def _sources(self, keys: Sequence[Key]) -> Iterator[Source]:
        for key, blob in zip(
            keys, self._repository.read_blobs([key.oid for key in keys], SOURCE_LIMIT_BYTES), strict=True
        ):
            if blob.kind == "blob":
                suffix = key.language[key.language.rindex(".") :]
                yield Source(key, self._numbers[suffix], suffix, blob.content)
            else:
                reason = "it is too large" if blob.kind == "too-large" else "its content is missing in this clone"
                self.fresh[key] = pack(unread(reason))
                self.failed.add(key)


def _fill(indexes: Sequence[Index], parser: _Parser, progress: Progress | None) -> None:
    """Parses what no index can do without, and settles what is unread."""
    parser.prepare([key for index in indexes for key in index.wanted()], progress)
    for index in indexes:
        index.settle()


def _numbers(languages: Sequence[Language]) -> dict[str, int]:
    """Which language reads a suffix: the first that says so."""
    numbers: dict[str, int] = {}
    for number, language in enumerate(languages):
        for suffix in language.suffixes:
            numbers.setdefault(suffix, number)
    return numbers


class _IsSource(dict[str, bool]):
    """Whether a language reads files that end so. A tree has few endings and many files."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        super().__init__()
        self._numbers = numbers

    def __missing__(self, end: str) -> bool:
        found = self[end] = end.lower() in self._numbers
        return found


def _suffix(path: str) -> str:
    """The ending of a file's name, with its dot; "" where there is none."""
    end = path[path.rfind(".") :] if "." in path else ""
    return "" if "/" in end else end.lower()


_ODD = re.compile("[:#\n\ud800-\udfff]")
"""Symbols are named PATH:NAME, one a line."""


def _refusal(path: str, size: int) -> str:
    """Why a source file of this name and size is not even tried, "" where it is."""
    if odd := _ODD.search(path):
        what = "a line break" if odd[0] == "\n" else f'"{odd[0]}"' if odd[0] in ":#" else "bytes that are no UTF-8"
        return f"its path holds {what}"
    if size < 0:
        return "its content is missing in this clone"
    return f"it is larger than {SOURCE_LIMIT_BYTES >> 20} MB" if size > SOURCE_LIMIT_BYTES else ""
