"""Takes every secret out of a plan before anything else sees it.

A secret is what the plan marks as sensitive, what an attribute or a type of resource is known to hold, and the same
text wherever else it stands. Equal secrets get the same number, so that a changed one still shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tidegate.infra.terraform.document import Mask
from tidegate.infra.values import Hidden, Value

_NAMES = re.compile(
    r"passw(or)?d|passphrase|secret|token|private_?key|api_?key|access_?key|connection_?string|credential|auth_?key"
    r"|sas_?url|license_?key|client_?key|shared_?key|webhook_?url|account_?key|encryption_?key$|bcrypt|kubeconfig"
    r"|kube_config|kube_admin_config|_pwd$|^pwd$|dsn$",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"(_|^)(id|ids|arn|arns|name|names|length|policy|policies|version|type|ttl|age|lifetime|window|days|seconds|enabled"
    r"|rotation|rules|expiration|expiry|format|algorithm|hop_limit|tokens|reset_required|validity|units|endpoint|uri"
    r"|url|mode|settings|scope|scopes|labels|manager|path|stages|status|last_updated|created|key_id|wo_version)$"
    r"|^(http_tokens|manage_|create_|use_|enable_|require|allow|minimum_|max_|generate_|has_|is_|iam_|public_)"
    r"|secretsmanager|kms|secret_?ref|secretkeyref|tokenreview|service_account_token$|_set$|from$",
    re.IGNORECASE,
)
_HOLD: Mapping[str, frozenset[str]] = {
    "aws_ssm_parameter": frozenset({"value", "value_wo"}),
    "aws_secretsmanager_secret_version": frozenset({"secret_string", "secret_binary"}),
    "aws_api_gateway_api_key": frozenset({"value"}),
    "aws_appsync_api_key": frozenset({"key"}),
    "random_password": frozenset({"result", "bcrypt_hash"}),
    "tls_private_key": frozenset({"private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"}),
    "kubernetes_secret": frozenset({"data", "binary_data"}),
    "kubernetes_secret_v1": frozenset({"data", "binary_data"}),
    "google_secret_manager_secret_version": frozenset({"secret_data"}),
    "google_service_account_key": frozenset({"private_key"}),
    "azurerm_key_vault_secret": frozenset({"value"}),
    "azurerm_storage_account": frozenset({"primary_access_key", "secondary_access_key"}),
    "azurerm_cosmosdb_account": frozenset(
        {"primary_key", "secondary_key", "primary_readonly_key", "secondary_readonly_key"}
    ),
    "vault_generic_secret": frozenset({"data_json", "data"}),
    "vault_kv_secret": frozenset({"data_json", "data"}),
    "vault_kv_secret_v2": frozenset({"data_json", "data"}),
    "github_actions_secret": frozenset({"plaintext_value", "encrypted_value"}),
    "local_sensitive_file": frozenset({"content", "content_base64"}),
    "cloudflare_workers_secret": frozenset({"secret_text"}),
}
SHORTEST = 6


class Redactor:
    """Two passes: `learn` what is secret from every part of a plan, then `clean` each part."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: dict[str, int] = {}
        self._named: dict[str, bool] = {}
        self._cleaned: dict[str, Value] = {}
        self._pattern: re.Pattern[str] | None = None

    def learn(self, value: Any, mask: Mask = False, type_: str = "") -> None:
        """Note every secret in a value."""
        if mask is True:
            self._note(value)
            return
        held = _HOLD.get(type_, ())
        if isinstance(value, dict):
            masks = mask if isinstance(mask, dict) else {}
            for key, inner in value.items():
                if masks.get(key) is True or key in held or (type(inner) is str and self.secretive(key)):
                    self._note(inner)
                elif isinstance(inner, (dict, list)):
                    self.learn(inner, masks.get(key, False))
        elif isinstance(value, list):
            masks_ = mask if isinstance(mask, list) else ()
            for place, inner in enumerate(value):
                self.learn(inner, masks_[place] if place < len(masks_) else False)

    def clean(self, value: Any, mask: Mask = False, type_: str = "") -> Value:
        """The value without its secrets."""
        if mask is True:
            return self._hidden(value)
        held = _HOLD.get(type_, ())
        if isinstance(value, dict):
            masks = mask if isinstance(mask, dict) else {}
            return {
                self.text(key): self._hidden(inner)
                if masks.get(key) is True or key in held or (type(inner) is str and self.secretive(key))
                else self.clean(inner, masks.get(key, False))
                for key, inner in value.items()
            }
        if isinstance(value, list):
            masks_ = mask if isinstance(mask, list) else ()
            return [
                self.clean(inner, masks_[place] if place < len(masks_) else False) for place, inner in enumerate(value)
            ]
        return self._string(value) if type(value) is str else value

    def secretive(self, name: str) -> bool:
        """Whether an attribute or a variable of this name holds a secret."""
        known = self._named.get(name)
        if known is None:
            known = self._named[name] = bool(_NAMES.search(name)) and not _NOT.search(name)
        return known

    def text(self, text: str) -> str:
        """A text without the secrets in it."""
        if not self._texts:
            return text
        found = self._string(text)
        return f"(sensitive {found.number})" if isinstance(found, Hidden) else str(found)

    # Private

    def _note(self, value: Any) -> None:
        if value is None or value == "" or isinstance(value, bool):
            return
        number = self._number(value)
        for text in _texts(value):
            if len(text) >= SHORTEST:
                self._texts.setdefault(text, number)

    def _number(self, value: Any) -> int:
        key = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def _hidden(self, value: Any) -> Value:
        return None if value is None else Hidden(self._number(value))

    def _string(self, text: str) -> Value:
        if not self._texts:
            return text
        found = self._cleaned.get(text)
        if found is None:
            found = self._cleaned[text] = self._replaced(text)
        return found

    def _replaced(self, text: str) -> Value:
        number = self._texts.get(text)
        if number is not None:
            return Hidden(number)
        if self._pattern is None:
            longest_first = sorted(self._texts, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern.sub(lambda found: f"(sensitive {self._texts[found.group()]})", text)


# Private


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
