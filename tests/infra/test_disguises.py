"""Single changes that hide what they do: each against the one that only looks like it."""

from __future__ import annotations

import json

import pytest

from tests.infra.test_data import update, world
from tidegate.infra.iam.conditions import clause
from tidegate.infra.iam.openness import binds
from tidegate.infra.rules import answers, containers, observe, outage, retention
from tidegate.infra.terraform.sensitive import secretive
from tidegate.infra.values import Draft, Rule, Value


def codes(rule: Rule, type_: str, before: dict[str, Value], after: dict[str, Value]) -> list[str]:
    return [one.code for one in rule(world(update(type_, before, after))) if isinstance(one, Draft)]


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("token.actions.githubusercontent.com:sub", False),
        ("oidc.token.example.com/id/ABC:aud", False),
        ("token.actions.githubusercontent.com:token", True),
        ("db:password", True),
        ("token", True),
    ],
)
def test_the_claim_says_whether_a_key_of_a_condition_holds_a_secret(name: str, secret: bool) -> None:
    assert secretive(name) is secret


def expiring(prefix: str, days: int = 7) -> dict[str, Value]:
    rule = {"id": "tidy", "status": "Enabled", "filter": [{"prefix": prefix}], "expiration": [{"days": days}]}
    return {"bucket": "invoices", "rule": [rule]}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("tmp/", "", True),
        ("tmp/", "orders/", True),
        ("tmp/", "tmp/thumbs/", False),
        ("", "tmp/", False),
        ("tmp/", "tmp/", False),
    ],
)
def test_a_rule_that_is_for_more_objects_deletes_them(before: str, after: str, said: bool) -> None:
    found = codes(retention.lifecycles_cut, "aws_s3_bucket_lifecycle_configuration", expiring(before), expiring(after))
    assert found == (["DATA_DESTROY_DELAYED"] if said else [])


def test_a_shorter_rule_for_a_part_says_how_long_objects_lived_before() -> None:
    changed = update("aws_s3_bucket_lifecycle_configuration", expiring("", 90), expiring("tmp/", 7))
    (found,) = retention.lifecycles_cut(world(changed))
    assert "90 -> 7" in found.reason


def alarm(operator: str) -> dict[str, Value]:
    return {"comparison_operator": operator, "threshold": 10, "evaluation_periods": 1}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("GreaterThanThreshold", "LessThanThreshold", True),
        ("LessThanOrEqualToThreshold", "GreaterThanThreshold", True),
        ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold", False),
    ],
)
def test_an_alarm_that_fires_on_the_other_side_is_said(before: str, after: str, said: bool) -> None:
    found = codes(observe.observation, "aws_cloudwatch_metric_alarm", alarm(before), alarm(after))
    assert found == (["OBSERV_DOWN"] if said else [])


def test_a_scaler_without_its_service_is_said_to_scale_it_to_nothing() -> None:
    before = {"min_capacity": 2, "max_capacity": 10, "resource_id": "service/shop/api"}
    changed = update("aws_appautoscaling_target", before, {"min_capacity": 0, "max_capacity": 0})
    (found,) = outage.outages(world(changed))
    assert (found.code, "service/shop/api" in found.reason) == ("OUTAGE_PARTIAL", True)
    assert codes(outage.outages, "aws_appautoscaling_target", before, {"min_capacity": 3}) == []


def listener(action: str, **more: Value) -> dict[str, Value]:
    return {"load_balancer_arn": "arn:lb", "port": 443, "default_action": [{"type": action, **more}]}


def test_a_listener_whose_targets_lie_elsewhere_still_cuts_its_clients() -> None:
    forward = listener("forward", target_group_arn="arn:tg")
    refusal = listener("fixed-response", fixed_response=[{"status_code": "503"}])
    redirect = listener("redirect", redirect=[{"protocol": "HTTPS", "status_code": "HTTP_301"}])
    assert codes(outage.outages, "aws_lb_listener", forward, refusal) == ["OUTAGE_FULL"]
    assert codes(outage.outages, "aws_lb_listener", forward, {"port": 8443}) == ["OUTAGE_FULL"]
    assert codes(outage.outages, "aws_lb_listener", forward, {"port": "443"}) == []
    assert codes(outage.outages, "aws_lb_listener", forward, redirect) == []
    assert codes(outage.outages, "aws_lb_listener", refusal, forward) == []


