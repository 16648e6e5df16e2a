"""Which people an owner stands for, and which file of a revision says who owns what."""

from __future__ import annotations

import re
from typing import NamedTuple

from tidegate.change.git import Repository
from tidegate.facts import Unknown
from tidegate.policy.codeowners import (
    LARGEST_BYTES,
    NO_OWNERS,
    Owners,
    all_in_doubt,
    parse_codeowners,
    too_large,
)
from tidegate.policy.identities import Identities
from tidegate.policy.owner_patterns import Dialect
from tidegate.settings import Settings

__all__ = ["NO_OWNERS", "Owner", "Owners", "find_owner", "read_owners"]

GITHUB_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
GITLAB_PLACES = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


class Owner(NamedTuple):
    """The people that an owner stands for. `problem` says what is not known of them, with the mend."""

    people: frozenset[str]
    problem: str = ""


def find_owner(name: str, identities: Identities) -> Owner:
    """The people behind `@user`, `@org/team`, `@@role`, an e-mail or, in a rule, a key of [people]."""
    members = identities.team(name)
    if members is not None:
        known = frozenset(m for m in members if identities.is_person(m))
        strangers = [m for m in members if not identities.is_person(m)]
        if strangers:
            return Owner(known, f"{strangers[0]} of team {name} is not in [people]")
        return Owner(known, "" if known else f"team {name} has no members in [teams]")
    if identities.is_person(name):
        return Owner(frozenset({name}))
    if name.startswith("@@") or "/" in name:
        return Owner(frozenset(), f'nobody knows who is in {name}: add "{name}" = [...] to [teams]')
    person = identities.of_email(name) if "@" in name[1:] else identities.of_account(name)
    if person:
        return Owner(frozenset({person}))
    return Owner(frozenset(), f"nobody in [people] is {name}")


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
