"""Web application firewalls that go away, let go of what they guard, or only count what they used to block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from tidegate.facts import EffectCode, Severity
from tidegate.infra.same import field, flag, items, pair, show
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World

FIREWALLS = (
    *("aws_wafv2_web_acl", "aws_wafregional_web_acl", "aws_waf_web_acl", "google_compute_security_policy"),
    *("azurerm_web_application_firewall_policy", "azurerm_frontdoor_firewall_policy"),
    *("azurerm_cdn_frontdoor_firewall_policy", "aws_networkfirewall_firewall", "aws_shield_protection"),
)
ASSOCIATIONS = ("aws_wafv2_web_acl_association", "aws_wafregional_web_acl_association")


def removed(world: World) -> Iterator[Draft]:
    """A WAF or its tie to what it guards is destroyed while that stays."""
    going = {one.address for one in world.changes if one.action == "delete"}
    for change in world.changes:
        if change.action != "delete" or change.type not in (*FIREWALLS, *ASSOCIATIONS):
            continue
        guarded = sorted(_guarded(world, change))
        left = [one for one in guarded if one not in going and not _still_guarded(world, one, change.address)]
        if guarded and not left:
            continue
        if change.type in ASSOCIATIONS and (set(_owners(world, change)) & going or _tied_anew(world, change, left)):
            continue
        yield from _both(change, _gone_words(change, left), "high")


def detached(world: World) -> Iterator[Draft]:
    """A distribution, balancer or gateway that names no WAF any more."""
    for change in world.changes:
        if change.before is None or change.after is None or change.action in ("no-op", "read", "forget"):
            continue
        found = pair(change, *_LINKS.get(change.type, ("",)))
        if change.type in _LINKS and found.before and not found.after:
            words = (
                f"{change.address}: {found}: no WAF stands before it any more, so what the rules blocked gets through."
            )
            yield from _both(change, words, "high")


def loosened(world: World) -> Iterator[Draft]:
    """A WAF that stays and blocks less: its default, its mode, and each rule by its name."""
    for change in world.changes:
        if change.before is None or change.after is None or change.action in ("no-op", "read", "forget"):
            continue
        if change.type in FIREWALLS:
            words = list(_looser(change))
            if words:
                text = "; ".join(words)
                yield Draft(
                    "GUARD_REMOVED",
                    "high",
                    change.address,
                    f"The WAF {change.address} blocks less: {text}. What these rules kept out gets through.",
                    reversible=True,
                    back="Set the rules back and apply again.",
                )


# Private

_KEYS = re.compile(r"\[[^\]]*\]")
_LINKS: Mapping[str, tuple[str, ...]] = {
    "aws_cloudfront_distribution": ("web_acl_id",),
    "google_compute_backend_service": ("security_policy",),
    "google_compute_region_backend_service": ("security_policy",),
    "azurerm_application_gateway": ("firewall_policy_id", "waf_configuration.enabled"),
    "azurerm_frontdoor": ("frontend_endpoint.web_application_firewall_policy_link_id",),
    "aws_apprunner_service": ("web_acl_arn",),
}

_GUARDED = ("aws_lb", "aws_alb", "aws_api_gateway_stage", "aws_appsync_graphql_api", "aws_cognito_user_pool", "aws_eip")


def _both(change: ResourceChange, words: str, severity: Severity) -> Iterator[Draft]:
    codes: tuple[EffectCode, ...] = ("GUARD_REMOVED", "NET_EXPOSE")
    for code in codes:
        yield Draft(
            code,
            severity,
            change.address,
            words,
            reversible=True,
            back="Add the WAF again and tie it to the same address.",
        )


def _gone_words(change: ResourceChange, left: list[str]) -> str:
    names = ", ".join(left[:3]) or "what it guards"
    if change.type in ASSOCIATIONS:
        return f"{change.address} is removed: no WAF stands before {names} any more; requests reach it unfiltered."
    lists = " Its IP allow-list goes with it: addresses that were kept out get in." if _has_allow_list(change) else ""
    return f"The WAF {change.address} is destroyed: {names} answers every request unfiltered.{lists}"


def _has_allow_list(change: ResourceChange) -> bool:
    text = repr(change.before)
    return "ip_set_reference" in text or "ip_set" in text or "src_ip_ranges" in text or "AllowListed" in text


def _guarded(world: World, change: ResourceChange) -> Iterator[str]:
    """What stands behind a WAF: who names it, and what its associations name."""
    ties = [change.address] if change.type in ASSOCIATIONS else []
    for use in world.uses_before.users(change.address):
        if _type(use.user) in ASSOCIATIONS:
            ties.append(use.user)
        elif _type(use.user) in (*_LINKS, *_GUARDED):
            yield use.user
    for tie in ties:
        yield from (use.used for use in world.uses_before.used(tie) if _type(use.used) in (*_LINKS, *_GUARDED))


def _owners(world: World, change: ResourceChange) -> Iterator[str]:
    """The firewalls that an association ties: their own removal says it already."""
    yield from (use.used for use in world.uses_before.used(change.address) if _type(use.used) in FIREWALLS)


def _tied_anew(world: World, change: ResourceChange, left: Iterable[str]) -> bool:
    """Whether another association guards the same thing after the change."""
    wanted = set(left)
    mine = (change.before or {}).get("resource_arn")
    for address, resource in world.after.items():
        if resource.type in ASSOCIATIONS and address != change.address:
            arn = resource.values.get("resource_arn")
            used = {use.used for use in world.uses_after.used(address)}
            if used & wanted or (arn is not None and not isinstance(arn, Later) and arn == mine):
                return True
    return False


def _still_guarded(world: World, address: str, gone: str) -> bool:
    """Whether what lost this WAF names another one after the change."""
    resource = world.after.get(address)
    if resource is None:
        return False
    firewalls = [use for use in world.uses_after.used(address) if _type(use.used) in FIREWALLS and use.used != gone]
    return bool(firewalls) and any(field(resource.values, path) for path in _LINKS.get(resource.type, ()))


def _looser(change: ResourceChange) -> Iterator[str]:
    before, after = change.before or {}, change.after or {}
    default = _default(before), _default(after)
    if default == ("block", "allow"):
        yield "default_action block -> allow, so whoever no rule names gets in"
    for path in ("policy_settings.mode", "mode"):
        if str(field(before, path)).lower() == "prevention" and str(field(after, path)).lower() == "detection":
            yield f"{path} Prevention -> Detection"
    for path in ("policy_settings.enabled", "enabled"):
        if flag(field(before, path)) and flag(field(after, path)) is False:
            yield f"{path} true -> false"
    if isinstance(after.get("rule"), Later):
        return
    old, new = dict(_rules(before)), dict(_rules(after))
    for name, mode in old.items():
        now = new.get(name, "gone")
        if mode == "block" and now in ("gone", "count", "allow"):
            yield f"the rule {name} is removed" if now == "gone" else f"the rule {name} block -> {now.upper()}"


def _default(values: Mapping[str, Value]) -> str:
    return _action(values.get("default_action"))


def _rules(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Each rule's name and what it does: block, count or allow. A group of rules blocks unless it is overridden."""
    for one in (*items(values.get("rule")), *items(values.get("rules"))):
        if isinstance(one, Mapping):
            action = _action(one.get("action")) or _action(one.get("override_action"))
            name = next((one[key] for key in ("name", "rule_id", "priority") if one.get(key) is not None), "")
            yield (
                show(name),
                {"none": "block", "deny": "block", "captcha": "block", "challenge": "block"}.get(
                    action.partition("(")[0], action
                ),
            )
    for one in items(values.get("custom_rules")):
        if isinstance(one, Mapping):
            yield show(one.get("name")), str(one.get("action")).lower()


def _action(value: Value) -> str:
    """The kind of an action in any form: `{block: {}}`, `[{block: [{}]}]`, `{type: "BLOCK"}`, `deny(403)`."""
    for one in items(value):
        if isinstance(one, str):
            return one.lower()
        if isinstance(one, Mapping):
            kind = one.get("type")
            if isinstance(kind, str):
                return kind.lower()
            for key in ("block", "count", "allow", "captcha", "challenge", "none"):
                if one.get(key) is not None and one.get(key) != []:
                    return key
    return ""


def _type(address: str) -> str:
    """The type in an address: `module.edge.aws_lb.public[0]`."""
    parts = _KEYS.sub("", address).split(".")
    while len(parts) > 2 and parts[0] == "module":
        parts = parts[2:]
    return parts[0]
