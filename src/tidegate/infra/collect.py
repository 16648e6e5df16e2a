"""Writes the section `infra` of the facts: the effects of the plans that were given and of the files that changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tidegate.change.trees import Pair, Tree, Trees, pairs_of, tree_of
from tidegate.change.values import Change, Context, show_path
from tidegate.errors import InputError
from tidegate.facts import Actor, Finding, Infra, Place, PlanFact, ProvenanceFacts, Unjudged, Unknown, is_known
from tidegate.infra.families import FAMILIES, Family
from tidegate.infra.joined import Running, join, reads_in
from tidegate.infra.judge import Judgement, judge
from tidegate.infra.severity import gravest
from tidegate.infra.values import Found

LARGEST_PLAN_BYTES = 500 * 1024 * 1024
LINK = 0o120000


class Beside(NamedTuple):
    """What others know and infrastructure reads of them: who wrote the change, and the services of its base.

    `actor` overrules what provenance says.
    """

    provenance: ProvenanceFacts
    services: Callable[[Tree], Iterable[Running]]
    actor: Actor | None = None


def collect(change: Change, context: Context, beside: Beside) -> Infra:
    """What the change does to infrastructure, as facts.

    What looks like infrastructure and could not be read is named in `unjudged`, never left out. Raises InputError for
    a plan that is none.
    """
    return judge_change(change, context, beside)[1]


def judge_change(change: Change, context: Context, beside: Beside) -> tuple[Judgement, Infra]:
    """The same with the worlds that it was read from."""
    claimed = tuple(pair for pair in pairs_of(change) if any(_claimed(family, pair) for family in FAMILIES))
    plans = tuple(read_plan_file(path) for path in context.plans)
    found: list[Found] = [one for one, _ in plans]
    unknowns: tuple[Unknown, ...] = ()
    if claimed and (context.repository is None or not change.base_tree or not change.head_tree):
        names = ", ".join(pair.path for pair in claimed[:3])
        unknowns = (Unknown("infra", f"there is no repository to read {names} from"),)
    elif claimed and context.repository is not None:
        trees = (change.base_tree, change.head_tree)
        before, after = (tree_of(context.repository, tree) for tree in trees)
        found += read_families(Trees(before, after, claimed))
    if links := tuple(_links(change)):
        found.append(Found(unjudged=links))
    hand = beside.actor or actor_of(change, beside.provenance, {path for one in found for path in one.files})
    judged = judge_found(found, hand)
    if context.repository is not None and change.base_tree:
        base = tree_of(context.repository, change.base_tree)
        reads = reads_in(context.repository, change.head_tree or change.base_tree)
        judged = join(judged, partial(beside.services, base), reads)
    return judged, facts_of(judged, hand, tuple(fact for _, fact in plans), unknowns)


def read_families(trees: Trees) -> list[Found]:
    """What every family finds in the files that changed."""
    found = []
    for family in FAMILIES:
        mine = tuple(one for pair in trees.changed if (one := _claimed(family, pair)) is not None)
        if mine:
            found.append(_fenced(family, trees, mine))
    return found


def read_plan_file(path: Path) -> tuple[Found, PlanFact]:
    """A plan or change set from a file. Raises InputError for one that is none."""
    try:
        if path.stat().st_size > LARGEST_PLAN_BYTES:
            raise InputError("the plan is larger than 500 MB", where=str(path), mend="split the stack")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), mend="name a plan as JSON") from error
    return read_plan_bytes(data, path.name)


def read_plan_bytes(data: bytes, name: str) -> tuple[Found, PlanFact]:
    """The same from its content; `name` is what people call it."""
    from tidegate.infra.plans import read_plan

    found = read_plan(data, name)
    changes = sum(one.action not in ("no-op", "read") for world in found.worlds for one in world.changes)
    tool = found.worlds[0].source if found.worlds else ""
    return found, PlanFact(name, hashlib.sha256(data).hexdigest(), tool, changes)


def judge_found(found: Sequence[Found], actor: Actor) -> Judgement:
    """What all rules say of it. They are not even loaded where there is nothing to ask about."""
    if not found:
        return judge((), (), actor)
    from tidegate.infra.rules import RULES

    return judge(found, RULES, actor)


def facts_of(
    judged: Judgement, actor: Actor, plans: tuple[PlanFact, ...] = (), unknowns: tuple[Unknown, ...] = ()
) -> Infra:
    """A judgement as the section of the facts."""
    severity = gravest([effect.severity for effect in judged.effects])
    return Infra(
        status="unknown" if unknowns else "complete",
        unknowns=unknowns,
        severity=severity or "none",
        effects=judged.effects,
        effects_total=len(judged.effects),
        unjudged=judged.unjudged,
        drift=judged.drift,
        findings=tuple(_findings(judged)),
        removals=judged.removals,
        environments=tuple(sorted({effect.environment or "unknown" for effect in judged.effects})),
        actor=actor,
        plans=plans,
        files=judged.files,
    )


def actor_of(change: Change, provenance: ProvenanceFacts, files: Iterable[str]) -> Actor:
    """Whose hand is on the infrastructure part of a change: an agent's where any line of it or any commit says so."""
    if provenance.status == "unknown":
        return "unknown"
    if provenance.declarations or provenance.agents:
        return "agent"
    if not is_known(provenance, "files"):
        return "unknown"
    mine = set(files) or {show_path(file.path) for file in change.files}
    read = [file for file in provenance.files if file.path in mine]
    if any(file.ai or file.mixed for file in read):
        return "agent"
    return "unknown" if any(file.unknown for file in read) or not read else "human"


# Private


def _claimed(family: Family, pair: Pair) -> Pair | None:
    """What of a changed file is a family's: one that is renamed to a name that is none of it has gone."""
    before = pair.before if pair.before and family.claims(pair.before) else ""
    after = pair.after if pair.after and family.claims(pair.after) else ""
    return Pair(before, after) if before or after else None


def _links(change: Change) -> Iterator[Unjudged]:
    """Links that are named like infrastructure: tools follow them, and what they lead to is read nowhere here."""
    for file in change.files:
        if LINK in (file.new_mode, file.old_mode):
            path = file.path.decode("utf-8", "surrogateescape")
            if any(family.claims(path) for family in FAMILIES if family.name in _FOLLOWING):
                reason = "it is a symbolic link, or was one: what it leads to is not judged under this name"
                yield Unjudged(show_path(file.path), reason, "put the file here", Place(path))


def _fenced(family: Family, trees: Trees, mine: tuple[Pair, ...]) -> Found:
    """What a family finds; one that fails by itself leaves its files unjudged, and the other families standing."""
    try:
        return family.read(trees, mine)
    except Exception as error:  # noqa: BLE001 the fence around a family
        reason = f"the reader of {family.name} failed ({type(error).__name__})"
        mend = "tell us, with the file"
        return Found(unjudged=tuple(Unjudged(pair.path, reason, mend, Place(pair.path)) for pair in mine))


def _findings(judged: Judgement) -> Iterator[Finding]:
    """What a reader of findings (SARIF, annotations) should see: effects that a person is asked about."""
    for effect in judged.effects:
        if effect.severity in ("medium", "high", "critical"):
            rule = "infra-" + effect.code.lower().replace("_", "-")
            yield Finding(rule, effect.severity, f"{effect.address}: {effect.reason}", effect.place, effect.back)
    for one in judged.unjudged:
        yield Finding("infra-cannot-judge", "high", f"{one.address}: {one.reason}", one.place, one.mend)


_FOLLOWING = ("terraform", "sql")
"""The families whose files have names of their own; YAML is linked for many other reasons."""
