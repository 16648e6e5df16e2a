"""Plans that break half-way: what the provider refuses to destroy, and names that two cannot have at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.flows.doors import GROUP_NAMES, SUBNET_NAMES
from tidegate.infra.flows.links import leaves
from tidegate.infra.rules.words import named, replaced_why
from tidegate.infra.same import field, flag, number, same
from tidegate.infra.values import Draft, Later, ResourceChange, World


def apply_failures(world: World) -> Iterator[Draft]:
    """Changes of which the apply stops in the middle and leaves the stack half changed."""
    if world.source.startswith("kubernetes"):
        return
    dying = {one.address for one in world.changes if one.action == "delete"}
    created: dict[tuple[str, str], str] = {}
    for one in world.changes:
        if one.action == "create":
            for key in _NAMES.get(one.type, ()):
                if isinstance(name := field(one.after, key), str):
                    created[one.type, name] = one.address
    for change in world.changes:
        if change.destroyed:
            yield from _protected(change)
            yield from _not_empty(change)
            yield from _in_use(world, change, dying)
        if change.action == "replace" and change.create_first:
            yield from _collides(change)
        if change.destroyed:
            yield from _name_waits(change, created)


# Private

_PROTECTIONS = (
    "enable_deletion_protection", "deletion_protection", "deletion_protection_enabled", "disable_api_termination",
    "termination_protection", "enable_termination_protection",
)  # fmt: skip
_USERS: Mapping[str, tuple[str, ...]] = {
    "aws_security_group": GROUP_NAMES,
    "aws_subnet": (*SUBNET_NAMES, "subnets_ids"),
    "aws_db_subnet_group": ("db_subnet_group_name",),
    "aws_db_parameter_group": ("parameter_group_name",),
    "aws_rds_cluster_parameter_group": ("db_cluster_parameter_group_name",),
    "aws_elasticache_subnet_group": ("subnet_group_name",),
    "aws_elasticache_parameter_group": ("parameter_group_name",),
    "aws_acm_certificate": (
        "certificate_arn", "acm_certificate_arn", "ssl_certificate_id", "regional_certificate_arn",
    ),
    "aws_iam_server_certificate": ("certificate_arn", "ssl_certificate_id", "iam_certificate_id"),
    "aws_lb_target_group": ("target_group_arn", "default_target_group_arn", "target_group_arns"),
    "aws_alb_target_group": ("target_group_arn", "default_target_group_arn", "target_group_arns"),
    "aws_launch_configuration": ("launch_configuration",),
    "google_compute_subnetwork": ("subnetwork",),
    "google_compute_backend_service": ("default_service", "service"),
    "google_compute_health_check": ("health_checks",),
    "google_compute_ssl_certificate": ("ssl_certificates",),
    "google_compute_instance_template": ("instance_template",),
    "azurerm_subnet": ("subnet_id", "subnet_ids", "virtual_network_subnet_ids"),
    "azurerm_network_security_group": ("network_security_group_id",),
    "azurerm_public_ip": ("public_ip_address_id",),
}  # fmt: skip
"""What cannot be deleted while something names it, and by which attributes it is named."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "aws_security_group": ("name",), "aws_lb": ("name",), "aws_alb": ("name",), "aws_elb": ("name",),
    "aws_lb_target_group": ("name",), "aws_alb_target_group": ("name",), "aws_iam_role": ("name",),
    "aws_iam_policy": ("name",), "aws_iam_instance_profile": ("name",), "aws_iam_user": ("name",),
    "aws_db_instance": ("identifier",), "aws_rds_cluster": ("cluster_identifier",), "aws_s3_bucket": ("bucket",),
    "aws_db_subnet_group": ("name",), "aws_db_parameter_group": ("name",), "aws_lambda_function": ("function_name",),
    "aws_ecs_service": ("name",), "aws_eks_node_group": ("node_group_name",), "aws_eks_cluster": ("name",),
    "aws_dynamodb_table": ("name",), "aws_elasticache_replication_group": ("replication_group_id",),
    "aws_elasticache_cluster": ("cluster_id",), "aws_autoscaling_group": ("name",), "aws_ecr_repository": ("name",),
    "aws_launch_configuration": ("name",), "aws_cloudwatch_log_group": ("name",), "aws_sqs_queue": ("name",),
    "aws_kms_alias": ("name",), "aws_secretsmanager_secret": ("name",), "aws_ssm_parameter": ("name",),
    "google_compute_instance": ("name",), "google_compute_instance_template": ("name",),
    "google_compute_backend_service": ("name",), "google_compute_ssl_certificate": ("name",),
    "google_container_node_pool": ("name",), "google_sql_database_instance": ("name",),
    "google_storage_bucket": ("name",), "google_compute_health_check": ("name",),
    "azurerm_kubernetes_cluster_node_pool": ("name",), "azurerm_public_ip": ("name",),
    "azurerm_storage_account": ("name",), "azurerm_key_vault": ("name",), "azurerm_network_security_group": ("name",),
}  # fmt: skip
"""Names of which two cannot exist at the same time."""


