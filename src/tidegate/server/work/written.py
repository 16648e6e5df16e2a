"""What the ledger says of commits that agents wrote: SLSA Provenance, once for each agent, session and commit.

The service did not watch the agent: it says what the evidence in the repository says, with its level.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from sqlalchemy import Connection

from tidegate import __version__
from tidegate.facts import Facts, SpanFact
from tidegate.ledger.fields import Resource, Subject
from tidegate.ledger.predicates.provenance import (
    AgentProvenance,
    BuildDefinition,
    Builder,
    Metadata,
    Run,
    RunDetails,
    Task,
)
from tidegate.ledger.statements import Statement
from tidegate.server.entries import append, keep_body, past_of
from tidegate.server.service import Service
from tidegate.server.work.naming import Naming
from tidegate.server.work.questions import key_of

OBSERVER = "urn:tidegate:observer"
NOT_NAMED = "not-named"
MOST = 512
"""Of one change: as many agents, sessions and commits."""
NOBODY = "repository"
"""Whose the bodies are where nobody is named; each can be erased by its commitment."""
_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Written(Struct, frozen=True):
    """One agent's part of one commit. `human` answers for it, as the facts name them; "" where nobody is named."""

    commit: str
    tool: str
    model: str
    session: str
    prompt: str
    evidence: str
    human: str = ""


def put_provenance(service: Service, naming: Naming, base: str, facts: Facts) -> int:
    """How many statements there are for the agents of this change. Done twice, each is there once."""
    dates = {commit.oid: commit.committed_at for commit in facts.change.commits}
    found = list(written_in(facts))[:MOST]
    for each in found:
        key = f"agent-commit:{key_of(naming.uri, each.commit, each.tool, each.model, each.session)}"
        if service.log.find(key) is None:
            append(service, key, _statement(service, naming, base, each, dates), each.commit)
    return len(found)


def written_in(facts: Facts) -> Iterator[Written]:
    """Each agent's part of each commit, in the order of the lines, with the best evidence that there is for it."""
    best: dict[tuple[str, str, str, str], SpanFact] = {}
    humans: dict[tuple[str, str, str, str], str] = {}
    for span in facts.provenance.spans:
        if span.writer in ("ai", "mixed") and _OID.fullmatch(span.commit):
            mark = (span.commit, span.tool, span.model, span.session)
            if mark not in best or span.evidence > best[mark].evidence:
                best[mark] = span
            humans[mark] = humans.get(mark) or span.human
    for mark, span in best.items():
        yield Written(*mark, span.prompt, span.evidence, span.human or humans[mark])


# Private


class _Held(Struct, frozen=True):
    """What a statement holds in the place of a person and of what is theirs."""

    requester: str
    prompt: str
    session: str


def _statement(service: Service, naming: Naming, base: str, written: Written, dates: Mapping[str, str]) -> Statement:
    now = service.now()
    at = past_of(dates.get(written.commit, ""), now)

    def work(connection: Connection) -> _Held:
        requester = naming.pseudonym(connection, written.human, now) if written.human else ""
        kept = [
            keep_body(connection, requester or NOBODY, kind, text.encode("utf-8", "surrogateescape"), now)
            if text
            else ""
            for kind, text in (("prompt-digest", written.prompt), ("session", written.session))
        ]
        return _Held(requester, *kept)

    held = service.database.change(work)
    says = AgentProvenance(
        build_definition=BuildDefinition(
            external_parameters=Task(
                repository=naming.uri,
                base=Resource(digest={"gitCommit": base}),
                prompt=held.prompt,
                requester=held.requester,
            ),
            internal_parameters=Run(
                agent=_name(written.tool), model=_name(written.model), session=held.session, evidence=written.evidence
            ),
        ),
        run_details=RunDetails(
            builder=Builder(id=OBSERVER, version={"tidegate": __version__}),
            metadata=Metadata(started_on=at, finished_on=at),
        ),
    )
    return Statement((Subject(digest={"gitCommit": written.commit}, uri=naming.uri),), says)


def _name(text: str) -> str:
    """The name of a tool or a model as a statement writes it."""
    return re.sub(r"[^A-Za-z0-9._/:@+\-]+", "-", text).strip("._/:@+-")[:128] or NOT_NAMED
