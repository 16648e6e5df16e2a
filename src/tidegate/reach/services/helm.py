"""Helm charts, read as text and never rendered: values put in where a template names them, the rest left open.

helm.sh/docs/topics/charts. A template that is no YAML even so gives what its lines say: kind, name and image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.reach.services.interface import Claim, Provider
from tidegate.reach.services.kubernetes import WORKLOADS, claims_of
from tidegate.reach.services.mentions import mentions_in
from tidegate.reach.services.texts import TextError, Value, as_map, as_text, dig, parse_yaml, walk
from tidegate.reach.services.tree import Tree, folder_of, name_of

# Private

_KIND = re.compile(r"(?m)^kind:[ \t]*(\w+)")
_NAME = re.compile(r"(?m)^  name:[ \t]*[\"']?([A-Za-z0-9][\w.-]*)")
_IMAGE = re.compile(r"(?m)^[ \t-]*image:[ \t]*[\"']?([\w./:@-]+)")


def _wants(path: str) -> bool:
    name = name_of(path)
    inside = "/templates/" in f"/{path}" and path.endswith((".yaml", ".yml", ".tpl"))
    return name in ("Chart.yaml", "Chart.yml", "values.yaml", "values.yml") or inside


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    if not name_of(path).startswith("Chart."):
        return
    folder = folder_of(path)
    chart = next(iter(tree.documents(path)), "")
    name = as_text(dig(chart, "name")) or name_of(folder)
    if dig(chart, "type") == "library":
        return
    values = _values(folder, tree)
    known = {".Release.Name": name, ".Chart.Name": name, "include": name, **_known(values)}
    claims = list(_workloads(path, folder, known, tree))
    images = [image for image in _images(values) if image]
    if claims:
        alone = len([claim for claim in claims if claim.kind]) == 1
        extra = tuple(mentions_in(_texts(values), path)) if alone else ()
        for claim in claims:
            yield _with_values(claim, images if alone else [], extra)
    elif images:
        mentions = tuple(mentions_in(_texts(values), path))
        yield Claim(
            provider="helm",
            role="deploy",
            source=path,
            name=name,
            kind="service",
            folder=folder,
            deploys=(folder or path,),
            images=tuple(images),
            hosts=(name.lower(),),
            mentions=mentions,
        )


def _with_values(claim: Claim, images: list[str], mentions: tuple[object, ...]) -> Claim:
    from msgspec.structs import replace

    if not claim.kind:
        return claim
    kept = tuple(image for image in claim.images if "TEMPLATE" not in image)
    return replace(claim, images=kept or tuple(images), mentions=(*claim.mentions, *mentions))


def _workloads(path: str, folder: str, known: Mapping[str, str], tree: Tree) -> Iterator[Claim]:
    documents: list[Value] = []
    for template in tree.below(f"{folder}/templates".lstrip("/")):
        content = tree.content(template) if template.endswith((".yaml", ".yml")) else b""
        if not any(kind.encode() in content for kind in (*WORKLOADS, "Service", "ConfigMap")):
            continue
        try:
            documents += parse_yaml(content, known)
        except TextError:
            documents += _by_line(content.decode("utf-8", "replace"), known)
            tree.fail(template, "a template that is no YAML: read line by line")
    named = [d for d in documents if "TEMPLATE" not in as_text(dig(d, "metadata", "name"))]
    yield from claims_of(named, path, "helm", (folder or path,))


def _by_line(text: str, known: Mapping[str, str]) -> Iterator[Value]:
    from tidegate.reach.services.texts import fill_template

    for part in fill_template(text, known).split("\n---"):
        kind, name, images = _KIND.search(part), _NAME.search(part), _IMAGE.findall(part)
        if kind and name:
            containers: list[Value] = [{"image": image} for image in images]
            spec: Value = {"template": {"spec": {"containers": containers}}}
            yield {"kind": kind[1], "metadata": {"name": name[1]}, "spec": spec}


def _values(folder: str, tree: Tree) -> Value:
    for name in ("values.yaml", "values.yml"):
        path = f"{folder}/{name}".lstrip("/")
        if path in tree.paths:
            return next(iter(tree.documents(path)), "")
    return ""


def _known(values: Value) -> dict[str, str]:
    """Every text of the values by its path: ".Values.image.repository"."""
    found: dict[str, str] = {}
    waiting: list[tuple[str, Value]] = [(".Values", values)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            found[path] = value
        elif isinstance(value, dict):
            waiting += [(f"{path}.{key}", item) for key, item in value.items()]
    return found


def _images(values: Value) -> list[str]:
    """The images that values name: `image: {repository, registry}` and `image: text`."""
    found = []
    for key, value in walk(values):
        if key.lower().endswith("image") and isinstance(value, str):
            found.append(value)
        elif key.lower().endswith("image"):
            found.append(as_text(dig(value, "repository")) or as_text(dig(value, "name")))
    return list(dict.fromkeys(found))


def _texts(values: Value) -> list[tuple[str, str]]:
    pairs = [(key, value) for key, value in walk(values) if isinstance(value, str) and key]
    for _, value in walk(values):
        entry = as_map(value)
        if as_text(entry.get("name", "")) and as_text(entry.get("value", "")):
            pairs.append((as_text(entry["name"]), as_text(entry["value"])))
    return pairs


HELM = Provider("helm", _wants, _read)
