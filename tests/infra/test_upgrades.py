"""What is said of versions, sizes, counts and copies that change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.infra.rules import capacity, upgrades
from tidegate.infra.rules.sizes import ratio
from tidegate.infra.rules.versions import step
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World

DB = "aws_db_instance"


def said(
    type_: str, before: dict[str, Value], after: dict[str, Value], source: str = "terraform plan", address: str = ""
) -> list[Draft]:
    change = ResourceChange(address or f"{type_}.it", type_, "update", before, {**before, **after})
    world = World(source, "plan.json", (change,))
    rules = (upgrades.versions_changed, upgrades.restarts, capacity.capacity_changed, capacity.durability_reduced)
    return [one for rule in rules for one in rule(world) if isinstance(one, Draft)]


def codes(type_: str, before: dict[str, Value], after: dict[str, Value]) -> list[tuple[str, str]]:
    return sorted((one.code, one.severity) for one in said(type_, before, after))


@pytest.mark.parametrize(
    ("engine", "before", "after", "grade", "way"),
    [
        ("postgres", "14.12", "16.3", "major", 1),
        ("postgres", "16.3", "16.13", "minor", 1),
        ("postgres", "9.6", "9.5", "major", -1),
        ("postgres", "16", "16.3", "minor", 0),
        ("mysql", "5.7.44", "8.0.39", "major", 1),
        ("mysql", "8.0.35", "8.4.1", "major", 1),
        ("mysql", "8.0.mysql_aurora.3.04", "8.0.mysql_aurora.3.05", "minor", 1),
        ("redis", "6.2", "7.0", "major", 1),
        ("redis", "7.0", "7.1", "minor", 1),
        ("kubernetes", "1.29", "1.30", "major", 1),
        ("opensearch", "OpenSearch_1.3", "OpenSearch_2.11", "major", 1),
        ("postgres", "POSTGRES_14", "POSTGRES_16", "major", 1),
        ("", 14, "15", "major", 1),
        ("", None, "15", "minor", 0),
        ("", "latest", "15", "minor", 0),
    ],
)
def test_steps_between_versions(engine: str, before: Value, after: Value, grade: str, way: int) -> None:
    assert step(engine, before, after) == (grade, way)


@given(
    st.sampled_from(["postgres", "mysql", "redis", "kubernetes", ""]),
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
    st.lists(st.integers(0, 30), min_size=1, max_size=4),
)
def test_a_step_back_is_the_opposite_of_a_step_forth(engine: str, one: list[int], other: list[int]) -> None:
    old, new = ".".join(map(str, one)), ".".join(map(str, other))
    assert step(engine, old, new)[1] == -step(engine, new, old)[1]


def test_a_major_upgrade_says_when_it_stops_and_that_there_is_no_way_back() -> None:
    before = {"engine": "postgres", "engine_version": "14.12", "apply_immediately": False}
    drafts = {one.code: one for one in said(DB, before, {"engine_version": "16.3", "apply_immediately": True})}
    upgrade = drafts["IRREVERSIBLE_UPGRADE"]
    assert (upgrade.severity, upgrade.reversible) == ("high", False)
    assert "major upgrade" in upgrade.reason
    assert "downtime now, because apply_immediately is true" in upgrade.reason
    assert drafts["RESTART"].severity == "medium"
    (waiting,) = said(DB, before, {"engine_version": "16.3"})
    assert "in the next maintenance window" in waiting.reason


def test_minor_versions_restart_in_a_plan_and_may_only_align_in_code() -> None:
    before = {"engine": "postgres", "engine_version": "16.8"}
    assert codes(DB, before, {"engine_version": "16.13"}) == [("RESTART", "low")]
    assert codes(DB, {**before, "apply_immediately": True}, {"engine_version": "16.13"}) == [("RESTART", "medium")]
    for version in ("16.13", "16.4"):
        (draft,) = said(DB, before, {"engine_version": version}, source="terraform code")
        assert (draft.code, draft.severity) == ("RESTART", "low")
        assert "aligned to the version that already runs" in draft.reason
        assert "downgrade" not in draft.reason


def test_a_lower_version_in_a_plan_is_refused() -> None:
    (draft,) = said(DB, {"engine": "postgres", "engine_version": "16.8"}, {"engine_version": "15.2"})
    assert (draft.code, draft.severity) == ("APPLY_FAIL", "medium")
    assert "downgrade" in draft.reason


def test_a_cluster_of_kubernetes_cannot_go_back() -> None:
    assert codes("aws_eks_cluster", {"version": "1.29"}, {"version": "1.30"}) == [("IRREVERSIBLE_UPGRADE", "medium")]
    assert codes("aws_launch_template", {"version": "1"}, {"version": "2"}) == []


@pytest.mark.parametrize(
    ("before", "after", "times"),
    [
        ("db.r6g.4xlarge", "db.r6g.large", 1 / 8),
        ("cache.t4g.micro", "cache.m6g.large", 8),
        ("r6g.large.search", "r6g.xlarge.search", 2),
        ("db-custom-4-16384", "db-custom-2-8192", 0.5),
        ("db-f1-micro", "db-n1-standard-3", 10),
        ("GP_Standard_D4s_v3", "GP_Standard_D2s_v3", 0.5),
        ("M30", "M10", 0.25),
        (1024, "256", 0.25),
        ("db.r6g.large", "whatever", None),
        ("db.r6g.large", "db-n1-standard-4", None),
    ],
)
def test_sizes_compare(before: Value, after: Value, times: float | None) -> None:
    found = ratio(before, after)
    assert found == times if times is None else found == pytest.approx(times)


def test_a_smaller_class_is_less_capacity_and_a_larger_one_a_restart() -> None:
    assert codes(DB, {"instance_class": "db.r6g.large"}, {"instance_class": "db.r6g.medium"}) == [
        ("CAPACITY_DOWN", "medium")
    ]
    assert codes(DB, {"instance_class": "db.r6g.8xlarge"}, {"instance_class": "db.r6g.large"}) == [
        ("CAPACITY_DOWN", "high")
    ]
    assert codes(DB, {"instance_class": "db.r6g.large"}, {"instance_class": "db.r6g.xlarge"}) == [("RESTART", "low")]
    assert codes(DB, {"instance_class": "db.r6g.large"}, {"instance_class": "db.r6g.8xlarge"}) == [
        ("COST_UP", "low"),
        ("RESTART", "low"),
    ]


@given(st.integers(1, 100), st.integers(1, 100))
def test_growth_in_number_is_silent_and_shrinking_is_not(before: int, after: int) -> None:
    drafts = said("aws_ecs_service", {"desired_count": before}, {"desired_count": str(after)})
    assert [one.code for one in drafts] == (["CAPACITY_DOWN"] if after < before else [])


def test_growth_of_storage_and_memory_is_silent() -> None:
    assert codes(DB, {"allocated_storage": 100}, {"allocated_storage": 200}) == []
    assert codes("aws_lambda_function", {"memory_size": 256}, {"memory_size": 512}) == []
    assert codes(DB, {"allocated_storage": 200}, {"allocated_storage": 100}) == [("APPLY_FAIL", "medium")]
    assert codes(DB, {"storage_type": "gp2"}, {"storage_type": "gp3"}) == []
    assert codes(DB, {"storage_type": "io1"}, {"storage_type": "gp2"}) == [("CAPACITY_DOWN", "medium")]


@pytest.mark.parametrize(
    ("type_", "before", "after", "severity"),
    [
        (DB, {"multi_az": True}, {"multi_az": False}, "high"),
        ("aws_elasticache_replication_group", {"num_cache_clusters": 2}, {"num_cache_clusters": 1}, "high"),
        ("aws_elasticache_replication_group", {"num_cache_clusters": 3}, {"num_cache_clusters": 2}, "medium"),
        ("kafka_topic", {"config": {"min.insync.replicas": "2"}}, {"config": {"min.insync.replicas": "1"}}, "high"),
        ("kafka_topic", {"replication_factor": 3}, {"replication_factor": 2}, "high"),
        (
            "google_sql_database_instance",
            {"settings": [{"availability_type": "REGIONAL"}]},
            {"settings": [{"availability_type": "ZONAL"}]},
            "high",
        ),
        ("azurerm_storage_account", {"account_replication_type": "GRS"}, {"account_replication_type": "LRS"}, "medium"),
    ],
)
def test_fewer_copies(type_: str, before: dict[str, Value], after: dict[str, Value], severity: str) -> None:
    assert codes(type_, before, after) == [("DATA_DURABILITY", severity)]
    assert codes(type_, after, before) == []


def test_parameters_that_lose_writes_and_parameters_that_wait() -> None:
    group = "aws_db_parameter_group"
    old = [{"name": "synchronous_commit", "value": "on", "apply_method": "immediate"}]
    new = [{"name": "synchronous_commit", "value": "off", "apply_method": "immediate"}]
    assert codes(group, {"parameter": old}, {"parameter": new}) == [("DATA_DURABILITY", "high")]
    waiting = [*old, {"name": "shared_preload_libraries", "value": "pglogical", "apply_method": "pending-reboot"}]
    assert codes(group, {"parameter": old}, {"parameter": waiting}) == [("RESTART", "low")]
    assert codes(group, {"parameter": waiting}, {"parameter": list(reversed(waiting))}) == []


def test_changes_that_no_longer_wait_for_the_window() -> None:
    (draft,) = said(DB, {"apply_immediately": Later('var.env != "production"')}, {"apply_immediately": True})
    assert (draft.code, draft.severity) == ("RESTART", "medium")
    assert 'apply_immediately var.env != "production" -> true' in draft.reason
    assert codes(DB, {"apply_immediately": True}, {"apply_immediately": False}) == []


def test_an_input_of_a_module_is_said_as_the_call_writes_it() -> None:
    change = ResourceChange(
        "module.rds",
        DB,
        "update",
        {"engine_version": "15.2", "family": "postgres15"},
        {"engine_version": "16.1", "family": "postgres16"},
        spelled={"engine_version": "db_engine_version"},
    )
    (draft,) = upgrades.versions_changed(World("terraform code", "infra", (change,)))
    assert isinstance(draft, Draft)
    assert "db_engine_version 15.2 -> 16.1 is a major upgrade" in draft.reason


def test_a_promoted_replica_and_a_region_that_goes() -> None:
    assert codes(DB, {"replicate_source_db": "main"}, {"replicate_source_db": ""}) == [("DATA_DURABILITY", "medium")]
    two = [{"region_name": "eu-west-1"}, {"region_name": "us-east-1"}]
    assert codes("aws_dynamodb_table", {"replica": two}, {"replica": two[:1]}) == [("DATA_DURABILITY", "medium")]
    assert codes("aws_dynamodb_table", {"replica": two}, {"replica": two[::-1]}) == []


def test_cloudformation_does_not_wait_for_the_window() -> None:
    (draft,) = said(DB, {"engine": "postgres", "engine_version": "14"}, {"engine_version": "16"}, "change set")
    assert "downtime now, because CloudFormation does not wait" in draft.reason
