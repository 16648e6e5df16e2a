"""`pyproject.toml`: PEP 621, PEP 735, PEP 518, and the tables of poetry, uv, pdm, hatch and pixi."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tidegate.errors import InputError
from tidegate.settings import read_toml
from tidegate.verify.dependencies.manifests.requirement import read_requirement
from tidegate.verify.dependencies.values import Lines, Listing, Requirement, UnreadableError, normal_name


def read_pyproject(text: str) -> Listing:
    """Everything that the tables of a project ask for."""
    table = toml_table(text)
    lines = Lines(text)
    sources = dict(_sources(table))
    asked = [_placed(one, lines, sources) for one in (*_standard(table), *_poetry(table), *_others(table))]
    building = _listed(_table(table, "build-system").get("requires"), development=True)
    asked += [msgspec.structs.replace(_placed(one, lines, sources), builds=True) for one in building]
    project = _table(table, "project")
    poetry = _table(table, "tool", "poetry")
    maturin = _table(table, "tool", "maturin")
    names = [_text(project.get("name")), _text(poetry.get("name")), _text(maturin.get("module-name")).partition(".")[0]]
    tools = [name for name, one in _table(table, "tool").items() if isinstance(one, dict)]
    return Listing(
        "pypi",
        tuple(asked),
        names=tuple(normal_name("pypi", name) for name in names if name),
        indexes=tuple(_indexes(table, lines)),
        options=tuple(tools),
    )


def toml_table(text: str) -> dict[str, Any]:
    """A TOML text as a table. Raises UnreadableError."""
    try:
        return read_toml(text.encode("utf-8", "surrogateescape"), "the file")
    except InputError as error:
        raise UnreadableError(error.what) from error


# Private


def _table(table: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for key in path:
        inner = table.get(key)
        table = inner if isinstance(inner, dict) else {}
    return table


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _listed(value: object, *, development: bool) -> Iterator[Requirement]:
    for text in value if isinstance(value, list) else ():
        found = read_requirement(text, 0, development=development) if isinstance(text, str) else None
        if found is not None:
            yield found


def _optional(asked: Iterator[Requirement]) -> Iterator[Requirement]:
    return (msgspec.structs.replace(one, optional=True) for one in asked)


def _standard(table: Mapping[str, Any]) -> Iterator[Requirement]:
    project = _table(table, "project")
    yield from _listed(project.get("dependencies"), development=False)
    for group in _table(project, "optional-dependencies").values():
        yield from _optional(_listed(group, development=False))
    for group in _table(table, "dependency-groups").values():
        yield from _listed(group, development=True)


def _others(table: Mapping[str, Any]) -> Iterator[Requirement]:
    yield from _listed(_table(table, "tool", "uv").get("dev-dependencies"), development=True)
    yield from _listed(_table(table, "tool", "uv").get("override-dependencies"), development=True)
    for group in _table(table, "tool", "pdm", "dev-dependencies").values():
        yield from _listed(group, development=True)
    for environment in _table(table, "tool", "hatch", "envs").values():
        if isinstance(environment, dict):
            yield from _listed(environment.get("dependencies"), development=True)
            yield from _listed(environment.get("extra-dependencies"), development=True)
    flit = _table(table, "tool", "flit", "metadata")
    yield from _listed(flit.get("requires"), development=False)
    for group in _table(flit, "requires-extra").values():
        yield from _optional(_listed(group, development=False))


def _poetry(table: Mapping[str, Any]) -> Iterator[Requirement]:
    poetry = _table(table, "tool", "poetry")
    groups = [(_table(poetry, "dependencies"), False), (_table(poetry, "dev-dependencies"), True)]
    for name, group in _table(poetry, "group").items():
        if isinstance(group, dict):
            groups.append((_table(group, "dependencies"), name != "main"))
    pixi = _table(table, "tool", "pixi")
    groups += [(_table(pixi, "dependencies"), False), (_table(pixi, "pypi-dependencies"), False)]
    groups += [
        (_table(one, key), True)
        for one in _table(pixi, "feature").values()
        if isinstance(one, dict)
        for key in ("dependencies", "pypi-dependencies")
    ]
    for group, development in groups:
        for name, value in group.items():
            if name.lower() != "python":
                yield from poetry_requirements(name, value, development=development)


def poetry_requirements(name: str, value: object, *, development: bool) -> Iterator[Requirement]:
    """A requirement as poetry and Pipfile write it: a text, a table with a source, or a list of those."""
    for one in value if isinstance(value, list) else [value]:
        spec, source, hashed = _text(one), "", False
        if isinstance(one, dict):
            spec = _text(one.get("version"))
            source = next((_text(one[key]) for key in ("git", "url", "path", "file") if _text(one.get(key))), "")
            hashed = len(_text(one.get("rev") or one.get("ref"))) == 40
            source = f"git+{source}" if "git" in one and source else source
        optional = isinstance(one, dict) and one.get("optional") is True
        yield Requirement(
            normal_name("pypi", name), spec.strip(), 0, development, source, hashed, name, optional=optional
        )


def _sources(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in _table(table, "tool", "uv", "sources").items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                git = _text(one.get("git"))
                source = f"git+{git}" if git else _text(one.get("url")) or _text(one.get("path"))
                if one.get("workspace") is True:
                    source = "workspace"
                yield normal_name("pypi", name), source


def _indexes(table: Mapping[str, Any], lines: Lines) -> Iterator[tuple[str, int]]:
    uv = _table(table, "tool", "uv")
    listed: list[object] = []
    for value in (
        uv.get("index"),
        _table(table, "tool", "poetry").get("source"),
        _table(table, "tool", "pdm").get("source"),
    ):
        listed += value if isinstance(value, list) else []
    urls = [_text(one.get("url")) for one in listed if isinstance(one, dict)]
    extra = uv.get("extra-index-url")
    urls += [_text(uv.get("index-url")), *(map(_text, extra) if isinstance(extra, list) else ())]
    for url in urls:
        if url:
            yield url, lines.of(url)


def _placed(one: Requirement, lines: Lines, sources: Mapping[str, str]) -> Requirement:
    source = one.source or sources.get(one.name, "")
    return msgspec.structs.replace(one, line=lines.of(one.written), source=source)
