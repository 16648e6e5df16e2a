"""Real infrastructure commits that were later reverted, with the controls near them in time, as rows of features.

Effects are those of `tidegate infra COMMIT`, by a human's hand; the past is what the repository knew on that day.
Features that begin with `made` tell how the set was made and not what a change is: whether the commit itself landed,
whether a forge gave it a number, whether it undoes another (no control does). They are for measuring that alone.
TIDEGATE_MIRRORS names the folder with the bare clones, `OWNER+NAME/repo` each (default ../.mirror).
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.infra.corpus import folder
from bench.infra.past import UNDOES, Commit, Past, read_commit, read_past, unnumbered
from tidegate.change.ends import Question
from tidegate.change.git import Repository, open_repository
from tidegate.collectors import collect_for_infra
from tidegate.facts import Infra, to_json
from tidegate.infra.environment import of_path
from tidegate.infra.judge import Judgement
from tidegate.infra.kinds import stateful
from tidegate.infra.severity import ORDER
from tidegate.infra.values import ResourceChange

NOW = "2026-11-21T00:00:00Z"
KINDS: dict[str, frozenset[str]] = {
    "data": frozenset("DATA_DESTROY DATA_DESTROY_DELAYED KEY_LOSS STATE_LOSS".split()),
    "destroy": frozenset(["DESTROY"]),
    "guards": frozenset("GUARD_REMOVED BACKUP_REDUCED DATA_DURABILITY AUDIT_OFF OBSERV_DOWN".split()),
    "outage": frozenset("OUTAGE_FULL OUTAGE_PARTIAL DNS_CHANGE NET_CUT TLS_OFF TLS_ON".split()),
    "iam": frozenset("IAM_WIDEN IAM_TRUST PRIV_ESC IAM_CUT".split()),
    "upgrade": frozenset("IRREVERSIBLE_UPGRADE RESTART CAPACITY_DOWN COST_UP".split()),
    "apply fails": frozenset("APPLY_FAIL IMMUTABLE_REJECT".split()),
    "expose": frozenset(["NET_EXPOSE"]),
    "secret": frozenset("SECRET_CHANGE SUPPLY_CHAIN LOCK".split()),
}
WORDS = {
    "trial": r"\b(?:te?mp|temporar\w*|try\w*|attempt|test\w*|spike|experiment\w*|debug\w*|trigger|wip|blank|dummy)\b",
    "removes": r"\b(?:remov\w+|delet\w+|decommission\w*|cleanup|clean up|drop|rm)\b|🔥",
    "upgrades": r"\b(?:upgrad\w+|bump|migrat\w+|version|v\d)\b|⬆",
    "fixes": r"\b(?:fix\w*|hotfix|correct\w*|typo)\b|🐛|💚|🚑",
    "adds": r"^\W*(?:\w+-\d+\W+)?(?:add|creat|new|initial)",
    "ticket": r"\b[A-Z]{2,}-\d+\b",
}


class Row(NamedTuple):
    """One commit: whether it was reverted, when that was known, and its features by name (`family: feature`)."""

    oid: str
    repository: str
    group: str
    at: str
    subject: str
    reverted: bool
    known_at: str
    hours: float
    features: dict[str, float]
    infra: Any


def read_rows() -> Iterator[Row]:
    """Every commit of the set, oldest first. Repositories are opened once."""
    opened: dict[str, tuple[Repository, Past]] = {}
    for item in sorted(_items(), key=lambda one: (one["at"], one["oid"])):
        name = item["repo"]
        if name not in opened:
            repository = open_repository(mirrors() / name.replace("/", "+") / "repo", bare=True)
            opened[name] = repository, read_past(repository)
        repository, past = opened[name]
        yield row_of(item, read_commit(repository, item["oid"]), repository, past)


def row_of(item: dict[str, Any], commit: Commit, repository: Repository, past: Past) -> Row:
    """One commit or landing with its features, by what the set says of it."""
    oid = item["oid"]
    judged, infra = collect_for_infra(Question(change=oid), repository, NOW, {}, actor="human")
    features = {**_effects(infra), **_semantics(judged, item), **_words(unnumbered(item["subject"]))}
    features |= _size(repository, oid)
    known = past.features(commit)
    features |= {f"past: {name}": value for name, value in known.items()}
    features |= {
        "made: landed": float(oid in past.oids),
        "made: number": float(unnumbered(item["subject"]) != item["subject"]),
        "made: undoes": float(bool(UNDOES.match(item["subject"]))),
    }
    return Row(
        oid=oid,
        repository=item["repo"],
        group=item.get("matched_to", oid),
        at=item["written"],
        subject=item["subject"],
        reverted="revert" in item,
        known_at=item.get("revert_date", ""),
        hours=item.get("hours", math.nan),
        features=features,
        infra=json.loads(to_json(infra)),
    )


def repositories() -> dict[str, float]:
    """The repositories of the set, and the moment of the newest commit in it, which no study may go beyond."""
    items = list(_items())
    newest = max(item["at"] for item in items)
    return {item["repo"]: newest for item in items}


def mirrors() -> Path:
    """Where the bare clones lie."""
    return Path(os.environ.get("TIDEGATE_MIRRORS") or Path(__file__).resolve().parents[3] / ".mirror")


# Private


def _items() -> Iterator[dict[str, Any]]:
    for name, oid, at, subject in (
        ("reverted", "orig", "orig_date", "orig_subj"),
        ("controls", "sha", "date", "subj"),
    ):
        for line in (folder() / "reverts" / f"{name}.jsonl").read_text().splitlines():
            item = json.loads(line)
            moment = datetime.fromisoformat(item[at]).timestamp()
            yield {**item, "oid": item[oid], "at": moment, "written": item[at], "subject": item[subject]}


def _effects(infra: Infra) -> dict[str, float]:
    severities = Counter(effect.severity for effect in infra.effects)
    ranks = [ORDER.index(effect.severity) + 1 for effect in infra.effects]
    found = {
        "effect: gravest": float(max(ranks, default=0)),
        "effect: sum of ranks": math.log1p(sum(ranks)),
        "effect: any": float(bool(infra.effects)),
        "effect: high or critical": float(bool(severities["high"] + severities["critical"])),
        "effect: irreversible": float(any(not effect.reversible for effect in infra.effects)),
        "effect: possible only": float(any(effect.certainty == "possible" for effect in infra.effects)),
        "effect: dependents": math.log1p(max((len(effect.dependents) for effect in infra.effects), default=0)),
        "effect: cannot judge": float(bool(infra.unjudged)),
        "effect: removals": math.log1p(infra.removals),
        "effect: production": float(any(effect.environment in ("production", "") for effect in infra.effects)),
    }
    for name, codes in KINDS.items():
        found[f"effect: {name}"] = float(any(effect.code in codes for effect in infra.effects))
    return found


def _semantics(judged: Judgement, item: dict[str, Any]) -> dict[str, float]:
    changes = [change for world in judged.worlds for change in world.changes]
    actions = Counter(change.action for change in changes)
    gone = [change for change in changes if change.destroyed]
    made = {change.type for change in changes if change.action == "create"}
    paths = item["files"]
    environments = Counter(of_path(path) for path in paths)
    return {
        "change: created": math.log1p(actions["create"]),
        "change: updated": math.log1p(actions["update"]),
        "change: deleted": math.log1p(actions["delete"]),
        "change: replaced": math.log1p(actions["replace"]),
        "change: only creates": float(bool(changes) and len(changes) == actions["create"]),
        "change: nothing": float(not any(change.action not in ("no-op", "read") for change in changes)),
        "change: stateful gone": float(any(stateful(change.type) is not None for change in gone)),
        "change: renamed": float(any(change.type in made for change in gone)),
        "change: module version": float(any(_module_version(change) for change in changes)),
        "change: permissions": float(any(re.search("iam|role|policy|Role", change.type) for change in changes)),
        "change: namespace": float(any(change.type == "v1/Namespace" for change in changes)),
        "change: terraform": float(any(path.endswith((".tf", ".tfvars", ".hcl")) for path in paths)),
        "change: kubernetes": float(any(path.endswith((".yaml", ".yml")) for path in paths)),
        "change: workflow": float(any(path.startswith(".github/") for path in paths)),
        "change: production": float(environments["production"] > 0),
        "change: development": float(environments["development"] > 0),
        "change: several environments": float(len(environments) > 1),
        "change: folders": math.log1p(len({path.rpartition("/")[0] for path in paths})),
    }


def _module_version(change: ResourceChange) -> bool:
    if change.before is None or change.after is None:
        return False
    return any(change.before.get(key) != change.after.get(key) for key in ("source", "version"))


def _words(subject: str) -> dict[str, float]:
    found = {f"words: {name}": float(bool(re.search(p, subject, re.IGNORECASE))) for name, p in WORDS.items()}
    return {**found, "words: length": math.log1p(len(subject.split()))}


def _size(repository: Repository, oid: str) -> dict[str, float]:
    raw = repository.run("log", "-1", "--first-parent", "-m", "--numstat", "-M", "--format=", oid)
    counts = [line.split("\t")[:2] for line in raw.decode("utf-8", "replace").splitlines()]
    added = sum(int(one[0]) for one in counts if one[0].isdigit())
    deleted = sum(int(one[1]) for one in counts if one[1].isdigit())
    return {
        "size: added": math.log1p(added),
        "size: deleted": math.log1p(deleted),
        "size: files": math.log1p(len(counts)),
        "size: deleted share": deleted / max(1, added + deleted),
    }
