"""Links the files of a tree: all of them once, and after that those whose meaning a change can alter.

What a file means to others is its interface: definitions, and what names are bound to. A file is linked again when it
changed, when the interface of a file that its answers rest on changed, or when a module name leads elsewhere now.
"""

from __future__ import annotations

import gc
import hashlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import msgspec
from msgspec import Struct

from tidegate.change.values import show_path
from tidegate.reach.index import Index
from tidegate.reach.languages import LANGUAGES
from tidegate.reach.languages.interface import Language
from tidegate.reach.linking.edges import LinkedFile, link_file
from tidegate.reach.linking.evaluate import Evaluator
from tidegate.reach.linking.pytests import Fixtures
from tidegate.reach.linking.table import FileTable
from tidegate.reach.linking.values import Place, split_chain
from tidegate.reach.symbols import Binding, FileSymbols

VERSION = 6


def pack_numbers(bits: int) -> bytes:
    """A set of numbers, given as a bit set, in the shorter of two forms: the numbers, or the bits."""
    whole = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
    if bits.bit_count() * 4 >= len(whole):
        return b"b" + whole
    numbers = array("I")
    while bits:
        lowest = bits & -bits
        numbers.append(lowest.bit_length() - 1)
        bits ^= lowest
    return b"n" + numbers.tobytes()


def shares_numbers(packed: bytes, bits: int) -> bool:
    """Whether a packed set and a bit set have a number in common."""
    if packed[:1] == b"b":
        return bool(int.from_bytes(packed[1:], "little") & bits)
    return any(bits >> number & 1 for number in array("I", packed[1:]))


def holds_number(packed: bytes, number: int) -> bool:
    """Whether a packed set has this number."""
    if packed[:1] == b"b":
        at = 1 + (number >> 3)
        return at < len(packed) and bool(packed[at] >> (number & 7) & 1)
    # Most have not: the search for its bytes, which may stand astride of two others, tells so at once.
    return array("I", [number]).tobytes() in packed and number in array("I", packed[1:])


