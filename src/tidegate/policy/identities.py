"""Who is who, by the identity map of the settings (`[people]`) and nothing else.

Two questions with opposite burdens of proof. For an approval: which person certainly has this account? For whoever
made the change: which people may this be? An account is compared without the case of ASCII letters only, because
`K` (U+212A) is no `k` on any forge.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tidegate.change.people import BOT_EMAILS, FORGE_EMAILS, People, is_bot_account, noreply_account, plain_account
from tidegate.change.values import Person
from tidegate.settings import Settings, folded


class Maker(NamedTuple):
    """Somebody who made part of the change. `person` is empty where the map does not know them.

    `alike` are people whose name is the same: they may be the same person, and nothing proves it.
    """

    text: str
    person: str
    alike: frozenset[str]


class Identities:
    """The identity map, ready to be asked."""

    def __init__(self, settings: Settings) -> None:
        self._map = People(settings)
        self._people = settings.people
        self._names: dict[str, set[str]] = {}
        self._teams = {plain_account(name): members for name, members in settings.teams.items()}
        for key, identity in settings.people.items():
            for name in (key, identity.name):
                if name.strip():
                    self._names.setdefault(_plain(name), set()).add(key)

    def is_person(self, key: str) -> bool:
        return key in self._people

    def is_machine(self, key: str) -> bool:
        """Whether one of the accounts of this entry is an app's or a bot's: then nobody can tell who holds its keys."""
        return key in self._people and any(map(is_bot_account, self._people[key].accounts))

    def of_account(self, account: str) -> str:
        """The person who has this account, "" when nobody is known to; no forge writes an account with white space."""
        return self._map.of_account(account) if account == account.strip() else ""

    def of_email(self, email: str) -> str:
        """The person of an e-mail address; a forge's noreply address stands for its account."""
        return self._map.key_of(Person("", email))

    def team(self, name: str) -> tuple[str, ...] | None:
        """The members of a team as the settings list them, None for a team that they do not know."""
        return self._teams.get(plain_account(name))

    def maker(self, text: str) -> Maker:
        """Whom a key of [people], `Name <email>` or `@account` stands for, as the collectors write people.

        A name alone proves nothing, nor does an e-mail in the place of a name.
        """
        if text in self._people:
            return self._maker(text, text)
        return self._maker(text, self.of_account(text)) if text.startswith("@") else self.git_maker(text)

    def git_maker(self, text: str) -> Maker:
        """The same for an author or a committer as git has them, who can call themselves whatever they want."""
        _, email = _split(text)
        return self._maker(text, self.of_email(email) if email else "")

    # Private

    def _maker(self, text: str, person: str) -> Maker:
        name, _ = _split(text)
        return Maker(text, person, frozenset(self._names.get(_plain(name), ())) - {person})


def is_machine(text: str) -> bool:
    """Whether `Name <email>` or `@account` is a forge's own or an app's, by an address or account that only those have.

    A name such as `helper[bot]` proves nothing in git, where everybody writes their own.
    """
    _, email = _split(text)
    if not email:
        return text.startswith("@") and is_bot_account(text)
    plain = folded(email)
    return (
        plain in BOT_EMAILS | FORGE_EMAILS or is_bot_account(noreply_account(plain)) or bool(_MACHINE.fullmatch(plain))
    )


def same_maker(text: str) -> str:
    """What is equal for two texts that name the same maker: the e-mail where there is one."""
    name, email = _split(text)
    return folded(email or name or text)


# Private

_MACHINE = re.compile(r"(?:project|group)_[0-9]+_bot(?:_[a-z0-9]+)?@noreply\.[a-z0-9.-]+")
"""docs.gitlab.com, "Bot users for projects" and "for groups"."""


def _split(text: str) -> tuple[str, str]:
    """Name and e-mail of `Name <email>`; of anything else the e-mail is empty."""
    match = re.fullmatch(r"(?s)(?P<name>[^<]*)<(?P<email>[^<>]*)>\s*", text)
    return (match["name"].strip(), match["email"].strip()) if match else (text.strip(), "")


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