@pytest.mark.parametrize(
    ("operator", "arn", "kept"),
    [
        ("ArnLike", "arn:aws:sns:*", False),
        ("ArnLike", "arn:aws:sns:*:*:orders", False),
        ("ArnEquals", "arn:aws:iam::*:role/reader", False),
        ("ArnLike", "arn:aws:sns:eu-west-2:123456789012:*", True),
        ("ArnLike", "arn:aws:s3:*:*:invoices", True),
        ("ArnLike", "arn:aws:s3:::*", False),
        ("ArnLike", "arn:aws:sns:*:${aws:PrincipalAccount}:orders", True),
    ],
)
def test_a_condition_on_an_arn_binds_only_where_it_names_an_account(operator: str, arn: str, kept: bool) -> None:
    assert binds(clause(operator, "aws:SourceArn", [arn])) is kept


def task(**more: Value) -> dict[str, Value]:
    return {"family": "api", "container_definitions": json.dumps([{"name": "api", "image": "api:1", **more}])}


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (task(privileged=True), True),
        (task(privileged="true"), True),
        (task(linuxParameters={"capabilities": {"add": ["CAP_SYS_ADMIN"]}}), True),
        (task() | {"pid_mode": "host"}, True),
        (
            task(mountPoints=[{"sourceVolume": "docker"}])
            | {"volume": [{"name": "docker", "host_path": "/var/run/docker.sock"}]},
            True,
        ),
        (task(linuxParameters={"capabilities": {"add": ["NET_BIND_SERVICE"]}}), False),
        (task(privileged=False, memory=512), False),
    ],
)
def test_a_container_that_gets_its_machine_is_said(after: dict[str, Value], said: bool) -> None:
    found = codes(containers.powers, "aws_ecs_task_definition", task(), after)
    assert found == (["PRIV_ESC"] if said else [])
    assert codes(containers.powers, "aws_ecs_task_definition", after, after) == []


def test_what_a_container_is_made_of_may_be_unreadable() -> None:
    broken = {"container_definitions": "[{"}
    assert codes(containers.powers, "aws_ecs_task_definition", task(), broken) == []


@pytest.mark.parametrize(
    ("operator", "after", "said"),
    [
        ("LessThanThreshold", 0, True),
        ("LessThanThreshold", 1, False),
        ("LessThanOrEqualToThreshold", 0, False),
        ("GreaterThanThreshold", 1, False),
    ],
)
def test_a_count_is_never_below_nothing(operator: str, after: float, said: bool) -> None:
    before = alarm(operator) | {"threshold": 2}
    found = codes(observe.observation, "aws_cloudwatch_metric_alarm", before, {"threshold": after})
    assert found == (["OBSERV_DOWN"] if said else [])


def test_an_alarm_that_leaves_its_metric_is_said_where_no_other_takes_it() -> None:
    before = alarm("GreaterThanThreshold") | {"metric_name": "Errors", "namespace": "shop"}
    assert codes(observe.observation, "aws_cloudwatch_metric_alarm", before, {"metric_name": "Calls"}) == [
        "OBSERV_DOWN"
    ]
    left = update("aws_cloudwatch_metric_alarm", before, {"metric_name": "Calls"})
    other = update("aws_cloudwatch_metric_alarm", before, {"period": 60}, "aws_cloudwatch_metric_alarm.other")
    assert list(observe.observation(world(left, other))) == []


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (["shop.example"], True),
        ([], True),
        (["shop.example", "*.shop.example"], False),
        (["WWW.shop.example", "shop.example", "new.example"], False),
    ],
)
def test_a_front_that_refuses_a_name_that_it_served_is_said(after: list[str], said: bool) -> None:
    before = {"aliases": ["shop.example", "www.shop.example"]}
    found = codes(answers.answers, "aws_cloudfront_distribution", before, {"aliases": after})
    assert found == (["OUTAGE_PARTIAL"] if said else [])


def test_a_network_without_names_is_said() -> None:
    found = codes(answers.answers, "aws_vpc", {"enable_dns_support": True}, {"enable_dns_support": "false"})
    assert found == ["OUTAGE_FULL"]
    assert codes(answers.answers, "aws_vpc", {"enable_dns_support": False}, {"enable_dns_support": True}) == []
