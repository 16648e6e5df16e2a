"""The exported names of the changed packages of Go modules that others import, base against head."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.change.trees import GitTree
from tidegate.facts import Place, Severity
from tidegate.verify.contracts.go.model import Item, Signature, read_go
from tidegate.verify.contracts.values import (
    BROKEN,
    NARROWED,
    Break,
    Compared,
    Unreadable,
    both_sides,
    for_others,
    shown,
)
from tidegate.verify.values import Subject

MOST_FILES = 400
MOST_ALIASES = 500
LONGEST = 5_000


class Loss(Struct, frozen=True):
    what: str
    line: int = 0
    path: str = ""
    rule: str = BROKEN
    severity: Severity = "high"


class Side(Struct):
    """A package on one side: what its read files export, and whether some of it could not be read."""

    items: dict[str, Item]
    broken: bool = False
    any: bool = False
    aliases: dict[str, str] = {}


def compare_go(subject: Subject) -> Compared:
    """What importers of the repository's Go modules lose.

    Commands, `internal`, and modules without a tag, promise nothing.
    """
    files = both_sides(subject, lambda path: path.endswith(".go") and _is_public(path), added=True)
    modules = _modules(subject, {both.pair.before for both in files if both.pair.before})
    if not modules:
        return Compared()
    before: dict[str, Side] = {}
    after: dict[str, Side] = {}
    unread: dict[str, str] = {}
    for both in files[:MOST_FILES]:
        for sides, path, content in ((before, both.pair.before, both.before), (after, both.pair.after, both.after)):
            if path and _is_public(path):
                try:
                    _add(sides, path, content)
                except Unreadable as error:
                    unread[shown(path)] = str(error)
    if len(files) > MOST_FILES:
        unread[shown(files[MOST_FILES].pair.path)] = f"of {len(files)} changed Go files {MOST_FILES} were compared"
    breaks: list[Break] = []
    for folder, old in sorted(before.items()):
        module = modules.get(folder)
        if module is not None:
            breaks += _compared(subject, (folder, module), old, after)
    return Compared(tuple(breaks), unread)


# Private

_KEEP = "Keep the old name and mark it `// Deprecated:`, or publish the change under the next major version."
_ADD = "Give the new behaviour a name of its own and leave the old signature, or publish the next major version."
_CLOSED = frozenset({"internal", "vendor", "testdata", "cmd", "docs", "doc"})
_STEPS = 5


class _Module(Struct, frozen=True):
    path: str
    settled: bool
    """Whether it is published at v1 or later, so that it promises to stay."""


def _is_public(path: str) -> bool:
    folders = path.split("/")[:-1]
    hidden = any(part.startswith(("_", ".")) for part in folders)
    return not (path.endswith("_test.go") or hidden or _CLOSED.intersection(folders)) and for_others(path)


def _modules(subject: Subject, paths: set[str]) -> dict[str, _Module]:
    """By folder of a changed file, the module that it is in, where others can import that."""
    tree = subject.trees.before
    manifests = (
        {path.rpartition("/")[0] for path in tree.paths() if path.rpartition("/")[2] == "go.mod"} if paths else ()
    )
    homes: dict[str, str] = {}
    for path in paths:
        folder = home = path.rpartition("/")[0]
        while home and home not in manifests:
            home = home.rpartition("/")[0]
        if home in manifests:
            homes[folder] = home
    texts = tree.read([f"{home}/go.mod" if home else "go.mod" for home in set(homes.values())])
    found = {}
    for home in set(homes.values()):
        text = texts.get(f"{home}/go.mod" if home else "go.mod", b"").decode("utf-8", "replace")
        name = re.search(r"^module[ \t]+\"?([^\s\"]+)", text, re.MULTILINE)
        major = _newest_major(subject, home)
        if name and "." in name[1].partition("/")[0] and major is not None:
            found[home] = _Module(name[1], major > 0)
    return {folder: found[home] for folder, home in homes.items() if home in found}


def _newest_major(subject: Subject, home: str) -> int | None:
    """The largest major version among the module's tags; None without one. A clone without tags may lack them: 1."""
    tree = subject.trees.before
    if not isinstance(tree, GitTree):
        return 1
    prefix = f"refs/tags/{home}/v" if home else "refs/tags/v"
    names = tree.repository.run("for-each-ref", "--format=%(refname)", "refs/tags").decode("utf-8", "replace").split()
    found = [re.match(rf"{re.escape(prefix)}(\d{{1,6}})\.\d", name) for name in names]
    majors = [int(one[1]) for one in found if one]
    if not names and tree.repository.shallow:
        return 1
    return max(majors, default=None)


def _add(sides: dict[str, Side], path: str, content: bytes | None) -> None:
    side = sides.setdefault(path.rpartition("/")[0], Side({}))
    side.any = True
    if content is None:
        side.broken = True
        raise Unreadable("it is too large")
    if re.search(rb"^//go:build ignore|^// \+build ignore", content, re.MULTILINE):
        return
    try:
        file = read_go(shown(path), content)
    except Unreadable:
        side.broken = True
        raise
    side.broken |= file.broken
    if file.package != "main":
        side.items = {**file.items, **side.items}
        side.aliases = {**file.aliases, **side.aliases}


