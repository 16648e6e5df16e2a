"""Signed approvals of the change: who signed, and what exactly each is bound to.

Keys are those of `[people]` at the base of the change and of whoever asks, never of the change itself. A document that
cannot be read, or that nobody known signed, is a review that cannot count, with the reason: it is never left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from tidegate.change.collect import collect_repository
from tidegate.change.facts_digest import facts_digest
from tidegate.change.values import Change, Context
from tidegate.errors import InputError
from tidegate.facts import Facts, ReviewFact, to_document
from tidegate.ledger.approval import (
    MOST_BYTES,
    KeyEvidence,
    Keyring,
    Opened,
    Terms,
    Word,
    make_keyring,
    open_sealed,
)
from tidegate.settings import Settings

STAGE = "merge"
BRANCHES = "refs/heads/"
MOST_APPROVALS = 500


class Signer(Struct, frozen=True):
    """Who signs, with which kind of key, and what they say."""

    person: str
    evidence: KeyEvidence
    word: Word = "approved"


def repository_uri(name: str) -> str:
    """How an approval names a repository: `repo:OWNER/NAME`."""
    return f"repo:{quote(name)}"


def target_ref(branch: str) -> str:
    """How an approval names the branch that a change wants to go to; "" where there is none."""
    return f"{BRANCHES}{branch}" if branch else ""


def merge_tree(change: Change, context: Context) -> str:
    """The tree that merging the change makes; "" where it conflicts, and where there is nothing to merge it into."""
    if context.repository is None or not change.head or not context.onto:
        return ""
    return context.repository.merge_trees(context.onto, change.head)


def make_terms(facts: Facts, policy: str, merged: str, signer: Signer, when: tuple[str, str]) -> Terms:
    """What this person would sign of this change. `when` is from and until; `merged` the tree of `merge_tree`.

    Raises InputError where there is nothing that an approval could be bound to.
    """
    change = facts.change
    if not change.head or not change.base:
        raise InputError("only commits on a base are approved", mend="commit it, and name the range BASE..HEAD")
    if not change.target:
        raise InputError("the change names no branch that it wants to go to", mend="say --pr FILE, or BRANCH..HEAD")
    if not merged:
        raise InputError("the change conflicts with its target, so there is no result to approve", mend="resolve that")
    return Terms(
        word=signer.word,
        repository=repository_uri(facts.repository.name),
        target=target_ref(change.target),
        base=change.base,
        head=change.head,
        merge_tree=merged,
        policy=policy,
        facts=facts_digest(to_document(facts)),
        stage=STAGE,
        person=signer.person,
        evidence=signer.evidence,
        at=when[0],
        expires=when[1],
    )


def keyring_of(settings: Settings, approvers: Mapping[str, Sequence[str]]) -> Keyring:
    """The keys of everybody in the settings. Raises InputError for a key that cannot approve, or of two people."""
    return make_keyring({key: (*identity.keys, *approvers.get(key, ())) for key, identity in settings.people.items()})


def read_signed_approvals(change: Change, context: Context) -> tuple[ReviewFact, ...]:
    """What was signed, oldest first. Raises InputError for a file that is not there."""
    keyring = keyring_of(context.settings, context.approvers)
    here = repository_uri(collect_repository(change, context).name)
    found = {}
    for path in _files(context.approvals):
        data = read_document(path)
        found[data] = _review(path, data, keyring, (here, change.base))
    return tuple(sorted(found.values(), key=lambda review: review.at))


def read_document(path: Path) -> bytes:
    """The bytes of a file. Raises InputError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(2 * MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=f"--approvals {path}") from error


# Private


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.glob("*.json"))
        elif path.is_file():
            found.append(path)
        else:
            raise InputError("there is no such file", where=f"--approvals {path}", mend="name a file or a folder")
    if len(found) > MOST_APPROVALS:
        raise InputError(f"there are more than {MOST_APPROVALS} approvals", mend="keep those of this change")
    return iter(found)


def _review(path: Path, data: bytes, keyring: Keyring, here: tuple[str, str]) -> ReviewFact:
    try:
        opened = open_sealed(data, keyring)
    except InputError as error:
        return _refused(path, str(error))
    terms = opened.terms
    return ReviewFact(
        account="",
        person=terms.person,
        kind="human",
        state="approved" if terms.word == "approved" else "dismissed",
        commit=terms.head,
        tree=terms.merge_tree,
        target=terms.target.removeprefix(BRANCHES),
        policy=terms.policy,
        at=terms.at,
        evidence=terms.evidence,
        facts=terms.facts,
        expires=terms.expires,
        problem=_problem(opened, here),
    )


def _problem(opened: Opened, here: tuple[str, str]) -> str:
    terms = opened.terms
    repository, base = here
    if terms.repository != repository:
        return f"approved it in another repository ({terms.repository})"
    if not terms.target.startswith(BRANCHES):
        return "approved it for something that is no branch"
    if terms.base != base and terms.word == "approved":
        return "approved it from another base"
    return "" if terms.stage == STAGE else f"approved it for the stage {terms.stage}"


def _refused(path: Path, reason: str) -> ReviewFact:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", path.name)[:80]
    return ReviewFact(
        account=f"the document {name}",
        person="",
        kind="unknown",
        state="approved",
        commit="",
        tree="",
        target="",
        policy="",
        at="",
        evidence="ssh",
        problem=f"is no approval: {reason}",
    )
