"""Plans that were edited to look harmless, plans that hide what they do, and blanks that nobody has chosen."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.plan_texts import Json, block, change, document, same, state, written
from tidegate.infra.collect import judge_found
from tidegate.infra.judge import Judgement
from tidegate.infra.plans import read_plan
from tidegate.infra.values import Later

DATABASE: Json = {"id": "shop", "identifier": "shop", "engine": "postgres", "publicly_accessible": False}
PUBLIC: Json = {**DATABASE, "publicly_accessible": True}
NAME = "aws_db_instance.main"


def judged(plan: Json) -> Judgement:
    return judge_found([read_plan(written(plan), "plan.json")], "human")


def doubts(plan: Json) -> list[str]:
    return [f"{one.address}: {one.reason}" for one in judged(plan).unjudged]


def entry(actions: str, before: Json | None = None, after: Json | None = None, **more: Any) -> Json:
    return document([change(NAME, actions, before, after, **more)])


EDITED: dict[str, Json] = {
    "nothing is done to it, and it is gone": entry("no-op", DATABASE),
    "nothing is done to it, and it is public": entry("no-op", DATABASE, PUBLIC),
    "nothing is done to it, and it is not known": entry(
        "no-op", DATABASE, DATABASE, after_unknown={"publicly_accessible": True}
    ),
    "nothing is done to it, and other values are planned": document(
        [same(NAME, DATABASE)], planned_values={"root_module": {"resources": [state(NAME, PUBLIC)]}}
    ),
    "nothing is done to it, and it is not planned to be there": document(
        [same(NAME, DATABASE)], planned_values={"root_module": {"resources": [state("aws_s3_bucket.b", {"id": "b"})]}}
    ),
    "it is only read": entry("read", DATABASE, PUBLIC),
    "it is called a data source": entry("delete", DATABASE, mode="data"),
    "it is created, and was there": entry("create", DATABASE, PUBLIC),
    "its type is another": entry("delete", DATABASE, type="random_id"),
    "its replacement is explained and not done": entry(
        "update", DATABASE, DATABASE, replace_paths=[["engine"]], action_reason="replace_because_cannot_update"
    ),
    "its delete is explained and not done": entry(
        "no-op", DATABASE, DATABASE, action_reason="delete_because_no_resource_config"
    ),
    "its code is cut out": document([change(NAME, "update", DATABASE, PUBLIC)], code=[block("aws_s3_bucket.b", n=1)]),
    "all code is cut out": entry("update", DATABASE, {}, after_unknown={"publicly_accessible": True}),
    "what it is now is cut": document(
        [change(NAME, "update", {"id": "shop", "identifier": "shop"}, PUBLIC)], [state(NAME, DATABASE)]
    ),
    "what it becomes is cut": document(
        [change(NAME, "update", DATABASE, {"id": "shop"})],
        planned_values={"root_module": {"resources": [state(NAME, PUBLIC)]}},
    ),
    "it is changed twice": document([same(NAME, DATABASE), same(NAME, DATABASE)]),
}


@pytest.mark.parametrize("name", EDITED)
def test_a_plan_that_contradicts_itself_is_not_judged(name: str) -> None:
    assert [one for one in doubts(EDITED[name]) if one.startswith(f"{NAME}: The plan contradicts itself")]


def test_many_contradictions_are_counted() -> None:
    plan = document([change(f"aws_db_instance.d[{place}]", "no-op", DATABASE, PUBLIC) for place in range(50)])
    said = doubts(plan)
    assert len(said) == 6
    assert said[-1] == "plan.json: The plan contradicts itself in 45 more places."


def test_a_plan_as_tools_write_it_does_not_contradict_itself() -> None:
    moved = same("aws_db_instance.new", DATABASE, previous_address=NAME)
    left_over = change(NAME, "delete", DATABASE, deposed="0a1b2c3d")
    read = change(
        "data.aws_ami.it", "read", None, {"id": "x"}, mode="data", action_reason="read_because_config_unknown"
    )
    plan = document(
        [moved, left_over, read, same('module.a["x.y"].aws_s3_bucket.b[0]', {"id": "b", "n": "1"})],
        planned_values={
            "root_module": {
                "resources": [state("aws_db_instance.new", DATABASE)],
                "child_modules": [
                    {
                        "address": 'module.a["x.y"]',
                        "resources": [state('module.a["x.y"].aws_s3_bucket.b[0]', {"id": "b", "n": 1})],
                    }
                ],
            }
        },
    )
    assert doubts(plan) == []


def test_a_switch_is_read_although_it_is_marked_as_a_secret() -> None:
    for mask in (True, {"publicly_accessible": True}):
        plan = entry("update", DATABASE, PUBLIC, before_sensitive=mask, after_sensitive=mask)
        assert "NET_EXPOSE" in [one.code for one in judged(plan).effects]


@pytest.mark.parametrize(
    ("address", "name", "was", "becomes"),
    [
        ("aws_iam_role_policy.p", "policy", "{}", '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'),
        ("aws_security_group_rule.r", "cidr_blocks", ["10.0.0.0/8"], ["0.0.0.0/0"]),
        ("aws_s3_bucket_acl.a", "acl", "private", "public-read-write"),
        ("aws_db_instance.main", "backup_retention_period", 30, 0),
        ("google_storage_bucket_iam_member.m", "member", "user:a@example.com", "allUsers"),
    ],
)
def test_what_decides_and_is_marked_as_a_secret_is_not_judged(address: str, name: str, was: Any, becomes: Any) -> None:
    masks = {"before_sensitive": {name: True}, "after_sensitive": {name: True}}
    plan = document([change(address, "update", {"id": "x", name: was}, {"id": "x", name: becomes}, **masks)])
    assert f"{address}: {name} of {address} is marked as sensitive" in " ".join(doubts(plan))
    plan = document([same(address, {"id": "x", name: was}, **masks)])
    assert doubts(plan) == []


def test_what_is_a_secret_by_nature_is_judged_without_it() -> None:
    masks = {"before_sensitive": {"password": True}, "after_sensitive": {"password": True}}
    plan = entry("update", {**DATABASE, "password": "old-0ne-98"}, {**DATABASE, "password": "new-0ne-98"}, **masks)
    assert doubts(plan) == []


def made(address: str, actions: str, code: Json | None, *unknown: str, before: Json | None = None) -> Json:
    later = dict.fromkeys(unknown, True)
    return document(
        [change(address, actions, before, {"name": "x"}, after_unknown=later)],
        [state(address, before)] if before else [],
        [block(address, **code)] if code is not None else [],
    )


BLANKS = [
    ("aws_sqs_queue.q", ("policy",)),
    ("aws_s3_bucket.b", ("policy", "acl", "grant")),
    ("aws_kms_key.k", ("policy",)),
    ("aws_sns_topic.t", ("policy",)),
    ("aws_default_security_group.d", ("ingress", "egress")),
    ("aws_security_group.s", ("ingress", "egress")),
    ("aws_iam_role.r", ("inline_policy", "managed_policy_arns")),
    ("aws_vpc_endpoint.e", ("policy",)),
]


@pytest.mark.parametrize(("address", "names"), BLANKS)
@pytest.mark.parametrize("actions", ["create", "delete create"])
def test_what_the_code_leaves_to_the_provider_is_no_reason_to_doubt(
    address: str, names: tuple[str, ...], actions: str
) -> None:
    before = {"id": "x", "name": "w"} if actions != "create" else None
    assert doubts(made(address, actions, {"name": "x"}, *names, before=before)) == []


@pytest.mark.parametrize("address", ["aws_s3_bucket.b", "aws_secretsmanager_secret.s", "aws_api_gateway_rest_api.a"])
def test_what_the_code_sets_and_nobody_knows_yet_is_not_judged(address: str) -> None:
    (said,) = doubts(made(address, "create", {"policy": ("data.aws_iam_policy_document.d.json",)}, "policy"))
    assert "data.aws_iam_policy_document.d.json" in said


def test_blanks_of_instances_are_told_apart() -> None:
    addresses = ['module.m["a"].aws_s3_bucket.b[0]', 'module.m["a"].aws_s3_bucket.b[1]', "module.n.aws_s3_bucket.b[0]"]
    inner = {"resources": [block("aws_s3_bucket.b", bucket=("random_id.r", "count.index"), force=True)]}
    calls = {"m": {"module": inner}, "n": {"module": inner}}
    plan = document(
        [change(one, "create", None, {}, after_unknown={"bucket": True, "id": True}) for one in addresses],
        configuration={"root_module": {"module_calls": calls}},
    )
    found = read_plan(written(plan), "plan.json").worlds[0].changes
    assert [one.after for one in found] == [
        {"bucket": Later('module.m["a"].random_id.r[0]'), "id": Later()},
        {"bucket": Later('module.m["a"].random_id.r[1]'), "id": Later()},
        {"bucket": Later("module.n.random_id.r[0]"), "id": Later()},
    ]


def test_commands_and_actions_of_a_plan_are_said() -> None:
    provisioned = {**block("null_resource.x"), "provisioners": [{"type": "local-exec", "expressions": {}}]}
    plan = document(
        [change("null_resource.x", "create", None, {}), change("null_resource.y", "create", None, {})],
        code=[provisioned, block("null_resource.y")],
        action_invocations=[{"address": "action.aws_ec2_stop_instance.x", "type": "aws_ec2_stop_instance"}],
    )
    found = judged(plan)
    assert [(one.code, one.severity, one.address) for one in found.effects] == [
        ("SUPPLY_CHAIN", "medium", "null_resource.x")
    ]
    assert [one.address for one in found.unjudged] == ["action.aws_ec2_stop_instance.x"]


def test_addresses_of_terraform_0_12_are_made_whole() -> None:
    address = "module.a.module.b.aws_db_instance.main[0]"
    old = {**state(NAME, DATABASE), "index": 0}
    prior = {
        "root_module": {"child_modules": [{"child_modules": [{"address": "module.a.module.b", "resources": [old]}]}]}
    }
    plan = document([same(address, DATABASE)], format_version="0.1", prior_state={"values": prior})
    assert doubts(plan) == []
    assert list(read_plan(written(plan), "plan.json").worlds[0].before) == [address]
