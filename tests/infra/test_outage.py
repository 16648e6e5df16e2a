"""Outages: the path that is cut, by whom, and silence where another path remains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.infra.flows.graph import flows_of, reach
from tidegate.infra.flows.links import side_of
from tidegate.infra.graph import NO_USES, Use, uses_of
from tidegate.infra.rules import apply, dns, observe, outage, statements, tls
from tidegate.infra.values import Action, Draft, Later, Resource, ResourceChange, World

Values = Mapping[str, Any]
Stack = dict[str, Values]

PATH = (
    "aws_route53_record.www",
    "aws_lb.edge",
    "aws_lb_listener.tls",
    "aws_lb_target_group.web",
    "aws_ecs_service.web",
)


def shop() -> Stack:
    """A name, a load balancer, a service with a database behind it, and a queue with its worker."""
    return {
        "aws_route53_record.www": {"name": "www.shop.test", "type": "CNAME", "ttl": 60, "records": ["edge.lb.test"]},
        "aws_lb.edge": {"id": "lb-1", "arn": "arn:lb", "dns_name": "edge.lb.test", "security_groups": ["sg-edge"]},
        "aws_lb_listener.tls": {
            "id": "ls-1",
            "load_balancer_arn": "arn:lb",
            "port": 443,
            "protocol": "HTTPS",
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "default_action": [{"type": "forward", "target_group_arn": "arn:tg"}],
        },
        "aws_lb_target_group.web": {"id": "tg-1", "arn": "arn:tg", "port": 8080, "health_check": [{"path": "/up"}]},
        "aws_ecs_service.web": {
            "id": "svc-1",
            "name": "web",
            "desired_count": 4,
            "load_balancer": [{"target_group_arn": "arn:tg", "container_port": 8080}],
            "network_configuration": [{"security_groups": ["sg-web"], "subnets": ["sn-1"]}],
        },
        "aws_security_group.edge": {"id": "sg-edge", "name": "edge", "ingress": [rule(443, ranges=["0.0.0.0/0"])]},
        "aws_security_group.web": {"id": "sg-web", "name": "web", "ingress": [rule(8080, groups=["sg-edge"])]},
        "aws_security_group.db": {"id": "sg-db", "name": "db", "ingress": [rule(5432, groups=["sg-web"])]},
        "aws_db_instance.main": {"id": "db-1", "engine": "postgres", "vpc_security_group_ids": ["sg-db"]},
        "aws_subnet.a": {"id": "sn-1", "cidr_block": "10.1.0.0/24", "vpc_id": "vpc-1"},
        "aws_route_table.a": {"id": "rt-1", "vpc_id": "vpc-1"},
        "aws_route_table_association.a": {"id": "as-1", "subnet_id": "sn-1", "route_table_id": "rt-1"},
        "aws_nat_gateway.a": {"id": "nat-1", "subnet_id": "sn-9"},
        "aws_route.out": {"route_table_id": "rt-1", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"},
        "aws_sqs_queue.jobs": {"id": "q-1", "arn": "arn:q", "name": "jobs", "message_retention_seconds": 1209600},
        "aws_lambda_function.work": {"id": "fn", "arn": "arn:fn", "function_name": "work"},
        "aws_lambda_event_source_mapping.jobs": {"event_source_arn": "arn:q", "function_name": "work", "enabled": True},
        "aws_cloudwatch_metric_alarm.errors": {"alarm_name": "errors", "threshold": 5, "actions_enabled": True},
    }


USES = (Use("aws_ecs_service.web", "aws_db_instance.main", "environment.DB_HOST"),)


def rule(port: int, ranges: list[str] | None = None, groups: list[str] | None = None) -> dict[str, Any]:
    return {
        "from_port": port,
        "to_port": port,
        "protocol": "tcp",
        "cidr_blocks": ranges or [],
        "security_groups": groups or [],
    }


def with_(stack: Stack, address: str, **values: Any) -> Stack:
    return {**stack, address: {**stack[address], **values}}


def without(stack: Stack, *addresses: str) -> Stack:
    return {address: values for address, values in stack.items() if address not in addresses}


def world(
    before: Mapping[str, Values],
    after: Mapping[str, Values],
    replaced: Mapping[str, tuple[str, ...]] | None = None,
    **more: Any,
) -> World:
    """The world between two stacks; `replaced` are addresses with the attributes that force it."""
    forced = replaced or {}
    first = more.get("create_first", False)
    changes = tuple(_changes(before, after, forced, first))
    uses = uses_of(USES)
    return World("terraform plan", "shop", changes, _resources(before), _resources(after), uses, uses)


def _changes(
    before: Mapping[str, Values], after: Mapping[str, Values], forced: Mapping[str, tuple[str, ...]], first: bool
) -> Iterator[ResourceChange]:
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        action: Action = "create" if old is None else "delete" if new is None else "no-op" if old == new else "update"
        if address in forced:
            action = "replace"
        kind = address.split(".")[0]
        yield ResourceChange(address, kind, action, old, new, forced.get(address, ()), create_first=first)


def _resources(stack: Mapping[str, Values]) -> dict[str, Resource]:
    return {address: Resource(address, address.split(".")[0], values) for address, values in stack.items()}


def outages(after: Stack, **more: Any) -> list[Draft]:
    return list(outage.outages(world(shop(), after, **more)))


def the(code: str, drafts: list[Draft]) -> Draft:
    found = [one for one in drafts if one.code == code]
    assert len(found) == 1, [(one.code, one.address, one.reason) for one in drafts]
    return found[0]


def test_nothing_changes_and_nothing_is_said() -> None:
    assert outages(shop()) == []


def test_the_whole_path_is_seen() -> None:
    side = side_of(_resources(shop()), NO_USES)
    assert reach(side, flows_of(side)).path("aws_lb_target_group.web") == PATH


@pytest.mark.parametrize("node", PATH)
def test_deleting_any_place_of_the_only_path_is_an_outage(node: str) -> None:
    said = the("OUTAGE_FULL", [one for one in outages(without(shop(), node)) if one.address == node])
    assert said.path == PATH
    assert "aws_ecs_service.web" in said.reason
    assert said.severity == "critical"


def test_no_tasks_left() -> None:
    said = the("OUTAGE_FULL", outages(with_(shop(), "aws_ecs_service.web", desired_count=0)))
    assert (said.severity, said.address, said.path) == ("critical", "aws_ecs_service.web", PATH)
    assert "desired_count 4 -> 0" in said.reason


def test_fewer_tasks_are_no_outage() -> None:
    assert outages(with_(shop(), "aws_ecs_service.web", desired_count=3)) == []


def test_the_only_ingress_rule_goes() -> None:
    drafts = outages(with_(shop(), "aws_security_group.web", ingress=[]))
    said = the("OUTAGE_FULL", drafts)
    assert said.path == PATH
    assert "8080" in said.reason
    assert "aws_lb.edge" in said.reason
    assert said.severity == "critical"
    assert the("NET_CUT", drafts).address == "aws_security_group.web"


@pytest.mark.parametrize(
    "ingress",
    [
        [rule(8080, ranges=["10.0.0.0/8"]), rule(8080, groups=["sg-edge"])],
        [{**rule(8080, groups=["sg-edge"]), "from_port": 8000, "to_port": 8100}],
        [{**rule(0, groups=["sg-edge"]), "protocol": "-1"}],
        [rule(8080, groups=[]) | {"security_groups": [Later()]}],
    ],
)
def test_another_rule_that_lets_the_load_balancer_in_is_enough(ingress: list[dict[str, Any]]) -> None:
    assert outages(with_(shop(), "aws_security_group.web", ingress=ingress)) == []


def test_the_rule_may_move_into_a_resource_of_its_own() -> None:
    after = with_(shop(), "aws_security_group.web", ingress=[])
    after["aws_vpc_security_group_ingress_rule.web"] = {
        "security_group_id": "sg-web",
        "referenced_security_group_id": "sg-edge",
        "from_port": 8080,
        "to_port": 8080,
        "ip_protocol": "tcp",
    }
    assert outages(after) == []


def test_the_database_closes_its_port() -> None:
    said = the("OUTAGE_FULL", outages(with_(shop(), "aws_security_group.db", ingress=[rule(5433, groups=["sg-web"])])))
    assert said.address == "aws_security_group.db"
    assert said.path == ("aws_ecs_service.web", "aws_db_instance.main")
    assert "5432" in said.reason


def test_narrowing_to_the_subnets_of_the_clients_is_hardening() -> None:
    before = with_(shop(), "aws_security_group.db", ingress=[rule(5432, ranges=["10.0.0.0/8"])])
    after = with_(shop(), "aws_security_group.db", ingress=[rule(5432, ranges=["10.1.0.0/24"])])
    assert list(outage.outages(world(before, after))) == []


def test_a_front_door_is_shut() -> None:
    said = the("OUTAGE_FULL", outages(with_(shop(), "aws_security_group.edge", ingress=[])))
    assert (said.address, said.severity) == ("aws_security_group.edge", "critical")
    assert "443" in said.reason


def test_one_name_of_two_is_less_than_all() -> None:
    before = shop() | {"aws_route53_record.old": {**shop()["aws_route53_record.www"], "name": "old.shop.test"}}
    said = the("OUTAGE_PARTIAL", list(outage.outages(world(before, without(before, "aws_route53_record.old")))))
    assert (said.severity, said.address) == ("high", "aws_route53_record.old")


def test_a_renamed_service_leaves_a_gap_and_no_outage() -> None:
    after = without(shop(), "aws_ecs_service.web")
    after["aws_ecs_service.site"] = shop()["aws_ecs_service.web"]
    said = the("OUTAGE_PARTIAL", [one for one in outages(after) if one.address == "aws_ecs_service.web"])
    assert said.severity == "medium"
    assert "aws_ecs_service.site" in said.reason
    assert "moved block" in said.reason


def test_traffic_that_turns_to_another_target_group_is_a_deploy() -> None:
    before = shop() | {
        "aws_lb_target_group.green": {**shop()["aws_lb_target_group.web"], "id": "tg-2", "arn": "arn:green"},
        "aws_ecs_service.green": {
            **shop()["aws_ecs_service.web"],
            "id": "svc-2",
            "load_balancer": [{"target_group_arn": "arn:green", "container_port": 8080}],
        },
    }
    after = with_(before, "aws_lb_listener.tls", default_action=[{"type": "forward", "target_group_arn": "arn:green"}])
    assert list(outage.outages(world(before, after))) == []


def test_a_replaced_load_balancer_is_gone_for_a_while_and_moves() -> None:
    after = with_(shop(), "aws_lb.edge", arn=Later(), dns_name=Later())
    after = with_(after, "aws_route53_record.www", records=[Later()])
    after = with_(after, "aws_lb_listener.tls", load_balancer_arn=Later())
    of = world(shop(), after, replaced={"aws_lb.edge": ("name",)})
    uses = uses_of(
        (
            *USES,
            Use("aws_route53_record.www", "aws_lb.edge", "records"),
            Use("aws_lb_listener.tls", "aws_lb.edge", "load_balancer_arn"),
        )
    )
    of = World("terraform plan", "shop", of.changes, of.before, of.after, of.uses_before, uses)
    said = the("OUTAGE_FULL", list(outage.outages(of)))
    assert said.address == "aws_lb.edge"
    assert "DNS name" in said.reason
    assert said.path == PATH


def test_create_before_destroy_is_no_outage() -> None:
    after = with_(shop(), "aws_ecs_service.web", launch_type="EC2")
    assert outages(after, replaced={"aws_ecs_service.web": ("launch_type",)}, create_first=True) == []
    said = the("OUTAGE_FULL", outages(after, replaced={"aws_ecs_service.web": ("launch_type",)}))
    assert said.severity == "high"


def test_the_way_out_is_cut() -> None:
    said = the("NET_CUT", outages(without(shop(), "aws_nat_gateway.a", "aws_route.out")))
    assert said.severity == "high"
    assert said.address == "aws_nat_gateway.a"
    assert said.path == (
        "aws_ecs_service.web",
        "aws_subnet.a",
        "aws_route_table.a",
        "aws_route.out",
        "aws_nat_gateway.a",
    )


def test_another_gateway_for_the_same_destination_is_no_cut() -> None:
    after = without(shop(), "aws_nat_gateway.a") | {"aws_nat_gateway.b": {"id": "nat-2", "subnet_id": "sn-9"}}
    assert outages(with_(after, "aws_route.out", nat_gateway_id="nat-2")) == []


def test_messages_pile_up_without_their_consumer() -> None:
    said = the("OUTAGE_PARTIAL", outages(with_(shop(), "aws_lambda_event_source_mapping.jobs", enabled=False)))
    assert "enabled true -> false" in said.reason
    assert "expire after 14 days" in said.reason
    assert said.path == ("aws_sqs_queue.jobs", "aws_lambda_event_source_mapping.jobs", "aws_lambda_function.work")


def test_a_health_check_that_may_not_be_answered_is_possible() -> None:
    said = the("OUTAGE_FULL", outages(with_(shop(), "aws_lb_target_group.web", health_check=[{"path": "/ready"}])))
    assert (said.severity, said.certainty) == ("high", "possible")
    assert "health_check.path /up -> /ready" in said.reason


def test_a_replaced_subnet_takes_what_lives_in_it() -> None:
    after = with_(shop(), "aws_subnet.a", cidr_block="10.2.0.0/24", id=Later())
    said = the("OUTAGE_FULL", outages(after, replaced={"aws_subnet.a": ("cidr_block",)}))
    assert said.severity == "high"
    assert "aws_ecs_service.web" in said.reason


def test_a_host_that_nothing_needs_is_only_restarted() -> None:
    before = {"aws_instance.jump": {"id": "i-1", "ami": "a"}}
    of = World(
        "terraform plan",
        "p",
        (
            ResourceChange(
                "aws_instance.jump",
                "aws_instance",
                "replace",
                before["aws_instance.jump"],
                {"ami": "a"},
                why="replace_by_request",
            ),
        ),
        _resources(before),
        _resources(before),
    )
    said = the("RESTART", list(outage.outages(of)))
    assert said.severity == "low"
    assert "data" not in said.reason


@settings(max_examples=40, deadline=None)
@given(st.permutations(sorted(shop())), st.sampled_from(sorted(shop())))
def test_the_order_of_resources_never_changes_the_answer(order: list[str], gone: str) -> None:
    plain = outages(without(shop(), gone))
    turned = {address: shop()[address] for address in order}
    again = list(outage.outages(world(turned, without(turned, gone))))
    assert again == plain


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(shop())), st.dictionaries(st.sampled_from(["team", "cost"]), st.text(max_size=5)))
def test_tags_are_never_an_outage(address: str, tags: dict[str, str]) -> None:
    assert outages(with_(shop(), address, tags=tags)) == []


Says = Callable[[World], Iterator[Draft]]


def one_change(rule_: Says, kind: str, before: Values | None, after: Values | None, **more: Any) -> list[Draft]:
    action: Action = more.pop("action", "create" if before is None else "delete" if after is None else "update")
    change = ResourceChange(f"{kind}.x", kind, action, before, after, **more)
    was, now = ({} if one is None else {change.address: Resource(change.address, kind, one)} for one in (before, after))
    return list(rule_(World("terraform plan", "p", (change,), was, now)))


RECORD = {"name": "api.shop.test", "type": "A", "ttl": 300, "records": ["192.0.2.1"]}


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (RECORD, None, "high"),
        ({**RECORD, "type": "MX"}, None, "high"),
        ({**RECORD, "type": "NS"}, None, "critical"),
        (RECORD, {**RECORD, "records": ["192.0.2.9"]}, "medium"),
        (RECORD, {**RECORD, "ttl": 60}, None),
        (RECORD, {**RECORD, "records": ["192.0.2.1", "192.0.2.2"]}, None),
        ({**RECORD, "type": "TXT"}, {**RECORD, "type": "TXT", "records": ["v=2"]}, None),
        ({**RECORD, "name": "_x.acm.test", "type": "CNAME"}, None, None),
        ({**RECORD, "weighted_routing_policy": [{"weight": 10}]}, None, "high"),
    ],
)
def test_records(before: Values, after: Values | None, severity: str | None) -> None:
    found = one_change(dns.names, "aws_route53_record", before, after)
    assert [one.severity for one in found] == ([severity] if severity else [])
    assert all(one.code == "DNS_CHANGE" and "api.shop.test" in one.reason for one in found)


def test_a_weight_of_nothing_takes_the_traffic_away() -> None:
    before = {**RECORD, "weighted_routing_policy": [{"weight": 10}]}
    after = {**RECORD, "weighted_routing_policy": [{"weight": 0}]}
    assert [one.severity for one in one_change(dns.names, "aws_route53_record", before, after)] == ["high"]


def test_a_record_that_pointed_at_what_goes_too_may_go() -> None:
    before: Stack = {"aws_eip.x": {"public_ip": "192.0.2.1"}, "aws_route53_record.x": RECORD}
    assert list(dns.names(world(before, {}))) == []


ALARM = {"alarm_name": "errors", "comparison_operator": "GreaterThanThreshold", "threshold": 10, "alarm_actions": ["t"]}


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ({**ALARM, "threshold": 100000}, "threshold 10 -> 100000"),
        ({**ALARM, "alarm_actions": []}, "reaches nobody"),
        (None, "nobody is told"),
        ({**ALARM, "threshold": 12}, ""),
        ({**ALARM, "threshold": 1}, ""),
        ({**ALARM, "threshold": "10"}, ""),
        ({**ALARM, "tags": {"a": "b"}}, ""),
    ],
)
def test_alarms(after: Values | None, says: str) -> None:
    found = one_change(observe.observation, "aws_cloudwatch_metric_alarm", ALARM, after)
    assert bool(found) == bool(says)
    assert all(says in one.reason and one.code == "OBSERV_DOWN" and one.severity == "medium" for one in found)


def test_an_alarm_below_a_threshold_is_quieted_by_a_lower_one() -> None:
    low = {**ALARM, "comparison_operator": "LessThanThreshold"}
    assert one_change(observe.observation, "aws_cloudwatch_metric_alarm", low, {**low, "threshold": 0.1})
    assert not one_change(observe.observation, "aws_cloudwatch_metric_alarm", low, {**low, "threshold": 1000})


@pytest.mark.parametrize(
    ("kind", "before", "after", "severity"),
    [
        ("aws_cloudtrail", {"enable_logging": True}, {"enable_logging": False}, "high"),
        ("aws_cloudtrail", {"name": "t"}, None, "high"),
        ("aws_cloudtrail", {"enable_logging": True}, {"enable_logging": "true"}, None),
        ("aws_flow_log", {"vpc_id": "v"}, None, "high"),
        (
            "aws_eks_cluster",
            {"enabled_cluster_log_types": ["api", "audit"]},
            {"enabled_cluster_log_types": ["api"]},
            "high",
        ),
        (
            "aws_eks_cluster",
            {"enabled_cluster_log_types": ["api", "audit"]},
            {"enabled_cluster_log_types": ["audit", "api"]},
            None,
        ),
        ("aws_guardduty_detector", {"enable": True}, {"enable": False}, "high"),
        ("azurerm_monitor_diagnostic_setting", {"name": "d"}, None, "high"),
        ("google_project_iam_audit_config", {"service": "allServices"}, None, "high"),
    ],
)
def test_audit(kind: str, before: Values, after: Values | None, severity: str | None) -> None:
    found = one_change(observe.audit, kind, before, after)
    assert [(one.code, one.severity) for one in found] == ([("AUDIT_OFF", severity)] if severity else [])


def test_a_group_in_use_cannot_be_replaced() -> None:
    after = with_(shop(), "aws_security_group.db", name="database", id=Later())
    replaced = {"aws_security_group.db": ("name",)}
    said = the("APPLY_FAIL", list(apply.apply_failures(world(shop(), after, replaced=replaced))))
    assert "name db -> database" in said.reason
    assert "aws_db_instance.main" in said.reason
    assert list(apply.apply_failures(world(shop(), after, replaced=replaced, create_first=True))) == []


def test_the_same_name_cannot_be_had_twice() -> None:
    after = with_(shop(), "aws_security_group.db", description="new", id=Later())
    of = world(shop(), after, replaced={"aws_security_group.db": ("description",)}, create_first=True)
    assert "same name (db)" in the("APPLY_FAIL", list(apply.apply_failures(of))).reason


def test_what_is_protected_stops_the_apply() -> None:
    found = one_change(apply.apply_failures, "aws_lb", {"enable_deletion_protection": True}, None)
    assert [one.code for one in found] == ["APPLY_FAIL"]
    assert not one_change(apply.apply_failures, "aws_lb", {"enable_deletion_protection": False}, None)


FORCED = {"parameter": [{"name": "rds.force_ssl", "value": "1"}, {"name": "work_mem", "value": "4"}]}


@pytest.mark.parametrize(
    ("kind", "before", "after", "code"),
    [
        ("aws_db_parameter_group", FORCED, {"parameter": [{"name": "work_mem", "value": "4"}]}, "TLS_OFF"),
        ("aws_db_parameter_group", FORCED, {"parameter": FORCED["parameter"][::-1]}, None),
        ("aws_db_parameter_group", {"parameter": []}, FORCED, "TLS_ON"),
        ("aws_db_instance", {"force_ssl": "true"}, {"force_ssl": False}, "TLS_OFF"),
        ("aws_db_instance", {}, {"force_ssl": "true"}, "TLS_ON"),
        ("aws_db_instance", {"db_parameter": None}, {"db_parameter": [{"name": "work_mem", "value": "1"}]}, "TLS_OFF"),
        ("azurerm_redis_cache", {"minimum_tls_version": "1.2"}, {"minimum_tls_version": "1.0"}, "TLS_OFF"),
        ("azurerm_redis_cache", {"minimum_tls_version": "1.0"}, {"minimum_tls_version": "1.2"}, None),
        ("aws_lb_listener", {"protocol": "HTTPS"}, {"protocol": "HTTP"}, "TLS_OFF"),
        ("aws_lb_listener", {"protocol": "HTTPS"}, {"protocol": "HTTPS"}, None),
        (
            "aws_lb_listener",
            {"ssl_policy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
            {"ssl_policy": "ELBSecurityPolicy-2016-08"},
            "TLS_OFF",
        ),
        (
            "aws_cloudfront_distribution",
            {"viewer_certificate": [{"minimum_protocol_version": "TLSv1.2_2021"}]},
            {"viewer_certificate": [{"minimum_protocol_version": "TLSv1"}]},
            "TLS_OFF",
        ),
    ],
)
def test_transport(kind: str, before: Values, after: Values, code: str | None) -> None:
    assert [one.code for one in one_change(tls.transport, kind, before, after)] == ([code] if code else [])


DENY = (
    '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", '
    '"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}'
)
ALLOW = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}'


def test_the_deny_statement_on_secure_transport() -> None:
    lost = one_change(statements.secure_transport, "aws_s3_bucket_policy", {"policy": DENY}, {"policy": ALLOW})
    assert [(one.code, one.severity) for one in lost] == [("TLS_OFF", "high")]
    assert "Deny" in lost[0].reason
    assert "SecureTransport" in lost[0].reason
    won = one_change(statements.secure_transport, "aws_s3_bucket_policy", {"policy": ALLOW}, {"policy": DENY})
    assert [(one.code, one.severity) for one in won] == [("TLS_ON", "low")]
    assert not one_change(statements.secure_transport, "aws_s3_bucket_policy", {"policy": DENY}, {"policy": Later()})