def _compared(subject: Subject, at: tuple[str, _Module], old: Side, after: Mapping[str, Side]) -> Iterator[Break]:
    folder, module = at
    new = after.get(folder, Side({}))
    if next(_losses(old, new), None) is not None:
        new = _whole(subject, folder)
    if old.items and not new.any:
        losses = [Loss(f"the package `{folder or module.path}` is gone")]
    else:
        losses = list(_losses(old, new))
    first = next(iter(old.items.values()), None)
    for loss in losses:
        place = Place(loss.path or (first.path if first else shown(folder)), loss.line)
        severity: Severity = loss.severity if module.settled else "low"
        contract = f"the Go API of {module.path}"
        yield Break(contract, loss.what, place, loss.rule, severity, _KEEP if loss.rule == BROKEN else _ADD)


def _whole(subject: Subject, folder: str) -> Side:
    """All of a package at the head; what did not change counts as well."""
    begin = f"{folder}/" if folder else ""
    paths = [
        path
        for path in subject.trees.after.paths()
        if path.startswith(begin) and "/" not in path[len(begin) :] and path.endswith(".go") and _is_public(path)
    ]
    sides: dict[str, Side] = {}
    contents = subject.trees.after.read(paths[:MOST_FILES])
    for path in paths:
        try:
            _add(sides, path, contents.get(path))
        except Unreadable:
            continue  # its side is marked as broken
    return sides.get(folder, Side({}))


def _losses(old: Side, new: Side) -> Iterator[Loss]:
    same = _Same({**old.aliases, **new.aliases})
    for name, before in old.items.items():
        after = new.items.get(name)
        if after is not None:
            yield from _changed(name, (before, after), same)
        elif not new.broken and not _comes_otherwise(name, new):
            announced = ", as was announced," if before.deprecated else ""
            grave: Severity = "medium" if before.kind in ("const", "var") else "high"
            grave = "low" if before.deprecated else grave
            yield Loss(f"the {before.kind} `{name}`{announced} is gone", 0, before.path, severity=grave)


def _comes_otherwise(name: str, new: Side) -> bool:
    """Whether a method may come from what its type embeds, or went with its type, which is told."""
    owner, _, method = name.partition(".")
    holder = new.items.get(owner)
    return bool(method) and (holder is None or holder.open or method in holder.members)


class _Same:
    """Whether two written types are the same, aliases of the package taken for what they mean."""

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases
        words = "|".join(re.escape(name) for name in sorted(aliases)[:MOST_ALIASES])
        self._find = re.compile(rf"(?<![\w.])(?:{words})(?!\w)") if words else None

    def __call__(self, old: str, new: str) -> bool:
        return old == new or self._meant(old) == self._meant(new)

    def all(self, old: Sequence[str], new: Sequence[str]) -> bool:
        return len(old) == len(new) and all(self(one, other) for one, other in zip(old, new, strict=True))

    def _meant(self, written: str) -> str:
        for _ in range(_STEPS if self._find else 0):
            further = self._find.sub(lambda found: self._aliases[found[0]], written) if self._find else written
            if further == written or len(further) > LONGEST:
                break
            written = further
        return written


def _changed(name: str, sides: tuple[Item, Item], same: _Same) -> Iterator[Loss]:
    old, new = sides
    at = (new.line, new.path)
    if old.signature is not None and new.signature is not None:
        yield from _signature(f"`{name}`", (old.signature, new.signature), at, same)
    if old.kind != "type" or new.kind != "type" or not (old.type and new.type):
        return
    if not same(old.type, new.type):
        what = f"the type `{name}` was {old.type} and is {new.type} now"
        shapes = {old.type, new.type} & {"struct", "interface"}
        yield Loss(what, *at) if shapes else Loss(what, *at, NARROWED, "medium")
        return
    for member, kind in old.members.items():
        after = new.members.get(member)
        if after is None and not new.open:
            what = "method" if old.type == "interface" else "field"
            yield Loss(f"the {what} `{name}.{member}` is gone", *at)
        elif after is not None and not same(kind, after):
            yield Loss(f"`{name}.{member}` was `{kind}` and is `{after}` now", *at, NARROWED, "medium")
    if old.type == "interface" and not old.closed and not old.open:
        for member in sorted(new.members.keys() - old.members.keys()):
            yield Loss(f"the interface `{name}` now asks for the method `{member}`", *at, NARROWED, "medium")


def _signature(name: str, sides: tuple[Signature, Signature], at: tuple[int, str], same: _Same) -> Iterator[Loss]:
    """Only parameters that are variadic may be added, and results only where there were none."""
    old, new = sides
    more = new.takes[len(old.takes) :]
    takes = same.all(old.takes, new.takes[: len(old.takes)])
    takes &= not more or (len(more) == 1 and more[0].startswith("..."))
    if not takes or (old.gives and not same.all(old.gives, new.gives)):
        yield Loss(f"{name} was `{old}` and is `{new}` now", *at, NARROWED, "medium")