def _protected(change: ResourceChange) -> Iterator[Draft]:
    for name in _PROTECTIONS:
        found = field(change.before, name)
        if flag(found) or str(found).upper() == "ACTIVE":
            does = "deleted" if change.action == "delete" else f"replaced ({replaced_why(change)})"
            shown = change.spelled.get(name, name)
            kept = "It is safe so far, and" if change.action == "delete" else "So"
            yield _draft(
                change,
                f"{change.address} would be {does}, but {shown} is on: the provider refuses the destroy. {kept} the "
                "apply stops half-way with what came before it done.",
                "take the change back; switch the protection off in a change of its own only if the loss is wanted",
            )
            return


def _not_empty(change: ResourceChange) -> Iterator[Draft]:
    values = change.before or {}
    if change.type in ("aws_s3_bucket", "google_storage_bucket") and not flag(values.get("force_destroy")):
        what, force = "bucket is not empty", "force_destroy"
    elif change.type == "aws_ecr_repository" and not (
        flag(values.get("force_delete")) or flag(values.get("force_destroy"))
    ):
        what, force = "repository holds images", "force_delete"
    else:
        return
    yield _draft(
        change,
        f"If the {what}, deleting {change.address} fails, since {force} is not set, and the apply stops half-way.",
        "take the change back",
        certainty_possible=True,
    )


def _in_use(world: World, change: ResourceChange, dying: set[str]) -> Iterator[Draft]:
    attributes = _USERS.get(change.type)
    if attributes is None or change.create_first:
        return
    users = [one for one in _users(world, change, attributes) if one not in dying]
    if not users:
        return
    if change.action == "delete" and not any(_still(world, change, one, attributes) for one in users):
        return
    why = replaced_why(change)
    does = f"{why} replaces {change.address}" if change.action == "replace" else f"{change.address} is deleted"
    use = "use" if len(users) > 1 else "uses"
    yield _draft(
        change,
        f"{does} (delete before create), but {named(users, 4)} still {use} it: what is in use cannot be deleted, so "
        "the apply stalls and fails half-way"
        + (
            ", and they can be left without it. Set create_before_destroy with a new name, or leave it as it is."
            if change.action == "replace"
            else ". Move them off first."
        ),
        "take the change back",
    )


def _users(world: World, change: ResourceChange, attributes: tuple[str, ...]) -> list[str]:
    values = change.before or {}
    own = {str(values[key]) for key in ("id", "arn", "name", "self_link") if isinstance(values.get(key), str)}
    found: dict[str, None] = {}
    for use in world.uses_before.users(change.address):
        if any(part in attributes for part in use.through.split(".")):
            found[use.user] = None
    near = {use.user for use in world.uses_before.users(change.address)} or set(world.before)
    for address in sorted(near):
        one = world.before.get(address)
        if one is None or address == change.address or one.type.endswith(("_rule", "_association")):
            continue
        if any(leaf in own for name in attributes for leaf in leaves(one.values, name) if isinstance(leaf, str)):
            found[address] = None
    return sorted(found)


def _still(world: World, change: ResourceChange, user: str, attributes: tuple[str, ...]) -> bool:
    """Whether a user names something after the change that is still the old thing."""
    after = world.after.get(user)
    if after is None:
        return False
    values = change.before or {}
    own = {str(values[key]) for key in ("id", "arn", "name", "self_link") if isinstance(values.get(key), str)}
    return any(leaf in own for name in attributes for leaf in leaves(after.values, name) if isinstance(leaf, str))


def _collides(change: ResourceChange) -> Iterator[Draft]:
    for key in _NAMES.get(change.type, ()):
        before, after = field(change.before, key), field(change.after, key)
        if before is None or isinstance(after, Later) or not same(before, after):
            continue
        yield _draft(
            change,
            f"{replaced_why(change) or 'The change'} replaces {change.address} with create_before_destroy, and the new "
            f"one has the same {change.spelled.get(key, key)} ({before}): two cannot have it, so the create fails.",
            "use a name prefix or a new name",
        )


def _name_waits(change: ResourceChange, created: Mapping[tuple[str, str], str]) -> Iterator[Draft]:
    """Names that stay taken for a while after a delete."""
    if change.type == "aws_secretsmanager_secret":
        window = number(field(change.before, "recovery_window_in_days"))
        if window == 0:
            return
        wait = f"for {int(window or 30)} days (recovery_window_in_days)"
    elif change.type == "azurerm_key_vault":
        wait = "until its soft delete has passed or it is purged"
    else:
        return
    name = field(change.before, "name")
    again = change.address if change.action == "replace" and same(name, field(change.after, "name")) else ""
    again = again or (created.get((change.type, name), "") if isinstance(name, str) else "")
    if again:
        yield _draft(
            change,
            f"{change.address} is deleted and {again} wants its name {name}, taken {wait}: the create fails.",
            "restore the deleted one instead of creating another",
        )


def _draft(change: ResourceChange, text: str, back: str, certainty_possible: bool = False) -> Draft:
    severity: Severity = "medium"
    return Draft(
        code="APPLY_FAIL",
        severity=severity if not certainty_possible else "low",
        address=change.address,
        reason=text,
        reversible=True,
        back=back,
        certainty="possible" if certainty_possible else None,
    )
