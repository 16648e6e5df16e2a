"""A plan is judged by what it does, and an agent applies only the very file that a person signed for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.approvals.keys import FileKey
from tests.repos import Repo
from tidegate.agent.guard.approvals import PlanTerms, encode, folder_of, keep, seal, signed_bytes
from tidegate.agent.guard.decide import Answer, Asked, decide_text
from tidegate.agent.guard.keyboard import Keyboard
from tidegate.agent.guard.plans import read_plan
from tidegate.change.git import open_repository
from tidegate.ledger.sshsig import parse_key

AGENT, HUMAN = Keyboard(False, "a test"), Keyboard(True, "a test")
NOW = "2026-05-01T12:00:00Z"


def plan_json(*actions: str) -> str:
    gone = {"id": "db-1", "engine": "postgres", "allocated_storage": 100}
    change = {"actions": list(actions), "before": gone if "delete" in actions else None, "after": None}
    if "delete" not in actions:
        change["after"] = {"byte_length": 4}
    kind = "aws_db_instance" if "delete" in actions else "random_id"
    resource = {"address": f"{kind}.main", "mode": "managed", "type": kind, "name": "main", "change": change}
    resource["provider_name"] = "registry.terraform.io/hashicorp/aws"
    return json.dumps({"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": [resource]})


@pytest.fixture
def key(tmp_path: Path) -> FileKey:
    return FileKey.make(tmp_path / "id")


@pytest.fixture
def folder(tmp_path: Path, key: FileKey, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    repo = Repo.init(tmp_path / "stack")
    repo.write("tidegate.toml", f'[people.alice]\nkeys = ["{key.line}"]\n')
    repo.commit("Name alice")
    repo.write("main.tf", "# a stack\n")
    repo.commit("Add a stack")
    folder = tmp_path / "stack"
    (folder / "tfplan").write_bytes(b"PK a binary plan")
    (folder / "tfplan.json").write_text(plan_json("delete"))
    return folder


def asked(folder: Path, keyboard: Keyboard, now: str = NOW) -> Answer:
    environment = {"HOME": "/home/x", "PATH": os.environ["PATH"]}
    return decide_text("terraform apply tfplan", Asked(folder, environment, keyboard, now))


def sign(
    folder: Path, key: FileKey, person: str = "alice", plan: str = "", until: str = "2026-05-02T12:00:00Z"
) -> None:
    read = read_plan(Path("tfplan"), folder, "terraform", "agent")
    payload = encode(PlanTerms(plan or read.digest, read.json_digest, person, "2026-05-01T11:00:00Z", until))
    document = seal(payload, parse_key(key.line), key.sign(signed_bytes(payload)))
    with open_repository(folder) as repository:
        keep(folder_of(repository), read.digest, document)


def test_a_human_is_asked_for_the_name_of_what_is_destroyed(folder: Path) -> None:
    found = asked(folder, HUMAN)
    assert [one.target for one in found.concerns] == ["aws_db_instance.main"]


def test_a_plan_that_destroys_nothing_is_applied_by_a_human_and_not_by_an_agent(folder: Path) -> None:
    (folder / "tfplan.json").write_text(plan_json("create"))
    assert not asked(folder, HUMAN).held
    assert asked(folder, AGENT).held


def test_an_agent_needs_as_many_people_as_the_rules_ask_for(folder: Path, key: FileKey) -> None:
    (folder / "tfplan.json").write_text(plan_json("create"))
    sign(folder, key)
    found = asked(folder, AGENT)
    assert not found.held
    assert found.plans[0][0] == str(folder / "tfplan")
    (folder / "tfplan.json").write_text(plan_json("delete"))
    sign(folder, key)
    assert "1 of 2 people" in asked(folder, AGENT).concerns[0].what


@pytest.mark.parametrize("fault", ["another plan", "another json", "expired", "stranger", "digest", "rubbish"])
def test_an_approval_counts_for_nothing_else(folder: Path, key: FileKey, tmp_path: Path, fault: str) -> None:
    (folder / "tfplan.json").write_text(plan_json("create"))
    if fault == "stranger":
        sign(folder, FileKey.make(tmp_path / "other"))
    else:
        sign(folder, key, plan="0" * 64 if fault == "digest" else "")
    if fault == "another plan":
        (folder / "tfplan").write_bytes(b"PK another plan")
    if fault == "another json":
        (folder / "tfplan.json").write_text(plan_json("create") + " ")
    if fault == "rubbish":
        for path in (folder / ".git" / "tidegate" / "plan-approvals").glob("*.json"):
            path.write_bytes(path.read_bytes().replace(b"payload", b"pay1oad"))
    assert asked(folder, AGENT, "2026-05-03T12:00:00Z" if fault == "expired" else NOW).held


def test_a_plan_that_is_not_there_or_cannot_be_read_is_held(folder: Path) -> None:
    (folder / "tfplan.json").unlink()
    assert "nothing here can read the plan" in asked(folder, HUMAN).concerns[0].what
    (folder / "tfplan").unlink()
    assert asked(folder, HUMAN).held
