"""Every commit is joined or named: planted exceptions are found and nothing else, and tricks do not hide any."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import pytest
from bench.ledger.population import KEY, KINDS, PUBLIC, REF, REPOSITORY, Made, Planted, found_in, make
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tidegate.errors import InputError
from tidegate.ledger.evidence.kinds import SENTENCES, Kind
from tidegate.ledger.evidence.population import named_commits, reconcile
from tidegate.ledger.evidence.record import Record, read_record
from tidegate.ledger.evidence.sample import draw
from tidegate.ledger.evidence.values import Branch, Click, Commit, Expect, Merge, Population, World
from tidegate.ledger.fields import EntryRef, Subject
from tidegate.ledger.keys import SoftwareKey
from tidegate.ledger.merkle import leaf_hash
from tidegate.ledger.predicates.gate import Gate
from tidegate.ledger.predicates.sample_seed import SampleSeed
from tidegate.ledger.statements import Statement, sign_statement


def record_of(made: Made, envelopes: Sequence[tuple[int, bytes]] | None = None) -> Record:
    return read_record(enumerate(made.envelopes) if envelopes is None else envelopes, [PUBLIC], REPOSITORY)


def population_of(made: Made, world: World | None = None, expect: Expect | None = None) -> Population:
    return reconcile(record_of(made), world or made.world, made.period, expect)


def commits_of(made: Made) -> tuple[Commit, ...]:
    return made.world.branches[0].commits


def with_commits(made: Made, commits: Sequence[Commit], **changed: object) -> World:
    return structs.replace(made.world, branches=(Branch(REF, tuple(commits)),), **changed)


def kinds_of(population: Population) -> Counter[Kind]:
    return Counter(each.kind for each in found_in(population))


def after(commit: Commit, name: str, **changed: object) -> Commit:
    """Somebody's own commit on top of this one."""
    oid, tree = (hashlib.sha1(f"{kind} {name}".encode()).hexdigest() for kind in ("oid", "tree"))
    return structs.replace(Commit(oid, tree, (commit.oid,), commit.at + 1), **changed)


HONEST = make(24, ())


def test_every_kind_has_a_sentence() -> None:
    assert set(SENTENCES) == set(KINDS)
    assert len(KINDS) >= 20


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_each_kind_is_found_and_nothing_else(kind: Kind) -> None:
    made = make(12, (kind,), every=6)
    assert kind in {planted.kind for planted in made.planted}
    assert Counter(found_in(population_of(made))) == Counter(made.planted)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.sampled_from(KINDS), min_size=1, max_size=8), st.integers(1, 4))
def test_any_mixture_is_found_and_nothing_else(seed: int, kinds: list[Kind], every: int) -> None:
    made = make(20, kinds, seed=seed, every=every)
    assert Counter(found_in(population_of(made))) == Counter(made.planted)


def test_every_commit_is_listed_once() -> None:
    population = population_of(HONEST)
    assert [item.commit for item in population.items] == [commit.oid for commit in commits_of(HONEST)[1:]]
    assert population.count == 0
    assert [leg.total == leg.matched for leg in population.legs] == [True] * 4


def test_a_push_that_bears_a_date_outside_the_period_is_still_in_it() -> None:
    commits = list(commits_of(HONEST))
    at = next(at for at in range(10, len(commits)) if commits[at].oid in {m.commit for m in HONEST.world.merges or ()})
    for number, date in enumerate((0.0, 4e9)):
        pushed = after(commits[at], f"dated {number}", at=date)
        world = with_commits(HONEST, [*commits[: at + 1], pushed, *commits[at + 1 :]])
        population = population_of(HONEST, world)
        assert found_in(population) == [Planted("direct-push", pushed.oid)]
        assert next(item for item in population.items if item.commit == pushed.oid).at_from == "neighbours"


def test_a_push_that_brings_back_a_tree_that_was_decided_before_is_a_push() -> None:
    commits = list(commits_of(HONEST))
    back = after(commits[-1], "revert", tree=commits[6].tree)
    assert found_in(population_of(HONEST, with_commits(HONEST, [*commits, back]))) == [Planted("direct-push", back.oid)]
    unasked = with_commits(HONEST, [*commits, back], merges=None)
    assert Planted("direct-push", back.oid) in found_in(population_of(HONEST, unasked))


def test_a_push_among_the_commits_of_a_rebase_is_not_taken_for_one_of_them() -> None:
    merge = next(merge for merge in HONEST.world.merges or () if merge.landed)
    commits = list(commits_of(HONEST))
    at = next(at for at, commit in enumerate(commits) if commit.oid == merge.landed[0])
    pushed = after(commits[at], "between")
    world = with_commits(HONEST, [*commits[: at + 1], pushed, *commits[at + 1 :]])
    assert found_in(population_of(HONEST, world)) == [Planted("direct-push", pushed.oid)]


