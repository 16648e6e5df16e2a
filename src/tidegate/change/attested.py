"""What people vouch for that no code shows: a file of short entries, each with who, when and where it can be looked up.

[[evidence]]
id = "load-test"
by = "alice"
at = 2026-05-01
where = "https://ci.example.com/runs/17"
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.people import People, is_bot_account, plain_account
from tidegate.change.values import Person
from tidegate.errors import InputError
from tidegate.settings import ATTESTED, PlaceSettings, Settings, convert, folded, nearest, read_toml

HOLDS_DAYS = 365
"""What was true longer ago is asked about again."""

LARGEST_BYTES = 256 << 10


class Attested(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry. `value` is a figure where the criterion wants one."""

    id: str
    by: str
    at: date
    where: str
    value: float = 0.0
    second: str = ""

    def __str__(self) -> str:
        also = f" and {self.second}" if self.second else ""
        return (
            f"{self.by}{also} vouch for it on {self.at}: {self.where}"
            if self.second
            else f"{self.by} vouches for it on {self.at}: {self.where}"
        )


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    evidence: tuple[Attested, ...] = ()


def read_attested(path: Path, now: str) -> Mapping[str, Attested]:
    """The entries that hold at a moment, by criterion; of two the younger. Raises InputError for any other file."""
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=str(path), mend="name a file with --evidence"
        ) from error
    return parse_attested(text, str(path), now)


def parse_attested(text: bytes, where: str, now: str) -> Mapping[str, Attested]:
    """The same from its content. One from the future, or older than a year, does not hold."""
    if len(text) > LARGEST_BYTES:
        raise InputError(
            "the evidence is larger than 256 KiB", where=where, mend="keep an entry short and link to the rest"
        )
    document = convert(read_toml(text, where), _Document, where)
    today = date.fromisoformat(now[:10])
    found: dict[str, Attested] = {}
    for one in document.evidence:
        if one.id not in ATTESTED:
            raise InputError(f"nobody can vouch for {one.id!r}", where=where, mend=nearest(one.id, tuple(ATTESTED)))
        if not (one.by.strip() and one.where.strip()):
            raise InputError(
                f"{one.id} does not say who and where", where=where, mend='write by = "..." and where = "..."'
            )
        holds = today - timedelta(days=HOLDS_DAYS) <= one.at <= today
        if holds and (one.id not in found or found[one.id].at < one.at):
            found[one.id] = one
    return found


def by_people(attested: Mapping[str, Attested], settings: Settings) -> Mapping[str, Attested]:
    """The same with everybody by their key of the identity map, so that one person with two names is one."""
    people = People(settings)
    keys = {folded(key): key for key in settings.people}

    def named(text: str) -> str:
        name = text.strip()
        mail = name[name.rfind("<") + 1 :].rstrip("> ")
        return people.of_account(name) or people.key_of(Person("", mail)) or keys.get(folded(name), text)

    return {id: replace(one, by=named(one.by), second=named(one.second)) for id, one in attested.items()}


MUTATION_SHARE = 0.6
"""The share of the mutants of changed lines that tests should kill before others depend on it."""


def short_of(one: Attested) -> str:
    """Why an entry is not enough for its criterion, "" where it is."""
    bots = [name for name in (one.by, one.second) if is_bot_account(name.strip())]
    if bots:
        return f"{bots[0]} is no person"
    if one.id == "mutation" and not one.value >= MUTATION_SHARE:
        return f"value is {one.value:g}, and {MUTATION_SHARE} is asked for: {one.where}"
    if one.id == "two-approvers" and plain_account(one.second.strip()) in ("", plain_account(one.by.strip())):
        return f"only {one.by} approves"
    return ""


def missing_for(tier: str, declared: PlaceSettings, attested: Mapping[str, Attested]) -> tuple[str, ...]:
    """What nobody vouches for of all that is asked for up to a tier, by criterion."""
    asked = [id for id, at in ATTESTED.items() if at <= tier and (id != "backup-restored" or declared.data != "none")]
    return tuple(id for id in asked if id not in attested or short_of(attested[id]))
