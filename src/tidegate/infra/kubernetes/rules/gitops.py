"""Argo CD and Flux: what a sync will delete, stop, take over, or take from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Unjudged
from tidegate.infra.kubernetes.objects import mapping, mappings, sequence
from tidegate.infra.kubernetes.rules.common import created, deleted, name_of, spec, updated
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import field, flag, same, show
from tidegate.infra.values import Draft, ResourceChange, Value, World

APPLICATION = "argoproj.io/Application"
SET = "argoproj.io/ApplicationSet"
PROJECT = "argoproj.io/AppProject"
FLUX = "kustomize.toolkit.fluxcd.io/Kustomization"
RELEASE = "helm.toolkit.fluxcd.io/HelmRelease"
SOURCES = tuple(
    f"source.toolkit.fluxcd.io/{kind}" for kind in ("GitRepository", "OCIRepository", "HelmRepository", "Bucket")
)
_FINALIZER = "resources-finalizer.argocd.argoproj.io"


def applications(world: World) -> Iterator[Draft | Unjudged]:
    """Argo CD Applications and sets of them."""
    for change in deleted(world, APPLICATION):
        where = _where(spec(change.before))
        if _taken_over(world, change):
            continue
        if any(
            str(one).startswith(_FINALIZER)
            for one in sequence(mapping((change.before or {}).get("metadata")).get("finalizers"))
        ):
            reason = f"{change.address} is deleted, and its finalizer deletes every object that it deployed{where}."
            yield Draft(
                "OUTAGE_FULL", "critical", change.address, reason, False, "remove the finalizer to keep the objects"
            )
        else:
            reason = f"{change.address} is deleted: what it deployed{where} stays and is no longer managed."
            yield Draft("UNMANAGED", "medium", change.address, reason, True, "apply it again")
    for change in deleted(world, SET):
        kept = flag(field(change.before, "spec.syncPolicy.preserveResourcesOnDeletion"))
        if kept:
            reason = (
                f"{change.address} is deleted; preserveResourcesOnDeletion keeps what "
                "its applications deployed, no longer managed."
            )
            yield Draft("UNMANAGED", "medium", change.address, reason, True, "apply it again")
        else:
            reason = f"{change.address} is deleted: every application that it made goes with the objects they deployed."
            yield Draft(
                "OUTAGE_FULL", "critical", change.address, reason, False, "set preserveResourcesOnDeletion first"
            )
    for change in updated(world, APPLICATION, SET):
        root = "spec" if change.type == APPLICATION else "spec.template.spec"
        yield from _synced(change, root)
        yield from _sourced(change, root)
        if change.type == SET:
            yield from _generated(change)


def projects(world: World) -> Iterator[Draft | Unjudged]:
    """Argo CD projects: where to, from where, and what their applications may deploy."""
    for change in updated(world, PROJECT):
        old, new = spec(change.before), spec(change.after)
        for key in ("destinations", "sourceRepos", "clusterResourceWhitelist", "namespaceResourceWhitelist"):
            fresh = [one for one in sequence(new.get(key)) if one not in sequence(old.get(key))]
            wide = [one for one in fresh if _is_wide(one)]
            if wide:
                reason = (
                    f"spec.{key} of {change.address} now holds {show(wide[0])}: "
                    f"its applications may deploy {_WIDE[key]}."
                )
                yield Draft("IAM_WIDEN", "high", change.address, reason, True, "name what is needed")
            elif fresh:
                reason = f"spec.{key} of {change.address} now also holds {show(fresh)}."
                yield Draft("IAM_WIDEN", "low", change.address, reason, True, "take it out again")
        for key in ("clusterResourceBlacklist", "namespaceResourceBlacklist"):
            lost = [one for one in sequence(old.get(key)) if one not in sequence(new.get(key))]
            if lost:
                reason = f"spec.{key} of {change.address} no longer forbids {show(lost)}."
                yield Draft("GUARD_REMOVED", "medium", change.address, reason, True, "keep it")
    for change in deleted(world, PROJECT):
        used = [a for a, one in world.after.items() if field(one.values, "spec.project") == name_of(change)]
        reason = f"{change.address} is deleted: applications of this project stop syncing{_named(used)}."
        yield Draft("UNMANAGED", "medium" if used else "low", change.address, reason, True, "apply it again")


def flux(world: World) -> Iterator[Draft | Unjudged]:
    """Flux Kustomizations, releases and sources."""
    for change in deleted(world, FLUX):
        if flag(spec(change.before).get("prune")):
            reason = f"{change.address} is deleted, and prune: true deletes every object that it deployed."
            yield Draft(
                "OUTAGE_FULL", "critical", change.address, reason, False, "set prune: false first to keep the objects"
            )
        else:
            reason = f"{change.address} is deleted: what it deployed stays and is no longer managed."
            yield Draft("UNMANAGED", "medium", change.address, reason, True, "apply it again")
    for change in deleted(world, RELEASE):
        reason = f"{change.address} is deleted: Flux uninstalls the release with everything in it."
        yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "apply it again; volumes may be lost")
    for change in deleted(world, *SOURCES):
        reason = f"{change.address} is deleted: whatever is deployed from it stops following its source."
        yield Draft("UNMANAGED", "medium", change.address, reason, True, "apply it again")
    for change in updated(world, FLUX, RELEASE, *SOURCES):
        old, new = spec(change.before), spec(change.after)
        if flag(new.get("suspend")) and not flag(old.get("suspend")):
            reason = f"spec.suspend -> true: {change.address} no longer brings changes, and drift is no longer undone."
            yield Draft("UNMANAGED", "low", change.address, reason, True, "set it back")
        if flag(new.get("prune")) and not flag(old.get("prune")):
            reason = (
                f"spec.prune -> true: objects that {change.address} deployed once and git no longer has are deleted."
            )
            yield Draft(
                "DESTROY",
                "medium",
                change.address,
                reason,
                False,
                "compare what runs with git first",
                certainty="possible",
            )
        if change.type == FLUX and not same(old.get("path"), new.get("path")) and flag(old.get("prune")):
            reason = (
                f"spec.path {show(old.get('path'))} -> {show(new.get('path'))} with prune: true: "
                "objects that the new path does not have are deleted."
            )
            yield Draft("DESTROY", "medium", change.address, reason, False, "compare both paths", certainty="possible")
        if change.type in SOURCES:
            yield from _owner(change, "spec.url")


def releases(world: World) -> Iterator[Draft | Unjudged]:
    """Values that are given to charts inside objects."""
    from tidegate.infra.kubernetes.helm import judge_values

    for change in updated(world, RELEASE):
        old, new = (mapping(spec(side).get("values")) for side in (change.before, change.after))
        yield from judge_values(old, new, change.address, "spec.values.")
    for change in updated(world, APPLICATION):
        path = "spec.source.helm.valuesObject"
        yield from judge_values(
            mapping(field(change.before, path)), mapping(field(change.after, path)), change.address, f"{path}."
        )


# Private

_WIDE = {
    "destinations": "to any namespace or cluster",
    "sourceRepos": "from any repository",
    "clusterResourceWhitelist": "cluster-wide objects of every kind",
    "namespaceResourceWhitelist": "objects of every kind",
}


def _is_wide(value: Value) -> bool:
    if value == "*":
        return True
    found = mapping(value)
    if "server" in found or "namespace" in found or "name" in found:
        return found.get("namespace") == "*"
    return bool(found) and set(map(str, found.values())) == {"*"}


def _named(names: list[str]) -> str:
    return f" ({listed(names)})" if names else ""


def _taken_over(world: World, change: ResourceChange) -> bool:
    """Whether another application, which is new, deploys the same folder to the same place."""
    keys = ("source", "sources", "destination")
    mine = [spec(change.before).get(key) for key in keys]
    return any([spec(one.after).get(key) for key in keys] == mine for one in created(world, APPLICATION))


def _where(found: Mapping[str, Value]) -> str:
    space = mapping(found.get("destination")).get("namespace")
    return f" in namespace {space}" if space else ""


def _synced(change: ResourceChange, root: str) -> Iterator[Draft]:
    path = f"{root}.syncPolicy.automated"
    old, new = field(change.before, path), field(change.after, path)
    if flag(mapping(new).get("prune")) and not flag(mapping(old).get("prune")):
        reason = (
            f"{path}.prune -> true: objects that {change.address} deployed once and "
            "git no longer has are deleted at the next sync."
        )
        yield Draft(
            "DESTROY", "medium", change.address, reason, False, "compare what runs with git first", certainty="possible"
        )
    if flag(mapping(new).get("selfHeal")) and not flag(mapping(old).get("selfHeal")):
        reason = f"{path}.selfHeal -> true: what was changed by hand in the cluster is undone."
        yield Draft(
            "DRIFT_REVERT", "low", change.address, reason, True, "put these changes in git first", certainty="possible"
        )
    if isinstance(old, Mapping) and new is None:
        reason = f"{path} is removed: changes in git are no longer applied by themselves, and drift is not undone."
        yield Draft("UNMANAGED", "low", change.address, reason, True, "set it back")
    options = f"{root}.syncPolicy.syncOptions"
    fresh = [
        str(one) for one in sequence(field(change.after, options)) if one not in sequence(field(change.before, options))
    ]
    for one in fresh:
        if one in ("Replace=true", "Force=true"):
            reason = f"{options} {one}: a sync deletes and makes objects again instead of patching them."
            yield Draft("RESTART", "medium", change.address, reason, True, "leave it out")


def _sourced(change: ResourceChange, root: str) -> Iterator[Draft]:
    old, new = mapping(field(change.before, root)), mapping(field(change.after, root))
    one, other = mapping(old.get("destination")), mapping(new.get("destination"))
    for key in ("server", "name", "namespace"):
        if one.get(key) and other.get(key) and not same(one[key], other[key]):
            reason = (
                f"destination.{key} {show(one[key])} -> {show(other[key])}: "
                f"{change.address} deploys elsewhere, and what it "
                "deployed before is left behind or pruned."
            )
            yield Draft(
                "OUTAGE_FULL", "high", change.address, reason, True, "make a second application, then remove the first"
            )
    yield from _owner(change, f"{root}.source.repoURL")
    path = f"{root}.source.targetRevision"
    before, after = field(change.before, path), field(change.after, path)
    if before and not _floats(before) and _floats(after):
        reason = f"{path} {show(before)} -> {show(after or 'HEAD')}: whatever is pushed there is deployed, unseen."
        yield Draft("SUPPLY_CHAIN", "medium", change.address, reason, True, "name a tag or a commit")
    path = f"{root}.source.path"
    before, after = field(change.before, path), field(change.after, path)
    if before and after and not same(before, after):
        prune = flag(field(change.after, f"{root}.syncPolicy.automated.prune"))
        said = f"{path} {show(before)} -> {show(after)}: {change.address} deploys another folder"
        if prune:
            reason = f"{said}, and with prune: true deletes objects that this folder does not have."
            yield Draft(
                "DESTROY", "medium", change.address, reason, False, "compare both folders", certainty="possible"
            )
        else:
            yield Draft("UNMANAGED", "low", change.address, f"{said}.", True, "set it back", certainty="possible")
    if old.get("project") and not same(old.get("project"), new.get("project")):
        reason = (
            f"{root}.project {show(old.get('project'))} -> {show(new.get('project'))}: "
            f"other limits hold for {change.address}."
        )
        yield Draft(
            "IAM_WIDEN", "low", change.address, reason, True, "see what the project allows", certainty="possible"
        )


def _floats(revision: Value) -> bool:
    text = str(revision or "HEAD")
    return text in ("HEAD", "main", "master", "*", "develop", "latest")


def _owner(change: ResourceChange, path: str) -> Iterator[Draft]:
    old, new = str(field(change.before, path) or ""), str(field(change.after, path) or "")
    if old and new and _host_and_owner(old) != _host_and_owner(new):
        reason = f"{path} {_plain(old)} -> {_plain(new)}: {change.address} deploys what another owner publishes."
        yield Draft("SUPPLY_CHAIN", "high", change.address, reason, True, "see who publishes it")


def _plain(url: str) -> str:
    """An address without the name and the token that may stand in it."""
    scheme, mark, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}" if mark else url


def _host_and_owner(url: str) -> tuple[str, ...]:
    rest = url.split("://", 1)[-1].rpartition("@")[2].replace(":", "/").lower().removesuffix("/").removesuffix(".git")
    return tuple(part for part in rest.split("/") if part)[:2]


def _generated(change: ResourceChange) -> Iterator[Draft]:
    old, new = (_elements(spec(side)) for side in (change.before, change.after))
    lost = [one for one in old if one not in new]
    if lost and new:
        reason = (
            f"{change.address} no longer makes an application for {listed(lost)}: "
            "it goes with the objects that it deployed."
        )
        yield Draft(
            "OUTAGE_FULL",
            "high",
            change.address,
            reason,
            False,
            "set preserveResourcesOnDeletion first",
            certainty="possible",
        )


def _elements(found: Mapping[str, Value]) -> list[str]:
    names = []
    for generator in mappings(found.get("generators")):
        elements = mappings(mapping(generator.get("list")).get("elements"))
        folders = mappings(mapping(generator.get("git")).get("directories"))
        names += [str(one.get("name") or one.get("cluster") or one.get("url") or show(one)) for one in elements]
        names += [str(one.get("path")) for one in folders if not one.get("exclude")]
    return names
