"""The check of duplicated logic: the facts `clones` and `cloned_lines`, and a finding for each."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tidegate.change.kinds import NOT_CODE, PAGES
from tidegate.change.trees import GitTree, Pair
from tidegate.change.values import FileChange, show_path
from tidegate.facts import CloneFact, Finding, Severity, Unknown
from tidegate.verify.clones.change import read_added, removed_grams, unread_files
from tidegate.verify.clones.find import Clone, cloned_lines, find_clones
from tidegate.verify.clones.index import (
    CHECK_BYTES,
    Index,
    Indexed,
    Listing,
    bring_up_to_date,
    read_sources,
    repeats_by_nature,
)
from tidegate.verify.clones.store import open_store
from tidegate.verify.clones.tokens import Reader, family_of
from tidegate.verify.values import Part, Subject

RULE = "duplicate-logic"
MEDIUM_LINES = 20
INDEX_COMMAND = "tidegate verify index"


class Answer(Struct, frozen=True):
    """The clones that a change adds, and how far the rest of the repository was read for them.

    `too_many`: the tree has so many files that nothing was read in passing.
    """

    clones: tuple[Clone, ...]
    indexed: Indexed
    too_many: bool = False


def check(subject: Subject) -> Part:
    """Added lines of source that do what lines elsewhere do already. Tests are neither asked about nor searched.

    An index is kept in `subject.kept`. Where it does not hold the repository yet, CHECK_BYTES of
    it are read, the rest is unknown, and the next check goes on from there.
    """
    asked = [(file, pair) for file, pair in subject.changed() if _is_asked(file)]
    unread = _unread(subject, asked)
    asked = [(file, pair) for file, pair in asked if family_of(file.language)]
    if not asked:
        return Part({"clones": (), "cloned_lines": 0}, (), unread)
    if not isinstance(subject.trees.after, GitTree):
        return Part(unknowns=_both("there is no repository to look for the lines in"))
    answer = find_in(subject, subject.trees.after, asked)
    if answer.indexed.missing:
        unread += _both(_not_indexed(answer))
    fields = {"clones": tuple(clone.fact for clone in answer.clones), "cloned_lines": cloned_lines(answer.clones)}
    return Part(fields, tuple(_finding(clone.fact) for clone in answer.clones), unread)


def find_in(
    subject: Subject, tree: GitTree, asked: Sequence[tuple[FileChange, Pair]], budget: int = CHECK_BYTES
) -> Answer:
    """The clones that these changed files add, against everything else in the tree."""
    paths = [pair.after for _, pair in asked]
    families = {family_of(file.language) for file, _ in asked}
    listing = Listing(tree.oids(), subject.change.base_tree)
    if len(listing.oids) > MOST_IN_PASSING:
        with open_store(None if subject.kept is None else subject.kept / "clones") as store:
            if not store.segments:
                return Answer((), Indexed(len(listing.oids), len(listing.oids)), too_many=True)
    sources = read_sources(tree.repository, listing, subject.settings, families)
    with open_store(None if subject.kept is None else subject.kept / "clones") as store:
        readers = {family: Reader(family) for family in sorted(families)}
        added = read_added(asked, tree.read(paths), readers)
        removed = removed_grams(subject.change.files, readers)
        for _ in range(_TRIES):
            indexed = bring_up_to_date(tree.repository, store, sources, near=paths, budget=budget)
            index = Index(store, sources)
            clones = find_clones(index, added, removed)
            if not index.damaged:
                return Answer(clones, indexed)
            store.drop(index.damaged)
        return Answer((), Indexed(indexed.files, indexed.files))


# Private

MOST_IN_PASSING = 20_000
"""A tree of more files is not read bit by bit with every check: `tidegate verify index` reads it once."""

_TRIES = 3


def _is_asked(file: FileChange) -> bool:
    return _is_source(file) and file.kind == "source" and file.added > 0


def _is_source(file: FileChange) -> bool:
    fresh = file.kind in ("source", "binary") and file.status != "deleted" and not (file.generated or file.vendored)
    return fresh and file.language not in ("", *NOT_CODE, *PAGES) and not repeats_by_nature(file.path)


def _unread(subject: Subject, asked: Sequence[tuple[FileChange, Pair]]) -> tuple[Unknown, ...]:
    """Changed source that cannot be searched for, in one reason."""
    foreign = [show_path(file.path) for file, _ in asked if not family_of(file.language)]
    reasons = []
    if foreign:
        languages = ", ".join(sorted({file.language for file, _ in asked if not family_of(file.language)}))
        reasons.append(f"clones are not looked for in {languages} ({_named(foreign)})")
    reasons += [f"{_named(paths)} {why}" for why, paths in sorted(_unsearchable(subject, asked).items())]
    return _both("; ".join(reasons)) if reasons else ()


def _unsearchable(subject: Subject, asked: Sequence[tuple[FileChange, Pair]]) -> dict[str, list[str]]:
    """The changed files whose added lines nobody can search for, by the reason why."""
    own = [(file, pair) for file, pair in asked if family_of(file.language)]
    found: dict[str, list[str]] = {}
    for path, why in unread_files(own, subject.trees.after.read([pair.after for _, pair in own])).items():
        found.setdefault(why, []).append(show_path(path.encode("utf-8", "surrogateescape")))
    blind = [file for file, _ in own if not file.lines_known]
    blind += [file for file in subject.change.files if file.binary and _is_source(file) and family_of(file.language)]
    for file in blind:
        said = [path for paths in found.values() for path in paths]
        if show_path(file.path) not in said:
            found.setdefault("has added lines that git does not show", []).append(show_path(file.path))
    return found


def _named(paths: Sequence[str]) -> str:
    return paths[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _both(reason: str) -> tuple[Unknown, ...]:
    return Unknown("verification.clones", reason), Unknown("verification.cloned_lines", reason)


def _not_indexed(answer: Answer) -> str:
    indexed = answer.indexed
    if answer.too_many:
        return f"{indexed.files:,} files are too many to be read in passing: {INDEX_COMMAND} reads them once"
    return f"{indexed.missing} of {indexed.files} source files are not indexed yet: {INDEX_COMMAND}"


def _finding(clone: CloneFact) -> Finding:
    severity: Severity = "medium" if clone.lines >= MEDIUM_LINES else "low"
    there = f"{clone.other.path}:{clone.other.line}"
    if clone.kind == 3:
        how = f" with a few lines changed ({clone.similarity:.0%} alike)"
    else:
        how = " under other names" if clone.kind == 2 else ""
    return Finding(
        rule=RULE,
        severity=severity,
        message=f"these {clone.lines} added lines do what {there} does already{how}",
        place=clone.place,
        mend=f"call what is at {there}, or move what both need to one place",
    )
