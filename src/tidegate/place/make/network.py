"""Who may reach an application of a place, and whom it may reach: nothing but what it was seen to need."""

from __future__ import annotations

from tidegate.place.make.manifest import PROXY_PORT, WEB, head, port_of
from tidegate.place.make.wish import Wish, hosts_of, said
from tidegate.place.values import Application, Host


def network(app: Application, wish: Wish, name: str) -> str:
    documents = [
        f"""{head("Nothing comes in and nothing goes out but what the policies below name.")}\
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


def allow_list(app: Application, name: str) -> str:
    hosts = hosts_of(app)[:_MOST_HOSTS]
    lines = "".join(f"    {one.name}:{one.port}\n" for one in hosts if one.port in WEB)
    seen = "\n".join(f"{one.name}:{one.port} because of {said(one.why)}, {said(one.seen.place)}" for one in hosts)
    if not lines:
        return f"""{head("No web address was found; the proxy lets nothing through.")}\
apiVersion: v1
kind: ConfigMap
metadata:
  name: egress-allow-list
  namespace: {name}
data:
  allow.txt: ""
"""
    return f"""{head("What the egress proxy lets through for this namespace, and why:" + chr(10) + seen)}apiVersion: v1
kind: ConfigMap
metadata:
  name: egress-allow-list
  namespace: {name}
  labels:
    tidegate.dev/egress-allow-list: "true"
data:
  allow.txt: |
{lines}"""


def cilium(app: Application, name: str) -> str:
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
    return f"""{head(why)}apiVersion: cilium.io/v2
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


# Private

_MOST_HOSTS = 200


def _dns(name: str) -> str:
    """The same for a network that follows names by itself."""
    return f"""{head("Names are asked of the cluster's own resolver, and of no other.")}\
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
    """What the egress proxy lets through, each host with why it is there."""
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
    return f"""{head(chr(10).join(why))}apiVersion: networking.k8s.io/v1
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
    """The policies: all is denied, then what is named is opened."""
    gateway = "sso-gateway" if wish.tier == "T1" else "ingress-internal"
    why = (
        "Only people who have signed in at the gateway reach it."
        if wish.tier == "T1"
        else "Requests come through the internal gateway. Opening it to the world is a change of its own."
    )
    return f"""{head(why)}apiVersion: networking.k8s.io/v1
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
          port: {port_of(app)}
"""
