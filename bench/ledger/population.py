"""A population with planted exceptions: does the audit find each of them, and nothing else?

    python -m bench.ledger.population [--changes 10000] [--packs 60]

A made history of merges, squashes, rebases and branches that were moved on, with every statement signed and in a real
ledger; into one change in ten an exception of one kind is planted. Printed are what was found, what was missed, what
was found and not planted, and how long a sample of packs takes. Exit status 1 where anything was missed or made up.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from msgspec import Struct, structs

from tidegate.ledger.audit import ClockLimits
from tidegate.ledger.commitments import commit
from tidegate.ledger.evidence.database import DatabaseSource
from tidegate.ledger.evidence.kinds import Kind
from tidegate.ledger.evidence.pack import Trust, make_pack, pack_files, write_pack
from tidegate.ledger.evidence.population import reconcile
from tidegate.ledger.evidence.record import Record, read_record
from tidegate.ledger.evidence.sample import draw
from tidegate.ledger.evidence.values import DAY, Branch, Commit, Emergency, Expect, Merge, Period, Population, World
from tidegate.ledger.fields import EntryRef, Predicate, Resource, Subject, format_time
from tidegate.ledger.keys import PublicKey, SoftwareKey
from tidegate.ledger.log import Log, LogSettings, NewEntry, open_log
from tidegate.ledger.merkle import leaf_hash
from tidegate.ledger.predicates.approval import Question
from tidegate.ledger.predicates.assessment import Assessment
from tidegate.ledger.predicates.break_glass import BreakGlass
from tidegate.ledger.predicates.deployment import Deployment
from tidegate.ledger.predicates.policy_change import PolicyChange
from tidegate.ledger.predicates.provenance import (
    AgentProvenance,
    BuildDefinition,
    Builder,
    Metadata,
    Run,
    RunDetails,
    Task,
)
from tidegate.ledger.predicates.revocation import Revocation
from tidegate.ledger.predicates.sample_seed import SampleSeed
from tidegate.ledger.predicates.test_result import TestResult
from tidegate.ledger.statements import Statement, sign_statement
from tidegate.store.migrate import prepare_database

REPOSITORY = "git+https://forge.example/team/shop"
REF = "refs/heads/main"
BEGIN = 1_767_225_600.0
GAP = 1_800.0
"""Seconds between two merges."""
POLICY, OTHER_POLICY = "a" * 64, "b" * 64
WHY = commit(b"s" * 32, b"because")
BOT = f"person:{999:032x}"
KEYS = tuple("SHA256:" + chr(65 + number) * 43 for number in range(2))
STOLEN = "SHA256:" + "z" * 43
KEY = SoftwareKey("ed25519", b"P" * 32)
PUBLIC = PublicKey(KEY.algorithm, KEY.public_key)
LOOSE: tuple[Kind, ...] = ("deployed-unknown", "history-rewritten", "ledger-gap")
KINDS: tuple[Kind, ...] = get_args(Kind)


class Planted(Struct, frozen=True):
    """What was planted where: by the commit, or by what the exception names where it belongs to none."""

    kind: Kind
    commit: str


class Made(Struct, frozen=True):
    """A history, its statements in the order of the ledger, and what must be found in it."""

    world: World
    envelopes: tuple[bytes, ...]
    planted: tuple[Planted, ...]
    period: Period
    seed_entry: int


def make(changes: int, kinds: Sequence[Kind] = KINDS, *, seed: int = 7, every: int = 10) -> Made:
    """`changes` merges; into one in `every` an exception is planted, each kind in its turn."""
    return _Making(changes, kinds, seed, every).made()


def found_in(population: Population) -> list[Planted]:
    """Every exception as it would have been planted."""
    found = [Planted(each.kind, item.commit) for item in population.items for each in item.exceptions]
    return found + [Planted(each.kind, "") for each in population.loose]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--changes", type=int, default=10_000)
    parser.add_argument("--packs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    made = make(given.changes, seed=given.seed)
    print(f"{given.changes} changes, {len(made.envelopes)} entries, {len(made.planted)} exceptions planted")
    with tempfile.TemporaryDirectory() as folder:
        return _run(made, Path(folder), given.packs)


# Private


def _run(made: Made, folder: Path, packs: int) -> int:
    database = prepare_database(f"sqlite:///{folder}/ledger.db")
    with open_log(database, KEY, LogSettings("ledger.example/shop", folder / "outside", limits=ANY_TIME)) as log:
        append_all(log, made.envelopes)
        trust = Trust(log.public_key())
    source = DatabaseSource(database)
    clock = _Clock()
    record = read_record(source.entries(), [PUBLIC], REPOSITORY)
    clock.say("every entry opened and its signature verified")
    population = reconcile(record, made.world, made.period)
    clock.say(f"{len(population.items)} commits reconciled")
    wrong = compare(made, population)
    clock.say(
        f"{packs} packs written", lambda: _packs(population, record, source, trust, made, folder / "packs", packs)
    )
    database.close()
    return 1 if wrong else 0


ANY_TIME = ClockLimits(2**40, 2**40)
"""The entries are of another day than this one: of a clock that nobody holds them against."""


def append_all(log: Log, envelopes: Sequence[bytes]) -> None:
    """Into a log, each under the kind that it is."""
    waiting = [
        log.submit(NewEntry(f"entry:{at}", _kind_of(envelope), "made", envelope))
        for at, envelope in enumerate(envelopes)
    ]
    for each in waiting:
        each.result()


def _kind_of(envelope: bytes) -> str:
    payload = base64.b64decode(json.loads(envelope)["payload"])
    return str(json.loads(payload)["predicateType"])


def compare(made: Made, population: Population) -> int:
    """Prints what was missed and what was made up; how many."""
    planted, found = Counter(made.planted), Counter(found_in(population))
    missed, made_up = planted - found, found - planted
    kinds = Counter(each.kind for each in made.planted)
    hit = Counter(each.kind for each in (planted & found).elements())
    for kind, count in sorted(kinds.items()):
        print(f"  {kind:28}{hit[kind]:5} of {count}")
    for name, wrong in (("missed", missed), ("not planted", made_up)):
        print(f"{name}: {wrong.total()}")
        for each in list(wrong.elements())[:10]:
            print(f"  {each.kind} at {each.commit[:12]}")
    return missed.total() + made_up.total()


def _packs(
    population: Population,
    record: Record,
    source: DatabaseSource,
    trust: Trust,
    made: Made,
    folder: Path,
    packs: int,
) -> None:
    sample = draw(population, record, made.seed_entry, packs)
    for number, item in enumerate(sample.items):
        pack = make_pack(population, source, trust, Expect(), only=[item])
        write_pack(folder / f"{number:03}.zip", pack_files(pack, source, lambda _: None, b""))


class _Clock:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def say(self, what: str, work: Callable[[], None] | None = None) -> None:
        if work is not None:
            self._wall, self._cpu = time.perf_counter(), time.process_time()
            work()
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        print(f"{what}: {wall:.1f} s, {cpu:.1f} CPU-s")
        self._wall, self._cpu = time.perf_counter(), time.process_time()


class _Plan(Struct, frozen=True, kw_only=True):
    """How one change goes; an exception is one field that is otherwise."""

    verdict: str = "pass"
    policy: str = POLICY
    assessed: float = -600.0
    """Seconds from the merge; None: never."""
    other_tree: bool = False
    approved: float = -900.0
    person: str = ""
    approved_tree: bool = True
    expires: float = DAY
    withdrawn: float | None = None
    key: str = KEYS[0]
    approvals: int = 1
    asked: int = 1
    tests: Literal["PASSED", "FAILED", ""] = "PASSED"
    provenance: bool = True
    glass: tuple[float, float] | None = None
    declared: bool = False
    deployed: float = 300.0
    by_forge: bool = True
    in_ledger: bool = True
    named: bool = True


_PLANS: dict[Kind, _Plan] = {
    "merge-outside-forge": _Plan(by_forge=False),
    "assessed-late": _Plan(assessed=60.0),
    "other-tree": _Plan(other_tree=True),
    "other-policy": _Plan(policy=OTHER_POLICY),
    "merged-while-held": _Plan(verdict="hold"),
    "no-approval": _Plan(approvals=0),
    "too-few-approvals": _Plan(asked=2),
    "stale-approval": _Plan(approved_tree=False),
    "expired-approval": _Plan(expires=-60.0),
    "withdrawn-approval": _Plan(withdrawn=-30.0),
    "revoked-key": _Plan(key=STOLEN),
    "approval-after-merge": _Plan(approved=120.0),
    "self-approval": _Plan(person="maker"),
    "bot-approval": _Plan(person=BOT),
    "no-tests": _Plan(tests=""),
    "failed-tests": _Plan(tests="FAILED"),
    "unknown-provenance": _Plan(provenance=False),
    "break-glass": _Plan(verdict="hold", approved=2 * DAY, glass=(-300.0, DAY)),
    "break-glass-unconfirmed": _Plan(declared=True),
    "break-glass-expired": _Plan(glass=(-DAY, -60.0)),
    "deployed-early": _Plan(deployed=-60.0),
    "deployed-without-decision": _Plan(named=False),
}
"""`late-review` comes with a `break-glass`, and the others are no matter of a plan."""


class _Making:
    def __init__(self, changes: int, kinds: Sequence[Kind], seed: int, every: int) -> None:
        self._changes = changes
        self._kinds = kinds
        self._every = every
        self._random = random.Random(seed)
        self._statements: list[tuple[float, int, Callable[[], Predicate], tuple[str, ...]]] = []
        self._refs: dict[str, tuple[int, str]] = {}
        self._commits: list[Commit] = [Commit(self._oid("root"), self._oid("tree"), (), BEGIN - 2 * DAY)]
        self._merges: list[Merge] = []
        self._emergencies: list[Emergency] = []
        self._planted: list[Planted] = []
        self._absent: set[str] = set()
        self._unrecorded: list[str] = []
        self._end = BEGIN + (changes + 1) * GAP

    def made(self) -> Made:
        self._say(BEGIN - 3 * DAY, lambda: PolicyChange(repository=REPOSITORY, after=POLICY, at=_time(BEGIN - 3 * DAY)))
        said = BEGIN - DAY
        self._say(
            said,
            lambda: SampleSeed(audit="bench", seed="c" * 64, begin=_time(BEGIN), end=_time(self._end), at=_time(said)),
        )
        self._say(
            BEGIN - 100,
            lambda: Revocation(what="key", key=STOLEN, person=_person(1), reason=WHY, at=_time(BEGIN - 100)),
        )
        for number in range(1, self._changes + 1):
            turn = number // self._every
            planted = self._kinds[(turn - 1) % len(self._kinds)] if self._kinds and number % self._every == 0 else None
            self._change(number, planted)
        return self._signed()

    def _change(self, number: int, planted: Kind | None) -> None:
        at = BEGIN + number * GAP
        if planted in LOOSE:
            self._loose(planted, at)
        if planted in ("direct-push", "not-assessed"):
            plan = _Plan(in_ledger=False, by_forge=planted == "not-assessed")
        elif planted == "late-review":
            plan = structs.replace(_PLANS["break-glass"], approved=9 * DAY)
        else:
            plan = _PLANS.get(planted, _Plan()) if planted is not None else _Plan()
        oid, head, merge_tree, base = self._land(number, at, plan)
        if planted is not None and planted not in LOOSE:
            self._planted.append(Planted(planted, oid))
            if planted == "late-review":
                self._planted.append(Planted("break-glass", oid))
        if planted == "direct-push":
            return
        self._statements_of(number, at, plan, (oid, head, merge_tree, base))

    def _land(self, number: int, at: float, plan: _Plan) -> tuple[str, str, str, str]:
        """Merge, squash, rebase, or a branch that is moved on."""
        before = self._commits[-1]
        tree, head = self._oid(f"tree {number}"), self._oid(f"head {number}")
        how = ("merge", "squash", "rebase", "forward")[self._random.randrange(4)] if plan.in_ledger else "squash"
        if not plan.by_forge and how == "rebase":
            how = "squash"
        landed: tuple[str, ...] = ()
        oid = head if how == "forward" else self._oid(f"commit {number}")
        parent = before.oid
        if how in ("rebase", "forward"):
            first = self._oid(f"first {number}")
            self._commits.append(Commit(first, self._oid(f"first tree {number}"), (parent,), at - 5))
            parent, landed = first, (first,) if how == "rebase" else ()
        parents = (parent, head) if how == "merge" else (parent,)
        self._commits.append(Commit(oid, tree, parents, at))
        if plan.by_forge:
            self._merges.append(
                Merge(
                    number=number,
                    target=REF,
                    head=head,
                    commit=oid,
                    at=at,
                    makers=(_person(number * 3 + 10),),
                    landed=landed,
                    title=f"Change {number}",
                )
            )
        return oid, head, self._oid(f"elsewhere {number}") if plan.other_tree else tree, before.oid

    def _statements_of(self, number: int, at: float, plan: _Plan, names: tuple[str, str, str, str]) -> None:
        oid, head, tree, base = names
        bound: dict[str, Any] = {
            "repository": REPOSITORY,
            "target": REF,
            "base": base,
            "head": head,
            "merge_tree": tree,
        }
        merged_tree = self._commits[-1].tree
        if plan.in_ledger:
            made_at = at + plan.assessed
            self._say(
                made_at,
                lambda: Assessment(
                    **bound,
                    policy=plan.policy,
                    facts="d" * 64,
                    verdict=plan.verdict,
                    tool="tidegate",
                    obligations=(f"approve:{plan.asked}",),
                    at=_time(made_at),
                ),
                name=f"decision {number}",
            )
        for which in range(plan.approvals):
            self._approve(number * 3 + which, at, plan, {**bound, "merge_tree": merged_tree})
        if result := plan.tests:
            self._say(
                at - 800,
                lambda: TestResult(result=result, configuration=(Resource(name="ci", digest={"gitBlob": head}),)),
                digests=(head,),
            )
        if plan.provenance:
            self._say(at - 1000, lambda: _provenance(at, base, _person(number * 3 + 11)), digests=(head,))
        if plan.glass is not None:
            begin, end = (at + each for each in plan.glass)
            self._say(begin, lambda: _glass(head, merged_tree, begin, end))
        if plan.declared:
            self._emergencies.append(Emergency(head, at - 200, confirmed=False))
        if plan.in_ledger and (number % 2 == 0 or plan.deployed < 0 or not plan.named):
            deployed = at + plan.deployed
            name = f"decision {number}" if plan.named else ""
            self._say(deployed, lambda: self._deployment(oid, deployed, name))

    def _approve(self, number: int, at: float, plan: _Plan, bound: dict[str, Any]) -> None:
        person = {"": _person(5_000_000 + number), "maker": _person(number + 11)}.get(plan.person, plan.person)
        said = at + plan.approved
        tree = bound["merge_tree"] if plan.approved_tree else self._oid(f"stale {number}")
        expires = max(at + plan.expires, said + 60) if plan.expires > 0 else at + plan.expires
        question = {**bound, "merge_tree": tree, "policy": plan.policy, "facts": "d" * 64, "stage": "merge"}
        self._say(
            said,
            lambda: Question(**question, person=person, at=_time(said), expires=_time(expires)).answered(
                "sk-ssh", plan.key, WHY
            ),
            name=f"approval {number}",
        )
        if plan.withdrawn is not None:
            back = at + plan.withdrawn
            self._say(back, lambda: self._revocation(f"approval {number}", person, back))

    def _loose(self, kind: Kind, at: float) -> None:
        self._planted.append(Planted(kind, ""))
        gone = self._oid(f"gone {at}")
        if kind == "ledger-gap":
            self._unrecorded.append(gone)
            return
        self._absent.add(gone)
        if kind == "deployed-unknown":
            self._say(at, lambda: self._deployment(gone, at, ""))
        else:
            self._merges.append(Merge(number=int(at), target=REF, head=self._oid(f"its head {at}"), commit=gone, at=at))

    def _deployment(self, oid: str, at: float, decision: str) -> Deployment:
        entry = EntryRef(index=self._refs[decision][0], leaf=self._refs[decision][1]) if decision else None
        return Deployment(
            repository=REPOSITORY,
            commit=oid,
            environment="production",
            result="succeeded",
            at=_time(at),
            decision=entry,
        )

    def _revocation(self, name: str, person: str, at: float) -> Revocation:
        entry = EntryRef(index=self._refs[name][0], leaf=self._refs[name][1])
        return Revocation(what="approval", person=person, at=_time(at), reason=WHY, entry=entry)

    def _say(
        self, at: float, predicate: Callable[[], Predicate], *, name: str = "", digests: tuple[str, ...] = ()
    ) -> None:
        self._statements.append((at, len(self._statements), predicate, (name, *digests)))

    def _signed(self) -> Made:
        """Signs in the order of time, because a statement may name the entry of an earlier one."""
        envelopes: list[bytes] = []
        seed_entry = 0
        for _, _, predicate, (name, *digests) in sorted(self._statements, key=lambda each: each[:2]):
            says = predicate()
            subjects = tuple(Subject(digest={"gitCommit": digest}) for digest in digests or (self._oid("subject"),))
            envelope = sign_statement(Statement(subjects, says), [KEY])
            if name:
                self._refs[name] = (len(envelopes), leaf_hash(envelope).hex())
            if isinstance(says, SampleSeed):
                seed_entry = len(envelopes)
            envelopes.append(envelope)
        world = World(
            repository=REPOSITORY,
            branches=(Branch(REF, tuple(self._commits), frozenset(self._absent)),),
            merges=tuple(self._merges),
            emergencies=tuple(self._emergencies),
            bots=frozenset((BOT,)),
            unrecorded=tuple(self._unrecorded),
        )
        period = Period(float(int(BEGIN)), float(int(self._end)), self._end + 30 * DAY)
        return Made(world, tuple(envelopes), tuple(self._planted), period, seed_entry)

    def _oid(self, name: str) -> str:
        return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def _person(number: int) -> str:
    return f"person:{number + 1000:032x}"


def _time(seconds: float) -> str:
    return format_time(int(seconds))


def _glass(head: str, tree: str, begin: float, end: float) -> BreakGlass:
    return BreakGlass(
        repository=REPOSITORY,
        target=REF,
        head=head,
        merge_tree=tree,
        people=(_person(1), _person(2)),
        waived=("tests",),
        reason=WHY,
        at=_time(begin),
        expires=_time(end),
    )


def _provenance(at: float, base: str, requester: str) -> AgentProvenance:
    task = Task(prompt=WHY, requester=requester, repository=REPOSITORY, base=Resource(digest={"gitCommit": base}))
    return AgentProvenance(
        build_definition=BuildDefinition(
            external_parameters=task, internal_parameters=Run(agent="agent", model="model", session=WHY)
        ),
        run_details=RunDetails(
            builder=Builder(id="urn:tidegate:recorder"),
            metadata=Metadata(started_on=_time(at - 2000), finished_on=_time(at - 1000)),
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
