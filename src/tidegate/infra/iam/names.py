"""What expressions in the policies of code stand for: the ARN of a bucket by its name, the new address of a move."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.infra.iam.documents import AFTER, BEFORE, Words
from tidegate.infra.values import Later, Resource, World


def words_of(world: World) -> tuple[Words, Words]:
    """The words of both sides of a world. A plan has values instead, and needs none."""
    if world.source in ("terraform plan", "change set"):
        return BEFORE, AFTER
    moves = {one.moved_from: one.address for one in world.changes if one.moved_from}
    return Words(BEFORE.unknown, _names(world.before) | moves), Words(AFTER.unknown, _names(world.after))


# Private


def _names(resources: Mapping[str, Resource]) -> dict[str, str]:
    found = {}
    for address, one in resources.items():
        if one.type != "aws_s3_bucket":
            continue
        name = one.values.get("bucket")
        if isinstance(name, Later) and name.words:
            name = name.words if "${" in name.words else f"${{{name.words}}}"
        if isinstance(name, str) and name:
            found[f"{address}.arn"] = f"arn:aws:s3:::{name}"
            found |= dict.fromkeys((f"{address}.id", f"{address}.bucket"), name)
    return found
