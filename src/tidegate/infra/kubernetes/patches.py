"""Patches as kustomize applies them: strategic merges of built-in kinds, and RFC 6902 lists of operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.infra.kubernetes.objects import mapping, mappings
from tidegate.infra.values import Value

_KEYS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("containers", "initContainers", "ephemeralContainers", "volumes", "env", "imagePullSecrets", "secrets"),
        ("name",),
    ),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "ports": ("containerPort", "port"),
}
"""Lists of built-in kinds that merge by a key of their entries; every other list is replaced as a whole."""

BUILT_IN = ("v1", "apps", "batch", "networking.k8s.io", "policy", "autoscaling", "rbac.authorization.k8s.io")


def merge(value: Value, patch: Value, built_in: bool) -> Value:
    """The value with a strategic merge patch applied. Without the schema of a built-in kind, lists are replaced."""
    if not isinstance(patch, Mapping):
        return patch
    if patch.get("$patch") == "replace":
        return {key: inner for key, inner in patch.items() if key != "$patch"}
    merged = dict(mapping(value))
    for key, inner in patch.items():
        if key.startswith("$"):
            continue
        if inner is None:
            merged.pop(key, None)
        elif isinstance(inner, Mapping):
            if inner.get("$patch") == "delete":
                merged.pop(key, None)
            else:
                merged[key] = merge(merged.get(key), inner, built_in)
        elif isinstance(inner, list):
            merged[key] = _merged_list(merged.get(key), inner, _KEYS.get(key, ()) if built_in else ())
        else:
            merged[key] = inner
    return merged


def apply_operations(value: Value, operations: Sequence[Value]) -> Value:
    """The value after these operations of RFC 6902. Raises ValueError for one that cannot be applied."""
    for one in mappings(list(operations)):
        op, path = str(one.get("op")), _pointer(one.get("path"))
        if op in ("add", "replace"):
            value = _put(value, path, one.get("value"), op == "add")
        elif op == "remove":
            value = _take(value, path)
        elif op in ("move", "copy"):
            source = _pointer(one.get("from"))
            found = _at(value, source)
            value = _put(_take(value, source) if op == "move" else value, path, found, True)
        elif op != "test":
            raise ValueError(f"the operation {op} is not known")
    return value


# Private


def _merged_list(value: Value, patch: list[Value], keys: tuple[str, ...]) -> list[Value]:
    directives = [one for one in mappings(patch) if "$patch" in one]
    entries = [one for one in patch if one not in directives]
    if not isinstance(value, list) or any(one.get("$patch") == "replace" for one in directives):
        return entries
    key = next((key for key in keys if any(key in one for one in mappings(patch))), "")
    if not key:
        return entries if not directives else [one for one in value if one not in directives]
    gone = {str(one.get(key)) for one in directives}
    given = {str(one[key]): one for one in mappings(entries) if key in one}
    merged = []
    for one in value:
        name = str(one.get(key)) if isinstance(one, Mapping) else ""
        if name in gone:
            continue
        merged.append(merge(one, given.pop(name), True) if name in given else one)
    return [*given.values(), *merged]


def _pointer(path: Value) -> list[str]:
    text = str(path or "")
    if text and not text.startswith("/"):
        raise ValueError(f"{text} is no JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _index(part: str, length: int) -> int:
    if part == "-":
        return length
    if not part.isdigit() or int(part) > length:
        raise ValueError(f"there is no entry {part}")
    return int(part)


def _at(value: Value, path: list[str]) -> Value:
    for part in path:
        if isinstance(value, list):
            place = _index(part, len(value))
            value = value[place] if place < len(value) else None
        elif isinstance(value, Mapping) and part in value:
            value = value[part]
        else:
            raise ValueError(f"there is no {part}")
    return value


def _put(value: Value, path: list[str], new: Value, insert: bool) -> Value:
    if not path:
        return new
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        place = _index(head, len(value))
        if not rest and (insert or place == len(value)):
            return [*value[:place], new, *value[place:]]
        if place == len(value):
            raise ValueError(f"there is no entry {head}")
        return [*value[:place], _put(value[place], rest, new, insert), *value[place + 1 :]]
    if rest and head not in mapping(value):
        raise ValueError(f"there is no {head}")
    return {**mapping(value), head: _put(mapping(value).get(head), rest, new, insert)}


def _take(value: Value, path: list[str]) -> Value:
    if not path:
        return None
    head, rest = path[0], path[1:]
    if isinstance(value, list):
        place = _index(head, len(value) - 1) if value else 0
        if not value:
            raise ValueError(f"there is no entry {head}")
        inner = [_take(value[place], rest)] if rest else []
        return [*value[:place], *inner, *value[place + 1 :]]
    if head not in mapping(value):
        raise ValueError(f"there is no {head}")
    if not rest:
        return {key: inner for key, inner in value.items() if key != head}
    return {**value, head: _take(value[head], rest)}
