"""Which attribute of which resource makes a flow, and which way it goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["in", "feeds"]


class Link(NamedTuple):
    """Attributes of a resource that name its neighbour: `sends` to it, or gets from it."""

    kind: Kind
    sends: bool
    attributes: tuple[str, ...]


def _to(*attributes: str) -> Link:
    return Link("in", True, attributes)


def _from(*attributes: str) -> Link:
    return Link("in", False, attributes)


def _work_to(*attributes: str) -> Link:
    return Link("feeds", True, attributes)


def _work_from(*attributes: str) -> Link:
    return Link("feeds", False, attributes)


RECORDS: Mapping[str, tuple[str, ...]] = {
    "aws_route53_record": ("records", "alias.name"),
    "google_dns_record_set": ("rrdatas",),
    "azurerm_dns_a_record": ("records", "target_resource_id"),
    "azurerm_dns_aaaa_record": ("records", "target_resource_id"),
    "azurerm_dns_cname_record": ("record", "target_resource_id"),
    "azurerm_private_dns_a_record": ("records",),
    "azurerm_private_dns_cname_record": ("record",),
    "cloudflare_record": ("content", "value"),
    "cloudflare_dns_record": ("content",),
}
"""Records of names, and the attributes that say where they point."""

BALANCERS = frozenset({"aws_lb", "aws_alb", "aws_elb"})
LISTENERS = frozenset({"aws_lb_listener", "aws_alb_listener"})
TARGET_GROUPS = frozenset({"aws_lb_target_group", "aws_alb_target_group"})
GROUPS = frozenset({"aws_security_group", "aws_default_security_group"})

_FORWARDING = (_to("target", "backend_service"), _from("ip_address"))
_PROXY = (_to("url_map", "backend_service"),)
_MAP = (_to("default_service", "service"),)
_BACKEND = (_to("backend.group", "cloud_run.service", "cloud_function.function"),)
_LISTENER = (_from("load_balancer_arn"), _to("target_group_arn", "default_target_group_arn", "target_group.arn"))
_RULE = (_from("listener_arn"), _to("target_group_arn", "target_group.arn"))
_ATTACHMENT = (_from("target_group_arn"), _to("target_id"))

LINKS: Mapping[str, tuple[Link, ...]] = {
    **{type_: (_to(*attributes),) for type_, attributes in RECORDS.items()},
    "aws_lb_listener": _LISTENER,
    "aws_alb_listener": _LISTENER,
    "aws_lb_listener_rule": _RULE,
    "aws_alb_listener_rule": _RULE,
    "aws_lb_target_group_attachment": _ATTACHMENT,
    "aws_alb_target_group_attachment": _ATTACHMENT,
    "aws_elb": (_to("instances"),),
    "aws_elb_attachment": (_from("elb"), _to("instance")),
    "aws_autoscaling_group": (_from("target_group_arns", "load_balancers"),),
    "aws_autoscaling_attachment": (
        _from("lb_target_group_arn", "alb_target_group_arn", "elb"),
        _to("autoscaling_group_name"),
    ),
    "aws_ecs_service": (_from("target_group_arn", "elb_name"),),
    "aws_eip": (_to("instance", "network_interface"),),
    "aws_eip_association": (_from("allocation_id", "public_ip"), _to("instance_id", "network_interface_id")),
    "aws_cloudfront_distribution": (_to("origin.domain_name"),),
    "aws_globalaccelerator_listener": (_from("accelerator_arn"),),
    "aws_globalaccelerator_endpoint_group": (_from("listener_arn"), _to("endpoint_id")),
    "aws_api_gateway_stage": (_to("rest_api_id"),),
    "aws_api_gateway_base_path_mapping": (_from("domain_name"), _to("api_id")),
    "aws_api_gateway_integration": (_from("rest_api_id"), _to("uri")),
    "aws_apigatewayv2_stage": (_to("api_id"),),
    "aws_apigatewayv2_api_mapping": (_from("domain_name"), _to("api_id")),
    "aws_apigatewayv2_integration": (_from("api_id"), _to("integration_uri")),
    "aws_lambda_function_url": (_to("function_name"),),
    "aws_lambda_event_source_mapping": (_work_from("event_source_arn"), _work_to("function_name", "function_arn")),
    "aws_cloudwatch_event_target": (_work_from("rule"), _work_to("arn", "task_definition_arn")),
    "aws_scheduler_schedule": (_work_to("target.arn", "task_definition_arn"),),
    "aws_sns_topic_subscription": (_work_from("topic_arn"), _work_to("endpoint")),
    "aws_s3_bucket_notification": (
        _work_from("bucket"),
        _work_to("lambda_function_arn", "queue_arn", "topic_arn"),
    ),
    "aws_pipes_pipe": (_work_from("source"), _work_to("target")),
    "google_compute_forwarding_rule": _FORWARDING,
    "google_compute_global_forwarding_rule": _FORWARDING,
    "google_compute_target_http_proxy": _PROXY,
    "google_compute_target_https_proxy": _PROXY,
    "google_compute_region_target_http_proxy": _PROXY,
    "google_compute_region_target_https_proxy": _PROXY,
    "google_compute_target_tcp_proxy": _PROXY,
    "google_compute_target_ssl_proxy": _PROXY,
    "google_compute_url_map": _MAP,
    "google_compute_region_url_map": _MAP,
    "google_compute_backend_service": _BACKEND,
    "google_compute_region_backend_service": _BACKEND,
    "google_compute_region_network_endpoint_group": _BACKEND,
    "google_pubsub_subscription": (_work_from("topic"), _work_to("push_endpoint")),
    "google_cloud_scheduler_job": (_work_to("uri", "topic_name"),),
    "azurerm_lb": (_from("public_ip_address_id"),),
    "azurerm_lb_rule": (_from("loadbalancer_id"), _to("backend_address_pool_ids", "backend_address_pool_id")),
    "azurerm_network_interface_backend_address_pool_association": (
        _from("backend_address_pool_id"),
        _to("network_interface_id"),
    ),
    "azurerm_linux_virtual_machine": (_from("network_interface_ids"),),
    "azurerm_windows_virtual_machine": (_from("network_interface_ids"),),
    "azurerm_linux_virtual_machine_scale_set": (_from("load_balancer_backend_address_pool_ids"),),
    "azurerm_application_gateway": (_from("public_ip_address_id"), _to("fqdns", "ip_addresses")),
    "azurerm_cdn_frontdoor_route": (_from("cdn_frontdoor_endpoint_id"), _to("cdn_frontdoor_origin_group_id")),
    "azurerm_cdn_frontdoor_origin": (_from("cdn_frontdoor_origin_group_id"), _to("host_name")),
}

WORKLOADS = frozenset({
    "aws_ecs_service", "aws_autoscaling_group", "aws_instance", "aws_lambda_function", "aws_lambda_alias",
    "aws_eks_cluster", "aws_eks_node_group", "aws_apprunner_service", "aws_elastic_beanstalk_environment",
    "aws_ecs_task_set", "aws_spot_instance_request", "aws_s3_bucket", "aws_network_interface",
    "google_compute_instance", "google_compute_instance_group", "google_compute_instance_group_manager",
    "google_compute_region_instance_group_manager", "google_cloud_run_service", "google_cloud_run_v2_service",
    "google_cloudfunctions_function", "google_cloudfunctions2_function", "google_app_engine_standard_app_version",
    "google_container_cluster", "google_compute_backend_bucket", "google_storage_bucket",
    "azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine", "azurerm_linux_virtual_machine_scale_set",
    "azurerm_windows_virtual_machine_scale_set", "azurerm_linux_web_app", "azurerm_windows_web_app",
    "azurerm_linux_function_app", "azurerm_windows_function_app", "azurerm_container_app", "azurerm_container_group",
    "azurerm_kubernetes_cluster", "azurerm_storage_account", "aws_elasticsearch_domain", "aws_opensearch_domain",
})  # fmt: skip
"""Where a path ends: what answers."""

STORES: Mapping[str, int] = {
    "aws_db_instance": 0, "aws_rds_cluster": 0, "aws_rds_cluster_instance": 0, "aws_db_proxy": 0,
    "aws_docdb_cluster": 27017, "aws_neptune_cluster": 8182, "aws_redshift_cluster": 5439,
    "aws_elasticache_cluster": 6379, "aws_elasticache_replication_group": 6379, "aws_memorydb_cluster": 6379,
    "aws_elasticache_serverless_cache": 6379, "aws_opensearch_domain": 443, "aws_elasticsearch_domain": 443,
    "aws_mq_broker": 5671, "aws_msk_cluster": 9094, "aws_efs_mount_target": 2049, "aws_efs_file_system": 2049,
    "google_sql_database_instance": 0, "google_redis_instance": 6379, "google_alloydb_cluster": 5432,
    "azurerm_postgresql_flexible_server": 5432, "azurerm_postgresql_server": 5432,
    "azurerm_mysql_flexible_server": 3306, "azurerm_mssql_server": 1433,
    "azurerm_redis_cache": 6380, "azurerm_cosmosdb_account": 443,
}  # fmt: skip
"""Databases and caches that services call, and the port they answer on unless they say another; 0 asks the engine."""

ENGINES: Mapping[str, int] = {
    "postgres": 5432, "aurora-postgresql": 5432, "mysql": 3306, "mariadb": 3306, "aurora-mysql": 3306, "aurora": 3306,
    "sqlserver": 1433, "oracle": 1521, "redis": 6379, "valkey": 6379, "memcached": 11211, "docdb": 27017,
}  # fmt: skip
