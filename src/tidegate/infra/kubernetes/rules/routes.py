"""Ingresses, routes and gateways: names and paths that are no longer served, and checks at the door that go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Unjudged
from tidegate.infra.kubernetes.objects import (
    mapping,
    mappings,
    sequence,
)
from tidegate.infra.kubernetes.rules.common import (
    created,
    deleted,
    labels,
    name_in,
    spec,
    updated,
)
from tidegate.infra.kubernetes.uses import backends
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import same, show
from tidegate.infra.values import Draft, Mitigation, ResourceChange, Value, World

ROUTERS = (
    "networking.k8s.io/Ingress",
    "route.openshift.io/Route",
    "gateway.networking.k8s.io/HTTPRoute",
    "gateway.networking.k8s.io/GRPCRoute",
    "gateway.networking.k8s.io/Gateway",
    "networking.istio.io/VirtualService",
    "networking.istio.io/Gateway",
    "projectcontour.io/HTTPProxy",
    "traefik.io/IngressRoute",
    "traefik.containo.us/IngressRoute",
)


_WATCHED: Mapping[str, tuple[str, str]] = {
    "nginx.ingress.kubernetes.io/whitelist-source-range": ("NET_EXPOSE", "anyone may reach it"),
    "nginx.ingress.kubernetes.io/auth-url": ("NET_EXPOSE", "requests are no longer checked for who sends them"),
    "nginx.ingress.kubernetes.io/auth-type": ("NET_EXPOSE", "requests are no longer checked for who sends them"),
    "nginx.ingress.kubernetes.io/auth-tls-secret": ("NET_EXPOSE", "clients need no certificate any more"),
    "nginx.ingress.kubernetes.io/enable-modsecurity": ("GUARD_REMOVED", "the web application firewall is off"),
    "nginx.ingress.kubernetes.io/modsecurity-snippet": ("GUARD_REMOVED", "the firewall's own rules are gone"),
    "alb.ingress.kubernetes.io/wafv2-acl-arn": ("GUARD_REMOVED", "the web application firewall is off"),
    "alb.ingress.kubernetes.io/inbound-cidrs": ("NET_EXPOSE", "anyone may reach it"),
}


def hosts(world: World) -> Iterator[Draft | Unjudged]:
    """Names and paths that ingresses and routes no longer serve."""
    kept = {host for one in world.after.values() if one.type in ROUTERS for host in hosts_of(one.values)}
    for change in (*updated(world, *ROUTERS), *deleted(world, *ROUTERS)):
        if change.action == "delete":
            lost = sorted(set(hosts_of(change.before)) - kept)
            served = listed(["every host" if one == "*" else one for one in lost]) if lost else "what it serves"
            heirs = _heirs(world, change)
            if heirs:
                reason = (
                    f"{change.address} is deleted, and {listed(heirs)} comes in its place: another"
                    " controller may answer at "
                    f"another address, so {served} is cut until DNS has followed."
                )
                back = "run both until DNS has moved"
                yield Draft("OUTAGE_PARTIAL", "medium", change.address, reason, True, back, certainty="possible")
            elif lost or not hosts_of(change.before):
                reason = f"{change.address} is deleted: {served} gets no answer any more from outside."
                yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "apply it again")
            continue
        lost = sorted(set(hosts_of(change.before)) - kept)
        if sequence(spec(change.before).get("parentRefs")) and not sequence(spec(change.after).get("parentRefs")):
            reason = f"spec.parentRefs of {change.address} is removed: no gateway sends it requests any more."
            yield Draft("OUTAGE_FULL", "high", change.address, reason, True, "keep the gateway")
        if lost:
            now = sorted(set(hosts_of(change.after)) - set(hosts_of(change.before)))
            instead = f" ({listed(now)} instead)" if now else ""
            reason = (
                f"{change.address} no longer serves the host {listed(lost)}{instead}: requests to it are not routed."
            )
            back = "keep the old host until nobody asks it"
            yield Draft(
                "OUTAGE_FULL" if not hosts_of(change.after) or now else "OUTAGE_PARTIAL",
                "high",
                change.address,
                reason,
                True,
                back,
            )
        else:
            yield from _paths_lost(change)
            yield from _backends_lost(world, change)


def protection(world: World) -> Iterator[Draft | Unjudged]:
    """Certificates, classes and checks of ingresses that go."""
    for change in updated(world, *ROUTERS, "v1/Service"):
        old, new = _tls_hosts(change.before), _tls_hosts(change.after)
        lost = sorted(old - new)
        if lost and not (new and "*" in new):
            reason = f"{change.address}: TLS is removed for {listed(lost)}; requests to it go in clear or fail."
            yield Draft("TLS_OFF", "high", change.address, reason, True, "keep spec.tls")
        before, after = _class(change.before), _class(change.after)
        if before and after and before != after:
            reason = (
                f"the class of {change.address} {before} -> {after}: another controller with another address serves "
                "its hosts, and the old one stops; DNS has to follow."
            )
            yield Draft("OUTAGE_PARTIAL", "high", change.address, reason, True, "run both until DNS has moved")
        yield from _annotations(change)


def hosts_of(values: Mapping[str, Value] | None) -> list[str]:
    """The host names that an ingress, a route or a gateway serves."""
    found = spec(values)
    listed_ = [str(one.get("host")) for one in mappings(found.get("rules")) if one.get("host")]
    listed_ += [str(found["host"])] if isinstance(found.get("host"), str) else []
    listed_ += [str(one) for key in ("hostnames", "hosts") for one in sequence(found.get(key))]
    for one in (*mappings(found.get("listeners")), *mappings(found.get("servers"))):
        listed_ += [str(one["hostname"])] if one.get("hostname") else []
        listed_ += [str(host).rpartition("/")[2] for host in sequence(one.get("hosts"))]
    fqdn = mapping(found.get("virtualhost")).get("fqdn")
    listed_ += [str(fqdn)] if fqdn else []
    return listed_


# Private


def _heirs(world: World, change: ResourceChange) -> list[str]:
    """New routes to the same services, or new gateways where a gateway goes."""
    mine = backends(change.type, change.before)
    return [
        one.address
        for one in created(world, *ROUTERS)
        if mine & backends(one.type, one.after) or (change.type.endswith("/Gateway") and one.type.endswith("/Gateway"))
    ]


def _paths_lost(change: ResourceChange) -> Iterator[Draft]:
    old, new = _routes(change.before), _routes(change.after)
    lost = sorted(old - new)
    if not lost or any(path in ("/", "") for host, path in new if host in {one for one, _ in lost}):
        return
    shown = listed([f"{host}{path}" for host, path in lost])
    reason = f"{change.address} no longer routes {shown}: requests to it get 404."
    yield Draft("OUTAGE_PARTIAL", "high" if not new else "medium", change.address, reason, True, "keep the path")


def _routes(values: Mapping[str, Value] | None) -> set[tuple[str, str]]:
    found = set()
    for rule in mappings(spec(values).get("rules")):
        host = str(rule.get("host") or "")
        for one in mappings(mapping(rule.get("http")).get("paths")):
            found.add((host, str(one.get("path") or "/").rstrip("*").rstrip("/") or "/"))
        for one in mappings(rule.get("matches")):
            found.add(("", str(mapping(one.get("path")).get("value") or "/")))
    if isinstance(spec(values).get("path"), str):
        found.add((str(spec(values).get("host") or ""), str(spec(values)["path"])))
    return found


def _backends_lost(world: World, change: ResourceChange) -> Iterator[Draft]:
    old, new = backends(change.type, change.before), backends(change.type, change.after)
    names = _service_names(world)
    missing = sorted(one for one in new - old if names and old & _service_names(world, False) and one not in names)
    if missing:
        reason = (
            f"{change.address} sends requests to {listed(missing)} instead of "
            f"{listed(sorted(old - new) or sorted(old))}, "
            "and no such service is in the set: they get 503."
        )
        yield Draft(
            "OUTAGE_PARTIAL", "high", change.address, reason, True, "name a service that exists", certainty="possible"
        )


def _service_names(world: World, after: bool = True) -> set[str]:
    side = world.after if after else world.before
    return {name_in(one.values) for one in side.values() if one.type in ("v1/Service", "serving.knative.dev/Service")}


def _tls_hosts(values: Mapping[str, Value] | None) -> set[str]:
    found = spec(values)
    if isinstance(found.get("tls"), Mapping):
        return {"*"} if found["tls"] else set()
    names: set[str] = set()
    for one in mappings(found.get("tls")):
        names |= {str(host) for host in sequence(one.get("hosts"))} or {"*"}
    for one in mappings(found.get("listeners")):
        if one.get("tls"):
            names.add(str(one.get("hostname") or "*"))
    return names


def _class(values: Mapping[str, Value] | None) -> str:
    notes = labels(values, "annotations")
    return str(spec(values).get("ingressClassName") or notes.get("kubernetes.io/ingress.class") or "")


def _words(value: Value) -> list[str]:
    return [one.strip() for one in str(value or "").split(",") if one.strip()]


def _annotations(change: ResourceChange) -> Iterator[Draft]:
    old, new = labels(change.before, "annotations"), labels(change.after, "annotations")
    for key, (code, words) in _WATCHED.items():
        was, now = old.get(key), new.get(key)
        off = was is not None and (now is None or str(now).lower() in ("false", "0.0.0.0/0", ""))
        if off and str(was).lower() not in ("false", "0.0.0.0/0", ""):
            reason = f"{key} of {change.address} is {'removed' if now is None else show(now)}: {words}."
            if code == "NET_EXPOSE":
                yield Draft("NET_EXPOSE", "high", change.address, reason, True, "keep it")
            else:
                yield Draft("GUARD_REMOVED", "medium", change.address, reason, True, "keep it")
        elif (
            key.endswith(("source-range", "inbound-cidrs"))
            and was is not None
            and now is not None
            and not same(was, now)
        ):
            gone = sorted({*str(was).replace(" ", "").split(",")} - {*str(now).replace(" ", "").split(",")})
            if gone and "0.0.0.0/0" not in str(was):
                reason = f"{key} of {change.address} no longer lets {listed(gone)} in."
                yield Draft(
                    "NET_CUT",
                    "low",
                    change.address,
                    reason,
                    True,
                    "set it back",
                    mitigations=(Mitigation("access is narrowed"),),
                )
    names = "external-dns.alpha.kubernetes.io/hostname"
    lost = sorted({*_words(old.get(names))} - {*_words(new.get(names))})
    if lost:
        reason = (
            f"{names} of {change.address} loses {listed(lost)}: external-dns deletes the record, and the name ends."
        )
        yield Draft("DNS_CHANGE", "high", change.address, reason, True, "keep the name until nobody asks it")
    scheme = "alb.ingress.kubernetes.io/scheme"
    if old.get(scheme) == "internal" and new.get(scheme) == "internet-facing":
        reason = f"{scheme} internal -> internet-facing: {change.address} is reachable from the internet."
        yield Draft("NET_EXPOSE", "high", change.address, reason, True, "keep it internal")
    key = "nginx.ingress.kubernetes.io/ssl-redirect"
    if str(new.get(key)).lower() == "false" and str(old.get(key)).lower() != "false":
        reason = f"{key} -> false: {change.address} answers in clear text too."
        yield Draft("TLS_OFF", "medium", change.address, reason, True, "remove it")
