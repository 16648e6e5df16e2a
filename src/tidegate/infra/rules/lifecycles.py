"""How long objects live: lifecycle rules of buckets in the shapes that providers give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.infra.same import field, flag, items, number
from tidegate.infra.values import Value


class Life(Struct, frozen=True):
    """After how many days objects are deleted. `key` names the rule, `where` the part of the bucket, "" for all."""

    key: str
    name: str
    days: float
    noncurrent: bool
    where: str = ""


def lives(type_: str, values: Mapping[str, Value] | None) -> tuple[Life, ...]:
    """Every rule of a resource that deletes objects by age. Uploads that were broken off are not objects."""
    return tuple(_lives(type_, values)) if values else ()


# Private

_TYPES = ("aws_s3_bucket", "aws_s3_bucket_lifecycle_configuration", "google_storage_bucket")
_DELETES = (
    ("expiration.days", False),
    ("expiration_days", False),
    ("expiration_in_days", False),
    ("noncurrent_version_expiration.noncurrent_days", True),
    ("noncurrent_version_expiration.days", True),
    ("noncurrent_days", True),
    ("actions.base_blob.delete_after_days_since_modification_greater_than", False),
    ("actions.base_blob.delete_after_days_since_creation_greater_than", False),
    ("actions.version.delete_after_days_since_creation", True),
)


def _lives(type_: str, values: Mapping[str, Value]) -> Iterator[Life]:
    if type_ not in _TYPES and type_ != "azurerm_storage_management_policy":
        return
    flat = {name for name in ("expiration_days", "noncurrent_days") if number(values.get(name)) is not None}
    if flat:
        yield from _of_rule(values, "flat", "")
    for block in ("rule", "lifecycle_rule", "lifecycle_rules"):
        for place, rule in enumerate(items(values.get(block))):
            if isinstance(rule, Mapping) and _enabled(rule):
                yield from _of_rule(rule, _key(rule, place), f"{block}.{place}.")


def _of_rule(rule: Mapping[str, Value], key: str, prefix: str) -> Iterator[Life]:
    where = _where(rule)
    for path, noncurrent in _DELETES:
        days = number(field(rule, path))
        if days is not None and days > 0:
            yield Life(key, f"{prefix}{path}", days, noncurrent, where)
    if str(field(rule, "action.type")).lower() == "delete":
        days = number(field(rule, "condition.age"))
        if days is not None:
            newer = (
                number(field(rule, "condition.num_newer_versions")) or field(rule, "condition.with_state") == "ARCHIVED"
            )
            yield Life(key, f"{prefix}condition.age", days, bool(newer), where)


def _enabled(rule: Mapping[str, Value]) -> bool:
    return all(flag(rule.get(name)) is not False for name in ("status", "enabled"))


def _key(rule: Mapping[str, Value], place: int) -> str:
    for name in ("id", "rule_id", "name"):
        if isinstance(rule.get(name), str) and rule[name]:
            return str(rule[name])
    return str(place)


def _where(rule: Mapping[str, Value]) -> str:
    for path in ("filter.prefix", "filter.and.prefix", "prefix", "filters.prefix_match", "condition.matches_prefix"):
        value = field(rule, path)
        if value:
            return ", ".join(str(one) for one in items(value))
    tag = field(rule, "filter.tag.key") or field(rule, "filter.and.tags") or field(rule, "filter.and.tag")
    return f"the tag {tag}" if tag else ""
