"""Reads an application at a commit as a change from nothing, with the readers that changes are judged by.

Nothing of it is executed or checked out. What could not be read is named by area, and nothing that rests on it is met.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tidegate.change.codeowners import NO_OWNERS, Owners
from tidegate.change.commits import read_commit_objects
from tidegate.change.diff import read_diff
from tidegate.change.git import Repository
from tidegate.change.meaning import describe_files
from tidegate.change.owners_file import read_owners
from tidegate.change.trees import Given, Trees, pairs_of, tree_of
from tidegate.change.values import Change, FileChange, show_path
from tidegate.errors import InputError
from tidegate.facts import Intent, Unknown
from tidegate.place.code import Code, code_of, runs_there
from tidegate.place.data import read_fields
from tidegate.place.egress import NAME, read_calls
from tidegate.place.execution import read_executions
from tidegate.place.guards import read_routes
from tidegate.place.listens import read_unknown_ways
from tidegate.place.operated import read_operated
from tidegate.place.tested import tester
from tidegate.place.values import Application, Authors, Host, Seen
from tidegate.place.verified import read_verified
from tidegate.place.wanted import names_of_machines, read_wanted
from tidegate.provenance.evidence import read_evidence
from tidegate.reach.index import Index, read_index
from tidegate.reach.journey import store_folder
from tidegate.reach.store import open_store
from tidegate.reach.trees import read_kept_tree
from tidegate.settings import Settings
from tidegate.verify.values import Subject

MOST_COMMITS = 20_000
ACTIVE_DAYS = 180
"""Whoever committed nothing to it for longer is asked about, before it is said that somebody knows it."""

PROGRAMS = frozenset(
    (
        *(
            "Python",
            "JavaScript",
            "TypeScript",
            "TSX",
            "JSX",
            "Go",
            "Java",
            "Kotlin",
            "Ruby",
            "Rust",
            "PHP",
            "C",
            "C++",
        ),
        *("C#", "Scala", "Swift", "Elixir", "Erlang", "Clojure", "Groovy", "Perl", "Lua", "Dart", "Haskell", "R"),
        *("Vue", "Svelte", "F#", "Objective-C", "Julia", "OCaml", "Crystal", "Zig"),
    )
)


def read_application(repository: Repository, folder: str, settings: Settings, now: str) -> Application:
    """The application in a folder of HEAD ("" for all of it). `now` is RFC 3339 in UTC.

    Raises InputError where there is no such folder in HEAD, or nothing in it.
    """
    head = repository.resolve("HEAD")
    tree = _tree_of(repository, head, folder)
    found = read_diff(repository, repository.empty_tree, tree)
    described = describe_files(found.files, settings, repository, repository.empty_tree, tree)
    files = described.files
    if not files:
        raise InputError("there is nothing in it", where=folder or ".", mend="commit the application first")
    change = Change("range", "", "", "", repository.empty_tree, tree, "", "", (), files, Intent())
    running = [file for file in files if runs_there(file)]
    codes = {code.path: code for code in map(code_of, running)}
    with open_store(store_folder(repository)) as store:
        index = read_index(repository, tree, store)
        kept = read_kept_tree(index, store)
        points = [point for point in kept.points.points if point.handler.path in codes]
        symbols = index.read(sorted({point.handler.path for point in points}))
        tested = tester(kept, [code_of(file) for file in files if file.kind == "test"])
        routes = read_routes(points, codes, symbols, tested)
        unknowns = _unread(running, codes, index, found.unknowns)
        listener = read_unknown_ways(codes, points)
        hidden = [point for point in kept.points.points if point.kind in _SERVED and point.handler.path not in codes]
    if listener is not None:
        unknowns["ways in"] = str(listener)
    elif hidden:
        unknowns["ways in"] = (
            f"{hidden[0].name} is answered in {_shown(hidden[0].handler.path)}, which is not read here"
        )
    others = tuple(
        (
            f"{point.kind} {point.name}",
            Seen(show_path(point.handler.path.encode("utf-8", "surrogateescape")), point.line),
            tested(point),
        )
        for point in points
        if point.kind in ("job", "event", "lambda")
    )
    calls = read_calls(codes.values())
    declared, given = _declared(settings)
    wanted, computed = read_wanted(codes.values())
    fields, uploads = read_fields(codes.values())
    trees = Trees(Given({}), tree_of(repository, tree), pairs_of(change))
    checked = read_verified(Subject(change, trees, settings, now=now), codes)
    owners, unowned, source = _owners(repository, head, folder, running, settings)
    authors, doubt = _authors(repository, settings, head, folder, now)
    if computed:
        unknowns["secrets wanted"] = f"{computed[0]}"
    if doubt:
        unknowns["commits"] = doubt
    unknowns.update(checked.unknowns)
    return Application(
        name=_name(repository, folder),
        commit=head,
        folder=folder,
        files=len(files),
        languages=tuple(sorted({code.language for code in codes.values() if code.language in PROGRAMS})),
        routes=routes,
        other_entries=tuple(sorted(set(others), key=str)),
        hosts=tuple(sorted({*calls.hosts, *declared})),
        named_only=calls.named_only,
        dynamic=() if given else tuple(sorted({*calls.dynamic, *names_of_machines(wanted)})),
        wanted=wanted,
        stores=calls.stores,
        fields=fields,
        uploads=uploads,
        executions=read_executions(codes.values()),
        verified=checked.verified,
        authors=authors,
        owners=owners,
        unowned=unowned,
        owners_from=source,
        tests=len(kept.graph.arrays.tests),
        operated=read_operated(codes, files, routes),
        unknowns=unknowns,
    )


# Private

_SERVED = ("http", "rpc")
_ANYBODYS = re.compile(
    r"\A\*\.(?:(?:co|com|org|net|gov|edu|ac|or|ne|gob|gouv)\.)?[a-z]{2,}\Z"  # below it anybody registers names
    r"|(?:\A|\.)(?:internal|localhost|local|nip\.io|sslip\.io|xip\.io)\Z"
)
_SCRIPTS = (".erb", ".haml", ".slim", ".ru", ".rake", ".gemspec", ".jbuilder", ".R", ".pl")
"""Scripts of languages that are read, in files of other names: they take no calls."""


class _Place(NamedTuple):
    owners: tuple[str, ...]
    unowned: tuple[str, ...]
    source: str


def _tree_of(repository: Repository, head: str, folder: str) -> str:
    if not folder:
        return repository.resolve(f"{head}^{{tree}}", "tree")
    if "\n" in folder or "\0" in folder:
        raise InputError("this is no name of a folder", where="PATH", mend="name a folder of the repository")
    answer = next(iter(repository.look_up([f"{head}:{folder}"])))
    if answer.kind != "tree":
        raise InputError("there is no such folder in HEAD", where=folder, mend="commit it first, or name another")
    return answer.oid


def _name(repository: Repository, folder: str) -> str:
    last = (folder.rstrip("/") or str(repository.path)).rpartition("/")[2].removesuffix(".git")
    return last.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") or "application"


def _unread(
    running: Sequence[FileChange], codes: Mapping[str, Code], index: Index, unknowns: Sequence[Unknown]
) -> dict[str, str]:
    """What was not read of what runs. One such file leaves open what else it calls, opens and holds."""
    reasons = [f"{_shown(path)}: {why}" for path, why in index.unread.items() if _shown(path) in codes]
    reasons += [f"{show_path(file.path)}: its lines could not be read" for file in running if not file.lines_known]
    programs = {path: code for path, code in sorted(codes.items()) if code.language in PROGRAMS}
    reasons += [f"{path}: lines too long to be searched" for path, code in programs.items() if code.cut]
    shown = {_shown(path) for path in index.sources}
    reasons += [
        f"{path}: entry points of {code.language} are not read"
        for path, code in programs.items()
        if path not in shown and "." in path.rpartition("/")[2] and not path.endswith(_SCRIPTS)
    ]
    reasons += [one.reason for one in unknowns]
    reasons += [f"{_shown(path)}: a link, not followed" for path in index.links if index.language(path)]
    reasons += [f"{_shown(path)}: a submodule, not read" for path in index.submodules]
    if not any(code.language in PROGRAMS for code in codes.values()):
        reasons.append("no program in it is in a language that is read here")
    if not reasons:
        return {}
    more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return {"code": "; ".join(reasons[:3]) + more}


def _shown(path: str) -> str:
    return show_path(path.encode("utf-8", "surrogateescape"))


def _declared(settings: Settings) -> tuple[tuple[Host, ...], bool]:
    """The hosts that `[place] egress` names, and whether it claims to name all that variables stand for."""
    hosts = []
    for text in settings.place.egress:
        name, _, port = text.lower().partition(":")
        if not NAME.fullmatch(name) or (port and not (port.isdigit() and 0 < int(port) < 65_536)):
            raise InputError(f"{text!r} is no host", where="[place] egress", mend="write it as db.example.com:5432")
        if _ANYBODYS.search(name):
            raise InputError(
                f"{text!r} stands for machines of anybody, or for the metadata of the cloud",
                where="[place] egress",
                mend="name the machines themselves",
            )
        hosts.append(Host(name, int(port or 443), "declared", Seen("tidegate.toml", 0, "[place] egress")))
    return tuple(hosts), bool(hosts)


def _owners(
    repository: Repository, head: str, folder: str, running: Sequence[FileChange], settings: Settings
) -> _Place:
    """Who answers for it: whom `[place] owner` names, else the owners of its files."""
    if settings.place.owner:
        return _Place((settings.place.owner,), (), "[place] owner")
    read = read_owners(repository, head, settings)
    owners: Owners = NO_OWNERS if isinstance(read, Unknown) else read
    if not owners.path:
        return _Place((), ("no CODEOWNERS file",), "")
    found: dict[str, None] = {}
    unowned = []
    prefix = f"{folder}/".encode("utf-8", "surrogateescape") if folder else b""
    for file in running:
        names = [name for one in owners.owners_of(prefix + file.path) if not one.doubt for name in one.owners]
        found.update(dict.fromkeys(names))
        if not names:
            unowned.append(show_path(file.path))
    return _Place(tuple(found), tuple(unowned), owners.path)


def _authors(repository: Repository, settings: Settings, head: str, folder: str, now: str) -> tuple[Authors, str]:
    """Who wrote it, by the commits that touched it, and why that is not the whole story."""
    paths = ("--", folder) if folder else ()
    listed = repository.run("rev-list", f"--max-count={MOST_COMMITS + 1}", "--end-of-options", head, *paths)
    oids = listed.decode("ascii").split()
    doubt = f"only its last {MOST_COMMITS} commits were read" if len(oids) > MOST_COMMITS else ""
    oids = oids[:MOST_COMMITS]
    if repository.shallow_edge.intersection(oids):
        doubt = "this clone has only part of the history: git fetch --unshallow"
    commits = read_commit_objects(repository, oids)
    index = read_evidence(repository, settings, tuple(commits[oid] for oid in oids if oid in commits), None, (), head)
    marked = {one.commit for one in index.sources.declarations}
    people: dict[str, str] = {}
    unnamed, undeclared, bots = [], 0, 0
    for oid in oids:
        human = index.answer(oid).human
        declared = oid in marked or bool(index.origin(oid, b"", 0).tool)
        if not human and declared:
            unnamed.append(oid)
        elif not human:
            bots += 1
        elif oid in commits:
            people[human] = max(people.get(human, ""), commits[oid].committed_at)
        undeclared += not declared
    edge = _days_before(now, ACTIVE_DAYS)
    agents = sorted({one.tool for one in index.sources.declarations if one.tool})
    return (
        Authors(
            commits=len(oids),
            people=tuple(sorted(people)),
            unnamed=tuple(unnamed),
            bots=bots,
            undeclared=undeclared,
            agents=tuple(agents),
            latest=max(people.values(), default=""),
            active=tuple(sorted(who for who, at in people.items() if edge <= at <= now)),
        ),
        doubt,
    )


def _days_before(now: str, days: int) -> str:
    from datetime import datetime, timedelta

    return (datetime.fromisoformat(now) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
