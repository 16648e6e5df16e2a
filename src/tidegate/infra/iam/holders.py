"""Roles, users, groups and permission sets, with every policy that each of them has: inline, attached, AWS's own.

What counts is the union: a statement that moves from an inline policy to a managed one gives nobody anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from tidegate.infra.graph import Uses
from tidegate.infra.iam.documents import NOTHING, Document, Words, read_document
from tidegate.infra.iam.managed import attached
from tidegate.infra.iam.names import words_of
from tidegate.infra.same import field, items
from tidegate.infra.values import Later, Value, World

HOLDERS = ("aws_iam_role", "aws_iam_user", "aws_iam_group", "aws_ssoadmin_permission_set")
_INLINE: Mapping[str, tuple[str, str, str]] = {
    "aws_iam_role_policy": ("role", "policy", "aws_iam_role"),
    "aws_iam_user_policy": ("user", "policy", "aws_iam_user"),
    "aws_iam_group_policy": ("group", "policy", "aws_iam_group"),
    "aws_ssoadmin_permission_set_inline_policy": (
        "permission_set_arn", "inline_policy", "aws_ssoadmin_permission_set"),
}  # fmt: skip
_ATTACHED: Mapping[str, tuple[str, str, str]] = {
    "aws_iam_role_policy_attachment": ("role", "policy_arn", "aws_iam_role"),
    "aws_iam_user_policy_attachment": ("user", "policy_arn", "aws_iam_user"),
    "aws_iam_group_policy_attachment": ("group", "policy_arn", "aws_iam_group"),
    "aws_ssoadmin_managed_policy_attachment": (
        "permission_set_arn", "managed_policy_arn", "aws_ssoadmin_permission_set"),
    "aws_ssoadmin_customer_managed_policy_attachment": (
        "permission_set_arn", "customer_managed_policy_reference.name", "aws_ssoadmin_permission_set"),
}  # fmt: skip
_LISTS = (("roles", "aws_iam_role"), ("users", "aws_iam_user"), ("groups", "aws_iam_group"))
POLICY = "aws_iam_policy"
KINDS = {*HOLDERS, *_INLINE, *_ATTACHED, POLICY, "aws_iam_policy_attachment"}
_ADDRESS = re.compile(r"(?:module\.[\w\[\]\"'.-]+\.)?(?:aws_\w+)\.[\w-]+(?:\[[^\]]*\])?")


class Source(Struct, frozen=True):
    """One policy of a holder: the resource that says it and that binds it, and the document or the attached ARN.

    `key` is the policy's name in the holder or its ARN.
    """

    address: str
    document: Value = None
    arn: str = ""
    through: str = ""
    key: str = ""

    def read(self, words: Words) -> Document:
        if self.arn:
            return attached(words.told(self.arn))
        return read_document(self.document, words) if self.document is not None else NOTHING


class Side(Struct, frozen=True):
    """One side of a world: the identities in it by address, and the policies of each."""

    resources: Mapping[str, tuple[str, Mapping[str, Value]]]
    policies: Mapping[str, tuple[Source, ...]]
    words: Words

    def named(self, holder: str) -> bool:
        return holder in self.resources


def sides(world: World) -> tuple[Side, Side]:
    """Both sides of a world. Addresses that moved are the new ones on both."""
    words = words_of(world)
    before, after = _side(world, "before", words[0]), _side(world, "after", words[1])
    apart = {
        (holder, one.key)
        for side in (before, after)
        for holder, sources in side.policies.items()
        for one in sources
        if one.key and holder not in (one.address, one.through)
    }
    return _without_echo(before, apart), _without_echo(after, apart)


# Private


def _without_echo(side: Side, apart: set[tuple[str, str]]) -> Side:
    """A side without what a role's own attributes repeat of policies that are resources of their own.

    Providers fill `inline_policy` and `managed_policy_arns` in from what the role has, as it was at the last refresh.
    """
    policies = {
        holder: tuple(
            one for one in sources if holder not in (one.address, one.through) or (holder, one.key) not in apart
        )
        for holder, sources in side.policies.items()
    }
    return replace(side, policies=policies)


def _side(world: World, side: Literal["before", "after"], words: Words) -> Side:
    moved = {one.moved_from: one.address for one in world.changes if one.moved_from} if side == "before" else {}
    resources: dict[str, tuple[str, Mapping[str, Value]]] = {}
    for address, one in (world.before if side == "before" else world.after).items():
        if one.type in KINDS:
            resources[moved.get(address, address)] = (one.type, one.values)
    for change in world.changes:
        if change.type in KINDS:
            values = change.before if side == "before" else change.after
            if values is None:
                resources.pop(change.address, None)
            else:
                resources[change.address] = (change.type, values)
    uses = world.uses_before if side == "before" else world.uses_after
    found: dict[str, list[Source]] = {}
    known = _Known(resources, _names(resources), _arns(resources), uses, words)
    for address in sorted(resources):
        for holder, source in _sources(address, known):
            found.setdefault(holder, []).append(source)
    return Side(resources, {holder: tuple(sources) for holder, sources in found.items()}, words)


class _Known(Struct, frozen=True):
    resources: Mapping[str, tuple[str, Mapping[str, Value]]]
    names: Mapping[tuple[str, str], str]
    arns: Mapping[str, str]
    uses: Uses
    words: Words


def _names(resources: Mapping[str, tuple[str, Mapping[str, Value]]]) -> dict[tuple[str, str], str]:
    found = {}
    for address, (type_, values) in resources.items():
        if type_ in HOLDERS:
            for key in ("name", "id", "arn", "unique_id"):
                if isinstance(value := values.get(key), str) and value:
                    found[type_, value] = address
    return found


def _arns(resources: Mapping[str, tuple[str, Mapping[str, Value]]]) -> dict[str, str]:
    found = {}
    for address, (type_, values) in resources.items():
        if type_ == POLICY:
            for key in ("arn", "id"):
                if isinstance(value := values.get(key), str) and value:
                    found[value] = address
    return found


def _sources(address: str, known: _Known) -> Iterator[tuple[str, Source]]:
    type_, values = known.resources[address]
    if type_ in _INLINE:
        to, what, kind = _INLINE[type_]
        if values.get(to) is not None or not any(values.get(key) for key, _ in _LISTS):
            yield (
                _holder(address, values.get(to), kind, known),
                Source(address, values.get(what), key=_key(values.get("name"))),
            )
    elif type_ in _ATTACHED:
        to, what, kind = _ATTACHED[type_]
        yield _holder(address, values.get(to), kind, known), _attachment(address, field(values, what), known)
    elif type_ == POLICY:
        yield address, Source(address, values.get("policy"))
    elif type_ in HOLDERS:
        yield from _own(address, values, known)
    if type_ in (POLICY, "aws_iam_role_policy", "aws_iam_policy_attachment"):
        yield from _listed(address, values, known)


def _own(address: str, values: Mapping[str, Value], known: _Known) -> Iterator[tuple[str, Source]]:
    for block in items(values.get("inline_policy")):
        if isinstance(block, Mapping):
            yield address, Source(address, block.get("policy"), key=_key(block.get("name")))
    for arn in items(values.get("managed_policy_arns")):
        yield address, _attachment(address, arn, known)


def _listed(address: str, values: Mapping[str, Value], known: _Known) -> Iterator[tuple[str, Source]]:
    for key, kind in _LISTS:
        for one in items(values.get(key)):
            holder = _holder("", one, kind, known)
            if "policy_arn" in values:
                yield holder, _attachment(address, values["policy_arn"], known)
            else:
                yield holder, Source(address, values.get("policy"), through=address)


def _holder(address: str, given: Value, kind: str, known: _Known) -> str:
    """The address of what a policy is for; its name where it is no resource of this world."""
    if isinstance(given, str) and (kind, given) in known.names:
        return known.names[kind, given]
    if found := _spoken(given, (kind,), known):
        return found
    for use in known.uses.used(address):
        if known.resources.get(use.used, ("",))[0] == kind:
            return use.used
    words = given.words if isinstance(given, Later) else str(given or "")
    return f"{kind.removeprefix('aws_')} {words or address}"


def _attachment(address: str, given: Value, known: _Known) -> Source:
    if isinstance(given, str) and given not in known.arns and "${" not in given:
        return Source(address, arn=given, key=given)
    policy = known.arns.get(given, "") if isinstance(given, str) else ""
    policy = policy or _spoken(given, (POLICY,), known)
    for use in () if policy else known.uses.used(address):
        if known.resources.get(use.used, ("",))[0] == POLICY:
            policy = use.used
    if policy:
        return Source(policy, known.resources[policy][1].get("policy"), through=address, key=_arn(policy, known))
    if isinstance(given, Later) and not given.words:
        return Source(address, given)
    words = given.words if isinstance(given, Later) else str(given or "")
    return Source(address, arn=f"${{{words}}}") if words else Source(address)


def _arn(policy: str, known: _Known) -> str:
    return _key(known.resources[policy][1].get("arn"))


def _key(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _spoken(given: Value, kinds: tuple[str, ...], known: _Known) -> str:
    """The resource that an expression names: `aws_iam_role.api.id`, `${aws_iam_policy.x.arn}`."""
    words = given.words if isinstance(given, Later) else given if isinstance(given, str) and "${" in given else ""
    for found in _ADDRESS.findall(words):
        found = known.words.names.get(found, found)
        if known.resources.get(found, ("",))[0] in kinds:
            return str(found)
    return ""
