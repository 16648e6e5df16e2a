"""Routes of Django and its REST framework: patterns, includes across files, class views, routers and view sets.

A function view says its methods by a decorator or not at all; its method is then `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from tidegate.reach.answer import EntryPoint
from tidegate.reach.entries import chains
from tidegate.reach.entries.chains import words
from tidegate.reach.entries.context import Context, http
from tidegate.reach.entries.dialect import UNKNOWN, join_path
from tidegate.reach.entries.django_views import Views
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.reach.entries.follow import Follower, Site
from tidegate.reach.entries.interface import Mark
from tidegate.reach.symbols import FileSymbols

_PATTERNS = words("path re_path url rest_path")
_STEPS = _PATTERNS | words("include register")
_METHODS = words("GET POST PUT DELETE PATCH HEAD OPTIONS")
_NEEDS = words("django.urls django.urls.conf django.conf.urls rest_framework rest_framework_nested")
MOST_PREFIXES = 12


class _Include(Struct, frozen=True):
    """The patterns of `path` (of one list in it, where `name` says which) stand below `prefix` in `parent`."""

    parent: str
    mark: Mark
    prefix: str


def _marks(symbols: FileSymbols) -> tuple[Mark, ...]:
    found: list[Mark] = []
    imported = {one.name: chains.last(one.value) or one.value for one in symbols.bindings if one.value.startswith("<")}
    for reference in symbols.references:
        last = chains.last(reference.chain)
        if reference.kind != "call" or last not in _STEPS or not reference.arguments:
            continue
        if last == "register" and not (chains.is_text(reference.arguments[0]) and len(reference.arguments) > 1):
            continue
        if last in _PATTERNS and not _is_pattern(reference.chain, imported):
            continue
        found.append(Mark("django", last, reference.within, reference.line, reference.chain, reference.arguments))
    return tuple(found)


def _is_pattern(chain: str, imported: dict[str, str]) -> bool:
    """Whether the call is of an imported function of that name, or of a member of an imported module `urls`."""
    root = chains.split(chain)[0]
    if root == chain:
        return imported.get(root, "") in _PATTERNS or ("*" in imported and root not in imported)
    return imported.get(root, "").rstrip(">").endswith(("urls", "django"))


def _join(marks: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    yield from _Urls(marks, context).entries()


class _Urls:
    """The patterns of all files, and who includes whom."""

    def __init__(self, marks: MarksByPath, context: Context) -> None:
        self._marks = {path: every for path, every in marks.items() if any(m.what != "include" for m in every)}
        self._context = context
        self._follower = Follower(context)
        self._views = Views(context, self._follower)
        self._files: dict[str, list[_Include]] = {}
        self._lists: dict[Site, list[_Include]] = {}
        self._spans: dict[str, list[tuple[int, int, Mark]]] = {}
        self._roots = _root_files(context) if self._marks else frozenset()
        for path, every in self._marks.items():
            self._include_all(path, every)

    def entries(self) -> Iterator[EntryPoint]:
        for path, every in self._marks.items():
            for place, mark in enumerate(every):
                if mark.what == "register":
                    yield from self._registered(path, mark)
                elif mark.what in _PATTERNS and not self._included(every, place):
                    yield from self._pattern(path, mark)

    # Private

    def _include_all(self, path: str, every: tuple[Mark, ...]) -> None:
        for place, mark in enumerate(every):
            inner = self._included(every, place) if mark.what in _PATTERNS else None
            if inner is None:
                continue
            include = _Include(path, mark, _pattern_text(mark))
            target = inner.arguments[0]
            if chains.is_text(target):
                name = chains.texts(target)[0] if chains.texts(target) else ""
                self._include_file(path, f"<{name}>", include)
            elif target:
                self._include_value(path, inner, target, include)
            else:
                self._include_literal(path, mark, inner, include)

    def _included(self, every: tuple[Mark, ...], place: int) -> Mark | None:
        """The include that a pattern hands over: arguments come before the call that they are of."""
        mark = every[place]
        if not any(chains.last(one) == "include" for one in mark.arguments[1:2]):
            return None
        before = every[place - 1] if place else None
        return before if before is not None and before.what == "include" and before.line >= mark.line else None

    def _include_file(self, path: str, chain: str, include: _Include) -> bool:
        files = [one.path for one in self._context.resolve(path, 0, chain) if one.name == ""]
        for one in files:
            self._files.setdefault(one, []).append(include)
        return bool(files)

    def _include_value(self, path: str, inner: Mark, target: str, include: _Include) -> None:
        if self._include_file(path, target, include):
            return
        chain = target.removesuffix(".urls")
        for value in self._follower.values(path, inner.within, chain, inner.line):
            if value.made.site is not None:
                self._lists.setdefault(value.made.site, []).append(include)

    def _include_literal(self, path: str, mark: Mark, inner: Mark, include: _Include) -> None:
        node = self._context.tokens(path).call(inner.line, chains.last(inner.chain))
        first = node.items[0] if node and node.items else None
        if first is None:
            return
        if first.kind == "list" and first.items and first.items[0].kind == "word":  # (patterns, "namespace")
            self._include_value(path, inner, first.items[0].text, include)
            return
        if first.kind == "list" and first.items and first.items[0].kind == "text":  # ("app.urls", "namespace")
            self._include_file(path, f"<{first.items[0].text}>", include)
            return
        self._spans.setdefault(path, []).append((mark.line, node.end_line if node else mark.line, mark))

    def _prefixes(self, path: str, mark: Mark, seen: frozenset[tuple[str, int]] = frozenset()) -> list[str]:
        """Every prefix under which a pattern or a registration of the file is served."""
        if (path, mark.line) in seen or len(seen) > 16:
            return []
        seen |= {(path, mark.line)}
        spans = [one for one in self._spans.get(path, ()) if one[0] <= mark.line <= one[1] and one[2] is not mark]
        if spans:
            outer = max(spans, key=lambda one: one[0])[2]
            return [join_path(p, _pattern_text(outer)) for p in self._prefixes(path, outer, seen)]
        found: list[str] = []
        includes = self._holders(path, mark)
        for one in includes:
            found += [join_path(prefix, one.prefix) for prefix in self._prefixes(one.parent, one.mark, seen)]
        if found:
            return sorted(set(found))[:MOST_PREFIXES]
        is_root = path in self._roots or (not self._roots and path not in self._files)
        return [""] if is_root else [UNKNOWN]

    def _holders(self, path: str, mark: Mark) -> list[_Include]:
        """The includes of the list or router that a pattern is in, else those of its file."""
        definition = self._context.definition(path, mark.within)
        name = definition.name if definition and definition.kind in ("variable", "constant") else ""
        if mark.what == "register":
            name = chains.receiver(mark.chain)
            for value in self._follower.values(path, mark.within, name, mark.line):
                held = self._lists.get(value.made.site) if value.made.site else None
                if held:
                    return held
        return self._lists.get(Site(path, 0, name)) or self._files.get(path, [])

    def _pattern(self, path: str, mark: Mark) -> Iterator[EntryPoint]:
        text = _pattern_text(mark)
        chain = mark.arguments[1] if len(mark.arguments) > 1 else chains.named(mark.arguments, "view") or ""
        targets = [("", chain.removeprefix("view="))]
        if mark.what == "rest_path":
            targets = [(key, value) for one in mark.arguments[1:] for key, _, value in (one.partition("="),)]
        for prefix in self._prefixes(path, mark):
            full = join_path(prefix, text)
            for method, target in targets:
                for verb, handler in self._views.of(path, mark, target):
                    yield http(method or verb, full, "django", handler, mark.line)

    def _registered(self, path: str, mark: Mark) -> Iterator[EntryPoint]:
        plain = chains.positional(mark.arguments)
        if len(plain) < 2:
            return
        name = (chains.texts(plain[0]) or (UNKNOWN,))[0].strip("^$/")
        for prefix in self._prefixes(path, mark):
            for verb, tail, handler in self._views.of_set(path, mark, plain[1]):
                yield http(verb, join_path(join_path(prefix, name), tail), "django-rest", handler, mark.line)


def _pattern_text(mark: Mark) -> str:
    texts = chains.texts(mark.arguments[0])
    text = texts[0].replace("{}", UNKNOWN) if texts else UNKNOWN
    return _readable(text) if mark.what in ("re_path", "url") else text


def _readable(expression: str) -> str:
    """A regular expression as a path: named groups as <name>, without its anchors."""
    text = expression.removeprefix("^").removesuffix("$")
    while (start := re.search(r"\(\?P<(\w+)>", text)) is not None:
        depth, end = 1, start.end()
        while end < len(text) and depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0) if text[end - 1] != "\\" else 0
            end += 1
        text = f"{text[: start.start()]}<{start[1]}>{text[end:]}"
    return text


def _root_files(context: Context) -> frozenset[str]:
    """The files that a setting names as the root of all patterns."""
    found: set[str] = set()
    for path in context.sources.paths:
        name = path.rpartition("/")[2]
        if not path.endswith(".py") or not ("settings" in path or name in ("base.py", "conf.py")):
            continue
        view = context.view(path)
        definition = view.definition(view.names.get("ROOT_URLCONF", -1)) if view else None
        if definition is None:
            continue
        node = context.tokens(path).value(definition.line, "ROOT_URLCONF")
        if node is not None and node.kind == "text":
            found.update(one.path for one in context.resolve(path, 0, f"<{node.text}>") if one.name == "")
    return frozenset(found)


FINDERS = (Finder("django", _join, (".py",), _NEEDS, _marks),)
