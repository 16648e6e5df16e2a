"""Commits that agents wrote are entries of the ledger, once each, before the decision that follows from them."""

from __future__ import annotations

from pathlib import Path

from tests.server.test_work_journey import SLUG, make_place
from tidegate.ledger.keys import PublicKey, read_software_key
from tidegate.ledger.predicates.provenance import AgentProvenance
from tidegate.ledger.statements import open_entry
from tidegate.server.pseudonyms import whose
from tidegate.server.service import Service
from tidegate.server.work.record import uri_of

CLAUDE = "\n\nCo-authored-by: Claude Opus 4.5 <noreply@anthropic.com>"


def test_an_agents_commit_is_on_record_once(service: Service, tmp_path: Path) -> None:
    place = make_place(service, tmp_path)
    place.repo.git("checkout", "-q", "topic")
    wrote = place.repo.commit(f"Add a sum{CLAUDE}", {"sum.py": "def add(a, b):\n    return a + b\n"})
    place.forge.put(SLUG, 1, {"head": wrote})
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    human = place.repo.commit("Say more", {"more.md": "More.\n"})
    place.forge.put(SLUG, 1, {"head": human})
    place.deliver(place.forge.pull_delivery("d2", SLUG, 1, "synchronize"))
    place.work()
    assert len(place.decisions()) == 2
    log = place.service.log
    assert log.size() == 6, "one for the agent, two for each decision, and one for the policy"
    entry = log.entry(0)
    assert entry is not None
    _, _, signer = read_software_key(place.service.config.data / "ledger.key")
    said, _ = open_entry(entry.envelope, [PublicKey(signer.algorithm, signer.public_key)])
    assert isinstance(said.predicate, AgentProvenance)
    assert said.subjects[0].digest == {"gitCommit": wrote}
    run, task = said.predicate.build_definition.internal_parameters, said.predicate.build_definition.external_parameters
    assert (run.agent, run.model, run.evidence) == ("claude", "Claude-Opus-4.5", "E2")
    assert (task.repository, task.prompt) == (uri_of(place.repository), "")
    with place.service.database.read() as connection:
        assert whose(connection, "alice@example.com") == (task.requester,), "whoever made the commit answers for it"
    assert task.base.digest == {"gitCommit": place.repo.head("main")}
