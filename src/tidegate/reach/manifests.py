"""Which packages from outside a manifest or a lock file names, in which version; and what a change of it changes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from tidegate.errors import InputError
from tidegate.settings import read_toml

Ecosystem: TypeAlias = Literal["python", "javascript", "go", "rust", "jvm", "ruby"]
MOST_PACKAGES = 5000


class PackageChange(Struct, frozen=True, order=True):
    """A package whose version changed; "" stands for not there. `line` is where the manifest names it, 1 at least."""

    name: str
    before: str
    after: str
    line: int = 1


class ManifestChange(Struct, frozen=True):
    """What the change of one manifest changes. `only_tools`: nothing but settings of checkers differs."""

    ecosystem: Ecosystem
    packages: tuple[PackageChange, ...]
    only_tools: bool = False


def ecosystem_of(path: str) -> Ecosystem | None:
    """Whose manifest or lock file a path is; None where it is none that is read."""
    known = _reader(path.rpartition("/")[2])
    return known[0] if known is not None else None


def is_lock(path: str) -> bool:
    """Whether programs write the file, from a manifest beside it."""
    name = path.rpartition("/")[2]
    return name in _LOCKS


def compare_manifests(path: str, before: bytes, after: bytes) -> ManifestChange | None:
    """The packages whose version differs between two contents of a manifest; None where they could not be read."""
    known = _reader(path.rpartition("/")[2])
    if known is None:
        return None
    ecosystem, read = known
    try:
        old, new = (dict(read(_text(side))) if side.strip() else {} for side in (before, after))
    except (InputError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    lines = _text(after).split("\n")
    changed = [
        PackageChange(name, old.get(name, ""), new.get(name, ""), _line_of(name, lines))
        for name in sorted(old.keys() | new.keys())[: 2 * MOST_PACKAGES]
        if old.get(name) != new.get(name)
    ]
    tools = not changed and path.endswith("pyproject.toml") and _without_tools(before) == _without_tools(after)
    return ManifestChange(ecosystem, tuple(changed[:MOST_PACKAGES]), tools)


# Private

_Read: TypeAlias = Callable[[str], Iterable[tuple[str, str]]]
_LOCKS = frozenset(
    (
        *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock", "uv.lock"),
        *("pdm.lock", "Pipfile.lock", "Cargo.lock", "go.sum", "Gemfile.lock"),
    )
)
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*([^#;\\\s][^#;\\]*)?")
_POM_BEGIN = re.compile(r"<(?:dependency|parent|plugin)>")
_POM_PART = re.compile(r"<(groupId|artifactId|version)>([^<>]*)</")
_POM_END = re.compile(r"</(?:dependency|parent|plugin)>")
_LONGEST_LINE = 1000
_NPM_GROUPS = (
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "resolutions",
    "overrides",
)
_CHECKERS = frozenset(
    (
        *("ruff", "black", "isort", "mypy", "pyright", "pylint", "flake8", "coverage", "pytest", "tox", "codespell"),
        *("bandit", "towncrier", "commitizen", "interrogate", "typos", "vulture", "pydocstyle", "basedpyright", "nox"),
        *(
            "semantic_release",
            "bumpversion",
            "bump-my-version",
            "djlint",
            "refurb",
            "importlinter",
            "ty",
            "cibuildwheel",
        ),
    )
)


def _reader(name: str) -> tuple[Ecosystem, _Read] | None:
    plain: Mapping[str, tuple[Ecosystem, _Read]] = {
        "pyproject.toml": ("python", _pyproject),
        "Pipfile": ("python", _pipfile),
        "Pipfile.lock": ("python", _pipfile_lock),
        "poetry.lock": ("python", _locked_toml),
        "uv.lock": ("python", _locked_toml),
        "pdm.lock": ("python", _locked_toml),
        "package.json": ("javascript", _package_json),
        "package-lock.json": ("javascript", _package_lock),
        "npm-shrinkwrap.json": ("javascript", _package_lock),
        "yarn.lock": ("javascript", _yarn_lock),
        "pnpm-lock.yaml": ("javascript", _pnpm_lock),
        "go.mod": ("go", _go_mod),
        "go.sum": ("go", _go_sum),
        "Cargo.toml": ("rust", _cargo),
        "Cargo.lock": ("rust", _locked_toml),
        "Gemfile": ("ruby", _gemfile),
        "Gemfile.lock": ("ruby", _gemfile_lock),
        "pom.xml": ("jvm", _pom),
        "build.gradle": ("jvm", _gradle),
        "build.gradle.kts": ("jvm", _gradle),
        "libs.versions.toml": ("jvm", _version_catalogue),
    }
    if name in plain:
        return plain[name]
    if name.endswith((".txt", ".in")) and name.startswith(("requirements", "constraints", "dev-requirements")):
        return "python", _requirements
    return None


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _toml(text: str) -> dict[str, Any]:
    return read_toml(text.encode(), "a manifest")


def _line_of(name: str, lines: list[str]) -> int:
    """The line that names a package: for the eye only, so the first that holds it as a word is good enough."""
    pattern = re.compile(rf"(?<![\w@/.-]){re.escape(name)}(?![\w/-])", re.IGNORECASE)
    return next((number for number, line in enumerate(lines, 1) if pattern.search(line)), 1)


def _requirements(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        found = _REQUIREMENT.match(line[:_LONGEST_LINE])
        if found and not line.lstrip().startswith(("-", "#", "http", "git+")):
            yield _python_name(found.group(1)), (found.group(2) or "").strip()


def _python_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pyproject(text: str) -> Iterator[tuple[str, str]]:
    document = _toml(text)
    project = document.get("project", {})
    listed = list(project.get("dependencies", ()))
    for group in (project.get("optional-dependencies", {}), document.get("dependency-groups", {})):
        for entries in group.values():
            listed += [entry for entry in entries if isinstance(entry, str)]
    listed += document.get("build-system", {}).get("requires", ())
    for entry in listed:
        yield from _requirements(entry)
    poetry = document.get("tool", {}).get("poetry", {})
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    for table in tables:
        yield from ((_python_name(name), _shown(version)) for name, version in table.items() if name != "python")


def _shown(version: object) -> str:
    return version if isinstance(version, str) else json.dumps(version, sort_keys=True, default=str)


def _pipfile(text: str) -> Iterator[tuple[str, str]]:
    document = _toml(text)
    for table in ("packages", "dev-packages"):
        yield from ((_python_name(name), _shown(version)) for name, version in document.get(table, {}).items())


def _pipfile_lock(text: str) -> Iterator[tuple[str, str]]:
    document = json.loads(text)
    for table in ("default", "develop"):
        for name, entry in document.get(table, {}).items():
            yield _python_name(name), str(entry.get("version", ""))


def _locked_toml(text: str) -> Iterator[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for entry in _toml(text).get("package", ()):
        found.setdefault(entry["name"], []).append(str(entry.get("version", "")))
    yield from ((name, ", ".join(sorted(versions))) for name, versions in found.items())


def _package_json(text: str) -> Iterator[tuple[str, str]]:
    document = json.loads(text)
    for group in _NPM_GROUPS:
        for name, version in document.get(group, {}).items():
            yield name, _shown(version)


def _package_lock(text: str) -> Iterator[tuple[str, str]]:
    document = json.loads(text)
    for path, entry in document.get("packages", {}).items():
        if path.startswith("node_modules/") and path.count("node_modules/") == 1:
            yield path.removeprefix("node_modules/"), str(entry.get("version", ""))
    if "packages" not in document:
        yield from ((name, str(entry.get("version", ""))) for name, entry in document.get("dependencies", {}).items())


def _yarn_lock(text: str) -> Iterator[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for match in re.finditer(
        r'^"?(@?[^@\s",]+)@[^\n]*:\n(?:  [^\n]*\n)*?  "?version"?:? "?([^"\n]+)', text, re.MULTILINE
    ):
        found.setdefault(match[1], []).append(match[2])
    yield from ((name, ", ".join(sorted(versions))) for name, versions in found.items())


def _pnpm_lock(text: str) -> Iterator[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for match in re.finditer(r"^  ['\"/]{0,2}(@?[^@\s('\":]+)@([\d][^\s():'\"]*)", text, re.MULTILINE):
        found.setdefault(match[1], set()).add(match[2])
    yield from ((name, ", ".join(sorted(versions))) for name, versions in found.items())


def _go_mod(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        words = line.partition("//")[0].split()
        words = words[1:] if words[:1] == ["require"] else words
        if len(words) == 2 and words[1].startswith("v") and "." in words[0].partition("/")[0]:
            yield words[0], words[1]


def _go_sum(text: str) -> Iterator[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        words = line.split(" ")
        if len(words) == 3 and not words[1].endswith("/go.mod"):
            found.setdefault(words[0], []).append(words[1])
    yield from ((name, ", ".join(sorted(versions))) for name, versions in found.items())


def _cargo(text: str) -> Iterator[tuple[str, str]]:
    document = _toml(text)
    places: list[Mapping[str, Any]] = [document, document.get("workspace", {}), *document.get("target", {}).values()]
    for place in places:
        for table in ("dependencies", "dev-dependencies", "build-dependencies"):
            for name, version in place.get(table, {}).items():
                own = version.get("package", name) if isinstance(version, dict) else name
                yield own, _shown(version)


def _gemfile(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"""^\s*gem\s*\(?\s*["']([\w.-]+)["']([^#\n]*)""", text, re.MULTILINE):
        yield match[1], match[2].strip(" ,)")


def _gemfile_lock(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"^    ([\w.-]+) \(([^)\n]+)\)$", text, re.MULTILINE):
        yield match[1], match[2]


def _pom(text: str) -> Iterator[tuple[str, str]]:
    versions = dict(re.findall(r"<([\w.-]+)>([^<>\s]+)</\1>", text[: 2 << 20]))
    for rest in _POM_BEGIN.split(text)[1:]:
        block = _POM_END.split(rest[:2000], maxsplit=1)[0]
        parts = {name: value.strip() for name, value in _POM_PART.findall(block)}
        version = parts.get("version", "")
        held = re.fullmatch(r"\$\{([^}]+)\}", version)
        version = versions.get(held[1], version) if held else version
        if "artifactId" in parts:
            yield f"{parts.get('groupId', '')}:{parts['artifactId']}", version or "managed"


def _gradle(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(r"""["']([\w.-]+:[\w.-]+):([^"':@\s]+)""", text):
        yield match[1], match[2]


def _version_catalogue(text: str) -> Iterator[tuple[str, str]]:
    document = _toml(text)
    versions = document.get("versions", {})
    for entry in document.get("libraries", {}).values():
        if isinstance(entry, str):
            group, name, version = (*entry.split(":"), "", "")[:3]
        else:
            module = entry.get("module", f"{entry.get('group', '')}:{entry.get('name', '')}")
            group, _, name = module.partition(":")
            said = entry.get("version", "")
            version = _shown(versions.get(said.get("ref", ""), said)) if isinstance(said, dict) else _shown(said)
        yield f"{group}:{name}", version


def _without_tools(content: bytes) -> object:
    try:
        document = _toml(_text(content))
    except InputError:
        return content
    tools = document.get("tool", {})
    document["tool"] = {name: table for name, table in tools.items() if name not in _CHECKERS}
    return document
