"""What a kustomization does to the objects under it besides patching: namespaces, names, labels, images, replicas."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec.structs import replace

from tidegate.infra.kubernetes.objects import NAMESPACED_NOT, WORKLOADS, Item, mapping, mappings, pod_template
from tidegate.infra.values import Value


def put_namespace(item: Item, namespace: str, accounts: frozenset[str] = frozenset()) -> Item:
    """The object in this namespace. Subjects of a binding that are service accounts of the set (`accounts`) follow."""
    if item.kind == "Namespace":
        return item
    values = item.values
    if item.kind in ("RoleBinding", "ClusterRoleBinding") and values.get("subjects"):
        subjects = [
            {**one, "namespace": namespace} if _follows(one, accounts) else one for one in mappings(values["subjects"])
        ]
        values = {**values, "subjects": subjects}
    if item.kind in NAMESPACED_NOT:
        return replace(item, values=values)
    metadata = {**mapping(values.get("metadata")), "namespace": namespace}
    return replace(item, namespace=namespace, values={**values, "metadata": metadata})


def rename(items: list[Item], prefix: str, suffix: str) -> list[Item]:
    """The objects under their new names, and what refers to them with it."""
    names = {item.name: f"{prefix}{item.name}{suffix}" for item in items if item.kind not in _KEEP_NAMES}
    renamed = []
    for item in items:
        values = _referring(item.values, names)
        if item.kind not in _KEEP_NAMES:
            name = names[item.name]
            values = {**values, "metadata": {**mapping(values.get("metadata")), "name": name}}
            item = replace(item, name=name)
        renamed.append(replace(item, values=values))
    return renamed


def put_labels(item: Item, labels: Mapping[str, Value], selectors: bool, templates: bool) -> Item:
    """The object with these labels, on its selectors and pods too where asked."""
    values: Mapping[str, Value] = _labelled(item.values, labels)
    spec = mapping(values.get("spec"))
    if selectors and item.type == "v1/Service":
        spec = {**spec, "selector": {**mapping(spec.get("selector")), **labels}}
    elif selectors and (item.type in WORKLOADS or spec.get(_CHOSEN_BY.get(item.kind, ""))):
        key = _CHOSEN_BY.get(item.kind, "selector")
        chosen = mapping(spec.get(key))
        spec = {**spec, key: {**chosen, "matchLabels": {**mapping(chosen.get("matchLabels")), **labels}}}
    if (selectors or templates) and item.type in WORKLOADS and isinstance(spec.get("template"), Mapping):
        spec = {**spec, "template": _labelled(spec["template"], labels)}
    return replace(item, values={**values, "spec": spec} if spec else values)


def put_images(item: Item, images: list[Mapping[str, Value]]) -> Item:
    """The object with its images renamed and tagged."""
    if pod_template(item.type, item.values) is None:
        return item
    chosen = {str(one.get("name")): one for one in images}
    return replace(item, values=_imaged(item.values, chosen))


def put_replicas(item: Item, counts: Mapping[str, Value]) -> Item:
    """The object with the number of replicas that its name is given."""
    if item.name not in counts or item.type not in WORKLOADS:
        return item
    spec = {**mapping(item.values.get("spec")), "replicas": counts[item.name]}
    return replace(item, values={**item.values, "spec": spec})


# Private

_CHOSEN_BY = {"NetworkPolicy": "podSelector", "PodDisruptionBudget": "selector"}
_KEEP_NAMES = ("Namespace", "CustomResourceDefinition", "APIService")
_NAMED = frozenset(
    """
    configMapRef secretRef configMapKeyRef secretKeyRef configMap "
    "scaleTargetRef roleRef service imagePullSecrets
    """.split()
)
_NAMES = frozenset("secretName claimName serviceAccountName serviceName".split())
_IMAGE = re.compile(r"^(?P<name>.+?)(?P<tag>:[^/:@]+)?(?P<digest>@[^@]+)?$")


def _follows(subject: Mapping[str, Value], accounts: frozenset[str]) -> bool:
    return subject.get("kind") == "ServiceAccount" and subject.get("name") in {"default", *accounts}


def _labelled(values: Mapping[str, Value], labels: Mapping[str, Value]) -> dict[str, Value]:
    metadata = mapping(values.get("metadata"))
    return {**values, "metadata": {**metadata, "labels": {**mapping(metadata.get("labels")), **labels}}}


def _referring(value: Value, names: Mapping[str, str], under: str = "") -> Value:
    if isinstance(value, list):
        return [_referring(one, names, under) for one in value]
    if not isinstance(value, Mapping):
        return value
    changed = {}
    for key, inner in value.items():
        known = isinstance(inner, str) and inner in names
        account = key == "name" and value.get("kind") == "ServiceAccount"
        if known and (account or key in _NAMES or (key == "name" and under in _NAMED)):
            changed[key] = names[inner]
        else:
            changed[key] = _referring(inner, names, key)
    return changed


def _imaged(value: Value, images: Mapping[str, Mapping[str, Value]]) -> Value:
    if isinstance(value, list):
        return [_imaged(one, images) for one in value]
    if not isinstance(value, Mapping):
        return value
    changed = {key: _imaged(inner, images) for key, inner in value.items()}
    image = value.get("image")
    if isinstance(image, str) and (match := _IMAGE.match(image)) and match["name"] in images:
        given = images[match["name"]]
        name = str(given.get("newName") or match["name"])
        tag = f":{given['newTag']}" if given.get("newTag") is not None else match["tag"] or ""
        digest = f"@{given['digest']}" if given.get("digest") else ""
        if not digest and given.get("newTag") is None:
            digest = match["digest"] or ""
        changed["image"] = f"{name}{'' if given.get('digest') else tag}{digest}"
    return changed
