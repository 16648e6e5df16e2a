"""A namespace of Kubernetes that gives an application of a tier what it was seen to need, and denies the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tidegate.place.make.manifest import head
from tidegate.place.make.network import allow_list, cilium, network
from tidegate.place.make.wish import MEASURES, Wish, expires_at, hosts_of, label_of
from tidegate.place.make.workload import application, budget, service
from tidegate.place.values import Placement


def kubernetes_files(placement: Placement, wish: Wish) -> Mapping[str, str]:
    """The manifests, in the order in which they are applied."""
    app, name = placement.application, label_of(placement.application)
    files = {
        "00-namespace.yaml": _namespace(placement, wish, name),
        "10-limits.yaml": _limits(wish, name),
        "20-network.yaml": network(app, wish, name),
        "30-application.yaml": application(app, wish, name),
    }
    if wish.tier >= "T1" and hosts_of(app) and wish.egress == "proxy":
        files["21-egress-allow-list.yaml"] = allow_list(app, name)
    if wish.tier >= "T1" and hosts_of(app) and wish.egress == "cilium":
        files["21-egress-cilium.yaml"] = cilium(app, name)
    if wish.tier >= "T1" and app.routes:
        files["40-service.yaml"] = service(wish, name)
    if wish.tier >= "T2":
        files["50-budget.yaml"] = budget(name)
    return dict(sorted(files.items()))


# Private


def _namespace(placement: Placement, wish: Wish, name: str) -> str:
    expires = expires_at(placement.read_at, MEASURES[wish.tier].hours)
    why = (
        f"{wish.tier}: {placement.title if wish.tier == placement.tier else 'a lower tier than it earns'}\n"
        "Pod Security `restricted` refuses whatever would run as root or keep rights that it does not need.\n"
        "From the day of the annotation on the place is asked about again: tidegate place --check."
    )
    return f"""{head(why)}apiVersion: v1
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
    return f"""{head("A runaway takes its own share. Twice what it needs: a new version starts beside the old.")}\
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
{head("What names no limits of its own gets these.")}\
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
