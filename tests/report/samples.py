"""Facts and verdicts of five changes, written by hand, that every renderer is tried on."""

from __future__ import annotations

from typing import Any

from tidegate.facts import (
    AccountableFact,
    AgentFact,
    ChangeFacts,
    Claim,
    CommitFact,
    Conflict,
    Declaration,
    DomainHit,
    EvidenceLines,
    Facts,
    FileFact,
    FileProvenance,
    Finding,
    Intent,
    Lines,
    Place,
    ProvenanceFacts,
    Reach,
    Repository,
    ReviewFact,
    ReviewFacts,
    ServiceOwner,
    SpanFact,
    Unknown,
)
from tidegate.policy.verdict import Condition, FactRead, Obligation, RuleResult, Verdict

NOW = "2026-05-01T12:00:00Z"
BASE, HEAD = "1a" * 20, "2b" * 20
DIGEST = "sha256:" + "5c" * 32

HOSTILE = (
    "\x1b]8;;http://evil.test\x07click\x1b]8;;\x07\x1b[2J\r\n::error::owned\n##[add-mask]x ::set-output name=a::b "
    "\u202egnp.exe\u2066 \u200bzero\U000e0041 <img src=x onerror=alert(1)> @octocat #1 [x](http://evil.test) "
    "![i](http://evil.test/i.png) `code` **bold** https://evil.test www.evil.test me@evil.test --> <!-- "
    "| cell | $(id) {0} \udce9 \x9b31m 漢字"
)


def file(path: str, added: int, deleted: int = 0, **more: Any) -> FileFact:
    known: dict[str, Any] = {
        "path": path,
        "old_path": path,
        "status": "modified",
        "kind": "source",
        "language": "Python",
        "added": added,
        "deleted": deleted,
        "generated": False,
        "vendored": False,
        "executable_changed": False,
        "domains": (),
        "critical": False,
    }
    return FileFact(**{**known, **more})


def span(path: str, line: int, end_line: int, writer: str, **more: Any) -> SpanFact:
    known: dict[str, Any] = {
        "path": path,
        "line": line,
        "end_line": end_line,
        "writer": writer,
        "tool": "",
        "model": "",
        "session": "",
        "prompt": "",
        "human": "",
        "role": "none",
        "evidence": "E0",
        "source": "",
        "commit": HEAD,
    }
    return SpanFact(**{**known, **more})


def commit(subject: str, author: str = "Alice Smith <alice@example.com>") -> CommitFact:
    return CommitFact(HEAD, 1, author, author, NOW, NOW, subject)


def obligation(kind: str, text: str, state: str, why: str = "", next_step: str = "", due: str = "push") -> Obligation:
    return Obligation(kind, text, state, why, next_step, due)  # type: ignore[arg-type]


def rule(id: str, title: str, effect: str, state: str, **more: Any) -> RuleResult:
    known: dict[str, Any] = {
        "id": id,
        "title": title,
        "effect": effect,
        "mode": "enforce",
        "state": state,
        "outcome": effect if state in ("fired", "unknown") else "pass",
        "quantifier": "all",
        "conditions": (),
        "obligations": (),
        "reason": "",
        "owner": "@shop/platform",
        "origin": "the default pack",
    }
    return RuleResult(**{**known, **more})


def held() -> tuple[Facts, Verdict]:
    """Agents changed payments and sign-in; much must still happen."""
    return _held_facts(), Verdict("hold", "merge", _HELD_RULES, "the default pack and tidegate.toml at 1a1a1a1", DIGEST)


def passing() -> tuple[Facts, Verdict]:
    """A person changed four lines and attested them."""
    facts = Facts(
        now=NOW,
        repository=Repository(status="complete", name="acme/shop", head_branch="fix", default_branch="main"),
        change=ChangeFacts(
            status="complete",
            chosen="main..HEAD: what HEAD adds to origin/main",
            base=BASE,
            head=HEAD,
            title="Round the total",
            author="Bob Jones <bob@example.com>",
            commits=(commit("Round the total", "Bob Jones <bob@example.com>"),),
            commits_total=1,
            files=(file("shop/cart.py", 3, 1), file("tests/test_cart.py", 6, kind="test")),
            files_total=2,
            lines_added=9,
            lines_deleted=1,
        ),
        provenance=ProvenanceFacts(
            status="complete",
            lines=Lines(9, 0, 9, 0, 0),
            source_lines=Lines(9, 0, 9, 0, 0),
            evidence=EvidenceLines(E4=9),
            accountable=(AccountableFact("bob", 9, 0),),
            authors=("bob",),
            files=(FileProvenance("shop/cart.py", 3, 0, 3, 0, 0), FileProvenance("tests/test_cart.py", 6, 0, 6, 0, 0)),
            notes_read=1,
        ),
        review=ReviewFacts(status="complete"),
    )
    met = obligation("annotation", "Every added source line says who or what wrote it", "met", "each one does")
    rules = (
        rule("annotation-required", "Added lines say who or what wrote them", "hold", "satisfied", obligations=(met,)),
        rule("ai-carries-tests", "AI changes carry tests", "hold", "idle"),
    )
    return facts, Verdict("pass", "merge", rules, "the default pack", DIGEST)


