"""Calls of modules that lie elsewhere: what type of resource a source's name says it makes, and its inputs' names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidegate.infra.values import Value

UNKNOWN = "module"
"""The type of a call whose source's name says nothing."""


def type_of(source: str) -> str:
    """The type of resource that a module of this source mainly makes, `UNKNOWN` where its name does not say."""
    name = bare(source)
    for pattern, type_ in _TYPES:
        if pattern.search(name):
            return type_
    return UNKNOWN


def bare(source: str) -> str:
    """A source without its version, host and protocol: `ministryofjustice/cloud-platform-terraform-sqs`."""
    text = re.sub(r"^(?:git::|hg::|s3::|gcs::)", "", source).partition("?")[0]
    text = re.sub(r"^(?:https?|ssh)://(?:[^@/]*@)?", "", text)
    text = re.sub(r"^(?:[\w.-]+@)?(?:github\.com|gitlab\.com|bitbucket\.org)[:/]", "", text)
    text = text.removeprefix("registry.terraform.io/").removeprefix("app.terraform.io/")
    return text.replace(".git", "").strip("/").lower()


def version_of(source: str) -> str:
    """What a source pins its module to: a tag, a branch, a commit; "" where nothing."""
    found = re.search(r"[?&]ref=([^&]+)", source)
    return found[1] if found else ""


def inputs_as_attributes(type_: str, inputs: Mapping[str, Value]) -> tuple[dict[str, Value], dict[str, str]]:
    """Inputs of a module call under the names that Terraform's resource has, and how the call spells them."""
    values: dict[str, Value] = {}
    spelled: dict[str, str] = {}
    renamed = _RENAMED.get(type_, {})
    for name, value in inputs.items():
        attribute = renamed.get(name, name)
        if attribute == name:
            for prefix in _PREFIXES.get(type_, ()):
                stripped = name.removeprefix(prefix)
                if stripped != name and name not in _KEPT:
                    attribute = stripped
                    break
        if attribute in inputs and attribute != name:
            attribute = name
        values[attribute] = value
        if attribute != name:
            spelled[attribute] = name
    return values, spelled


# Private


def _word(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|[/_.-])(?:{words})(?:$|[/_.-])")


_TYPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (_word("rds-aurora|aurora|rds-cluster|documentdb|documentdb-cluster|neptune"), "aws_rds_cluster"),
    (_word("rds|rds-instance|db-instance|postgres|postgresql|mysql|mariadb"), "aws_db_instance"),
    (_word("s3|s3-bucket|bucket"), "aws_s3_bucket"),
    (_word("elasticache|elasticache-cluster|elasticache-redis|redis|valkey"), "aws_elasticache_replication_group"),
    (_word("dynamodb|dynamodb-cluster|dynamodb-table"), "aws_dynamodb_table"),
    (_word("sqs|sqs-queue"), "aws_sqs_queue"),
    (_word("sns|sns-topic"), "aws_sns_topic"),
    (_word("ecr|ecr-credentials|ecr-repository"), "aws_ecr_repository"),
    (_word("opensearch|elasticsearch"), "aws_opensearch_domain"),
    (_word("irsa|iam|iam-role|iam-user"), "aws_iam_role"),
    (_word("serviceaccount|service-account"), "kubernetes_service_account"),
    (_word("eks|eks-cluster"), "aws_eks_cluster"),
    (_word("wafv2|waf"), "aws_wafv2_web_acl"),
    (_word("security-group"), "aws_security_group"),
    (_word("alb|nlb|elb|lb|load-balancer"), "aws_lb"),
    (_word("kms|kms-key"), "aws_kms_key"),
    (_word("secrets-manager|secretsmanager"), "aws_secretsmanager_secret"),
    (_word("efs"), "aws_efs_file_system"),
    (_word("msk|kafka"), "aws_msk_cluster"),
    (_word("kinesis|kinesis-stream"), "aws_kinesis_stream"),
    (_word("cognito|cognito-user-pool"), "aws_cognito_user_pool"),
    (_word("cloudfront|cdn"), "aws_cloudfront_distribution"),
    (_word("route53-zone|route53-zones|route53|zones"), "aws_route53_zone"),
    (_word("cloudtrail"), "aws_cloudtrail"),
    (_word("lambda|lambda-function"), "aws_lambda_function"),
    (_word("ec2-instance|bastion"), "aws_instance"),
    (_word("autoscaling|asg"), "aws_autoscaling_group"),
    (_word("acm"), "aws_acm_certificate"),
    (_word("vpc-endpoints?"), "aws_vpc_endpoint"),
    (_word("vpc"), "aws_vpc"),
    (_word("sql-db|cloud-sql|cloudsql"), "google_sql_database_instance"),
    (_word("cloud-storage|gcs"), "google_storage_bucket"),
    (_word("kubernetes-engine|gke"), "google_container_cluster"),
)

_PREFIXES: Mapping[str, tuple[str, ...]] = {
    "aws_db_instance": ("db_", "rds_", "instance_db_"),
    "aws_rds_cluster": ("db_", "cluster_db_"),
    "aws_elasticache_replication_group": ("redis_", "elasticache_"),
    "aws_sqs_queue": ("sqs_", "queue_"),
    "aws_sns_topic": ("sns_", "topic_"),
    "aws_ecr_repository": ("ecr_", "repository_"),
    "aws_dynamodb_table": ("dynamodb_", "table_"),
    "aws_s3_bucket": ("s3_",),
    "aws_opensearch_domain": ("opensearch_", "elasticsearch_"),
}
_KEPT = frozenset(
    {"db_name", "db_parameter", "db_subnet_group_name", "db_instance_identifier", "db_cluster_identifier"}
)
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "aws_db_instance": {
        "rds_name": "identifier",
        "db_instance_identifier": "identifier",
        "db_parameters": "db_parameter",
        "rds_family": "family",
        "db_username": "username",
    },
    "aws_rds_cluster": {"name": "cluster_identifier"},
    "aws_elasticache_replication_group": {
        "number_cache_clusters": "num_cache_clusters",
        "number_cache_nodes": "num_cache_clusters",
    },
    "aws_sqs_queue": {"sqs_name": "name", "encrypt_sqs_kms": "encrypt_sqs_kms"},
    "aws_sns_topic": {"topic_display_name": "display_name"},
    "aws_ecr_repository": {"repo_name": "name", "repository_name": "name"},
    "aws_s3_bucket": {"bucket_name": "bucket", "enable_versioning": "versioning"},
    "aws_eks_cluster": {
        "cluster_name": "name",
        "cluster_version": "version",
        "cluster_endpoint_public_access": "endpoint_public_access",
        "cluster_endpoint_private_access": "endpoint_private_access",
        "cluster_endpoint_public_access_cidrs": "public_access_cidrs",
        "endpoint_public_access_cidrs": "public_access_cidrs",
        "cluster_enabled_log_types": "enabled_cluster_log_types",
        "enabled_log_types": "enabled_cluster_log_types",
        "kubernetes_version": "version",
    },
}
