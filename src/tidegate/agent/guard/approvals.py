"""Approvals of plans: one person's signature over the digest of one plan file, until a moment.

Signed with the SSH keys of `[people]`, like approvals of changes, but over another type of document, so that neither
can pass for the other. An agent's session never signs.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from tidegate.errors import InputError
from tidegate.ledger import sshsig
from tidegate.ledger.approval import Keyring
from tidegate.ledger.dsse import pae, read_envelope
from tidegate.ledger.sshsig import SshKey
from tidegate.ledger.strict_json import canonical, load_canonical

if TYPE_CHECKING:
    from tidegate.change.git import Repository

PAYLOAD_TYPE = "application/vnd.tidegate.plan-approval+json"
MOST_BYTES = 20_000
MOST_FILES = 100


class PlanTerms(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person signs. `plan` is the SHA-256 of the plan file, `shown` that of the JSON which the person saw."""

    plan: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    shown: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    person: Annotated[str, Meta(min_length=1, max_length=128)]
    at: str
    expires: str
    type: str = PAYLOAD_TYPE


def encode(terms: PlanTerms) -> bytes:
    """The terms in their one spelling."""
    return canonical(msgspec.to_builtins(terms))


def signed_bytes(payload: bytes) -> bytes:
    """What the key signs."""
    return pae(PAYLOAD_TYPE, payload)


def seal(payload: bytes, key: SshKey, signature: bytes) -> bytes:
    """The envelope that is kept."""
    document = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.fingerprint, "sig": base64.b64encode(signature).decode()}],
    }
    return canonical(document)


def open_sealed(data: bytes, keyring: Keyring) -> PlanTerms:
    """The terms, if a key of the person that they name signed them. Raises InputError otherwise."""
    envelope = read_envelope(data.removesuffix(b"\n"))
    if envelope.payload_type != PAYLOAD_TYPE or len(envelope.signatures) != 1:
        raise InputError("this is no approval of a plan")
    try:
        payload = base64.b64decode(envelope.payload, validate=True)
        signature = base64.b64decode(envelope.signatures[0].sig, validate=True)
        terms = msgspec.convert(load_canonical(payload, MOST_BYTES), PlanTerms)
    except (ValueError, msgspec.ValidationError) as error:
        raise InputError("this is no approval of a plan") from error
    if encode(terms) != payload or terms.type != PAYLOAD_TYPE:
        raise InputError("the approval does not say what its fields say")
    key = sshsig.signer_of(signature)
    if key not in keyring.get(terms.person, ()):
        raise InputError(f"the key is none of {terms.person[:60]}'s")
    sshsig.verify(signed_bytes(payload), signature, key)
    return terms


def approvers_of(documents: Iterable[bytes], keyring: Keyring, bound: tuple[str, str], now: str) -> tuple[str, ...]:
    """Who approved this very plan and still does. `bound` is the digest of the file, and of its JSON or ""."""
    found: dict[str, None] = {}
    for data in documents:
        try:
            terms = open_sealed(data, keyring)
            fresh = _moment(terms.at) <= _moment(now) < _moment(terms.expires)
        except (InputError, ValueError):
            continue
        if fresh and terms.plan == bound[0] and bound[1] in ("", terms.shown):
            found[terms.person] = None
    return tuple(found)


def folder_of(repository: Repository) -> Path:
    """Where approvals of plans are kept."""
    return repository.common_dir / "tidegate" / "plan-approvals"


def kept(folder: Path, plan: str) -> Iterator[bytes]:
    """The documents that are kept for a plan."""
    for number, path in enumerate(sorted(folder.glob(f"{plan[:32]}-*.json"))):
        if number >= MOST_FILES:
            return
        try:
            with path.open("rb") as stream:
                yield stream.read(MOST_BYTES)
        except OSError:
            continue


def keep(folder: Path, plan: str, document: bytes) -> Path:
    """Writes one down. Raises InputError where it cannot be written."""
    path = folder / f"{plan[:32]}-{hashlib.sha256(document).hexdigest()[:12]}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document + b"\n")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return path


def keyring_at_base(repository: Repository, environment: Mapping[str, str]) -> Keyring:
    """The keys of `[people]` at the base of what is checked out: never those that the change itself brings."""
    from tidegate.change.approvals import keyring_of
    from tidegate.change.configuration import read_settings
    from tidegate.change.ends import Question, read_ends

    ends = read_ends(Question(change=""), repository)
    return keyring_of(read_settings(repository, ends.policy_at, environment).settings, {})


# Private


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
