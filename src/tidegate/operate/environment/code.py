"""What a repository says: services of its manifests, owners, tiers, routes, calls, services of its Terraform."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.change.codeowners import NO_OWNERS, Owners
from tidegate.change.git import Repository
from tidegate.change.owners_file import read_owners
from tidegate.change.trees import GitTree, tree_of
from tidegate.facts import Unknown
from tidegate.infra.terraform.folders import Folders
from tidegate.infra.terraform.stacks import Stack, read_stack
from tidegate.operate.environment import resources
from tidegate.operate.environment.rule_files import read_rule_files
from tidegate.operate.environment.rules import statements_of as rule_statements
from tidegate.operate.environment.statements import Exists, Matters, NotKnown, Owns, Serves, Statement, Told, Uses
from tidegate.operate.environment.values import Said, ServiceKind, SourceRead
from tidegate.reach.answer import EntryPoint, Service
from tidegate.reach.entries.places import is_test
from tidegate.reach.index import list_index_pair
from tidegate.reach.journey import store_folder
from tidegate.reach.routes import shape_of
from tidegate.reach.services import read_services
from tidegate.reach.services.calls import add_calls_from_code
from tidegate.reach.services.paths import services_of
from tidegate.reach.store import open_store
from tidegate.reach.trees import read_kept_tree
from tidegate.report.layout import grouped
from tidegate.settings import Settings

SURE_CALL = 0.8
"""A call of a lower probability is a guess: an order of starting, a client whose name fits."""
LEAST_CALL = 0.5
SURE_ROUTE = 0.9
LEAST_ROUTE = 0.5
MOST_SOURCES = 20_000
MOST_STACKS = 200
MOST_UNREAD = 5
"""So many files that could not be read are named."""


class Code(Struct, frozen=True):
    """A revision of a repository as sources of the map. `stacks` are its Terraform, for the state to be held against.

    `where` names it for people.
    """

    where: str
    statements: tuple[Statement, ...]
    stacks: tuple[Stack, ...] = ()


def read_code(repository: Repository, revision: str, settings: Settings, where: str, *, routes: bool = True) -> Code:
    """What the revision says. `routes`: also those of its code, which reads all of it."""
    tree = repository.resolve(f"{revision}^{{tree}}", "tree")
    files = tree_of(repository, tree)
    owners = read_owners(repository, revision, settings)
    unread: list[tuple[str, str]] = []
    services = read_services(files.paths(), files.read, NO_OWNERS, unread)
    said: list[Statement] = []
    if isinstance(owners, Unknown):
        said.append(NotKnown(says=f"owners of {where}: {owners.reason}"))
        owners = NO_OWNERS
    points: Sequence[EntryPoint] = ()
    if routes:
        points, services, more = _from_sources(repository, tree, services)
        said += more
    else:
        said.append(NotKnown(says=f"the routes in the code of {where} were not read, only those in spans"))
    served, homeless = _routes(points, services)
    if homeless:
        said.append(NotKnown(says=f"{grouped(homeless, 'route')} of the code belong to no service that is built here"))
    for service in services:
        said += _of_service(service, owners)
    said += served
    stacks, more = _terraform(files)
    said += more
    rules, recorded, missed = read_rule_files(files)
    said += (*rule_statements(rules, "", recorded=recorded), *missed)
    said += [NotKnown(says=f"{path} was not read for services: {why}") for path, why in unread[:MOST_UNREAD]]
    if len(unread) > MOST_UNREAD:
        said.append(NotKnown(says=f"{len(unread) - MOST_UNREAD} more files were not read for services"))
    count = sum(service.kind != "package" for service in services)
    distinct = {(one.service, one.method, shape_of(one.path)) for one in served}
    words = f"{grouped(count, 'service')}, {grouped(len(distinct), 'route')}"
    words += f", {grouped(len(rules), 'alert rule')}" if rules else ""
    said.append(Told(read=SourceRead(source="code", where=where, says=words)))
    return Code(where, tuple(said), stacks)


# Private

_KINDS: Mapping[str, ServiceKind | None] = {
    "service": "service",
    "job": "job",
    "function": "function",
    "image": "image",
    "external": "external",
    "package": None,
}


def _of_service(service: Service, owners: Owners) -> Iterator[Statement]:
    said = Said(source="code", where=_file(service))
    yield Exists(service=service.name, kind=_KINDS.get(service.kind, "service"), said=said, hosts=service.hosts)
    if service.owner:
        yield Owns(service=service.name, owners=(service.owner,), said=_catalog(service, said))
    yield from _code_owners(service, owners)
    if service.tier_known:
        yield Matters(service=service.name, tier=service.tier, said=_catalog(service, said))
    for call in service.calls:
        if call.probability < LEAST_CALL:
            continue
        guess = "" if call.probability >= SURE_CALL else f"a call is taken from: {call.reason}"
        place = call.reason.rpartition(" in ")[2]
        where = place if " " not in place else call.reason
        yield Uses(service=service.name, target=call.target, said=Said(source="code", where=where, guess=guess))


def _code_owners(service: Service, owners: Owners) -> Iterator[Owns]:
    """Who owns the first of its paths that anybody owns."""
    for path in service.paths if owners.path else ():
        if not path or path.startswith("!"):
            continue
        found = owners.owners_of(path.encode("utf-8", "surrogateescape"))
        found = found or owners.owners_of(f"{path}/x".encode("utf-8", "surrogateescape"))
        names = tuple(dict.fromkeys(name for one in found if not one.doubt for name in one.owners))
        if names:
            line = next(one.line for one in found if one.owners)
            people = all("/" not in name for name in names)
            said = Said(source="code", where=f"{owners.path}:{line}")
            yield Owns(service=service.name, owners=names, said=said, people=people)
            return


def _file(service: Service) -> str:
    return service.source.split(", ")[0].partition(" (")[0]


def _catalog(service: Service, said: Said) -> Said:
    """The catalogue's file where there is one, else what deploys it."""
    files = [part.partition(" (")[0] for part in service.source.split(", ")]
    where = next((file for file in files if "catalog" in file), said.where)
    return Said(source="code", where=where)


