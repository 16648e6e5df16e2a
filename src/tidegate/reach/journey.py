"""The whole question on one page: what changed, what can feel it, who serves and owns that, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from tidegate.change.attributes import read_attributes
from tidegate.change.classify import classify_files
from tidegate.change.codeowners import NO_OWNERS, Owners
from tidegate.change.commits import read_commits
from tidegate.change.configuration import read_settings
from tidegate.change.diff import read_diff
from tidegate.change.ends import Ends, Question, read_ends
from tidegate.change.git import Repository
from tidegate.change.owners_file import read_owners
from tidegate.change.values import Change, show_path
from tidegate.errors import InputError
from tidegate.facts import Intent, Unknown
from tidegate.reach.affected import (
    Affected,
    find_affected,
    nodes_of,
    path_from,
    reached_points,
    reached_symbols,
    reached_tests,
    tests_of,
)
from tidegate.reach.answer import (
    ChangedSymbol,
    CoChange,
    Completeness,
    EntryPoint,
    Hop,
    ReachAnswer,
    ReachedService,
    ReachedSymbol,
    ReachedTest,
    Service,
    SymbolId,
)
from tidegate.reach.blocks import touched_services
from tidegate.reach.changed import changed_symbols, side_reader
from tidegate.reach.cochange import missing_partners
from tidegate.reach.entries.places import is_test
from tidegate.reach.fallback import tests_that_load
from tidegate.reach.history import History, read_history
from tidegate.reach.index import Index, list_index_pair, read_index
from tidegate.reach.joined import join_files
from tidegate.reach.languages import language_of
from tidegate.reach.people import find_experts, owners_of, suggest_reviewers
from tidegate.reach.recorded import read_recorded
from tidegate.reach.services.calls import add_measured_calls
from tidegate.reach.services.paths import paths_of_service, services_of
from tidegate.reach.services.sides import Side, read_services_of_change
from tidegate.reach.store import Store, open_store
from tidegate.reach.traffic import Traffic, read_traffic
from tidegate.reach.trees import HeadTree, read_head_tree, read_kept_tree
from tidegate.settings import Settings

MOST_UNREAD = 20
LOADS = "no path leads from a test to the change; these tests load its file, and that is all that is known of them"


Makers: TypeAlias = Callable[[Change, Settings], Collection[str]]
"""Who made a change, as names, e-mails or accounts."""


class Subject(Struct, frozen=True):
    """What a question is about: the two trees, and what changed between them."""

    asked: str
    base: str
    head: str
    base_tree: str
    head_tree: str
    changed: tuple[ChangedSymbol, ...]
    change: Change | None = None


class Ground(Struct, frozen=True):
    """What an answer is made from: the linked trees and what can feel the change in them."""

    subject: Subject
    before: Index
    index: Index
    tree: HeadTree
    nodes: Mapping[int, SymbolId]
    affected: Affected
    notes: tuple[str, ...] = ()


def read_reach(
    question: str,
    repository: Repository,
    *,
    environment: Mapping[str, str],
    traffic: str = "",
    makers: Makers | None = None,
) -> ReachAnswer:
    """How far a change, a file or a symbol reaches. `question` is a range, a path or PATH:SYMBOL; "" is HEAD's change.

    `makers` says who made a change, the prompters of its agents among them: they are not asked to review it.
    Raises InputError when the question names nothing.
    """
    settings = _settings(question, repository, environment)
    measured = read_traffic(traffic) if traffic else Traffic()
    with open_store(store_folder(repository)) as store:
        ground = _read_ground(_subject(question, repository, settings, store), repository, store)
        history = read_history(repository, ground.subject.base, cache=store_folder(repository))
        answer = answer_of(ground, repository, settings, measured, history)
    change = ground.subject.change
    if change is None:
        return answer
    notes = list(answer.notes)
    now = _now(change)
    experts = find_experts(repository, change, now, settings, history, notes)
    excluded = {*_writers(change), *(makers(change, settings) if makers is not None else ())}
    reviewers = suggest_reviewers(experts, answer.owners, excluded, now, settings)
    return msgspec.structs.replace(
        answer, experts=tuple(experts), reviewers=tuple(str(one) for one in reviewers), notes=tuple(notes)
    )


def read_why(
    question: str, repository: Repository, *, source: str, target: str = "", environment: Mapping[str, str]
) -> tuple[tuple[Hop, ...], ...]:
    """The strongest paths from `source` (a symbol, test, route or entry point) to what changed, or to one `target`."""
    settings = _settings(question, repository, environment)
    with open_store(store_folder(repository)) as store:
        ground = _read_ground(_subject(question, repository, settings, store), repository, store)
    starts = _named(ground.tree, source)
    goals = set(_named(ground.tree, target)) if target else set(ground.nodes)
    affected = find_affected(ground.tree, sorted(goals))
    tests = tests_of(ground.tree)
    paths = [path_from(affected, node, affected.running if node in tests else affected.found) for node in starts]
    return tuple(sorted((path for path in paths if path), key=len))


def assess_reach(
    change: Change, repository: Repository, settings: Settings, owners: Owners | Unknown | None = None
) -> ReachAnswer:
    """How far a change reaches, without what takes long to ask: experts and history.

    `owners` are those of the change's base; without them they are read.
    """
    with open_store(store_folder(repository)) as store:
        subject = _of_change(change, repository)
        return answer_of(_read_ground(subject, repository, store), repository, settings, Traffic(), None, owners)


def store_folder(repository: Repository) -> Path:
    """Where everything that can be made again is kept."""
    return repository.common_dir / "tidegate" / "reach"


def answer_of(
    ground: Ground,
    repository: Repository,
    settings: Settings,
    traffic: Traffic,
    history: History | None,
    owners: Owners | Unknown | None = None,
) -> ReachAnswer:
    """The answer, from what can feel the change to who serves and owns it."""
    subject, index, tree, affected = ground.subject, ground.index, ground.tree, ground.affected
    all_tests = tests_of(tree)
    recorded = read_recorded(repository, index, ground.nodes.values(), tree)
    tests, loads = reached_tests(affected, all_tests, recorded), False
    if not tests and recorded is None:
        tests = tests_that_load(tree, sorted(ground.nodes), all_tests)
        loads = bool(tests)
    tests = _still_there(tests, subject.changed)
    symbols = reached_symbols(affected, all_tests)
    points = _with_rates(reached_points(affected, tree.points), traffic)
    unread_files: list[tuple[str, str]] = []
    owners = read_owners(repository, subject.base, settings) if owners is None else owners
    services = _services(ground, owners, unread_files)
    if traffic.calls:
        services = add_measured_calls(services, traffic.calls, traffic.source)
    blocks = _blocks(subject, index, services)
    reached = _reached_services(services, subject.changed, symbols, points, traffic, blocks)
    points = _with_services(points, services)
    completeness = _completeness(ground, bool(all_tests), recorded.age if recorded else None, unread_files)
    paths = {one.symbol.path for one in subject.changed} | {one.symbol.path for one in symbols}
    co_changes = _missing(history, subject, index) if history is not None and subject.change is not None else ()
    anything = bool(symbols or tests or points or reached)
    return ReachAnswer(
        asked=subject.asked,
        base=subject.base,
        head=subject.head,
        changed=subject.changed,
        reached=symbols,
        tests=tests,
        entry_points=points,
        services=reached,
        owners=() if isinstance(owners, Unknown) else owners_of(paths, owners),
        experts=(),
        reviewers=(),
        co_changes=co_changes,
        completeness=completeness,
        verdict="some" if anything else "none" if _nothing_is_sure(ground, completeness) else "unknown",
        notes=(*ground.notes, *([LOADS] if loads else []), *_notes(owners, unread_files, recorded)),
    )


# Private


def _settings(question: str, repository: Repository, environment: Mapping[str, str]) -> Settings:
    revision = "HEAD" if not question or not _is_range(question) else question.partition("..")[0] or "HEAD"
    return read_settings(repository, repository.resolve(revision), environment).settings


def _is_range(question: str) -> bool:
    return ".." in question and not question.startswith("../")


def _subject(question: str, repository: Repository, settings: Settings, store: Store) -> Subject:
    """What the question is about. A file of HEAD, alone or before a colon, is asked about; all else names a change."""
    if question and not _is_range(question):
        path, _, name = question.partition(":")
        path = path.removeprefix("./")
        head = repository.resolve("HEAD")
        tree = repository.resolve("HEAD^{tree}", "tree")
        if _has_file(repository, tree, path):
            index = read_index(repository, tree, store)
            if path in index.files:
                return _asked_about(question, index, path, name, head, tree)
        if name or ("/" in path and not repository.exists(question)):
            raise _no_such_file(path, read_index(repository, tree, store))
    ends = read_ends(Question(change=question), repository)
    return _of_change(_read_change(ends, repository, settings), repository, ends)


def _read_change(ends: Ends, repository: Repository, settings: Settings) -> Change:
    """The change without what reach does not ask: its domains, its intent, the marks that it sets."""
    files = read_diff(repository, ends.base_tree, ends.head_tree).files
    if any(language_of(show_path(file.path)) is None for file in files):
        attributes = read_attributes(repository, ends.base_tree, [file.path for file in files])
        files = classify_files(files, attributes, settings)
    return Change(
        kind=ends.kind,
        chosen=ends.chosen,
        base=ends.base,
        head=ends.head,
        base_tree=ends.base_tree,
        head_tree=ends.head_tree,
        target=ends.target,
        source=ends.source,
        commits=read_commits(repository, ends.base, ends.head) if ends.head else (),
        files=files,
        intent=Intent(),
        pull_request=ends.pull_request,
        branches=ends.branches,
    )


def _has_file(repository: Repository, tree: str, path: str) -> bool:
    """Whether the tree has it: asked of git, as most questions name a commit and need no list of all files."""
    found = repository.look_up([f"{tree}:{path}"]) if path and not set("\n\0") & set(path) else ()
    return any(one.kind == "blob" for one in found)


def _asked_about(question: str, index: Index, path: str, name: str, head: str, tree: str) -> Subject:
    file = index.read([path]).get(path)
    if name and file is not None and file.error:
        raise InputError(f"{path} could not be read: {file.error}", where=question, mend="ask about the whole file")
    if name and (file is None or not any(d.name == name for d in file.definitions)):
        near = sorted(d.name for d in file.definitions if d.name and name.rpartition(".")[2] in d.name) if file else []
        mend = f"perhaps {', '.join(near[:3])}" if near else "name it as in the source: Class.method"
        raise InputError(f"{path} has no symbol {name!r}", where=question, mend=mend)
    kind, line, end = "file", 1, 1
    for definition in file.definitions if file and name else ():
        if definition.name == name:
            kind, line, end = definition.kind, definition.line, definition.end_line
            break
    asked = ChangedSymbol(SymbolId(path, name), kind, "asked", line, end, "head")
    return Subject(question, head, head, tree, tree, (asked,))


def _no_such_file(path: str, index: Index) -> InputError:
    last = path.rpartition("/")[2]
    near = [known for known in index.files if known.rpartition("/")[2] == last][:3]
    mend = f"perhaps {', '.join(near)}" if near else "paths are those of the last commit, from the top folder"
    return InputError("there is no such file in HEAD", where=path, mend=mend)


def _of_change(change: Change, repository: Repository, ends: Ends | None = None) -> Subject:
    symbols = changed_symbols(change.files, side_reader(repository))
    asked = ends.chosen if ends is not None else change.chosen
    return Subject(asked, change.base, change.head, change.base_tree, change.head_tree, symbols, change)


def _read_ground(subject: Subject, repository: Repository, store: Store) -> Ground:
    before, after = list_index_pair(repository, subject.base_tree, subject.head_tree, store)
    kept = read_kept_tree(before, store)
    tree = read_head_tree(kept, None if before.tree == after.tree else after)
    files = subject.change.files if subject.change is not None else ()
    joined = join_files(subject.changed, files, before, after, tree, repository)
    subject = msgspec.structs.replace(subject, changed=joined.changed)
    nodes = nodes_of(joined.tree, joined.changed)
    return Ground(subject, before, after, joined.tree, nodes, find_affected(joined.tree, sorted(nodes)), joined.notes)


def _services(ground: Ground, owners: Owners | Unknown, unread: list[tuple[str, str]]) -> tuple[Service, ...]:
    before, after = (Side(index.files, index.read_bytes) for index in (ground.before, ground.index))
    files = ground.subject.change.files if ground.subject.change is not None else ()
    changed = {path.decode("utf-8", "surrogateescape") for file in files for path in (file.path, file.old_path)}
    known = NO_OWNERS if isinstance(owners, Unknown) else owners
    return read_services_of_change(before, after, changed, known, unread)


def _reached_services(
    services: Sequence[Service],
    changed: Sequence[ChangedSymbol],
    symbols: Sequence[ReachedSymbol],
    points: Sequence[EntryPoint],
    traffic: Traffic,
    blocks: Mapping[str, frozenset[str]],
) -> tuple[ReachedService, ...]:
    """Services that are built from what changed or from what can feel it, and those that call them.

    `blocks` says of changed files that set up several services which of them the changed lines speak of.
    """
    likely: dict[str, float] = {}
    for one in symbols:
        likely[one.symbol.path] = max(likely.get(one.symbol.path, 0.0), one.probability)
    for point in points:
        likely[point.handler.path] = max(likely.get(point.handler.path, 0.0), point.probability)
    for file in changed:
        if not file.silent and not is_test(file.symbol.path):
            likely[file.symbol.path] = 1.0
    by_name = {service.name: service for service in services}
    best: dict[str, ReachedService] = {}
    for hit in services_of(likely, services):
        meant = blocks.get(hit.path)
        if meant is not None and hit.service.name not in meant:
            continue
        probability = round((hit.probability if meant is None else 1.0) * likely[hit.path], 4)
        known = best.get(hit.service.name)
        if known is None or probability > known.probability:
            service = msgspec.structs.replace(by_name[hit.service.name], rate=traffic.of_service(hit.service.name))
            best[hit.service.name] = ReachedService(service, probability, "built", hit.reason)
    for service in services:
        for call in service.calls:
            target = best.get(call.target)
            if target is not None and target.how == "built" and service.name not in best:
                rated = msgspec.structs.replace(service, rate=traffic.of_service(service.name))
                probability = round(target.probability * call.probability, 4)
                best[service.name] = ReachedService(rated, probability, "calls", f"calls {call.target}: {call.reason}")
    return tuple(sorted(best.values(), key=lambda one: (-one.probability, one.service.name)))


def _blocks(subject: Subject, index: Index, services: Sequence[Service]) -> Mapping[str, frozenset[str]]:
    """Of changed files that set up services by their own lines: the services that those lines speak of."""
    files = {show_path(file.path): file for file in subject.change.files} if subject.change is not None else {}
    sources = [path for path in files if any(paths_of_service(service, path) for service in services)]
    contents = index.read_bytes(sources) if sources else {}
    names = {service.name for service in services}
    found = {path: touched_services(files[path], content) for path, content in contents.items()}
    return {path: touched for path, touched in found.items() if touched is not None and touched & names}


def _still_there(tests: Sequence[ReachedTest], changed: Sequence[ChangedSymbol]) -> tuple[ReachedTest, ...]:
    """The tests that the head has: what was deleted cannot be run."""
    gone = {one.symbol for one in changed if one.what == "deleted"}
    gone |= {one.was for one in changed if one.was is not None and one.was != one.symbol}
    return tuple(test for test in tests if test.symbol not in gone) if gone else tuple(tests)


def _missing(history: History, subject: Subject, index: Index) -> tuple[CoChange, ...]:
    """What usually changes with what can be felt; a word of documentation calls for nothing."""
    loud = {one.symbol.path for one in subject.changed if not one.silent}
    found = missing_partners(history, {one.symbol.path for one in subject.changed}, present=set(index.files))
    return tuple(one for one in found if one.because.path in loud)


def _with_rates(points: Sequence[EntryPoint], traffic: Traffic) -> tuple[EntryPoint, ...]:
    if not traffic.rates:
        return tuple(points)
    rates = traffic.of_routes([(point.method, point.path) for point in points])
    return tuple(msgspec.structs.replace(point, rate=rate) for point, rate in zip(points, rates, strict=True))


def _with_services(points: Sequence[EntryPoint], services: Sequence[Service]) -> tuple[EntryPoint, ...]:
    hits: dict[str, set[str]] = {}
    for hit in services_of({point.handler.path for point in points}, services):
        hits.setdefault(hit.path, set()).add(hit.service.name)
    return tuple(
        msgspec.structs.replace(point, services=tuple(sorted(hits.get(point.handler.path, ())))) for point in points
    )


def _completeness(ground: Ground, tests: bool, age: int | None, manifests: Sequence[tuple[str, str]]) -> Completeness:
    index, states = ground.index, ground.tree.state.files
    unsupported: dict[str, int] = {}
    for path in index.files.keys() - index.sources.keys():
        suffix = path[path.rfind(".") :].lower()
        if suffix in _CODE:
            unsupported[suffix] = unsupported.get(suffix, 0) + 1
    files = [*index.unread.items(), *((path, f"{why}; it may say what is deployed") for path, why in manifests)]
    unread = tuple((show_path(path.encode("utf-8", "surrogateescape")), why) for path, why in files)
    return Completeness(
        files=len(states),
        unread=unread[:MOST_UNREAD],
        unread_total=len(unread),
        unsupported=tuple(sorted(unsupported.items(), key=lambda item: (-item[1], item[0]))),
        calls=sum(state.calls for state in states),
        unresolved=sum(state.unresolved for state in states),
        boundaries=sum(state.gaps for state in states),
        tests_known=tests,
        map_age=age,
    )


_CODE = frozenset(
    (
        *(".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".cs", ".php", ".swift", ".scala", ".m", ".mm", ".dart", ".ex"),
        *(".exs", ".erl", ".hs", ".ml", ".lua", ".pl", ".pm", ".r", ".jl", ".sh", ".bash", ".vue", ".svelte", ".sql"),
        *(".groovy", ".clj", ".fs", ".vb", ".zig", ".nim", ".sol", ".proto", ".graphql"),
    )
)


def _nothing_is_sure(ground: Ground, completeness: Completeness) -> bool:
    """Whether an empty answer may be believed: a proof by digests, or nothing at all that stands against it."""
    if all(one.silent or _is_test(one, ground.tree) for one in ground.subject.changed):
        return True
    return bool(ground.nodes) and not (
        completeness.unread_total or completeness.unsupported or completeness.unresolved or completeness.boundaries
    )


def _is_test(one: ChangedSymbol, tree: HeadTree) -> bool:
    """Whether it is a test or stands in one: nothing calls a test but its runner."""
    tests = tests_of(tree)
    name = one.symbol.name
    while name:
        if tree.find(f"{one.symbol.path}:{name}") in tests:
            return True
        name = name.rpartition(".")[0]
    return False


def _notes(owners: Owners | Unknown, unread: Sequence[tuple[str, str]], recorded: object) -> list[str]:
    notes = [f"owners are unknown: {owners.reason}"] if isinstance(owners, Unknown) else []
    notes += [f"{path} was not read for services: {why}" for path, why in unread[:5]]
    notes += list(getattr(recorded, "notes", ()))
    return notes


def _writers(change: Change) -> Collection[str]:
    found = {str(person) for commit in change.commits for person in (commit.author, commit.committer)}
    if change.pull_request is not None:
        found.add(change.pull_request.author)
    return found


def _now(change: Change) -> str:
    return change.commits[-1].committed_at if change.commits else "1970-01-01T00:00:00Z"


def _named(tree: HeadTree, text: str) -> list[int]:
    """The nodes that a person means: a symbol, a path, the handler of a route, or the end of a name."""
    node = tree.find(text if ":" in text else f"{text}:")
    if node is not None:
        return [node]
    handlers = [p.handler for p in tree.points if text in (p.name, p.path)]
    found = [n for h in handlers if (n := tree.find(f"{h.path}:{h.name}")) is not None]
    if found:
        return found
    names = (*tree.graph.names, *tree.delta.names)
    ends = (f":{text}", f".{text}")
    found = [n for n, name in enumerate(names) if name.endswith(ends) and tree.kind(n)]
    if not found:
        raise InputError(f"nothing is named {text!r}", where="--why", mend="name it as PATH:SYMBOL, a test or a route")
    return found[:20]
