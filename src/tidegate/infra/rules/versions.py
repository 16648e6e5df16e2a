"""Versions of engines as providers write them, and which step between two of them is a major one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidegate.infra.same import field
from tidegate.infra.values import ResourceChange, Value

_NUMBERS = re.compile(r"\d+")
_BY_TYPE = (
    ("aws_elasticache", "redis"),
    ("aws_memorydb", "redis"),
    ("google_redis", "redis"),
    ("azurerm_redis", "redis"),
    ("aws_eks", "kubernetes"),
    ("google_container", "kubernetes"),
    ("azurerm_kubernetes", "kubernetes"),
    ("aws_docdb", "docdb"),
    ("aws_neptune", "neptune"),
    ("aws_opensearch", "opensearch"),
    ("aws_elasticsearch", "opensearch"),
    ("azurerm_postgresql", "postgres"),
    ("azurerm_mysql", "mysql"),
    ("azurerm_mariadb", "mariadb"),
    ("mongodbatlas", "mongodb"),
    ("aws_msk", "kafka"),
    ("aws_mq", "mq"),
)
_FAMILIES = (
    "postgres",
    "mysql",
    "mariadb",
    "oracle",
    "sqlserver",
    "redis",
    "valkey",
    "memcached",
    "kubernetes",
    "docdb",
)
_TWO_PARTS = ("mysql", "mariadb", "neptune", "kubernetes", "mongodb")


def family(change: ResourceChange) -> str:
    """What kind of engine it is: `postgres`, `mysql`, `redis`; "" where nothing says."""
    for values in (change.after, change.before):
        for name in ("engine", "db_engine", "rds_family", "family", "database_version", "parameter_group_name"):
            value = field(values, name)
            if isinstance(value, str):
                for one in _FAMILIES:
                    if one in value.lower():
                        return one
    return next((one for prefix, one in _BY_TYPE if change.type.startswith(prefix)), "")


def step(engine: str, before: Value, after: Value) -> tuple[str, int]:
    """`major` or `minor`, and which way: 1 up, -1 down, 0 where the two say the same or nobody can tell."""
    old, new = numbers(before), numbers(after)
    shorter = min(len(old), len(new))
    if not shorter or old[:shorter] == new[:shorter]:
        return "minor", 0
    way = 1 if new > old else -1
    parts = _parts(engine, old)
    return ("major" if old[:parts] != new[:parts] else "minor"), way


def numbers(version: Value) -> tuple[int, ...]:
    """The numbers of a version: `16.3`, `POSTGRES_16`, `8.0.mysql_aurora.3.04` begin with them."""
    if isinstance(version, bool) or not isinstance(version, (str, int, float)):
        return ()
    text = str(version)
    return tuple(int(one) for one in _NUMBERS.findall(text[:60])[:6]) if len(text) < 100 else ()


NAMES: Mapping[str, tuple[str, ...]] = {
    "engine_version": (),
    "db_engine_version": (),
    "database_version": (),
    "kafka_version": (),
    "min_master_version": (),
    "kubernetes_version": ("azurerm_kubernetes_cluster", "oci_containerengine_cluster"),
    "mongo_db_major_version": (),
    "elasticsearch_version": (),
    "opensearch_version": (),
    "cluster_version": ("aws_redshift_cluster", "aws_eks_cluster"),
    "redis_version": (),
    "version": (
        "aws_eks_cluster",
        "azurerm_postgresql_server",
        "azurerm_postgresql_flexible_server",
        "azurerm_mysql_server",
        "azurerm_mysql_flexible_server",
        "azurerm_mssql_server",
        "azurerm_mariadb_server",
        "digitalocean_database_cluster",
        "digitalocean_kubernetes_cluster",
    ),
}
"""Attributes that hold the version of an engine, and the types on which alone they do; no types means on every one."""


# Private


def _parts(engine: str, old: tuple[int, ...]) -> int:
    if engine == "postgres" or not engine:
        return 1 if old[0] >= 10 or (not engine and len(old) < 2) else 2
    return 2 if engine in _TWO_PARTS else 1
