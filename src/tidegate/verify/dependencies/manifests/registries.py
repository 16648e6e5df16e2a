"""Settings that say from where packages are fetched, and lists of packages beside the manifests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.verify.dependencies.manifests.package_json import replaced
from tidegate.verify.dependencies.manifests.pyproject import toml_table
from tidegate.verify.dependencies.manifests.requirement import read_requirement
from tidegate.verify.dependencies.values import Ecosystem, Listing, Requirement, normal_name

_NPMRC = re.compile(r"^\s*(?:@[^:\s]+:)?registry\s*=\s*[\"']?([^\s\"']+)", re.MULTILINE)
_YARNRC = re.compile(r"^\s*(?:npmRegistryServer:|registry)\s+[\"']?([^\s\"']+)", re.MULTILINE)
_PIP = re.compile(r"^\s*(?:index-url|extra-index-url|find-links)\s*=\s*(\S+)|^\s+(https?://\S+)", re.MULTILINE)
_URL = re.compile(r"[\"'](?:(?:registry|sparse)\+)?((?:https?|file|git)://[^\"']+)[\"']")
_YAML_KEY = re.compile(r"^( *)(?:- )?[\"']?([^\"'#\s][^\"'#]*?)[\"']?:(?:\s+[\"']?([^\"'#]*?)[\"']?)?\s*(?:#.*)?$")


def read_npmrc(text: str) -> Listing:
    return _of(_NPMRC, "npm", text)


def read_yarnrc(text: str) -> Listing:
    return _of(_YARNRC, "npm", text)


def read_pip_conf(text: str) -> Listing:
    return _of(_PIP, "pypi", text)


def read_uv_toml(text: str) -> Listing:
    """Every address in the settings of uv: they are all of indexes."""
    toml_table(text)
    return _of(_URL, "pypi", text)


def read_cargo_config(text: str) -> Listing:
    toml_table(text)
    tables = "".join(
        part if re.match(r"\[(?:source|registr)", part) else "\n" * part.count("\n") for part in _tables(text)
    )
    return _of(_URL, "cargo", tables)


def read_pnpm_workspace(text: str) -> Listing:
    """The catalogues of pnpm, and what it puts in the place of packages."""
    asked, section, inner = [], "", ""
    for number, line in enumerate(text.split("\n"), 1):
        found = _YAML_KEY.match(line)
        if found is None or line.lstrip().startswith("#"):
            continue
        depth, key, value = len(found[1]), found[2], (found[3] or "").strip()
        if not depth:
            section, inner = key, ""
        elif section == "catalogs" and not value:
            inner = key
        elif section == "overrides" and value:
            asked += list(replaced(key, value, number))
        elif (section == "catalog" or inner) and value:
            asked.append(Requirement(normal_name("npm", key), value, number, False, "", False, key))
    return Listing("npm", tuple(asked))


def read_pre_commit(text: str) -> Listing:
    """What the hooks of pre-commit ask for beside themselves; names of npm (with `@`) are left out."""
    asked: list[Requirement] = []
    depth = -1
    for number, line in enumerate(text.split("\n"), 1):
        indent = len(line) - len(line.lstrip())
        bare = line.strip()
        if bare.startswith(("additional_dependencies:", "- additional_dependencies:")):
            depth = indent
            words = bare.partition(":")[2].strip(" []").split(",")
        elif depth >= 0 and indent >= depth and not re.match(r"(?:- )?\w+:", bare) and not bare.startswith("#"):
            words = bare.removeprefix("- ").strip("[]").split(",")
        else:
            depth = depth if not bare or bare.startswith("#") else -1
            continue
        asked += _asked(words, number)
    return Listing("pypi", tuple(asked))


def read_tox(text: str) -> Listing:
    """The `deps` of tox."""
    asked: list[Requirement] = []
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r"deps\s*=(.*)", line)
        inside = bool(found) or (inside and (not line.strip() or line[0].isspace()))
        if inside and "{" not in line.partition(":")[2]:
            body = (found[1] if found else line).partition(" #")[0].strip()
            asked += _asked(
                [re.sub(r"^[\w{},!.-]+:\s*(?!//)", "", body)] if not body.startswith(("#", "-")) else [], number
            )
    return Listing("pypi", tuple(asked))


def read_conda(text: str) -> Listing:
    """What an environment of conda takes from PyPI; its own packages are called otherwise than there."""
    asked: list[Requirement] = []
    depth = -1
    for number, line in enumerate(text.split("\n"), 1):
        bare, indent = line.strip(), len(line) - len(line.lstrip())
        if re.fullmatch(r"- pip:\s*(?:#.*)?", bare):
            depth = indent
        elif depth >= 0 and bare.startswith("- ") and indent > depth:
            asked += _asked([bare[2:].strip("\"' ")], number)
        elif bare and not bare.startswith("#"):
            depth = -1
    return Listing("pypi", tuple(asked))


# Private


def _of(pattern: re.Pattern[str], ecosystem: Ecosystem, text: str) -> Listing:
    found = (
        (next(filter(None, one.groups())), text.count("\n", 0, one.start(one.lastindex or 0)) + 1)
        for one in pattern.finditer(text)
    )
    return Listing(ecosystem, indexes=tuple(found))


def _tables(text: str) -> list[str]:
    return re.split(r"^(?=\[)", text, flags=re.MULTILINE)


def _asked(words: list[str], line: int) -> Iterator[Requirement]:
    for word in words:
        bare = word.partition(" #")[0].strip(" \"'")
        one = read_requirement(bare, line, development=True) if not bare.startswith(("-", "@", "{", "#")) else None
        if one is not None:
            yield one
