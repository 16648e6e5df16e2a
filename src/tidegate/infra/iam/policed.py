"""Which things of AWS have a policy of their own, and where they keep it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Severity
from tidegate.infra.iam.documents import Document, Words
from tidegate.infra.values import Later, ResourceChange, Value


class Policed(Struct, frozen=True):
    """Where a type has its policy, what people call the thing, and how grave it is that everybody may use it."""

    attribute: str
    noun: str
    everybody: Severity = "high"


POLICED: Mapping[str, Policed] = {
    "aws_s3_bucket_policy": Policed("policy", "bucket", "critical"),
    "aws_s3_bucket": Policed("policy", "bucket", "critical"),
    "aws_s3_access_point": Policed("policy", "access point", "critical"),
    "aws_s3control_access_point_policy": Policed("policy", "access point", "critical"),
    "aws_s3tables_table_bucket_policy": Policed("resource_policy", "table bucket", "critical"),
    "aws_sqs_queue_policy": Policed("policy", "queue"),
    "aws_sqs_queue": Policed("policy", "queue"),
    "aws_sns_topic_policy": Policed("policy", "topic"),
    "aws_sns_topic": Policed("policy", "topic"),
    "aws_kms_key": Policed("policy", "key", "critical"),
    "aws_kms_key_policy": Policed("policy", "key", "critical"),
    "aws_kms_external_key": Policed("policy", "key", "critical"),
    "aws_secretsmanager_secret_policy": Policed("policy", "secret", "critical"),
    "aws_secretsmanager_secret": Policed("policy", "secret", "critical"),
    "aws_ecr_repository_policy": Policed("policy", "image repository"),
    "aws_ecr_registry_policy": Policed("policy", "image registry"),
    "aws_lambda_permission": Policed("", "function"),
    "aws_lambda_layer_version_permission": Policed("", "layer", "medium"),
    "aws_efs_file_system_policy": Policed("policy", "file system"),
    "aws_dynamodb_resource_policy": Policed("policy", "table", "critical"),
    "aws_kinesis_resource_policy": Policed("policy", "stream"),
    "aws_opensearch_domain": Policed("access_policies", "search domain", "critical"),
    "aws_opensearch_domain_policy": Policed("access_policies", "search domain", "critical"),
    "aws_elasticsearch_domain": Policed("access_policies", "search domain", "critical"),
    "aws_elasticsearch_domain_policy": Policed("access_policies", "search domain", "critical"),
    "aws_backup_vault_policy": Policed("policy", "backup vault", "critical"),
    "aws_glacier_vault": Policed("access_policy", "vault", "critical"),
    "aws_api_gateway_rest_api": Policed("policy", "API"),
    "aws_api_gateway_rest_api_policy": Policed("policy", "API"),
    "aws_cloudwatch_event_bus_policy": Policed("policy", "event bus"),
    "aws_cloudwatch_log_resource_policy": Policed("policy_document", "logs"),
    "aws_cloudwatch_log_destination_policy": Policed("access_policy", "log destination"),
    "aws_glue_resource_policy": Policed("policy", "data catalogue", "critical"),
    "aws_codeartifact_domain_permissions_policy": Policed("policy_document", "package domain"),
    "aws_codeartifact_repository_permissions_policy": Policed("policy_document", "package repository"),
    "aws_ses_identity_policy": Policed("policy", "mail identity"),
    "aws_sesv2_email_identity_policy": Policed("policy", "mail identity"),
    "aws_media_store_container_policy": Policed("policy", "container", "critical"),
    "aws_msk_cluster_policy": Policed("policy", "cluster", "critical"),
    "aws_redshift_resource_policy": Policed("policy", "warehouse", "critical"),
    "aws_acmpca_policy": Policed("policy", "certificate authority"),
    "aws_vpc_endpoint": Policed("policy", "endpoint", "medium"),
    "aws_vpc_endpoint_policy": Policed("policy", "endpoint", "medium"),
    "aws_organizations_policy": Policed("content", "organisation", "medium"),
}  # fmt: skip


def policy_of(policed: Policed, values: Mapping[str, Value] | None) -> Value:
    """The policy document in these values, None where there is none."""
    if values is None:
        return None
    return values.get(policed.attribute) if policed.attribute else _permission(values)


def target(change: ResourceChange, words: Words) -> tuple[str, str]:
    """What a policy is of, so that one that is taken away here and set there is known to be the same."""
    values = change.after or change.before or {}
    for key in _KEYS if POLICED[change.type].attribute else ():
        value = values.get(key)
        if isinstance(value, Later) and value.words:
            return change.type, words.told(value.words if "${" in value.words else f"${{{value.words}}}")
        if isinstance(value, str) and value:
            return change.type, words.told(value)
    return change.type, change.address


def of_thing(document: Document, noun: str) -> Document:
    """A document whose resources are told from the thing on, where it can speak of that thing only: `it/index`.

    The ARN of a thing may be spelled in many ways, and all of them are the thing.
    """
    if noun in _OF_MORE:
        return document
    told = [
        replace(one, resources=tuple(sorted({_within(name) for name in one.resources}))) for one in document.statements
    ]
    return Document(tuple(told), document.unread)


# Private

_KEYS = (
    "bucket", "queue_url", "key_id", "secret_arn", "repository", "function_name", "domain_name", "rest_api_id",
    "file_system_id", "resource_arn", "event_bus_name", "vpc_endpoint_id", "backup_vault_name", "arn",
)  # fmt: skip
_OF_MORE = ("bucket", "access point", "logs", "data catalogue", "event bus", "endpoint", "organisation", "API")
_EXPRESSION = re.compile(r"\$\{[^{}]*\}")


def _within(resource: str) -> str:
    if first := _EXPRESSION.match(resource):
        return f"it{resource[first.end() :]}"
    if not resource.startswith("arn:") or resource.count(":") < 5 or "*" in resource.split("/", 1)[0]:
        return resource
    rest = resource.split("/")
    kept = rest[1:] if rest[0].count(":") > 5 else rest[2:]
    return "/".join(["it", *kept])


def _permission(values: Mapping[str, Value]) -> Value:
    """A permission of a function, which is one statement in attributes of its own, as a document."""
    who = values.get("principal")
    service = isinstance(who, str) and who.endswith((".amazonaws.com", ".amazon.com"))
    terms: dict[str, dict[str, Value]] = {}
    keys = (
        ("source_arn", "ArnLike", "aws:SourceArn"),
        ("source_account", "StringEquals", "aws:SourceAccount"),
        ("principal_org_id", "StringEquals", "aws:PrincipalOrgID"),
        ("organization_id", "StringEquals", "aws:PrincipalOrgID"),
        ("function_url_auth_type", "StringEquals", "lambda:FunctionUrlAuthType"),
        ("event_source_token", "StringEquals", "lambda:EventSourceToken"),
    )
    for name, operator, key in keys:
        if values.get(name) not in (None, ""):
            terms.setdefault(operator, {})[key] = values[name]
    return {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service" if service else "AWS": who},
                "Action": values.get("action") or "lambda:InvokeFunction",
                "Resource": values.get("function_name") or values.get("layer_name") or "*",
                "Condition": terms,
            }
        ]
    }