def blocked() -> tuple[Facts, Verdict]:
    """The change softens the policy that judges it, and the audit of its notes found a fault."""
    facts, _ = passing()
    finding = Finding(
        "note-over-reach",
        "high",
        "the note claims lines 1-40 and the commit changed lines 3-9",
        Place("shop/cart.py", 3, 9),
        "tidegate provenance audit --commit 2b2b2b2",
    )
    owners = Finding("codeowners-unknown-owner", "low", "@ghost is nobody", Place("CODEOWNERS", 4), "name a person")
    change = _replace(
        facts.change,
        files=(file("shop/cart.py", 3, 1), file("tidegate.toml", 2, 8, kind="config", language="TOML")),
        policy_files=("tidegate.toml",),
    )
    provenance = _replace(facts.provenance, findings=(finding,))
    rules = (
        rule(
            "policy-change",
            "A change of the policy stands by itself",
            "block",
            "fired",
            conditions=(
                Condition(
                    "size(change.policy_files) > 0",
                    "true",
                    (FactRead("change.policy_files", '["tidegate.toml"]', True),),
                ),
            ),
            reason="A change cannot soften the rules that judge it.",
        ),
        rule(
            "big-change",
            "Large changes hide mistakes",
            "warn",
            "fired",
            conditions=(Condition("change.lines_added > 5", "true", (FactRead("change.lines_added", "9", True),)),),
        ),
        rule("shadow-rule", "A rule on trial", "block", "fired", mode="shadow"),
    )
    verdict = Verdict("block", "merge", rules, "the default pack", DIGEST, (owners,))
    return _replace(facts, change=change, provenance=provenance), verdict


def bare_diff() -> tuple[Facts, Verdict]:
    """A patch without a repository: almost everything is unknown."""
    reason = "a bare diff has no commits"
    facts = Facts(
        now=NOW,
        repository=Repository(unknowns=(Unknown("repository", "a bare diff has no repository"),)),
        change=ChangeFacts(
            status="partial",
            kind="diff",
            chosen="fix.patch",
            files=(file("app/db/migrate.py", 120, 4, domains=("migrations",), critical=True), file("README.md", 2)),
            files_total=2,
            lines_added=122,
            lines_deleted=4,
            domains=("migrations",),
            domain_hits=(DomainHit("migrations", "app/db/migrate.py", 0, "the path matches **/migrate*"),),
            critical_domains=("migrations",),
            breadth=1,
            unknowns=tuple(Unknown(f"change.{name}", reason) for name in ("commits", "author", "base", "head")),
        ),
        provenance=ProvenanceFacts(
            unknowns=(Unknown("provenance", "a bare diff says nothing of who or what wrote it"),)
        ),
        review=ReviewFacts(unknowns=(Unknown("review", "not collected"),)),
    )
    read = FactRead("provenance.source_lines.unknown", "a bare diff says nothing of who or what wrote it", False)
    rules = (
        rule(
            "annotation-required",
            "Added lines say who or what wrote them",
            "hold",
            "unknown",
            conditions=(Condition("provenance.source_lines.unknown > 0", "unknown", (read,)),),
            obligations=(
                obligation(
                    "annotation",
                    "Every added source line says who or what wrote it",
                    "unknown",
                    "provenance is unknown: a bare diff says nothing of who or what wrote it",
                    "check the range in its repository: tidegate check BASE..HEAD",
                ),
            ),
        ),
        rule(
            "critical-two-humans",
            "Unreviewable",
            "hold",
            "unknown",
            conditions=(Condition("provenance.critical_lines.ai > 0", "unknown", (read,)),),
        ),
    )
    return facts, Verdict("hold", "merge", rules, "the default pack", DIGEST)


