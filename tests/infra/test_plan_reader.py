"""Plans are told apart, read whatever their encoding and version, and what they do not show is said."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.infra import fuzz
from tests.infra.plan_texts import block, change, document, same, shop, state, written
from tidegate.errors import InputError
from tidegate.infra.plans import read_plan
from tidegate.infra.values import Found, Hidden, Later, ResourceChange


def read(plan: dict[str, Any]) -> Found:
    return read_plan(written(plan), "plan.json")


def only(plan: dict[str, Any]) -> ResourceChange:
    (found,) = read(plan).worlds[0].changes
    return found


def test_every_change_of_a_plan_is_read_with_what_forces_it() -> None:
    found = read(shop())
    world = found.worlds[0]
    assert [(one.action, one.address) for one in world.changes if one.action != "no-op"] == [
        ("update", "aws_security_group.db"),
        ("replace", "aws_ecs_task_definition.api"),
        ("delete", "aws_sqs_queue.orders"),
    ]
    task = world.changes[2]
    assert (task.forced_by, task.create_first, task.why) == (
        ("container_definitions",),
        False,
        "replace_because_cannot_update",
    )
    made_of = Later("aws_db_instance.main.address")
    assert task.after == {"family": "shop-api", "id": Later(), "container_definitions": made_of}
    assert world.before["aws_db_instance.main"].values["password"] == Hidden(1)
    assert "aws_sqs_queue.orders" not in world.after
    assert world.environment == "prod"
    assert found.unjudged == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_a_plan_is_the_same_plan(encoding: str) -> None:
    text = written(shop()).decode()
    assert read_plan(text.encode(encoding), "plan.json") == read_plan(text.encode(), "plan.json")


@pytest.mark.parametrize("version", [None, "0.1", "0.2", "1.0", "1.2", "1.99", 1.2])
def test_every_minor_version_is_read(version: object) -> None:
    assert read(shop() | {"format_version": version}).worlds[0].changes


@pytest.mark.parametrize(
    ("actions", "action", "create_first"),
    [
        ("no-op", "no-op", False),
        ("create", "create", False),
        ("update", "update", False),
        ("delete", "delete", False),
        ("delete create", "replace", False),
        ("create delete", "replace", True),
        ("forget", "forget", False),
        ("create forget", "forget", False),
    ],
)
def test_actions(actions: str, action: str, create_first: bool) -> None:
    found = only(document([change("aws_x.y", actions, {"id": "1"}, {"id": "2"})]))
    assert (found.action, found.create_first) == (action, create_first)


def test_an_action_that_is_not_known_is_never_left_out_in_silence() -> None:
    found = read(document([change("aws_x.y", "annihilate", {"id": "1"})]))
    assert found.worlds[0].changes == ()
    assert [(one.address, "annihilate" in one.reason) for one in found.unjudged] == [("aws_x.y", True)]


def test_what_is_imported_moved_or_left_over_is_told_apart() -> None:
    changes = [
        same("aws_x.imported", {"id": "1"}, importing={"id": "1"}),
        same("aws_x.new", {"id": "2"}, previous_address="aws_x.old"),
        change("aws_x.again", "delete", {"id": "3"}, deposed="0badc0de"),
    ]
    found = read(document(changes, [state("aws_x.old", {"id": "2"})]))
    imported, moved, left = found.worlds[0].changes
    assert imported.action == "import"
    assert moved.moved_from == "aws_x.old"
    assert left.address == "aws_x.again (deposed 0badc0de)"
    assert "aws_x.old" not in found.worlds[0].before


def test_data_sources_are_no_changes_and_stand_on_both_sides() -> None:
    data = {**change("data.aws_vpc.main", "read", None, {"id": "vpc-1"}), "mode": "data"}
    plan = document([data], [state("data.aws_vpc.main", {"id": "vpc-1"}, mode="data")])
    world = read(plan).worlds[0]
    assert world.changes == ()
    assert world.before["data.aws_vpc.main"] == world.after["data.aws_vpc.main"]


def test_unknown_values_stand_where_they_will_be_known() -> None:
    after = {"name": "n", "rule": [{"port": 1}, {}], "map": {}}
    unknown = {"id": True, "rule": [{"port": False}, {"arn": True}, True], "map": {"a": {"b": True}}, "list": [False]}
    found = only(document([change("aws_x.y", "create", None, after, after_unknown=unknown)]))
    assert found.after == {
        "name": "n",
        "id": Later(),
        "rule": [{"port": 1}, {"arn": Later()}, Later()],
        "map": {"a": {"b": Later()}},
    }


def test_a_list_of_false_hides_nothing_and_is_known() -> None:
    values = {"groups": ["sg-1"], "id": "x"}
    masks = {"before_sensitive": {"groups": [False]}, "after_sensitive": {"groups": [False]}}
    found = only(document([change("aws_x.y", "update", values, values, after_unknown={"groups": [False]}, **masks)]))
    assert found.before == values
    assert found.after == values


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (shop() | {"errored": True}, "error"),
        (shop() | {"complete": False}, "-target"),
        (shop() | {"applyable": False}, "applied"),
        (document([change("aws_x.y", "delete", None)]), "is now"),
        (document([change("aws_x.y", "create", None, None)]), "becomes"),
        (
            document(deferred_changes=[{"reason": "x", "resource_change": change("aws_x.y", "create", None, {})}]),
            "later",
        ),
        (
            document(
                resource_changes=None, planned_values={"root_module": {"resources": [state("aws_x.y", {"id": "1"})]}}
            ),
            "not what changes",
        ),
    ],
)
def test_a_plan_that_is_not_whole_says_so(plan: dict[str, Any], word: str) -> None:
    assert any(word in one.reason for one in read(plan).unjudged)


def test_a_plan_without_changes_is_no_reason_to_doubt() -> None:
    assert read(document([same("aws_x.y", {"id": "1"})], applyable=False)).unjudged == ()


def test_a_plan_that_only_refreshes_is_whole() -> None:
    now = [state("aws_x.y", {"id": "1"})]
    plan = document(resource_changes=None, prior=now, planned_values={"root_module": {"resources": now}})
    assert read(plan).unjudged == ()


def test_code_that_a_plan_leaves_out_is_named() -> None:
    """OpenTofu leaves no other trace of -target."""
    plan = document(
        [change("aws_x.chosen", "update", {"id": "1", "size": 1}, {"id": "1", "size": 2})],
        [state("aws_x.chosen", {"id": "1", "size": 1}), state("aws_ecs_service.api", {"desired_count": 6})],
        [block("aws_x.chosen", size=2), block("aws_ecs_service.api", desired_count=0)],
    )
    found = read(plan)
    assert "aws_ecs_service.api desired_count 6 -> 0" in found.worlds[0].partial
    assert found.unjudged


def test_drift_of_old_versions_gets_its_address_from_its_parts() -> None:
    drift = change("aws_x.y", "update", {"size": 1}, {"size": 2}) | {"index": "a", "module_address": "module.m"}
    del drift["address"]
    assert read(document(resource_drift=[drift])).drift[0].address == 'module.m.aws_x.y["a"]'


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "blanks": (b"\xef\xbb\xbf \n", "empty"),
    "a binary plan": (b"PK\x03\x04\x14\0", "terraform show -json"),
    "a log": (b'{"@level":"info","@message":"x"}\n{"@level":"info","@message":"y"}', "log"),
    "one line of a log": (b'{"@level":"info","@message":"x"}', "log"),
    "what people read": (b"Terraform will perform the following actions:", "person reads"),
    "a state": (b'{"version":4,"terraform_version":"1","serial":1,"lineage":"l"}', "a state"),
    "a state as shown": (b'{"format_version":"1.0","terraform_version":"1","values":{}}', "a state"),
    "another document": (b'{"hello":1}', "neither"),
    "a list": (b"[]", "not of a plan"),
    "a cut": (written(shop())[:-40], "cut off"),
    "a later format": (written(shop() | {"format_version": "2.0"}), "format 2.0"),
    "a bomb": (b'{"resource_changes":' + b"[" * 9000 + b"]" * 9000 + b"}", "nested deeper"),
    "a deep value": (
        written(document([change("a_b.c", "delete", json.loads('{"a":' * 200 + "1" + "}" * 200))])),
        "deeper",
    ),
    "a key twice": (b'{"resource_changes":[],"errored":true,"errored":false}', "twice"),
    "an infinite number": (b'{"resource_changes":[{"change":{"actions":[],"before":{"a":1e400}}}]}', "out of range"),
    "no number": (b'{"resource_changes":[],"a":Infinity}', "cannot be read"),
    "a huge number": (b'{"resource_changes":[{"change":{"actions":[],"before":{"a":' + b"9" * 9000 + b"}}}]}", "range"),
    "a wrong shape": (b'{"resource_changes":[{"change":{"actions":"delete"}}]}', "Expected"),
    "bytes that are no text": (b'{"resource_changes":[],"\xff":1}', "cannot be read"),
    "half a letter": (b"\xff\xfe{\0\0", "not text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plan_is_refused_in_one_line(name: str) -> None:
    data, word = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read_plan(data, "plan.json")
    assert word in str(caught.value)
    assert str(caught.value).startswith("plan.json: ")
    assert "\n" not in str(caught.value)


def test_broken_plans_are_read_or_refused() -> None:
    random_ = random.Random(5)
    plans = fuzz.seeds()[:3]
    became = [fuzz.read(*fuzz.mutated(random_.choice(plans), random_)) for _ in range(2000)]
    assert {"read", "refused"} == set(became)


def test_the_same_plan_is_read_to_the_same_bytes() -> None:
    assert repr(read(shop())) == repr(read(shop()))
