"""Kubernetes manifests and kustomizations: workloads, the names that services give them, and what they are told of
others.

kubernetes.io/docs/concepts/workloads, "DNS for Services and Pods". Overlays that patch a workload join it by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tidegate.reach.services.interface import Claim, Mention, Provider
from tidegate.reach.services.mentions import mentions_in
from tidegate.reach.services.texts import Value, as_list, as_map, as_text, as_texts, dig
from tidegate.reach.services.tree import Tree, folder_of

WORKLOADS = {
    "Deployment": "service",
    "StatefulSet": "service",
    "DaemonSet": "service",
    "ReplicaSet": "service",
    "Rollout": "service",
    "Pod": "service",
    "Job": "job",
    "CronJob": "job",
}
KNATIVE = "serving.knative.dev"


def claims_of(
    documents: list[Value], source: str, provider: str = "kubernetes", deploys: tuple[str, ...] = ()
) -> Iterator[Claim]:
    """A claim for each workload among the documents, with the hosts of those services that select it."""
    flat = [item for document in documents for item in _items(document)]
    settings = {_name(d): as_map(dig(d, "data")) for d in flat if dig(d, "kind") == "ConfigMap"}
    services = [
        _Selector(_name(d), as_map(dig(d, "spec", "selector")))
        for d in flat
        if dig(d, "kind") == "Service" and not _is_knative(d)
    ]
    for document in flat:
        kind = "service" if _is_knative(document) else WORKLOADS.get(as_text(dig(document, "kind")), "")
        if kind and _name(document):
            yield _claim(document, kind, source, provider, (services, settings), deploys or (source,))
    for service in services:
        # Services and their workloads are often in two files: the label that selects is then the best name there is.
        target = next((as_text(service.labels[k]) for k in _NAME_LABELS if k in service.labels), "")
        if target and service.name and not any(_matches(service.labels, _labels(d)) for d in flat):
            yield Claim(
                provider=provider,
                role="deploy",
                source=source,
                name=target,
                kind="",
                folder=folder_of(source),
                deploys=deploys or (source,),
                hosts=(service.name.lower(),),
            )


# Private

_NAME_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/component", "app", "name", "k8s-app")


class _Selector(NamedTuple):
    name: str
    labels: Mapping[str, Value]


def _wants(path: str) -> bool:
    return path.endswith((".yaml", ".yml")) and "/templates/" not in f"/{path}"


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    content = tree.content(path)
    if b"kind:" not in content or b"apiVersion:" not in content:
        return
    yield from claims_of(tree.documents(path), path)


def _claim(
    document: Value,
    kind: str,
    source: str,
    provider: str,
    around: tuple[list[_Selector], Mapping[str, Mapping[str, Value]]],
    deploys: tuple[str, ...],
) -> Claim:
    services, settings = around
    pod = _pod(document)
    labels = {**as_map(dig(document, "metadata", "labels")), **as_map(dig(document, "metadata", "annotations"))}
    containers = as_list(dig(pod, "containers"))
    hosts = [service.name.lower() for service in services if _matches(service.labels, _labels(document))]
    if _is_knative(document):
        hosts.append(_name(document).lower())
    return Claim(
        provider=provider,
        role="deploy",
        source=source,
        name=_name(document),
        kind=kind,
        folder=folder_of(source),
        deploys=deploys,
        images=tuple(image for c in containers if (image := as_text(dig(c, "image")))),
        hosts=tuple(dict.fromkeys(hosts)),
        mentions=tuple(_mentions(containers, settings, source)),
        owner=next((as_text(labels[k]) for k in labels if k.rpartition("/")[2] in ("owner", "team")), ""),
        tier=next((as_text(labels[k]) for k in labels if k.rpartition("/")[2] in ("criticality", "service-tier")), ""),
    )


def _mentions(containers: list[Value], settings: Mapping[str, Mapping[str, Value]], source: str) -> Iterator[Mention]:
    for container in containers:
        pairs = [(as_text(dig(e, "name")), as_text(dig(e, "value"))) for e in as_list(dig(container, "env"))]
        for entry in as_list(dig(container, "env")):
            named = dig(entry, "valueFrom", "configMapKeyRef")
            value = as_text(settings.get(as_text(dig(named, "name")), {}).get(as_text(dig(named, "key")), ""))
            pairs.append((as_text(dig(entry, "name")), value))
        for entry in as_list(dig(container, "envFrom")):
            values = settings.get(as_text(dig(entry, "configMapRef", "name")), {})
            pairs += [(key, as_text(value)) for key, value in values.items()]
        pairs += [("args", text) for key in ("command", "args") for text in as_texts(dig(container, key))]
        yield from mentions_in(pairs, source)


def _items(document: Value) -> Iterator[Value]:
    """The objects of a document; a List holds several."""
    yield from as_list(dig(document, "items")) if dig(document, "kind") == "List" else [document]


def _pod(document: Value) -> Value:
    if dig(document, "kind") == "Pod":
        return dig(document, "spec")
    spec = dig(document, "spec", "jobTemplate", "spec") or dig(document, "spec")
    return dig(spec, "template", "spec")


def _labels(document: Value) -> Mapping[str, Value]:
    if dig(document, "kind") not in WORKLOADS:
        return {}
    inner = dig(document, "spec", "template", "metadata", "labels")
    return as_map(inner) or as_map(dig(document, "metadata", "labels"))


def _matches(selector: Mapping[str, Value], labels: Mapping[str, Value]) -> bool:
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _is_knative(document: Value) -> bool:
    return dig(document, "kind") == "Service" and as_text(dig(document, "apiVersion")).startswith(KNATIVE)


def _name(document: Value) -> str:
    return as_text(dig(document, "metadata", "name"))


KUBERNETES = Provider("kubernetes", _wants, _read)
