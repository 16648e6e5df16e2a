"""Where Terraform gives the same thing another shape: rules of groups, listeners, keys of tables, containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from tidegate.infra.cloudformation.names import snake
from tidegate.infra.cloudformation.spelling import plain
from tidegate.infra.same import items
from tidegate.infra.values import Later, Value

Properties: TypeAlias = Mapping[str, Value]


def groups(name: str, properties: Properties) -> dict[str, Value]:
    """One rule of a security group, `name` is "Ingress" or "Egress"."""
    peer = "Source" if name == "Ingress" else "Destination"

    def listed(*keys: str) -> list[Value]:
        return [found for key in keys if (found := properties.get(key)) is not None]

    protocol = str(properties.get("IpProtocol", "-1"))
    whole = protocol == "-1"
    return {
        "from_port": 0 if whole else properties.get("FromPort"),
        "to_port": 0 if whole else properties.get("ToPort"),
        "protocol": protocol,
        "cidr_blocks": listed("CidrIp"),
        "ipv6_cidr_blocks": listed("CidrIpv6"),
        "prefix_list_ids": listed(f"{peer}PrefixListId"),
        "security_groups": listed(f"{peer}SecurityGroupId", f"{peer}SecurityGroupName"),
        "description": properties.get("Description", ""),
        "self": False,
    }


# Private


def _maps(value: Value) -> Iterator[Mapping[str, Any]]:
    return (one for one in items(value) if isinstance(one, Mapping))


def _map(value: Value) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _blocks(value: Value) -> Value:
    return value if isinstance(value, Later) else [plain("", one) for one in _maps(value)]


def _attributes(value: Value) -> dict[str, Value]:
    """`[{Key, Value}]` of a load balancer or target group."""
    return {str(one.get("Key")): one.get("Value") for one in _maps(value)}


def _security_group(own: Properties) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for side, target in (("Ingress", "ingress"), ("Egress", "egress")):
        rules = own.get(f"SecurityGroup{side}")
        if isinstance(rules, Later):
            found[target] = rules
        elif rules is not None:
            found[target] = [groups(side, one) if isinstance(one, Mapping) else one for one in items(rules)]
        elif side == "Egress":
            found[target] = [groups(side, {"CidrIp": "0.0.0.0/0"})]
        else:
            found[target] = []
    return found


def _security_group_rule(own: Properties) -> dict[str, Value]:
    egress = any(key.startswith("Destination") for key in own)
    rule = groups("Egress" if egress else "Ingress", own)
    sources = rule.pop("security_groups")
    return {
        **rule,
        "type": "egress" if egress else "ingress",
        "source_security_group_id": sources[0] if sources else None,
    }


def _lb(own: Properties) -> dict[str, Value]:
    settings = _attributes(own.get("LoadBalancerAttributes"))
    return {
        "internal": str(own.get("Scheme", "internet-facing")) == "internal",
        "load_balancer_type": own.get("Type", "application"),
        "enable_deletion_protection": settings.get("deletion_protection.enabled"),
        "idle_timeout": settings.get("idle_timeout.timeout_seconds"),
        "access_logs": {"enabled": settings["access_logs.s3.enabled"], "bucket": settings.get("access_logs.s3.bucket")}
        if "access_logs.s3.enabled" in settings
        else None,
    }


def _elb(own: Properties) -> dict[str, Value]:
    names = {
        "LoadBalancerPort": "lb_port",
        "InstancePort": "instance_port",
        "Protocol": "lb_protocol",
        "InstanceProtocol": "instance_protocol",
        "SSLCertificateId": "ssl_certificate_id",
    }
    listeners = [
        {names.get(key, snake(key)): value for key, value in one.items()} for one in _maps(own.get("Listeners"))
    ]
    return {"internal": str(own.get("Scheme", "internet-facing")) == "internal", "listener": listeners}


def _actions(value: Value) -> Value:
    if isinstance(value, Later):
        return value
    found = []
    for one in _maps(value):
        action = {snake(key.removesuffix("Config")): plain(key, inner) for key, inner in one.items()}
        targets = _map(one.get("ForwardConfig")).get("TargetGroups")
        if "target_group_arn" not in action and len(items(targets)) == 1:
            action["target_group_arn"] = _map(items(targets)[0]).get("TargetGroupArn")
        found.append(action)
    return found


def _listener(own: Properties) -> dict[str, Value]:
    certificates = [one.get("CertificateArn") for one in _maps(own.get("Certificates"))]
    return {
        "default_action": _actions(own.get("DefaultActions")),
        "certificate_arn": certificates[0] if certificates else None,
    }


def _target_group(own: Properties) -> dict[str, Value]:
    names = {
        "HealthCheckEnabled": "enabled",
        "HealthCheckPath": "path",
        "HealthCheckPort": "port",
        "HealthCheckProtocol": "protocol",
        "HealthCheckIntervalSeconds": "interval",
        "HealthCheckTimeoutSeconds": "timeout",
        "HealthyThresholdCount": "healthy_threshold",
        "UnhealthyThresholdCount": "unhealthy_threshold",
    }
    check = {target: own[key] for key, target in names.items() if key in own}
    matcher = _map(own.get("Matcher"))
    if matcher:
        check["matcher"] = matcher.get("HttpCode", matcher.get("GrpcCode"))
    settings = _attributes(own.get("TargetGroupAttributes"))
    return {
        "health_check": check or None,
        "deregistration_delay": settings.get("deregistration_delay.timeout_seconds"),
        **{snake(key): None for key in (*names, "Matcher")},
    }


def _dynamodb(own: Properties) -> dict[str, Value]:
    keys = {str(one.get("KeyType")): one.get("AttributeName") for one in _maps(own.get("KeySchema"))}
    recovery = _map(own.get("PointInTimeRecoverySpecification"))
    ttl, sse = _map(own.get("TimeToLiveSpecification")), _map(own.get("SSESpecification"))
    capacity = _map(own.get("ProvisionedThroughput"))
    return {
        "hash_key": keys.get("HASH"),
        "range_key": keys.get("RANGE"),
        "key_schema": None,
        "attribute": [
            {"name": one.get("AttributeName"), "type": one.get("AttributeType")}
            for one in _maps(own.get("AttributeDefinitions"))
        ],
        "point_in_time_recovery": {"enabled": recovery.get("PointInTimeRecoveryEnabled")} if recovery else None,
        "ttl": {"enabled": ttl.get("Enabled"), "attribute_name": ttl.get("AttributeName")} if ttl else None,
        "server_side_encryption": {"enabled": sse.get("SSEEnabled"), "kms_key_arn": sse.get("KMSMasterKeyId")}
        if sse
        else None,
        "read_capacity": capacity.get("ReadCapacityUnits"),
        "write_capacity": capacity.get("WriteCapacityUnits"),
    }


def _bucket(own: Properties) -> dict[str, Value]:
    acl = own.get("AccessControl")
    apart = (
        *"versioning_configuration public_access_block_configuration lifecycle_configuration bucket_encryption".split(),
        *"website_configuration logging_configuration replication_configuration ownership_controls".split(),
    )
    return {
        **dict.fromkeys(apart),
        "acl": snake(acl).replace("_", "-") if isinstance(acl, str) else acl,
        "force_destroy": False,
    }


def _role(own: Properties) -> dict[str, Value]:
    inline = [
        {"name": one.get("PolicyName"), "policy": one.get("PolicyDocument")} for one in _maps(own.get("Policies"))
    ]
    return {"inline_policy": inline or None}


def _role_policy(own: Properties) -> dict[str, Value]:
    for key, target in (("Roles", "role"), ("Users", "user"), ("Groups", "group")):
        if found := items(own.get(key)):
            return {target: found[0], snake(key): list(found) if len(found) > 1 else None}
    return {}


def _ecs_service(own: Properties) -> dict[str, Value]:
    deployment = _map(own.get("DeploymentConfiguration"))
    network = _map(_map(own.get("NetworkConfiguration")).get("AwsvpcConfiguration"))
    replica = own.get("SchedulingStrategy", "REPLICA") == "REPLICA"
    return {
        "desired_count": own.get("DesiredCount", 1 if replica else None),
        "deployment_minimum_healthy_percent": deployment.get("MinimumHealthyPercent"),
        "deployment_maximum_percent": deployment.get("MaximumPercent"),
        "network_configuration": {
            "subnets": network.get("Subnets"),
            "security_groups": network.get("SecurityGroups"),
            "assign_public_ip": network.get("AssignPublicIp") == "ENABLED",
        }
        if network
        else None,
    }


def _containers(own: Properties) -> dict[str, Value]:
    def camel(value: Value) -> Value:
        if isinstance(value, Mapping):
            return {key[:1].lower() + key[1:]: camel(inner) for key, inner in value.items()}
        return [camel(one) for one in value] if isinstance(value, list) else value

    return {"container_definitions": camel(own.get("ContainerDefinitions"))}


def _record(own: Properties) -> dict[str, Value]:
    alias = own.get("AliasTarget")
    name = own.get("Name")
    return {
        "name": name.rstrip(".") if isinstance(name, str) else name,
        "alias": {"name": alias.get("DNSName"), "zone_id": alias.get("HostedZoneId")}
        if isinstance(alias, Mapping)
        else alias,
    }


def _parameters(own: Properties) -> dict[str, Value]:
    found = own.get("Parameters")
    if not isinstance(found, Mapping):
        return {"parameter": found, "parameters": None}
    return {"parameter": [{"name": name, "value": value} for name, value in found.items()], "parameters": None}


def _eks(own: Properties) -> dict[str, Value]:
    enabled = _map(_map(own.get("Logging")).get("ClusterLogging")).get("EnabledTypes")
    return {"enabled_cluster_log_types": [one.get("Type") for one in _maps(enabled)] or None}


def _acl_rule(own: Properties) -> dict[str, Value]:
    ports = _map(own.get("PortRange"))
    return {"from_port": ports.get("From"), "to_port": ports.get("To"), "egress": own.get("Egress", False)}


def _launch_template(own: Properties) -> dict[str, Value]:
    return {"vpc_security_group_ids": own.get("SecurityGroupIds"), "security_group_ids": None}


def _distribution(own: Properties) -> dict[str, Value]:
    origins = [{**plain("", one), "origin_id": one.get("Id")} for one in _maps(own.get("Origins"))]
    return {
        "origin": origins,
        "origins": None,
        "ordered_cache_behavior": _blocks(own.get("CacheBehaviors")),
        "web_acl_id": own.get("WebACLId"),
    }


def _backup_plan(own: Properties) -> dict[str, Value]:
    rules = []
    for one in _maps(own.get("BackupPlanRule")):
        life = _map(one.get("Lifecycle"))
        lifecycle = {
            "delete_after": life.get("DeleteAfterDays"),
            "cold_storage_after": life.get("MoveToColdStorageAfterDays"),
        }
        rule = {**plain("", one), "target_vault_name": one.get("TargetBackupVault"), "lifecycle": lifecycle}
        rules.append({**rule, "schedule": one.get("ScheduleExpression")})
    return {"name": own.get("BackupPlanName"), "rule": rules}


def _instance(own: Properties) -> dict[str, Value]:
    root, disks = None, []
    for one in _maps(own.get("BlockDeviceMappings")):
        disk = {"device_name": one.get("DeviceName"), **_map(plain("", one.get("Ebs")))}
        if one.get("DeviceName") in ("/dev/xvda", "/dev/sda1", "/dev/sda"):
            root = disk
        elif one.get("Ebs") is not None:
            disks.append(disk)
    return {"root_block_device": root, "ebs_block_device": disks or None, "block_device_mappings": None}


SHAPES: Mapping[str, Callable[[Properties], dict[str, Value]]] = {
    "aws_security_group": _security_group,
    "aws_security_group_rule": _security_group_rule,
    "aws_lb": _lb,
    "aws_elb": _elb,
    "aws_lb_listener": _listener,
    "aws_lb_listener_rule": lambda own: {
        "action": _actions(own.get("Actions")),
        "condition": _blocks(own.get("Conditions")),
    },
    "aws_lb_target_group": _target_group,
    "aws_dynamodb_table": _dynamodb,
    "aws_s3_bucket": _bucket,
    "aws_iam_role": _role,
    "aws_iam_user": _role,
    "aws_iam_group": _role,
    "aws_iam_role_policy": _role_policy,
    "aws_iam_user_policy": _role_policy,
    "aws_iam_group_policy": _role_policy,
    "aws_ecs_service": _ecs_service,
    "aws_ecs_task_definition": _containers,
    "aws_route53_record": _record,
    "aws_db_parameter_group": _parameters,
    "aws_rds_cluster_parameter_group": _parameters,
    "aws_docdb_cluster_parameter_group": _parameters,
    "aws_elasticache_parameter_group": lambda own: {
        "parameter": _parameters({"Parameters": own.get("Properties")})["parameter"]
    },
    "aws_eks_cluster": _eks,
    "aws_network_acl_rule": _acl_rule,
    "aws_launch_template": _launch_template,
    "aws_cloudfront_distribution": _distribution,
    "aws_backup_plan": _backup_plan,
    "aws_instance": _instance,
    "aws_kms_key": lambda own: {"is_enabled": own.get("Enabled", True)},
    "aws_sns_topic_policy": lambda own: {"arn": next(iter(items(own.get("Topics"))), None)},
    "aws_sqs_queue_policy": lambda own: {"queue_url": next(iter(items(own.get("Queues"))), None)},
    "aws_cloudtrail": lambda own: {"enable_logging": own.get("IsLogging", True)},
}
"""By Terraform's type: what its flattened properties come to beside their spelling; None takes an attribute away."""
