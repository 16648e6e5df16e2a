"""What stops or starts anew for a while: subnets and node groups replaced, health checks changed, hosts rolled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.infra.flows.exits import exits_of
from tidegate.infra.flows.tables import LISTENERS, TARGET_GROUPS
from tidegate.infra.flows.view import View
from tidegate.infra.rules.words import named, replaced_why, unsure
from tidegate.infra.same import Pair, field, pair, same, show
from tidegate.infra.values import Draft, Later, ResourceChange, Value


def rolls(view: View, said: set[str]) -> Iterator[Draft]:
    """Outages that end by themselves or come only if something else is not ready; `said` are told of already."""
    yield from _subnets(view)
    for address in sorted(view.changes):
        change = view.changes[address]
        if change.type in _HEALTH:
            yield from _health(view, change)
        if change.type in _NODES:
            yield from _nodes(change)
        yield from _node_inputs(change)
        if change.type in _LAUNCH:
            yield from _launch(view, change)
        if change.type in _HOSTS and address not in said:
            yield from _host(view, change)


# Private

_PATHS = ("path", "port", "matcher", "protocol", "target", "request_path", "port_specification", "enabled")
_HEALTH: Mapping[str, tuple[str, ...]] = {
    **{
        type_: (*(f"health_check.{one}" for one in _PATHS), *(f"health_check_{one}" for one in _PATHS))
        for type_ in (*sorted(TARGET_GROUPS), "aws_elb")
    },
    "google_compute_health_check": tuple(
        f"{kind}_health_check.{one}" for kind in ("http", "https", "tcp", "http2") for one in ("request_path", "port")
    ),
    "google_compute_http_health_check": ("request_path", "port"),
    "azurerm_lb_probe": ("request_path", "port", "protocol"),
    "aws_route53_health_check": ("resource_path", "port", "type", "fqdn", "disabled", "inverted"),
}
_NODES = ("aws_eks_node_group", "google_container_node_pool", "azurerm_kubernetes_cluster_node_pool")
_NODE_INPUTS = (
    "eks_managed_node_groups",
    "self_managed_node_groups",
    "node_groups",
    "managed_node_groups",
    "node_pools",
)
_LAUNCH = ("aws_launch_template", "aws_launch_configuration")
_HOSTS = ("aws_instance", "google_compute_instance", "azurerm_linux_virtual_machine", "azurerm_windows_virtual_machine")


def _subnets(view: View) -> Iterator[Draft]:
    gone = {
        address
        for address, change in view.changes.items()
        if change.destroyed and not change.create_first and change.type in ("aws_subnet", "google_compute_subnetwork")
    }
    if not gone:
        return
    placed = exits_of(view.before).inhabitants
    homes: dict[str, set[str]] = {}
    for subnet, found in placed.items():
        for one in found:
            homes.setdefault(one, set()).add(subnet)
    for subnet in sorted(gone):
        change = view.changes[subnet]
        inside = [one for one in placed.get(subnet, ()) if one not in view.changes or not view.changes[one].destroyed]
        if not inside:
            continue
        all_gone = [one for one in inside if homes[one] <= gone]
        does = f"{replaced_why(change)} replaces {subnet}" if change.action == "replace" else f"{subnet} is deleted"
        yield Draft(
            code="OUTAGE_FULL" if all_gone else "OUTAGE_PARTIAL",
            severity="high",
            address=subnet,
            reason=f"{does}, which {named(inside, 6)} {'need' if len(inside) > 1 else 'needs'}"
            f"{': these have no other subnet left' if all_gone else ''}. The delete stalls while their network "
            "interfaces are in use, and the network is left half applied. Create subnets beside the old ones, move, "
            "then delete.",
            reversible=True,
            back="apply the old ranges again; interfaces that moved must be moved back",
            dependents=tuple(inside),
            path=(inside[0], subnet),
            mitigations=unsure(change),
        )


def _health(view: View, change: ResourceChange) -> Iterator[Draft]:
    if change.action != "update":
        return
    moved = [found for path in _HEALTH[change.type] if _counts(found := pair(change, path))]
    if not moved:
        return
    used = any(flow.kind == "in" for flow in view.flows_before.got.get(change.address, ())) or not any(
        one.type in LISTENERS for one in view.before.resources.values()
    )
    if not used and change.type in TARGET_GROUPS:
        return
    on_path = view.earlier.alive(change.address)
    yield Draft(
        code="OUTAGE_FULL",
        severity="high",
        address=change.address,
        reason=f"{', '.join(map(str, moved))} on {change.address}: if the targets do not answer the new health check, "
        "all of them go unhealthy at once and are taken out of service. Deploy what answers it first.",
        reversible=True,
        back=f"set {moved[0].shown} back",
        path=view.earlier.path(change.address) if on_path else (),
        certainty="possible",
    )


def _counts(found: Pair) -> bool:
    if not found.changed or found.before is None or found.after is None or isinstance(found.after, Later):
        return False
    return not (found.name.endswith("port") and "traffic-port" in (found.before, found.after) and found.before is None)


def _nodes(change: ResourceChange) -> Iterator[Draft]:
    if change.action != "replace":
        return
    names = ", ".join(change.forced_by[:3])
    fixed = not isinstance(field(change.after, "node_group_name"), Later) and change.create_first
    first = "the new group is made first" if change.create_first else "the old group goes before the new one is there"
    collide = "" if not fixed else " Two groups cannot have one name, so creating it first can collide."
    yield Draft(
        code="OUTAGE_PARTIAL",
        severity="medium" if change.create_first else "high",
        address=change.address,
        reason=f"{replaced_why(change) or 'The change'} replaces the node group {change.address}: all its nodes are "
        f"drained and every pod on them is moved; {first}.{collide}".replace("  ", " "),
        reversible=True,
        back="apply the old name again, which replaces the nodes once more" if names else "wait for the new nodes",
        path=(change.address,),
    )


def _node_inputs(change: ResourceChange) -> Iterator[Draft]:
    """Node groups as inputs of a module, which names their groups by them."""
    if change.action not in ("update", "replace"):
        return
    for name in _NODE_INPUTS:
        before, after = field(change.before, name), field(change.after, name)
        moved = list(_renamed(before, after))
        if not moved:
            continue
        yield Draft(
            code="OUTAGE_PARTIAL",
            severity="high",
            address=change.address,
            reason=f"{name} of {change.address} name their node groups anew ({'; '.join(moved[:2])}): a node group "
            "cannot be renamed, so the groups are replaced, every node is drained, and where the new group is created "
            "first a fixed name can collide with the old one.",
            reversible=True,
            back="apply the old names again, which replaces the nodes once more",
            path=(change.address,),
            certainty="likely",
        )
        yield Draft(
            code="APPLY_FAIL",
            severity="medium",
            address=change.address,
            reason=f"Node groups of {change.address} get other names: two cannot have one name while both exist.",
            reversible=True,
            back="use a name prefix",
            certainty="possible",
        )


def _renamed(before: Value, after: Value) -> Iterator[str]:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return
    for key in sorted(set(before) & set(after)):
        old, new = before[key], after[key]
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            for name in ("name", "name_prefix", "use_name_prefix"):
                both = old.get(name) is not None and new.get(name) is not None
                unknown = isinstance(old.get(name), Later) or isinstance(new.get(name), Later)
                if not same(old.get(name), new.get(name)) and not (both and unknown):
                    yield f"{key}: {name} {show(old.get(name))} -> {show(new.get(name))}"


def _launch(view: View, change: ResourceChange) -> Iterator[Draft]:
    """Launch configurations that go for good: their groups start hosts by something else."""
    if change.action != "delete":
        return
    groups = [
        use.user
        for use in view.before.uses.users(change.address)
        if use.user in view.after.resources and view.after.resources[use.user].type == "aws_autoscaling_group"
    ]
    if not groups:
        return
    new = [one for type_ in _LAUNCH for one in view.after.of((type_,)) if one.address not in view.before.resources]
    by = f" by {named([one.address for one in new])}" if new else ""
    yield Draft(
        code="RESTART",
        severity="medium",
        address=change.address,
        reason=f"{change.address} is replaced{by}: the instances of {named(groups)} are rolled, and software that "
        "counts on the old settings (metadata service, user data, image) can fail on the new ones.",
        reversible=True,
        back="go back to the old launch settings and roll again",
        dependents=tuple(groups),
    )


def _host(view: View, change: ResourceChange) -> Iterator[Draft]:
    if change.action != "replace":
        return
    asked = "request" in change.why or not change.forced_by
    why = "as was asked for" if asked else replaced_why(change)
    served = view.earlier.alive(change.address)
    yield Draft(
        code="RESTART",
        severity="medium" if served else "low",
        address=change.address,
        reason=f"{change.address} is replaced ({why}): the host is down until the new one has started, its local disk "
        "is new, and it may have another address.",
        reversible=True,
        back="none is needed where the host keeps nothing of its own",
    )
