"""What is said of data that a change destroys, deletes later, stops guarding or stops backing up."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.infra.graph import NO_USES, Use, uses_of
from tidegate.infra.kinds import is_stateless, is_utility, runs_code, stateful
from tidegate.infra.rules import backups, data, guards, keys, retention
from tidegate.infra.values import Draft, Hidden, Later, Resource, ResourceChange, Rule, Value, World

RULES: tuple[Rule, ...] = (
    data.data_destroyed,
    data.unknown_destroyed,
    guards.guards_removed,
    guards.locks_removed,
    backups.backups_reduced,
    retention.terms_cut,
    retention.lifecycles_cut,
    keys.keys_lost,
    keys.secrets_changed,
)
DB = "aws_db_instance"


def update(type_: str, before: dict[str, Value], after: dict[str, Value], address: str = "") -> ResourceChange:
    return ResourceChange(address or f"{type_}.it", type_, "update", before, {**before, **after})


def delete(type_: str, before: dict[str, Value], name: str = "it", why: str = "") -> ResourceChange:
    return ResourceChange(f"{type_}.{name}", type_, "delete", before, None, why=why)


def create(type_: str, after: dict[str, Value], name: str = "new") -> ResourceChange:
    return ResourceChange(f"{type_}.{name}", type_, "create", None, after)


def replace(type_: str, before: dict[str, Value], after: dict[str, Value], name: str = "it") -> ResourceChange:
    return ResourceChange(
        f"{type_}.{name}", type_, "replace", before, {**before, **after}, forced_by=tuple(sorted(after))
    )


def world(*changes: ResourceChange, uses: Iterable[Use] = (), source: str = "terraform plan", more: str = "") -> World:
    before = {one.address: Resource(one.address, one.type, one.before) for one in changes if one.before is not None}
    for address in more.split():
        before[address] = Resource(address, address.split(".")[0], {})
    after = {one.address: Resource(one.address, one.type, one.after) for one in changes if one.after is not None}
    index = uses_of(uses) if uses else NO_USES
    return World(source, "plan.json", changes, before, after, index, index)


def said(of: World, rules: tuple[Rule, ...] = RULES) -> list[Draft]:
    return [one for rule in rules for one in rule(of) if isinstance(one, Draft)]


def codes(of: World) -> list[tuple[str, str]]:
    return sorted((one.code, one.severity) for one in said(of))


@pytest.mark.parametrize(
    ("type_", "word", "severity"),
    [
        (DB, "database", "critical"),
        ("google_storage_bucket", "bucket", "critical"),
        ("azurerm_managed_disk", "disk", "critical"),
        ("aws_sqs_queue", "queue", "high"),
        ("aws_elasticache_replication_group", "cache", "high"),
        ("mongodbatlas_cluster", "database", "critical"),
        ("kubernetes_persistent_volume_claim_v1", "disk", "critical"),
        ("aws_route53_zone", "DNS zone", "critical"),
    ],
)
def test_a_deleted_resource_is_called_by_its_word(type_: str, word: str, severity: str) -> None:
    (draft,) = said(world(delete(type_, {"name": "shop"})))
    assert (draft.code, draft.severity, draft.reversible) == ("DATA_DESTROY", severity, False)
    assert f"destroy the {word} {type_}.it (shop)" in draft.reason


def test_no_type_is_both_stateful_and_stateless() -> None:
    for type_ in ("aws_s3_bucket", "aws_cognito_user_pool", "google_bigquery_dataset", "aws_rds_cluster_snapshot"):
        assert stateful(type_) is not None
        assert not is_stateless(type_)
    for type_ in ("aws_security_group", "aws_lb", "aws_iam_role", "aws_ecs_task_definition", "kubernetes_secret"):
        assert stateful(type_) is None
        assert is_stateless(type_)
    assert is_utility("null_resource")
    assert runs_code("aws_lambda_function")
    assert stateful("happycloud_thing") is None
    assert not is_stateless("happycloud_thing")


def test_a_rename_names_both_addresses_the_moved_block_and_who_uses_it() -> None:
    values = {"identifier": "shop", "engine": "postgres", "engine_version": "16", "allocated_storage": 100}
    gone, new = delete(DB, values, "orders"), create(DB, {**values, "arn": Later()}, "orders_db")
    uses = [Use("aws_ecs_task_definition.api", gone.address), Use("aws_ecs_service.api", "aws_ecs_task_definition.api")]
    (draft,) = said(world(gone, new, uses=uses, more="aws_ecs_task_definition.api aws_ecs_service.api"))
    assert "Renamed to aws_db_instance.orders_db without a moved block" in draft.reason
    assert "aws_ecs_service.api uses it" in draft.reason
    assert "nothing is destroyed" in draft.reason


def test_cloudformation_is_not_told_of_moved_blocks() -> None:
    gone, new = delete(DB, {"identifier": "shop", "port": 1}, "old"), create(DB, {"identifier": "shop", "port": 1})
    (draft,) = said(world(gone, new, source="change set"))
    assert "moved block" not in draft.reason
    assert f"Keep the logical id {gone.address} and nothing is destroyed" in draft.reason


def test_another_database_created_beside_is_no_rename() -> None:
    gone = delete(DB, {"identifier": "shop", "engine": "postgres"}, "orders")
    new = create(DB, {"identifier": "other", "engine": "mysql", "allocated_storage": 5}, "other")
    (draft,) = said(world(gone, new))
    assert "moved" not in draft.reason


def test_a_database_of_another_engine_is_a_migration_and_no_rename() -> None:
    values = {"name": "shop", "storage": 5, "class": "small", "zone": "a", "port": 1, "backup": 7, "engine": "postgres"}
    (draft,) = said(world(delete(DB, values, "old"), create(DB, {**values, "engine": "mysql"}, "new")))
    assert "moved" not in draft.reason


def test_count_to_for_each_and_a_shifted_list_are_told_apart() -> None:
    queue = "aws_sqs_queue"
    gone = ResourceChange(f"{queue}.q[0]", queue, "delete", {"name": "a", "delay": 1}, None)
    new = ResourceChange(f'{queue}.q["a"]', queue, "create", None, {"name": "a", "delay": 1})
    (draft,) = said(world(gone, new))
    assert "messages" in draft.reason
    assert "count and for_each differ" in draft.reason
    assert "60 seconds" in draft.reason
    shifted = [
        ResourceChange(f"{queue}.q[0]", queue, "replace", {"name": "a"}, {"name": "z"}, forced_by=("name",)),
        ResourceChange(f"{queue}.q[1]", queue, "create", None, {"name": "a"}),
    ]
    (draft,) = said(world(*shifted))
    assert "aws_sqs_queue.q[1] takes its name" in draft.reason


def test_a_replacement_names_the_attribute_as_the_source_writes_it() -> None:
    change = ResourceChange(
        "MyDB",
        DB,
        "replace",
        {"storage_encrypted": False, "deletion_policy": "Snapshot"},
        {"storage_encrypted": True},
        forced_by=("storage_encrypted",),
        certainty="possible",
        spelled={"storage_encrypted": "StorageEncrypted"},
    )
    (draft,) = said(world(change, source="cloudformation"))
    assert "StorageEncrypted false -> true cannot be changed in place: applying this may destroy and replace" in (
        draft.reason
    )
    assert [one.words for one in draft.mitigations] == ["its policy is Snapshot: a last snapshot is taken"]


def test_what_keeps_data_is_named_and_an_empty_guard_is_not() -> None:
    change = delete(
        DB, {"deletion_protection": True, "skip_final_snapshot": False, "final_snapshot_identifier": "last"}
    )
    (draft,) = said(world(change))
    assert [one.steps for one in draft.mitigations] == [0, 0]
    (draft,) = said(world(delete(DB, {"skip_final_snapshot": True})))
    assert draft.mitigations == ()
    assert "no last snapshot is taken" in draft.reason
    (kept,) = said(world(delete("aws_s3_bucket", {"bucket": "b", "force_destroy": False})))
    (forced,) = said(world(delete("aws_s3_bucket", {"bucket": "b", "force_destroy": True})))
    assert [one.steps for one in kept.mitigations] == [1]
    assert forced.mitigations == ()
    assert "although it is not empty" in forced.reason


def test_parts_of_what_stays_are_no_loss_of_data() -> None:
    cluster = Use("aws_rds_cluster_instance.it", "aws_rds_cluster.main")
    assert said(world(delete("aws_rds_cluster_instance", {"identifier": "a"}), uses=[cluster])) == []
    assert said(world(delete("aws_volume_attachment", {"device_name": "/dev/sdh"}))) == []
    assert codes(world(delete(DB, {"replicate_source_db": "primary"}))) == [("DATA_DURABILITY", "medium")]
    assert codes(world(delete("aws_s3_object", {"key": "a"}))) == [("DATA_DESTROY", "low")]
    bucket = delete("aws_s3_bucket", {"bucket": "b"})
    both = world(bucket, delete("aws_s3_object", {"key": "a"}), uses=[Use("aws_s3_object.it", bucket.address)])
    assert [one.address for one in said(both)] == [bucket.address]


def test_machines_lose_their_data_disks() -> None:
    disks = [{"device_name": "/dev/sdf", "delete_on_termination": True}]
    assert codes(world(replace("aws_instance", {"ebs_block_device": disks}, {"ami": "b"}))) == [
        ("DATA_DESTROY", "high")
    ]
    assert said(world(replace("aws_instance", {"ami": "a"}, {"ami": "b"}))) == []
    assert codes(world(delete("aws_instance", {"ami": "a"}))) == [("DESTROY", "medium")]


def test_unknown_types_are_said_together_and_utilities_not_at_all() -> None:
    changes = [delete("happycloud_thing", {}, f"n{place}") for place in range(7)]
    (draft,) = said(world(*changes))
    assert (draft.code, draft.severity) == ("DESTROY", "medium")
    assert "and 3 more are destroyed; it is not known" in draft.reason
    assert said(world(delete("null_resource", {}), delete("random_id", {}), delete("aws_iam_role", {}))) == []


def test_kubernetes_objects_are_left_to_their_own_rules() -> None:
    assert said(world(delete("v1/PersistentVolumeClaim", {}), delete("example.com/Thing", {}))) == []


def test_two_guards_weigh_more_than_one_and_nothing_is_said_to_be_lost_now() -> None:
    protected = {"deletion_protection": True, "skip_final_snapshot": False}
    both = update(DB, protected, {"deletion_protection": False, "skip_final_snapshot": True})
    (draft,) = said(world(both))
    assert (draft.code, draft.severity) == ("GUARD_REMOVED", "high")
    assert "deletion_protection true -> false and skip_final_snapshot false -> true" in draft.reason
    assert "nothing is lost now" in draft.reason
    assert codes(world(update(DB, protected, {"skip_final_snapshot": True}))) == [("GUARD_REMOVED", "medium")]
    assert codes(
        world(update("aws_lb", {"enable_deletion_protection": True}, {"enable_deletion_protection": False}))
    ) == [("GUARD_REMOVED", "medium")]


def test_protection_turned_on_is_silent_in_every_spelling() -> None:
    off = {"deletion_protection": False, "skip_final_snapshot": True, "force_destroy": "true"}
    on = {"deletion_protection": "true", "skip_final_snapshot": False, "force_destroy": False}
    assert said(world(update(DB, off, on))) == []
    pool = {"deletion_protection": "INACTIVE"}
    assert said(world(update("aws_cognito_user_pool", pool, {"deletion_protection": "ACTIVE"}))) == []
    assert codes(world(update("aws_cognito_user_pool", {"deletion_protection": "ACTIVE"}, pool))) == [
        ("GUARD_REMOVED", "high")
    ]


def test_prevent_destroy_is_seen_flat_and_nested_and_speaks_beside_a_plan() -> None:
    for before, after in (
        ({"lifecycle.prevent_destroy": True}, {"lifecycle.prevent_destroy": None}),
        ({"lifecycle": [{"prevent_destroy": True}]}, {"lifecycle": []}),
    ):
        (draft,) = said(world(update(DB, before, after), source="terraform code"))
        assert draft.code == "GUARD_REMOVED"
        assert draft.code_only


def test_an_input_of_a_module_that_was_not_given_before_is_only_possible() -> None:
    change = ResourceChange("module.ecr", "aws_ecr_repository", "update", {}, {"deletion_protection": False})
    (draft,) = said(world(change, source="terraform code"))
    assert draft.certainty == "possible"
    resource = update("aws_ecr_repository", {}, {"deletion_protection": False})
    assert said(world(resource)) == []


@pytest.mark.parametrize(("after", "severity"), [(0, "high"), (1, "high"), (7, "medium")])
def test_backup_retention(after: int, severity: str) -> None:
    change = update(DB, {"backup_retention_period": 14}, {"backup_retention_period": after})
    (draft,) = said(world(change))
    assert (draft.code, draft.severity, draft.reversible) == ("BACKUP_REDUCED", severity, False)
    assert f"backup_retention_period 14 -> {after}" in draft.reason


@given(st.integers(0, 400), st.integers(0, 400), st.booleans())
def test_backups_are_reduced_exactly_when_they_are_kept_shorter(before: int, after: int, as_text: bool) -> None:
    new = str(after) if as_text else after
    drafts = said(world(update(DB, {"backup_retention_period": before}, {"backup_retention_period": new})))
    assert bool(drafts) == (after < before)


def test_switches_of_backups_in_nested_and_flat_form() -> None:
    nested = update(
        "aws_dynamodb_table", {"point_in_time_recovery": [{"enabled": True}]}, {"point_in_time_recovery": []}
    )
    google = update(
        "google_sql_database_instance",
        {"settings": [{"backup_configuration": [{"enabled": True}]}]},
        {"settings": [{"backup_configuration": [{"enabled": False}]}]},
    )
    assert [codes(world(one)) for one in (nested, google)] == [[("BACKUP_REDUCED", "high")]] * 2


def test_a_deleted_backup_plan_is_said_and_a_renamed_one_is_not() -> None:
    values = {"name": "daily", "schedule": "cron(0 3 * * ? *)"}
    assert codes(world(delete("aws_backup_plan", values))) == [("BACKUP_REDUCED", "high")]
    assert said(world(delete("aws_backup_plan", values), create("aws_backup_plan", values))) == []
    versioning = delete("aws_s3_bucket_versioning", {"bucket": "b"})
    bucket = delete("aws_s3_bucket", {"bucket": "b", "force_destroy": True})
    of_it = world(versioning, bucket, uses=[Use(versioning.address, bucket.address)])
    assert [one.code for one in said(of_it)] == ["DATA_DESTROY"]


@pytest.mark.parametrize(
    ("type_", "attribute", "before", "after", "words"),
    [
        ("aws_cloudwatch_log_group", "retention_in_days", 365, 7, "older than 7 days"),
        ("aws_cloudwatch_log_group", "retention_in_days", 0, 30, "older than 30 days"),
        ("aws_kinesis_stream", "retention_period", 168, 24, "older than 1 day "),
        ("aws_sqs_queue", "message_retention_seconds", 345600, 60, "longer than 60 seconds"),
        ("google_pubsub_subscription", "message_retention_duration", "604800s", "600s", "longer than 600 seconds"),
        ("google_bigquery_dataset", "default_table_expiration_ms", None, 86400000, "older than 1 day "),
    ],
)
def test_a_shorter_life_says_what_is_deleted(
    type_: str, attribute: str, before: Value, after: Value, words: str
) -> None:
    (draft,) = said(world(update(type_, {attribute: before}, {attribute: after})))
    assert draft.code == "DATA_DESTROY_DELAYED"
    assert words in draft.reason
    assert said(world(update(type_, {attribute: after}, {attribute: before}))) == []


def test_a_log_group_of_an_audit_trail_weighs_more() -> None:
    audit = update("aws_cloudwatch_log_group", {"name": "audit", "retention_in_days": 365}, {"retention_in_days": 7})
    assert codes(world(audit)) == [("DATA_DESTROY_DELAYED", "high")]


def _rule(days: int, *, key: str = "a", prefix: str = "", status: str = "Enabled") -> dict[str, Value]:
    return {"id": key, "status": status, "filter": [{"prefix": prefix}], "expiration": [{"days": days}]}


LIFECYCLE = "aws_s3_bucket_lifecycle_configuration"


def test_lifecycle_and_suspended_versions_in_one_change_are_critical() -> None:
    cut = update(LIFECYCLE, {"bucket": "b", "rule": [_rule(2555)]}, {"rule": [_rule(1)]})
    suspend = update(
        "aws_s3_bucket_versioning",
        {"bucket": "b", "versioning_configuration": [{"status": "Enabled"}]},
        {"versioning_configuration": [{"status": "Suspended"}]},
    )
    assert codes(world(cut)) == [("DATA_DESTROY_DELAYED", "high")]
    drafts = {one.code: one for one in said(world(cut, suspend))}
    assert drafts["DATA_DESTROY_DELAYED"].severity == "critical"
    assert "2555 -> 1" in drafts["DATA_DESTROY_DELAYED"].reason
    assert "versioning" in drafts["DATA_DESTROY_DELAYED"].reason
    assert drafts["BACKUP_REDUCED"].severity == "high"
    other = update("aws_s3_bucket_versioning", {"bucket": "c", "status": "Enabled"}, {"status": "Suspended"}, "other")
    assert {one.severity for one in said(world(cut, other)) if one.code == "DATA_DESTROY_DELAYED"} == {"high"}


def test_versions_that_are_kept_lower_an_expiry() -> None:
    cut = update(LIFECYCLE, {"bucket": "b", "rule": [_rule(90)]}, {"rule": [_rule(30)]})
    keep = ResourceChange(
        "aws_s3_bucket_versioning.b",
        "aws_s3_bucket_versioning",
        "no-op",
        {"bucket": "b", "status": "Enabled"},
        {
            "bucket": "b",
            "status": "Enabled",
        },
    )
    (draft,) = said(world(cut, keep))
    assert [one.steps for one in draft.mitigations] == [1]


def test_lifecycle_rules_that_delete_nothing_sooner_are_silent() -> None:
    before: dict[str, Value] = {"bucket": "b", "rule": [_rule(30), {"id": "x", "status": "Enabled"}]}
    after: dict[str, Value] = {
        "rule": [
            {"id": "x", "status": "Enabled", "abort_incomplete_multipart_upload": [{"days_after_initiation": 1}]},
            _rule(60),
            _rule(5, key="off", status="Disabled"),
            _rule(40, key="narrow", prefix="tmp/"),
        ]
    }
    assert said(world(update(LIFECYCLE, before, after))) == []


def test_google_lifecycle_rules_delete_by_age() -> None:
    def rule(age: int, action: str = "Delete") -> dict[str, Value]:
        return {"action": [{"type": action}], "condition": [{"age": age}]}

    cut = update("google_storage_bucket", {"name": "b", "lifecycle_rule": [rule(365)]}, {"lifecycle_rule": [rule(3)]})
    assert codes(world(cut)) == [("DATA_DESTROY_DELAYED", "high")]
    colder = update("google_storage_bucket", {"lifecycle_rule": []}, {"lifecycle_rule": [rule(3, "SetStorageClass")]})
    assert said(world(colder)) == []


def test_a_key_in_use_is_critical_and_a_waiting_one_less() -> None:
    key = delete("aws_kms_key", {"description": "data", "deletion_window_in_days": 30}, "data")
    (draft,) = said(world(key))
    assert (draft.code, [one.steps for one in draft.mitigations]) == ("KEY_LOSS", [1])
    (used,) = said(world(key, uses=[Use("aws_db_instance.orders", key.address)], more="aws_db_instance.orders"))
    assert [one.steps for one in used.mitigations] == [0]
    assert "aws_db_instance.orders still uses it" in used.reason
    assert said(world(update("aws_kms_key", {"enable_key_rotation": True}, {"enable_key_rotation": False}))) == []
    assert codes(world(update("aws_kms_key", {"is_enabled": True}, {"is_enabled": False}))) == [("KEY_LOSS", "high")]


def test_an_alias_goes_silently_with_its_key() -> None:
    key, alias = delete("aws_kms_key", {}), delete("aws_kms_alias", {"name": "alias/a"})
    together = world(key, alias, uses=[Use(alias.address, key.address)])
    assert [one.address for one in said(together)] == [key.address]
    assert codes(world(alias)) == [("KEY_LOSS", "medium")]


def test_a_rotated_secret_is_low_and_never_printed() -> None:
    change = update("aws_ssm_parameter", {"name": "/shop/key", "value": Hidden(1)}, {"value": Hidden(2)})
    (draft,) = said(world(change))
    assert (draft.code, draft.severity) == ("SECRET_CHANGE", "low")
    assert "aws_ssm_parameter.it" in draft.reason
    assert said(world(update("aws_ssm_parameter", {"value": Hidden(1)}, {"tags": {"a": "b"}}))) == []


@given(st.permutations(list(range(6))))
def test_the_order_of_changes_says_the_same(order: list[int]) -> None:
    values = {"identifier": "shop", "engine": "postgres"}
    changes = [
        delete(DB, values, "orders"),
        create(DB, values, "orders_db"),
        delete("aws_s3_bucket", {"bucket": "b"}),
        update("aws_kms_key", {"is_enabled": True}, {"is_enabled": False}),
        update(DB, {"backup_retention_period": 7}, {"backup_retention_period": 0}),
        delete("aws_sqs_queue", {"name": "q"}),
    ]
    straight = {(one.code, one.address, one.reason) for one in said(world(*changes))}
    mixed = {(one.code, one.address, one.reason) for one in said(world(*(changes[place] for place in order)))}
    assert straight == mixed


_LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just(Later("var.x"))
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
    ["days", "enabled", "status", "id", "expiration", "name", "value"]), inner, max_size=3), max_leaves=6)  # fmt: skip
_NAMES = st.sampled_from(
    "rule lifecycle_rule versioning versioning_configuration status backup_retention_period settings ttl lifecycle "
    "deletion_protection retention_in_days force_destroy policy_details config deletion_policy bucket".split()
)


@given(
    st.sampled_from([DB, LIFECYCLE, "aws_s3_bucket", "google_storage_bucket", "aws_kms_key", "aws_dynamodb_table"]),
    st.sampled_from(["update", "delete", "replace", "create"]),
    st.dictionaries(_NAMES, _VALUES, max_size=5),
    st.dictionaries(_NAMES, _VALUES, max_size=5),
)
def test_no_shape_of_values_breaks_a_rule(
    type_: str, action: str, before: dict[str, Value], after: dict[str, Value]
) -> None:
    change = ResourceChange(
        f"{type_}.it",
        type_,
        action,  # type: ignore[arg-type]
        None if action == "create" else before,
        None if action == "delete" else after,
        forced_by=tuple(after)[:1],
    )
    for draft in said(world(change)):
        assert draft.reason.strip()
        assert "\n" not in draft.reason or any("\n" in str(value) for value in (before, after))


def test_a_replacement_that_unread_values_decide_weighs_less() -> None:
    def steps(before: Value, after: Value) -> list[int]:
        change = ResourceChange(
            "aws_s3_bucket.it",
            "aws_s3_bucket",
            "replace",
            {"bucket": before, "force_destroy": True},
            {"bucket": after},
            forced_by=("bucket",),
            certainty="possible",
        )
        (draft,) = said(world(change, source="terraform code"))
        return [one.steps for one in draft.mitigations]

    assert steps("shop", "store") == []
    assert steps("shop", Later("var.name")) == [1]
    assert steps(Later("var.a"), Later("var.b")) == [2]


def test_a_database_that_starts_from_a_snapshot_is_not_called_empty() -> None:
    (draft,) = said(world(replace(DB, {"identifier": "shop"}, {"snapshot_identifier": "before"})))
    assert "starts from the snapshot before" in draft.reason
    assert "empty" not in draft.reason


def test_rules_of_a_backup_plan_and_of_replication() -> None:
    def plan(*days: int) -> dict[str, Value]:
        return {"rule": [{"rule_name": f"r{n}", "lifecycle": [{"delete_after": d}]} for n, d in enumerate(days)]}

    assert codes(world(update("aws_backup_plan", plan(35, 365), plan(35, 30)))) == [("BACKUP_REDUCED", "high")]
    assert codes(world(update("aws_backup_plan", plan(35, 365), plan(35)))) == [("BACKUP_REDUCED", "medium")]
    assert said(world(update("aws_backup_plan", plan(35, 365), plan(40, 365)))) == []
    kind = "aws_s3_bucket_replication_configuration"
    off = update(kind, {"rule": [{"status": "Enabled"}]}, {"rule": [{"status": "Disabled"}]})
    assert codes(world(off)) == [("BACKUP_REDUCED", "medium")]
