"""A CloudFormation resource as Terraform would have it.

Most is spelling. Where the two differ in shape, `shapes` has a function. What Terraform makes a resource of its own (a
bucket's versioning) becomes one, with the address `Bucket.VersioningConfiguration`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tidegate.infra.cloudformation.companions import COMPANIONS
from tidegate.infra.cloudformation.names import terraform_property, terraform_type
from tidegate.infra.cloudformation.shapes import SHAPES, Properties
from tidegate.infra.cloudformation.spelling import plain
from tidegate.infra.values import Value


class Shaped(Struct, frozen=True):
    """A resource as Terraform would have it. `companions` are the resources beside it: suffix, type, values."""

    type: str
    values: dict[str, Value]
    spelled: dict[str, str]
    companions: tuple[tuple[str, str, dict[str, Value]], ...] = ()


def shaped(type_: str, name: str, properties: Properties) -> Shaped:
    """A resource's evaluated properties in Terraform's shape. `type_` is CloudFormation's, `name` the logical id."""
    own = own_type(type_, properties)
    spelled: dict[str, str] = {}
    flat = _flattened(own, properties)
    values: dict[str, Value] = {}
    for key, value in flat.items():
        target = terraform_property(own, key)
        spelled[target] = key
        values[target] = plain(key, value, spelled)
    if change := SHAPES.get(own):
        values |= change(flat)
    companions = COMPANIONS.get(type_)
    beside = companions(name, properties) if companions else ()
    return Shaped(own, {k: v for k, v in values.items() if v is not None}, spelled, tuple(beside))


def own_type(type_: str, properties: Properties) -> str:
    """Terraform's type of a resource, which may depend on what it is attached to or part of."""
    if type_ == "AWS::RDS::DBInstance" and properties.get("DBClusterIdentifier") is not None:
        return "aws_rds_cluster_instance"
    if type_ == "AWS::IAM::Policy" and not properties.get("Roles"):
        if properties.get("Users"):
            return "aws_iam_user_policy"
        if properties.get("Groups"):
            return "aws_iam_group_policy"
    return terraform_type(type_)


# Private

_WRAPPED: Mapping[str, str] = {
    "aws_cloudfront_distribution": "DistributionConfig",
    "aws_launch_template": "LaunchTemplateData",
    "aws_backup_plan": "BackupPlan",
}


def _flattened(type_: str, properties: Properties) -> Properties:
    wrapper = _WRAPPED.get(type_, "")
    inner = properties.get(wrapper)
    if not isinstance(inner, Mapping):
        return properties
    return {**{key: value for key, value in properties.items() if key != wrapper}, **inner}
