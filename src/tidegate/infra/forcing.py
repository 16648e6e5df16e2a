"""Which attribute of which type cannot be changed in place: a change to it destroys the object and makes a new one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, TypeAlias

from tidegate.infra.cloudformation.names import cloudformation_types, terraform_property
from tidegate.infra.tables import lines, table

Forces: TypeAlias = Literal["always", "conditionally", "no", "unknown"]


def forces(type_: str, attribute: str) -> Forces:
    """Whether a new value replaces the object in Terraform. Names are Terraform's; a path (`vpc_config.subnet_ids`,
    `ingress.0.description`) is judged by its longest known part.

    What Terraform's own providers say comes first, then the resource schemas of CloudFormation, which agree with them
    nearly everywhere.
    """
    plain = ".".join(part for part in attribute.split(".") if not part.isdigit())
    own = _extra(type_)
    parts = plain.split(".")
    for length in range(len(parts), 0, -1):
        path = ".".join(parts[:length])
        if path in own:
            return own[path]
        if path in _schema(type_):
            return _schema(type_)[path]
    return own.get("*", "unknown")


def replaced_by(type_: str, name: str) -> Forces:
    """Whether CloudFormation replaces the resource when this property changes; both names are CloudFormation's.

    `name` is top-level or a path with slashes (`VpcConfig/SubnetIds`).
    """
    entry = _entry(type_)
    if entry is None:
        return "unknown"
    if name in IN_PLACE.get(type_, ()):
        return "no"
    return entry.get(name, "unknown")


def nested(type_: str) -> tuple[str, ...]:
    """The paths below top level that force a replacement in CloudFormation: `VpcConfig/SubnetIds`."""
    return tuple(path for path, how in (_entry(type_) or {}).items() if "/" in path and how != "no")


def deletes_first(type_: str) -> bool:
    """Whether CloudFormation deletes the old resource before it creates the new one; both must not stand together."""
    return type_ in _deletes_first()


def caseless(type_: str, name: str) -> bool:
    """Whether a property of a CloudFormation type means the same in any case: `MySQL` is `mysql`."""
    return name in table("cloudformation")["caseless"].get(type_, "").split()


IN_PLACE: Mapping[str, tuple[str, ...]] = {
    "AWS::RDS::DBInstance": (
        "AutoMinorVersionUpgrade",
        "BackupRetentionPeriod",
        "DBParameterGroupName",
        "MultiAZ",
        "PreferredMaintenanceWindow",
    ),
    "AWS::Neptune::DBInstance": ("AutoMinorVersionUpgrade", "DBParameterGroupName", "PreferredMaintenanceWindow"),
    "AWS::AutoScaling::AutoScalingGroup": (
        "LaunchConfigurationName",
        "LaunchTemplate",
        "MixedInstancesPolicy",
        "VPCZoneIdentifier",
    ),
    "AWS::EC2::Instance": ("EbsOptimized", "UserData", "InstanceType", "SecurityGroupIds", "PrivateDnsNameOptions"),
    "AWS::ElasticLoadBalancing::LoadBalancer": ("HealthCheck",),
}
"""Marked conditional in the schemas, updated in place by the user guide."""

# Private

_MARKS: Mapping[str, Forces] = {"?": "conditionally", "-": "no"}


@cache
def _extra(type_: str) -> Mapping[str, Forces]:
    found = _lines().get(type_)
    return found if found is not None else _lines().get(type_.split("_")[0] + "_*", {})


@cache
def _lines() -> Mapping[str, Mapping[str, Forces]]:
    return {
        type_: {one.rstrip("?-"): _MARKS.get(one[-1], "always") for one in names} for type_, *names in lines("forces")
    }


@cache
def _schema(type_: str) -> Mapping[str, Forces]:
    found: dict[str, Forces] = {}
    for source in cloudformation_types(type_):
        for name, how in (_entry(source) or {}).items():
            path = ".".join(terraform_property(type_, part) for part in name.split("/") if part != "*")
            found[path] = "no" if name in IN_PLACE.get(source, ()) else how
    return found


@cache
def _entry(type_: str) -> Mapping[str, Forces] | None:
    entry = table("cloudformation")["types"].get(type_)
    if entry is None:
        return None
    kinds: tuple[Forces, ...] = ("always", "conditionally", "no")
    return {name: how for how, names in zip(kinds, entry, strict=True) for name in names.split()}


@cache
def _deletes_first() -> frozenset[str]:
    return frozenset(table("cloudformation")["deletes_first"].split())
