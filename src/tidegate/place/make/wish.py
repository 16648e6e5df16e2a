"""What a person asks for beside the answer, and the measures of each tier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.place.egress import NAME as HOST
from tidegate.place.values import Application, Host, Tier, Wanted
from tidegate.place.wanted import NAME as VARIABLE

NO_IMAGE = "registry.invalid/{name}@sha256:" + "0" * 64
"""An image that nobody can pull: a place without a digest does not start."""


class Wish(Struct, frozen=True):
    """How the place is made. `image` names a digest; `runtime_class` is one of the cluster."""

    kind: str = "kubernetes"
    tier: Tier = "T0"
    egress: str = "proxy"
    image: str = ""
    runtime_class: str = ""

    def check(self) -> None:
        """Raises InputError for an image without a digest and for a name that the cluster would refuse."""
        if self.image and not re.fullmatch(r"[a-z0-9][a-z0-9._:/-]{0,200}@sha256:[0-9a-f]{64}", self.image):
            raise InputError(
                "the image has no digest", where="--image", mend="write REPOSITORY@sha256:..., as the build printed it"
            )
        if self.runtime_class and not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?", self.runtime_class):
            raise InputError(
                "this is no name of a RuntimeClass", where="--runtime-class", mend="kubectl get runtimeclass"
            )


class Measure(Struct, frozen=True):
    """How much a tier is given, for how long, in how many copies. Memory in MiB, processor in thousandths."""

    milli: int
    memory: int
    replicas: int
    hours: int
    dollars: int


MEASURES: Mapping[Tier, Measure] = {
    "T0": Measure(250, 256, 1, 72, 10),
    "T1": Measure(500, 512, 1, 90 * 24, 50),
    "T2": Measure(500, 512, 2, 180 * 24, 300),
    "T3": Measure(1000, 1024, 3, 365 * 24, 2000),
}


def label_of(app: Application) -> str:
    """The name of an application as a cluster takes it (RFC 1123 label, at most 40 characters)."""
    text = re.sub(r"[^a-z0-9]+", "-", app.name.lower()).strip("-")[:40].strip("-")
    return text if re.match(r"[a-z]", text) and not _TAKEN.fullmatch(text) else f"app-{text}"[:40].strip("-")


_TAKEN = re.compile(
    r"kube-.*|.*-system|default|egress-proxy|ingress-.*|sso-gateway|argocd|cert-manager|monitoring|"
    r"true|false|yes|no|on|off|y|n|null"
)
"""Namespaces that are somebody's already, whose rules would become ours, and words that YAML takes for no text."""


def expires_at(read_at: str, hours: int) -> str:
    """The moment from which the place is asked about again."""
    return (datetime.fromisoformat(read_at) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def hosts_of(app: Application) -> tuple[Host, ...]:
    """The machines that may be written into rules: of checked names and ports, each once."""
    found = {(one.name, one.port): one for one in app.hosts if HOST.fullmatch(one.name) and 0 < one.port < 65_536}
    return tuple(found[key] for key in sorted(found))


def variables_of(app: Application) -> tuple[tuple[Wanted, ...], tuple[Wanted, ...]]:
    """The variables of checked names: those that are secrets, and the others."""
    known = sorted((one for one in app.wanted if VARIABLE.fullmatch(one.name)), key=lambda one: one.name)
    known = [one for one in known if one.name not in GIVEN]
    return tuple(one for one in known if one.secret), tuple(one for one in known if not one.secret)


GIVEN = frozenset(("PORT", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"))
"""Variables that the place itself sets."""


def said(text: str) -> str:
    """A text as a comment: one line, printable ASCII, short."""
    return "".join(c if 32 <= ord(c) < 127 else "?" for c in text)[:160]