def hostile(text: str = HOSTILE) -> tuple[Facts, Verdict]:
    """The held change with one text in every place that a stranger can write to."""
    facts, verdict = held()
    place = Place(text, 3, 5)
    finding = Finding("note-over-reach", "high", text, place, text)
    change = _replace(
        facts.change,
        chosen=text,
        title=text,
        author=text,
        labels=(text,),
        commits=(commit(text, text),),
        files=(file(text, 9, domains=("payments",), critical=True, old_path=text, language=text),),
        domain_hits=(DomainHit("payments", text, 2, text),),
        intent=Intent(text, text, text, text, ()),
        findings=(finding,),
        unknowns=(Unknown("change.labels", text),),
        status="partial",
    )
    provenance = _replace(
        facts.provenance,
        agents=(AgentFact(text, text, 9, 1, "E4"),),
        accountable=(AccountableFact(text, 9, 9),),
        prompters=(text,),
        files=(FileProvenance(text, 9, 9, 0, 0, 0),),
        spans=(span(text, 1, 9, "ai", tool=text, model=text, human=text, evidence="E4", source=text),),
        declarations=(Declaration(HEAD, text, text, "author", "E2", text, text, text),),
        conflicts=(Conflict(text, 1, 2, (Claim("ai", text, text, "E4", text), Claim("human", "", "", "E4", text))),),
        unknowns=(Unknown("provenance.conflicts", text),),
        status="partial",
    )
    review = ReviewFacts(
        status="complete",
        reviews=(ReviewFact(text, text, "human", "approved", HEAD, HEAD, text, text, NOW),),
        reviews_total=1,
    )
    reach = Reach(
        status="partial",
        unknowns=(Unknown("reach.reached", text),),
        symbols=3,
        reached=9,
        tests=2,
        entry_points=(text,),
        services=(text,),
        critical_services=(text,),
        service_owners=(ServiceOwner(text, text),),
        owners=(text,),
        unresolved_share=0.3,
    )
    first = _replace(
        verdict.rules[0],
        title=text,
        reason=text,
        owner=text,
        origin=text,
        conditions=(Condition(text, "true", (FactRead(text, text, True),), text),),
        obligations=(obligation("approvals", text, "unmet", text, text),),
    )
    rules = (first, *verdict.rules[1:])
    return (
        _replace(facts, change=change, provenance=provenance, review=review, reach=reach),
        _replace(verdict, rules=rules, policy=text, findings=(finding,)),
    )


# Private


def _replace(value: Any, **changes: Any) -> Any:
    from msgspec.structs import replace

    return replace(value, **changes)


