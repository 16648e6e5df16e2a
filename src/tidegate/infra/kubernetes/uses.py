"""Which object needs which: selectors, volumes, environment, routes, bindings, names of services in settings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tidegate.infra.graph import Use, Uses, uses_of
from tidegate.infra.kubernetes.labels import carries
from tidegate.infra.kubernetes.objects import (
    WORKLOADS,
    Item,
    containers,
    mapping,
    mappings,
    pod_labels,
    pod_spec,
    pod_template,
    sequence,
)
from tidegate.infra.values import Value

Reference = tuple[str, str, str]
"""Kind, name and the attribute that names it."""


class Host(NamedTuple):
    """A word that may be a host, the port behind it ("" for none) and the setting that holds it."""

    host: str
    port: str
    through: str


def uses_of_items(items: Sequence[Item], addresses: Mapping[tuple[str, str, str], str]) -> Uses:
    """The uses among these objects. A name that no object of the set has is no use."""
    index = _Index(items, addresses)
    found: list[Use] = []
    for item in items:
        address = addresses[item.key]
        for kind, name, through in references(item):
            if used := index.find(kind, item.namespace, name):
                found.append(Use(address, used, through))
        found += (Use(address, used, "spec.selector") for used in index.pods_of(item))
        found += (Use(address, used, through) for used, through in index.calls(item))
        if item.namespace and (used := index.find("Namespace", "", item.namespace)):
            found.append(Use(address, used, "metadata.namespace"))
    return uses_of(found)


def references(item: Item) -> Iterator[Reference]:
    """What an object names of its own namespace."""
    if pod_template(item.type, item.values) is not None:
        yield from pod_references(pod_spec(item.type, item.values))
    spec = mapping(item.values.get("spec"))
    for target in backends(item.type, item.values):
        yield "Service", target, "backend"
    if item.kind in ("HorizontalPodAutoscaler", "ScaledObject", "VerticalPodAutoscaler"):
        scaled = mapping(spec.get("scaleTargetRef") or spec.get("targetRef"))
        yield str(scaled.get("kind") or "Deployment"), str(scaled.get("name")), "scaleTargetRef"
    if item.kind in ("RoleBinding", "ClusterRoleBinding"):
        role = mapping(item.values.get("roleRef"))
        yield str(role.get("kind")), str(role.get("name")), "roleRef"
        for subject in mappings(item.values.get("subjects")):
            if subject.get("kind") == "ServiceAccount":
                yield "ServiceAccount", str(subject.get("name")), "subjects"
    if item.kind == "StatefulSet":
        yield "Service", str(spec.get("serviceName")), "serviceName"
    if item.kind == "ExternalSecret":
        store = mapping(spec.get("secretStoreRef"))
        yield str(store.get("kind") or "SecretStore"), str(store.get("name")), "secretStoreRef"
    if item.kind == "Certificate":
        issuer = mapping(spec.get("issuerRef"))
        yield str(issuer.get("kind") or "Issuer"), str(issuer.get("name")), "issuerRef"
    if item.kind == "KafkaTopic":
        labels = mapping(mapping(item.values.get("metadata")).get("labels"))
        yield "Kafka", str(labels.get("strimzi.io/cluster")), "strimzi.io/cluster"


def pod_references(spec: Mapping[str, Value]) -> Iterator[Reference]:
    """The ConfigMaps, Secrets, claims and accounts that a pod cannot start without; optional ones are left out."""
    for one in containers(spec).values():
        for place in mappings(one.get("envFrom")):
            yield from _named(place, "configMapRef", "ConfigMap", "envFrom")
            yield from _named(place, "secretRef", "Secret", "envFrom")
        for variable in mappings(one.get("env")):
            source, through = mapping(variable.get("valueFrom")), f"env.{variable.get('name')}"
            yield from _named(source, "configMapKeyRef", "ConfigMap", through)
            yield from _named(source, "secretKeyRef", "Secret", through)
    for volume in mappings(spec.get("volumes")):
        through = f"volumes.{volume.get('name')}"
        yield from _named(volume, "configMap", "ConfigMap", through)
        yield from _named(volume, "secret", "Secret", through, "secretName")
        yield from _named(volume, "persistentVolumeClaim", "PersistentVolumeClaim", through, "claimName")
        for source in mappings(mapping(volume.get("projected")).get("sources")):
            yield from _named(source, "configMap", "ConfigMap", through)
            yield from _named(source, "secret", "Secret", through)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account and account != "default":
        yield "ServiceAccount", str(account), "serviceAccountName"


def backends(type_: str, values: Mapping[str, Value] | None) -> set[str]:
    """The services that an object sends requests to."""
    if type_.rpartition("/")[2] not in _ROUTERS or values is None:
        return set()
    return set(_backends(values.get("spec")))


def host_words(item: Item) -> Iterator[Host]:
    """The words in settings of an object that may be hosts: from variables, arguments and the texts of a ConfigMap."""
    if pod_template(item.type, item.values) is not None:
        for one in containers(pod_spec(item.type, item.values)).values():
            for variable in mappings(one.get("env")):
                yield from _hosts(variable.get("value"), f"env.{variable.get('name')}")
            for key in ("args", "command"):
                for text in sequence(one.get(key)):
                    yield from _hosts(text, key)
    elif item.type == "v1/ConfigMap":
        for key, text in mapping(item.values.get("data")).items():
            if isinstance(text, str) and len(text) < 20_000:
                yield from _hosts(text, f"data.{key}")


# Private

_ROUTERS = frozenset(
    "Ingress Route HTTPRoute GRPCRoute TCPRoute TLSRoute VirtualService IngressRoute HTTPProxy".split()
)
_BACKENDS = ("service", "services", "backendRefs", "to", "alternateBackends")
_HOST = re.compile(
    r"(?P<before>//|@|^|[\s,=\"'])(?P<host>[a-z][a-z0-9-]{1,62}(?:\.[a-z0-9-]+){0,4})(?P<after>:\d+|/|$|[\s,\"'])"
)


def _named(holder: Mapping[str, Value], key: str, kind: str, through: str, name: str = "name") -> Iterator[Reference]:
    found = mapping(holder.get(key))
    if found.get(name) and found.get("optional") is not True:
        yield kind, str(found[name]), through


def _backends(value: Value, under: str = "") -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _backends(one, under)
    elif isinstance(value, Mapping):
        named = under in _BACKENDS and isinstance(value.get("name"), str)
        if named and value.get("kind") in (None, "Service"):
            yield value["name"]
        if isinstance(value.get("serviceName"), str):
            yield value["serviceName"]
        if under == "destination" and isinstance(value.get("host"), str):
            yield value["host"].split(".")[0]
        for key, inner in value.items():
            yield from _backends(inner, key)


def _hosts(text: Value, through: str) -> Iterator[Host]:
    if isinstance(text, str) and len(text) < 100_000:
        for match in _HOST.finditer(text):
            whole = match["host"] == text.strip()
            if match["before"] in ("//", "@") or match["after"].startswith(":") or ".svc" in match["host"] or whole:
                yield Host(
                    match["host"], match["after"].lstrip(":/") if match["after"].startswith(":") else "", through
                )


class _Index:
    """The objects of a set by name, and the workloads by namespace."""

    def __init__(self, items: Sequence[Item], addresses: Mapping[tuple[str, str, str], str]) -> None:
        self._named: dict[tuple[str, str, str], str] = {}
        self._services: dict[str, list[tuple[str, str]]] = {}
        self._workloads: dict[str, list[tuple[Mapping[str, Any], str]]] = {}
        for item in items:
            self._named[(item.kind, item.namespace, item.name)] = addresses[item.key]
            if item.type == "v1/Service":
                self._services.setdefault(item.name, []).append((item.namespace, addresses[item.key]))
            if item.type in WORKLOADS or item.type == "v1/Pod":
                labels = pod_labels(item.type, item.values)
                self._workloads.setdefault(item.namespace, []).append((labels, addresses[item.key]))

    def find(self, kind: str, namespace: str, name: str) -> str:
        return self._named.get((kind, namespace, name)) or self._named.get((kind, "", name)) or ""

    def pods_of(self, item: Item) -> Iterable[str]:
        selector = mapping(mapping(item.values.get("spec")).get("selector")) if item.type == "v1/Service" else {}
        if selector:
            for labels, address in self._workloads.get(item.namespace, ()):
                if carries(labels, selector):
                    yield address

    def calls(self, item: Item) -> Iterable[tuple[str, str]]:
        if not self._services:
            return
        for found in host_words(item):
            name, _, rest = found.host.partition(".")
            space = rest.split(".")[0] or item.namespace
            for namespace, address in self._services.get(name, ()):
                if namespace == space or not namespace or not item.namespace:
                    yield address, found.through
