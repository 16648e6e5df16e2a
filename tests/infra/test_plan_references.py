"""Who needs what: by reference through modules, by the state's record, by equal values."""

from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.infra.plan_texts import block, change, document, same, shop, state, written
from tidegate.infra.graph import Uses
from tidegate.infra.plans import read_plan
from tidegate.infra.terraform.joins import Index, Mentions, joined
from tidegate.infra.values import Resource, World

ARN = "arn:aws:sqs:eu-west-1:123456789012:orders"


def world(plan: dict[str, Any]) -> World:
    return read_plan(written(plan), "plan.json").worlds[0]


def pairs(uses: Uses) -> set[tuple[str, str, str]]:
    return {(use.user, use.used, use.through) for found in uses.by_user.values() for use in found}


def test_a_value_inside_a_document_names_its_attribute_and_its_variable() -> None:
    assert pairs(world(shop()).uses_before) == {
        ("aws_db_instance.main", "aws_security_group.db", "vpc_security_group_ids"),
        ("aws_ecs_task_definition.api", "aws_db_instance.main", "container_definitions.0.environment.DB_HOST"),
        ("aws_ecs_task_definition.api", "aws_sqs_queue.orders", "container_definitions.0.environment.QUEUE"),
    }


def test_references_go_through_inputs_outputs_and_data_sources() -> None:
    inner = {
        "resources": [block("aws_subnet.private", vpc_id=("var.vpc",))],
        "outputs": {"ids": {"expression": {"references": ["aws_subnet.private"]}}},
        "variables": {"vpc": {}},
    }
    call = {"module": inner, "expressions": {"vpc": {"references": ["aws_vpc.main.id", "aws_vpc.main"]}}}
    blocks = [
        block("aws_vpc.main", cidr_block="10.0.0.0/16"),
        block("data.aws_subnets.mine", filter=("module.net.ids", "module.net")),
        block("aws_db_subnet_group.main", subnet_ids=("data.aws_subnets.mine.ids", "data.aws_subnets.mine")),
        block("aws_instance.last", depends_on_module=("module.net",)),
    ]
    addresses = ["aws_vpc.main", "aws_db_subnet_group.main", "aws_instance.last"]
    inside = ['module.net["a"].aws_subnet.private[0]', 'module.net["b"].aws_subnet.private[0]']
    plan = document([same(one, {"n": 1}) for one in (*addresses, *inside)])
    plan["configuration"] = {"root_module": {"resources": blocks, "module_calls": {"net": call}}}
    assert pairs(world(plan).uses_after) == {
        *((one, "aws_vpc.main", "vpc_id") for one in inside),
        *(("aws_db_subnet_group.main", one, "subnet_ids") for one in inside),
        *(("aws_instance.last", one, "depends_on_module") for one in inside),
    }


def test_a_ring_of_variables_ends() -> None:
    call = {"module": {"outputs": {"o": {"expression": {"references": ["var.v"]}}}}}
    call["expressions"] = {"v": {"references": ["module.m.o", "module.m"]}}
    plan = document([same("aws_x.y", {"id": "1"})])
    code = [block("aws_x.y", v=("module.m.o", "module.m"))]
    plan["configuration"] = {"root_module": {"module_calls": {"m": call}, "resources": code}}
    assert pairs(world(plan).uses_after) == set()


def test_instances_are_matched_by_key_by_name_and_by_module() -> None:
    blocks = [
        block("aws_a.all", v=("aws_b.many",)),
        block("aws_a.first", v=("aws_b.many[0].id", "aws_b.many[0]", "aws_b.many")),
        block("aws_a.step", v=("aws_b.many", "count.index")),
        block("aws_b.many"),
    ]
    many = ["aws_b.many[0]", "aws_b.many[1]"]
    addresses = ["aws_a.all", "aws_a.first", "aws_a.step[0]", "aws_a.step[1]", *many]
    plan = document([same(one, {"n": 1}) for one in addresses], code=blocks)
    assert {(user, used) for user, used, _ in pairs(world(plan).uses_after)} == {
        *(("aws_a.all", one) for one in many),
        ("aws_a.first", "aws_b.many[0]"),
        *((f"aws_a.step[{place}]", one) for place, one in enumerate(many)),
    }


def test_modules_keep_to_themselves() -> None:
    inner = {"resources": [block("aws_a.x"), block("aws_b.x", v=("aws_a.x.id", "aws_a.x"))]}
    addresses = [f'module.m["{key}"].aws_{kind}.x' for key in "pq" for kind in "ab"]
    plan = document([same(one, {"n": 1}) for one in addresses])
    plan["configuration"] = {"root_module": {"module_calls": {"m": {"module": inner}}}}
    assert pairs(world(plan).uses_after) == {
        (f'module.m["{key}"].aws_b.x', f'module.m["{key}"].aws_a.x', "v") for key in "pq"
    }


