"""Admission policies that hold the gravest changes at the cluster's door, where a change comes past every review.

They are ValidatingAdmissionPolicy objects (Kubernetes 1.30 and later) with CEL over `object` and `oldObject`:
https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/. Each holds what the rules of the
same words say of a change in git. The annotation `OPT_OUT` on the object (on the one that goes, for a delete) lets a
request through, if whoever sends it has the right `APPROVER`: give that right to people alone.
"""

from __future__ import annotations

from msgspec import Struct

OPT_OUT = "tidegate.dev/approved-by"
"""The annotation that names who approved an exception."""

APPROVER = "authorizer.group('tidegate.dev').resource('approvals').check('approve').allowed()"
"""Whether the sender may approve: the verb `approve` on `approvals` of `tidegate.dev`, a right and no object."""

_PODS = "object.spec.template.spec"


class Held(Struct, frozen=True):
    """One policy: on which resources and operations, and what must be true of every request.

    `rules` are a group and the names of its resources. `checks` are CEL and the sentence that the refusal says.
    """

    name: str
    rules: tuple[tuple[str, ...], ...]
    operations: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    production: bool = True
    variables: tuple[tuple[str, str], ...] = ()


def admission_policies() -> str:
    """The policies and their bindings as YAML, ready for `kubectl apply -f -`.

    Those about objects in namespaces hold where the namespace carries `environment: production`; add your own label to
    the bindings.
    """
    from yaml import safe_dump_all

    documents = [document for held in HELD for document in (_policy(held), _binding(held))]
    return _HEAD + str(safe_dump_all(documents, sort_keys=False, width=1000))


# Private

_HEAD = f"""\
# What must not happen to production by a slip or by an agent's hand. A person lets one object through with
# the annotation {OPT_OUT}: NAME, if they hold the verb approve on approvals in the group tidegate.dev.
"""

_WAS_PRODUCTION = (
    "has(oldObject.metadata.labels) && 'environment' in oldObject.metadata.labels && "
    "oldObject.metadata.labels['environment'] == 'production'"
)
_HOSTS = f"has({_PODS}.volumes) ? {_PODS}.volumes.filter(v, has(v.hostPath)).map(v, v.hostPath.path) : []"
_STRONG = (
    f"{_PODS}.containers.exists(c, has(c.securityContext) && has(c.securityContext.privileged) && "
    "c.securityContext.privileged)"
)

HELD: tuple[Held, ...] = (
    Held(
        "scale-to-zero",
        (("apps", "deployments", "statefulsets", "deployments/scale", "statefulsets/scale"),),
        ("UPDATE",),
        (
            (
                "!has(object.spec.replicas) || object.spec.replicas > 0 || "
                "(has(oldObject.spec.replicas) && oldObject.spec.replicas == 0)",
                "spec.replicas 0 takes every pod away",
            ),
        ),
    ),
    Held(
        "selectors",
        (("", "services"),),
        ("UPDATE",),
        (
            (
                "!has(oldObject.spec.selector) || (has(object.spec.selector) && "
                "object.spec.selector == oldObject.spec.selector)",
                "a changed selector leads every request to other pods at once",
            ),
        ),
    ),
    Held(
        "deletes",
        (("", "namespaces", "persistentvolumes"), ("apiextensions.k8s.io", "customresourcedefinitions")),
        ("DELETE",),
        ((f"!({_WAS_PRODUCTION})", "it is labelled production, and what is in it goes with it"),),
        production=False,
    ),
    Held(
        "claims",
        (("", "persistentvolumeclaims"),),
        ("DELETE",),
        (("false", "the volume of a deleted claim goes with its data"),),
    ),
    Held(
        "disruption-budgets",
        (("policy", "poddisruptionbudgets"),),
        ("DELETE",),
        (("false", "without it, draining nodes may stop all pods at once"),),
    ),
    Held(
        "cluster-admins",
        (("rbac.authorization.k8s.io", "clusterrolebindings"),),
        ("CREATE", "UPDATE"),
        (
            (
                "object.roleRef.name != 'cluster-admin' || !has(object.subjects) || (oldObject != null && "
                "has(oldObject.subjects) && object.subjects.all(s, oldObject.subjects.exists(o, o == s)))",
                "it gives somebody every right on the cluster",
            ),
        ),
        production=False,
    ),
    Held(
        "privileges",
        (("apps", "deployments", "statefulsets", "daemonsets"),),
        ("CREATE", "UPDATE"),
        (
            (
                "variables.hosts.all(path, path in variables.hadHosts)",
                "a hostPath reads the node's own files",
            ),
            ("!variables.strong || variables.wasStrong", "privileged: true gives its code the node"),
            (
                f"!has({_PODS}.hostNetwork) || !{_PODS}.hostNetwork || (oldObject != null && "
                "has(oldObject.spec.template.spec.hostNetwork) && oldObject.spec.template.spec.hostNetwork)",
                "the host's network is past every NetworkPolicy",
            ),
        ),
        variables=(
            ("hosts", _HOSTS),
            ("hadHosts", f"oldObject == null ? [] : ({_HOSTS.replace('object.', 'oldObject.')})"),
            ("strong", _STRONG),
            ("wasStrong", f"oldObject != null && {_STRONG.replace('object.', 'oldObject.')}"),
        ),
    ),
)
"""What is held at the door, in the order of the YAML."""


def _policy(held: Held) -> dict[str, object]:
    deletes = held.operations == ("DELETE",)
    subject = "oldObject" if deletes else "object"
    approved = (
        f"has({subject}.metadata.annotations) && '{OPT_OUT}' in {subject}.metadata.annotations && "
        f"{subject}.metadata.annotations['{OPT_OUT}'] != '' && {APPROVER}"
    )
    spec: dict[str, object] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_rule(rule, held.operations) for rule in held.rules]},
        "matchConditions": [{"name": "not-approved", "expression": f"!({approved})"}],
    }
    if held.variables:
        spec["variables"] = [{"name": name, "expression": text} for name, text in held.variables]
    spec["validations"] = [
        {
            "expression": text,
            "message": f"{words}; a person may approve it by the annotation {OPT_OUT}",
            "reason": "Forbidden",
        }
        for text, words in held.checks
    ]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": f"tidegate-{held.name}"},
        "spec": spec,
    }


def _rule(rule: tuple[str, ...], operations: tuple[str, ...]) -> dict[str, object]:
    group, *names = rule
    return {"apiGroups": [group], "apiVersions": ["v1"], "operations": list(operations), "resources": names}


def _binding(held: Held) -> dict[str, object]:
    spec: dict[str, object] = {"policyName": f"tidegate-{held.name}", "validationActions": ["Deny", "Audit"]}
    if held.production:
        spec["matchResources"] = {"namespaceSelector": {"matchLabels": {"environment": "production"}}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"tidegate-{held.name}"},
        "spec": spec,
    }
