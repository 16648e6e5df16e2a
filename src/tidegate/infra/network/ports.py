"""What listens on the ports that people know, and how ports are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tidegate.infra.network.ranges import EVERY_PORT, EVERY_PROTOCOL, NUMBERS, Block, Span

ADMIN: Mapping[int, str] = {
    22: "SSH", 23: "Telnet", 2375: "Docker", 2376: "Docker", 2379: "etcd", 3389: "RDP", 5900: "VNC", 5985: "WinRM",
    5986: "WinRM", 6443: "the Kubernetes API", 8500: "Consul", 8200: "Vault", 10250: "the kubelet", 50000: "Jenkins",
}  # fmt: skip
DATA: Mapping[int, str] = {
    389: "LDAP", 445: "SMB", 1433: "SQL Server", 1521: "Oracle", 2049: "NFS", 2181: "ZooKeeper", 3306: "MySQL",
    5432: "PostgreSQL", 5439: "Redshift", 5601: "Kibana", 5672: "RabbitMQ", 5984: "CouchDB", 6379: "Redis",
    7000: "Cassandra", 7474: "Neo4j", 8086: "InfluxDB", 8123: "ClickHouse", 9000: "ClickHouse", 9042: "Cassandra",
    9092: "Kafka", 9094: "Kafka", 9098: "Kafka", 9200: "Elasticsearch", 9300: "Elasticsearch", 11211: "memcached",
    15672: "RabbitMQ", 26257: "CockroachDB", 27017: "MongoDB", 27018: "MongoDB",
}  # fmt: skip
WEB = (80, 443)


def sensitive(blocks: Iterable[Block]) -> tuple[int, ...]:
    """The admin and data ports that are open over TCP in these, in order."""
    spans = {block.ports for block in blocks if block.protocols.low <= NUMBERS["tcp"] <= block.protocols.high}
    return tuple(port for port in sorted({*ADMIN, *DATA}) if any(span.low <= port <= span.high for span in spans))


def is_web(blocks: Iterable[Block]) -> bool:
    """Whether these are nothing but the ports of the web and pings."""
    harmless = (NUMBERS["icmp"], NUMBERS["icmpv6"])
    return all(
        (block.ports.low == block.ports.high and block.ports.low in WEB)
        or (block.protocols.low == block.protocols.high and block.protocols.low in harmless)
        for block in blocks
    )


def shown(blocks: Iterable[Block]) -> str:
    """Ports as people say them: `port 5432 (PostgreSQL)`, `every port`, `ports 8000-8100/udp`."""
    texts = dict.fromkeys(_one(block.protocols, block.ports) for block in blocks)
    return " and ".join(", ".join(texts).rsplit(", ", 1)) if len(texts) < 5 else f"{len(texts)} ranges of ports"


def name(port: int) -> str:
    """What listens there by habit, "" where nothing is known."""
    return ADMIN.get(port) or DATA.get(port, "")


# Private


def _one(protocols: Span, ports: Span) -> str:
    number = protocols.low
    short = next((text for text, one in NUMBERS.items() if one == number), str(number))
    if protocols == EVERY_PROTOCOL and ports == EVERY_PORT:
        return "every port and protocol"
    if short.startswith("icmp"):
        return f"{short} (ping)"
    suffix = "" if protocols == Span(6, 6) else "" if protocols.low != protocols.high else f"/{short}"
    if ports == EVERY_PORT:
        return f"every port{suffix}"
    if ports.low != ports.high:
        names = [f"{one} {name(one)}" for one in sorted({*ADMIN, *DATA}) if ports.low <= one <= ports.high]
        return f"ports {ports.low}-{ports.high}{suffix}" + (f" (among them {', '.join(names[:3])})" if names else "")
    return f"port {ports.low}{suffix}" + (f" ({name(ports.low)})" if name(ports.low) else "")
