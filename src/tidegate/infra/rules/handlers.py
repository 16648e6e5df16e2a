"""Work that nobody takes any more: consumers switched off, schedules removed, workloads stopped or gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.flows.asleep import switch
from tidegate.infra.flows.view import View, stores_of
from tidegate.infra.rules.words import named, replaced_why, unsure
from tidegate.infra.same import field, flag, number, pair
from tidegate.infra.values import Draft, Mitigation, ResourceChange


def handlers(view: View, said: set[str]) -> Iterator[Draft]:
    """Consumers, schedules, workloads and databases that stop; `said` are told of already."""
    for address in sorted(view.changes):
        change = view.changes[address]
        if change.type in _HANDED_ON:
            yield from _consumer(view, change)
        elif address not in said and change.action == "update":
            yield from _stopped(change)
        elif address not in said and change.action == "delete":
            yield from _gone(view, change)
    yield from _stores(view, said)


# Private

_HANDED_ON: Mapping[str, tuple[str, Severity]] = {
    "aws_lambda_event_source_mapping": ("records", "high"),
    "aws_sns_topic_subscription": ("notifications", "high"),
    "aws_s3_bucket_notification": ("events of the bucket", "high"),
    "aws_pipes_pipe": ("records", "high"),
    "google_pubsub_subscription": ("messages", "high"),
    "aws_cloudwatch_event_rule": ("schedule", "medium"),
    "aws_cloudwatch_event_target": ("schedule", "medium"),
    "aws_scheduler_schedule": ("schedule", "medium"),
    "google_cloud_scheduler_job": ("schedule", "medium"),
}
_CACHES = ("aws_elasticache", "aws_memorydb", "google_redis", "azurerm_redis")
_RUNNING: Mapping[str, str] = {
    "aws_ecs_service": "its tasks stop",
    "aws_autoscaling_group": "its instances are terminated",
    "aws_eks_node_group": "its nodes are drained and their pods have nowhere to run unless other nodes have room",
    "aws_eks_cluster": "everything that runs in the cluster stops",
    "google_container_node_pool": "its nodes are drained and their pods need room on other nodes",
    "google_container_cluster": "everything that runs in the cluster stops",
    "azurerm_kubernetes_cluster": "everything that runs in the cluster stops",
    "azurerm_kubernetes_cluster_node_pool": "its nodes are drained",
    "google_cloud_run_service": "its address answers no more",
    "google_cloud_run_v2_service": "its address answers no more",
    "aws_apprunner_service": "its address answers no more",
    "azurerm_linux_web_app": "its address answers no more",
    "azurerm_windows_web_app": "its address answers no more",
    "azurerm_container_app": "its address answers no more",
    "aws_lb": "whatever points at it is cut",
    "aws_alb": "whatever points at it is cut",
    "aws_elb": "whatever points at it is cut",
    "aws_cloudfront_distribution": "the names that it serves answer no more",
    "aws_api_gateway_stage": "the API answers no more at this stage",
    "aws_apigatewayv2_stage": "the API answers no more at this stage",
    "aws_api_gateway_rest_api": "the API answers no more",
    "aws_apigatewayv2_api": "the API answers no more",
    "google_compute_global_forwarding_rule": "its address answers no more",
    "google_compute_forwarding_rule": "its address answers no more",
    "azurerm_lb": "whatever points at it is cut",
    "azurerm_application_gateway": "whatever points at it is cut",
}
_CLUSTERS = ("aws_eks_cluster", "google_container_cluster", "azurerm_kubernetes_cluster")


def _consumer(view: View, change: ResourceChange) -> Iterator[Draft]:
    off = switch(change.type, change.after)
    if change.action == "update" and off and not switch(change.type, change.before):
        subject = f"{pair(change, off)} on {change.address}"
    elif change.action == "delete":
        subject = f"Deleting {change.address}"
    else:
        return
    flows_in = [f for f in view.flows_before.got.get(change.address, ()) if f.kind == "feeds"]
    flows_out = [f for f in view.flows_before.sent.get(change.address, ()) if f.kind == "feeds"]
    source = flows_in[0].source if flows_in else ""
    target = flows_out[0].target if flows_out else ""
    if change.action == "delete" and (_deleted(view, source) or _again(view, change, source, target)):
        return
    what, severity = _HANDED_ON[change.type]
    if what == "schedule":
        if source and source in view.changes:
            return
        called = field(change.before, "name") or field(change.before, "rule") or ""
        starts = f" ({called})" if called else ""
        text = f"{subject}{starts}: nothing starts {target or 'its target'} on this schedule any more."
    else:
        waits = _waits(view, source)
        doer = target or "its consumer"
        text = f"{subject}: {doer} no longer takes {what} from {source or 'its source'}. {waits}"
    yield Draft(
        code="OUTAGE_PARTIAL",
        severity=severity,
        address=change.address,
        reason=text.strip(),
        reversible=True,
        back="switch it on again before what waits expires" if what != "schedule" else "put it back",
        path=tuple(one for one in (source, change.address, target) if one),
    )


def _waits(view: View, source: str) -> str:
    one = view.before.resources.get(source)
    if one is None:
        return "What arrives meanwhile piles up until it expires at the source, or is lost."
    seconds, hours = number(one.values.get("message_retention_seconds")), number(one.values.get("retention_period"))
    if one.type == "aws_sqs_queue":
        return f"Messages pile up and expire after {_time(seconds or 345600)}."
    if one.type == "aws_kinesis_stream":
        return f"Records pile up and expire after {_time((hours or 24) * 3600)}."
    if one.type == "aws_dynamodb_table":
        return "Records of the stream expire after 24 hours."
    if one.type in ("aws_sns_topic", "aws_s3_bucket"):
        return "They are not kept: what happens meanwhile is lost."
    return "What arrives meanwhile piles up until it expires at the source, or is lost."


def _time(seconds: float) -> str:
    if seconds >= 86400:
        days = seconds / 86400
        return f"{days:g} day{'s' if days != 1 else ''}"
    return f"{seconds / 3600:.3g} hours" if seconds >= 3600 else f"{seconds / 60:.3g} minutes"


def _deleted(view: View, address: str) -> bool:
    return address in view.changes and view.changes[address].action == "delete"


def _again(view: View, change: ResourceChange, source: str, target: str) -> bool:
    """Whether the same hand-over is created under another address, or there was none to see."""
    for flow in view.flows_after.got.get(target, ()) if target else ():
        new = flow.source != change.address and flow.source not in view.before.resources
        if new and (not source or any(one.source == source for one in view.flows_after.got.get(flow.source, ()))):
            return True
    name = field(change.before, "name")
    return name is not None and any(
        one.address != change.address and field(one.values, "name") == name for one in view.after.of((change.type,))
    )


def _stopped(change: ResourceChange) -> Iterator[Draft]:
    off = switch(change.type, change.after)
    if not off or switch(change.type, change.before):
        return
    found = pair(change, off)
    what = _RUNNING.get(change.type, "it no longer answers or works")
    if change.type == "aws_appautoscaling_target":
        what = f"{field(change.after, 'resource_id') or 'what it scales'} is scaled to nothing"
    if change.type == "aws_lambda_function":
        what = "every call of the function is throttled"
    yield Draft(
        code="OUTAGE_PARTIAL",
        severity="high",
        address=change.address,
        reason=f"{found} on {change.address}: {what}, and nobody does its work until that is raised again.",
        reversible=True,
        back=f"set {found.shown} back and apply again",
        path=(change.address,),
    )


def _gone(view: View, change: ResourceChange) -> Iterator[Draft]:
    what = _RUNNING.get(change.type)
    if what is None or switch(change.type, change.before) or _successor(view, change):
        return
    cluster = change.type in _CLUSTERS
    worker = change.type in ("aws_ecs_service", "aws_autoscaling_group", "aws_eks_node_group")
    yield Draft(
        code="OUTAGE_FULL" if cluster else "OUTAGE_PARTIAL",
        severity="critical" if cluster else "medium" if worker else "high",
        address=change.address,
        reason=f"Deleting {change.address}: {what}. Make sure that nobody needs it any more.",
        reversible=True,
        back="create it again; what ran in it must be deployed again",
        path=(change.address,),
    )


def _successor(view: View, change: ResourceChange) -> bool:
    name = field(change.before, "name")
    return any(
        one.address not in view.before.resources and field(one.values, "name") == name
        for one in view.after.of((change.type,))
    )


def _stores(view: View, said: set[str]) -> Iterator[Draft]:
    """Databases and caches that go away under the services that call them."""
    users: dict[str, list[str]] = {}
    for user, store, _ in stores_of(view.before):
        users.setdefault(store, []).append(user)
    for address in sorted(view.changes):
        change = view.changes[address]
        cache = change.type.startswith(_CACHES)
        lasting = change.action == "delete" or (change.action == "replace" and not change.create_first)
        if not lasting or address in said or (address not in users and not (cache and change.action == "replace")):
            continue
        callers = users.get(address, [])
        if callers and all(_deleted(view, one) for one in callers):
            continue
        why = f" ({replaced_why(change)})" if change.forced_by else ""
        gone = "is destroyed" if change.action == "delete" else f"is replaced{why}: destroyed, then created again"
        who = f"{named(callers)} cannot call it" if callers else "clients cannot call it"
        tail = "and it starts cold" if cache else "and what is created in its place is empty"
        yield Draft(
            code="OUTAGE_PARTIAL" if cache else "OUTAGE_FULL",
            severity="high" if cache else "critical",
            address=address,
            reason=f"{address} {gone}; its endpoint is gone meanwhile, {who}, {tail}.",
            reversible=cache,
            back="restore a snapshot and point the services at it" if not cache else "wait until it is warm again",
            path=(*callers[:1], address),
            mitigations=(*_protected(change), *unsure(change)),
            dependents=tuple(callers),
        )


def _protected(change: ResourceChange) -> tuple[Mitigation, ...]:
    if flag(field(change.before, "deletion_protection")):
        return (Mitigation("deletion_protection = true: the destroy is refused and the apply stops half-way"),)
    return ()
