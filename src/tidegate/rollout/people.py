"""Who may be counted beside whom: people by the identity map, never accounts.

One person with two accounts is one. An account that nobody is known by counts for nobody, nor does a machine's. Two
entries of the map that bear one name may be one person, and count as one.
"""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.change.people import is_bot_account
from tidegate.policy.identities import Identities, is_machine
from tidegate.settings import Settings


def person_of(identities: Identities, text: str) -> str:
    """The person that a key of `[people]`, an account (`@ann`) or an e-mail certainly stands for; "" for nobody."""
    text = text.strip()
    if not text or is_bot_account(text):
        return ""
    if identities.is_person(text):
        person = text
    elif "@" in text and not text.startswith("@"):
        person = identities.git_maker(text if "<" in text else f"<{text}>").person
    else:
        person = identities.of_account(text.removeprefix("@"))
    return "" if person and identities.is_machine(person) else person


def is_a_machine(identities: Identities, text: str) -> bool:
    """Whether this is certainly no person: then nobody can hide behind it."""
    text = text.strip()
    if identities.is_person(text):
        return identities.is_machine(text)
    return is_machine(text if "<" in text else f"@{text.removeprefix('@')}")


def apart(settings: Settings, people: Iterable[str]) -> int:
    """How many people these keys are at least."""
    groups: list[set[str]] = []
    for person in dict.fromkeys(people):
        identity = settings.people.get(person)
        names = {_plain(name) for name in (person, identity.name if identity else "") if name.strip()}
        touching = [group for group in groups if group & names]
        groups = [group for group in groups if not group & names]
        groups.append(names.union(*touching))
    return len(groups)


def members(identities: Identities, named: Iterable[str]) -> frozenset[str]:
    """The people that a list of people and teams names."""
    found: set[str] = set()
    for name in named:
        for text in identities.team(name) or (name,):
            person = person_of(identities, text)
            if person:
                found.add(person)
    return frozenset(found)


# Private


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
