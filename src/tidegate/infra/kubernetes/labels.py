"""Which pods a selector means."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.infra.kubernetes.objects import mapping, mappings, sequence
from tidegate.infra.values import Value


def chooses(selector: Value, labels: Mapping[str, Value]) -> bool:
    """Whether a label selector (`matchLabels`, `matchExpressions`) means a pod. An empty one means all."""
    chosen = mapping(selector)
    plain = mapping(chosen.get("matchLabels"))
    if not carries(labels, plain):
        return False
    for one in mappings(chosen.get("matchExpressions")):
        key, operator = str(one.get("key")), str(one.get("operator"))
        values = {str(value) for value in sequence(one.get("values"))}
        held = key in labels
        inside = held and str(labels[key]) in values
        if operator == "In" and not inside:
            return False
        if operator == "NotIn" and inside:
            return False
        if operator == "Exists" and not held:
            return False
        if operator == "DoesNotExist" and held:
            return False
    return True


def carries(labels: Mapping[str, Value], wanted: Mapping[str, Value]) -> bool:
    """Whether a pod carries all of these labels."""
    return all(str(labels.get(key)) == str(value) for key, value in wanted.items())
