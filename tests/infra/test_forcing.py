"""Which attributes replace an object, in Terraform and in CloudFormation."""

from __future__ import annotations

import pytest

from tidegate.infra.cloudformation.names import cloudformation_types, snake, terraform_property, terraform_type
from tidegate.infra.forcing import caseless, deletes_first, forces, nested, replaced_by


@pytest.mark.parametrize(
    ("type_", "attribute", "answer"),
    [
        ("aws_db_instance", "storage_encrypted", "always"),
        ("aws_db_instance", "identifier", "no"),
        ("aws_db_instance", "multi_az", "no"),
        ("aws_subnet", "cidr_block", "always"),
        ("aws_security_group", "description", "always"),
        ("aws_security_group", "ingress.0.description", "no"),
        ("aws_security_group_rule", "from_port", "always"),
        ("aws_ecs_task_definition", "container_definitions", "always"),
        ("aws_ecs_task_definition", "tags", "no"),
        ("aws_launch_configuration", "anything", "always"),
        ("aws_vpc", "instance_tenancy", "conditionally"),
        ("google_container_cluster", "network", "always"),
        ("azurerm_never_heard_of", "location", "always"),
        ("azurerm_never_heard_of", "colour", "unknown"),
        ("aws_never_heard_of", "name", "unknown"),
        # no line of its own: the schemas of CloudFormation say it
        ("aws_codebuild_project", "name", "always"),
        ("aws_appsync_resolver", "field_name", "always"),
    ],
)
def test_forces(type_: str, attribute: str, answer: str) -> None:
    assert forces(type_, attribute) == answer


def test_cloudformation_replaces_what_terraform_renames() -> None:
    assert replaced_by("AWS::RDS::DBInstance", "DBInstanceIdentifier") == "always"
    assert replaced_by("AWS::RDS::DBInstance", "BackupRetentionPeriod") == "no"
    assert replaced_by("AWS::DynamoDB::Table", "KeySchema") == "conditionally"
    assert replaced_by("Custom::Thing", "Name") == "unknown"
    assert "KubernetesNetworkConfig/IpFamily" in nested("AWS::EKS::Cluster")
    assert deletes_first("AWS::Logs::SubscriptionFilter")
    assert not deletes_first("AWS::RDS::DBInstance")
    assert caseless("AWS::RDS::DBInstance", "Engine")
    assert not caseless("AWS::S3::Bucket", "BucketName")


def test_names() -> None:
    assert terraform_type("AWS::RDS::DBInstance") == "aws_db_instance"
    assert terraform_type("AWS::Glue::SchemaVersion") == "aws_glue_schema_version"
    assert terraform_type("Custom::Thing") == "Custom::Thing"
    assert terraform_property("aws_db_instance", "DBInstanceIdentifier") == "identifier"
    assert terraform_property("aws_autoscaling_group", "TargetGroupARNs") == "target_group_arns"
    assert snake("EnableIAMDatabaseAuthentication") == "enable_iam_database_authentication"
    assert "AWS::EC2::SecurityGroupIngress" in cloudformation_types("aws_security_group_rule")
