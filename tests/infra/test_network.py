"""What is said of reach that is new: every disguise beside a harmless twin of the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st

from tidegate.facts import Effect, Severity
from tidegate.infra.graph import Use, uses_of
from tidegate.infra.judge import judge
from tidegate.infra.rules import endpoints, exposure, firewalls, network
from tidegate.infra.values import Found, Hidden, Later, Resource, ResourceChange, World

RULES = (
    *(network.reach, exposure.switches, exposure.removed_blocks, endpoints.doors, endpoints.routes, endpoints.origins),
    *(firewalls.removed, firewalls.detached, firewalls.loosened),
)
Values: TypeAlias = Mapping[str, Any]
Stack: TypeAlias = dict[str, Values]
ORDER = ("note", "low", "medium", "high", "critical")


def world(before: Stack, after: Stack, uses: tuple[Use, ...] = ()) -> World:
    """A world of two stacks: `type.name` to values."""

    def resources(stack: Stack) -> dict[str, Resource]:
        return {address: Resource(address, address.split(".")[0], values) for address, values in stack.items()}

    changes = []
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        action: Any = "create" if old is None else "delete" if new is None else "update" if old != new else "no-op"
        changes.append(ResourceChange(address, address.split(".")[0], action, old, new))
    found = uses_of(uses)
    return World("terraform plan", "plan", tuple(changes), resources(before), resources(after), found, found)


def effects(before: Stack, after: Stack, *uses: Use) -> tuple[Effect, ...]:
    return judge([Found(worlds=(world(before, after, uses),))], RULES, "human").effects


def gravest(before: Stack, after: Stack, *uses: Use) -> Severity | None:
    found = [one.severity for one in effects(before, after, *uses)]
    return max(found, key=ORDER.index, default=None)


def group(*rules: Values, name: str = "db") -> Stack:
    return {f"aws_security_group.{name}": {"id": f"sg-{name}", "name": name, "ingress": list(rules), "egress": []}}


def rule(*sources: str, port: Any = 5432, protocol: str = "tcp", **more: Any) -> Values:
    v4 = [one for one in sources if ":" not in one]
    v6 = [one for one in sources if ":" in one]
    ends = {"from_port": port, "to_port": port}
    return {"cidr_blocks": v4, "ipv6_cidr_blocks": v6, "protocol": protocol, **ends, **more}


OFFICE = rule("10.0.0.0/16")
PRIVATE_DB: Stack = {
    "aws_db_instance.orders": {"vpc_security_group_ids": ["sg-db"], "publicly_accessible": False, "engine": "postgres"}
}
EIGHTS = [f"{first}.0.0.0/8" for first in range(1, 224)]

OPENED: list[tuple[str, Stack, Stack]] = [
    ("plain", group(OFFICE), group(rule("0.0.0.0/0"))),
    ("a mask that lies", group(OFFICE), group(rule("192.168.1.0/0"))),
    ("a mask that lies in private digits", group(OFFICE), group(rule("10.0.0.1/0"))),
    ("two halves", group(OFFICE), group(rule("0.0.0.0/1", "128.0.0.0/1"))),
    ("two halves in two rules", group(OFFICE), group(rule("0.0.0.0/1"), rule("128.0.0.0/1"))),
    ("four quarters", group(OFFICE), group(rule("0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"))),
    ("all eights", group(OFFICE), group(rule(*EIGHTS))),
    ("the other half", group(rule("0.0.0.0/1")), group(rule("0.0.0.0/1", "128.0.0.0/1"))),
    ("IPv6", group(OFFICE), group(OFFICE, rule("::/0"))),
    ("IPv6 in halves", group(OFFICE), group(OFFICE, rule("::/1", "8000::/1"))),
    ("every protocol", group(OFFICE), group(OFFICE, rule("0.0.0.0/0", port=0, protocol="-1"))),
    ("every port", group(OFFICE), group(OFFICE, rule("0.0.0.0/0", from_port=0, to_port=65535))),
    ("a range around the port", group(OFFICE), group(OFFICE, rule("0.0.0.0/0", from_port=5000, to_port=6000))),
    ("numbers as text", group(OFFICE), group(OFFICE, rule("0.0.0.0/0", from_port="5432", to_port="5432"))),
    ("the protocol as number", group(OFFICE), group(OFFICE, rule("0.0.0.0/0", protocol="6"))),
    (
        "template's words",
        group(OFFICE),
        group({"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_ip": "0.0.0.0/0"}),
    ),
    (
        "a rule of its own",
        group(OFFICE),
        group(OFFICE)
        | {"aws_security_group_rule.x": {"type": "ingress", "security_group_id": "sg-db", **rule("0.0.0.0/0")}},
    ),
    (
        "a rule of the new kind",
        group(OFFICE),
        group(OFFICE)
        | {
            "aws_vpc_security_group_ingress_rule.x": {
                "security_group_id": Later("aws_security_group.db.id"),
                "cidr_ipv4": "0.0.0.0/0",
                "ip_protocol": "tcp",
                "from_port": 3306,
                "to_port": 3306,
            }
        },
    ),
    (
        "a module of groups",
        {
            "aws_security_group.m": {
                "ingress_with_cidr_blocks": [{"rule": "postgresql-tcp", "cidr_blocks": "10.0.0.0/8"}]
            }
        },
        {
            "aws_security_group.m": {
                "ingress_with_cidr_blocks": [{"rule": "postgresql-tcp", "cidr_blocks": "10.0.0.0/8,1.2.3.4/0"}]
            }
        },
    ),
    (
        "a default group",
        {"aws_default_security_group.d": {"id": "sg-d", "ingress": []}},
        {"aws_default_security_group.d": {"id": "sg-d", "ingress": [rule("0.0.0.0/0", port=22)]}},
    ),
    (
        "Google",
        {
            "google_compute_firewall.f": {
                "source_ranges": ["10.0.0.0/8"],
                "allow": [{"protocol": "tcp", "ports": ["22"]}],
            }
        },
        {
            "google_compute_firewall.f": {
                "source_ranges": ["0.0.0.0/0"],
                "allow": [{"protocol": "tcp", "ports": ["22"]}],
            }
        },
    ),
    (
        "Google's refusal goes",
        {
            "google_compute_firewall.a": {
                "network": "n",
                "source_ranges": ["0.0.0.0/0"],
                "allow": [{"protocol": "all"}],
            },
            "google_compute_firewall.b": {
                "network": "n",
                "source_ranges": ["0.0.0.0/0"],
                "priority": 10,
                "deny": [{"protocol": "tcp", "ports": ["20-8000"]}],
            },
        },
        {"google_compute_firewall.a": {"network": "n", "source_ranges": ["0.0.0.0/0"], "allow": [{"protocol": "all"}]}},
    ),
]
AZURE: Values = {
    "network_security_group_name": "nsg",
    "priority": 100,
    "direction": "Inbound",
    "access": "Allow",
    "protocol": "Tcp",
    "source_port_range": "*",
    "destination_port_range": "3389",
}
OPENED += [
    (
        f"Azure {prefix}",
        {"azurerm_network_security_rule.r": {**AZURE, "source_address_prefix": "10.0.0.0/8"}},
        {"azurerm_network_security_rule.r": {**AZURE, "source_address_prefix": prefix}},
    )
    for prefix in ("*", "Internet", "0.0.0.0/0", "any")
]

WORLD_RULE: Values = {"type": "ingress", "security_group_id": "sg-db", **rule("0.0.0.0/0")}
SILENT: list[tuple[str, Stack, Stack]] = [
    ("narrowed", group(OFFICE), group(rule("10.0.10.0/24", "10.0.11.0/24"))),
    ("narrowed from the world", group(rule("0.0.0.0/0")), group(rule("203.0.113.0/24"))),
    ("halves merged", group(rule("0.0.0.0/1", "128.0.0.0/1")), group(rule("0.0.0.0/0"))),
    ("split", group(rule("0.0.0.0/0")), group(rule("0.0.0.0/1", "128.0.0.0/1"))),
    ("reordered", group(OFFICE, rule("0.0.0.0/0", port=443)), group(rule("0.0.0.0/0", port=443), OFFICE)),
    ("described", group(OFFICE), group({**OFFICE, "description": "office"})),
    ("ports as text", group(rule("0.0.0.0/0")), group(rule("0.0.0.0/0", from_port="5432", to_port="5432"))),
    ("another spelling of the mask", group(rule("10.0.0.0/16")), group(rule("10.0.9.9/16"))),
    ("moved to its own rule", group(rule("0.0.0.0/0")), group() | {"aws_security_group_rule.x": WORLD_RULE}),
    ("moved inline", group() | {"aws_security_group_rule.x": WORLD_RULE}, group(rule("0.0.0.0/0"))),
    ("from everyone to a group", group(rule("0.0.0.0/0")), group(rule(security_groups=["sg-app"]))),
    ("from a network to a group", group(OFFICE), group(rule(security_groups=["sg-app"]))),
    ("one more office inside", group(OFFICE), group(OFFICE, rule("10.0.3.0/24"))),
    ("a balancer for the web", group(OFFICE, name="lb"), group(OFFICE, rule("0.0.0.0/0", port=443), name="lb")),
    ("ping", group(OFFICE), group(OFFICE, rule("0.0.0.0/0", port=-1, protocol="icmp"))),
    ("a new group for the web", {}, group(rule("0.0.0.0/0", port=443), name="site")),
    ("removed", group(rule("0.0.0.0/0")), group()),
    ("itself", group(OFFICE), group(OFFICE, rule(self=True))),
    (
        "Google disabled",
        {},
        {
            "google_compute_firewall.f": {
                "source_ranges": ["0.0.0.0/0"],
                "disabled": True,
                "allow": [{"protocol": "tcp", "ports": ["22"]}],
            }
        },
    ),
    (
        "Google's refusal stands before it",
        {"google_compute_firewall.b": {"network": "n", "source_ranges": ["0.0.0.0/0"], "deny": [{"protocol": "all"}]}},
        {
            "google_compute_firewall.b": {
                "network": "n",
                "source_ranges": ["0.0.0.0/0"],
                "deny": [{"protocol": "all"}],
            },
            "google_compute_firewall.f": {
                "network": "n",
                "source_ranges": ["0.0.0.0/0"],
                "priority": 2000,
                "allow": [{"protocol": "tcp", "ports": ["22"]}],
            },
        },
    ),
    (
        "Azure, refused first",
        {"azurerm_network_security_rule.a": {**AZURE, "access": "Deny", "source_address_prefix": "*"}},
        {
            "azurerm_network_security_rule.a": {**AZURE, "access": "Deny", "source_address_prefix": "*"},
            "azurerm_network_security_rule.b": {**AZURE, "priority": 200, "source_address_prefix": "*"},
        },
    ),
]


@pytest.mark.parametrize(("before", "after"), [case[1:] for case in OPENED], ids=[case[0] for case in OPENED])
def test_a_store_or_console_opened_to_the_internet_is_grave(before: Stack, after: Stack) -> None:
    found = effects(before, after)
    assert [(one.code, one.severity) for one in found] == [("NET_EXPOSE", "high")]
    assert "internet" in found[0].reason


@pytest.mark.parametrize(("before", "after"), [case[1:] for case in SILENT], ids=[case[0] for case in SILENT])
def test_the_same_reach_in_other_words_is_silent(before: Stack, after: Stack) -> None:
    found = judge([Found(worlds=(world(before, after),))], RULES, "human")
    assert (found.effects, found.unjudged) == ((), ())


@pytest.mark.parametrize(("before", "after"), [case[1:] for case in OPENED], ids=[case[0] for case in OPENED])
def test_taking_it_back_is_silent(before: Stack, after: Stack) -> None:
    assert gravest(after, before) in (None, "low")


def test_what_is_behind_and_what_was_before_is_named() -> None:
    found = effects(group(OFFICE) | PRIVATE_DB, group(rule("0.0.0.0/1", "128.0.0.0/1")) | PRIVATE_DB)
    assert len(found) == 1
    assert all(
        words in found[0].reason
        for words in ("5432", "PostgreSQL", "internet", "10.0.0.0/16", "aws_db_instance.orders", "together")
    )
    assert "aws_db_instance.orders has publicly_accessible=false" in found[0].mitigations
    assert found[0].dependents == ("aws_db_instance.orders",)


def test_a_store_with_a_public_address_behind_an_open_group_is_public_data() -> None:
    store: Stack = {"aws_db_instance.orders": {"vpc_security_group_ids": ["sg-db"], "publicly_accessible": True}}
    assert gravest(group(OFFICE) | store, group(rule("0.0.0.0/0")) | store) == "critical"


def test_a_host_in_a_private_network_lowers() -> None:
    host: Stack = {"aws_instance.app": {"vpc_security_group_ids": ["sg-db"], "associate_public_ip_address": False}}
    found = effects(group(OFFICE) | host, group(rule("0.0.0.0/0", port=22)) | host)
    assert [one.severity for one in found] == ["medium"]
    assert found[0].mitigations == ("aws_instance.app has no public address",)


@pytest.mark.parametrize(
    ("sources", "severity"),
    [
        ("203.0.113.7/32", "low"),
        ("52.0.0.0/14", "medium"),
        ("3.0.0.0/8", "high"),
        ("10.0.0.0/8", "medium"),
        ("172.16.0.0/16", "low"),
    ],
)
def test_the_more_addresses_the_graver(sources: str, severity: str) -> None:
    assert gravest(group(rule("192.168.5.0/24")), group(rule("192.168.5.0/24", sources))) == severity


def test_who_is_let_in_by_a_variable_cannot_be_judged() -> None:
    after = group({**OFFICE, "cidr_blocks": [Later("var.offices")]})
    found = judge([Found(worlds=(world(group(OFFICE), after),))], RULES, "human")
    assert found.effects == ()
    assert "var.offices" in found.unjudged[0].reason
    own = group({**OFFICE, "cidr_blocks": [Later("aws_vpc.main.cidr_block")]})
    assert judge([Found(worlds=(world(group(OFFICE), own),))], RULES, "human").unjudged == ()
    assert judge([Found(worlds=(world(after, after | {"aws_eip.x": {}}),))], RULES, "human").unjudged == ()


def test_another_port_for_a_group_says_what_is_cut() -> None:
    old: Stack = {"aws_security_group_rule.a": {"type": "ingress", "security_group_id": "sg-1", **rule(port=8888)}}
    values = {**old["aws_security_group_rule.a"], "source_security_group_id": "sg-2"}
    found = effects({"aws_security_group_rule.a": values}, {"aws_security_group_rule.a": {**values, "protocol": "udp"}})
    assert [one.severity for one in found] == ["low"]
    assert "8888/udp" in found[0].reason


def test_a_moved_group_is_the_same_group() -> None:
    old, new = (
        {"id": "sg-1", "ingress": [rule("0.0.0.0/0")]},
        {"id": "sg-1", "ingress": [rule("0.0.0.0/0")], "tags": {}},
    )
    change = ResourceChange(
        "aws_security_group.b", "aws_security_group", "update", old, new, moved_from="aws_security_group.a"
    )
    assert not list(network.reach(World("terraform plan", "p", (change,))))
    wider = {**new, "ingress": [rule("0.0.0.0/0"), rule("0.0.0.0/0", port=22)]}
    change = ResourceChange(
        "aws_security_group.b", "aws_security_group", "update", old, wider, moved_from="aws_security_group.a"
    )
    assert len(list(network.reach(World("terraform plan", "p", (change,))))) == 1


def test_a_network_acl_opened_is_lowered_by_the_groups_behind_it() -> None:
    acl = {"id": "acl-1", "ingress": [{"rule_no": 100, "action": "deny", "protocol": "-1", "cidr_block": "0.0.0.0/0"}]}
    wider = {
        "id": "acl-1",
        "ingress": [{"rule_no": 100, "action": "allow", "protocol": "-1", "cidr_block": "0.0.0.0/0"}],
    }
    assert gravest({"aws_network_acl.a": acl}, {"aws_network_acl.a": wider}) == "medium"


def test_egress_that_was_limited_and_is_not_is_a_line() -> None:
    narrow: Stack = {"aws_security_group.a": {"id": "sg-a", "egress": [rule("10.0.0.0/8")]}}
    wide: Stack = {"aws_security_group.a": {"id": "sg-a", "egress": [rule("0.0.0.0/0", port=0, protocol="-1")]}}
    assert gravest(narrow, wide) == "low"
    assert gravest(wide, narrow) is None


SWITCHES: list[tuple[str, Values, Values, str]] = [
    ("aws_db_instance", {"publicly_accessible": False}, {"publicly_accessible": True}, "high"),
    ("aws_db_instance", {"publicly_accessible": "false"}, {"publicly_accessible": "true"}, "high"),
    ("aws_eks_cluster", {"public_access_cidrs": ["198.51.100.0/24"]}, {"public_access_cidrs": ["0.0.0.0/0"]}, "high"),
    ("aws_eks_cluster", {"public_access_cidrs": ["198.51.100.0/24"]}, {}, "high"),
    (
        "aws_eks_cluster",
        {"vpc_config": [{"public_access_cidrs": ["198.51.100.0/24"], "endpoint_public_access": True}]},
        {"vpc_config": [{"public_access_cidrs": ["1.2.3.4/0"], "endpoint_public_access": True}]},
        "high",
    ),
    ("aws_eks_cluster", {"endpoint_public_access": False}, {"endpoint_public_access": True}, "high"),
    (
        "google_container_cluster",
        {"master_authorized_networks_config": [{"cidr_blocks": [{"cidr_block": "10.0.0.0/8"}]}]},
        {},
        "high",
    ),
    ("azurerm_kubernetes_cluster", {"api_server_authorized_ip_ranges": ["203.0.113.0/24"]}, {}, "high"),
    ("aws_s3_bucket_public_access_block", {"block_public_acls": True}, {"block_public_acls": False}, "high"),
    ("aws_s3_bucket_acl", {"acl": "private"}, {"acl": "public-read"}, "critical"),
    ("aws_s3_bucket", {"acl": "private"}, {"acl": "public-read-write"}, "critical"),
    ("aws_db_snapshot", {"shared_accounts": ["111122223333"]}, {"shared_accounts": ["all"]}, "critical"),
    ("aws_lambda_function_url", {"authorization_type": "AWS_IAM"}, {"authorization_type": "NONE"}, "high"),
    ("aws_api_gateway_method", {"authorization": "CUSTOM"}, {"authorization": "NONE"}, "high"),
    ("aws_lb", {"internal": True}, {"internal": False}, "high"),
    ("aws_lb", {"internal": True}, {}, "high"),
    ("aws_elb", {"scheme": "internal"}, {"scheme": "internet-facing"}, "high"),
    ("aws_opensearch_domain", {"vpc_options": [{"subnet_ids": ["a"]}]}, {}, "high"),
    ("aws_subnet", {"map_public_ip_on_launch": False}, {"map_public_ip_on_launch": True}, "medium"),
    (
        "aws_ecs_service",
        {"network_configuration": [{"assign_public_ip": False}]},
        {"network_configuration": [{"assign_public_ip": True}]},
        "medium",
    ),
    ("aws_instance", {"metadata_options": [{"http_tokens": "required"}]}, {"metadata_options": []}, "medium"),
    ("azurerm_storage_account", {"public_network_access_enabled": False}, {}, "high"),
    ("azurerm_storage_account", {"allow_blob_public_access": False}, {"allow_blob_public_access": True}, "high"),
    ("azurerm_storage_container", {"container_access_type": "private"}, {"container_access_type": "blob"}, "critical"),
    ("google_storage_bucket", {"public_access_prevention": "enforced"}, {}, "high"),
    ("google_storage_bucket", {"uniform_bucket_level_access": True}, {"uniform_bucket_level_access": False}, "medium"),
    (
        "google_sql_database_instance",
        {"settings": [{"ip_configuration": [{"authorized_networks": []}]}]},
        {"settings": [{"ip_configuration": [{"authorized_networks": [{"value": "0.0.0.0/0"}]}]}]},
        "high",
    ),
    (
        "azurerm_postgresql_firewall_rule",
        {"start_ip_address": "203.0.113.1", "end_ip_address": "203.0.113.9"},
        {"start_ip_address": "0.0.0.0", "end_ip_address": "255.255.255.255"},
        "high",
    ),
    (
        "google_compute_instance",
        {"network_interface": [{"network": "n", "access_config": []}]},
        {"network_interface": [{"network": "n", "access_config": [{"nat_ip": ""}]}]},
        "medium",
    ),
    ("aws_wafv2_ip_set", {"addresses": ["203.0.113.0/24"]}, {"addresses": ["0.0.0.0/1", "128.0.0.0/1"]}, "high"),
    ("aws_cloudfront_distribution", {"web_acl_id": "arn:x"}, {"web_acl_id": ""}, "high"),
    ("aws_wafv2_web_acl", {"default_action": [{"block": [{}]}]}, {"default_action": [{"allow": [{}]}]}, "high"),
    (
        "aws_wafv2_web_acl",
        {"rule": [{"name": "sql", "override_action": [{"none": [{}]}]}]},
        {"rule": [{"name": "sql", "override_action": [{"count": [{}]}]}]},
        "high",
    ),
    ("aws_wafv2_web_acl", {"rule": [{"name": "sql", "action": [{"block": [{}]}]}]}, {"rule": []}, "high"),
    (
        "azurerm_web_application_firewall_policy",
        {"policy_settings": [{"mode": "Prevention"}]},
        {"policy_settings": [{"mode": "Detection"}]},
        "high",
    ),
    (
        "aws_cloudfront_distribution",
        {"origin": [{"origin_id": "s3", "origin_access_control_id": "E1"}]},
        {"origin": [{"origin_id": "s3"}]},
        "medium",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "closed", "opened", "severity"), SWITCHES)
def test_a_switch_that_opens_speaks_and_closing_it_is_silent(
    type_: str, closed: Values, opened: Values, severity: str
) -> None:
    name = f"{type_}.it"
    found = effects({name: closed}, {name: opened})
    assert found
    assert found[0].severity == severity
    assert effects({name: opened}, {name: closed}) == ()
    assert effects({name: opened}, {name: {**opened, "tags": {"a": "b"}}}) == ()


def test_four_blocks_of_a_bucket_are_one_sentence_and_a_public_policy_makes_data_public() -> None:
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    closed: Stack = {"aws_s3_bucket_public_access_block.b": {"bucket": "b", **dict.fromkeys(names, True)}}
    opened: Stack = {"aws_s3_bucket_public_access_block.b": {"bucket": "b", **dict.fromkeys(names, False)}}
    found = effects(closed, opened)
    assert [one.severity for one in found] == ["high"]
    assert all(name in found[0].reason for name in names)
    policy = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}'
    assert gravest(closed, opened | {"aws_s3_bucket_policy.b": {"bucket": "b", "policy": policy}}) == "critical"


def test_the_block_may_go_with_its_bucket_but_not_before_it() -> None:
    block, bucket = "aws_s3_bucket_public_access_block.b", "aws_s3_bucket.b"
    stack: Stack = {block: {"bucket": "b"}, bucket: {"bucket": "b"}}
    use = Use(block, bucket, "bucket")
    assert gravest(stack, {bucket: stack[bucket]}, use) == "high"
    assert effects(stack, {}, use) == ()


def test_an_acl_that_the_block_holds_back_is_lowered() -> None:
    block: Stack = {"aws_s3_bucket_public_access_block.b": {"bucket": "b", "ignore_public_acls": True}}
    acl: Stack = {"aws_s3_bucket_acl.b": {"bucket": "b", "acl": "private"}}
    opened: Stack = {"aws_s3_bucket_acl.b": {"bucket": "b", "acl": "public-read"}}
    assert gravest(block | acl, block | opened) == "medium"


def test_a_database_made_public_behind_a_narrow_group_says_so_and_behind_an_open_one_is_public() -> None:
    store: Stack = {"aws_db_instance.o": {"vpc_security_group_ids": ["sg-db"], "publicly_accessible": False}}
    opened: Stack = {"aws_db_instance.o": {"vpc_security_group_ids": ["sg-db"], "publicly_accessible": True}}
    found = effects(group(OFFICE) | store, group(OFFICE) | opened)
    assert found[0].severity == "high"
    assert "10.0.0.0/16" in found[0].mitigations[0]
    wide = group(rule("0.0.0.0/0"))
    assert gravest(wide | store, wide | opened) == "critical"


def test_a_firewall_may_go_with_what_it_guards() -> None:
    acl, tie, balancer = "aws_wafv2_web_acl.w", "aws_wafv2_web_acl_association.t", "aws_lb.l"
    stack: Stack = {acl: {"name": "w"}, tie: {"resource_arn": "arn:l"}, balancer: {"internal": False}}
    uses = (Use(tie, acl, "web_acl_arn"), Use(tie, balancer, "resource_arn"))
    found = effects(stack, {balancer: stack[balancer]}, *uses)
    assert {one.code for one in found} == {"GUARD_REMOVED", "NET_EXPOSE"}
    assert all("WAF" in one.reason and balancer in one.reason for one in found)
    assert effects(stack, {}, *uses) == ()


def test_a_route_to_the_internet_speaks_for_a_table_that_was_there() -> None:
    table, route = "aws_route_table.private", "aws_route.out"
    way = {"destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}
    use = Use(route, table, "route_table_id")
    assert gravest({table: {}}, {table: {}, route: way}, use) == "medium"
    assert gravest({}, {table: {}, route: way}, use) is None
    nat = {"destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "nat-1"}
    assert gravest({table: {}, route: nat}, {table: {}, route: way}, use) == "medium"
    assert gravest({table: {}}, {table: {}, route: nat}, use) is None


KEYS = (
    *(
        "ingress",
        "egress",
        "cidr_blocks",
        "from_port",
        "to_port",
        "protocol",
        "security_groups",
        "self",
        "rule",
        "route",
    ),
    *("source_ranges", "allow", "deny", "ports", "priority", "target_tags", "security_rule", "source_address_prefix"),
    *(
        "destination_port_range",
        "access",
        "direction",
        "name",
        "action",
        "default_action",
        "origin",
        "origin_id",
        "acl",
    ),
    *("public_access_cidrs", "start_ip_address", "end_ip_address", "publicly_accessible", "policy", "bucket", "type"),
    *("rule_no", "security_group_id", "settings", "ip_configuration", "authorized_networks", "value", "gateway_id"),
    *("cidr_block", "ingress_rules", "ingress_cidr_blocks", "ingress_with_cidr_blocks", "vpc_options", "Statement"),
)
ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 70000)
    | st.floats()
    | st.sampled_from(
        ["0.0.0.0/0", "10.0.0.1/0", "inf", "nan", "1e999", "22", "-1", "*", "tcp", "sg-1", "Ref:a.b", "8-2", ""]
    )
    | st.just(Later("var.x"))
    | st.just(Hidden(1)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
TYPES = (
    *("aws_security_group", "aws_security_group_rule", "aws_network_acl", "aws_network_acl_rule", "aws_eks_cluster"),
    *(
        "google_compute_firewall",
        "azurerm_network_security_rule",
        "azurerm_network_security_group",
        "aws_wafv2_web_acl",
    ),
    *(
        "aws_route_table",
        "aws_cloudfront_distribution",
        "aws_db_instance",
        "azurerm_mssql_firewall_rule",
        "aws_s3_bucket",
    ),
    *("google_sql_database_instance", "aws_s3_bucket_policy", "aws_route", "aws_vpc_security_group_ingress_rule"),
)


RULE = st.dictionaries(st.sampled_from(KEYS), ODD, max_size=7)
FRAMES = ("ingress", "security_rule", "allow", "deny", "route", "rule", "origin", "ingress_with_cidr_blocks")


@settings(max_examples=150)
@over(st.sampled_from(TYPES), RULE, RULE, st.sampled_from(FRAMES))
def test_no_value_is_too_strange(type_: str, before: Values, after: Values, frame: str) -> None:
    old, new = ({**rule, frame: [rule]} for rule in (before, after))
    found = judge([Found(worlds=(world({f"{type_}.a": old}, {f"{type_}.a": new}),))], RULES, "human")
    assert all(one.reason for one in found.effects)


@pytest.mark.parametrize("port", ["inf", "nan", "1e999", -1, 1e308, None, "x", Hidden(1)])
def test_a_port_that_is_none_lets_every_one_in_or_is_the_last(port: object) -> None:
    found = effects(group(OFFICE), group(OFFICE, rule("0.0.0.0/0", port=port)))
    assert [one.code for one in found] == ["NET_EXPOSE"]