def test_a_merge_of_what_nobody_knows_is_a_push() -> None:
    commits = commits_of(HONEST)
    merged = after(commits[-1], "merge", parents=(commits[-1].oid, "f" * 40))
    assert found_in(population_of(HONEST, with_commits(HONEST, [*commits, merged]))) == [
        Planted("direct-push", merged.oid)
    ]


def test_without_the_forge_its_word_is_not_collected_and_the_rest_is_found() -> None:
    made = make(30, ("direct-push", "merged-while-held", "no-tests"), every=3)
    population = population_of(made, structs.replace(made.world, merges=None))
    forge = next(leg for leg in population.legs if leg.name.startswith("forge"))
    assert (forge.total, forge.matched) == (None, None)
    rebased = sum(len(merge.landed) for merge in made.world.merges or ())
    planted = Counter(planted.kind for planted in made.planted)
    assert kinds_of(population) == planted + Counter({"direct-push": rebased})


def test_a_forge_that_does_not_say_which_commit_a_merge_became_is_matched_by_the_head() -> None:
    merges = tuple(structs.replace(merge, commit="", landed=()) for merge in HONEST.world.merges or ())
    found = kinds_of(population_of(HONEST, structs.replace(HONEST.world, merges=merges)))
    landed = sum(len(merge.landed) for merge in HONEST.world.merges or ())
    assert found == Counter({"direct-push": landed} if landed else {})


def test_what_was_deployed_and_not_collected_differ() -> None:
    made = make(3, (), every=100)
    kept = [envelope for envelope in made.envelopes if b'"deployment' not in envelope]
    deployments = {noted.index for noted in record_of(made).deployments}
    without = [each for each in enumerate(made.envelopes) if each[0] not in deployments]
    assert kept
    population = reconcile(
        record_of(made, [(at, envelope) for at, (_, envelope) in enumerate(without)]), made.world, made.period
    )
    assert next(leg for leg in population.legs if leg.name == "deployments").total is None


def test_an_entry_that_nobody_trusted_signed_is_a_gap_and_proves_nothing() -> None:
    stranger = SoftwareKey("ed25519", b"x" * 32)
    seed = SampleSeed(
        audit="a", seed="c" * 64, begin="2026-01-01T00:00:00Z", end="2027-01-01T00:00:00Z", at="2026-01-01T00:00:00Z"
    )
    forged = sign_statement(Statement((Subject(digest={"gitCommit": "a" * 40}),), seed), [stranger])
    record = record_of(HONEST, [*enumerate(HONEST.envelopes), (len(HONEST.envelopes), forged)])
    population = reconcile(record, HONEST.world, HONEST.period)
    assert found_in(population) == [Planted("ledger-gap", "")]
    assert len(HONEST.envelopes) not in record.seeds


def test_a_missing_entry_is_a_gap() -> None:
    record = record_of(HONEST, [each for each in enumerate(HONEST.envelopes) if each[0] != 1])
    assert "ledger-gap" in kinds_of(reconcile(record, HONEST.world, HONEST.period))


def test_more_approvals_can_be_asked_for_than_the_policy_asks() -> None:
    found = kinds_of(population_of(HONEST, expect=Expect(approvals=2)))
    assert found == Counter({"too-few-approvals": len(HONEST.world.merges or ())})


def test_the_maker_of_a_change_is_also_who_asked_the_agent_for_it() -> None:
    """The forge names no maker; the provenance names who gave the task."""
    made = make(12, ("self-approval",), every=4)
    world = structs.replace(
        made.world, merges=tuple(structs.replace(merge, makers=()) for merge in made.world.merges or ())
    )
    assert kinds_of(population_of(made, world)) == Counter({"self-approval": 3})


def test_what_was_merged_and_is_gone_is_asked_of_git() -> None:
    gone = Merge(number=9, target=REF, head="1" * 40, commit="2" * 40, at=HONEST.period.begin + 5)
    world = structs.replace(HONEST.world, merges=(*(HONEST.world.merges or ()), gone))
    named = named_commits(record_of(HONEST), world)
    assert gone.commit in named
    branch = structs.replace(world.branches[0], absent=frozenset((gone.commit,)))
    assert kinds_of(population_of(HONEST, structs.replace(world, branches=(branch,)))) == {"history-rewritten": 1}


