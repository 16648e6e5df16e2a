"""The check of debt: the group `debt`, and a finding for each place that a change makes harder to keep."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec
from msgspec import Struct

from tidegate.change.trees import GitTree
from tidegate.change.values import FileChange, show_path
from tidegate.errors import GitError
from tidegate.facts import DebtFacts, Finding, Unknown
from tidegate.verify.debt.claims import contradictions
from tidegate.verify.debt.dead import unnamed, unreachable, unused_imports, unused_parameters, unused_variables
from tidegate.verify.debt.fragile import fragile_calls
from tidegate.verify.debt.growth import complexity_added, grown_functions
from tidegate.verify.debt.public import is_habit, neighbours_of, undescribed
from tidegate.verify.debt.settings import needed_settings
from tidegate.verify.debt.source import LARGEST_BYTES, Changed, Site, Source, finding, introduced
from tidegate.verify.debt.swallowed import swallowed
from tidegate.verify.debt.todo import todos
from tidegate.verify.debt.types import type_holes
from tidegate.verify.values import Part, Subject, added_lines

LANGUAGES = ("Python", "JavaScript", "TypeScript", "Go", "Java", "Ruby", "Rust", "Shell")
MOST_FILES = 200
FIELD = "verification.debt"

Placed: TypeAlias = tuple[Source, Site]


def check(subject: Subject) -> Part:
    """What the added lines of source cost later. Tests, generated and vendored files are not asked about."""
    asked = [file for file, _ in subject.changed(*LANGUAGES) if file.kind == "source" and not _TRIED.search(file.path)]
    chosen = asked[:MOST_FILES]
    read = _read(subject, chosen)
    found = list(_sites(subject, read.files, chosen))
    unknowns = _unread(read, len(asked) - len(chosen))
    return Part({"debt": _facts(found, complexity_added(read.files))}, _findings(found), unknowns)


# Private

_TRIED = re.compile(rb"(?i)(?:^|/)(?:tests?|examples?|samples?|demos?|benche?s|fixtures|[\w-]*mocks?)(?:/|\.\w+$)")
"""Tests, and what is there to be read or tried: nobody keeps it running."""


class _Read(Struct, frozen=True):
    files: tuple[Changed, ...]
    large: tuple[str, ...]


def _read(subject: Subject, chosen: Sequence[FileChange]) -> _Read:
    """The changed files with both sides. Those that only lose lines say what was there before."""
    by_path = {pair.path: pair for pair in subject.trees.changed}
    wanted = {file.path: by_path[_decoded(file.path)] for file in chosen}
    before = subject.trees.before.read([pair.before for pair in wanted.values() if pair.before])
    after = subject.trees.after.read([pair.after for pair in wanted.values() if pair.after])
    files, large = [], []
    for file in chosen:
        pair = wanted[file.path]
        content = after.get(pair.after, b"")
        unseen = file.added > 0 and not content
        if file.status != "deleted" and (unseen or len(content) > LARGEST_BYTES or not file.lines_known):
            large.append(show_path(file.path))
        old = Source(pair.before, file.language, before.get(pair.before, b""))
        now = Source(pair.after, file.language, content)
        files.append(Changed(old, now, _before_tests(now, added_lines(file))))
    return _Read(tuple(files), tuple(large))


def _before_tests(source: Source, lines: frozenset[int]) -> frozenset[int]:
    """The lines without those of the tests that a Rust file ends with."""
    if source.language != "Rust" or b"#[cfg(test)]" not in source.content:
        return lines
    first = source.content.count(b"\n", 0, source.content.index(b"#[cfg(test)]")) + 1
    return frozenset(line for line in lines if line < first)


def _decoded(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


_READERS: tuple[Callable[[Source], Iterable[Site]], ...] = (
    swallowed,
    fragile_calls,
    unreachable,
    unused_imports,
    unused_variables,
    unused_parameters,
    todos,
    type_holes,
)


def _sites(subject: Subject, files: Sequence[Changed], chosen: Sequence[FileChange]) -> Iterator[Placed]:
    yield from grown_functions(files)
    for reader in _READERS:
        yield from introduced(files, reader)
    yield from _unnamed(subject, files)
    yield from _needed(subject, files)
    by_path = {_decoded(file.path): file for file in chosen}
    for one in (one for one in files if one.added):
        yield from ((one.after, site) for site in contradictions(one, by_path[one.after.path]))
        yield from _undocumented(subject, one)


def _undocumented(subject: Subject, one: Changed) -> Iterator[Placed]:
    """Asked with the files beside it, which are read only where something lacks a description."""
    fresh = undescribed(one)
    if not fresh:
        return
    tree = subject.trees.before
    beside = tree.read(neighbours_of(one.after.path, tree.paths()))
    neighbours = [Source(path, one.after.language, content) for path, content in beside.items()]
    if is_habit(one.before, neighbours):
        yield from ((one.after, site) for site in fresh)


def _unnamed(subject: Subject, files: Sequence[Changed]) -> Iterator[Placed]:
    """Private things that no file of the tree names. Without a repository to search, nothing is said."""
    names: dict[str, str] = {}

    def reader(source: Source) -> Iterator[Site]:
        for name, site in unnamed(source):
            names[site.key] = name
            yield site

    found = list(introduced(files, reader))
    used = _named_in(subject, {names[site.key] for _, site in found})
    for source, site in found:
        if used is not None and len(used.get(names[site.key], ())) <= 1:
            yield source, site


def _needed(subject: Subject, files: Sequence[Changed]) -> Iterator[Placed]:
    """Settings that nothing but the code names."""
    names: dict[str, str] = {}

    def reader(source: Source) -> Iterator[Site]:
        for name, site in needed_settings(source):
            names[site.key] = name
            yield site

    found = list(introduced(files, reader))
    used = _named_in(subject, {names[site.key] for _, site in found})
    for source, site in found:
        told = [path for path in (used or {}).get(names[site.key], ()) if not _CODE.search(path)]
        if used is not None and not told:
            yield source, site


_CODE = re.compile(r"\.(?:py|js|jsx|ts|tsx|mjs|cjs|go)$")


def _named_in(subject: Subject, names: Iterable[str]) -> dict[str, list[str]] | None:
    """The files of the head that hold each of the words, by one search; None where there is nothing to search in."""
    wanted = sorted(names)
    if not wanted:
        return {}
    tree = subject.trees.after
    if not isinstance(tree, GitTree):
        return None
    patterns = [part for name in wanted[:100] for part in ("-e", name)]
    arguments = ("grep", "-I", "-w", "-F", "-o", "-z", "--full-name", *patterns, subject.change.head_tree)
    try:
        raw = tree.repository.run(*arguments, ok=(0, 1))
    except GitError:  # a partial clone that cannot fetch: what was not searched accuses nobody
        return None
    found: dict[str, list[str]] = {}
    for line in raw.split(b"\n"):
        path, _, name = line.partition(b"\0")
        where = _decoded(path.partition(b":")[2])
        files = found.setdefault(_decoded(name), [])
        if where not in files:
            files.append(where)
    return found


def _facts(found: Sequence[Placed], complexity: int) -> DebtFacts:
    def count(*rules: str) -> int:
        return sum(1 for _, site in found if site.rule in rules)

    return DebtFacts(
        functions_grown=count("complexity-grown", "function-long", "many-parameters"),
        complexity_added=max(0, complexity),
        todos_added=count("todo-grown"),
        swallowed=count("error-swallowed"),
        fragile_calls=count("fragile-integration"),
        dead=count("dead-code-added"),
        undocumented=count("undocumented-api"),
    )


def _findings(found: Sequence[Placed]) -> tuple[Finding, ...]:
    single = [finding(source, site) for source, site in found if site.severity != "note"]
    ordered = sorted(single + _together(found), key=lambda one: (one.place.path, one.place.line, one.rule))
    return tuple(dict.fromkeys(ordered))


def _together(found: Sequence[Placed]) -> list[Finding]:
    """Of what is only worth a note, one finding a file: at the first place, with the number of the others."""
    groups: dict[tuple[str, str], list[Placed]] = {}
    for source, site in sorted(found, key=lambda one: one[1].line):
        if site.severity == "note":
            groups.setdefault((source.path, site.rule), []).append((source, site))
    said = []
    for (source, first), *others in groups.values():
        more = f" ({len(others)} more in this file)" if others else ""
        said.append(finding(source, msgspec.structs.replace(first, message=first.message + more)))
    return said


def _unread(read: _Read, left: int) -> tuple[Unknown, ...]:
    reasons = []
    if read.large:
        more = f" and {len(read.large) - 1} more" if len(read.large) > 1 else ""
        reasons.append(f"{read.large[0]}{more} could not be read or is too large to be judged")
    if left:
        reasons.append(f"{left} changed files beyond {MOST_FILES} were not asked about")
    return (Unknown(FIELD, "; ".join(reasons)),) if reasons else ()
