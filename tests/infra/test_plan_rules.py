"""What only the whole of a plan shows: lost state, a stack that goes, what is forgotten or left out; and drift."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.plan_texts import block, change, document, same, shop, state, written
from tidegate.facts import DriftFact, Effect, Infra
from tidegate.infra.collect import facts_of
from tidegate.infra.judge import judge
from tidegate.infra.plans import read_plan
from tidegate.infra.rules import plan as rules

RULES = (rules.state_lost, rules.stack_destroyed, rules.forgotten, rules.left_out)


def judged(plan: dict[str, Any]) -> Infra:
    return facts_of(judge([read_plan(written(plan), "plan.json")], RULES, "human"), "human")


def effects(plan: dict[str, Any]) -> dict[str, Effect]:
    return {one.code: one for one in judged(plan).effects}


def creates(number: int, **values: Any) -> list[dict[str, Any]]:
    return [
        change(f"aws_sqs_queue.q{place}", "create", None, {"name": f"q{place}", **values}) for place in range(number)
    ]


@pytest.mark.parametrize(
    ("number", "values", "severity"),
    [
        (51, {"tags": {"env": "prod"}}, "critical"),
        (12, {"tags": {"env": "prod"}}, "high"),
        (12, {"tags": {"env": "dev"}}, "low"),
        (60, {"tags": {"env": "dev"}}, "low"),
        (12, {}, "low"),
        (60, {}, "low"),
        (60, {"deletion_protection": True, "multi_az": True}, "high"),
    ],
)
def test_a_missing_state_is_as_grave_as_the_names_are_like_production(
    number: int, values: dict[str, Any], severity: str
) -> None:
    found = effects(document(creates(number, **values), prior_state=None))["STATE_LOSS"]
    assert found.severity == severity
    assert f"All {number} changes" in found.reason
    assert "new" in found.reason


def test_creates_beside_what_exists_are_no_lost_state() -> None:
    here = [same("aws_vpc.main", {"id": "vpc-1"})]
    assert not effects(document([*creates(40, tags={"env": "prod"}), *here], [state("aws_vpc.main", {"id": "vpc-1"})]))
    assert not effects(document(creates(9, tags={"env": "prod"})))


def test_a_create_of_what_a_data_source_found_is_lost_state() -> None:
    data = state("data.aws_sqs_queue.q", {"name": "orders"}, mode="data")
    found = effects(document([change("aws_sqs_queue.q", "create", None, {"name": "orders"})], [data]))["STATE_LOSS"]
    assert found.address == "aws_sqs_queue.q"
    assert "data.aws_sqs_queue.q" in found.reason
    other = change("aws_sqs_queue.q", "create", None, {"name": "refunds"})
    assert not effects(document([other], [data]))
    apart = state("data.aws_security_group.g", {"name": "api", "vpc_id": "vpc-1"}, mode="data")
    here = change("aws_security_group.g", "create", None, {"name": "api", "vpc_id": "vpc-2"})
    assert not effects(document([here], [apart]))


def test_a_stack_that_goes_names_what_holds_data_first() -> None:
    gone = [change(f"aws_iam_role.r{place}", "delete", {"name": f"r{place}"}) for place in range(11)]
    gone.append(change("aws_db_instance.main", "delete", {"identifier": "main", "tags": {"env": "prod"}}))
    found = effects(document(gone))["DESTROY"]
    assert found.severity == "critical"
    assert found.reason.startswith("12 of 12 resources are destroyed, 1 of them")
    assert "aws_db_instance.main" in found.reason
    kept = [same(f"aws_iam_role.k{place}", {"name": "k"}) for place in range(30)]
    assert "DESTROY" not in effects(document([*gone, *kept]))


def test_what_is_forgotten_stays_as_it_is() -> None:
    found = judged(document([change("aws_kinesis_stream.events", "forget", {"name": "events"})]))
    assert [one.code for one in found.effects] == ["UNMANAGED"]
    assert "no longer managed" in found.effects[0].reason
    assert "destroy" not in found.effects[0].reason
    assert found.drift[0].kind == "unmanaged"


def test_a_partial_plan_says_what_the_code_wants_beside_it() -> None:
    plan = document(
        [change("aws_x.a", "update", {"n": 1}, {"n": 2})],
        [state("aws_x.a", {"n": 1}), state("aws_x.b", {"size": 4, "other": "o"})],
        [block("aws_x.b", size=0, other="o")],
    )
    found = effects(plan)["PARTIAL_PLAN"]
    assert found.severity == "low"
    assert "aws_x.b size 4 -> 0" in found.reason
    assert "other" not in found.reason


def test_a_secret_that_code_changes_beside_the_plan_is_not_shown() -> None:
    plan = document(
        [change("aws_x.a", "update", {"n": 1}, {"n": 2})],
        [state("aws_x.a", {"n": 1}), state("aws_x.b", {"password": "old-Plum-77"})],
        [block("aws_x.b", password="new-Plum-78")],
    )
    assert "Plum" not in repr(judged(plan))


def drifted(recorded: dict[str, Any], found: dict[str, Any] | None, planned: dict[str, Any] | str | None = "") -> Infra:
    """A resource that was recorded, is found so, and is planned so; "" is a plan that only refreshes."""
    drift = change("aws_x.y", "delete" if found is None else "update", recorded, found)
    if planned == "":
        return judged(document(resource_changes=None, resource_drift=[drift]))
    assert not isinstance(planned, str)
    action = "create" if found is None else "delete" if planned is None else "no-op" if planned == found else "update"
    return judged(document([change("aws_x.y", action, found, planned)], resource_drift=[drift]))


def only(infra: Infra) -> DriftFact:
    (fact,) = infra.drift
    return fact


def test_a_change_by_hand_that_a_plan_takes_back_is_told() -> None:
    found = drifted({"size": 1}, {"size": 9}, {"size": 1})
    assert (only(found).kind, only(found).undone, only(found).attributes) == ("changed-by-hand", True, ("size",))
    (effect,) = found.effects
    assert (effect.code, effect.severity) == ("DRIFT_REVERT", "medium")
    assert "size 1 -> 9" in effect.reason


def test_an_emergency_fix_is_known_by_its_words() -> None:
    found = judged(shop())
    assert (only(found).kind, only(found).undone) == ("emergency-fix", True)
    (reason,) = (one.reason for one in found.effects if one.code == "DRIFT_REVERT")
    assert "hotfix INC-77" in reason
    assert "22/tcp for 198.51.100.7/32" in reason
    assert "emergency fix" in reason


def test_code_that_catches_up_is_silent() -> None:
    found = drifted({"size": 1}, {"size": 9}, {"size": 9})
    assert (only(found).kind, found.effects) == ("catches-up", ())


def test_a_plan_that_only_refreshes_undoes_nothing() -> None:
    found = drifted({"size": 1}, {"size": 9})
    assert (only(found).kind, only(found).undone, found.effects) == ("changed-by-hand", False, ())


@pytest.mark.parametrize(
    ("recorded", "found"),
    [
        ({"etag": "a"}, {"etag": "b"}),
        ({"last_modified": "2026"}, {"last_modified": "2027"}),
        ({"engine_version": "14.12"}, {"engine_version": "14.13"}),
        ({"status": "CREATING"}, {"status": "ACTIVE"}),
        ({"tags_all": {"a": "1"}}, {"tags_all": {"a": "2"}}),
    ],
)
def test_what_the_provider_says_of_itself_is_noise(recorded: dict[str, Any], found: dict[str, Any]) -> None:
    judged_ = drifted(recorded, found, found)
    assert (only(judged_).kind, judged_.effects) == ("provider-noise", ())


def test_a_minor_version_that_the_provider_raised_is_noise_although_the_code_lags() -> None:
    found = drifted({"engine_version": "14.12"}, {"engine_version": "14.13"}, {"engine_version": "14.12"})
    assert (only(found).kind, found.effects) == ("provider-noise", ())


def test_a_switch_that_is_called_status_is_no_noise_where_the_plan_sets_it_back() -> None:
    found = drifted({"status": "Enabled"}, {"status": "Suspended"}, {"status": "Enabled"})
    assert (only(found).kind, only(found).undone) == ("changed-by-hand", True)


def test_tags_that_are_taken_back_are_a_fact_and_no_effect() -> None:
    found = drifted({"tags": {"a": "1"}}, {"tags": {"a": "2"}}, {"tags": {"a": "1"}})
    assert (only(found).undone, found.effects) == (True, ())
    urgent = drifted({"tags": {}}, {"tags": {"note": "INC-4711"}}, {"tags": {}})
    assert [one.severity for one in urgent.effects] == ["low"]


def test_what_an_autoscaler_may_have_set_is_said() -> None:
    found = drifted({"desired_count": 3}, {"desired_count": 9}, {"desired_count": 3})
    assert "autoscaler" in found.effects[0].reason


@pytest.mark.parametrize(
    ("recorded", "found"),
    [({"a": None}, {"a": ""}), ({"a": []}, {}), ({"a": ["x", "y"]}, {"a": ["y", "x"]}), ({"a": "1"}, {"a": 1})],
)
def test_another_spelling_is_no_drift(recorded: dict[str, Any], found: dict[str, Any]) -> None:
    assert drifted(recorded, found, recorded).drift == ()


def test_a_major_version_is_no_noise() -> None:
    found = drifted({"engine_version": "14.12"}, {"engine_version": "15.1"}, {"engine_version": "14.12"})
    assert only(found).undone


def test_what_was_deleted_by_hand_is_never_said_to_be_destroyed() -> None:
    found = drifted({"name": "n"}, None, {"name": "n"})
    (effect,) = found.effects
    assert (only(found).kind, effect.code, effect.severity) == ("deleted-by-hand", "DRIFT_EXTERNAL_DELETE", "low")
    assert "outside Terraform" in effect.reason
    assert "destroy" not in effect.reason


def test_a_database_that_was_deleted_by_hand_comes_back_empty() -> None:
    values = {"identifier": "main", "tags": {"env": "prod"}}
    drift = change("aws_db_instance.main", "delete", values)
    plan = document([change("aws_db_instance.main", "create", None, values)], resource_drift=[drift])
    (effect,) = judged(plan).effects
    assert effect.severity == "high"
    assert "empty" in effect.reason


def test_many_that_were_deleted_by_hand_are_told_in_one_sentence() -> None:
    names = [f"aws_x.y{place}" for place in range(9)]
    drift = [change(one, "delete", {"n": 1}) for one in names]
    plan = document([change(one, "create", None, {"n": 1}) for one in names], resource_drift=drift)
    (effect,) = (one for one in judged(plan).effects if one.code == "DRIFT_EXTERNAL_DELETE")
    assert "and 5 more were deleted outside Terraform" in effect.reason


def test_a_secret_that_drifted_is_not_shown() -> None:
    found = drifted({"password": "Old-plum-1"}, {"password": "New-plum-2"}, {"password": "Old-plum-1"})
    assert only(found).undone
    assert "plum" not in repr(found)
