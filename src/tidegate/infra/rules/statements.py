"""Statements of resource policies that refuse requests without TLS: dropped, or new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.infra.flows.links import leaves
from tidegate.infra.same import field, items, same, show
from tidegate.infra.values import Draft, Later, Mitigation, ResourceChange, Value, World


def secure_transport(world: World) -> Iterator[Draft]:
    """Policies that lose or gain a Deny statement on aws:SecureTransport."""
    for change in world.changes:
        if change.action not in ("create", "update", "delete", "replace"):
            continue
        if change.type in _POLICIES or change.type in _DOCUMENTS:
            yield from _statements(world, change)


# Private

_POLICIES: Mapping[str, tuple[str, ...]] = {
    "aws_s3_bucket_policy": ("policy",),
    "aws_s3_bucket": ("policy", "bucket_policy"),
    "aws_sqs_queue_policy": ("policy",),
    "aws_sqs_queue": ("policy",),
    "aws_sns_topic_policy": ("policy",),
    "aws_sns_topic": ("policy",),
    "aws_efs_file_system_policy": ("policy",),
    "aws_iam_user_policy": ("policy",),
    "aws_iam_role_policy": ("policy",),
    "aws_iam_policy": ("policy",),
    "aws_secretsmanager_secret_policy": ("policy",),
    "aws_elasticsearch_domain_policy": ("access_policies",),
    "aws_opensearch_domain_policy": ("access_policies",),
}
_GUARDED = ("aws_s3_bucket", "aws_sqs_queue", "aws_sns_topic", "aws_efs_file_system")
_DOCUMENTS = ("aws_iam_policy_document", "data.aws_iam_policy_document")


def _statements(world: World, change: ResourceChange) -> Iterator[Draft]:
    names = _POLICIES.get(change.type, ("json", "statement", ""))
    for name in names:
        before = field(change.before, name) if name else change.before
        after = field(change.after, name) if name else change.after
        if isinstance(after, Later) or (before is None and after is None):
            continue
        had, has = _denies(before), _denies(after)
        if had and not has:
            if change.action == "delete" and _elsewhere(world, change):
                return
            bucket = show(field(change.before, "bucket")) if field(change.before, "bucket") is not None else ""
            where = f" of {bucket}" if bucket and not isinstance(field(change.before, "bucket"), Later) else ""
            yield Draft(
                "TLS_OFF",
                "high",
                change.address,
                f"The Deny statement on aws:SecureTransport = false is dropped from {name or 'the statements'} of "
                f"{change.address}{where}: requests without TLS are no longer refused.",
                reversible=True,
                back="put the statement back and apply again",
            )
        elif has and not had and not (change.action == "create" and not _bucket_is_old(world, change)):
            if change.action == "create" and _was_elsewhere(world, change):
                return
            yield Draft(
                "TLS_ON",
                "low",
                change.address,
                f"{change.address} gets a Deny statement for requests without TLS (aws:SecureTransport = false): good "
                "hardening, and clients that still use plain HTTP are refused from now on.",
                reversible=True,
                back="drop the statement",
                mitigations=(Mitigation("the SDKs and tools of the provider use TLS by default", 0),),
            )
        return


def _denies(document: Value) -> bool:
    parsed = _parsed(document)
    for name in ("Statement", "statement"):
        for one in leaves(parsed, name) if isinstance(parsed, Mapping) else items(parsed):
            if isinstance(one, Mapping) and str(one.get("Effect", one.get("effect", "Allow"))).lower() == "deny":
                text = repr(one.get("Condition", one.get("condition"))).lower()
                if "aws:securetransport" in text and "false" in text:
                    return True
    return False


def _parsed(document: Value) -> Value:
    import json

    if isinstance(document, str):
        try:
            return json.loads(document)
        except (ValueError, RecursionError):
            return None
    return document


def _elsewhere(world: World, change: ResourceChange) -> bool:
    """Whether the statement is in another policy of this change, or what it guards goes too."""
    gone = {one.address for one in world.changes if one.action == "delete"}
    for use in world.uses_before.used(change.address):
        one = world.before.get(use.used)
        if use.used in gone and one is not None and one.type in _GUARDED:
            return True
    bucket = field(change.before, "bucket")
    return any(
        one.address != change.address
        and one.after is not None
        and _denies(field(one.after, "policy"))
        and (one.action == "create" or same(field(one.after, "bucket"), bucket))
        for one in world.changes
        if one.type == change.type
    )


def _was_elsewhere(world: World, change: ResourceChange) -> bool:
    return any(
        one.address != change.address and one.before is not None and _denies(field(one.before, "policy"))
        for one in world.changes
        if one.type == change.type and one.action in ("delete", "update", "replace")
    )


def _bucket_is_old(world: World, change: ResourceChange) -> bool:
    used = {use.used for use in world.uses_after.used(change.address)}
    if used & set(world.before):
        return True
    bucket = field(change.after, "bucket")
    return isinstance(bucket, str) and any(
        bucket in (one.values.get("id"), one.values.get("bucket"))
        for one in world.before.values()
        if one.type == "aws_s3_bucket"
    )
