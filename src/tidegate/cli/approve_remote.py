"""`tidegate approve --server`: signs what a service offers for a change, and hands it in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import click
import msgspec

from tidegate.change.ssh_sign import agent_keys, read_public_key, sign
from tidegate.errors import InputError
from tidegate.ledger.approval import decode, make_keyring, open_sealed, seal, signed_bytes
from tidegate.report.approve import render_offer_page

if TYPE_CHECKING:
    from tidegate.ledger.approval import Terms
    from tidegate.ledger.sshsig import SshKey

TOKEN = "TIDEGATE_TOKEN"  # noqa: S105 the name of a variable
TIMEOUT_SECONDS = 30
MOST_BYTES = 1 << 20


class Offered(msgspec.Struct, frozen=True):
    """What the service answers: `payload` in base64, and which key of the person is meant."""

    payload: str
    fingerprint: str
    verdict: str
    refusal: str = ""


def approve_at(
    server: str, change: str, path: Path | None, environment: Mapping[str, str], ask: Callable[[Terms], None]
) -> str:
    """Shows what the service offers, has it confirmed and signed, hands it in, and says so."""
    if not change.isascii() or not change.isdigit():
        raise InputError("name the change by its number there", where="CHANGE", mend="the console shows the command")
    door = _Door(server, environment.get(TOKEN, ""))
    kept = door.keys()
    mine = [(read_public_key(path), path)] if path else [(key, None) for key in agent_keys(environment)]
    chosen = [(key, where, kept[key.fingerprint]) for key, where in mine if key.fingerprint in kept]
    if len(chosen) != 1:
        raise InputError(
            f"{len(chosen)} of your keys are registered there", mend="register one in the console, or say --key FILE"
        )
    key, where, number = chosen[0]
    offered = door.offer(change, number)
    payload = _payload(offered)
    terms = decode(payload)
    if offered.refusal:
        raise InputError(f"it would not count: {offered.refusal}")
    click.echo(render_offer_page(offered.verdict, terms, server))
    ask(terms)
    envelope = _envelope(payload, terms, key, where)
    door.hand_in(change, envelope)
    return f"Signed until {terms.expires}, and handed in. It counts from the next assessment on."


# Private


class _NoRedirect(HTTPRedirectHandler):
    """A token goes nowhere but where the person said."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class _Door:
    """The service's API as far as it is needed here."""

    def __init__(self, server: str, token: str) -> None:
        parts = urlsplit(server)
        near = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and near):
            raise InputError("the service is reached by https", where=f"--server {server}")
        if not token:
            raise InputError("no token", where=TOKEN, mend="make one in the console with the scope approvals:write")
        self._base = f"{server.rstrip('/')}/api/v1"
        self._token = token
        self._opener = build_opener(_NoRedirect())

    def keys(self) -> dict[str, int]:
        items = self._ask("/keys").get("items", [])
        live = [item for item in items if item.get("revoked_at") is None and item.get("kind") in ("ssh", "sk-ssh")]
        return {str(item["fingerprint"]): int(item["id"]) for item in live}

    def offer(self, change: str, key: int) -> Offered:
        try:
            return msgspec.convert(self._ask(f"/changes/{change}/approval?key={key}"), Offered)
        except msgspec.ValidationError as error:
            self._strange(error)

    def hand_in(self, change: str, envelope: bytes) -> None:
        body = msgspec.json.encode({"envelope": envelope.decode("ascii")})
        self._ask(f"/changes/{change}/approvals", body)

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        request = Request(f"{self._base}{path}", body, headers)  # noqa: S310 the scheme was checked
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                answer = msgspec.json.decode(response.read(MOST_BYTES))
        except HTTPError as error:
            raise InputError(_said(error), where=self._base) from error
        except (URLError, OSError) as error:
            raise InputError("the service cannot be reached", where=self._base) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._strange(error)
        if not isinstance(answer, dict):
            self._strange(None)
        return answer

    def _strange(self, error: Exception | None) -> NoReturn:
        raise InputError("the service answered something else than expected", where=self._base) from error


def _said(error: HTTPError) -> str:
    try:
        problem = msgspec.json.decode(error.read(MOST_BYTES))
        title, detail = str(problem["title"]), str(problem.get("detail", ""))
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError, OSError):
        return f"the service answered {error.code}"
    return f"{title} ({detail})" if detail else title


def _payload(offered: Offered) -> bytes:
    try:
        return base64.b64decode(offered.payload.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InputError("the service offers nothing that can be signed") from error


def _envelope(payload: bytes, terms: Terms, key: SshKey, path: Path | None) -> bytes:
    envelope = seal(payload, key, sign(signed_bytes(payload), key, path))
    open_sealed(envelope, make_keyring({terms.person: [key.line]}))
    return envelope
