"""A namespace of Kubernetes that gives an application of a tier what it was seen to need, and denies the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidegate.place.make.wish import (
    MEASURES,
    NO_IMAGE,
    Wish,
    expires_at,
    hosts_of,
    label_of,
    said,
    variables_of,
)
from tidegate.place.values import Application, Host, Placement

PROXY_PORT = 3128
WEB = (80, 443)


def kubernetes_files(placement: Placement, wish: Wish) -> Mapping[str, str]:
    """The manifests, in the order in which they are applied."""
    app, name = placement.application, label_of(placement.application)
    files = {
        "00-namespace.yaml": _namespace(placement, wish, name),
        "10-limits.yaml": _limits(wish, name),
        "20-network.yaml": _network(app, wish, name),
        "30-application.yaml": _application(app, wish, name),
    }
    if wish.tier >= "T1" and hosts_of(app) and wish.egress == "proxy":
        files["21-egress-allow-list.yaml"] = _allow_list(app, name)
    if wish.tier >= "T1" and hosts_of(app) and wish.egress == "cilium":
        files["21-egress-cilium.yaml"] = _cilium(app, name)
    if wish.tier >= "T1" and app.routes:
        files["40-service.yaml"] = _service(wish, name)
    if wish.tier >= "T2":
        files["50-budget.yaml"] = _budget(name)
    return dict(sorted(files.items()))


# Private

_MOST_HOSTS = 200


def _port(app: Application) -> int:
    return app.operated.port if app.operated.port >= 1024 else 8080


def _head(why: str) -> str:
    return "".join(f"# {line}\n" for line in why.splitlines())


def _namespace(placement: Placement, wish: Wish, name: str) -> str:
    expires = expires_at(placement.read_at, MEASURES[wish.tier].hours)
    why = (
        f"{wish.tier}: {placement.title if wish.tier == placement.tier else 'a lower tier than it earns'}\n"
        "Pod Security `restricted` refuses whatever would run as root or keep rights that it does not need.\n"
        "From the day of the annotation on the place is asked about again: tidegate place --check."
    )
    return f"""{_head(why)}apiVersion: v1
kind: Namespace
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
    tidegate.dev/tier: {wish.tier}
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/enforce-version: latest
    pod-security.kubernetes.io/audit: restricted
    pod-security.kubernetes.io/warn: restricted
  annotations:
    tidegate.dev/commit: "{_hex(placement.application.commit)}"
    tidegate.dev/expires: "{expires}"
"""


def _hex(text: str) -> str:
    return text if re.fullmatch(r"[0-9a-f]{0,64}", text) else ""


def _limits(wish: Wish, name: str) -> str:
    measure = MEASURES[wish.tier]
    pods = measure.replicas * 2  # a roll-out runs the old and the new beside each other
    return f"""{_head("A runaway takes its own share. Twice what it needs: a new version starts beside the old.")}\
apiVersion: v1
kind: ResourceQuota
metadata:
  name: {name}
  namespace: {name}
spec:
  hard:
    pods: "{pods}"
    requests.cpu: {measure.milli * pods}m
    requests.memory: {measure.memory * pods}Mi
    limits.cpu: {measure.milli * pods}m
    limits.memory: {measure.memory * pods}Mi
    services.loadbalancers: "0"
    services.nodeports: "0"
    persistentvolumeclaims: "0"
---
{_head("What names no limits of its own gets these.")}\
apiVersion: v1
kind: LimitRange
metadata:
  name: {name}
  namespace: {name}
spec:
  limits:
    - type: Container
      default:
        cpu: {measure.milli}m
        memory: {measure.memory}Mi
      defaultRequest:
        cpu: {measure.milli}m
        memory: {measure.memory}Mi
"""


def _network(app: Application, wish: Wish, name: str) -> str:
    documents = [
        f"""{_head("Nothing comes in and nothing goes out but what the policies below name.")}\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: {name}
spec:
  podSelector: {{}}
  policyTypes:
    - Ingress
    - Egress
"""
    ]
    if wish.tier == "T0":
        return documents[0]
    documents.append(_dns(name))
    hosts = hosts_of(app)
    if hosts and wish.egress == "proxy":
        documents.append(_to_proxy(app, hosts, name))
    if app.routes:
        documents.append(_from_gateway(app, wish, name))
    return "---\n".join(documents)


def _dns(name: str) -> str:
    return f"""{_head("Names are asked of the cluster's own resolver, and of no other.")}\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-dns
  namespace: {name}
