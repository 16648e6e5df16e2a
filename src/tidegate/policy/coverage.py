"""Whose approval is missing for which files, by CODEOWNERS, and for which services that the change reaches."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, NamedTuple

from msgspec import Struct

from tidegate.change.codeowners import Ownership
from tidegate.facts import FileFact, ServiceOwner, Unknown
from tidegate.policy.case import Case, UnknownFactError, listing, need, need_list
from tidegate.policy.identities import Identities
from tidegate.policy.owners import find_owner, find_service_owner


class Share(Struct, frozen=True):
    """Files or services with the same owners: how many approvals they need, and the people who can give one.

    `covers` names them. `problems` say why more people may own them than are known.
    """

    owners: tuple[str, ...]
    people: frozenset[str]
    approvals: int
    optional: bool
    section: str
    covers: tuple[str, ...]
    problems: tuple[str, ...]


class Coverage(NamedTuple):
    """The shares that are to be approved. `anybody` is for what nobody owns: any approval at all covers it."""

    shares: tuple[Share, ...] = ()
    anybody: bool = True


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


def read_file_coverage(case: Case, identities: Identities) -> Coverage:
    """What owners of the touched files must approve. Raises UnknownFactError where that could not be told."""
    shares = read_shares(case, identities)
    return Coverage(shares, anybody=not shares)


def read_service_coverage(case: Case, identities: Identities) -> Coverage:
    """What owners of the critical services that the change reaches must approve, one share for each owner.

    For a service without an owner the owners of the touched files are asked, where those have none either anybody.
    Raises UnknownFactError where services or owners could not be told.
    """
    critical = need(case.document, "reach.critical_services", list[str])
    owners = {said.service: said.owner for said in need(case.document, "reach.service_owners", list[ServiceOwner])}
    lost = sorted(set(critical) - owners.keys())
    if lost:
        raise UnknownFactError(Unknown("reach.service_owners", f"nothing is said about {listing(lost, 3)}"))
    grouped: dict[str, list[str]] = {}
    for service, owner in owners.items():
        grouped.setdefault(" ".join(owner.split()), []).append(service)
    unowned = grouped.pop("", [])
    shares = [_service_share(owner, services, identities) for owner, services in grouped.items()]
    of_files = read_shares(case, identities) if unowned else ()
    if of_files:
        shares.append(_stand_in(unowned, of_files))
    return Coverage(tuple(shares), anybody=not grouped if not unowned else not of_files)


def read_role_coverage(role: Literal["infrastructure", "security"], case: Case, identities: Identities) -> Coverage:
    """What those must approve whom `[owners] infrastructure` or `security` names; without it the owners of the files.

    Raises UnknownFactError where the owners of the files could not be told.
    """
    names = case.settings.owners.infrastructure if role == "infrastructure" else case.settings.owners.security
    if not names:
        return read_file_coverage(case, identities)
    found = [find_owner(name, identities) for name in names]
    share = Share(
        owners=names,
        people=frozenset(person for owner in found for person in owner.people),
        approvals=1,
        optional=False,
        section="",
        covers=(role,),
        problems=tuple(owner.problem for owner in found if owner.problem),
    )
    return Coverage((share,), anybody=False)


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
        covers=tuple(dict.fromkeys(paths)),
        problems=tuple(owner.problem for owner in found if owner.problem),
    )


def _service_share(text: str, services: list[str], identities: Identities) -> Share:
    names = _names(text)
    found = [find_service_owner(name, identities) for name in names]
    return Share(
        owners=names,
        people=frozenset(person for owner in found for person in owner.people),
        approvals=1,
        optional=False,
        section="",
        covers=tuple(f"service {name}" for name in services),
        problems=tuple(owner.problem for owner in found if owner.problem),
    )


def _stand_in(services: list[str], of_files: Collection[Share]) -> Share:
    """One approval by any owner of a touched file, for services that nobody owns."""
    return Share(
        owners=tuple(dict.fromkeys(name for share in of_files for name in share.owners)),
        people=frozenset(person for share in of_files for person in share.people),
        approvals=1,
        optional=False,
        section="",
        covers=tuple(f"service {name}" for name in services),
        problems=tuple(dict.fromkeys(problem for share in of_files for problem in share.problems)),
    )


def _names(text: str) -> tuple[str, ...]:
    """The owners in a text: several only where each is written as in CODEOWNERS; a team's name may have spaces."""
    words = tuple(text.split(" "))
    return words if all("@" in word for word in words) else (text,)


def _spellings(shown: str) -> tuple[bytes, ...]:
    r"""The paths that a shown path may stand for: `\xe9` may be that byte, or four characters. Both are asked."""
    plain = shown.encode("utf-8", "surrogatepass")
    decoded = re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), plain)
    return (plain,) if decoded == plain else (plain, decoded)
