"""How open a grant in a resource's policy or in a role's trust is: to everybody, another account, a service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, TypeAlias

from tidegate.infra.iam.conditions import Condition
from tidegate.infra.iam.documents import EVERYBODY, account_of
from tidegate.infra.iam.policy import Grant
from tidegate.infra.values import Value, World

Openness: TypeAlias = Literal["everybody", "foreign", "federated", "own", "service", "unknown"]

_BINDING = {
    "aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths",
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:principaltag",
    "aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourceip", "aws:userid", "aws:resourceorgid",
    "kms:calleraccount", "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "aws:referer", "aws:username",
    "aws:viaawsservice", "aws:calledvia", "sns:endpoint",
}  # fmt: skip
_ARNS = ("aws:sourcearn", "aws:principalarn")
_LOGINS = ("cognito-identity.amazonaws.com", "accounts.google.com", "graph.facebook.com", "www.amazon.com")
_HERE = re.compile(r"aws_caller_identity|AWS::AccountId|\$\{(?:[\w.\[\]\"-]+\.)?aws_iam_(?:role|user)\.[^}]*\.arn\}")
"""How code names the account that it is applied to, or a role that it makes itself."""
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")


def openness(grant: Grant, own: frozenset[str]) -> Openness:
    """Who a grant is to. `own` are the accounts that the world is in; without them another account is unknown."""
    who = grant.principal
    if who == EVERYBODY:
        return "own" if any(binds(one) for one in grant.conditions) else "everybody"
    if who.startswith("Service:"):
        return "service"
    if who.startswith(("Federated:", "CanonicalUser:")):
        return "federated" if who.startswith("Federated:") else "foreign"
    account = account_of(who)
    if not account:
        return "own" if _HERE.search(who) else "unknown"
    return "own" if account in own else "foreign" if own else "unknown"


def binds(one: Condition) -> bool:
    """Whether a condition keeps strangers out: it wants a certain account, network or caller."""
    key = one.key.split("/", 1)[0]
    if key not in _BINDING or not one.positive or one.without_key or one.kind == "null":
        return False
    if one.kind == "glob":
        if key in _ARNS and any(map(_any_account, one.values)):
            return False
        return not any(set(value.replace("arn:aws", "")) <= set("*?:") for value in one.values)
    if one.kind == "address":
        return not any(value.partition("/")[2] in ("0", "1", "2", "3", "4") for value in one.values)
    return True


def _any_account(arn: str) -> bool:
    """Whether an ARN with stars is met in every account: `arn:aws:sns:*`, `arn:aws:iam::*:role/x`."""
    parts = re.sub(r"\$\{[^}]*\}", "x", arn).split(":", 5)
    if len(parts) < 6:
        return "*" in arn
    service, account, name = parts[2], parts[4], parts[5]
    if service == "s3" or not account:  # a bucket has one name in the world
        return name.startswith(("*", "?"))
    return set(account) <= set("*?")


def own_accounts(world: World) -> frozenset[str]:
    """The accounts that the things of a world are in, by their ARNs before the change, or after it for a new world."""
    for side in (world.before, world.after):
        found: dict[str, int] = {}
        for number, one in enumerate(side.values()):
            if number > 500:
                break
            account = account_of(str(one.values.get("arn", ""))) or str(one.values.get("owner_id", ""))
            if _ACCOUNT.fullmatch(account):
                found[account] = found.get(account, 0) + 1
        if found:
            return frozenset(found)
    return frozenset()


def subject(conditions: Iterable[Condition]) -> tuple[str, ...] | None:
    """Whose tokens of an identity provider are taken: the values of its `sub`; None where nothing says so."""
    found = [one for one in conditions if one.key.endswith((":sub", ":repository", ":project_path", ":sub_path"))]
    found = [one for one in found if one.positive and not one.without_key and one.kind != "null"]
    return tuple(value for one in found for value in one.values) if found else None


def audience(conditions: Iterable[Condition]) -> bool:
    """Whether a trust in a login provider names the pool or the client whose users it means."""
    return any(one.key.endswith((":aud", ":app_id")) for one in conditions)


def loose_subject(values: Iterable[str]) -> str:
    """The first subject that more than one organisation, or a whole one, can have; "" where all are narrow."""
    for value in values:
        head = value.split("*", 1)[0].split("?", 1)[0]
        if "*" not in value and "?" not in value:
            continue
        if head.startswith("repo:"):
            owner, slash, name = head.removeprefix("repo:").partition("/")
            if not slash or not owner or ":" not in name:
                return value
        elif head.startswith("system:serviceaccount:"):
            if not head.removeprefix("system:serviceaccount:").partition(":")[1]:
                return value
        elif len(head) < 12 or head.endswith("project_path:"):
            return value
    return ""


def is_login(who: str) -> bool:
    """Whether a federated principal is a public login, where anybody can have an account."""
    return any(who.endswith(f":{one}") for one in _LOGINS)


def named(value: Value) -> str:
    """A principal as people name it."""
    text = str(value)
    if text == EVERYBODY:
        return "everybody (*)"
    if _ACCOUNT.fullmatch(text):
        return f"account {text}"
    kind, _, name = text.partition(":")
    if kind == "Service":
        return f"the service {name}"
    return f"the identity provider {name}" if kind == "Federated" else text
