"""Kubernetes objects: who they are, how people call them, and where their pods are described."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Place
from tidegate.infra.kubernetes.documents import Document
from tidegate.infra.values import Hidden, Value

WORKLOADS = (
    "apps/Deployment",
    "apps/StatefulSet",
    "apps/DaemonSet",
    "apps/ReplicaSet",
    "v1/ReplicationController",
    "apps.openshift.io/DeploymentConfig",
    "argoproj.io/Rollout",
)
"""What keeps pods running."""

_POD_PATHS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(WORKLOADS, ("spec", "template")),
    "batch/Job": ("spec", "template"),
    "batch/CronJob": ("spec", "jobTemplate", "spec", "template"),
    "serving.knative.dev/Service": ("spec", "template"),
    "v1/Pod": (),
}

_GROUPS = {
    "Ingress": "networking.k8s.io",
    "NetworkPolicy": "networking.k8s.io",
    "Deployment": "apps",
    "DaemonSet": "apps",
    "ReplicaSet": "apps",
}
"""The groups that objects of the old group `extensions` moved to; they are the same objects."""

_OPENSHIFT_V1 = {
    "DeploymentConfig": "apps.openshift.io",
    "Route": "route.openshift.io",
    "SecurityContextConstraints": "security.openshift.io",
    "ImageStream": "image.openshift.io",
    "BuildConfig": "build.openshift.io",
    "Project": "project.openshift.io",
    "Group": "user.openshift.io",
}

_NO_CLUSTER = frozenset(
    """
    backstage.io skaffold kustomize.config.k8s.io kind.x-k8s.io k3d.io eksctl.io kubeadm.k8s.io kubelet.config.k8s.io
    kubeproxy.config.k8s.io kubescheduler.config.k8s.io audit.k8s.io apiserver.config.k8s.io
    client.authentication.k8s.io ctlptl.dev devspace.sh tilt.dev garden.io tanka.dev helm.sh conftest builtin
    krew.googlecontainertools.github.com
    """.split()
)
"""Groups of files that look like objects and are read by tools on a desk or a node, not by a cluster."""

NAMESPACED_NOT = frozenset(
    """
    Namespace Node PersistentVolume ClusterRole ClusterRoleBinding CustomResourceDefinition StorageClass PriorityClass
    IngressClass GatewayClass RuntimeClass VolumeSnapshotClass CSIDriver APIService ValidatingWebhookConfiguration
    MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy
    PodSecurityPolicy SecurityContextConstraints Project ClusterIssuer ClusterSecretStore ClusterExternalSecret Group
    User ClusterPolicy OAuth MachineConfig NodePool EC2NodeClass Provisioner ClusterTask ClusterImagePolicy Composition
    CompositeResourceDefinition ProviderConfig PriorityLevelConfiguration FlowSchema ClusterVersion APIServer
    """.split()
)


class Item(Struct, frozen=True):
    """One object as it will be applied. `type` is `group/Kind` without the version, which is a view of it. `patched` is
    what else made it: patches, generators, kustomizations that transform it.
    """

    type: str
    namespace: str
    name: str
    values: Mapping[str, Value]
    place: Place = Place("")
    patched: tuple[Place, ...] = ()

    @property
    def kind(self) -> str:
        return self.type.rpartition("/")[2]

    @property
    def group(self) -> str:
        return self.type.rpartition("/")[0]

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.type, self.namespace, self.name)

    def address(self, whole: bool = False) -> str:
        """`Deployment shop/api`; with the group behind the kind where two kinds share a name."""
        kind = f"{self.kind}.{self.group}" if whole else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"


class Secrets:
    """Numbers secrets, the same number for the same text, however it is encoded."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def hide(self, text: Value, encoded: bool) -> Hidden:
        """What stands in for a secret."""
        if isinstance(text, Hidden):
            return text
        plain = str(text)
        if encoded:
            try:
                plain = base64.b64decode(plain, validate=False).decode("utf-8", "surrogateescape")
            except (binascii.Error, ValueError):
                plain = str(text)
        return Hidden(self._numbers.setdefault(plain, len(self._numbers) + 1))


_SEALED = Hidden(0)


def items_of(documents: Iterable[Document], path: str, secrets: Secrets) -> Iterator[Item]:
    """The objects among these documents, lists taken apart."""
    for document in documents:
        values = document.value
        if not isinstance(values, Mapping):
            continue
        if "sops" in values:
            values = _sealed({key: inner for key, inner in values.items() if key != "sops"})
        listed = values.get("items")
        if str(values.get("kind", "")).endswith("List") and isinstance(listed, list):
            lines = document.items if len(document.items) == len(listed) else (document.line,) * len(listed)
            for one, line in _flat(listed, lines):
                yield from _item(one, Place(path, line), secrets)
        else:
            yield from _item(values, Place(path, document.line), secrets)


