"""Which resources of Terraform are services, and what their attributes say of them: names, owners, tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.operate.environment.statements import Exists, Matters, Owns, Statement
from tidegate.operate.environment.values import Said, ServiceKind

SERVICES: Mapping[str, tuple[ServiceKind, str]] = {
    "aws_ecs_service": ("service", "name"),
    "aws_lambda_function": ("function", "function_name"),
    "aws_apprunner_service": ("service", "service_name"),
    "aws_elastic_beanstalk_environment": ("service", "name"),
    "aws_lightsail_container_service": ("service", "name"),
    "google_cloud_run_service": ("service", "name"),
    "google_cloud_run_v2_service": ("service", "name"),
    "google_cloud_run_v2_job": ("job", "name"),
    "google_cloudfunctions_function": ("function", "name"),
    "google_cloudfunctions2_function": ("function", "name"),
    "google_app_engine_standard_app_version": ("service", "service"),
    "google_app_engine_flexible_app_version": ("service", "service"),
    "azurerm_container_app": ("service", "name"),
    "azurerm_linux_web_app": ("service", "name"),
    "azurerm_windows_web_app": ("service", "name"),
    "azurerm_app_service": ("service", "name"),
    "azurerm_function_app": ("function", "name"),
    "azurerm_linux_function_app": ("function", "name"),
    "azurerm_windows_function_app": ("function", "name"),
    "kubernetes_deployment": ("service", "metadata.name"),
    "kubernetes_deployment_v1": ("service", "metadata.name"),
    "kubernetes_stateful_set": ("service", "metadata.name"),
    "kubernetes_stateful_set_v1": ("service", "metadata.name"),
    "kubernetes_daemonset": ("service", "metadata.name"),
    "kubernetes_daemon_set_v1": ("service", "metadata.name"),
    "kubernetes_cron_job": ("job", "metadata.name"),
    "kubernetes_cron_job_v1": ("job", "metadata.name"),
    "kubernetes_job": ("job", "metadata.name"),
    "kubernetes_job_v1": ("job", "metadata.name"),
    "nomad_job": ("service", "name"),
    "heroku_app": ("service", "name"),
    "fly_app": ("service", "name"),
}
"""What runs code, and which attribute names it."""

_TAGS = ("tags", "labels", "resource_labels")
_OWNERS = ("owner", "team", "owned_by", "ownedby", "squad")
_TIERS = ("tier", "criticality", "service_tier", "importance")


def statements_of(type_: str, values: Mapping[str, Any], said: Said) -> Iterator[Statement]:
    """What one resource says; nothing where it is no service or has a name that is not settled."""
    kind, attribute = SERVICES.get(type_, (None, ""))
    name = _at(values, attribute) if kind else ""
    if not kind or not name:
        return
    yield Exists(service=name, kind=kind, said=said)
    tags = {key.lower().replace("-", "_"): value for key, value in _tags(values)}
    owner = next((tags[key] for key in _OWNERS if tags.get(key)), "")
    tier = next((tags[key] for key in _TIERS if tags.get(key)), "")
    if owner:
        yield Owns(service=name, owners=(owner,), said=said)
    if tier:
        yield Matters(service=name, tier=tier.lower(), said=said)


def is_unnamed(type_: str, values: Mapping[str, Any]) -> bool:
    """Whether it is a service whose name is not settled."""
    return type_ in SERVICES and not _at(values, SERVICES[type_][1])


# Private


def _at(values: Mapping[str, Any], path: str) -> str:
    found: Any = values
    for part in path.split("."):
        if isinstance(found, list):
            found = found[0] if found else None
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _tags(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    blocks = [values.get(name) for name in _TAGS]
    metadata = values.get("metadata")
    inner = metadata[0] if isinstance(metadata, list) and metadata else metadata
    blocks += [inner.get(name) for name in ("labels", "annotations")] if isinstance(inner, Mapping) else []
    for block in blocks:
        if isinstance(block, Mapping):
            yield from ((str(key).rpartition("/")[2], value) for key, value in block.items() if isinstance(value, str))