class FileState(Struct, frozen=True, array_like=True, gc=False):
    """What is kept of one linked file, to tell whether it has to be linked again.

    `partial` has the classes of other files that it says more of; `packed_specs` what its imports lead to.
    """

    path: str
    oid: str
    package: str
    interface: bytes
    rests_on: bytes
    packed_specs: bytes
    calls: int
    unresolved: int
    gaps: int
    partial: tuple[str, ...] = ()

    @property
    def specs(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What each module that the file names is made of."""
        return msgspec.msgpack.decode(self.packed_specs, type=tuple[tuple[str, tuple[str, ...]], ...])


class TreeState(Struct, frozen=True, array_like=True, dict=True):
    """What is kept of a linked tree. `files` stand in the order of the bits of `rests_on`.

    `unread` says for each file that could not be read why; its paths are as they are shown.
    """

    version: int
    files: tuple[FileState, ...]
    unread: tuple[tuple[str, str], ...] = ()

    @cached_property
    def oids(self) -> Mapping[str, str]:
        """The blob of every file."""
        return {state.path: state.oid for state in self.files}


class LinkedTree(Struct, frozen=True):
    """The linked files of a tree, with what each says."""

    paths: tuple[str, ...]
    symbols: Mapping[str, FileSymbols]
    linked: Mapping[str, LinkedFile]
    state: TreeState
    evaluator: Evaluator


def pack_state(state: TreeState) -> bytes:
    """The state as bytes to be kept."""
    return msgspec.msgpack.encode(state)


def unpack_state(data: bytes) -> TreeState | None:
    """The state that these bytes are, None where they are another version's or damaged."""
    try:
        state = msgspec.msgpack.decode(data, type=TreeState)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return state if state.version == VERSION else None


class no_collection:  # noqa: N801  used as a statement
    """While everything is being made, nothing is garbage."""

    def __enter__(self) -> None:
        self._enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._enabled:
            gc.enable()


def link_tree(index: Index, read: Callable[[Sequence[str]], Mapping[str, bytes]]) -> LinkedTree:
    """Links every file of the tree that could be read."""
    sources = [path for path in index.sources if path not in index.unread]
    symbols = dict(index.read(sources))
    paths = tuple(path for path in sources if symbols[path].definitions)
    symbols = {path: symbols[path] for path in paths}
    evaluator = _evaluator(paths, symbols.__getitem__, {p: symbols[p].package for p in paths}, tuple(index.files), read)
    evaluator.partial = _partial(evaluator, {path: _parts_of(symbols[path]) for path in paths})
    fixtures = _start(evaluator, symbols)
    with no_collection():
        linked = {path: link_file(evaluator, _table(evaluator, number), fixtures) for number, path in enumerate(paths)}
    states = (
        _state(evaluator, number, index.files[path], symbols[path], linked[path]) for number, path in enumerate(paths)
    )
    return LinkedTree(paths, symbols, linked, _state_of(states, index), evaluator)


def relink(index: Index, before: TreeState, read: Callable[[Sequence[str]], Mapping[str, bytes]]) -> LinkedTree:
    """Links those files of the tree anew that mean something else than they meant in the tree of `before`."""
    known = before.oids
    sources = index.sources
    if not sources.keys().isdisjoint(index.unread):
        sources = {path: oid for path, oid in sources.items() if path not in index.unread}
    changed = [path for path, oid in sources.items() if known.get(path) != oid]
    fresh = index.read(changed)
    changed = [path for path in changed if fresh[path].definitions]
    # The files of before keep their numbers, so that their bits stay true; new ones follow.
    gone = known.keys() - sources.keys()
    paths = (*known, *(path for path in changed if path not in known))
    read_so_far: dict[str, FileSymbols] = dict(fresh)

    def symbols_of(path: str) -> FileSymbols:
        found = read_so_far.get(path)
        if found is None:
            found = read_so_far[path] = FileSymbols() if path in gone else index.read([path])[path]
        return found

    states = {state.path: state for state in before.files}
    packages = {path: state.package for path, state in states.items()}
    for path in gone:
        del packages[path]
    packages.update((path, fresh[path].package) for path in changed)
    evaluator = _evaluator(paths, symbols_of, packages, tuple(index.files), read)
    parts = {state.path: state.partial for state in before.files if state.partial and state.path not in gone}
    parts.update((path, _parts_of(fresh[path])) for path in changed)
    evaluator.partial = _partial(evaluator, parts)
    wanted = set(changed) | _dependents(evaluator, before, fresh, changed, gone)
    if any(language.open_world for language in set(evaluator.languages)):
        index_of = {p: symbols_of(p) for p in paths if evaluator.languages[evaluator.number[p]].open_world}
        evaluator.world = _world(evaluator, index_of)
    fixtures = Fixtures(evaluator)
    evaluator.hint = fixtures.hint
    linked: dict[str, LinkedFile] = {}
    for number in sorted(evaluator.number[path] for path in wanted - gone):
        path = paths[number]
        linked[path] = link_file(evaluator, _table(evaluator, number), fixtures)
        states[path] = _state(evaluator, number, index.files[path], symbols_of(path), linked[path])
    for path in gone:
        del states[path]
    return LinkedTree(
        tuple(linked), {path: symbols_of(path) for path in linked}, linked, _state_of(states.values(), index), evaluator
    )


# Private


def _evaluator(
    paths: Sequence[str],
    symbols: Callable[[str], FileSymbols],
    packages: Mapping[str, str],
    everything: Sequence[str],
    read: Callable[[Sequence[str]], Mapping[str, bytes]],
) -> Evaluator:
    by_suffix = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
    ends = [path[path.rfind(".") :] for path in paths]
    by_end = {end: by_suffix[end.lower()] for end in dict.fromkeys(ends)}
    languages = [by_end[end] for end in ends]
    own: dict[str, dict[str, str]] = {language.name: {} for language in by_end.values()}
    for path, language in zip(paths, languages, strict=True):
        if path in packages:
            own[language.name][path] = packages[path]
    layouts = {
        language.name: language.read_layout(own[language.name], everything, read) for language in by_end.values()
    }
    return Evaluator(paths, _Tables(paths, symbols).__getitem__, languages, layouts)


class _Tables(dict[int, FileTable | None]):
    """The names of each file by its number, made when they are asked for first."""

    def __init__(self, paths: Sequence[str], symbols: Callable[[str], FileSymbols]) -> None:
        super().__init__()
        self._paths = paths
        self._symbols = symbols

    def __missing__(self, number: int) -> FileTable | None:
        symbols = self._symbols(self._paths[number])
        table = self[number] = FileTable(self._paths[number], number, symbols) if symbols.definitions else None
        return table


def _start(evaluator: Evaluator, symbols: Mapping[str, FileSymbols]) -> Fixtures:
    evaluator.world = _world(evaluator, symbols)
    fixtures = Fixtures(evaluator)
    evaluator.hint = fixtures.hint
    return fixtures


def _parts_of(symbols: FileSymbols) -> tuple[str, ...]:
    return tuple(d.name.rpartition(".")[2] for d in symbols.definitions if "partial" in d.flags)


def _partial(evaluator: Evaluator, parts: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, str], tuple[int, ...]]:
    """The files that say more of a class of another file, by its language and name."""
    found: dict[tuple[str, str], dict[int, None]] = {}
    for path, names in parts.items():
        number = evaluator.number[path]
        for name in names:
            found.setdefault((evaluator.languages[number].name, name), {})[number] = None
    return {key: tuple(numbers) for key, numbers in found.items()}


def _world(evaluator: Evaluator, symbols: Mapping[str, FileSymbols]) -> dict[tuple[str, str], tuple[Place, ...]]:
    """The top-level names of languages in which every file sees them, and all their classes by qualified name."""
    found: dict[tuple[str, str], list[Place]] = {}
    for path, file in symbols.items():
        number = evaluator.number[path]
        language: Language = evaluator.languages[number]
        if language.open_world:
            for index, definition in enumerate(file.definitions):
                if definition.parent == 0 or definition.kind in ("class", "interface"):
                    found.setdefault((language.name, definition.name), []).append((number, index))
    return {key: tuple(places) for key, places in found.items()}


