"""What pods may do to their node: privileges, mounts of the host, and the guards that keep them from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity, Unjudged
from tidegate.infra.kubernetes.objects import containers, mapping, mappings, pod_spec, pod_template, sequence
from tidegate.infra.kubernetes.rules.common import created, deleted, labels, name_of, spec, updated
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.same import field, flag, same, show
from tidegate.infra.values import Draft, ResourceChange, Value, World

_GRAVE_CAPABILITIES = frozenset(
    "ALL SYS_ADMIN SYS_PTRACE SYS_MODULE SYS_RAWIO DAC_READ_SEARCH NET_ADMIN NET_RAW BPF SYS_BOOT SYS_CHROOT".split()
)
_GRAVE_PATHS = (
    "/",
    "/etc",
    "/root",
    "/proc",
    "/var/run",
    "/run",
    "/var/lib/kubelet",
    "/var/lib/docker",
    "/home",
    "/boot",
)
_LEVELS = ("restricted", "baseline", "privileged")


def privileges(world: World) -> Iterator[Draft | Unjudged]:
    """Pods that may do more than before, and new ones that may do what ends at the node."""
    for change in updated(world):
        if pod_template(change.type, change.after) is not None and pod_template(change.type, change.before) is not None:
            old, new = _rights(pod_spec(change.type, change.before)), _rights(pod_spec(change.type, change.after))
            for right in sorted({*new} - {*old}):
                yield _gained(change, right, new[right], False)
            lost = _guards(pod_spec(change.type, change.before)) - _guards(pod_spec(change.type, change.after))
            if lost:
                reason = (
                    f"{change.address} loses {listed(sorted(lost))}: code that breaks in can do more in its container."
                )
                grave: Severity = "low" if lost == {"readOnlyRootFilesystem"} else "medium"
                yield Draft("PRIV_ESC", grave, change.address, reason, True, "keep it")
    for change in created(world):
        if pod_template(change.type, change.after) is not None:
            new = _rights(pod_spec(change.type, change.after))
            for right in sorted(new):
                if new[right] == "high":
                    yield _gained(change, right, "medium", True)


def admission_levels(world: World) -> Iterator[Draft | Unjudged]:
    """Namespaces that let stronger pods in."""
    for change in updated(world, "v1/Namespace"):
        key = "pod-security.kubernetes.io/enforce"
        old, new = labels(change.before).get(key), labels(change.after).get(key)
        if old not in _LEVELS or same(old, new):
            continue
        rank = _LEVELS.index(str(new)) if new in _LEVELS else 2
        if rank > _LEVELS.index(str(old)):
            reason = f"{key} {show(old)} -> {show(new)}: pods of {name_of(change)} may now escalate to their node" + (
                " (privileged, hostPath, host network)." if rank == 2 else "; known escalations stay refused."
            )
            yield Draft("PRIV_ESC", "high" if rank == 2 else "medium", change.address, reason, True, "keep the label")
    for change in updated(world, "v1/Namespace"):
        mesh = "istio-injection"
        if labels(change.before).get(mesh) == "enabled" and labels(change.after).get(mesh) != "enabled":
            reason = (
                f"{mesh} enabled -> {show(labels(change.after).get(mesh))}: new pods of "
                f"{name_of(change)} leave the mesh and its encryption."
            )
            yield Draft("TLS_OFF", "medium", change.address, reason, True, "keep the label")


def constraints(world: World) -> Iterator[Draft | Unjudged]:
    """OpenShift's SecurityContextConstraints and the old PodSecurityPolicies, where they allow more."""
    for change in updated(world, "security.openshift.io/SecurityContextConstraints", "policy/PodSecurityPolicy"):
        for words, grave in _allowed_more(change):
            reason = f"{change.address} now allows {words}: whoever may use it can escalate to the node."
            yield Draft(
                "PRIV_ESC", grave, change.address, reason, True, "grant it to one account in a constraint of its own"
            )