spec:
  podSelector: {{}}
  policyTypes:
    - Egress
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
"""


def _to_proxy(app: Application, hosts: tuple[Host, ...], name: str) -> str:
    why = [
        "A NetworkPolicy knows addresses, not names. The way out is the egress proxy of the cluster, which lets",
        "through what 21-egress-allow-list.yaml names and nothing else. No range of addresses is opened here.",
    ]
    why += [
        f"NOT OPENED: {one.name}:{one.port} is no web port; an HTTP proxy does not carry it (--egress cilium does)"
        for one in hosts
        if one.port not in WEB
    ]
    why += [f"NOT OPENED: {said(one.text)} ({said(one.place)})" for one in app.dynamic[:20]]
    return f"""{_head(chr(10).join(why))}apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-egress-proxy
  namespace: {name}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  policyTypes:
    - Egress
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: egress-proxy
          podSelector:
            matchLabels:
              app.kubernetes.io/name: egress-proxy
      ports:
        - protocol: TCP
          port: {PROXY_PORT}
"""


def _from_gateway(app: Application, wish: Wish, name: str) -> str:
    gateway = "sso-gateway" if wish.tier == "T1" else "ingress-internal"
    why = (
        "Only people who have signed in at the gateway reach it."
        if wish.tier == "T1"
        else "Requests come through the internal gateway. Opening it to the world is a change of its own."
    )
    return f"""{_head(why)}apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-gateway
  namespace: {name}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  policyTypes:
    - Ingress
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: {gateway}
      ports:
        - protocol: TCP
          port: {_port(app)}
"""


def _allow_list(app: Application, name: str) -> str:
    hosts = hosts_of(app)[:_MOST_HOSTS]
    lines = "".join(f"    {one.name}:{one.port}\n" for one in hosts if one.port in WEB)
    seen = "\n".join(f"{one.name}:{one.port} because of {said(one.why)}, {said(one.seen.place)}" for one in hosts)
    if not lines:
        return f"""{_head("No web address was found; the proxy lets nothing through.")}\
apiVersion: v1
kind: ConfigMap
metadata:
  name: egress-allow-list
  namespace: {name}
data:
  allow.txt: ""
"""
    return f"""{_head("What the egress proxy lets through for this namespace, and why:" + chr(10) + seen)}apiVersion: v1
kind: ConfigMap
metadata:
  name: egress-allow-list
  namespace: {name}
  labels:
    tidegate.dev/egress-allow-list: "true"
data:
  allow.txt: |
{lines}"""


def _cilium(app: Application, name: str) -> str:
    rules, asked = [], []
    for one in hosts_of(app)[:_MOST_HOSTS]:
        word = "matchPattern" if one.name.startswith("*") else "matchName"
        asked.append(f'              - {word}: "{one.name}"\n')
        rules.append(
            f"    # {said(one.why)}, {said(one.seen.place)}\n"
            f'    - toFQDNs:\n        - {word}: "{one.name}"\n'
            f'      toPorts:\n        - ports:\n            - port: "{one.port}"\n              protocol: TCP\n'
        )
    unknown = "".join(f"\nNOT OPENED: {said(one.text)} ({said(one.place)})" for one in app.dynamic[:20])
    why = f"Cilium follows names: the resolver answers for these alone, and only there may be called.{unknown}"
    return f"""{_head(why)}apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: allow-named-hosts
  namespace: {name}
spec:
  endpointSelector:
    matchLabels:
      app.kubernetes.io/name: {name}
  egress:
    - toEndpoints:
        - matchLabels:
            k8s:io.kubernetes.pod.namespace: kube-system
            k8s:k8s-app: kube-dns
      toPorts:
        - ports:
            - port: "53"
              protocol: ANY
          rules:
            dns:
{"".join(asked)}{"".join(rules)}"""


def _application(app: Application, wish: Wish, name: str) -> str:
    measure = MEASURES[wish.tier]
    image = wish.image or NO_IMAGE.format(name=name)
    why = "" if wish.image else "Nobody can pull this image: put the digest of what was built here (--image)."
    runtime = f"      runtimeClassName: {wish.runtime_class}\n" if wish.runtime_class else ""
    spread = _spread(name) if wish.tier >= "T2" else ""
    return f"""{_head("No rights, no writing but to /tmp, no token of the cluster.")}\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: {name}
