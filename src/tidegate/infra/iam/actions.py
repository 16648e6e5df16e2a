"""Every action of AWS and how much it may do, from `tables/iam_actions.json` (made by tools/tables/iam.py).

The table is read on the first question, and of a service only when it is asked about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.infra.iam.globs import covers

Level: TypeAlias = Literal["list", "read", "tagging", "write", "permissions", "unknown"]
"""What an action is for, as AWS's Service Authorization Reference says it."""

_BY_VERB: Mapping[str, Level] = {
    **dict.fromkeys(("list", "describe", "search"), "list"),
    **dict.fromkeys(("get", "batchget", "view", "read", "query", "scan", "lookup", "check", "validate"), "read"),
    **dict.fromkeys(("tag", "untag"), "tagging"),
}  # fmt: skip
_MENDED: Mapping[str, Level] = {
    "iam:passrole": "permissions",
    "sts:assumerole": "permissions",
    "kms:creategrant": "write",
    "kms:retiregrant": "write",
    "kms:revokegrant": "write",
    "iam:createservicelinkedrole": "write",
    "ec2:createnetworkinterfacepermission": "write",
    "sqs:addpermission": "permissions",
    "s3:listbucket": "list",
    "s3:putobjectacl": "write",
    "s3:putobjectversionacl": "write",
}
"""Where the reference names a level that does not say what the action is good for."""


class Action(Struct, frozen=True):
    """One action. `scoped` is False where it knows no resource, so that `*` is all that can be written."""

    name: str
    level: Level
    scoped: bool = True


def services() -> tuple[str, ...]:
    """Every service prefix of the table, in order."""
    return tuple(_table())


def action(name: str) -> Action:
    """An action by its name in any case. One that the table does not hold has the level that its verb says."""
    service, _, rest = name.lower().partition(":")
    found = _of_service(service).get(f"{service}:{rest}")
    if found is not None:
        return found
    for verb, level in _BY_VERB.items():
        if rest.startswith(verb):
            return Action(name, level)
    return Action(name, "write" if service in _table() else "unknown")


@lru_cache(maxsize=1024)
def expand(pattern: str) -> frozenset[str]:
    """The actions of the table that a lower-case pattern stands for, in lower case."""
    service, _, rest = pattern.partition(":")
    if not rest and service != "*":
        return frozenset()
    if not any(sign in service for sign in "*?"):
        known = _of_service(service)
        if rest == "*":
            return frozenset(known)
        return frozenset({pattern}) if pattern in known else frozenset(one for one in known if covers(pattern, one))
    named = (name for name in _table() if service == "*" or covers(service, name) or service[-1:] == "*")
    return frozenset(one for name in named for one in _of_service(name) if pattern == "*" or covers(pattern, one))


# Private


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    text = files("tidegate.infra").joinpath("tables/iam_actions.json").read_text()
    found: Mapping[str, Mapping[str, str]] = json.loads(text)["services"]
    return found


@cache
def _of_service(service: str) -> Mapping[str, Action]:
    found: dict[str, Action] = {}
    for key, folded in _table().get(service, {}).items():
        level: Level = key.removesuffix("!")  # type: ignore[assignment]
        for name in _unfolded(folded):
            lower = f"{service}:{name}".lower()
            found[lower] = Action(f"{service}:{name}", _MENDED.get(lower, level), not key.endswith("!"))
    return found


def _unfolded(folded: str) -> Iterator[str]:
    for group in folded.split(" "):
        verbs, _, nouns = group.partition(":")
        for noun in nouns.split(","):
            for verb in verbs.split("|"):
                yield verb + noun
