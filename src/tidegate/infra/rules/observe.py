"""Who still sees what happens: alarms, monitors and logs (observation), trails and flow logs (audit)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import EffectCode, Severity
from tidegate.infra.same import Pair, field, flag, items, number, pair, show
from tidegate.infra.values import Draft, Hidden, Later, ResourceChange, Value, World


def observation(world: World) -> Iterator[Draft]:
    """Alarms that no longer fire or reach nobody, monitors and exports that go."""
    for change in _changed(world):
        if change.type in _ALARMS:
            yield from _alarm(world, change)
        elif change.type in _WATCHERS and change.action == "delete" and not _again(world, change):
            what, severity = _WATCHERS[change.type]
            yield _draft("OBSERV_DOWN", severity, change, f"Deleting {change.address}{_named(change)}: {what}.")
        elif change.action == "update":
            yield from _exports(change)


def audit(world: World) -> Iterator[Draft]:
    """Records of who did what that stop or get holes."""
    for change in _changed(world):
        if change.type in _TRAILS and change.action == "delete" and not _again(world, change):
            what, severity = _TRAILS[change.type]
            yield _draft("AUDIT_OFF", severity, change, f"Deleting {change.address}{_named(change)}: {what}.", _GAP)
        elif change.action in ("update", "replace"):
            yield from _switched(change)
            yield from _fewer(change)


# Private

_GAP = "switch it on again; what happened meanwhile stays unrecorded"
_ABSURD = 10
_ALARMS: Mapping[str, tuple[str, ...]] = {
    "aws_cloudwatch_metric_alarm": ("threshold",),
    "aws_cloudwatch_composite_alarm": (),
    "google_monitoring_alert_policy": ("conditions.condition_threshold.threshold_value",),
    "azurerm_monitor_metric_alert": ("criteria.threshold",),
    "azurerm_monitor_scheduled_query_rules_alert": ("trigger.threshold",),
    "azurerm_monitor_scheduled_query_rules_alert_v2": ("criteria.threshold",),
    "azurerm_monitor_activity_log_alert": (),
    "datadog_monitor": ("monitor_thresholds.critical",),
    "grafana_rule_group": (),
    "newrelic_nrql_alert_condition": ("critical.threshold",),
    "pagerduty_service": (),
}
_ACTIVE = ("actions_enabled", "enabled", "is_enabled")
_RECEIVERS = ("alarm_actions", "notification_channels", "action", "actions", "notify_list")
_COMPARISONS = (
    "comparison_operator", "conditions.condition_threshold.comparison", "criteria.operator", "trigger.operator",
    "critical.operator",
)  # fmt: skip
_PERIODS = (
    "evaluation_periods", "datapoints_to_alarm", "period", "conditions.condition_threshold.duration",
    "window_size", "frequency", "window_duration", "evaluation_frequency",
)  # fmt: skip
_WATCHERS: Mapping[str, tuple[str, Severity]] = {
    "aws_cloudwatch_dashboard": ("people lose this view", "low"),
    "google_monitoring_dashboard": ("people lose this view", "low"),
    "grafana_dashboard": ("people lose this view", "low"),
    "datadog_dashboard": ("people lose this view", "low"),
    "aws_cloudwatch_log_metric_filter": ("the metric and the alarms on it get no data", "medium"),
    "aws_cloudwatch_log_subscription_filter": ("these logs no longer reach who subscribed to them", "medium"),
    "google_logging_metric": ("the metric and the alerts on it get no data", "medium"),
    "google_logging_project_sink": ("these logs are no longer exported", "medium"),
    "google_monitoring_uptime_check_config": ("nobody checks from outside any more", "medium"),
    "google_monitoring_notification_channel": ("alerts no longer reach it", "medium"),
    "azurerm_monitor_action_group": ("alerts no longer reach who is in it", "medium"),
    "azurerm_application_insights": ("traces and metrics of the application are no longer kept", "medium"),
    "azurerm_log_analytics_workspace": ("the logs in it go, and nothing is collected any more", "high"),
    "aws_route53_health_check": ("nobody checks from outside any more, and fail-over that hangs on it stops", "medium"),
    "aws_synthetics_canary": ("nobody checks from outside any more", "medium"),
    "aws_prometheus_rule_group_namespace": ("the alerts in it no longer fire", "medium"),
    "aws_prometheus_workspace": ("the metrics in it are gone", "high"),
    "pagerduty_service": ("nobody is paged by it any more", "high"),
    "datadog_synthetics_test": ("nobody checks from outside any more", "medium"),
}
_TRAILS: Mapping[str, tuple[str, Severity]] = {
    "aws_cloudtrail": ("who did what in the account is no longer recorded", "high"),
    "aws_cloudtrail_event_data_store": ("recorded events can no longer be searched", "high"),
    "aws_flow_log": ("network flows are no longer recorded", "high"),
    "aws_config_configuration_recorder": ("changes of configuration are no longer recorded", "high"),
    "aws_config_configuration_recorder_status": ("changes of configuration are no longer recorded", "high"),
    "aws_config_delivery_channel": ("recorded changes of configuration are no longer delivered", "high"),
    "aws_config_config_rule": ("this rule is no longer checked", "medium"),
    "aws_guardduty_detector": ("nobody looks for attacks any more, and its findings are deleted", "high"),
    "aws_securityhub_account": ("findings are no longer collected", "high"),
    "aws_inspector2_enabler": ("vulnerabilities are no longer looked for", "medium"),
    "aws_macie2_account": ("exposed data is no longer looked for", "medium"),
    "aws_accessanalyzer_analyzer": ("access from outside is no longer looked for", "medium"),
    "aws_s3_bucket_logging": ("access to the bucket is no longer logged", "medium"),
    "aws_wafv2_web_acl_logging_configuration": ("requests that the firewall saw are no longer logged", "medium"),
    "aws_route53_query_log": ("lookups are no longer logged", "medium"),
    "aws_route53_resolver_query_log_config": ("lookups are no longer logged", "medium"),
    "google_project_iam_audit_config": ("access to data is no longer logged", "high"),
    "google_organization_iam_audit_config": ("access to data is no longer logged", "high"),
    "google_folder_iam_audit_config": ("access to data is no longer logged", "high"),
    "google_logging_organization_sink": ("the organisation's logs are no longer exported", "high"),
    "azurerm_monitor_diagnostic_setting": ("its logs are no longer collected", "high"),
    "azurerm_network_watcher_flow_log": ("network flows are no longer recorded", "high"),
    "azurerm_security_center_subscription_pricing": ("attacks are no longer looked for", "high"),
    "azurerm_mssql_server_extended_auditing_policy": ("access to the database is no longer recorded", "high"),
    "azurerm_sentinel_alert_rule_scheduled": ("this rule no longer finds attacks", "medium"),
}
_SWITCHES: Mapping[str, tuple[tuple[str, str, Severity], ...]] = {
    "aws_cloudtrail": (
        ("enable_logging", "nothing is recorded any more", "high"),
        ("is_multi_region_trail", "what happens in other regions is no longer recorded", "high"),
        ("enable_log_file_validation", "changed or deleted log files can no longer be proven", "medium"),
        ("include_global_service_events", "IAM and other global events are no longer recorded", "high"),
    ),
    "aws_guardduty_detector": (("enable", "nobody looks for attacks any more", "high"),),
    "aws_config_configuration_recorder_status": (
        ("is_enabled", "changes of configuration are no longer recorded", "high"),
    ),
    "aws_config_configuration_recorder": (
        ("recording_group.all_supported", "not all resources are recorded any more", "high"),
    ),
    "aws_lb": (("access_logs.enabled", "requests are no longer logged", "medium"),),
    "aws_alb": (("access_logs.enabled", "requests are no longer logged", "medium"),),
    "aws_elb": (("access_logs.enabled", "requests are no longer logged", "medium"),),
    "aws_redshift_cluster": (("logging.enable", "access to the data is no longer logged", "medium"),),
    "azurerm_network_watcher_flow_log": (("enabled", "network flows are no longer recorded", "high"),),
    "google_compute_firewall": (("enable_logging", "connections are no longer logged", "low"),),
    "azurerm_mssql_server_extended_auditing_policy": (
        ("enabled", "access to the database is no longer recorded", "high"),
    ),
}
_LISTS: Mapping[str, tuple[tuple[str, str, Severity], ...]] = {
    "aws_eks_cluster": (("enabled_cluster_log_types", "the control plane no longer logs these", "high"),),
    "aws_lb": (("access_logs", "requests are no longer logged", "medium"),),
    "aws_alb": (("access_logs", "requests are no longer logged", "medium"),),
    "aws_cloudfront_distribution": (("logging_config", "requests are no longer logged", "medium"),),
    "aws_s3_bucket": (("logging", "access to the bucket is no longer logged", "medium"),),
    "aws_api_gateway_stage": (("access_log_settings", "requests are no longer logged", "medium"),),
    "aws_apigatewayv2_stage": (("access_log_settings", "requests are no longer logged", "medium"),),
    "aws_cloudtrail": (("event_selector", "these events are no longer recorded", "high"),),
    "google_container_cluster": (("logging_config.enable_components", "the cluster no longer logs these", "high"),),
    "google_compute_subnetwork": (("log_config", "network flows are no longer recorded", "high"),),
    "google_compute_backend_service": (("log_config", "requests are no longer logged", "medium"),),
    "google_project_iam_audit_config": (("audit_log_config", "access to data is no longer logged", "high"),),
    "google_organization_iam_audit_config": (("audit_log_config", "access to data is no longer logged", "high"),),
    "azurerm_monitor_diagnostic_setting": (
        ("enabled_log", "these logs are no longer collected", "high"),
        ("log", "these logs are no longer collected", "high"),
    ),
}
_AUDIT_WORDS = ("audit", "authenticator", "api")
_EXPORTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "aws_db_instance": (
        ("enabled_cloudwatch_logs_exports", "the database's logs are no longer exported"),
        ("performance_insights_enabled", "slow queries can no longer be looked at"),
        ("monitoring_interval", "the host's metrics are no longer taken"),
    ),
    "aws_rds_cluster": (("enabled_cloudwatch_logs_exports", "the database's logs are no longer exported"),),
    "aws_ecs_cluster": (("setting", "container metrics may be gone"),),
    "aws_lambda_function": (("tracing_config.mode", "calls are no longer traced"),),
    "aws_instance": (("monitoring", "metrics come every 5 minutes instead of every minute"),),
    "google_container_cluster": (
        ("monitoring_service", "the cluster's metrics are no longer collected"),
        ("logging_service", "the cluster's logs are no longer collected"),
    ),
}


def _changed(world: World) -> Iterator[ResourceChange]:
    return (one for one in world.changes if one.action in ("update", "delete", "replace"))


def _alarm(world: World, change: ResourceChange) -> Iterator[Draft]:
    if change.action == "delete":
        if not _again(world, change):
            text = f"Deleting the alarm {change.address}{_named(change)}: nobody is told when it would have fired."
            yield _draft("OBSERV_DOWN", "medium", change, text)
        return
    for name in _ACTIVE:
        found = pair(change, name)
        if flag(found.after) is False and flag(found.before) is not False and found.before is not None:
            yield _draft("OBSERV_DOWN", "medium", change, f"{found} on {change.address}: nobody is paged any more.")
    for name in _RECEIVERS:
        found = pair(change, name)
        if items(found.before) and found.known and not items(found.after):
            text = f"{found} on {change.address}: the alarm still fires and reaches nobody."
            yield _draft("OBSERV_DOWN", "medium", change, text)
    yield from _turned(change)
    yield from _elsewhere(world, change)
    yield from _quieter(change)


def _turned(change: ResourceChange) -> Iterator[Draft]:
    for name in _COMPARISONS:
        found = pair(change, name)
        before, after = _way(found.before), _way(found.after)
        if before and after and before != after:
            text = f"{found} on {change.address}: the alarm is silent where it used to fire, and the other way round."
            yield _draft("OBSERV_DOWN", "medium", change, text)


def _elsewhere(world: World, change: ResourceChange) -> Iterator[Draft]:
    """An alarm that looks at another metric, while no other alarm looks at the one that it leaves."""
    metric = pair(change, "metric_name")
    if not metric.changed or not isinstance(metric.before, str) or not isinstance(metric.after, str):
        return
    left = (field(change.before, "namespace"), metric.before)
    for one in world.after.values():
        if one.type == change.type and (field(one.values, "namespace"), field(one.values, "metric_name")) == left:
            return
    text = (
        f"{metric} on {change.address}: nobody is told of {show(metric.before)} any more; no other alarm here is on it."
    )
    yield _draft("OBSERV_DOWN", "medium", change, text)


def _way(operator: Value) -> str:
    """On which side of its threshold an alarm fires, "" where that is not known."""
    text = str(operator).lower()
    if "less" in text or "below" in text or text.endswith("_lt"):
        return "below"
    return "above" if "greater" in text or "above" in text or text.endswith("_gt") else ""


def _quieter(change: ResourceChange) -> Iterator[Draft]:
    for name in _ALARMS[change.type]:
        found = pair(change, name)
        before, after = number(found.before), number(found.after)
        if before is None or after is None or before == after:
            continue
        if _less(change) != (after < before):
            continue
        far = _far(before, after) or (_less(change) and _strict(change) and after <= 0 < before)
        if far:
            how = "falls so low" if _less(change) else "rises so high"
            text = f"{found} on {change.address}: the threshold {how} that the alarm will hardly ever fire."
            yield _draft("OBSERV_DOWN", "medium", change, text)
    for name in _PERIODS:
        found = pair(change, name)
        before, after = number(found.before), number(found.after)
        if before and after and after >= 3 * before:
            text = f"{found} on {change.address}: the alarm fires that much later, or not at all for what is short."
            yield _draft("OBSERV_DOWN", "medium" if after >= 20 * before else "low", change, text)
    missing = pair(change, "treat_missing_data")
    if missing.changed and str(missing.before) == "breaching" and missing.known:
        text = f"{missing} on {change.address}: the alarm stays quiet when no data comes, as when everything is down."
        yield _draft("OBSERV_DOWN", "medium", change, text)


def _less(change: ResourceChange) -> bool:
    """Whether an alarm fires below its threshold, so that a lower one is quieter."""
    return any(_way(field(change.after, name)) == "below" for name in _COMPARISONS)


def _strict(change: ResourceChange) -> bool:
    """Whether an alarm does not fire at its threshold itself: below nothing a count never is."""
    words = [str(value).lower() for name in _COMPARISONS if (value := field(change.after, name))]
    return bool(words) and "equal" not in words[0] and not words[0].endswith("_le")


def _far(before: float, after: float) -> bool:
    low, high = sorted((abs(before), abs(after)))
    return high >= _ABSURD * low if low else high >= _ABSURD or after < 0


def _exports(change: ResourceChange) -> Iterator[Draft]:
    for name, what in _EXPORTS.get(change.type, ()):
        found = pair(change, name)
        if not found.changed or not found.known or found.before is None:
            continue
        if name == "setting":
            if not ("enabled" in show(found.before) and "disabled" in show(found.after)):
                continue
        elif _rests(found) or not _lower(found):
            continue
        yield _draft(
            "OBSERV_DOWN", "medium" if "logs" in what else "low", change, f"{found} on {change.address}: {what}."
        )


def _rests(found: Pair) -> bool:
    return str(found.after).lower() in ("active", "enabled", "passthrough")


def _lower(found: Pair) -> bool:
    before, after = number(found.before), number(found.after)
    if isinstance(found.before, (list, tuple)):
        return bool(set(map(str, found.before)) - set(map(str, items(found.after))))
    if before is not None:
        return not after
    if flag(found.before) is not None:
        return flag(found.before) is True and flag(found.after) is not True
    return str(found.after).lower() in ("none", "disabled", "passthrough", "")


def _switched(change: ResourceChange) -> Iterator[Draft]:
    for name, what, severity in _SWITCHES.get(change.type, ()):
        found = pair(change, name)
        if flag(found.after) is False and flag(found.before) is not False and found.changed:
            if found.before is None and name != "enable_logging":
                continue
            yield _draft("AUDIT_OFF", severity, change, f"{found} on {change.address}: {what}.", _GAP)


def _fewer(change: ResourceChange) -> Iterator[Draft]:
    for name, what, severity in _LISTS.get(change.type, ()):
        found = pair(change, name)
        if not found.changed or isinstance(found.after, (Later, Hidden)):
            continue
        before, after = items(found.before), items(found.after)
        if not before or any(isinstance(one, Later) for one in after):
            continue
        gone = [one for one in before if one not in after]
        if not after or (gone and len(after) < len(before)):
            grave = severity if not after or any(word in show(gone) for word in _AUDIT_WORDS) else "medium"
            text = f"{found} on {change.address}: {what} ({show(gone)})."
            yield _draft("AUDIT_OFF", grave, change, text, _GAP)


def _again(world: World, change: ResourceChange) -> bool:
    """Whether the same thing is created under another address in this change."""
    keys = ("alarm_name", "name", "display_name", "dashboard_name", "bucket", "vpc_id", "resource_arn", "title")
    mine = [field(change.before, key) for key in keys]
    for one in world.changes:
        if one.action == "create" and one.type == change.type:
            theirs = [field(one.after, key) for key in keys]
            # Code that moves a thing into a module gives its names by references, which compare to nothing.
            if any(mine) and all(_alike(a, b) for a, b in zip(mine, theirs, strict=True)):
                return True
    return False


def _alike(one: Value, other: Value) -> bool:
    return one == other or isinstance(one, Later) or isinstance(other, Later)


def _named(change: ResourceChange) -> str:
    for key in ("alarm_name", "display_name", "name", "dashboard_name"):
        value = field(change.before, key)
        if isinstance(value, str) and value and value not in change.address:
            return f" ({value})"
    return ""


def _draft(code: EffectCode, severity: Severity, change: ResourceChange, text: str, back: str = "") -> Draft:
    return Draft(code, severity, change.address, text, reversible=True, back=back or "put it back and apply again")