def _held_facts() -> Facts:
    charge, token, page = "shop/payments/charge.py", "shop/auth/token.py", "shop/page.py"
    return Facts(
        now=NOW,
        repository=Repository(status="complete", name="acme/shop", head_branch="feature", default_branch="main"),
        change=ChangeFacts(
            status="complete",
            chosen="main..HEAD: what HEAD adds to origin/main",
            base=BASE,
            head=HEAD,
            target="main",
            source="feature",
            title="Retry a charge that timed out",
            author="Alice Smith <alice@example.com>",
            commits=(commit("Retry a charge that timed out"), commit("Sign in with a token")),
            commits_total=2,
            files=(
                file("go.sum", 400, kind="config", generated=True),
                file(token, 42, status="added", domains=("auth",), critical=True),
                file("shop/cart.py", 4, 2),
                file(page, 90, 3),
                file(charge, 31, 12, domains=("payments", "network"), critical=True),
            ),
            files_total=5,
            lines_added=567,
            lines_deleted=17,
            source_files=4,
            source_lines_added=167,
            source_lines_deleted=17,
            domains=("auth", "network", "payments"),
            domain_hits=(
                DomainHit("auth", token, 0, "the path matches **/auth/**"),
                DomainHit("network", charge, 14, "a changed line matches \\brequests\\.(get|post)\\b"),
                DomainHit("payments", charge, 0, "the path matches **/payments/**"),
            ),
            critical_domains=("auth", "payments"),
            breadth=3,
            intent=Intent(what="Retry a charge that timed out", missing=("why", "rollback", "ticket")),
        ),
        provenance=ProvenanceFacts(
            status="partial",
            lines=Lines(167, 73, 4, 0, 90),
            source_lines=Lines(167, 73, 4, 0, 90),
            critical_lines=Lines(73, 73, 0, 0, 0),
            ai_share=0.437,
            unknown_share=0.539,
            evidence=EvidenceLines(E4=35, E2=42, E0=90),
            agents=(
                AgentFact("copilot", "", 42, 0, "E2"),
                AgentFact("claude", "claude-opus-4-6", 31, 2, "E4"),
            ),
            accountable=(AccountableFact("alice", 31, 31), AccountableFact("bob", 4, 0)),
            unaccountable_lines=42,
            prompters=("alice",),
            authors=("alice", "bob"),
            ai_domains=("auth", "payments"),
            files=(
                FileProvenance(token, 42, 42, 0, 0, 0),
                FileProvenance("shop/cart.py", 4, 0, 4, 0, 0),
                FileProvenance(page, 90, 0, 0, 0, 90),
                FileProvenance(charge, 31, 31, 0, 0, 0),
            ),
            spans=(
                span(token, 1, 42, "ai", tool="copilot", evidence="E2", source="author of the commit", role="author"),
                span("shop/cart.py", 5, 8, "human", human="bob", evidence="E4", source="refs/notes/ai"),
                span(page, 1, 90, "unknown"),
                span(charge, 10, 40, "ai", tool="claude", model="claude-opus-4-6", human="alice", evidence="E4"),
            ),
            conflicts=(
                Conflict(
                    charge,
                    10,
                    12,
                    (
                        Claim("ai", "claude", "claude-opus-4-6", "E4", "note on 2b2b2b2"),
                        Claim("human", "", "", "E2", "trailer of 2b2b2b2"),
                    ),
                ),
            ),
            unknowns=(Unknown("provenance.declarations", "the pull request was not given"),),
            notes_read=2,
        ),
        review=ReviewFacts(unknowns=(Unknown("review", "no reviews were given (--reviews FILE)"),)),
    )


_UNKNOWN_REVIEW = "review.reviews is unknown: no reviews were given (--reviews FILE)"

_HELD_RULES = (
    rule(
        "ai-critical-two-humans",
        "Two humans approve AI changes in critical domains",
        "hold",
        "fired",
        conditions=(
            Condition(
                "provenance.critical_lines.ai > 0",
                "true",
                (FactRead("provenance.critical_lines.ai", "73", True),),
            ),
        ),
        obligations=(
            obligation(
                "approvals",
                "2 approvals by owners of the files that it touches",
                "unknown",
                _UNKNOWN_REVIEW,
                "ask @shop/payments and @alice for a review of 2b2b2b2",
                "merge",
            ),
        ),
        reason="AI changes need more debugging in production than others.",
    ),
    rule(
        "annotation-required",
        "Added lines say who or what wrote them",
        "hold",
        "fired",
        conditions=(
            Condition(
                "provenance.source_lines.added > 0",
                "true",
                (FactRead("provenance.source_lines.added", "167", True),),
            ),
        ),
        obligations=(
            obligation(
                "annotation",
                "Every added source line says who or what wrote it",
                "unmet",
                "90 added source lines without attribution",
                "tidegate annotate 1a1a1a1a1a1a..2b2b2b2b2b2b --tool TOOL --model MODEL for what an agent wrote; "
                "tidegate annotate 1a1a1a1a1a1a..2b2b2b2b2b2b --human for what people typed",
            ),
        ),
    ),
    rule(
        "ai-carries-tests",
        "AI changes carry tests",
        "hold",
        "fired",
        obligations=(
            obligation(
                "tests",
                "Tests change with the source",
                "unmet",
                "no test file is part of the change and 73 lines were added by AI",
                "add or change a test that fails without this change",
            ),
            obligation("split", "The change touches at most 4 domains at once", "met", "it touches 3 domains"),
        ),
    ),
    rule(
        "breadth",
        "A change stays in few domains",
        "hold",
        "satisfied",
        obligations=(obligation("split", "The change touches at most 4 domains at once", "met", "it touches 3"),),
    ),
    rule(
        "rollback-plan",
        "Critical changes say how to undo them",
        "warn",
        "fired",
        obligations=(
            obligation(
                "rollback",
                "The description says how to roll back",
                "unmet",
                "the description has no roll-back plan",
                "add a heading Rollback to the description",
            ),
        ),
    ),
    rule("policy-change", "A change of the policy stands by itself", "block", "idle"),
)
