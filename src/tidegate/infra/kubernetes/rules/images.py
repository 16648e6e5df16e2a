"""Images of containers: whose code runs, and whether the name still means one image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from tidegate.facts import Unjudged
from tidegate.infra.kubernetes.objects import containers, pod_spec, pod_template
from tidegate.infra.kubernetes.rules.common import updated
from tidegate.infra.values import Draft, Value, World


class Image(Struct, frozen=True):
    """An image's name taken apart. The registry of Docker Hub is "docker.io", its own images belong to `library`."""

    registry: str
    owner: str
    name: str
    tag: str
    digest: str


_PARTS = re.compile(r"^(?P<path>[^@]+?)(?::(?P<tag>[\w][\w.-]*))?(?:@(?P<digest>\w+:[0-9a-fA-F]+))?$")


def images(world: World) -> Iterator[Draft | Unjudged]:
    """Images that lose their digest, float, or come from somebody else; a plain new tag is silent."""
    for change in updated(world):
        if pod_template(change.type, change.before) is None:
            continue
        old = containers(pod_spec(change.type, change.before))
        new = containers(pod_spec(change.type, change.after))
        for name in sorted({*old} & {*new}):
            yield from judge_image(
                change.address, f"image of container {name}", old[name].get("image"), new[name].get("image")
            )


def judge_image(address: str, where: str, before: Value, after: Value) -> Iterator[Draft]:
    """What a changed name of an image means for who decides what runs."""
    old, new = image_of(before), image_of(after)
    if old is None or new is None or before == after:
        return
    shown = f"{where} {before} -> {after}"
    if old.digest and not new.digest:
        reason = f"{shown}: it is no longer pinned by digest, so the tag may mean another image tomorrow."
        yield Draft("SUPPLY_CHAIN", "medium", address, reason, True, "keep the digest")
    elif new.tag in ("", "latest") and not new.digest and old.tag not in ("", "latest"):
        reason = (
            f"{shown}: without a fixed tag every start may pull another image, and there is nothing to roll back to."
        )
        yield Draft("SUPPLY_CHAIN", "medium", address, reason, True, "name a version")
    if (old.registry, old.owner) == (new.registry, new.owner) or (
        old.owner == "library" and not old.tag and not old.digest
    ):
        return
    if old.owner.split("/")[-1] == new.owner.split("/")[-1] or old.owner.split("/")[0] == new.owner.split("/")[0]:
        reason = f"{shown}: the image comes from another registry of the same owner."
        yield Draft("SUPPLY_CHAIN", "low", address, reason, True, "see that it is the same image")
        return
    reason = (
        f"{shown}: the image comes from another owner ({new.registry}/{new.owner}), "
        "whose code runs with the same rights."
    )
    yield Draft("SUPPLY_CHAIN", "medium", address, reason, True, "see who publishes it, and pin its digest")


def image_of(text: Value) -> Image | None:
    """An image's name as parts, None where this is none."""
    match = _PARTS.match(text.strip()) if isinstance(text, str) and len(text) < 500 and "{{" not in text else None
    if match is None or "$" in match["path"]:
        return None
    parts = match["path"].split("/")
    registry = (
        parts.pop(0)
        if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost")
        else "docker.io"
    )
    owner = "/".join(parts[:-1]) or ("library" if registry == "docker.io" else "")
    return Image(registry.removeprefix("index."), owner, parts[-1], match["tag"] or "", match["digest"] or "")
