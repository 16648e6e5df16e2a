"""Kubernetes manifests: what is said of a changed set of objects, and what must stay silent."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pytest
import yaml
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from tidegate.change.trees import given
from tidegate.facts import Effect
from tidegate.infra.judge import Judgement, judge
from tidegate.infra.kubernetes import family
from tidegate.infra.kubernetes.documents import DEEPEST, Parser
from tidegate.infra.kubernetes.rules import kubernetes

API = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: api, namespace: shop}
    spec:
      replicas: 3
      selector: {matchLabels: {app: api}}
      template:
        metadata: {labels: {app: api}}
        spec:
          containers:
            - name: api
              image: ghcr.io/acme/api:1.0
              ports: [{name: http, containerPort: 8080}]
              env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]
              readinessProbe: {httpGet: {path: /ready, port: 8080}}
              resources: {limits: {memory: 512Mi}}
              securityContext: {capabilities: {drop: [ALL]}, allowPrivilegeEscalation: false}
    """
SERVICE = """
    apiVersion: v1
    kind: Service
    metadata: {name: api, namespace: shop}
    spec:
      selector: {app: api}
      ports: [{name: web, port: 80, targetPort: 8080}]
    """
INGRESS = """
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {name: shop, namespace: shop}
    spec:
      tls: [{hosts: [shop.example.org]}]
      rules:
        - host: shop.example.org
          http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: api, port: {name: web}}}}]}
    """
CLAIM = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: files, namespace: shop}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}
    """
SECRET = """
    apiVersion: v1
    kind: Secret
    metadata: {name: db, namespace: shop}
    stringData: {password: hush-hush}
    """
SPACE = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop, labels: {pod-security.kubernetes.io/enforce: restricted}}
    """
ADMINS = """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: admins}
    roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
    subjects: [{kind: User, name: ann}]
    """
KAFKA = """
    apiVersion: kafka.strimzi.io/v1beta2
    kind: Kafka
    metadata: {name: bus, namespace: shop}
    spec: {kafka: {replicas: 3, config: {min.insync.replicas: 2}, storage: {deleteClaim: false}}}
    """
SET = """
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db, namespace: shop}
    spec:
      serviceName: db
      selector: {matchLabels: {app: db}}
      template: {metadata: {labels: {app: db}}, spec: {containers: [{name: db, image: acme/db:1}]}}
      volumeClaimTemplates: [{metadata: {name: data}, spec: {resources: {requests: {storage: 1Gi}}}}]
    """
CRON = """
    apiVersion: batch/v1
    kind: CronJob
    metadata: {name: db-backup, namespace: shop}
    spec: {schedule: "0 1 * * *", jobTemplate: {spec: {template: {spec: {containers: [{name: b, image: b}]}}}}}
    """
APP = """
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata: {name: shop, namespace: argocd, finalizers: [resources-finalizer.argocd.argoproj.io]}
    spec:
      source: {repoURL: https://git.example.org/acme/shop, path: deploy, targetRevision: v1.2}
      destination: {namespace: shop, server: https://one}
      syncPolicy: {automated: {selfHeal: true}}
    """
RULE = """
    apiVersion: monitoring.coreos.com/v1
    kind: PrometheusRule
    metadata: {name: rules, namespace: shop}
    spec: {groups: [{name: shop, rules: [{alert: ShopDown, expr: up == 0}, {alert: Slow, expr: x > 1}]}]}
    """
MESH = """
    apiVersion: security.istio.io/v1
    kind: PeerAuthentication
    metadata: {name: all, namespace: shop}
    spec: {mtls: {mode: STRICT}}
    """
DENY = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: deny-all, namespace: shop}
    spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
    """
ALLOW = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: from-edge, namespace: shop}
    spec:
      podSelector: {}
      policyTypes: [Ingress]
      ingress: [{from: [{namespaceSelector: {matchLabels: {role: edge}}}]}]
    """
