"""The exports of the published npm packages that a change touches, base against head."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tidegate.facts import Place, Severity
from tidegate.verify.contracts.typescript.model import Export, Parameter
from tidegate.verify.contracts.typescript.world import SOURCES, Names, World
from tidegate.verify.contracts.values import BROKEN, NARROWED, Break, Compared, both_sides, for_others, shown
from tidegate.verify.values import Subject

MOST_PACKAGES = 40


class Loss(Struct, frozen=True):
    what: str
    line: int = 0
    path: str = ""
    rule: str = BROKEN
    severity: Severity = "high"


def compare_typescript(subject: Subject) -> Compared:
    """What importers of the repository's npm packages lose. Private packages, tests and examples promise nothing."""
    files = both_sides(subject, _is_asked, added=True)
    paths = {path for both in files for path in (both.pair.before, both.pair.after) if path}
    if not paths:
        return Compared()
    before, after = World(subject.trees.before), World(subject.trees.after)
    folders = sorted({_home(path, before.paths | after.paths) for path in paths} - {None}, key=str)
    breaks: list[Break] = []
    unread: dict[str, str] = {}
    for folder in folders[:MOST_PACKAGES]:
        if folder is not None:
            breaks += _package(folder, paths, (before, after), unread)
    if len(folders) > MOST_PACKAGES:
        reason = f"of {len(folders)} changed packages {MOST_PACKAGES} were compared"
        unread[shown(f"{folders[MOST_PACKAGES]}/package.json")] = reason
    return Compared(tuple(dict.fromkeys(breaks)), unread)


# Private

_KEEP = "Keep the old name and mark it `@deprecated`, or raise the major version."
_ADD = "Let the old call work beside the new one: make what is new optional, or raise the major version."
_ASIDE = frozenset({"docs", "doc", "spec", "www", "website"})
_TESTS = (".test.", ".spec.", ".stories.", ".config.")


def _is_asked(path: str) -> bool:
    name = path.rpartition("/")[2]
    code = name == "package.json" or (name.endswith(SOURCES) and not any(word in name for word in _TESTS))
    return code and for_others(path) and not _ASIDE.intersection(path.split("/")[:-1])


def _home(path: str, paths: frozenset[str]) -> str | None:
    """The folder of the package that a file is in."""
    folder = path.rpartition("/")[0]
    while folder:
        if f"{folder}/package.json" in paths:
            return folder
        folder = folder.rpartition("/")[0]
    return "" if "package.json" in paths else None


def _package(folder: str, changed: set[str], worlds: tuple[World, World], unread: dict[str, str]) -> Iterator[Break]:
    """What a package loses; entries whose names cannot all be followed go to `unread`."""
    before, after = worlds
    old = before.package(folder)
    new = after.package(folder)
    if old is None or new is None:
        return  # it was not published, or moved
    contract = f"the exports of {shown(str(old['name']))}"
    manifest = f"{folder}/package.json" if folder else "package.json"
    olds, news = before.entries(folder, old), after.entries(folder, new)
    for entry, path in olds.items():
        if entry not in news:
            if manifest in changed and not _has_entry(new, entry):
                place = Place(shown(manifest))
                yield Break(contract, f"the entry `{entry}` is gone", place, BROKEN, "high", _KEEP)
            continue
        given = before.names(path)
        if path == news[entry] and not changed & given.read:
            continue
        now = after.names(news[entry])
        hidden = [name for name in given.exports if name not in now.exports] if now.open else []
        if hidden:
            unread[shown(news[entry])] = f"where `{hidden[0]}` comes from now cannot be followed"
        sub = "" if entry == "." else f"{entry.removeprefix('./')}."
        for loss in _losses(sub, given, now):
            place = Place(loss.path or shown(news[entry]), loss.line)
            yield Break(contract, loss.what, place, loss.rule, loss.severity, _KEEP if loss.rule == BROKEN else _ADD)


def _has_entry(package: dict[str, object], entry: str) -> bool:
    exports = package.get("exports")
    if isinstance(exports, dict) and any(str(key).startswith(".") for key in exports):
        return entry in exports or any("*" in str(key) for key in exports)
    return entry == "."


def _losses(sub: str, old: Names, new: Names) -> Iterator[Loss]:
    for name, before in old.exports.items():
        after = new.exports.get(name)
        if after is None:
            if not new.open:
                announced = ", as was announced," if before.deprecated else ""
                severity: Severity = "low" if before.deprecated else "medium" if before.kind == "const" else "high"
                yield Loss(f"`{sub}{name}`{announced} is gone", severity=severity)
        else:
            yield from _changed(f"{sub}{name}", before, after)


def _changed(name: str, old: Export, new: Export) -> Iterator[Loss]:
    at = (new.line, new.path)
    if old.parameters is not None and new.parameters is not None:
        yield from _asks(f"`{name}`", old.parameters, new.parameters, at)
    if old.kind == new.kind == "class":
        for method, parameters in old.members.items():
            after = new.members.get(method)
            if method in new.members:
                if parameters is not None and after is not None:
                    yield from _asks(f"`{name}.{method}`", parameters, after, at)
            elif not new.extends and method != "constructor":
                yield Loss(f"the method `{name}.{method}` is gone", *at)


def _asks(name: str, old: tuple[Parameter, ...], new: tuple[Parameter, ...], at: tuple[int, str]) -> Iterator[Loss]:
    """A place that could be left empty, or was not there, and has to be filled now."""
    for number, one in enumerate(new):
        before = old[number] if number < len(old) else None
        if not one.optional and (before is None or before.optional):
            what = "now asks for" if before is None else "no longer does without"
            yield Loss(f"{name} {what} its parameter {number + 1}, `{one.name[:40]}`", *at, NARROWED, "medium")
            return
