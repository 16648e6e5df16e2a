"""Change sets as `aws cloudformation describe-change-set` writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidegate.infra.cloudformation.changeset import read_change_set
from tidegate.infra.values import Found, ResourceChange


def modify(name: str, type_: str, replacement: str, *details: dict[str, Any], **more: Any) -> dict[str, Any]:
    change = {
        "Action": "Modify",
        "LogicalResourceId": name,
        "ResourceType": type_,
        "Replacement": replacement,
        "Details": list(details),
        **more,
    }
    return {"Type": "Resource", "ResourceChange": change}


def detail(name: str, recreation: str, evaluation: str = "Static", **target: Any) -> dict[str, Any]:
    whole = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation, **target}
    return {"Target": whole, "Evaluation": evaluation, "ChangeSource": "DirectModification"}


def read(*changes: dict[str, Any], **more: Any) -> Found:
    return read_change_set({"StackName": "shop", "Status": "CREATE_COMPLETE", "Changes": list(changes), **more}, "c")


def one(*changes: dict[str, Any]) -> ResourceChange:
    return read(*changes).worlds[0].changes[0]


def test_replacement_with_values() -> None:
    contexts = {
        "BeforeContext": json.dumps({"Properties": {"StorageEncrypted": "false", "MasterUserPassword": "hunter2"}}),
        "AfterContext": json.dumps({"Properties": {"StorageEncrypted": "true", "MasterUserPassword": "hunter2"}}),
        "PolicyAction": "ReplaceAndSnapshot",
    }
    change = one(
        modify("Orders", "AWS::RDS::DBInstance", "True", detail("StorageEncrypted", "Always"), **contexts),
    )
    assert (change.type, change.action, change.certainty) == ("aws_db_instance", "replace", "certain")
    assert change.forced_by == ("storage_encrypted",)
    assert change.before is not None
    assert change.before["update_replace_policy"] == "Snapshot"
    assert "hunter2" not in repr(change)


def test_dynamic_evaluation_only_could() -> None:
    change = one(modify("T", "AWS::DynamoDB::Table", "Conditional", detail("TableName", "Always", "Dynamic")))
    assert (change.action, change.certainty) == ("replace", "possible")
    stateless = one(modify("F", "AWS::Lambda::Function", "Conditional", detail("FunctionName", "Always", "Dynamic")))
    assert stateless.action == "update"


@pytest.mark.parametrize(("policy", "action"), [("Retain", "forget"), ("Delete", "delete"), ("Snapshot", "delete")])
def test_removal(policy: str, action: str) -> None:
    removed = {"Action": "Remove", "LogicalResourceId": "B", "ResourceType": "AWS::S3::Bucket", "PolicyAction": policy}
    change = one({"Type": "Resource", "ResourceChange": removed})
    assert change.action == action
    assert change.before is not None
    assert change.before["deletion_policy"] == policy


def test_values_of_details_stand_in_for_missing_contexts() -> None:
    rules = json.dumps([{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}])
    target = detail("SecurityGroupIngress", "Never", BeforeValue="[]", AfterValue=rules)
    change = one(modify("G", "AWS::EC2::SecurityGroup", "False", target))
    assert change.after is not None
    assert change.after["ingress"][0]["cidr_blocks"] == ["0.0.0.0/0"]


def test_what_it_leaves_out_is_said() -> None:
    nested = modify("N", "AWS::CloudFormation::Stack", "False", detail("TemplateURL", "Never"))
    found = read(nested, NextToken="more", Status="CREATE_PENDING")
    assert found.worlds[0].partial
    assert [entry.address for entry in found.unjudged] == ["shop", "N"]
    assert read(Status="FAILED", StatusReason="The submitted information didn't contain changes.").unjudged == ()


def test_policies_and_drift() -> None:
    policy = {
        "Target": {"Attribute": "DeletionPolicy", "BeforeValue": "Retain", "AfterValue": "Delete"},
        "Evaluation": "Static",
    }
    found = read(modify("B", "AWS::S3::Bucket", "False", policy, ResourceDriftStatus="MODIFIED"))
    assert [(draft.code, draft.code_only) for draft in found.drafts] == [("GUARD_REMOVED", True)]
    assert [(fact.kind, fact.address) for fact in found.drift] == [("changed-by-hand", "B")]
