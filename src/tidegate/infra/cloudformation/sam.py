"""SAM's short resources as the CloudFormation resources that they become, as far as effects need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from tidegate.infra.cloudformation.template import Part

_TYPES: Mapping[str, str] = {
    "Function": "AWS::Lambda::Function",
    "Api": "AWS::ApiGateway::RestApi",
    "HttpApi": "AWS::ApiGatewayV2::Api",
    "SimpleTable": "AWS::DynamoDB::Table",
    "StateMachine": "AWS::StepFunctions::StateMachine",
    "LayerVersion": "AWS::Lambda::LayerVersion",
    "Application": "AWS::CloudFormation::Stack",
}
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}, "Action": ["sts:AssumeRole"]}
    ],
}


def unfolded(parts: Mapping[str, Part], defaults: Mapping[str, Any]) -> dict[str, Part]:
    """All parts with SAM's own unfolded; `defaults` is the section Globals."""
    return {one.name: one for part in parts.values() for one in _unfold(part, defaults)}


# Private


def _unfold(part: Part, defaults: Mapping[str, Any]) -> Iterator[Part]:
    kind = part.type.removeprefix("AWS::Serverless::")
    if kind == part.type or kind not in _TYPES:
        yield part
        return
    properties = _with(defaults.get(kind), part.properties)
    if kind == "Function":
        yield from _function(part, properties)
    elif kind == "SimpleTable":
        yield _became(part, kind, _table(properties))
    elif kind == "LayerVersion":
        policy = properties.get("RetentionPolicy", "Retain")
        body = {**part.body, "DeletionPolicy": policy, "UpdateReplacePolicy": policy}
        yield replace(_became(part, kind, _renamed(properties, {"ContentUri": "Content"})), body=body)
    elif kind == "StateMachine":
        yield from _with_role(part, properties, _became(part, kind, _renamed(properties, {"Name": "StateMachineName"})))
    elif kind == "Application":
        yield _became(part, kind, _renamed(properties, {"Location": "TemplateURL"}))
    else:
        yield _became(part, kind, _tagged(properties))


def _became(part: Part, kind: str, properties: Mapping[str, Any]) -> Part:
    return replace(part, type=_TYPES[kind], properties=properties)


def _function(part: Part, properties: Mapping[str, Any]) -> Iterator[Part]:
    code = {"ZipFile": properties["InlineCode"]} if "InlineCode" in properties else properties.get("CodeUri")
    own = _renamed(properties, {"DeadLetterQueue": "DeadLetterConfig", "Tracing": "TracingConfig"})
    yield from _with_role(part, properties, _became(part, "Function", {**own, "Code": code}))
    if isinstance(url := properties.get("FunctionUrlConfig"), Mapping):
        wanted = {**url, "TargetFunctionArn": {"Ref": part.name}}
        yield _beside(part, f"{part.name}Url", "AWS::Lambda::Url", wanted)
    events = properties.get("Events")
    for name, event in events.items() if isinstance(events, Mapping) else ():
        if isinstance(event, Mapping):
            yield from _event(part, f"{part.name}{name}", event)


def _event(part: Part, name: str, event: Mapping[str, Any]) -> Iterator[Part]:
    settings = event.get("Properties")
    settings = settings if isinstance(settings, Mapping) else {}
    source = {"SQS": "Queue", "Kinesis": "Stream", "DynamoDB": "Stream", "MSK": "Stream", "MQ": "Broker"}
    kind = str(event.get("Type"))
    if kind in source:
        wanted = {key: value for key, value in settings.items() if key != source[kind]}
        wanted |= {"FunctionName": {"Ref": part.name}, "EventSourceArn": settings.get(source[kind])}
        yield _beside(part, name, "AWS::Lambda::EventSourceMapping", wanted)
    elif kind in ("Schedule", "ScheduleV2", "CloudWatchEvent", "EventBridgeRule"):
        wanted = _renamed(settings, {"Schedule": "ScheduleExpression", "Pattern": "EventPattern"})
        if "Enabled" in settings:
            wanted["State"] = "ENABLED" if settings["Enabled"] is True else "DISABLED"
        yield _beside(part, name, "AWS::Events::Rule", wanted)


def _with_role(part: Part, properties: Mapping[str, Any], whole: Part) -> Iterator[Part]:
    """The part, and the role that SAM makes for it where it names none."""
    if "Role" in properties:
        yield whole
        return
    name = f"{part.name}Role"
    attribute = "Role" if whole.type == "AWS::Lambda::Function" else "RoleArn"
    yield replace(whole, properties={**whole.properties, attribute: {"Fn::GetAtt": [name, "Arn"]}})
    found = properties.get("Policies")
    policies = found if isinstance(found, list) else [found] if found is not None else []
    role = {
        "AssumeRolePolicyDocument": _TRUST,
        "ManagedPolicyArns": [one for one in policies if isinstance(one, str) or _is_call(one)],
        "Policies": [
            {"PolicyName": f"{name}Policy{number}", "PolicyDocument": one}
            for number, one in enumerate(policies)
            if isinstance(one, Mapping) and not _is_call(one)
        ],
        "PermissionsBoundary": properties.get("PermissionsBoundary"),
    }
    yield _beside(part, name, "AWS::IAM::Role", {key: value for key, value in role.items() if value})


def _is_call(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def _beside(part: Part, name: str, type_: str, properties: Mapping[str, Any]) -> Part:
    body = {"Type": type_, "Condition": part.body["Condition"]} if "Condition" in part.body else {"Type": type_}
    return Part(name, type_, properties, body, part.lines)


def _table(properties: Mapping[str, Any]) -> dict[str, Any]:
    found = properties.get("PrimaryKey")
    key: Mapping[str, Any] = found if isinstance(found, Mapping) else {"Name": "id", "Type": "String"}
    own = {name: value for name, value in _tagged(properties).items() if name != "PrimaryKey"}
    letter = {"String": "S", "Number": "N", "Binary": "B"}.get(str(key.get("Type")), "S")
    own["KeySchema"] = [{"AttributeName": key.get("Name"), "KeyType": "HASH"}]
    own["AttributeDefinitions"] = [{"AttributeName": key.get("Name"), "AttributeType": letter}]
    return own


def _renamed(properties: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    dropped = ("Events", "Policies", "FunctionUrlConfig", "InlineCode", "CodeUri", "RetentionPolicy")
    return {names.get(key, key): value for key, value in _tagged(properties).items() if key not in dropped}


def _tagged(properties: Mapping[str, Any]) -> dict[str, Any]:
    """SAM writes tags as a mapping."""
    own = dict(properties)
    if isinstance(tags := own.get("Tags"), Mapping) and not _is_call(tags):
        own["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return own


def _with(defaults: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    """Globals under what the resource says itself: mappings are merged, lists joined, the rest overridden."""
    whole = dict(defaults) if isinstance(defaults, Mapping) else {}
    for key, value in own.items():
        base = whole.get(key)
        if isinstance(base, Mapping) and isinstance(value, Mapping) and not _is_call(value):
            whole[key] = _with(base, value)
        elif isinstance(base, list) and isinstance(value, list):
            whole[key] = [*base, *value]
        else:
            whole[key] = value
    return whole
