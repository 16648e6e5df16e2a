"""Authenticators in the browser: how one is registered, and what it is asked to sign.

An authenticator verifies its person (PIN, finger, face) at registration and at every approval. Whatever says otherwise
is refused, and so is a counter that goes back: then two devices hold one key.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection
from webauthn import (
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, decode_credential_public_key
from webauthn.helpers.decoded_public_key_to_cryptography import decoded_public_key_to_cryptography
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from tidegate.errors import InputError
from tidegate.ledger.webauthn_proof import Assertion, WebAuthnKey, challenge_of
from tidegate.server.acts import Act, acting
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.config import Config
from tidegate.server.service import Service
from tidegate.store import keys, values
from tidegate.store.clock import later
from tidegate.store.keys import Key, NewKey

CEREMONY_SECONDS = 300.0
LONGEST = 16_384
# What the library raises of an answer that is none: it looks into most of what it is given without asking first.
_MISFITS = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_IP = re.compile(r"[0-9.]+|\[.*\]|.*:.*")


def site_of(config: Config) -> tuple[str, str]:
    """The origin and the rp id of the console. Problem 409 where browsers know no authenticators for such a place."""
    parts = urlsplit(config.url)
    host = parts.hostname or ""
    if not host or _IP.fullmatch(host) or (parts.scheme != "https" and host != "localhost"):
        raise Problem(
            409,
            "browsers ask authenticators only on https, and on http://localhost",
            mend="open the console there and set TIDEGATE_URL to it, or sign with tidegate approve",
        )
    return f"{parts.scheme}://{parts.netloc}", host


def begin_registration(service: Service, who: Who) -> dict[str, Any]:
    """What `navigator.credentials.create` is given. One ceremony at a time for each session."""
    origin, host = site_of(service.config)
    with service.database.read() as connection:
        known = [_kept(key)[1] for key in keys.of_person(connection, who.person) if key.kind == "webauthn"]
    options = generate_registration_options(
        rp_id=host,
        rp_name=f"Tidegate at {origin}",
        user_id=hashlib.sha256(f"tidegate/{origin}/{who.person}".encode()).digest(),
        user_name=who.name,
        authenticator_selection=AuthenticatorSelectionCriteria(user_verification=UserVerificationRequirement.REQUIRED),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known],
    )
    now = service.now()
    kept = f"{bytes_to_base64url(options.challenge)} {later(now, CEREMONY_SECONDS)}"
    service.database.change(lambda connection: values.write(connection, _row(who), kept, now))
    return dict(msgspec.json.decode(options_to_json(options)))


def finish_registration(service: Service, who: Who, credential: dict[str, Any], label: str) -> Key:
    """The key, registered. Problem 403 where the answer is not one to the question that this session asked."""
    origin, host = site_of(service.config)
    try:
        made = verify_registration_response(
            credential=_bounded(credential),
            expected_challenge=_challenge(service, who),
            expected_rp_id=host,
            expected_origin=origin,
            require_user_verification=True,
        )
        public = decoded_public_key_to_cryptography(decode_credential_public_key(made.credential_public_key))
    except _MISFITS as error:
        raise Problem(403, "the authenticator's answer does not fit", detail=str(error)[:200]) from error
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = WebAuthnKey(origin, spki)
    lines = (key.line, bytes_to_base64url(made.credential_id), base64.b64encode(made.credential_public_key).decode())
    new = NewKey(who.person, "webauthn", key.fingerprint, "\n".join(lines).encode(), label)

    def work(connection: Connection) -> tuple[Key, Sequence[Act]]:
        added = keys.add(connection, new, service.now())
        keys.count_use(connection, added.id, made.sign_count)
        return added, (Act(action="key-added", whom=who.person, key=added.fingerprint),)

    return acting(service, who, work)


def question(service: Service, key: Key, message: bytes) -> dict[str, Any]:
    """What `navigator.credentials.get` is given to sign `message` with this key."""
    _, host = site_of(service.config)
    return {
        "challenge": bytes_to_base64url(challenge_of(message)),
        "rpId": host,
        "timeout": int(CEREMONY_SECONDS * 1000),
        "userVerification": "required",
        "allowCredentials": [{"type": "public-key", "id": bytes_to_base64url(_kept(key)[1])}],
    }


def check(service: Service, key: Key, message: bytes, credential: dict[str, Any]) -> tuple[Assertion, int]:
    """What the browser answered, and the counter. Problem 403 unless this key signed this message here."""
    origin, host = site_of(service.config)
    _, credential_id, cose = _kept(key)
    try:
        answered = verify_authentication_response(
            credential=_bounded(credential),
            expected_challenge=challenge_of(message),
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=cose,
            credential_current_sign_count=key.uses,
            require_user_verification=True,
        )
        if answered.credential_id != credential_id:
            raise Problem(403, "another authenticator answered")
        response = credential["response"]
        proof = Assertion(response["authenticatorData"], response["clientDataJSON"], response["signature"])
    except _MISFITS as error:
        raise Problem(403, "the authenticator's answer does not fit", detail=str(error)[:200]) from error
    return proof, answered.new_sign_count


# Private


def _row(who: Who) -> str:
    if not who.session:
        raise Problem(403, "this takes a browser's session, not a token", mend="do it in the console")
    return f"webauthn/{who.session}"


def _challenge(service: Service, who: Who) -> bytes:
    """Used up by asking for it: an answer counts once."""
    now = service.now()

    def work(connection: Connection) -> str:
        found = values.read(connection, _row(who)) or ""
        values.write(connection, _row(who), "", now)
        return found

    challenge, _, until = service.database.change(work).partition(" ")
    if not challenge or until <= now:
        raise Problem(409, "nobody asked for this, or too long ago", mend="begin again")
    return base64url_to_bytes(challenge)


def _kept(key: Key) -> tuple[str, bytes, bytes]:
    """The key's line, the credential's id and its COSE key."""
    lines = key.public.decode().split("\n")
    if key.kind != "webauthn" or len(lines) != 3:
        raise InputError("this is no authenticator's key")
    return lines[0], base64url_to_bytes(lines[1]), base64.b64decode(lines[2])


def _bounded(credential: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(credential)) > LONGEST:
        raise Problem(413, "the authenticator's answer is too long")
    return credential
