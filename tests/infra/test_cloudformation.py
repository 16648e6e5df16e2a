"""CloudFormation templates: what an update does to the stack that exists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from tidegate.change.trees import given
from tidegate.infra.cloudformation import family
from tidegate.infra.values import Found, Hidden, Later, ResourceChange

DATABASE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Size: {Type: Number, Default: 20}
  Name: {Type: String}
  Secret: {Type: String, NoEcho: true}
Conditions:
  Big: !Equals [!Ref Size, 100]
Resources:
  Orders:
    Type: AWS::RDS::DBInstance
    Properties:
      Engine: postgres
      DBInstanceClass: db.t3.small
      AllocatedStorage: !Ref Size
      MasterUserPassword: !Ref Secret
      StorageEncrypted: false
      VPCSecurityGroups: [!GetAtt Group.GroupId]
      Tags: [{Key: team, Value: shop}]
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: database
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: "5432", ToPort: "5432", CidrIp: 10.0.0.0/16}
  Invoices:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    Properties:
      BucketName: !Sub "${Name}-invoices"
      VersioningConfiguration: {Status: Enabled}
"""


def read(before: str, after: str, path: str = "stack.yaml") -> Found:
    trees = given({path: before.encode()} if before else {}, {path: after.encode()} if after else {})
    return family.read(trees, trees.changed)


def changes(found: Found) -> Mapping[str, ResourceChange]:
    return {change.address: change for world in found.worlds for change in world.changes}


def changed(old: str, new: str, template: str = DATABASE) -> Mapping[str, ResourceChange]:
    assert old in template
    return changes(read(template, template.replace(old, new)))


def test_a_create_only_property_replaces() -> None:
    one = changed("StorageEncrypted: false", "StorageEncrypted: true")["Orders"]
    assert (one.type, one.action, one.forced_by, one.certainty) == (
        "aws_db_instance",
        "replace",
        ("storage_encrypted",),
        "likely",
    )
    assert one.spelled["storage_encrypted"] == "StorageEncrypted"
    assert one.before is not None
    assert one.before["deletion_policy"] == "Snapshot"
    assert one.before["update_replace_policy"] == "Delete"
    assert one.place.line == 10


def test_spelling_and_order_change_nothing() -> None:
    other = DATABASE.replace('"5432"', "5432").replace("Engine: postgres", "Engine: Postgres")
    other = other.replace("!GetAtt Group.GroupId", "!Ref Group").replace("!Ref Size", '{"Ref": "Size"}')
    assert changes(read(DATABASE, other)) == {}


def test_a_template_in_json_is_the_same_template() -> None:
    from tidegate.infra.cloudformation.document import read_document

    as_json = json.dumps(read_document(DATABASE.encode()).value)
    assert read(DATABASE, as_json).worlds[0].changes == ()


@for_all(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_order_of_keys_changes_nothing(random: Random) -> None:
    from tidegate.infra.cloudformation.document import read_document

    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shuffled(value[key]) for key in random.sample(list(value), len(value))}
        return [shuffled(one) for one in value] if isinstance(value, list) else value

    whole = read_document(DATABASE.encode()).value
    target = DATABASE.replace("StorageEncrypted: false", "StorageEncrypted: true")
    assert list(changes(read(json.dumps(shuffled(whole)), target))) == ["Orders"]


def test_a_stack_policy_that_forbids_less() -> None:
    deny = {"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "LogicalResourceId/Orders"}
    allow = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}
    before, after = json.dumps({"Statement": [deny, allow]}), json.dumps({"Statement": [allow]})
    found = read(before, after, "policy.json")
    assert [(one.code, one.address) for one in found.drafts] == [("GUARD_REMOVED", "policy.json")]
    assert "Orders" in found.drafts[0].reason
    assert read(after, before, "policy.json").drafts == ()


def test_terraform_shape() -> None:
    world = read("", DATABASE).worlds[0]
    group = world.after["Group"].values
    assert group["ingress"][0]["cidr_blocks"] == ["10.0.0.0/16"]
    assert group["egress"][0]["protocol"] == "-1"
    orders = world.after["Orders"].values
    assert orders["tags"] == {"team": "shop"}
    assert orders["vpc_security_group_ids"] == ["Ref:Group"]
    assert isinstance(orders["password"], Hidden)
    assert world.after["Invoices.VersioningConfiguration"].type == "aws_s3_bucket_versioning"
    assert [use.user for use in world.uses_after.users("Group")] == ["Orders"]
    assert world.after["Invoices"].values["bucket"] == "${the parameter Name}-invoices"