QUOTA = """
    apiVersion: v1
    kind: ResourceQuota
    metadata: {name: room, namespace: shop}
    spec: {hard: {pods: 10}}
    """
BUDGET = """
    apiVersion: policy/v1
    kind: PodDisruptionBudget
    metadata: {name: api, namespace: shop}
    spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}
    """
EVERYTHING = (
    API,
    SERVICE,
    INGRESS,
    CLAIM,
    SECRET,
    SPACE,
    ADMINS,
    KAFKA,
    SET,
    CRON,
    APP,
    RULE,
    MESH,
    ALLOW,
    QUOTA,
    BUDGET,
)


def judged(before: Mapping[str, str], after: Mapping[str, str]) -> Judgement:
    trees = given(*({path: text.encode() for path, text in side.items()} for side in (before, after)))
    pairs = tuple(pair for pair in trees.changed if family.claims(pair.path))
    return judge([family.read(trees, pairs)], (kubernetes,), "human")


def joined(*documents: str) -> str:
    return "\n---\n".join(textwrap.dedent(one).strip() for one in documents) + "\n"


def said(before: str, after: str) -> tuple[Effect, ...]:
    found = judged({"deploy/all.yaml": before}, {"deploy/all.yaml": after})
    assert not found.unjudged
    return found.effects


def edited(*documents: str, **swaps: str) -> tuple[Effect, ...]:
    """What is said where words of these documents are exchanged; `old` for `new`."""
    text = joined(*documents)
    assert swaps["old"] in text
    return said(text, text.replace(swaps["old"], swaps["new"]))


def lines(effects: tuple[Effect, ...]) -> list[tuple[str, str]]:
    return [(effect.code, effect.severity) for effect in effects]


