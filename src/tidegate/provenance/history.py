"""The commits that recovery has to know, read once: who is whose parent, and what each message says of its source."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.patterns import compile_patterns

DEFAULT_REFS = (
    "refs/pull/*/head",
    "refs/merge-requests/*/head",
    "refs/remotes/**",
    "refs/heads/**",
    "refs/original/**",
)
"""Where the commits of a pull request may still be found after it was squashed."""


class Node(NamedTuple):
    """One commit. `authorship` is name, e-mail and moment of the author, which a rewrite keeps.

    `numbers` are the pull requests (`#12`) and merge requests (`!12`) that the message names as its own, best first;
    `picked` are the commits that it says it was cherry-picked from, last first.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    authorship: str
    subject: str
    numbers: tuple[str, ...]
    picked: tuple[str, ...]

    @property
    def first_parent(self) -> str:
        return self.parents[0] if self.parents else ""


class Head(NamedTuple):
    """A ref that a source may be read from; `number` is `#12` or `!12` for a pull or merge request, else empty."""

    ref: str
    oid: str
    number: str


class History(Struct, frozen=True):
    """Commits in topological order, children first, and the order in which the branch took them in.

    `taken` is, for every commit of the branch, the place in `chain` (first parents, oldest first) that brought it.
    """

    nodes: dict[str, Node]
    chain: tuple[str, ...]
    taken: dict[str, int]

    def within(self, head: str, base: str) -> frozenset[str]:
        """The commits of `base..head`; "" as base takes all.

        Exact for a base in `chain`. For another one, what the branch took in together with its ancestors counts as
        older too: lines may be lost by that, never gained.
        """
        older, place = self.fork(base) if base else (frozenset(), -1)
        return self._walk(head, lambda oid: oid in older or self.taken.get(oid, place + 1) <= place)

    def fork(self, head: str) -> tuple[frozenset[str], int]:
        """The commits of `head` that the branch does not have, and the place in `chain` of the newest below, or -1."""
        if head in self.taken:
            return frozenset(), self.taken[head]
        own = self._walk(head, self.taken.__contains__)
        below = (self.taken.get(parent, -1) for oid in own for parent in self.nodes[oid].parents)
        return own, max(below, default=-1)

    # Private

    def _walk(self, head: str, is_older: Callable[[str], bool]) -> frozenset[str]:
        found: set[str] = set()
        todo = [head]
        while todo:
            oid = todo.pop()
            if oid in self.nodes and oid not in found and not is_older(oid):
                found.add(oid)
                todo += self.nodes[oid].parents
        return frozenset(found)


def read_heads(repository: Repository, patterns: Iterable[str]) -> tuple[Head, ...]:
    """The refs that match (gitignore style, on full names) and lead to a commit. One process."""
    wanted = compile_patterns(tuple(patterns), where="--from-refs", below=False)
    listed = repository.run(
        "for-each-ref", "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)"
    )
    heads: list[Head] = []
    for line in listed.split(b"\n"):
        fields = line.split(b" ", 4)
        if len(fields) < 5 or not wanted.matches(fields[4]):
            continue
        oid = fields[1] if fields[0] == b"commit" else fields[3] if fields[2] == b"commit" else b""
        if oid:
            ref = fields[4].decode("utf-8", "backslashreplace")
            heads.append(Head(ref, oid.decode("ascii"), _number_of_ref(ref)))
    return tuple(heads)


def read_history(repository: Repository, branch: str, others: Iterable[str]) -> History:
    """Every commit that `branch` or one of `others` is made on. One process, linear in their number."""
    tips = dict.fromkeys((branch, *others))
    arguments = ("log", "--stdin", "--topo-order", "-z", "--encoding=UTF-8", "--no-color", "--no-show-signature")
    with repository.stream(
        *arguments, "--no-notes", f"--format={_FORMAT}", stdin="".join(f"{tip}\n" for tip in tips).encode("ascii")
    ) as output:
        nodes = {node.oid: node for node in map(_node, _records(output)) if node is not None}
    chain: list[str] = []
    oid = branch
    while oid in nodes:
        chain.append(oid)
        oid = nodes[oid].first_parent
    chain.reverse()
    return History(nodes, tuple(chain), _taken(nodes, chain))


# Private

_FORMAT = "%H%n%T%n%P%n%an%x01%ae%x01%at%n%B"
_REQUEST_REFS = (
    (re.compile(r"refs/(?:remotes/[^/]+/)?(?:pull|pr|pull-requests)/(\d{1,9})(?:/(?:head|from))?"), "#"),
    (re.compile(r"refs/(?:remotes/[^/]+/)?(?:merge-requests|mr)/(\d{1,9})(?:/head)?"), "!"),
)
_TRAILING = re.compile(r"(?:\s*\((?:pull request )?[#!]\d{1,9}\))+\s*$")
_MENTION = re.compile(r"([#!])(\d{1,9})")
_LEADING = re.compile(r"(?:Merge pull request #|Merged PR )(\d{1,9})\b")
_GITLAB = re.compile(r"^See merge request \S{0,400}!(\d{1,9})\s*$", re.MULTILINE)
_PICKED = re.compile(r"^\(cherry picked from commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\)\s*$", re.MULTILINE)


def _records(output: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := output.read(1 << 20):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
    if rest.strip():
        yield rest


def _node(record: bytes) -> Node | None:
    fields = record.decode("utf-8", "backslashreplace").lstrip("\n").split("\n", 4)
    if len(fields) < 5:
        return None
    oid, tree, parents, authorship, message = fields
    subject = message.split("\n", 1)[0]
    return Node(oid, tree, tuple(parents.split()), authorship, subject, _numbers(message, subject), _picked(message))


def _numbers(message: str, subject: str) -> tuple[str, ...]:
    found: list[str] = []
    trailing = _TRAILING.search(subject[-200:])
    if trailing:
        found += [f"{mark}{int(number)}" for mark, number in reversed(_MENTION.findall(trailing[0]))]
    leading = _LEADING.match(subject)
    if leading:
        found.append(f"#{int(leading[1])}")
    if "See merge request " in message:
        found += [f"!{int(number)}" for number in reversed(_GITLAB.findall(message))]
    return tuple(dict.fromkeys(found))


def _picked(message: str) -> tuple[str, ...]:
    return tuple(reversed(_PICKED.findall(message))) if "(cherry picked from commit " in message else ()


def _number_of_ref(ref: str) -> str:
    for pattern, mark in _REQUEST_REFS:
        found = pattern.fullmatch(ref)
        if found:
            return f"{mark}{int(found[1])}"
    return ""


def _taken(nodes: dict[str, Node], chain: list[str]) -> dict[str, int]:
    taken: dict[str, int] = {}
    for place, tip in enumerate(chain):
        todo = [tip]
        while todo:
            oid = todo.pop()
            if oid not in taken and oid in nodes:
                taken[oid] = place
                todo += nodes[oid].parents
    return taken
