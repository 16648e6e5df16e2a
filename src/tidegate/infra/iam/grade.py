"""How grave it is that somebody may do something: the level of the actions, and how many resources they reach."""

from __future__ import annotations

import re
from collections.abc import Set
from functools import lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct

from tidegate.facts import Severity
from tidegate.infra.iam.actions import action, expand
from tidegate.infra.iam.globs import is_wild
from tidegate.infra.iam.policy import Grant

Breadth: TypeAlias = Literal["all", "some", "one"]

SECRETS = ("secretsmanager:getsecretvalue", "secretsmanager:batchgetsecretvalue", "ssm:getparameter",
           "ssm:getparameters", "ssm:getparametersbypath")  # fmt: skip
DATA_READS = {
    *SECRETS, "s3:getobject", "s3:getobjectversion", "dynamodb:getitem", "dynamodb:batchgetitem", "dynamodb:query",
    "dynamodb:scan", "dynamodb:partiqlselect", "dynamodb:getrecords", "kinesis:getrecords", "kms:decrypt",
    "sqs:receivemessage", "rds-data:executestatement", "redshift-data:getstatementresult",
    "athena:getqueryresults", "es:eshttpget", "aoss:apiaccessall", "elasticfilesystem:clientmount",
    "codecommit:gitpull", "rds:downloaddbsnapshot", "ebs:getsnapshotblock", "backup-storage:getobject",
}  # fmt: skip
_DELETES = re.compile(r"^[^:]+:(?:batch)?(delete|purge|terminate|schedulekeydeletion|disablekey|destroy|flush)")
_OWN_HOUSE = re.compile(
    r"^(?:logs:(?:createlog|putlog|putretention)|xray:put|cloudwatch:put(?:metricdata|dashboard)|ssmmessages:|ec2messages:"
    r"|ssm:(?:updateinstance|put(?:inventory|compliance|configure)|updateassociation|updateinstanceassociation)"
    r"|ec2:(?:create|delete|attach|detach)networkinterface$|ec2:(?:un)?assignprivateip)"
)
"""What agents, log drivers and functions in a network do about themselves."""
_MILD = re.compile(r"^[^:]+:(send|publish|putmetric|putlogevents|putevents|createlog|putrecord|invoke|start|encrypt)")
_ALL = re.compile(r"(?:[a-z0-9-]+[/:])?[*?/:]+")


class Grade(Struct, frozen=True):
    """`severity` is None where it is not worth a word. `words` say what may be done, `everything` that it is all.

    `harms` says that it reaches to deleting, to giving rights or to secrets.
    """

    severity: Severity | None
    words: str
    everything: bool = False
    harms: bool = False


def breadth(resource: str) -> Breadth:
    """Whether a resource of a policy is every one of its kind, those of a prefix, or one."""
    if set(resource) <= {"*", "?", ":"}:
        return "all"
    if not is_wild(resource):
        return "one"
    parts = resource.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        return "all" if resource.startswith("arn") and is_wild(resource[:8]) else "some"
    if parts[2] in ("s3", "*"):
        bucket = parts[5].split("/", 1)[0]
        return "all" if set(bucket) <= {"*", "?"} else "some" if is_wild(bucket) else "one"
    if _ALL.fullmatch(parts[5]):
        return "all"
    return "some" if is_wild(parts[5]) else "one"


def broadest(grant: Grant) -> Breadth:
    """The breadth of the widest of its resources."""
    if grant.other_resources:
        return "all"
    found = {breadth(one) for one in grant.resources}
    return "all" if "all" in found else "some" if "some" in found else "one"


def grade(grant: Grant) -> Grade:
    """How grave a new grant to a role, user or group is."""
    wide = broadest(grant)
    services = sorted({one.split(":", 1)[0] for one in grant.actions})
    every = f"every resource of {services[0]}" if len(services) == 1 and not grant.all_but else "every resource"
    scope = {"all": every, "some": "every resource of that prefix", "one": "it"}[wide]
    if everything(grant):
        return Grade("critical", "everything in the account", everything=True, harms=True)
    reach = _reach(grant.reach or frozenset().union(*(expand(one.lower()) or {one} for one in grant.actions)))
    changes = reach.changes - (HAND_ON if wide == "one" else set())
    kinds = [
        ("read", reach.any_reads),
        ("write", reach.any_writes),
        ("delete", bool(reach.deletes)),
        ("change the permissions of", bool(reach.changes - HAND_ON)),
        ("become", "sts:assumerole" in reach.changes),
        ("hand on", "iam:passrole" in reach.changes),
    ]
    words = f"{_and([word for word, there in kinds if there])} {scope}" if any(there for _, there in kinds) else ""
    severity = _severity(wide, changes, reach)
    if severity is None and (HAND_ON & reach.changes or reach.unknown or (reach.any_writes and not reach.writes)):
        severity = "low"
    if severity == "high" and grant.conditions:
        severity = "medium"
    return Grade(severity, words, harms=bool(changes or reach.deletes or (reach.data & set(SECRETS))))


def everything(grant: Grant) -> bool:
    """Whether it is an administrator's: all actions on all resources, without conditions."""
    whole = "*" in grant.actions or "*:*" in grant.actions
    return whole and not grant.all_but and not grant.conditions and broadest(grant) == "all"


HAND_ON = {"iam:passrole", "sts:assumerole"}
"""To hand on or to become one named role is what everything that starts tasks or calls another account needs."""


# Private


class _Reach(Struct, frozen=True):
    """What actions come to, by kind. `writes` and `deletes` are those that know resources."""

    changes: frozenset[str]
    writes: frozenset[str]
    deletes: frozenset[str]
    data: frozenset[str]
    any_reads: bool
    any_writes: bool
    unknown: bool


@lru_cache(maxsize=512)
def _reach(names: frozenset[str]) -> _Reach:
    known = {one: action(one) for one in names if not _OWN_HOUSE.match(one)}
    levels = {one.level for one in known.values()}
    writes = frozenset(name for name, one in known.items() if one.level == "write" and one.scoped)
    return _Reach(
        changes=frozenset(name for name, one in known.items() if one.level == "permissions"),
        writes=writes,
        deletes=frozenset(one for one in writes if _DELETES.match(one)),
        data=frozenset(DATA_READS.intersection(known)),
        any_reads="read" in levels,
        any_writes="write" in levels,
        unknown="unknown" in levels,
    )


def _severity(wide: Breadth, changes: Set[str], reach: _Reach) -> Severity | None:
    writes, reads, deletes = reach.writes, reach.data, bool(reach.deletes)
    mild = len(writes) < 3 and all(_MILD.match(one) for one in writes)
    if wide == "all":
        if changes or deletes or (writes and not mild) or reads & {*SECRETS, "s3:getobject", "dynamodb:scan"}:
            return "high"
        return "medium" if writes or reads else None
    if changes or deletes:
        return "medium"
    return "low" if writes or reads else None


def _and(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