def _from_sources(
    repository: Repository, tree: str, services: tuple[Service, ...]
) -> tuple[Sequence[EntryPoint], tuple[Service, ...], list[Statement]]:
    """The entry points of the code, and the services with the calls that its texts show."""
    more: list[Statement] = []
    with open_store(store_folder(repository)) as store:
        index, _ = list_index_pair(repository, tree, tree, store)
        points = read_kept_tree(index, store).points.points
        built = [service for service in services if service.kind not in ("package", "external")]
        inside = {hit.path for hit in services_of(index.sources, built) if hit.probability >= LEAST_ROUTE}
        if len(inside) > MOST_SOURCES:
            more.append(NotKnown(says=f"{len(inside)} files are too many to be searched for calls between services"))
            inside = set()
        texts: dict[str, list[str]] = {}
        names: dict[str, list[str]] = {}
        for path, symbols in index.read(sorted(path for path in inside if _is_written(path))).items():
            texts[path] = [text.value for text in symbols.texts]
            names[path] = [one.chain for one in symbols.references if one.chain.endswith(_CLIENTS)]
        for path, content in index.read_bytes([path for path, chains in names.items() if chains]).items():
            if _MADE.search(content[:2000]):
                del names[path]
        services = add_calls_from_code(services, texts, names)
        missing = len(index.unread)
    if missing:
        more.append(NotKnown(says=f"{grouped(missing, 'file')} of code could not be read for routes"))
    return points, services, more


_CLIENTS = ("Stub", "Client")
_MADE = re.compile(rb"(?i)do not edit|@generated|code generated|auto-?generated|generated by")
_GENERATED = (".pb.go", "_pb2.py", "_pb2_grpc.py", "_pb.js", "_pb.ts", "_pb.rb", "Grpc.java", "GrpcKt.kt", ".min.js")


def _is_written(path: str) -> bool:
    """Whether people wrote it, to run: generated clients of gRPC stand in every service that has the protocol."""
    return not path.endswith(_GENERATED) and not is_test(path)


def _routes(points: Sequence[EntryPoint], services: Sequence[Service]) -> tuple[list[Serves], int]:
    """HTTP routes and remote procedures, each with the services that its handler is built into; and how many of them
    are built into none."""
    routes = [one for one in points if _is_route(one)]
    running = [service for service in services if service.kind != "external"]
    hits: dict[str, list[tuple[str, float]]] = {}
    for hit in services_of({one.handler.path for one in routes}, running):
        if hit.probability >= LEAST_ROUTE:
            hits.setdefault(hit.path, []).append((hit.service.name, hit.probability))
    found: list[Serves] = []
    for one in routes:
        for service, probability in hits.get(one.handler.path, ()):
            guess = "" if probability >= SURE_ROUTE else f"{one.handler.path} may be built into it"
            said = Said(source="code", where=str(one.handler), guess=guess)
            method = "" if one.kind == "rpc" else one.method
            found.append(Serves(service=service, method=method, path=one.path, said=said, handler=str(one.handler)))
    return found, sum(one.handler.path not in hits for one in routes)


def _is_route(one: EntryPoint) -> bool:
    """A procedure without a class that answers stands in the .proto alone, which its callers have a copy of too. What
    runs for every method of every path below another is a part of other routes."""
    if one.kind == "rpc":
        return bool(one.handler.name)
    if one.kind != "http" or (one.method == "*" and "*" in one.path):
        return False
    return one.path == "/" or bool(one.path.strip("/*{}?"))


def _terraform(files: GitTree) -> tuple[tuple[Stack, ...], list[Statement]]:
    folders = Folders(files, {})
    roots = [path for path in folders.below("") if not folders.callers(path)]
    said: list[Statement] = []
    if len(roots) > MOST_STACKS:
        said.append(NotKnown(says=f"of {len(roots)} folders of Terraform {MOST_STACKS} were read"))
    stacks = tuple(read_stack(folders, path) for path in sorted(roots)[:MOST_STACKS])
    unnamed = 0
    for stack in stacks:
        for piece in stack.pieces.values():
            place = Said(source="code", where=f"{piece.place.path}:{piece.place.line}")
            said += resources.statements_of(piece.type, piece.values, place)
            unnamed += resources.is_unnamed(piece.type, piece.values)
    if unnamed:
        said.append(NotKnown(says=f"{unnamed} services in Terraform have a name that only a plan or a state settles"))
    return stacks, said
