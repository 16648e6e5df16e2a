"""Feature flags that Terraform keeps: what a change of them switches off or on for everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.infra.same import flag, pair
from tidegate.infra.values import Draft, World


def flags(world: World) -> Iterator[Draft]:
    """Flags of LaunchDarkly, Unleash and others that are switched; what they are is judged by their names."""
    for change in world.changes:
        if change.action != "update" or change.type not in _STATES:
            continue
        state = pair(change, *_STATES[change.type])
        before, after = flag(state.before), flag(state.after)
        if not state.changed or before is None or after is None:
            continue
        from tidegate.infra.pipelines.flags import BACK, Flag, judged

        name = next(
            (str(change.after[key]) for key in _NAMES if change.after and change.after.get(key)), change.address
        )
        name = name.rpartition("/")[2]
        for code, severity, reason, certainty in judged(Flag(name, float(before)), Flag(name, float(after))):
            yield Draft(code, severity, change.address, f"{state}: {reason}", True, BACK, certainty=certainty)


# Private

_NAMES = ("flag_id", "key", "feature_name", "name")
_STATES: Mapping[str, tuple[str, ...]] = {
    "launchdarkly_feature_flag_environment": ("on", "targeting_enabled"),
    "unleash_feature_v2": ("enabled",),
    "unleash_feature_enabling": ("enabled",),
    "unleash_feature": ("enabled",),
    "flipt_flag": ("enabled",),
    "growthbook_feature": ("enabled",),
    "posthog_feature_flag": ("active",),
}