def guards(world: World) -> Iterator[Draft | Unjudged]:
    """Admission checks that are deleted or only warn any more."""
    for change in deleted(world):
        if _is_guard(change.type):
            reason = f"{change.address} is deleted: what it refused is let in from now on."
            yield Draft("GUARD_REMOVED", "high", change.address, reason, True, "apply it again")
    for change in updated(world):
        if _is_guard(change.type):
            yield from _weaker(change)


# Private


def _rights(pod: Mapping[str, Value]) -> dict[str, Severity]:
    """What a pod may do to its node, with how grave that is."""
    found: dict[str, Severity] = {}
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if flag(pod.get(key)):
            found[f"{key}: true"] = "high"
    mounted = {str(one.get("name")): one for c in containers(pod).values() for one in mappings(c.get("volumeMounts"))}
    for volume in mappings(pod.get("volumes")):
        host = volume.get("hostPath")
        if isinstance(host, Mapping):
            path = str(host.get("path"))
            read_only = flag(mapping(mounted.get(str(volume.get("name")))).get("readOnly"))
            grave = path.rstrip("/") in _GRAVE_PATHS or path in _GRAVE_PATHS or ".sock" in path or not read_only
            found[f"hostPath {path}{' (read only)' if read_only else ''}"] = "high" if grave else "medium"
    for name, one in containers(pod).items():
        context = mapping(one.get("securityContext"))
        if flag(context.get("privileged")):
            found[f"privileged: true in container {name}"] = "high"
        for capability in sorted(_capabilities(context, "add")):
            if capability not in ("NET_BIND_SERVICE", "CHOWN", "SETUID", "SETGID", "FOWNER", "KILL", "DAC_OVERRIDE"):
                grave = capability in _GRAVE_CAPABILITIES
                found[f"capability {capability} in container {name}"] = "high" if grave else "medium"
        for port in mappings(one.get("ports")):
            if port.get("hostPort"):
                found[f"hostPort {port['hostPort']}"] = "low"
    return found


def _guards(pod: Mapping[str, Value]) -> set[str]:
    """The guards that every container of a pod has."""
    shared = mapping(pod.get("securityContext"))
    every: list[set[str]] = []
    for one in containers(pod, init=False).values():
        context = {**shared, **mapping(one.get("securityContext"))}
        held = set()
        if flag(context.get("runAsNonRoot")) or str(context.get("runAsUser") or "0") != "0":
            held.add("runAsNonRoot")
        if flag(context.get("allowPrivilegeEscalation")) is False:
            held.add("allowPrivilegeEscalation: false")
        if "ALL" in _capabilities(context, "drop"):
            held.add("capabilities.drop ALL")
        if flag(context.get("readOnlyRootFilesystem")):
            held.add("readOnlyRootFilesystem")
        if str(mapping(context.get("seccompProfile")).get("type")) in ("RuntimeDefault", "Localhost"):
            held.add("seccompProfile")
        every.append(held)
    return set.intersection(*every) if every else set()


def _capabilities(context: Mapping[str, Value], key: str) -> set[str]:
    found = sequence(mapping(context.get("capabilities")).get(key))
    return {str(one).upper().removeprefix("CAP_") for one in found}


def _gained(change: ResourceChange, right: str, grave: Severity, fresh: bool) -> Draft:
    what = {
        "hostP": "it reads the node's own processes or files",
        "privi": "its code has the node as root",
        "hostN": "it listens and sniffs on the node's own network, past every NetworkPolicy",
    }.get(right[:5], "code that breaks in can escalate to the node")
    verb = "is new and has" if fresh else "gains"
    return Draft("PRIV_ESC", grave, change.address, f"{change.address} {verb} {right}: {what}.", True, "leave it out")


