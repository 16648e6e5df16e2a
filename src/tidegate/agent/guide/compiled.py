"""The guidance of one path or of the whole repository, joined from all that is read at one revision."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.agent.guide import commands, conventions, history, owners, quote, rules
from tidegate.agent.guide.history import Incident, Past
from tidegate.agent.guide.sources import Found, Sources
from tidegate.agent.guide.values import Guidance, Item
from tidegate.change.git import Repository
from tidegate.change.values import FileChange
from tidegate.errors import InputError
from tidegate.policy.rules import Policy, read_policy
from tidegate.settings import Loaded, Settings

MOST_TESTS = 3


class Told(Struct, frozen=True):
    """What somebody else knows: incidents of a service (None: no service was asked), and how often rules held."""

    incidents: tuple[Incident, ...] | None = None
    broken: Mapping[str, int] = {}


class Read(Struct, frozen=True):
    """All that guidance and the judgement of instructions are made of."""

    sources: Sources
    policy: Policy
    past: Past
    shown: tuple[commands.Shown, ...]
    settings: Settings


def read(repository: Repository, revision: str, settings: Settings) -> Read:
    """What the revision holds. Raises InputError for rules that are not right."""
    origins = ("the settings",) * len(settings.rule)
    policy = read_policy(repository, revision, Loaded(settings, {}, origins))
    sources = Sources(repository, revision)
    past = Past(repository, revision, settings)
    return Read(sources, policy, past, commands.read_commands(sources), settings)


def compile_guidance(repository: Repository, revision: str, path: str, settings: Settings) -> Guidance:
    """What holds for a path, or for everything where it is ""."""
    return guidance_of(read(repository, revision, settings), checked_path(path), Told())


def guidance_of(found: Read, path: str, told: Told) -> Guidance:
    """The same from what was read already."""
    repository, revision = found.sources.repository, found.sources.revision
    origins = rules.find_origins(repository, revision, {rule.id for rule in found.policy.rules})
    if not path:
        return _whole(found, origins, told)
    (file,) = owners.files_of([path], found.settings)
    present = frozenset(found.sources.paths)
    language = file.language if file.kind in ("source", "test") else ""
    near = commands.near(found.sources, path)
    return Guidance(
        path=path,
        rules=rules.rule_items(found.policy, owners.place_of(file), origins, told.broken),
        owners=(*owners.owner_items(path, found.policy.owners, found.settings), *owners.area_items(file)),
        commands=(
            *_tests_of(found, file, path),
            *commands.items(near, language),
            *commands.items(found.shown, language, path),
        ),
        history=history.path_items(found.past, path, present, told.incidents or ()),
        conventions=(
            *conventions.commit_items(found.past.by_people),
            *conventions.form_items(found.sources, language),
        ),
        notes=tuple(_notes(found, told, file)),
    )


def checked_path(path: str) -> str:
    """A path from the top, "" for the top. Raises InputError for one that leads out of the repository."""
    plain = path.strip().removeprefix("./").rstrip("/")
    if path.startswith(("/", "~")) or ".." in plain.split("/") or "\0" in plain or "\n" in plain or "\\" in plain:
        raise InputError(
            "this path leads out of the repository", where=quote.name(path) or "the path", mend="name it from the top"
        )
    if len(plain) > 4096:
        raise InputError("this path is too long", mend="name a file of the repository")
    return "" if plain == "." else plain


# Private


def _whole(found: Read, origins: Mapping[str, Found], told: Told) -> Guidance:
    paths = list(found.sources.paths)
    files = owners.files_of(paths[: owners.MOST_FILES], found.settings)
    return Guidance(
        path="",
        rules=rules.rule_items(found.policy, rules.Place(), origins, told.broken),
        owners=owners.overview(files, found.policy.owners, found.settings),
        commands=commands.items(found.shown),
        history=history.overview(found.past, _sources(files), frozenset(paths), told.incidents or ()),
        conventions=(
            *conventions.commit_items(found.past.by_people),
            *conventions.form_items(found.sources),
            *conventions.file_items(files, found.sources),
        ),
        notes=tuple(_notes(found, told, None)),
    )


def _sources(files: Sequence[FileChange]) -> frozenset[str]:
    return frozenset(
        file.path.decode("utf-8", "surrogateescape") for file in files if file.kind == "source" and file.by_hand
    )


def _tests_of(found: Read, file: FileChange, path: str) -> tuple[Item, ...]:
    """Tests that are named after a file of source."""
    stem = path.rpartition("/")[2].partition(".")[0]
    if file.kind != "source" or len(stem) < 3 or not re.fullmatch(r"[\w-]+", stem):
        return ()
    wanted = re.compile(rf"(?:.*/)?(?:test_{re.escape(stem)}|{re.escape(stem)}(?:[._-](?:test|spec)s?|Tests?))\.\w+")
    ending = path.rpartition(".")[2]
    names = [one for one in found.sources.paths if wanted.fullmatch(one) and one.rpartition(".")[2][:2] == ending[:2]]
    folder = path.rpartition("/")[0].split("/")
    names.sort(key=lambda one: (-len(set(one.split("/")) & set(folder)), one))
    shown = [name for one in names if (name := quote.name(one))][:MOST_TESTS]
    return (Item(f"Tests named after it: {', '.join(shown)}", "by their names"),) if shown else ()


def _notes(found: Read, told: Told, file: FileChange | None) -> Sequence[Item]:
    notes: list[Item] = []
    gate = next((one for one in found.sources.workflows if "tidegate" in found.sources.text(one)), "")
    if gate:
        notes.append(Item("The gate runs in a pipeline", quote.name(gate) or "a workflow"))
    else:
        notes.append(Item("No pipeline here runs `tidegate check`: the rules hold where somebody runs it", "workflows"))
    if not found.settings.rule and found.settings.policy.pack == "default":
        notes.append(Item("The rules are the default pack; this repository has none of its own", "settings"))
    if tried := rules.shadowed(found.policy):
        notes.append(Item(f"{len(tried)} rules are on trial and hold nothing", "`tidegate policy explain`"))
    if found.past.problem:
        notes.append(Item("History could not be read, so nothing is said of it", quote.title(found.past.problem)))
    elif found.sources.repository.shallow:
        notes.append(Item("This clone is shallow: history and counts are of what is here", "`git fetch --unshallow`"))
    if told.incidents is None:
        notes.append(
            Item("No service was asked for incidents, so none is known", "`tidegate agent guide --server URL`")
        )
    elif not told.incidents:
        notes.append(Item("The service names no incident from here", "the service"))
    unread = [(name, why) for path, why in sorted(found.sources.unread.items()) if (name := quote.name(path))]
    if unread:
        notes.append(Item(f"Not read: {', '.join(name for name, _ in unread[:4])}", quote.title(unread[0][1], 60)))
    if file is not None and file.generated:
        notes.append(Item("A program writes this file: change what it is made from", "its name or .gitattributes"))
    return notes