def test_a_parameter_keeps_its_value_and_a_new_default_is_only_possible() -> None:
    one = changed("Default: 20", "Default: 50")["Orders"]
    assert (one.action, one.certainty) == ("update", "possible")
    assert "Size" in one.why


def test_a_renamed_parameter_may_replace() -> None:
    other = DATABASE.replace("  Name: {", "  Title: {").replace("${Name}", "${Title}")
    one = changes(read(DATABASE, other))["Invoices"]
    assert (one.action, one.forced_by, one.certainty) == ("replace", ("bucket",), "possible")
    same_default = DATABASE.replace("Name: {Type: String}", "Name: {Type: String, Default: shop}")
    renamed = same_default.replace("  Name: {", "  Title: {").replace("${Name}", "${Title}")
    assert changes(read(same_default, renamed)) == {}


def test_a_change_behind_a_condition_is_found() -> None:
    base = DATABASE.replace("StorageEncrypted: false", "StorageEncrypted: !If [Big, false, false]")
    one = changes(read(base, base.replace("[Big, false, false]", "[Big, true, false]")))["Orders"]
    assert (one.action, one.certainty) == ("replace", "possible")
    assert "Big" in one.why


def test_an_import_that_becomes_a_parameter_is_low() -> None:
    base = DATABASE.replace("GroupDescription: database", "GroupDescription: database\n      VpcId: !ImportValue vpc")
    found = read(base, base.replace("!ImportValue vpc", "!Ref Name"))
    assert changes(found)["Group"].action == "update"
    assert [(one.severity, one.certainty) for one in found.drafts] == [("low", "possible")]


def test_retain_keeps_what_leaves_the_template() -> None:
    without = DATABASE[: DATABASE.index("  Invoices:")]
    assert changes(read(DATABASE, without))["Invoices"].action == "forget"
    unguarded = DATABASE.replace("    DeletionPolicy: Retain\n", "")
    one = changes(read(unguarded, unguarded[: unguarded.index("  Invoices:")]))["Invoices"]
    assert one.action == "delete"
    assert one.before is not None
    assert one.before["versioning"] == {"enabled": True}


def test_policies_on_deletion() -> None:
    found = read(DATABASE, DATABASE.replace("    DeletionPolicy: Retain\n", ""))
    assert [(one.code, one.severity, one.address) for one in found.drafts] == [("GUARD_REMOVED", "high", "Invoices")]
    assert read(DATABASE.replace("    DeletionPolicy: Retain\n", ""), DATABASE).drafts == ()


def test_a_deleted_template_deletes_no_stack() -> None:
    assert {one.action for one in changes(read(DATABASE, "")).values()} == {"forget"}


def test_another_type_is_refused() -> None:
    found = read(DATABASE, DATABASE.replace("AWS::S3::Bucket", "AWS::SQS::Queue"))
    assert "APPLY_FAIL" in [one.code for one in found.drafts]
    assert changes(found)["Invoices"].forced_by == ("resource_type",)


def test_a_new_logical_id_with_the_same_name_fails() -> None:
    named = DATABASE.replace("      Engine:", "      DBInstanceIdentifier: orders\n      Engine:")
    found = read(named, named.replace("  Orders:", "  Sales:"))
    assert [one.code for one in found.drafts] == ["APPLY_FAIL"]
    assert {name: one.action for name, one in changes(found).items()} == {"Orders": "delete", "Sales": "create"}


def test_what_refers_to_a_replaced_resource_is_replaced_with_it() -> None:
    base = """
Resources:
  Net: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  Sub: {Type: "AWS::EC2::Subnet", Properties: {CidrBlock: 10.0.1.0/24, VpcId: !Ref Net}}
  Subs: {Type: "AWS::RDS::DBSubnetGroup", Properties: {DBSubnetGroupDescription: x, SubnetIds: [!Ref Sub]}}
"""
    found = changes(read(base, base.replace("10.0.0.0/16", "10.1.0.0/16")))
    assert {name: one.action for name, one in found.items()} == {"Net": "replace", "Sub": "replace"}
    assert isinstance((found["Sub"].after or {})["vpc_id"], Later)


def test_serverless() -> None:
    base = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 3, Environment: {Variables: {STAGE: a}}}}
Resources:
  Api:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Policies: [AmazonS3ReadOnlyAccess, {Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]}]
      Events: {Jobs: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}
  Items: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: key, Type: String}}}
  Queue: {Type: AWS::SQS::Queue}
