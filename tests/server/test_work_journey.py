"""From a delivery to a decision: every path, one step after the other in this process, with real analyses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace

from tests.repos import Repo, build
from tests.server.paper_forge import PaperForge
from tidegate.ledger.keys import PublicKey, read_software_key
from tidegate.ledger.predicates.assessment import Assessment as AssessmentStatement
from tidegate.ledger.predicates.vsa import VerificationSummary
from tidegate.ledger.statements import open_entry
from tidegate.server.config import Limits
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.values import Refusal
from tidegate.server.mirrors import Mirrors
from tidegate.server.service import Service
from tidegate.server.work import journey
from tidegate.server.work.analysis import Analysis, analyse
from tidegate.server.work.errands import Errands
from tidegate.server.work.journey import Way, decide
from tidegate.server.work.questions import Ask
from tidegate.server.work.record import put_entries, read_document
from tidegate.server.work.say import say
from tidegate.store import assessments, changes, inbox, publications, repositories
from tidegate.store.assessments import Assessment
from tidegate.store.changes import Change
from tidegate.store.inbox import Received
from tidegate.store.repositories import NewRepository, Repository

SLUG = "acme/shop"


class Place(Struct, frozen=True):
    """A service that looks after one repository of a forge, and a worker's steps."""

    way: Way
    forge: PaperForge
    repo: Repo
    repository: Repository
    errands: Errands

    @property
    def service(self) -> Service:
        return self.way.service

    def deliver(self, sent: tuple[Mapping[str, str], bytes]) -> bool:
        """As the webhook does it: whether it is new."""
        opened = self.forge.open(*sent)
        assert not isinstance(opened, Refusal)
        kept = inbox.Delivery("github", opened.id, opened.event, opened.slug, msgspec.json.encode(opened))
        return self.service.database.change(lambda connection: inbox.receive(connection, kept, self.service.now()))

    def work(self) -> None:
        """Does all that waits, as a worker does it but without its threads."""
        while groups := self._claim():
            for group in groups:
                self.run([each.id for each in group])

    def run(self, identifiers: Sequence[int]) -> None:
        found = self.errands.look(identifiers)
        done = [self.errands.attend(errand) for errand in found["errands"]]
        told = [self.errands.tell(each) for each in done if "change" in each]
        self.errands.end(identifiers, [found, *done, *told])

    def pull(self, number: int = 1) -> Change:
        with self.service.database.read() as connection:
            found = changes.find(connection, self.repository.id, number)
        assert found is not None
        return found

    def decisions(self, number: int = 1) -> tuple[Assessment, ...]:
        """The newest first."""
        with self.service.database.read() as connection:
            return assessments.of_change(connection, self.pull(number).id)

    def delivery(self, guid: str) -> Received:
        with self.service.database.read() as connection:
            found = inbox.find(connection, "github", guid)
        assert found is not None
        return found

    def _claim(self) -> list[list[Received]]:
        now = self.service.now()
        taken = self.service.database.change(lambda connection: inbox.claim(connection, "w", now, most=100))
        return self.errands.grouped(taken)


@pytest.fixture
def place(service: Service, tmp_path: Path) -> Place:
    """Pull request 1 of a small change."""
    return make_place(service, tmp_path)


def make_place(service: Service, tmp_path: Path) -> Place:
    forge = PaperForge(tmp_path / "forge")
    repo = build(
        tmp_path / "source",
        """
        commit Begin
          file app.py
            . x = 1
        branch topic
        commit Explain x
          file README.md
            . This is x.
        checkout main
        """,
    )
    forge.add(SLUG, repo)
    forge.open_pull(SLUG, 1, repo.head("topic"))
    config = replace(service.config, limits=replace(service.config.limits, seconds=60))
    found = replace(service, forges={"github": forge}, config=config)
    way = Way(found, Mirrors(tmp_path / "mirrors", frozenset(("file",))))
    with found.database.write() as connection:
        repository = repositories.add(connection, NewRepository("github", SLUG, "", "main"), found.now())
    return Place(way, forge, repo, repository, Errands(way, "w"))


