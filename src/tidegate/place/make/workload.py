"""What runs in a place: the application within its limits and without rights, and how the cluster reaches it."""

from __future__ import annotations

import re

from tidegate.place.make.manifest import PROXY_PORT, head, port_of
from tidegate.place.make.wish import MEASURES, NO_IMAGE, Wish, hosts_of, variables_of
from tidegate.place.values import Application


def application(app: Application, wish: Wish, name: str) -> str:
    measure = MEASURES[wish.tier]
    image = wish.image or NO_IMAGE.format(name=name)
    why = "" if wish.image else "Nobody can pull this image: put the digest of what was built here (--image)."
    runtime = f"      runtimeClassName: {wish.runtime_class}\n" if wish.runtime_class else ""
    spread = _spread(name) if wish.tier >= "T2" else ""
    return f"""{head("No rights, no writing but to /tmp, no token of the cluster.")}\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: {name}
automountServiceAccountToken: false
---
{head(why) if why else ""}apiVersion: apps/v1
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
              containerPort: {port_of(app)}
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


def service(wish: Wish, name: str) -> str:
    service = f"""{head("Reached from inside the cluster only; 20-network.yaml says by whom.")}\
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
{head("The internal class of the cluster. A public one is a change of its own.")}\
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


def budget(name: str) -> str:
    """How many copies may be away at once."""
    return f"""{head("Nodes are emptied one copy at a time.")}\
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


def health_path(app: Application) -> str:
    """The address of a health route that is written whole, "" without one."""
    for one in app.operated.health:
        method, _, path = one.text.partition(" ")
        if method in ("GET", "*", "ANY", "HEAD") and re.fullmatch(r"/[A-Za-z0-9/_.-]{0,100}", path):
            return path
    return ""


# Private


def _spread(name: str) -> str:
    """How it is reached; from the second tier on by the internal gateway."""
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
    lines = [f'            - name: PORT\n              value: "{port_of(app)}"\n']
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
    """The account, and the deployment of it."""
    path = health_path(app)
    if not path:
        return "          # No health route with a whole address was found, so nothing is probed.\n"
    probe = f"            httpGet:\n              path: {path}\n              port: http\n"
    return (
        f"          readinessProbe:\n{probe}            periodSeconds: 10\n"
        f"          livenessProbe:\n{probe}            periodSeconds: 20\n            failureThreshold: 3\n"
    )
