"""Which file of a revision says who owns what: found and read as the forges do."""

from __future__ import annotations

import re

from tidegate.change.codeowners import (
    LARGEST_BYTES,
    NO_OWNERS,
    Owners,
    all_in_doubt,
    parse_codeowners,
    too_large,
)
from tidegate.change.git import Repository
from tidegate.change.owner_patterns import Dialect
from tidegate.facts import Unknown
from tidegate.settings import Settings

GITHUB_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
GITLAB_PLACES = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


def read_owners(repository: Repository | None, revision: str, settings: Settings) -> Owners | Unknown:
    """The CODEOWNERS file of a revision, which is the base of the change; NO_OWNERS where there is none.

    The dialect follows from `[owners] dialect`, else from where the file lies and from what it holds. A link in its
    place leaves every file's owners in doubt. Unknown where there is no repository to read.
    """
    if repository is None:
        return Unknown(path="change.owners_files", reason="there is no repository to read CODEOWNERS from")
    if not revision:
        return NO_OWNERS
    choice = settings.owners.dialect
    places = {"github": GITHUB_PLACES, "gitlab": GITLAB_PLACES}.get(choice, (*GITHUB_PLACES, GITLAB_PLACES[-1]))
    modes = _modes(repository, revision, places)
    place = next((p for p in places if p in modes), None)
    if place is None:
        return NO_OWNERS
    if modes[place] not in ("100644", "100755"):
        return all_in_doubt(f"{place} is not a plain file, and links are not followed", place, "github")
    blob = next(iter(repository.read_blobs([f"{revision}:{place}"], limit=LARGEST_BYTES)))
    dialect: Dialect = choice if choice != "auto" else _guess(place, blob.content)
    if blob.kind == "too-large":
        return too_large(blob.size, place, dialect)
    if blob.kind != "blob":
        return all_in_doubt(f"{place} cannot be read ({blob.kind})", place, dialect)
    return parse_codeowners(blob.content, dialect, place)


# Private


def _guess(place: str, text: bytes) -> Dialect:
    if place.startswith(".gitlab/"):
        return "gitlab"
    if place.startswith(".github/"):
        return "github"
    heading = re.search(rb"(?m)^\^?\[[^\]\n]+\](?:\[[0-9]+\])?[ \t]*(?:@|$)", text)
    return "gitlab" if heading or re.search(rb"(?m)[ \t]@@[a-z]", text) else "github"


def _modes(repository: Repository, revision: str, places: tuple[str, ...]) -> dict[str, str]:
    listed = repository.run("ls-tree", "-z", "--full-tree", "--end-of-options", revision, "--", *places)
    found = {}
    for entry in listed.split(b"\0"):
        meta, _, name = entry.partition(b"\t")
        if name:
            found[name.decode("utf-8", "replace")] = meta.split()[0].decode("ascii")
    return found
