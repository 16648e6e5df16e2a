"""Admission policies: valid YAML, CEL that compiles, and decisions on requests that the tests make."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from cel_expr_python import cel

from tidegate.infra.kubernetes.admission import APPROVER, HELD, OPT_OUT, admission_policies

DOCUMENTS = list(yaml.safe_load_all(admission_policies()))
POLICIES = {one["metadata"]["name"]: one["spec"] for one in DOCUMENTS if one["kind"] == "ValidatingAdmissionPolicy"}
BINDINGS = {one["spec"]["policyName"]: one["spec"] for one in DOCUMENTS if one["kind"].endswith("Binding")}
ENVIRONMENT = cel.NewEnv(
    variables={**dict.fromkeys(("object", "oldObject", "variables"), cel.Type.DYN), "approver": cel.Type.BOOL}
)


def answer(expression: str, **known: Any) -> bool:
    # The cluster's own `authorizer` is not in the language here: whoever asks is a plain variable instead.
    compiled = ENVIRONMENT.compile(expression.replace(APPROVER, "approver"))
    return bool(compiled.eval(ENVIRONMENT.Activation(known)).value())


def admitted(name: str, old: Any, new: Any, approver: bool = False) -> bool:
    """Whether a request passes the policy of this name."""
    spec = POLICIES[f"tidegate-{name}"]
    known: dict[str, Any] = {"object": new, "oldObject": old, "approver": approver}
    if not all(answer(one["expression"], **known) for one in spec["matchConditions"]):
        return True
    variables: dict[str, Any] = {}
    for one in spec.get("variables", ()):
        compiled = ENVIRONMENT.compile(one["expression"])
        variables[one["name"]] = compiled.eval(ENVIRONMENT.Activation({**known, "variables": variables})).plain_value()
    return all(answer(one["expression"], **known, variables=variables) for one in spec["validations"])


def test_every_policy_is_whole_and_bound() -> None:
    assert len(POLICIES) == len(HELD)
    assert POLICIES.keys() == BINDINGS.keys()
    for spec in POLICIES.values():
        assert spec["failurePolicy"] == "Fail"
        assert spec["matchConstraints"]["resourceRules"]
        assert all(one["message"] and OPT_OUT in one["message"] for one in spec["validations"])
    assert all("Deny" in spec["validationActions"] for spec in BINDINGS.values())


def _workload(replicas: int | None = None, **pod: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"template": {"spec": {"containers": [{"name": "a"}], **pod}}}
    return {"metadata": {"name": "api"}, "spec": spec if replicas is None else {**spec, "replicas": replicas}}


def _bound(role: str, *names: str) -> dict[str, Any]:
    return {"metadata": {}, "roleRef": {"name": role}, "subjects": [{"kind": "User", "name": name} for name in names]}


def _service(app: str) -> dict[str, Any]:
    return {"metadata": {}, "spec": {"selector": {"app": app}}}


HOST = {"volumes": [{"name": "h", "hostPath": {"path": "/"}}]}
STRONG = {"containers": [{"name": "a", "securityContext": {"privileged": True}}]}
LIVE = {"metadata": {"name": "shop", "labels": {"environment": "production"}}}


@pytest.mark.parametrize(
    ("name", "old", "new", "passes"),
    [
        ("scale-to-zero", _workload(3), _workload(0), False),
        ("scale-to-zero", _workload(3), _workload(1), True),
        ("scale-to-zero", _workload(0), _workload(0), True),
        ("scale-to-zero", _workload(3), _workload(), True),
        ("selectors", _service("b"), _service("c"), False),
        ("selectors", _service("b"), _service("b"), True),
        ("deletes", LIVE, None, False),
        ("deletes", {"metadata": {"name": "x"}}, None, True),
        ("claims", {"metadata": {"name": "files"}}, None, False),
        ("disruption-budgets", {"metadata": {"name": "api"}}, None, False),
        ("cluster-admins", None, _bound("cluster-admin", "ann"), False),
        ("cluster-admins", _bound("cluster-admin", "ann"), _bound("cluster-admin", "ann", "bob"), False),
        ("cluster-admins", _bound("cluster-admin", "ann", "bob"), _bound("cluster-admin", "ann"), True),
        ("cluster-admins", None, _bound("view", "ann"), True),
        ("privileges", None, _workload(1), True),
        ("privileges", None, _workload(1, **HOST), False),
        ("privileges", _workload(1, **HOST), _workload(2, **HOST), True),
        ("privileges", _workload(1), _workload(1, **STRONG), False),
        ("privileges", _workload(1, **STRONG), _workload(2, **STRONG), True),
        ("privileges", _workload(1), _workload(1, hostNetwork=True), False),
    ],
)  # fmt: skip
def test_what_is_held(name: str, old: Any, new: Any, passes: bool) -> None:
    assert admitted(name, old, new) is passes


def test_only_who_may_approve_opens_the_door() -> None:
    new = _workload(0)
    new["metadata"]["annotations"] = {OPT_OUT: "ann"}
    assert not admitted("scale-to-zero", _workload(3), new)
    assert admitted("scale-to-zero", _workload(3), new, approver=True)
    assert not admitted("scale-to-zero", _workload(3), _workload(0), approver=True)
