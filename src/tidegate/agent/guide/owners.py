"""Who answers for what: sensitive areas by path, CODEOWNERS, and what only people may change or approve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from tidegate.agent.guide import quote
from tidegate.agent.guide.rules import Place
from tidegate.agent.guide.values import Item
from tidegate.change.attributes import Attributes
from tidegate.change.classify import classify_files
from tidegate.change.codeowners import Owners
from tidegate.change.domains import assign_domains
from tidegate.change.values import FileChange
from tidegate.facts import Unknown
from tidegate.settings import CONFIG_NAMES, POLICY_FOLDER, Settings

MOST_OWNED = 10
MOST_DOMAINS = 8
MOST_FILES = 30_000
"""Files of a tree that are asked for their area; of a larger tree the first in order."""
POLICY_NAMES = ("tidegate.toml", POLICY_FOLDER, "CODEOWNERS")


def files_of(paths: Iterable[str], settings: Settings) -> tuple[FileChange, ...]:
    """These paths as files with kind, language and the areas that their names alone put them into."""
    bare = [_file(path) for path in paths]
    return assign_domains(classify_files(bare, Attributes({}), settings), settings)


def place_of(file: FileChange) -> Place:
    """Where a file lies, for the rules."""
    path = file.path.decode("utf-8", "surrogateescape")
    kind = "policy" if _is_policy(path) else str(file.kind)
    return Place(False, kind, frozenset(hit.domain for hit in file.domains), file.critical)


def owner_items(path: str, owners: Owners | Unknown, settings: Settings) -> tuple[Item, ...]:
    """Who owns one path."""
    if isinstance(owners, Unknown):
        return (Item("Who owns it could not be told", owners.reason),)
    if not owners.path:
        return (Item("Nobody is named as its owner: there is no CODEOWNERS file", "the tree"),)
    found = owners.owners_of(path.encode("utf-8", "surrogateescape"))
    items = [
        Item(
            f"Owned by {names}{'' if not one.section else f' ({quote.title(one.section, 40)})'}",
            f"{quote.name(owners.path)}, line {one.line}",
        )
        for one in found
        if (names := _names(one.owners))
    ]
    items += [
        Item("Its owners are in doubt", f"{quote.name(owners.path)}, line {one.line}") for one in found if one.doubt
    ]
    if not items:
        items.append(Item("Nobody owns it", f"no line of {quote.name(owners.path)} names an owner for it"))
    return (*items, *_answering(settings))


def area_items(file: FileChange) -> tuple[Item, ...]:
    """Which sensitive areas one path belongs to, by its name."""
    hits = {hit.domain: hit.reason for hit in file.domains}
    return tuple(
        Item(f"It belongs to the sensitive area {quote.name(name)}", reason if quote.command(reason) else "by its path")
        for name, reason in sorted(hits.items())
    )


def overview(files: Sequence[FileChange], owners: Owners | Unknown, settings: Settings) -> tuple[Item, ...]:
    """Critical areas with where most of their files lie, and the lines of CODEOWNERS, as many as are read."""
    return (*_areas(files), *_protected(files), *_owned(owners), *_answering(settings))


# Private


def _areas(files: Sequence[FileChange]) -> Iterable[Item]:
    counts: Counter[str] = Counter()
    folders: dict[str, Counter[str]] = {}
    for file in files:
        if file.kind in ("docs", "test") or not file.by_hand:
            continue
        path = file.path.decode("utf-8", "surrogateescape")
        for name in {hit.domain for hit in file.domains} if file.critical else ():
            counts[name] += 1
            folder = "/".join(path.split("/")[:-1][:3])
            folders.setdefault(name, Counter())[f"{folder}/" if folder else path] += 1
    for name, total in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_DOMAINS]:
        shown = [quote.name(folder) for folder, _ in sorted(folders[name].items(), key=lambda one: (-one[1], one[0]))]
        places = ", ".join([one for one in shown if one][:3])
        rest = len(folders[name]) - min(len([one for one in shown if one]), 3)
        where = f"{places or 'files with unusual names'}{' and elsewhere' if rest else ''}"
        yield Item(
            f"{quote.name(name)} is a sensitive area: {where}",
            f"{total} {'file' if total == 1 else 'files'} by path",
        )


def _protected(files: Sequence[FileChange]) -> Iterable[Item]:
    found = [path for file in files if _is_policy(path := file.path.decode("utf-8", "surrogateescape"))]
    shown = [name for path in found if (name := quote.name(path))][:4]
    if found:
        yield Item(
            f"Leave the gate itself alone unless a person asked: {', '.join(shown)}", "read from the base of a change"
        )


def _owned(owners: Owners | Unknown) -> Iterable[Item]:
    if isinstance(owners, Unknown):
        yield Item("Who owns what could not be told", owners.reason)
        return
    if not owners.path:
        return
    rules = [rule for section in owners.sections for rule in section.rules if rule.owners and not rule.exclude]
    shown = [(rule, quote.name(rule.pattern), _names(rule.owners)) for rule in rules]
    plain = [one for one in shown if one[1] and one[2]]
    for rule, pattern, names in plain[:MOST_OWNED]:
        yield Item(f"{pattern} belongs to {names}", f"{quote.name(owners.path)}:{rule.line}")
    if len(rules) > len(plain[:MOST_OWNED]):
        yield Item(
            f"There are more lines than these in {quote.name(owners.path)}: ask `tidegate agent guide --path PATH`",
            f"{len(rules)} lines with owners",
        )


def _answering(settings: Settings) -> Iterable[Item]:
    for what, people in (("what runs", settings.owners.infrastructure), ("who may do what", settings.owners.security)):
        if names := _names(people):
            yield Item(f"{names} answer for {what}", "[owners] of the settings")


def _names(owners: Sequence[str]) -> str:
    shown = [name for owner in owners[:4] if (name := quote.name(owner, 60))]
    more = len(owners) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more and shown else "")


def _is_policy(path: str) -> bool:
    return path in CONFIG_NAMES[:1] or path.startswith(POLICY_FOLDER) or path.rpartition("/")[2] == "CODEOWNERS"


def _file(path: str) -> FileChange:
    raw = path.encode("utf-8", "surrogateescape")
    return FileChange(raw, raw, "modified", 0o100644, 0o100644, "", "", 0, 0, 0, False, False, ())