def _table(evaluator: Evaluator, number: int) -> FileTable:
    table = evaluator.table(number)
    if table is None:
        raise LookupError(number)
    return table


def _state_of(states: Iterable[FileState], index: Index) -> TreeState:
    unread = ((show_path(path.encode("utf-8", "surrogateescape")), why) for path, why in index.unread.items())
    return TreeState(VERSION, tuple(states), tuple(unread))


def _state(evaluator: Evaluator, number: int, oid: str, symbols: FileSymbols, linked: LinkedFile) -> FileState:
    layout = evaluator.layouts[evaluator.languages[number].name]
    path = evaluator.paths[number]
    specs = sorted(evaluator.asked.get(number, ()))
    return FileState(
        path,
        oid,
        symbols.package,
        interface_of(symbols),
        pack_numbers(int.from_bytes(linked.rests_on, "little")),
        msgspec.msgpack.encode(tuple((spec, layout.find(spec, path)) for spec in specs)),
        linked.calls,
        linked.unresolved,
        len(symbols.gaps),
        _parts_of(symbols),
    )


def interface_of(symbols: FileSymbols) -> bytes:
    """A digest of what a file means to others: lines are no part of it, and of what functions do inside only what
    their results and the members that they set rest on."""
    definitions = symbols.definitions
    made = [(d.name, d.kind, d.parent, d.bases, d.decorators, d.parameters, d.returns, d.flags) for d in definitions]
    inside = {n for n, d in enumerate(definitions) if d.kind in ("function", "method")}
    needed = {(n, _root(chain)) for n in inside for chain in definitions[n].returns}
    local: dict[tuple[int, str], list[Binding]] = {}
    bound: list[Binding] = []
    for binding in symbols.bindings:
        if binding.scope in inside:
            local.setdefault((binding.scope, binding.name), []).append(binding)
        else:
            bound.append(binding)
            needed.add((binding.within, _root(binding.value)))
    waiting = sorted(needed)
    seen = set(needed)
    while waiting:
        scope, name = waiting.pop()
        found = [(b.within, _root(b.value)) for b in local.get((scope, name), ())]
        if definitions[scope].parent in inside:
            found.append((definitions[scope].parent, name))
        bound += local.pop((scope, name), ())
        waiting += [one for one in dict.fromkeys(found) if one not in seen]
        seen.update(found)
    told = sorted((b.scope, b.name, b.value, b.kind, b.within) for b in bound)
    # Whether a fixture runs by itself, and its name, stand in the arguments of its decorator.
    given = [(r.within, r.arguments) for r in symbols.references if r.kind == "decorate" and r.arguments]
    return hashlib.blake2b(msgspec.msgpack.encode((made, told, given)), digest_size=12).digest()


def _root(chain: str) -> str:
    return split_chain(chain)[0]


def _dependents(
    evaluator: Evaluator, before: TreeState, fresh: Mapping[str, FileSymbols], changed: Iterable[str], gone: set[str]
) -> set[str]:
    """The files that did not change but may mean something else now."""
    # The files of before have the first numbers.
    number, count = evaluator.number, len(before.files)
    altered: set[int] = set()
    moved = set(gone)
    for path in changed:
        if number[path] >= count:
            moved.add(path)
        elif before.files[number[path]].interface != interface_of(fresh[path]):
            altered.add(number[path])
    altered.update(number[path] for path in gone)
    for path in moved:
        # Its package sees other names now.
        package = evaluator.layouts[evaluator.languages[evaluator.number[path]].name]
        for other in package.visible(path):
            if number.get(other, count) < count:
                altered.add(number[other])
    if not altered and not moved:
        return set()
    if moved:
        altered.update(_led_elsewhere(evaluator, before))
    found = _resting_on(before, altered)
    for path in moved:
        if path.endswith("conftest.py"):
            folder = path.rpartition("/")[0]
            found.update(s.path for s in before.files if not folder or s.path.startswith(f"{folder}/"))
    return found


def _led_elsewhere(evaluator: Evaluator, before: TreeState) -> Iterator[int]:
    """The numbers of the files in which the name of a module leads elsewhere now."""
    for number, state in enumerate(before.files):
        layout = evaluator.layouts.get(evaluator.languages[number].name)
        if layout is not None and any(layout.find(spec, state.path) != found for spec, found in state.specs):
            yield number


def _resting_on(before: TreeState, altered: set[int]) -> set[str]:
    """The files whose answers rest on one of these."""
    if len(altered) == 1:
        one = next(iter(altered))
        return {state.path for state in before.files if holds_number(state.rests_on, one)}
    bits = 0
    for number in altered:
        bits |= 1 << number
    return {state.path for state in before.files if shares_numbers(state.rests_on, bits)}
