"""Whose code a pipeline runs: actions and reusable workflows by their references, images by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from tidegate.infra.kubernetes.rules.images import image_of, judge_image
from tidegate.infra.values import Draft, Value

HOUSE = frozenset(("actions", "github"))
"""Owners whose actions are GitHub's own."""
VENDORS = frozenset(
    "docker aws-actions azure google-github-actions hashicorp pypa astral-sh pnpm oven-sh denoland ruby gradle"
    " codecov sigstore anchore aquasecurity cloudflare opentofu helm fluxcd microsoft dtolnay rust-lang julia-actions"
    " changesets shivammathur swatinem taiki-e golangci goreleaser step-security ossf zizmorcore".split()
)
"""Owners that publish actions for their own tool and are used by very many: worth less of a line."""


class Action(Struct, frozen=True):
    """An action or reusable workflow of another repository. `path` has its folder or file, `ref`"
    " what is checked out."""

    owner: str
    name: str
    path: str
    ref: str

    @property
    def key(self) -> str:
        return f"{self.owner}/{self.name}{self.path}".lower()

    @property
    def pinned(self) -> bool:
        """Whether the reference is a commit, which nobody can move."""
        return bool(_COMMIT.fullmatch(self.ref))

    @property
    def branch(self) -> bool:
        """Whether the reference reads as a branch, which moves with every commit."""
        return self.ref.lower() in ("main", "master", "develop", "dev", "trunk", "head", "latest", "nightly")

    @property
    def house(self) -> bool:
        return self.owner.lower() in HOUSE


def action_of(uses: str) -> Action | None:
    """An action's reference as parts, None where it is local, an image or none."""
    match = _ACTION.match(uses.strip())
    return Action(match["owner"], match["name"], match["path"] or "", match["ref"]) if match else None


def actions_in(text: str) -> Iterator[str]:
    """The keys of all actions that a workflow's text uses, without parsing it."""
    for found in _USES.finditer(text):
        action = action_of(found[1])
        if action is not None:
            yield action.key


def major_of(tag: str) -> tuple[int, ...] | None:
    """The part of a tag that says what is compatible: 3.11 of `3.11-slim`, 20 of `20.1`. None where it says none."""
    match = re.match(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", tag)
    if match is None or int(match[1]) > 1900:
        return None
    return (int(match[1]),)


def images_judged(where: str, before: Value, after: Value) -> Iterator[Draft]:
    """What another image means, outside of a cluster: one of another name was chosen on purpose and is worth a line."""
    old, new = image_of(before), image_of(after)
    for draft in judge_image("", where, before, after):
        chosen = old is not None and new is not None and old.name != new.name
        yield replace(draft, severity="low") if chosen else draft


# Private

_COMMIT = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_ACTION = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?P<path>/[\w./ -]+)?@(?P<ref>[^\s@]+)$")
_USES = re.compile(r"""\buses["']?\s*:\s*["']?([^\s"'#,}]+)""")
