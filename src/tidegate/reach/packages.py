"""Who uses a package from outside: the functions that use what a file imports from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.reach.answer import SymbolId
from tidegate.reach.index import Index
from tidegate.reach.linking.tree import TreeState
from tidegate.reach.manifests import Ecosystem
from tidegate.reach.symbols import FileSymbols

MOST_IMPORTERS = 500

OTHERWISE_NAMED: Mapping[str, tuple[str, ...]] = {
    "pyyaml": ("yaml",),
    "pillow": ("PIL",),
    "beautifulsoup4": ("bs4",),
    "scikit-learn": ("sklearn",),
    "scikit-image": ("skimage",),
    "python-dateutil": ("dateutil",),
    "python-dotenv": ("dotenv",),
    "python-jose": ("jose",),
    "python-magic": ("magic",),
    "python-multipart": ("multipart", "python_multipart"),
    "python-slugify": ("slugify",),
    "pyjwt": ("jwt",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "psycopg2-binary": ("psycopg2",),
    "psycopg-binary": ("psycopg",),
    "mysqlclient": ("MySQLdb",),
    "djangorestframework": ("rest_framework",),
    "django-filter": ("django_filters",),
    "django-cors-headers": ("corsheaders",),
    "django-allauth": ("allauth",),
    "django-extensions": ("django_extensions",),
    "grpcio": ("grpc",),
    "grpcio-health-checking": ("grpc_health",),
    "protobuf": ("google.protobuf",),
    "attrs": ("attr", "attrs"),
    "setuptools": ("setuptools", "pkg_resources"),
    "msgpack-python": ("msgpack",),
    "pycryptodome": ("Crypto",),
    "pyopenssl": ("OpenSSL",),
    "pyzmq": ("zmq",),
    "gitpython": ("git",),
    "dnspython": ("dns",),
    "email-validator": ("email_validator",),
    "ruamel-yaml": ("ruamel.yaml",),
    "sentry-sdk": ("sentry_sdk",),
    "google-cloud-storage": ("google.cloud.storage",),
    "com.google.code.gson:gson": ("com.google.gson",),
    "com.google.guava:guava": ("com.google.common",),
    "junit:junit": ("org.junit", "junit"),
    "com.squareup.okio:okio": ("okio",),
    "com.squareup.okhttp3:okhttp": ("okhttp3",),
    "com.squareup.moshi:moshi": ("com.squareup.moshi",),
    "io.grpc:grpc-netty": ("io.grpc",),
    "rspec-rails": ("rspec",),
    "activerecord": ("active_record",),
    "activesupport": ("active_support",),
}
"""Packages whose modules bear another name than themselves."""


class User(Struct, frozen=True):
    """`source` uses the package `name` at `line`."""

    name: str
    source: SymbolId
    line: int


class Users(Struct, frozen=True):
    """Who uses packages; `own` are packages of the repository itself, which change by their code alone."""

    users: tuple[User, ...]
    own: frozenset[str]


def find_users(index: Index, state: TreeState, ecosystem: Ecosystem, names: Sequence[str], folder: str) -> Users:
    """Who below `folder` uses one of these packages; a file that imports one and names nothing of it is its module."""
    modules = {name: _modules(ecosystem, name) for name in names}
    by_start: dict[str, list[str]] = {}
    for name, specs in modules.items():
        for spec in specs:
            by_start.setdefault(spec, []).append(name)
    importers: dict[str, dict[str, list[str]]] = {}
    own: set[str] = set()
    for file in state.files:
        if _is_of(ecosystem, file.path):
            for spec, found in file.specs:
                for name in _packages_of(ecosystem, spec, by_start):
                    if found:
                        own.add(name)
                    elif file.path.startswith(folder):
                        importers.setdefault(file.path, {}).setdefault(spec, []).append(name)
    chosen = sorted(importers)[:MOST_IMPORTERS]
    symbols = index.read([path for path in chosen if path in index.files])
    users = [user for path in chosen if path in symbols for user in _users(path, symbols[path], importers[path])]
    return Users(tuple(dict.fromkeys(users)), frozenset(own))


# Private

_SUFFIXES: Mapping[Ecosystem, tuple[str, ...]] = {
    "python": (".py", ".pyi"),
    "javascript": (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts"),
    "go": (".go",),
    "rust": (".rs",),
    "jvm": (".java", ".kt", ".kts"),
    "ruby": (".rb", ".rake"),
}
_SEPARATOR: Mapping[Ecosystem, str] = {
    "python": ".",
    "javascript": "/",
    "go": "/",
    "rust": "::",
    "jvm": ".",
    "ruby": "/",
}


def _is_of(ecosystem: Ecosystem, path: str) -> bool:
    return path.endswith(_SUFFIXES[ecosystem])


def _modules(ecosystem: Ecosystem, name: str) -> tuple[str, ...]:
    """What imports of the package begin with."""
    if name in OTHERWISE_NAMED:
        return OTHERWISE_NAMED[name]
    if ecosystem == "python":
        plain = name.replace("-", "_")
        short = plain.removeprefix("python_").removesuffix("_python")
        return tuple(dict.fromkeys((plain, name.replace("-", "."), short)))
    if ecosystem == "javascript":
        return (name.removeprefix("@types/"),)
    if ecosystem == "rust":
        return (name.replace("-", "_"),)
    if ecosystem == "jvm":
        group = name.partition(":")[0]
        return ("org.springframework",) if group.startswith("org.springframework") else (group,)
    if ecosystem == "ruby":
        return tuple(dict.fromkeys((name, name.replace("-", "/"), name.replace("-", "_"))))
    return (name,)


def _packages_of(ecosystem: Ecosystem, spec: str, by_start: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The packages that an import may mean: the longest beginning that is one."""
    separator = "." if ecosystem == "rust" and "::" not in spec else _SEPARATOR[ecosystem]
    parts = spec.split(separator)
    for end in range(len(parts), 0, -1):
        found = by_start.get(separator.join(parts[:end]))
        if found:
            yield from found
            return


def _users(path: str, symbols: FileSymbols, specs: Mapping[str, Sequence[str]]) -> Iterator[User]:
    names: dict[str, dict[str, None]] = {}
    lines: dict[str, int] = {}
    for binding in symbols.bindings:
        spec = _spec(binding.value)
        if binding.kind == "import" and spec in specs:
            for package in specs[spec]:
                lines.setdefault(package, binding.line)
                names.setdefault(binding.name, {})[package] = None
    used: set[str] = set()
    for within, chain, line in _uses(symbols):
        spec = _spec(chain)
        packages: Iterable[str] = specs[spec] if spec in specs else names.get(_ROOT.split(chain, maxsplit=1)[0], ())
        for package in packages:
            if 0 < within < len(symbols.definitions):
                used.add(package)
                yield User(package, SymbolId(path, symbols.definitions[within].name), line)
    for package, line in lines.items():
        if package not in used:
            yield User(package, SymbolId(path, ""), line)


def _uses(symbols: FileSymbols) -> Iterator[tuple[int, str, int]]:
    for reference in symbols.references:
        yield reference.within, reference.chain, reference.line
    for number, definition in enumerate(symbols.definitions):
        for chain in (*definition.bases, *definition.decorators):
            yield number, chain, definition.line


_ROOT = re.compile(r"[.(\[!*]")


def _spec(chain: str) -> str:
    """The module that a chain begins with, "" where it begins with a name."""
    return chain[1 : chain.index(">")] if chain.startswith("<") and ">" in chain else ""