"""
    world = read("", base).worlds[0]
    assert world.after["Items"].values["hash_key"] == "key"
    assert world.after["Api"].values["environment"]["variables"] == {"STAGE": "a"}
    assert world.after["ApiRole"].values["inline_policy"][0]["policy"]["Statement"][0]["Action"] == "s3:*"
    assert world.after["ApiJobs"].type == "aws_lambda_event_source_mapping"
    one = changes(read(base, base.replace("Name: key", "Name: id")))["Items"]
    assert (one.action, one.forced_by) == ("replace", ("hash_key",))


def test_what_only_a_deployment_knows_is_said() -> None:
    base = DATABASE + "  Inner: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'https://x/1.yaml'}}\n"
    assert [one.address for one in read(base, base.replace("1.yaml", "2.yaml")).unjudged] == ["Inner"]
    macro = 'Transform: Mine\nAWSTemplateFormatVersion: "2010-09-09"\nResources:\n  A: {Type: AWS::SQS::Queue}\n'
    assert "Mine" in read(macro, macro + "  B: {Type: AWS::SQS::Queue}\n").unjudged[0].reason
    assert read(macro, macro + "# no change\n").unjudged == ()


@pytest.mark.parametrize(
    "text",
    [
        DATABASE + "  - broken: [",
        "AWSTemplateFormatVersion: '1'\nResources: " + "{a: " * 200 + "1" + "}" * 200,
        "AWSTemplateFormatVersion: '1'\na: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "\n".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]" for n in range(9)),
        '{"AWSTemplateFormatVersion": "1", "Resources": ' + "[" * 5000 + "]" * 5000 + "}",
        DATABASE + "  Bad: !Ref [[[*nothing]]]",
    ],
)
def test_hostile_templates_are_said_to_be_unread(text: str) -> None:
    found = read(DATABASE, text)
    assert found.worlds == ()
    assert "cannot be read" in found.unjudged[0].reason


def test_conditions_that_ask_each_other_are_worked_out_once() -> None:
    conditions: dict[str, Any] = {f"C{n}": {"Fn::Or": [{"Condition": f"C{n + 1}"}] * 9} for n in range(40)}
    conditions["C40"] = {"Fn::And": [{"Condition": "C0"}, {"Fn::Equals": ["a", "a"]}]}
    resource = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::If": ["C0", "a", "b"]}}}
    whole = {"AWSTemplateFormatVersion": "1", "Conditions": conditions, "Resources": {"Queue": resource}}
    assert read("", json.dumps(whole)).worlds[0].after["Queue"].values["name"] == "a"
    conditions["C1"] = {"Fn::Not": [{"Fn::Equals": ["a", "a"]}]}
    assert read("", json.dumps(whole)).worlds[0].after["Queue"].values["name"] == "b"


def test_other_files_are_left_alone() -> None:
    assert read("", "apiVersion: v1\nkind: Service\nmetadata: {name: Resources}\n").files == ()
    assert read("", "{}").files == ()


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(0, 9), st.sampled_from(["a", "Ref", "${A}", "!Ref x", "A.B"])
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["Ref", "Fn::Sub", "Fn::If", "Fn::GetAtt", "Fn::Join", "Fn::Select", "Fn::FindInMap", "Key"]
            ),
            inner,
            max_size=2,
        ),
    ),
    max_leaves=12,
)


@for_all(st.dictionaries(st.sampled_from(["A", "B"]), _VALUES), _VALUES, _VALUES, _VALUES)
@settings(max_examples=150, deadline=None)
def test_any_expression_is_read(mappings: object, condition: object, one: object, other: object) -> None:
    def template(value: object) -> str:
        resource = {
            "Type": "AWS::S3::Bucket",
            "Condition": condition,
            "Properties": {"BucketName": value, "Tags": value},
        }
        group = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"SecurityGroupIngress": value, "VpcId": value}}
        whole = {"Resources": {"A": resource, "B": group}, "Mappings": mappings, "Conditions": {"a": condition}}
        return json.dumps({"AWSTemplateFormatVersion": "1", **whole})

    assert changes(read(template(one), template(one))) == {}
    read(template(one), template(other))


@for_all(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read(data: bytes) -> None:
    from tidegate.infra.cloudformation.document import UnreadableError, read_document

    with suppress(UnreadableError):
        read_document(b"AWSTemplateFormatVersion: " + data)
