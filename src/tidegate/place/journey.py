"""The whole question on one page: read the application, judge it, and say why its place should be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from tidegate.change.attested import Attested, by_people, parse_attested, read_attested
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.errors import InputError
from tidegate.place.judge import judge
from tidegate.place.read import ACTIVE_DAYS, read_application
from tidegate.place.values import CLASSES, TIERS, Placement
from tidegate.settings import PlaceSettings, Settings, folded


def read_placement(
    repository: Repository, folder: str, now: str, environment: Mapping[str, str], evidence: Path | None = None
) -> tuple[Placement, Settings]:
    """Where the application in a folder of HEAD may run. `evidence` is read beside what `[place] evidence` names."""
    settings = read_settings(repository, repository.resolve("HEAD"), environment).settings
    app = read_application(repository, folder, settings, now)
    attested = {**_own(repository, settings.place, now), **(read_attested(evidence, now) if evidence else {})}
    return judge(app, settings.place, by_people(attested, settings), now), settings


def reasons_against(placement: Placement, settings: Settings) -> tuple[str, ...]:
    """Why the tier that is declared should be taken back: it is not earned any more, or something new came."""
    declared, app = settings.place, placement.application
    reasons = []
    if declared.tier and TIERS.index(declared.tier) > TIERS.index(placement.tier):
        missing = [one for one in placement.criteria if one.tier <= declared.tier and one.state != "met"]
        reasons.append(
            f"{declared.tier} is declared and {placement.tier} is earned: {len(missing)} criteria are not met"
        )
        reasons += [f"{one.id}: {one.evidence[0]}" for one in missing[:8]]
    if declared.expires and _day(declared.expires) <= date.fromisoformat(placement.read_at[:10]):
        reasons.append(f"its place was given until {declared.expires}")
    if declared.data in CLASSES and CLASSES.index(declared.data) < CLASSES.index(app.data):
        first = next((one for one in app.fields if one.data == app.data), None)
        where = f": {first.seen}" if first is not None else ""
        reasons.append(f"its data are declared {declared.data}, and {app.data} was found{where}")
    if declared.public:
        fresh = [
            one for one in app.routes if one.guard is None and not one.open_by_name and one.name not in declared.public
        ]
        reasons += [f"{one.name} is open and not in [place] public: {one.seen.place}" for one in fresh]
    return (*reasons, *_owner_left(placement, settings))


# Private


def _own(repository: Repository, declared: PlaceSettings, now: str) -> Mapping[str, Attested]:
    if not declared.evidence:
        return {}
    where = f"{declared.evidence} at HEAD"
    if set(declared.evidence) & set("\n\0"):
        raise InputError("this is no name of a file", where="[place] evidence", mend="name a file of the repository")
    blob = next(iter(repository.read_blobs([f"HEAD:{declared.evidence}"], limit=256 << 10)))
    if blob.kind != "blob":
        raise InputError("there is no such file", where=where, mend="commit it, or correct [place] evidence")
    return parse_attested(blob.content, where, now)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no day", where="[place] expires", mend="write it like 2026-12-31") from error


def _owner_left(placement: Placement, settings: Settings) -> list[str]:
    """A person who owns it and has left: not in the map of people, or without a commit for long. Of teams nothing is
    told here unless `[teams]` says that nobody is left in them."""
    owner = settings.place.owner
    if not owner:
        return []
    team = settings.teams.get(owner)
    if team is not None:
        return [] if team else [f"{owner}, who owns it, has nobody left in it"]
    if owner.startswith("@") and "/" in owner:
        return []
    key = next(
        (
            name
            for name, who in settings.people.items()
            if folded(owner) in {folded(name), *map(folded, who.emails), *(folded(one) for one in who.accounts)}
            or folded(owner.removeprefix("@")) in map(folded, who.accounts)
        ),
        "",
    )
    if settings.people and not key:
        return [f"{owner}, who owns it, is not in [people] any more"]
    names = {folded(key or owner), folded(owner.removeprefix("@"))}
    known = any(names & _names_of(who) for who in placement.application.authors.active)
    return [] if known else [f"{owner}, who owns it, has committed nothing to it for {ACTIVE_DAYS} days"]


def _names_of(who: str) -> set[str]:
    """What a person of a commit may be called: as they are shown, by name, by e-mail."""
    name, _, mail = who.partition("<")
    return {folded(who), folded(name), folded(mail.rstrip("> "))}
