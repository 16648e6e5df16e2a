"""`package.json`, `deno.json` and `package-lock.json` (versions 1 to 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.verify.dependencies.manifests.json_text import read_json, table_of, text_of, texts_of
from tidegate.verify.dependencies.values import (
    MOST_NAMES,
    Lines,
    Listing,
    Package,
    Requirement,
    UnreadableError,
    normal_name,
)

SECTIONS = {
    "dependencies": False,
    "devDependencies": True,
    "peerDependencies": False,
    "optionalDependencies": False,
}
HOOKS = ("preinstall", "install", "postinstall", "prepare")
_ALIAS = re.compile(r"npm:((?:@[^/@]+/)?[^@]+)(?:@(.*))?$")
_ADDRESS = re.compile(r"git\+|git:|github:|gitlab:|bitbucket:|https?:|file:|link:|portal:|[\w.-]+/[\w.-]+(?:#.*)?$")
_REGISTRIES = ("https://registry.npmjs.org/", "https://registry.yarnpkg.com/")


def read_package_json(text: str) -> Listing:
    table = table_of(read_json(text))
    lines = Lines(text)
    asked = [one for section, development in SECTIONS.items() for one in _section(table, section, development, lines)]
    bundled = table.get("bundledDependencies", table.get("bundleDependencies"))
    asked += [Requirement(normal_name("npm", name), written=name) for name in texts_of(bundled)]
    asked += _overrides(table, lines)
    scripts = table_of(table.get("scripts"))
    hooks = tuple((f"{name}: {text_of(scripts[name])}", lines.of(name)) for name in HOOKS if text_of(scripts.get(name)))
    name = text_of(table.get("name"))
    options = (*table_of(table.get("engines")), *table_of(table.get("imports")), *scripts.values())
    return Listing(
        "npm",
        tuple(asked),
        names=(normal_name("npm", name),) if name else (),
        scripts=hooks,
        options=tuple(one for one in options if isinstance(one, str)),
        manager=text_of(table.get("packageManager")).partition("@")[0],
    )


def read_deno_json(text: str) -> Listing:
    """The import map of Deno: a name that stands for an address or for a package of npm or JSR."""
    table = table_of(read_json(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)))
    lines = Lines(text)
    asked = []
    for name, target in table_of(table.get("imports")).items():
        package = name.rstrip("/")
        source = "" if text_of(target).startswith("npm:") else text_of(target)
        asked.append(Requirement(normal_name("npm", package), "", lines.of(package), False, source, False, package))
    name = text_of(table.get("name"))
    return Listing("npm", tuple(asked), names=(normal_name("npm", name),) if name else ())


def read_package_lock(text: str) -> Listing:
    table = table_of(read_json(text))
    packages = table_of(table.get("packages"))
    if not packages and "dependencies" not in table and "lockfileVersion" not in table:
        raise UnreadableError("it is not in the form of a lock")
    held = list(_of_packages(packages)) if packages else list(_of_tree(table_of(table.get("dependencies"))))
    asked = []
    root = table_of(packages.get(""))
    for section, development in SECTIONS.items():
        for name, spec in table_of(root.get(section)).items():
            asked.append(Requirement(normal_name("npm", name), text_of(spec), 0, development, "", False, name))
    return Listing("npm", tuple(asked), tuple(held))


def replaced(name: str, spec: str, line: int) -> Iterator[Requirement]:
    """What is put in the place of a package: another one, or the same from elsewhere; a version alone is neither."""
    bare = re.split(r"[>/](?![^@]*$)|/(?=[^/@]+$)", re.sub(r"(?<=.)@[^@/>]*$", "", name))[-1] or name
    bare = name.rpartition("/@")[1].strip("/") + bare if not bare.startswith("@") and "/@" in name else bare
    alias = _ALIAS.match(spec)
    if alias and normal_name("npm", alias[1]) != normal_name("npm", bare):
        yield Requirement(normal_name("npm", alias[1]), alias[2] or "", line, False, "", False, alias[1])
    elif not spec.startswith(("npm:", "workspace:", "catalog:", "patch:", "$")) and source_of(spec):
        hashed = bool(re.search(r"#[0-9a-f]{40}$", spec))
        yield Requirement(normal_name("npm", bare), "", line, False, source_of(spec), hashed, bare)


def source_of(spec: str) -> str:
    """Where a version that is an address leads; "" for one that the registry answers."""
    return spec if _ADDRESS.match(spec) and not spec.startswith("npm:") else ""


def archive_of(resolved: str) -> str:
    """The package whose archive an address of the public registry is; "" for any other address."""
    found = re.match(r"https://registry\.(?:npmjs\.org|yarnpkg\.com)/((?:@[^/]+(?:/|%2[fF]))?[^/]+)/-/", resolved)
    return normal_name("npm", re.sub("%2[fF]", "/", found[1])) if found else ""


def registry_source(resolved: str) -> str:
    """What a lock says a package is fetched from; "" for the public registry."""
    return "" if resolved.startswith(_REGISTRIES) or not resolved else resolved


# Private


def _section(table: Mapping[str, Any], section: str, development: bool, lines: Lines) -> Iterator[Requirement]:
    for name, value in table_of(table.get(section)).items():
        spec = text_of(value)
        line = lines.of(f'"{name}": "{spec}"', f'"{name}"')
        alias = _ALIAS.match(spec)
        renamed = alias is not None and normal_name("npm", alias[1]) != normal_name("npm", name)
        source = "workspace" if spec.startswith("workspace:") else "alias" if renamed else source_of(spec)
        hashed = bool(re.search(r"#[0-9a-f]{40}$", spec))
        optional = section in ("peerDependencies", "optionalDependencies")
        yield Requirement(normal_name("npm", name), spec, line, development, source, hashed, name, optional=optional)
        if alias and renamed:
            yield Requirement(normal_name("npm", alias[1]), alias[2] or "", line, development, "", False, alias[1])


def _overrides(table: Mapping[str, Any], lines: Lines) -> Iterator[Requirement]:
    """The replacements of npm (`overrides`), yarn (`resolutions`) and pnpm, nested ones opened."""
    level = [
        table_of(one)
        for one in (table.get("overrides"), table.get("resolutions"), table_of(table.get("pnpm")).get("overrides"))
    ]
    seen = 0
    while level and seen < MOST_NAMES:
        for name, value in level.pop().items():
            seen += 1
            if isinstance(value, dict):
                level.append(value)
            elif isinstance(value, str):
                yield from replaced(name, value, lines.of(f'"{name}": "{value}"', f'"{name}"'))


def _of_packages(packages: Mapping[str, Any]) -> Iterator[Package]:
    if len(packages) > MOST_NAMES:
        raise UnreadableError(f"it holds more than {MOST_NAMES} packages")
    for path, value in packages.items():
        entry = table_of(value)
        name = text_of(entry.get("name")) or path.rpartition("node_modules/")[2]
        if not path or entry.get("link") is True:
            continue
        own = "node_modules/" not in path and not path.startswith("node_modules")
        yield _package(name, entry, own)


def _of_tree(tree: Mapping[str, Any]) -> Iterator[Package]:
    level, seen = [tree], 0
    while level:
        for name, value in level.pop().items():
            entry = table_of(value)
            seen += 1
            if seen > MOST_NAMES:
                raise UnreadableError(f"it holds more than {MOST_NAMES} packages")
            yield _package(name, entry, False)
            level.append(table_of(entry.get("dependencies")))


def _package(name: str, entry: Mapping[str, Any], own: bool) -> Package:
    needs = [
        normal_name("npm", need)
        for key in ("dependencies", "optionalDependencies", "peerDependencies", "requires")
        for need in table_of(entry.get(key))
    ]
    version = text_of(entry.get("version"))
    source = source_of(version) if "/" in version else registry_source(text_of(entry.get("resolved")))
    return Package(
        normal_name("npm", name),
        version,
        bool(entry.get("integrity")) or entry.get("inBundle") is True,
        "" if own else source,
        text_of(entry.get("license")),
        entry.get("hasInstallScript") is True,
        tuple(dict.fromkeys(needs)),
        own,
        text_of(entry.get("integrity")),
        archive_of(text_of(entry.get("resolved"))),
    )
