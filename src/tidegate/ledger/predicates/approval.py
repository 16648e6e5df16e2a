"""One person's approval of one result of a merge, under one policy, at one stage."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from tidegate.ledger.commitments import Commitment
from tidegate.ledger.fields import (
    GitOid,
    Name,
    Part,
    Person,
    Predicate,
    Ref,
    Sha256,
    StatementError,
    Time,
    Uri,
    check_times,
)

TYPE = "urn:tidegate:predicate:approval:1"

Evidence: TypeAlias = Literal["ssh", "sk-ssh", "webauthn", "forge-click", "console-password"]
"""How the person showed that it was them, from a key in their hand down to a password."""

KEY_EVIDENCE = ("ssh", "sk-ssh", "webauthn")

Fingerprint: TypeAlias = Annotated[str, Meta(pattern=r"\A(?:SHA256:[A-Za-z0-9+/]{43})?\Z")]


class Approval(Predicate, frozen=True, kw_only=True):
    """`statement` is the text that the person saw and signed. It follows from the other fields and from nothing else.

    `proof` is a commitment to what the person's key made (an SSH signature, a WebAuthn assertion): those name the
    person, so they stand in an erasable body.
    """

    repository: Uri
    target: Ref
    base: GitOid
    head: GitOid
    merge_tree: GitOid
    policy: Sha256
    facts: Sha256
    stage: Name
    person: Person
    evidence: Evidence
    at: Time
    expires: Time
    statement: Annotated[str, Meta(max_length=8192)]
    key: Fingerprint = ""
    proof: Commitment | None = None

    @property
    def time(self) -> str:
        return self.at

    def __post_init__(self) -> None:
        check_times(self.at, self.expires)
        if (self.evidence in KEY_EVIDENCE) != bool(self.key and self.proof):
            raise StatementError("an approval by a key names the key and what it made, and no other does")
        if self.statement != approval_text(self):
            raise StatementError("the text of the approval is not the one of its fields")


def approval_text(approval: Approval | Question) -> str:
    """What the person sees and signs: every field that the approval is bound to, one on a line."""
    return (
        "I approve this change.\n"
        f"repository: {approval.repository}\n"
        f"target: {approval.target}\n"
        f"base: {approval.base}\n"
        f"head: {approval.head}\n"
        f"merge tree: {approval.merge_tree}\n"
        f"policy: sha256:{approval.policy}\n"
        f"facts: sha256:{approval.facts}\n"
        f"stage: {approval.stage}\n"
        f"person: {approval.person}\n"
        f"at: {approval.at}\n"
        f"expires: {approval.expires}\n"
    )


class Question(Part, frozen=True, kw_only=True):
    """What a person is asked to approve, before anybody signed: the fields of an approval that its text shows."""

    repository: Uri
    target: Ref
    base: GitOid
    head: GitOid
    merge_tree: GitOid
    policy: Sha256
    facts: Sha256
    stage: Name
    person: Person
    at: Time
    expires: Time

    def __post_init__(self) -> None:
        check_times(self.at, self.expires)
        if any("\n" in value or "\r" in value for value in (self.repository, self.target, self.stage, self.person)):
            raise StatementError("a line of the approval's text holds one field")

    @property
    def text(self) -> str:
        return approval_text(self)

    def answered(self, evidence: Evidence, key: str = "", proof: str | None = None) -> Approval:
        """The approval, once the person gave this evidence."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return Approval(**fields, statement=self.text, evidence=evidence, key=key, proof=proof)
