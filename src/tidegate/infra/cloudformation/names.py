"""Names: CloudFormation's types and properties as Terraform spells them, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from tidegate.infra.tables import lines, table

_PLURAL = re.compile(r"(ARN|ID|AZ|IP|URL|API|ACL|CIDR|VPC)s(?=[A-Z]|$)")
_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def terraform_type(type_: str) -> str:
    """`AWS::RDS::DBInstance` -> `aws_db_instance`. What is not AWS's own keeps its name."""
    if not type_.startswith("AWS::"):
        return type_
    own = type_.removeprefix("AWS::")
    service, _, kind = own.partition("::")
    return "aws_" + (_types().get(own) or f"{service.lower()}_{snake(kind.replace('::', '_'))}")


def cloudformation_types(type_: str) -> tuple[str, ...]:
    """`aws_db_instance` -> `AWS::RDS::DBInstance`; none for a type that CloudFormation does not know."""
    return _back().get(type_, ())


def terraform_property(type_: str, name: str) -> str:
    """What Terraform calls a property of a type; `type_` is Terraform's."""
    return _properties().get(type_.removeprefix("aws_"), {}).get(name) or snake(name)


@cache
def snake(name: str) -> str:
    """`TargetGroupARNs` -> `target_group_arns`."""
    return _EDGE.sub("_", _PLURAL.sub(lambda found: found[1].capitalize() + "s", name)).lower()


# Private


@cache
def _types() -> Mapping[str, str]:
    return {line[0]: line[1] for line in lines("cloudformation_types")}


@cache
def _back() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for type_ in table("cloudformation")["types"]:
        found.setdefault(terraform_type(type_), []).append(type_)
    return {name: tuple(types) for name, types in found.items()}


@cache
def _properties() -> Mapping[str, Mapping[str, str]]:
    return {type_: dict(one.split("=", 1) for one in pairs) for type_, *pairs in lines("cloudformation_properties")}