def _allowed_more(change: ResourceChange) -> Iterator[tuple[str, Severity]]:
    old, new = (_flat(change, side) for side in (change.before, change.after))
    for key in sorted({*new}):
        before, after = old.get(key), new[key]
        switch = key.startswith("allow") or key in ("hostNetwork", "hostPID", "hostIPC", "privileged", "hostPorts")
        if switch and flag(after) and not flag(before):
            grave: Severity = "medium" if key == "allowPrivilegeEscalation" else "high"
            yield f"{key} ({show(before)} -> {show(after)})", grave
        if key in ("volumes", "allowedCapabilities", "allowedHostPaths", "defaultAddCapabilities", "users", "groups"):
            fresh = [one for one in sequence(after) if one not in sequence(before)]
            yield from _listed_more(key, fresh)
        if key in ("runAsUser", "seLinuxContext", "fsGroup", "supplementalGroups", "seLinux"):
            rule = mapping(after).get("type") or mapping(after).get("rule")
            was = mapping(before).get("type") or mapping(before).get("rule")
            if rule == "RunAsAny" and was not in (None, "RunAsAny"):
                yield f"{key} RunAsAny ({show(was)} before)", "high" if key == "runAsUser" else "medium"


def _listed_more(key: str, fresh: list[Value]) -> Iterator[tuple[str, Severity]]:
    if key == "volumes":
        grave = [str(one) for one in fresh if str(one) in ("hostPath", "*")]
        if grave:
            yield f"volumes of the kind {listed(grave)}, the node's own files", "high"
    elif key in ("users", "groups") and fresh:
        names = [str(one) for one in fresh]
        wide = any(one in ("system:authenticated", "system:unauthenticated", "system:serviceaccounts") for one in names)
        yield f"{key} {listed(names)} to use it", "critical" if wide else "high"
    elif key.endswith("apabilities") and fresh:
        names = [str(one) for one in fresh]
        wide = any(one.upper() in (*_GRAVE_CAPABILITIES, "*") for one in names)
        yield f"capabilities {listed(names)}", "high" if wide else "medium"
    elif key == "allowedHostPaths" and fresh:
        yield f"hostPath {show(fresh)}", "high"


def _flat(change: ResourceChange, values: Mapping[str, Value] | None) -> Mapping[str, Value]:
    return spec(values) if change.type.startswith("policy/") else values or {}


def _is_guard(type_: str) -> bool:
    group, _, kind = type_.rpartition("/")
    if kind in ("ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"):
        return True
    return group == "constraints.gatekeeper.sh" or (group == "kyverno.io" and kind.endswith("Policy")) or (
        group == "policies.kubewarden.io"
    )  # fmt: skip


_STRENGTH: Mapping[str, tuple[str, ...]] = {
    "spec.validationFailureAction": ("enforce",),
    "spec.enforcementAction": ("deny",),
    "spec.failurePolicy": ("fail",),
    "spec.mode": ("protect",),
}


def _weaker(change: ResourceChange) -> Iterator[Draft]:
    for path, strong in _STRENGTH.items():
        old, new = field(change.before, path), field(change.after, path)
        if str(old).lower() in strong and str(new).lower() not in strong and new is not None:
            reason = f"{path} {show(old)} -> {show(new)}: {change.address} no longer refuses what it finds."
            yield Draft("GUARD_REMOVED", "high", change.address, reason, True, "set it back")
    old, new = field(change.before, "spec.validationActions"), field(change.after, "spec.validationActions")
    if "Deny" in sequence(old) and "Deny" not in sequence(new):
        reason = f"spec.validationActions {show(old)} -> {show(new)}: {change.address} no longer refuses what it finds."
        yield Draft("GUARD_REMOVED", "high", change.address, reason, True, "keep Deny")
    before = {str(one.get("name")): one for one in mappings((change.before or {}).get("webhooks"))}
    for one in mappings((change.after or {}).get("webhooks")):
        was = before.get(str(one.get("name")), {})
        if was.get("failurePolicy") in ("Fail", None) and was and one.get("failurePolicy") == "Ignore":
            reason = (
                f"failurePolicy of webhook {one.get('name')} -> Ignore: whatever it cannot be asked about is let in."
            )
            yield Draft("GUARD_REMOVED", "medium", change.address, reason, True, "keep Fail")
