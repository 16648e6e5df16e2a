"""Commands that a person should have asked for: they apply unseen, destroy, cut short or see only a part of a stack."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct

from tidegate.facts import EffectCode, Severity

Deed: TypeAlias = tuple[EffectCode, Severity, str]


def deeds_of(command: str, had: Iterable[str] = ()) -> Iterator[Deed]:
    """What a command does that a person should have asked for. `had` are the commands that stood there before."""
    words = command.split()
    tools = {posixpath.basename(word) for word in words}
    if tools & {"terraform", "tofu", "terragrunt"}:
        yield from _terraform(words, had)
    if "psql" not in tools and tools & {"echo", "printf"} and words[0] in ("echo", "printf"):
        return
    for mark in _MARKS:
        if mark.all <= tools and (not mark.any or mark.any & tools) and not mark.none & tools:
            yield mark.code, mark.severity, mark.means


# Private


class _Mark(Struct, frozen=True):
    """Words that make a command a deed: all of these, one of those, none of the last."""

    all: frozenset[str]
    any: frozenset[str]
    code: EffectCode
    severity: Severity
    means: str
    none: frozenset[str] = frozenset()


def _mark(needed: str, one_of: str, code: EffectCode, severity: Severity, means: str, none: str = "") -> _Mark:
    return _Mark(frozenset(needed.split()), frozenset(one_of.split()), code, severity, means, frozenset(none.split()))


_HOLDING = (
    "ns namespace namespaces crd crds customresourcedefinition pvc pvcs pv persistentvolumeclaim statefulset-data"
)
_RUNNING = "--all deploy deployment deployments sts statefulset statefulsets svc service services ingress daemonset"
_DRY = "--dry-run --dry-run=client --dry-run=server --dryrun"
_STACK = "it deletes a whole stack with what it holds (data loss)."
_EMPTIED = "the database is emptied (data loss) wherever its address points to."
_OBJECTS = "objects in the bucket are deleted (data loss); only versioning brings them back."
_MARKS = (
    _mark("pulumi destroy", "", "DATA_DESTROY", "high", _STACK),
    _mark("cdk destroy", "", "DATA_DESTROY", "high", _STACK),
    _mark("sam delete", "", "DATA_DESTROY", "high", _STACK),
    _mark("cloudformation delete-stack", "", "DATA_DESTROY", "high", _STACK),
    _mark("pulumi up", "--yes -y", "GUARD_REMOVED", "low", "nobody is asked before the change is applied."),
    _mark(
        "kubectl delete",
        _HOLDING,
        "DATA_DESTROY",
        "high",
        "what is in the namespace or volume is destroyed with it (data loss).",
        _DRY,
    ),
    _mark("kubectl delete", _RUNNING, "OUTAGE_PARTIAL", "medium", "it is down until it is made again.", _DRY),
    _mark("helm", "uninstall delete", "OUTAGE_PARTIAL", "medium", "it is down until it is installed again.", _DRY),
    _mark("aws s3 rm --recursive", "", "DATA_DESTROY", "high", _OBJECTS, _DRY),
    _mark("aws s3 rb --force", "", "DATA_DESTROY", "high", _OBJECTS),
    _mark("aws s3 sync --delete", "", "DATA_DESTROY", "low", "what the source no longer has is deleted there.", _DRY),
    _mark("gsutil rm", "-r -R", "DATA_DESTROY", "high", _OBJECTS),
    _mark("aws rds", "delete-db-instance delete-db-cluster", "DATA_DESTROY", "high", "the database is deleted."),
    _mark("aws dynamodb delete-table", "", "DATA_DESTROY", "high", "the table is deleted (data loss)."),
    _mark("gcloud sql delete", "", "DATA_DESTROY", "high", "the database is deleted."),
    _mark("az group delete", "", "DATA_DESTROY", "high", "everything in the resource group is deleted (data loss)."),
    _mark("prisma migrate reset", "", "DATA_DESTROY", "high", _EMPTIED),
    _mark("prisma db push --accept-data-loss", "", "DATA_DESTROY", "high", "columns that the schema lost are dropped."),
    _mark("", "db:drop db:reset migrate:fresh db:wipe migrate:reset dropdb", "DATA_DESTROY", "high", _EMPTIED),
    _mark("manage.py flush", "", "DATA_DESTROY", "high", _EMPTIED),
    _mark("gh pr merge --admin", "", "GUARD_REMOVED", "high", "it merges past every rule of the branch."),
    _mark(
        "gh pr review --approve", "", "GUARD_REMOVED", "medium", "a machine approves what a person was to read."
    ),
    _mark("git push", "--force -f", "GUARD_REMOVED", "low", "it overwrites the branch; what others pushed is lost."),
)  # fmt: skip


def _terraform(words: list[str], had: Iterable[str]) -> Iterator[Deed]:
    plain = {word.lstrip("-").partition("=")[0] for word in words if word.startswith("-")}
    verb = next((word for word in words[1:] if word in ("apply", "destroy", "plan", "state", "init", "import")), "")
    if verb == "destroy" or (verb == "apply" and "destroy" in plain):
        yield "DATA_DESTROY", "high", "it destroys everything in the state of this folder (data loss)."
        return
    if verb == "state" and "rm" in words:
        yield "UNMANAGED", "low", "what it names is no longer managed and stays where it is."
    last = words[-1].strip("\"'")
    saved = verb == "apply" and not last.startswith("-") and re.search(r"plan|\.out$|\.bin$", last)
    asked = "auto-approve" in plain or "terragrunt-non-interactive" in plain
    if verb == "apply" and asked and not saved and not any("-auto-approve" in one for one in had):
        yield (
            "GUARD_REMOVED",
            "medium",
            "it applies what a new plan says, and nobody has seen that. Apply a saved plan that was approved.",
        )
    if "target" in plain and verb in ("apply", "plan"):
        yield "PARTIAL_PLAN", "low", "with -target only a part of the stack is planned; the rest drifts unseen."
    if any(word.lstrip("-") == "lock=false" for word in words) and verb in ("apply", "destroy"):
        yield "GUARD_REMOVED", "medium", "without the lock two applies can write the state at once and lose resources."
