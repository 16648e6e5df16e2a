"""What a JavaScript file can import without asking: the runtime, the repository, aliases, and what manifests bring."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from tidegate.change.trees import Tree
from tidegate.verify.dependencies.compare import folder_of, folders_up
from tidegate.verify.dependencies.values import Listing

BUILTINS = frozenset(
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain "
    "events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl "
    "sqlite stream string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib sea "
    "bun deno _http_agent _http_client _http_common _http_incoming _http_outgoing _http_server _stream_duplex "
    "_stream_readable _stream_transform _stream_wrap _stream_writable _tls_common _tls_wrap".split()
)
HOSTS = frozenset("vscode electron atom meteor k6 original-fs obsidian".split())
"""Modules that the program brings in which a script runs."""
_BROUGHT_BY = {
    "@docusaurus": "@docusaurus/core",
    "@theme": "@docusaurus/core",
    "@site": "@docusaurus/core",
    "@generated": "@docusaurus/core",
}
"""Scopes that a framework answers itself."""
_NOT_A_NAME = re.compile(r"[A-Z<>{}()*\\,;=\s]|^-|^[0-9.]+$|\.(?:css|scss|svg|png|html|json)$")


class JavascriptWorld(Struct, frozen=True):
    """Names that are there: `own` packages and aliases of the repository, and what each `package.json` asks for."""

    listings: Mapping[str, Listing]
    own: frozenset[str]
    aliases: tuple[str, ...]

    def has(self, path: str, package: str, module: str) -> bool:
        """Whether a file at this path can import a package, by its own `package.json` or one above it."""
        bare = package.lower()
        bare = _BROUGHT_BY.get(bare.partition("/")[0], bare)
        typed = "@types/" + bare.removeprefix("@").replace("/", "__")
        if package in BUILTINS or package in HOSTS or bare in self.own or _NOT_A_NAME.search(package):
            return True
        if any(module == alias or module.startswith(f"{alias}/") for alias in self.aliases):
            return True
        for folder in folders_up(path):
            for name in ("package.json", "deno.json", "deno.jsonc"):
                listing = self.listings.get(f"{folder}/{name}" if folder else name)
                if listing and any(one.name in (bare, typed) for one in listing.asked):
                    return True
        return False

    def governed(self, path: str) -> bool:
        """Whether any manifest stands for a file of this path; without one nothing can be said."""
        return any(
            (f"{folder}/package.json" if folder else "package.json") in self.listings for folder in folders_up(path)
        )


def read_javascript_world(tree: Tree, listings: Mapping[str, Listing], paths: Collection[str]) -> JavascriptWorld:
    """The world of a tree, whose manifests are read already."""
    npm = {path: one for path, one in listings.items() if one.ecosystem == "npm"}
    own = {name for one in npm.values() for name in one.names}
    configured = [path for path in paths if re.fullmatch(r"[tj]sconfig[^/]*\.json", path.rpartition("/")[2])]
    aliases: set[str] = set()
    for path, content in tree.read(configured[:200]).items():
        aliases.update(_aliases(path, content, paths))
    bundlers = [path for path in paths if _BUNDLER.fullmatch(path.rpartition("/")[2])]
    for content in tree.read(bundlers[:50]).values():
        aliases.update(found[1].decode("utf-8", "replace") for found in _ALIAS.finditer(content[:200_000]))
    declared = [path for path in paths if path.endswith(".d.ts")]
    for content in tree.read(declared[:200]).values():
        found = re.findall(rb"declare module\s+[\"']([^\"'*]+)", content[:200_000])
        own.update(one.decode("utf-8", "replace").lower() for one in found)
    return JavascriptWorld(npm, frozenset(own), tuple(sorted(alias for alias in aliases if alias)))


# Private

_BUNDLER = re.compile(
    r"(?:webpack|vite|vitest|rollup|next|nuxt|babel|jest|metro|svelte|astro|rspack|esbuild|craco|quasar)[\w.-]*"
    r"\.(?:[cm]?[jt]s|json)|\.babelrc"
)
_ALIAS = re.compile(
    rb"""["']?\^?([@~#]?[\w@/-]{1,60}?)(?:/\(\.\*\)|\(\.\*\))?\$?["']?\s*:\s*"""
    rb"""(?:\[?\s*["'`](?:\.|<rootDir>|/)|(?:path\.)?(?:resolve|join)\(|fileURLToPath|new URL)"""
)


def _aliases(path: str, content: bytes, paths: Iterable[str]) -> set[str]:
    """The names that a `tsconfig.json` maps to files: `paths`, and what lies in `baseUrl`."""
    text = content[:500_000].decode("utf-8", "replace")
    bare = re.sub(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda found: found[1] or "", text, flags=re.DOTALL)
    try:
        table = json.loads(re.sub(r",(\s*[}\]])", r"\1", bare))
    except (ValueError, RecursionError):
        return set()
    options = table.get("compilerOptions") if isinstance(table, dict) else None
    if not isinstance(options, dict):
        return set()
    mapped = options.get("paths")
    found = {key.rstrip("*").rstrip("/") for key in mapped if key != "*"} if isinstance(mapped, dict) else set()
    every = mapped.get("*") if isinstance(mapped, dict) else None
    bases = [one.removesuffix("*") for one in every if isinstance(one, str)] if isinstance(every, list) else []
    for base in [*bases, options.get("baseUrl")]:
        if isinstance(base, str) and "node_modules" not in base:
            found |= _below(folder_of(path), base, paths)
    return found


def _below(folder: str, base: str, paths: Iterable[str]) -> set[str]:
    """What lies in a folder that modules are looked for in."""
    parts = [part for part in f"{folder}/{base}".split("/") if part not in ("", ".")]
    root = "/".join(parts) + "/" if parts and ".." not in parts else ""
    if not root and base not in (".", "./"):
        return set()
    tops = {one[len(root) :].split("/")[0] for one in paths if one.startswith(root)}
    return {top.partition(".")[0] for top in tops if top != "node_modules"}
