"""Sets of containers: what they may do on their machine, who reaches them, and where their data lies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Certainty, EffectCode, Place, Severity, Unjudged
from tidegate.infra.kubernetes.rules.images import image_of
from tidegate.infra.pipelines.supply import images_judged, major_of
from tidegate.infra.pipelines.texts import Text, mapping, read_both, words_of
from tidegate.infra.values import Draft, Found, Value

STORES: Mapping[int, str] = {
    1433: "SQL Server", 1521: "Oracle", 2379: "etcd", 3306: "MySQL", 5432: "PostgreSQL", 5984: "CouchDB", 6379: "Redis",
    7687: "Neo4j", 8086: "InfluxDB", 8123: "ClickHouse", 9042: "Cassandra", 9092: "Kafka", 9200: "Elasticsearch",
    11211: "memcached", 27017: "MongoDB", 2375: "Docker", 5672: "RabbitMQ",
}  # fmt: skip


def read(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed compose files come to."""
    both = read_both(trees, pairs)
    drafts: list[Draft] = []
    unjudged: list[Unjudged] = []
    elsewhere = {name for one in both if one.after for name in _services(one.after.value)}
    for one in both:
        if one.after is not None and one.after.problem:
            reason = f"the compose file cannot be read: {one.after.problem}"
            unjudged.append(Unjudged(f"compose {one.path}", reason, "mend the file", Place(one.path)))
        elif one.before is not None and one.after is not None:
            drafts += _compared(one.before, one.after, elsewhere)
    files = {text.path for one in both for text in (one.before, one.after) if text}
    return Found(drafts=tuple(drafts), unjudged=tuple(unjudged), files=tuple(sorted(files)))


# Private

_DATABASES = re.compile(
    r"(?i)(postgres|pgvector|postgis|timescale|mysql|mariadb|percona|mongo|redis|valkey|elasticsearch|opensearch|cassandra"
    r"|clickhouse|influxdb|couchdb|neo4j|minio|kafka|rabbitmq|etcd|mssql|cockroach|vault|gitea|registry|meilisearch|qdrant)"
)
_MAJORS = re.compile(
    r"(?i)(?:^|/)(postgres|pgvector|postgis|timescaledb?|mysql|mariadb|mongo|elasticsearch|opensearch|neo4j)$"
)
_POWERS = ("ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH", "NET_ADMIN", "BPF")


def _services(value: Value) -> Mapping[str, Mapping[str, Value]]:
    return {name: one for name, one in mapping(mapping(value).get("services")).items() if isinstance(one, dict)}


def _compared(before: Text, after: Text, elsewhere: set[str]) -> Iterator[Draft]:
    old, new = _services(before.value), _services(after.value)
    for name, service in new.items():
        was = old.get(name)
        yield from _powers(after, name, was, service)
        yield from _ports(after, name, was, service)
        if was is not None:
            yield from _image(after, name, was, service)
            yield from _volumes(after, name, was, service)
            if mapping(was.get("healthcheck")) and not service.get("healthcheck"):
                text = f"healthcheck is removed from {name}: a container that hangs counts as healthy."
                yield _said("OBSERV_DOWN", "low", after, name, text, "put it back", "possible")
    for name, service in old.items():
        if name not in elsewhere and new and _is_store(service) and _mounts(service):
            text = (
                f"the service {name} ({service.get('image')}) is removed: its data stays in"
                f" {', '.join(sorted(_mounts(service)))}"
                " until somebody removes the volume, and whoever connects to it is cut."
            )
            yield _said("OUTAGE_PARTIAL", "medium", after, name, text, "put the service back", "possible")


def _powers(after: Text, name: str, was: Mapping[str, Value] | None, now: Mapping[str, Value]) -> Iterator[Draft]:
    """What lets a container reach its machine."""
    had = set(_reach(was or {}))
    severity: Severity
    for key, words in _reach(now).items():
        if key in had:
            continue
        grave = key in ("privileged", "docker.sock") or key in ("cap_add ALL", "cap_add SYS_ADMIN")
        severity = "high" if grave and was is not None else "medium"
        text = (
            f"{words} is new on the service {name}: who breaks into the container"
            f" {_MEANS.get(key, 'gets more of the machine')}."
        )
        yield _said("PRIV_ESC", severity, after, name, text, "take it out")


_MEANS: Mapping[str, str] = {
    "privileged": "has the whole machine",
    "docker.sock": "controls every container and with them the machine (root)",
    "network_mode host": "listens and connects as the machine itself",
    "cap_add ALL": "has the whole machine",
}


def _reach(service: Mapping[str, Value]) -> Mapping[str, str]:
    found = {}
    if service.get("privileged") is True:
        found["privileged"] = "privileged: true"
    for key in ("network_mode", "pid", "ipc", "userns_mode"):
        if service.get(key) == "host":
            found[f"{key} host"] = f"{key}: host"
    for one in words_of(service.get("cap_add")):
        name = one.upper().removeprefix("CAP_")
        if name in _POWERS:
            found[f"cap_add {name}"] = f"cap_add: {one}"
    for one in words_of(service.get("security_opt")):
        if "unconfined" in one or one.replace(" ", "") in ("label:disable", "label=disable"):
            found[f"security_opt {one}"] = f"security_opt: {one}"
    for source in _sources(service):
        if source.endswith("docker.sock"):
            found["docker.sock"] = f"the mount of {source}"
        elif source in ("/", "/etc", "/root", "/var/run", "/proc", "/sys"):
            found[f"mount {source}"] = f"the mount of {source}"
    return found


