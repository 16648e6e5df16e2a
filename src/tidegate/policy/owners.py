"""Which people an owner stands for."""

from __future__ import annotations

from typing import NamedTuple

from tidegate.policy.identities import Identities


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


def find_service_owner(name: str, identities: Identities) -> Owner:
    """The people behind the owner of a service: what `find_owner` takes, or `[kind:][namespace/]name` of a catalogue.

    backstage.io/docs/features/software-catalog/references. [teams] may have the whole reference or its last name; a
    group is never an account of the same name.
    """
    kind, colon, rest = name.rpartition(":")
    if name.startswith("@") or not (colon or "/" in name) or identities.team(name) is not None:
        return find_owner(name, identities)
    last = rest.rpartition("/")[2]
    if kind.lower() == "user" or identities.team(last) is not None:
        return find_owner(last, identities)
    return Owner(frozenset(), f'nobody knows who is in {name}: add "{name}" = [...] to [teams]')
