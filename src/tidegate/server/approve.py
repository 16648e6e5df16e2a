"""Approvals in the service: what would be signed, taking what was signed, and taking it back.

What is recorded was signed by a key in a person's hand over the change as it stands. Whether it satisfies a rule is for
the policy, which sees at the next assessment what is live then (`store/approvals.live`, `standing.approvers_of`).
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.change.approvals import STAGE, target_ref
from tidegate.errors import InputError
from tidegate.ledger import sshsig
from tidegate.ledger.approval import (
    KeyEvidence,
    Keyring,
    Opened,
    Terms,
    decode,
    encode,
    make_keyring,
    open_sealed,
    seal,
    signed_bytes,
)
from tidegate.ledger.fields import EntryRef, Subject
from tidegate.ledger.predicates.approval import Approval as Recorded
from tidegate.ledger.predicates.approval import Question
from tidegate.ledger.predicates.revocation import Revocation
from tidegate.ledger.statements import Statement
from tidegate.server.again import ask_again
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.auth import webauthn
from tidegate.server.entries import append, keep_body, pseudonym_of, time_of
from tidegate.server.service import Service
from tidegate.server.standing import Standing, approvers_of, line_of, look, makers_of, may_sign, name_of
from tidegate.store import accounts, approvals, keys
from tidegate.store.approvals import Approval, NewApproval
from tidegate.store.clock import later, moment_of, text_of
from tidegate.store.keys import Key

DAYS = 7
EARLIEST, LATEST = timedelta(days=1), timedelta(minutes=2)
"""How far the clock of whoever signed may be from ours."""


class Offer(Struct, frozen=True):
    """What the person would sign: `payload` to the byte, `text` as it is read. `refusal`: why it would not count."""

    payload: bytes
    text: str
    fingerprint: str
    verdict: str
    refusal: str


def what_to_sign(service: Service, who: Who, change: int, key: int | None = None, days: int = DAYS) -> Offer:
    """For this person and the key of theirs with this id, by default the first live one.

    Problem 404 where there is no such change or key, 409 where nothing can be approved, 403 where they may not.
    """
    standing = look(service, change)
    name = _name(service, who, standing)
    chosen = _key(service, who, key)
    terms = _terms(standing, name, chosen.kind, (service.now(), days))
    refusal = _shut_out(standing, name)
    return Offer(encode(terms), terms.text, chosen.fingerprint, standing.assessment.verdict, refusal)


def record(service: Service, who: Who, change: int, envelope: bytes) -> Approval:
    """Keeps an approval that `tidegate approve` signed, and enters it into the ledger; the same again is the same.

    One that takes approvals back takes back all of the person's, and the last of them is answered.
    Problem 403 where it is no approval of this person, 409 where it is not of the change as it stands now.
    """
    standing = look(service, change)
    name = _name(service, who, standing)
    if len(envelope) > sshsig.MOST_BYTES * 4:
        raise Problem(413, "the approval is too long")
    try:
        opened = open_sealed(envelope, {name: _keyring(service, standing).get(name, ())})
    except InputError as error:
        raise Problem(403, error.what, detail=error.where, mend=error.mend) from error
    if opened.terms.evidence == "webauthn":
        raise Problem(403, "an authenticator signs in the console", mend="approve it there")
    return _keep(service, who, standing, opened, envelope)


def record_from_browser(
    service: Service, who: Who, change: int, payload: bytes, key: int, credential: dict[str, Any]
) -> Approval:
    """The same for what an authenticator signed in the console. `payload` is what `what_to_sign` offered."""
    if not who.session:
        raise Problem(403, "this takes a browser's session, not a token", mend="do it in the console")
    standing = look(service, change)
    name = _name(service, who, standing)
    chosen = _key(service, who, key)
    proof, counter = webauthn.check(service, chosen, signed_bytes(payload), credential)
    # The counter is kept whatever comes of the approval: a second use of it is a copy's.
    if not service.database.change(lambda connection: keys.count_use(connection, chosen.id, counter)):
        raise Problem(
            409,
            "the authenticator's counter went back: somebody may have copied it",
            mend="revoke the key, and register another authenticator",
        )
    try:
        decode(payload)
        public = make_keyring({name: [line_of(chosen)]})
        envelope = seal(payload, public[name][0], proof)
        opened = open_sealed(envelope, public)
    except InputError as error:
        raise Problem(403, error.what, detail=error.where, mend=error.mend) from error
    return _keep(service, who, standing, opened, envelope)


def revoke(service: Service, who: Who, approval: int, reason: str) -> Approval:
    """Takes an approval back: whoever gave it, or an admin. Twice is once. Problem 404 where it is not theirs."""
    with service.database.read() as connection:
        found = approvals.get(connection, approval)
    if found is None or (found.person != who.person and who.role != "admin"):
        raise Problem(404, "there is no such approval of yours")
    now = service.now()
    service.database.change(lambda connection: approvals.revoke(connection, approval, now))
    ask_again(service, found.change, f"approval-{approval}-revoked")
    if found.entry is not None:
        _enter_revocation(service, who, (found.entry, approval), reason)
    with service.database.read() as connection:
        return approvals.get(connection, approval) or found


# Private


def _name(service: Service, who: Who, standing: Standing) -> str:
    with service.database.read() as connection:
        person = accounts.person(connection, who.person)
    if person is None or not may_sign(person):
        raise Problem(403, "only approvers sign, and never an agent")
    name = name_of(service, standing, who.person)
    if not name:
        raise Problem(
            403,
            "none of your accounts is in [people] on the target branch",
            mend="have your account at the forge added here, and to tidegate.toml on the target branch",
        )
    return name


def _key(service: Service, who: Who, wanted: int | None) -> Key:
    with service.database.read() as connection:
        mine = [key for key in keys.of_person(connection, who.person) if key.revoked_at is None]
    found = next((key for key in mine if wanted in (None, key.id)), None)
    if found is None:
        raise Problem(404, "there is no such key of yours", mend="register one under your keys")
    return found


def _terms(standing: Standing, name: str, evidence: KeyEvidence, when: tuple[str, int]) -> Terms:
    now, days = when
    if not standing.merge_tree:
        raise Problem(409, "the change conflicts with its target", mend="resolve that first: there is no result yet")
    try:
        return Terms(
            word="approved",
            repository=standing.uri,
            target=target_ref(standing.change.target),
            base=str(standing.document.get("change", {}).get("base", "")),
            head=standing.change.head,
            merge_tree=standing.merge_tree,
            policy=standing.assessment.policy,
            facts=standing.facts,
            stage=STAGE,
            person=name,
            evidence=evidence,
            at=time_of(now),
            expires=time_of(later(now, days * 86_400.0)),
        )
    except InputError as error:
        raise Problem(409, "the change cannot be approved as it stands", detail=str(error)) from error


def _shut_out(standing: Standing, name: str) -> str:
    makers = makers_of(standing)
    return f"you helped to make it: {makers.people[name]}" if name in makers.people else ""


def _keyring(service: Service, standing: Standing) -> Keyring:
    """Keys of the register and of the settings at the target branch, without those that were revoked here."""
    register = approvers_of(service, standing.settings, standing.repository)
    own = {name: (*entry.keys, *register.get(name, ())) for name, entry in standing.settings.people.items()}
    found = make_keyring(own)
    with service.database.read() as connection:
        return {
            name: tuple(key for key in held if not _is_revoked(connection, key.fingerprint))
            for name, held in found.items()
        }


def _is_revoked(connection: Connection, fingerprint: str) -> bool:
    known = keys.by_fingerprint(connection, fingerprint)
    return known is not None and known.revoked_at is not None


def _keep(service: Service, who: Who, standing: Standing, opened: Opened, envelope: bytes) -> Approval:
    terms = opened.terms
    _check_current(service, standing, terms)
    if f'"{opened.key.fingerprint}"'.encode() not in envelope:
        raise Problem(403, "the envelope names another key than the one that signed it")
    if terms.word == "withdrawn":
        return _withdraw(service, who, standing)
    if refusal := _shut_out(standing, terms.person):
        raise Problem(403, refusal)
    now = service.now()

    def work(connection: Connection) -> Approval:
        known = keys.by_fingerprint(connection, opened.key.fingerprint)
        if known is not None and (known.person != who.person or known.revoked_at is not None):
            raise Problem(403, "the key is revoked, or another person's")
        _check_not_taken_back(connection, who, standing, terms)
        new = NewApproval(
            change=standing.change.id,
            person=who.person,
            with_key=known.id if known else None,
            evidence=terms.evidence,
            stage=terms.stage,
            target=terms.target,
            base=terms.base,
            head=terms.head,
            merge_tree=terms.merge_tree,
            policy=terms.policy,
            facts=terms.facts,
            envelope=envelope,
            at=now,
            expires_at=text_of(moment_of(terms.expires)),
        )
        return approvals.put(connection, new).approval

    kept = service.database.change(work)
    if kept.change != standing.change.id or kept.person != who.person:
        raise Problem(409, "this approval was recorded for something else")
    ask_again(service, standing.change.id, f"approval-{kept.id}")
    entry = _enter(service, who, kept, opened)
    service.database.change(lambda connection: approvals.set_entry(connection, kept.id, entry))
    with service.database.read() as connection:
        return approvals.get(connection, kept.id) or kept


def _check_current(service: Service, standing: Standing, terms: Terms) -> None:
    wanted = _terms(standing, terms.person, terms.evidence, (service.now(), DAYS))
    names = ("repository", "target", "base", "head", "merge_tree", "policy", "facts", "stage")
    differing = [name for name in names if getattr(terms, name) != getattr(wanted, name)]
    if differing and terms.word == "approved":
        what = " and ".join(name.replace("_", " ") for name in differing)
        raise Problem(409, f"it is of another {what} than the change has now", mend="look at it again, and sign anew")
    if terms.repository != wanted.repository or terms.target != wanted.target:
        raise Problem(409, "it is of another repository or branch")
    now, at = moment_of(service.now()), moment_of(terms.at)
    if at - now > LATEST or now - at > EARLIEST:
        raise Problem(409, "it was signed at another time than now", mend="set the clock, and sign anew")
    if moment_of(terms.expires) <= now:
        raise Problem(409, "it has expired")


def _check_not_taken_back(connection: Connection, who: Who, standing: Standing, terms: Terms) -> None:
    """What was signed before something was taken back does not bring it back."""
    at = moment_of(terms.at)
    for each in approvals.of_change(connection, standing.change.id):
        if each.person == who.person and each.revoked_at is not None and at <= moment_of(each.revoked_at):
            raise Problem(409, "it was signed before you took an approval back", mend="sign anew")


def _withdraw(service: Service, who: Who, standing: Standing) -> Approval:
    with service.database.read() as connection:
        mine = [a for a in approvals.of_change(connection, standing.change.id) if a.person == who.person]
    if not mine:
        raise Problem(409, "there is no approval of yours to take back")
    return [revoke(service, who, each.id, "taken back by a signed statement") for each in mine][-1]


def _enter(service: Service, who: Who, kept: Approval, opened: Opened) -> int:
    """The ledger's entry: by pseudonym, with a commitment to what was signed. The same approval is one entry."""
    key = f"approval/{hashlib.sha256(kept.envelope).hexdigest()}"
    found = service.log.find(key)
    if found is not None:
        return found.index
    terms, now = opened.terms, service.now()

    def work(connection: Connection) -> tuple[str, str]:
        person = pseudonym_of(connection, who.person, who.name, now)
        return person, keep_body(connection, person, "approval", kept.envelope, now)

    person, proof = service.database.change(work)
    bound = {name: getattr(terms, name) for name in Question.__struct_fields__ if name != "person"}
    answered: Recorded = Question(**bound, person=person).answered(terms.evidence, opened.key.fingerprint, proof)
    subject = Subject(digest={"gitCommit": terms.head, "gitTree": terms.merge_tree})
    return append(service, key, Statement((subject,), answered), terms.head)


def _enter_revocation(service: Service, who: Who, of: tuple[int, int], reason: str) -> None:
    index, approval = of
    entry = service.log.entry(index)
    key = f"revocation/approval/{approval}"
    if entry is None or service.log.find(key) is not None:
        return
    now = service.now()

    def work(connection: Connection) -> tuple[str, str]:
        person = pseudonym_of(connection, who.person, who.name, now)
        return person, keep_body(connection, person, "reason", reason.encode(), now)

    person, committed = service.database.change(work)
    said = Revocation(
        what="approval",
        person=person,
        at=time_of(now),
        reason=committed,
        entry=EntryRef(index=index, leaf=entry.leaf.hex()),
    )
    subject = Subject(digest={"sha256": entry.leaf.hex()})
    append(service, key, Statement((subject,), said), entry.subject)
