"""Which manifests and locks a change touches, read at both sides, and what differs between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from tidegate.change.trees import Pair, Tree
from tidegate.verify.dependencies.manifests.commands import holds_commands, read_commands
from tidegate.verify.dependencies.manifests.registry import ecosystem_of, is_lock, read_listing
from tidegate.verify.dependencies.values import Ecosystem, Listing, Package, Requirement, UnreadableError

ASIDE = frozenset(
    (
        "node_modules",
        "vendor",
        "third_party",
        "site-packages",
        ".venv",
        "fixtures",
        "__fixtures__",
        "testdata",
        "__snapshots__",
        "test-fixtures",
        "test_fixtures",
    )
)
"""Folders whose manifests belong to others or are material of tests: nothing is installed from them."""


class Read(Struct, frozen=True):
    """Listings by path, and why others could not be read."""

    listings: Mapping[str, Listing]
    unread: Mapping[str, str]


class Compared(Struct, frozen=True):
    """One changed manifest or lock at both sides; an empty listing where it is not there."""

    path: str
    ecosystem: Ecosystem
    lock: bool
    before: Listing
    after: Listing
    text: str
    deleted: bool = False
    commands: bool = False


class Delta(Struct, frozen=True):
    """What one manifest asks for otherwise than before."""

    file: Compared
    change: Literal["added", "removed", "changed"]
    before: Requirement | None
    after: Requirement | None

    @property
    def name(self) -> str:
        one = self.after or self.before
        return one.name if one else ""


def counts(path: str) -> bool:
    """Whether a path is a manifest or a lock of this repository."""
    return ecosystem_of(path) is not None and not ASIDE.intersection(path.split("/")[:-1])


def read_listings(tree: Tree, paths: Iterable[str]) -> Read:
    """The manifests and locks of a tree, by path."""
    wanted = list(paths)
    contents = tree.read(wanted)
    listings: dict[str, Listing] = {}
    unread: dict[str, str] = {}
    for path in wanted:
        content = contents.get(path)
        if content is None:
            unread[path] = "it is larger than is read"
            continue
        try:
            listings[path] = read_listing(path, content)
        except UnreadableError as error:
            unread[path] = str(error)
    return Read(listings, unread)


def compare(before: Tree, after: Tree, changed: Iterable[Pair]) -> tuple[tuple[Compared, ...], Mapping[str, str]]:
    """The changed manifests and locks at both sides, and those at the head that cannot be read, with the reason.

    One that could not be read before counts as empty: what it holds now is then new.
    """
    changed = list(changed)
    pairs = [pair for pair in changed if counts(pair.path)]
    old = read_listings(before, [pair.before for pair in pairs if pair.before and ecosystem_of(pair.before)])
    new = read_listings(after, [pair.after for pair in pairs if pair.after])
    texts = after.read([pair.after for pair in pairs if pair.after])
    found = []
    for pair in pairs:
        ecosystem = ecosystem_of(pair.path)
        if ecosystem is None or pair.after in new.unread:
            continue
        found.append(
            Compared(
                pair.path,
                ecosystem,
                is_lock(pair.path),
                old.listings.get(pair.before, Listing(ecosystem)),
                new.listings.get(pair.after, Listing(ecosystem)),
                texts.get(pair.after, b"").decode("utf-8", "replace"),
                not pair.after,
            )
        )
    return (*found, *_of_commands(before, after, changed)), new.unread


def deltas(files: Iterable[Compared]) -> tuple[Delta, ...]:
    """What the manifests ask for otherwise; a name that only moved from one manifest to another is not among them."""
    found = [delta for file in files if not file.lock for delta in _deltas(file)]
    removed = {(delta.file.ecosystem, delta.name): delta for delta in found if delta.change == "removed"}
    added = {(delta.file.ecosystem, delta.name) for delta in found if delta.change == "added"}
    kept = []
    for delta in found:
        key = (delta.file.ecosystem, delta.name)
        if delta.change == "removed" and key in added:
            continue
        if delta.change == "added" and key in removed:
            old = removed[key].before
            if old and delta.after and (old.spec, old.source) == (delta.after.spec, delta.after.source):
                continue
            delta = Delta(delta.file, "changed", old, delta.after)
        kept.append(delta)
    return tuple(kept)


def new_packages(file: Compared) -> tuple[Package, ...]:
    """What a lock holds that it did not hold, the project's own packages left out."""
    old = {(one.name, one.version, one.source, one.hashed, one.script) for one in file.before.held}
    return tuple(
        one
        for one in file.after.held
        if not one.own and (one.name, one.version, one.source, one.hashed, one.script) not in old
    )


def line_in(text: str, *words: str) -> int:
    """The line of the first of these words that is in a text; 0 where none is."""
    for word in words:
        at = text.find(word)
        if at >= 0:
            return text.count("\n", 0, at) + 1
    return 0


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def folders_up(path: str) -> Iterator[str]:
    """The folder of a path and those above it, the nearest first, "" the last."""
    folder = folder_of(path)
    while folder:
        yield folder
        folder = folder_of(folder)
    yield ""


# Private


def _of_commands(before: Tree, after: Tree, changed: Iterable[Pair]) -> Iterator[Compared]:
    """What the changed scripts, images, pipelines and the like install, one for each ecosystem."""
    pairs = [one for one in changed if holds_commands(one.path) and not ASIDE.intersection(one.path.split("/")[:-1])]
    old, new = (
        tree.read([path for path in paths if path])
        for tree, paths in ((before, [one.before for one in pairs]), (after, [one.after for one in pairs]))
    )
    for pair in pairs:
        texts = [
            side.get(path, b"").decode("utf-8", "replace") for side, path in ((old, pair.before), (new, pair.after))
        ]
        was, now = (read_commands(pair.path, text) for text in texts)
        for ecosystem in sorted({*was, *now}):
            nothing = Listing(ecosystem)
            sides = was.get(ecosystem, nothing), now.get(ecosystem, nothing)
            yield Compared(pair.path, ecosystem, False, sides[0], sides[1], texts[1], not pair.after, commands=True)


def _deltas(file: Compared) -> Iterator[Delta]:
    old, new = _by_name(file.before.asked), _by_name(file.after.asked)
    own = {*file.after.names, *file.before.names}
    for name in sorted({*old, *new} - own):
        before, after = old.get(name), new.get(name)
        if after is None:
            yield Delta(file, "removed", before, None)
        elif before is None:
            yield Delta(file, "added", None, after)
        elif (before.spec, before.source) != (after.spec, after.source):
            yield Delta(file, "changed", before, after)


def _by_name(asked: Iterable[Requirement]) -> dict[str, Requirement]:
    """One requirement for a name: that of the program goes before that of its development."""
    found: dict[str, Requirement] = {}
    for one in asked:
        known = found.get(one.name)
        if known is None or (known.development and not one.development) or (one.source and not known.source):
            found[one.name] = one
    return found