def test_what_is_no_longer_configured_is_needed_as_the_state_recorded_and_no_further() -> None:
    """The state lists the distant ones too: the service needs the task, the task needs the database."""
    names = ["aws_db_instance.d", "aws_ecs_task_definition.t", "aws_ecs_service.s"]
    prior = [
        state(names[0], {"n": 0}),
        state(names[1], {"n": 1}, names[0]),
        state(names[2], {"n": 2}, names[0], names[1]),
    ]
    plan = document([change(one, "delete", {"n": place}) for place, one in enumerate(names)], prior)
    assert pairs(world(plan).uses_before) == {(names[1], names[0], ""), (names[2], names[1], "")}
    assert list(world(plan).uses_before.dependents(names[0])) == [names[1], names[2]]


def test_a_reference_that_is_new_was_not_there_before() -> None:
    prior = [state("aws_a.x", {"n": 1}, "aws_b.old"), state("aws_b.old", {}), state("aws_b.new", {})]
    changes = [change("aws_a.x", "update", {"n": 1}, {"n": 2}), same("aws_b.old", {}), same("aws_b.new", {})]
    found = world(document(changes, prior, [block("aws_a.x", v=("aws_b.new.id", "aws_b.new")), block("aws_b.new")]))
    assert {used for _, used, _ in pairs(found.uses_before)} == {"aws_b.old"}
    assert {used for _, used, _ in pairs(found.uses_after)} == {"aws_b.new"}


def test_a_value_that_several_unlike_things_share_joins_nothing() -> None:
    assert by_value(
        Resource("aws_iam_role.api", "aws_iam_role", {"name": "shop-api-main"}),
        Resource("aws_ecr_repository.api", "aws_ecr_repository", {"name": "shop-api-main"}),
        Resource(
            "aws_x.user", "aws_x", {"setting": "shop-api-main", "role": "shop-api-main", "tags": {"a": "shop-api"}}
        ),
    ) == {("aws_x.user", "aws_iam_role.api", "role")}


def test_a_part_of_a_bucket_stands_for_the_bucket() -> None:
    assert by_value(
        Resource("aws_s3_bucket.b", "aws_s3_bucket", {"id": "shop-files", "bucket": "shop-files"}),
        Resource(
            "aws_s3_bucket_versioning.b", "aws_s3_bucket_versioning", {"id": "shop-files", "bucket": "shop-files"}
        ),
        Resource("aws_x.user", "aws_x", {"environment": [{"variables": {"FILES": "shop-files"}}]}),
    ) == {
        ("aws_x.user", "aws_s3_bucket.b", "environment.0.variables.FILES"),
    }


def test_short_and_common_values_join_nothing() -> None:
    assert not by_value(
        Resource("aws_a.x", "aws_a", {"name": "api", "id": "12", "domain": "shop"}),
        Resource("aws_b.x", "aws_b", {"text": "api", "count": "12", "list": ["shop", "api shop 12"]}),
    )


def test_a_host_in_a_connection_string_and_an_arn_with_a_star_are_found() -> None:
    host = "db.internal.example.com"
    policy = json.dumps({"Statement": [{"Resource": [f"{ARN}/*"]}]})
    assert by_value(
        Resource("aws_db_instance.d", "aws_db_instance", {"address": host}),
        Resource("aws_sqs_queue.q", "aws_sqs_queue", {"arn": ARN}),
        Resource("aws_x.user", "aws_x", {"url": "u", "dsn": f"postgres://{host}:5432/shop", "policy": policy}),
    ) == {
        ("aws_x.user", "aws_db_instance.d", "dsn"),
        ("aws_x.user", "aws_sqs_queue.q", "policy.Statement.0.Resource"),
    }


def test_a_name_that_thousands_share_costs_no_more_than_reading_it() -> None:
    policy = json.dumps({"Resource": ["same-same-same"] * 50})
    resources = [Resource(f"aws_a.x[{place}]", "aws_a", {"id": "same-same-same", "p": policy}) for place in range(2000)]
    began = time.process_time()
    assert not by_value(*resources)
    assert time.process_time() - began < 2


def test_very_many_that_need_very_many_are_bounded() -> None:
    many = [same(f"aws_{kind}.x[{place}]", {"n": 1}) for kind in "ab" for place in range(400)]
    code = [block("aws_a.x"), block("aws_b.x", v=("aws_a.x",))]
    assert len(pairs(world(document(many, code=code)).uses_after)) == 400 * 64


@given(st.permutations(range(5)))
def test_the_order_of_a_plan_says_nothing(order: list[int]) -> None:
    plan = shop()
    mixed = plan | {"resource_changes": [plan["resource_changes"][place] for place in order]}
    assert pairs(world(mixed).uses_before) == pairs(world(plan).uses_before)


# Private


def by_value(*resources: Resource) -> set[tuple[str, str, str]]:
    index = Index(resources)
    found = joined({one.address: one for one in resources}, index, Mentions(index.values()))
    return {(use.user, use.used, use.through) for use in found}