@pytest.mark.parametrize(
    ("documents", "old", "new", "code", "severity", "words"),
    [
        ((API, SERVICE), "replicas: 3", "replicas: 0", "OUTAGE_FULL", "critical", "replicas 3 -> 0"),
        ((API,), "replicas: 3", "replicas: 1", "CAPACITY_DOWN", "medium", "no second pod"),
        ((API, SERVICE), "labels: {app: api}", "labels: {app: web}", "OUTAGE_FULL", "high", "matches no pod"),
        ((SERVICE, API), "selector: {app: api}", "selector: {app: web}", "OUTAGE_FULL", "high", "matches no pod"),
        ((SERVICE,), "port: 80,", "port: 8081,", "OUTAGE_FULL", "high", "port 80 "),
        ((SERVICE, API), "targetPort: 8080", "targetPort: 9090", "OUTAGE_FULL", "high", "listens there"),
        ((SERVICE, API, INGRESS), "[{name: web, port", "[{name: www, port", "OUTAGE_PARTIAL", "high", "go by the name"),
        ((SERVICE, API), "  selector: {app", "  type: LoadBalancer\n  selector: {app", "NET_EXPOSE", "high", "address"),
        ((API,), "path: /ready, port: 8080", "path: /ready, port: 9", "OUTAGE_PARTIAL", "high", "no port of"),
        ((API,), "path: /ready", "path: /healthz", "OUTAGE_PARTIAL", "medium", "/ready -> /healthz"),
        ((API,), "memory: 512Mi", "memory: 128Mi", "RESTART", "medium", "OOM"),
        ((API,), "api:1.0", "api:latest", "SUPPLY_CHAIN", "medium", "latest"),
        ((API,), "ghcr.io/acme/api", "ghcr.io/evil/api", "SUPPLY_CHAIN", "medium", "another owner"),
        ((API,), "      containers:", "      hostNetwork: true\n      containers:", "PRIV_ESC", "high", "hostNetwork"),
        ((API,), "{drop: [ALL]}", "{add: [SYS_ADMIN], drop: [ALL]}", "PRIV_ESC", "high", "SYS_ADMIN"),
        ((API,), "allowPrivilegeEscalation: false", "runAsUser: 5", "PRIV_ESC", "medium", "allowPrivilegeEscalation"),
        ((SPACE,), "enforce: restricted", "enforce: privileged", "PRIV_ESC", "high", "restricted -> privileged"),
        ((ADMINS,), "name: ann}", "name: ann}, {kind: Group, name: devs}", "PRIV_ESC", "high", "Group devs"),
        ((INGRESS,), "host: shop.example.org", "host: new.example.org", "OUTAGE_FULL", "high", "shop.example.org"),
        ((INGRESS,), "  tls: [{hosts: [shop.example.org]}]\n", "", "TLS_OFF", "high", "shop.example.org"),
        ((KAFKA,), "replicas: 2}", "replicas: 1}", "DATA_DURABILITY", "high", "min.insync.replicas 2 -> 1"),
        ((KAFKA,), "deleteClaim: false", "deleteClaim: true", "GUARD_REMOVED", "high", "deleteClaim"),
        ((SET,), "serviceName: db", "serviceName: dbs", "IMMUTABLE_REJECT", "medium", "rejected"),
        ((API,), "matchLabels: {app: api}", "matchLabels: {app: api, x: y}", "IMMUTABLE_REJECT", "medium", "selector"),
        ((CLAIM,), "10Gi", "5Gi", "IMMUTABLE_REJECT", "medium", "cannot shrink"),
        ((CRON,), "{schedule", "{suspend: true, schedule", "BACKUP_REDUCED", "high", "No backups"),
        ((CRON,), '"0 1 * * *"', '"0 1 30 2 *"', "BACKUP_REDUCED", "high", "no month"),
        ((APP,), "{selfHeal: true}", "{selfHeal: true, prune: true}", "DESTROY", "medium", "prune"),
        ((APP,), "targetRevision: v1.2", "targetRevision: HEAD", "SUPPLY_CHAIN", "medium", "v1.2 -> HEAD"),
        ((APP,), "namespace: shop, server", "namespace: other, server", "OUTAGE_FULL", "high", "shop -> other"),
        ((RULE,), "{alert: ShopDown, expr: up == 0}, ", "", "OBSERV_DOWN", "medium", "ShopDown"),
        ((MESH,), "STRICT", "PERMISSIVE", "TLS_OFF", "high", "STRICT -> PERMISSIVE"),
        ((QUOTA, API), "pods: 10", "pods: 2", "OUTAGE_PARTIAL", "high", "hard.pods 10 -> 2"),
        ((BUDGET, API), "minAvailable: 1", "minAvailable: 3", "APPLY_FAIL", "medium", "evicted"),
        ((SECRET, API), "password: hush", "pass: hush", "OUTAGE_FULL", "high", "key password"),
        ((ALLOW, API), "role: edge", "role: other", "NET_CUT", "medium", "role=edge"),
    ],
)  # fmt: skip
def test_what_a_changed_word_means(
    documents: tuple[str, ...], old: str, new: str, code: str, severity: str, words: str
) -> None:
    effects = edited(*documents, old=old, new=new)
    found = [one for one in effects if one.code == code and words in one.reason]
    assert found, lines(effects)
    assert found[0].severity == severity
    assert found[0].certainty != "certain"


