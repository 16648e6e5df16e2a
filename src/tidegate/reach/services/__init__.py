"""WHICH SERVICES a tree builds and deploys, from which of its files, and which of them calls which.

One file per kind of file that says so, one line each in PROVIDERS; what they claim is joined into services (`join`),
asked by path (`paths`) and by caller (`calls`). Nothing is rendered, built or run.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tidegate.change.codeowners import NO_OWNERS, Owners
from tidegate.reach.answer import Service
from tidegate.reach.services.builds import BUILDS
from tidegate.reach.services.calls import add_calls_from_code, add_measured_calls, calls_between
from tidegate.reach.services.catalog import CATALOG
from tidegate.reach.services.compose import COMPOSE
from tidegate.reach.services.dockerfile import DOCKERFILE
from tidegate.reach.services.functions import FUNCTIONS
from tidegate.reach.services.helm import HELM
from tidegate.reach.services.interface import Claim, Provider
from tidegate.reach.services.join import as_service, join_claims
from tidegate.reach.services.kubernetes import KUBERNETES
from tidegate.reach.services.paths import ServiceHit, paths_of_service, services_of
from tidegate.reach.services.platforms import PLATFORMS
from tidegate.reach.services.tree import Tree
from tidegate.reach.services.workspaces import WORKSPACES

if TYPE_CHECKING:
    from tidegate.reach.languages.interface import ReadTexts

__all__ = [
    "PROVIDERS",
    "ServiceHit",
    "add_calls_from_code",
    "add_measured_calls",
    "paths_of_service",
    "read_services",
    "services_of",
]

PROVIDERS: tuple[Provider, ...] = (
    COMPOSE,
    KUBERNETES,
    HELM,
    FUNCTIONS,
    PLATFORMS,
    DOCKERFILE,
    BUILDS,
    CATALOG,
    WORKSPACES,
)
"""Everything that is asked, in a fixed order."""


def read_services(
    paths: Collection[str],
    read: ReadTexts,
    owners: Owners = NO_OWNERS,
    unread: list[tuple[str, str]] | None = None,
) -> tuple[Service, ...]:
    """The services of a tree, by name, with the calls that manifests and the catalogue show.

    `paths` are all files of the tree (a mapping of path to blob will do); `read` is asked once, for the files that
    may say something. A file that could not be read, or not wholly, is added to `unread` with the reason. Kinds are
    "service", "job", "function"; "image" is built and deployed by nobody here, "external" the reverse; a "package"
    might be part of a service.
    """
    usable = [
        path
        for path in paths
        if (not path.endswith(_PROGRAMS) or "ockerfile." in path) and _SKIPPED.isdisjoint(path.split("/")[:-1])
    ]
    wanted = {provider.name: sorted(path for path in usable if provider.wants(path)) for provider in PROVIDERS}
    tree = Tree(paths, (path for chosen in wanted.values() for path in chosen), read)
    claims: list[Claim] = []
    for provider in PROVIDERS:
        for path in wanted[provider.name]:
            claims += provider.read(path, tree)
    groups = join_claims(claims)
    services = tuple(as_service(group, owners) for group in groups)
    mentions = {group.name: [mention for claim in group.claims for mention in claim.mentions] for group in groups}
    apis = {api: group.name for group in groups for claim in group.claims for api in claim.apis}
    calls = calls_between(mentions, services, apis)
    if unread is not None:
        unread += sorted(tree.unread.items())
    return tuple(replace(service, calls=calls[service.name]) for service in services)


# Private

_PROGRAMS = (
    ".py",
    ".js",
    ".jsx",
    ".ts",
    ".tsx",
    ".java",
    ".kt",
    ".rb",
    ".rs",
    ".c",
    ".h",
    ".cc",
    ".cpp",
    ".cs",
    ".php",
)
"""Most files of most trees, of which no provider wants any."""

_SKIPPED = frozenset(("node_modules", "vendor", "third_party", "testdata", "fixtures", "__fixtures__", ".git", ".venv"))