automountServiceAccountToken: false
---
{_head(why) if why else ""}apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {name}
  labels:
    app.kubernetes.io/name: {name}
spec:
  replicas: {measure.replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
{runtime}      serviceAccountName: {name}
      automountServiceAccountToken: false
      enableServiceLinks: false
{spread}      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: app
          image: {image}
          imagePullPolicy: IfNotPresent
          ports:
            - name: http
              containerPort: {_port(app)}
          env:
{_environment(app, wish, name)}{_probes(app)}          resources:
            requests:
              cpu: {measure.milli}m
              memory: {measure.memory}Mi
            limits:
              cpu: {measure.milli}m
              memory: {measure.memory}Mi
          securityContext:
            allowPrivilegeEscalation: false
            privileged: false
            readOnlyRootFilesystem: true
            runAsNonRoot: true
            capabilities:
              drop:
                - ALL
            seccompProfile:
              type: RuntimeDefault
          volumeMounts:
            - name: scratch
              mountPath: /tmp
      volumes:
        - name: scratch
          emptyDir:
            sizeLimit: 64Mi
"""


def _spread(name: str) -> str:
    return f"""      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: topology.kubernetes.io/zone
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              app.kubernetes.io/name: {name}
"""


def _environment(app: Application, wish: Wish, name: str) -> str:
    """Variables by name. Secrets come from a Secret that people fill; a sandbox is given none."""
    lines = [f'            - name: PORT\n              value: "{_port(app)}"\n']
    if wish.tier == "T0":
        return "".join(lines)
    if hosts_of(app) and wish.egress == "proxy":
        url = f"http://egress-proxy.egress-proxy.svc.cluster.local:{PROXY_PORT}"
        lines += [f"            - name: {key}\n              value: {url}\n" for key in ("HTTP_PROXY", "HTTPS_PROXY")]
        lines.append("            - name: NO_PROXY\n              value: .svc.cluster.local,localhost,127.0.0.1\n")
    secrets, settings = variables_of(app)
    for kind, group, of in (
        ("secretKeyRef", secrets, f"{name}-secrets"),
        ("configMapKeyRef", settings, f"{name}-settings"),
    ):
        for one in group:
            optional = "" if kind == "secretKeyRef" else "                  optional: true\n"
            lines.append(
                f"            - name: {one.name}\n              valueFrom:\n                {kind}:\n"
                f"                  name: {of}\n                  key: {one.name}\n{optional}"
            )
    return "".join(lines)


def _probes(app: Application) -> str:
    path = health_path(app)
    if not path:
        return "          # No health route with a whole address was found, so nothing is probed.\n"
    probe = f"            httpGet:\n              path: {path}\n              port: http\n"
    return (
        f"          readinessProbe:\n{probe}            periodSeconds: 10\n"
        f"          livenessProbe:\n{probe}            periodSeconds: 20\n            failureThreshold: 3\n"
    )


def health_path(app: Application) -> str:
    """The address of a health route that is written whole, "" without one."""
    for one in app.operated.health:
        method, _, path = one.text.partition(" ")
        if method in ("GET", "*", "ANY", "HEAD") and re.fullmatch(r"/[A-Za-z0-9/_.-]{0,100}", path):
            return path
    return ""


def _service(wish: Wish, name: str) -> str:
    service = f"""{_head("Reached from inside the cluster only; 20-network.yaml says by whom.")}\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {name}
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
"""
    if wish.tier < "T2":
        return service
    return f"""{service}---
{_head("The internal class of the cluster. A public one is a change of its own.")}\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  namespace: {name}
spec:
  ingressClassName: internal
  tls:
    - hosts:
        - {name}.internal.invalid
      secretName: {name}-tls
  rules:
    - host: {name}.internal.invalid
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {name}
                port:
                  name: http
"""


def _budget(name: str) -> str:
    return f"""{_head("Nodes are emptied one copy at a time.")}\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {name}
  namespace: {name}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
"""
