"""Where packages come from, what they run when they are installed, under which licence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tidegate.facts import Finding, Place
from tidegate.settings import DependencySettings
from tidegate.verify.dependencies.compare import Compared, Delta, line_in, new_packages
from tidegate.verify.dependencies.rules.names import WORDS, place_of

MOST = 20
"""Findings of one kind in one file; the last says how many more there are."""


def judge_sources(
    files: Iterable[Compared], changed: Iterable[Delta], settings: DependencySettings
) -> Iterator[Finding]:
    for delta in changed:
        after, before = delta.after, delta.before
        if after and _is_foreign(after.source, settings) and (before is None or before.source != after.source):
            yield _foreign(delta.name, after.source, place_of(delta), after.hashed)
    for file in files:
        yield from _indexes(file, settings)
        if file.lock:
            yield from capped(file, list(_locked(file, settings)))


def judge_scripts(files: Iterable[Compared]) -> Iterator[Finding]:
    """Programs that run at installation: of the locked packages, and of the project itself."""
    for file in files:
        had = {one.name for one in file.before.held if one.script}
        found = [
            Finding(
                "install-script",
                "medium",
                f"{one.name} {one.version} runs a program of its own when it is installed.".replace("  ", " "),
                Place(file.path, line_in(file.text, f'node_modules/{one.name}"', one.name)),
                "read the script, or install with --ignore-scripts",
            )
            for one in new_packages(file)
            if one.script and one.name not in had
        ]
        yield from capped(file, found)
        for script, line in file.after.scripts:
            if script not in {text for text, _ in file.before.scripts} and not script.startswith("prepare:"):
                yield Finding(
                    "install-script",
                    "low",
                    f"the package runs a program when it is installed ({script.partition(':')[0]}).",
                    Place(file.path, line),
                    "do it in a step that people call by themselves",
                )


def judge_licences(files: Iterable[Compared], settings: DependencySettings) -> Iterator[Finding]:
    """Licences of newly locked packages that are not among those allowed; a lock that names none says nothing."""
    if not settings.licences:
        return
    allowed = {licence.lower() for licence in settings.licences}
    for file in files:
        known = {(one.name, one.licence) for one in file.before.held}
        found = [
            Finding(
                "licence-not-allowed",
                "medium",
                f"{one.name} {one.version} is under {one.licence}, which [dependencies] licences does not name.",
                Place(file.path, line_in(file.text, f'node_modules/{one.name}"', f'"{one.name}"')),
                "take another package, or have the licence allowed",
            )
            for one in new_packages(file)
            if one.licence and (one.name, one.licence) not in known and not _is_licensed(one.licence, allowed)
        ]
        yield from capped(file, found)


def capped(file: Compared, found: list[Finding]) -> Iterator[Finding]:
    """Findings of one kind in one file, a long list cut with how many more there are."""
    yield from found[:MOST]
    if len(found) > MOST:
        last = found[MOST]
        yield Finding(
            last.rule, last.severity, f"{len(found) - MOST} more packages of {file.path} do the same.", Place(file.path)
        )


# Private

_PUBLIC = re.compile(
    r"\.{0,2}/|https?://(?:pypi\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|npm\.jsr\.io|rubygems\.org|"
    r"index\.crates\.io|github\.com/rust-lang/crates\.io-index)(?:/|$)"
)


def _is_foreign(source: str, settings: DependencySettings) -> bool:
    if not source or source == "workspace" or re.match(r"(?:link|portal|file):|\.{0,2}/", source):
        return bool(source) and source != "workspace" and ".." in source.split("/")[:1] and source.count("../") > 3
    if "://" not in source and not re.match(r"git[+@:]|github:|gitlab:|bitbucket:|[\w.-]+/[\w.-]+", source):
        return False
    bare = re.sub(r"^(?:git|hg|svn|bzr|registry|sparse)\+", "", source)
    host = re.sub(r"^[a-z+]+://(?:[^/@]*@)?", "", bare).partition("/")[0]
    return not any(bare.startswith(one) or host == one for one in settings.sources)


def _foreign(name: str, source: str, place: Place, pinned: bool) -> Finding:
    shown = re.sub(r"//[^/@]*@", "//", source)[:120]
    tail = "" if pinned else " and is not pinned to a commit or a digest"
    return Finding(
        "source-not-registry",
        "medium" if pinned else "high",
        f"{name} comes from {shown}, not from the registry{tail}.",
        place,
        "take it from the registry, pin it by commit, or name the host in [dependencies] sources",
    )


def _indexes(file: Compared, settings: DependencySettings) -> Iterator[Finding]:
    old = {url for url, _ in file.before.indexes}
    for url, line in file.after.indexes:
        if url not in old and not _PUBLIC.match(url) and _is_foreign(url, settings):
            shown = re.sub(r"//[^/@]*@", "//", url)[:120]
            on = WORDS[file.ecosystem]
            yield Finding(
                "source-not-registry",
                "high",
                f"packages are also taken from {shown}: whoever has a name there is taken for whoever has it on {on}.",
                Place(file.path, line),
                "name one index only, bind each package to its index, or allow the host in [dependencies] sources",
            )


def _locked(file: Compared, settings: DependencySettings) -> Iterator[Finding]:
    old = {one.name: one.source for one in file.before.held}
    for one in new_packages(file):
        if _is_foreign(one.source, settings) and old.get(one.name) != one.source:
            place = Place(file.path, line_in(file.text, one.source.removeprefix("git+"), one.name))
            yield _foreign(one.name, one.source, place, one.hashed or bool(re.search(r"[0-9a-f]{40}", one.source)))


def _is_licensed(licence: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be met by the allowed licences."""
    ways = re.split(r"\s+OR\s+", licence.strip("() "), flags=re.IGNORECASE)
    return any(
        all(part.strip("() ").lower() in allowed for part in re.split(r"\s+AND\s+", way, flags=re.IGNORECASE))
        for way in ways
    )
