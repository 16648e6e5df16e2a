"""A made plan of any size: nested attributes as real providers have, four copies of each, references and secrets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

ACCOUNT, REGION = "123456789012", "eu-west-1"


def made_plan(size: int, changed: int = 20) -> bytes:
    """A plan over about `size` resources in stacks of ten, of which the first `changed` services change."""
    before = [one for number in range(size // 10) for one in _stack(number, "1.0.0")]
    after = [one for number in range(size // 10) for one in _stack(number, "1.1.0" if number < changed else "1.0.0")]
    changes = [_change(old, new) for old, new in zip(before, after, strict=True)]
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "variables": {"environment": {"value": "prod"}, "db_password": {"value": "made-secret-000"}},
        "planned_values": _values(after),
        "resource_changes": changes,
        "prior_state": {"format_version": "1.0", "values": _values(before)},
        "configuration": {"provider_config": {}, "root_module": _configuration()},
        "timestamp": "2026-01-01T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    return json.dumps(plan).encode()


# Private


def _stack(number: int, image: str) -> Iterator[dict[str, Any]]:
    name = f"svc-{number:04d}"
    key = f'module.service["{name}"]'
    tags = {"Name": name, "env": "prod", "team": f"team-{number % 40}", "cost_center": str(4000 + number % 90)}
    arn = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}/{name}"
    host = f"{name}.abcdef.{REGION}.rds.amazonaws.com"

    def made(type_: str, values: dict[str, Any], needs: tuple[str, ...] = (), mask: Any = None) -> dict[str, Any]:
        return {
            "address": f"{key}.{type_}.this",
            "module_address": key,
            "mode": "managed",
            "type": type_,
            "name": "this",
            "values": {**values, "tags": tags, "tags_all": {**tags, "managed_by": "terraform"}},
            "sensitive_values": mask or {"tags": {}, "tags_all": {}},
            "depends_on": [f"module.service.{need}.this" for need in needs],
        }

    group = {"from_port": 8080, "to_port": 8080, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/16"], "self": False}
    ingress = [group | {"description": f"from {i}", "ipv6_cidr_blocks": [], "security_groups": []} for i in range(3)]
    yield made("aws_security_group", {"id": f"sg-{number:017x}", "name": name, "ingress": ingress, "vpc_id": "vpc-0"})
    yield made(
        "aws_db_instance",
        {
            "id": name,
            "identifier": name,
            "address": host,
            "endpoint": f"{host}:5432",
            "arn": arn.format("rds", "db"),
            "engine": "postgres",
            "engine_version": "15.4",
            "instance_class": "db.r6g.large",
            "allocated_storage": 100,
            "password": f"made-secret-{number % 60:03d}",
            "deletion_protection": True,
            "vpc_security_group_ids": [f"sg-{number:017x}"],
            "enabled_cloudwatch_logs_exports": ["postgresql", "upgrade"],
            **{f"setting_{place}": None for place in range(25)},
        },
        ("aws_security_group",),
        {"password": True, "tags": {}, "tags_all": {}, "vpc_security_group_ids": [False]},
    )
    policy = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{name}-data/*"},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": arn.format("sqs", "queue")},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": policy})
    yield made("aws_iam_role", {"id": name, "name": name, "arn": arn.format("iam", "role"), "path": "/"})
    yield made("aws_iam_role_policy", {"id": f"{name}:p", "role": name, "policy": document}, ("aws_iam_role",))
    yield made("aws_s3_bucket", {"id": f"{name}-data", "bucket": f"{name}-data", "arn": f"arn:aws:s3:::{name}-data"})
    yield made("aws_sqs_queue", {"id": arn.format("sqs", "queue"), "arn": arn.format("sqs", "queue"), "name": name})
    environment = [{"name": "DB_HOST", "value": host}, {"name": "LOG_LEVEL", "value": "info"}]
    environment.append({"name": "DB_PASSWORD", "value": f"made-secret-{number % 60:03d}"})
    container = [{"name": "app", "image": f"registry/{name}:{image}", "cpu": 256, "environment": environment}]
    yield made(
        "aws_ecs_task_definition",
        {"id": name, "family": name, "arn": arn.format("ecs", "task"), "container_definitions": json.dumps(container)},
        ("aws_db_instance", "aws_security_group", "aws_iam_role"),
    )
    yield made("aws_lb_target_group", {"id": arn.format("lb", "tg"), "arn": arn.format("lb", "tg"), "port": 8080})
    network = [{"subnets": ["subnet-1", "subnet-2"], "security_groups": [f"sg-{number:017x}"]}]
    yield made(
        "aws_ecs_service",
        {
            "id": arn.format("ecs", "service"),
            "name": name,
            "desired_count": 3,
            "network_configuration": network,
            "task_definition": arn.format("ecs", "task"),
            "load_balancer": [{"target_group_arn": arn.format("lb", "tg"), "container_port": 8080}],
        },
        ("aws_ecs_task_definition", "aws_lb_target_group", "aws_security_group", "aws_db_instance", "aws_iam_role"),
    )
    yield made("aws_cloudwatch_log_group", {"id": f"/svc/{name}", "name": f"/svc/{name}", "retention_in_days": 365})


def _change(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    head = {key: old[key] for key in ("address", "module_address", "mode", "type", "name")}
    change = {
        "actions": ["no-op"] if old["values"] == new["values"] else ["update"],
        "before": old["values"],
        "after": new["values"],
        "after_unknown": {},
        "before_sensitive": old["sensitive_values"],
        "after_sensitive": new["sensitive_values"],
    }
    return {**head, "provider_name": "registry.terraform.io/hashicorp/aws", "change": change}


def _values(resources: list[dict[str, Any]]) -> dict[str, Any]:
    modules: dict[str, list[dict[str, Any]]] = {}
    for one in resources:
        modules.setdefault(one["module_address"], []).append(one)
    children = [{"address": address, "resources": inside} for address, inside in modules.items()]
    return {"outputs": {}, "root_module": {"child_modules": children}}


def _configuration() -> dict[str, Any]:
    def block(type_: str, **expressions: Any) -> dict[str, Any]:
        found = {key: {"references": [f"{one}.this.arn", f"{one}.this"]} for key, one in expressions.items()}
        return {"address": f"{type_}.this", "mode": "managed", "type": type_, "name": "this", "expressions": found}

    blocks = [
        block("aws_security_group"),
        block("aws_db_instance", vpc_security_group_ids="aws_security_group"),
        block("aws_iam_role"),
        block("aws_iam_role_policy", role="aws_iam_role"),
        block("aws_s3_bucket"),
        block("aws_sqs_queue"),
        block("aws_ecs_task_definition", container_definitions="aws_db_instance"),
        block("aws_lb_target_group"),
        block("aws_ecs_service", task_definition="aws_ecs_task_definition", load_balancer="aws_lb_target_group"),
        block("aws_cloudwatch_log_group"),
    ]
    call = {"source": "./service", "module": {"resources": blocks}, "for_each_expression": {"references": ["var.all"]}}
    return {"module_calls": {"service": call}, "variables": {"db_password": {"sensitive": True}}}


def main() -> None:
    sys.stdout.buffer.write(made_plan(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))


if __name__ == "__main__":
    main()
