"""Commands that manifests name: console scripts of Python, `bin` and scripts of package.json, tasks of Rake."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from typing import Any

from tidegate.errors import InputError
from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries.context import Context, entry
from tidegate.reach.entries.finder import Finder, MarksByPath
from tidegate.settings import read_toml

_CONSOLE = re.compile(r"""["']?([\w.-]+)\s*=\s*([\w.]+:[\w.]+)""")
_FILE = re.compile(r"[\w./@-]+\.(?:js|mjs|cjs|ts|mts|tsx|py)\b")
_TASK = re.compile(r"^\s*(namespace|task|multitask)\s+:?[\"']?([\w:-]+)")
_BUILT = (("dist/", "src/"), ("build/", "src/"), ("lib/", "src/"), ("out/", "src/"), ("", ""))


def _join(_: MarksByPath, context: Context) -> Iterator[EntryPoint]:
    readers = {
        "pyproject.toml": _pyproject,
        "setup.cfg": _setup,
        "setup.py": _setup,
        "package.json": _package,
        "Rakefile": _rake,
    }
    known = frozenset(context.sources.paths)
    wanted = [p for p in context.sources.paths if p.rpartition("/")[2] in readers or p.endswith(".rake")]
    context.fetch(wanted)
    for path in wanted:
        yield from readers.get(path.rpartition("/")[2], _rake)(path, known, context)


def _pyproject(path: str, known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    try:
        found = read_toml(context.text(path).encode(), path)
    except InputError:
        return
    project, poetry = _table(found, "project"), _table(_table(found, "tool"), "poetry")
    for table in (_table(project, "scripts"), _table(project, "gui-scripts"), _table(poetry, "scripts")):
        for name, target in table.items():
            target = target.get("reference") if isinstance(target, dict) else target
            if isinstance(target, str):
                yield _script(path, name, target, known, context)


def _table(value: object, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _setup(path: str, known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    text = context.text(path)
    start = text.find("console_scripts")
    if start < 0:
        return
    ends = [place for mark in ("]", "\n[", "gui_scripts") if (place := text.find(mark, start)) > start]
    end = min(ends, default=len(text))
    for name, target in _CONSOLE.findall(text[start:end]):
        yield _script(path, name, target, known, context)


def _script(path: str, name: str, target: str, known: frozenset[str], context: Context) -> EntryPoint:
    module, _, function = target.partition(":")
    function = function.split("[")[0].strip()
    for folder in (posixpath.dirname(path), posixpath.join(posixpath.dirname(path), "src"), "", "src"):
        base = posixpath.join(folder, module.strip().replace(".", "/"))
        for file in (f"{base}.py", f"{base}/__init__.py"):
            if file not in known:
                continue
            view = context.view(file)
            if view is not None and function in view.names:
                symbol = SymbolId(file, function)
            else:
                symbol = next(iter(context.resolve(file, 0, function)), SymbolId(file, ""))
            return entry("command", name, "console-script", symbol, context.line_of(symbol))
    return entry("command", name, "console-script", SymbolId(path, ""), 1)


def _package(path: str, known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    try:
        found = json.loads(context.text(path))
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict):
        return
    binary = found.get("bin")
    name = found.get("name") if isinstance(found.get("name"), str) else path
    named = {str(name).rpartition("/")[2]: binary} if isinstance(binary, str) else binary
    for key, target in named.items() if isinstance(named, dict) else ():
        if isinstance(target, str):
            file = source_file(path, target, known)
            yield entry("command", key, "package.json", SymbolId(file or path, ""), 1)
    for key, command in _table(found, "scripts").items():
        for word in _FILE.findall(command) if isinstance(command, str) else ():
            file = source_file(path, word, known)
            if file is not None and file in context.sources.files:
                yield entry("command", f"npm run {key}", "npm", SymbolId(file, ""), 1)


def source_file(manifest: str, target: str, known: frozenset[str]) -> str | None:
    """The file of the tree that a manifest names, or the source that what it names is built from."""
    folder = posixpath.dirname(manifest)
    target = posixpath.normpath(target)
    stem = re.sub(r"(\.d)?\.[cm]?[jt]sx?$", "", target)
    for built, source in _BUILT:
        if not stem.startswith(built):
            continue
        base = posixpath.normpath(posixpath.join(folder, source + stem[len(built) :]))
        for suffix in ("", ".ts", ".tsx", ".mts", ".js", ".mjs", ".cjs", "/index.ts", "/index.js"):
            if (file := base + suffix) in known:
                return file
    file = posixpath.normpath(posixpath.join(folder, target))
    return file if file in known else None


def _rake(path: str, _: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    spaces: list[tuple[int, str]] = []
    for number, line in enumerate(context.text(path).split("\n"), 1):
        indent = len(line) - len(line.lstrip())
        while spaces and line.strip() == "end" and indent <= spaces[-1][0]:
            spaces.pop()
        match = _TASK.match(line)
        if match is None:
            continue
        if match[1] == "namespace":
            spaces.append((indent, match[2]))
        else:
            name = ":".join([space for _, space in spaces] + [match[2]])
            yield entry("command", f"rake {name}", "rake", SymbolId(path, ""), number)


FINDERS = (Finder("manifests", _join),)
