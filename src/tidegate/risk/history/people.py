"""Who wrote a commit, as one key: what Git says of them, without a mail map and before any identity map."""

from __future__ import annotations

from tidegate.change.people import noreply_account
from tidegate.change.values import Person
from tidegate.settings import Settings, folded


def person_key(person: Person) -> str:
    """One key for a person of a commit: the e-mail without case.

    The two spellings of a forge's noreply address (with and without the number) are one key. Who gives no e-mail is
    known by the name, in angle brackets: no e-mail holds those.
    """
    email = folded(person.email)
    account = noreply_account(email)
    if account:
        return f"{account}@{email.rpartition('@')[2]}"
    return email or f"<{' '.join(person.name.split())}>"


def merged_keys(settings: Settings) -> dict[str, str]:
    """From each key that the identity map knows to the person's key in that map. Other keys stand for themselves."""
    merged: dict[str, str] = {}
    for key, who in settings.people.items():
        for email in who.emails:
            merged[person_key(Person("", email))] = key
        for account in who.accounts:
            name = folded(account).removeprefix("@").removeprefix("app/")
            merged.setdefault(f"{name}@users.noreply.github.com", key)
            merged.setdefault(f"{name}@users.noreply.gitlab.com", key)
    return merged
