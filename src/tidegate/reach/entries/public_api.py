"""Public names of packages: what others import, as entry points of the kind "api". Apart, because it can be large."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import Any

from tidegate.reach.answer import EntryPoint, SymbolId
from tidegate.reach.entries.chains import split
from tidegate.reach.entries.context import Context, FileView, entry
from tidegate.reach.entries.interface import Sources
from tidegate.reach.entries.manifests import source_file
from tidegate.reach.entries.places import is_test
from tidegate.reach.symbols import Definition

_NOT_PACKAGES = frozenset(("docs", "doc", "examples", "example", "scripts", "benchmarks", "bench", "tools", "build"))


def find_public_api(sources: Sources) -> tuple[EntryPoint, ...]:
    """The exported names of every package of the tree, sorted, each with the definition behind it.

    Python: `__all__`, else the public names of the `__init__` of a top package. JavaScript and TypeScript: the exports
    of the files that package.json names, unless it is private. Go: exported names of packages that are neither `main`
    nor below `internal`. Java: public classes of `src/main`, unless the tree has an application's main class in the
    same folder. Rust: public names of crates with a `lib.rs`.
    """
    context = Context(sources)
    known = frozenset(sources.paths)
    found: set[EntryPoint] = set()
    for path in sources.paths:
        if is_test(path):
            continue
        if path.endswith("/__init__.py"):
            found.update(_python(path, known, context))
        elif path.endswith("package.json"):
            found.update(_javascript(path, known, context))
        elif path.endswith(".go"):
            found.update(_go(path, context))
        elif path.endswith((".java", ".rs")):
            found.update(_declared(path, known, context))
    return tuple(sorted(found, key=lambda one: (one.name, one.handler, one.framework, one.line)))


# Private


def _api(name: str, framework: str, symbol: SymbolId, context: Context) -> EntryPoint:
    return entry("api", name, framework, symbol, context.line_of(symbol))


def _python(path: str, known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    folder = posixpath.dirname(path)
    above, package = posixpath.split(folder)
    if f"{above}/__init__.py".lstrip("/") in known or not _NOT_PACKAGES.isdisjoint(folder.split("/")):
        return
    view = context.view(path)
    for name in _python_names(path, view, context) if view else ():
        found = [one for one in context.resolve(path, 0, name) if one.name]
        if not found and view and name in view.names:
            found = [SymbolId(path, name)]
        for symbol in found or _imported(path, view, name, context):
            yield _api(f"{package}.{name}", "python", symbol, context)


def _imported(path: str, view: FileView | None, name: str, context: Context) -> list[SymbolId]:
    """What is imported from the tree and is no definition of its own kind: a constant, an instance."""
    found: list[SymbolId] = []
    for binding in view.bindings.get((0, name), []) if view else []:
        root, steps = split(binding.value)
        for module in context.resolve(path, 0, root) if root.startswith("<") and steps else ():
            other = context.view(module.path)
            if other is not None and steps[0][1:] in other.names:
                found.append(SymbolId(module.path, steps[0][1:]))
    return found


def _python_names(path: str, view: FileView, context: Context) -> list[str]:
    if "__all__" in view.names or (0, "__all__") in view.bindings:
        definition = view.definition(view.names.get("__all__", -1))
        binding = view.bindings.get((0, "__all__"), [None])[0]
        line = definition.line if definition else (binding.line if binding else 1)
        node = context.tokens(path).value(line, "__all__")
        if node is not None and node.texts():
            return sorted(set(node.texts()))
    names = {name for scope, name in view.bindings if scope == 0} | {name for name in view.names if "." not in name}
    return sorted(name for name in names if name and not name.startswith("_") and name not in ("*", "annotations"))


def _javascript(path: str, known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    try:
        found = json.loads(context.text(path))
    except (ValueError, RecursionError):
        return
    if not isinstance(found, dict) or found.get("private") is True or "node_modules/" in path:
        return
    package = found.get("name") if isinstance(found.get("name"), str) else posixpath.dirname(path)
    targets = dict(_targets(found.get("exports"), ""))
    targets |= {str(found[key]): "" for key in ("main", "module", "types") if isinstance(found.get(key), str)}
    done: set[str] = set()
    for target, sub in targets.items() or (("index.js", ""),):
        file = source_file(path, target, known)
        view = context.view(file) if file else None
        if view is None or file is None or file in done:
            continue
        done.add(file)
        for name in _exported(view):
            for symbol in context.resolve(file, 0, name) or (SymbolId(file, name if name in view.names else ""),):
                yield _api(f"{package}{sub}.{name}", "npm", symbol, context)


def _targets(exports: Any, sub: str) -> Iterator[tuple[str, str]]:
    pending = [(exports, sub)]
    while pending:
        value, name = pending.pop()
        if isinstance(value, str):
            yield value, name
        elif isinstance(value, dict):
            pending += [(inner, key.lstrip(".") if key.startswith(".") else name) for key, inner in value.items()]
        elif isinstance(value, list):
            pending += [(inner, name) for inner in value]


def _exported(view: FileView) -> list[str]:
    names = {one.name for one in view.symbols.definitions if "exported" in one.flags and one.parent == 0}
    names |= {one.name for one in view.symbols.bindings if one.scope == 0 and one.name == "default"}
    names |= (
        {one.name for one in view.symbols.bindings if one.scope == 0 and one.kind == "import" and ">." in one.value}
        if not names - {"default"}
        else set()
    )
    return sorted(names - {"*"})


def _go(path: str, context: Context) -> Iterator[EntryPoint]:
    view = context.view(path)
    parts = path.split("/")
    if view is None or view.symbols.package == "main" or "internal" in parts[:-1] or "vendor" in parts[:-1]:
        return
    package = posixpath.dirname(path) or view.symbols.package
    for one in view.symbols.definitions:
        if one.name and all(part[:1].isupper() for part in one.name.split(".")):
            yield _api(f"{package}.{one.name}", "go", SymbolId(path, one.name), context)


def _declared(path: str, known: frozenset[str], context: Context) -> Iterator[EntryPoint]:
    """Public definitions of Java and Rust files in the places of libraries."""
    view = context.view(path)
    if path.endswith(".rs"):
        crate = f"{path.partition('src/')[0]}src/lib.rs"
        if "src/" not in path or crate not in known or "/bin/" in path:
            return
        framework = "rust"
    else:
        if "src/main/java/" not in path or _is_application(path, context):
            return
        framework = "java"
    for one in view.symbols.definitions if view else ():
        if one.name and one.visibility == "public" and _is_open(one, view):
            package = view.symbols.package if view else ""
            name = f"{package}.{one.name}" if package else one.name
            yield _api(name, framework, SymbolId(path, one.name), context)


def _is_open(one: Definition, view: FileView | None) -> bool:
    """Whether everything around the definition is public too."""
    while view is not None and one.parent > 0:
        one = view.symbols.definitions[one.parent]
        if one.visibility != "public":
            return False
    return True


def _is_application(path: str, context: Context) -> bool:
    """Whether the module has an application's main class: its classes are no library."""
    root = path.partition("src/main/java/")[0]
    return any(
        other.startswith(root) and other.endswith(("Application.java", "Main.java"))
        for other in context.sources.files
        if other.endswith(".java")
    )