def _ports(after: Text, name: str, was: Mapping[str, Value] | None, now: Mapping[str, Value]) -> Iterator[Draft]:
    """Data stores that every address of the machine answers for."""
    had = _open_ports(was or {})
    for port in sorted(_open_ports(now) - had):
        if port in STORES:
            text = (
                f"ports publishes {port} ({STORES[port]}) of the service {name} on every address of"
                " the machine (0.0.0.0),"
                " past most host firewalls: who reaches the machine reaches the data. Bind it to 127.0.0.1."
            )
            severity: Severity = "medium" if was is not None else "low"
            yield _said("NET_EXPOSE", severity, after, name, text, "bind it to 127.0.0.1", "possible", "ports")


def _open_ports(service: Mapping[str, Value]) -> set[int]:
    found: set[int] = set()
    listed = service.get("ports")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            if one.get("host_ip") in (None, "0.0.0.0", "::") and str(one.get("target", "")).isdigit():  # noqa: S104
                found.add(int(one["target"]))
            continue
        match = re.fullmatch(r"(?:(?P<ip>[\w.\[\]:${}-]+):)?(?:[\w${}:-]*?:)?(?P<port>\d+)(?:/\w+)?", str(one))
        if match and not re.match(r"127\.|\[?::1|localhost|10\.|192\.168\.|\$", match["ip"] or ""):
            found.add(int(match["port"]))
    return found


def _image(after: Text, name: str, was: Mapping[str, Value], now: Mapping[str, Value]) -> Iterator[Draft]:
    old, new = was.get("image"), now.get("image")
    for draft in images_judged(f"image of {name}", old, new):
        yield _said(draft.code, draft.severity, after, name, draft.reason, draft.back, "likely", "image")
    one, other = image_of(old), image_of(new)
    if one is None or other is None or one.name != other.name or not _MAJORS.search(one.name):
        return
    versions = major_of(one.tag), major_of(other.tag)
    if None not in versions and versions[0] != versions[1]:
        text = (
            f"image of {name} {old} -> {new}: another major version of a data store, which does not"
            " start on the files of"
            " the old one or changes them so that the old one cannot. Dump and restore, with a backup first."
        )
        yield _said("IRREVERSIBLE_UPGRADE", "high", after, name, text, "restore the backup", "likely", "image")


def _volumes(after: Text, name: str, was: Mapping[str, Value], now: Mapping[str, Value]) -> Iterator[Draft]:
    """Places of data that a service no longer keeps its data in."""
    old, new = _mounts(was), _mounts(now)
    for target, source in sorted(old.items()):
        if new.get(target) == source or source in new.values():
            continue
        kept = new.get(target)
        if not kept and not _is_store(was) and not re.search(r"(?i)data|db|storage|uploads|media", f"{target}{source}"):
            continue
        if kept and not _is_store(was):
            continue
        shown = f"volumes {source}:{target} -> {f'{kept}:{target}' if kept else 'nothing'} on the service {name}"
        means = "it starts empty, and what it had lies in the old volume until that is removed (data loss)"
        yield _said(
            "DATA_DESTROY", "medium", after, name, f"{shown}: {means}.", "mount the old volume", "possible", "volumes"
        )


def _mounts(service: Mapping[str, Value]) -> Mapping[str, str]:
    """What is mounted for data, by where: named volumes and folders, no single files and nothing read-only."""
    found = {}
    listed = service.get("volumes")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            if one.get("type", "volume") in ("volume", "bind") and not one.get("read_only"):
                found[str(one.get("target"))] = str(one.get("source") or "")
            continue
        parts = str(one).split(":")
        if len(parts) > 1 and "ro" not in parts[2:] and not re.search(r"\.\w{1,5}$", parts[1]):
            found[parts[1].rstrip("/")] = parts[0]
    return found


def _sources(service: Mapping[str, Value]) -> Iterator[str]:
    listed = service.get("volumes")
    for one in listed if isinstance(listed, list) else ():
        text = str(one.get("source") or "") if isinstance(one, dict) else str(one).partition(":")[0]
        yield text.rstrip("/") or ("/" if text else "")


def _is_store(service: Mapping[str, Value]) -> bool:
    return bool(_DATABASES.search(str(service.get("image") or "").partition("@")[0]))


def _said(
    code: EffectCode,
    severity: Severity,
    text: Text,
    name: str,
    reason: str,
    back: str,
    certainty: Certainty = "likely",
    key: str = "",
) -> Draft:
    place = text.place("services", name, key) if key else text.place("services", name)
    return Draft(
        code,
        severity,
        f"compose {text.path} service {name}",
        reason,
        reversible=code not in ("DATA_DESTROY", "IRREVERSIBLE_UPGRADE"),
        back=back,
        certainty=certainty,
        place=place,
    )
