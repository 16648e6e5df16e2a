"""Registering an SSH key of one's own: whoever registers one proves that they hold it.

A public key is public: without a proof somebody could register another person's key as theirs, and what that person
signed would count as their own. The proof is a signature over a sentence that names the service, the person and the
session, for a namespace in which nothing else is ever signed. So nobody's approval can be passed off as such a proof,
nor a proof as an approval, and a sentence that was made for somebody else says so to whoever signs it.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.ledger import sshsig
from tidegate.server.acts import Act, acting
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.service import Service
from tidegate.store import keys
from tidegate.store.keys import Key, NewKey

NAMESPACE = "tidegate-key-registration"


class Question(Struct, frozen=True):
    """`text` is what the key signs, without a line break, for `namespace`; `command` does it with a key in a file."""

    text: str
    namespace: str
    command: str


def question(service: Service, who: Who) -> Question:
    """The sentence of this session. Problem 403 for a token: a person registers keys, not a program."""
    if not who.session:
        raise Problem(403, "this takes a browser's session, not a token", mend="do it in the console")
    mark = hashlib.sha256(f"{NAMESPACE} {who.session}".encode()).hexdigest()[:32]
    text = f"I hold this key and register it for {who.name} at {service.config.url} {mark}"
    command = f"printf %s {shlex.quote(text)} | ssh-keygen -Y sign -n {NAMESPACE} -f ~/.ssh/id_ed25519"
    return Question(text, NAMESPACE, command)


def add(service: Service, who: Who, signature: str, label: str) -> Key:
    """The key that made the signature, registered as this person's. `signature` is what ssh-keygen printed.

    InputError for a signature over anything else, and for a key that cannot approve or is registered already.
    """
    asked = question(service, who)
    made = sshsig.unarmour(signature)
    key = sshsig.signer_of(made)
    sshsig.verify(asked.text.encode(), made, key, asked.namespace)
    new = NewKey(who.person, key.evidence, key.fingerprint, key.line.encode(), label)

    def work(connection: Connection) -> tuple[Key, Sequence[Act]]:
        added = keys.add(connection, new, service.now())
        return added, (Act(action="key-added", whom=who.person, key=added.fingerprint),)

    return acting(service, who, work)