@pytest.mark.parametrize(
    ("document", "others", "code", "severity", "words"),
    [
        (SPACE, (CLAIM, API), "DATA_DESTROY", "critical", "PersistentVolumeClaim shop/files"),
        (CLAIM, (), "DATA_DESTROY", "critical", "reclaimPolicy"),
        (API, (SERVICE, INGRESS), "OUTAGE_FULL", "critical", "Service shop/api"),
        (SERVICE, (API, INGRESS), "OUTAGE_FULL", "critical", "Ingress shop/shop"),
        (INGRESS, (API, SERVICE), "OUTAGE_FULL", "high", "shop.example.org"),
        (SECRET, (API,), "OUTAGE_FULL", "high", "Deployment shop/api"),
        (SET, (), "DESTROY", "high", "claims (data) stay"),
        (BUDGET, (API,), "GUARD_REMOVED", "medium", "draining"),
        (CRON, (), "BACKUP_REDUCED", "high", "backups"),
        (APP, (), "OUTAGE_FULL", "critical", "finalizer"),
        (ALLOW, (API,), "NET_EXPOSE", "high", "no longer restricts Ingress"),
        (MESH, (), "TLS_OFF", "high", "clear"),
        (KAFKA, (), "DATA_DESTROY", "critical", "operator"),
        (ADMINS, (), "IAM_CUT", "low", "ann"),
    ],
)
def test_what_a_removed_object_means(
    document: str, others: tuple[str, ...], code: str, severity: str, words: str
) -> None:
    effects = said(joined(document, *others), joined(*others) if others else "")
    found = [one for one in effects if one.code == code and words in one.reason]
    assert found, lines(effects)
    assert found[0].severity == severity


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("api:1.0", "api:1.1"),
        ("replicas: 3", "replicas: 5"),
        ("[ALL]", "[all]"),
        ("port: 8080}", "port: http}"),
        ("targetPort: 8080", "targetPort: http"),
        ("{name: api, namespace: shop}", "{name: api, namespace: shop, labels: {team: a}}"),
        ("memory: 512Mi", "memory: 0.5Gi"),
        ("pods: 10", "pods: 20"),
    ],
)
def test_what_harms_nobody_is_silent(old: str, new: str) -> None:
    assert edited(API, SERVICE, INGRESS, SECRET, QUOTA, old=old, new=new) == ()


def test_the_default_of_one_replica_is_no_change() -> None:
    text = joined(API).replace("replicas: 3", "replicas: 1")
    assert said(text, text.replace("  replicas: 1\n", "")) == ()


