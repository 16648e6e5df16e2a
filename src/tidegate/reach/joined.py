"""Joins what has no symbols to the code: files that texts name, packages that manifests name, imports by themselves.

A changed template reaches the functions that show it, a changed version those that use the package. Documentation and
what steers forges and editors, which no program names, is felt by nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, structs

from tidegate.change.git import Repository
from tidegate.change.values import FileChange, show_path
from tidegate.reach.answer import ChangedSymbol, SymbolId
from tidegate.reach.costs import width_of
from tidegate.reach.imported import IMPORTS, ImportChange, import_changes, imports_symbol
from tidegate.reach.index import Index
from tidegate.reach.manifests import ManifestChange, PackageChange, compare_manifests, ecosystem_of, is_lock
from tidegate.reach.named import FOLDER, Reader, find_readers, tables_of
from tidegate.reach.packages import find_users
from tidegate.reach.quiet import AUTOMATION, DOCUMENTATION, quiet_kind
from tidegate.reach.rules import NUMBER
from tidegate.reach.search import Extra
from tidegate.reach.trees import HeadTree


class Joined(Struct, frozen=True):
    """What changed, with packages in the place of manifests; the tree with the edges that lead to it; what to say."""

    changed: tuple[ChangedSymbol, ...]
    tree: HeadTree
    notes: tuple[str, ...] = ()


def join_files(
    changed: Sequence[ChangedSymbol],
    files: Sequence[FileChange],
    before: Index,
    index: Index,
    tree: HeadTree,
    repository: Repository,
) -> Joined:
    """Joins every changed file without symbols. `files` are those of the change, none for a question about a file."""
    links: list[_Link] = []
    told: _Told = {}
    _join_imports(changed, import_changes(changed, files, before, index, repository), links, told)
    loose = [one for one in changed if _is_loose(one, index)]
    by_path = {show_path(file.path): file for file in files}
    notes = _join_packages(loose, by_path, index, tree, repository, links, told)
    plain = [one for one in loose if one.symbol not in told and ecosystem_of(one.symbol.path) is None]
    notes += _join_named(plain, by_path, index, links, told)
    joined = [new for one in changed for new in told.get(one.symbol, (one,))] if told else list(changed)
    return Joined(tuple(joined), _with_links(tree, links), tuple(notes))


# Private


class _Link(Struct, frozen=True):
    """`source` uses the file or the package `target`."""

    source: SymbolId
    target: SymbolId
    rule: str
    line: int
    width: int


_Told = dict[SymbolId, tuple[ChangedSymbol, ...]]
_SCRIPTS = frozenset(
    ("setup.py", "noxfile.py", "conf.py", "tasks.py", "fabfile.py", "Rakefile", "gulpfile.js", "Gruntfile.js")
)
_TOOLS = ("scripts", "script", "tools", "hack", "ci", "docs", "doc", ".github", "release", "bin", "build")
"""Scripts, and folders of scripts, that name documentation to put it into packages, sites and releases."""

_MOST_NAMED = 3


def _is_loose(one: ChangedSymbol, index: Index) -> bool:
    if one.kind != "file" or one.symbol.name or one.silent:
        return False
    return one.symbol.path not in index.sources


def _join_imports(
    changed: Sequence[ChangedSymbol], found: Mapping[str, ImportChange], links: list[_Link], told: _Told
) -> None:
    """Puts the imports of a file in the place of its module; where all who use them changed too, they say nothing."""
    loud = {one.symbol for one in changed if not one.silent}
    for path, change in found.items():
        symbol = imports_symbol(change)
        users = [(name, line) for name, line in change.users if SymbolId(path, name) not in loud]
        links += [_Link(SymbolId(path, name), symbol.symbol, "package", line, 1) for name, line in users]
        alone = not any(one.path == path and one.name for one in loud)
        told[SymbolId(path, "")] = (symbol,) if users or alone else ()


def _join_packages(
    loose: Sequence[ChangedSymbol],
    files: Mapping[str, FileChange],
    index: Index,
    tree: HeadTree,
    repository: Repository,
    links: list[_Link],
    told: _Told,
) -> list[str]:
    """Puts packages in the place of the manifests that name them; answers with what could not be told."""
    manifests = [one for one in loose if ecosystem_of(one.symbol.path) and one.symbol.path in files]
    contents = _contents(repository, [files[one.symbol.path] for one in manifests])
    notes: list[str] = []
    named: set[tuple[str, str]] = set()
    unused: list[tuple[str, PackageChange]] = []
    for one in sorted(manifests, key=lambda one: (is_lock(one.symbol.path), one.symbol.path)):
        path, file = one.symbol.path, files[one.symbol.path]
        compared = compare_manifests(path, contents.get(file.old_oid, b""), contents.get(file.new_oid, b""))
        if compared is None:
            notes.append(f"{path} could not be read: which packages changed is not known")
        elif compared.only_tools:
            told[one.symbol] = (structs.replace(one, what="docs", kind=AUTOMATION),)
        elif compared.packages:
            told[one.symbol] = _packages(one, compared, index, tree, links, unused, named)
    return notes + _unused(unused)


def _unused(unused: Sequence[tuple[str, PackageChange]]) -> list[str]:
    """One line for all packages that changed and that no import names."""
    if not unused:
        return []
    names = dict.fromkeys(package.name for _, package in unused)
    paths = dict.fromkeys(path for path, _ in unused)
    first = next(iter(paths))
    if len(unused) == 1:
        return [f"no import names {_words(unused[0][1])} of {first}"]
    shown = ", ".join(list(names)[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
    where = first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"
    return [f"no import names {len(names)} of the packages that changed in {where}: {shown}"]


def _packages(
    one: ChangedSymbol,
    compared: ManifestChange,
    index: Index,
    tree: HeadTree,
    links: list[_Link],
    unused: list[tuple[str, PackageChange]],
    named: set[tuple[str, str]],
) -> tuple[ChangedSymbol, ...]:
    path = one.symbol.path
    folder = path[: path.rfind("/") + 1]
    fresh = [package for package in compared.packages if (folder, package.name) not in named]
    found = find_users(index, tree.state, compared.ecosystem, [package.name for package in fresh], folder)
    used = {user.name for user in found.users}
    named.update((folder, package.name) for package in fresh)
    links += [_Link(user.source, SymbolId(path, user.name), "package", user.line, 1) for user in found.users]
    alone = [package for package in fresh if package.name not in used and package.name not in found.own]
    unused += [(path, package) for package in alone]
    if is_lock(path) and not alone and not used:
        return (structs.replace(one, what="docs", kind=AUTOMATION),)  # all that it locks stands elsewhere, or here
    return tuple(_package_symbol(path, package) for package in fresh if package.name in used) or (one,)


def _words(package: PackageChange) -> str:
    if not package.before or not package.after:
        return f"{package.name} ({'new' if package.after else 'gone'})"
    return f"{package.name} {package.before} -> {package.after}"


def _package_symbol(path: str, package: PackageChange) -> ChangedSymbol:
    what = "constant" if package.before and package.after else "added" if package.after else "deleted"
    side = "base" if not package.after else "head"
    return ChangedSymbol(SymbolId(path, package.name), "package", what, package.line, package.line, side)  # type: ignore[arg-type]


def _contents(repository: Repository, files: Sequence[FileChange]) -> Mapping[str, bytes]:
    oids = {oid for file in files for oid in (file.old_oid, file.new_oid) if oid.strip("0")}
    blobs = repository.read_blobs(sorted(oids)) if oids else ()
    return {blob.oid: blob.content for blob in blobs if blob.kind == "blob"}


def _join_named(
    loose: Sequence[ChangedSymbol], files: Mapping[str, FileChange], index: Index, links: list[_Link], told: _Told
) -> list[str]:
    """Joins files to those who name them. What is read by nobody and looks like documentation is silent."""
    kinds = {one.symbol.path: _quiet(one, files) for one in loose}
    paths = [
        path
        for one in loose
        if kinds[one.symbol.path] in ("", DOCUMENTATION)
        for path in (one.symbol.path, *((one.was.path,) if one.was is not None else ()))
    ]
    found = find_readers(index, list(dict.fromkeys(paths)), _tables(paths, files, index))
    readers = [reader for reader in found.readers if _counts(reader, kinds.get(reader.path, ""))]
    links += [_Link(r.source, SymbolId(r.path, ""), "text", r.line, r.width) for r in readers]
    read = {reader.path for reader in readers}
    for one in loose:
        names = {one.symbol.path, one.was.path if one.was is not None else one.symbol.path}
        if kinds[one.symbol.path] and not names & read:
            told[one.symbol] = (structs.replace(one, what="docs", kind=kinds[one.symbol.path]),)
    return [found.left] if found.left else []


def _tables(paths: Sequence[str], files: Mapping[str, FileChange], index: Index) -> Mapping[str, Sequence[str]]:
    """The SQL tables that the changed lines speak of, or all of the file where none did."""
    sql = [path for path in paths if path.endswith(".sql")]
    whole = index.read_bytes([path for path in sql if path not in files]) if sql else {}
    tables = {path: tables_of(_lines(files[path]) if path in files else [whole.get(path, b"")]) for path in sql}
    return {path: names for path, names in tables.items() if names}


def _quiet(one: ChangedSymbol, files: Mapping[str, FileChange]) -> str:
    file = files.get(one.symbol.path)
    known = quiet_kind(one.symbol.path)
    return known or (DOCUMENTATION if file is not None and file.kind == "docs" else "")


def _counts(reader: Reader, quiet: str) -> bool:
    """Documentation is read by what names the very file, and not to put it into a package."""
    *folders, name = reader.source.path.split("/")
    return not quiet or (reader.width < FOLDER and name not in _SCRIPTS and not set(folders) & set(_TOOLS))


def _lines(file: FileChange) -> Iterable[bytes]:
    return (line for hunk in file.hunks for line in (*hunk.removed, *hunk.added))


def _with_links(tree: HeadTree, links: Sequence[_Link]) -> HeadTree:
    """The tree with a node for every file and package that is used, and for pages that lead to code."""
    names, kinds, numbers = list(tree.delta.names), list(tree.delta.kinds), dict(tree.delta.numbers)
    lines = dict(tree.delta.lines)

    def node(symbol: SymbolId, line: int) -> int:
        key = f"{symbol.path}:{symbol.name}"
        known = tree.graph.find(key)
        known = numbers.get(key) if known is None else known
        if known is not None:
            return known
        number = len(tree.graph) + len(names)
        names.append(key)
        kinds.append("imports" if symbol.name == IMPORTS else "package" if symbol.name else "file")
        numbers[key], lines[number] = number, line
        return number

    extra = list(tree.extra)
    for link in links:
        target, source = node(link.target, 1), node(link.source, 1)
        extra.append((target, Extra(source, NUMBER[link.rule], 0, width_of(link.width), link.line)))
    if len(extra) == len(tree.extra):
        return tree
    delta = structs.replace(tree.delta, names=tuple(names), kinds=tuple(kinds), numbers=numbers, lines=lines)
    return structs.replace(tree, delta=delta, extra=tuple(extra))
