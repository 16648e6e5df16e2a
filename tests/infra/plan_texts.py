"""Small Terraform plans from a few words, in the form that the tools write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]


def change(
    address: str, actions: str, before: Json | None = None, after: Json | None = None, **more: Any
) -> dict[str, Any]:
    """One entry of `resource_changes`. `actions` are apart by blanks; what is not of the change stands in the entry."""
    inner = {key: more.pop(key) for key in _OF_CHANGE if key in more}
    words = re.sub(r"\[[^]]*\]", "", address).split(".")
    done = {"actions": actions.split(), "before": before, "after": after, "after_unknown": {}, **_MASKS, **inner}
    return {"address": address, "mode": "managed", "type": words[-2], "name": words[-1], "change": done, **more}


def same(address: str, values: Json, **more: Any) -> dict[str, Any]:
    """An entry that changes nothing."""
    return change(address, "no-op", values, values, **more)


def state(address: str, values: Json, *depends_on: str, mask: Any = None, mode: str = "managed") -> dict[str, Any]:
    """One resource of `prior_state` or `planned_values`."""
    words = re.sub(r"\[[^]]*\]", "", address).split(".")
    return {
        "address": address,
        "mode": mode,
        "type": words[-2],
        "name": words[-1],
        "values": values,
        "sensitive_values": mask or {},
        "depends_on": list(depends_on),
    }


def block(address: str, **expressions: Any) -> dict[str, Any]:
    """One resource of the configuration: `("aws_x.y.id",)` are references, anything else is a constant."""
    words = address.split(".")
    mode = "data" if words[0] == "data" else "managed"
    found = {key: _expression(value) for key, value in expressions.items()}
    return {"address": address, "mode": mode, "type": words[-2], "name": words[-1], "expressions": found}


def document(
    changes: Iterable[Json] = (), prior: Iterable[Json] = (), code: Iterable[Json] = (), **top: Any
) -> dict[str, Any]:
    """A whole plan. What is given by name stands at the top, in place of what would."""
    made: dict[str, Any] = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": list(prior)}}},
        "configuration": {"root_module": {"resources": list(code)}},
        "errored": False,
    }
    made |= top
    return {key: value for key, value in made.items() if value is not None}


def written(plan: Mapping[str, Any]) -> bytes:
    """A plan as a file."""
    return json.dumps(plan).encode()


def shop() -> dict[str, Any]:
    """A task, its database, its queue and a module: an update that undoes drift, a replacement and a delete."""
    rule = {"from_port": 5432, "to_port": 5432, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}
    by_hand = {
        **rule,
        "from_port": 22,
        "to_port": 22,
        "cidr_blocks": ["198.51.100.7/32"],
        "description": "hotfix INC-77",
    }
    group = {"id": "sg-0123456789abcdef0", "name": "shop-db", "ingress": [rule]}
    opened = {**group, "ingress": [rule, by_hand]}
    masks = {"before_sensitive": {"password": True}, "after_sensitive": {"password": True}}
    host = "shop-main.abc.eu-west-1.rds.amazonaws.com"
    database = {
        "id": "shop-main",
        "identifier": "shop-main",
        "address": host,
        "password": "plum-Tree-48",
        "engine_version": "15.4",
        "tags": {"env": "prod"},
        "vpc_security_group_ids": [group["id"]],
    }
    environment = [{"name": "DB_HOST", "value": host}, {"name": "QUEUE", "value": "https://sqs.test/1/shop-orders"}]
    task = {"id": "shop-api", "family": "shop-api", "container_definitions": json.dumps([{"environment": environment}])}
    queue = {"id": "https://sqs.test/1/shop-orders", "name": "shop-orders", "url": "https://sqs.test/1/shop-orders"}
    inside = {"id": "subnet-0a1b2c3d4e5f60718", "cidr_block": "10.0.1.0/24"}
    return document(
        [
            change("aws_security_group.db", "update", opened, group),
            same("aws_db_instance.main", database, **masks),
            change(
                "aws_ecs_task_definition.api",
                "delete create",
                task,
                {"family": "shop-api"},
                after_unknown={"id": True, "container_definitions": True},
                replace_paths=[["container_definitions"]],
                action_reason="replace_because_cannot_update",
            ),
            change("aws_sqs_queue.orders", "delete", queue, action_reason="delete_because_no_resource_config"),
            same('module.net["a"].aws_subnet.inner[0]', inside),
        ],
        [
            state("aws_security_group.db", opened),
            state("aws_db_instance.main", database, "aws_security_group.db", mask={"password": True}),
            state("aws_ecs_task_definition.api", task, "aws_db_instance.main", "aws_security_group.db"),
            state("aws_sqs_queue.orders", queue),
            state('module.net["a"].aws_subnet.inner[0]', inside),
        ],
        [
            block("aws_security_group.db", name="shop-db"),
            block("aws_db_instance.main", vpc_security_group_ids=("aws_security_group.db.id", "aws_security_group.db")),
            block("aws_ecs_task_definition.api", container_definitions=("aws_db_instance.main.address",)),
        ],
        resource_drift=[change("aws_security_group.db", "update", group, opened)],
        variables={"environment": {"value": "prod"}, "db_password": {"value": "plum-Tree-48"}},
    )


# Private

_OF_CHANGE = ("after_unknown", "before_sensitive", "after_sensitive", "replace_paths", "importing")
_MASKS = {"before_sensitive": {}, "after_sensitive": {}}


def _expression(value: Any) -> Any:
    if isinstance(value, tuple):
        return {"references": list(value)}
    return {"constant_value": value}
