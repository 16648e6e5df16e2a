"""Hosts and images in texts: what an environment variable, an argument or a literal says of another service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tidegate.reach.services.interface import Mention

LONGEST = 4000


def mentions_in(pairs: Iterable[tuple[str, str]], where: str) -> Iterator[Mention]:
    """The hosts that named values (environment variables, options) speak of."""
    for key, value in pairs:
        reason = f"{key} in {where}" if key else where
        for host in hosts_in(value):
            yield Mention(host, reason, 0.9)
        bare = value.strip()
        if _BARE.fullmatch(bare) and _HOST_KEY.search(key):
            yield Mention(bare.lower(), reason, 0.85)


def hosts_in(text: str) -> list[str]:
    """The hosts of URLs and of `host:port`, in lower case, without those that mean this machine."""
    text = text[:LONGEST]
    found = [match[1].lower() for pattern in (_URL, _PORT) for match in pattern.finditer(text)]
    return [host for host in dict.fromkeys(found) if host not in _SELF and not host.replace(".", "").isdigit()]


def image_key(image: str, *, tag: bool = False) -> str:
    """An image without registry, tag and digest; with `tag` the tag stays. "" for one that says nothing."""
    name, _, _ = image.strip().lower().partition("@")
    head, _, last = name.rpartition("/")
    base, _, version = last.partition(":")
    parts = head.split("/") if head else []
    if parts and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    parts = [part for part in parts if part not in ("", "library", "template")]
    if not base or base == "template":
        return ""
    return "/".join((*parts, base)) + (f":{version}" if tag and version else "")


# Private

_SELF = frozenset(("localhost", "0.0.0.0", "127.0.0.1", "host.docker.internal", "template", "example.com"))  # noqa: S104
_URL = re.compile(
    r"[a-zA-Z][a-zA-Z0-9+.-]{1,20}://(?:[^/@\s:]{1,200}(?::[^/@\s]{0,200})?@)?([A-Za-z0-9][A-Za-z0-9._-]{0,200})"
)
_PORT = re.compile(r"(?<![\w.:/@-])([A-Za-z][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,62}){0,6}):\d{2,5}(?![\d\w])")
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*")
_HOST_KEY = re.compile(
    r"(?i)(?:host|hostname|addr|address|url|uri|endpoint|server|servers|service|backend|upstream)s?$"
)
