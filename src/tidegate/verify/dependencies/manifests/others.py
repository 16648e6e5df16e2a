"""Manifests and locks of Go, Rust, the JVM, Ruby and PHP: names, versions, sources and digests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.verify.dependencies.manifests.json_text import read_json, table_of, text_of
from tidegate.verify.dependencies.manifests.pyproject import toml_table
from tidegate.verify.dependencies.values import Lines, Listing, Package, Requirement, normal_name

_GO = re.compile(r"^\s*(?:require\s+)?([\w.-]+\.[a-z]+(?:/[^\s]+)*)\s+(v[^\s/]+)\s*(//\s*indirect)?", re.MULTILINE)
_GO_REPLACE = re.compile(r"^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+(\S+)", re.MULTILINE)
_GO_SUM = re.compile(r"^(\S+) (v[^\s/]+)(/go\.mod)? (h1:\S+)$", re.MULTILINE)
_CARGO_BLOCK = re.compile(r"^\[\[package\]\]\n((?:(?!\[\[)[^\n]*\n?)*)", re.MULTILINE)
_KEY = r'^{0} = "([^"\n]*)"'
_POM = re.compile(r"<(dependency|plugin|parent)>(.{0,4000}?)</\1>", re.DOTALL)
_POM_PART = re.compile(r"<(groupId|artifactId|version|scope)>\s*([^<>]*?)\s*</")
_GRADLE = re.compile(
    r"^\s*(\w*(?:[iI]mplementation|[aA]pi|[cC]ompileOnly|[rR]untimeOnly|kapt|ksp|annotationProcessor|classpath))"
    r"""[\s(]+(?:platform\s*\(\s*)?["']([\w.-]+):([\w.-]+)(?::([^"'@\s]+))?["'@]""",
    re.MULTILINE,
)
_GRADLE_LOCK = re.compile(r"^([\w.-]+:[\w.-]+):([^=\s]+)=", re.MULTILINE)
_REPOSITORY = re.compile(
    r"<(?:repository|pluginRepository)>(?:(?!</(?:repository|pluginRepository)>).){0,2000}?<url>\s*([^<\s]+)", re.DOTALL
)
_GRADLE_REPOSITORY = re.compile(
    r"""\bmaven\s*(?:\{[^{}]{0,400}?\b(?:url|setUrl)\b[\s=(]*(?:uri\s*\()?|\(\s*(?:url\s*=\s*)?)\s*["'](https?://[^"'$]+)"""
)
_GEM_INDEX = re.compile(r"""^\s*source[\s(]+["'](https?://[^"']+)""", re.MULTILINE)
_PUBLIC = re.compile(
    r"https?://(?:repo1?\.maven(?:\.apache)?\.org|(?:dl|maven)\.google\.com|plugins\.gradle\.org|rubygems\.org|"
    r"index\.crates\.io|central\.sonatype\.com|oss\.sonatype\.org|s01\.oss\.sonatype\.org|packagist\.org|repo\.packagist\.org)(?:/|$)"
)
_GEM = re.compile(r"""^(\s*)gem\s*\(?\s*["']([\w.-]+)["']([^#\n]*)""", re.MULTILINE)
_GEM_SOURCE = re.compile(r"""\b(?:git|github|path):?\s*(?:=>)?\s*["']([^"']+)["']""")
_GEM_SPEC = re.compile(r"^    ([\w.-]+) \(([^)]+)\)$", re.MULTILINE)


def read_go_mod(text: str) -> Listing:
    replaced = {found[1]: found[2] for found in _GO_REPLACE.finditer(text)}
    asked = []
    for number, line in enumerate(text.split("\n"), 1):
        found = _GO.match(line)
        if found and not found[3] and "=>" not in line:
            asked.append(Requirement(found[1], found[2], number, False, replaced.get(found[1], ""), False, found[1]))
    asked += [
        Requirement(found[1], "", text.count("\n", 0, found.start(1)) + 1, False, found[2], False, found[1])
        for found in _GO_REPLACE.finditer(text)
        if found[1] not in {one.name for one in asked}
    ]
    module = re.search(r"^module\s+(\S+)", text, re.MULTILINE)
    return Listing("golang", tuple(asked), names=(module[1],) if module else ())


def read_go_sum(text: str) -> Listing:
    held = (Package(found[1], found[2], True, digest=found[4]) for found in _GO_SUM.finditer(text) if not found[3])
    return Listing("golang", held=tuple(held))


def read_cargo(text: str) -> Listing:
    table = toml_table(text)
    lines = Lines(text)
    holders = [table, table_of(table.get("workspace")), *map(table_of, table_of(table.get("target")).values())]
    holders += [{"replaced": one} for one in (*table_of(table.get("patch")).values(), table.get("replace"))]
    asked = []
    for holder in holders:
        for section in ("dependencies", "dev-dependencies", "build-dependencies", "replaced"):
            for name, value in table_of(holder.get(section)).items():
                entry = table_of(value)
                package = text_of(entry.get("package")) or name
                address = next(
                    (text_of(entry[key]) for key in ("git", "path", "registry") if text_of(entry.get(key))), ""
                )
                source = (
                    "workspace" if entry.get("workspace") is True else f"git+{address}" if "git" in entry else address
                )
                spec = text_of(value) or text_of(entry.get("version"))
                hashed = len(text_of(entry.get("rev"))) == 40
                development = section != "dependencies"
                asked.append(
                    Requirement(
                        normal_name("cargo", package),
                        spec,
                        lines.of(name),
                        development,
                        source,
                        hashed,
                        name,
                        optional=entry.get("optional") is True or section == "replaced",
                    )
                )
    name = text_of(table_of(table.get("package")).get("name"))
    return Listing("cargo", tuple(asked), names=(normal_name("cargo", name),) if name else ())


def read_cargo_lock(text: str) -> Listing:
    held = []
    for block in _CARGO_BLOCK.finditer(text):
        name, version, source, digest = (
            found[1] if (found := re.search(_KEY.format(key), block[1], re.MULTILINE)) else ""
            for key in ("name", "version", "source", "checksum")
        )
        address = (
            ""
            if source.startswith(("registry+https://github.com/rust-lang/", "sparse+https://index.crates.io"))
            else source
        )
        held.append(Package(normal_name("cargo", name), version, bool(digest), address, own=not source, digest=digest))
    return Listing("cargo", held=tuple(held))


def read_pom(text: str) -> Listing:
    asked = []
    for found in _POM.finditer(re.sub(r"<!--.*?-->", lambda gone: "\n" * gone[0].count("\n"), text, flags=re.DOTALL)):
        parts = dict(_POM_PART.findall(re.sub(r"<exclusions>.*?</exclusions>", "", found[2], flags=re.DOTALL)))
        if "artifactId" in parts:
            name = f"{parts.get('groupId', 'org.apache.maven.plugins')}:{parts['artifactId']}"
            line = text.count("\n", 0, found.start()) + 1
            development = parts.get("scope") == "test" or found[1] == "plugin"
            asked.append(Requirement(name, parts.get("version", ""), line, development, "", False, name))
    deploys = re.sub(
        r"<distributionManagement>.*?</distributionManagement>",
        lambda gone: "\n" * gone[0].count("\n"),
        text,
        flags=re.DOTALL,
    )
    return Listing("maven", tuple(asked), indexes=_indexes(_REPOSITORY, deploys))


def read_gradle(text: str) -> Listing:
    asked = [
        Requirement(
            name := f"{found[2]}:{found[3]}",
            found[4] or "",
            text.count("\n", 0, found.start(2)) + 1,
            found[1].startswith("test"),
            "",
            False,
            name,
        )
        for found in _GRADLE.finditer(text)
    ]
    return Listing("maven", tuple(asked), indexes=_indexes(_GRADLE_REPOSITORY, text))


def read_gradle_lock(text: str) -> Listing:
    return Listing("maven", held=tuple(Package(found[1], found[2]) for found in _GRADLE_LOCK.finditer(text)))


def read_version_catalogue(text: str) -> Listing:
    """`libs.versions.toml` of Gradle."""
    table = toml_table(text)
    lines = Lines(text)
    versions = table_of(table.get("versions"))
    asked = []
    for key, value in table_of(table.get("libraries")).items():
        entry = table_of(value)
        parts = (text_of(value) or text_of(entry.get("module"))).split(":")
        if len(parts) < 2:
            parts = [text_of(entry.get("group")), text_of(entry.get("name"))]
        version = entry.get("version")
        ref = text_of(versions.get(text_of(table_of(version).get("ref"))))
        spec = parts[2] if len(parts) > 2 else text_of(version) or ref
        name = f"{parts[0]}:{parts[1]}"
        asked.append(Requirement(name, spec, lines.of(key), False, "", False, name))
    return Listing("maven", tuple(asked))


def read_gemfile(text: str) -> Listing:
    asked = []
    for found in _GEM.finditer(text):
        versions = re.findall(r"""["']([~<>=!\d][^"']*)["']""", found[3])
        source = _GEM_SOURCE.search(found[3])
        line = text.count("\n", 0, found.start(2)) + 1
        asked.append(
            Requirement(
                found[2], ", ".join(versions), line, bool(found[1]), source[1] if source else "", False, found[2]
            )
        )
    return Listing("gem", tuple(asked), indexes=_indexes(_GEM_INDEX, text))


def read_gemfile_lock(text: str) -> Listing:
    digests = "\nCHECKSUMS\n" in text
    return Listing("gem", held=tuple(_gems(text, digests)))


def read_composer(text: str) -> Listing:
    table = table_of(read_json(text))
    lines = Lines(text)
    asked = [
        Requirement(
            normal_name("composer", name), text_of(spec), lines.of(f'"{name}"'), key == "require-dev", "", False, name
        )
        for key in ("require", "require-dev")
        for name, spec in table_of(table.get(key)).items()
        if "/" in name
    ]
    repositories = table.get("repositories")
    listed = repositories if isinstance(repositories, list) else table_of(repositories).values()
    urls = [text_of(table_of(one).get("url")) for one in listed]
    indexes = tuple((url, lines.of(url)) for url in urls if "://" in url and not _PUBLIC.match(url))
    return Listing("composer", tuple(asked), names=(text_of(table.get("name")),), indexes=indexes)


def read_composer_lock(text: str) -> Listing:
    table = table_of(read_json(text))
    held = []
    for key in ("packages", "packages-dev"):
        listed = table.get(key)
        for one in listed if isinstance(listed, list) else ():
            entry = table_of(one)
            dist, licences = table_of(entry.get("dist")), entry.get("license")
            licence = " OR ".join(map(str, licences)) if isinstance(licences, list) else ""
            name = normal_name("composer", text_of(entry.get("name")))
            hashed = bool(dist.get("shasum") or dist.get("reference"))
            held.append(Package(name, text_of(entry.get("version")), hashed, "", licence))
    return Listing("composer", held=tuple(held))


# Private


def _indexes(pattern: re.Pattern[str], text: str) -> tuple[tuple[str, int], ...]:
    """The addresses of registries that are not the public ones, with their lines."""
    found = ((one[1], text.count("\n", 0, one.start(1)) + 1) for one in pattern.finditer(text))
    return tuple((url, line) for url, line in found if not _PUBLIC.match(url))


def _gems(text: str, digests: bool) -> Iterator[Package]:
    section = source = ""
    for line in text.split("\n"):
        if line and not line[0].isspace():
            section, source = line, ""
        elif section in ("GIT", "PATH", "GEM") and line.startswith("  remote:"):
            remote = line.partition(":")[2].strip()
            source = "" if section == "GEM" and "rubygems.org" in remote else remote
        elif section in ("GIT", "PATH", "GEM") and (found := _GEM_SPEC.match(line)):
            yield Package(found[1], found[2], digests or section == "GIT", source, own=section == "PATH")
