"""Values in Terraform's spelling: names in lower case with `_`, tags as a mapping, what people key left as it is."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.infra.cloudformation.names import snake
from tidegate.infra.values import Value


def plain(key: str, value: Value, spelled: dict[str, str] | None = None) -> Value:
    """A value with Terraform's spelling of the names inside; maps and documents that people key stay as they are."""
    if key == "Tags":
        return tags(value)
    if key in _OPAQUE:
        return value
    if isinstance(value, Mapping):
        found = {}
        for inner, one in value.items():
            target = snake(inner)
            if spelled is not None:
                spelled.setdefault(target, inner)
            found[target] = plain(inner, one, spelled)
        return found
    if isinstance(value, list):
        return [plain("", one, spelled) for one in value]
    return value


def tags(value: Value) -> Value:
    """`[{Key, Value}]` as a mapping."""
    if not isinstance(value, list):
        return value
    return {str(one.get("Key")): one.get("Value") for one in value if isinstance(one, Mapping)}


# Private

_OPAQUE = frozenset(
    """
    Variables Parameters EnvironmentVariables DefinitionSubstitutions StageVariables DefinitionString Definition Body
    BodyS3Location Dashboard DashboardBody ResponseTemplates RequestTemplates EventPattern Labels NodeSelector
    PolicyDocument AssumeRolePolicyDocument KeyPolicy Policy AccessPolicies RedrivePolicy RedriveAllowPolicy
    FilterPolicy FileSystemPolicy RepositoryPolicyText ResourcePolicy Content Metadata Code InputTemplate PolicyText
    LifecyclePolicyText AdvancedOptions InlinePolicy Transform
    """.split()
)
