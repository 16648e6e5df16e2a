"""Plans that break half-way: what the provider refuses to destroy, and names that two cannot have at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.flows.doors import GROUP_NAMES, SUBNET_NAMES
from tidegate.infra.flows.links import strings
from tidegate.infra.rules.words import named, replaced_why
from tidegate.infra.same import field, flag, number, same
from tidegate.infra.values import Draft, Later, Resource, ResourceChange, World


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
    held = [one for one in world.changes if one.destroyed and one.type in _USERS]
    users = _users(world, held) if held else {}
    after = frozenset(_named_by(world.after, held))
    for change in world.changes:
        if change.destroyed:
            yield from _protected(change)
            yield from _not_empty(world, change)
            yield from _in_use(change, [one for one in users.get(change.address, ()) if one not in dying], after)
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


def _not_empty(world: World, change: ResourceChange) -> Iterator[Draft]:
    values = change.before or {}
    forced = flag(values.get("force_destroy")) or flag(values.get("force_delete"))
    if forced or change.type not in ("aws_s3_bucket", "google_storage_bucket", "aws_ecr_repository"):
        return
    if change.type not in change.address and change.address.startswith("module."):
        return
    images = change.type == "aws_ecr_repository"
    what = "repository holds images" if images else "bucket is not empty"
    since = f", since {'force_delete' if images else 'force_destroy'} is not set" if "erraform" in world.source else ""
    yield _draft(
        change,
        f"If the {what}, deleting {change.address} fails{since}, and the apply stops half-way.",
        "take the change back",
        unsure=True,
    )


def _in_use(change: ResourceChange, users: list[str], after: frozenset[tuple[str, str]]) -> Iterator[Draft]:
    if not users or change.create_first:
        return
    if change.action == "delete" and not any((change.address, user) in after for user in users):
        return
    why = replaced_why(change)
    does = f"{why} replaces {change.address}" if change.action == "replace" else f"{change.address} is deleted"
    use = "use" if len(users) > 1 else "uses"
    way = (
        ", and they can be left without it. Set create_before_destroy with a new name, or leave it as it is."
        if change.action == "replace"
        else ". Move them off first."
    )
    yield _draft(
        change,
        f"{does} (delete before create), but {named(users, 4)} still {use} it: what is in use cannot be deleted, so "
        f"the apply stalls and fails half-way{way}",
        "take the change back",
        unsure=change.certainty == "possible",
    )


def _users(world: World, changes: list[ResourceChange]) -> Mapping[str, list[str]]:
    """Who names what is destroyed by one of the attributes that keep it from being deleted."""
    found = {(used, user) for used, user in _named_by(world.before, changes)}
    for change in changes:
        for use in world.uses_before.users(change.address):
            if any(part in _USERS[change.type] for part in use.through.split(".")):
                found.add((change.address, use.user))
    users: dict[str, list[str]] = {}
    for used, user in sorted(found):
        users.setdefault(used, []).append(user)
    return users


def _named_by(side: Mapping[str, Resource], changes: list[ResourceChange]) -> Iterator[tuple[str, str]]:
    own: dict[str, list[ResourceChange]] = {}
    for change in changes:
        values = (change.before or {}).get
        for text in {values("id"), values("arn"), values("name"), values("self_link")}:
            if isinstance(text, str) and text:
                own.setdefault(text, []).append(change)
    if not own:
        return
    for address, one in side.items():
        if not one.type.endswith(("_rule", "_association")):
            for key, text in strings(one.values):
                for change in own.get(text, ()):
                    if key in _USERS[change.type] and address != change.address:
                        yield change.address, address


def _collides(change: ResourceChange) -> Iterator[Draft]:
    for key in _NAMES.get(change.type, ()):
        before, after = field(change.before, key), field(change.after, key)
        if before is None or isinstance(after, Later) or not same(before, after):
            continue
        yield _draft(
            change,
            f"{replaced_why(change) or 'The change'} replaces {change.address} before the old one is gone, and the new "
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


def _draft(change: ResourceChange, text: str, back: str, unsure: bool = False) -> Draft:
    severity: Severity = "medium"
    return Draft(
        code="APPLY_FAIL",
        severity=severity if not unsure else "low",
        address=change.address,
        reason=text,
        reversible=True,
        back=back,
        certainty="possible" if unsure else None,
    )
