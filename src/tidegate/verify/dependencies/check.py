"""The check of dependencies: facts on what changes, findings on names, sources, versions, locks and imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tidegate.change.trees import Tree
from tidegate.facts import DependencyEvidence, DependencyFact, Finding, Place, Unknown
from tidegate.verify.dependencies.compare import (
    Compared,
    Delta,
    compare,
    counts,
    deltas,
    folder_of,
    line_in,
    read_listings,
)
from tidegate.verify.dependencies.evidence import evidence_for, read_locks, versions_of
from tidegate.verify.dependencies.head import Head
from tidegate.verify.dependencies.manifests.registry import is_lock
from tidegate.verify.dependencies.near import well_known
from tidegate.verify.dependencies.rules.imports import judge_imports
from tidegate.verify.dependencies.rules.locks import judge_locks
from tidegate.verify.dependencies.rules.names import New, judge_names, place_of
from tidegate.verify.dependencies.rules.sources import judge_licences, judge_scripts, judge_sources
from tidegate.verify.dependencies.rules.unused import judge_unused
from tidegate.verify.dependencies.rules.versions import judge_versions
from tidegate.verify.dependencies.values import Ecosystem
from tidegate.verify.values import Part, Subject

MOST_FACTS = 500
PROGRAMS = {
    "tsc": "typescript",
    "ng": "@angular/cli",
    "cap": "@capacitor/cli",
    "nest": "@nestjs/cli",
    "sb": "storybook",
}
"""Programs that are not called as the package that brings them."""
TOOLS = frozenset(
    "pip pipx uv tox tox-gh-actions coveralls codecov cibuildwheel check-manifest twine ninja npm pnpm yarn corepack "
    "bower bundler rubocop jekyll rake".split()
)
"""What pipelines install everywhere and locks seldom hold."""


def check(subject: Subject) -> Part:
    """What a change does to the dependencies. Nothing is installed, run or looked up on a network."""
    trees, settings = subject.trees, subject.settings.dependencies
    files, unread = compare(trees.before, trees.after, trees.changed)
    changed = deltas(files)
    locks = read_locks(trees.after, [(file.path, file.ecosystem) for file in files])
    root = _work_tree(subject.kept)
    head = Head(trees.after)
    judged = [_judged(delta, evidence_for(delta, locks, settings, root), head) for delta in changed]
    used = _used(trees.before) if any(one.delta.change == "added" for one in judged) else frozenset()
    new = [one for one in judged if _is_new(one.delta) and (one.delta.file.ecosystem, one.name) not in used]
    new = [one for one in new if not _is_tool(one, head)]
    facts = [*map(_fact, judged), *_locked_facts(files, changed, trees.after)]
    findings = [
        *judge_names(new, [name for _, name in used], settings),
        *judge_sources(files, changed, settings),
        *judge_scripts(files),
        *judge_licences(files, settings),
        *judge_versions(changed),
        *judge_locks(files, changed, locks, head),
        *judge_imports(subject, head),
        *judge_unused(new, frozenset(pair.after for pair in trees.changed), locks, head),
    ]
    unknown = sorted({one.name for one in new if one.evidence == "unknown"})
    fields = {"dependencies": tuple(facts[:MOST_FACTS]), "unknown_dependencies": tuple(unknown)}
    return _told({**fields}, findings, {**locks.unread, **unread})


# Private


def _told(fields: dict[str, tuple[object, ...]], findings: Iterable[Finding], unread: dict[str, str]) -> Part:
    """The part without the fields that an unread manifest or lock leaves in doubt."""
    if not unread:
        return Part(fields, tuple(findings))
    named = "; ".join(f"{path} could not be read: {why}" for path, why in sorted(unread.items())[:5])
    unknowns = (Unknown("verification.dependencies", named), Unknown("verification.unknown_dependencies", named))
    return Part({}, tuple(findings), unknowns)


def _work_tree(kept: Path | None) -> Path | None:
    """The folder that the repository is checked out in; None for a bare one."""
    if kept is None or len(kept.parts) < 4 or kept.parents[1].name != ".git":
        return None
    return kept.parents[2]


def _judged(delta: Delta, evidence: DependencyEvidence, head: Head) -> New:
    """A requirement with its evidence; for a package of the repository itself, the repository vouches."""
    if evidence == "unknown" and not (delta.after and delta.after.source):
        evidence = "allowed" if (delta.file.ecosystem, delta.name) in head.own else evidence
    return New(delta, evidence)


def _is_new(delta: Delta) -> bool:
    return delta.change == "added" or bool(
        delta.change == "changed" and delta.before and delta.after and delta.before.source != delta.after.source
    )


def _is_tool(one: New, head: Head) -> bool:
    """Whether a command installs what many projects use, or what a manifest asks for anyway: no lock could hold it."""
    if not one.delta.file.commands or (one.delta.after and one.delta.after.source):
        return False
    ecosystem = one.delta.file.ecosystem
    if one.name in TOOLS or (ecosystem == "npm" and one.name in PROGRAMS):
        return True
    if ecosystem == "npm" and any(_brings(each, one.name) for each in head.javascript_asked):
        return True
    return one.name in well_known(ecosystem) or any(
        asked.name == one.name for each in head.listings.values() if each.ecosystem == ecosystem for asked in each.asked
    )


def _brings(package: str, program: str) -> bool:
    """Whether a package is likely to bring a program that `npx` runs: `@changesets/cli` brings `changeset`."""
    return len(program) > 2 and _bare(program) in _bare(package)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name)


def _used(tree: Tree) -> frozenset[tuple[Ecosystem, str]]:
    """The names that manifests of a tree ask for."""
    read = read_listings(tree, [path for path in tree.paths() if counts(path) and not is_lock(path)])
    return frozenset((one.ecosystem, asked.name) for one in read.listings.values() for asked in one.asked)


def _fact(one: New) -> DependencyFact:
    before, after = one.delta.before, one.delta.after
    told = after or before
    return DependencyFact(
        name=one.name,
        ecosystem=one.delta.file.ecosystem,
        change=one.delta.change,
        before=(before.source or before.spec) if before else "",
        after=(after.source or after.spec) if after else "",
        evidence=one.evidence,
        development=told.development if told else False,
        place=place_of(one.delta),
    )


def _locked_facts(files: Iterable[Compared], changed: Iterable[Delta], tree: Tree) -> Iterator[DependencyFact]:
    """Direct dependencies that only a lock moves to another version."""
    said = {(delta.file.ecosystem, delta.name) for delta in changed}
    for file in files:
        direct = _direct(file, tree) if file.lock else {}
        for name, development in sorted(direct.items()):
            before, after = versions_of(file.before.held, name), versions_of(file.after.held, name)
            if not (before and after) or before[0] == after[0] or (file.ecosystem, name) in said:
                continue
            yield DependencyFact(
                name=name,
                ecosystem=file.ecosystem,
                change="changed",
                before=before[0],
                after=after[0],
                evidence="locked" if any(one.name == name and one.hashed for one in file.after.held) else "unknown",
                development=development,
                place=Place(file.path, line_in(file.text, f'node_modules/{name}"', f'name = "{name}"', name)),
            )


def _direct(file: Compared, tree: Tree) -> dict[str, bool]:
    """What the manifests beside a lock ask for, with whether only development needs it."""
    beside = [
        path for path in tree.paths() if folder_of(path) == folder_of(file.path) and counts(path) and not is_lock(path)
    ]
    listings = [file.after, *read_listings(tree, beside).listings.values()]
    return {
        one.name: one.development
        for listing in listings
        if listing.ecosystem == file.ecosystem
        for one in listing.asked
    }