def _flat(listed: Sequence[Value], lines: Sequence[int], deepest: int = 20) -> Iterator[tuple[Value, int]]:
    """The objects of a list with their lines, those of lists within it too."""
    for one, line in zip(listed, lines, strict=True):
        inner = one.get("items") if isinstance(one, Mapping) and str(one.get("kind", "")).endswith("List") else None
        if isinstance(inner, list) and deepest:
            yield from _flat(inner, (line,) * len(inner), deepest - 1)
        else:
            yield one, line


def item_of(values: Mapping[str, Value], place: Place) -> Item | None:
    """One object, None where this is none that a cluster would take."""
    version, kind, metadata = values.get("apiVersion"), values.get("kind"), values.get("metadata")
    if not isinstance(version, str) or not isinstance(kind, str) or not isinstance(metadata, Mapping):
        return None
    name = metadata.get("name") or metadata.get("generateName")
    if name is None or isinstance(name, (dict, list)):
        return None
    type_ = type_of(version, kind)
    if type_.rpartition("/")[0] in _NO_CLUSTER or "{{" in kind or "{{" in version:
        return None
    namespace = "" if kind in NAMESPACED_NOT else metadata.get("namespace")
    return Item(type_, str(namespace or ""), str(name), values, place)


def hidden(item: Item, secrets: Secrets) -> Item:
    """The object with its secrets taken away."""
    if item.type != "v1/Secret":
        return item
    changed = dict(item.values)
    for key in ("data", "stringData"):
        if isinstance(changed.get(key), Mapping):
            changed[key] = {name: secrets.hide(value, key == "data") for name, value in changed[key].items()}
    metadata = dict(mapping(changed.get("metadata")))
    notes = dict(mapping(metadata.get("annotations")))
    if notes.pop("kubectl.kubernetes.io/last-applied-configuration", None) is not None:
        changed["metadata"] = {**metadata, "annotations": notes}
    return replace(item, values=changed)


def type_of(version: str, kind: str) -> str:
    """`apps/Deployment` for `apps/v1` and `Deployment`; `v1/Service` for the core group."""
    group = version.rpartition("/")[0]
    if group == "extensions":
        group = _GROUPS.get(kind, group)
    if not group:
        group = _OPENSHIFT_V1.get(kind, "v1")
    return f"{group}/{kind}"


def pod_template(type_: str, values: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
    """The pod (metadata and spec) that an object makes, None where it makes none."""
    path = _POD_PATHS.get(type_)
    found: Value = values
    if path is None:
        return None
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def pod_spec(type_: str, values: Mapping[str, Value] | None) -> Mapping[str, Value]:
    """The spec of the pods that an object makes, empty where it makes none."""
    return mapping((pod_template(type_, values) or {}).get("spec"))


def pod_labels(type_: str, values: Mapping[str, Value] | None) -> Mapping[str, Value]:
    """The labels of the pods that an object makes."""
    return mapping(mapping((pod_template(type_, values) or {}).get("metadata")).get("labels"))


def containers(spec: Mapping[str, Value], init: bool = True) -> dict[str, Mapping[str, Value]]:
    """The containers of a pod by name."""
    found: dict[str, Mapping[str, Value]] = {}
    for key in ("containers", "initContainers") if init else ("containers",):
        for place, one in enumerate(sequence(spec.get(key))):
            if isinstance(one, Mapping):
                found.setdefault(str(one.get("name") or place), one)
    return found


def mapping(value: Value) -> Mapping[str, Value]:
    """A mapping as it is, anything else as an empty one."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Value) -> list[Value]:
    """A list as it is, anything else as an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: Value) -> list[Mapping[str, Value]]:
    """The mappings of a list."""
    return [one for one in sequence(value) if isinstance(one, Mapping)]


# Private


def _sealed(value: Value) -> Value:
    """A document of sops without what it encrypted: its text is another one each time, even for the same value."""
    if isinstance(value, Mapping):
        return {key: _sealed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_sealed(one) for one in value]
    return _SEALED if isinstance(value, str) and value.startswith("ENC[AES256_GCM") else value


def _item(values: Value, place: Place, secrets: Secrets) -> Iterator[Item]:
    if isinstance(values, Mapping) and (found := item_of(values, place)) is not None:
        yield hidden(found, secrets)
