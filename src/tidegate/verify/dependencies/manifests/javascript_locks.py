"""`yarn.lock` (1 and berry), `pnpm-lock.yaml` and `bun.lock`, read line by line.

They are written by programs, one key a line. No YAML is parsed, so no anchor of it can be made to grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tidegate.verify.dependencies.manifests.package_json import archive_of, registry_source, source_of
from tidegate.verify.dependencies.values import MOST_NAMES, Listing, Package, UnreadableError, normal_name

_YARN_HEAD = re.compile(r'^"?((?:@[^/"\s]+/)?[^@"\s]+)@([^\n]*?)"?:\s*$')
_YARN_KEY = re.compile(r'^  "?(version|resolved|integrity|checksum|resolution)"?:?\s+"?([^"\n]*)"?\s*$')
_YARN_NEED = re.compile(r'^    "?((?:@[^/"\s]+/)?[^\s":@]+)"?:?\s+\S')
_PNPM_HEAD = re.compile(r"^  (?:'([^'\n]+)'|\"([^\"\n]+)\"|([^\s'\"][^\n]*?)):\s*(?:\{.*)?$")
_PNPM_HEAD_LINE = re.compile(r"^  '?([^\s':][^\n':]*)'?:$", re.MULTILINE)
_PNPM_KEY = re.compile(r"^/?((?:@[^/\s]+/)?[^@/(\s]+)[@/]([^(\s]+)")
_PNPM_NEED = re.compile(r"^      '?((?:@[^/'\s]+/)?[^\s':]+)'?:\s")
_BUN = re.compile(r'^\s{4}"[^"\n]+":\s*\[\s*"((?:@[^/"\n]+/)?[^@"\n]+)@([^"\n]*)"(.*)\],?\s*$')
_BUN_NEED = re.compile(r'"((?:@[^/"\n]+/)?[^"\n:]+)":\s*"')


def read_yarn_lock(text: str) -> Listing:
    if "yarn lockfile" not in text[:500] and "__metadata:" not in text:
        raise UnreadableError("it is not in the form of a lock of yarn")
    return _listing(_yarn(text))


def read_pnpm_lock(text: str) -> Listing:
    if "lockfileVersion" not in text[:2000]:
        raise UnreadableError("it is not in the form of a lock of pnpm")
    importers = re.search(r"^importers:\n((?:[ \n][^\n]*\n|\n)*)", text, re.MULTILINE)
    folders = _PNPM_HEAD_LINE.findall(importers[1]) if importers else []
    return msgspec.structs.replace(_listing(_pnpm(text)), names=tuple(folders))


def read_bun_lock(text: str) -> Listing:
    if '"lockfileVersion"' not in text[:2000]:
        raise UnreadableError("it is not in the form of a lock of bun")
    return _listing(_bun(text))


# Private


def _listing(packages: Iterator[Package]) -> Listing:
    held = []
    for one in packages:
        held.append(one)
        if len(held) > MOST_NAMES:
            raise UnreadableError(f"it holds more than {MOST_NAMES} packages")
    return Listing("npm", held=tuple(held))


def _yarn(text: str) -> Iterator[Package]:
    name, spec, keys, needs = "", "", dict[str, str](), list[str]()
    for line in (*text.split("\n"), "end@:"):
        head = _YARN_HEAD.match(line) if line and not line[0].isspace() and line[0] != "#" else None
        if head is not None:
            if name and name != "__metadata":
                yield _yarn_package(name, spec, keys, needs)
            name, spec, keys, needs = head[1], head[2], {}, []
        elif found := _YARN_KEY.match(line):
            keys[found[1]] = found[2]
        elif need := _YARN_NEED.match(line):
            needs.append(normal_name("npm", need[1]))


def _yarn_package(name: str, spec: str, keys: dict[str, str], needs: list[str]) -> Package:
    resolution = keys.get("resolution", "")
    own = "@workspace:" in resolution or spec.startswith(("workspace:", "link:"))
    written = resolution.rpartition("@")[2] if resolution else keys.get("resolved", "")
    source = source_of(written) if resolution and not written.startswith("npm:") else registry_source(written)
    real = re.match(r"npm:((?:@[^/@]+/)?[^@,]+)@", spec)
    source = "" if resolution and written.startswith(("npm:", "patch:")) else source
    hashed = bool(keys.get("integrity") or keys.get("checksum")) or bool(re.search(r"#[0-9a-f]{40}", written))
    package = normal_name("npm", real[1] if real else name)
    return Package(
        package,
        keys.get("version", ""),
        hashed,
        "" if own else source,
        needs=tuple(needs),
        own=own,
        digest=keys.get("integrity", ""),
        fetched=archive_of(keys.get("resolved", "")),
    )


def _pnpm(text: str) -> Iterator[Package]:
    """Packages, whose digest and the like follow on the next lines; `snapshots` (from 9 on) hold what they need."""
    section, head, body = "", "", list[str]()
    for line in (*text.split("\n"), "end:"):
        if line and not line[0].isspace():
            if head:
                yield from _pnpm_package(section, head, body)
            section, head, body = line.partition(":")[0], "", []
        elif section in ("packages", "snapshots") and (found := _PNPM_HEAD.match(line)):
            if head:
                yield from _pnpm_package(section, head, body)
            head, body = found[1] or found[2] or found[3], []
        elif head:
            body.append(line)


def _pnpm_package(section: str, head: str, body: list[str]) -> Iterator[Package]:
    key = _PNPM_KEY.match(head)
    if key is None:
        return
    inside = "\n".join(body)
    needs = tuple(normal_name("npm", found[1]) for line in body if (found := _PNPM_NEED.match(line)))
    tarball = re.search(r"tarball: ([^\s,}]+)", inside)
    source = registry_source(tarball[1]) if tarball else source_of(key[2]) if ":" in key[2] else ""
    hashed = "integrity:" in inside or section == "snapshots"
    script = "requiresBuild: true" in inside
    digest = re.search(r"integrity: ([^\s,}]+)", inside)
    own = section == "snapshots"
    yield Package(
        normal_name("npm", key[1]), key[2], hashed, source, "", script, needs, own, digest[1] if digest else ""
    )


def _bun(text: str) -> Iterator[Package]:
    for line in text.split("\n"):
        if found := _BUN.match(line):
            own = found[2].startswith("workspace:")
            source = "" if own else source_of(found[2])
            needs = tuple(normal_name("npm", need) for need in _BUN_NEED.findall(found[3]))
            yield Package(normal_name("npm", found[1]), found[2], "sha512-" in found[3], source, "", False, needs, own)
