"""What stands behind a group, and whether the internet could reach it at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tidegate.infra.network.entries import holds_rules
from tidegate.infra.network.groups import Side
from tidegate.infra.network.names import held_groups
from tidegate.infra.same import flag, items
from tidegate.infra.values import Resource

BALANCERS = (
    *("aws_lb", "aws_alb", "aws_elb", "google_compute_forwarding_rule", "google_compute_global_forwarding_rule"),
    *("azurerm_lb", "azurerm_application_gateway"),
)
_DATA = (
    *("aws_db_", "aws_rds_", "aws_docdb_", "aws_neptune_", "aws_elasticache_", "aws_memorydb_", "aws_redshift"),
    *("aws_opensearch_", "aws_elasticsearch_", "aws_msk_", "aws_mq_", "aws_efs_", "aws_fsx_", "aws_dax_"),
)


def attachments(side: Side) -> Mapping[str, tuple[Resource, ...]]:
    """The resources that stand in each group, by the key of the group."""
    found: dict[str, list[Resource]] = defaultdict(list)
    for address in sorted(side.names.resources):
        resource = side.names.resources[address]
        if not holds_rules(resource.type) and not resource.type.endswith(("subnet_group", "_launch_template_version")):
            keys = [side.names.address(address, "security_group", one, "security_group") for one in _held(resource)]
            for key in dict.fromkeys(keys):
                found[key].append(resource)
    return {key: tuple(resources) for key, resources in found.items()}


def holds_data(resource: Resource) -> bool:
    """Whether a resource that stands in a group is a store of data."""
    return resource.type.startswith(_DATA)


def is_balancer(resource: Resource) -> bool:
    """Whether a resource is there to be reached by everyone."""
    return resource.type in BALANCERS and flag(resource.values.get("internal")) is not True


def has_public_address(resource: Resource) -> bool | None:
    """Whether the internet can send to it if its groups let it: True, False, or None where nothing says so."""
    for key in ("publicly_accessible", "associate_public_ip_address", "assign_public_ip"):
        for value in _deep(resource, key):
            if (found := flag(value)) is not None:
                return found
    if (internal := flag(resource.values.get("internal"))) is not None:
        return not internal
    address = resource.values.get("public_ip")
    return True if isinstance(address, str) and address else None


def privacy(resource: Resource, side: Side) -> tuple[str, ...]:
    """What keeps the internet away from a resource whatever its groups say, in words; empty where nothing does."""
    found = []
    if flag(resource.values.get("publicly_accessible")) is False:
        found.append(f"{resource.address} has publicly_accessible=false")
    elif has_public_address(resource) is False:
        found.append(f"{resource.address} has no public address")
    subnets = [one for one in _subnets(resource, side) if one.type == "aws_subnet"]
    if subnets and not any(flag(one.values.get("map_public_ip_on_launch")) for one in subnets):
        found.append(f"{resource.address} is in private subnets")
    return tuple(found)


# Private


def _held(resource: Resource) -> Iterable[object]:
    return held_groups(resource.values)


def _deep(resource: Resource, key: str) -> Iterable[object]:
    yield resource.values.get(key)
    for outer in ("network_configuration", "network_interface", "network_interfaces", "vpc_config"):
        for one in items(resource.values.get(outer)):
            if isinstance(one, Mapping):
                yield one.get(key)


def _subnets(resource: Resource, side: Side) -> Iterable[Resource]:
    names, resources = side.names, side.names.resources
    group = resource.values.get("db_subnet_group_name")
    if group is not None:
        match = resources.get(names.address(resource.address, "db_subnet_group_name", group, "subnet_group"))
        if match is not None:
            yield from _subnets(match, side)
    for key in ("subnet_id", "subnet_ids", "subnets"):
        for value in items(resource.values.get(key)):
            address = names.address(resource.address, key, value, "aws_subnet")
            if address in resources:
                yield resources[address]