def test_a_delivery_becomes_a_decision_in_the_ledger_and_at_the_forge(place: Place) -> None:
    assert place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    (made,) = place.decisions()
    head = place.repo.head("topic")
    assert (made.head, made.base) == (head, place.repo.head("main"))
    assert made.merge_tree == place.repo.head("topic^{tree}")
    check = place.forge.check_of(head)
    assert check is not None
    assert check["conclusion"] == {"pass": "success", "hold": "action_required", "block": "failure"}[made.verdict]
    assert len(place.forge.said("comment")) == 1
    assert place.delivery("d1").state == "done"
    summary = place.service.log.find(f"decision:{made.key}")
    assert summary is not None
    assert summary.index == made.entry
    _, _, signer = read_software_key(place.service.config.data / "ledger.key")
    statement, _ = open_entry(summary.envelope, [PublicKey(signer.algorithm, signer.public_key)])
    assert isinstance(statement.predicate, VerificationSummary)
    assert statement.subjects[0].digest == {"gitCommit": head}
    assert statement.predicate.policy.digest == {"sha256": made.policy}
    assert (statement.predicate.verification_result == "PASSED") == (made.verdict == "pass")
    found = place.service.log.find(f"assessment:{made.key}")
    assert found is not None
    told, _ = open_entry(found.envelope, [PublicKey(signer.algorithm, signer.public_key)])
    assert isinstance(told.predicate, AssessmentStatement)
    assert (told.predicate.facts, told.predicate.merge_tree) == (made.facts, made.merge_tree)


def test_the_same_and_duplicates_are_one_decision(place: Place) -> None:
    assert place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    assert not place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    place.deliver(place.forge.pull_delivery("d2", SLUG, 1, "edited"))
    place.work()
    other = replace(place, errands=Errands(Way(place.service, place.way.mirrors), "other"))  # remembers nothing
    other.deliver(place.forge.pull_delivery("d3", SLUG, 1, "labeled"))
    other.work()
    assert len(place.decisions()) == 1
    assert place.service.log.size() == 3
    assert len(place.forge.said()) == 1
    assert len(place.forge.said("comment")) == 1


def test_a_push_is_another_decision_and_an_older_message_changes_nothing(place: Place) -> None:
    early = place.forge.pull_delivery("early", SLUG, 1)
    place.repo.git("checkout", "-q", "topic")
    pushed = place.repo.commit("Go on", {"more.md": "More.\n"})
    place.forge.put(SLUG, 1, {"head": pushed})
    place.deliver(place.forge.pull_delivery("late", SLUG, 1, "synchronize"))
    place.work()
    place.deliver(early)
    place.work()
    assert [each.head for each in place.decisions()] == [pushed]
    assert place.pull().head == pushed


@pytest.mark.slow
def test_a_head_that_comes_back_is_decided_again_and_stays_the_last(place: Place) -> None:
    first = place.repo.head("topic")
    place.repo.git("checkout", "-q", "-B", "other", "main")
    second = place.repo.commit("Another way", {"other.md": "Other.\n"})
    for number, head in enumerate((first, second, first, first)):
        place.forge.put(SLUG, 1, {"head": head})
        place.deliver(place.forge.pull_delivery(f"d{number}", SLUG, 1, "synchronize"))
        place.work()
    assert [each.head for each in place.decisions()] == [first, second, first]


