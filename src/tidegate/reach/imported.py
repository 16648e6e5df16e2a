"""What a change of nothing but imports changes: the definitions that use a name which means something else now.

A module whose imports changed is not changed as a whole: whoever imports the module feels none of it, unless it hands
the names on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.change.values import FileChange, show_path
from tidegate.reach.answer import ChangedSymbol, SymbolId
from tidegate.reach.index import Index
from tidegate.reach.symbols import FileSymbols

IMPORTS = "<imports>"
"""The name and the kind under which the imports of a file stand in an answer."""

MOST_TEXT = 400_000
"""A longer file is a changed module: statements that go on over lines are looked for from every line."""


class ImportChange(Struct, frozen=True):
    """The imports of a file changed and nothing else of its module: `users` use a name that is bound otherwise now."""

    path: str
    line: int
    users: tuple[tuple[str, int], ...]


def import_changes(
    changed: Sequence[ChangedSymbol],
    files: Sequence[FileChange],
    before: Index,
    after: Index,
    repository: Repository,
) -> dict[str, ImportChange]:
    """By path, the changed modules of which nothing but imports differs, and which hand no name on to others."""
    by_path = {show_path(file.path): file for file in files}
    modules = [
        one.symbol.path
        for one in changed
        if one.kind == "module" and one.what == "body" and one.was is None and _may_be(one.symbol.path, by_path)
    ]
    if not modules:
        return {}
    old, new = before.read(modules), after.read(modules)
    sources = _sources(repository, [by_path[path] for path in modules])
    found = {}
    for path in modules:
        file = by_path[path]
        if path in old and path in new and file.old_oid in sources and file.new_oid in sources:
            change = _compare(path, old[path], new[path], sources[file.old_oid], sources[file.new_oid])
            if change is not None:
                found[path] = change
    return found


# Private

_PYTHON = re.compile(
    r"^[ \t]*(?:from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]{0,4000}\)[^\n]*|(?:[^\n(\\]|\\\n)*)|import[ \t]+[^\n]*"
    r"|if[ \t]+(?:\w+\.)?TYPE_CHECKING:[^\n]*)$",
    re.MULTILINE,
)
_SCRIPT = re.compile(
    r"^[ \t]*(?:import\b[^;'\"]{0,1000}['\"][^'\"\n]+['\"][^\n]*"
    r"|(?:const|let|var)\s+[\w$,{}:\s]{1,1000}=\s{0,80}require\(\s*['\"][^'\"\n]+['\"]\s*\)(?:\.[\w$]+)?;?)[ \t]*$",
    re.MULTILINE,
)
_GO = re.compile(r"^import[ \t]*\([^)]{0,4000}\)|^import[ \t]+[^\n]*$", re.MULTILINE)
_JVM = re.compile(r"^[ \t]*import[ \t][^\n]*$", re.MULTILINE)
_RUST = re.compile(r"^[ \t]*use[ \t][^;]{0,4000};", re.MULTILINE)
_STATEMENTS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("py", "pyi"), _PYTHON),
    **dict.fromkeys(("js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts"), _SCRIPT),
    "go": _GO,
    **dict.fromkeys(("java", "kt", "kts"), _JVM),
    "rs": _RUST,
}
_HANDS_ON = ("__init__", "index", "mod", "lib", "conftest")
"""Files whose imports are there for others."""

_ROOT = re.compile(r"[.(\[!*]")


def _may_be(path: str, files: Mapping[str, FileChange]) -> bool:
    stem, _, suffix = path.rpartition("/")[2].rpartition(".")
    file = files.get(path)
    return (
        suffix in _STATEMENTS
        and stem not in _HANDS_ON
        and file is not None
        and file.status == "modified"
        and file.old_mode == file.new_mode
    )


def _sources(repository: Repository, files: Sequence[FileChange]) -> Mapping[str, str]:
    oids = sorted({oid for file in files for oid in (file.old_oid, file.new_oid)})
    return {b.oid: b.content.decode("utf-8", "replace") for b in repository.read_blobs(oids) if b.kind == "blob"}


def _compare(path: str, old: FileSymbols, new: FileSymbols, before: str, after: str) -> ImportChange | None:
    pattern = _STATEMENTS[path.rpartition(".")[2]]
    if max(len(before), len(after)) > MOST_TEXT:
        return None
    if _rest(before, old, pattern) != _rest(after, new, pattern):
        return None
    names = {name for name, _ in _imported(old) ^ _imported(new)}
    if "*" in names:
        return None
    users: dict[str, int] = {}
    for within, chain, line in _uses(new):
        if _ROOT.split(chain, maxsplit=1)[0] in names:
            if within <= 0:
                return None  # the module itself does something with it
            users.setdefault(new.definitions[within].name, line)
    line = min((b.line for b in new.bindings if b.kind == "import" and b.name in names and b.line), default=1)
    return ImportChange(path, line, tuple(users.items()))


def _rest(source: str, symbols: FileSymbols, pattern: re.Pattern[str]) -> list[str]:
    """What the module says beside its imports and its definitions, without white space."""
    lines = source.split("\n")
    for definition in symbols.definitions[1:]:
        start, end = max(0, definition.line - 1), min(len(lines), definition.end_line)
        lines[start:end] = [""] * max(0, end - start)
    rest = pattern.sub("", "\n".join(lines))
    return [text for line in rest.split("\n") if (text := "".join(line.split())) and not text.startswith(("#", "//"))]


def _imported(symbols: FileSymbols) -> set[tuple[str, str]]:
    return {(b.name, b.value) for b in symbols.bindings if b.kind == "import" and b.scope == 0}


def _uses(symbols: FileSymbols) -> list[tuple[int, str, int]]:
    found = [
        (reference.within, reference.chain, reference.line)
        for reference in symbols.references
        if reference.kind != "import"
    ]
    for number, definition in enumerate(symbols.definitions):
        chains = [*definition.bases, *definition.decorators, *definition.returns]
        chains += [chain for one in definition.parameters for chain in (*one.type.split("|"), one.default)]
        found += [(number, chain, definition.line) for chain in chains if chain]
    found += [(b.within, b.value, b.line) for b in symbols.bindings if b.kind != "import"]
    return found


def imports_symbol(change: ImportChange) -> ChangedSymbol:
    """The imports of a file as something that changed."""
    return ChangedSymbol(SymbolId(change.path, IMPORTS), "imports", "body", change.line, change.line, "head")
