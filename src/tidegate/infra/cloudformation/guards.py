"""What only a template says: policies on deletion, exports, nested stacks, names that collide, machines that roll."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.facts import Place, Severity, Unjudged
from tidegate.infra.cloudformation.diff import POLICY_OF_ONE, Both, Diff, policy_of
from tidegate.infra.cloudformation.evaluate import evaluate
from tidegate.infra.cloudformation.machines import rolled, stopped
from tidegate.infra.cloudformation.shaped import own_type
from tidegate.infra.cloudformation.template import KNOWN_TRANSFORMS, Part, Template
from tidegate.infra.forcing import deletes_first, replaced_by
from tidegate.infra.kinds import stateful
from tidegate.infra.same import same, show
from tidegate.infra.values import Draft, ResourceChange

_NAMES: Mapping[str, str] = dict(
    line.split()
    for line in """
    AutoScaling::AutoScalingGroup AutoScalingGroupName
    AutoScaling::LaunchConfiguration LaunchConfigurationName
    Backup::BackupVault BackupVaultName
    CloudTrail::Trail TrailName
    CloudWatch::Alarm AlarmName
    DocDB::DBCluster DBClusterIdentifier
    DynamoDB::Table TableName
    EC2::LaunchTemplate LaunchTemplateName
    EC2::SecurityGroup GroupName
    ECR::Repository RepositoryName
    ECS::Cluster ClusterName
    ECS::Service ServiceName
    EKS::Cluster Name
    ElastiCache::CacheCluster ClusterName
    ElastiCache::ReplicationGroup ReplicationGroupId
    ElasticLoadBalancing::LoadBalancer LoadBalancerName
    ElasticLoadBalancingV2::LoadBalancer Name
    ElasticLoadBalancingV2::TargetGroup Name
    Elasticsearch::Domain DomainName
    Events::Rule Name
    IAM::Group GroupName
    IAM::ManagedPolicy ManagedPolicyName
    IAM::Role RoleName
    IAM::User UserName
    KMS::Alias AliasName
    Kinesis::Stream Name
    KinesisFirehose::DeliveryStream DeliveryStreamName
    Lambda::Function FunctionName
    Logs::LogGroup LogGroupName
    OpenSearchService::Domain DomainName
    RDS::DBCluster DBClusterIdentifier
    RDS::DBInstance DBInstanceIdentifier
    RDS::DBSubnetGroup DBSubnetGroupName
    Redshift::Cluster ClusterIdentifier
    S3::Bucket BucketName
    SNS::Topic TopicName
    SQS::Queue QueueName
    SSM::Parameter Name
    SecretsManager::Secret Name
    StepFunctions::StateMachine StateMachineName
    """.split("\n")
    if line.strip()
)
"""The property that gives a resource a name of which there can be only one; types without `AWS::`."""
_FELT = frozenset(
    """
    AmazonMQ::Broker AutoScaling::AutoScalingGroup EC2::EIP EC2::Instance EC2::NatGateway EC2::SecurityGroup EC2::Subnet
    EC2::VPC EC2::VPCEndpoint ECS::Cluster ECS::Service EKS::Nodegroup ElasticBeanstalk::Environment
    ElasticLoadBalancing::LoadBalancer ElasticLoadBalancingV2::Listener ElasticLoadBalancingV2::LoadBalancer
    ElasticLoadBalancingV2::TargetGroup IAM::Role Lambda::Function RDS::DBInstance
    """.split()
)
"""Types without data of which people feel a replacement."""
_STRENGTH: Mapping[str, int] = {"Retain": 2, "RetainExceptOnCreate": 2, "Snapshot": 1, "Delete": 0}


def drafts_of(diff: Diff, before: Template, after: Template) -> Iterator[Draft | Unjudged]:
    """Everything that the world of this change does not show by itself."""
    changes = {change.address: change for change in diff.world.changes}
    for one in diff.both.values():
        place = Place(after.path, *one.new.lines)
        yield from drafts_of_one(one, place)
        yield from _type(one, place)
        yield from _open(one, changes.get(one.new.name), place)
        if one.new.type == "AWS::AutoScaling::AutoScalingGroup":
            yield from rolled(one, diff, place)
    yield from _nested(diff, after.path)
    yield from _names(diff, after.path)
    yield from _single(diff, after.path)
    yield from _exports(diff, before, after)
    yield from _left_to_deployment(before, after)
    if new := sorted(set(after.twice) - set(before.twice)):
        reason = f"the key {new[0][:60]} stands twice in one place, and readers differ in which of the two they believe"
        yield Unjudged(after.path, reason, "Take one of them out.", Place(after.path))


def drafts_of_one(one: Both, place: Place) -> Iterator[Draft]:
    """What CloudFormation does with one resource that no value of it shows."""
    yield from _policies(one, place)
    yield from stopped(one, place)


# Private


def _policies(one: Both, place: Place) -> Iterator[Draft]:
    kind = stateful(own_type(one.new.type, one.new.properties))
    if kind is None or one.old.type != one.new.type:
        return
    weaker: list[str] = []
    lowest = 2
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        old, new = policy_of(one.old, name), policy_of(one.new, name)
        if _STRENGTH.get(new, 0) < _STRENGTH.get(old, 0):
            weaker.append(f"{name} {old} -> {new}{'' if name in one.new.body else ' (removed)'}")
            if name == "DeletionPolicy":
                lowest = _STRENGTH.get(new, 0)
    if not weaker:
        return
    severity: Severity = "low"
    if lowest == 0:
        severity = "high" if kind.severity == "critical" else "medium"
    elif "UpdateReplacePolicy" in weaker[-1]:
        severity = "medium" if kind.severity == "critical" else "low"
    yield Draft(
        "GUARD_REMOVED",
        severity,
        one.new.name,
        f"{' and '.join(weaker)} of the {kind.word} {one.new.name}: nothing is lost now, but when it leaves the "
        f"template or must be replaced, CloudFormation no longer keeps {kind.holds}.",
        reversible=True,
        back="Put the policy back before anything else changes.",
        certainty="likely",
        place=place,
        code_only=True,
    )


def _type(one: Both, place: Place) -> Iterator[Draft]:
    if one.old.type == one.new.type:
        return
    found = one.compared
    differing = [
        f"{name} {show(found.before.get(name))} -> {show(found.after.get(name))}"
        for name in sorted({*found.before, *found.after})
        if "always" in (replaced_by(one.old.type, name), replaced_by(one.new.type, name))
        and not same(found.before.get(name), found.after.get(name))
    ]
    also = f" ({', '.join(differing[:3])})" if differing else ""
    name = "and its DNS name is another one " if "LoadBalancing" in one.old.type else ""
    yield Draft(
        "APPLY_FAIL",
        "medium",
        one.new.name,
        f"{one.new.name} becomes {one.new.type} instead of {one.old.type}{also}. CloudFormation refuses a new Type "
        "under the same logical id, so the update fails and is rolled back; under another logical id the resource is "
        f"replaced {name}at the moment of the switch. Add the new one beside it, move what uses it, then remove the "
        "old one.",
        reversible=True,
        back="The stack rolls back by itself.",
        certainty="likely",
        place=place,
    )


def _physical(part: Part, properties: Mapping[str, Any]) -> tuple[str, Any]:
    name = _NAMES.get(part.type.removeprefix("AWS::"), "")
    value = properties.get(name)
    return (name, value) if isinstance(value, str) and not value.startswith("Ref:") else ("", None)


def _open(one: Both, change: ResourceChange | None, place: Place) -> Iterator[Draft]:
    forced = one.compared.forced
    if change is None or change.action != "update" or not forced or one.new.type.removeprefix("AWS::") not in _FELT:
        return
    words = ", ".join(
        f"{entry.name} {show(one.compared.before.get(entry.name))} -> {show(one.compared.after.get(entry.name))}"
        for entry in forced[:3]
    )
    yield Draft(
        "RESTART",
        "low",
        one.new.name,
        f"{words}: where the two differ in value, CloudFormation replaces {one.new.name}. Pass what is there now.",
        reversible=True,
        back="Put the value back.",
        certainty="possible",
        place=place,
    )


def _nested(diff: Diff, path: str) -> Iterator[Unjudged]:
    """Nested stacks that get a template from elsewhere, in one sentence; one from the repository is judged itself."""
    urls: dict[str, str] = {}
    for name, one in diff.both.items():
        url = one.compared.after.get("TemplateURL")
        local = isinstance(url, str) and "://" not in url
        if one.new.type == "AWS::CloudFormation::Stack" and "TemplateURL" in one.compared.changed and not local:
            urls[name] = show(url)
    if urls:
        names = ", ".join(list(urls)[:4]) + (f" and {len(urls) - 4} more" if len(urls) > 4 else "")
        yield Unjudged(
            next(iter(urls)),
            f"{names}: {'nested stacks get templates' if len(urls) > 1 else 'the nested stack gets a template'} from "
            f"elsewhere ({next(iter(urls.values()))}), which cannot be read from here",
            "Make a change set with --include-nested-stacks and give it.",
            Place(path),
        )


def _names(diff: Diff, path: str) -> Iterator[Draft]:
    """A resource under a new logical id that keeps the custom name of the one that goes."""
    gone: dict[tuple[str, str], str] = {}
    for part in diff.removed.values():
        name, value = _physical(part, evaluate(part.properties, diff.scopes.before) or {})
        if name:
            gone[part.type, str(value)] = part.name
    for part in diff.added.values():
        name, value = _physical(part, evaluate(part.properties, diff.scopes.after) or {})
        old = gone.get((part.type, str(value))) if name else None
        if old and not deletes_first(part.type):
            yield Draft(
                "APPLY_FAIL",
                "medium",
                part.name,
                f"{old} becomes {part.name} with the same {name} {show(value)}. CloudFormation creates the new one "
                "before it deletes the old one and refuses a name that is taken: the update fails. Keep the logical "
                "id, or import what exists.",
                reversible=True,
                back="The stack rolls back by itself.",
                certainty="likely",
                place=Place(path, *part.lines),
            )


def _single(diff: Diff, path: str) -> Iterator[Draft]:
    """A second policy on a thing that has one, before the first is taken away."""
    gone: dict[tuple[str, str], list[str]] = {}
    for part in diff.removed.values():
        if key := POLICY_OF_ONE.get(part.type):
            gone.setdefault((part.type, str(part.properties.get(key))), []).append(part.name)
    for part in diff.added.values():
        key = POLICY_OF_ONE.get(part.type)
        old = gone.get((part.type, str(part.properties.get(key)))) if key else None
        if old:
            yield Draft(
                "APPLY_FAIL",
                "low",
                part.name,
                f"{part.name} is created while {' or '.join(old[:3])} still holds the policy of the same {key}: "
                "CloudFormation refuses the second one, or takes the new policy away with the old. Keep the logical "
                "id, or do it in two steps.",
                reversible=True,
                back="The stack rolls back by itself.",
                certainty="possible",
                place=Place(path, *part.lines),
            )


def _exports(diff: Diff, before: Template, after: Template) -> Iterator[Draft]:
    def exported(template: Template, scope: Any) -> dict[str, str]:
        found = {}
        for name, output in template.outputs.items():
            export = output.get("Export")
            if isinstance(export, Mapping) and "Name" in export:
                found[show(evaluate(export["Name"], scope))] = name
        return found

    if not after.resources:
        return
    old, new = exported(before, diff.scopes.before), exported(after, diff.scopes.after)
    gone = sorted(set(old) - set(new))
    if gone:
        names = ", ".join(gone[:4]) + (f" and {len(gone) - 4} more" if len(gone) > 4 else "")
        yield Draft(
            "APPLY_FAIL",
            "low",
            old[gone[0]],
            f"{'The export' if len(gone) == 1 else 'The exports'} {names} {'is' if len(gone) == 1 else 'are'} removed. "
            "CloudFormation refuses the update while another stack imports one: take the imports away first.",
            reversible=True,
            back="The stack rolls back by itself.",
            certainty="possible",
            place=Place(after.path),
        )


def _left_to_deployment(before: Template, after: Template) -> Iterator[Unjudged]:
    if not before.resources or (_bodies(before), before.loops) == (_bodies(after), after.loops):
        return
    macros = [name for name in after.transforms if name not in KNOWN_TRANSFORMS]
    if macros:
        yield Unjudged(
            after.path,
            f"the macro {', '.join(macros)} rewrites this template when it is deployed",
            "Make a change set and give it.",
            Place(after.path),
        )
    for name in sorted({*before.loops, *after.loops}):
        if before.loops.get(name) != after.loops.get(name):
            yield Unjudged(
                after.path,
                f"{name} is unfolded when the template is deployed, and it changes",
                "Make a change set and give it.",
                Place(after.path),
            )


def _bodies(template: Template) -> dict[str, Mapping[str, Any]]:
    return {name: part.body for name, part in template.resources.items()}
