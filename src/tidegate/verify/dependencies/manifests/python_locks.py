"""`uv.lock`, `poetry.lock`, `pdm.lock`, `pylock.toml` and `Pipfile.lock`.

The TOML ones are written by programs, one key a line, and are read line by line: a lock of a megabyte is read for every
check, and a parser of all of TOML takes a second for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.verify.dependencies.manifests.json_text import read_json, table_of, text_of
from tidegate.verify.dependencies.values import MOST_NAMES, Listing, Package, Requirement, UnreadableError, normal_name

_BLOCK = re.compile(r"^\[\[(?:package|packages)\]\][^\n]*\n", re.MULTILINE)
_NAME = re.compile(r'^name\s*=\s*"([^"\n]+)"', re.MULTILINE)
_VERSION = re.compile(r'^version\s*=\s*"([^"\n]*)"', re.MULTILINE)
_UV_SOURCE = re.compile(r'^source\s*=\s*\{\s*(\w+)\s*=\s*"([^"\n]*)"', re.MULTILINE)
_TABLE_SOURCE = re.compile(r"^\[(?:package\.source|packages\.(?:vcs|archive|directory))\]([^\[]*)", re.MULTILINE)
_KEY_SOURCE = re.compile(r'^(git|url|path)\s*=\s*"([^"\n]+)"', re.MULTILINE)
_URL = re.compile(r'^(?:url|path)\s*=\s*"([^"\n]+)"', re.MULTILINE)
_TYPE = re.compile(r'^type\s*=\s*"([^"\n]+)"', re.MULTILINE)
_HASH = re.compile(r'hash(?:es)?\s*=\s*(?:\{[^}\n]*)?"?|sha256:|sha256\s*=')
_LICENCE = re.compile(r'^licen[cs]e\s*=\s*"([^"\n]+)"', re.MULTILINE)
_NEED = re.compile(r'\{\s*name\s*=\s*"([^"\n]+)"')
_POETRY_NEEDS = re.compile(r"^\[package\.(?:dependencies|extras)\]\n((?:[^\[\n][^\n]*\n|\n)*)", re.MULTILINE)
_POETRY_NEED = re.compile(r'^"?([A-Za-z0-9][\w.-]*)"?\s*=', re.MULTILINE)
_PDM_NEEDS = re.compile(r"^dependencies\s*=\s*\[([^\]]*)\]", re.MULTILINE)
_PDM_NEED = re.compile(r'"([A-Za-z0-9][\w.-]*)')
_POETRY_FILES = re.compile(r"^\[metadata\.files\]\n(.*)", re.MULTILINE | re.DOTALL)
_POETRY_FILE = re.compile(r'^"?([A-Za-z0-9][\w.-]*)"?\s*=\s*\[\s*\n?\s*\{', re.MULTILINE)
_OWN_SOURCES = ("editable", "virtual", "directory", "workspace")
PYPI = "https://pypi.org/simple"


def read_toml_lock(text: str) -> Listing:
    """A lock of uv, poetry, pdm, or PEP 751. Raises UnreadableError for a text with no package and no version."""
    starts = [found.start() for found in _BLOCK.finditer(text)]
    if not starts and not re.search(
        r"^(?:version|lock-version|lock_version|content-hash|\[metadata\])", text, re.MULTILINE
    ):
        raise UnreadableError("it is not in the form of a lock")
    if len(starts) > MOST_NAMES:
        raise UnreadableError(f"it holds more than {MOST_NAMES} packages")
    old = _POETRY_FILES.search(text)
    hashed = {normal_name("pypi", found[1]) for found in _POETRY_FILE.finditer(old[1])} if old else set()
    ends = [*starts[1:], len(text)] if starts else []
    held = (_package(text[start:end], hashed) for start, end in zip(starts, ends, strict=True))
    groups = _NEED.findall(text[: starts[0]] if starts else "")
    asked = tuple(Requirement(normal_name("pypi", name), written=name) for name in groups)
    return Listing("pypi", asked, tuple(one for one in held if one is not None))


def read_pipfile_lock(text: str) -> Listing:
    table = table_of(read_json(text))
    held: list[Package] = []
    for section, packages in table.items():
        if section.startswith("_"):
            continue
        for name, one in table_of(packages).items():
            entry = table_of(one)
            address = next((text_of(entry.get(key)) for key in ("git", "file", "path") if key in entry), "")
            version = text_of(entry.get("version")).removeprefix("==")
            held.append(Package(normal_name("pypi", name), version, bool(entry.get("hashes")), address))
    return Listing("pypi", held=tuple(held))


# Private


def _package(block: str, hashed: set[str]) -> Package | None:
    name = _NAME.search(block)
    if name is None:
        return None
    version, licence = _VERSION.search(block), _LICENCE.search(block)
    kind, source = _source(block)
    own = kind in _OWN_SOURCES
    normal = normal_name("pypi", name[1])
    return Package(
        normal,
        version[1] if version else "",
        normal in hashed or bool(_HASH.search(block)),
        "" if own else source,
        licence[1] if licence else "",
        False,
        tuple(dict.fromkeys(normal_name("pypi", need) for need in _needs(block))),
        own,
    )


def _source(block: str) -> tuple[str, str]:
    inline = _UV_SOURCE.search(block)
    if inline:
        address = "" if inline[1] == "registry" and inline[2] == PYPI else inline[2]
        return inline[1], f"git+{address}" if inline[1] == "git" else address
    table = _TABLE_SOURCE.search(block)
    if table:
        kind, url = _TYPE.search(table[1]), _URL.search(table[1])
        named = kind[1] if kind else "url"
        address = url[1] if url else ""
        address = "" if address == PYPI else address
        return named, f"git+{address}" if named == "git" else address
    direct = _KEY_SOURCE.search(block)
    return (direct[1], f"git+{direct[2]}" if direct[1] == "git" else direct[2]) if direct else ("registry", "")


def _needs(block: str) -> Iterator[str]:
    yield from (found[1] for found in _NEED.finditer(block))
    for table in _POETRY_NEEDS.finditer(block):
        yield from (found[1] for found in _POETRY_NEED.finditer(table[1]))
        yield from (found[1] for found in _PDM_NEED.finditer(table[1]))
    for listed in _PDM_NEEDS.finditer(block):
        yield from (found[1] for found in _PDM_NEED.finditer(listed[1]))
