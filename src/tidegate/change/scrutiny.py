"""How closely people read the change, where a console measured it: what was before their eyes, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from tidegate.change.forge_json import decode, read_json
from tidegate.change.people import People
from tidegate.change.values import Change, Context, FileChange, Hunk, Person, show_path
from tidegate.facts import ReaderFact

GLANCE_SECONDS = 2.0
"""What was before somebody's eyes for less was scrolled past, and counts as never opened."""
READ_BY_PEOPLE = ("source", "test", "config", "docs")
MEND = "give what the console measured, a document of tidegate.looks/1"


class LookedAt(Struct, frozen=True):
    """Lines of the head that somebody had before their eyes, and whether they said that they understand them."""

    path: str
    first: Annotated[int, Meta(ge=0)]
    last: Annotated[int, Meta(ge=0)]
    seconds: Annotated[float, Meta(ge=0)]
    understood: bool = False


class Looker(Struct, frozen=True):
    """One person, by their accounts and addresses: whose they are is for the settings to say."""

    hunks: tuple[LookedAt, ...]
    accounts: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class LooksDocument(Struct, frozen=True, kw_only=True):
    """What a console hands over. Looks at another head than the change has say nothing of it."""

    schema: Literal["tidegate.looks/1"] = "tidegate.looks/1"
    head: str
    lookers: tuple[Looker, ...] = ()


def read_scrutiny(change: Change, context: Context) -> tuple[ReaderFact, ...]:
    """Who read how much of the change how fast, by name; nobody where nothing was measured of this head.

    Raises InputError for a file that is no such document.
    """
    if context.looks is None:
        return ()
    document = _read(context.looks)
    if not change.head or document.head != change.head:
        return ()
    people = People(context.settings)
    files = [file for file in change.files if is_read(file)]
    readers = (_reader(files, looker, _name(people, looker)) for looker in document.lookers)
    return tuple(sorted((each for each in readers if each.seconds >= 1), key=lambda each: (each.person, -each.seconds)))


def is_read(file: FileChange) -> bool:
    """Whether people read such a file line by line."""
    return file.by_hand and file.kind in READ_BY_PEOPLE


# Private


def _read(path: Path) -> LooksDocument:
    return decode(read_json(path, MEND), LooksDocument, path, MEND)


def _name(people: People, looker: Looker) -> str:
    """Of accounts that are two people's nobody could tell who looked."""
    names = {people.of_account(account) for account in looker.accounts}
    names |= {people.of_person(Person("", email)) for email in looker.emails}
    names -= {""}
    return names.pop() if len(names) == 1 else ""


def _reader(files: Sequence[FileChange], looker: Looker, person: str) -> ReaderFact:
    by_path: dict[str, list[LookedAt]] = {}
    for look in looker.hunks:
        by_path.setdefault(look.path, []).append(look)
    lines = sum(file.added + file.deleted for file in files)
    paths = [(file, by_path.get(show_path(file.path), [])) for file in files]
    seconds = sum(look.seconds for _, looks in paths for look in looks)
    hunks = [(hunk, looks) for file, looks in paths for hunk in file.hunks]
    return ReaderFact(
        person=person,
        lines=lines,
        seconds=round(seconds, 1),
        lines_per_hour=round(lines / (max(seconds, 1.0) / 3600), 1),
        hunks=len(hunks),
        unopened=sum(not _is_opened(hunk, looks) for hunk, looks in hunks),
        understood=sum(look.understood for _, looks in paths for look in looks),
    )


def _is_opened(hunk: Hunk, looks: Iterable[LookedAt]) -> bool:
    """A page shows several runs of lines as one, so what it reports may be more than the run."""
    first = hunk.new_start if hunk.new_count else hunk.new_start + 1
    return any(look.seconds >= GLANCE_SECONDS and look.first <= first <= look.last + 1 for look in looks)
