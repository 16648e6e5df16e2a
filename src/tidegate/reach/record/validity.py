"""What a map is still good for in another tree: what is the same, what changed, what is new, what is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec import Struct

from tidegate.reach.answer import SymbolId
from tidegate.reach.record.build import Made, made_of
from tidegate.reach.record.values import MapFile, TestMap
from tidegate.reach.symbols import Digests


class Seen(NamedTuple):
    """What a map knows of one symbol of the current tree. `tests` has one bit for each test of the map.

    "same": its text is what was executed. "changed": its text is another, `tests` executed the former one.
    `was` is its name at the recording. `outside`: it also ran outside of any test.
    """

    state: Literal["same", "changed"]
    tests: int
    outside: bool
    was: SymbolId


class Validity(Struct, frozen=True):
    """A map beside the current tree.

    `seen` has every symbol that existed at a recording, executed or not. `new` are symbols that no recording had,
    `gone` those that the tree has no more. `touched` are the tests, one bit each, that executed something which has
    changed since or is gone: what else they reach now is not known from the map. `lost` are tests whose own definition
    is gone. `unread` are changed files without digests: of their symbols, and of tests that executed them, nothing is
    sure.
    """

    seen: Mapping[SymbolId, Seen]
    new: frozenset[SymbolId]
    gone: frozenset[SymbolId]
    touched: int
    lost: int
    unread: tuple[str, ...]


def files_to_digest(recorded: TestMap, blobs: Mapping[str, str]) -> tuple[str, ...]:
    """The files of the current tree (path to blob id) whose digests `still_valid` needs: changed, new, not moved."""
    known = {file.blob for file in recorded.files}
    suffixes = tuple({f".{file.path.rpartition('.')[2]}" for file in recorded.files})
    return tuple(sorted(path for path, blob in blobs.items() if blob not in known and path.endswith(suffixes)))


def still_valid(recorded: TestMap, blobs: Mapping[str, str], digests: Mapping[str, Sequence[Digests]]) -> Validity:
    """What `recorded` says of the current tree. `blobs` are all its files; `digests` those of `files_to_digest`.

    A file that moved with its content is followed by its blob, a symbol that moved or was renamed by its body, where
    exactly one left and one came.
    """
    stable = _stable(recorded, blobs)
    moving = {path: blob for path, blob in blobs.items() if path not in stable}
    old = _old([file for file in recorded.files if file.path not in stable], moving)
    current, unread = _current(recorded, moving, digests)
    gone = [symbol for symbol in old if symbol not in current]
    new = [symbol for symbol in current if symbol not in old]
    moves = _moves(old, current, gone, new)
    seen = _seen_unchanged(stable)
    touched = 0
    for symbol, versions in old.items():
        here = moves.get(symbol, symbol)
        found, stale = _compared(symbol, versions, current.get(here))
        touched |= stale
        if found is not None:
            seen[here] = found
    missing = frozenset(symbol for symbol in gone if symbol not in moves)
    lost = sum(1 << number for number, test in enumerate(recorded.tests) if test.defined in missing)
    return Validity(seen, frozenset(symbol for symbol in new if symbol not in seen), missing, touched, lost, unread)


# Private


class _Version(NamedTuple):
    made: Made
    tests: int
    outside: bool


def _stable(recorded: TestMap, blobs: Mapping[str, str]) -> dict[str, MapFile]:
    """The files of which there is one version only, and it is the current one: nearly all."""
    versions: dict[str, list[MapFile]] = {}
    for file in recorded.files:
        versions.setdefault(file.path, []).append(file)
    return {path: files[0] for path, files in versions.items() if len(files) == 1 and blobs.get(path) == files[0].blob}


def _seen_unchanged(stable: Mapping[str, MapFile]) -> dict[SymbolId, Seen]:
    seen: dict[SymbolId, Seen] = {}
    for path, file in stable.items():
        for entry in file.symbols:
            symbol = SymbolId(path, entry.name)
            seen[symbol] = Seen("same", int.from_bytes(entry.tests, "little"), entry.outside, symbol)
    return seen


def _compared(symbol: SymbolId, versions: Sequence[_Version], made: Made | None) -> tuple[Seen | None, int]:
    """What is known of a symbol that is now made of `made`, and the tests that executed it as something else."""
    tests = stale = 0
    for version in versions:
        tests |= version.tests
        if made is None or version.made.digest != made.digest:
            stale |= version.tests
    if made is None:
        return None, stale
    same = any(version.made.digest == made.digest for version in versions) and not stale
    return Seen("same" if same else "changed", tests, any(version.outside for version in versions), symbol), stale


def _old(files: Sequence[MapFile], blobs: Mapping[str, str]) -> dict[SymbolId, list[_Version]]:
    """Every symbol of these files under the path that its file has now, if the file moved unchanged."""
    paths: dict[str, list[str]] = {}
    known = {file.path for file in files}
    for path, blob in blobs.items():
        if path not in known:
            paths.setdefault(blob, []).append(path)
    old: dict[SymbolId, list[_Version]] = {}
    for file in files:
        moved = paths.get(file.blob, []) if file.path not in blobs else []
        path = moved[0] if len(moved) == 1 else file.path
        for entry in file.symbols:
            version = _Version(Made(entry.digest, entry.body), int.from_bytes(entry.tests, "little"), entry.outside)
            old.setdefault(SymbolId(path, entry.name), []).append(version)
    return old


def _current(
    recorded: TestMap, blobs: Mapping[str, str], digests: Mapping[str, Sequence[Digests]]
) -> tuple[dict[SymbolId, Made], tuple[str, ...]]:
    whole: dict[str, MapFile] = {}
    for file in recorded.files:
        # Of an old version only what a test executed is kept: the version with most symbols is the whole file.
        if file.blob not in whole or len(file.symbols) > len(whole[file.blob].symbols):
            whole[file.blob] = file
    current: dict[SymbolId, Made] = {}
    unread: list[str] = []
    wanted = set(files_to_digest(recorded, blobs))
    for path, blob in blobs.items():
        if path in digests:
            for name, made in made_of(digests[path]).items():
                current[SymbolId(path, name)] = made
        elif blob in whole:
            for entry in whole[blob].symbols:
                current[SymbolId(path, entry.name)] = Made(entry.digest, entry.body)
        elif path in wanted:
            unread.append(path)
    return current, tuple(sorted(unread))


def _moves(
    old: Mapping[SymbolId, Sequence[_Version]],
    current: Mapping[SymbolId, Made],
    gone: Iterable[SymbolId],
    new: Iterable[SymbolId],
) -> dict[SymbolId, SymbolId]:
    """From the former to the present symbol: the same last name and body, else the same file and body."""
    moves: dict[SymbolId, SymbolId] = {}
    left, came = list(gone), list(new)
    for by_name in (True, False):
        was = _only((_key(s, version.made.body, by_name), s) for s in left for version in old[s][-1:])
        now = _only((_key(s, current[s].body, by_name), s) for s in came)
        found = {symbol: now[key] for key, symbol in was.items() if key in now}
        moves.update(found)
        taken = set(found.values())
        left, came = [s for s in left if s not in found], [s for s in came if s not in taken]
    return moves


def _key(symbol: SymbolId, body: str, by_name: bool) -> tuple[str, str]:
    return (symbol.name.rpartition(".")[2] if by_name else symbol.path), body


def _only(pairs: Iterable[tuple[tuple[str, str], SymbolId]]) -> dict[tuple[str, str], SymbolId]:
    found: dict[tuple[str, str], list[SymbolId]] = {}
    for key, symbol in pairs:
        found.setdefault(key, []).append(symbol)
    return {key: symbols[0] for key, symbols in found.items() if len(symbols) == 1}
