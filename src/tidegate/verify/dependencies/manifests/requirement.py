"""One requirement as PEP 508 and pip write it."""

from __future__ import annotations

import re

from tidegate.verify.dependencies.values import Requirement, normal_name

_NAMED = re.compile(r"\s*([^\W_](?:[\w.-]*[^\W_])?)\s*(?:\[[^\]\n]{0,400}\])?\s*(.*)", re.DOTALL)
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9][\w.-]*)")
_ADDRESS = re.compile(r"(?:(?:git|hg|svn|bzr)\+|https?://|ssh://|file:|git@)")
_LOCAL = re.compile(r"(?:\.{1,2}(?:[/\\]|$)|/|~)")
_WHEEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._]*)-\d[^-/]*(?:-[^/]*)?\.(?:whl|tar\.gz|zip)")


def read_requirement(text: str, line: int, *, development: bool = False, hashed: bool = False) -> Requirement | None:
    """A requirement, extras and markers left out; None for what names no package (a local folder without a name)."""
    text = text.strip()
    if _ADDRESS.match(text):
        return _addressed(text, line, development)
    if not text or _LOCAL.match(text):
        return None
    found = _NAMED.match(text)
    if not found:
        return None
    written, rest = found[1], found[2].strip()
    if rest.startswith("@"):
        source = rest[1:].partition(" ;")[0].partition(" #")[0].strip()
        return Requirement(normal_name("pypi", written), "", line, development, source, _pinned(source), written)
    spec = re.sub(r"\s+", "", rest.partition(";")[0].partition(" #")[0]).strip("()")
    if spec and spec[0] not in "<>=!~":
        return None
    return Requirement(normal_name("pypi", written), spec, line, development, "", hashed, written)


# Private


def _addressed(text: str, line: int, development: bool) -> Requirement | None:
    egg = _EGG.search(text)
    wheel = _WHEEL.search(text)
    last = (
        text.partition("#")[0].partition(" ")[0].rstrip("/").rpartition("/")[2].partition("@")[0].removesuffix(".git")
    )
    written = egg[1] if egg else wheel[1] if wheel else last
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", written):
        return None
    source = text.partition(" ;")[0].partition("#egg")[0].strip()
    return Requirement(normal_name("pypi", written), "", line, development, source, _pinned(text), written)


def _pinned(source: str) -> bool:
    """Whether an address names its content: a whole commit, or a digest of the file."""
    return bool(re.search(r"@[0-9a-f]{40}\b|sha(?:256|384|512)[=:-]", source))
