"""What the code of a plan gives to each resource, to tell what is not known yet from what nobody has chosen.

Providers work out many attributes by themselves: a queue without `policy` has one "known after apply" in every plan.
What the code sets by an expression that is not known yet is another matter: nobody can say what it will be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tidegate.infra.terraform.configured import KEY, most_specific, references
from tidegate.infra.terraform.document import ConfigModule, Mask
from tidegate.infra.values import Later, Value


class Given(Struct, frozen=True):
    """The attributes that a block sets, each with the references that it is made of; `path` is that of its module,
    `key` tells the instance apart."""

    references: Mapping[str, tuple[str, ...]]
    path: str = ""
    key: str = ""

    def words(self, name: str) -> str | None:
        """What an attribute is made of, "" of a constant, None where the block does not set it.

        Two things that are made of others have different words.
        """
        found = self.references.get(name)
        if found is None:
            return None
        named = [one for one in found if not one.startswith(_STEPS)]
        key = self.key if len(named) < len(found) else ""
        return ", ".join(f"{self.path}{one}{key}" for one in named[:_MOST_NAMED])


COMPUTED = frozenset(
    """
    policy access_policies access_policy acl grant inline_policy managed_policy_arns ingress egress route
    source_ranges destination_ranges source_security_group_id cidr_blocks ipv6_cidr_blocks prefix_list_ids
    vpc_security_group_ids security_groups security_group_ids subnet_ids publicly_accessible
    associate_public_ip_address network_acls network_rules versioning server_side_encryption_configuration
    """.split()
)
"""What rules judge and providers fill in by themselves where the code leaves it out."""
_STEPS = ("each.", "count.")
_MOST_NAMED = 2


def read_given(root: ConfigModule | None) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """What is set and of which references, by the address of each block without its instances."""
    found: dict[str, Mapping[str, tuple[str, ...]]] = {}
    waiting = [("", root)] if root is not None else []
    while waiting:
        path, module = waiting.pop()
        for name, call in (module.module_calls or {}).items():
            if call.module is not None:
                waiting.append((f"{path}module.{name}.", call.module))
        for one in module.resources or ():
            address = one.address if one.address.startswith(path) else path + one.address
            found[address] = {name: _named(inner) for name, inner in (one.expressions or {}).items()}
    return found


def given_to(address: str, blocks: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Given | None:
    """What the block of this resource sets, None where the plan does not show its code."""
    bare = KEY.sub("", address)
    found = blocks.get(bare)
    if found is None:
        return None
    own = ".".join(bare.split(".")[-2:])
    path, _, key = address.rpartition(own)
    return Given(found, path, key)


def with_unknown(
    after: Mapping[str, Value], unknown: Mask, before: Mapping[str, Value] | None, given: Given | None
) -> Mapping[str, Value]:
    """The values of a resource with `Later` where they are known only after apply.

    What the code does not set is left out of a new resource, and is as it was on one that is replaced: nobody has
    chosen anything else.
    """
    if unknown is True:
        return dict.fromkeys(after, Later())
    if not isinstance(unknown, dict):
        return after
    made = dict(after)
    for name, inner in unknown.items():
        if not is_any(inner):
            continue
        words = given.words(name) if given is not None else None
        if inner is True and given is not None and words is None and name in COMPUTED:
            made.pop(name, None)
            if before is not None and before.get(name) is not None:
                made[name] = before[name]
        else:
            made[name] = merged(after.get(name), inner, words or "")
    return made


def merged(after: Value, unknown: Mask, words: str = "") -> Value:
    """A value with `Later` where it is known only after apply; `words` name what it is made of."""
    if unknown is True:
        return Later(words)
    if isinstance(unknown, dict) and (after is None or isinstance(after, dict)):
        later = {key: merged((after or {}).get(key), inner, words) for key, inner in unknown.items() if is_any(inner)}
        return {**(after or {}), **later} if later else after
    if isinstance(unknown, list) and (after is None or isinstance(after, list)) and is_any(unknown):
        known = list(after or ())
        known += [None] * (len(unknown) - len(known))
        return [
            merged(one, unknown[place] if place < len(unknown) else False, words) for place, one in enumerate(known)
        ]
    return after


def is_any(mask: Mask) -> bool:
    """Whether a mask holds anywhere."""
    if isinstance(mask, dict):
        return any(map(is_any, mask.values()))
    return any(map(is_any, mask)) if isinstance(mask, list) else mask is True


# Private


def _named(expression: Any) -> tuple[str, ...]:
    """The references of an expression, each once."""
    named = (one for _, found in references(expression) for one in most_specific(found))
    return tuple(dict.fromkeys(KEY.sub("", one) for one in named))
