"""Encryption in transit: switched off, made weaker, or forced on clients that may not speak it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import EffectCode, Severity
from tidegate.infra.flows.links import leaves
from tidegate.infra.same import field, flag, items, pair, show
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World


def transport(world: World) -> Iterator[Draft]:
    """What clients and servers send in the clear after a change, and whom forced TLS cuts."""
    for change in world.changes:
        if change.action not in ("update", "replace"):
            if change.action == "delete" and change.type in _LISTENERS:
                yield from _redirect_gone(world, change)
            continue
        yield from _parameters(change)
        yield from _switches(change)
        yield from _levels(change)
        if change.type in _LISTENERS:
            yield from _listener(change)


# Private

_LISTENERS = ("aws_lb_listener", "aws_alb_listener", "aws_lb_listener_rule", "aws_alb_listener_rule")
_FORCING = ("rds.force_ssl", "require_secure_transport", "rds.force_tls", "require_ssl", "tls", "ssl")
_LISTS = ("parameter", "parameters", "db_parameter", "db_parameters", "cluster_parameter", "database_flags")
_LISTS_IN = tuple(f"settings.{name}" for name in ("database_flags",))
_HOLDS_DEFAULT = ("db_parameter",)
"""Inputs of database modules of which the default forces TLS; a list given for them replaces it."""

_SWITCHES = (
    "force_ssl",
    "require_ssl",
    "settings.ip_configuration.require_ssl",
    "ssl_enforcement_enabled",
    "transit_encryption_enabled",
    "https_only",
    "https_traffic_only_enabled",
    "enable_https_traffic_only",
    "require_tls",
    "in_transit_encryption_enabled",
    "domain_endpoint_options.enforce_https",
    "require_secure_transport",
    "encryption_in_transit_enabled",
)
_OPENED = ("enable_non_ssl_port", "non_ssl_port_enabled")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "encryption_info.encryption_in_transit.client_broker": ("plaintext", "tls_plaintext", "tls"),
    "client_broker": ("plaintext", "tls_plaintext", "tls"),
    "settings.ip_configuration.ssl_mode": (
        "allow_unencrypted_and_encrypted",
        "encrypted_only",
        "trusted_client_certificate_required",
    ),
    "transit_encryption": ("disabled", "enabled"),
    "volume.efs_volume_configuration.transit_encryption": ("disabled", "enabled"),
    "viewer_protocol_policy": ("allow-all", "redirect-to-https", "https-only"),
    "default_cache_behavior.viewer_protocol_policy": ("allow-all", "redirect-to-https", "https-only"),
    "origin_protocol_policy": ("http-only", "match-viewer", "https-only"),
    "tls_policy": ("optional", "require"),
    "delivery_options.tls_policy": ("optional", "require"),
}
"""Values from the weakest to the strongest."""

_VERSIONS = (
    "ssl_policy", "minimum_protocol_version", "viewer_certificate.minimum_protocol_version", "security_policy",
    "min_tls_version", "minimum_tls_version", "ssl_minimal_tls_version_enforced", "tls_security_policy",
    "domain_endpoint_options.tls_security_policy", "minimal_tls_version", "site_config.minimum_tls_version",
    "ssl_policy.min_protocol_version", "ssl_policy.policy_name", "domain_name_configuration.security_policy",
)  # fmt: skip


def _parameters(change: ResourceChange) -> Iterator[Draft]:
    for name in (*_LISTS, *_LISTS_IN):
        before, after = field(change.before, name), field(change.after, name)
        if before is None and after is None:
            continue
        if isinstance(before, Later) or isinstance(after, Later):
            continue
        old, new = _forced(before), _forced(after)
        shown = change.spelled.get(name, name)
        for key in sorted({*old, *new}):
            yield from _parameter(change, shown, key, old.get(key), new.get(key))
        default = name in _HOLDS_DEFAULT and not items(before) and items(after)
        if default and not new and _database(change):
            yield _off(
                change,
                "high",
                f"{shown} is given to {change.address} for the first time: a list given here replaces the module's "
                f"default, which holds rds.force_ssl = 1, and the new one ({_names(after)}) does not. The database no "
                "longer refuses clients without TLS. Put rds.force_ssl = 1 into the list.",
            )


def _parameter(change: ResourceChange, shown: str, key: str, old: Value, new: Value) -> Iterator[Draft]:
    was, now = _on(old), _on(new)
    if was and not now:
        gone = f"{show(old)} -> {show(new)}" if new is not None else "is dropped from the list"
        yield _off(
            change, "high", f"{key} in {shown} of {change.address} {gone}: clients without TLS are let in again."
        )
    elif now and not was:
        yield _on_draft(
            change, f"{key} {show(old)} -> {show(new)} in {shown} of {change.address}", "connections break at once"
        )


def _forced(value: Value) -> dict[str, Value]:
    found = {}
    for one in items(value):
        if isinstance(one, Mapping) and str(one.get("name", "")).lower() in _FORCING:
            found[str(one["name"])] = one.get("value", one.get("parameter_value"))
    if isinstance(value, Mapping):
        found.update({str(key): inner for key, inner in value.items() if str(key).lower() in _FORCING})
    return found


def _on(value: Value) -> bool:
    return flag(value) is True or str(value).lower() in ("required", "tls1.2+", "tls1.3+", "fips-140-3")


def _names(value: Value) -> str:
    found = [str(one.get("name")) for one in items(value) if isinstance(one, Mapping) and one.get("name")]
    return ", ".join(found[:3]) + (" ..." if len(found) > 3 else "") or show(value)


def _database(change: ResourceChange) -> bool:
    values = {**(change.before or {}), **(change.after or {})}
    engine = str(values.get("db_engine") or values.get("engine") or values.get("rds_family") or "postgres").lower()
    return engine.startswith("postgres") or "rds.force_ssl" in engine


def _switches(change: ResourceChange) -> Iterator[Draft]:
    for name in _SWITCHES:
        found = pair(change, name)
        if not found.changed or not found.known or isinstance(found.after, Mapping):
            continue
        was, now = flag(found.before) is True, flag(found.after) is True
        if was and not now:
            yield _off(
                change, "high", f"{found} on {change.address}: clients may send in the clear what was encrypted before."
            )
        elif now and not was:
            yield _on_draft(change, f"{found} on {change.address}", "connections break at once")
    for name in _OPENED:
        found = pair(change, name)
        if found.changed and flag(found.after) is True:
            yield _off(change, "high", f"{found} on {change.address}: the port without TLS is open again.")


def _levels(change: ResourceChange) -> Iterator[Draft]:
    for name, order in _WORDS.items():
        found = pair(change, name)
        before, after = str(found.before).lower(), str(found.after).lower()
        if found.changed and before in order and after in order:
            if order.index(after) < order.index(before):
                yield _off(
                    change, "high", f"{found} on {change.address}: connections without encryption are let in again."
                )
            elif order.index(after) == len(order) - 1 and order.index(before) == 0:
                yield _on_draft(change, f"{found} on {change.address}", "plain connections break")
    for name in _VERSIONS:
        found = pair(change, name)
        if not found.changed or not isinstance(found.before, str) or not isinstance(found.after, str):
            continue
        before_version, after_version = _version(found.before), _version(found.after)
        if before_version and after_version and after_version < before_version:
            low = after_version < 12
            yield _off(
                change,
                "high" if low else "medium",
                f"{found} on {change.address}: TLS {_shown(after_version)} is accepted, {_shown(before_version)} was "
                "the least before.",
            )


def _version(text: str) -> int:
    """The least TLS version that a policy's name stands for, times ten; 0 where nobody knows."""
    plain = text.lower().replace("_", "-").replace(".", "-")
    if plain in ("disabled", "none"):
        return 1
    if plain in ("sslv3", "elbsecuritypolicy-2014-01", "elbsecuritypolicy-2011-08"):
        return 3
    if "tls13-1-3" in plain or plain in ("tls1-3", "tlsv1-3", "tls-1-3", "1-3"):
        return 13
    for part, version in (
        ("tls13-1-2", 12), ("tls13-1-1", 11), ("tls13-1-0", 10), ("tls-1-2", 12), ("tls-1-1", 11), ("tls-1-0", 10),
        ("fs-1-2", 12), ("fs-1-1", 11), ("fs-2018", 10), ("tlsv1-2", 12), ("tlsv1-1", 11), ("tls1-2", 12),
        ("tls1-1", 11), ("tls1-0", 10), ("min-tls-1-2", 12), ("elbsecuritypolicy-2016-08", 10),
        ("elbsecuritypolicy-2015-05", 10), ("appgwsslpolicy20220101", 12), ("appgwsslpolicy20170401s", 12),
        ("appgwsslpolicy20170401", 11), ("appgwsslpolicy20150501", 10),
    ):  # fmt: skip
        if part in plain:
            return version
    if plain in ("tlsv1", "tlsv1-2016", "1-0"):
        return 10
    return {"1-1": 11, "1-2": 12}.get(plain, 0)


