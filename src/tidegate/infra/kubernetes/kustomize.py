"""Kustomizations rendered here, without kustomize: resources, bases, components, generators, patches, transformers.

https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/. Nothing is fetched and no plugin runs: what
this does not understand is named in `Rendered.unread`, with what it says, so that a change of it can be seen.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tidegate.facts import Place
from tidegate.infra.kubernetes.documents import Document, Parser
from tidegate.infra.kubernetes.objects import (
    Item,
    Secrets,
    hidden,
    item_of,
    items_of,
    mapping,
    mappings,
    sequence,
    type_of,
)
from tidegate.infra.kubernetes.patches import BUILT_IN, apply_operations, merge
from tidegate.infra.kubernetes.transforms import put_images, put_labels, put_namespace, put_replicas, rename
from tidegate.infra.values import Value

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
FAILED = "patch"
DEEPEST = 24
NOT_UNDERSTOOD = ("helmCharts", "helmChartInflationGenerator", "generators", "transformers", "replacements", "vars")


class Rendered(Struct, frozen=True):
    """What a kustomization comes to. `partial` are patches of objects that are not among its resources."""

    items: tuple[Item, ...] = ()
    partial: tuple[Item, ...] = ()
    unread: Mapping[str, Value] = {}


class Renderer:
    """Renders the kustomizations of one tree. `read` gives the bytes of a file, None where there is none."""

    def __init__(self, read: Callable[[str], bytes | None], parser: Parser, secrets: Secrets) -> None:
        self._read = read
        self._parser = parser
        self._secrets = secrets
        self._known: dict[str, Mapping[str, Value]] = {}
        self._rendered: dict[str, Rendered] = {}

    def kustomization(self, folder: str) -> Mapping[str, Value]:
        """What the kustomization of a folder says, empty where it has none or none that can be read."""
        if folder not in self._known:
            found: Mapping[str, Value] = {}
            for name in NAMES:
                data = self._read(_join(folder, name))
                if data is not None:
                    documents = self._parser.parse(data).documents
                    found = mapping(documents[0].value) if documents else {}
                    break
            self._known[folder] = found
        return self._known[folder]

    def parts(self, folder: str) -> tuple[list[str], list[str]]:
        """The paths that a kustomization reads as objects or folders of them, and those that it reads otherwise."""
        found = self.kustomization(folder)
        objects = [path for key in _LISTS for path in _paths(folder, found.get(key))]
        return objects, list(_other_paths(folder, found))

    def render(self, folder: str) -> Rendered:
        """The objects of a kustomization, as they will be applied."""
        return self._render(folder, (), None)

    def _render(self, folder: str, above: tuple[str, ...], base: list[Item] | None) -> Rendered:
        if folder in above or len(above) > DEEPEST:
            return Rendered(tuple(base or ()), unread={f"{folder} includes itself": True})
        if base is None and folder in self._rendered:
            return self._rendered[folder]
        found = self.kustomization(folder)
        stage = _Stage(list(base or ()), [], {key: found[key] for key in NOT_UNDERSTOOD if found.get(key)})
        for path in _listed(found, "resources", "bases"):
            self._include(folder, path, stage, above)
        self._generate(folder, found, stage)
        for path in _listed(found, "components"):
            target = _resolve(folder, path)
            if target is None:
                stage.unread[f"component {path}"] = path
                continue
            inner = self._render(target, (*above, folder), stage.items)
            stage.items = list(inner.items)
            stage.take(inner)
        self._patch(folder, found, stage)
        here = Place(_join(folder, NAMES[0]))
        changed = (
            new if new == old else replace(new, patched=(*new.patched, here))
            for old, new in zip(stage.items, _transformed(found, stage.items), strict=True)
        )
        items = (hidden(item, self._secrets) for item in changed)
        partial = tuple(hidden(item, self._secrets) for item in stage.partial)
        result = Rendered(tuple(items), partial, stage.unread)
        if base is None:
            self._rendered[folder] = result
        return result

    def _include(self, folder: str, path: str, stage: _Stage, above: tuple[str, ...]) -> None:
        target = _resolve(folder, path)
        if target is None:
            stage.unread[f"remote base {path.split('?')[0]}"] = path
        elif self.kustomization(target):
            inner = self._render(target, (*above, folder), None)
            stage.items += inner.items
            stage.take(inner)
        else:
            stage.items += self._items(target)

    def _items(self, path: str) -> Iterator[Item]:
        data = self._read(path)
        if data is not None:
            yield from items_of(self._parser.parse(data).documents, path, self._secrets)

    def _generate(self, folder: str, found: Mapping[str, Value], stage: _Stage) -> None:
        for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for one in mappings(found.get(key)):
                data = dict(self._generated(folder, one))
                metadata = {"name": one.get("name"), "namespace": one.get("namespace")}
                values = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": data}
                if kind == "Secret":
                    hidden_ = {name: self._secrets.hide(value, False) for name, value in data.items()}
                    values = {**values, "type": "Opaque", "data": hidden_}
                place = Place(_join(folder, NAMES[0]))
                for item in items_of([Document(values, 0)], place.path, self._secrets):
                    _add_generated(stage.items, item, str(one.get("behavior") or "create"))

    def _generated(self, folder: str, given: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
        for text in sequence(given.get("literals")):
            name, _, value = str(text).partition("=")
            yield name, value
        for text in sequence(given.get("files")):
            name, equals, path = str(text).partition("=")
            data = self._read(_join(folder, path if equals else name))
            yield (name if equals else posixpath.basename(name)), (data or b"").decode("utf-8", "replace")
        for text in [*sequence(given.get("envs")), *([given["env"]] if given.get("env") else [])]:
            data = self._read(_join(folder, str(text))) or b""
            for line in data.decode("utf-8", "replace").splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    name, _, value = line.partition("=")
                    yield name.strip(), value

    def _patch(self, folder: str, found: Mapping[str, Value], stage: _Stage) -> None:
        for text in sequence(found.get("patchesStrategicMerge")):
            self._patch_one(folder, {"patch" if "\n" in str(text) else "path": text}, stage)
        for key in ("patches", "patchesJson6902"):
            for one in sequence(found.get(key)):
                self._patch_one(folder, one if isinstance(one, Mapping) else {"path": one}, stage)

    def _patch_one(self, folder: str, given: Mapping[str, Value], stage: _Stage) -> None:
        path = _resolve(folder, str(given["path"])) if given.get("path") else None
        data = self._read(path) if path else str(given.get("patch") or "").encode()
        place = path or _join(folder, NAMES[0])
        target = mapping(given.get("target"))
        for document in self._parser.parse(data or b"").documents:
            if isinstance(document.value, list):
                self._operate(document.value, target, stage, place)
            elif isinstance(document.value, Mapping):
                _merge_patch(document.value, target, stage, Place(place, document.line))

    def _operate(self, operations: list[Value], target: Mapping[str, Value], stage: _Stage, place: str) -> None:
        for index, item in enumerate(stage.items):
            if not _selected(item, target):
                continue
            try:
                stage.items[index] = _again(item, apply_operations(item.values, operations), Place(place))
            except ValueError as error:
                stage.unread[f"{FAILED} {place} of {item.address()} ({error})"] = True


# Private

_LISTS = ("resources", "bases", "components")


class _Stage:
    """A kustomization on its way: the objects so far, and what could not be placed or understood."""

    def __init__(self, items: list[Item], partial: list[Item], unread: dict[str, Value]) -> None:
        self.items = items
        self.partial = partial
        self.unread = unread

    def take(self, inner: Rendered) -> None:
        self.partial += inner.partial
        self.unread.update(inner.unread)


def _join(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name))


def _resolve(folder: str, path: str) -> str | None:
    """A path inside the tree, None for one on another machine or outside."""
    if "://" in path or "?ref=" in path or path.startswith(("git@", "github.com/", "git::", "/")):
        return None
    found = posixpath.normpath(posixpath.join(folder, path))
    return None if found.startswith("..") else "" if found == "." else found


def _listed(found: Mapping[str, Value], *keys: str) -> list[str]:
    return [one for key in keys for one in sequence(found.get(key)) if isinstance(one, str)]


def _paths(folder: str, value: Value) -> Iterator[str]:
    for one in sequence(value):
        if isinstance(one, str) and (found := _resolve(folder, one)) is not None:
            yield found


def _other_paths(folder: str, found: Mapping[str, Value]) -> Iterator[str]:
    for key in ("patchesStrategicMerge", "generators", "transformers", "validators", "crds", "configurations"):
        yield from _paths(folder, [one for one in sequence(found.get(key)) if "\n" not in str(one)])
    for key in ("patches", "patchesJson6902", "replacements"):
        for one in sequence(found.get(key)):
            path = one.get("path") if isinstance(one, Mapping) else one
            yield from _paths(folder, [path])
    for key in ("configMapGenerator", "secretGenerator"):
        for given in mappings(found.get(key)):
            listed = [*sequence(given.get("files")), *sequence(given.get("envs")), given.get("env")]
            yield from _paths(folder, [str(one).rpartition("=")[2] for one in listed if one])


def _add_generated(items: list[Item], item: Item, behavior: str) -> None:
    for index, known in enumerate(items):
        if (known.type, known.name) == (item.type, item.name):
            merged = {
                key: {**mapping(known.values.get(key) if behavior == "merge" else {}), **mapping(item.values.get(key))}
                for key in ("data", "stringData")
            }
            items[index] = replace(known, values={**known.values, **merged})
            return
    items.append(item)


def _merge_patch(patch: Mapping[str, Value], target: Mapping[str, Value], stage: _Stage, place: Place) -> None:
    wanted = item_of(patch, place)
    matched = False
    for index in range(len(stage.items) - 1, -1, -1):
        item = stage.items[index]
        if target and not _selected(item, target):
            continue
        if not target and (wanted is None or not _same_object(item, wanted)):
            continue
        matched = True
        if patch.get("$patch") == "delete":
            del stage.items[index]
            continue
        body = {key: value for key, value in patch.items() if key not in ("apiVersion", "kind")}
        if target and "metadata" in body:
            metadata = {k: v for k, v in mapping(body["metadata"]).items() if k not in ("name", "namespace")}
            body["metadata"] = metadata
        stage.items[index] = _again(item, merge(item.values, body, item.group in BUILT_IN), place)
    if not matched and wanted is not None and patch.get("$patch") is None:
        stage.partial.append(wanted)


def _same_object(item: Item, wanted: Item) -> bool:
    if item.type != wanted.type or item.name != wanted.name:
        return False
    return not wanted.namespace or not item.namespace or wanted.namespace == item.namespace


def _selected(item: Item, target: Mapping[str, Value]) -> bool:
    metadata = mapping(item.values.get("metadata"))
    kind = target.get("kind")
    if kind and not _matches(str(kind), item.kind):
        return False
    if target.get("group") and type_of(f"{target['group']}/v1", item.kind) != item.type:
        return False
    if target.get("name") and not _matches(str(target["name"]), item.name):
        return False
    if target.get("namespace") and not _matches(str(target["namespace"]), item.namespace):
        return False
    for key, held in (("labelSelector", "labels"), ("annotationSelector", "annotations")):
        if target.get(key) and not _labels_match(str(target[key]), mapping(metadata.get(held))):
            return False
    return True


def _matches(pattern: str, text: str) -> bool:
    if pattern == text:
        return True
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.fullmatch(pattern, text, options) is not None
    except re2.error:
        return False


def _labels_match(selector: str, labels: Mapping[str, Value]) -> bool:
    for part in selector.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            if name not in labels:
                return False
        elif name.endswith("!"):
            if str(labels.get(name[:-1])) == value:
                return False
        elif str(labels.get(name)) != value.lstrip("="):
            return False
    return True


def _again(item: Item, values: Any, place: Place) -> Item:
    """The object after a patch, which may have renamed it."""
    if not isinstance(values, Mapping):
        return item
    found = item_of(values, item.place) or replace(item, values=values)
    return replace(found, patched=(*item.patched, place))


def _transformed(found: Mapping[str, Value], items: Iterable[Item]) -> list[Item]:
    done = list(items)
    if isinstance(found.get("namespace"), str):
        accounts = frozenset(item.name for item in done if item.kind == "ServiceAccount")
        done = [put_namespace(item, found["namespace"], accounts) for item in done]
    if counts := {str(one.get("name")): one.get("count") for one in mappings(found.get("replicas"))}:
        done = [put_replicas(item, counts) for item in done]
    if found.get("namePrefix") or found.get("nameSuffix"):
        done = rename(done, str(found.get("namePrefix") or ""), str(found.get("nameSuffix") or ""))
    if common := mapping(found.get("commonLabels")):
        done = [put_labels(item, common, True, True) for item in done]
    for one in mappings(found.get("labels")):
        selectors, templates = bool(one.get("includeSelectors")), bool(one.get("includeTemplates"))
        done = [put_labels(item, mapping(one.get("pairs")), selectors, templates) for item in done]
    if images := mappings(found.get("images")):
        done = [put_images(item, images) for item in done]
    return done