class TestSample:
    record = record_of(HONEST)
    population = population_of(HONEST)

    def test_the_same_seed_draws_the_same(self) -> None:
        drawn = draw(self.population, self.record, HONEST.seed_entry, 7)
        assert len(drawn.items) == 7
        assert draw(self.population, self.record, HONEST.seed_entry, 7) == drawn
        fewer = draw(self.population, self.record, HONEST.seed_entry, 3)
        assert fewer.items == drawn.items[:3]

    def test_one_commit_more_or_less_moves_no_other(self) -> None:
        drawn = draw(self.population, self.record, HONEST.seed_entry, 7).items
        without = structs.replace(
            self.population, items=tuple(item for item in self.population.items if item != drawn[3])
        )
        assert draw(without, self.record, HONEST.seed_entry, 6).items == (*drawn[:3], *drawn[4:])

    def test_a_seed_is_for_its_period_and_an_entry_of_its_kind(self) -> None:
        other = structs.replace(self.population, period=structs.replace(HONEST.period, begin=5.0))
        with pytest.raises(InputError, match="the seed is for the period"):
            draw(other, self.record, HONEST.seed_entry, 3)
        with pytest.raises(InputError, match="no seed"):
            draw(self.population, self.record, HONEST.seed_entry + 1, 3)

    def test_a_secret_must_be_the_one_on_record(self) -> None:
        with pytest.raises(InputError, match="not the secret"):
            draw(self.population, self.record, HONEST.seed_entry, 3, secret="guess")
        noted = self.record.seeds[HONEST.seed_entry]
        digest = hashlib.sha256(b"auditor's").hexdigest()
        seeds = {HONEST.seed_entry: structs.replace(noted, says=structs.replace(noted.says, seed=digest))}
        drawn = draw(
            self.population,
            structs.replace(self.record, seeds=seeds),
            HONEST.seed_entry,
            7,
            secret="auditor's",
        )
        assert drawn.revealed == "auditor's"
        assert drawn.items != draw(self.population, self.record, HONEST.seed_entry, 7).items


def test_the_made_history_is_signed_by_one_key() -> None:
    assert PUBLIC.data == KEY.public_key


def test_of_a_change_that_landed_as_several_commits_the_last_one_is_drawn() -> None:
    parts = [item for item in TestSample.population.items if item.part_of]
    assert parts
    assert {item.part_of for item in parts} <= {item.commit for item in TestSample.population.items}
    drawn = draw(TestSample.population, TestSample.record, HONEST.seed_entry, 1000)
    assert len(drawn.items) == len(TestSample.population.items) - len(parts)


class TestClicks:
    """Approvals at the forge alone: they count for their head, and never by a machine, a maker or too late."""

    made = make(8, ("no-approval",), every=8)

    def found(self, *clicks: Click) -> Population:
        last = (self.made.world.merges or ())[-1]
        merges = (*(self.made.world.merges or ())[:-1], structs.replace(last, clicks=clicks, makers=("name:ann",)))
        return population_of(self.made, structs.replace(self.made.world, merges=merges))

    def test_one_of_this_head_in_time_counts(self) -> None:
        last = (self.made.world.merges or ())[-1]
        population = self.found(Click("name:bob", last.head, last.at - 5))
        assert kinds_of(population) == {}
        assert population.items[-1].clicks == 1

    @pytest.mark.parametrize(
        ("person", "head", "late", "bot", "kind"),
        [
            ("name:bob", "0" * 40, -5, False, "stale-approval"),
            ("name:bob", "", 5, False, "approval-after-merge"),
            ("name:ci", "", -5, True, "bot-approval"),
            ("name:ann", "", -5, False, "self-approval"),
            ("", "", -5, False, "no-approval"),
        ],
    )
    def test_what_does_not_count_is_named(self, person: str, head: str, late: float, bot: bool, kind: Kind) -> None:
        last = (self.made.world.merges or ())[-1]
        assert kinds_of(self.found(Click(person, head or last.head, last.at + late, bot))) == {kind: 1}


@pytest.mark.parametrize(
    ("changed", "exceptions"),
    [
        ({}, 0),
        ({"environment": "staging"}, 1),
        ({"outcome": "hold", "unmet": ("freeze",)}, 1),
        ({"commit": "9" * 40}, 1),
        ({"at": "2026-12-31T00:00:00Z"}, 1),
        ({"recorded": "2026-12-31T00:00:00Z"}, 1),
    ],
    ids=repr,
)
def test_a_deployment_rests_on_the_pass_of_a_gate_before_it(changed: dict[str, object], exceptions: int) -> None:
    noted = record_of(HONEST).deployments[-1]
    gate = Gate(
        repository=REPOSITORY,
        commit=noted.says.commit,
        environment="production",
        outcome="pass",
        decision="d" * 64,
        tool="tidegate/1",
        at=noted.says.at,
        rules="e" * 64,
    )
    subject = Subject(digest={"gitCommit": noted.says.commit})
    answered = sign_statement(Statement((subject,), structs.replace(gate, **changed)), [KEY])
    rests = EntryRef(index=len(HONEST.envelopes), leaf=leaf_hash(answered).hex())
    said = structs.replace(noted.says, environment="production", decision=rests, result="started")
    told = sign_statement(Statement((subject,), said), [KEY])
    made = structs.replace(HONEST, envelopes=(*HONEST.envelopes, answered, told))
    found = kinds_of(population_of(made))
    assert found == Counter({"deployed-without-decision": exceptions} if exceptions else {})
