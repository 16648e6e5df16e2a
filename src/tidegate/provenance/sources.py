"""Where a commit without a note may come from: pull requests, cherry-picks, commits before a rewrite.

A source is only a candidate. Whether a line really comes from it is decided line by line from the diffs of both
(`recover.py`), so a wrong candidate costs time and never an attribution.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

from tidegate.change.gaps import read_diffs_with_gaps
from tidegate.change.git import Repository
from tidegate.change.values import FileChange
from tidegate.provenance.history import Head, History, Node

SourceKind: TypeAlias = Literal["pull request", "cherry-pick", "same tree", "same authorship", "same patch"]

DEPTH_LIMIT = 8
"""A squash of rebased commits that were picked from others ...: so many steps are followed."""

FEW = 8
"""So many candidates of a kind are looked at."""


class Source(NamedTuple):
    """`head` and the commits `within` that lead to it, whose lines the commit may have taken over."""

    kind: SourceKind
    name: str
    head: str
    within: frozenset[str]


class Target(NamedTuple):
    """A commit of the branch to find sources for, with the requests that it is said to come from."""

    oid: str
    numbers: tuple[str, ...]


class Links:
    """The sources of commits, found on demand and remembered. `noted` are the commits that have notes."""

    def __init__(self, history: History, heads: Sequence[Head], noted: Iterable[str]) -> None:
        self.history = history
        self.noted = frozenset(oid for oid in noted if oid in history.nodes)
        self.heads: dict[str, list[Head]] = {}
        self.by_tree: dict[str, list[str]] = {}
        self.by_authorship: dict[str, list[str]] = {}
        self.useful: dict[str, tuple[Source, ...]] = {}
        self.patches: Mapping[str, tuple[Source, ...]] = {}
        for head in heads:
            if head.number:
                self.heads.setdefault(head.number, []).append(head)
            if head.oid in history.nodes:
                self.by_tree.setdefault(history.nodes[head.oid].tree, []).append(head.oid)
        self.unnumbered = tuple(head for head in heads if not head.number and head.oid not in history.taken)
        for oid in sorted(self.noted - set(history.taken)):
            node = history.nodes[oid]
            self.by_tree.setdefault(node.tree, []).append(oid)
            self.by_authorship.setdefault(node.authorship, []).append(oid)
        self.children = _children(history) if self.by_authorship else {}

    def of(self, oid: str, numbers: tuple[str, ...] | None = None, depth: int = 0) -> tuple[Source, ...]:
        """The sources in which some commit has a note or has such sources itself, best first."""
        if oid not in self.useful:
            self.useful[oid] = ()  # a commit that leads back to itself is no source
            node = self.history.nodes[oid]
            found = self.candidates(node, numbers)
            self.useful[oid] = tuple(source for source in found if self._leads_to_a_note(oid, source, depth))
        return self.useful[oid]

    def candidates(self, node: Node, numbers: tuple[str, ...] | None = None) -> Iterator[Source]:
        """Every source of a commit, best first, each head once."""
        seen = {node.oid}
        for kind, name, head, alone in self._heads_of(node, node.numbers if numbers is None else numbers):
            if head in seen or head not in self.history.nodes:
                continue
            seen.add(head)
            within = frozenset({head}) if alone else self.history.within(head, node.first_parent)
            if within:
                yield Source(kind, name, head, within)
        yield from (source for source in self.patches.get(node.oid, ()) if source.head not in seen)

    def learn(self, patches: Mapping[str, tuple[Source, ...]]) -> None:
        """Take sources that `find_patches` found in, and ask about their commits anew."""
        self.patches = patches
        for oid in patches:
            self.useful.pop(oid, None)

    # Private

    def _heads_of(self, node: Node, numbers: tuple[str, ...]) -> Iterator[tuple[SourceKind, str, str, bool]]:
        for number in numbers[:FEW]:
            for head in self.heads.get(number, ())[:FEW]:
                yield "pull request", head.ref, head.oid, False
        for oid in node.picked[:FEW]:
            yield "cherry-pick", oid, oid, True
        for oid in self.by_tree.get(node.tree, ())[:FEW]:
            yield "same tree", oid, oid, False
        alike = self.by_authorship.get(node.authorship, ())
        for oid in alike if len(alike) <= FEW else ():  # a script made them all in one second
            yield "same authorship", oid, oid, True
            for tip in self._tips_above(oid):
                yield "same authorship", tip, tip, False

    def _tips_above(self, oid: str) -> list[str]:
        """The ends of what was made on a commit: a commit of squashed ones carries the authorship of the first."""
        tips: list[str] = []
        todo, seen = [oid], {oid}
        while todo and len(tips) < FEW:
            last = todo.pop()
            above = [child for child in self.children.get(last, ()) if child not in seen]
            seen.update(above)
            if last not in self.children:
                tips.append(last)
            todo += above
        return tips

    def _leads_to_a_note(self, oid: str, source: Source, depth: int) -> bool:
        if source.within & self.noted:
            return True
        if depth == DEPTH_LIMIT:
            return False
        return any(self.of(inner, depth=depth + 1) for inner in source.within if inner != oid)


def find_patches(repository: Repository, links: Links, wanted: Sequence[str]) -> dict[str, tuple[Source, ...]]:
    """Sources that made the same changes to the same lines' text, for commits that nothing else leads anywhere.

    Compared are single commits that have notes and are not on the branch, and whole branches without a number (what a
    local `git merge --squash` leaves). Four processes: only commits that change the same files are read in full.
    """
    history = links.history
    places: dict[tuple[str, str], Source] = {}
    branches = [(head.ref, head.oid) for head in links.unnumbered]
    for oid in sorted(links.noted - set(history.taken)):
        source = Source("same patch", oid, oid, frozenset({oid}))
        places[oid, history.nodes[oid].first_parent] = source
        branches.append((oid, oid))
    for name, head in branches:
        within, place = history.fork(head)
        if place >= 0 and within & links.noted:
            places.setdefault((head, history.chain[place]), Source("same patch", name, head, within))
    own = [(oid, history.nodes[oid].first_parent) for oid in wanted]
    if not places or not own:
        return {}
    shapes = _shapes(repository, [*places, *own])
    there, here = ({shapes.get(pair) for pair in pairs} - {None} for pairs in (places, own))
    likely = [pair for pair in (*places, *own) if shapes.get(pair) in there & here]
    prints = {
        (diff.oid, diff.parent): _fingerprint(diff.files)
        for diff in read_diffs_with_gaps(repository, likely, text=True)
    }
    by_print: dict[bytes, list[Source]] = {}
    for pair, source in places.items():
        if pair in prints:
            by_print.setdefault(prints[pair], []).append(source)
    return {pair[0]: tuple(by_print[prints[pair]][:FEW]) for pair in own if prints.get(pair, b"") in by_print}


# Private


def _children(history: History) -> dict[str, list[str]]:
    """Commit to those made on it, of the commits that are not on the branch."""
    children: dict[str, list[str]] = {}
    for oid, node in history.nodes.items():
        if oid not in history.taken:
            for parent in node.parents:
                if parent not in history.taken:
                    children.setdefault(parent, []).append(oid)
    return children


def _shapes(repository: Repository, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], bytes]:
    """A digest of the paths that differ, for each commit and what it is compared with; trees only, no file is read."""
    trees = {oid: f"{oid}^{{tree}}" for pair in pairs for oid in pair if oid}
    found = dict(zip(trees, (answer.oid for answer in repository.look_up(trees.values())), strict=True))
    found[""] = repository.empty_tree
    asked = [pair for pair in pairs if found[pair[0]] and found[pair[1]]]
    stdin = "".join(f"{found[parent]} {found[oid]}\n" for oid, parent in asked).encode("ascii")
    shapes: dict[tuple[str, str], bytes] = {}
    with repository.stream("diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-renames", stdin=stdin) as output:
        blocks = _blocks(output.read().split(b"\0"), len(repository.null_oid) * 2 + 1)
        for pair, paths in zip(asked, blocks, strict=True):
            if paths:  # all commits that change nothing are alike
                shapes[pair] = hashlib.sha256(b"\0".join(paths)).digest()
    return shapes


def _blocks(fields: Sequence[bytes], header: int) -> Iterator[list[bytes]]:
    """`TREE TREE LF path NUL path NUL`: headers of the next blocks are glued to their first path."""
    block: list[bytes] | None = None
    for field in fields:
        while _starts_with_header(field, header):
            if block is not None:
                yield block
            block = []
            field = field[header + 1 :]
        if block is not None and field:
            block.append(field)
    if block is not None:
        yield block


def _starts_with_header(field: bytes, header: int) -> bool:
    head = field[:header]
    return field[header : header + 1] == b"\n" and head.translate(None, b"0123456789abcdef") == b" "


def _fingerprint(files: Iterable[FileChange]) -> bytes:
    """The same for two diffs that remove and add the same lines in the same files, wherever in the file that is."""
    digest = hashlib.sha256()
    for file in sorted(files, key=lambda f: f.path):
        parts = [file.status.encode(), file.old_path, file.path]
        if file.binary or not file.lines_known:
            parts += [file.old_oid.encode(), file.new_oid.encode()]
        for hunk in file.hunks:
            parts += [b"-" + line for line in hunk.removed] + [b"+" + line for line in hunk.added]
        for part in parts:
            digest.update(b"%d:%s" % (len(part), part))
    return digest.digest()
