"""Backstage's catalogue: names, owners, importance, what depends on what and who provides which API.

backstage.io/docs/features/software-catalog/descriptor-format. It has no word for importance: labels and annotations
that are called tier or criticality are taken, in any prefix, then `spec.tier`.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.reach.services.interface import Claim, Mention, Provider
from tidegate.reach.services.texts import Value, as_map, as_text, as_texts, dig
from tidegate.reach.services.tree import Tree, folder_of, name_of

# Private

_TIERS = frozenset(("tier", "criticality", "service-tier", "business-criticality", "importance", "priority"))
_SERVICES = frozenset(
    ("service", "website", "webapp", "backend", "frontend", "api", "job", "worker", "function", "app")
)


def _wants(path: str) -> bool:
    return name_of(path) in ("catalog-info.yaml", "catalog-info.yml") or (
        path.endswith((".yaml", ".yml")) and "catalog" in path
    )


def _read(path: str, tree: Tree) -> Iterator[Claim]:
    if b"backstage.io/" not in tree.content(path):
        return
    for document in tree.documents(path):
        name = as_text(dig(document, "metadata", "name"))
        if dig(document, "kind") == "Component" and name:
            yield _component(path, name, document)


def _component(path: str, name: str, document: Value) -> Claim:
    kind = as_text(dig(document, "spec", "type")).lower()
    spec = as_map(dig(document, "spec"))
    notes = {**as_map(dig(document, "metadata", "labels")), **as_map(dig(document, "metadata", "annotations"))}
    tier = next((as_text(notes[key]) for key in sorted(notes) if key.rpartition("/")[2].lower() in _TIERS), "")
    tier = tier or as_text(spec.get("tier", "")) or as_text(spec.get("criticality", ""))
    if not tier and as_text(spec.get("lifecycle", "")).lower() == "experimental":
        tier = "medium"
    return Claim(
        provider="catalog",
        role="catalog",
        source=path,
        name=name,
        kind="service" if kind in _SERVICES or not kind else "package",
        folder=folder_of(path),
        paths=(),
        deploys=(path,),
        apis=tuple(_reference(api) for api in as_texts(spec.get("providesApis", ""))),
        mentions=tuple(_mentions(path, spec)),
        owner=as_text(spec.get("owner", "")),
        tier=tier,
    )


def _mentions(path: str, spec: dict[str, Value]) -> Iterator[Mention]:
    for target in as_texts(spec.get("dependsOn", "")):
        yield Mention(_reference(target), f"dependsOn in {path}", 0.9, by_name=True)
    for api in as_texts(spec.get("consumesApis", "")):
        yield Mention(f"api:{_reference(api)}", f"consumesApis in {path}", 0.95, by_name=True)


def _reference(text: str) -> str:
    """The name in `[kind:][namespace/]name`."""
    return text.rpartition(":")[2].rpartition("/")[2].strip()


CATALOG = Provider("catalog", _wants, _read)
