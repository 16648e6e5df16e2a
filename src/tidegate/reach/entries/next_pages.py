"""Routes that Next.js takes from the places of files: app/**/route.ts, pages/api/**, pages and their components."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries.context import Context, http
from tidegate.reach.entries.finder import Finder, MarksByPath

_ROUTE = re.compile(r"^(?P<root>(?:.*/)?)(?:src/)?app/(?P<path>.*/)?(?P<file>route|page)\.(?:tsx?|jsx?|mjs)$")
_PAGE = re.compile(r"^(?P<root>(?:.*/)?)(?:src/)?pages/(?P<path>.*)\.(?:tsx?|jsx?|mjs)$")
_VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def _join(_: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    roots = _projects(context)
    for path in context.sources.paths if roots else ():
        match = _ROUTE.match(path) or _PAGE.match(path)
        if match is None or not any(match["root"].startswith(root) for root in roots):
            continue
        if "file" in match.groupdict():
            yield from _app(path, match["path"] or "", match["file"], context)
        else:
            yield from _pages(path, match["path"], context)


def _projects(context: Context) -> list[str]:
    """Folders whose package.json needs Next."""
    manifests = [path for path in context.sources.paths if path.rpartition("/")[2] == "package.json"]
    context.fetch(manifests)
    found = [path for path in manifests if re.search(rb'"next"\s*:', context.content(path))]
    return [path[: path.rfind("/") + 1] for path in found]


def _app(path: str, folders: str, file: str, context: Context) -> Iterator[EntryPoint]:
    parts = [part for part in folders.split("/") if part and not part.startswith(("(", "@", "_"))]
    url = "/" + "/".join(_segment(part) for part in parts)
    view = context.view(path)
    if file == "page":
        yield http("GET", url, "next", _default(path, context), 1)
        return
    exported = [verb for verb in _VERBS if view and ((0, verb) in view.bindings or verb in view.names)]
    for verb in exported:
        symbol = SymbolId(path, verb if view and verb in view.names else "")
        yield http(verb, url, "next", symbol, context.line_of(symbol))
    if not exported:
        yield http("*", url, "next", SymbolId(path, ""), 1)


def _pages(path: str, name: str, context: Context) -> Iterator[EntryPoint]:
    if name.rpartition("/")[2].startswith("_"):
        return
    parts = [_segment(part) for part in name.split("/")]
    if parts[-1] == "index":
        parts.pop()
    symbol = _default(path, context)
    yield http(
        "*" if name.startswith("api/") else "GET", "/" + "/".join(parts), "next", symbol, context.line_of(symbol)
    )


def _segment(part: str) -> str:
    """[id] is {id}, [...rest] is {rest*}."""
    match = re.fullmatch(r"\[{1,2}(\.\.\.)?([\w-]+)\]{1,2}", part)
    return f"{{{match[2]}{'*' if match[1] else ''}}}" if match else part


def _default(path: str, context: Context) -> SymbolId:
    view = context.view(path)
    for binding in view.bindings.get((0, "default"), []) if view else []:
        if view and binding.value in view.names:
            return SymbolId(path, binding.value)
    return SymbolId(path, "default" if view and "default" in view.names else "")


FINDERS = (Finder("next", _join),)
