"""Names: records and zones that go, that point elsewhere, or that no longer get traffic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.flows.links import Side, leaves, resolved, side_of
from tidegate.infra.flows.tables import RECORDS
from tidegate.infra.rules.words import unsure
from tidegate.infra.same import field, flag, number, pair, show
from tidegate.infra.values import Draft, Later, Mitigation, ResourceChange, Value, World


def names(world: World) -> Iterator[Draft]:
    """What happens to names that clients look up. TTLs are no matter; a record that pointed at nothing may go."""
    changes = [one for one in world.changes if _names(one.type) and one.action in ("update", "delete", "replace")]
    if not changes:
        return
    side = side_of(world.before, world.uses_before)
    taken: dict[str, list[ResourceChange]] = {}
    for one in world.changes:
        if one.after is not None and _names(one.type):
            taken.setdefault(_key(one.after), []).append(one)
    dying = {one.address for one in world.changes if one.action == "delete"}
    for change in changes:
        if change.type in _ZONES:
            yield from _zone(change)
        elif change.type in RECORDS or change.type in _OTHER_RECORDS:
            yield from _record(taken, side, change, dying)
        elif change.type in _DELEGATIONS:
            yield from _delegation(change)


# Private

_ZONES = frozenset(
    {"aws_route53_zone", "google_dns_managed_zone", "azurerm_dns_zone", "azurerm_private_dns_zone", "cloudflare_zone"}
)
_OTHER_RECORDS: Mapping[str, str] = {
    "azurerm_dns_mx_record": "MX",
    "azurerm_dns_ns_record": "NS",
    "azurerm_dns_txt_record": "TXT",
    "azurerm_dns_srv_record": "SRV",
    "azurerm_dns_caa_record": "CAA",
}
_DELEGATIONS = frozenset({"aws_route53domains_registered_domain", "aws_route53_zone_association"})
_TARGETS = ("records", "record", "rrdatas", "alias.name", "target_resource_id", "content", "value")
_CALLED = ("name", "hostname", "fqdn", "zone", "domain_name")
_CERTIFICATES = ("aws_acm_certificate", "google_certificate_manager_dns_authorization")
_MINOR = ("TXT", "CAA", "SPF", "PTR")


def _names(type_: str) -> bool:
    return type_ in RECORDS or type_ in _ZONES or type_ in _OTHER_RECORDS or type_ in _DELEGATIONS


def _record(
    taken: Mapping[str, list[ResourceChange]], side: Side, change: ResourceChange, dying: set[str]
) -> Iterator[Draft]:
    kind, name = _kind(change), _name(change)
    grave = kind in ("NS", "MX") or _apex(name)
    if change.action == "delete":
        if _validates(change, name) or _proves(side, change) or _dangling(side, change, dying):
            return
        yield _deleted(taken, change, kind, name)
        return
    if _validates(change, name):
        return
    moved = pair(change, "name")
    if change.action == "replace" and moved.changed and moved.known and moved.before is not None:
        yield _said(
            change,
            "high" if kind not in _MINOR else "medium",
            f"{moved} replaces {change.address}: the name {show(moved.before)} no longer resolves.",
        )
        return
    yield from _weights(change, name)
    target = pair(change, *_TARGETS)
    if not target.changed or not target.known or target.before is None or _later(target.after):
        return
    if kind in _MINOR or _pointed_at(change.before) <= _pointed_at(change.after):
        return
    severity: Severity = "high" if grave else "medium"
    what = {"NS": "who answers for the zone", "MX": "where mail goes"}.get(kind, "where clients go")
    yield _said(
        change,
        severity,
        f"{target} on {change.address} ({name}) changes {what}; resolvers keep the old answer until its TTL is over.",
    )


def _deleted(taken: Mapping[str, list[ResourceChange]], change: ResourceChange, kind: str, name: str) -> Draft:
    known_by = _key(change.before)
    others = taken.get(known_by, ()) if known_by else ()
    again = next((one for one in others if _replaces(one, change, kind)), None)
    if again is not None:
        return _said(
            change,
            "low" if again.action == "create" else "medium",
            f"{change.address} is destroyed and {again.address} takes the name {name}: a moved block keeps the record "
            "in place, and without it the name can be gone for a moment.",
        )
    severity: Severity = "low" if kind in _MINOR else "high"
    if kind == "NS":
        text = f"Deleting {change.address} takes the delegation (NS) of {name} away: all below it is cut."
        severity = "critical"
    elif kind == "MX":
        text = f"Deleting {change.address} takes the MX record of {name} away: mail to it is no longer delivered."
    else:
        text = f"Deleting {change.address}: the name {name} ({kind or 'record'}) no longer resolves."
    return _said(change, severity, text)


def _replaces(one: ResourceChange, change: ResourceChange, kind: str) -> bool:
    if one.after is None or one.address == change.address or one.type in _ZONES:
        return False
    return _kind_of(one.type, one.after) == kind or kind in ("", "A")


def _weights(change: ResourceChange, name: str) -> Iterator[Draft]:
    weight = pair(change, "weighted_routing_policy.weight", "weight")
    if weight.changed and weight.known and number(weight.after) == 0 and number(weight.before):
        yield _said(
            change,
            "high",
            f"{weight} on {change.address}: this target of {name} gets no traffic any more; if no other record of the "
            "name has a weight, nobody answers.",
        )


def _zone(change: ResourceChange) -> Iterator[Draft]:
    name = _name(change)
    if change.destroyed:
        does = "Deleting" if change.action == "delete" else "Replacing"
        servers = "" if change.action == "delete" else " The new zone has other name servers, which no registrar knows."
        yield _said(
            change,
            "critical",
            f"{does} the zone {change.address} ({name}) takes every name in it away: none of them resolves.{servers}",
            unsure(change),
        )
    elif flag(pair(change, "force_destroy").after) and not flag(pair(change, "force_destroy").before):
        yield _said(
            change, "low", f"{pair(change, 'force_destroy')} on {change.address}: its records can go together with it."
        )


def _delegation(change: ResourceChange) -> Iterator[Draft]:
    servers = pair(change, "name_server", "name_servers")
    if change.type == "aws_route53_zone_association" and change.action == "delete":
        yield _said(
            change, "high", f"Deleting {change.address}: the network no longer resolves the private zone's names."
        )
    elif servers.changed and servers.known and servers.before is not None:
        yield _said(change, "high", f"{servers} on {change.address}: other servers answer for the whole domain.")


def _said(change: ResourceChange, severity: Severity, text: str, less: tuple[Mitigation, ...] = ()) -> Draft:
    ttl = field(change.before, "ttl")
    back = f"put the record back; resolvers forget within the TTL ({show(ttl)} s)" if ttl else "put it back"
    return Draft("DNS_CHANGE", severity, change.address, text, reversible=True, back=back, mitigations=less)


def _dangling(side: Side, change: ResourceChange, dying: set[str]) -> bool:
    """Whether a record only pointed at what goes away too; the loss of that is an outage of its own."""
    targets = [
        address
        for name in _TARGETS
        for leaf in leaves(change.before, name)
        if isinstance(leaf, str)
        for address in resolved(side, leaf)
    ]
    targets += [use.used for use in side.uses.used(change.address) if use.through.startswith(("alias", "record"))]
    return bool(targets) and all(address in dying for address in targets)


def _validates(change: ResourceChange, name: str) -> bool:
    """Whether a record only proves to an authority that the name is owned."""
    return name.startswith("_") or "acm-validations" in show(pair(change, *_TARGETS).before)


def _proves(side: Side, change: ResourceChange) -> bool:
    """Whether a record is made of what a certificate asks for: its own name comes from there."""
    named = (use for use in side.uses.used(change.address) if use.through.startswith(("name", "for_each", "count")))
    return any(use.used.partition("[")[0].rpartition(".")[0].endswith(_CERTIFICATES) for use in named)


def _kind(change: ResourceChange) -> str:
    return _kind_of(change.type, change.before or change.after or {})


def _kind_of(type_: str, values: Mapping[str, Value]) -> str:
    if type_ in _OTHER_RECORDS:
        return _OTHER_RECORDS[type_]
    said = values.get("type")
    return said.upper() if isinstance(said, str) else ""


def _name(change: ResourceChange) -> str:
    return _name_of(change.before or change.after or {}) or change.address


def _name_of(values: Mapping[str, Value]) -> str:
    for key in _CALLED:
        value = values.get(key)
        if isinstance(value, str) and value:
            return value.rstrip(".")
    return ""


def _key(values: Mapping[str, Value] | None) -> str:
    """What a record is called, as text to compare: also a name that code does not settle, by its words."""
    name = _name_of(values or {})
    if name:
        return name.lower()
    later = next((one for key in _CALLED if isinstance(one := (values or {}).get(key), Later) and one.words), None)
    return f"${{{later.words}}}" if later is not None else ""


def _pointed_at(values: Mapping[str, Value] | None) -> set[str]:
    """Everything that a record answers with, as a list of records or as an alias alike."""
    found = (one for name in _TARGETS for one in _each(field(values, name)))
    return {str(one).rstrip(".").lower() for one in found if one is not None}


def _apex(name: str) -> bool:
    return name == "@" or (name.count(".") == 1 and name.replace(".", "").replace("-", "").isalnum())


def _each(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _later(value: Value) -> bool:
    return any(isinstance(one, Later) for one in _each(value))
