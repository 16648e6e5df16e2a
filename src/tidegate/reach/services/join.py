"""One service out of all that files claim of it.

What runs is joined by name, unless two of a name are built from different folders. What builds an image is joined by
its Dockerfile, the image, the folder or the name; the catalogue by name or folder. `source` tells each join.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from tidegate.change.codeowners import Owners
from tidegate.reach.answer import Service, Tier
from tidegate.reach.services.interface import Claim
from tidegate.reach.services.mentions import image_key
from tidegate.reach.services.paths import fits
from tidegate.reach.services.tree import name_of


class Group:
    """The claims of one service, the first of which names it, and how each came to it."""

    def __init__(self, claim: Claim) -> None:
        self.name = claim.name
        self.claims = [claim]
        self.how = [claim.source]

    def add(self, claim: Claim, how: str) -> None:
        if claim.role == "catalog" and all(known.role == "build" for known in self.claims):
            self.name = claim.name
        self.claims.append(claim)
        entry = f"{claim.source} ({how})"
        if claim.source not in {known.partition(" (")[0] for known in self.how}:
            self.how.append(entry)

    def take(self, other: Group, how: str) -> None:
        for claim in other.claims:
            self.add(claim, how)

    @property
    def built(self) -> tuple[str, ...]:
        """The paths that build it."""
        return tuple(dict.fromkeys(path for claim in self.claims if claim.built for path in claim.paths))

    @property
    def names(self) -> set[str]:
        return {_plain(claim.name) for claim in self.claims}

    @property
    def keys(self) -> set[str]:
        return {key for claim in self.claims for image in claim.images if (key := image_key(image, tag=True))}

    @property
    def kind(self) -> str:
        """What it is: "external" runs here and is built elsewhere."""
        kinds = [claim.kind for claim in self.claims if claim.kind]
        if not self.built and any(claim.role == "deploy" for claim in self.claims) and not self.catalogued:
            return "external"
        return next((kind for kind in kinds if kind not in ("image", "package")), kinds[0] if kinds else "service")

    @property
    def catalogued(self) -> bool:
        return any(claim.role == "catalog" for claim in self.claims)


def join_claims(claims: Iterable[Claim]) -> list[Group]:
    """The services of a tree, in the order of their names."""
    ordered = sorted(
        claims, key=lambda c: (_ROLES.index(c.role), not c.built, not c.kind, c.provider, c.source, c.name)
    )
    groups = _running([claim for claim in ordered if claim.role == "deploy"])
    _join_by_image(groups)
    _add_builds(groups, [claim for claim in ordered if claim.role == "build"])
    _add_catalog(groups, [claim for claim in ordered if claim.role == "catalog"])
    _add_packages(groups, [claim for claim in ordered if claim.role == "package"])
    _rename(groups)
    return sorted(groups, key=lambda group: (group.name, group.how))


def as_service(group: Group, owners: Owners) -> Service:
    """The service of a group, without its calls. CODEOWNERS says who owns it where nobody else does."""
    deploys = tuple(dict.fromkeys(path for claim in group.claims for path in claim.deploys))
    paths = tuple(dict.fromkeys((*group.built, *deploys)))
    owner = next((claim.owner for claim in _catalog_first(group) if claim.owner), "")
    tier = next((tier for claim in _catalog_first(group) if (tier := _tier(claim.tier))), None)
    return Service(
        name=group.name,
        kind=group.kind,
        source=", ".join(group.how[:8]) + (f" and {len(group.how) - 8} more" if len(group.how) > 8 else ""),
        paths=paths,
        owner=owner or _code_owner(paths, owners),
        tier=tier or "critical",
        tier_known=tier is not None,
        hosts=tuple(dict.fromkeys(host for claim in group.claims for host in claim.hosts)),
    )


# Private

_ROLES = ("deploy", "build", "catalog", "package")
_TIERS: dict[str, Tier] = {
    **dict.fromkeys(("0", "1", "critical", "missioncritical", "gold", "p0", "p1", "highest", "veryhigh"), "critical"),
    **dict.fromkeys(("2", "high", "silver", "p2", "important"), "high"),
    **dict.fromkeys(("3", "medium", "normal", "bronze", "p3", "moderate"), "medium"),
    **dict.fromkeys(("4", "5", "low", "minor", "p4", "none"), "low"),
}


def _running(claims: Sequence[Claim]) -> list[Group]:
    groups: list[Group] = []
    by_name: dict[str, list[Group]] = {}
    for claim in claims:
        alike = by_name.setdefault(_plain(claim.name), [])
        group = next((g for g in alike if not _differ(g.built, claim.paths if claim.built else ())), None)
        if group is None:
            if not claim.kind:
                continue  # a Kubernetes Service whose workload nobody deploys here
            group = Group(claim)
            alike.append(group)
            groups.append(group)
        else:
            group.add(claim, "same name")
    return groups


def _join_by_image(groups: list[Group]) -> None:
    """Two services of one image are one when each of two providers knows only one of that image."""
    by_image: dict[str, list[Group]] = {}
    for group in groups:
        for key in group.keys:
            by_image.setdefault(key, []).append(group)
    for key in sorted(by_image):
        alike = [group for group in by_image[key] if group in groups]
        if len(alike) != 2:
            continue
        built, plain = sorted(alike, key=lambda group: not group.built)
        providers = [{claim.provider for claim in group.claims} for group in alike]
        if built.built and not plain.built and not providers[0] & providers[1]:
            built.take(plain, f"same image {key}")
            groups.remove(plain)


def _add_builds(groups: list[Group], claims: Sequence[Claim]) -> None:
    """Dockerfiles go to every service that is built from them, else to those that nothing builds yet and that fit."""
    made: list[Group] = []
    for claim in claims:
        users = [g for g in groups if claim.dockerfile and any(c.dockerfile == claim.dockerfile for c in g.claims)]
        how = "its Dockerfile"
        if not users:
            users, how = _fitting(claim, [*groups, *(group for group in made if not claim.dockerfile)])
        for group in users:
            group.add(claim, how)
        if not users:
            made.append(Group(claim))
    groups += made


def _fitting(claim: Claim, groups: Sequence[Group]) -> tuple[list[Group], str]:
    names = {_plain(claim.name), _plain(name_of(claim.folder))} - {""}
    images = {_last(image) for image in claim.images} | names
    tests: tuple[tuple[Callable[[Group], bool], str], ...] = (
        (lambda g: bool({image_key(i) for i in claim.images} & {_untagged(k) for k in g.keys}), "same image"),
        (lambda g: bool(g.names & names), "same name"),
        (lambda g: bool({_last(key) for key in g.keys} & images), "image of that name"),
    )
    for test, how in tests:
        found = [g for g in groups if not _differ(g.built, claim.paths) and test(g)]
        if found:
            return found, how
    return [], ""


def _add_catalog(groups: list[Group], claims: Sequence[Claim]) -> None:
    for claim in claims:
        found = [group for group in groups if _plain(claim.name) in group.names]
        how = "same name"
        if not found:
            inside = [g for g in groups if any(_within(claim.folder, path) for path in g.built)]
            found, how = (inside if len(inside) == 1 else []), "same folder"
        for group in found[:1]:
            group.add(claim, how)
        if not found:
            groups.append(Group(claim))


def _add_packages(groups: list[Group], claims: Sequence[Claim]) -> None:
    """A package that a service is built from closely is that service; so is one inside it."""
    specific = {path for group in groups for path in group.built if path}
    for claim in claims:
        if not claim.folder and (specific or any(other.folder for other in claims)):
            continue  # the root of a workspace
        if claim.folder and any(fits(path, claim.folder) for path in specific):
            continue
        if claim.source in specific or any(path.startswith(f"{claim.folder}/") for path in specific if claim.folder):
            continue
        named = next((g for g in groups if _plain(claim.name) in g.names and not g.built), None)
        if named is not None:
            named.add(claim, "same name")
        else:
            groups.append(Group(claim))


def _rename(groups: list[Group]) -> None:
    """Two services of one name are told apart by the file that says so."""
    by_name: dict[str, list[Group]] = {}
    for group in groups:
        by_name.setdefault(group.name, []).append(group)
    for name, alike in by_name.items():
        for group in alike if len(alike) > 1 else ():
            group.name = f"{name} ({group.claims[0].source})"


def _differ(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two are built, and from places that do not meet. Files at the top of a tree say nothing."""
    left, right = ([p for p in paths if not p.startswith("!")] for paths in (one, other))
    return bool(left and right) and not any(_within(a, b) or _within(b, a) for a in left for b in right)


def _within(folder: str, path: str) -> bool:
    return not folder or path == folder or path.startswith(folder + "/")


def _catalog_first(group: Group) -> list[Claim]:
    return sorted(group.claims, key=lambda claim: claim.role != "catalog")


def _tier(text: str) -> Tier | None:
    return _TIERS.get(_plain(text).removeprefix("tier"))


def _code_owner(paths: Sequence[str], owners: Owners) -> str:
    for path in paths:
        if path and not path.startswith("!"):
            found = owners.owners_of(path.encode()) or owners.owners_of(f"{path}/x".encode())
            names = [name for ownership in found for name in ownership.owners]
            if names:
                return " ".join(dict.fromkeys(names))
    return ""


def _last(image: str) -> str:
    return _plain(name_of(_untagged(image_key(image, tag=True))))


def _untagged(key: str) -> str:
    head, slash, last = key.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _plain(name: str) -> str:
    """A name as it is compared: cart_service, CartService and cart-service are one."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())
