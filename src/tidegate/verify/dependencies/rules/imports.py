"""Imports that a change adds and nothing declares, and dependencies that it adds and nothing imports."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from tidegate.change.trees import Pair, Tree
from tidegate.change.values import FileChange
from tidegate.facts import Finding, Place, Severity
from tidegate.settings import DependencySettings
from tidegate.verify.dependencies.compare import ASIDE
from tidegate.verify.dependencies.evidence import is_allowed
from tidegate.verify.dependencies.head import Head
from tidegate.verify.dependencies.imports import javascript, javascript_world, python, python_world
from tidegate.verify.dependencies.imports.values import Import
from tidegate.verify.dependencies.near import near_miss, skeletons_of, well_known
from tidegate.verify.dependencies.values import Ecosystem, normal_name
from tidegate.verify.values import Subject, added_lines

_PYTHON = (".py", ".pyi", ".pyw")
_JAVASCRIPT = (*javascript.SUFFIXES, *javascript.COMPONENTS)


def judge_imports(subject: Subject, head: Head) -> Iterator[Finding]:
    """One finding for each file and package that an added line imports and nothing declares."""
    settings = subject.settings.dependencies
    for file, pair in subject.changed():
        if not pair.after or ASIDE.intersection(pair.after.split("/")[:-1]):
            continue
        if pair.after.endswith(_PYTHON):
            yield from _judge(file, pair, head, subject.trees.before, (_python_doubts, settings))
        elif pair.after.endswith(_JAVASCRIPT):
            yield from _judge(file, pair, head, subject.trees.before, (_javascript_doubts, settings))


# Private

_MATERIAL = re.compile(r"(?:^|/)(?:tests?|testing)/(?:[^/]+/)*(?:data|cases|format|samples|inputs?)/")
"""What tests most often feed to the program as a text; an import in it is said all the same, as something low."""
_Doubts = Callable[[str, Iterable[str], Head], dict[str, str]]


def _judge(
    file: FileChange, pair: Pair, head: Head, before: Tree, by: tuple[_Doubts, DependencySettings]
) -> Iterator[Finding]:
    doubts, settings = by
    ecosystem: Ecosystem = "pypi" if pair.after.endswith(_PYTHON) else "npm"
    quick = python.quick_modules if ecosystem == "pypi" else javascript.quick_modules
    written = dict.fromkeys(module for hunk in file.hunks for line in hunk.added for module in quick(line))
    doubtful = doubts(pair.after, written, head) if written else {}
    if not doubtful:
        return
    had = set(_modules(before.read([pair.before]).get(pair.before, b""), quick)) if pair.before else set()
    added = added_lines(file)
    said: set[str] = set()
    for one in _imports_of(pair.after, head.tree.read([pair.after]).get(pair.after, b"")):
        package = doubtful.get(one.module, "")
        if not package or one.line not in added or one.module in had or package in said:
            continue
        if is_allowed(ecosystem, normal_name(ecosystem, package), settings):
            continue
        finding = _finding(one, package, pair.after, ecosystem, head)
        if finding is not None:
            said.add(package)
            yield finding


def _modules(content: bytes, quick: Callable[[bytes], Iterator[str]]) -> Iterator[str]:
    for line in content.split(b"\n"):
        yield from quick(line)


def _imports_of(path: str, content: bytes) -> tuple[Import, ...]:
    if not path.endswith(_PYTHON):
        return javascript.read_javascript_imports(path, content) or ()
    parsed = python.read_python_imports(content)
    if parsed is not None:
        return parsed
    lines = enumerate(content.split(b"\n"), 1)
    return tuple(Import(module, number) for number, line in lines for module in python.quick_modules(line))


def _python_doubts(path: str, modules: Iterable[str], head: Head) -> dict[str, str]:
    """Of these modules those that nothing brings, each with its package."""
    foreign = [one for one in modules if not python_world.is_standard(one.partition(".")[0])]
    found = {}
    for module in foreign:
        top = module.partition(".")[0]
        if top in head.python_own or top in python_world.HOSTS or python_world.is_generated(module):
            continue
        if path.endswith("setup.py") and top in ("setuptools", "pkg_resources", "wheel"):
            continue
        if top == "conftest" or (not python_world.is_known(module) and head.lies_beside(path, top)):
            continue
        if python_world.declares(module, head.python_declared):
            continue
        if any(map(head.mentioned, python_world.candidates(module)[:4])) or _in_script(path, module, head):
            continue
        if not python_world.is_known(module) and _is_made_here(top, head.tree.read([path]).get(path, b"")):
            continue
        found[module] = top
    return found


def _is_made_here(module: str, content: bytes) -> bool:
    """Whether a test writes the module before it imports it: a text names its file or its folder."""
    name = re.escape(module.encode())
    makes = re.search(rb"(?:write_text|write_bytes|mkdir|makepyfile|makedirs|\.write\(|open\()", content)
    return bool(makes and re.search(rb"[\"'/]" + name + rb"(?:\.py)?[\"'/]", content))


def _in_script(path: str, module: str, head: Head) -> bool:
    """Whether the file itself says what it needs (PEP 723)."""
    content = head.tree.read([path]).get(path, b"")
    block = re.search(rb"^# /// script\n((?:#.*\n)*?)# ///", content, re.MULTILINE)
    asked = re.findall(rb"[\"']([A-Za-z0-9][\w.-]*)", block[1]) if block else []
    return python_world.declares(module, {normal_name("pypi", one.decode()) for one in asked})


def _javascript_doubts(path: str, modules: Iterable[str], head: Head) -> dict[str, str]:
    packages = {module: javascript.package_of(module) for module in modules}
    packages = {module: package for module, package in packages.items() if package not in javascript_world.BUILTINS}
    if not any(packages.values()) or not head.javascript.governed(path):
        return {}
    return {
        module: package
        for module, package in packages.items()
        if package and not head.javascript.has(path, package, module)
    }


def _finding(one: Import, package: str, path: str, ecosystem: Ecosystem, head: Head) -> Finding | None:
    if ecosystem == "pypi":
        names = python_world.candidates(one.module)
        known = python_world.is_known(one.module)
    else:
        names = (package.lower(),)
        known = package.lower() in well_known("npm")
    if one.guard and known:
        return None
    brought = next((name for name in names if (ecosystem, name) in head.locked), "")
    place = Place(path, one.line)
    if brought:
        return Finding(
            "import-undeclared",
            "note",
            f"{package} is imported, which only another dependency brings along: no manifest asks for {brought}.",
            place,
            f"declare {brought}",
        )
    severity: Severity = "low" if one.guard or _MATERIAL.search(path) else "medium" if known else "high"
    return Finding("import-undeclared", severity, _told(package, names, known, ecosystem), place, _mend(known, names))


def _told(package: str, names: tuple[str, ...], known: bool, ecosystem: Ecosystem) -> str:
    start = f"{package} is imported, but no manifest of the repository declares it"
    if known:
        return f"{start}." if names[0] == package.lower() else f"{start} ({names[0]})."
    near, how = _nearest(names[0], ecosystem)
    if near:
        return f"{start}, and no project that Tidegate knows of uses it; {near} is close to it ({how})."
    return f"{start}, and no project that Tidegate knows of uses a package of that name: it may be invented."


def _nearest(name: str, ecosystem: Ecosystem) -> tuple[str, str]:
    known = well_known(ecosystem)
    return near_miss(name, known, skeletons_of(known))


def _mend(known: bool, names: Collection[str]) -> str:
    name = next(iter(names))
    return f"declare {name}" if known else f"make sure that {name} exists and is meant, then declare it, or take it out"
