"""What exists and does not serve: scaled to nothing, switched off."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.infra.same import field, flag, number
from tidegate.infra.values import Value

_ZERO: Mapping[str, tuple[str, ...]] = {
    "aws_ecs_service": ("desired_count",),
    "aws_autoscaling_group": ("max_size", "desired_capacity"),
    "aws_lambda_function": ("reserved_concurrent_executions",),
    "aws_eks_node_group": ("scaling_config.max_size", "scaling_config.desired_size", "max_size", "desired_size"),
    "aws_appautoscaling_target": ("max_capacity",),
    "aws_spot_fleet_request": ("target_capacity",),
    "aws_ec2_fleet": ("target_capacity_specification.total_target_capacity",),
    "google_compute_instance_group_manager": ("target_size",),
    "google_compute_region_instance_group_manager": ("target_size",),
    "google_compute_autoscaler": ("autoscaling_policy.max_replicas",),
    "google_container_node_pool": ("node_count", "autoscaling.max_node_count"),
    "google_cloud_run_v2_service": ("template.scaling.max_instance_count",),
    "azurerm_kubernetes_cluster_node_pool": ("node_count", "max_count"),
    "azurerm_linux_virtual_machine_scale_set": ("instances",),
    "azurerm_windows_virtual_machine_scale_set": ("instances",),
    "azurerm_orchestrated_virtual_machine_scale_set": ("instances",),
    "azurerm_container_app": ("template.max_replicas",),
}
_OFF: Mapping[str, tuple[str, ...]] = {
    "aws_lambda_event_source_mapping": ("enabled",),
    "aws_cloudfront_distribution": ("enabled",),
    "aws_globalaccelerator_accelerator": ("enabled",),
    "aws_cloudwatch_event_rule": ("state", "is_enabled"),
    "aws_scheduler_schedule": ("state",),
    "aws_apigatewayv2_api": ("disabled",),
    "azurerm_linux_web_app": ("enabled",),
    "azurerm_windows_web_app": ("enabled",),
    "azurerm_linux_function_app": ("enabled",),
    "azurerm_windows_function_app": ("enabled",),
    "azurerm_cdn_frontdoor_endpoint": ("enabled",),
    "azurerm_cdn_frontdoor_route": ("enabled",),
}
_STOPPED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "aws_ec2_instance_state": ("state", ("stopped",)),
    "aws_pipes_pipe": ("desired_state", ("stopped",)),
    "google_compute_instance": ("desired_status", ("terminated", "suspended")),
    "google_sql_database_instance": ("settings.activation_policy", ("never",)),
    "google_cloud_scheduler_job": ("paused", ("true",)),
}


def switch(type_: str, values: Mapping[str, Value] | None) -> str:
    """The attribute that keeps a resource from serving, "" where it serves or nobody can tell."""
    if values is None:
        return ""
    for path in _ZERO.get(type_, ()):
        if number(field(values, path)) == 0:
            return path
    for path in _OFF.get(type_, ()):
        if flag(field(values, path)) is (path == "disabled"):
            return path
    path, words = _STOPPED.get(type_, ("", ()))
    return path if path and str(field(values, path)).lower() in words else ""