def _shown(version: int) -> str:
    return f"{version // 10}.{version % 10}" if version >= 10 else "no version" if version == 1 else "SSL 3"


def _listener(change: ResourceChange) -> Iterator[Draft]:
    found = pair(change, "protocol")
    before, after = str(found.before).upper(), str(found.after).upper()
    if before in ("HTTPS", "TLS") and after in ("HTTP", "TCP"):
        yield _off(change, "high", f"{found} on {change.address}: clients talk to it in the clear.")
    if _redirects(change.before) and not _redirects(change.after) and not _unsettled(change.after):
        shown = pair(change, "default_action", "action")
        yield _off(
            change,
            "medium",
            f"The redirect to HTTPS in {shown.shown} of {change.address} is removed: HTTP is answered in the clear.",
        )


def _redirect_gone(world: World, change: ResourceChange) -> Iterator[Draft]:
    if _redirects(change.before) and not any(
        one.address != change.address and _redirects(one.after) for one in world.changes if one.type in _LISTENERS
    ):
        yield Draft(
            "TLS_OFF",
            "low",
            change.address,
            f"Deleting {change.address} removes the redirect from HTTP to HTTPS: who comes by http:// gets no answer.",
            reversible=True,
            back="put the listener back",
        )


def _redirects(values: Mapping[str, Value] | None) -> bool:
    return any(
        isinstance(one, Mapping) and "HTTPS" in (str(one.get("protocol")).upper(), str(one.get("Protocol")).upper())
        for one in leaves(values, "redirect")
    )


def _unsettled(values: Mapping[str, Value] | None) -> bool:
    return any(isinstance(leaf, Later) for name in ("default_action", "action") for leaf in leaves(values, name))


def _off(change: ResourceChange, severity: Severity, text: str) -> Draft:
    code: EffectCode = "TLS_OFF"
    return Draft(code, severity, change.address, text, reversible=True, back="set it back and apply again")


def _on_draft(change: ResourceChange, subject: str, when: str) -> Draft:
    return Draft(
        "TLS_ON",
        "high",
        change.address,
        f"{subject}: clients that do not use TLS are refused, {when} or at the next reboot. Make sure first that every "
        "client connects with TLS.",
        reversible=True,
        back="set it back, which needs a reboot where it needed one",
    )
