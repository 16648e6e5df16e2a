"""Cases to judge: a change that Alice prompted and Claude wrote, and what tests change about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.change.codeowners import NO_OWNERS, Owners, parse_codeowners
from tidegate.facts import (
    AccountableFact,
    ChangeFacts,
    CommitFact,
    Declaration,
    EvidenceLines,
    Facts,
    FileFact,
    Intent,
    Lines,
    ProvenanceFacts,
    Reach,
    ReviewFact,
    ReviewFacts,
    ServiceOwner,
    SpanFact,
    Unknown,
    Verification,
    to_document,
)
from tidegate.policy.case import Case
from tidegate.policy.document import conform
from tidegate.settings import Identity, ProvenanceSettings, Settings

BASE, HEAD, TREE = "b" * 40, "c" * 40, "d" * 40
OPENED, NOW = "2026-03-01T09:00:00Z", "2026-03-02T09:00:00Z"
ALICE = "Alice Smith <alice@example.com>"
CLAUDE = "Claude <noreply@anthropic.com>"

PEOPLE = {
    "alice": Identity(
        name="Alice Smith", emails=("alice@example.com", "alice@home.example"), accounts=("alice", "alice-two")
    ),
    "bob": Identity(name="Bob Jones", emails=("bob@example.com",), accounts=("bob", "Bob-Alt")),
    "carol": Identity(name="Carol King", emails=("carol@example.com",), accounts=("carol",)),
    "dave": Identity(emails=("dave@example.com",), accounts=("dave",)),
}
TEAMS = {"@org/core": ("bob", "carol"), "@org/solo": ("alice",)}


def settings(**changes: Any) -> Settings:
    return Settings(**{"people": PEOPLE, "teams": TEAMS, **changes})


def trailers(wish: str) -> Settings:
    return settings(provenance=ProvenanceSettings(trailers=wish))


def review(account: str, state: str = "approved", **changes: str) -> ReviewFact:
    """One review as the forge reports it; `person` follows from the account as the collector finds it."""
    person = next((k for k, who in PEOPLE.items() if account.lower() in (a.lower() for a in who.accounts)), "")
    values = {
        "account": account,
        "person": person,
        "kind": "human" if person else "unknown",
        "state": state,
        "commit": HEAD,
        "tree": TREE,
        "target": "main",
        "policy": "",
        "at": "2026-03-01T10:00:00Z",
    }
    return ReviewFact(**{**values, **changes})


def commit(author: str = CLAUDE, committer: str = ALICE, oid: str = HEAD) -> CommitFact:
    return CommitFact(oid, 1, author, committer, OPENED, OPENED, "Add it")


def file(path: str, old_path: str = "", status: str = "modified") -> FileFact:
    return FileFact(path, old_path or path, status, "source", "python", 5, 0, False, False, False, (), False)


def span(human: str = "alice", writer: str = "ai", oid: str = HEAD) -> SpanFact:
    return SpanFact("src/a.py", 1, 5, writer, "claude", "", "", "", human, "author", "E4", "note", oid)


def declared(text: str = CLAUDE, where: str = "author", oid: str = HEAD) -> Declaration:
    return Declaration(oid, "claude", "", "author", "E2", where, text, "")


def facts(
    *,
    reviews: Sequence[ReviewFact] = (),
    change: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
    review_section: Mapping[str, Any] | None = None,
    reach: Mapping[str, str] | Reach | None = None,
    verification: Mapping[str, Any] | None = None,
    now: str = NOW,
) -> Facts:
    files = tuple((change or {}).get("files", (file("src/a.py"),)))
    commits = tuple((change or {}).get("commits", (commit(),)))
    lines = Lines(added=5, ai=5)
    return Facts(
        now=now,
        verification=Verification(**{"status": "complete", **(verification or {})}),
        change=ChangeFacts(
            **{
                "status": "complete",
                "base": BASE,
                "head": HEAD,
                "head_tree": TREE,
                "target": "main",
                "author": "alice",
                "source_lines_added": 5,
                "intent": Intent(),
                **(change or {}),
                "files": files,
                "files_total": len(files),
                "commits": commits,
                "commits_total": len(commits),
            }
        ),
        provenance=ProvenanceFacts(
            **{
                "status": "complete",
                "lines": lines,
                "source_lines": lines,
                "prompters": ("alice",),
                "authors": ("alice",),
                "accountable": (AccountableFact("alice", 5, 5),),
                "spans": (span(),),
                "declarations": (declared(),),
                "evidence": EvidenceLines(E4=5),
                **(provenance or {}),
            }
        ),
        review=ReviewFacts(
            **{
                "status": "complete",
                "reviews": tuple(reviews),
                "reviews_total": len(reviews),
                "opened_at": OPENED,
                **(review_section or {}),
            }
        ),
        reach=reach if isinstance(reach, Reach) else reaching(reach or {}),
    )


def reaching(critical: Mapping[str, str], **more: Any) -> Reach:
    """The reach into critical services, each with its owner."""
    owned = tuple(ServiceOwner(service, owner) for service, owner in critical.items())
    return Reach(
        **{
            "status": "complete",
            "services": tuple(critical),
            "critical_services": tuple(critical),
            "service_owners": owned,
            **more,
        }
    )


def owners(text: str = "", dialect: str = "github") -> Owners:
    return parse_codeowners(text.encode(), dialect, "CODEOWNERS") if text else NO_OWNERS


def case(
    given: Facts,
    *,
    who_owns: Owners | Unknown = NO_OWNERS,
    chosen: Settings | None = None,
    digest: str = "policy-1",
) -> Case:
    return Case(conform(to_document(given)), who_owns, chosen or settings(), digest)
