"""From code to cloud and back with the real OpenTofu: plan, judge, hold; plan, judge, pass, apply."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.world.lab import Lab
from tests.infra.world.tools import MissingToolError, Tools, install

PASSWORD = "crimson-Otter-59"
CODE = """
variable "password" {{
  type      = string
  sensitive = true
  default   = "{password}"
}}
resource "aws_db_instance" "main" {{
  identifier              = "shop-main-prod"
  engine                  = "postgres"
  instance_class          = "db.r6g.large"
  backup_retention_period = {backups}
  storage_encrypted       = {encrypted}
  password                = var.password
}}
resource "aws_ecs_task_definition" "api" {{
  family = "shop-api"
  container_definitions = jsonencode([{{
    name        = "api"
    image       = "shop/api:1"
    environment = [{{ name = "DB_HOST", value = aws_db_instance.main.address }}]
  }}])
}}
resource "aws_ecs_service" "api" {{
  name            = "shop-api"
  desired_count   = {count}
  task_definition = aws_ecs_task_definition.api.arn
  network_configuration {{
    subnets = ["subnet-1", "subnet-2"]
  }}
}}
resource "aws_sqs_queue" "orders" {{
  name = "shop-orders"
}}
"""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the tools are for Linux")]


@pytest.fixture(scope="module")
def tools() -> Tools:
    """OpenTofu and what the provider runs on. In CI they must be there."""
    try:
        return install(terraform=False)
    except MissingToolError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


class Stack:
    """A stack that is applied, with its code, its state and its cloud."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        lab.clear()
        self.write(encrypted=False, backups=14, count=3)
        lab.apply()

    def write(self, *, encrypted: bool, backups: int, count: int) -> None:
        text = CODE.format(password=PASSWORD, encrypted=str(encrypted).lower(), backups=backups, count=count)
        self.lab.write({"main.tf": text})

    def cloud(self) -> dict[str, Any]:
        """What is in the cloud, by type: there is one of each."""
        found = json.loads(self.lab.cloud.read_text())
        return {key.partition("/")[0]: one for key, one in found.items()}

    def plan(self, *options: str) -> Path:
        path = self.lab.folder / "plan.json"
        path.write_text(json.dumps(self.lab.plan(*options)))
        return path

    def judge(self, plan: Path) -> tuple[int, dict[str, Any]]:
        """What Tidegate says of a plan, and whether it lets it pass."""
        tidegate = str(Path(sys.executable).with_name("tidegate"))
        command = [tidegate, "infra", str(plan), "--format", "json", "--actor", "human"]
        done = subprocess.run(command, cwd=self.lab.folder, capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture
def stack(tools: Tools) -> Iterator[Stack]:
    with Lab(tools, "opentofu", started_by_tool=True) as lab:
        yield Stack(lab)


def test_a_plan_that_replaces_the_database_is_held_and_a_harmless_one_is_applied(stack: Stack) -> None:
    before = stack.cloud()
    stack.write(encrypted=True, backups=14, count=3)
    held, facts = stack.judge(stack.plan())
    assert held == 1
    assert facts["severity"] == "critical"
    (effect,) = (one for one in facts["effects"] if one["code"] == "DATA_DESTROY")
    assert effect["address"] == "aws_db_instance.main"
    assert "storage_encrypted false -> true" in effect["reason"]
    assert "aws_ecs_service.api" in effect["dependents"]
    assert stack.cloud() == before

    stack.write(encrypted=False, backups=14, count=4)
    passed, facts = stack.judge(stack.plan())
    assert (passed, facts["effects"], facts["unjudged"]) == (0, [], [])
    stack.lab.run("apply", "-input=false", "plan.bin")
    assert stack.cloud()["aws_ecs_service"]["desired_count"] == 4
    assert stack.cloud()["aws_db_instance"] == before["aws_db_instance"]


def test_what_was_changed_by_hand_and_would_be_undone_is_said(stack: Stack) -> None:
    stack.lab.by_hand("aws_ecs_service", {"name": "shop-api"}, {"desired_count": 12})
    _, facts = stack.judge(stack.plan())
    assert [(one["kind"], one["undone"]) for one in facts["drift"]] == [("changed-by-hand", True)]
    assert "desired_count 3 -> 12" in next(one["reason"] for one in facts["effects"] if one["code"] == "DRIFT_REVERT")


def test_a_plan_of_one_target_is_known_although_it_does_not_say_so(stack: Stack) -> None:
    stack.write(encrypted=False, backups=0, count=5)
    held, facts = stack.judge(stack.plan("-target=aws_sqs_queue.orders"))
    assert held == 1
    assert facts["unjudged"]


def test_a_whole_stack_that_goes_is_held(stack: Stack) -> None:
    held, facts = stack.judge(stack.plan("-destroy"))
    assert (held, facts["severity"]) == (1, "critical")
