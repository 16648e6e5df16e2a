"""What AWS's own managed policies permit, as far as their names are known; written from AWS's managed policy reference.

A policy that is not among them stands as one action of its own, `policy/NAME`: attaching it is seen, and graded by its
name, but what it permits is not read here.
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.facts import Severity
from tidegate.infra.iam.documents import Document, Statement

OPAQUE = "policy/"

_SERVICES: Mapping[str, str] = {
    "AdministratorAccess": "*",
    "IAMFullAccess": "iam:*",
    "AmazonS3FullAccess": "s3:* s3-object-lambda:*",
    "AmazonEC2FullAccess": "ec2:* elasticloadbalancing:* cloudwatch:* autoscaling:*",
    "AmazonVPCFullAccess": "ec2:*Vpc* ec2:*Subnet* ec2:*Route* ec2:*SecurityGroup* ec2:*NetworkAcl* ec2:*Gateway*",
    "AmazonRDSFullAccess": "rds:*",
    "AmazonRDSDataFullAccess": "rds-data:* secretsmanager:GetSecretValue",
    "AmazonDynamoDBFullAccess": "dynamodb:* dax:*",
    "AmazonDynamoDBFullAccess_v2": "dynamodb:* dax:*",
    "AmazonSQSFullAccess": "sqs:*",
    "AmazonSNSFullAccess": "sns:*",
    "AmazonSESFullAccess": "ses:*",
    "AWSLambda_FullAccess": "lambda:*",
    "AmazonECS_FullAccess": "ecs:* ec2:* cloudformation:* application-autoscaling:*",
    "AmazonRoute53FullAccess": "route53:* route53domains:*",
    "CloudWatchFullAccess": "cloudwatch:* logs:* autoscaling:Describe*",
    "CloudWatchFullAccessV2": "cloudwatch:* logs:* autoscaling:Describe*",
    "CloudWatchLogsFullAccess": "logs:*",
    "SecretsManagerReadWrite": "secretsmanager:*",
    "AmazonSSMFullAccess": "ssm:* ec2messages:* ssmmessages:*",
    "AWSCloudTrail_FullAccess": "cloudtrail:*",
    "AWSCloudFormationFullAccess": "cloudformation:*",
    "AWSKeyManagementServicePowerUser": "kms:CreateAlias kms:CreateKey kms:DeleteAlias kms:TagResource",
    "AmazonKinesisFullAccess": "kinesis:*",
    "AmazonKinesisFirehoseFullAccess": "firehose:*",
    "AmazonElastiCacheFullAccess": "elasticache:*",
    "AmazonElasticFileSystemFullAccess": "elasticfilesystem:*",
    "AmazonOpenSearchServiceFullAccess": "es:*",
    "AmazonESFullAccess": "es:*",
    "AmazonRedshiftFullAccess": "redshift:*",
    "AmazonMSKFullAccess": "kafka:*",
    "AmazonEC2ContainerRegistryFullAccess": "ecr:*",
    "AmazonElasticContainerRegistryPublicFullAccess": "ecr-public:*",
    "AmazonEC2ContainerRegistryPowerUser": "ecr:PutImage ecr:InitiateLayerUpload ecr:UploadLayerPart ecr:BatchGetImage",
    "AWSStepFunctionsFullAccess": "states:*",
    "AmazonAPIGatewayAdministrator": "apigateway:*",
    "AmazonCognitoPowerUser": "cognito-identity:* cognito-idp:* cognito-sync:*",
    "AWSBackupFullAccess": "backup:* backup-storage:*",
    "AWSOrganizationsFullAccess": "organizations:*",
    "AWSCodeBuildAdminAccess": "codebuild:*",
    "AWSCodePipeline_FullAccess": "codepipeline:*",
    "AWSGlueConsoleFullAccess": "glue:*",
    "AmazonAthenaFullAccess": "athena:* glue:*",
    "AmazonSageMakerFullAccess": "sagemaker:*",
    "AmazonBedrockFullAccess": "bedrock:*",
    "AmazonEventBridgeFullAccess": "events:* schemas:* scheduler:* pipes:*",
    "AWSWAFFullAccess": "waf:* wafv2:* waf-regional:*",
    "AWSCertificateManagerFullAccess": "acm:*",
    "AmazonS3ReadOnlyAccess": "s3:Get* s3:List* s3:Describe*",
    "AmazonDynamoDBReadOnlyAccess": "dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query dynamodb:Scan",
    "AmazonSSMReadOnlyAccess": "ssm:Describe* ssm:Get* ssm:List*",
    "AWSLambdaBasicExecutionRole": "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
    "AWSXRayDaemonWriteAccess": "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSampling*",
    "AmazonECSTaskExecutionRolePolicy": "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability "
    "ecr:GetDownloadUrlForLayer ecr:BatchGetImage logs:CreateLogStream logs:PutLogEvents",
    "AmazonSSMManagedInstanceCore": "ssm:DescribeAssociation ssm:GetDeployablePatchSnapshotForInstance ssm:GetDocument "
    "ssm:DescribeDocument ssm:GetManifest ssm:ListAssociations "
    "ssm:ListInstanceAssociations ssm:PutInventory ssm:PutComplianceItems ssm:PutConfigurePackageResult "
    "ssm:UpdateAssociationStatus ssm:UpdateInstanceAssociationStatus ssm:UpdateInstanceInformation "
    "ssmmessages:* ec2messages:*",
    "AmazonEC2ContainerRegistryReadOnly": "ecr:Get* ecr:BatchGet* ecr:List* ecr:Describe*",
}  # fmt: skip
_ALL_BUT: Mapping[str, str] = {"PowerUserAccess": "iam:* organizations:* account:*"}
_MILD = ("readonly", "viewonly", "securityaudit", "service-role/", "basicexecution", "workernode", "cni_policy",
         "taskexecution", "managedinstancecore", "cloudwatchagent", "daemonwrite", "pushtocloudwatch",
         "metricswrite", "billing", "supportuser")  # fmt: skip


def attached(arn: str) -> Document:
    """What is permitted by attaching this policy, by its ARN."""
    name = name_of(arn)
    if is_of_aws(arn):
        if name in _SERVICES:
            return _document(_SERVICES[name], not_actions=False)
        if name in _ALL_BUT:
            return _document(_ALL_BUT[name], not_actions=True)
    return Document((Statement(True, (f"{OPAQUE}{arn}",), ("*",), named=(f"{OPAQUE}{arn}",)),))


def is_of_aws(arn: str) -> bool:
    """Whether a policy is AWS's own; a name alone is taken for one."""
    return ":aws:policy/" in arn or not arn.startswith(("arn:", "$"))


def name_of(arn: str) -> str:
    """A policy's name without its path."""
    return arn.rsplit("/", 1)[-1]


def grade_of_name(arn: str) -> Severity | None:
    """How grave it is to attach a policy that is known by its name only."""
    lower = arn.lower()
    if any(word in lower for word in _MILD):
        return None
    if "fullaccess" in lower or "admin" in lower or "poweruser" in lower:
        return "high"
    return "low" if ":aws:policy/" in arn else "medium"


# Private


def _document(actions: str, *, not_actions: bool) -> Document:
    named = tuple(actions.split())
    lower = tuple(one.lower() for one in named)
    return Document((Statement(True, lower, ("*",), not_actions=not_actions, named=named),))
