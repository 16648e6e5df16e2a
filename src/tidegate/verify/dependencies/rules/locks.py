"""Locks that do not hold what the manifests ask for, or more than anything asks for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from tidegate.facts import Finding, Place
from tidegate.verify.dependencies.compare import Compared, Delta, line_in, new_packages
from tidegate.verify.dependencies.evidence import Locks, tool_of, versions_of
from tidegate.verify.dependencies.head import Head
from tidegate.verify.dependencies.rules.names import place_of
from tidegate.verify.dependencies.rules.sources import MOST, capped
from tidegate.verify.dependencies.values import Listing
from tidegate.verify.dependencies.versions import allows

_KNOWS_NEEDS = re.compile(r"(?:uv|poetry|pdm|yarn)\.lock|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml")
_UPDATE = {"pypi": "lock again (`uv lock`, `poetry lock`)", "npm": "run `npm install` and commit the lock"}
_CHOOSE = "name the tool as packageManager in package.json, and delete the locks of the others"


def judge_locks(files: Iterable[Compared], changed: Iterable[Delta], locks: Locks, head: Head) -> Iterator[Finding]:
    """Where locks and manifests of the change disagree; only what the change itself touches."""
    for delta in changed:
        if (delta.file.ecosystem, delta.name) not in head.own:
            yield from _manifest(delta, locks)
    for file in files:
        if file.lock and file.after.held:
            yield from capped(file, [*_other_content(file), *_other_archive(file)])
            yield from _unhashed(file)
            yield from _orphans(file, head)


# Private


def _manifest(delta: Delta, locks: Locks) -> Iterator[Finding]:
    after, file = delta.after, delta.file
    if (
        after is None
        or after.source
        or file.commands
        or file.path.endswith((".txt", ".in", ".ini", ".yml", ".yaml"))
        or _is_optional(delta)
    ):
        return
    beside = [
        (path, lock)
        for path, lock in locks.beside(file.path, file.ecosystem)
        if locks.governs(path, file.path, file.after.names)
    ]
    if not beside:
        return
    doubt = _doubt([path for path, _ in beside])
    mend = _CHOOSE if doubt else _UPDATE.get(file.ecosystem, "write the lock again")
    holding = [(path, lock) for path, lock in beside if any(one.name == after.name for one in lock.held)]
    lacking = [path for path, lock in beside if (path, lock) not in holding]
    if lacking and (doubt or not holding):
        message = f"{file.path} asks for {after.written}, which {' and '.join(lacking)} does not hold.{doubt}"
        yield Finding("lock-disagrees", "medium", message, place_of(delta), mend)
    for path, lock in holding:
        versions = versions_of(lock.held, after.name)
        if versions and all(allows(file.ecosystem, after.spec, version) is False for version in versions):
            message = f"{file.path} asks for {after.written} {after.spec}, but {path} holds {', '.join(versions[:3])}."
            yield Finding("lock-disagrees", "medium", f"{message}{doubt}", place_of(delta), mend)


def _doubt(locks: Sequence[str]) -> str:
    """Locks of several tools, and nothing says which is used: each must hold what is asked for."""
    if len({tool_of(path) for path in locks}) < 2:
        return ""
    return f" Which of {' and '.join(locks)} counts is unknown: no packageManager says it."


def _is_optional(delta: Delta) -> bool:
    """Whether a lock may well leave the name out: what builds the project, or what its user brings."""
    name = delta.name
    if delta.file.ecosystem == "pypi":
        return bool(delta.after and delta.after.builds) or delta.file.path.endswith("setup.py")
    if delta.file.ecosystem == "npm":
        return f'"{name}"' in "".join(re.findall(r'"peerDependencies"\s*:\s*\{[^}]*\}', delta.file.text))
    return delta.file.ecosystem in ("maven", "golang")


def _other_content(file: Compared) -> Iterator[Finding]:
    """Packages of one version whose digest the change replaces: a registry never changes what it has published."""
    old: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in file.before.held:
        if one.digest and not one.source:
            old[one.name, one.version].add(one.digest)
    for one in file.after.held:
        known = old.get((one.name, one.version), set())
        alike = {digest for digest in known if _form(digest) == _form(one.digest)}
        if one.digest and not one.source and alike and one.digest not in alike:
            message = (
                f"{file.path} holds another digest for {one.name} {one.version} than before: "
                "a version that is published does not change."
            )
            place = Place(file.path, line_in(file.text, one.digest, one.name))
            yield Finding("lock-disagrees", "high", message, place, "find out who replaced it, and lock it afresh")


def _other_archive(file: Compared) -> Iterator[Finding]:
    old = {(one.name, one.fetched) for one in file.before.held}
    for one in file.after.held:
        if one.fetched and one.fetched != one.name and not one.own and (one.name, one.fetched) not in old:
            message = f"{file.path} fetches {one.fetched} where {one.name} {one.version} is asked for."
            place = Place(file.path, line_in(file.text, f"/{one.fetched}/-/", one.name))
            yield Finding("lock-disagrees", "high", message, place, "write the lock again with the tool that made it")


def _form(digest: str) -> tuple[str, int]:
    return digest.partition("-")[0] if "-" in digest else digest.partition(":")[0][:3], len(digest)


def _unhashed(file: Compared) -> Iterator[Finding]:
    mine = [one for one in file.after.held if not one.own and not one.source]
    hashed = sum(one.hashed for one in mine)
    bare = [one for one in new_packages(file) if not one.hashed and not one.source]
    if hashed * 2 < len(mine):
        return
    for one in bare[:MOST]:
        message = f"{file.path} holds {one.name} {one.version} without a digest, though the others have one."
        place = Place(file.path, line_in(file.text, f'"{one.name}"', one.name))
        yield Finding("lock-disagrees", "medium", message, place, "write the lock again with the tool that made it")


def _orphans(file: Compared, head: Head) -> Iterator[Finding]:
    """Packages that came into the lock while nothing in it and no manifest asks for them."""
    if not _KNOWS_NEEDS.fullmatch(file.path.rpartition("/")[2]):
        return
    old = {one.name for one in file.before.held}
    fresh = [one for one in new_packages(file) if one.name not in old]
    if not fresh or not (file.after.asked or any(one.needs for one in file.after.held)):
        return
    asked = _asked(file.after) | {
        one.name for other in head.listings.values() if other.ecosystem == file.ecosystem for one in other.asked
    }
    for one in [one for one in fresh if one.name not in asked][:MOST]:
        message = f"{file.path} holds {one.name} {one.version}, which no manifest and no other package asks for."
        place = Place(file.path, line_in(file.text, f'"{one.name}"', one.name))
        yield Finding("lock-disagrees", "medium", message, place, "write the lock again with the tool that made it")


def _asked(listing: Listing) -> set[str]:
    return {one.name for one in listing.asked} | {need for one in listing.held for need in one.needs}
