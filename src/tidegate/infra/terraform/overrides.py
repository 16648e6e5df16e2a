"""Override files: what they say stands in the place of what the other files of their folder say."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from msgspec.structs import replace

from tidegate.infra.terraform.syntax import Block


def is_override(path: str) -> bool:
    """Whether Terraform reads a file after all others, over what they say."""
    stem = posixpath.basename(path).partition(".")[0]
    return stem == "override" or stem.endswith("_override")


def with_overrides(blocks: Iterable[Block], overrides: Iterable[Block]) -> list[Block]:
    """The blocks with what override files say of them. Attributes are merged; inner blocks of a kind are replaced.

    Source: Terraform's documentation, "Override files".
    """
    merged = list(blocks)
    places = {(one.kind, one.labels): place for place, one in enumerate(merged) if one.labels}
    for one in overrides:
        place = places.get((one.kind, one.labels))
        if place is None:
            merged.append(one)
            continue
        under = merged[place]
        kinds = {inner.kind for inner in one.blocks}
        kept = tuple(inner for inner in under.blocks if inner.kind not in kinds)
        attributes = {**under.attributes, **one.attributes}
        merged[place] = replace(
            under, attributes=attributes, blocks=(*kept, *one.blocks), broken=under.broken or one.broken
        )
    return merged