def test_objects_that_move_between_files_of_a_stack_are_silent() -> None:
    whole = {"deploy/all.yaml": joined(*EVERYTHING)}
    parts = {f"deploy/{number}.yaml": joined(one) for number, one in enumerate(EVERYTHING)}
    assert judged(whole, parts).effects == ()
    assert judged({"deploy/api.yaml": joined(API)}, {"deploy/api/deployment.yaml": joined(API)}).effects == ()
    listed = {"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(one) for one in EVERYTHING]}
    assert judged(whole, {"deploy/list.yaml": yaml.safe_dump(listed)}).effects == ()


def test_environments_are_other_deployments() -> None:
    found = judged(
        {"dev/api.yaml": joined(API), "prod/api.yaml": joined(API)},
        {"dev/api.yaml": joined(API), "prod/service.yaml": joined(SERVICE)},
    )
    assert [(one.code, one.environment) for one in found.effects] == [("DESTROY", "production")]


def test_an_object_that_stands_in_an_unchanged_file_is_not_deleted() -> None:
    same = {"deploy/claim.yaml": joined(CLAIM)}
    assert (
        judged({**same, "deploy/all.yaml": joined(API, CLAIM)}, {**same, "deploy/all.yaml": joined(API)}).effects == ()
    )


def test_the_namespace_object_says_the_environment() -> None:
    space = SPACE.replace("labels: {", "labels: {example.org/environment-name: dev, ")
    text = joined(space, CLAIM)
    (effect,) = said(text, joined(space))
    assert (effect.environment, effect.severity) == ("development", "medium")


def test_denying_all_names_what_is_cut_and_what_was_allowed() -> None:
    effects = said(joined(ALLOW, API), joined(DENY, API))
    text = " ".join(one.reason for one in effects)
    assert {"OUTAGE_FULL", "NET_CUT"} == {one.code for one in effects}
    assert all(words in text for words in ("denies all Ingress", "denies all Egress", "DNS", "from-edge", "role=edge"))


def test_a_policy_that_leaves_a_caller_out_names_it() -> None:
    web = (
        API.replace("name: api", "name: web")
        .replace("app: api", "app: web")
        .replace("DB_PASSWORD, valueFrom", "API, x")
    )
    web = web.replace("env: [{", "env: [{name: API_URL, value: 'http://api:80'}, {")
    only = ALLOW.replace("podSelector: {}", "podSelector: {matchLabels: {app: api}}")
    near = only.replace("namespaceSelector: {matchLabels: {role: edge}}", "podSelector: {matchLabels: {app: WHO}}")
    (cut, *_) = said(joined(API, SERVICE, web), joined(API, SERVICE, web, near.replace("WHO", "batch")))
    assert (cut.code, cut.severity, cut.path) == ("NET_CUT", "high", ("Deployment shop/web", "Deployment shop/api"))
    effects = said(joined(API, SERVICE, web), joined(API, SERVICE, web, near.replace("WHO", "web")))
    assert [one.severity for one in effects] == ["low"]


def test_denying_all_beside_policies_that_allow_is_silent() -> None:
    open_ = ALLOW.replace("podSelector: {}", "podSelector: {matchLabels: {app: api}}")
    open_ = open_.replace("[Ingress]", "[Ingress, Egress]").rstrip() + "\n      egress: [{}]\n"
    codes = {one.severity for one in said(joined(API, SERVICE), joined(API, SERVICE, open_, DENY))}
    assert codes <= {"low"}


def test_a_route_that_is_replaced_is_not_a_full_outage() -> None:
    route = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: shop, namespace: shop}
        spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: api, port: 80}]}]}
        """
    (effect,) = said(joined(API, SERVICE, INGRESS), joined(API, SERVICE, route))
    assert (effect.code, effect.severity) == ("OUTAGE_PARTIAL", "medium")
    assert "HTTPRoute shop/shop" in effect.reason


def test_what_pods_are_given() -> None:
    lasting = "      volumes: [{name: data, persistentVolumeClaim: {claimName: files}}]\n      containers:"
    kept = joined(CLAIM, API).replace("      containers:", lasting)
    kept = kept.replace("image: ghcr", "volumeMounts: [{name: data, mountPath: /data}]\n          image: ghcr")
    gone = kept.replace("persistentVolumeClaim: {claimName: files}", "emptyDir: {}")
    assert [(one.code, one.severity) for one in said(kept, gone)] == [("DATA_DURABILITY", "high")]
    assert lines(said(kept, kept.replace("/data", "/srv"))) == [("DATA_DURABILITY", "medium")]
    root = ADMINS.replace("{kind: User, name: ann}", "{kind: ServiceAccount, name: root, namespace: shop}")
    acting = joined(API).replace("      containers:", "      serviceAccountName: root\n      containers:")
    (effect,) = said(joined(API, root), joined(acting, root))
    assert (effect.code, effect.severity) == ("PRIV_ESC", "high")
    asking = joined(API).replace("      containers:", "      nodeSelector: {gpu: 'true'}\n      containers:")
    assert lines(said(joined(API), asking)) == [("OUTAGE_PARTIAL", "low")]


def test_secrets_are_never_said() -> None:
    effects = edited(SECRET, API, old="hush-hush", new="tell-nobody")
    assert lines(effects) == [("SECRET_CHANGE", "low")]
    assert "hush" not in str(effects)
    assert "tell" not in str(effects)
    encoded = joined(SECRET).replace("stringData: {password: hush-hush}", "data: {password: aHVzaC1odXNo}")
    assert said(joined(SECRET, API), joined(*[encoded, API])) == ()


def test_secrets_of_generators_patches_and_addresses_are_never_said() -> None:
    generated = "secretGenerator: [{name: db, literals: [password=WORD]}]\nresources: [api.yaml]\n"
    patched = (
        "resources: [s.yaml, api.yaml]\npatches:"
        " [{patch: '[{op: add, path: /stringData/x, value: WORD}]', target: {kind: Secret}}]\n"
    )
    for text in (generated, patched):
        sides = [
            {"a/kustomization.yaml": text.replace("WORD", word), "a/s.yaml": joined(SECRET), "a/api.yaml": joined(API)}
            for word in ("canary-one", "canary-two")
        ]
        found = judged(*sides)
        assert lines(found.effects) == [("SECRET_CHANGE", "low")]
        assert "canary" not in str(found)
    effects = edited(APP, old="https://git.example.org/acme", new="https://bot:canary@evil.example.org/x")
    assert lines(effects) == [("SUPPLY_CHAIN", "high")]
    assert "canary" not in str(effects)


ROLE = """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRole
    metadata: {name: reader}
    rules: [{apiGroups: [""], resources: [RESOURCES], verbs: [VERBS]}]
    """
BOUND = ADMINS.replace("cluster-admin", "reader").replace("name: admins", "name: readers")
VERBS = st.lists(st.sampled_from(["get", "list", "create", "delete", "*"]), min_size=1, max_size=4, unique=True)
RESOURCES = st.lists(
    st.sampled_from(["pods", "configmaps", "secrets", "pods/exec"]), min_size=1, max_size=3, unique=True
)


def _role(resources: list[str], verbs: list[str]) -> str:
    quoted = ", ".join(f'"{one}"' for one in verbs)
    return joined(ROLE.replace("RESOURCES", ", ".join(resources)).replace("VERBS", quoted), BOUND)


@settings(max_examples=40, deadline=None)
@drawn(RESOURCES, VERBS, st.randoms())
def test_the_order_of_rights_never_matters(resources: list[str], verbs: list[str], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(resources, len(resources)), random.sample(verbs, len(verbs))
    assert said(_role(resources, verbs), _role(*shuffled)) == ()


@settings(max_examples=40, deadline=None)
@drawn(RESOURCES, VERBS, st.sampled_from(["secrets", "pods/exec", "nodes/proxy"]))
def test_a_wider_right_is_never_said_to_be_less(resources: list[str], verbs: list[str], more: str) -> None:
    before, after = _role(resources, verbs), _role(sorted({*resources, more}), verbs)
    codes = {one.code for one in said(before, after)}
    assert "IAM_CUT" not in codes
    assert bool(codes) == (more not in resources)


KUSTOMIZATION = """\
namespace: NAMESPACE
namePrefix: PREFIX
resources: [../base]
images: [{name: ghcr.io/acme/api, newTag: "TAG"}]
replicas: [{name: api, count: COUNT}]
patches:
  - target: {kind: Deployment}
    patch: |
      - {op: add, path: /metadata/labels, value: {a: b}}
  - path: limits.yaml
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec: {template: {spec: {containers: [{name: api, resources: {limits: {memory: MEMORY}}}]}}}
"""


def _overlay(**words: str) -> dict[str, str]:
    settled = {"NAMESPACE": "shop", "PREFIX": "eu-", "TAG": "1", "COUNT": "3", "MEMORY": "512Mi", **words}
    texts = {"prod/kustomization.yaml": KUSTOMIZATION, "prod/limits.yaml": PATCH}
    for word, value in settled.items():
        texts = {path: text.replace(word, value) for path, text in texts.items()}
    base = {"base/kustomization.yaml": "resources: [all.yaml]\n", "base/all.yaml": joined(API, SERVICE, INGRESS)}
    return {**base, **texts}


def test_kustomizations_are_compared_as_rendered() -> None:
    assert judged(_overlay(), _overlay(TAG="2")).effects == ()
    zero = judged(_overlay(), _overlay(COUNT="0")).effects
    assert [(one.code, one.address, one.place.path) for one in zero] == [
        ("OUTAGE_FULL", "Deployment shop/eu-api", "prod/kustomization.yaml")
    ]
    less = judged(_overlay(), _overlay(MEMORY="64Mi")).effects
    assert [(one.code, one.place.path) for one in less] == [("RESTART", "prod/limits.yaml")]


def test_a_base_that_is_split_over_files_renders_the_same() -> None:
    split = _overlay()
    del split["base/all.yaml"]
    split["base/kustomization.yaml"] = "resources: [api.yaml, service.yaml, ingress.yaml]\n"
    split |= {"base/api.yaml": joined(API), "base/service.yaml": joined(SERVICE), "base/ingress.yaml": joined(INGRESS)}
    found = judged(_overlay(), split)
    assert found.effects == ()
    assert found.unjudged == ()


def test_what_a_kustomization_no_longer_lists_is_deleted() -> None:
    before = {"app/kustomization.yaml": "resources: [claim.yaml, api.yaml]\n", "app/claim.yaml": joined(CLAIM)}
    after = {**before, "app/kustomization.yaml": "resources: [api.yaml]\n"}
    assert lines(judged(before, after).effects) == [("DATA_DESTROY", "critical")]


def test_what_is_not_rendered_is_said_where_it_changes() -> None:
    remote = {"app/kustomization.yaml": "resources: ['https://git.example.org/acme/base?ref=v1']\n"}
    other = {path: text.replace("acme/base", "evil/base") for path, text in remote.items()}
    (unjudged,) = judged(remote, other).unjudged
    assert "evil/base" in unjudged.reason
    assert unjudged.place.path == "app/kustomization.yaml"


VALUES = """\
replicaCount: 3
image: {repository: ghcr.io/acme/api, tag: "1"}
ingress: {enabled: true, hosts: [shop.example.org]}
persistence: {enabled: true}
service: {type: ClusterIP}
autoscaling: {maxReplicas: 8}
resources:
  limits: {cpu: 500m, memory: 512Mi}