def test_a_review_is_evidence_and_makes_another_decision(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    place.forge.review(SLUG, 1, "ben")
    review = place.forge.delivery("r1", "pull_request_review", SLUG, action="submitted", pull_request={"number": 1})
    place.deliver(review)
    place.work()
    last, first = place.decisions()
    assert last.key != first.key
    with place.service.database.read() as connection:
        kept = assessments.document(connection, last.id)
    assert kept is not None
    assert [each.account for each in read_document(kept).facts.review.reviews] == ["ben"]


@pytest.mark.slow
def test_another_target_is_another_decision(place: Place) -> None:
    place.repo.git("branch", "release", "main")
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    place.forge.put(SLUG, 1, {"target": "release"})
    place.deliver(place.forge.pull_delivery("d2", SLUG, 1, "edited"))
    place.work()
    assert len(place.decisions()) == 2
    assert place.pull().target == "release"


@pytest.mark.parametrize("state", ["closed", "merged"])
def test_what_is_not_open_is_kept_and_not_decided(place: Place, state: str) -> None:
    place.forge.put(SLUG, 1, {"state": state})
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1, "closed"))
    place.work()
    assert place.pull().state == state
    assert place.decisions() == ()
    assert place.forge.said() == []


@pytest.mark.slow
def test_a_wish_for_another_run_is_one_more_decision_for_each_wish(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    head = place.repo.head("topic")
    run = {"head_sha": head, "name": "tidegate", "app": {"id": 1}, "pull_requests": []}
    for _ in range(2):
        place.deliver(place.forge.delivery("again", "check_run", SLUG, action="rerequested", check_run=run))
        place.work()
    assert len(place.decisions()) == 2
    assert len(place.forge.said()) == 2


def test_a_status_of_our_name_by_others_is_overruled_and_kept(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    head = place.repo.head("topic")
    place.forge.change_state("forged", {f"{SLUG}@{head}": ["a status by mallory (success)"]})
    place.deliver(place.forge.delivery("claim", "status", SLUG, sha=head, context="tidegate", state="success"))
    place.work()
    assert len(place.decisions()) == 1
    assert len(place.forge.said()) == 2  # said again
    assert json.loads(place.pull().forge_state)["forged"] == ["a status by mallory (success)"]


def test_a_new_policy_of_the_target_judges_open_changes_anew(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    place.repo.git("checkout", "-q", "main")
    place.repo.commit("Say more", {"more.md": "More.\n"})
    push = {"ref": "refs/heads/main", "after": place.repo.head("main")}
    place.deliver(place.forge.delivery("p1", "push", SLUG, **push))
    place.work()
    assert len(place.decisions()) == 1  # the policy is what it was
    place.repo.commit("Turn a rule into a note", {"tidegate.toml": '[policy]\npack = "none"\n'})
    place.deliver(place.forge.delivery("p2", "push", SLUG, ref="refs/heads/main", after=place.repo.head("main")))
    place.work()
    assert len({each.policy for each in place.decisions()}) == 2
    assert place.decisions()[0].base == place.repo.head("main")


def test_a_group_of_the_merge_queue_passes_as_the_merge_of_what_passed(place: Place) -> None:
    place.repo.git("checkout", "-q", "main")
    place.repo.commit("Ask for nothing", {"tidegate.toml": '[policy]\npack = "none"\n'})
    place.forge.put(SLUG, 1, {})
    main, head = place.repo.head("main"), place.repo.head("topic")
    tree = place.repo.git("merge-tree", "--write-tree", main, head)
    good = place.repo.git("commit-tree", tree, "-p", main, "-p", head, "-m", "Merge #1")
    smuggled = place.repo.git("commit-tree", f"{main}^{{tree}}", "-p", main, "-p", head, "-m", "Merge #1")
    for guid, commit in (("g1", good), ("g2", smuggled)):
        ref = f"refs/heads/gh-readonly-queue/main/pr-1-{main}"
        place.repo.git("update-ref", ref, commit)
        group = {"head_sha": commit, "head_ref": ref, "base_sha": main}
        place.deliver(place.forge.delivery(guid, "merge_group", SLUG, action="checks_requested", merge_group=group))
        place.work()
    assert place.decisions()[0].verdict == "pass"
    answered = [place.forge.check_of(commit) for commit in (good, smuggled)]
    assert [each["conclusion"] for each in answered if each] == ["success", "action_required"]


@pytest.mark.slow
def test_a_group_of_a_change_that_is_held_is_held(place: Place) -> None:
    settings = '[[rule]]\nid = "ask"\ntitle = "Ask"\neffect = "hold"\nrequire = { approvals = 2 }\n'
    place.repo.git("checkout", "-q", "main")
    place.repo.commit("Ask", {"tidegate.toml": settings})
    place.forge.put(SLUG, 1, {})
    main, head = place.repo.head("main"), place.repo.head("topic")
    commit = place.repo.git(
        "commit-tree", place.repo.git("merge-tree", "--write-tree", main, head), "-p", main, "-p", head, "-m", "Merge"
    )
    ref = f"refs/heads/gh-readonly-queue/main/pr-1-{main}"
    place.repo.git("update-ref", ref, commit)
    group = {"head_sha": commit, "head_ref": ref, "base_sha": main}
    place.deliver(place.forge.delivery("g", "merge_group", SLUG, action="checks_requested", merge_group=group))
    place.work()
    assert place.decisions()[0].verdict == "hold"
    check = place.forge.check_of(commit)
    assert check is not None
    assert check["conclusion"] == "action_required"


def test_settings_that_are_broken_hold_with_the_reason(place: Place) -> None:
    place.repo.git("checkout", "-q", "main")
    place.repo.commit("Break the settings", {"tidegate.toml": "[policy\n"})
    place.forge.put(SLUG, 1, {})
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    (made,) = place.decisions()
    assert made.verdict == "hold"
    assert "tidegate.toml" in json.dumps(place.forge.check_of(made.head))
    assert made.entry is not None


def test_what_cannot_be_fetched_for_good_holds_with_the_reason(place: Place) -> None:
    blob = place.repo.git("hash-object", "-w", "--stdin", stdin=b"evil\n")
    tree = place.repo.git("mktree", stdin=f"100644 blob {blob}\t.git\n".encode())
    place.forge.put(SLUG, 1, {"head": place.repo.git("commit-tree", tree, "-p", "main", "-m", "Write into .git")})
    for guid in ("d1", "d2"):
        place.deliver(place.forge.pull_delivery(guid, SLUG, 1))
        place.work()
    (made,) = place.decisions()
    assert made.verdict == "hold"
    assert "damaged" in json.dumps(place.forge.check_of(made.head))


def test_a_forge_that_is_away_is_asked_again_later(place: Place) -> None:
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    (place.forge.folder / "down").touch()
    place.work()
    held = place.delivery("d1")
    assert (held.state, place.errands.waiting()) == ("taken", 1)
    (place.forge.folder / "down").unlink()
    place.run([held.id])
    assert place.delivery("d1").state == "done"
    assert len(place.decisions()) == 1


def test_what_never_succeeds_ends_as_failed_with_the_problem(place: Place) -> None:
    sent = place.forge.delivery("x", "pull_request", SLUG, action="opened", pull_request={"number": 99})
    place.deliver(sent)
    place.work()
    held = place.delivery("x")
    assert held.state == "failed"
    assert "not there" in (held.problem or "")


def test_poison_ends_after_some_tries_and_stops_no_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.forge.open_pull(SLUG, 2, place.repo.head("topic"))
    place.deliver(place.forge.pull_delivery("good", SLUG, 2))
    place.deliver(place.forge.pull_delivery("poison", SLUG, 1))
    real = place.forge.pull

    def pull(slug: str, number: int) -> object:
        if number == 1:
            raise ZeroDivisionError
        return real(slug, number)

    monkeypatch.setattr(place.forge, "pull", pull)
    place.work()
    assert place.delivery("good").state == "done"
    for _ in range(10):
        held = place.delivery("poison")
        if held.state == "failed":
            break
        with place.service.database.write() as connection:
            inbox.put_back(connection, held.id, held.problem)
        place.work()
    assert place.delivery("poison").state == "failed"
    assert place.delivery("poison").attempts == 6
    with place.service.database.read() as connection:
        assert inbox.counts(connection)["failed"] == 1


def test_nothing_is_done_for_what_is_not_ours(place: Place) -> None:
    with place.service.database.write() as connection:
        repositories.remove(connection, place.repository.id, place.service.now())
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.deliver(place.forge.delivery("d2", "star", SLUG, action="created"))
    place.work()
    assert {place.delivery(guid).state for guid in ("d1", "d2")} == {"ignored"}
    assert place.service.log.size() == 0


@pytest.mark.slow
def test_a_repository_comes_with_its_first_message_and_with_the_installation(place: Place, tmp_path: Path) -> None:
    repo = build(tmp_path / "second", "commit Begin\n  file a.py\n    . a = 1\n")
    place.forge.add("acme/second", repo)
    place.forge.open_pull("acme/second", 1, repo.head())
    place.deliver(place.forge.pull_delivery("d1", "acme/second", 1))
    place.forge.add("acme/third", repo)
    place.deliver(place.forge.delivery("d2", "installation", "acme/third", action="created"))
    place.work()
    with place.service.database.read() as connection:
        known = {each.slug for each in repositories.page(connection)}
    assert known == {SLUG, "acme/second", "acme/third"}


@pytest.mark.slow
def test_a_reader_who_was_overtaken_decides_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers read the change; the one that read first comes last to the record."""
    seen = []

    def slow(ask: Ask, limits: Limits) -> Analysis:
        seen.append(ask)
        if len(seen) == 1:  # meanwhile somebody else sees a new title, and is done before us
            place.forge.put(SLUG, 1, {"title": "A better title"})
            assert decide(place.way, place.repository, 1).ending == "decided"
        return analyse(ask, limits)

    monkeypatch.setattr(journey, "analyse", slow)
    assert decide(place.way, place.repository, 1).ending == "overtaken"
    (made,) = place.decisions()
    assert place.pull().title == "A better title"
    say(place.service, made.change)
    assert len(place.forge.said()) == 1


@pytest.mark.parametrize(
    "where",
    [
        "put_decision",
        "put_check",
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("changes.keep", "put_entries", "put_comment", "publications.sent", "inbox.finish")
        ),
    ],
)
def test_a_death_between_any_two_steps_costs_nothing(place: Place, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """What was done is there once, what was not done is done by the next."""
    owner, name = {
        "put_decision": (journey, "put_decision"),
        "put_entries": (journey, "put_entries"),
        "changes.keep": (changes, "keep"),
        "put_check": (place.forge, "put_check"),
        "put_comment": (place.forge, "put_comment"),
        "publications.sent": (publications, "sent"),
        "inbox.finish": (inbox, "finish"),
    }[where]
    real = getattr(owner, name)

    def dying(*arguments: object, **named: object) -> object:
        real(*arguments, **named)
        raise KeyboardInterrupt

    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying)
        with pytest.raises(KeyboardInterrupt):
            place.work()
    held = place.delivery("d1")
    place.run([held.id])
    assert place.delivery("d1").state == "done"
    (made,) = place.decisions()
    assert made.entry is not None
    assert place.service.log.size() == 3
    assert {check["key"] for check in place.forge.said()} == {made.key}
    assert len({comment["body"] for comment in place.forge.said("comment")}) == 1


def test_a_decision_without_entry_gets_the_same_entry_from_whoever_finds_it(place: Place) -> None:
    arrived = decide(place.way, place.repository, 1)
    made = arrived.assessment
    assert made is not None
    size = place.service.log.size()
    assert put_entries(place.service, replace(place.decisions()[0], entry=None)) == place.decisions()[0].entry
    assert place.service.log.size() == size


def test_a_forge_that_refuses_is_told_again_by_the_next(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise ForgeError("the rate limit is reached", retry_after=60)

    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    with monkeypatch.context() as patch:
        patch.setattr(place.forge, "put_check", refuse)
        place.work()
    assert place.delivery("d1").state == "taken"
    (made,) = place.decisions()
    assert say(place.service, made.change) == "said"
    assert place.forge.check_of(made.head) is not None
