"""Whether a change raises the tier that an application runs at, and what of the evidence for that it leaves out."""

from __future__ import annotations

from tidegate.change.attested import LARGEST_BYTES, by_people, missing_for, parse_attested
from tidegate.change.configuration import read_settings
from tidegate.change.git import Repository
from tidegate.change.values import Change, Context
from tidegate.errors import InputError
from tidegate.facts import PlaceFact, Unknown
from tidegate.settings import CONFIG_NAMES, PlaceSettings


def read_placed(change: Change, context: Context) -> PlaceFact | Unknown:
    """What `[place]` says before and after the change. Unknown where the settings of the head cannot be read."""
    before = context.settings.place.tier
    changed = {path for file in change.files for path in (file.path, file.old_path)}
    if not changed.intersection(name.encode() for name in CONFIG_NAMES):
        return PlaceFact(before, before)
    repository = context.repository
    if repository is None or not change.head_tree:
        return Unknown("change.place", "there is no repository to read the settings of the head from")
    try:
        declared = read_settings(repository, change.head_tree, {}).settings.place
        raised = (declared.tier or "T0") > (before or "T0")
        missing = _missing(repository, change.head_tree, declared, context) if raised else ()
    except InputError as error:
        return Unknown("change.place", f"the settings of the head cannot be read: {error.what} ({error.where})")
    return PlaceFact(before, declared.tier, raised, missing)


# Private


def _missing(repository: Repository, tree: str, declared: PlaceSettings, context: Context) -> tuple[str, ...]:
    if not declared.evidence or set(declared.evidence) & set("\n\0"):
        return missing_for(declared.tier, declared, {})
    where = f"{declared.evidence} at the head"
    blob = next(iter(repository.read_blobs([f"{tree}:{declared.evidence}"], limit=LARGEST_BYTES)))
    if blob.kind != "blob":
        return missing_for(declared.tier, declared, {})
    attested = by_people(parse_attested(blob.content, where, context.now), context.settings)
    return missing_for(declared.tier, declared, attested)
