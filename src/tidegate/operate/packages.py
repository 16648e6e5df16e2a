"""Under which names a repository is installed elsewhere: its frames lie in a folder of packages then."""

from __future__ import annotations

import re
from collections.abc import Collection

import msgspec
from msgspec import Struct

from tidegate.change.git import Repository

MOST_MANIFESTS = 100
DEEPEST = 3
LARGEST_BYTES = 1 << 20


def read_packages(repository: Repository, revision: str, paths: Collection[str]) -> frozenset[str]:
    """Names of npm packages, gems and Go modules by their manifests, the nearest to the root first."""
    near = [path for path in paths if path.count("/") < DEEPEST and "\n" not in path]
    gems = {path.rpartition("/")[2].removesuffix(".gemspec") for path in near if path.endswith(".gemspec")}
    manifests = sorted(
        (path for path in near if path.rpartition("/")[2] in ("package.json", "go.mod")),
        key=lambda path: (path.count("/"), path),
    )[:MOST_MANIFESTS]
    blobs = repository.read_blobs((f"{revision}:{path}" for path in manifests), LARGEST_BYTES)
    told = {
        _npm(blob.content) if path.endswith("package.json") else _module(blob.content)
        for path, blob in zip(manifests, blobs, strict=False)
        if blob.kind == "blob"
    }
    return frozenset((gems | told) - {""})


# Private


class _Manifest(Struct):
    name: str = ""


def _npm(content: bytes) -> str:
    try:
        return msgspec.json.decode(content, type=_Manifest).name
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""


def _module(content: bytes) -> str:
    match = re.search(rb"^module[ \t]+\"?([^\s\"]{1,300})", content, re.MULTILINE)
    return match[1].decode("utf-8", "replace") if match is not None else ""
