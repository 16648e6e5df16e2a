"""Whose approval is missing for which files, by CODEOWNERS."""

from __future__ import annotations

import re
from collections.abc import Collection

from msgspec import Struct

from tidegate.change.codeowners import Ownership
from tidegate.facts import FileFact, Unknown
from tidegate.policy.case import Case, UnknownFactError, need_list
from tidegate.policy.identities import Identities
from tidegate.policy.owners import find_owner


class Share(Struct, frozen=True):
    """Files with the same owners: how many approvals they need, and the people who can give one.

    `problems` say why more people may own them than are known.
    """

    owners: tuple[str, ...]
    people: frozenset[str]
    approvals: int
    optional: bool
    section: str
    files: tuple[str, ...]
    problems: tuple[str, ...]


def read_shares(case: Case, identities: Identities) -> tuple[Share, ...]:
    """The touched files by their owners; files that nobody owns are in none. Raises UnknownFactError where that
    could not be told.

    A renamed file is taken away from one path and added at another: the owners of both are asked.
    """
    if isinstance(case.owners, Unknown):
        raise UnknownFactError(case.owners)
    files = need_list(case.document, "change.files", FileFact)
    grouped: dict[Ownership, list[str]] = {}
    for path in dict.fromkeys(path for file in files for path in _touched(file)):
        for spelling in _spellings(path):
            for ownership in case.owners.owners_of(spelling):
                if ownership.doubt:
                    place = f"{case.owners.path} line {ownership.line}"
                    reason = f"who owns {path} could not be told, because of {place}: {ownership.doubt}"
                    raise UnknownFactError(Unknown(path="change.files", reason=reason))
                if ownership.owners:
                    grouped.setdefault(ownership, []).append(path)
    return tuple(_share(ownership, paths, identities) for ownership, paths in grouped.items())


def missing(shares: Collection[Share], approved: Collection[str], spare: int) -> tuple[Share, ...]:
    """The shares that lack approvals when `spare` of those that are there may come from makers of the change."""
    return tuple(
        share for share in shares if not share.optional and len(share.people & set(approved)) - spare < share.approvals
    )


# Private


def _touched(file: FileFact) -> tuple[str, ...]:
    return (file.path, file.old_path) if file.status == "renamed" else (file.path,)


def _share(ownership: Ownership, paths: list[str], identities: Identities) -> Share:
    found = [find_owner(name, identities) for name in ownership.owners]
    return Share(
        owners=ownership.owners,
        people=frozenset(person for owner in found for person in owner.people),
        approvals=ownership.approvals,
        optional=ownership.optional,
        section=ownership.section,
        files=tuple(dict.fromkeys(paths)),
        problems=tuple(owner.problem for owner in found if owner.problem),
    )


def _spellings(shown: str) -> tuple[bytes, ...]:
    r"""The paths that a shown path may stand for: `\xe9` may be that byte, or four characters. Both are asked."""
    plain = shown.encode("utf-8", "surrogatepass")
    decoded = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), plain)
    return (plain,) if decoded == plain else (plain, decoded)