"""


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("replicaCount: 3", "replicaCount: 0", "OUTAGE_FULL"),
        ("persistence: {enabled: true}", "persistence: {enabled: false}", "DATA_DESTROY"),
        ("ingress: {enabled: true", "ingress: {enabled: false", "OUTAGE_FULL"),
        ("[shop.example.org]", "[other.example.org]", "OUTAGE_PARTIAL"),
        ("ClusterIP", "LoadBalancer", "NET_EXPOSE"),
        ("acme/api", "evil/api", "SUPPLY_CHAIN"),
        ('tag: "1"', 'tag: "2"', ""),
        ("replicaCount: 3", "replicaCount: 4", ""),
        ("maxReplicas: 8", "maxReplicas: 80", "COST_UP"),
        ("maxReplicas: 8", "maxReplicas: 16", ""),
        ("maxReplicas: 8", "maxReplicas: 0", "OUTAGE_FULL"),
        ("maxReplicas: 8", "maxReplicas: 2", "CAPACITY_DOWN"),
        ("{cpu: 500m, memory: 512Mi}", "{}", "GUARD_REMOVED"),
        ("\n  limits: {cpu: 500m, memory: 512Mi}", " {}", "GUARD_REMOVED"),
        ("{cpu: 500m, memory: 512Mi}", "{cpu: 500m}", "GUARD_REMOVED"),
        ("{cpu: 500m, memory: 512Mi}", "{memory: 512Mi}", ""),
    ],
)
def test_values_of_a_chart(old: str, new: str, code: str) -> None:
    found = judged({"chart/values.yaml": VALUES}, {"chart/values.yaml": VALUES.replace(old, new)}).effects
    assert [one.code for one in found] == ([code] if code else [])
    assert all((one.certainty == "likely") is one.reason.endswith("(likely, from values alone)") for one in found)
    assert {one.certainty for one in found} <= {"likely", "possible"}


def test_a_template_that_no_longer_makes_a_claim_cannot_be_judged() -> None:
    text = joined(API, CLAIM).replace("name: api,", "name: {{ .Release.Name }},")
    after = text.partition("---")[0]
    found = judged({"chart/templates/all.yaml": text}, {"chart/templates/all.yaml": after})
    assert [one.reason for one in found.unjudged if "PersistentVolumeClaim" in one.reason]
    assert found.effects == ()


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: [",
        "apiVersion: v1\nkind:\n\tx",
        f"apiVersion: v1\nkind: {'[' * 100_000}",
        f"{'- ' * 100_000}apiVersion kind",
        "apiVersion: &a [1, 1, 1]\nkind: v\n"
        + "".join(f"a{n}: &a{n} [{', '.join(['*a' if not n else f'*a{n - 1}'] * 9)}]\n" for n in range(12)),
    ],
)
def test_files_that_cannot_be_read_are_said_and_delete_nothing(text: str) -> None:
    found = judged({"deploy/all.yaml": joined(CLAIM, API)}, {"deploy/all.yaml": text})
    assert [one.address for one in found.unjudged] == ["deploy/all.yaml"]
    assert found.effects == ()


def test_documents_keep_their_lines_and_kubernetes_own_scalars() -> None:
    parsed = Parser().parse(
        b"# head\r\na: yes\r\nb: 010\r\n---\r\n\r\nc: 2020-01-01\r\nd: &x {e: 1}\r\nf: {<<: *x}\r\n"
    )
    assert [(one.value, one.line) for one in parsed.documents] == [
        ({"a": "yes", "b": 8}, 2),
        ({"c": "2020-01-01", "d": {"e": 1}, "f": {"e": 1}}, 6),
    ]
    assert Parser().parse(("[" * DEEPEST + "]" * DEEPEST).encode()).problem == ""
    assert Parser().parse(b"a: 1\na: 2").twice == ("a",)


JUNK: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 0.5, "", "x", "100%", [], {}, [{}], [None], {"name": "x"}, [["x"]]]
)


def _places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(found for key, one in inner for found in _places(one, (*path, key)))]


def _with(value: object, path: tuple[object, ...], new: object) -> object:
    if not path:
        return new
    if isinstance(value, dict):
        return {key: _with(one, path[1:], new) if key == path[0] else one for key, one in value.items()}
    assert isinstance(value, list)
    return [_with(one, path[1:], new) if key == path[0] else one for key, one in enumerate(value)]


@settings(max_examples=60, deadline=None)
@drawn(st.data())
def test_no_shape_of_an_object_breaks_a_rule(data: st.DataObject) -> None:
    documents: list[object] = [yaml.safe_load(one) for one in EVERYTHING]
    at = data.draw(st.integers(0, len(documents) - 1))
    place = data.draw(st.sampled_from(_places(documents[at])))
    changed = [*documents[:at], _with(documents[at], place, data.draw(JUNK)), *documents[at + 1 :]]
    one, other = (yaml.safe_dump_all(side) for side in (documents, changed))
    for before, after in ((one, other), (other, one)):
        assert judged({"deploy/all.yaml": before}, {"deploy/all.yaml": after}).files == ("deploy/all.yaml",)


@settings(max_examples=15, deadline=None)
@drawn(st.permutations(EVERYTHING))
def test_the_order_of_documents_never_matters(documents: list[str]) -> None:
    whole = joined(*EVERYTHING)
    assert said(whole, joined(*documents)) == ()
    changed = whole.replace("replicas: 3", "replicas: 0")
    shuffled = joined(*documents).replace("replicas: 3", "replicas: 0")
    assert [(one.code, one.reason) for one in said(whole, changed)] == [
        (one.code, one.reason) for one in said(whole, shuffled)
    ]


SCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: shop}
spec: {minReplicas: 2, maxReplicas: 8, scaleTargetRef: {kind: Deployment, name: api}}
"""


@pytest.mark.parametrize(("most", "codes"), [(80, ["COST_UP"]), (79, []), (8, []), (2, ["CAPACITY_DOWN"])])
def test_an_autoscaler_that_may_grow_tenfold_is_told(most: int, codes: list[str]) -> None:
    after = SCALER.replace("maxReplicas: 8", f"maxReplicas: {most}")
    found = judged({"deploy/hpa.yaml": SCALER}, {"deploy/hpa.yaml": after}).effects
    assert [one.code for one in found] == codes
