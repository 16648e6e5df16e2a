"""Platforms that run a folder as it stands: Procfile, App Engine's app.yaml, fly.toml, Cloud Run and Render.

devcenter.heroku.com/articles/procfile, cloud.google.com/appengine/docs, fly.io/docs/reference/configuration,
render.com/docs/blueprint-spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tidegate.reach.services.dockerfile import Build, build_paths
from tidegate.reach.services.interface import Claim, Provider
from tidegate.reach.services.mentions import mentions_in
from tidegate.reach.services.texts import Value, as_list, as_map, as_text, dig
from tidegate.reach.services.tree import Tree, folder_of, join_path, name_of

# Private

_PROCESS = re.compile(r"([A-Za-z0-9_-]{1,100}):\s*(\S.*)")
_ONCE = frozenset(("release", "console", "test", "migrate"))


def _wants(path: str) -> bool:
    return name_of(path) in ("Procfile", "app.yaml", "fly.toml", "render.yaml")


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    if name_of(path) == "Procfile":
        yield from _procfile(path, tree)
        return
    for document in tree.documents(path):
        if name_of(path) == "fly.toml":
            yield from _fly(path, document, tree)
        elif name_of(path) == "render.yaml":
            yield from _render(path, document)
        elif as_text(dig(document, "runtime")) or as_text(dig(document, "env")) in ("flex", "standard"):
            name = as_text(dig(document, "service")) or name_of(folder_of(path)) or "default"
            pairs = [(key, as_text(value)) for key, value in as_map(dig(document, "env_variables")).items()]
            yield _claim(path, name, (folder_of(path),), pairs)


def _procfile(path: str, tree: Tree) -> Iterator[Claim]:
    folder = folder_of(path)
    for line in tree.text(path).split("\n")[:200]:
        match = _PROCESS.fullmatch(line.strip())
        if match and match[1] not in _ONCE:
            base = name_of(folder)
            name = f"{base}-{match[1]}" if base and match[1] != "web" else base or match[1]
            yield _claim(path, name, (folder,), [])


def _fly(path: str, document: Value, tree: Tree) -> Iterator[Claim]:
    folder = folder_of(path)
    file = join_path(folder, as_text(dig(document, "build", "dockerfile")) or "Dockerfile") or ""
    paths = build_paths(Build(file, folder), tree)
    pairs = [(key, as_text(value)) for key, value in as_map(dig(document, "env")).items()]
    yield _claim(path, as_text(dig(document, "app")) or name_of(folder) or "app", paths, pairs)


def _render(path: str, document: Value) -> Iterator[Claim]:
    for service in as_list(dig(document, "services")):
        folder = join_path(folder_of(path), as_text(dig(service, "rootDir"))) or ""
        pairs = [(as_text(dig(e, "key")), as_text(dig(e, "value"))) for e in as_list(dig(service, "envVars"))]
        if as_text(dig(service, "name")):
            yield _claim(path, as_text(dig(service, "name")), (folder,), pairs)


def _claim(path: str, name: str, paths: tuple[str, ...], pairs: list[tuple[str, str]]) -> Claim:
    return Claim(
        provider="platforms",
        role="deploy",
        source=path,
        name=name,
        kind="service",
        folder=folder_of(path),
        paths=paths,
        deploys=(path,),
        built=True,
        hosts=(name.lower(),),
        mentions=tuple(mentions_in(pairs, path)),
    )


PLATFORMS = Provider("platforms", _wants, _read)
