"""Docker compose: services with their builds, images, names in the network, dependencies and environment.

docs.docker.com/reference/compose-file. Variables are filled in from the `.env` beside the file and from their defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.reach.services.dockerfile import LONGEST, Build, build_paths
from tidegate.reach.services.interface import Claim, Mention, Provider
from tidegate.reach.services.mentions import mentions_in
from tidegate.reach.services.texts import Value, as_list, as_map, as_text, as_texts, dig
from tidegate.reach.services.tree import Tree, folder_of, join_path, name_of

# Private

_NAME = re.compile(r"(?i)(?:docker-)?compose(?:[._-][\w.-]+)?\.ya?ml|.*[._-]docker-compose\.ya?ml|stack\.ya?ml")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-?+]([^{}]*))?\}|(\w+))")


def _wants(path: str) -> bool:
    return _NAME.fullmatch(name_of(path)) is not None or name_of(path) in (".env", ".env.example", ".env.defaults")


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    if not path.endswith((".yml", ".yaml")):
        return
    values = _environment(folder_of(path), tree)
    for document in tree.documents(path):
        for name, service in as_map(dig(document, "services")).items():
            yield _claim(path, name, as_map(service), values, tree)


def _claim(path: str, name: str, service: Mapping[str, Value], values: Mapping[str, str], tree: Tree) -> Claim:
    build = _build(folder_of(path), service.get("build", ""), values)
    image = _fill(as_text(service.get("image", "")), values)
    names = [as_text(service.get(key, "")) for key in ("container_name", "hostname")]
    for network in as_map(service.get("networks", "")).values():
        names += as_texts(dig(network, "aliases"))
    labels = _pairs(service.get("labels", ""))
    return Claim(
        provider="compose",
        role="deploy",
        source=path,
        name=name,
        kind="service",
        folder=build.context if build else "",
        paths=build_paths(build, tree) if build else (),
        deploys=(path,),
        built=build is not None,
        dockerfile=build.dockerfile if build else "",
        images=(image,) if image else (),
        hosts=tuple(dict.fromkeys(host.lower() for host in (name, *(_fill(n, values) for n in names)) if host)),
        mentions=tuple(_mentions(path, service, values)),
        owner=dict(labels).get("owner", ""),
        tier=dict(labels).get("tier", ""),
    )


def _build(folder: str, value: Value, values: Mapping[str, str]) -> Build | None:
    if not value:
        return None
    written = {"context": value} if isinstance(value, str) else as_map(value)
    context = join_path(folder, _fill(as_text(written.get("context", "")) or ".", values))
    if context is None:
        return None
    named = _fill(as_text(written.get("dockerfile", "")), values)
    dockerfile = join_path(context, named or "Dockerfile") or ""
    arguments = dict(_pairs(written.get("args", "")))
    filled = {key: _fill(text, values) for key, text in arguments.items()}
    return Build(dockerfile, context, as_text(written.get("target", "")), filled)


def _mentions(path: str, service: Mapping[str, Value], values: Mapping[str, str]) -> Iterator[Mention]:
    pairs = [(key, _fill(value, values)) for key, value in _pairs(service.get("environment", ""), values)]
    pairs += [
        ("command", _fill(text, values)) for key in ("command", "entrypoint") for text in as_texts(service.get(key))
    ]
    yield from mentions_in(pairs, path)
    needs = service.get("depends_on", "")
    for name in as_map(needs) or as_texts(needs):
        yield Mention(name, f"depends_on in {path}", 0.5, by_name=True)
    for link in as_texts(service.get("links", "")):
        yield Mention(link.partition(":")[0], f"links in {path}", 0.9, by_name=True)


def _pairs(value: Value, values: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """A map, or a list of KEY=VALUE; a KEY alone is taken from `values`."""
    if isinstance(value, dict):
        return [(key, as_text(text)) for key, text in value.items()]
    parts = [as_text(item).partition("=") for item in as_list(value)]
    return [(key, text if equals else (values or {}).get(key, "")) for key, equals, text in parts if key]


def _environment(folder: str, tree: Tree) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in (".env.defaults", ".env.example", ".env"):
        path = f"{folder}/{name}".lstrip("/")
        for line in tree.text(path).split("\n") if path in tree.paths else ():
            key, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals and not key.startswith("#"):
                found[key.strip()] = _fill(value.strip().strip("\"'"), found)
    return found


def _fill(text: str, values: Mapping[str, str]) -> str:
    # Cut, because X=$X$X written sixty times would fill the memory.
    return _VARIABLE.sub(lambda match: values.get(match[1] or match[3], match[2] or ""), text[:LONGEST])[:LONGEST]


COMPOSE = Provider("compose", _wants, _read)
