"""Machines that an update of a stack stops, or rolls to another launch template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.facts import Place, Severity
from tidegate.infra.cloudformation.diff import Both, Diff
from tidegate.infra.cloudformation.evaluate import names_in
from tidegate.infra.same import number, show
from tidegate.infra.values import Draft

_FLEET = ("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy")


def stopped(one: Both, place: Place) -> Iterator[Draft]:
    """An instance that CloudFormation stops and starts to change it."""
    found = one.compared
    if one.new.type != "AWS::EC2::Instance" or found.forced:
        return
    stops = [name for name in ("UserData", "InstanceType", "EbsOptimized") if name in found.changed]
    if stops:
        yield Draft(
            "RESTART",
            "medium",
            one.new.name,
            f"{' and '.join(stops)} of {one.new.name} changes: CloudFormation stops the instance and starts it again "
            "(one whose root disk is an instance store is replaced), so what it serves has downtime.",
            reversible=True,
            certainty=found.certainty,
            place=place,
        )

    elif _init(one.old.body) != _init(one.new.body):
        yield Draft(
            "RESTART",
            "note",
            one.new.name,
            f"AWS::CloudFormation::Init of {one.new.name} changes: where cfn-hup runs, it is applied to the running "
            "machine and restarts what it configures; elsewhere only a new machine gets it.",
            reversible=True,
            certainty="possible",
            place=place,
        )


def rolled(one: Both, diff: Diff, place: Place) -> Iterator[Draft]:
    """The machines of a group whose launch configuration or template is another one."""
    switched = [name for name in _FLEET if name in one.compared.changed]
    named = {name for key in _FLEET for name in names_in(one.new.properties.get(key))}
    changed = sorted(name for name in named if name in diff.both and diff.both[name].compared.changed)
    if not switched and not changed:
        return
    policy = one.new.body.get("UpdatePolicy")
    policy = policy if isinstance(policy, Mapping) else {}
    rolling = policy.get("AutoScalingRollingUpdate")
    if (rolling is None and "AutoScalingReplacingUpdate" not in policy) or _another(one, switched):
        return
    what = " and ".join(f"{name} changes" for name in switched) or f"{', '.join(changed)} changes"
    alone = _all_at_once(one, rolling if isinstance(rolling, Mapping) else {})
    more = f" {alone}, so for a while none may serve." if alone else ""
    reason = f"{what}: the UpdatePolicy rolls every instance of {one.new.name} to it.{more}"
    serves = any(one.new.properties.get(name) for name in ("TargetGroupARNs", "LoadBalancerNames", "TrafficSources"))
    yield _roll(one, "medium" if alone and serves else "low", reason, place)


# Private


def _init(body: Mapping[str, Any]) -> Any:
    metadata = body.get("Metadata")
    return metadata.get("AWS::CloudFormation::Init") if isinstance(metadata, Mapping) else None


def _all_at_once(one: Both, rolling: Mapping[str, Any]) -> str:
    """Why a rolling update may leave the group without a machine, "" where it does not."""
    if number(rolling.get("MinInstancesInService", 0)) != 0:
        return ""
    batch, least = number(rolling.get("MaxBatchSize", 1)) or 1, number(one.compared.after.get("MinSize"))
    if least is not None and least <= batch:
        return f"MinInstancesInService is 0 and MinSize {show(one.compared.after.get('MinSize'))}"
    return ""


def _another(one: Both, switched: list[str]) -> bool:
    """Whether the group takes its machines from another kind of thing: that is said of what it took them from."""
    return any(name not in one.compared.before or name not in one.compared.after for name in switched)


def _roll(one: Both, severity: Severity, reason: str, place: Place) -> Draft:
    return Draft("RESTART", severity, one.new.name, reason, reversible=True, certainty="likely", place=place)
