"""Every question that a world of Kubernetes objects is asked. A rule is one function and one line in this list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from tidegate.facts import Unjudged
from tidegate.infra.environment import named, of_path, of_values
from tidegate.infra.kubernetes.objects import mapping
from tidegate.infra.kubernetes.stacks import SOURCE
from tidegate.infra.values import Draft, Rule, World


def kubernetes(world: World) -> Iterator[Draft | Unjudged]:
    """What changed objects do to the cluster; nothing for worlds of other sources."""
    if world.source != SOURCE:
        return
    spaces = _spaces(world)
    for rule in _rules():
        for said in rule(world):
            if isinstance(said, Unjudged) or said.environment:
                yield said
            else:
                yield replace(said, environment=_environment(world, said.address, spaces))


# Private


def _rules() -> tuple[Rule, ...]:
    from tidegate.infra.kubernetes.rules import (
        budgets,
        config,
        custom,
        destroy,
        gitops,
        images,
        immutable,
        pods,
        policies,
        rbac,
        routes,
        security,
        services,
        workloads,
    )

    return (
        destroy.namespaces,
        destroy.definitions,
        destroy.volumes,
        destroy.sets,
        destroy.others,
        destroy.claims_resized,
        workloads.scale,
        workloads.gone,
        workloads.autoscaling,
        workloads.rollout,
        workloads.probes,
        workloads.limits,
        pods.kept_data,
        pods.placement,
        pods.accounts,
        services.selectors,
        services.ports,
        services.kinds,
        services.services_gone,
        routes.hosts,
        routes.protection,
        policies.network_policies,
        budgets.disruption,
        budgets.quotas,
        budgets.jobs,
        images.images,
        security.privileges,
        security.admission_levels,
        security.constraints,
        security.guards,
        rbac.roles,
        rbac.bindings,
        rbac.groups,
        config.objects_gone,
        config.keys_gone,
        immutable.immutable,
        immutable.mismatch,
        gitops.applications,
        gitops.projects,
        gitops.flux,
        gitops.releases,
        custom.meanings,
        custom.endings,
        custom.alerts,
        custom.meshes,
    )


def _spaces(world: World) -> dict[str, str]:
    """The environment that each namespace object says by its labels."""
    found = {}
    for side in (world.before, world.after):
        for one in side.values():
            if one.type == "v1/Namespace":
                metadata = mapping(one.values.get("metadata"))
                found[str(metadata.get("name"))] = _labelled(metadata)
    return {name: word for name, word in found.items() if word}


def _labelled(metadata: Mapping[str, object]) -> str:
    """What labels such as `example.org/environment-name: staging` say, whoever owns the part before the slash."""
    plain = {key.rpartition("/")[2]: value for key, value in mapping(metadata.get("labels")).items()}
    if str(plain.get("is-production", "")).lower() == "true":
        return "production"
    return of_values({"labels": plain})


def _environment(world: World, address: str, spaces: Mapping[str, str]) -> str:
    where = address.partition(" ")[2]
    space, slash, _ = where.partition("/")
    if not slash and address.startswith("Namespace "):
        space = where
    elif not slash:
        space = next(iter(spaces)) if len(spaces) == 1 else ""
    return spaces.get(space) or named(space) or of_path(f"{world.name}/x")
