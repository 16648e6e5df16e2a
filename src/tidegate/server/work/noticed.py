"""What the gate noticed when it decided, for the ledger: clicks at the forge, and another policy than before.

A click is the forge's word, and binds a head alone. Its statement says for which result the gate saw it.
"""

from __future__ import annotations

from sqlalchemy import Connection

from tidegate.change.approvals import STAGE
from tidegate.facts import Facts, ReviewFact
from tidegate.ledger.fields import Subject
from tidegate.ledger.predicates.approval import Question
from tidegate.ledger.predicates.policy_change import PolicyChange
from tidegate.ledger.statements import Statement
from tidegate.server.entries import append, past_of, time_of
from tidegate.server.service import Service
from tidegate.server.work.naming import Naming
from tidegate.server.work.questions import UNREAD_POLICY, key_of
from tidegate.store import values
from tidegate.store.assessments import Assessment
from tidegate.store.repositories import Repository

NEVER = "9999-12-31T23:59:59Z"
"""When a click expires: no forge says that it does."""
MOST = 512
_NO_TREE = "0" * 40


def put_clicks(service: Service, naming: Naming, made: Assessment, target: str, facts: Facts) -> int:
    """How many approvals of this head by a click there are. Each is an entry once for a result and a policy."""
    clicks = [each for each in facts.review.reviews if _is_click(each, made.head)][:MOST]
    for each in clicks:
        who = each.person or f"@{each.account}"
        tree = made.merge_tree or _NO_TREE
        key = f"click:{key_of(naming.uri, made.head, who, each.at, tree, made.policy)}"
        if service.log.find(key) is None:
            append(service, key, _click(service, naming, made, (target, who, each.at)), made.head)
    return len(clicks)


def put_policy_change(service: Service, naming: Naming, repository: Repository, made: Assessment, target: str) -> None:
    """An entry where the main branch is decided on by another policy than at the last decision before this one."""
    if target != f"refs/heads/{repository.main}" or made.policy == UNREAD_POLICY:
        return
    row = f"policy/{repository.id}"
    with service.database.read() as connection:
        known = values.read(connection, row) or ""
    at, _, before = known.partition(" ")
    if made.policy == before or made.made_at < at:
        return
    says = PolicyChange(repository=naming.uri, after=made.policy, at=time_of(made.made_at), before=before or None)
    key = f"policy-change:{key_of(naming.uri, before, made.policy, made.key)}"
    append(service, key, Statement((Subject(digest={"sha256": made.policy}),), says), naming.uri)

    def work(connection: Connection) -> None:
        if values.read(connection, row) in (None, known):
            values.write(connection, row, f"{made.made_at} {made.policy}", service.now())

    service.database.change(work)


# Private


def _is_click(review: ReviewFact, head: str) -> bool:
    return (
        review.state == "approved"
        and review.evidence == "forge-click"
        and review.kind != "bot"
        and review.commit == head
        and bool(review.person or review.account)
    )


def _click(service: Service, naming: Naming, made: Assessment, seen: tuple[str, str, str]) -> Statement:
    target, who, clicked = seen
    now = service.now()
    pseudonym = service.database.change(lambda connection: naming.pseudonym(connection, who, now))
    asked = Question(
        repository=naming.uri,
        target=target,
        base=made.base,
        head=made.head,
        merge_tree=made.merge_tree or _NO_TREE,
        policy=made.policy,
        facts=made.facts,
        stage=STAGE,
        person=pseudonym,
        at=past_of(clicked, now),
        expires=NEVER,
    )
    digests = {"gitCommit": made.head, **({"gitTree": made.merge_tree} if made.merge_tree else {})}
    return Statement((Subject(digest=digests),), asked.answered("forge-click"))
