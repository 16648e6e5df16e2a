"""What CloudFormation writes into one resource and Terraform makes many of: parts of a bucket, sets of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from tidegate.infra.cloudformation.names import snake
from tidegate.infra.same import items
from tidegate.infra.values import Later, Value

Companion: TypeAlias = tuple[str, str, dict[str, Value]]
"""What is put after the logical id to make the address, Terraform's type, values."""


# Private


def _bucket(name: str, own: Mapping[str, Value]) -> Iterator[Companion]:
    bucket: dict[str, Value] = {"bucket": f"Ref:{name}"}
    for key, (suffix, shape) in _BUCKET_PARTS.items():
        if (value := own.get(key)) is not None:
            yield f".{key}", f"aws_s3_bucket_{suffix}", {**bucket, **shape(value)}


def _whole(name: str) -> Callable[[Value], dict[str, Value]]:
    return lambda value: {name: value if isinstance(value, Later) else _plain(value)}


def _access(value: Value) -> dict[str, Value]:
    return {} if isinstance(value, Later) else {snake(key): inner for key, inner in _map(value).items()}


def _lifecycle(value: Value) -> dict[str, Value]:
    return {"rule": value if isinstance(value, Later) else [_rule(one) for one in _maps(_map(value).get("Rules"))]}


def _rule(one: Mapping[str, Any]) -> dict[str, Value]:
    old = _map(one.get("NoncurrentVersionExpiration")).get(
        "NoncurrentDays", one.get("NoncurrentVersionExpirationInDays")
    )
    upload = _map(one.get("AbortIncompleteMultipartUpload")).get("DaysAfterInitiation")
    moves = [one["Transition"]] if "Transition" in one else one.get("Transitions")
    found: dict[str, Value] = {
        "id": one.get("Id"),
        "status": one.get("Status"),
        "filter": {"prefix": one["Prefix"]} if "Prefix" in one else None,
        "expiration": {"days": one["ExpirationInDays"]} if "ExpirationInDays" in one else None,
        "noncurrent_version_expiration": {"noncurrent_days": old} if old is not None else None,
        "abort_incomplete_multipart_upload": {"days_after_initiation": upload} if upload is not None else None,
        "transition": [
            {"days": move.get("TransitionInDays"), "storage_class": move.get("StorageClass")} for move in _maps(moves)
        ],
    }
    return {key: value for key, value in found.items() if value is not None}


def _encryption(value: Value) -> dict[str, Value]:
    if isinstance(value, Later):
        return {"rule": value}
    rules = []
    for one in _maps(_map(value).get("ServerSideEncryptionConfiguration")):
        default = _map(one.get("ServerSideEncryptionByDefault"))
        chosen = {"sse_algorithm": default.get("SSEAlgorithm"), "kms_master_key_id": default.get("KMSMasterKeyID")}
        rules.append(
            {"apply_server_side_encryption_by_default": chosen, "bucket_key_enabled": one.get("BucketKeyEnabled")}
        )
    return {"rule": rules}


def _logging(value: Value) -> dict[str, Value]:
    own = _map(value)
    return {"target_bucket": own.get("DestinationBucketName"), "target_prefix": own.get("LogFilePrefix")}


_BUCKET_PARTS: Mapping[str, tuple[str, Callable[[Value], dict[str, Value]]]] = {
    "VersioningConfiguration": ("versioning", _whole("versioning_configuration")),
    "PublicAccessBlockConfiguration": ("public_access_block", _access),
    "LifecycleConfiguration": ("lifecycle_configuration", _lifecycle),
    "BucketEncryption": ("server_side_encryption_configuration", _encryption),
    "WebsiteConfiguration": ("website_configuration", _whole("website")),
    "LoggingConfiguration": ("logging", _logging),
    "ReplicationConfiguration": ("replication_configuration", _whole("replication")),
    "OwnershipControls": ("ownership_controls", _whole("ownership_controls")),
}


def _record_sets(_: str, own: Mapping[str, Value]) -> Iterator[Companion]:
    seen: set[str] = set()
    for one in _maps(own.get("RecordSets")):
        alias = one.get("AliasTarget")
        host = str(one.get("Name")).rstrip(".")
        suffix = f"[{host} {one.get('Type')}{' ' + str(one['SetIdentifier']) if 'SetIdentifier' in one else ''}]"
        if suffix in seen:
            continue
        seen.add(suffix)
        values: dict[str, Value] = {
            "name": host,
            "type": one.get("Type"),
            "ttl": one.get("TTL"),
            "records": one.get("ResourceRecords"),
            "zone_id": own.get("HostedZoneId", own.get("HostedZoneName", one.get("HostedZoneId"))),
            "alias": {"name": alias.get("DNSName"), "zone_id": alias.get("HostedZoneId")}
            if isinstance(alias, Mapping)
            else None,
        }
        yield suffix, "aws_route53_record", {key: value for key, value in values.items() if value is not None}


def _plain(value: Value) -> Value:
    if isinstance(value, Mapping):
        return {snake(key): _plain(inner) for key, inner in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _maps(value: Value) -> Iterator[Mapping[str, Any]]:
    return (one for one in items(value) if isinstance(one, Mapping))


def _map(value: Value) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


COMPANIONS: Mapping[str, Callable[[str, Mapping[str, Value]], Iterator[Companion]]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::Route53::RecordSetGroup": _record_sets,
}
"""What makes the resources beside one of these types, from its logical id and evaluated properties."""
